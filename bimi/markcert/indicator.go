package markcert

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// indicator takes the image out of the certificate and checks it against its
// hashes. It returns nil after a failure.
func (c *check) indicator() []byte {
	value, critical, ok := extension(c.leaf, oidLogotype)
	if !ok {
		c.add(Failure, ErrNoLogotype, 0, "")
		return nil
	}
	if critical { // RFC 9399, section 4.1 forbids it
		c.add(Failure, ErrLogotype, 0, "marked critical")
	}
	l, err := parseLogotype(value)
	if err != nil {
		c.fail(0, err)
		return nil
	}
	image, err := c.open(l)
	if err != nil {
		c.fail(0, err)
		return nil
	}
	c.checkHashes(l.hashes, image)
	return image
}

// open decodes and decompresses the image.
func (c *check) open(l logotype) ([]byte, error) {
	svg, registered := svgMediaType(l.mediaType)
	if !svg {
		return nil, fmt.Errorf("%w: %s", ErrLogotypeMediaType, printable(l.mediaType))
	}
	if !registered {
		c.add(Note, ErrLogotypeSpelling, 0, l.mediaType)
	}
	mediaType, data, err := parseDataURI(l.uri)
	if err != nil {
		return nil, err
	}
	// RFC 9399, section 4.3: the media type has to be the one of the URI.
	if !strings.EqualFold(mediaType, l.mediaType) {
		return nil, fmt.Errorf("%w: %s in the URI", ErrLogotypeMediaType, printable(mediaType))
	}
	max := c.v.maxIndicator()
	if !isGzip(data) && c.v.AllowUncompressedIndicator {
		if len(data) > max {
			return nil, fmt.Errorf("%w: over %d octets", ErrLogotypeSize, max)
		}
		c.add(Warning, ErrLogotypeGzip, 0, "not compressed")
		return data, nil
	}
	image, err := gunzip(data, max)
	if err == nil && isGzip(image) {
		// The hash is of the image; whoever opens this one again shows what no hash is of.
		return nil, fmt.Errorf("%w: compressed twice", ErrLogotypeGzip)
	}
	return image, err
}

func isGzip(b []byte) bool { return len(b) > 1 && b[0] == 0x1f && b[1] == 0x8b }

// gunzip decompresses exactly one member of gzip (RFC 1952, section 2.2) with
// nothing after it, up to max octets.
func gunzip(data []byte, max int) ([]byte, error) {
	in := bytes.NewReader(data)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, ErrLogotypeGzip
	}
	z.Multistream(false)
	out, err := io.ReadAll(io.LimitReader(z, int64(max)+1))
	switch {
	case err != nil:
		return nil, ErrLogotypeGzip
	case len(out) > max:
		return nil, fmt.Errorf("%w: over %d octets", ErrLogotypeSize, max)
	case in.Len() != 0:
		return nil, fmt.Errorf("%w: data after the end", ErrLogotypeGzip)
	}
	return out, nil
}

// parseDataURI takes a data: URI apart (RFC 2397, section 3). Base64 may be
// percent-encoded like any other part of a URI, and is otherwise strict.
func parseDataURI(uri string) (mediaType string, data []byte, err error) {
	const scheme = "data:"
	if len(uri) < len(scheme) || !strings.EqualFold(uri[:len(scheme)], scheme) {
		s, _, _ := strings.Cut(uri, ":")
		return "", nil, fmt.Errorf("%w: scheme %s", ErrLogotypeURI, printable(s))
	}
	head, tail, ok := strings.Cut(uri[len(scheme):], ",")
	if !ok {
		return "", nil, fmt.Errorf("%w: no comma", ErrLogotypeURI)
	}
	mediaType, params, _ := strings.Cut(head, ";")
	isBase64 := false
	for more := params != ""; more; {
		var p string
		p, params, more = strings.Cut(params, ";")
		if !more && strings.EqualFold(p, "base64") {
			isBase64 = true
			break
		}
		if name, value, ok := strings.Cut(p, "="); !ok || name == "" || value == "" {
			return "", nil, fmt.Errorf("%w: parameter", ErrLogotypeURI)
		}
	}
	raw, err := unescape(tail)
	if err != nil {
		return "", nil, err
	}
	if !isBase64 {
		return mediaType, raw, nil
	}
	data = make([]byte, base64.StdEncoding.DecodedLen(len(raw)))
	// The decoder passes over CR and LF, which have no place here.
	n, err := base64.StdEncoding.Strict().Decode(data, raw)
	if err != nil || bytes.ContainsAny(raw, "\r\n") {
		return "", nil, fmt.Errorf("%w: base64", ErrLogotypeURI)
	}
	return mediaType, data[:n], nil
}

// unescape decodes percent-encoding. A character that has to be encoded in a URI
// and is not (RFC 3986, section 2) is an error.
func unescape(s string) ([]byte, error) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		ch := s[i]
		switch {
		case ch == '%':
			if i+2 >= len(s) {
				return nil, fmt.Errorf("%w: percent-encoding", ErrLogotypeURI)
			}
			hi, ok1 := unhex(s[i+1])
			lo, ok2 := unhex(s[i+2])
			if !ok1 || !ok2 {
				return nil, fmt.Errorf("%w: percent-encoding", ErrLogotypeURI)
			}
			out, i = append(out, hi<<4|lo), i+2
		case ch <= ' ' || ch >= 0x7f || strings.IndexByte("\"<>\\^`{|}#", ch) >= 0:
			return nil, fmt.Errorf("%w: character 0x%02x", ErrLogotypeURI, ch)
		default:
			out = append(out, ch)
		}
	}
	return out, nil
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// The hash algorithms, by the content of their identifiers.
const (
	hashSHA1   = "\x2b\x0e\x03\x02\x1a"
	hashSHA256 = "\x60\x86\x48\x01\x65\x03\x04\x02\x01"
	hashSHA384 = "\x60\x86\x48\x01\x65\x03\x04\x02\x02"
	hashSHA512 = "\x60\x86\x48\x01\x65\x03\x04\x02\x03"
	hashSHA224 = "\x60\x86\x48\x01\x65\x03\x04\x02\x04"
)

// digest returns the hash of b; nil for an unknown algorithm.
func digest(algorithm string, b []byte) []byte {
	switch algorithm {
	case hashSHA1:
		// Not what protects the image: the signature over the certificate covers it whole.
		h := sha1.Sum(b)
		return h[:]
	case hashSHA224:
		h := sha256.Sum224(b)
		return h[:]
	case hashSHA256:
		h := sha256.Sum256(b)
		return h[:]
	case hashSHA384:
		h := sha512.Sum384(b)
		return h[:]
	case hashSHA512:
		h := sha512.Sum512(b)
		return h[:]
	}
	return nil
}

// checkHashes holds the image against every listed hash whose algorithm is known.
// At least one has to be, and all that are have to match (RFC 9399, section 4.1).
// The hash is over the uncompressed image with its line ends as LF (RFC 9399, section 7);
// authorities have hashed the octets as they are, so either form matches.
func (c *check) checkHashes(hashes []logotypeHash, image []byte) {
	canonical := bytes.ReplaceAll(image, []byte("\r\n"), []byte("\n"))
	canonical = bytes.ReplaceAll(canonical, []byte("\r"), []byte("\n"))
	known, strong := 0, 0
	for _, h := range hashes {
		raw := digest(h.algorithm, image)
		if raw == nil {
			continue
		}
		known++
		if h.algorithm != hashSHA1 {
			strong++
		}
		switch {
		case bytes.Equal(h.value, raw) && !bytes.Equal(image, canonical):
			c.add(Note, ErrLogotypeLineEnds, 0, "")
		case !bytes.Equal(h.value, raw) && !bytes.Equal(h.value, digest(h.algorithm, canonical)):
			c.add(Failure, ErrLogotypeHash, 0, "")
			return
		}
	}
	if known == 0 {
		c.add(Failure, ErrLogotypeHash, 0, "no known algorithm")
		return
	}
	if strong == 0 {
		s := Warning
		if c.v.RejectSHA1 {
			s = Failure
		}
		c.add(s, ErrLogotypeSHA1, 0, "")
	}
}
