package message

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestResemblesFrom has names that are none, and whether a lenient reader could take them
// for From (rows MSG-12, MSG-13 and MSG-21 of the matrix).
func TestResemblesFrom(t *testing.T) {
	for name, want := range map[string]bool{
		"From":                             true,
		"fROM":                             true,
		"F r o m":                          true,
		"Fr;o\x00m\x7f":                    true,
		"From x":                           true,
		"From\tx":                          true,
		"From\u00a0x":                      false,
		"Fromx":                            false,
		"Fro m x":                          false,
		"Fro":                              false,
		"rom":                              false,
		"":                                 false,
		" ":                                false,
		"Fra om":                           false,
		"Frz om":                           false,
		"FrA om":                           false,
		"FrZ om":                           false,
		"Fr0 om":                           false,
		"Fr9 om":                           false,
		"Fr- om":                           false,
		"Fr_ om":                           false,
		"Fr@ om":                           true,
		"Fr[ om":                           true,
		"Fr` om":                           true,
		"Fr{ om":                           true,
		"Fr/ om":                           true,
		"F\u0433\u043e\u043c":              true, // one real letter is enough
		"\u0424\u0433\u043e\u043c":         false,
		"\u0424\u0433\u043em":              true,
		"F\u0433\u043e\u043c\uff1a x":      true,
		"F\u0080om":                        true,
		"F\u0433\u043e":                    false,
		"\u0424From":                       true, // it may stand for none
		"From\u0424\u0424\u0424":           true,
		"From\uff1a <x@y.example>":         true,
		"F\u0433om\ufe13x":                 true,
		"Fr\uff1aom":                       true, // the character is dropped
		"Fr\uff1a x":                       false,
		"\uff1aFrom x y":                   false,
		"\u0424\u0433\u043e\u043c\uff1a x": false,
		"Resent-From":                      false,
		"Date x":                           false,
	} {
		require.Equal(t, want, resemblesFrom(name, false), "%q", name)
	}
	// On top it is the line of an mbox.
	require.False(t, resemblesFrom("From x", true))
	require.True(t, resemblesFrom("F rom", true))
}

// Which characters begin a line for some reader, and which look like a colon.
func TestLookAlikes(t *testing.T) {
	const ends, colons = "\v\f\x1c\x1d\x1e\u0085\u2028\u2029", "\uff1a\ufe55\ufe13\u2236\ua789"
	for c := rune(0); c < 0x11000; c++ {
		if c == '\r' || c == '\n' || c >= 0xd800 && c < 0xe000 {
			continue
		}
		found, from := lineEnds("a" + string(c) + "From: x")
		is := strings.ContainsRune(ends, c)
		if found != is || from != is || looksLikeColon(c) != strings.ContainsRune(colons, c) {
			t.Errorf("%U", c)
		}
	}
	for in, want := range map[string][2]bool{
		"a\x85From: x": {true, true},
		"a\x84From: x": {false, false},
		"a\x86From: x": {false, false},
		"\vFrom: x":    {true, true},
		"a\vFrom":      {true, false},
		"a\v: x":       {true, false},
		"a\vFrom x: y": {true, true},
		"a\vFrom x" + strings.Repeat(" ", 99) + ": y": {true, true},
		"a\vFr: om: x": {true, false},
		"a\v" + strings.Repeat("-", 99) + "From: x":   {true, false},
		"a\vb\vc\vFrom: x":                            {true, true},
		"a\vFrom x\vy: z":                             {true, true},
		"Fr\v: om: x":                                 {true, false},
		"a\x85rom: x":                                 {true, false},
		"a\vFr\vom" + strings.Repeat(" ", 57) + ": x": {true, true},
		"a\vFr\vom" + strings.Repeat(" ", 58) + ": x": {true, true},
		"a\vFr\vom" + strings.Repeat(" ", 59) + ": x": {true, false},
		"a: b\vc\vd":                                  {true, false},
	} {
		found, from := lineEnds(in)
		require.Equal(t, want, [2]bool{found, from}, "%q", in)
	}
	h := header(t, "Subject: a\u2028b\r\n")
	require.Equal(t, ControlCharacter, h.Findings()[0].Defect)
	require.NotContains(t, h.AmbiguousAuthor(), h.Findings()[0])
}

// The letters of "from" in all forms that NFKC takes for them, and what lies beside.
func TestCompatible(t *testing.T) {
	for want, forms := range map[rune]string{
		'f': "\uff26\uff46\U0001d405\U0001d41f\U0001d439\U0001d5a5\u24bb\u24d5\u24a1\U0001f115\U0001f135\u2131\u1da0",
		'r': "\uff32\uff52\U0001d411\U0001d42b\U0001d69b\u24c7\u24e1\u24ad\U0001f121\U0001f141\u211b\u211c\u211d\u02b3\u1d3f\u1d63",
		'o': "\uff2f\uff4f\U0001d40e\U0001d428\U0001d698\u24c4\u24de\u24aa\U0001f11e\U0001f13e\u00ba\u1d3c\u1d52\u2092\u2134",
		'm': "\uff2d\uff4d\U0001d40c\U0001d426\U0001d696\u24c2\u24dc\u24a8\U0001f11c\U0001f13c\u1d39\u1d50\u2098\u2133",
		'z': "\uff3a\uff5a\U0001d419\U0001d6a3\u24cf\u24e9\u24b5\U0001f129\U0001f149",
		'a': "\uff21\uff41\U0001d400\U0001d41a\u24b6\u24d0\u249c\U0001f110\U0001f130",
	} {
		for _, r := range forms {
			require.Equal(t, want, compatible(r)|0x20, "%U", r)
		}
	}
	for _, r := range "\u00a9\u0444\uff20\uff5b\U0001d3ff\U0001d6a4\u249b\u24ea\U0001f10f\U0001f12a\U0001f12f\U0001f14a\u212a" {
		require.Equal(t, r, compatible(r), "%U", r)
	}
}

// Each octet of a field's value is one of a kind, also beside others that are not plain.
func TestOctets(t *testing.T) {
	for c := range 256 {
		want := []Finding(nil)
		switch {
		case c == '\n':
			want = []Finding{{BareLF, 0}}
		case c == '\r':
			want = []Finding{{BareCR, 0}}
		case c == 0:
			want = []Finding{{NUL, 0}}
		case c < ' ' && c != '\t', c == 0x7f, c == 0x85: // 0x85 is NEL in Latin-1
			want = []Finding{{ControlCharacter, 0}}
		}
		for _, text := range []string{"X: a" + string([]byte{byte(c)}) + "b\r\n", "X: \t" + string([]byte{byte(c)}) + "\tb\r\n"} {
			h := header(t, text+"From: a@bank.example\r\n\r\n")
			require.Equal(t, want, h.Findings(), "%q", text)
		}
	}
}

// A name has printable ASCII other than the colon, and nothing else (RFC 5322, section 2.2).
func TestNameOctets(t *testing.T) {
	for c := range 256 {
		if c == ':' {
			continue
		}
		h := header(t, "a"+string([]byte{byte(c)})+"b: x\r\nFrom: a@bank.example\r\n\r\n")
		bad := false
		for _, f := range h.Findings() {
			bad = bad || f == Finding{BadFieldName, 0}
		}
		require.Equal(t, c <= ' ' || c >= 0x7f, bad, "%q", c)
	}
}
