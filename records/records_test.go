package records_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/seed2385d973/mailauth/records"
	"github.com/seed2385d973/mailauth/spf"
)

func TestLookup(t *testing.T) {
	for _, c := range testcase.Load(t, "testdata", "domain", "selectors") {
		t.Run(c.Name, func(t *testing.T) {
			z, err := dnstest.Parse(string(c.File("zone")))
			require.NoError(t, err)
			r, err := records.Lookup(context.Background(), z, c.Get("domain"), strings.Fields(c.Get("selectors"))...)
			require.NoError(t, err)
			c.Check(t, "want", r.String())
			data, err := json.Marshal(r)
			require.NoError(t, err)
			require.NotContains(t, string(data), ":null", "lists are [], not null")
			for _, f := range r.Findings {
				require.NotEmpty(t, f.Kind)
				require.NotEmpty(t, f.Fix)
				require.True(t, strings.HasSuffix(f.Name, "."), f.Name)
			}
		})
	}
	for _, name := range []string{"", "example", "a..example", "192.0.2.1", "a b.example"} {
		_, err := records.Lookup(context.Background(), dnstest.MustParse("{}"), name)
		require.ErrorIs(t, err, records.ErrDomain)
		_, err = records.NoMail(name)
		require.ErrorIs(t, err, records.ErrDomain)
		_, err = records.Rollout(name, "a@b.example")
		require.ErrorIs(t, err, records.ErrDomain)
	}
	require.Equal(t, "ErrDomain", records.ErrDomain.Code())
	require.Equal(t, "ErrRecord", records.ErrRecord.Code())
	require.Empty(t, records.Error("x").Code())
}

// A tree that grows without end is read to a limit.
func TestLookupBounded(t *testing.T) {
	var zone strings.Builder
	for _, n := range []string{"a", "b", "c", "d", "e", "f"} {
		zone.WriteString(n + `.example. TXT "v=spf1`)
		for _, m := range []string{"a", "b", "c", "d", "e", "f"} {
			zone.WriteString(" include:" + m + ".example")
		}
		zone.WriteString(` -all"` + "\n")
	}
	z := dnstest.MustParse(zone.String())
	r, err := records.Lookup(context.Background(), z, "a.example")
	require.NoError(t, err)
	require.LessOrEqual(t, len(z.Queries()), 220)
	kinds := map[string]bool{}
	for _, f := range r.Findings {
		kinds[f.Kind] = true
	}
	require.True(t, kinds["not_read"] && kinds["loop"] && kinds["too_many_lookups"], "%v", kinds)
}

// TestNoMail: what is published for a domain that sends nothing is understood
// so, and there is nothing to improve about it.
func TestNoMail(t *testing.T) {
	list, err := records.NoMail("Bücher.example")
	require.NoError(t, err)
	var names []string
	for _, e := range list {
		names = append(names, e.String())
	}
	require.Equal(t, []string{
		`xn--bcher-kva.example. IN MX 0 .`,
		`xn--bcher-kva.example. IN TXT "v=spf1 -all"`,
		`*.xn--bcher-kva.example. IN TXT "v=spf1 -all"`,
		`*._domainkey.xn--bcher-kva.example. IN TXT "v=DKIM1; p="`,
		`_dmarc.xn--bcher-kva.example. IN TXT "v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s"`,
		`default._bimi.xn--bcher-kva.example. IN TXT "v=BIMI1; l=; a=;"`,
	}, names)
	var zone strings.Builder
	for _, e := range list {
		if !strings.HasPrefix(e.Name, "*") {
			zone.WriteString(e.String() + "\n")
		}
	}
	require.NotEmpty(t, records.Zone(list))
	r, err := records.Lookup(context.Background(), dnstest.MustParse(zone.String()), "xn--bcher-kva.example")
	require.NoError(t, err)
	require.True(t, r.MX.Null)
	require.Equal(t, "fail", r.SPF.Others)
	require.Equal(t, "reject", r.DMARC.Policy)
	require.Len(t, r.Findings, 1)
	require.Equal(t, "no_rua", r.Findings[0].Kind)
	_, err = dkim.ParseRecord(list[3].Data)
	require.ErrorIs(t, err, dkim.ErrKeyRevoked)
}

func TestSPFPolicy(t *testing.T) {
	net := netip.MustParsePrefix
	text, err := records.SPFPolicy{MX: true, A: true, Networks: []netip.Prefix{net("192.0.2.7/24"), net("192.0.2.1/32"), net("2001:db8::1/32"), net("2001:db8::1/128")},
		Include: []string{"_spf.Mailer.example."}, SoftFail: true}.Record()
	require.NoError(t, err)
	require.Equal(t, "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1 ip6:2001:db8::/32 ip6:2001:db8::1 a mx include:_spf.mailer.example ~all", text)
	_, err = spf.ParseRecord(text)
	require.NoError(t, err)
	text, err = records.SPFPolicy{}.Record()
	require.NoError(t, err)
	require.Equal(t, "v=spf1 -all", text)
	ten := strings.Split(strings.Repeat("a.example ", 9)+"a.example", " ")
	_, err = records.SPFPolicy{Include: ten}.Record()
	require.NoError(t, err)
	for want, p := range map[error][]records.SPFPolicy{
		records.ErrDomain: {{Include: []string{"a b"}}, {Include: []string{"x -all"}}, {Include: []string{"com"}}},
		records.ErrRecord: {{Networks: []netip.Prefix{{}}}, {Include: ten, MX: true}, {Include: append(ten, "b.example")}},
	} {
		for _, bad := range p {
			_, err := bad.Record()
			require.ErrorIs(t, err, want)
		}
	}
}

func TestDMARCPolicy(t *testing.T) {
	text, err := records.DMARCPolicy{Policy: dmarc.PolicyQuarantine, Subdomain: dmarc.PolicyReject, Nonexistent: dmarc.PolicyReject, Testing: true,
		Reports: []string{"d@bank.example", "a!b@bank.example"}, Failures: []string{"f@bank.example"}, StrictDKIM: true, StrictSPF: true}.Record()
	require.NoError(t, err)
	require.Equal(t, "v=DMARC1; p=quarantine; sp=reject; np=reject; adkim=s; aspf=s; t=y; rua=mailto:d@bank.example,mailto:a%21b@bank.example; ruf=mailto:f@bank.example", text)
	text, err = records.DMARCPolicy{}.Record()
	require.NoError(t, err)
	require.Equal(t, "v=DMARC1; p=none", text)
	for _, bad := range []records.DMARCPolicy{{Policy: "deny"}, {Subdomain: "x; rua=mailto:x@y.example"}, {Reports: []string{"nobody"}}, {Reports: []string{"a@b.example?x"}},
		{Failures: []string{"a@b.example, c@d.example"}}, {Reports: []string{""}}} {
		_, err := bad.Record()
		require.ErrorIs(t, err, records.ErrRecord, "%v", bad)
	}
}

func TestRollout(t *testing.T) {
	stages, err := records.Rollout("bank.example", "d@bank.example", "r@reports.example")
	require.NoError(t, err)
	var policies []string
	for _, s := range stages {
		r, err := dmarc.ParseRecord(s.Entry.Data)
		require.NoError(t, err)
		require.Empty(t, r.Diagnostics())
		policy := r.P
		if r.T {
			policy = policy.Testing()
		}
		policies = append(policies, string(policy))
		require.Equal(t, "_dmarc.bank.example.", s.Entry.Name)
		require.Equal(t, `bank.example._report._dmarc.reports.example. IN TXT "v=DMARC1"`, s.Others[0].String())
		require.Len(t, s.Others, 1)
		require.NotEmpty(t, s.Next)
	}
	require.Equal(t, []string{"none", "none", "quarantine", "quarantine", "reject"}, policies)
	_, err = records.Rollout("bank.example")
	require.ErrorIs(t, err, records.ErrRecord)
	_, err = records.Rollout("bank.example", "x")
	require.ErrorIs(t, err, records.ErrRecord)
	_, err = records.ReportAuthorization("bank.example", "x")
	require.ErrorIs(t, err, records.ErrDomain)
	_, err = records.ReportAuthorization("x", "bank.example")
	require.ErrorIs(t, err, records.ErrDomain)
}
