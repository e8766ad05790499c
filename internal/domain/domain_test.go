package domain

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/alphabet"
)

func TestParse(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	long253 := label63 + "." + label63 + "." + label63 + "." + strings.Repeat("b", 61)
	for _, c := range []struct {
		name, in, want string
		err            error
	}{
		{"plain", "bank.example", "bank.example", nil},
		{"case", "BANK.Example", "bank.example", nil},
		{"single label", "localhost", "localhost", nil},
		{"digits first", "1.2.3.example", "1.2.3.example", nil},
		{"A-label kept", "xn--bcher-kva.example", "xn--bcher-kva.example", nil},
		{"IDNA2003 A-label kept", "xn--i-7iq.ws", "xn--i-7iq.ws", nil},
		{"U-label", "bücher.example", "xn--bcher-kva.example", nil},
		{"U-label upper", "BÜCHER.example", "xn--bcher-kva.example", nil},
		{"label 63", label63 + ".example", label63 + ".example", nil},
		{"name 253", long253, long253, nil},
		{"empty", "", "", ErrEmpty},
		{"label 64", label63 + "a.example", "", ErrLength},
		{"name 254", long253 + "b", "", ErrLength},
		{"megabyte", strings.Repeat("é", 1<<20), "", ErrLength},
		{"final dot", "bank.example.", "", ErrLabel},
		{"double dot", "bank..example", "", ErrLabel},
		{"leading dot", ".bank.example", "", ErrLabel},
		{"only dot", ".", "", ErrLabel},
		{"underscore", "_bank.example", "", ErrChar},
		{"space", "bank .example", "", ErrChar},
		{"tab", "bank.example\t", "", ErrChar},
		{"NUL", "bank.example\x00.attack.example", "", ErrChar},
		{"percent", "bank%2eexample", "", ErrChar},
		{"quote", "bank.example'a.attack.example", "", ErrChar},
		{"hyphen first", "-a.example", "", ErrHyphen},
		{"hyphen last", "a-.example", "", ErrHyphen},
		{"address", "192.0.2.1", "", ErrAddress},
		{"number", "42", "", ErrAddress},
		{"em space", "ba\u2003nk.example", "", ErrIDNA},
		{"no-break space", "bank\u00a0.example", "", ErrIDNA},
		{"next line", "bank\u0085.example", "", ErrIDNA},
		{"zero width space", "ba\u200bnk.example", "", ErrIDNA},
		{"zero width joiner", "ba\u200dnk.example", "", ErrIDNA},
		{"soft hyphen", "ba\u00adnk.example", "", ErrIDNA},
		{"ideographic stop", "bank\u3002example", "", ErrIDNA},
		{"fullwidth", "ｂank.example", "", ErrIDNA},
		{"Kelvin sign", "ban\u212a.example", "", ErrIDNA},
		{"dotted capital I", "\u0130bank.example", "", ErrIDNA},
		{"invalid UTF-8", "b\xff.example", "", ErrChar},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := Parse(c.in)
			require.Equal(t, c.err, err)
			require.Equal(t, c.want, n.String())
			if err == nil {
				again, err := Parse(n.String())
				require.NoError(t, err)
				require.Equal(t, n, again)
			}
		})
	}
}

func TestParseQueryAndSelector(t *testing.T) {
	ok := []string{"_dmarc.bank.example", "user+tag._spf.bank.example", "4.3.2.1.in-addr.arpa", "a.", "-x.example", "*.example", "foo:bar/baz.example", "a b.example", "a$b@c.example"}
	for _, s := range ok {
		_, err := ParseQuery(s)
		require.NoError(t, err, s)
	}
	for _, s := range []string{"", ".", "a..b", "a\tb", "a(b", "a\\b", "a;b", "a,b", "a<b", "a[b", "a\"b", "ä.example", "a\x00", "a\x7f"} {
		_, err := ParseQuery(s)
		require.Error(t, err, s)
	}
	for _, s := range []string{"sel", "_sel", "2026", "a.b", "SEL"} {
		_, err := ParseSelector(s)
		require.NoError(t, err, s)
	}
	for _, s := range []string{"*", "sel.", ".sel", "a..b", `sel\.x`, `sel\046x`, "sel#", "sel%00", strings.Repeat("a", 64)} {
		_, err := ParseSelector(s)
		require.Error(t, err, s)
	}
}

func TestRelations(t *testing.T) {
	n := func(s string) Name { m, err := Parse(s); require.NoError(t, err); return m }
	a := n("a.b.example")
	require.Equal(t, 3, a.Labels())
	require.Equal(t, 0, Name{}.Labels())
	require.Equal(t, n("b.example"), a.Parent())
	require.True(t, n("example").Parent().IsZero())
	require.Equal(t, n("b.example"), a.Last(2))
	require.Equal(t, a, a.Last(3))
	require.Equal(t, a, a.Last(9))
	require.True(t, a.Last(0).IsZero())
	require.True(t, a.IsBelow(n("b.example")))
	require.False(t, a.IsBelow(a))
	require.False(t, n("xb.example").IsBelow(n("b.example")))
	require.False(t, a.IsBelow(Name{}))
	require.True(t, a.IsWithin(a))
	require.False(t, Name{}.IsWithin(Name{}))
	q, err := a.Prepend("_dmarc")
	require.NoError(t, err)
	require.Equal(t, "_dmarc.a.b.example.", q.Absolute())
	_, err = n(strings.Repeat("a.", 120) + "example").Prepend("_dmarc")
	require.Equal(t, ErrLength, err)
}

// FuzzParse is F21: the normalized name is its own normalized form, letters, digits
// and hyphens, and nothing of the input was deleted to come by it.
func FuzzParse(f *testing.F) {
	a := alphabet.Domain()
	for _, s := range []string{
		"bank.example", "bücher.example", "ba\u200bnk.example", "a..b", "ban\u212a.example", "xn--a.example", "ba\u2003nk.example", "bank\u3002example", "ba\u00adnk.example", "fa\u00df.example", "xn--bcher-kva.example",
		"_x.example", "*.example", "a-.example", "192.0.2.1", "a.1", "bank.example.", "bank.example\x00", "\uff42ank.example", "a\u0308.example", "\u05d0b.example", "xn--.example", "XN--BCHER-KVA.example",
	} {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		s := a.Text(data, folded)
		for _, parse := range []func(string) (Name, error){ParseASCII, ParseSelector} {
			if n, err := parse(s); err == nil && isASCII(s) {
				require.Equal(t, strings.ToLower(s), n.String(), "changed beyond the case of letters")
			}
		}
		if n, err := ParseQuery(s); err == nil {
			require.Equal(t, strings.TrimSuffix(strings.ToLower(s), "."), n.String())
			again, err := ParseQuery(n.String())
			require.NoError(t, err)
			require.Equal(t, n, again)
		}
		n, err := Parse(s)
		if err != nil {
			require.True(t, n.IsZero())
			return
		}
		again, err := ParseASCII(n.String())
		require.NoError(t, err)
		require.Equal(t, n, again)
		for _, c := range []byte(n.String()) {
			require.True(t, 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.', "%q", n)
		}
		// Nothing is deleted: as many labels and at least as many runes as the input.
		require.Equal(t, strings.Count(s, ".")+1, n.Labels())
		require.GreaterOrEqual(t, len(n.String()), len([]rune(s)))
	})
}
