package authres

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestThreats holds the rows of group AR that this package answers. AR-19 is
// answered by what is missing: nothing here reads Received-SPF. AR-20 belongs to
// package spf, AR-18 and AR-21 to the root.
func TestThreats(t *testing.T) {
	write := func(t *testing.T, value string) (field string, back Header) {
		t.Helper()
		h := header("mx.victim.example", result("spf", Fail, "smtp", "mailfrom", value))
		field, err := h.Field()
		require.NoError(t, err)
		requireOneField(t, field)
		back, err = Parse(strings.TrimPrefix(field, fieldName))
		require.NoError(t, err)
		require.Len(t, back.Results, 1)
		return field, back
	}
	t.Run("AR-01", func(t *testing.T) {
		for _, v := range []string{"a\r\nX-Inj: y", "u@evil.test\r\nReply-To: x@evil.test", "a\nb", "a\rb", "a\x00b", "a\x7fb", "a\tb", "\r\n", "a\r\n b"} {
			field, back := write(t, v)
			require.Empty(t, back.Results[0].Properties)
			require.NotContains(t, field, "X-Inj")
			h := header("mx", Result{Method: "a", Status: "b", Reason: v, Comment: v})
			require.Equal(t, "mx; a=b", h.String())
			require.Empty(t, header(v, result("a", "b")).String())
		}
	})
	t.Run("AR-02", func(t *testing.T) {
		v := `d\"; dkim=pass header.d=bank.example; x="`
		field, back := write(t, v)
		require.Contains(t, field, `"d\\\"; dkim=pass header.d=bank.example; x=\""`)
		require.Equal(t, v, back.Results[0].Properties[0].Value)
	})
	t.Run("AR-03", func(t *testing.T) {
		for _, v := range []string{"bank.example'a.attack.example", "a;b", "a(b", "a=b", "a b", "a/b", "a)b", "a,b", "a:b", `a\b`, `a"b`, "a<b>", "a[b]", "a?b", "'"} {
			field, back := write(t, v)
			quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
			require.Contains(t, field, "="+quoted)
			require.Equal(t, v, back.Results[0].Properties[0].Value)
		}
	})
	t.Run("AR-05", func(t *testing.T) {
		for _, v := range []string{`"x; dkim=pass header.d=bank.example; y"@attack.example`, `"x\"; dkim=pass header.d=bank.example; y"@attack.example`} {
			h, err := Parse("mx; spf=fail smtp.mailfrom=" + v)
			require.NoError(t, err)
			require.Equal(t, []Result{result("spf", Fail, "smtp", "mailfrom", v)}, h.Results)
			require.Empty(t, h.Find("dkim"))
			_, back := write(t, v)
			require.Equal(t, v, back.Results[0].Properties[0].Value)
		}
	})
	t.Run("AR-09", func(t *testing.T) {
		_, err := Parse("mx 2; dkim=pass")
		require.ErrorIs(t, err, ErrVersion)
		_, _, err = ParseLenient("mx 2; dkim=pass")
		require.ErrorIs(t, err, ErrVersion)
		for in, found := range map[string]int{"mx 1; dkim=pass": 1, "mx; dkim/1=pass": 1, "mx; dkim/9=pass": 0} {
			h, err := Parse(in)
			require.NoError(t, err)
			require.Len(t, h.Results, 1)
			require.Len(t, h.Find("dkim"), found)
		}
	})
	t.Run("AR-10", func(t *testing.T) {
		for _, v := range []string{"ba\x01nk.example", "bank\u0085.example", "ba\u200bnk.example", "bank\x00.example", "bank.example\r\n"} {
			for _, h := range []Header{header("mx", result("dkim", Fail, "header", "d", v)), international(header("mx", result("dkim", Fail, "header", "d", v)))} {
				require.Equal(t, "mx; dkim=fail", h.String())
			}
		}
	})
	t.Run("AR-12", func(t *testing.T) {
		var f fields
		for _, id := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
			f = append(f, "Authentication-Results: "+id+".example; none\r\n")
		}
		require.Equal(t, []int{1, 2, 4}, Forged(f, "2.example", "3.example", "5.example"))
		f = append(f,
			"Authentication-Results:\r\n 2.example;\r\n none\r\n",
			"Authentication-Results : 2.example; none\r\n",
			"aUTHENTICATION-rESULTS: 2.EXAMPLE; none\r\n",
			"Authentication-Results: dkim=pass header.d=bank.example\r\n",
			"Authentication-Results: 2.example; ((\r\n")
		require.Equal(t, []int{1, 2, 4, 8, 9, 10, 11, 12}, Forged(f, "2.example", "3.example", "5.example"))
	})
	t.Run("AR-13", func(t *testing.T) {
		const v = "mx.victim.example; dkim=pass ("
		_, err := Parse(v)
		require.ErrorIs(t, err, ErrSyntax)
		require.Equal(t, []int{0}, Forged(fields{"Authentication-Results: " + v + "\r\n"}, "mx.victim.example"))
	})
	t.Run("AR-14", func(t *testing.T) {
		v := "mx" + strings.Repeat("; dkim=fail header.d=x.example", 1000)
		_, err := Parse(v)
		require.ErrorIs(t, err, ErrResults)
		_, _, err = ParseLenient(v)
		require.ErrorIs(t, err, ErrResults)
		_, err = Parse("mx; dkim=fail (" + strings.Repeat("x", 1<<20) + ")")
		require.ErrorIs(t, err, ErrLength)
	})
	t.Run("AR-16", func(t *testing.T) {
		h, err := Parse("dkim=pass header.d=bank.example")
		require.ErrorIs(t, err, ErrSyntax)
		require.Equal(t, Header{}, h)
	})
	t.Run("AR-24", func(t *testing.T) {
		text := `see (http://a.example) \o/` + strings.Repeat("x", 100)
		h := header("mx", Result{Method: "spf", Version: 1, Status: Fail, Comment: text, Properties: []Property{}})
		back, err := Parse(h.String())
		require.NoError(t, err)
		require.Equal(t, h, back)
		h.Results[0].Comment = strings.Repeat("x", MaxText+1)
		require.Equal(t, "mx; spf=fail", h.String())
	})
	t.Run("AR-25", func(t *testing.T) {
		for _, v := range []string{strings.Repeat("v", 300), strings.Repeat("v w ", 75), strings.Repeat("u", 280) + "@long.attack.example"} {
			field, back := write(t, v)
			require.Equal(t, v, back.Results[0].Properties[0].Value)
			require.Contains(t, strings.ReplaceAll(field, "\r\n ", "\x00"), v, "folded inside the value")
		}
	})
}

// requireOneField is a reader that ends lines at any CR or LF: it must find one
// field, and nothing but visible ASCII, blanks and the CRLFs of folds.
func requireOneField(t testing.TB, field string) {
	t.Helper()
	body, ok := strings.CutSuffix(field, "\r\n")
	require.True(t, ok)
	require.True(t, strings.HasPrefix(body, fieldName))
	for i, line := range strings.Split(body, "\r\n") {
		require.Equal(t, i > 0, strings.HasPrefix(line, " "))
		require.NotEmpty(t, strings.TrimSpace(line), "a line of blanks ends the header for some")
		require.LessOrEqual(t, len(line), 998)
		require.False(t, strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }), "%q", line)
	}
}

// TestP12Prepend is CMP-06 and P12: a field in front of a message makes it a message
// with one field more.
func TestP12Prepend(t *testing.T) {
	const message = "From: <a@a.example>\r\nSubject: x\r\n y\r\n\r\nbody\r\n"
	split := func(m string) (names []string) {
		head, _, _ := strings.Cut(m, "\r\n\r\n")
		for _, l := range strings.Split(head, "\r\n") {
			if l[0] != ' ' {
				names = append(names, l[:strings.IndexByte(l, ':')])
			}
		}
		return names
	}
	h := header("mx.example", result("spf", Fail, "smtp", "mailfrom", "x\r\nX: y\r\n\r\nz", "smtp", "helo", strings.Repeat("h ", 100)))
	field, err := h.Field()
	require.NoError(t, err)
	require.Equal(t, append([]string{"Authentication-Results"}, split(message)...), split(field+message))
}
