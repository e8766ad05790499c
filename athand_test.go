package mailauth_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// partial is a cache that has some of the answers: of every eight questions known.
// For the others there is a wait.
type partial struct {
	dnsutil.Resolver
	seed, known int
}

func (p partial) has(name string, t dnsutil.Type) bool {
	h := fnv.New32a()
	fmt.Fprint(h, p.seed, name, t)
	return int(h.Sum32()%8) < p.known
}

func (p partial) Lookup(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	if !p.has(name, t) {
		time.Sleep(20 * time.Millisecond)
	}
	return p.Resolver.Lookup(ctx, name, t)
}

func (p partial) Peek(name string, t dnsutil.Type) (dnsutil.Answer, bool, error) {
	if !p.has(name, t) {
		return dnsutil.Answer{}, false, nil
	}
	a, err := p.Resolver.Lookup(context.Background(), name, t)
	return a, true, err
}

// TestCacheChangesNothing: which answers were in memory decides when a check is done
// and on which goroutine, never what it says, nor which questions the verdict rests on.
func TestCacheChangesNothing(t *testing.T) {
	runs := 0
	for _, c := range testcase.Load(t, "testdata", caseKeys...) {
		t.Run(c.Name, func(t *testing.T) {
			w := load(t, c)
			want := pretty(t, w.evaluate(t))
			inner := w.evaluator.Resolver
			for known := range 9 {
				for _, queries := range []int{0, 12} {
					synctest.Test(t, func(t *testing.T) {
						w.evaluator.Resolver = partial{inner, runs, known}
						w.evaluator.DNS = mailauth.DNSLimits{}
						if queries > 0 {
							w.evaluator.DNS.Queries = queries
						}
						r := w.evaluate(t)
						if queries == 0 {
							require.Equal(t, want, pretty(t, r), "%d known of 8, seed %d", known, runs)
							return
						}
						w.evaluator.Resolver = dnsutil.ResolverFunc(inner.Lookup)
						require.Equal(t, pretty(t, w.evaluate(t)), pretty(t, r), "%d known of 8, seed %d", known, runs)
					})
					runs++
				}
			}
		})
	}
	require.Greater(t, runs, 500)
}
