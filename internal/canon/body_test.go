package canon

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	abc "github.com/seed2385d973/mailauth/internal/alphabet"
)

func canonical(relaxed bool, pieces ...string) string {
	var out bytes.Buffer
	var b Body
	b.Start(&out, relaxed)
	for _, p := range pieces {
		b.Write([]byte(p))
	}
	b.Close()
	return out.String()
}

// each calls f with all strings over the alphabet up to length max.
func each(alphabet string, max int, f func(s string)) {
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

// alphabet has an octet of each class that the body algorithms know.
const alphabet = "\r\n \ta\x00"

// checker compares with the reference. It uses its memory again: it runs some
// millions of times.
type checker struct {
	testing.TB
	out  bytes.Buffer
	body Body
}

func (c *checker) check(pieces ...string) {
	body := pieces[0]
	if len(pieces) > 1 {
		body = strings.Join(pieces, "")
	}
	for _, relaxed := range []bool{false, true} {
		want := referenceBody(body, relaxed)
		for _, plainGo := range ways(len(body)) {
			c.out.Reset()
			// Close left everything else as it was in the beginning.
			c.body.content, c.body.plainGo = false, plainGo
			c.body.Start(&c.out, relaxed)
			for _, p := range pieces {
				c.body.Write([]byte(p))
			}
			c.body.Close()
			if c.out.String() != want {
				c.Fatalf("relaxed=%v plainGo=%v %q: want %q, got %q", relaxed, plainGo, pieces, want, c.out.String())
			}
		}
	}
	wantCR, wantLF := referenceLineEnds(body)
	for _, plainGo := range ways(len(body)) {
		l := LineEnds{plainGo: plainGo}
		for _, p := range pieces {
			l.Write([]byte(p))
		}
		l.Close()
		if l.BareCR != wantCR || l.BareLF != wantLF {
			c.Fatalf("plainGo=%v %q: want bare CR %v, LF %v, got %v, %v", plainGo, pieces, wantCR, wantLF, l.BareCR, l.BareLF)
		}
	}
}

// ways are the values of plainGo to try with a body: of one that is shorter than a
// vector all is done in Go.
func ways(size int) []bool {
	if !vectors || size < width {
		return []bool{false}
	}
	return []bool{false, true}
}

// TestP6Exhaustive is property P6: all small bodies, whole and cut in two at any place.
func TestP6Exhaustive(t *testing.T) {
	c := checker{TB: t}
	n := 0
	each(alphabet, 7, func(s string) {
		n++
		c.check(s)
	})
	require.Equal(t, 335923, n)
	n = 0
	each(alphabet, 6, func(s string) {
		for i := 1; i < len(s); i++ {
			n++
			c.check(s[:i], s[i:])
		}
	})
	require.Equal(t, 36*1+216*2+1296*3+7776*4+46656*5, n)
}

// TestExhaustiveWithin puts all strings of length 3 at every place of a text
// that the loops over words and vectors, not the loops for what they leave, go over.
func TestExhaustiveWithin(t *testing.T) {
	c := checker{TB: t}
	each(alphabet+"!\x1f\x7f\x80\xa0\xff", 3, func(s string) {
		if len(s) < 3 {
			return
		}
		for i := range 35 {
			c.check(strings.Repeat("x", i) + s + strings.Repeat("y z", 23))
		}
	})
}

// TestVectors has bodies that are nothing but what vectors are for, in all
// sizes, so that each octet is once the first and once the last of a vector, and of
// a buffer.
func TestVectors(t *testing.T) {
	r := rand.New(rand.NewPCG(42, 3))
	c := checker{TB: t}
	for _, alphabet := range []string{" \t\r\na", "  aa", " \ta", "aaaaaaa ", "aaaaaaaaaaaa\r\n\t"} {
		for size := range 300 {
			b := make([]byte, size)
			for i := range b {
				b[i] = alphabet[r.IntN(len(alphabet))]
			}
			c.check(string(b))
			c.check(strings.Repeat("ab", r.IntN(3*bufSize)) + string(b))
			c.check(strings.Repeat("a b", r.IntN(2*bufSize)), string(b))
			c.check(strings.ReplaceAll(string(b), "\n", "\r\n"))
		}
	}
	for set, indexes := range packing {
		n := 0
		for i := range 8 {
			if set>>i&1 == 1 {
				require.Equal(t, i, int(indexes>>(8*n)&0xff))
				n++
			}
		}
	}
}

// randomBody makes a body of runs of everything that matters, some of them
// longer than any buffer.
func randomBody(r *rand.Rand) string {
	parts := []string{" ", "\t", "\r\n", "\r", "\n", "a", "word ", "a longer stretch of words ", "\x00", "\xc3\xa9", "  \t  ", " \r\n", "\r\n\r\n",
		strings.Repeat("base64Base64+/==", 4) + "\r\n", "!", "\x1f", "\x7f", "\x80"}
	var b strings.Builder
	for range r.IntN(40) {
		n := 1
		switch r.IntN(12) {
		case 0:
			n = r.IntN(5000)
		case 1, 2:
			n = r.IntN(100)
		}
		b.WriteString(strings.Repeat(parts[r.IntN(len(parts))], n))
	}
	return b.String()
}

func cut(r *rand.Rand, s string) (pieces []string) {
	most := 1 << (2 + r.IntN(14))
	for s != "" {
		n := min(r.IntN(most+1), len(s)) // a piece may be empty
		pieces = append(pieces, s[:n])
		s = s[n:]
	}
	return pieces
}

// TestP7Chunks is property P7.
func TestP7Chunks(t *testing.T) {
	r := rand.New(rand.NewPCG(42, 1))
	c := checker{TB: t}
	for range 150 {
		s := randomBody(r)
		c.check(s)
		if pieces := cut(r, s); len(pieces) > 0 {
			c.check(pieces...)
		}
	}
}

// TestP5Idempotent is property P5 for bodies: the canonical form is its own.
func TestP5Idempotent(t *testing.T) {
	r := rand.New(rand.NewPCG(42, 2))
	for range 200 {
		s := randomBody(r)
		for _, relaxed := range []bool{false, true} {
			once := canonical(relaxed, s)
			require.Equal(t, once, canonical(relaxed, once))
		}
		// The stronger of two is the same behind the weaker.
		require.Equal(t, canonical(true, s), canonical(true, canonical(false, s)))
	}
}

func TestLongRuns(t *testing.T) {
	// A run that ends the body is not written; one that does not is, all of it.
	var out discard
	for _, run := range []string{"\r\n", " \r\n", " ", "\t", "\r", "\n"} {
		p := []byte(strings.Repeat(run, 1<<20/len(run)))
		for _, relaxed := range []bool{false, true} {
			out.n = 0
			var b Body
			b.Start(&out, relaxed)
			allocated := testing.AllocsPerRun(3, func() { b.Write(p) })
			require.Zero(t, allocated)
			b.Write([]byte("x"))
			b.Close()
			want := 4*(len(p)/len(run))*len(run) + 3
			if relaxed {
				switch run {
				case " ", "\t":
					want = 4
				case " \r\n":
					want = 4*(len(p)/len(run))*2 + 3
				}
			}
			require.Equal(t, want, out.n, "%q %v", run, relaxed)
		}
	}
}

// RFC 6376, section 3.4.5.
func TestBodyExamples(t *testing.T) {
	const body = " C \r\nD \t E\r\n\r\n\r\n"
	require.Equal(t, " C\r\nD E\r\n", canonical(true, body))
	require.Equal(t, " C \r\nD \t E\r\n", canonical(false, body))
}

// FuzzBody is F7: in pieces as at once as the reference, and its own canonical form.
func FuzzBody(f *testing.F) {
	a := abc.Body()
	for _, s := range []string{"", "\r\n", " \r\n", "a\r\n\r\n", " C \r\nD \t E\r\n\r\n\r\n", "a\n", "a\r", "..x\r\n", "\r\r\n\n", strings.Repeat("aGVsbG8=", 9) + "\r\n",
		"Dear customer,\r\n\r\nyour statement is ready.\r\n\n", "\r\n\r\n \t\r\n", "x \t", "x\r\n \r\n\t\r\n \r\n", "a\x00 \x00\r\n"} {
		a.Seed(f.Add, s, uint16(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool, at uint16) {
		s := []byte(a.Text(data, folded))
		i := min(int(at), len(s))
		c := checker{TB: t}
		c.check(string(s[:i]), string(s[i:]))
		c.check(string(s))
		for _, relaxed := range []bool{false, true} {
			once := canonical(relaxed, string(s))
			require.Equal(t, once, canonical(relaxed, once))
		}
	})
}
