package lookup_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// jitter answers after a time of its own for each look-up, so that every run
// finds another order.
type jitter struct {
	z   *dnstest.Zone
	mu  sync.Mutex
	rnd *rand.Rand
	now int // under way
	max int
}

func (j *jitter) Lookup(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	j.mu.Lock()
	d := time.Duration(j.rnd.IntN(100)) * time.Millisecond
	j.now++
	j.max = max(j.max, j.now)
	j.mu.Unlock()
	defer func() {
		j.mu.Lock()
		j.now--
		j.mu.Unlock()
	}()
	select {
	case <-time.After(d):
	case <-ctx.Done():
		return dnsutil.Answer{}, ctx.Err()
	}
	return j.z.Lookup(ctx, name, t)
}

// Whoever is faster, and whatever is prefetched, each scope gets the same
// outcomes and the session lists the same questions (properties P8 and P14).
func TestP8P14SameOutcomeWhoeverIsFaster(t *testing.T) {
	for plan := range uint64(40) {
		var first string
		for run := range uint64(6) {
			synctest.Test(t, func(t *testing.T) {
				got := oneRun(t, plan, run)
				if run == 0 {
					first = got
				}
				require.Equal(t, first, got, "plan %d run %d", plan, run)
			})
		}
	}
}

// oneRun lets several scopes demand what the plan says, at a pace of the run's.
func oneRun(t *testing.T, plan, run uint64) string {
	p := rand.New(rand.NewPCG(plan, 0))
	r := rand.New(rand.NewPCG(plan, run+1))
	names := make([]string, 30)
	zone := dnstest.MustParse(`{}`)
	for i := range names {
		names[i] = name(i)
		switch p.IntN(10) {
		case 0:
			zone = zone.WithFault(names[i], 0, dnsutil.ErrServFail)
		case 1: // NXDOMAIN
		default:
			zone = zone.WithAnswer(names[i], 0, dnsutil.Answer{TXT: []string{strings.Repeat("x", p.IntN(2000))}})
		}
	}
	limits := lookup.Limits{Queries: 10 + p.IntN(30), Bytes: 10_000 + p.IntN(20_000), Parallel: 1 + p.IntN(16), Speculative: 1 + p.IntN(30), Timeout: time.Hour}
	resolver := &jitter{z: zone, rnd: rand.New(rand.NewPCG(plan, run+1000))}
	s := lookup.New(t.Context(), resolver, limits)
	defer s.Close()
	outcomes := make([][]string, 2+p.IntN(4))
	scopes := make([]*lookup.Scope, len(outcomes))
	asks := make([][]string, len(outcomes))
	for i := range scopes {
		scopes[i] = s.Scope(1 + p.IntN(15))
		for range p.IntN(20) {
			asks[i] = append(asks[i], names[p.IntN(len(names))])
		}
	}
	var wg sync.WaitGroup
	for i, sc := range scopes {
		pause := time.Duration(r.IntN(2000)) * time.Millisecond
		ahead := r.Perm(len(asks[i]))
		wg.Go(func() {
			time.Sleep(pause)
			for _, j := range ahead[:len(ahead)/2] {
				sc.Prefetch(parsed(t, asks[i][j]), txt)
			}
			for _, n := range asks[i] {
				a, err := sc.Lookup(t.Context(), n, txt)
				outcomes[i] = append(outcomes[i], fmt.Sprint(n, len(strings.Join(a.TXT, "")), a.NXDomain, err))
			}
			sc.Finish()
		})
	}
	wg.Wait()
	queries := s.Queries()
	require.LessOrEqual(t, len(queries), limits.Queries)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(queries))), len(queries))
	for _, q := range queries {
		require.Contains(t, zone.Queries(), q)
		require.Equal(t, 1, zone.Count(strings.TrimPrefix(q, "TXT "), txt), "each once")
	}
	require.LessOrEqual(t, len(zone.Queries()), len(queries)+limits.Speculative)
	resolver.mu.Lock()
	require.LessOrEqual(t, resolver.max, limits.Parallel)
	resolver.mu.Unlock()
	return fmt.Sprint(queries, outcomes)
}
