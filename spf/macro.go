package spf

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"github.com/seed2385d973/mailauth/internal/domain"
)

const (
	maxExpansion   = 4 << 10
	maxExplanation = 512
	maxName        = 253
)

// macro is one macro-expand (RFC 7208, section 7.1).
type macro struct {
	letter  byte // lower case; '%', '_' or '-' for the three escapes
	escape  bool // upper-case letter: URL-escape the value
	reverse bool
	parts   int    // right-hand parts to keep; 0 for all
	delims  string // "" for "."
	size    int    // octets of the macro in the text
}

// explainOnly reports whether the macro belongs in explanations alone (RFC 7208, section 7.2).
func (m macro) explainOnly() bool {
	return m.letter == 'c' || m.letter == 'r' || m.letter == 't'
}

// parseMacro reads the macro at the beginning of s, where a "%" stands.
func parseMacro(s string) (m macro, ok bool) {
	if len(s) < 2 {
		return m, false
	}
	switch s[1] {
	case '%', '_', '-':
		return macro{letter: s[1], size: 2}, true
	case '{':
	default:
		return m, false
	}
	if len(s) < 4 {
		return m, false
	}
	m.letter, m.escape = s[2]|0x20, s[2] < 'a'
	if !isAlpha(s[2]) || strings.IndexByte("slodiphcrtv", m.letter) < 0 {
		return m, false
	}
	i := 3
	for ; i < len(s) && isDigit(s[i]); i++ {
		// The bound is checked inside the loop, so that no number of digits can overflow.
		if m.parts = m.parts*10 + int(s[i]-'0'); m.parts > maxDigits {
			return m, false
		}
	}
	if i > 3 && m.parts == 0 {
		return m, false
	}
	if i < len(s) && s[i]|0x20 == 'r' {
		m.reverse = true
		i++
	}
	start := i
	for i < len(s) && strings.IndexByte(".-+,/_=", s[i]) >= 0 {
		i++
	}
	m.delims = s[start:i]
	if i >= len(s) || s[i] != '}' {
		return m, false
	}
	m.size = i + 1
	return m, true
}

// identity is what the macros of one check expand to (RFC 7208, section 7.2).
// It does not change during the check, so that prefetching may read it.
type identity struct {
	ip       netip.Addr
	local    string // never empty
	sender   string // the domain of <sender>
	helo     string
	receiver string
	// localOK says whether the local-part can be part of a name to ask for: it
	// is ASCII (RFC 8616, section 4) and without spaces.
	localOK bool
}

// newIdentity prepares the macros for the client and HELO name of s.
func newIdentity(s Session, local, sender string) identity {
	id := identity{
		ip: s.IP.Unmap().WithZone(""), local: local, sender: sender, helo: s.HELO, receiver: s.Receiver,
		localOK: isASCII(local) && strings.IndexByte(local, ' ') < 0,
	}
	if id.receiver == "" {
		id.receiver = "unknown"
	}
	return id
}

// Reasons why a domain-spec gives no name to ask for; they never leave the package.
var (
	errNoName    = errors.New("no legal name after macro expansion")
	errNeedsPTR  = errors.New("needs the client's validated name")
	errLong      = errors.New("expansion limit")
	errBadMacro  = errors.New("malformed macro")
	errLocalPart = errors.New("local-part is not ASCII")
)

// values supplies the macros whose value is not in identity. A nil function
// makes the macro an error.
type values struct {
	domain    domain.Name
	validated func() string // %{p}
	now       func() int64  // %{t}; nil outside explanations
}

// expand appends the expansion of a macro-string or explain-string to dst. limit bounds the
// octets appended.
func (id *identity) expand(dst []byte, s string, v *values, limit int) ([]byte, error) {
	start := len(dst)
	for s != "" {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			i = len(s)
		}
		dst = append(dst, s[:i]...)
		if s = s[i:]; s == "" {
			break
		}
		m, ok := parseMacro(s)
		if !ok || m.explainOnly() && v.now == nil {
			return dst, errBadMacro
		}
		s = s[m.size:]
		var err error
		if dst, err = id.expandMacro(dst, m, v); err != nil {
			return dst, err
		}
		if len(dst)-start > limit {
			return dst, errLong
		}
	}
	if len(dst)-start > limit {
		return dst, errLong
	}
	return dst, nil
}

func (id *identity) expandMacro(dst []byte, m macro, v *values) ([]byte, error) {
	var scratch [80]byte // holds an IPv6 address in dotted nibbles
	var value string
	switch m.letter {
	case '%':
		return append(dst, '%'), nil
	case '_':
		return append(dst, ' '), nil
	case '-':
		return append(dst, "%20"...), nil
	case 's', 'l':
		// In a name such a term matches nothing (RFC 8616, section 4); in an
		// explanation the caller sees whether the text is still ASCII.
		if !id.localOK && v.now == nil {
			return dst, errLocalPart
		}
		value = id.local
		if m.letter == 's' {
			value += "@" + id.sender
		}
	case 'o':
		value = id.sender
	case 'd':
		value = v.domain.String()
	case 'i':
		if m.plain() {
			return appendDotted(dst, id.ip), nil
		}
		return m.transform(dst, appendDotted(scratch[:0], id.ip)), nil
	case 'p':
		if v.validated == nil {
			return dst, errNeedsPTR
		}
		value = v.validated()
	case 'v':
		value = "in-addr"
		if id.ip.Is6() {
			value = "ip6"
		}
	case 'h':
		// Only the publisher of a record may write oddities into a query: a HELO
		// name that is no host name does not get into one.
		value = id.helo
		if h, err := domain.ParseASCII(id.helo); err == nil {
			value = h.String()
		} else if v.now == nil {
			return dst, errNoName
		}
	case 'c':
		value = id.ip.String()
	case 'r':
		value = id.receiver
	case 't':
		value = strconv.FormatInt(v.now(), 10)
	}
	if m.plain() {
		return append(dst, value...), nil
	}
	return transform(dst, m, value), nil
}

// plain reports whether the value goes in as it is.
func (m macro) plain() bool {
	return !m.escape && !m.reverse && m.parts == 0 && m.delims == ""
}

func (m macro) transform(dst, value []byte) []byte { return transform(dst, m, value) }

// transform splits value at the delimiters, reverses, keeps the right-hand
// parts and joins with dots (RFC 7208, section 7.3). Parts may be empty.
func transform[T string | []byte](dst []byte, m macro, value T) []byte {
	if m.parts == 0 && !m.reverse && m.delims == "" {
		return escape(dst, value)
	}
	delims := m.delims
	if delims == "" {
		delims = "."
	}
	if !m.reverse {
		// The right-hand parts begin behind the parts-th delimiter from the right.
		start := 0
		for i, n := len(value)-1, 0; m.parts > 0 && i >= 0; i-- {
			if strings.IndexByte(delims, value[i]) >= 0 {
				if n++; n == m.parts {
					start = i + 1
					break
				}
			}
		}
		for i := start; i < len(value); i++ {
			if strings.IndexByte(delims, value[i]) >= 0 {
				dst = append(dst, '.')
			} else {
				dst = m.appendByte(dst, value[i])
			}
		}
		return dst
	}
	// Right-hand parts of the reversed list are the left-hand parts of the list.
	end := len(value)
	for i, n := 0, 0; m.parts > 0 && i < len(value); i++ {
		if strings.IndexByte(delims, value[i]) >= 0 {
			if n++; n == m.parts {
				end = i
				break
			}
		}
	}
	for end >= 0 {
		start := end
		for start > 0 && strings.IndexByte(delims, value[start-1]) < 0 {
			start--
		}
		for i := start; i < end; i++ {
			dst = m.appendByte(dst, value[i])
		}
		if start == 0 {
			break
		}
		dst = append(dst, '.')
		end = start - 1
	}
	return dst
}

func escape[T string | []byte](dst []byte, value T) []byte {
	for i := 0; i < len(value); i++ {
		dst = macro{escape: true}.appendByte(dst, value[i])
	}
	return dst
}

// appendByte appends c, URL-escaped if it has to be: everything but the
// unreserved characters of RFC 3986, section 2.3.
func (m macro) appendByte(dst []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	if !m.escape || isAlpha(c) || isDigit(c) || c == '-' || c == '.' || c == '_' || c == '~' {
		return append(dst, c)
	}
	return append(dst, '%', hex[c>>4], hex[c&15])
}

// appendDotted writes an address as %{i} does: an IPv6 address as 32 nibbles
// with dots between them.
func appendDotted(dst []byte, ip netip.Addr) []byte {
	if ip.Is4() {
		return ip.AppendTo(dst)
	}
	const hex = "0123456789abcdef"
	a := ip.As16()
	for i, b := range a {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = append(dst, hex[b>>4], '.', hex[b&15])
	}
	return dst
}

// target turns a domain-spec into the name to ask for: expanded, a final dot
// taken off, cut to 253 octets from the left (RFC 7208, section 7.3), and
// checked. Errors: errLong, errNeedsPTR, errLocalPart, errNoName; for the last
// two the DNS is not asked (decision 9).
func (id *identity) target(spec string, v *values) (domain.Name, error) {
	if strings.IndexByte(spec, '%') < 0 && len(spec) <= maxName {
		n, err := domain.ParseQuery(spec)
		if err != nil {
			return domain.Name{}, errNoName
		}
		return n, nil
	}
	var scratch [512]byte
	b, err := id.expand(scratch[:0], spec, v, maxExpansion)
	if err != nil {
		return domain.Name{}, err
	}
	if len(b) > 0 && b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	for len(b) > maxName {
		i := 0
		for i < len(b) && b[i] != '.' {
			i++
		}
		if i == len(b) {
			return domain.Name{}, errNoName
		}
		b = b[i+1:]
	}
	n, err := domain.ParseQuery(string(b))
	if err != nil {
		return domain.Name{}, errNoName
	}
	return n, nil
}
