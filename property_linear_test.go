package mailauth_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// An amplifier is a message, or a zone for it, in which one thing grows with n, up to
// the limit and past it: what is refused has to be refused cheaply.
type amplifier struct {
	max     int
	message func(t testing.TB, n int) string
	zone    func(n int) string
}

const amplified = "To: <u@victim.example>\r\nSubject: Statement\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nbody\r\n"

func signed(t testing.TB, tags, m string) string {
	return sigtest.Sign(sigtest.RSA(t, "rsa1024"), "v=1; a=rsa-sha256; c=relaxed/relaxed; d=bank.example; s=sel; "+tags+"; bh={bh}; b={b}", m)
}

func amplifiers() map[string]amplifier {
	const from = "From: <ceo@bank.example>\r\n"
	plain := func(f func(n int) string) func(testing.TB, int) string {
		return func(_ testing.TB, n int) string { return f(n) }
	}
	same := func(t testing.TB, _ int) string { return signed(t, "h=from", from+amplified) }
	return map[string]amplifier{
		"header names of a signature": {max: 512, message: func(t testing.TB, n int) string { return signed(t, "h=from"+strings.Repeat(":x", n), from+amplified) }},
		"names and fields": {max: 256, message: func(t testing.TB, n int) string {
			return signed(t, "h=from"+strings.Repeat(":x", n-1), strings.Repeat("X: y\r\n", n)+from+amplified)
		}},
		"tags of a signature": {max: 128, message: func(t testing.TB, n int) string { return signed(t, "h=from"+numbered(n, "; x%d=y"), from+amplified) }},
		"signatures": {max: 128, message: func(t testing.TB, n int) string {
			return strings.Repeat(sigtest.Field(sigtest.RSA(t, "rsa1024"), "DKIM-Signature", "v=1; a=rsa-sha256; d=bank.example; s=sel; h=from; bh={bh}; b={b}", from+amplified), n) + from + amplified
		}},
		"broken signatures": {max: 1024, message: plain(func(n int) string {
			return strings.Repeat("DKIM-Signature: v=1; a=rsa-sha256; d=x\r\n", n) + from + amplified
		})},
		"a long signature": {max: 16 << 10, message: plain(func(n int) string {
			return "DKIM-Signature: v=1; a=" + strings.Repeat("; ", n/2) + "\r\n" + from + amplified
		})},
		"blanks in a signature": {max: 8 << 10, message: plain(func(n int) string {
			return "DKIM-Signature: v=1; b=" + strings.Repeat(" A", n/2) + "\r\n" + from + amplified
		})},
		"fields":           {max: 1990, message: plain(func(n int) string { return strings.Repeat("A: b\r\n", n) + from + amplified })},
		"different fields": {max: 1990, message: plain(func(n int) string { return numbered(n, "X-%d: b\r\n") + from + amplified })},
		"folds":            {max: 490, message: plain(func(n int) string { return "A: b" + strings.Repeat("\r\n c", n) + "\r\n" + from + amplified })},
		"a folded From": {max: 490, message: plain(func(n int) string {
			return "From:" + strings.Repeat("\r\n \t", n) + "<ceo@bank.example>\r\n" + amplified
		})},
		"a long field":             {max: 64 << 10, message: plain(func(n int) string { return "A: " + strings.Repeat("x ", n/2) + "\r\n" + from + amplified })},
		"lines that are no fields": {max: 1990, message: plain(func(n int) string { return from + strings.Repeat("no colon\r\n", n) + amplified })},
		"bare LF":                  {max: 32 << 10, message: plain(func(n int) string { return "A: " + strings.Repeat("\n", n) + "\r\n" + from + amplified })},
		"comments":                 {max: 2000, message: plain(func(n int) string { return "From: " + strings.Repeat("(a)", n) + " ceo@bank.example\r\n" + amplified })},
		"comments that do not end": {max: 8000, message: plain(func(n int) string { return "From: ceo@bank.example " + strings.Repeat("(", n) + "\r\n" + amplified })},
		"quoted strings": {max: 4000, message: plain(func(n int) string {
			return "From: " + strings.Repeat(`"\"`, n/3) + " <ceo@bank.example>\r\n" + amplified
		})},
		"mailboxes": {max: 500, message: plain(func(n int) string {
			return "From: " + strings.Repeat("a@bank.example,", n) + "a@bank.example\r\n" + amplified
		})},
		"encoded words": {max: 500, message: plain(func(n int) string {
			return "From: " + strings.Repeat("=?utf-8?Q?=40?= ", n) + "<a@bank.example>\r\n" + amplified
		})},
		"Froms": {max: 1990, message: plain(func(n int) string { return strings.Repeat(from, n) + amplified })},
		"Authentication-Results": {max: 1000, message: plain(func(n int) string {
			return strings.Repeat("Authentication-Results: mx.victim.example; spf=pass\r\n", n) + from + amplified
		})},
		"a long Authentication-Results": {max: 32 << 10, message: plain(func(n int) string {
			return "Authentication-Results: (" + strings.Repeat("(", n) + "\r\n" + from + amplified
		})},
		"BIMI fields": {max: 1000, message: plain(func(n int) string { return strings.Repeat("BIMI-Indicator: x\r\n", n) + from + amplified })},
		"ARC sets":    {max: 50, message: plain(arcSets)},
		"ARC fields of one instance": {max: 1000, message: plain(func(n int) string {
			return strings.Repeat("ARC-Seal: i=1; cv=none; a=rsa-sha256; d=a.example; s=s; b=AAAA\r\n", n) + from + amplified
		})},
		"lines of the body": {max: 64 << 10, message: plain(func(n int) string { return from + amplified + strings.Repeat("\r\n", n/2) })},
		"SPF terms": {max: 500, message: same, zone: func(n int) string {
			return `bank.example. TXT` + quoteTXT("v=spf1"+strings.Repeat(" ip4:192.0.2.9", n))
		}},
		"SPF macros":  {max: 400, message: same, zone: func(n int) string { return `bank.example. TXT` + quoteTXT("v=spf1 exists:"+strings.Repeat("%{d}", n)) }},
		"SPF records": {max: 400, message: same, zone: func(n int) string { return strings.Repeat("bank.example. TXT \"v=spf1 -all\"\n", n) }},
		"DMARC tags": {max: 1000, message: same, zone: func(n int) string {
			return `_dmarc.bank.example. TXT` + quoteTXT("v=DMARC1; p=none"+numbered(n, "; x%d=y"))
		}},
		"DMARC addresses": {max: 500, message: same, zone: func(n int) string {
			return `_dmarc.bank.example. TXT` + quoteTXT("v=DMARC1; p=none; rua=mailto:a@x.example"+strings.Repeat(",mailto:a@x.example", n))
		}},
		"tags of a key": {max: 1000, message: same, zone: func(n int) string {
			return `sel._domainkey.bank.example. TXT` + quoteTXT("v=DKIM1; p=AAAA"+numbered(n, "; x%d=y"))
		}},
		"keys": {max: 1000, message: same, zone: func(n int) string { return strings.Repeat("sel._domainkey.bank.example. TXT \"v=DKIM1; p=AAAA\"\n", n) }},
	}
}

func arcSets(n int) string {
	var b strings.Builder
	for i := n; i > 0; i-- {
		fmt.Fprintf(&b, "ARC-Seal: i=%d; cv=pass; a=rsa-sha256; d=lists.example; s=sel; b=AAAA\r\n", i)
		fmt.Fprintf(&b, "ARC-Message-Signature: i=%d; a=rsa-sha256; d=lists.example; s=sel; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n", i)
		fmt.Fprintf(&b, "ARC-Authentication-Results: i=%d; lists.example; none\r\n", i)
	}
	return b.String() + "From: <ceo@bank.example>\r\n" + amplified
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// ready is an amplifier's world, made before anything is measured.
func (a amplifier) ready(t testing.TB, n int) *world {
	zone := `
bank.example. TXT "v=spf1 ip4:198.51.100.1 -all"
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
sel._domainkey.bank.example. TXT` + quoteTXT(sigtest.Record(sigtest.RSA(t, "rsa1024"))) + "\n"
	if a.zone != nil {
		// What grows stands where something was that does not.
		lines := strings.Split(zone, "\n")
		grown := a.zone(n)
		owner, _, _ := strings.Cut(grown, " ")
		for i, l := range lines {
			if strings.HasPrefix(l, owner) {
				lines[i] = ""
			}
		}
		zone = strings.Join(lines, "\n") + grown + "\n"
	}
	w := &world{zone: dnstest.MustParse(zone), message: []byte(a.message(t, n)), session: mailauth.Session{
		IP: ip("192.0.2.1"), HELO: "mx.attack.example", MailFrom: "a@bank.example", Receiver: "mx.victim.example", Time: receipt,
	}}
	w.evaluator = mailauth.Evaluator{Resolver: w.zone, TrustedSealers: []string{"lists.example"}}
	return w
}

// evaluate is for messages over a limit, too, which are an error.
func (a amplifier) evaluate(w *world) {
	_, _ = w.evaluator.Evaluate(context.Background(), &mailauth.Message{Session: w.session, Data: bytes.NewReader(w.message)})
}

// Twice the input allocates at most a little more than twice the octets, on everything
// that a stranger can make longer, up to the limits. Time is for BenchmarkP13Amplifiers.
func TestP13LinearWork(t *testing.T) {
	for name, a := range amplifiers() {
		t.Run(name, func(t *testing.T) {
			octets := func(n int) float64 {
				w := a.ready(t, n)
				var before, after runtime.MemStats
				least := ^uint64(0)
				for range 4 {
					runtime.ReadMemStats(&before)
					a.evaluate(w)
					runtime.ReadMemStats(&after)
					least = min(least, after.TotalAlloc-before.TotalAlloc)
				}
				return float64(least)
			}
			// Two doublings, because slices grow in steps.
			small, large := octets(a.max/4), octets(a.max)
			require.LessOrEqual(t, large, 2.2*2.2*small)
		})
	}
}

// BenchmarkP13Amplifiers is the time of what TestP13LinearWork counts: ns/op of n=max is
// about twice that of n=max/2, or less.
func BenchmarkP13Amplifiers(b *testing.B) {
	for name, a := range amplifiers() {
		for _, n := range []int{a.max / 2, a.max} {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(name, " ", "-"), n), func(b *testing.B) {
				w := a.ready(b, n)
				b.ReportAllocs()
				for b.Loop() {
					a.evaluate(w)
				}
			})
		}
	}
}
