package lookup_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// A session has its time again from each Extend, whether the time before was over
// or not, used or not; a question that was given up stays unanswered.
func TestExtend(t *testing.T) {
	stuck := dnsutil.ResolverFunc(func(ctx context.Context, n string, _ dnsutil.Type) (dnsutil.Answer, error) {
		if n == name(1) {
			<-ctx.Done()
			return dnsutil.Answer{}, ctx.Err()
		}
		time.Sleep(2 * time.Second)
		return dnsutil.Answer{TXT: []string{"x"}}, ctx.Err()
	})
	synctest.Test(t, func(t *testing.T) {
		s := lookup.New(t.Context(), stuck, lookup.Limits{Timeout: 10 * time.Second})
		defer s.Close()
		sc := s.Scope(10)
		ask := func(i int) error {
			_, err := sc.Lookup(t.Context(), name(i), txt)
			return err
		}
		begin := time.Now()
		require.ErrorIs(t, ask(1), dnsutil.ErrTimeout)
		require.Equal(t, 10*time.Second, time.Since(begin))
		require.ErrorIs(t, ask(2), dnsutil.ErrTimeout)

		time.Sleep(time.Minute)
		s.Extend()
		require.ErrorIs(t, ask(1), dnsutil.ErrTimeout, "it was given up")
		require.NoError(t, ask(3))
		time.Sleep(7 * time.Second)
		s.Extend() // one second before the end
		time.Sleep(9 * time.Second)
		require.ErrorIs(t, ask(4), dnsutil.ErrTimeout, "a question longer than what is left")
		s.Extend()
		require.NoError(t, ask(5))
		s.Close()
		s.Extend()
		require.Error(t, ask(6))
	})
}

// While somebody waits for an answer, Extend moves the end of his waiting.
func TestExtendWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := dnsutil.ResolverFunc(func(ctx context.Context, _ string, _ dnsutil.Type) (dnsutil.Answer, error) {
			time.Sleep(15 * time.Second)
			return dnsutil.Answer{}, ctx.Err()
		})
		s := lookup.New(t.Context(), slow, lookup.Limits{Timeout: 10 * time.Second})
		defer s.Close()
		sc := s.Scope(10)
		got := make(chan error)
		go func() {
			_, err := sc.Lookup(t.Context(), name(1), txt)
			got <- err
		}()
		time.Sleep(6 * time.Second)
		s.Extend()
		require.NoError(t, <-got)
	})
}
