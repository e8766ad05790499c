package arc

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// memory is a cache that has all the answers.
type memory map[string]dnsutil.Answer

func (m memory) Lookup(_ context.Context, name string, _ dnsutil.Type) (dnsutil.Answer, error) {
	return m[name], nil
}

func (m memory) Peek(name string, _ dnsutil.Type) (dnsutil.Answer, bool, error) {
	return m[name], true, nil
}

// load is a chain of n sets over 10 KB of text, and its limit: the work that no
// validator on this standard library can go below, which is one SHA-256 over the
// canonical body, one over the canonical fields of all signatures that are verified, and
// one public-key operation for each of them.
type load struct {
	text   []byte
	dns    memory
	limit  func()
	verify func() Result
}

func newLoad(b testing.TB, n int, oldest bool) *load {
	key := sigtest.RSA(b, "rsa2048")
	body := strings.Repeat("The quick brown fox jumps over the lazy dog, and the dog does not mind it.\r\n", 10<<10/76)
	header, _, _ := strings.Cut(b0, "\r\n\r\n")
	for i := range 3 {
		header = fmt.Sprintf("Received: from mx%d.bank.example (mx%d.bank.example [192.0.2.%d])\r\n\tby mail.victim.example with ESMTPS id 4F2B%d\r\n\tfor <u@victim.example>; Sat, 21 Nov 2026 10:00:0%d +0000 (UTC)\r\n", i, i, i, i, i) + header
	}
	text := header + "\r\n\r\n" + body
	l := &load{dns: memory{}}
	canonical := []byte(sigtest.Body(body, true))
	work := []func(){func() { sha256.Sum256(canonical) }}
	verify := func(input string, signature []byte) {
		in := []byte(input)
		work = append(work, func() {
			sum := sha256.Sum256(in)
			if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
				panic("limit")
			}
		})
	}
	for i := 1; i <= n; i++ {
		sel := fmt.Sprintf("s%d", i)
		l.dns[sel+"._domainkey.bank.example."] = dnsutil.Answer{TXT: []string{sigtest.Record(key)}}
		text = sigtest.Seal(key, sigtest.Set{Instance: i, Domain: "bank.example", Selector: sel,
			Results: "mx.bank.example;\r\n\tspf=pass smtp.mailfrom=bank.example;\r\n\tdkim=pass header.d=bank.example;\r\n\tdmarc=pass header.from=bank.example"}, text)
	}
	l.text = []byte(text)
	m, err := message.Parse(l.text)
	if err != nil {
		b.Fatal(err)
	}
	c := collect(m.Header(), 50)
	input := ""
	cut := func(field int, f *field) string {
		x := m.Header().Field(field)
		return string(x.AppendCanonicalCut(nil, message.Relaxed, f.key.Start, f.key.End))
	}
	add := func(field int) string { return string(m.Header().Field(field).AppendCanonical(nil, message.Relaxed)) }
	for k := range c.sets {
		s := &c.sets[k]
		// A chain that shares a prefix is hashed once: the limit counts each seal's own set.
		own := add(s.results) + add(s.signature)
		whole := input + own + cut(s.seal, &s.as)
		sum := sha256.Sum256([]byte(whole))
		part := []byte(own + cut(s.seal, &s.as))
		work = append(work, func() {
			sha256.Sum256(part)
			if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], s.as.key.Data) != nil {
				panic("limit")
			}
		})
		input += own + add(s.seal)
		if k == len(c.sets)-1 || oldest {
			verify(sigtest.Select(header+"\r\n", s.ams.msg.Names, true)+cut(s.signature, &s.ams), s.ams.key.Data)
		}
	}
	l.limit = func() {
		for _, f := range work {
			f()
		}
	}
	v := Verifier{Resolver: l.dns, Now: clock, NoOldestPass: !oldest}
	l.verify = func() Result {
		m, err := message.Parse(l.text)
		if err != nil {
			panic(err)
		}
		return v.Verify(context.Background(), m)
	}
	if r := l.verify(); r.Status != Pass {
		b.Fatal(r.Err)
	}
	return l
}

// BenchmarkVerify measures reading and validating a chain, the keys in memory.
// x-limit is the ratio to the limit: the least of 200 slices of 0.7 ms of each,
// taken in turns. "oldest" also verifies every older ARC-Message-Signature.
func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1, 3, 10, 20} {
		for _, oldest := range []bool{false, true} {
			name := fmt.Sprintf("10KB/%d", n)
			if oldest {
				name += "-oldest"
			}
			l := newLoad(b, n, oldest)
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(l.text)))
				for b.Loop() {
					l.verify()
				}
				b.StopTimer()
				b.ReportMetric(ratio(func() { l.verify() }, l.limit), "x-limit")
			})
		}
	}
}

func ratio(f, limit func()) float64 {
	slice := func(f func()) time.Duration {
		n, start := 0, time.Now()
		for {
			f()
			n++
			if d := time.Since(start); d > 700*time.Microsecond {
				return d / time.Duration(n)
			}
		}
	}
	least, floor := time.Hour, time.Hour
	for range 200 {
		least = min(least, slice(f))
		floor = min(floor, slice(limit))
	}
	return float64(least) / float64(floor)
}

// TestAllocations holds what reading and validating a chain allocates, and what
// sealing a message does that was read.
func TestAllocations(t *testing.T) {
	s := Sealer{Domain: "lists.example", Selector: "sel", Key: ed(), Now: clock}
	m := read(t, b0, s.BodyHash())
	chain := Result{Status: None, validated: true}
	for _, c := range []struct {
		name          string
		times, octets uint64
		run           func()
	}{
		{"1 set", 51, 17 << 10, verifyLoad(t, 1)},
		{"3 sets", 95, 30 << 10, verifyLoad(t, 3)},
		{"20 sets", 431, 123 << 10, verifyLoad(t, 20)},
		{"seal", 109, 26 << 10, func() {
			if _, err := s.Seal(m, chain, someResults); err != nil {
				t.Error(err)
			}
		}},
	} {
		const runs = 20
		c.run() // what is made once
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			c.run()
		}
		runtime.ReadMemStats(&after)
		require.LessOrEqual(t, (after.Mallocs-before.Mallocs)/runs, c.times, c.name)
		require.LessOrEqual(t, (after.TotalAlloc-before.TotalAlloc)/runs, c.octets, c.name)
	}
}

func verifyLoad(t *testing.T, n int) func() {
	l := newLoad(t, n, false)
	return func() { l.verify() }
}

// BenchmarkSeal measures sealing a message of 10 KB that was read, without chain.
func BenchmarkSeal(b *testing.B) {
	for name, key := range map[string]crypto.Signer{"rsa2048": kb(b), "ed25519": ed()} {
		b.Run(name, func(b *testing.B) {
			s := Sealer{Domain: "lists.example", Selector: "sel", Key: key, Now: clock}
			m := read(b, b0, s.BodyHash())
			chain := Result{Status: None, validated: true}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Seal(m, chain, someResults); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDoubled: twice the sets, twice the work.
func BenchmarkDoubled(b *testing.B) {
	for _, n := range []int{10, 20, 40} {
		text := chainOf(n, b0)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := read(b, text)
			v := Verifier{Resolver: zone(b), Now: clock, MaxSets: 50, NoOldestPass: true}
			b.ReportAllocs()
			for b.Loop() {
				v.Verify(context.Background(), m)
			}
		})
	}
}
