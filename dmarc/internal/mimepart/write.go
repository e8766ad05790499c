package mimepart

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// AppendField adds a header field, folded at blanks. A stranger's text cannot end
// the field: what is not printable ASCII becomes "?", white space a blank.
func AppendField(b *bytes.Buffer, name, value string) {
	b.WriteString(name)
	b.WriteByte(':')
	col := len(name) + 1
	for _, word := range strings.Fields(value) {
		if col+1+len(word) > 76 && col > len(name)+1 {
			b.WriteString("\r\n")
			col = 0
		}
		b.WriteByte(' ')
		for _, r := range word {
			if r <= ' ' || r > '~' {
				r = '?'
			}
			b.WriteByte(byte(r))
		}
		col += 1 + len(word)
	}
	b.WriteString("\r\n")
}

// Base64Writer writes base64 in lines of 76 characters (RFC 2045, section 6.8).
// Close writes what is left.
type Base64Writer struct {
	W   interface{ Write([]byte) (int, error) }
	buf [57]byte
	n   int
}

// Write implements io.Writer.
func (w *Base64Writer) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		n := copy(w.buf[w.n:], p)
		w.n += n
		p = p[n:]
		if w.n == len(w.buf) {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

func (w *Base64Writer) flush() error {
	var line [78]byte
	base64.StdEncoding.Encode(line[:], w.buf[:w.n])
	n := base64.StdEncoding.EncodedLen(w.n)
	copy(line[n:], "\r\n")
	w.n = 0
	_, err := w.W.Write(line[:n+2])
	return err
}

// Close writes the last line.
func (w *Base64Writer) Close() error {
	if w.n == 0 {
		return nil
	}
	return w.flush()
}
