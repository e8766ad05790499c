package alphabet

import (
	"encoding/asn1"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFold(t *testing.T) {
	a := Alphabet{";", "a", "a=b", "=", "<g x=1>", "<p>", end}
	require.Equal(t, "a=b;a\xff=", a.Fold([]byte("\x02\x00\x01\xff\xff\x03")))
	require.Equal(t, "a;", a.Fold([]byte{1 + 7, 7}), "octets beyond the words begin again")
	require.Equal(t, "<g x=1><p></p>a</g>", a.Fold([]byte{6, 4, 5, 6, 1}))
	require.Equal(t, "a", a.Fold([]byte{1, 0xff}), "nothing behind an escape")
	require.Equal(t, "a", a.Text([]byte{1}, true))
	require.Equal(t, "\x01", a.Text([]byte{1}, false))
	require.LessOrEqual(t, len(a.Fold(make([]byte, 1<<20))), MaxText+8)
}

// All alphabets: an octet names each word, and a seed survives the way there and back.
func TestUnfold(t *testing.T) {
	for name, a := range map[string]Alphabet{"TagList": TagList(), "KeyRecord": KeyRecord("AAA"), "Header": Header(), "From": From(), "Body": Body(), "SPF": SPF(), "Macro": Macro(),
		"Results": Results(), "DMARC": DMARC(), "SVG": SVG(), "Report": Report(), "Mail": Mail(), "Domain": Domain()} {
		require.Less(t, len(a), escape, name)
		require.NotContains(t, a, "", name)
		nests := slices.Contains(a, end)
		require.Equal(t, name == "SVG" || name == "Report", nests)
		for _, s := range []string{"", "v=1; d=bank.example", "\x00\xff\xfe", "From: <ceo@bank.example>\r\n\r\nx", "v=spf1 a:%{d}/24 -all", `"a\"b" (c) é`} {
			if !nests || !strings.Contains(s, "<") {
				require.Equal(t, s, a.Fold(a.Unfold(s)), name)
			}
		}
	}
}

func TestDER(t *testing.T) {
	require.Equal(t, []byte{0x30, 0x05, 0x02, 0x01, 0x07, 0x05, 0x00}, DER([]byte{0x30, 0x02, 1, 7, 0x05, 0}))
	require.Equal(t, []byte{0x30, 0x81, 0x80}, DER([]byte{0x30, 0xf3, 32, 0})[:3])
	require.Equal(t, []byte{0x30, 0x01}, DER([]byte{0x30, 0xf1, 1}), "a length that lies")
	require.Equal(t, []byte{0x30, 0x03, 1, 2, 3, 0x05, 0x00}, DER([]byte{0x30, 0xf2, 0, 0xf0, 0xf0, 0x05, 0}, []byte{1, 2, 3}))
	for _, in := range []string{"", "\x30\x30\x30\x02", strings.Repeat("\x30", 1000), "\x30" + strings.Repeat("\xf3\xff\xff", 9000)} {
		out := DER([]byte(in))
		require.LessOrEqual(t, len(out), 2*MaxText)
		for len(out) > 0 {
			var v asn1.RawValue
			rest, err := asn1.Unmarshal(out, &v)
			require.NoError(t, err, "%q", in)
			out = rest
		}
	}
}
