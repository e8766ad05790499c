package canon

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// referenceHeaderEnd says what HeaderEnd has to; plain exactly.
func referenceHeaderEnd(p []byte) (end int, plain bool) {
	i := bytes.Index(p, []byte("\r\n\r\n"))
	if i < 0 {
		return -1, false
	}
	cr, lf := referenceLineEnds(string(p[:i+4]))
	for _, c := range p[:i+4] {
		if (c < ' ' || c > '~') && !strings.ContainsRune("\t\r\n", rune(c)) {
			return i + 4, false
		}
	}
	return i + 4, !cr && !lf
}

func checkHeaderEnd(t testing.TB, p []byte) {
	wantEnd, wantPlain := referenceHeaderEnd(p)
	end, plain := HeaderEnd(p)
	if end != wantEnd || plain && !wantPlain {
		t.Fatalf("%q: want %d %v, got %d %v", p, wantEnd, wantPlain, end, plain)
	}
	if vectors && end >= 0 && len(p)-end > width && plain != wantPlain {
		t.Fatalf("%q: plain is %v and seen as %v", p, wantPlain, plain)
	}
}

func TestHeaderEnd(t *testing.T) {
	each("\r\n\ta\x00\x7f\x80", 3, func(s string) {
		if len(s) < 3 {
			return
		}
		for i := range 36 {
			text := strings.Repeat("x", i) + s + strings.Repeat("y z", 9)
			checkHeaderEnd(t, []byte(text))
			// Once with what is behind it on the other side of the end.
			checkHeaderEnd(t, []byte(text+"\r\n\r\n"+s+strings.Repeat("z", 70)))
			checkHeaderEnd(t, []byte("\r\n"+strings.Repeat("x", i)+"\r\n\r\n"+s+strings.Repeat("z", 70)))
		}
	})
	r := rand.New(rand.NewPCG(42, 4))
	for size := range 400 {
		p := make([]byte, size)
		for i := range p {
			p[i] = "\r\n\r\nab"[r.IntN(6)]
		}
		checkHeaderEnd(t, p)
		checkHeaderEnd(t, append(bytes.Repeat([]byte("Name: value\r\n"), r.IntN(20)), p...))
	}
	// Each octet in the header.
	for c := range 256 {
		for i := range 64 {
			p := []byte(strings.Repeat("n: v\r\n", 11) + "\r\n" + strings.Repeat("b", 80))
			p[i] = byte(c)
			checkHeaderEnd(t, p)
		}
	}
	end, _ := HeaderEnd(nil)
	require.Equal(t, -1, end)
}

func FuzzHeaderEnd(f *testing.F) {
	f.Add([]byte("a: b\r\n\r\nbody"))
	f.Add([]byte("\n" + strings.Repeat("a: b\r\n", 9) + "\r\n" + strings.Repeat("body", 20)))
	f.Fuzz(func(t *testing.T, p []byte) {
		checkHeaderEnd(t, p)
		checkHeaderEnd(t, append(p, strings.Repeat("b", 80)...))
	})
}
