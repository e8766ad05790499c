// Package weburl reads the URLs that strangers put into BIMI records, mark
// certificates and redirects. It decides which of them may be fetched at all;
// where they lead is decided again when the connection is made.
package weburl

import (
	"net/url"
	"strings"

	"github.com/seed2385d973/mailauth/internal/domain"
)

// Error is a constant error of this package.
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

// Why a text is not a URL that may be fetched.
const (
	ErrLength   Error = "URL longer than 2048 octets"
	ErrChar     Error = "character not allowed in a URL"
	ErrScheme   Error = "URL scheme is not https"
	ErrUserinfo Error = "URL with user name or password"
	ErrPort     Error = "URL with a port other than the scheme's own"
	ErrHost     Error = "URL host is not a public domain name"
)

// MaxLength is how many octets a URL may have: far more than any indicator's,
// and what servers are known to take.
const MaxLength = 2048

// URL is a checked URL. The zero value is none.
type URL struct {
	Scheme string // "https" or "http"
	Host   domain.Name
	Path   string // path and query as written, beginning with "/"
}

// String returns the URL without fragment.
func (u URL) String() string { return u.Scheme + "://" + u.Host.String() + u.Path }

// Parse reads an absolute https URL (RFC 3986, section 4.3; a fragment is
// dropped). The host must be a domain name in A-labels with at least two labels,
// the port absent or 443.
func Parse(s string) (URL, error) { return parse(s, false) }

// ParsePlain is Parse, and takes http with port 80 too.
func ParsePlain(s string) (URL, error) { return parse(s, true) }

// Resolve reads the Location of a redirect, which may be relative (RFC 3986,
// section 5.2). From https it leads to https only.
func (u URL) Resolve(location string) (URL, error) {
	if len(location) > MaxLength {
		return URL{}, ErrLength
	}
	if err := characters(location); err != nil {
		return URL{}, err
	}
	base, err := url.Parse(u.String())
	if err != nil {
		return URL{}, ErrChar
	}
	ref, err := base.Parse(location)
	if err != nil {
		return URL{}, ErrChar
	}
	if ref.User != nil {
		return URL{}, ErrUserinfo
	}
	return parse(ref.String(), u.Scheme == "http")
}

func parse(s string, plain bool) (URL, error) {
	if len(s) > MaxLength {
		return URL{}, ErrLength
	}
	if err := characters(s); err != nil {
		return URL{}, err
	}
	scheme, rest, ok := strings.Cut(s, "://")
	port := "443"
	switch scheme = strings.ToLower(scheme); {
	case ok && scheme == "https":
	case ok && scheme == "http" && plain:
		port = "80"
	default:
		return URL{}, ErrScheme
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	if strings.ContainsAny(fragment, "#[]") {
		return URL{}, ErrChar
	}
	authority, path := rest, "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		if authority = rest[:i]; rest[i] == '/' {
			path = rest[i:]
		} else {
			path = "/" + rest[i:]
		}
	}
	// RFC 3986, section 3.3: brackets are for addresses only.
	if strings.ContainsAny(path, "[]") {
		return URL{}, ErrChar
	}
	if strings.Contains(authority, "@") {
		return URL{}, ErrUserinfo
	}
	if strings.HasPrefix(authority, "[") {
		return URL{}, ErrHost
	}
	host, p, ok := strings.Cut(authority, ":")
	if ok && p != port {
		return URL{}, ErrPort
	}
	name, err := domain.ParseASCII(host)
	if err != nil || name.Labels() < 2 || local(name) {
		return URL{}, ErrHost
	}
	return URL{Scheme: scheme, Host: name, Path: path}, nil
}

// characters allows what RFC 3986, section 2 does, and no percent-encoded
// control characters, which only serve to be decoded into somebody's header.
func characters(s string) error {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '%':
			if i+2 >= len(s) || !hex(s[i+1]) || !hex(s[i+2]) || s[i+1] < '2' || s[i+1] == '7' && s[i+2]|0x20 == 'f' {
				return ErrChar
			}
			i += 2
		case strings.IndexByte("-._~:/?#[]@!$&'()*+,;=", c) >= 0:
		default:
			return ErrChar
		}
	}
	return nil
}

func hex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

// local reports whether the name's top level is one that no public server is
// in, or a number in the notation by which some resolvers read addresses.
func local(n domain.Name) bool {
	top := n.Last(1).String()
	switch top {
	case "localhost", "local", "internal", "intranet", "private", "corp", "home", "lan", "localdomain", "onion", "arpa":
		return true
	}
	if digits, ok := strings.CutPrefix(top, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return false
}
