// Package scan is a small cursor over the text of a header field, for the ABNF
// grammars of mail. A grammar rule becomes one chain of Accept, Span and Expect
// calls; the first error sticks, and every call after it does nothing and
// reports failure, so that a rule need not check in between.
//
// # Limits
//
// Comments nest at most [MaxDepth] deep. Nothing here is recursive, and every
// call takes time linear in what it consumes.
package scan

import (
	"strings"
	"unicode/utf8"
)

// Error is a constant error of this package.
type Error string

func (e Error) Error() string { return string(e) }

// What a Cursor can fail with.
const (
	ErrSyntax  Error = "unexpected text"
	ErrFold    Error = "line end that does not fold"
	ErrComment Error = "comment is not closed"
	ErrQuote   Error = "quoted string is not closed"
	ErrOctet   Error = "octet that is not allowed"
	ErrUTF8    Error = "not UTF-8"
	ErrDepth   Error = "comments nest deeper than the limit"
)

// MaxDepth is how deep comments may nest. Nobody writes more than two levels;
// the bound is there because other readers of the same field may recurse.
const MaxDepth = 16

// A Cursor reads a text from left to right. The zero value is a cursor over "".
type Cursor struct {
	s   string
	pos int
	err error

	// Lax lets FWS fold with a bare LF, as files kept with LF line ends have it,
	// and comments hold octets that are not UTF-8.
	Lax bool

	comment [2]int // the first comment of the last CFWS that consumed any, without its parentheses
}

// New returns a Cursor at the start of s.
func New(s string) Cursor { return Cursor{s: s} }

// Err returns the first error, nil if there was none.
func (c *Cursor) Err() error { return c.err }

// Fail sets the error unless there is one, and returns false.
func (c *Cursor) Fail(err error) bool {
	if c.err == nil {
		c.err = err
	}
	return false
}

// Pos returns the offset of the next octet; after an error, where that arose.
func (c *Cursor) Pos() int { return c.pos }

// Reset goes to an offset that Pos returned, and forgets the error.
func (c *Cursor) Reset(pos int) { c.pos, c.err = pos, nil }

// Since returns the text from an offset that Pos returned up to here.
func (c *Cursor) Since(pos int) string { return c.s[pos:c.pos] }

// Done reports whether everything was read without an error.
func (c *Cursor) Done() bool { return c.err == nil && c.pos == len(c.s) }

// Peek returns the next octet; 0 at the end, after an error, and for a NUL,
// which no grammar wants.
func (c *Cursor) Peek() byte {
	if c.err != nil || c.pos >= len(c.s) {
		return 0
	}
	return c.s[c.pos]
}

// Accept consumes b if it comes next.
func (c *Cursor) Accept(b byte) bool {
	if c.err != nil || c.pos >= len(c.s) || c.s[c.pos] != b {
		return false
	}
	c.pos++
	return true
}

// Expect is Accept, and fails with ErrSyntax if something else comes next.
func (c *Cursor) Expect(b byte) bool { return c.Accept(b) || c.Fail(ErrSyntax) }

// Span consumes the longest run of octets of the classes; it may be empty.
func (c *Cursor) Span(set Class) string {
	if c.err != nil {
		return ""
	}
	start := c.pos
	i := start
	for i < len(c.s) && classes[c.s[i]]&set != 0 {
		i++
	}
	c.pos = i
	return c.s[start:i]
}

// Run is Span, and returns besides the classes that all octets of the run are
// in, and those that at least one is in.
func (c *Cursor) Run(set Class) (run string, all, some Class) {
	all = ^Class(0)
	if c.err != nil {
		return "", all, 0
	}
	s, start := c.s, c.pos
	i := start
	for ; i < len(s); i++ {
		b := classes[s[i]]
		if b&set == 0 {
			break
		}
		all &= b
		some |= b
	}
	c.pos = i
	return s[start:i], all, some
}

// ExpectSpan is Span, and fails with ErrSyntax if there is nothing to consume.
func (c *Cursor) ExpectSpan(set Class) string {
	s := c.Span(set)
	if s == "" {
		c.Fail(ErrSyntax)
	}
	return s
}

// FWS consumes folding white space (RFC 5322, section 3.2.2, obs-FWS included)
// and reports whether there was any. A line end that is not followed by white
// space is not consumed.
func (c *Cursor) FWS() bool {
	if c.err != nil {
		return false
	}
	start := c.pos
	for c.pos < len(c.s) {
		switch b := c.s[c.pos]; {
		case b == ' ' || b == '\t':
			c.pos++
			continue
		case b == '\r' && c.pos+2 < len(c.s) && c.s[c.pos+1] == '\n' && WSP.Is(c.s[c.pos+2]):
			c.pos += 3
			continue
		case b == '\n' && c.Lax && c.pos+1 < len(c.s) && WSP.Is(c.s[c.pos+1]):
			c.pos += 2
			continue
		}
		break
	}
	return c.pos > start
}

// CFWS consumes comments and folding white space (RFC 5322, section 3.2.2) and
// reports whether there were any. An unclosed comment or an octet that may not
// stand in one is an error.
func (c *Cursor) CFWS() bool {
	// Most calls find none: this much is inlined.
	return c.pos < len(c.s) && classes[c.s[c.pos]]&cfws != 0 && c.skipCFWS()
}

func (c *Cursor) skipCFWS() bool {
	c.comment = [2]int{}
	if c.err != nil {
		return false
	}
	start := c.pos
	for c.FWS(); c.Peek() == '('; c.FWS() {
		open := c.pos + 1
		if !c.skipComment() {
			return false
		}
		if c.comment[1] == 0 {
			c.comment = [2]int{open, c.pos - 1}
		}
	}
	return c.pos > start
}

func (c *Cursor) skipComment() bool {
	depth, start, ascii := 0, c.pos, true
	for c.pos < len(c.s) {
		switch b := c.s[c.pos]; {
		case b == '(':
			if depth++; depth > MaxDepth {
				return c.Fail(ErrDepth)
			}
			c.pos++
		case b == ')':
			c.pos++
			if depth--; depth == 0 {
				if !ascii && !c.Lax && !utf8.ValidString(c.s[start:c.pos]) {
					return c.Fail(ErrUTF8)
				}
				return true
			}
		case b == '\\':
			if !c.quotedPair() {
				return false
			}
			ascii = ascii && c.s[c.pos-1] < utf8.RuneSelf
		case classes[b]&Ctext != 0:
			c.pos++
		case b >= utf8.RuneSelf:
			ascii = false
			c.pos++
		case !c.FWS():
			return c.badOctet(b)
		}
	}
	return c.Fail(ErrComment)
}

// quotedPair consumes "\" and the character behind it. The obsolete forms that
// quote a control character are refused (obs-qp, RFC 5322, section 4.1): what
// they carry has no meaning anywhere and may be printed somewhere.
func (c *Cursor) quotedPair() bool {
	if c.pos+1 >= len(c.s) {
		return c.Fail(ErrSyntax)
	}
	if classes[c.s[c.pos+1]]&(Vchar|WSP|NonASCII) == 0 {
		c.pos++
		return c.Fail(ErrOctet)
	}
	c.pos += 2
	return true
}

func (c *Cursor) badOctet(b byte) bool {
	if b == '\r' || b == '\n' {
		return c.Fail(ErrFold)
	}
	return c.Fail(ErrOctet)
}

// Comment returns the text of the first comment that CFWS consumed when it last
// consumed anything, quoted-pairs and folding resolved; "" if there was none.
func (c *Cursor) Comment() string {
	return unescape(c.s[c.comment[0]:c.comment[1]])
}

// Quoted consumes a quoted-string (RFC 5322, section 3.2.4, UTF-8 as in RFC 6532,
// section 3.2) without CFWS around it, and returns its content with quoted-pairs
// and folding resolved. The content may hold tabs, and no other control character.
func (c *Cursor) Quoted() (content string, ok bool) {
	if !c.Expect('"') {
		return "", false
	}
	start, ascii := c.pos, true
	for c.pos < len(c.s) {
		switch b := c.s[c.pos]; {
		case b == '"':
			raw := c.s[start:c.pos]
			if !ascii && !utf8.ValidString(raw) {
				return "", c.Fail(ErrUTF8)
			}
			c.pos++
			return unescape(raw), true
		case b == '\\':
			if !c.quotedPair() {
				return "", false
			}
			ascii = ascii && c.s[c.pos-1] < utf8.RuneSelf
		case classes[b]&Qtext != 0:
			c.pos++
		case b >= utf8.RuneSelf:
			ascii = false
			c.pos++
		case !c.FWS():
			return "", c.badOctet(b)
		}
	}
	return "", c.Fail(ErrQuote)
}

// unescape resolves quoted-pairs and removes the line ends of folding, which are
// semantically invisible (RFC 5322, section 3.2.2); the white space stays.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, '\n') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\r', '\n':
		case '\\':
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
