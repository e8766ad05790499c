package message

import (
	"crypto"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// seeds are the exact inputs of group MSG of the threat matrix, and what shapes
// the header reader has besides.
var seeds = []string{
	"", "\r\n", "\r\n\r\n", ":", ": x\r\n", " \r\n", b0,
	"X-A: b\nFrom: <ceo@evil.example>\r\n" + b0,
	"X-A: b\rFrom: <ceo@evil.example>\r\n" + b0,
	b0 + "\n",
	"X-A: b\r\nFrom\r\n : <ceo@evil.example>\r\n" + b0,
	"From : <ceo@evil.example>\r\n" + b0,
	"From\x00: <ceo@evil.example>\r\n" + b0,
	"From\u00a0: <ceo@evil.example>\r\n" + b0,
	"From\u2000: <ceo@evil.example>\r\n" + b0,
	"X-A: \xff\xfe\r\n" + b0,
	"Fr\u043em: <ceo@evil.example>\r\n" + b0,
	"\ufeff" + b0,
	" From: <ceo@evil.example>\r\n" + b0,
	"Date: a\r\nDate: b\r\n" + b0,
	"DKIM-Signature: a=rsa-sha256; c=relaxed/relaxed; l=16\r\n" + b0,
	"ARC-Message-Signature: i=1; a=rsa-sha256; c=simple\r\nDKIM-Signature: a=rsa-sha1; l=99\r\n" + b0,
	"A: b\r\n \r\n\tc\r\njunk\r\n\r\r\n\r\n \t\r\n\r\n",
}

// FuzzDigester is F1 (and P5, P7): nothing is lost, the cut makes no
// difference, and what the header says about itself agrees with itself.
func FuzzDigester(f *testing.F) {
	a := alphabet.Header()
	for _, s := range slices.Concat(seeds, testcase.Samples("dkim", "rfc-examples", "*.eml"), testcase.Samples("dkim", "mail-dkim", "corpus", "ignore_*.txt")) {
		a.Seed(f.Add, s, uint16(len(s)/2))
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool, at uint16) {
		in := []byte(a.Text(data, folded))
		m, err := Parse(in)
		i := min(int(at), len(in))
		d := Digester{Limits: Limits{HeaderSize: DefaultHeaderSize}}
		_, err2 := d.Write(in[:i])
		if err2 == nil {
			_, err2 = d.Write(in[i:])
		}
		if err2 == nil {
			var m2 *Message
			m2, err2 = d.Finish()
			if err2 == nil {
				same(t, m, m2)
			}
		}
		require.Equal(t, err, err2)
		if err != nil {
			require.Nil(t, m)
			require.NotEmpty(t, err.(Error).Code())
			return
		}

		// Header, empty line and body make up the message.
		h := m.Header()
		var all []byte
		for i := range h.Len() {
			raw := h.Raw(i)
			require.NotEmpty(t, raw)
			all = append(all, raw...)
		}
		require.Equal(t, string(h.Bytes()), string(all))
		require.Equal(t, string(in[:len(all)]), string(all))
		closed := !slices.Contains(m.Defects(), Finding{NoBlankLine, -1})
		if closed {
			require.Equal(t, "\r\n", string(in[len(all):len(all)+2]))
			require.Equal(t, int64(len(in)-len(all)-2), m.BodySize())
		} else {
			require.Len(t, all, len(in))
			require.Zero(t, m.BodySize())
		}

		// The header is the same alone.
		alone, err := ParseHeader(in)
		require.NoError(t, err)
		require.Equal(t, h.text, alone.text)
		require.Equal(t, h.fields, alone.fields)
		require.Equal(t, h.findings, alone.findings)
		require.Equal(t, h.author, alone.author)

		froms := 0
		for i := range h.Len() {
			fd := h.Field(i)
			raw := string(h.Raw(i))
			require.NotContains(t, strings.TrimSuffix(raw, "\r\n"), "\r\n\r\n")
			name, value := fd.Name(), fd.Value()
			if strings.Contains(raw, ":") {
				require.True(t, strings.HasPrefix(raw, name))
				require.True(t, strings.HasSuffix(strings.TrimSuffix(raw, "\r\n"), ":"+value))
			} else {
				require.Equal(t, "", name)
				require.Equal(t, strings.TrimSuffix(raw, "\r\n"), value)
			}
			if name != "" {
				require.Contains(t, h.All(upper(name)), i)
			}
			if fd.Is("from") {
				froms++
			}
			// The simple form is the field; the relaxed form is its own.
			simple := string(fd.AppendCanonical(nil, Simple))
			require.Equal(t, strings.TrimSuffix(raw, "\r\n")+"\r\n", simple)
			relaxed := fd.AppendCanonical(nil, Relaxed)
			if again, err := ParseHeader(relaxed); err == nil && again.Len() == 1 && relaxed[0] != ' ' {
				require.Equal(t, string(relaxed), string(again.Field(0).AppendCanonical(nil, Relaxed)))
			}
		}
		require.Len(t, h.All("From"), froms)
		if froms != 1 {
			require.NotEmpty(t, h.AmbiguousAuthor())
		}
		for _, a := range h.AmbiguousAuthor() {
			require.Contains(t, h.Findings(), a)
		}
		for _, fi := range m.Defects() {
			require.GreaterOrEqual(t, fi.Field, -1)
			require.Less(t, fi.Field, h.Len())
		}

		// Each digest taken is that of its canonical body.
		if closed {
			body := string(in[len(all)+2:])
			for _, c := range []Canonicalization{Simple, Relaxed} {
				if d, ok := m.BodyDigest(BodyHash{c, crypto.SHA256, WholeBody}); ok {
					require.Equal(t, sum256(naiveCanonical(body, c)), d.Sum)
				}
			}
		}
	})
}

// upper changes the ASCII letters of s, and those alone.
func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// FuzzCRLF: the result has no LF without CR, and without the CRs that were put
// in it is the input.
func FuzzCRLF(f *testing.F) {
	for _, s := range []string{"", "\n", "\r\n", "a\nb\r\nc\r", "\r\r\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var got strings.Builder
		buf := make([]byte, 3)
		for r := CRLF(strings.NewReader(string(in))); ; {
			n, err := r.Read(buf)
			got.Write(buf[:n])
			if err != nil {
				break
			}
		}
		// Every LF of the input has a CR now; those that had one keep it.
		want := strings.ReplaceAll(strings.ReplaceAll(string(in), "\r\n", "\n"), "\n", "\r\n")
		require.Equal(t, want, got.String())
	})
}
