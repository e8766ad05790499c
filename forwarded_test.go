package mailauth_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// A receiver's own rule on top of DMARC: a message that passed by SPF alone, by a
// record that lets half the Internet in, is not let in for that. It may be from the
// author's mass mailer, or from any other customer of it (CMP-07).
func ExampleResult_spfAlone() {
	evaluator := mailauth.Evaluator{Resolver: dnstest.MustParse(`
bank.example. TXT "v=spf1 ip4:198.51.100.1 include:esp.example -all"
esp.example. TXT "v=spf1 ip4:192.0.0.0/16 -all"
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
`)}
	r, err := evaluator.Evaluate(context.Background(), &mailauth.Message{
		Session: mailauth.Session{IP: netip.MustParseAddr("192.0.2.1"), HELO: "mx.attack.example", MailFrom: "x@bank.example"},
		Data:    strings.NewReader("From: CEO <ceo@bank.example>\r\n\r\nHello\r\n"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("dmarc:", r.DMARC.Status)
	onlySPF := true
	for _, by := range r.DMARC.PassedBy() {
		onlySPF = onlySPF && by.Mechanism() == dmarc.SPF
	}
	if onlySPF && r.SPF.Breadth.IPv4 > 4096 {
		fmt.Println("by SPF alone, as one of", r.SPF.Breadth.IPv4, "hosts: look closer")
	}
	// Output:
	// dmarc: pass
	// by SPF alone, as one of 65537 hosts: look closer
}

// Signing and sealing what leaves takes one pass over the body, with the digests of
// both and of the signatures that arrived.
func TestSignAndSealInOnePass(t *testing.T) {
	zone := dnstest.MustParse(keyRecords(t).Replace(bankZone)).
		WithAnswer("sel._domainkey.lists.example", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{sigtest.Record(sigtest.Ed25519())}})
	arrivedText := sign(t, "kb d=bank.example s=sel", signedHeader+"\r\nDear customer\r\n")
	e := mailauth.Evaluator{Resolver: zone}
	now := func() time.Time { return receipt }
	signer := dkim.Signer{Domain: "lists.example", Selector: "sel", Key: sigtest.Ed25519(), Now: now, AllowThirdParty: true, Canonicalization: "relaxed/simple"}
	sealer := arc.Sealer{Domain: "lists.example", Selector: "sel", Key: sigtest.Ed25519(), Now: now}

	leaving := message.Digester{Want: []message.BodyHash{signer.BodyHash(), sealer.BodyHash()}}
	ev := e.Start(context.Background(), bankSession())
	for rest := []byte(arrivedText); len(rest) > 0; {
		n := min(100, len(rest))
		_, err := ev.Write(rest[:n])
		require.NoError(t, err)
		_, err = leaving.Write(rest[:n])
		require.NoError(t, err)
		rest = rest[n:]
	}
	arrived, err := ev.Finish()
	require.NoError(t, err)
	m, err := leaving.Finish()
	require.NoError(t, err)
	signature, err := signer.Sign(m)
	require.NoError(t, err)
	set, err := arrived.Seal(&sealer, m, signature)
	require.NoError(t, err)
	require.Contains(t, set[2], "arc=none smtp.remote-ip=198.51.100.1")

	out := []byte(strings.Join(set, "") + signature + arrivedText)
	r, err := e.Evaluate(context.Background(), &mailauth.Message{Session: mailauth.Session{Time: receipt}, Data: bytes.NewReader(out)})
	require.NoError(t, err)
	require.Equal(t, arc.Pass, r.ARC.Status, r.ARC.Err)
	require.Zero(t, r.ARC.OldestPass)
	require.Len(t, r.DKIM, 2)
	for _, d := range r.DKIM {
		require.Equal(t, authres.Pass, d.Status, d.Err)
	}
	results, ok := r.ARC.Sets[0].Results()
	require.True(t, ok)
	require.Equal(t, authres.Pass, results.Find("dmarc")[0].Status)
}

// The keys of a chain are asked for while the body still arrives, and the answer is
// there with its last octet.
func TestRoundTripsARC(t *testing.T) {
	w := caseNamed(t, "CMP-08-two-trusted")
	synctest.Test(t, func(t *testing.T) {
		w.zone.Delay = 20 * time.Millisecond
		header, body, _ := bytes.Cut(w.message, []byte("\r\n\r\n"))
		ev := w.evaluator.Start(context.Background(), w.session)
		begin := time.Now()
		_, err := ev.Write(append(header, "\r\n\r\n"...))
		require.NoError(t, err)
		time.Sleep(time.Second)
		_, err = ev.Write(body)
		require.NoError(t, err)
		r, err := ev.Finish()
		require.NoError(t, err)
		require.NotNil(t, r.DMARC.Override)
		require.Equal(t, time.Second, time.Since(begin))
		require.LessOrEqual(t, w.zone.RoundTrips(), 2)
	})
}

// BenchmarkEvaluateARC is the row "whole message" of the performance targets: SPF with
// four includes, two signatures, DMARC, and a chain of two.
func BenchmarkEvaluateARC(b *testing.B) {
	z := dnstest.MustParse(keyRecords(b).Replace(`
bank.example. TXT "v=spf1 include:a.example include:b.example include:c.example include:d.example -all"
a.example. TXT "v=spf1 ip4:203.0.113.1 -all"
b.example. TXT "v=spf1 ip4:203.0.113.2 -all"
c.example. TXT "v=spf1 ip4:203.0.113.3 -all"
d.example. TXT "v=spf1 ip4:198.51.100.1 -all"
sel._domainkey.bank.example. TXT {kb}
ed._domainkey.bank.example. TXT {ed}
sel._domainkey.attack.example. TXT {ka}
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
`))
	msg := signedHeader + "\r\n" + strings.Repeat("Lorem ipsum dolor sit amet, consectetur  adipiscing elit.\r\n", 170)
	msg = sign(b, "ed d=bank.example s=ed", sign(b, "kb d=bank.example s=sel", msg))
	msg = hop(b, "seal kb bank.example mx.bank.example; dmarc=pass header.from=bank.example", msg, "")
	msg = hop(b, "seal ka attack.example mx.attack.example; dmarc=pass header.from=bank.example", msg, "")
	e := mailauth.Evaluator{Resolver: z}
	b.ReportAllocs()
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		r, err := e.Evaluate(context.Background(), &mailauth.Message{Session: bankSession(), Data: strings.NewReader(msg)})
		if err != nil || r.DMARC.Status != authres.Pass || r.ARC.Status != arc.Pass {
			b.Fatal(err, r.DMARC.Err, r.ARC.Err)
		}
		z.Reset()
	}
}
