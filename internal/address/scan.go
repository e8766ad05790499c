package address

import (
	"strings"
	"unicode/utf8"
)

// kind is the kind of a token. The specials of RFC 5322, section 3.2.3 that mean
// something to an address list are kinds of their own.
type kind uint8

const (
	end kind = iota
	atom
	quoted // with its quotation marks
	dot
	at
	comma
	colon
	semicolon
	langle
	rangle
	bracket // "[" or "]"
	other   // a backslash
)

// token is one lexical token (RFC 5322, section 3.2).
type token struct {
	kind       kind
	start, end int
	cfws       bool // white space or a comment came before it
	plain      bool // atom: letters, digits and hyphens only
	utf8       bool // all of it is ASCII or UTF-8
	pairs      bool // quoted: it holds a quoted-pair or folding
}

// What an ASCII octet is to an atom (RFC 5322, section 3.2.3).
const (
	atext   = iota // part of it
	ldh            // part of it, and a letter, digit or hyphen
	noAtext        // the end of it
)

var ascii = func() (t [utf8.RuneSelf]uint8) {
	for c := range t {
		switch {
		case c <= 0x20, c == 0x7f, strings.IndexByte(`()<>[]:;@\,."`, byte(c)) >= 0:
			t[c] = noAtext
		case c == '-', '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z':
			t[c] = ldh
		}
	}
	return t
}()

// scanner cuts a field value into tokens. It goes forward only.
type scanner struct {
	s     string
	pos   int
	flags Flags
	cfws  bool // any token so far had white space or a comment before it
	raw8  bool // octets that are not UTF-8 were seen
	slash bool // a backslash was seen
}

// next returns the token at pos and moves behind it.
func (sc *scanner) token() (token, error) {
	spaced, err := sc.skipCFWS()
	if err != nil {
		return token{}, err
	}
	if spaced {
		sc.cfws = true
	}
	t := token{start: sc.pos, cfws: spaced, utf8: true}
	if sc.pos == len(sc.s) {
		t.end = sc.pos
		return t, nil
	}
	switch c := sc.s[sc.pos]; c {
	case '"':
		if err := sc.quotedString(&t); err != nil {
			return token{}, err
		}
	case '.':
		t.kind = dot
	case '@':
		t.kind = at
	case ',':
		t.kind = comma
	case ':':
		t.kind = colon
	case ';':
		t.kind = semicolon
	case '<':
		t.kind = langle
	case '>':
		t.kind = rangle
	case '[', ']':
		t.kind = bracket
	case '\\':
		t.kind = other
		sc.slash = true
	case ')':
		return token{}, ErrComment
	default:
		if c < 0x20 || c == 0x7f {
			return token{}, ErrControl
		}
		sc.atom(&t)
		t.end = sc.pos
		return t, nil
	}
	if t.kind != quoted {
		sc.pos++
	}
	t.end = sc.pos
	return t, nil
}

// atom reads 1*atext with UTF-8 (RFC 6532, section 3.2). Octets above 0x7f that
// are not UTF-8 are taken in; what may hold them is for the parser to say.
func (sc *scanner) atom(t *token) {
	t.kind, t.plain = atom, true
	for sc.pos < len(sc.s) {
		c := sc.s[sc.pos]
		if c < utf8.RuneSelf {
			k := ascii[c]
			if k == noAtext {
				return
			}
			t.plain = t.plain && k == ldh
			sc.pos++
			continue
		}
		t.plain = false
		if !sc.nonASCII() {
			t.utf8 = false
		}
	}
}

// nonASCII moves over one UTF-8 sequence, or over one octet that begins none, and
// reports which it was.
func (sc *scanner) nonASCII() bool {
	r, n := utf8.DecodeRuneInString(sc.s[sc.pos:])
	sc.pos += n
	if r == utf8.RuneError && n == 1 {
		sc.raw8 = true
		sc.flags |= NotUTF8
		return false
	}
	switch {
	case r == 0x061c, r == 0x200e, r == 0x200f, 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
		sc.flags |= Bidi
	}
	return true
}

// quotedString reads a quoted-string (RFC 5322, section 3.2.4) at its first mark.
func (sc *scanner) quotedString(t *token) error {
	t.kind = quoted
	for sc.pos++; sc.pos < len(sc.s); {
		switch c := sc.s[sc.pos]; {
		case c == '"':
			sc.pos++
			return nil
		case c == '\\':
			t.pairs = true
			if err := sc.quotedPair(); err != nil {
				return err
			}
		case c == '\r' || c == '\n':
			t.pairs = true
			if err := sc.fold(); err != nil {
				return err
			}
		case c >= utf8.RuneSelf:
			if !sc.nonASCII() {
				t.utf8 = false
			}
		case c < 0x20 && c != '\t' || c == 0x7f:
			return ErrControl
		default:
			sc.pos++
		}
	}
	return ErrQuote
}

// quotedPair moves over a backslash and, if it is ASCII, the character it quotes.
func (sc *scanner) quotedPair() error {
	sc.slash = true
	if sc.pos++; sc.pos == len(sc.s) {
		return ErrQuote
	}
	switch c := sc.s[sc.pos]; {
	case c < 0x20 && c != '\t' || c == 0x7f:
		return ErrControl
	case c < utf8.RuneSelf:
		sc.pos++
	}
	return nil
}

// fold moves over a CRLF that white space follows (RFC 5322, section 3.2.2).
func (sc *scanner) fold() error {
	rest := sc.s[sc.pos:]
	if len(rest) < 3 || rest[0] != '\r' || rest[1] != '\n' || rest[2] != ' ' && rest[2] != '\t' {
		return ErrFold
	}
	// A line of white space only is the obsolete form (RFC 5322, section 4.2).
	for i := 3; ; i++ {
		if i == len(rest) || rest[i] == '\r' {
			sc.flags |= Obsolete
			break
		}
		if rest[i] != ' ' && rest[i] != '\t' {
			break
		}
	}
	sc.pos += 3
	return nil
}

// skipCFWS moves over comments and white space (RFC 5322, section 3.2.2) and
// reports whether there were any. Nesting is a counter.
func (sc *scanner) skipCFWS() (any bool, err error) {
	depth, from, encoded := 0, sc.pos, false
	for sc.pos < len(sc.s) {
		switch c := sc.s[sc.pos]; {
		case c == ' ' || c == '\t':
			sc.pos++
		case c == '\r' || c == '\n':
			if err := sc.fold(); err != nil {
				return false, err
			}
		case c == '(':
			if depth++; depth > MaxCommentDepth {
				return false, ErrCommentDepth
			}
			sc.pos++
		case depth == 0:
			sc.comments(from, encoded)
			return sc.pos > from, nil
		case c == ')':
			depth--
			sc.pos++
		case c == '\\':
			if err := sc.quotedPair(); err == ErrQuote {
				return false, ErrComment
			} else if err != nil {
				return false, err
			}
		case c >= utf8.RuneSelf:
			sc.nonASCII()
		case c < 0x20 || c == 0x7f:
			return false, ErrControl
		default:
			if c == '@' {
				sc.flags |= NameHasAddress
			}
			encoded = encoded || c == '?'
			sc.pos++
		}
	}
	if depth > 0 {
		return false, ErrComment
	}
	sc.comments(from, encoded)
	return sc.pos > from, nil
}

// comments judges the comments since from: encoded-words have their place there, too
// (RFC 2047, section 5).
func (sc *scanner) comments(from int, encoded bool) {
	if encoded && holdsAt(sc.s[from:sc.pos]) {
		sc.flags |= NameHasAddress
	}
}
