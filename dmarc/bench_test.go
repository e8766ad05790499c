package dmarc

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/message"
)

const typical = "v=DMARC1; p=reject; sp=quarantine; adkim=s; aspf=r; fo=1; rua=mailto:dmarc@bank.example,mailto:agg@reports.example!10m; ruf=mailto:fail@bank.example; pct=100"

// memory is a Resolver that costs nothing.
func memory(zone map[string]string) dnsutil.Resolver {
	answers := map[string]dnsutil.Answer{}
	for n, txt := range zone {
		answers[n] = dnsutil.Answer{TXT: []string{txt}}
	}
	return dnsutil.ResolverFunc(func(_ context.Context, name string, _ dnsutil.Type) (dnsutil.Answer, error) {
		if a, ok := answers[name]; ok {
			return a, nil
		}
		return dnsutil.Answer{NXDomain: true}, nil
	})
}

func setUp(t testing.TB) (Verifier, Author, []Identifier) {
	author, err := AuthorOf("news.bank.example")
	require.NoError(t, err)
	return Verifier{Resolver: memory(map[string]string{"_dmarc.bank.example.": "v=DMARC1; p=reject; rua=mailto:dmarc@bank.example"}), NoPrefetch: true}, author,
		[]Identifier{SPFIdentifier(authres.Pass, "bounce.bank.example"), DKIMIdentifier(authres.Pass, "bank.example", "s")}
}

func TestAllocations(t *testing.T) {
	v, author, ids := setUp(t)
	ctx := context.Background()
	m, err := message.Parse([]byte("From: \"Example Bank\" <info@news.bank.example>\r\nTo: <u@victim.example>\r\n\r\n"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		most float64
		run  func()
	}{
		"record":      {2, func() { _, _ = ParseRecord("v=DMARC1; p=reject; rua=mailto:dmarc@bank.example; sp=none; adkim=s") }},
		"from":        {2, func() { _, _ = AuthorDomain(m.Header()) }},
		"identifiers": {0, func() { _ = DKIMIdentifier(authres.Pass, "bank.example", "s") }},
		"verify":      {50, func() { _ = v.Verify(ctx, author, ids...) }},
	} {
		n := testing.AllocsPerRun(100, c.run)
		require.LessOrEqual(t, n, c.most, name)
		t.Logf("%s: %.0f allocations", name, n)
	}
}

func BenchmarkParseRecord(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(typical)))
	for range b.N {
		if _, err := ParseRecord(typical); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseRecordDoubled: each half of what the other has to read, at the limits.
func BenchmarkParseRecordDoubled(b *testing.B) {
	for name, unit := range map[string]string{"semicolons": ";", "commas": ",", "blanks": "; ", "junk": "x"} {
		for _, size := range []int{MaxRecordLength / 2, MaxRecordLength - 64} {
			s := "v=DMARC1; p=none; rua=" + strings.Repeat(unit, size/len(unit))
			b.Run(name+"/"+map[bool]string{true: "whole", false: "half"}[size > MaxRecordLength/2], func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(s)))
				for range b.N {
					_, _ = ParseRecord(s)
				}
			})
		}
	}
}

func BenchmarkAuthorDomain(b *testing.B) {
	m, err := message.Parse([]byte("From: \"Example Bank\" <info@news.bank.example>\r\nTo: <u@victim.example>\r\n\r\n"))
	require.NoError(b, err)
	b.ReportAllocs()
	for range b.N {
		if _, err := AuthorDomain(m.Header()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for name, noPrefetch := range map[string]bool{"in sequence": true, "ahead": false} {
		b.Run(name, func(b *testing.B) {
			v, author, ids := setUp(b)
			v.NoPrefetch = noPrefetch
			b.ReportAllocs()
			for range b.N {
				if r := v.Verify(context.Background(), author, ids...); r.Status != authres.Pass {
					b.Fatal(r.Err)
				}
			}
		})
	}
}
