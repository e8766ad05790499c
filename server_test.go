package mailauth_test

import (
	"context"
	"strings"
	"sync/atomic"
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

// SPF waits for its check and for nothing else; the record of HELO is asked for before the
// header is there, but only where HELO is a name that could have one.
func TestEvaluationSPFWaits(t *testing.T) {
	for helo, want := range map[string][]string{
		"mx.bank.example": {"TXT bank.example.", "TXT mx.bank.example."},
		"localhost":       {"TXT bank.example."},
		"[192.0.2.1]":     {"TXT bank.example."},
		"a..example":      {"TXT bank.example."},
	} {
		synctest.Test(t, func(t *testing.T) {
			zone := dnstest.MustParse(`bank.example. TXT "v=spf1 -all"`)
			zone.Delay = time.Second
			e := mailauth.Evaluator{Resolver: zone}
			s := bankSession()
			s.HELO = helo
			begin := time.Now()
			ev := e.Start(context.Background(), s)
			defer ev.Abort()
			require.Equal(t, authres.Fail, ev.SPF().Status)
			require.Equal(t, time.Second, time.Since(begin))
			synctest.Wait()
			require.ElementsMatch(t, want, zone.Queries(), helo)
		})
	}
}

// Abort ends what is under way and waits for it: no call of the Resolver outlives it.
func TestAbortWaits(t *testing.T) {
	for _, text := range []string{"", signedHeader, signedHeader + "\r\nx\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			var under atomic.Int64
			e := mailauth.Evaluator{Resolver: dnsutil.ResolverFunc(func(ctx context.Context, _ string, _ dnsutil.Type) (dnsutil.Answer, error) {
				under.Add(1)
				defer under.Add(-1)
				<-ctx.Done()
				time.Sleep(50 * time.Millisecond) // a Resolver that takes its time to notice
				return dnsutil.Answer{}, ctx.Err()
			})}
			ev := e.Start(context.Background(), bankSession())
			_, err := ev.Write([]byte(text))
			require.NoError(t, err)
			synctest.Wait()
			require.NotZero(t, under.Load())
			begin := time.Now()
			ev.Abort()
			require.Zero(t, under.Load())
			require.Equal(t, 50*time.Millisecond, time.Since(begin))
		})
	}
}

// The time of the DNS begins anew with the end of the header, not only with Finish: else
// a slow header leaves the keys no time, however slowly the body comes.
func TestSlowHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := dnstest.MustParse(keyRecords(t).Replace(bankZone))
		zone.Delay = 5 * time.Second
		e := mailauth.Evaluator{Resolver: zone}
		ev := e.Start(context.Background(), bankSession())
		defer ev.Abort()
		time.Sleep(29 * time.Second)
		_, err := ev.Write([]byte(sign(t, "kb d=bank.example s=sel", signedHeader+"\r\nx\r\n")))
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		r, err := ev.Finish()
		require.NoError(t, err)
		require.Equal(t, authres.Pass, r.DMARC.Status, r.DMARC.Err)
	})
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
