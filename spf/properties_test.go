package spf

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
)

const zones = 400 // random zones for each property

// P8: no check asks more than 50 questions, and never for a name that is not legal and absolute.
func TestP8QueriesAreBoundedAndLegal(t *testing.T) {
	for seed := range uint64(zones) {
		z := randomZone(seed)
		var mu sync.Mutex
		seen := map[string]bool{}
		inner := z.resolver()
		r := dnsutil.ResolverFunc(func(ctx context.Context, name string, typ dnsutil.Type) (dnsutil.Answer, error) {
			mu.Lock()
			defer mu.Unlock()
			seen[typ.String()+" "+name] = true
			require.True(t, strings.HasSuffix(name, "."), name)
			_, err := domain.ParseQuery(name)
			require.NoError(t, err)
			require.Equal(t, strings.ToLower(name), name)
			return inner.Lookup(ctx, name, typ)
		})
		s := session("192.0.2.9")
		s.MailFrom = []string{"a@v.example", `"x y"@v.example`, "a..b@v.example", strings.Repeat("l.", 200) + "@v.example", "\xff@v.example"}[seed%5]
		s.HELO = []string{"mx.h.example", "[192.0.2.9]", "%%", "a b"}[seed%4]
		res := (&Verifier{Resolver: r, NoPrefetch: true}).MailFrom(t.Context(), s)
		require.LessOrEqual(t, len(seen), maxQueries)
		require.Equal(t, len(seen), res.Queries)
	}
}

var errBroken = errors.New("broken")

// P9 and CMP-12: where answers become errors the result becomes temperror or
// stays. The exceptions are what RFC 7208, section 5.5 and RFC 7208, section 7.3
// say of ptr and %{p}, so those are left out here.
func TestP9ErrorsOnlyMakeTempError(t *testing.T) {
	moved := 0
	for seed := range uint64(zones) {
		z := randomZone(seed)
		for _, types := range z.data {
			for i, s := range types["TXT"] {
				types["TXT"][i] = strings.NewReplacer("%{p}", "%{d}", "ptr:", "a:", "ptr", "a").Replace(s)
			}
		}
		inner := z.resolver()
		before := (&Verifier{Resolver: inner}).MailFrom(t.Context(), session("192.0.2.9"))
		rnd := rand.New(rand.NewPCG(seed, 1))
		for range 5 {
			break1 := map[string]bool{}
			for _, q := range inner.Queries() {
				if rnd.IntN(3) == 0 {
					break1[q] = true
				}
			}
			r := dnsutil.ResolverFunc(func(ctx context.Context, name string, typ dnsutil.Type) (dnsutil.Answer, error) {
				if break1[typ.String()+" "+name] {
					return dnsutil.Answer{}, errBroken
				}
				return inner.Lookup(ctx, name, typ)
			})
			after := (&Verifier{Resolver: r}).MailFrom(t.Context(), session("192.0.2.9"))
			if after.Status != before.Status {
				moved++
				require.Equal(t, TempError, after.Status, z.text)
				require.ErrorIs(t, after.Err, errBroken)
			}
		}
	}
	require.Greater(t, moved, zones)
}

// P10: the order of records in an answer changes nothing; MX of one preference included.
// The names of the client keep theirs: only the first ten count.
func TestP10OrderOfRecordsChangesNothing(t *testing.T) {
	for seed := range uint64(zones) {
		z := randomZone(seed)
		inner := z.resolver()
		want := (&Verifier{Resolver: inner}).MailFrom(t.Context(), session("192.0.2.9"))
		rnd := rand.New(rand.NewPCG(seed, 2))
		r := dnsutil.ResolverFunc(func(ctx context.Context, name string, typ dnsutil.Type) (dnsutil.Answer, error) {
			a, err := inner.Lookup(ctx, name, typ)
			a.TXT, a.MX, a.Addrs = slices.Clone(a.TXT), slices.Clone(a.MX), slices.Clone(a.Addrs)
			rnd.Shuffle(len(a.TXT), func(i, j int) { a.TXT[i], a.TXT[j] = a.TXT[j], a.TXT[i] })
			rnd.Shuffle(len(a.MX), func(i, j int) { a.MX[i], a.MX[j] = a.MX[j], a.MX[i] })
			rnd.Shuffle(len(a.Addrs), func(i, j int) { a.Addrs[i], a.Addrs[j] = a.Addrs[j], a.Addrs[i] })
			return a, err
		})
		require.Equal(t, describe(want), describe((&Verifier{Resolver: r, NoPrefetch: true}).MailFrom(t.Context(), session("192.0.2.9"))), z.text)
	}
}

// P11: the case of domain names changes nothing, wherever they stand.
func TestP11CaseChangesNothing(t *testing.T) {
	for seed := range uint64(zones) {
		z := randomZone(seed)
		want := (&Verifier{Resolver: z.resolver()}).MailFrom(t.Context(), session("192.0.2.9"))
		for _, types := range z.data {
			for i, s := range types["TXT"] {
				f := strings.Fields(s)
				for j, w := range f {
					// Upper-case letters mean something inside a macro alone.
					if !strings.Contains(w, "%") {
						f[j] = strings.ToUpper(w)
					}
				}
				types["TXT"][i] = strings.Join(f, " ")
			}
			for i, s := range types["MX"] {
				types["MX"][i] = strings.ToUpper(s)
			}
		}
		s := session("192.0.2.9")
		s.MailFrom, s.HELO = "a@V.Example", "MX.H.Example"
		got := (&Verifier{Resolver: z.resolver()}).MailFrom(t.Context(), s)
		require.Equal(t, strings.ToLower(describe(want)), strings.ToLower(describe(got)), z.text)
		require.Equal(t, want.Domain, got.Domain)
	}
}

// Every check ends its goroutines, also when the DNS hangs on to the last.
func TestNoGoroutineLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for seed := range uint64(100) {
		r := dnsutil.ResolverFunc(func(ctx context.Context, name string, typ dnsutil.Type) (dnsutil.Answer, error) {
			if seed%2 == 0 && typ != dnsutil.TypeTXT {
				<-ctx.Done()
				return dnsutil.Answer{}, ctx.Err()
			}
			return randomZone(seed).resolver().Lookup(ctx, name, typ)
		})
		(&Verifier{Resolver: r, Timeout: 1e6}).MailFrom(t.Context(), session("192.0.2.9"))
	}
	// What was told to end needs its turn; nothing else is waited for.
	for i := 0; i < 1e6 && runtime.NumGoroutine() > before; i++ {
		runtime.Gosched()
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// P13: the work for a record grows with its length and no faster.
func TestP13ParseIsLinear(t *testing.T) {
	for name, unit := range map[string]string{
		"terms":  " a=b",
		"macros": "%{d1r.-+,/_=}",
		"spaces": " ",
		"text":   "x",
		"digits": "%{d00000000000001}",
	} {
		work := func(n int) float64 {
			s := "v=spf1 x=" + strings.Repeat(unit, n)
			return testing.AllocsPerRun(5, func() { _, _ = ParseRecord(s) })
		}
		require.LessOrEqual(t, work(200), 2*work(100)+2, name)
	}
}
