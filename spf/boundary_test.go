package spf

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// What tells one operator, constant or word of the code from its neighbour, where
// no case about mail does: found by changing the code and seeing all tests pass.
func TestSenderBoundaries(t *testing.T) {
	for _, c := range []struct {
		in, local, host string
		err             Error
	}{
		{`""@bank.example`, `""`, "bank.example", ""},
		{`"\""@bank.example`, `"\""`, "bank.example", ""},
		{`"\\"@bank.example`, `"\\"`, "bank.example", ""},
		{`"a@b"@bank.example`, `"a@b"`, "bank.example", ""},
		{`"@bank.example`, "", "", ErrSender},
		{`"\"@bank.example`, "", "", ErrSender},
		{`""`, "", "", ErrDomain},
		{`a`, "", "", ErrDomain},
		{`@bank.example`, "postmaster", "bank.example", ""},
		// Behind a source route only a local-part that nobody could read differently.
		{`@x.example:a.b@bank.example`, "a.b", "bank.example", ""},
		{`@x.example:.a@bank.example`, "", "", ErrSender},
		{`@x.example:a.@bank.example`, "", "", ErrSender},
		{`@x.example:a..b@bank.example`, "", "", ErrSender},
		{`@x.example:` + strings.Repeat("a", 64) + `@bank.example`, strings.Repeat("a", 64), "bank.example", ""},
		{`@x.example:` + strings.Repeat("a", 65) + `@bank.example`, "", "", ErrSender},
	} {
		local, host, e := splitSender(c.in)
		require.Equal(t, c.err, e, c.in)
		if e == "" {
			require.Equal(t, []string{c.local, c.host}, []string{local, host}, c.in)
		}
	}
}

// The limits are what the documentation says, also when the constants change.
func TestLimitValues(t *testing.T) {
	require.Equal(t, []int{10, 50, 10, 4096, 512, 253, 10240, 500, 128, 1024, 2},
		[]int{maxLookups, maxQueries, maxHosts, maxExpansion, maxExplanation, maxName, maxRecord, maxTerms, maxDigits, maxRoute, DefaultMaxVoidLookups})
}

// The status of every error, said a second time: what is not here is permerror
// (RFC 7208, section 2.6).
func TestErrorStatus(t *testing.T) {
	others := map[Error]authres.Status{
		ErrNoClient: None, ErrDomain: None, ErrNoDomain: None, ErrNoRecord: None,
		ErrFail: Fail, ErrSoftFail: SoftFail, ErrNeutral: Neutral,
		ErrDNS: TempError, ErrTimeout: TempError,
	}
	permanent := []Error{ErrSender, ErrMultipleRecords, ErrInclude, ErrRedirect, ErrTarget, ErrLookups, ErrVoidLookups, ErrMX, ErrQueries, ErrExpansion,
		ErrRecordSize, ErrTerms, ErrSyntax, ErrVersion, ErrCharacter, ErrMechanism, ErrNetwork, ErrPrefixLength, ErrDomainSpec, ErrMacro, ErrDuplicate}
	for _, e := range permanent {
		others[e] = PermError
	}
	for e, want := range others {
		code, section, status := e.facts()
		require.Equal(t, want, status, code)
		require.NotEmpty(t, section, code)
	}
}

// SPF-I08: a domain of U-labels is in macros what it is in the DNS.
func TestSenderMacro(t *testing.T) {
	zone := dnstest.MustParse("xn--bcher-kva.example. TXT \"v=spf1 exists:%{o}.ok.example -all\"\nxn--bcher-kva.example.ok.example. A 127.0.0.2\n")
	v := Verifier{Resolver: zone}
	s := Session{IP: netip.MustParseAddr("192.0.2.9"), HELO: "mx.example"}
	for _, sender := range []string{"a@xn--bcher-kva.example", "a@b\u00fccher.example", "a@B\u00dcCHER.Example"} {
		s.MailFrom = sender
		r := v.MailFrom(t.Context(), s)
		require.Equal(t, Pass, r.Status, "%s: %v", sender, r.Err)
		// Also where the record is another domain's.
		v := Verifier{Resolver: dnstest.MustParse("v.example. TXT \"v=spf1 exists:%{o}.ok.example -all\"\nxn--bcher-kva.example.ok.example. A 127.0.0.2\n")}
		r = v.CheckHost(t.Context(), s, "v.example", sender)
		require.Equal(t, Pass, r.Status, "%s: %v", sender, r.Err)
	}
}

// The first record that is asked for is not one of the look-ups whose void answers count.
func TestFirstVoid(t *testing.T) {
	for zone, want := range map[string]int{
		"": 0, "v.example. A 192.0.2.9\n": 0,
		"v.example. TXT \"v=spf1 include:w.example -all\"\n": 1,
		"v.example. TXT \"v=spf1 redirect=w.example\"\n":     1,
	} {
		v := Verifier{Resolver: dnstest.MustParse(zone)}
		r := v.MailFrom(t.Context(), Session{IP: netip.MustParseAddr("192.0.2.9"), MailFrom: "a@v.example"})
		require.Equal(t, want, r.VoidLookups, "%s: %v", zone, r.Err)
	}
}

// A caller may have put something around the error of a result.
func TestWrappedError(t *testing.T) {
	r := Result{Status: PermError, Err: fmt.Errorf("spf: %w", &problem{err: ErrMX})}
	require.Equal(t, "ErrMX", r.Code())
	r.Err = errors.New("of somebody else")
	require.Equal(t, "ErrDNS", r.Code())
}

// Which errors are syntax errors too, said a second time.
func TestSyntaxErrors(t *testing.T) {
	syntax := map[Error]bool{
		ErrVersion: true, ErrCharacter: true, ErrMechanism: true, ErrNetwork: true, ErrPrefixLength: true, ErrDomainSpec: true, ErrMacro: true, ErrDuplicate: true,
		ErrSender: false, ErrMultipleRecords: false, ErrInclude: false, ErrRedirect: false, ErrTarget: false, ErrLookups: false, ErrVoidLookups: false, ErrMX: false,
		ErrQueries: false, ErrExpansion: false, ErrRecordSize: false, ErrTerms: false, ErrDNS: false, ErrTimeout: false, ErrFail: false, ErrNoRecord: false,
	}
	for e, want := range syntax {
		require.Equal(t, want, errors.Is(&problem{err: e}, ErrSyntax), e.Code())
	}
}

// An error tells the term, where it is, and what the DNS said; of a stranger's text 80 octets.
func TestErrorWording(t *testing.T) {
	z := dnstest.MustParse("v.example. TXT \"v=spf1 a -all\"\n").WithFault("v.example", dnsutil.TypeA, dnsutil.ErrRefused)
	r := (&Verifier{Resolver: z}).MailFrom(t.Context(), Session{IP: netip.MustParseAddr("192.0.2.9"), MailFrom: "a@v.example"})
	require.EqualError(t, r.Err, `DNS error: "A v.example.": DNS server answered REFUSED: A v.example.`)
	r = (&Verifier{Resolver: dnstest.MustParse("v.example. TXT \"v=spf1 foo -all\"\n")}).MailFrom(t.Context(), Session{IP: netip.MustParseAddr("192.0.2.9"), MailFrom: "a@v.example"})
	require.EqualError(t, r.Err, `unknown mechanism or malformed term: "foo" in the record of v.example`)
	require.Equal(t, `"`+strings.Repeat("x", 80)+`"`, quote(strings.Repeat("x", 80)))
	require.Equal(t, `"`+strings.Repeat("x", 80)+`"...`, quote(strings.Repeat("x", 81)))
}

func TestMailFromDomain(t *testing.T) {
	for from, want := range map[string]string{
		"a@V.Example": "v.example", "a@b\u00fccher.example": "xn--bcher-kva.example", "": "mx.h.example", "a": "", "a@": "", "a@localhost": "", "a@b@v.example": "", "a@v.example.": "", "a@[192.0.2.9]": "",
	} {
		require.Equal(t, want, Session{MailFrom: from, HELO: "mx.H.example"}.MailFromDomain(), from)
	}
	require.Empty(t, Session{HELO: "b\u00fccher.example"}.MailFromDomain())
}

func TestBreadthBoundaries(t *testing.T) {
	for term, want := range map[string]Breadth{
		"ip6:2001:db8::/63": {IPv6: 2}, "ip6:2001:db8::/64": {IPv6: 1}, "ip6:2001:db8::/65": {IPv6: 1}, "ip6:::/1": {IPv6: 1 << 63}, "ip6:::/0": {IPv6: 1<<64 - 1}, "ip6:::/1 ip6:8000::/1": {IPv6: 1<<64 - 1},
		"ip4:192.0.2.0/31": {IPv4: 2}, "ip4:0.0.0.0/0 ip4:192.0.2.0/24": {IPv4: 1 << 32}, "?ip4:192.0.2.0/24": {}, "+all": {All: true}, "-all +all": {}, "?all": {},
		// Spelt so that the quick reader leaves it to the careful one.
		"ip6:2001:db8::192.0.2.0/63": {IPv6: 2}, "~ip6:2001:db8::192.0.2.0/63": {}, "-all ip6:2001:db8::192.0.2.0/63": {},
	} {
		z := dnstest.MustParse(at("v=spf1 " + term))
		r := (&Verifier{Resolver: z}).MailFrom(t.Context(), Session{IP: netip.MustParseAddr("203.0.113.9"), MailFrom: "a@v.example"})
		require.Equal(t, want, r.Breadth, term)
	}
}

// What a sender's domain is that is none, in an explanation alone.
func TestSenderThatIsNone(t *testing.T) {
	z := dnstest.MustParse(at("v=spf1 exists:%{o}.x.example -all exp=e.example") + "e.example. TXT \"%{o} %{s}\"\n")
	s := Session{IP: netip.MustParseAddr("192.0.2.9"), HELO: "mx.h.example"}
	r := (&Verifier{Resolver: z}).CheckHost(t.Context(), s, "v.example", "a@[192.0.2.9]")
	require.Equal(t, Fail, r.Status, "%v", r.Err)
	require.Equal(t, "[192.0.2.9] a@[192.0.2.9]", r.Explanation)
}

// Two checks may share a view of the DNS; each counts what it asked first.
func TestSharedScope(t *testing.T) {
	z := dnstest.MustParse(at("v=spf1 a mx -all") + "v.example. A 203.0.113.1\nv.example. MX 1 v.example.\nmx.h.example. TXT \"v=spf1 a:v.example -all\"\n")
	session := lookup.New(t.Context(), z, lookup.Limits{})
	defer session.Close()
	v := Verifier{Resolver: session.Scope(maxQueries)}
	s := Session{IP: netip.MustParseAddr("192.0.2.9"), HELO: "mx.h.example", MailFrom: "a@v.example"}
	for _, want := range []int{3, 0} {
		r := v.MailFrom(t.Context(), s)
		require.Equal(t, Fail, r.Status, "%v", r.Err)
		require.Equal(t, want, r.Queries)
	}
	require.Equal(t, 1, v.HELO(t.Context(), s).Queries)
	require.Equal(t, []string{"TXT v.example.", "A v.example.", "MX v.example.", "TXT mx.h.example."}, session.Queries())
}

// A limit that is met on the way to the client's names is not trouble of one look-up: it
// ends the check, as it does anywhere else.
func TestLimitAtClientNames(t *testing.T) {
	names := "9.2.0.192.in-addr.arpa. PTR a.v.example.\na.v.example. A 203.0.113.1\nunknown.x.example. TXT x\n"
	for _, c := range []struct {
		record string
		max    int
		want   Error // "" for a pass
	}{
		{"ptr +all", 1, ErrQueries},
		{"ptr +all", 2, ErrQueries},
		{"ptr +all", 3, ""},
		{"exists:unknown.x.example exists:%{p}.x.example +all", 2, ErrQueries},
		{"exists:unknown.x.example exists:%{p}.x.example +all", 3, ErrQueries},
		{"exists:unknown.x.example exists:%{p}.x.example +all", 4, ""},
	} {
		session := lookup.New(t.Context(), dnstest.MustParse(at("v=spf1 "+c.record)+names), lookup.Limits{})
		v := Verifier{Resolver: session.Scope(c.max), NoPrefetch: true}
		r := v.MailFrom(t.Context(), Session{IP: netip.MustParseAddr("192.0.2.9"), HELO: "mx.h.example", MailFrom: "a@v.example"})
		session.Close()
		if c.want == "" {
			require.Equal(t, Pass, r.Status, "%s within %d: %v", c.record, c.max, r.Err)
			continue
		}
		require.ErrorIs(t, r.Err, c.want, "%s within %d", c.record, c.max)
		require.Equal(t, PermError, r.Status)
	}
}

// A MAIL FROM as long as one may be is taken apart; one octet more is none.
func TestSenderLength(t *testing.T) {
	const host = "@v.example"
	longest := strings.Repeat("a", 4*maxName+maxRoute-len(host))
	local, domain, err := splitSender(longest + host)
	require.Zero(t, err)
	require.Equal(t, longest, local)
	require.Equal(t, "v.example", domain)
	_, _, err = splitSender("a" + longest + host)
	require.Equal(t, ErrSender, err)
}
