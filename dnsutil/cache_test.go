package dnsutil_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

const txt = dnsutil.TypeTXT

// counter answers every question alike and counts them.
type counter struct {
	n      atomic.Int32
	answer dnsutil.Answer
	err    error
}

func (c *counter) Lookup(ctx context.Context, _ string, _ dnsutil.Type) (dnsutil.Answer, error) {
	c.n.Add(1)
	if ctx.Err() != nil {
		return dnsutil.Answer{}, ctx.Err()
	}
	return c.answer, c.err
}

func TestThreats(t *testing.T) {
	testCacheLifetime(t)
	t.Run("CMP-12", testFaults)
}

// Turning any subset of answers into failures turns each outcome into an error or
// leaves it alone, also through a cache and a CNAME.
func testFaults(t *testing.T) {
	zone := dnstest.NewConformanceZone()
	var names []string
	for _, n := range []string{"data", "alias", "alias2", "dangling", "missing", "empty", "x.wild", "null"} {
		names = append(names, n+".conformance.example.")
	}
	types := []dnsutil.Type{dnsutil.TypeA, dnsutil.TypeTXT, dnsutil.TypeMX}
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		faulty := zone
		for _, n := range names {
			if rnd.IntN(3) == 0 {
				faulty = faulty.WithFault(n, types[rnd.IntN(len(types))], []error{dnsutil.ErrServFail, dnsutil.ErrTimeout}[rnd.IntN(2)])
			}
		}
		cache := &dnsutil.Cache{Resolver: faulty}
		for range 2 {
			for _, n := range names {
				for _, ty := range types {
					want, _ := zone.Lookup(t.Context(), n, ty)
					got, err := cache.Lookup(t.Context(), n, ty)
					if err != nil {
						want = dnsutil.Answer{}
					}
					want.TTL = got.TTL
					require.Equal(t, want, got)
				}
			}
		}
	}
}

func testCacheLifetime(t *testing.T) {
	data := func(ttl time.Duration) dnsutil.Answer { return dnsutil.Answer{TXT: []string{"x"}, TTL: ttl} }
	for _, c := range []struct {
		what     string
		answer   dnsutil.Answer
		err      error
		errorTTL time.Duration
		keep     time.Duration
	}{
		{"DNS-11/own TTL", data(5 * time.Minute), nil, 0, 5 * time.Minute},
		{"DNS-11/no TTL", data(0), nil, 0, time.Minute},
		{"DNS-11/TTL of 59 s", data(59 * time.Second), nil, 0, time.Minute},
		{"DNS-11/TTL of 61 s", data(61 * time.Second), nil, 0, 61 * time.Second},
		{"DNS-11/TTL of 24 h", data(24 * time.Hour), nil, 0, 24 * time.Hour},
		{"DNS-11/TTL of 2^31-1 s", data((1<<31 - 1) * time.Second), nil, 0, 24 * time.Hour},
		{"DNS-11/NXDOMAIN", dnsutil.Answer{NXDomain: true, TTL: 2 * time.Minute}, nil, 0, 2 * time.Minute},
		{"DNS-11/NXDOMAIN without SOA", dnsutil.Answer{NXDomain: true}, nil, 0, time.Minute},
		{"DNS-11/NODATA", dnsutil.Answer{TTL: 2 * time.Minute}, nil, 0, 2 * time.Minute},
		{"DNS-11/error", dnsutil.Answer{}, dnsutil.ErrServFail, 0, 5 * time.Second},
		{"DNS-11/error of 30 s", dnsutil.Answer{}, dnsutil.ErrTimeout, 30 * time.Second, 30 * time.Second},
		{"DNS-11/error of 31 s", dnsutil.Answer{}, dnsutil.ErrTimeout, 31 * time.Second, 30 * time.Second},
		{"DNS-11/error not kept", dnsutil.Answer{}, dnsutil.ErrTimeout, -1, 0},
		{"DNS-11/error with data", data(time.Hour), dnsutil.ErrServFail, 0, 5 * time.Second},
		{"DNS-11/bad name", dnsutil.Answer{}, dnsutil.ErrName, 0, 0},
		{"DNS-11/budget", dnsutil.Answer{}, fmt.Errorf("x: %w", dnsutil.ErrBudget), 0, 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			now := time.Unix(1e9, 0)
			r := &counter{answer: c.answer, err: c.err}
			cache := &dnsutil.Cache{Resolver: r, ErrorTTL: c.errorTTL, Now: func() time.Time { return now }}
			ask := func(name string, want dnsutil.Answer) {
				a, err := cache.Lookup(t.Context(), name, txt)
				require.ErrorIs(t, err, c.err)
				require.Equal(t, want, a)
			}
			want := c.answer
			if c.err != nil {
				want = dnsutil.Answer{}
			}
			ask("example.com.", want)
			if c.keep > 0 {
				now = now.Add(c.keep - 1)
				want.TTL = max(0, want.TTL-(c.keep-1))
				ask("EXAMPLE.com.", want)
				require.Equal(t, int32(1), r.n.Load())
				a, ok, err := cache.Peek("example.com.", txt)
				require.True(t, ok)
				require.ErrorIs(t, err, c.err)
				require.Equal(t, want, a)
				now = now.Add(1)
			}
			_, ok, _ := cache.Peek("example.com.", txt)
			require.False(t, ok)
			want = c.answer
			if c.err != nil {
				want = dnsutil.Answer{}
			}
			ask("example.com.", want)
			require.Equal(t, int32(2), r.n.Load())
			now = now.Add(-time.Second) // a clock set back makes nothing young again
			ask("example.com.", want)
			require.Equal(t, int32(3), r.n.Load())
		})
	}
}

func TestCacheKeysAreQuestions(t *testing.T) {
	z := dnstest.MustParse("a.example. TXT x\na.example. A 192.0.2.1\nb.example. TXT y")
	c := &dnsutil.Cache{Resolver: z}
	for range 2 {
		for _, n := range []string{"a.example.", "b.example."} {
			for _, ty := range []dnsutil.Type{txt, dnsutil.TypeA} {
				want, wantErr := z.Lookup(t.Context(), n, ty)
				got, err := c.Lookup(t.Context(), n, ty)
				require.Equal(t, wantErr, err)
				require.Equal(t, want.TXT, got.TXT)
				require.Equal(t, want.Addrs, got.Addrs)
			}
		}
	}
	require.Len(t, z.Queries(), 8+4)
	c.Clear()
	entries, bytes := c.Size()
	require.Zero(t, entries)
	require.Zero(t, bytes)
	_, err := c.Lookup(t.Context(), "a.example.", txt)
	require.NoError(t, err)
	require.Len(t, z.Queries(), 8+5)
	_, err = (&dnsutil.Cache{}).Lookup(t.Context(), "a.example.", txt)
	require.ErrorIs(t, err, dnsutil.ErrNoResolver)
}

func TestCacheBounds(t *testing.T) {
	name := func(i int) string { return fmt.Sprintf("n%d.example.", i) }
	t.Run("entries", func(t *testing.T) {
		r := &counter{answer: dnsutil.Answer{TXT: []string{"x"}}}
		c := &dnsutil.Cache{Resolver: r, MaxEntries: 3}
		for i := range 3 {
			c.Lookup(t.Context(), name(i), txt)
		}
		c.Lookup(t.Context(), name(0), txt) // used last
		require.Equal(t, int32(3), r.n.Load())
		c.Lookup(t.Context(), name(3), txt) // one past it: the one longest unused goes
		entries, _ := c.Size()
		require.Equal(t, 3, entries)
		_, ok, _ := c.Peek(name(1), txt)
		require.False(t, ok)
		for _, i := range []int{0, 2, 3} {
			_, ok, _ := c.Peek(name(i), txt)
			require.True(t, ok, i)
		}
	})
	t.Run("octets", func(t *testing.T) {
		const limit = 1 << 20
		r := &counter{answer: dnsutil.Answer{TXT: []string{strings.Repeat("x", 10_000)}}}
		c := &dnsutil.Cache{Resolver: r, MaxBytes: limit}
		for i := range 500 {
			c.Lookup(t.Context(), name(i), txt)
			_, bytes := c.Size()
			require.LessOrEqual(t, bytes, limit)
		}
		entries, bytes := c.Size()
		require.Greater(t, entries, 80)
		require.Greater(t, bytes, limit*8/10)
	})
	t.Run("one answer", func(t *testing.T) {
		const limit = 1 << 20
		for _, size := range []int{limit/16 - 1000, limit / 16} {
			c := &dnsutil.Cache{Resolver: &counter{answer: dnsutil.Answer{TXT: []string{strings.Repeat("x", size)}}}, MaxBytes: limit}
			a, err := c.Lookup(t.Context(), name(0), txt)
			require.NoError(t, err)
			require.Len(t, a.TXT[0], size)
			entries, _ := c.Size()
			require.Equal(t, size < limit/16, entries == 1)
		}
	})
	t.Run("many records", func(t *testing.T) {
		// Counted by records as well: a zone could else pin much more than its octets.
		c := &dnsutil.Cache{Resolver: &counter{answer: dnsutil.Answer{TXT: make([]string, 10_000)}}}
		c.Lookup(t.Context(), name(0), txt)
		_, bytes := c.Size()
		require.Greater(t, bytes, 160_000)
	})
}

// Questions asked at the same time are one, and each caller keeps its own context.
func TestCacheSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := dnstest.MustParse("a.example. TXT x")
		z.Delay = time.Second
		c := &dnsutil.Cache{Resolver: z}
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				a, err := c.Lookup(t.Context(), "a.example.", txt)
				require.NoError(t, err)
				require.Equal(t, []string{"x"}, a.TXT)
			})
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			start := time.Now()
			_, err := c.Lookup(ctx, "a.example.", txt)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, time.Millisecond, time.Since(start))
		})
		wg.Wait()
		require.LessOrEqual(t, len(z.Queries()), 2, "a second one if the impatient was first")
	})
}

func TestCacheLeaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := dnstest.MustParse("a.example. TXT x")
		z.Delay = time.Second
		c := &dnsutil.Cache{Resolver: z}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := c.Lookup(ctx, "a.example.", txt)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
		synctest.Wait()
		for range 3 {
			wg.Go(func() {
				a, err := c.Lookup(t.Context(), "a.example.", txt)
				require.NoError(t, err, "another's deadline is not ours")
				require.Equal(t, []string{"x"}, a.TXT)
			})
		}
		wg.Wait()
		require.Len(t, z.Queries(), 2)
	})
}

func TestCachePanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		c := &dnsutil.Cache{Resolver: dnsutil.ResolverFunc(func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) {
			time.Sleep(time.Second)
			if n.Add(1) == 1 {
				panic("x")
			}
			return dnsutil.Answer{}, nil
		})}
		var wg sync.WaitGroup
		wg.Go(func() {
			require.Panics(t, func() { c.Lookup(t.Context(), "a.example.", txt) })
		})
		synctest.Wait()
		wg.Go(func() {
			_, err := c.Lookup(t.Context(), "a.example.", txt)
			require.NoError(t, err)
		})
		wg.Wait()
		_, ok, _ := c.Peek("a.example.", txt)
		require.True(t, ok)
	})
}

// Concurrent use of everything, for the race detector.
func TestCacheConcurrent(t *testing.T) {
	r := &counter{answer: dnsutil.Answer{TXT: []string{strings.Repeat("x", 500)}}}
	c := &dnsutil.Cache{Resolver: r, MaxBytes: 1 << 20}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				name := fmt.Sprintf("n%d.example.", (i*7+g*13)%3000)
				a, err := c.Lookup(t.Context(), name, txt)
				require.NoError(t, err)
				require.Len(t, a.TXT, 1)
				c.Peek(name, txt)
				if i%500 == 0 {
					c.Size()
				}
				if i%1500 == 1499 {
					c.Clear()
				}
			}
		})
	}
	wg.Wait()
	_, bytes := c.Size()
	require.LessOrEqual(t, bytes, 1<<20)
}

func BenchmarkCacheHit(b *testing.B) {
	c := &dnsutil.Cache{Resolver: &counter{answer: dnsutil.Answer{TXT: []string{"v=spf1 -all"}, TTL: time.Hour}}}
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("n%d.example.", i)
		c.Lookup(b.Context(), names[i], txt)
	}
	b.Run("1", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			c.Peek(names[i%len(names)], txt)
			i++
		}
	})
	b.Run("64", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				c.Peek(names[i%len(names)], txt)
			}
		})
	})
}
