package lookup

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/domain"
)

func TestPrefetchThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := dnstest.MustParse("a.example. TXT a\nb.example. TXT b\n").WithFault("c.example", dnsutil.TypeTXT, dnsutil.ErrServFail)
		z.Delay = 20 * time.Millisecond
		s := New(t.Context(), z, Limits{})
		defer s.Close()
		sc := s.Scope(10)
		name := func(s string) domain.Name {
			n, err := domain.ParseQuery(s)
			require.NoError(t, err)
			return n
		}
		var calls atomic.Int32
		start := time.Now()
		sc.PrefetchThen(name("a.example"), dnsutil.TypeTXT, func(a dnsutil.Answer) {
			calls.Add(1)
			sc.Prefetch(name("b.example"), dnsutil.TypeTXT)
		})
		sc.PrefetchThen(name("c.example"), dnsutil.TypeTXT, func(dnsutil.Answer) { calls.Add(100) })
		// Asked before: no second call.
		sc.PrefetchThen(name("a.example"), dnsutil.TypeTXT, func(dnsutil.Answer) { calls.Add(10) })
		time.Sleep(20 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 1, calls.Load())
		_, err := sc.Ask(t.Context(), name("b.example"), dnsutil.TypeTXT)
		require.NoError(t, err)
		require.Equal(t, 40*time.Millisecond, time.Since(start))
		require.Equal(t, []string{"TXT b.example."}, s.Queries())
		require.Equal(t, 1, sc.Demanded())
		// What is under way when the session closes is not called any more.
		sc.PrefetchThen(name("d.example"), dnsutil.TypeTXT, func(dnsutil.Answer) { calls.Add(1) })
		s.Close()
		synctest.Wait()
		require.EqualValues(t, 1, calls.Load())
		sc.PrefetchThen(name("e.example"), dnsutil.TypeTXT, func(dnsutil.Answer) { calls.Add(1) })
		require.EqualValues(t, 1, calls.Load())
	})
}

func TestPrefetchThenAtOnce(t *testing.T) {
	z := dnstest.MustParse("a.example. TXT a\n")
	s := New(t.Context(), z, Limits{Speculative: 1})
	defer s.Close()
	sc := s.Scope(10)
	n, _ := domain.ParseQuery("a.example")
	m, _ := domain.ParseQuery("b.example")
	called := 0
	sc.PrefetchThen(n, dnsutil.TypeTXT, func(a dnsutil.Answer) { called += len(a.TXT) })
	sc.PrefetchThen(m, dnsutil.TypeTXT, func(dnsutil.Answer) { called += 10 }) // over the budget
	require.Equal(t, 1, called)
}
