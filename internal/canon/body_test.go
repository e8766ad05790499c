package canon

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func run(relaxed bool, chunks ...string) string {
	var out bytes.Buffer
	b := NewBody(&out, relaxed)
	for _, c := range chunks {
		b.Write([]byte(c))
	}
	b.Close()
	return out.String()
}

// each calls f with all strings over the octets that matter, up to length max.
func each(max int, f func(s string)) {
	const alphabet = "\r\n \ta\x00"
	buf := make([]byte, max)
	var grow func(n int)
	grow = func(n int) {
		f(string(buf[:n]))
		if n == max {
			return
		}
		for i := range len(alphabet) {
			buf[n] = alphabet[i]
			grow(n + 1)
		}
	}
	grow(0)
}

func TestBodyExhaustive(t *testing.T) {
	n := 0
	each(7, func(s string) {
		n++
		for _, relaxed := range []bool{false, true} {
			want := referenceBody(s, relaxed)
			if got := run(relaxed, s); got != want {
				t.Fatalf("relaxed=%v %q: want %q, got %q", relaxed, s, want, got)
			}
		}
	})
	require.Equal(t, 1+6+36+216+1296+7776+46656+279936, n)
}
