package authres

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fiveResults is what a receiver with all methods writes.
const fiveResults = " mx.victim.example;\r\n" +
	" spf=pass smtp.mailfrom=bounces@mail.bank.example;\r\n" +
	" dkim=pass header.d=bank.example header.s=sel header.a=rsa-sha256\r\n header.b=\"ab/cdefg\";\r\n" +
	" dkim=fail (body hash differs) header.d=list.example header.b=Qgi4FoC0;\r\n" +
	" dmarc=pass header.from=bank.example policy.dmarc=reject;\r\n" +
	" arc=none"

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(fiveResults)))
	for b.Loop() {
		if _, err := Parse(fiveResults); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkString(b *testing.B) {
	h, err := Parse(fiveResults)
	require.NoError(b, err)
	b.ReportAllocs()
	b.SetBytes(int64(len(fiveResults)))
	for b.Loop() {
		if h.String() == "" {
			b.Fatal("empty")
		}
	}
}

func BenchmarkForged(b *testing.B) {
	var f rawFields
	for range 20 {
		f = append(f, []byte("Received: from a.example by b.example\r\n with ESMTP id 1234; Sat, 21 Nov 2026 10:00:00 +0000\r\n"))
	}
	f = append(f, []byte("Authentication-Results:"+fiveResults+"\r\n"))
	b.ReportAllocs()
	for b.Loop() {
		if len(Forged(f, "mx.victim.example")) != 1 {
			b.Fatal("not found")
		}
	}
}

type rawFields [][]byte

func (f rawFields) Len() int         { return len(f) }
func (f rawFields) Raw(i int) []byte { return f[i] }

func TestAllocations(t *testing.T) {
	h, err := Parse(fiveResults)
	require.NoError(t, err)
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() { _, _ = Parse(fiveResults) }), 8.0)
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() { _ = h.String() }), 1.0)
}

// TestP13Linear: twice the input allocates no more than twice the bytes (P13). Time
// is for BenchmarkHostile.
func TestP13Linear(t *testing.T) {
	for name, amplify := range amplifiers {
		t.Run(name, func(t *testing.T) {
			work := func(n int) float64 {
				in := amplify(n)
				f := rawFields{[]byte(fieldName + in)}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, _ = Parse(in)
				_, _, _ = ParseLenient(in)
				_ = Forged(f, "mx.example")
				runtime.ReadMemStats(&after)
				return float64(after.TotalAlloc - before.TotalAlloc)
			}
			work(16000) // whatever is allocated once
			require.LessOrEqual(t, work(32000), 2.2*work(16000)+1024)
		})
	}
}

// amplifiers make hostile values of about n octets.
var amplifiers = map[string]func(n int) string{
	"open comments": func(n int) string { return "mx; a=b " + strings.Repeat("(", n) },
	"empty results": func(n int) string { return "mx" + strings.Repeat(";", n) },
	"quotes":        func(n int) string { return "mx; a=b" + strings.Repeat(` "x`, n/3) },
	"blanks":        func(n int) string { return "mx; a=b x.y=z" + strings.Repeat(" \r\n", n/3) },
	"words":         func(n int) string { return "mx; a=b" + strings.Repeat(" x", n/2) },
	"local-part":    func(n int) string { return "mx; a=b x.y=a" + strings.Repeat(" .a", n/3) + "@a.example" },
	"escapes":       func(n int) string { return `mx; a=b x.y="` + strings.Repeat(`\"`, n/2) + `"` },
	"versions":      func(n int) string { return "mx 1" + strings.Repeat("1", n) },
	"hidden lines":  func(n int) string { return strings.Repeat("\nA", n/2) },
}

func BenchmarkHostile(b *testing.B) {
	for name, amplify := range amplifiers {
		for _, n := range []int{16000, 32000} {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(name, " ", "-"), n), func(b *testing.B) {
				in := amplify(n)
				f := rawFields{[]byte(fieldName + in)}
				for b.Loop() {
					_, _ = Parse(in)
					_, _, _ = ParseLenient(in)
					_ = Forged(f, "mx.example")
				}
			})
		}
	}
}
