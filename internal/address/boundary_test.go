package address

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What tells one operator, constant or word of the code from its neighbour, where
// no case about mail does: found by changing the code and seeing all tests pass.
func TestBoundaries(t *testing.T) {
	require.Equal(t, []int{16, 16, 254}, []int{MaxMailboxes, MaxCommentDepth, MaxLocalPart}, "as documented")
	for _, c := range []struct {
		in, want string
		flags    Flags
		err      error
	}{
		{"\r\n\t<a@bank.example>", "bank.example", 0, nil},
		{"A\r\n\tB <a@bank.example>", "bank.example", 0, nil},
		{"A:;, a@bank.example", "bank.example", Group, nil},
		{"A:,;, a@bank.example", "bank.example", Group | Obsolete, nil},
		{"<(", "", 0, ErrComment},
		{"<\"", "", 0, ErrQuote},
		{"a@(", "", 0, ErrComment},
		{"<a@bank.example>(", "", 0, ErrComment},
		{"a@bank.example(", "", 0, ErrComment},
		{"(\x7f) a@bank.example", "", 0, ErrControl},
		{"(\x1f) a@bank.example", "", 0, ErrControl},
		{"( ~) a@bank.example", "bank.example", 0, nil},
		{list(16), strings.TrimSpace(strings.Repeat("bank.example ", 16)), 0, nil},
		{list(17), "", 0, ErrTooMany},
	} {
		got, flags, err := Parse(nil, c.in)
		require.ErrorIs(t, err, c.err, c.in)
		require.Equal(t, c.want, domains(got), c.in)
		if err == nil {
			require.Equal(t, c.flags, flags, c.in)
		}
	}
}
