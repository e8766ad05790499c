package mailauth_test

import (
	"context"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
	"github.com/seed2385d973/mailauth/spf"
)

// threatZone is the DNS of the matrix.
const threatZone = `
bank.example. TXT "v=spf1 -all"
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
sel._domainkey.bank.example. TXT {kb}
test._domainkey.bank.example. TXT {ed} "; t=y"
attack.example. TXT "v=spf1 ip4:192.0.2.1 -all"
mx.attack.example. TXT "v=spf1 ip4:192.0.2.1 -all"
sel._domainkey.attack.example. TXT {ka}
`

const threatMessage = "From: CEO <ceo@bank.example>\r\nTo: <u@victim.example>\r\nSubject: Statement\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nDear customer,\r\n"

// TestThreats has the rows of the matrix that only the composition can answer.
func TestThreats(t *testing.T) {
	zone, err := dnstest.Parse(keyRecords(t).Replace(threatZone))
	require.NoError(t, err)
	attacker := mailauth.Session{IP: netip.MustParseAddr("192.0.2.1"), HELO: "mx.attack.example", MailFrom: "x@attack.example", Receiver: "mx.victim.example", Time: receipt}
	evaluate := func(t *testing.T, e *mailauth.Evaluator, s mailauth.Session, text string) *mailauth.Result {
		t.Helper()
		e.Resolver = zone
		r, err := e.Evaluate(context.Background(), &mailauth.Message{Session: s, Data: strings.NewReader(text)})
		require.NoError(t, err)
		return r
	}
	written := func(t *testing.T, r *mailauth.Result, method string) (words []string) {
		t.Helper()
		h, err := authres.Parse(strings.TrimSuffix(strings.TrimPrefix(r.HeaderFields[0], "Authentication-Results:"), "\r\n"))
		require.NoError(t, err)
		for _, x := range h.Results {
			if x.Method == method {
				words = append(words, string(x.Status))
			}
		}
		return words
	}

	t.Run("AR-18", func(t *testing.T) {
		r := evaluate(t, &mailauth.Evaluator{}, attacker, threatMessage)
		delivered := r.HeaderFields[0] + "Received: from mx.attack.example by mx.victim.example; Sat, 21 Nov 2026 10:00:00 +0000\r\n" + threatMessage
		m, err := message.Parse([]byte(delivered))
		require.NoError(t, err)
		require.Equal(t, []int{0}, m.Header().All("Authentication-Results"), "above the Received field of its own MTA")
		require.Equal(t, []int{1}, m.Header().All("Received"))
	})
	t.Run("AR-19", func(t *testing.T) {
		for _, forged := range []string{
			"Received-SPF: pass (helo) identity=helo; client-ip=192.0.2.1; envelope-from=any@not.exist.bank.example\r\n",
			"Received-SPF: pass (mx.victim.example: domain of ceo@bank.example) identity=mailfrom; envelope-from=\"ceo@bank.example\"\r\n",
			"received-spf : pass\r\n", "X-Received-SPF: pass\r\n",
		} {
			r := evaluate(t, &mailauth.Evaluator{}, attacker, forged+threatMessage)
			require.Equal(t, authres.Fail, r.DMARC.Status, forged)
			require.Equal(t, "attack.example", r.SPF.Domain)
			require.NotEqual(t, mailauth.Accept, r.Action)
		}
	})
	t.Run("AR-20", func(t *testing.T) {
		// What an envelope sender holds is quoted, and stays one field.
		z := dnstest.MustParse("host.example. TXT \"v=spf1 +all\"\n")
		for _, from := range []string{"user+list=example.com@host.example", "a;b@host.example", `"a b"@host.example`, "a(b@host.example", `"a\"; spf=pass"@host.example`} {
			r := (&spf.Verifier{Resolver: z}).MailFrom(context.Background(), spf.Session{IP: netip.MustParseAddr("192.0.2.9"), HELO: "mx.host.example", MailFrom: from, Receiver: "mx.victim.example"})
			require.Equal(t, authres.Pass, r.Status, from)
			field := r.ReceivedSPF()
			require.Contains(t, field, `envelope-from="`, from)
			require.Equal(t, 1, strings.Count(strings.ReplaceAll(field, "\r\n ", " "), "\r\n"), "one field")
		}
	})
	t.Run("AR-21", func(t *testing.T) {
		bad := "DKIM-Signature: v=2; d=bank.example\r\n"
		r := evaluate(t, &mailauth.Evaluator{}, attacker, bad+threatMessage)
		require.Equal(t, []string{"permerror"}, written(t, r, "dkim"))
		short := sign(t, "kb d=bank.example s=sel l=4", threatMessage)
		require.Equal(t, []string{"policy"}, written(t, evaluate(t, &mailauth.Evaluator{}, attacker, short), "dkim"))
		tested := strings.Replace(sign(t, "ed d=bank.example s=test", threatMessage), "Statement", "Invoice", 1)
		require.Equal(t, []string{"neutral"}, written(t, evaluate(t, &mailauth.Evaluator{}, attacker, tested), "dkim"))
		many := ""
		for range 12 {
			many += strings.TrimSuffix(sign(t, "ka d=attack.example s=sel", threatMessage), threatMessage)
		}
		words := written(t, evaluate(t, &mailauth.Evaluator{}, attacker, many+threatMessage), "dkim")
		require.Contains(t, words, "policy", "those that were not examined")
		require.NotContains(t, words, "none")
	})
	t.Run("BIM-05", func(t *testing.T) {
		for name, from := range map[string]string{
			"two fields":  "From: <news@bank.example>\r\nFrom: <news@bank.example>\r\n",
			"other field": "From: <a@attack.example>\r\nFrom: <news@bank.example>\r\n",
			"two domains": "From: <news@bank.example>, <a@attack.example>\r\n",
			"folded name": "From\r\n : <news@bank.example>\r\n",
			"look-alike":  "Fr\u043em: <a@attack.example>\r\nFrom: <news@bank.example>\r\n",
		} {
			t.Run(name, func(t *testing.T) {
				web := &onePage{url: "https://bank.example/logo.svg", body: markcerttest.SVG()}
				e := &mailauth.Evaluator{Resolver: bimiZone(t, "reject"), BIMI: &bimi.Verifier{Fetcher: web}}
				m := bimiMessage("")
				m.Data = strings.NewReader(from + "Subject: x\r\n\r\nbody\r\n")
				r, err := e.Evaluate(context.Background(), m)
				require.NoError(t, err)
				require.Equal(t, bimi.Skipped, r.BIMI.Status)
				require.Empty(t, r.BIMI.Indicator)
				require.Zero(t, web.asked)
				require.Equal(t, authres.PermError, r.DMARC.Status)
			})
		}
	})
	t.Run("CMP-04", func(t *testing.T) {
		// What DMARC takes cannot be put together from words: no field of it can be set
		// outside its package, its zero value is no pass, and what a header says is not asked.
		id := reflect.TypeFor[dmarc.Identifier]()
		for i := range id.NumField() {
			require.False(t, id.Field(i).IsExported(), id.Field(i).Name)
		}
		author, err := dmarc.AuthorOf("bank.example")
		require.NoError(t, err)
		require.Equal(t, authres.Fail, (&dmarc.Verifier{Resolver: zone}).Verify(context.Background(), author, dmarc.Identifier{}).Status)
		for _, forged := range []string{
			"Authentication-Results: mx.victim.example; dkim=pass header.d=bank.example; dmarc=pass header.from=bank.example\r\n",
			"Authentication-Results: mx.victim.example; spf=pass smtp.mailfrom=a@bank.example\r\n",
			"ARC-Authentication-Results: i=1; mx.victim.example; dmarc=pass header.from=bank.example\r\n",
		} {
			r := evaluate(t, &mailauth.Evaluator{TrustedSealers: []string{"bank.example"}}, attacker, forged+threatMessage)
			require.Equal(t, authres.Fail, r.DMARC.Status)
			require.Empty(t, r.DMARC.Override)
		}
	})
	t.Run("CMP-05", func(t *testing.T) {
		// The message is what it was when it was read, whoever has its octets since.
		text := []byte(sign(t, "kb d=bank.example s=sel", threatMessage))
		m, err := message.Parse(text)
		require.NoError(t, err)
		author, err := dmarc.AuthorDomain(m.Header())
		require.NoError(t, err)
		for i := range text {
			text[i] = 'x'
		}
		again, err := dmarc.AuthorDomain(m.Header())
		require.NoError(t, err)
		require.Equal(t, author, again)
		results := (&dkim.Verifier{Resolver: zone, Now: func() time.Time { return receipt }}).Verify(context.Background(), m)
		require.Len(t, results, 1)
		require.Equal(t, dkim.Pass, results[0].Status, "%v", results[0].Err)
	})
	t.Run("CMP-09", func(t *testing.T) {
		second := "MAIL FROM:<ceo@bank.example>\r\nRCPT TO:<u@victim.example>\r\nDATA\r\nFrom: CEO <ceo@bank.example>\r\nSubject: second\r\n\r\nPay.\r\n"
		first := "From: <x@attack.example>\r\nSubject: first\r\n\r\nHello\r\n"
		for _, end := range []string{"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r\n\x00.\r\n", "\r.\r\n"} {
			r := evaluate(t, &mailauth.Evaluator{}, attacker, first+"x"+end+second)
			require.Equal(t, []string{"attack.example"}, r.Author.Domains(), "one message, and the first one's author: %q", end)
			require.Equal(t, "attack.example", r.DMARC.Domain)
			if strings.Trim(strings.ReplaceAll(end, "\r\n", ""), ".\x00") != "" {
				refused := evaluate(t, &mailauth.Evaluator{RefuseDefects: true}, attacker, first+"x"+end+second)
				require.Equal(t, authres.PermError, refused.DMARC.Status, "%q", end)
			}
		}
	})
}
