package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

const txt = dnsutil.TypeTXT

// names gives the questions of a test: n0.example, n1.example, ...
func name(i int) string { return fmt.Sprintf("n%d.example.", i) }

func parsed(t testing.TB, s string) domain.Name {
	t.Helper()
	n, err := domain.ParseQuery(s)
	require.NoError(t, err)
	return n
}

// plain hides that a Zone is a Peeker.
func plain(r dnsutil.Resolver) dnsutil.Resolver { return dnsutil.ResolverFunc(r.Lookup) }

// zone answers every name with n octets of TXT.
func zone(n int) *dnstest.Zone {
	return dnstest.MustParse(`{"*": {"TXT": [["` + strings.Repeat("x", n) + `"]]}}`)
}

func TestOneQuestionOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, delay := range []time.Duration{0, time.Second} {
			z := zone(1).WithFault("bad.example", 0, dnsutil.ErrServFail)
			z.Delay = delay
			s := lookup.New(t.Context(), z, lookup.Limits{})
			a, b := s.Scope(10), s.Scope(10)
			var wg sync.WaitGroup
			for i := range 40 {
				wg.Go(func() {
					sc := []*lookup.Scope{a, b}[i%2]
					ans, err := sc.Lookup(t.Context(), "Good.Example", txt)
					require.NoError(t, err)
					require.Equal(t, []string{"x"}, ans.TXT)
					_, err = sc.Ask(t.Context(), parsed(t, "bad.example"), txt)
					require.ErrorIs(t, err, dnsutil.ErrServFail)
				})
			}
			wg.Wait()
			_, err := a.Lookup(t.Context(), "good.example.", dnsutil.TypeMX)
			require.NoError(t, err)
			s.Close()
			require.Equal(t, []string{"TXT good.example.", "TXT bad.example.", "MX good.example."}, z.Queries())
			require.Equal(t, z.Queries(), s.Queries())
			require.Empty(t, s.Speculative())
		}
	})
}

func TestThreats(t *testing.T) {
	t.Run("DNS-01", testAbsolute)
	t.Run("DNS-03", testIllegalNames)
	testAdapters(t)
}

// Whatever form a name is asked in, it leaves absolute and in lower case.
func testAbsolute(t *testing.T) {
	z := zone(1)
	for _, r := range []dnsutil.Resolver{z, plain(z)} {
		z.Reset()
		s := lookup.New(t.Context(), r, lookup.Limits{})
		sc := s.Scope(0)
		for _, n := range []string{"a.example", "B.example.", "_dmarc.C.example", "com"} {
			_, err := sc.Lookup(t.Context(), n, txt)
			require.NoError(t, err)
		}
		_, err := sc.Ask(t.Context(), parsed(t, "d.example"), txt)
		require.NoError(t, err)
		s.Close()
		require.Equal(t, []string{"TXT a.example.", "TXT b.example.", "TXT _dmarc.c.example.", "TXT com.", "TXT d.example."}, z.Queries())
	}
}

func testIllegalNames(t *testing.T) {
	z := zone(1)
	s := lookup.New(t.Context(), z, lookup.Limits{})
	defer s.Close()
	sc := s.Scope(0)
	for _, bad := range []string{"", ".", "a..b", "a\tb.example", "a\x00.example", "exämple", `a\.b`, "(x).example", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 200)} {
		_, err := sc.Lookup(t.Context(), bad, txt)
		require.ErrorIs(t, err, dnsutil.ErrName, bad)
	}
	_, err := sc.Ask(t.Context(), domain.Name{}, txt)
	require.ErrorIs(t, err, dnsutil.ErrName)
	sc.Prefetch(domain.Name{}, txt)
	require.Empty(t, z.Queries())
	require.Empty(t, s.Queries())
	_, err = sc.Lookup(t.Context(), "_DMARC.Example.COM", txt)
	require.NoError(t, err)
	require.Equal(t, []string{"TXT _dmarc.example.com."}, z.Queries())
}

func TestFor(t *testing.T) {
	sc, done := lookup.For(t.Context(), nil, 1)
	_, err := sc.Lookup(t.Context(), name(1), txt)
	require.ErrorIs(t, err, dnsutil.ErrNoResolver)
	done()

	sc, done = lookup.For(t.Context(), zone(200<<10), 1)
	same, nop := lookup.For(t.Context(), sc, 5)
	require.Same(t, sc, same)
	nop()
	_, err = sc.Lookup(t.Context(), name(1), txt)
	require.NoError(t, err, "alone it has all octets")
	_, err = sc.Lookup(t.Context(), name(2), txt)
	require.ErrorIs(t, err, dnsutil.ErrBudget)
	done()
	done()
	_, err = sc.Lookup(t.Context(), name(1), txt)
	require.NoError(t, err, "what was answered stays answered")
}

// Lying and broken adapters (DNS-17).
func testAdapters(t *testing.T) {
	var nilZone *dnstest.Zone
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	answer := func(a dnsutil.Answer, err error) dnsutil.Resolver {
		return dnsutil.ResolverFunc(func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) { return a, err })
	}
	own := errors.New("own")
	for _, c := range []struct {
		what string
		r    dnsutil.Resolver
		t    dnsutil.Type
		err  error
	}{
		{"panics", dnsutil.ResolverFunc(func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) { panic("x") }), txt, dnsutil.ErrPanic},
		{"typed nil", nilZone, txt, dnsutil.ErrPanic},
		{"nil function", dnsutil.ResolverFunc(nil), txt, dnsutil.ErrPanic},
		{"exits", dnsutil.ResolverFunc(func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) {
			runtime.Goexit()
			return dnsutil.Answer{}, nil
		}), txt, dnsutil.ErrPanic},
		{"data and error", answer(dnsutil.Answer{TXT: []string{"x"}}, own), txt, own},
		{"NXDOMAIN and error", answer(dnsutil.Answer{NXDomain: true}, own), txt, own},
		{"NXDOMAIN and data", answer(dnsutil.Answer{NXDomain: true, TXT: []string{"x"}}, nil), txt, dnsutil.ErrAnswer},
		{"other type", answer(dnsutil.Answer{Names: []string{"x."}}, nil), txt, dnsutil.ErrAnswer},
		{"TXT for A", answer(dnsutil.Answer{TXT: []string{"x"}}, nil), dnsutil.TypeA, dnsutil.ErrAnswer},
		{"AAAA for A", answer(dnsutil.Answer{Addrs: []netip.Addr{v6}}, nil), dnsutil.TypeA, dnsutil.ErrAnswer},
		{"A for AAAA", answer(dnsutil.Answer{Addrs: []netip.Addr{v4}}, nil), dnsutil.TypeAAAA, dnsutil.ErrAnswer},
		{"mapped for A", answer(dnsutil.Answer{Addrs: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.1")}}, nil), dnsutil.TypeA, dnsutil.ErrAnswer},
		{"zone", answer(dnsutil.Answer{Addrs: []netip.Addr{v6.WithZone("x")}}, nil), dnsutil.TypeAAAA, dnsutil.ErrAnswer},
		{"zero address", answer(dnsutil.Answer{Addrs: []netip.Addr{{}}}, nil), dnsutil.TypeAAAA, dnsutil.ErrAnswer},
		{"MX for TXT", answer(dnsutil.Answer{MX: []dnsutil.MX{{}}}, nil), txt, dnsutil.ErrAnswer},
		{"CAA for TXT", answer(dnsutil.Answer{CAA: []dnsutil.CAA{{}}}, nil), txt, dnsutil.ErrAnswer},
		{"TXT for CAA", answer(dnsutil.Answer{TXT: []string{""}}, nil), dnsutil.TypeCAA, dnsutil.ErrAnswer},
	} {
		t.Run("DNS-17/"+c.what, func(t *testing.T) {
			s := lookup.New(t.Context(), c.r, lookup.Limits{})
			sc := s.Scope(0)
			for range 2 {
				a, err := sc.Lookup(t.Context(), name(1), c.t)
				require.ErrorIs(t, err, c.err)
				require.Equal(t, dnsutil.Answer{}, a)
			}
			s.Close()
		})
	}
}

// A Resolver that ignores its context holds nobody up; one that heeds it leaves
// no goroutine behind.
func TestContextEnds(t *testing.T) {
	for _, heeds := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			var inside atomic.Int32
			r := dnsutil.ResolverFunc(func(ctx context.Context, _ string, _ dnsutil.Type) (dnsutil.Answer, error) {
				inside.Add(1)
				defer inside.Add(-1)
				if heeds {
					<-ctx.Done()
					return dnsutil.Answer{}, ctx.Err()
				}
				<-release
				return dnsutil.Answer{TXT: []string{"late"}}, nil
			})
			s := lookup.New(t.Context(), r, lookup.Limits{Timeout: time.Minute})
			sc := s.Scope(0)
			sc.Prefetch(parsed(t, name(9)), txt)

			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			_, err := sc.Lookup(ctx, name(1), txt)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, time.Second, time.Since(start))
			_, err = sc.Lookup(ctx, name(2), txt)
			require.ErrorIs(t, err, context.DeadlineExceeded)

			_, err = sc.Lookup(t.Context(), name(3), txt)
			require.ErrorIs(t, err, dnsutil.ErrTimeout)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, time.Minute, time.Since(start))

			start = time.Now()
			s.Close()
			if heeds {
				require.Zero(t, time.Since(start))
				require.Zero(t, inside.Load())
			} else {
				require.Equal(t, 100*time.Millisecond, time.Since(start))
			}
			_, err = sc.Lookup(t.Context(), name(4), txt)
			require.Error(t, err)
			close(release)
			synctest.Wait() // the bubble fails if a goroutine stays
			require.Zero(t, inside.Load())
		})
	}
}

// Close waits for a Resolver that takes its time to stop, and no longer than that.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := dnsutil.ResolverFunc(func(ctx context.Context, _ string, _ dnsutil.Type) (dnsutil.Answer, error) {
			<-ctx.Done()
			time.Sleep(10 * time.Millisecond)
			return dnsutil.Answer{}, ctx.Err()
		})
		s := lookup.New(t.Context(), r, lookup.Limits{})
		s.Scope(0).Prefetch(parsed(t, name(1)), txt)
		start := time.Now()
		s.Close()
		require.Equal(t, 10*time.Millisecond, time.Since(start))
	})
}

// A Resolver that ends its goroutine does not hold up the questions after it.
func TestExitFreesPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := dnsutil.ResolverFunc(func(_ context.Context, n string, _ dnsutil.Type) (dnsutil.Answer, error) {
			time.Sleep(time.Second)
			if n == name(0) {
				runtime.Goexit()
			}
			return dnsutil.Answer{}, nil
		})
		s := lookup.New(t.Context(), r, lookup.Limits{Parallel: 1})
		defer s.Close()
		sc := s.Scope(0)
		go sc.Lookup(t.Context(), name(0), txt)
		synctest.Wait()
		_, err := sc.Lookup(t.Context(), name(1), txt)
		require.NoError(t, err)
	})
}

func TestCloseWhileAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := zone(1)
		z.Delay = time.Hour
		s := lookup.New(t.Context(), z, lookup.Limits{Parallel: 1, Timeout: 2 * time.Hour})
		sc := s.Scope(0)
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				_, err := sc.Lookup(t.Context(), name(i), txt)
				require.ErrorIs(t, err, context.Canceled)
			})
		}
		late := s.Scope(0)
		wg.Go(func() { // waits for sc
			_, err := late.Lookup(t.Context(), name(1), txt)
			require.Error(t, err)
		})
		synctest.Wait()
		s.Close()
		wg.Wait()
		require.Len(t, z.Queries(), 1)
		require.Empty(t, s.Speculative())
	})
}

func TestParentEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := zone(1)
		z.Delay = time.Hour
		ctx, cancel := context.WithCancel(t.Context())
		s := lookup.New(ctx, plain(z), lookup.Limits{})
		defer s.Close()
		time.AfterFunc(time.Second, cancel)
		_, err := s.Scope(0).Lookup(context.Background(), name(1), txt)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// A derived context sees the session's end, its deadline and its values.
func TestResolverContext(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		r := dnsutil.ResolverFunc(func(ctx context.Context, name string, _ dnsutil.Type) (dnsutil.Answer, error) {
			d, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, 30*time.Second, time.Until(d))
			require.NoError(t, ctx.Err())
			require.Equal(t, "v", ctx.Value(key{}))
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			require.Equal(t, "v", ctx.Value(key{}))
			<-ctx.Done()
			return dnsutil.Answer{}, ctx.Err()
		})
		s := lookup.New(context.WithValue(t.Context(), key{}, "v"), r, lookup.Limits{})
		defer s.Close()
		_, err := s.Scope(0).Lookup(t.Context(), name(1), txt)
		require.ErrorIs(t, err, dnsutil.ErrTimeout)
	})
}

// Many names: the index takes over from the scan without anybody noticing.
func TestManyQuestions(t *testing.T) {
	z := zone(1)
	s := lookup.New(t.Context(), z, lookup.Limits{Queries: 1000})
	defer s.Close()
	sc := s.Scope(0)
	for range 2 {
		for i := range 300 {
			_, err := sc.Lookup(t.Context(), name(i), txt)
			require.NoError(t, err)
		}
	}
	require.Len(t, z.Queries(), 300)
	require.Equal(t, z.Queries(), s.Queries())
}

func BenchmarkLookup(b *testing.B) {
	mem := map[string]dnsutil.Answer{}
	names := make([]domain.Name, 10)
	for i := range names {
		names[i] = parsed(b, name(i))
		mem[name(i)] = dnsutil.Answer{TXT: []string{"v=spf1 -all"}}
	}
	for _, c := range []struct {
		what string
		r    dnsutil.Resolver
		n    int
	}{{"peeker/1", fast(mem), 1}, {"peeker/10", fast(mem), 10}, {"plain/1", plain(fast(mem)), 1}, {"plain/10", plain(fast(mem)), 10}} {
		b.Run(c.what, func(b *testing.B) {
			b.ReportAllocs()
			ctx := context.Background()
			for b.Loop() {
				sc, done := lookup.For(ctx, c.r, 50)
				for _, n := range names[:c.n] {
					sc.Ask(ctx, n, txt)
				}
				done()
			}
		})
	}
}

type fast map[string]dnsutil.Answer

func (f fast) Lookup(_ context.Context, name string, _ dnsutil.Type) (dnsutil.Answer, error) {
	return f[name], nil
}

func (f fast) Peek(name string, _ dnsutil.Type) (dnsutil.Answer, bool, error) {
	return f[name], true, nil
}
