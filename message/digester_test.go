package message

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// naiveCanonical is the canonical body made with Split and Join.
func naiveCanonical(body string, c Canonicalization) string {
	lines := strings.Split(body, "\r\n")
	if c == Relaxed {
		for i, l := range lines {
			f := strings.FieldsFunc(l, func(r rune) bool { return r == ' ' || r == '\t' })
			if l != "" && isWSP(l[0]) && len(f) > 0 {
				f[0] = " " + f[0]
			}
			lines[i] = strings.Join(f, " ")
		}
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 && c == Relaxed {
		return ""
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

func TestBodyDigest(t *testing.T) {
	const body = "The  first\tline \r\n\r\n  the second\r\nand more\r\n \r\n\r\n"
	var sigs strings.Builder
	var want []BodyHash
	for i, l := range []int64{0, 1, 2, 3, 20, 37, 38, 39, 1000, WholeBody, 20} {
		for _, c := range []Canonicalization{Simple, Relaxed} {
			name := []string{"DKIM-Signature", "ARC-Message-Signature", "dkim-signature "}[i%3]
			tag := ""
			if l >= 0 {
				tag = fmt.Sprintf(" l=%d;\r\n\t", l)
			}
			fmt.Fprintf(&sigs, "%s: i=1; a=%s; c=relaxed/%s;%s b=\r\n", name, []string{"rsa-sha256", "ed25519-sha256", "rsa-sha1"}[i%3], c, tag)
			hash := crypto.SHA256
			if i%3 == 2 {
				hash = crypto.SHA1
			}
			want = append(want, BodyHash{c, hash, l})
		}
	}
	for _, allow := range []bool{false, true} {
		d := Digester{AllowSHA1: allow}
		_, err := io.Copy(&d, iotest.OneByteReader(strings.NewReader(sigs.String()+"From: a@b.example\r\n\r\n"+body)))
		require.NoError(t, err)
		m, err := d.Finish()
		require.NoError(t, err)
		require.Equal(t, int64(len(body)), m.BodySize())
		for _, h := range want {
			digest, ok := m.BodyDigest(h)
			if h.Hash == crypto.SHA1 && !allow {
				require.False(t, ok)
				require.Zero(t, digest)
				continue
			}
			require.True(t, ok, "%v", h)
			canonical := naiveCanonical(body, h.Canonicalization)
			require.Equal(t, int64(len(canonical)), digest.Canonical)
			if h.Length >= 0 {
				canonical = canonical[:min(h.Length, int64(len(canonical)))]
			}
			if h.Hash == crypto.SHA256 {
				sum := sha256.Sum256([]byte(canonical))
				require.Equal(t, sum[:], digest.Sum, "%v", h)
			} else {
				sum := sha1.Sum([]byte(canonical))
				require.Equal(t, sum[:], digest.Sum, "%v", h)
			}
		}
		_, ok := m.BodyDigest(BodyHash{Relaxed, crypto.SHA256, 7})
		require.False(t, ok)
		_, ok = m.BodyDigest(BodyHash{Relaxed, crypto.SHA256, -5}) // all negative ones are one
		require.True(t, ok)
	}
}

func TestSignatureBodyHash(t *testing.T) {
	sha, all := crypto.SHA256, WholeBody
	for _, c := range []struct {
		value string
		want  BodyHash
		ok    bool
	}{
		{"a=rsa-sha256", BodyHash{Simple, sha, all}, true},
		{"a=rsa-sha256;", BodyHash{Simple, sha, all}, true},
		{"a=rsa-sha256; x=" + strings.Repeat("x", 16<<10-16), BodyHash{Simple, sha, all}, true},
		{"a=rsa-sha256; x=" + strings.Repeat("x", 16<<10-15), BodyHash{}, false},
		{"a=rsa-sha256" + strings.Repeat("; x=1", 63), BodyHash{Simple, sha, all}, true},
		{"a=rsa-sha256; l=9", BodyHash{Simple, sha, 9}, true},
		{"a=rsa-sha256; l=0", BodyHash{Simple, sha, 0}, true},
		{"a=rsa-sha256; l=1/", BodyHash{}, false},
		{"a=rsa-sha256; l=1:", BodyHash{}, false},
		{"a=rsa-sha256; l=" + strings.Repeat("0", 76), BodyHash{Simple, sha, 0}, true},
		{"a=ed25519-sha256; c=relaxed", BodyHash{Simple, sha, all}, true},
		{"a=rsa-sha256; c=simple/relaxed", BodyHash{Relaxed, sha, all}, true},
		{"a=rsa-sha256; c=relaxed/simple", BodyHash{Simple, sha, all}, true},
		{" v=1;\r\n a = rsa-sha256 ;\r\n\tc=\r\n relaxed/relaxed; l= 12 ;", BodyHash{Relaxed, sha, 12}, true},
		{"a=rsa-sha1; c=relaxed/relaxed", BodyHash{Relaxed, crypto.SHA1, all}, true},
		{"a=rsa-sha256; l=9223372036854775807", BodyHash{Simple, sha, 1<<63 - 1}, true},
		{"a=rsa-sha256; l=" + strings.Repeat("0", 75) + "7", BodyHash{Simple, sha, 7}, true},
		{"a=rsa-sha256; l=9223372036854775808", BodyHash{}, false},
		{"a=rsa-sha256; l=" + strings.Repeat("0", 77), BodyHash{}, false},
		{"a=rsa-sha256; l=99999999999999999999999", BodyHash{}, false},
		{"a=rsa-sha256; l=-1", BodyHash{}, false},
		{"a=rsa-sha256; l=", BodyHash{}, false},
		{"a=rsa-sha256; l=0x10", BodyHash{}, false},
		{"a=rsa-sha256; l=1 6", BodyHash{}, false},
		{"a=RSA-SHA256", BodyHash{}, false},
		{"A=rsa-sha256", BodyHash{}, false},
		{"a=", BodyHash{}, false},
		{"c=relaxed/relaxed", BodyHash{}, false},
		{"a=rsa-sha256; c=RELAXED/RELAXED", BodyHash{}, false},
		{"a=rsa-sha256; c=relaxed/foo", BodyHash{}, false},
		{"a=rsa-sha256; c=relaxed/relaxed/x", BodyHash{}, false},
		{"a=rsa-sha256;; c=relaxed/relaxed", BodyHash{}, false},
		{"a=rsa-sha256; junk", BodyHash{}, false},
		{"", BodyHash{}, false},
		{"a=rsa-sha256; x=" + strings.Repeat("x", 16<<10), BodyHash{}, false},
		{"a=rsa-sha256" + strings.Repeat("; x=1", 64), BodyHash{}, false},
	} {
		h, ok := signatureBodyHash(c.value)
		require.Equal(t, c.ok, ok, "%.60q", c.value)
		if ok {
			require.Equal(t, c.want, h, "%.60q", c.value)
		}
	}
}

// Signature fields beyond the limits ask for nothing; those at it do.
func TestSignatureLimits(t *testing.T) {
	for _, c := range []struct {
		name string
		max  int
	}{{"DKIM-Signature", MaxDKIMSignatures}, {"ARC-Message-Signature", MaxARCSignatures}} {
		var b strings.Builder
		for i := range c.max + 1 {
			fmt.Fprintf(&b, "%s: a=rsa-sha256; l=%d\r\n", c.name, i)
		}
		m := parse(t, []byte(b.String()+"\r\n"+strings.Repeat("x", 1000)))
		for i := range c.max + 1 {
			d, ok := m.BodyDigest(BodyHash{Simple, crypto.SHA256, int64(i)})
			require.Equal(t, i < c.max, ok, "%s %d", c.name, i)
			if ok {
				require.Equal(t, sha256.Sum256(bytes.Repeat([]byte("x"), i)), [32]byte(d.Sum))
			}
		}
	}
}

func TestWant(t *testing.T) {
	relaxed, simple := BodyHash{Relaxed, crypto.SHA256, WholeBody}, BodyHash{Simple, crypto.SHA256, WholeBody}
	var seen *Header
	d := Digester{WantFunc: func(h *Header) []BodyHash {
		require.Nil(t, seen, "asked twice")
		seen = h
		return []BodyHash{simple, simple, {Simple, crypto.MD5, WholeBody}, {Simple, crypto.SHA1, WholeBody}, {Canonicalization(7), crypto.SHA256, 1}, {}}
	}}
	write := func(s string) {
		n, err := d.Write([]byte(s))
		require.NoError(t, err)
		require.Equal(t, len(s), n)
	}
	require.Nil(t, d.Header())
	write("From: a@bank.exam")
	d.Want = []BodyHash{relaxed} // allowed until the header has ended
	write("ple\r\n\r")
	require.Nil(t, d.Header())
	write("\nx")
	require.NotNil(t, d.Header())
	require.Same(t, d.Header(), seen)
	d.Want = nil
	write("  y\r\n")
	m, err := d.Finish()
	require.NoError(t, err)
	require.Same(t, seen, m.Header())
	require.Equal(t, fmt.Sprintf("%x", sha256.Sum256([]byte("x y\r\n"))), fmt.Sprintf("%x", must(m.BodyDigest(relaxed)).Sum))
	require.Equal(t, fmt.Sprintf("%x", sha256.Sum256([]byte("x  y\r\n"))), fmt.Sprintf("%x", must(m.BodyDigest(simple)).Sum))
	require.Len(t, m.digests, 2)

	again, err := d.Finish()
	require.NoError(t, err)
	require.Same(t, m, again)
	require.Equal(t, int64(5), must(again.BodyDigest(relaxed)).Canonical)
	require.Equal(t, fmt.Sprintf("%x", sha256.Sum256([]byte("x y\r\n"))), fmt.Sprintf("%x", must(again.BodyDigest(relaxed)).Sum))
	n, err := d.Write([]byte("more"))
	require.Zero(t, n)
	require.Equal(t, ErrFinished, err)
	again, err = d.Finish()
	require.NoError(t, err)
	require.Same(t, m, again)

	// A header that never ended is asked about, too.
	seen = nil
	d = Digester{WantFunc: d.WantFunc}
	write("From: a@bank.example\r\n")
	m, err = d.Finish()
	require.NoError(t, err)
	require.Same(t, seen, m.Header())
	require.Equal(t, int64(2), must(m.BodyDigest(simple)).Canonical)
}

func must(d Digest, ok bool) Digest {
	if !ok {
		panic("no such digest")
	}
	return d
}

// No signature, no digest: the body is only counted and looked at.
func TestNothingAsked(t *testing.T) {
	m := parse(t, []byte(b0))
	require.Empty(t, m.digests)
	require.Equal(t, int64(44), m.BodySize())
}

// same compares all that two messages say.
func same(t *testing.T, want, got *Message) {
	t.Helper()
	require.Equal(t, want.defects, got.defects)
	require.Equal(t, want.bodySize, got.bodySize)
	require.Equal(t, want.digests, got.digests)
	require.Equal(t, want.header.text, got.header.text)
	require.Equal(t, want.header.fields, got.header.fields)
	require.Equal(t, want.header.author, got.header.author)
	require.Equal(t, want.header.utf8, got.header.utf8)
}

// TestP7Chunks is property P7: the result does not depend on how a message was cut.
func TestP7Chunks(t *testing.T) {
	sigs := []string{"relaxed/relaxed", "simple/simple; l=100", "relaxed/simple", "simple/relaxed; l=5000"}
	for _, in := range []string{"", "\r\n", "\r\n\r\n", "\r", "\r\nx", "a", "A: b\r\n\r\n", "A: b\r\nc: d\r\n\r\n\r\nx\r\n\r\n", b0,
		"A: b\r\n \r\n\r\n", "\r\r\n\r\n", "A\r\n\r", "\n\r\n\r\n", "A: \r\r\n\r\n\n",
		benchHeader(sigs...) + textBody(3000), benchHeader(sigs...) + htmlBody(20000)} {
		want := parse(t, []byte(in))
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"as it is":   func(r io.Reader) io.Reader { return r },
			"one octet":  iotest.OneByteReader,
			"half":       iotest.HalfReader,
			"data + EOF": iotest.DataErrReader,
			"no WriteTo": func(r io.Reader) io.Reader { return struct{ io.Reader }{r} },
		} {
			got, err := Read(wrap(strings.NewReader(in)))
			require.NoError(t, err, name)
			same(t, want, got)
		}
		r := rand.New(rand.NewPCG(1, 1))
		for range 20 {
			var d Digester
			for rest := in; rest != ""; {
				n := min(r.IntN(1<<(1+r.IntN(13))), len(rest))
				_, err := d.Write([]byte(rest[:n]))
				require.NoError(t, err)
				rest = rest[n:]
			}
			got, err := d.Finish()
			require.NoError(t, err)
			same(t, want, got)
		}
		for i := range min(len(in), 200) { // every cut in two
			var d Digester
			d.Write([]byte(in[:i]))
			d.Write([]byte(in[i:]))
			got, err := d.Finish()
			require.NoError(t, err)
			same(t, want, got)
		}
	}
}

func TestReadErrors(t *testing.T) {
	broken := errors.New("broken")
	for n := range 100 {
		m, err := Read(io.MultiReader(strings.NewReader(b0[:n]), iotest.ErrReader(broken)))
		require.Nil(t, m)
		require.Equal(t, broken, err)
	}
	_, err := Read(iotest.TimeoutReader(struct{ io.Reader }{strings.NewReader(b0 + textBody(10000))}))
	require.Equal(t, iotest.ErrTimeout, err)
	_, err = Read(stuck{})
	require.Equal(t, io.ErrNoProgress, err)
	_, err = Read(strings.NewReader(strings.Repeat("x", DefaultFieldSize+1)))
	require.Equal(t, ErrFieldSize, err)
	_, err = Parse([]byte(strings.Repeat("x", DefaultHeaderSize+3)))
	require.Equal(t, ErrHeaderSize, err)
	var d Digester
	for range 2 { // it stays failed
		n, err := d.Write([]byte(strings.Repeat("x", DefaultHeaderSize+3)))
		require.Equal(t, ErrHeaderSize, err)
		require.Zero(t, n)
	}

	// Any length below zero is the whole body.
	d = Digester{Want: []BodyHash{{Simple, crypto.SHA256, -5}}}
	_, err = d.Write([]byte(b0))
	require.NoError(t, err)
	m, err := d.Finish()
	require.NoError(t, err)
	for _, n := range []int64{WholeBody, -2, -5} {
		require.Positive(t, must(m.BodyDigest(BodyHash{Simple, crypto.SHA256, n})).Canonical)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// After an error a Digester stays failed.
func TestStaysFailed(t *testing.T) {
	d := Digester{Limits: Limits{Fields: 1}}
	_, err := d.Write([]byte("A: b\r\nC: d\r\n\r\n"))
	require.Equal(t, ErrFieldCount, err)
	for range 2 {
		_, err = d.Write([]byte("x"))
		require.Equal(t, ErrFieldCount, err)
		m, err := d.Finish()
		require.Nil(t, m)
		require.Equal(t, ErrFieldCount, err)
		require.Nil(t, d.Header())
	}
	// Also if the end of the message is what brings the error.
	d = Digester{Limits: Limits{Fields: 1}}
	_, err = d.Write([]byte("A: b\r\nC: d\r\n"))
	require.NoError(t, err)
	for range 2 {
		m, err := d.Finish()
		require.Nil(t, m)
		require.Equal(t, ErrFieldCount, err)
		_, err = d.Write([]byte("x"))
		require.Equal(t, ErrFieldCount, err)
	}
}

// allocated returns how many octets f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A body of any size and shape costs no memory, with any number of signatures.
func TestMemory(t *testing.T) {
	header := []byte(benchHeader("relaxed/relaxed", "simple/simple", "relaxed/simple", "relaxed/relaxed; l=1000000", "simple/relaxed"))
	base := allocated(func() { parse(t, header) })
	require.Less(t, base, uint64(32<<10), "header of %d octets", len(header))
	for _, c := range []struct {
		name, piece string
		size        int
	}{
		{"base64", base64Body(32 << 10), 100 << 20},
		{"text", textBody(32 << 10), 8 << 20},
		{"CRLF", strings.Repeat("\r\n", 16<<10), 8 << 20},
		{"blank lines", strings.Repeat(" \t\r\n", 8<<10), 8 << 20},
		{"blanks", strings.Repeat(" ", 32<<10), 8 << 20},
		{"tabs", strings.Repeat("\t", 32<<10), 8 << 20},
		{"one line", strings.Repeat("x", 32<<10), 8 << 20},
		{"CR", strings.Repeat("\r", 32<<10), 8 << 20},
		{"LF", strings.Repeat("\n", 32<<10), 8 << 20},
		{"NUL", strings.Repeat("\x00", 32<<10), 8 << 20},
		{"pairs", strings.Repeat("  x", 11<<10), 8 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			size := c.size
			if raceEnabled {
				size = 512 << 10
			}
			piece := []byte(c.piece)
			used := allocated(func() {
				var d Digester
				_, err := d.Write(header)
				require.NoError(t, err)
				n := 0
				for ; n < size; n += len(piece) {
					if _, err := d.Write(piece); err != nil {
						t.Fatal(err)
					}
				}
				m, err := d.Finish()
				require.NoError(t, err)
				require.Equal(t, int64(n), m.BodySize())
				require.Len(t, m.digests, 3)
			})
			require.Less(t, used, base+(8<<10))
		})
	}
}

// Reading costs what the header costs, not what the body does.
func TestReadMemory(t *testing.T) {
	in := []byte(benchHeader("relaxed/relaxed") + base64Body(1<<20))
	used := allocated(func() {
		_, err := Read(struct{ io.Reader }{bytes.NewReader(in)})
		require.NoError(t, err)
	})
	require.Less(t, used, uint64(32<<10))
}

func TestAllocations(t *testing.T) {
	in := []byte(benchHeader("relaxed/relaxed") + textBody(10<<10))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { parse(t, in) }), 12.0)
	h := parse(t, in).Header()
	buf := make([]byte, 0, 8<<10)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		buf = buf[:0]
		for i := range h.Len() {
			f := h.Field(i)
			if f.Is("Subject ") {
				panic("no such name")
			}
			buf = f.AppendCanonical(buf, Relaxed)
			_, _ = f.Name(), f.Value()
		}
		_ = h.All("FROM")
	}))
}

// A Header and a Message are safe for concurrent use (run with -race).
func TestConcurrentUse(t *testing.T) {
	var d Digester
	_, err := d.Write([]byte(benchHeader("relaxed/relaxed")))
	require.NoError(t, err)
	h := d.Header()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range h.Len() {
				_ = string(h.Raw(i)) + h.Field(i).Name()
				_ = h.All("Received")
				_ = h.Field(i).AppendCanonical(nil, Relaxed)
			}
			_ = h.Bytes()
		})
	}
	for range 100 {
		d.Write([]byte("the body still arrives\r\n"))
	}
	wg.Wait()
	_, err = d.Finish()
	require.NoError(t, err)
}
