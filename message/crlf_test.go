package message

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestCRLF(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   "",
		"\n":                                 "\r\n",
		"\r":                                 "\r",
		"\r\n":                               "\r\n",
		"\n\n":                               "\r\n\r\n",
		"\r\r\n":                             "\r\r\n",
		"\n\r":                               "\r\n\r",
		"a\nb\r\nc\rd":                       "a\r\nb\r\nc\rd",
		"a\n\r\n\n":                          "a\r\n\r\n\r\n",
		"A: b\n\nbody\n":                     "A: b\r\n\r\nbody\r\n",
		strings.Repeat("x\n", 5000):          strings.Repeat("x\r\n", 5000),
		strings.Repeat("\n", 4097):           strings.Repeat("\r\n", 4097),
		strings.Repeat("x", 4095) + "\r\n\n": strings.Repeat("x", 4095) + "\r\n\r\n",
	} {
		for _, inner := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader, func(r io.Reader) io.Reader { return r }} {
			for _, outer := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, func(r io.Reader) io.Reader { return r }} {
				got, err := io.ReadAll(outer(CRLF(inner(strings.NewReader(in)))))
				require.NoError(t, err)
				require.Equal(t, want, string(got), "%.20q", in)
			}
		}
		require.NoError(t, iotest.TestReader(CRLF(strings.NewReader(in)), []byte(want)))
		// Converted once it stays as it is.
		again, err := io.ReadAll(CRLF(CRLF(strings.NewReader(in))))
		require.NoError(t, err)
		require.Equal(t, want, string(again))
	}
	broken := errors.New("broken")
	got, err := io.ReadAll(CRLF(io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(broken))))
	require.Equal(t, broken, err)
	require.Equal(t, "a\r\n", string(got))
	_, err = io.ReadAll(CRLF(stuck{}))
	require.Equal(t, io.ErrNoProgress, err)
}

// lazy gives nothing so many times before it gives the next octet of text.
type lazy struct {
	text     string
	idle, at int
}

func (l *lazy) Read(p []byte) (int, error) {
	if l.at++; l.at <= l.idle {
		return 0, nil
	}
	if l.at = 0; l.text == "" {
		return 0, io.EOF
	}
	n := copy(p[:1], l.text)
	l.text = l.text[n:]
	return n, nil
}

// A reader may give nothing a hundred times in a row, and again behind each octet.
func TestIdleReader(t *testing.T) {
	got, err := io.ReadAll(CRLF(&lazy{text: "a\nb", idle: maxIdle}))
	require.NoError(t, err)
	require.Equal(t, "a\r\nb", string(got))
	_, err = io.ReadAll(CRLF(&lazy{text: "a\nb", idle: maxIdle + 1}))
	require.Equal(t, io.ErrNoProgress, err)

	m, err := Read(&lazy{text: b0, idle: maxIdle})
	require.NoError(t, err)
	same(t, parse(t, []byte(b0)), m)
	_, err = Read(&lazy{text: b0, idle: maxIdle + 1})
	require.Equal(t, io.ErrNoProgress, err)
	require.Equal(t, 100, maxIdle)
}

// A file as a mail store keeps it, LF alone, is the message.
func TestCRLFMessage(t *testing.T) {
	want := parse(t, []byte(b0))
	got, err := Read(CRLF(strings.NewReader(strings.ReplaceAll(b0, "\r\n", "\n"))))
	require.NoError(t, err)
	same(t, want, got)
}
