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
		{"AR-09/v-comment", "mx (c) 1 (d); dkim=pass", "dkim=pass", nil},
		{"AR-09/v-fraction", "mx 1.0; dkim=pass", "", ErrSyntax},
		{"AR-09/v-glued", "mx 1dkim=pass", "", ErrSyntax},
		{"AR-09/v-twice", "mx 1(c)2; none", "", ErrSyntax},
		{"AR-09/method-v0", "mx; dkim/0=pass", "", ErrSyntax},
		{"AR-09/method-v01", "mx; dkim / 01 = pass", "dkim=pass", nil},
		{"AR-09/method-v-none", "mx; dkim/=pass", "", ErrSyntax},
		{"AR-09/method-v-big", "mx; dkim/99999999999=pass", "", ErrSyntax},
		{"AR-16/id-empty", "\"\"; dkim=pass", "", ErrAuthservID},
		{"AR-16/id-comment", "(mx); dkim=pass", "", ErrSyntax},
		{"AR-16/id-address", "a@mx.example; none", "", ErrSyntax},
		{"AR-16/none-is-a-method", "mx; none=pass", "none=pass", nil},
		{"AR-16/none-semi", "mx; none;", "", ErrSyntax},
		{"AR-05/reason-semi", "mx; spf=fail reason=\"x; dkim=pass\"", "spf=fail", nil},
		{"AR-05/reason-escaped-end", "mx; spf=fail reason=\"x\\\"; dkim=pass", "", ErrSyntax},
		{"AR-05/reason-late", "mx; spf=fail smtp.helo=b reason=ok", "", ErrSyntax},
		{"AR-05/two-reasons", "mx; spf=fail reason=a reason=b", "", ErrSyntax},
		{"AR-03/two-at", "mx; spf=fail smtp.mailfrom=a@b@c.example", "", ErrSyntax},
		{"AR-03/angle", "mx; spf=fail smtp.mailfrom=<a@b.example>", "", ErrSyntax},
		{"AR-03/glued-props", "mx; spf=fail smtp.helo=\"a\"smtp.mailfrom=b", "", ErrSyntax},
		{"AR-03/comment-between", "mx; spf=fail(c)smtp.helo=a(c)smtp.mailfrom=b", "spf=fail", nil},
		{"AR-25/fold-in-domain", "mx; dkim=fail header.d=a\r\n .example", "", ErrSyntax},
		{"AR-25/empty-line", "mx; dkim=fail\r\n\r\n header.d=a", "", ErrSyntax},
		{"AR-10/zero-width", "mx; dkim=fail header.d=ba\u200bnk.example", "", ErrSyntax},
		{"AR-14/16-properties", "mx; spf=fail" + strings.Repeat(" a.b=c", 16), "spf=fail", nil},
		{"AR-14/17-properties", "mx; spf=fail" + strings.Repeat(" a.b=c", 17), "", ErrProperties},
		{"AR-14/32-KiB", "mx; spf=fail a.b=" + strings.Repeat("x", MaxLength-17), "spf=fail", nil},
		{"AR-14/over-32-KiB", "mx; spf=fail a.b=" + strings.Repeat("x", MaxLength-16), "", ErrLength},
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
