package mailauth_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// world returns the world of a case of testdata.
func caseNamed(t testing.TB, name string) *world {
	t.Helper()
	for _, c := range testcase.Load(t, "testdata", caseKeys...) {
		if c.Name == name {
			return load(t, c)
		}
	}
	t.Fatalf("no case %s", name)
	return nil
}

// The override is what an aggregate report needs, as RFC 8617, section 7.2.2 prints it.
func TestOverrideComment(t *testing.T) {
	for name, want := range map[string]string{
		"CMP-08-list-trusted": "arc=pass as[1].d=lists.example as[1].s=sel remote-ip[1]=2001:db8::1a",
		"CMP-08-two-trusted":  "arc=pass as[2].d=gateway.example as[2].s=sel as[1].d=lists.example as[1].s=sel remote-ip[1]=2001:db8::1a",
		"CMP-08-aligned-dkim": "arc=pass as[1].d=lists.example as[1].s=sel",
		"CMP-08-aligned-spf":  "arc=pass as[1].d=lists.example as[1].s=sel",
	} {
		r := caseNamed(t, name).evaluate(t)
		require.Equal(t, &dmarc.Override{Reason: dmarc.LocalPolicy, Comment: want}, r.DMARC.Override, name)
		require.Equal(t, authres.Fail, r.DMARC.Status, "the verdict stays what it is")
		require.Equal(t, mailauth.Accept, r.Action)
		require.True(t, r.ARCTrusted)
	}
}

// CMP-08: with every possible trust list, only the unbroken suffix rescues.
func TestTrustedSuffix(t *testing.T) {
	for _, x := range []struct {
		name    string
		trust   []string
		rescued bool
	}{
		{"CMP-08-two-trusted", nil, false},
		{"CMP-08-two-trusted", []string{"lists.example"}, false},
		{"CMP-08-two-trusted", []string{"gateway.example"}, false},
		{"CMP-08-two-trusted", []string{"lists.example", "gateway.example"}, true},
		{"CMP-08-two-trusted", []string{"*.example"}, true},
		{"CMP-08-two-trusted", []string{"*.lists.example", "*.gateway.example"}, false},
		{"ARC-01-self-sealed", []string{"lists.example"}, false},
		{"ARC-02-fake-inner-hop", []string{"lists.example"}, false},
		{"CMP-08-gap", []string{"lists.example"}, false},
		{"CMP-08-other-author", []string{"lists.example"}, false},
	} {
		w := caseNamed(t, x.name)
		w.evaluator.TrustedSealers = x.trust
		r := w.evaluate(t)
		require.Equal(t, x.rescued, r.DMARC.Override != nil, "%s %v", x.name, x.trust)
		require.Equal(t, x.rescued, r.Action == mailauth.Accept, "%s %v", x.name, x.trust)
	}
}

// CMP-08: where several Author Domains are accepted, a sealer who vouches for the one with
// the strictest policy says nothing about the others.
func TestSealerVouchesForOne(t *testing.T) {
	for _, x := range []struct {
		name, from, zone, results string
		rescued                   bool
	}{
		{"one", "a@strict.example", "", "header.from=strict.example", true},
		{"the other fails", "a@strict.example, ceo@bank.example", `_dmarc.bank.example. TXT "v=DMARC1; p=quarantine"`, "header.from=strict.example", false},
		{"the other fails under none", "a@strict.example, ceo@bank.example", `_dmarc.bank.example. TXT "v=DMARC1; p=none"`, "header.from=strict.example", false},
		{"the other has no policy", "a@strict.example, ceo@bank.example", "", "header.from=strict.example", true},
		{"the other passes", "a@strict.example, ceo@bank.example", `bank.example. TXT "v=spf1 +all"` + "\n" + `_dmarc.bank.example. TXT "v=DMARC1; p=quarantine"`, "header.from=strict.example", true},
		{"the other cannot be told", "a@strict.example, ceo@down.example", "", "header.from=strict.example", false},
		{"the other is vouched for", "a@strict.example, ceo@bank.example", `_dmarc.bank.example. TXT "v=DMARC1; p=quarantine"`, "header.from=bank.example", false},
	} {
		t.Run(x.name, func(t *testing.T) {
			msg := "From: " + x.from + "\r\nTo: <u@victim.example>\r\nSubject: x\r\n\r\nHello\r\n"
			msg = hop(t, "seal ed lists.example mx.lists.example; dmarc=pass "+x.results, msg, "")
			zone, err := dnstest.Parse(keyRecords(t).Replace("sel._domainkey.lists.example. TXT {ed}\n_dmarc.strict.example. TXT \"v=DMARC1; p=reject\"\n" + x.zone + "\n"))
			require.NoError(t, err)
			zone = zone.WithFault("_dmarc.down.example", 0, errServfail)
			e := mailauth.Evaluator{Resolver: zone, TrustedSealers: []string{"lists.example"}, Author: dmarc.AuthorOptions{SeveralDomains: true}}
			r, err := e.Evaluate(context.Background(), &mailauth.Message{Session: mailauth.Session{IP: ip("192.0.2.1"), MailFrom: "x@bank.example", Time: receipt}, Data: strings.NewReader(msg)})
			require.NoError(t, err)
			require.Equal(t, authres.Fail, r.DMARC.Status)
			require.Equal(t, "strict.example", r.DMARC.Domain)
			require.Equal(t, x.rescued, r.DMARC.Override != nil)
			require.Equal(t, x.rescued, r.Action == mailauth.Accept)
			require.True(t, r.ARCTrusted || !x.rescued)
		})
	}
}

// A chain whose keys cannot be asked for is not trusted, whoever sealed it, also where
// there is nothing to rescue.
func TestUncertainIsNotTrusted(t *testing.T) {
	w := caseNamed(t, "CMP-08-key-down")
	r := w.with(dnsutil.ResolverFunc(func(ctx context.Context, name string, typ dnsutil.Type) (dnsutil.Answer, error) {
		if strings.HasPrefix(name, "_dmarc.") {
			return dnsutil.Answer{}, nil
		}
		return w.zone.Lookup(ctx, name, typ)
	})).evaluate(t)
	require.True(t, r.ARC.Temporary())
	require.Equal(t, authres.None, r.DMARC.Status)
	require.False(t, r.ARCTrusted)
}

func TestValidateTrustedSealers(t *testing.T) {
	for _, bad := range []string{"", "*", "*.", "a..example", "lists.example.", "*.*.example", "a b.example", "list*.example"} {
		e := mailauth.Evaluator{TrustedSealers: []string{"lists.example", bad}}
		require.ErrorIs(t, e.Validate(), mailauth.ErrPattern, "%q", bad)
	}
	e := mailauth.Evaluator{TrustedSealers: []string{"lists.example", "*.example", "b\u00fccher.example"}}
	require.NoError(t, e.Validate())
}

// A chain that may not even be trusted never makes a message worse: with its fields
// removed the action is the same or milder only where there is an override.
func TestChainNeverHarms(t *testing.T) {
	for _, c := range testcase.Load(t, "testdata", caseKeys...) {
		w := load(t, c)
		with := w.evaluate(t)
		w.evaluator.TrustedSealers = nil
		without := w.evaluate(t)
		require.Equal(t, without.DMARC.Status, with.DMARC.Status, c.Name)
		if with.Action != without.Action {
			require.True(t, slices.Contains([]mailauth.Action{mailauth.Accept, mailauth.Defer}, with.Action), c.Name)
		}
	}
}
