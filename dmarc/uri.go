package dmarc

import (
	"math"
	"strings"

	"github.com/seed2385d973/mailauth/internal/address"
)

// maxURILength bounds one report URI. An address cannot be longer than a quarter of it.
const maxURILength = 2 << 10

// URI is where reports are wanted (RFC 9989, section 4.6). The zero value is none.
type URI struct {
	// Text is the URI as published, without the obsolete size suffix.
	Text string
	// Scheme is in lower case. "mailto" is the only one that every report generator
	// knows; URIs of other schemes are for the caller to support or to ignore.
	Scheme string
	// Address and Host are the mailbox of a mailto URI, percent-decoded and checked,
	// and its domain in lower-case A-labels. Empty for other schemes.
	Address, Host string
	// MaxSize is the obsolete size suffix in octets, zero if there is none. Report
	// generators ignore it (RFC 9989, section 4.8, obs-dmarc-uri).
	MaxSize int64

	suffix string
}

// ParseURI reads one dmarc-uri or obs-dmarc-uri (RFC 9989, section 4.8). Of a
// mailto URI it accepts exactly one ASCII address and no header fields: everything
// else that RFC 6068 allows would let the publisher address mail of ours to others.
// The error is ErrURI.
func ParseURI(text string) (URI, error) {
	if len(text) > maxURILength {
		return URI{}, ErrURI
	}
	u := URI{Text: text}
	if i := strings.IndexByte(text, '!'); i >= 0 {
		u.Text, u.suffix = text[:i], text[i:]
		size, ok := parseSize(text[i+1:])
		if !ok {
			return URI{}, ErrURI
		}
		u.MaxSize = size
	}
	scheme, rest, ok := strings.Cut(u.Text, ":")
	if !ok || rest == "" || !validScheme(scheme) || !validURI(rest) {
		return URI{}, ErrURI
	}
	u.Scheme = strings.ToLower(scheme)
	if u.Scheme != "mailto" {
		return u, nil
	}
	spec, ok := percentDecode(rest)
	// RFC 6068, section 2 has these encoded where an address holds them. "mailto://a@x" is
	// what somebody took for the form of a URL, and not the mailbox "//a".
	if !ok || strings.ContainsAny(rest, "/?#[]") {
		return URI{}, ErrURI
	}
	for i := 0; i < len(spec); i++ {
		// RFC 8616, section 6 has addresses of reports in ASCII.
		if spec[i] < 0x21 || spec[i] > 0x7e {
			return URI{}, ErrURI
		}
	}
	m, err := address.ParseAddrSpec(spec)
	if err != nil {
		return URI{}, ErrURI
	}
	u.Address, u.Host = spec, m.Domain.String()
	return u, nil
}

// uris reads a dmarc-urilist, keeping what is valid.
func (r *Record) uris(tag, list string) []URI {
	if list == "" {
		return nil
	}
	var out []URI
	for text := range strings.SplitSeq(list, ",") {
		u, err := ParseURI(strings.Trim(text, " \t"))
		if err != nil {
			r.note(BadURI, tag)
			continue
		}
		if len(out) == MaxURIs {
			r.note(TooManyURIs, tag)
			break
		}
		if out == nil {
			out = make([]URI, 0, min(strings.Count(list, ",")+1, MaxURIs))
		}
		out = append(out, u)
	}
	return out
}

func joinURIs(list []URI) string {
	var b strings.Builder
	for i, u := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(u.Text)
		b.WriteString(u.suffix)
	}
	return b.String()
}

// parseSize: 1*DIGIT [ "k" / "m" / "g" / "t" ], powers of two (RFC 7489, section
// 6.4). What does not fit is as much as fits.
func parseSize(s string) (int64, bool) {
	shift := 0
	if n := len(s) - 1; n > 0 {
		if i := strings.IndexByte("kmgt", s[n]|0x20); i >= 0 {
			shift, s = 10*(i+1), s[:n]
		}
	}
	if s == "" {
		return 0, false
	}
	n := int64(0)
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		if n > (math.MaxInt64-9)/10 {
			n = math.MaxInt64
			continue
		}
		n = n*10 + int64(s[i]-'0')
	}
	if n > math.MaxInt64>>shift {
		return math.MaxInt64, true
	}
	return n << shift, true
}

// validScheme: RFC 3986, section 3.1.
func validScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// validURI: the characters of RFC 3986, section 2, percent-encoding complete.
func validURI(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9':
		case c == '%':
			if i+2 >= len(s) || unhex(s[i+1]) < 0 || unhex(s[i+2]) < 0 {
				return false
			}
			i += 2
		case strings.IndexByte("-._~:/?#[]@$&'()*+,;=", c) < 0:
			return false
		}
	}
	return true
}

func percentDecode(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) || unhex(s[i+1]) < 0 || unhex(s[i+2]) < 0 {
				return "", false
			}
			c = byte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
		}
		b = append(b, c)
	}
	return string(b), true
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
