package spf

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
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
