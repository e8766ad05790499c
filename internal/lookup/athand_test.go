package lookup_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// some is a memory that has some names, before a Resolver that takes a second.
type some struct{ names []string }

func (m some) Lookup(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) {
	time.Sleep(time.Second)
	return dnsutil.Answer{TXT: []string{"far"}}, nil
}

func (m some) Peek(name string, _ dnsutil.Type) (dnsutil.Answer, bool, error) {
	return dnsutil.Answer{TXT: []string{"near"}}, slices.Contains(m.names, name), nil
}

func TestAtHand(t *testing.T) {
	ask := func(sc *lookup.Scope, n ...int) (errs int) {
		for _, i := range n {
			if _, err := sc.Lookup(context.Background(), name(i), txt); err != nil {
				errs++
			}
		}
		return errs
	}
	for _, c := range []struct {
		name    string
		known   []string
		pace    lookup.Pace
		refused int
	}{
		{"all", []string{name(1), name(2), name(3)}, lookup.AtOnce, 0},
		{"the first has to wait", []string{name(2), name(3)}, lookup.Waits, 3},
		{"the second has to wait", []string{name(1), name(3)}, lookup.Waits, 2}, // and the third is refused although it is known
		{"the last has to wait", []string{name(1), name(2)}, lookup.Waits, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := lookup.New(t.Context(), some{c.known}, lookup.Limits{})
				defer s.Close()
				sc := s.Scope(10)
				begin := time.Now()
				var refused int
				require.Equal(t, c.pace, sc.AtHand(func() { refused = ask(sc, 1, 2, 3) }))
				require.Equal(t, c.refused, refused)
				require.Zero(t, time.Since(begin))
				require.Len(t, s.Queries(), min(3, 4-refused))
				require.Zero(t, ask(sc, 1, 2, 3))
				if c.pace == lookup.Waits {
					require.Equal(t, time.Second, time.Since(begin), "the question was not begun")
				}
				require.Equal(t, []string{"TXT n1.example.", "TXT n2.example.", "TXT n3.example."}, s.Queries())
				require.Empty(t, s.Speculative())
			})
		})
	}
	t.Run("not a Peeker", func(t *testing.T) {
		s := lookup.New(t.Context(), plain(zone(1)), lookup.Limits{})
		defer s.Close()
		require.Equal(t, lookup.Waits, s.Scope(10).AtHand(func() { t.Error("run") }))
	})
	t.Run("not its turn", func(t *testing.T) {
		s := lookup.New(t.Context(), zone(1), lookup.Limits{Queries: 10})
		defer s.Close()
		first, second, third := s.Scope(8), s.Scope(8), s.Scope(8)
		require.Equal(t, lookup.Early, third.AtHand(func() { t.Error("run") }))
		require.Equal(t, lookup.Early, second.AtHand(func() { require.Equal(t, 1, ask(second, 1, 2, 3)) }))
		require.Zero(t, ask(first, 4, 5, 6, 7))
		first.Finish()
		require.Equal(t, lookup.AtOnce, second.AtHand(func() { require.Zero(t, ask(second, 1, 2, 3)) }))
		second.Finish()
		require.Equal(t, lookup.AtOnce, third.AtHand(func() { require.Equal(t, 4, ask(third, 8, 9, 10, 1, 2, 11, 12)) }))
		require.Len(t, s.Queries(), 10)
	})
	t.Run("octets not its turn", func(t *testing.T) {
		s := lookup.New(t.Context(), zone(100), lookup.Limits{Queries: 10, Bytes: 1000})
		defer s.Close()
		first, second := s.Scope(5), s.Scope(5)
		require.Equal(t, lookup.Early, second.AtHand(func() { require.Equal(t, 1, ask(second, 1, 2, 3, 4, 5)) }))
		first.Finish()
		require.Equal(t, lookup.AtOnce, second.AtHand(func() { require.Zero(t, ask(second, 1, 2, 3, 4, 5)) }))
	})
}
