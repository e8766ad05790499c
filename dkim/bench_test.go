package dkim

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
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

// load is one row of the benchmark: a message and its limit, the work that no
// verifier on this standard library can go below.
type load struct {
	name    string
	text    []byte
	dns     memory
	limit   func()
	verify  func() []Result
	results int
}

func newLoad(t testing.TB, name, body, tags string, keys ...crypto.Signer) *load {
	l := &load{name: name, dns: memory{}, results: len(keys)}
	header := benchHeader
	var work []func()
	relaxed := !strings.Contains(tags, "c=simple")
	canonical := []byte(sigtest.Body(body, relaxed))
	work = append(work, func() { sha256.Sum256(canonical) })
	for i, key := range keys {
		sel := fmt.Sprintf("s%d", i)
		one := strings.Replace(tags, "s=sel", "s="+sel, 1)
		if _, ok := key.(ed25519.PrivateKey); ok {
			one = strings.Replace(one, "rsa-sha256", "ed25519-sha256", 1)
		}
		field := sigtest.Field(key, "DKIM-Signature", fold(one), header+"\r\n"+body)
		l.dns[sel+"._domainkey.bank.example."] = dnsutil.Answer{TXT: []string{sigtest.Record(key)}}
		signature, _ := base64.StdEncoding.DecodeString(field[strings.LastIndex(field, "\tb=")+3 : len(field)-2])
		input := []byte(sigtest.Select(header, strings.Split(benchNames, ":"), relaxed) +
			strings.TrimSuffix(sigtest.HeaderField(field[:strings.LastIndex(field, "\tb=")+3], relaxed), "\r\n"))
		work = append(work, func() {
			sum := sha256.Sum256(input)
			switch k := key.Public().(type) {
			case *rsa.PublicKey:
				if rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature) != nil {
					panic("limit")
				}
			case ed25519.PublicKey:
				if !ed25519.Verify(k, sum[:], signature) {
					panic("limit")
				}
			}
		})
		header = field + header
	}
	l.text = []byte(header + "\r\n" + body)
	l.limit = func() {
		for _, f := range work {
			f()
		}
	}
	v := Verifier{Resolver: l.dns, Now: clock}
	l.verify = func() []Result {
		m, err := message.Parse(l.text)
		if err != nil {
			panic(err)
		}
		return v.Verify(context.Background(), m)
	}
	results := l.verify()
	if len(results) != len(keys) {
		t.Fatalf("%d results", len(results))
	}
	for _, r := range results {
		if r.Status != Pass {
			t.Fatal(r.Err)
		}
	}
	return l
}

// fold breaks the tags over lines, as signers do.
func fold(tags string) string { return strings.ReplaceAll(tags, "; ", ";\r\n\t") }

const benchNames = "from:to:subject:date:message-id:mime-version:content-type:reply-to:list-unsubscribe:from"

const benchTags = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=bank.example; s=sel; t=1700000000; h=" + benchNames + "; bh={bh}; b={b}"

// benchHeader is what mail that passed three servers looks like.
var benchHeader = func() string {
	var b strings.Builder
	for i := range 3 {
		fmt.Fprintf(&b, "Received: from mx%d.bank.example (mx%d.bank.example [192.0.2.%d])\r\n\tby mail.victim.example (Postfix) with ESMTPS id 4F2B%d\r\n\tfor <u@victim.example>; Sat, 21 Nov 2026 10:00:0%d +0000 (UTC)\r\n", i, i, i, i, i)
	}
	b.WriteString("X-Mailer: bench\r\nX-Spam-Status: No, score=-1.0 required=5.0 tests=DKIM_SIGNED,DKIM_VALID,\r\n\tHTML_MESSAGE autolearn=ham\r\n")
	head, _, _ := strings.Cut(b0, "\r\n\r\n")
	b.WriteString(head + "\r\n")
	b.WriteString("Reply-To: <service@bank.example>\r\nList-Unsubscribe: <https://bank.example/u/1234567890>,\r\n <mailto:u@bank.example?subject=1234567890>\r\n")
	return b.String()
}()

func textBody(n int) string {
	return strings.Repeat("The quick brown fox jumps over the lazy dog, and the dog does not mind it.\r\n", n/76+1)[:n-2] + "\r\n"
}

func htmlBody(n int) string {
	return strings.Repeat("    <td class=\"cell\">\r\n\t\t<a href=\"https://bank.example/\">Statement</a>  of  <b>November</b>\r\n    </td> \r\n\r\n", n/90+1)[:n-2] + "\r\n"
}

func base64Body(n int) string {
	line := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0x5a, 0xc3, 0x17}, 19)) + "\r\n"
	return strings.Repeat(line, n/len(line)+1)[:n-2] + "\r\n"
}

func loads(t testing.TB, big bool) []*load {
	key, ed := crypto.Signer(sigtest.RSA(t, "rsa2048")), crypto.Signer(sigtest.Ed25519())
	five := []crypto.Signer{key, key, key, key, key}
	simple := strings.Replace(benchTags, "c=relaxed/relaxed", "c=simple/simple", 1)
	list := []*load{
		newLoad(t, "1KB-text", textBody(1<<10), benchTags, key),
		newLoad(t, "10KB-text", textBody(10<<10), benchTags, key),
		newLoad(t, "100KB-html", htmlBody(100<<10), benchTags, key),
		newLoad(t, "1MB-base64", base64Body(1<<20), benchTags, key),
		newLoad(t, "10KB-simple", textBody(10<<10), simple, key),
		newLoad(t, "1MB-simple", base64Body(1<<20), simple, key),
		newLoad(t, "10KB-ed25519", textBody(10<<10), benchTags, ed),
		newLoad(t, "10KB-five", textBody(10<<10), benchTags, five...),
		newLoad(t, "1MB-five", base64Body(1<<20), benchTags, five...),
	}
	if big {
		list = append(list, newLoad(t, "10MB-base64", base64Body(10<<20), benchTags, key))
	}
	return list
}

// BenchmarkVerify measures reading and verifying a message, the keys in memory.
// x-limit is the ratio to the limit: the least of 300 slices of half a millisecond
// of each, taken in turns. Short and many, because a slice has to be undisturbed to count.
func BenchmarkVerify(b *testing.B) {
	for _, l := range loads(b, true) {
		b.Run(l.name, func(b *testing.B) {
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

// TestAllocations holds what reading and verifying a message allocates: how
// often, and how many octets, whatever the body.
func TestAllocations(t *testing.T) {
	key, ed := sigtest.RSA(t, "rsa2048"), sigtest.Ed25519()
	for _, c := range []struct {
		name, body    string
		keys          []crypto.Signer
		times, octets uint64
	}{
		{"1 KB", textBody(1 << 10), []crypto.Signer{key}, 29, 12 << 10},
		{"1 KB, Ed25519", textBody(1 << 10), []crypto.Signer{ed}, 20, 9 << 10},
		{"200 KB", htmlBody(200 << 10), []crypto.Signer{key}, 29, 12 << 10},
		{"five", textBody(10 << 10), []crypto.Signer{key, key, key, key, key}, 107, 38 << 10},
	} {
		l := newLoad(t, c.name, c.body, benchTags, c.keys...)
		allocates(t, c.name, c.times, c.octets, func() { l.verify() })
	}
}

// TestSignAllocations holds what reading and signing a message allocates.
func TestSignAllocations(t *testing.T) {
	for _, c := range []struct {
		name, body    string
		key           crypto.Signer
		times, octets uint64
	}{
		{"10 KB", textBody(10 << 10), sigtest.RSA(t, "rsa2048"), 42, 15 << 10},
		{"200 KB", htmlBody(200 << 10), sigtest.RSA(t, "rsa2048"), 42, 15 << 10},
		{"10 KB, Ed25519", textBody(10 << 10), sigtest.Ed25519(), 41, 13 << 10},
	} {
		text, s := []byte(benchHeader+"\r\n"+c.body), newSigner(c.key)
		allocates(t, c.name, c.times, c.octets, func() {
			if _, err := Sign(bytes.NewReader(text), s); err != nil {
				t.Error(err)
			}
		})
	}
}

// allocates fails if f allocates more often, or more octets.
func allocates(t *testing.T, name string, times, octets uint64, f func()) {
	t.Helper()
	const runs = 20
	f() // what is made once
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	require.LessOrEqual(t, (after.Mallocs-before.Mallocs)/runs, times, name)
	require.LessOrEqual(t, (after.TotalAlloc-before.TotalAlloc)/runs, octets, name)
}

func ratio(f, limit func()) float64 {
	slice := func(f func()) time.Duration {
		n, start := 0, time.Now()
		for {
			f()
			n++
			if d := time.Since(start); d > 500*time.Microsecond {
				return d / time.Duration(n)
			}
		}
	}
	least, floor := time.Hour, time.Hour
	for range 300 {
		least = min(least, slice(f))
		floor = min(floor, slice(limit))
	}
	return float64(least) / float64(floor)
}

// BenchmarkParseRecord measures a key record with an RSA key of 2048 bits.
func BenchmarkParseRecord(b *testing.B) {
	text := sigtest.Record(sigtest.RSA(b, "rsa2048"))
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := ParseRecord(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyRead measures the verification alone, of a message that was read.
func BenchmarkVerifyRead(b *testing.B) {
	for _, l := range loads(b, false) {
		if !strings.HasPrefix(l.name, "10KB") {
			continue
		}
		b.Run(l.name, func(b *testing.B) {
			m, err := message.Parse(l.text)
			if err != nil {
				b.Fatal(err)
			}
			v := Verifier{Resolver: l.dns, Now: clock}
			b.ReportAllocs()
			for b.Loop() {
				v.Verify(context.Background(), m)
			}
		})
	}
}
