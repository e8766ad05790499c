package sig

import (
	"bytes"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each octet of a text is looked at.
func TestIsASCII(t *testing.T) {
	for n := range 40 {
		require.True(t, isASCII(strings.Repeat("\x7f", n)))
		for i := range n {
			b := []byte(strings.Repeat("a", n))
			b[i] = 0x80
			require.False(t, isASCII(string(b)), "%d of %d", i, n)
		}
	}
}

func TestWords(t *testing.T) {
	for _, s := range []string{"a", "Z", "a1", "a-b", "a--b", "a-1", "x-y-z9"} {
		require.True(t, isHyphenated(s), s)
	}
	for _, s := range []string{"", "1", "1a", "-", "-a", "a-", "a!b", "a_b", "a b", "a.b", "*", "a/b", "a:b", "a\x00b", "\u00e9", "a1-"} {
		require.False(t, isHyphenated(s), s)
	}
	for _, s := range []string{"a", "!", "~", "a=b", "a.b"} {
		require.True(t, IsFieldName(s), s)
	}
	for _, s := range []string{"", "a:", "a;b", "a b", "a\x7f", "\x1f", "a\x00", "\u00e9"} {
		require.False(t, IsFieldName(s), s)
	}
}

// DER has one length for each content, in its shortest form.
func TestElement(t *testing.T) {
	body := func(n int) []byte { return bytes.Repeat([]byte{7}, n) }
	for _, c := range []struct {
		head []byte
		n    int // octets that follow
		want int // of the body; negative: refused
	}{
		{[]byte{0x30, 0}, 0, 0},
		{[]byte{0x30, 1}, 3, 1},
		{[]byte{0x30, 0x7f}, 127, 127},
		{[]byte{0x30, 0x81, 0x80}, 128, 128},
		{[]byte{0x30, 0x82, 1, 0}, 256, 256},
		{[]byte{0x30, 0x83, 1, 0, 0}, 65536, 65536},
		{[]byte{0x30, 0x80}, 128, -1}, // indefinite
		{[]byte{0x30, 0x80}, 0, -1},
		{[]byte{0x30, 0x81, 0x7f}, 127, -1}, // not the shortest
		{[]byte{0x30, 0x82, 0, 0x80}, 128, -1},
		{[]byte{0x30, 0x83, 0, 1, 0}, 256, -1},
		{[]byte{0x30, 0x84, 1, 0, 0, 0}, 1 << 24, -1}, // longer than any key
		{[]byte{0x30, 0xff}, 256, -1},
		{[]byte{0x30, 2}, 1, -1},
		{[]byte{0x30, 0x82, 1}, 0, -1},
		{[]byte{0x31, 0}, 0, -1}, // another tag
		{[]byte{0x30}, 0, -1},
		{nil, 0, -1},
	} {
		got, rest, ok := element(append(c.head, body(c.n)...), 0x30)
		require.Equal(t, c.want >= 0, ok, "%x", c.head)
		if ok {
			require.Len(t, got, c.want)
			require.Len(t, rest, c.n-c.want)
		}
	}
}

// A number just under the prime is a point's, whichever octet makes it smaller.
func TestEd25519UnderThePrime(t *testing.T) {
	for i := 1; i < 32; i++ {
		key := bytes.Repeat([]byte{0xff}, 32)
		key[0], key[31] = 0xed, 0x7f
		require.NotEmpty(t, checkEd25519(key))
		key[i]--
		require.Empty(t, checkEd25519(key), i)
	}
}

// What has no number is no key to sign with.
func TestAlgorithmOfNothing(t *testing.T) {
	for _, k := range []*rsa.PublicKey{nil, {}, {E: 3}, {N: new(big.Int), E: 3}, {N: big.NewInt(-5), E: 3}, {N: big.NewInt(5)}, {N: big.NewInt(5), E: -3}} {
		_, err := AlgorithmOf(k)
		require.ErrorIs(t, err, ErrKeyUnsafe)
	}
	_, err := AlgorithmOf(nil)
	require.ErrorIs(t, err, ErrKeyType)
}

// Words of a list in a key record count also where they say the same again.
func TestRecordListLimit(t *testing.T) {
	for n, want := range map[int]error{MaxNames: ErrKeyRevoked, MaxNames + 1: ErrKeySyntax} {
		_, err := ParseRecord("p=; t=y"+strings.Repeat(":y", n-1), Bounds{})
		require.ErrorIs(t, err, want)
	}
}

// No line of folded base64 is blank or longer than it may be, and nothing is lost.
func TestFoldDataOfEachLength(t *testing.T) {
	for col := 1; col < 90; col++ {
		head := "X: a\r\n\t" + strings.Repeat("h", col)
		for n := 1; n < 320; n++ {
			data := strings.Repeat("d", n)
			folded := FoldData(head, data)
			require.Equal(t, data, strings.ReplaceAll(folded, "\r\n\t ", ""))
			for i, line := range strings.Split(head+folded, "\r\n") {
				require.NotEmpty(t, strings.TrimSpace(line))
				require.True(t, len(line) <= foldAt || i == 1 && col > foldAt-10, "%d: %q", col, line)
			}
		}
	}
}

// A list is folded before a line gets too long, whatever the length of its items.
func TestWriteFieldOfEachLength(t *testing.T) {
	for n := 1; n < 70; n++ {
		for col := range 12 {
			list := strings.TrimSuffix(strings.Repeat(strings.Repeat("n", n)+":", 40), ":")
			field := WriteField("X", []TagText{{Name: "a" + strings.Repeat("a", col), Value: "1"}, {Name: "h", Value: list, Fold: ":"}, {Name: "b", Value: "0"}})
			for line := range strings.SplitSeq(strings.TrimSuffix(field, "\r\n"), "\r\n") {
				require.LessOrEqual(t, len(line), foldAt, "%d: %q", n, line)
				require.NotEmpty(t, strings.TrimSpace(line))
			}
			require.Contains(t, strings.NewReplacer("\r\n\t ", "", "\r\n\t", " ").Replace(field), "h="+list+";")
		}
	}
}
