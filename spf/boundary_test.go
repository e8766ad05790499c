package spf

import (
	"testing"

	"github.com/stretchr/testify/require"
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
