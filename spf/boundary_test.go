package spf

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
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
