// Package domain is the one domain-name type of the library: checked when it is
// made, in lower case, A-labels, no final dot. A name that is not legal cannot be
// represented, so no comparison and no query ever meets one.
package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Error is a constant error of this package.
type Error string

func (e Error) Error() string { return string(e) }

// Why a text is not a domain name.
const (
	ErrEmpty   Error = "empty domain name"
	ErrLength  Error = "domain name over 253 octets or label over 63"
	ErrLabel   Error = "empty label in domain name"
	ErrChar    Error = "character not allowed in domain name"
	ErrHyphen  Error = "label begins or ends with a hyphen"
	ErrAddress Error = "IP address in place of a domain name"
	ErrIDNA    Error = "label is not a valid U-label"
)

const (
	maxName  = 253
	maxLabel = 63
)

// Name is a domain name. The zero value is no name at all.
// Two Names are the same domain exactly when they are ==.
type Name struct{ s string }

// Parse reads a host name as RFC 5890, section 2.3.2.3 and RFC 1123, section 2.1
// know it: letters, digits and hyphens, U-labels converted to A-labels. It
// refuses a final dot, an empty label, an underscore and anything that ends in
// an all-digit label (an IP address). White space is never trimmed.
func Parse(s string) (Name, error) { return parse(s, hostChar, true) }

// ParseASCII is Parse without U-labels: a non-ASCII octet is ErrChar.
func ParseASCII(s string) (Name, error) {
	if !isASCII(s) {
		return Name{}, ErrChar
	}
	return parse(s, hostChar, true)
}

// ParseSelector reads a DKIM selector: like Parse, with underscores allowed
// and all-digit labels (decision 14).
func ParseSelector(s string) (Name, error) { return parse(s, selectorChar, false) }

// ParseQuery reads a name that is only going to be asked for: SPF targets after
// macro expansion, names with underscore labels. Besides letters, digits, "-"
// and "_" it allows what an address brings in, its "@" with it (the macros %{l}
// and %{s}, RFC 7208, section 7.2), and the colon and the space that a publisher
// can write into an SPF target (RFC 7208, section 7.1: "%_"). Refused is what
// ends or escapes a name in a DNS master file (RFC 1035, section 5.1). A final
// dot is accepted. A Resolver that cannot put such a name on the wire has to
// return an error.
func ParseQuery(s string) (Name, error) {
	s = strings.TrimSuffix(s, ".")
	if !isASCII(s) {
		return Name{}, ErrChar
	}
	return parse(s, queryChar, false)
}

type charClass uint8

const (
	hostChar charClass = iota
	selectorChar
	queryChar
)

func parse(s string, class charClass, host bool) (Name, error) {
	if s == "" {
		return Name{}, ErrEmpty
	}
	// 4 octets a rune and the longest punycode growth stay below this; it keeps
	// idna away from megabytes.
	if len(s) > 4*maxName {
		return Name{}, ErrLength
	}
	if !isASCII(s) {
		var err error
		if s, err = toASCII(s); err != nil {
			return Name{}, err
		}
	}
	if len(s) > maxName {
		return Name{}, ErrLength
	}
	upper, digits, start := false, true, 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '.' {
			switch l := s[start:i]; {
			case l == "":
				return Name{}, ErrLabel
			case len(l) > maxLabel:
				return Name{}, ErrLength
			case class != queryChar && (l[0] == '-' || l[len(l)-1] == '-'):
				return Name{}, ErrHyphen
			}
			if i < len(s) {
				start, digits = i+1, true
			}
			continue
		}
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', c == '-':
			digits = false
		case '0' <= c && c <= '9':
		case 'A' <= c && c <= 'Z':
			digits, upper = false, true
		case c == '_' && class != hostChar:
			digits = false
		case class == queryChar && strings.IndexByte(" !#$%&'*+/:=?@^`{|}~", c) >= 0:
			digits = false
		default:
			return Name{}, ErrChar
		}
	}
	if host && digits {
		return Name{}, ErrAddress
	}
	if upper {
		s = strings.ToLower(s)
	}
	return Name{s}, nil
}

// toASCII converts U-labels. No mapping is applied beyond lower case: UTS #46
// mapping deletes and replaces characters, which can turn a name that nobody
// owns into the victim's.
func toASCII(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", ErrChar
	}
	var b strings.Builder
	for _, r := range s {
		l := unicode.ToLower(r)
		if r >= utf8.RuneSelf && l < utf8.RuneSelf {
			return "", ErrIDNA // Kelvin sign and the like: not the ASCII letter
		}
		b.WriteRune(l)
	}
	p := idna.New(idna.ValidateForRegistration())
	out, err := p.ToASCII(b.String())
	if err != nil || !isASCII(out) {
		return "", ErrIDNA
	}
	return out, nil
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// String returns the name without a final dot; "" for the zero Name.
func (n Name) String() string { return n.s }

// Absolute returns the name with its final dot, as a Resolver wants it.
func (n Name) Absolute() string { return n.s + "." }

// IsZero reports whether n is no name.
func (n Name) IsZero() bool { return n.s == "" }

// Labels returns the number of labels; 0 for the zero Name.
func (n Name) Labels() int {
	if n.s == "" {
		return 0
	}
	return strings.Count(n.s, ".") + 1
}

// Parent returns n without its first label, the zero Name if n has one label.
func (n Name) Parent() Name {
	_, rest, _ := strings.Cut(n.s, ".")
	return Name{rest}
}

// Last returns the suffix of n with k labels; n itself if it has no more than k.
func (n Name) Last(k int) Name {
	if k <= 0 {
		return Name{}
	}
	i := len(n.s)
	for ; k > 0; k-- {
		if i = strings.LastIndexByte(n.s[:i], '.'); i < 0 {
			return n
		}
	}
	return Name{n.s[i+1:]}
}

// IsBelow reports whether n is a proper subdomain of m. Nothing is below the zero Name.
func (n Name) IsBelow(m Name) bool {
	d := len(n.s) - len(m.s)
	return m.s != "" && d > 1 && n.s[d-1] == '.' && n.s[d:] == m.s
}

// IsWithin reports whether n is m or a subdomain of it.
func (n Name) IsWithin(m Name) bool { return n == m && n.s != "" || n.IsBelow(m) }

// Prepend returns prefix + "." + n for a query, ErrLength if that is too long.
// The prefix consists of constant labels such as "_dmarc".
func (n Name) Prepend(prefix string) (Name, error) {
	if n.s == "" {
		return Name{}, ErrEmpty
	}
	return ParseQuery(prefix + "." + n.s)
}
