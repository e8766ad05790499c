package dkim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// Properties are named as in the threat matrix, section 3.2.

// P1 for the verifier's half: whatever the reference signer signs passes, for
// every algorithm and pair of canonicalizations, over random headers and bodies.
func TestP1SignedPasses(t *testing.T) {
	w := newWorld(t)
	w.kb = sigtest.RSA(t, "rsa1024") // quicker to sign with
	w.zone["sel._domainkey.bank.example"] = []string{sigtest.Record(w.kb)}
	w.zone["ed._domainkey.bank.example"] = []string{sigtest.Record(sigtest.Ed25519())}
	rnd := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		const alphabet = "ab:;=,. \t\"<>@\\\x00\x7f\xc3\xa9\xff"
		b := make([]byte, rnd.IntN(12))
		for i := range b {
			b[i] = alphabet[rnd.IntN(len(alphabet))]
		}
		return string(b)
	}
	for i := range 80 {
		var text strings.Builder
		text.WriteString("From: <ceo@bank.example>\r\n")
		names := []string{"from"}
		for range rnd.IntN(8) {
			name := []string{"Subject", "X-a", "to", "Received", "X-A", "From"}[rnd.IntN(6)]
			fmt.Fprintf(&text, "%s%s:%s\r\n", name, []string{"", "", "", " "}[rnd.IntN(4)], word())
			for range rnd.IntN(3) {
				fmt.Fprintf(&text, " x%s\r\n", word())
			}
			if rnd.IntN(3) > 0 {
				names = append(names, name)
			}
		}
		names = append(names, "x-none", "from")
		text.WriteString("\r\n")
		for range rnd.IntN(6) {
			text.WriteString(word() + []string{"\r\n", "\r\n", "\n", "\r", " \r\n", "\r\n\r\n"}[rnd.IntN(6)])
		}
		for _, c := range []string{"simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"} {
			tags := with(t0, "c="+c, "h="+strings.Join(names, ":"))
			signed := sigtest.Sign(w.kb, tags, text.String())
			signed = sigtest.Sign(sigtest.Ed25519(), with(tags, "a=ed25519-sha256", "s=ed"), signed)
			results, _ := w.verify(t, Verifier{}, signed)
			for _, r := range results {
				require.Equal(t, Pass, r.Status, "message %d, %s: %v\n%q", i, c, r.Err, signed)
			}
		}
	}
}

// P2: what relaxed permits does not matter, and matters under simple.
func TestP2Relaxed(t *testing.T) {
	w := newWorld(t)
	edits := map[string]func(string) string{
		"refold":     replace("Date: Sat, 21", "Date: Sat,\r\n\t 21"),
		"wsp run":    replace("Sat, 21 Nov", "Sat, 21 \t  Nov"),
		"name case":  replace("Subject:", "sUBJECT:"),
		"trailing":   replace("Statement\r\n", "Statement \t\r\n"),
		"body run":   replace("your statement", "your  \tstatement"),
		"body end":   replace("ready.\r\n", "ready. \r\n"),
		"blank line": replace("customer,\r\n", "customer,\t\r\n"),
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			results, _ := w.verify(t, Verifier{}, edit(sigtest.Sign(w.kb, t0, b0)))
			require.Equal(t, Pass, results[0].Status, "%v", results[0].Err)
			results, _ = w.verify(t, Verifier{}, edit(sigtest.Sign(w.kb, with(t0, "c=simple/simple"), b0)))
			require.Equal(t, Fail, results[0].Status)
		})
	}
}

// P3: no covered octet can be changed, and none of the signature.
func TestP3FlippedOctets(t *testing.T) {
	w := newWorld(t)
	w.zone["ed._domainkey.bank.example"] = []string{sigtest.Record(sigtest.Ed25519())}
	w.zone["*"] = []string{"error:nxdomain"}
	all := with(t0, "h=from:to:subject:date:message-id:mime-version:content-type", "c=simple/simple")
	r := w.zone.resolver(t)
	v := Verifier{Resolver: r, Now: clock}
	for name, text := range map[string]string{
		"rsa":     sigtest.Sign(w.kb, all, b0),
		"ed25519": sigtest.Sign(sigtest.Ed25519(), with(all, "a=ed25519-sha256", "s=ed"), b0),
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, Pass, v.Verify(context.Background(), parse(t, text))[0].Status)
			for i := range len(text) {
				for _, bit := range []byte{0x01, 0x20} {
					b := []byte(text)
					b[i] ^= bit
					for _, res := range v.Verify(context.Background(), parse(t, string(b))) {
						require.NotEqual(t, Pass, res.Status, "octet %d (%q) flipped by %#x", i, text[max(0, i-10):min(len(text), i+10)], bit)
					}
				}
			}
		})
	}
}

// P4, rows CMP-10 and CMP-11: a field that is not signed never makes a fail a
// pass, and further signatures change nothing about the good one.
func TestP4AddedFields(t *testing.T) {
	w := newWorld(t)
	// Signed without over-signing, and with a field of every name once.
	text := sigtest.Sign(w.kb, with(t0, "h=from:to:subject:date:message-id"), b0)
	broken := strings.Replace(text, "Statement", "Invoice", 1)
	fields := sigtest.Fields(text[:strings.Index(text, "\r\n\r\n")+2])
	body := text[strings.Index(text, "\r\n\r\n")+2:]
	broke := sigtest.Fields(broken[:strings.Index(broken, "\r\n\r\n")+2])
	insert := func(fields []string, at int, f string) string {
		return strings.Join(fields[:at], "") + f + strings.Join(fields[at:], "") + body
	}
	added := []string{
		"X-New: x\r\n", "Received: from x\r\n", "Subject: Statement\r\n", "Subject: x\r\n", "From: <ceo@bank.example>\r\n",
		"Authentication-Results: victim.example; dkim=pass header.d=bank.example\r\n",
		"ARC-Seal: i=1; cv=none; a=rsa-sha256; d=bank.example; s=sel; b=AAAA\r\n",
		"ARC-Message-Signature: i=1; " + strings.TrimPrefix(t0, "v=1; ") + "\r\n",
		"DKIM-Signature: junk\r\n", "DKIM-Signature: " + t0 + "\r\n",
		sigtest.Field(w.ka, "DKIM-Signature", with(t0, "d=attack.example"), b0),
		strings.Replace(fields[0], "s=sel", "s=SEL", 1),
	}
	for _, f := range added {
		for at := 0; at <= len(fields); at++ {
			results, _ := w.verify(t, Verifier{}, insert(fields, at, f))
			good := 0
			for _, r := range results {
				if r.Status == Pass && r.Signature.Domain == "bank.example" {
					good++
					// A pass for the original fields: the added one is open.
					if i := strings.IndexByte(f, ':'); f[:i] == "Subject" || f[:i] == "From" {
						require.False(t, r.Coverage.Covers(at) && f != "Subject: Statement\r\n" && f != "From: <ceo@bank.example>\r\n")
						require.Equal(t, []string{strings.ToLower(f[:i])}, r.Coverage.UncoveredDuplicates)
					}
				}
			}
			if strings.HasPrefix(f, "DKIM") || strings.HasPrefix(f, "ARC") || strings.HasPrefix(f, "Auth") {
				require.Equal(t, 1, good, "%q at %d", f, at)
			}
			if f == "Subject: Statement\r\n" {
				continue // below the broken one it is the signed field again
			}
			results, _ = w.verify(t, Verifier{}, insert(broke, at, f))
			for _, r := range results {
				if r.Signature.Domain == "bank.example" {
					require.NotEqual(t, Pass, r.Status, "%q at %d", f, at)
				}
			}
		}
	}
}

// P9, row CMP-12: an answer that turns into an error moves a result to temperror
// and nowhere else.
func TestP9FaultsAreMonotonic(t *testing.T) {
	w := newWorld(t)
	w.zone["ed._domainkey.bank.example"] = []string{sigtest.Record(sigtest.Ed25519()) + "; t=y"}
	w.zone["gone._domainkey.bank.example"] = []string{"v=DKIM1; p="}
	text := sigtest.Sign(w.kb, t0, b0)
	text = sigtest.Sign(sigtest.Ed25519(), with(t0, "a=ed25519-sha256", "s=ed"), text)
	text = sigtest.Sign(w.kb, with(t0, "s=gone"), text)
	text = sigtest.Sign(w.kb, with(t0, "d=attack.example"), text)
	text = sigtest.Sign(w.kb, with(t0, "l=3"), text)
	want, asked := w.verify(t, Verifier{}, text)
	require.Len(t, asked, 4)
	for mask := range 1 << len(asked) {
		faulty := *w
		faulty.zone = zone{}
		for n, r := range w.zone {
			faulty.zone[n] = r
		}
		for i, q := range asked {
			if mask>>i&1 == 1 {
				faulty.zone[strings.TrimSuffix(strings.TrimPrefix(q, "TXT "), ".")] = []string{"error:servfail"}
			}
		}
		got, _ := faulty.verify(t, Verifier{}, text)
		for i := range want {
			if got[i].Status != TempError {
				require.Equal(t, want[i].Status, got[i].Status)
			}
		}
	}
}

// P10 and P11: the order of TXT records and the case of names change nothing.
func TestP10P11OrderAndCase(t *testing.T) {
	w := newWorld(t)
	records := []string{"v=spf1 -all", sigtest.Record(w.kb), "hello"}
	for i := range records {
		w.zone["sel._domainkey.bank.example"] = append(records[i:len(records):len(records)], records[:i]...)
		results, asked := w.verify(t, Verifier{}, sigtest.Sign(w.kb, with(t0, "d=BANK.Example", "s=SEL", "i=@bAnk.example"), b0))
		require.Equal(t, Pass, results[0].Status)
		require.Equal(t, "bank.example", results[0].Signature.Domain)
		require.Equal(t, []string{"TXT sel._domainkey.bank.example."}, asked)
	}
}

// P13: work grows with the input and no faster. Allocated octets are counted, and
// time with a wide margin.
func TestP13Linear(t *testing.T) {
	w := newWorld(t)
	r := w.zone.resolver(t)
	v := Verifier{Resolver: r, Now: clock, MaxSignatures: 64}
	for name, make := range map[string]func(n int) string{
		"names": func(n int) string { return sigtest.Sign(w.kb, with(t0, "h=from"+strings.Repeat(":x", n-1)), b0) },
		"names, instances": func(n int) string {
			return sigtest.Sign(w.kb, with(t0, "h=from"+strings.Repeat(":x", n-1)), strings.Repeat("X: y\r\n", n)+b0)
		},
		"folds": func(n int) string {
			return sigtest.Sign(w.kb, t0, strings.Replace(b0, "Statement", "a"+strings.Repeat("\r\n b", n), 1))
		},
		"white space": func(n int) string {
			return sigtest.Sign(w.kb, t0, strings.Replace(b0, "Statement", strings.Repeat(" ", 40*n)+"x", 1))
		},
		"a long tag": func(n int) string {
			return sigtest.Sign(w.kb, t0+"; y="+strings.Repeat("a ", 20*n), b0)
		},
		"signatures": func(n int) string { return strings.Repeat(sigtest.Field(w.kb, "DKIM-Signature", t0, b0), n/8) + b0 },
		"fields":     func(n int) string { return sigtest.Sign(w.kb, t0, strings.Repeat("X-A: b\r\n", 4*n)+b0) },
	} {
		t.Run(name, func(t *testing.T) {
			octets := func(n int) uint64 {
				m := parse(t, make(n))
				var before, after runtime.MemStats
				least := ^uint64(0)
				for range 5 {
					runtime.ReadMemStats(&before)
					v.Verify(context.Background(), m)
					runtime.ReadMemStats(&after)
					least = min(least, after.TotalAlloc-before.TotalAlloc)
				}
				return least
			}
			// Two doublings, so that a buffer that just grew does not count double.
			require.LessOrEqual(t, float64(octets(240)), 2.2*2.2*float64(octets(60)))
		})
	}
}

// P14: one input, one result, whatever the processors do.
func TestP14Deterministic(t *testing.T) {
	w := newWorld(t)
	text := b0
	for i := range 12 {
		s := fmt.Sprintf("s%d", i)
		if i%3 > 0 {
			w.zone[s+"._domainkey.bank.example"] = []string{sigtest.Record(w.kb)}
		}
		text = sigtest.Sign(w.kb, with(t0, "s="+s), text)
	}
	var want []Result
	for _, procs := range []int{1, 16} {
		old := runtime.GOMAXPROCS(procs)
		for range 25 {
			r := w.zone.resolver(t)
			r.Delay = time.Microsecond
			got, _ := w.verify(t, Verifier{Resolver: r}, text)
			if want == nil {
				want = got
			}
			require.Equal(t, want, got)
		}
		runtime.GOMAXPROCS(old)
	}
	require.Contains(t, statuses(want), authres.PermError)
}
