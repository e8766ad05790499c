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

// A scope that lowers its limit, or has finished, leaves the rest to later ones,
// which go on at once; the outcome is the same whoever runs first.
func TestLimit(t *testing.T) {
	for _, finish := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := lookup.New(t.Context(), zone(1), lookup.Limits{Queries: 20})
			defer s.Close()
			first, second, third := s.Scope(8), s.Scope(12), s.Scope(10)
			asked := make(chan time.Time, 10)
			go func() {
				for i := range 10 {
					if _, err := third.Lookup(context.Background(), name(200+i), txt); err != nil {
						break
					}
					asked <- time.Now()
				}
				close(asked)
			}()
			begin := time.Now()
			time.Sleep(time.Second)
			require.Empty(t, asked, "nothing is left in any case")
			if finish {
				second.Finish()
			} else {
				second.Limit(4)
			}
			synctest.Wait()
			n := 12
			if !finish {
				n = 8
			}
			require.Len(t, asked, min(n, 10), "first may still use its 8")
			require.Equal(t, begin.Add(time.Second), <-asked)
			for i := range 4 {
				_, err := second.Lookup(context.Background(), name(100+i), txt)
				require.Equal(t, finish, err != nil)
			}
			_, err := second.Lookup(context.Background(), name(150), txt)
			require.ErrorIs(t, err, dnsutil.ErrBudget)
			for i := range 8 {
				_, err := first.Lookup(context.Background(), name(i), txt)
				require.NoError(t, err, "nobody took what it had")
			}
			first.Finish()
			second.Finish()
			synctest.Wait()
		})
	}
}

// Limit never raises, and never falls below what was asked.
func TestLimitBounds(t *testing.T) {
	s := lookup.New(t.Context(), zone(1), lookup.Limits{})
	defer s.Close()
	sc := s.Scope(3)
	ask := func(i int) error {
		_, err := sc.Lookup(t.Context(), name(i), txt)
		return err
	}
	sc.Limit(9)
	require.NoError(t, ask(1))
	require.NoError(t, ask(2))
	sc.Limit(0)
	require.NoError(t, ask(2), "asked before")
	require.ErrorIs(t, ask(3), dnsutil.ErrBudget)
}
