package authres

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestVariations has other values of the classes of TestThreats, row/variation: the
// methods with their results, or why the value is none.
func TestVariations(t *testing.T) {
	for _, c := range []struct {
		id, in, want string
		err          error
	}{
		{"AR-05/semi-in-comment", "mx; dkim=fail (; spf=pass )", "dkim=fail", nil},
		{"AR-05/nested", "mx; dkim=fail (a (b;) c; spf=pass)", "dkim=fail", nil},
		{"AR-05/quote-in-comment", "mx; dkim=fail (\"a); spf=pass smtp.mailfrom=(x\")", "", ErrSyntax},
		{"AR-05/comment-escape", "mx; dkim=fail (\\); spf=pass )", "dkim=fail", nil},
		{"AR-13/unclosed-comment", "mx; dkim=fail (; spf=pass", "", ErrSyntax},
		{"AR-13/unclosed-quote", "mx; dkim=fail reason=\"; spf=pass", "", ErrSyntax},
		{"AR-05/quote-end-backslash", "mx; dkim=fail reason=\"\\\"; spf=pass", "", ErrSyntax},
		{"AR-16/dup-semi", "mx;; spf=pass", "", ErrSyntax},
		{"AR-16/no-semi", "mx spf=pass", "", ErrSyntax},
		{"AR-16/id-quoted", "\"mx; spf=pass\"; none", "", nil},
		{"AR-16/id-eq", "mx=1; spf=pass", "", ErrSyntax},
		{"AR-09/v0", "mx 0; spf=pass", "", ErrVersion},
		{"AR-09/v01", "mx 01; spf=pass", "spf=pass", nil},
		{"AR-09/v-big", "mx 99999999999999999999; spf=pass", "", ErrVersion},
		{"AR-09/v-neg", "mx -1; spf=pass", "", ErrSyntax},
		{"AR-16/none-and", "mx; none; spf=pass", "", ErrSyntax},
		{"AR-21/spf-none", "mx; spf=none", "spf=none", nil},
		{"AR-21/result-caps", "mx; spf=PASS", "spf=pass", nil},
		{"AR-09/method-ver2", "mx; dkim/2=pass", "dkim=pass", nil},
		{"AR-10/ctl", "mx; spf=pass\x01", "", ErrSyntax},
		{"AR-10/lf", "mx; spf=pass\n", "", ErrSyntax},
		{"AR-25/crlf-nows", "mx; spf=pass\r\nX: y", "", ErrSyntax},
		{"AR-25/crlf-ws", "mx;\r\n spf=pass", "spf=pass", nil},
		{"AR-10/nel", "mx; spf=fail\u0085; dkim=pass", "", ErrSyntax},
		{"AR-10/nbsp", "mx; spf\u00a0=pass", "", ErrSyntax},
		{"AR-03/prop-semi", "mx; spf=fail smtp.mailfrom=a;dkim=pass", "spf=fail dkim=pass", nil},
		{"AR-03/prop-quoted-semi", "mx; spf=fail smtp.mailfrom=\"a;dkim=pass\"", "spf=fail", nil},
		{"AR-03/prop-at", "mx; spf=fail smtp.mailfrom=@x.example", "spf=fail", nil},
		{"AR-03/prop-noval", "mx; spf=fail smtp.mailfrom=", "", ErrSyntax},
		{"AR-03/prop-nodot", "mx; spf=fail mailfrom=a", "", ErrSyntax},
		{"AR-16/trailing-semi", "mx; spf=pass;", "", ErrSyntax},
		{"AR-16/only-id", "mx", "", ErrSyntax},
		{"AR-16/only-id-semi", "mx;", "", ErrSyntax},
		{"AR-16/resinfo-empty", "mx; =pass", "", ErrSyntax},
		{"AR-16/res-eqeq", "mx; spf==pass", "", ErrSyntax},
		{"AR-14/64", "mx" + strings.Repeat("; spf=fail", 64), strings.TrimSpace(strings.Repeat("spf=fail ", 64)), nil},
		{"AR-14/65", "mx" + strings.Repeat("; spf=fail", 65), "", ErrResults},
		{"AR-14/depth17", "mx; spf=pass ((((((((((((((((()))))))))))))))))", "", ErrSyntax},
	} {
		t.Run(c.id, func(t *testing.T) {
			h, err := Parse(c.in)
			require.ErrorIs(t, err, c.err)
			if err != nil {
				require.Equal(t, Header{}, h)
			}
			var got []string
			for _, r := range h.Results {
				got = append(got, r.Method+"="+string(r.Status))
			}
			require.Equal(t, c.want, strings.Join(got, " "))
		})
	}
}
