package mimepart

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestParseType reads what is meant, of whatever length, in one pass.
func TestParseType(t *testing.T) {
	const many = 2 << 20 // a second look at the rest for each word would take hours
	for _, c := range []struct {
		in, typ string
		params  map[string]string
	}{
		{"Text/XML", "text/xml", nil},
		{"a/b; c=d", "a/b", map[string]string{"c": "d"}},
		{"a/b ; C = d ;e=\"f;g=h\\\"\"", "a/b", map[string]string{"c": "d", "e": "f;g=h\""}},
		{"a/b; c=d; c=e", "a/b", map[string]string{"c": "d"}},
		{"a/b; c; d=e", "a/b", map[string]string{"d": "e"}},
		{"a/b; c", "a/b", nil},
		{"a/b; c=", "a/b", map[string]string{"c": ""}},
		{"a/b; =c; d=e", "a/b", map[string]string{"d": "e"}},
		{"a/b; c=\"d", "a/b", map[string]string{"c": "d"}},
		{"a/b;;; c=d", "a/b", map[string]string{"c": "d"}},
		{"", "", nil},
		{"a/b" + strings.Repeat(";c", many) + ";d=e", "a/b", map[string]string{"d": "e"}},
		{"a/b" + strings.Repeat("; ", many) + "d=e", "a/b", map[string]string{"d": "e"}},
		{"a/b" + strings.Repeat(";c=", many/4) + ";d=e", "a/b", map[string]string{"c": "", "d": "e"}},
	} {
		typ, params := ParseType(c.in)
		require.Equal(t, c.typ, typ)
		if c.params == nil {
			require.Empty(t, params)
		} else {
			require.Equal(t, c.params, params)
		}
	}
}
