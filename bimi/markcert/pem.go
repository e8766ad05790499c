package markcert

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
)

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemDash  = "-----"
)

// splitPEM returns the DER of every CERTIFICATE block of a file in the textual
// encoding of RFC 7468, section 3, at most max of them. encoding/pem is not used: it silently
// passes over what it does not understand, so that two readers could see
// different certificates in the same file.
//
// Explanatory text around the blocks is legal (RFC 7468, section 2) and ignored, as
// long as it is text and holds nothing that looks like an encapsulation boundary.
// Within a block only base64 is accepted, of whatever line length, with white
// space at the ends of lines.
func splitPEM(file []byte, max int, label string) ([][]byte, error) {
	var (
		blocks [][]byte
		body   []byte // of the open block, base64
		open   bool
		line   []byte
	)
	for n := 1; len(file) > 0; n++ {
		line, file = cutLine(file)
		text := bytes.TrimRight(line, " \t")
		switch {
		case bytes.HasPrefix(text, []byte(pemBegin)):
			if open {
				return nil, fmt.Errorf("%w: line %d: block begins inside a block", ErrPEM, n)
			}
			if string(text) != pemBegin+label+pemDash {
				return nil, fmt.Errorf("%w: line %d", ErrPEMLabel, n)
			}
			if len(blocks) == max {
				return nil, fmt.Errorf("%w: more than %d", ErrTooManyCertificates, max)
			}
			open, body = true, nil
		case bytes.HasPrefix(text, []byte(pemEnd)):
			if !open || string(text) != pemEnd+label+pemDash {
				return nil, fmt.Errorf("%w: line %d: end without its beginning", ErrPEM, n)
			}
			raw := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
			k, err := base64.StdEncoding.Strict().Decode(raw, body)
			if err != nil || k == 0 {
				return nil, fmt.Errorf("%w: block that ends in line %d is not base64", ErrPEM, n)
			}
			blocks, open = append(blocks, raw[:k:k]), false
		case open:
			// The decoder ignores CR and LF, which cutLine has taken away; every
			// other character outside the alphabet is its error.
			body = append(body, text...)
		case bytes.Contains(line, []byte(pemDash)):
			return nil, fmt.Errorf("%w: line %d: broken encapsulation boundary", ErrPEM, n)
		case !isText(line):
			return nil, fmt.Errorf("%w: line %d: not text", ErrPEM, n)
		}
	}
	switch {
	case open:
		return nil, fmt.Errorf("%w: last block does not end", ErrPEM)
	case len(blocks) == 0:
		return nil, ErrNoCertificate
	}
	return blocks, nil
}

// cutLine returns the first line of b without its end, which is CRLF, CR or LF, and the rest.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexAny(b, "\r\n")
	switch {
	case i < 0:
		return b, nil
	case b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n':
		return b[:i], b[i+2:]
	}
	return b[:i], b[i+1:]
}

func isText(line []byte) bool {
	for _, c := range line {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// readBundle reads the evidence document: its certificates as they stand.
func readBundle(file []byte) ([]*x509.Certificate, error) {
	if len(file) > MaxBytes {
		return nil, fmt.Errorf("%w: %d octets", ErrTooLarge, len(file))
	}
	blocks, err := splitPEM(file, MaxCertificates, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	certs := make([]*x509.Certificate, 0, len(blocks))
	for i, b := range blocks {
		for _, c := range certs {
			if bytes.Equal(c.Raw, b) {
				return nil, fmt.Errorf("%w: number %d", ErrDuplicateCertificate, i+1)
			}
		}
		c, err := parseCertificate(i, b)
		if err != nil {
			return nil, err
		}
		certs = append(certs, c)
	}
	return certs, nil
}

// parseCertificate reads the certificate at place i of a file.
func parseCertificate(i int, raw []byte) (*x509.Certificate, error) {
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		// The text is crypto/x509's, but may quote the certificate.
		return nil, fmt.Errorf("%w: number %d: %s", ErrCertificate, i+1, printable(err.Error()))
	}
	return c, nil
}

// printable bounds a text and makes it safe to print: ASCII, no control characters.
func printable(s string) string {
	const max = 200
	var b strings.Builder
	for _, r := range s {
		if b.Len() >= max {
			b.WriteString("...")
			break
		}
		if r < ' ' || r > '~' {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}
