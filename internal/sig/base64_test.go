package sig

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkBase64 compares with the standard library's strict decoder, which passes
// over line ends.
func checkBase64(t *testing.T, text string) {
	t.Helper()
	want, err := base64.StdEncoding.Strict().DecodeString(text)
	dst := make([]byte, decodedLen(text))
	n, ok := decodeBase64(dst, text)
	if strings.ContainsAny(text, "\r\n") {
		require.False(t, ok, "%q", text)
		return
	}
	require.Equal(t, err == nil, ok, "%q", text)
	if ok {
		require.Equal(t, want, dst[:n], "%q", text)
	}
}

func TestBase64Twin(t *testing.T) {
	for c := range 256 {
		// Each octet in each place of the first groups and of the last.
		for _, size := range []int{4, 8, 12, 16, 20, 24, 344} {
			for _, pad := range []string{"AAAA", "AAA=", "AA=="} {
				text := []byte(strings.Repeat("Zm9v", size/4-1) + pad)
				for i := range text {
					if 16 < i && i < size-16 {
						continue
					}
					kept := text[i]
					text[i] = byte(c)
					checkBase64(t, string(text))
					text[i] = kept
				}
			}
		}
	}
	r := rand.New(rand.NewPCG(8, 1))
	for size := range 700 {
		raw := make([]byte, size)
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		text := base64.StdEncoding.EncodeToString(raw)
		checkBase64(t, text)
		checkBase64(t, text+"=")
		checkBase64(t, strings.TrimRight(text, "="))
		if size > 0 {
			checkBase64(t, text[1:])
		}
	}
	for _, s := range []string{"", "=", "==", "===", "====", "A===", "A", "AA", "AAA", "AA=A", "A=AA", "=AAA", "AAAA====", "AA==AAAA", "AAA\n", "\nAAA", "AA=\n", "AAAA\nAAA"} {
		checkBase64(t, s)
	}
}

func FuzzBase64(f *testing.F) {
	for _, s := range []string{"", "AA==", "AB==", "AAA=", "AAB=", "Zm9vYmFy", "Zm9v YmFy", "!"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkBase64(t, text)
		_, compact, _ := Base64(text)
		checkBase64(t, compact)
	})
}

func BenchmarkBase64(b *testing.B) {
	text := strings.Repeat("Zm9v", 85) + "Zg=="
	b.SetBytes(int64(len(text)))
	dst := make([]byte, decodedLen(text))
	for b.Loop() {
		decodeBase64(dst, text)
	}
}
