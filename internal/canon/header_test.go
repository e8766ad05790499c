package canon

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	abc "github.com/seed2385d973/mailauth/internal/alphabet"
)

// relaxField canonicalizes name ":" value.
func relaxField(name, value string) string {
	dst := AppendRelaxedName([]byte("before"), name)
	start := len(dst)
	dst = TrimSpace(AppendRelaxedValue(dst, value, start), start)
	return strings.TrimPrefix(string(dst), "before")
}

func TestRelaxedField(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"A", " X", "a:X"}, // RFC 6376, section 3.4.5
		{"B ", " Y\t\r\n\tZ  ", "b:Y Z"},
		{"SUBJect", " AbC", "subject:AbC"},
		{"Subject", "\r\n ", "subject:"}, // DKC-16
		{"Subject", "", "subject:"},
		{"From\t \t", "x", "from:x"}, // MSG-11
		{"From\r\n ", " x", "from:x"},
		{"X", "a\r\n b", "x:a b"},
		{"X", " \r\n \r\n\tb \r\n ", "x:b"},
		{"X", "a\nb\rc", "x:a\nb\rc"}, // bare: octets as others
		{"X", "\xff\xfe", "x:\xff\xfe"},
		{"ÄX", "Ä", "Äx:Ä"},
		{" X", "a", " x:a"},
	} {
		require.Equal(t, c.want, relaxField(c.name, c.value), "%q", c.name+":"+c.value)
	}
}

func TestP5FieldExhaustive(t *testing.T) {
	each("\r\n \tA\x00", 6, func(s string) {
		for _, pad := range []string{"", "0123456", "0123456789abcde"} {
			v := pad + s + pad
			want := referenceRelaxedField("N:" + v)
			if strings.HasSuffix(v, "\r\n") {
				continue // the reference takes it for the line end
			}
			if got := relaxField("N", v); got != want {
				t.Fatalf("%q: want %q, got %q", v, want, got)
			}
		}
		if want, got := referenceRelaxedField(s+":"), relaxField(s, ""); got != want {
			t.Fatalf("%q: want %q, got %q", s, want, got)
		}
	})
}

// A value appended in parts is the value appended at once, wherever it is cut
// but within a CRLF.
func TestRelaxedValueInParts(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	parts := []string{" ", "\t", "\r\n ", "\r\n\t", "b=abc", ";", "a longer value without much", "\x00"}
	for range 2000 {
		var v string
		for range r.IntN(8) {
			v += strings.Repeat(parts[r.IntN(len(parts))], 1+r.IntN(3))
		}
		i := r.IntN(len(v) + 1)
		if i > 0 && v[i-1] == '\r' {
			continue
		}
		dst := AppendRelaxedValue(nil, v[:i], 0)
		dst = AppendRelaxedValue(dst, v[i:], 0)
		require.Equal(t, relaxField("", v), ":"+string(TrimSpace(dst, 0)), "%q at %d", v, i)
	}
}

func TestPlain(t *testing.T) {
	for c := range 256 {
		for n := range 20 {
			for i := range n {
				b := []byte(strings.Repeat("x", n))
				b[i] = byte(c)
				require.Equal(t, ' ' <= c && c <= '~', Plain(string(b)), "%q", b)
			}
		}
	}
	require.True(t, Plain(""))
	require.True(t, Plain(" !~ !~ !~ !~ !~ !~"))
}

// FuzzField is F6: the relaxed form of a field is what the reference says, its own
// relaxed form, and the same however the field is folded. The simple form is the
// field, which has no code of its own to test.
func FuzzField(f *testing.F) {
	a := append(abc.Body(), ":", "From", "SUBJECT", "\r\n ", "\r\n\t")
	for _, s := range []string{
		"A: X", "B : Y\t\r\n\tZ  ", "Subject:\r\n \r\n ", "From\x00: a", "X-A: \xff\xfe", "X: a\r\r\n\n b", "From : <ceo@evil.example>", "Fr\u043em: x", "X-A: b\nFrom: <ceo@evil.example>",
		"DKIM-Signature :\r\n b = abc\r\n\t; d=x ", ":", " : ", "Subject: =?utf-8?Q?a?=\r\n =?utf-8?Q?b?=",
	} {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		s := a.Text(data, folded)
		name, value, ok := strings.Cut(s, ":")
		if !ok {
			return
		}
		got := relaxField(name, value)
		if !strings.HasSuffix(value, "\r\n") {
			require.Equal(t, referenceRelaxedField(s), got)
		}
		if strings.Contains(got, "\r\n") {
			return // of bare CRs and LFs; not in a field, where a fold has white space
		}
		n, v, _ := strings.Cut(got, ":")
		require.Equal(t, got, relaxField(n, v), "not idempotent")
		// Folding anew changes nothing.
		require.Equal(t, got, relaxField(name, strings.ReplaceAll(value, " ", "\r\n\t")), "not invariant")
	})
}
