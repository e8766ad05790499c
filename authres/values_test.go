package authres

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPropertyValues has what stands behind the "=" of a property, and what it is read as
// by Parse; "" if it is no pvalue (RFC 8601, section 2.2).
func TestPropertyValues(t *testing.T) {
	for in, want := range map[string]string{
		"a@b.example":           "a@b.example",
		"@b.example":            "@b.example",
		"a.b@c.example":         "a.b@c.example",
		".a@b.example":          "",
		"a.@b.example":          "",
		"a..b@c.example":        "",
		".@b.example":           "",
		"a@b":                   "",
		"a@.b.example":          "",
		"a@b..example":          "",
		"a@b.example.":          "",
		"a@b-.example":          "",
		"a@-b.example":          "",
		"a@b.example-":          "",
		"a@b_c.example":         "",
		"a@b-c.example":         "a@b-c.example",
		"a@b@c.example":         "",
		"a@b.example@":          "",
		`"a b"@c.example`:       `"a b"@c.example`,
		`"a"."b"@c.example`:     `"a"."b"@c.example`,
		`"a".b@c.example`:       `"a".b@c.example`,
		`a."b"@c.example`:       `a."b"@c.example`,
		`"a"`:                   "a",
		`"a"."b"`:               "",
		`"a". b c.example`:      "",
		`"a" b@c.example`:       "",
		`"a"@c.example,x`:       "",
		`"a"@c.example"x"`:      "",
		"a . b@c.example":       "a.b@c.example",
		"a .b@c.example":        "a.b@c.example",
		"a. b@c.example":        "a.b@c.example",
		"a.(x)b@c.example":      "a.b@c.example",
		"a.b (x) @c.example":    "a.b@c.example",
		"a.b@ c.example":        "",
		"a. @c.example":         "",
		"a b@c.example":         "",
		"a.":                    "a.",
		"a.b.":                  "a.b.",
		"a. \"b\"":              "",
		"a. b. (x)c@d.example":  "a.b.c@d.example",
		"j\u00f6rg@b.example":   "j\u00f6rg@b.example",
		"j\u00f6rg@b..example":  "",
		"\u00fc.example":        "\u00fc.example",
		"\u00fc":                "",
		"a\xff@b.example":       "",
		"\"a\r\n b\"@c.example": `"a b"@c.example`,
		"'":                     "'",
	} {
		for _, end := range []string{"", " ", " (c)", "; spf=pass", " ; spf=pass", " smtp.helo=x"} {
			h, err := Parse("mx; spf=fail smtp.mailfrom=" + in + end)
			if want == "" {
				require.ErrorIs(t, err, ErrSyntax, "%q", in+end)
				continue
			}
			require.NoError(t, err, "%q", in+end)
			require.Equal(t, want, h.Results[0].Properties[0].Value, "%q", in+end)
			require.Len(t, h.Results, 1+strings.Count(end, ";"))
		}
	}
}

// What is written unquoted is read back as it was, and is no more than it has to be.
func TestWrittenValues(t *testing.T) {
	for value, want := range map[string]string{
		"a@b.example":    "a@b.example",
		"@b.example":     "@b.example",
		".a@b.example":   `".a@b.example"`,
		"a.@b.example":   `"a.@b.example"`,
		"a..b@c.example": `"a..b@c.example"`,
		"a@b-.example":   `"a@b-.example"`,
		"a@b..example":   `"a@b..example"`,
		"a@b":            `"a@b"`,
		"'a@b.example":   `"'a@b.example"`,
		"a'b@c.example":  `"a'b@c.example"`,
		"'":              `"'"`,
		"":               `""`,
	} {
		h := header("mx", result("spf", Fail, "smtp", "mailfrom", value))
		require.Equal(t, "mx; spf=fail smtp.mailfrom="+want, h.String())
		back, err := Parse(h.String())
		require.NoError(t, err)
		require.Equal(t, value, back.Results[0].Properties[0].Value)
	}
}

// Versions of methods are decimal, and none is version 1.
func TestMethodVersions(t *testing.T) {
	for in, want := range map[string]int{"dkim": 1, "dkim/1": 1, "dkim/9": 9, "dkim/12": 12, "dkim/0123": 123, "dkim/999999999": 999999999} {
		h, err := Parse("mx; " + in + "=pass")
		require.NoError(t, err, in)
		require.Equal(t, want, h.Results[0].Version, in)
		again, err := Parse(h.String())
		require.NoError(t, err)
		require.Equal(t, h, again)
	}
	// Zero is 1 in what somebody has put together, also to Find.
	require.Len(t, Header{Results: []Result{{Method: "dkim", Status: Pass}}}.Find("dkim"), 1)
	require.Empty(t, Header{Results: []Result{{Method: "dkim", Status: Pass, Version: -1}}}.Find("dkim"))
	require.Empty(t, Header{Results: []Result{{Method: "dkim", Status: Pass, Version: 2}}}.Find("dkim"))
}

// A bare line feed is found wherever it stands, also in front.
func TestLenientLineEnds(t *testing.T) {
	for in, at := range map[string]int{"\n mx; none": 0, "mx;\n none": 3, "mx;\r\n none\n (x)": 10, "mx; none": -1, "mx;\r\n none": -1, "mx; none\n": -1} {
		_, findings, err := ParseLenient(in)
		require.NoError(t, err, "%q", in)
		if at < 0 {
			require.Empty(t, findings, "%q", in)
		} else {
			require.Equal(t, []Finding{{WarnLineEnd, at}}, findings, "%q", in)
		}
	}
}

// Tags of signatures stay unique however many are the same.
func TestSignatureTagsOfMany(t *testing.T) {
	var in []string
	for range 6 {
		in = append(in, "aaaaaaaaaaaa")
	}
	in = append(in, "zzzzzzzzX1", "zzzzzzzzX2")
	require.Equal(t, []string{"zzzzzzzzX1", "zzzzzzzzX2"}, SignatureTags(in)[6:])
	require.Equal(t, "aaaaaaaa", SignatureTags(in)[0])
}

// Every error wraps a constant, and none comes with a Header.
func TestErrorsHaveCodes(t *testing.T) {
	for _, in := range []string{"", "mx", "mx 2; none", "mx;;", "mx" + strings.Repeat("; a=b", 65), strings.Repeat("x", MaxLength+1), "mx; a=b" + strings.Repeat(" a.b=c", 17)} {
		h, err := Parse(in)
		var e Error
		require.True(t, errors.As(err, &e))
		require.NotEmpty(t, e.Code())
		require.Equal(t, Header{}, h)
	}
}
