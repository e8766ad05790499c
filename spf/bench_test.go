package spf

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// memory answers without waiting and without allocating, as a full cache does.
type memory map[dnsutil.Type]map[string]dnsutil.Answer

func newMemory(b testing.TB, zone string) memory {
	b.Helper()
	z := dnstest.MustParse(zone)
	m := memory{}
	r := dnsutil.ResolverFunc(func(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
		a, err := z.Lookup(ctx, name, t)
		if m[t] == nil {
			m[t] = map[string]dnsutil.Answer{}
		}
		m[t][name] = a
		return a, err
	})
	(&Verifier{Resolver: r, NoPrefetch: true}).MailFrom(b.Context(), session("192.0.2.9"))
	return m
}

func (m memory) Lookup(_ context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	return m[t][name], nil
}

func (m memory) Peek(name string, t dnsutil.Type) (dnsutil.Answer, bool, error) {
	return m[t][name], true, nil
}

const flatOf8 = `v.example. TXT "v=spf1 ip4:203.0.113.0/24 ip4:198.51.100.0/25 ip6:2001:db8:1::/48 ip4:198.51.100.128/26 ip4:198.51.100.192/27 ip6:2001:db8:2::/48 ip4:198.51.100.224/28 ip4:192.0.2.0/24 -all"`

var benchTree = strings.ReplaceAll(treeOf10, "exists:%{ir}.%{d}", "exists:%{ir}.%{d} ?all")

func benchmark(b *testing.B, r dnsutil.Resolver) {
	b.Helper()
	v := &Verifier{Resolver: r}
	s := session("192.0.2.9")
	run(b, func() {
		if r := v.MailFrom(context.Background(), s); r.Status != Pass {
			b.Fatal(r.Err)
		}
	})
}

// run measures f. On a machine in use the least of many short slices, "least-ns",
// is what to compare.
func run(b *testing.B, f func()) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
	const slice = 200 * time.Microsecond
	least := time.Hour
	for range 300 {
		n, start := 0, time.Now()
		for {
			for range 8 {
				f()
			}
			n += 8
			if d := time.Since(start); d >= slice {
				least = min(least, d*100/time.Duration(n))
				break
			}
		}
	}
	b.ReportMetric(float64(least)/100, "least-ns")
}

// TestAllocations holds what checks allocate whose answers are at hand.
func TestAllocations(t *testing.T) {
	for name, c := range map[string]struct {
		zone string
		most float64
	}{"flat record of 8": {flatOf8, 1}, "tree of 10": {benchTree, 8}} {
		v := &Verifier{Resolver: newMemory(t, c.zone), NoPrefetch: true}
		s := session("192.0.2.9")
		n := testing.AllocsPerRun(50, func() { v.MailFrom(context.Background(), s) })
		require.LessOrEqual(t, n, c.most, name)
	}
}

func BenchmarkFlat8(b *testing.B) { benchmark(b, newMemory(b, flatOf8)) }

func BenchmarkTree10(b *testing.B) { benchmark(b, newMemory(b, benchTree)) }

// The same through a Resolver that has no memory to look into.
func BenchmarkTree10NoPeek(b *testing.B) {
	m := newMemory(b, benchTree)
	benchmark(b, dnsutil.ResolverFunc(m.Lookup))
}

// The look-ups of the tree alone, which the check cannot go below.
func BenchmarkTree10Lookups(b *testing.B) {
	m := newMemory(b, benchTree)
	z := dnstest.MustParse(benchTree)
	(&Verifier{Resolver: z, NoPrefetch: true}).MailFrom(b.Context(), session("192.0.2.9"))
	log := z.Log()
	b.ReportAllocs()
	for b.Loop() {
		sc, done := lookup.For(context.Background(), m, maxQueries)
		for _, q := range log {
			if _, err := sc.Lookup(context.Background(), q.Name, q.Type); err != nil {
				b.Fatal(err)
			}
		}
		done()
	}
}

func BenchmarkParseRecord(b *testing.B) {
	text := "v=spf1 ip4:203.0.113.0/24 ip4:198.51.100.0/25 ip6:2001:db8:1::/48 a:%{d}/24 mx include:_spf.example.com exists:%{ir}.%{l1r-}._spf.%{d} -all"
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := ParseRecord(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExpand(b *testing.B) {
	id := newIdentity(Session{IP: netip.MustParseAddr("2001:db8::cb01"), HELO: "mx.example.org"}, "strong-bad", "email.example.com")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := id.target("%{ir}.%{v}.%{l1r-}.lp._spf.%{o2}", &values{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReceivedSPF(b *testing.B) {
	r := (&Verifier{Resolver: newMemory(b, flatOf8)}).MailFrom(b.Context(), session("192.0.2.9"))
	b.ReportAllocs()
	for b.Loop() {
		_ = r.ReceivedSPF()
	}
}

// Amplifiers: the longest records there can be.
func BenchmarkHostileRecord(b *testing.B) {
	for name, text := range map[string]string{
		"terms":  "v=spf1" + strings.Repeat(" a=b", maxTerms),
		"macros": "v=spf1 x=" + strings.Repeat("%{d1r.-+,/_=}", 700),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := ParseRecord(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Reading the flat record alone, into room that is there.
func BenchmarkScanFlat8(b *testing.B) {
	text := flatOf8[len(`v.example. TXT "`) : len(flatOf8)-1]
	var buf [10]Term
	b.SetBytes(int64(len(text)))
	run(b, func() {
		if _, _, e := scanTerms(text, buf[:0]); e != "" {
			b.Fatal(e)
		}
	})
}

// Opening and closing a session with one question, which every check does.
func BenchmarkOneLookup(b *testing.B) {
	m := newMemory(b, flatOf8)
	run(b, func() {
		sc, done := lookup.For(context.Background(), m, maxQueries)
		if _, err := sc.Lookup(context.Background(), "v.example.", dnsutil.TypeTXT); err != nil {
			b.Fatal(err)
		}
		done()
	})
}
