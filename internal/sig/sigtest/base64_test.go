package sigtest

import (
	"encoding/base64"
	"strings"

	"github.com/stretchr/testify/require"
)

// base64 spells b= and p= in ways that decoders take or do not: RFC 6376, section
// 2.10 allows white space and nothing else.
func (g *maker) base64() {
	// Both the signatures of the one key and the other key itself end in "==".
	k, published := newRSAKey("base64 b", 1064, g.key.e), newRSAKey("base64 p", 1032, g.key.e)
	require.Equal(g.t, 1, k.size()%3)
	require.Equal(g.t, 1, len(spki(published))%3)
	std := base64.StdEncoding.EncodeToString
	type spelling struct {
		id, comment string
		good        bool
		f           func(s string) string
	}
	at := func(n int, what string) func(string) string {
		return func(s string) string { return s[:n] + what + s[n:] }
	}
	spellings := []spelling{
		{"space", "", true, at(20, " ")},
		{"tab", "", true, at(20, "\t")},
		{"spaces and tabs everywhere", "", true, func(s string) string { return strings.Join(strings.Split(s, ""), " \t") }},
		{"space before the padding", "", true, func(s string) string { return strings.TrimRight(s, "=") + " = =" }},
		{"no padding", "RFC 4648, section 3.2 has it, RFC 6376 does not waive it", false, func(s string) string { return strings.TrimRight(s, "=") }},
		{"half the padding", "", false, func(s string) string { return strings.TrimSuffix(s, "=") }},
		{"more padding", "", false, func(s string) string { return s + "=" }},
		{"a group of padding", "", false, func(s string) string { return s + "====" }},
		{"bits under the padding", "another spelling of the same octets", false, func(s string) string {
			s = strings.TrimRight(s, "=")
			const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
			return s[:len(s)-1] + string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])|1]) + "=="
		}},
		{"URL alphabet", "RFC 4648, section 5", false, func(s string) string { return strings.NewReplacer("+", "-", "/", "_").Replace(s) }},
		{"padding inside", "", false, at(20, "==")},
		{"exclamation mark", "", false, at(20, "!")},
		{"full stop", "", false, at(20, ".")},
		{"NUL", "", false, at(20, "\x00")},
		{"vertical tab", "no white space of RFC 6376, section 2.8", false, at(20, "\v")},
		{"form feed", "", false, at(20, "\f")},
		{"no-break space", "", false, at(20, "\u00a0")},
		{"quoted", "", false, func(s string) string { return `"` + s + `"` }},
		{"quoted-printable", "an = written as =3D", false, func(s string) string { return strings.ReplaceAll(s, "=", "=3D") }},
		{"one character more", "", false, func(s string) string { return s + "A" }},
		{"two groups", "encodings of two texts, one after the other", false, func(s string) string { return s + "AAAA" }},
		{"comment", "", false, at(20, "(a)")},
	}
	folded := []spelling{
		{"folded", "", true, at(20, "\r\n ")},
		{"folded twice", "two folds with white space only between them are no FWS (RFC 6376, section 2.8)", false, at(20, "\r\n \r\n\t")},
		{"fold at the end", "", true, func(s string) string { return s + "\r\n " }},
	}
	for _, s := range append(spellings, folded...) {
		want := "pass"
		if !s.good {
			want = "ErrSignatureData"
		}
		switch s.id {
		case "NUL", "vertical tab", "form feed", "folded twice":
			want = "ErrTagList" // these stand in no tag-list at all
		}
		g.add(Vector{ID: "b=/" + s.id, Comment: s.comment, Algorithm: "rsa-sha256", Record: rsaRecord(spki(k)), Want: want},
			func(d []byte) string { return s.f(std(k.sign(d))) }, k.holds)
	}
	for _, s := range append(spellings, spelling{"line break", "without white space after it, it is no FWS", false, at(20, "\r\n")}) {
		want := "pass"
		if !s.good {
			want = "ErrKeySyntax"
		}
		g.add(Vector{ID: "p=/" + s.id, Comment: s.comment, Algorithm: "rsa-sha256", Record: "v=DKIM1; k=rsa; p=" + s.f(std(spki(published))), Want: want},
			b64(published.sign), published.holds)
	}
}
