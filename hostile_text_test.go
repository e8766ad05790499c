package mailauth_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// unprintable is what could hurt whoever prints it: a terminal, a log, a header field.
var unprintable = []string{
	"\x1b]0;x\x07", "\r\nX: y", "\r\n y", "x\ny", "\ry", "a\x00b", "bank.example\x7f", "\u009b31m", "\u0085x", "\u2028x",
	"\u202ebank.example", "\u200b", "\xff\xfe", "\u00e9.example", `a\"b`, "a)(b", "a;b=c", strings.Repeat("a", 300),
}

func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

// requirePrintable looks at all that a result writes: the story, the log line, the reply,
// the fields on top and the JSON, which has to be valid.
func requirePrintable(t *testing.T, r *mailauth.Result) {
	t.Helper()
	for _, line := range strings.Split(r.Explain(), "\n") {
		require.True(t, isPrintable(line), "%q", line)
	}
	require.True(t, isPrintable(r.LogValue().String()), "%q", r.LogValue().String())
	require.True(t, isPrintable(r.SMTPReply().String()), "%q", r.SMTPReply())
	require.LessOrEqual(t, len(r.SMTPReply().String()), 510, "RFC 5321, section 4.5.3.1.5")
	for _, f := range r.HeaderFields {
		require.Equal(t, strings.Count(f, "\r\n"), strings.Count(f, "\r\n ")+1, "%q", f)
		if !r.Session.SMTPUTF8 {
			require.True(t, isPrintable(strings.ReplaceAll(f, "\r\n", "")), "%q", f)
		}
	}
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.True(t, json.Valid(text))
}

// What strangers write into the session, the message and the DNS never gets out as it is:
// rows AR-01, AR-10 and AR-24 through the whole.
func TestHostileText(t *testing.T) {
	zone, err := dnstest.Parse(keyRecords(t).Replace(threatZone))
	require.NoError(t, err)
	evaluate := func(t *testing.T, z *dnstest.Zone, s mailauth.Session, text string) {
		t.Helper()
		s.IP, s.Receiver, s.Time = ip("192.0.2.1"), "mx.victim.example", receipt
		e := &mailauth.Evaluator{Resolver: z}
		r, err := e.Evaluate(context.Background(), &mailauth.Message{Session: s, Data: strings.NewReader(text)})
		require.NoError(t, err)
		requirePrintable(t, r)
	}
	for _, v := range unprintable {
		t.Run(v, func(t *testing.T) {
			for _, s := range []mailauth.Session{
				{HELO: v, MailFrom: v}, {HELO: "mx." + v, MailFrom: "a@" + v}, {HELO: v + ".example", MailFrom: v + "@attack.example"},
				{HELO: v + ".example"}, {HELO: "mx.attack.example", MailFrom: `"` + v + `"@attack.example`, SMTPUTF8: true},
			} {
				evaluate(t, zone, s, threatMessage)
			}
			for _, text := range []string{
				"DKIM-Signature: v=1; a=rsa-sha256; d=" + v + "; s=sel; h=from; bh=aa; b=aa\r\n" + threatMessage,
				"DKIM-Signature: v=1; a=rsa-sha256; d=bank.example; s=" + v + "; h=from; bh=aa; b=aa\r\n" + threatMessage,
				"DKIM-Signature: v=1; a=" + v + "; d=bank.example; s=sel; h=from:" + v + "; i=" + v + "@bank.example; bh=aa; b=aa\r\n" + threatMessage,
				"DKIM-Signature: v=" + v + "; a=rsa-sha256; c=" + v + "; q=" + v + "; d=bank.example; s=sel; h=from; i=" + v + "; bh=aa; b=" + v + "\r\n" + threatMessage,
				"ARC-Seal: i=1; a=" + v + "; cv=" + v + "; d=" + v + "; s=" + v + "; b=" + v + "\r\nARC-Message-Signature: i=1; d=" + v + "\r\nARC-Authentication-Results: i=1; " + v + "\r\n" + threatMessage,
				"From: " + v + "@bank.example\r\n\r\n", "From: a@" + v + "\r\n\r\n", "From: " + v + " <a@bank.example>\r\n\r\n", v + ": x\r\n" + threatMessage,
			} {
				evaluate(t, zone, mailauth.Session{HELO: "mx.attack.example", MailFrom: "x@attack.example"}, text)
			}
			signed := sign(t, "kb d=bank.example s=sel", threatMessage)
			for _, term := range []string{v, "a:" + v, "include:" + v + ".example", "ip4:" + v, v + "=x", "exists:%{" + v + "}.x", "-all exp=e.example"} {
				raw := func(s string) map[string]any {
					return map[string]any{"TXT": [][]any{{map[string]any{"b64": []byte(s)}}}}
				}
				z, err := json.Marshal(map[string]any{
					"attack.example": raw("v=spf1 " + term + " -all"), "mx.attack.example": raw("v=spf1 " + term), "e.example": raw(v),
					"sel._domainkey.bank.example": raw("v=DKIM1; k=" + v + "; n=" + v + "; p=" + v),
					"_dmarc.bank.example":         raw("v=DMARC1; p=reject; " + v + "=" + v + "; rua=" + v + "; adkim=" + v),
				})
				require.NoError(t, err)
				evaluate(t, dnstest.MustParse(string(z)), mailauth.Session{HELO: "mx.attack.example", MailFrom: "x@attack.example"}, signed)
			}
		})
	}
}
