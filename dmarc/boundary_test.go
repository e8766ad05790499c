package dmarc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

// What tells one operator, constant or word of the code from its neighbour, where
// no case about mail does: found by changing the code and seeing all tests pass.

// The limits are what the documentation says, also when the constants change.
func TestLimits(t *testing.T) {
	require.Equal(t, []int{16384, 64, 10, 3, 32, 8}, []int{MaxRecordLength, MaxTags, MaxURIs, MaxAuthorDomains, MaxQueries, maxSteps})
	long := "v=DMARC1; p=reject" + strings.Repeat("; zz=1", 1)
	tags := func(n int) string { // n tags in all
		s := "v=DMARC1; p=reject"
		for i := range n - 2 {
			s += "; " + string(rune('a'+i/26)) + string(rune('a'+i%26)) + "x=1"
		}
		return s
	}
	_, err := ParseRecord(tags(MaxTags))
	require.NoError(t, err)
	_, err = ParseRecord(tags(MaxTags + 1))
	require.ErrorIs(t, err, ErrRecordLimit)
	_, err = ParseRecord(long + strings.Repeat(" ", MaxRecordLength-len(long)))
	require.NoError(t, err)
	_, err = ParseRecord(long + strings.Repeat(" ", MaxRecordLength-len(long)+1))
	require.ErrorIs(t, err, ErrRecordLimit)
}

func TestRecordBoundaries(t *testing.T) {
	for value, want := range map[string]int64{"0": 0, "9": 9, "99": 99, "100": 100, "101": -1, "/": -1, ":": -1, "1:": -1, "": -1} {
		r, err := ParseRecord("v=DMARC1; p=reject; pct=" + value)
		require.NoError(t, err)
		require.EqualValues(t, want, r.Pct, "pct=%s", value)
	}
	for value, want := range map[string]int64{"4294967295": 4294967295, "4294967296": -1, "8589934590": -1, strings.Repeat("0", 18): 0, strings.Repeat("0", 19): -1} {
		r, err := ParseRecord("v=DMARC1; p=reject; ri=" + value)
		require.NoError(t, err)
		require.EqualValues(t, want, r.RI, "ri=%s", value)
	}
	// A policy tag garbled by an octet that nobody sees (DMA-11).
	for name, want := range map[string]string{
		"p\x7f": "p", "p ": "p", "p\x1f": "p", "p\u00a0": "p", "\u200bsp": "sp", "np\xff": "np", "p!": "", "p~": "", "p1": "", "abcd": "abcd", "abcde": "", "p{": "", "`p": "",
	} {
		require.Equal(t, want, letters(name), "%q", name)
	}
	// Names of unknown tags are told up to 16 letters.
	for n, want := range map[int]string{16: strings.Repeat("x", 16), 17: ""} {
		r, err := ParseRecord("v=DMARC1; p=reject; " + strings.Repeat("x", n) + "=1")
		require.NoError(t, err)
		require.Equal(t, []Diagnostic{{Kind: UnknownTag, Tag: want}}, r.Diagnostics())
	}
}

// The order of what several Author Domains come to (RFC 9989, section 11.5).
func TestSeverity(t *testing.T) {
	order := []Result{
		{Status: authres.Pass},
		{Status: authres.None},
		{Status: authres.Fail, Policy: PolicyNone},
		{Status: authres.Fail, Policy: PolicyQuarantine},
		{Status: authres.PermError},
		{Status: authres.TempError},
		{Status: authres.Fail, Policy: PolicyReject},
	}
	for i := range order[1:] {
		require.Less(t, order[i].severity(), order[i+1].severity(), "%s %s", order[i+1].Status, order[i+1].Policy)
	}
}

func TestRefuse(t *testing.T) {
	a := authorOf(t, "u@bank.example")
	require.NoError(t, a.Err())
	refused := a.Refuse(message.BareLF)
	require.ErrorIs(t, refused.Err(), ErrFromDefect)
	require.Empty(t, refused.Domain())
	none := Author{err: ErrFromMissing}
	require.Equal(t, ErrFromMissing, none.Refuse(message.BareLF).Err(), "what was wrong before stays")
}

// An error at the author's own name is not healed by the record of the
// Organizational Domain, which the author's own might have overruled.
func TestPublicSuffixListError(t *testing.T) {
	for _, c := range []struct {
		zone   string
		status authres.Status
		policy string
	}{
		{`{"_dmarc.a.bank.example": {"error": "servfail"}, "_dmarc.bank.example": {"TXT": [["v=DMARC1; p=reject"]]}}`, authres.TempError, ""},
		{`{"_dmarc.a.bank.example": {"TXT": [["v=DMARC1; p=reject"]]}, "_dmarc.bank.example": {"error": "servfail"}}`, authres.Pass, "a.bank.example"},
		{`{"_dmarc.bank.example": {"error": "servfail"}}`, authres.TempError, ""},
		{`{"_dmarc.bank.example": {"TXT": [["v=DMARC1; p=reject"]]}}`, authres.Pass, "bank.example"},
	} {
		v := Verifier{Resolver: dnstest.MustParse(c.zone), Method: PublicSuffixList}
		o := v.OrganizationalDomain(context.Background(), "a.bank.example")
		require.Equal(t, c.status, o.Status, c.zone)
		require.Equal(t, c.policy, o.PolicyDomain, c.zone)
	}
}

// Of an uncertain organization it can still be certain that it is another one.
func TestUncertainOrganizations(t *testing.T) {
	v := Verifier{Resolver: dnstest.MustParse(`{"_dmarc.a.bank.example": {"TXT": [["v=DMARC1; p=reject"]]}, "_dmarc.bank.example": {"error": "servfail"},
		"_dmarc.own.a.bank.example": {"TXT": [["v=DMARC1; p=none; psd=n"]]}}`)}
	r := v.Verify(context.Background(), authorOf(t, "u@a.bank.example"),
		DKIMIdentifier(authres.Pass, "x.own.a.bank.example", "s"), DKIMIdentifier(authres.Pass, "x.bank.example", "s"))
	require.Equal(t, authres.TempError, r.Status)
	why := map[string]Why{}
	for _, a := range r.Identifiers {
		why[a.Domain()] = a.Why
		require.Equal(t, a.Why == AlignmentUnknown, errors.Is(a.Err, ErrDNS), "%v", a)
	}
	require.Equal(t, map[string]Why{"x.own.a.bank.example": OtherOrganization, "x.bank.example": AlignmentUnknown}, why)
}

// What is told of records and errors on the way names the right place.
func TestDiagnosticDomains(t *testing.T) {
	v := Verifier{Resolver: dnstest.MustParse(`{"_dmarc.a.bank.example": {"TXT": [["v=DMARC1; p=reject"]]}, "_dmarc.bank.example": {"error": "servfail"}, "_dmarc.example": {"TXT": [["v=DMARC1; p=none; p=none"]]}}`)}
	r := v.Verify(context.Background(), authorOf(t, "u@a.bank.example"), DKIMIdentifier(authres.Pass, "a.bank.example", "s"))
	require.Equal(t, authres.Pass, r.Status, "%v", r.Err)
	require.True(t, slices.Contains(r.Diagnostics, Diagnostic{Kind: LookupFailed, Domain: "bank.example"}), "%v", r.Diagnostics)
	require.True(t, slices.Contains(r.Diagnostics, Diagnostic{Kind: BadRecord, Domain: "example"}), "%v", r.Diagnostics)
}

// A check that failed is nothing that the DNS could have changed: what is not known of its
// domain does not turn the result into a temporary error, and is not guessed.
func TestFailedIdentifiers(t *testing.T) {
	v := Verifier{NoPrefetch: true, Resolver: dnstest.MustParse(`{"_dmarc.a.bank.example": {"TXT": [["v=DMARC1; p=reject"]]}, "_dmarc.bank.example": {"error": "servfail"}}`)}
	r := v.Verify(context.Background(), authorOf(t, "u@a.bank.example"),
		DKIMIdentifier(authres.Fail, "bank.example", "s"), DKIMIdentifier(authres.Fail, "x.bank.example", "s"), DKIMIdentifier(authres.Pass, "bank.example.", "s"))
	require.Equal(t, authres.Fail, r.Status, "%v", r.Err)
	require.ErrorIs(t, r.Err, ErrNotAuthenticated)
	require.Equal(t, AlignmentUnknown, r.Identifiers[0].Why)
	require.Equal(t, Alignment{Identifier: r.Identifiers[1].Identifier, Mode: Relaxed, Why: AlignmentUnneeded}, r.Identifiers[1])
	require.Equal(t, BadDomain, r.Identifiers[2].Why)
	require.Equal(t, "bank.example.", r.Identifiers[2].Domain(), "as it was given")
}

// A question is asked once, also where a domain is its own organization.
func TestOwnOrganization(t *testing.T) {
	v := Verifier{Resolver: dnstest.MustParse(bankZone), Method: PublicSuffixList}
	o := v.OrganizationalDomain(context.Background(), "bank.example")
	require.Equal(t, []Query{{Name: "_dmarc.bank.example.", Type: dnsutil.TypeTXT, Outcome: FoundRecord, Record: "v=DMARC1; p=reject"}}, o.Queries)
}

// Of a record beyond the limits an operator is told, too.
func TestLimitDiagnostic(t *testing.T) {
	v := Verifier{Resolver: dnstest.MustParse(overLimit(manyTags(MaxTags)) + "\n")}
	r := v.Verify(context.Background(), authorOf(t, "u@bank.example"))
	require.ErrorIs(t, r.Err, ErrRecordLimit)
	require.Equal(t, []Diagnostic{{Kind: BadRecord, Domain: "bank.example"}}, r.Diagnostics)
}

// What each question found is told by its name.
func TestOutcomes(t *testing.T) {
	v := Verifier{Resolver: dnstest.MustParse(`{"_dmarc.c.b.a.bank.example": {"TXT": [["v=DMARC1; p=none; p=none"]]}, "_dmarc.b.a.bank.example": {"TXT": [["v=DMARC1"], ["v=DMARC1"]]}, "_dmarc.a.bank.example": {},
		"_dmarc.bank.example": {"TXT": [["v=DMARC1; p=none; np=reject"]]}, "_dmarc.example": {"error": "servfail"}}`)}
	outcomes := func(r Result) (out []Outcome) {
		for _, q := range r.Queries {
			out = append(out, q.Outcome)
		}
		return out
	}
	author := authorOf(t, "u@c.b.a.bank.example")
	walk := []Outcome{FoundBad, FoundSeveral, FoundNone, FoundRecord, FoundError}
	require.Equal(t, append(walk, FoundNXDomain), outcomes(v.Verify(context.Background(), author)))
	v.Resolver = v.Resolver.(*dnstest.Zone).WithFault("c.b.a.bank.example", dnsutil.TypeA, dnsutil.ErrServFail)
	r := v.Verify(context.Background(), author, DKIMIdentifier(authres.Pass, "bank.example", "s"))
	require.Equal(t, append(walk[:5:5], FoundError), outcomes(r))
	require.Equal(t, authres.Pass, r.Status)
	require.Contains(t, r.Diagnostics, Diagnostic{Kind: LookupFailed, Domain: "c.b.a.bank.example"})
	v.Resolver = dnstest.MustParse(overLimit(manyTags(MaxTags)) + "\n")
	require.Equal(t, []Outcome{FoundBad, FoundNXDomain}, outcomes(v.Verify(context.Background(), authorOf(t, "u@bank.example"))))
}

func TestWhy(t *testing.T) {
	v := Verifier{Resolver: dnstest.MustParse(`_dmarc.bank.example. TXT "v=DMARC1; p=reject; adkim=s"`)}
	r := v.Verify(context.Background(), authorOf(t, "u@bank.example"),
		DKIMIdentifier(authres.Pass, "a.bank.example", "s"), DKIMIdentifier(authres.Pass, "bank.example", "s"), SPFIdentifier(authres.Pass, "a.bank.example"),
		SPFIdentifier(authres.Pass, "attack.example"), SPFIdentifier(authres.Pass, ""))
	var why []Why
	for _, a := range r.Identifiers {
		why = append(why, a.Why)
	}
	require.Equal(t, []Why{StrictMismatch, SameDomain, SameOrganization, OtherOrganization, BadDomain}, why)
}

// A result that is an error is not told that other questions failed, too: they may be why.
func TestLookupFailed(t *testing.T) {
	for zone, want := range map[string][]Diagnostic{
		`{"_dmarc.bank.example": {"error": "servfail"}, "_dmarc.example": {"error": "servfail"}}`:                                                nil,
		`{"_dmarc.bank.example": {"TXT": [["v=DMARC1; p=reject"]]}, "_dmarc.example": {"error": "servfail"}}`:                                    {{Kind: LookupFailed, Domain: "example"}},
		`{"_dmarc.bank.example": {"TXT": [["v=DMARC1;` + strings.Repeat(" ", MaxRecordLength) + `"]]}, "_dmarc.example": {"error": "servfail"}}`: {{Kind: BadRecord, Domain: "bank.example"}},
	} {
		v := Verifier{Resolver: dnstest.MustParse(zone)}
		require.Equal(t, want, v.Verify(context.Background(), authorOf(t, "u@bank.example")).Diagnostics, zone)
	}
}

// The policy is certain, the organization is not.
func TestUncertainOrganization(t *testing.T) {
	v := Verifier{Resolver: dnstest.MustParse(`{"_dmarc.a.bank.example": {"TXT": [["v=DMARC1; p=reject"]]}, "_dmarc.bank.example": {"error": "servfail"}}`)}
	o := v.OrganizationalDomain(context.Background(), "a.bank.example")
	require.Equal(t, authres.TempError, o.Status)
	require.ErrorIs(t, o.Err, ErrDNS)
	require.Equal(t, []string{"", "a.bank.example"}, []string{o.OrganizationalDomain, o.PolicyDomain})
}

// The record of an organization that was asked for first, as that of another author.
func TestFirstAuthorIsOrganization(t *testing.T) {
	for zone, tld := range map[string]string{`{"TXT": [["v=DMARC1; p=none; psd=y"]]}`: "a PSD above", `{"error": "servfail"}`: "an error above"} {
		v := Verifier{Resolver: dnstest.MustParse(`{"_dmarc.bank.example": {"TXT": [["v=DMARC1; p=quarantine; sp=none; np=reject"]]}, "_dmarc.example": ` + zone + `}`)}
		a := AuthorOptions{SeveralDomains: true}.read("u@bank.example, u@a.bank.example")
		require.NoError(t, a.Err())
		r := v.Verify(context.Background(), a)
		require.Len(t, r.Each, 2, tld)
		require.Equal(t, []string{"bank.example", "bank.example"}, []string{r.Each[0].PolicyDomain, r.Each[1].PolicyDomain}, tld)
		require.Equal(t, []Policy{PolicyQuarantine, PolicyReject}, []Policy{r.Each[0].Policy, r.Each[1].Policy}, tld)
	}
}
