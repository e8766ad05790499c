package lookup_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// The outcome of two scopes that compete for the total is the same whoever runs first.
func TestQueryBudget(t *testing.T) {
	run := func(sc *lookup.Scope, from, n int) (ok int, err error) {
		for i := range n {
			if _, err = sc.Lookup(context.Background(), name(from+i), txt); err == nil {
				ok++
			}
		}
		sc.Finish()
		return ok, err
	}
	for _, laterFirst := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			z := zone(1)
			z.Delay = time.Millisecond
			s := lookup.New(t.Context(), z, lookup.Limits{Queries: 20})
			defer s.Close()
			a, b, c := s.Scope(8), s.Scope(10), s.Scope(10)
			var na, nb, nc int
			var errB error
			var wg sync.WaitGroup
			pause := func(yes bool) {
				if yes {
					time.Sleep(time.Second)
				}
			}
			wg.Go(func() { pause(laterFirst); na, _ = run(a, 0, 5) })
			wg.Go(func() { pause(laterFirst); nb, errB = run(b, 100, 12) })
			wg.Go(func() { pause(!laterFirst); nc, _ = run(c, 200, 10) })
			wg.Wait()
			require.Equal(t, []int{5, 10, 5}, []int{na, nb, nc})
			require.ErrorIs(t, errB, dnsutil.ErrBudget)
			require.Len(t, s.Queries(), 20)
			require.Equal(t, "TXT n0.example.", s.Queries()[0])
			require.Equal(t, "TXT n204.example.", s.Queries()[19])
			require.Len(t, z.Queries(), 20)
		})
	}
}

func TestQueryBudgetAtLimit(t *testing.T) {
	z := zone(1)
	s := lookup.New(t.Context(), z, lookup.Limits{})
	defer s.Close()
	sc := s.Scope(3)
	for range 2 {
		for i := range 3 {
			_, err := sc.Lookup(t.Context(), name(i), txt)
			require.NoError(t, err)
		}
		_, err := sc.Lookup(t.Context(), name(3), txt)
		require.ErrorIs(t, err, dnsutil.ErrBudget)
	}
	require.Len(t, z.Queries(), 3)

	all := s.Scope(0) // what the session has, beside the three
	sc.Finish()
	for i := range 97 {
		_, err := all.Lookup(t.Context(), name(i), txt)
		require.NoError(t, err)
	}
	_, err := all.Lookup(t.Context(), name(97), txt)
	require.ErrorIs(t, err, dnsutil.ErrBudget)
	_, err = sc.Lookup(t.Context(), name(50), txt)
	require.ErrorIs(t, err, dnsutil.ErrBudget, "a finished scope asks nothing new")

	for range 62 {
		s.Scope(1)
	}
	_, err = s.Scope(1).Lookup(t.Context(), name(1), txt) // the 65th
	require.ErrorIs(t, err, dnsutil.ErrBudget)
}

func TestByteBudget(t *testing.T) {
	const each = 1000 // with its fixed part
	for _, laterFirst := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			z := zone(each - 12)
			z.Delay = time.Millisecond
			// Shares: 4000, 4000; the rest belongs to nobody.
			s := lookup.New(t.Context(), z, lookup.Limits{Queries: 100, Bytes: 10 * each})
			defer s.Close()
			a, b := s.Scope(40), s.Scope(40)
			var gotA, gotB []error
			ask := func(sc *lookup.Scope, from, n int) (out []error) {
				for i := range n {
					_, err := sc.Lookup(t.Context(), name(from+i), txt)
					out = append(out, err)
				}
				sc.Finish()
				return out
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if laterFirst {
					time.Sleep(time.Second)
				}
				gotA = ask(a, 0, 3)
			})
			wg.Go(func() {
				if !laterFirst {
					time.Sleep(time.Second)
				}
				gotB = ask(b, 100, 8)
			})
			wg.Wait()
			for _, err := range gotA {
				require.NoError(t, err)
			}
			for i, err := range gotB { // its own 4 and the one that a left
				if i < 5 {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, dnsutil.ErrBudget)
				}
			}
			require.Len(t, z.Queries(), 3+6, "nothing is sent after the answer that went over")
			_, err := b.Lookup(t.Context(), name(100), txt)
			require.NoError(t, err)
			_, err = b.Lookup(t.Context(), name(105), txt)
			require.ErrorIs(t, err, dnsutil.ErrBudget, "the answer that went over stays denied")
		})
	}
}

// What two scopes leave of their shares is there for the third.
func TestByteBudgetLeft(t *testing.T) {
	z := zone(988)
	s := lookup.New(t.Context(), z, lookup.Limits{Bytes: 9000})
	defer s.Close()
	a, b, c := s.Scope(33), s.Scope(33), s.Scope(33) // 2970 each
	for i, sc := range []*lookup.Scope{a, b} {
		_, err := sc.Lookup(t.Context(), name(i), txt)
		require.NoError(t, err)
		sc.Finish()
	}
	for i := range 6 { // 8910 - 2000
		_, err := c.Lookup(t.Context(), name(10+i), txt)
		require.NoError(t, err)
	}
	_, err := c.Lookup(t.Context(), name(16), txt)
	require.ErrorIs(t, err, dnsutil.ErrBudget)
}

// A speculative question that is demanded while it is under way makes no room for another:
// else all places would be taken by what somebody asked ahead, of servers that never answer.
func TestPrefetchDemanded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := zone(1)
		z.Delay = time.Second
		s := lookup.New(t.Context(), z, lookup.Limits{Parallel: 4})
		defer s.Close()
		sc := s.Scope(0)
		for i := range 4 {
			sc.Prefetch(parsed(t, name(i)), txt)
		}
		synctest.Wait()
		require.Len(t, z.Queries(), 3)
		go sc.Lookup(t.Context(), name(0), txt)
		synctest.Wait()
		require.Len(t, z.Queries(), 3)
		go sc.Lookup(t.Context(), name(9), txt)
		synctest.Wait()
		require.Len(t, z.Queries(), 4, "what is demanded has the last place")
	})
}

func TestPrefetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := zone(1)
		z.Delay = 20 * time.Millisecond
		s := lookup.New(t.Context(), z, lookup.Limits{Speculative: 30})
		sc, other := s.Scope(2), s.Scope(50)
		for i := range 50 {
			sc.Prefetch(parsed(t, name(i)), txt)
		}
		synctest.Wait()
		require.Len(t, z.Queries(), 12, "a quarter of the places stays free")
		start := time.Now()
		for _, i := range []int{29, 0} { // one that is queued, one that is under way
			_, err := sc.Lookup(t.Context(), name(i), txt)
			require.NoError(t, err)
		}
		require.Equal(t, 20*time.Millisecond, time.Since(start))
		_, err := sc.Lookup(t.Context(), name(1), txt)
		require.ErrorIs(t, err, dnsutil.ErrBudget, "speculation neither adds to the budget nor goes round it")
		_, err = other.Lookup(t.Context(), name(1), txt)
		require.NoError(t, err)
		time.Sleep(time.Second)
		require.Equal(t, []string{"TXT n29.example.", "TXT n0.example.", "TXT n1.example."}, s.Queries())
		require.Len(t, s.Speculative(), 27)
		require.Len(t, z.Queries(), 30)
		require.Equal(t, 13, z.Parallel(), "twelve and the demanded one")
		s.Close()
		sc.Prefetch(parsed(t, name(60)), txt)
		require.Len(t, z.Queries(), 30)
	})
}

// Speculation under way does not keep demanded questions from being asked, and
// all together stay within Parallel.
func TestParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := zone(1)
		z.Delay = time.Second
		s := lookup.New(t.Context(), z, lookup.Limits{Parallel: 8})
		defer s.Close()
		sc := s.Scope(0)
		for i := range 30 {
			sc.Prefetch(parsed(t, name(100+i)), txt)
		}
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				_, err := sc.Lookup(t.Context(), name(i), txt)
				require.NoError(t, err)
			})
		}
		start := time.Now()
		wg.Wait()
		require.Equal(t, 2*time.Second, time.Since(start))
		time.Sleep(time.Minute)
		require.Equal(t, 8, z.Parallel())
	})
}

func TestSpeculativeOff(t *testing.T) {
	z := zone(1)
	s := lookup.New(t.Context(), z, lookup.Limits{Speculative: -1})
	defer s.Close()
	s.Scope(0).Prefetch(parsed(t, name(1)), txt)
	require.Empty(t, z.Queries())
}

func TestSpeculativeBytes(t *testing.T) {
	z := zone(988)
	s := lookup.New(t.Context(), z, lookup.Limits{Bytes: 5000})
	defer s.Close()
	sc := s.Scope(0)
	for i := range 50 {
		sc.Prefetch(parsed(t, name(i)), txt)
	}
	require.Len(t, z.Queries(), 6, "the first that goes over is the last")
	_, err := sc.Lookup(t.Context(), name(40), txt)
	require.NoError(t, err, "demand has octets of its own")
}
