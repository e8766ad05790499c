package mailauth_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// What mail servers need of an Evaluation while the message arrives, and of its
// Result: see examples/mta.

// A client that takes its time does not use up the time of the DNS.
func TestSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := dnstest.MustParse(keyRecords(t).Replace(`
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
sel._domainkey.bank.example. TXT {kb}
`))
		slow := dnsutil.ResolverFunc(func(ctx context.Context, name string, typ dnsutil.Type) (dnsutil.Answer, error) {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return dnsutil.Answer{}, ctx.Err()
			}
			return zone.Lookup(ctx, name, typ)
		})
		e := mailauth.Evaluator{Resolver: slow, DNS: mailauth.DNSLimits{Speculative: -1}}
		msg := sign(t, "kb d=bank.example s=sel", strings.ReplaceAll(signedHeader, "ceo@bank", "ceo@a.b.bank")+"\r\nDear customer\r\n")
		header, body, _ := strings.Cut(msg, "\r\n\r\n")
		ev := e.Start(context.Background(), bankSession())
		defer ev.Abort()
		time.Sleep(4 * time.Minute)
		_, err := ev.Write([]byte(header + "\r\n\r\n"))
		require.NoError(t, err)
		for _, line := range strings.SplitAfter(body, "\n") {
			time.Sleep(4 * time.Minute)
			_, err = ev.Write([]byte(line))
			require.NoError(t, err)
		}
		begin := time.Now()
		r, err := ev.Finish()
		require.NoError(t, err)
		require.Equal(t, authres.Pass, r.DMARC.Status, r.DMARC.Err)
		require.Less(t, time.Since(begin), 30*time.Second)
	})
}

// The SPF result is there as soon as the DNS has answered, and is the Result's.
func TestEvaluationSPF(t *testing.T) {
	e := mailauth.Evaluator{Resolver: dnstest.MustParse(`bank.example. TXT "v=spf1 -all"`)}
	ev := e.Start(context.Background(), bankSession())
	defer ev.Abort()
	early := ev.SPF()
	require.Equal(t, authres.Fail, early.Status)
	require.Nil(t, ev.Message())
	_, err := ev.Write([]byte("From: a@bank.example\r\n\r\n"))
	require.NoError(t, err)
	r, err := ev.Finish()
	require.NoError(t, err)
	require.Equal(t, early, r.SPF)
	require.Equal(t, early, ev.SPF())
}

// A forwarder that changes nothing reads the message once: what was evaluated is
// what is sealed.
func TestSealAsArrived(t *testing.T) {
	zone := dnstest.MustParse(keyRecords(t).Replace(bankZone) + "sel._domainkey.lists.example. TXT " + quoteTXT(sigtest.Record(sigtest.RSA(t, "rsa2048b"))))
	now := func() time.Time { return receipt }
	sealer := arc.Sealer{Domain: "lists.example", Selector: "sel", Key: sigtest.RSA(t, "rsa2048b"), Now: now, Canonicalization: "simple/simple"}
	e := mailauth.Evaluator{Resolver: zone, AuthservID: "mx.lists.example"}
	msg := "Authentication-Results: mx.lists.example; dmarc=pass\r\n" + sign(t, "kb d=bank.example s=sel", signedHeader+"\r\nDear customer\r\n")
	ev := e.Start(context.Background(), bankSession())
	ev.Want(sealer.BodyHash())
	_, err := ev.Write([]byte(msg))
	require.NoError(t, err)
	r, err := ev.Finish()
	require.NoError(t, err)
	set, err := r.Seal(&sealer, ev.Message(), r.HeaderFields...)
	require.NoError(t, err)

	_, rest, _ := strings.Cut(msg, "\r\n")
	next := mailauth.Evaluator{Resolver: zone}
	got, err := next.Evaluate(context.Background(), &mailauth.Message{
		Session: mailauth.Session{Time: receipt}, Data: strings.NewReader(strings.Join(set, "") + r.HeaderFields[0] + rest),
	})
	require.NoError(t, err)
	require.Equal(t, authres.Pass, got.ARC.Status, got.ARC.Err)
	require.Equal(t, []string{"lists.example"}, got.ARC.Sealers())
}

// StripNamed has the fields of Strip as a milter names them, bottommost first.
func TestStripNamed(t *testing.T) {
	e := mailauth.Evaluator{Resolver: dnstest.MustParse(""), AuthservID: "mx.example.net"}
	for _, c := range []struct {
		name, header string
		want         []mailauth.NamedField
	}{
		{"none", "From: a@example.com\r\nAuthentication-Results: other.example; none\r\n", nil},
		{
			"among others", "Authentication-Results: other.example; none\r\nAUTHENTICATION-results: mx.example.net; none\r\nFrom: a@example.com\r\n" +
				"Authentication-Results: other.example; none\r\nAuthentication-Results: mx.example.net; none\r\n",
			[]mailauth.NamedField{{"Authentication-Results", 4}, {"AUTHENTICATION-results", 2}},
		},
		{
			"several names", "BIMI-Indicator: x\r\nFrom: a@example.com\r\nAuthentication-Results : mx.example.net; none\r\nBIMI-Indicator: y\r\n",
			[]mailauth.NamedField{{"BIMI-Indicator", 2}, {"Authentication-Results", 1}, {"BIMI-Indicator", 1}},
		},
		{
			"octets that cannot be seen", "Authentication-Results: other.example; none\r\nAuthentication-Results\x01: mx.example.net; none\r\nFrom: a@example.com\r\n",
			[]mailauth.NamedField{{"Authentication-Results\x01", 1}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := e.Evaluate(context.Background(), &mailauth.Message{Data: strings.NewReader(c.header + "\r\n")})
			require.NoError(t, err)
			require.Equal(t, c.want, r.StripNamed)
			require.Len(t, r.Strip, len(c.want))
		})
	}
}

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, domain string
		want            bool
	}{
		{"example.com", "example.com", true},
		{"example.com", "EXAMPLE.com", true},
		{"example.com", "a.example.com", false},
		{"*.example.com", "a.example.com", true},
		{"*.example.com", "b.a.example.com", true},
		{"*.example.com", "example.com", false},
		{"*.example.com", "badexample.com", false},
		{"münchen.example", "xn--mnchen-3ya.example", true},
		{"example.com", "", false},
		{"example.com", "a..b", false},
	} {
		p, err := mailauth.ParsePattern(c.pattern)
		require.NoError(t, err)
		require.Equal(t, c.want, p.Matches(c.domain), "%s %s", c.pattern, c.domain)
	}
	p, err := mailauth.ParsePattern("*.München.example")
	require.NoError(t, err)
	require.Equal(t, "*.xn--mnchen-3ya.example", p.String())
	for _, s := range []string{"", "*", "*.", "a..b", "**.example.com"} {
		_, err := mailauth.ParsePattern(s)
		require.ErrorIs(t, err, mailauth.ErrPattern, s)
	}
	require.False(t, mailauth.Pattern{}.Matches("example.com"))
	require.False(t, mailauth.Pattern{}.Matches(""))
}
