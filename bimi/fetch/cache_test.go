package fetch

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
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

func TestLifetime(t *testing.T) {
	for _, tt := range []struct {
		control, age string
		want         time.Duration
	}{
		{"", "", defaultTTL},
		{"public", "", defaultTTL},
		{"max-age=600", "", 10 * time.Minute},
		{"Max-Age=600", "", 10 * time.Minute},
		{`max-age="600"`, "", 10 * time.Minute},
		{"max-age=600, s-maxage=1200", "", 20 * time.Minute},
		{"max-age=600", "120", 8 * time.Minute},
		{"max-age=600", "700", minTTL},
		{"max-age=600", "-700", 10 * time.Minute},
		{"max-age=0", "", minTTL},
		{"max-age=59", "", minTTL},
		{"max-age=61", "", 61 * time.Second},
		{"max-age=86400", "", maxTTL},
		{"max-age=86401", "", maxTTL},
		{"max-age=99999999999999999999", "", maxTTL},
		{"max-age=-1", "", defaultTTL},
		{"max-age=x", "", defaultTTL},
		{"no-store", "", minTTL},
		{"max-age=600, no-cache", "", minTTL},
		{"private", "", minTTL},
	} {
		h := http.Header{}
		if tt.control != "" {
			h.Set("Cache-Control", tt.control)
		}
		if tt.age != "" {
			h.Set("Age", tt.age)
		}
		require.Equal(t, tt.want, lifetime(h), "%q %q", tt.control, tt.age)
	}
}

// counting answers with head and the number of the request.
func counting(n *atomic.Int64, head string) func(net.Conn) {
	return func(c net.Conn) {
		body := strconv.FormatInt(n.Add(1), 10)
		io.WriteString(c, head+"Content-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body)
	}
}

func TestCache(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	get := func(t *testing.T, f *Fetcher, r Request) string {
		d, err := f.Get(t.Context(), r)
		if err != nil {
			return err.Error()
		}
		return string(d.Body)
	}
	for _, tt := range []struct {
		name, head string
		kept       time.Duration
	}{
		{"default", ok, defaultTTL},
		{"max-age", ok + "Cache-Control: max-age=120\r\n", 2 * time.Minute},
		{"no-store", ok + "Cache-Control: no-store\r\n", minTTL},
		{"not-found", "HTTP/1.1 404 Not Found\r\n", permanentTTL},
		{"unavailable", "HTTP/1.1 503 Service Unavailable\r\n", temporaryTTL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var n atomic.Int64
				f := wired(t, counting(&n, tt.head))
				first := get(t, f, Request{URL: logo})
				time.Sleep(tt.kept - time.Nanosecond)
				require.Equal(t, first, get(t, f, Request{URL: logo}))
				require.EqualValues(t, 1, n.Load())
				time.Sleep(time.Nanosecond)
				get(t, f, Request{URL: logo})
				require.EqualValues(t, 2, n.Load())
			})
		})
	}
	t.Run("crl", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int64
			f := wired(t, counting(&n, ok+"Cache-Control: max-age=86400\r\n"))
			for _, wait := range []time.Duration{0, maxTTLCRL - 1, 1} {
				time.Sleep(wait)
				_, err := f.FetchCRL(t.Context(), logo)
				require.NoError(t, err)
			}
			require.EqualValues(t, 2, n.Load())
		})
	})
	t.Run("keys", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int64
			f := wired(t, counting(&n, ok))
			for i, r := range []Request{{URL: logo}, {URL: logo, Domain: "a.example"}, {URL: logo, Domain: "b.example"}, {URL: logo, Max: 100}, {URL: logo + "?"}} {
				get(t, f, r)
				get(t, f, r)
				require.EqualValues(t, i+1, n.Load())
			}
			get(t, f, Request{URL: "HTTPS://LOGO.example:443/logo.svg#x"})
			require.EqualValues(t, 5, n.Load(), "the same URL written otherwise")
		})
	})
	t.Run("off", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int64
			f := wired(t, counting(&n, ok))
			f.CacheSize = -1
			require.Equal(t, "1", get(t, f, Request{URL: logo}))
			require.Equal(t, "2", get(t, f, Request{URL: logo}))
		})
	})
	t.Run("bounded", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int64
			f := wired(t, func(c net.Conn) {
				n.Add(1)
				io.WriteString(c, ok+"Content-Length: 1000\r\n\r\n"+strings.Repeat("x", 1000))
			})
			f.CacheSize = 5000 // three such entries
			url := func(i int) Request { return Request{URL: logo + "?" + strconv.Itoa(i)} }
			for i := range 3 {
				get(t, f, url(i))
			}
			get(t, f, url(0)) // used again: the oldest is now the second
			get(t, f, url(3))
			require.EqualValues(t, 4, n.Load())
			get(t, f, url(0))
			require.EqualValues(t, 4, n.Load())
			get(t, f, url(1))
			require.EqualValues(t, 5, n.Load())
			require.LessOrEqual(t, f.cache.cost, 5000)
			require.Len(t, f.cache.byKey, f.cache.order.Len())
			f.CacheSize = 2000 // an entry over half of it is not kept
			get(t, f, url(9))
			get(t, f, url(9))
			require.EqualValues(t, 7, n.Load())
		})
	})
	t.Run("failure-is-a-copy", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int64
			f := wired(t, counting(&n, "HTTP/1.1 404 Not Found\r\n"))
			_, err := f.Get(t.Context(), Request{URL: logo})
			var fail *Failure
			require.ErrorAs(t, err, &fail)
			fail.Status = 0
			require.Contains(t, get(t, f, Request{URL: logo}), "404")
			require.EqualValues(t, 1, n.Load())
		})
	})
	t.Run("bad-url-is-not-kept", func(t *testing.T) {
		f := &Fetcher{}
		_, err := f.Get(t.Context(), Request{URL: "http://logo.example/"})
		require.ErrorIs(t, err, ErrURL)
		require.Empty(t, f.cache.byKey)
	})
}

// TestSingleFlight: whoever asks for the same at the same time shares the request.
func TestSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		f := wired(t, func(c net.Conn) {
			time.Sleep(time.Second)
			counting(&n, "HTTP/1.1 200 OK\r\n")(c)
		})
		f.CacheSize = -1
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				d, err := f.Get(t.Context(), Request{URL: logo})
				require.NoError(t, err)
				require.Equal(t, "1", string(d.Body))
				d.Body[0] = 'x'
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, n.Load())
		require.Empty(t, f.flights)
		require.Empty(t, f.hosts)
	})
	// The one who makes the request gives up: another makes it again.
	t.Run("leader-leaves", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int64
			f := wired(t, func(c net.Conn) {
				time.Sleep(4 * time.Second)
				counting(&n, "HTTP/1.1 200 OK\r\n")(c)
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var wg sync.WaitGroup
			wg.Go(func() {
				_, err := f.Get(ctx, Request{URL: logo})
				require.ErrorIs(t, err, ErrCanceled)
			})
			synctest.Wait()
			wg.Go(func() {
				start := time.Now()
				_, err := f.Get(t.Context(), Request{URL: logo})
				require.NoError(t, err)
				require.Equal(t, 5*time.Second, time.Since(start))
			})
			wg.Wait()
		})
	})
	t.Run("follower-leaves", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var n atomic.Int64
			f := wired(t, func(c net.Conn) {
				time.Sleep(4 * time.Second)
				counting(&n, "HTTP/1.1 200 OK\r\n")(c)
			})
			var wg sync.WaitGroup
			wg.Go(func() {
				_, err := f.Get(t.Context(), Request{URL: logo})
				require.NoError(t, err)
			})
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := f.Get(ctx, Request{URL: logo})
			require.ErrorIs(t, err, ErrCanceled)
			wg.Wait()
			require.EqualValues(t, 1, n.Load())
		})
	})
}

// TestMaxPerHost: no more than that many requests to a host at a time, and a
// place is given back whatever happens.
func TestMaxPerHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		f := wired(t, func(c net.Conn) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		})
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				_, err := f.Get(t.Context(), Request{URL: logo + "?" + strconv.Itoa(i)})
				require.NoError(t, err)
			})
			wg.Go(func() {
				_, err := f.Get(t.Context(), Request{URL: "https://other.example/?" + strconv.Itoa(i)})
				require.NoError(t, err)
			})
		}
		wg.Wait()
		require.Equal(t, 2*DefaultMaxPerHost, most)
		require.Equal(t, 3*time.Second, time.Since(start))
		require.Empty(t, f.hosts)
	})
	t.Run("waiting-times-out", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := wired(t, func(c net.Conn) { io.Copy(io.Discard, c) })
			f.MaxPerHost = 1
			var wg sync.WaitGroup
			for i := range 3 {
				wg.Go(func() {
					_, err := f.Get(t.Context(), Request{URL: logo + "?" + strconv.Itoa(i)})
					require.ErrorIs(t, err, ErrTimeout)
				})
			}
			wg.Wait()
			require.Empty(t, f.hosts)
		})
	})
}

// TestRemembersNoCancel: a caller that gives up leaves nothing for the next one.
func TestRemembersNoCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	zone := dnstest.MustParse(zone)
	f := &Fetcher{Resolver: dnsutil.ResolverFunc(func(c context.Context, name string, typ dnsutil.Type) (dnsutil.Answer, error) {
		cancel()
		return zone.Lookup(c, name, typ)
	})}
	_, err := f.Get(ctx, Request{URL: "https://inner.example/"})
	require.ErrorIs(t, err, ErrCanceled)
	require.True(t, errors.Is(err, context.Canceled))
	require.Empty(t, f.cache.byKey)
	_, err = f.Get(t.Context(), Request{URL: "https://inner.example/"})
	require.ErrorIs(t, err, ErrAddress)
	require.Len(t, f.cache.byKey, 1)
}
