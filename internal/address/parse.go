package address

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/internal/domain"
)

// parser reads an address list with one token of look-ahead. A member of the list
// is scanned to its delimiter as if it were a display name; only if a comma or the
// end comes before any "<" or ":" is it read again, as a bare address.
type parser struct {
	scanner
	tok    token
	commas bool // see ParseUnquotedComma
	merged bool // a member was taken for the beginning of the next one's display name
}

func (p *parser) next() (err error) {
	p.tok, err = p.token()
	return err
}

// list reads *([address] ",") [address] to the end of the text: address-list of
// RFC 5322, section 3.4 with the empty members of section 4.4.
func (p *parser) list(dst []Mailbox) ([]Mailbox, error) {
	n, group, first := len(dst), false, true
	if err := p.next(); err != nil {
		return nil, err
	}
	for {
		m, delim, empty, err := p.member()
		if err != nil {
			return nil, err
		}
		if delim == colon {
			// The display name that was scanned is a group's (RFC 6854, section 2.1).
			if group {
				return nil, ErrGroup
			}
			group, first = true, true
			p.flags |= Group
			continue
		}
		if !empty {
			if len(dst)-n == MaxMailboxes {
				return nil, ErrTooMany
			}
			dst = append(dst, m)
		} else if !p.merged && !(first && (delim == semicolon || delim == end)) {
			// "Name:;" is not obsolete, and a text without any member is no list at all.
			p.flags |= Obsolete
		}
		first = false
		switch delim {
		case comma:
			continue
		case semicolon:
			if !group {
				return nil, ErrSemicolon
			}
			group = false
			// Behind a group there is a comma or the end.
			switch p.tok.kind {
			case end:
				return dst, p.finish(len(dst) - n)
			case comma:
				if err := p.next(); err != nil {
					return nil, err
				}
				continue
			}
			return nil, ErrTrailing
		}
		if group {
			return nil, ErrGroup
		}
		return dst, p.finish(len(dst) - n)
	}
}

// finish judges what only the whole text shows: in a charset that is not UTF-8 a
// backslash can be the second octet of a character, and a reader who knows the
// charset sees quotation marks where we see quoted ones.
func (p *parser) finish(n int) error {
	if p.raw8 && p.slash {
		return ErrEncoding
	}
	if p.merged {
		p.flags |= UnquotedComma
		if n != 1 || p.flags.Has(Group) {
			return ErrNoAddress
		}
	}
	return nil
}

// member reads up to and over the next delimiter: comma, semicolon, end; or colon,
// if what stands before it is a display name.
func (p *parser) member() (m Mailbox, delim kind, empty bool, err error) {
	// Where a bare address would have to be read again from.
	begin, first := p.pos, p.tok
	words, ats, bad := 0, 0, error(nil)
	for {
		switch p.tok.kind {
		case atom, quoted:
			// See the package comment for what may follow an "@".
			if ats > 0 && !p.tok.plain {
				bad = ErrInName
			}
			words++
		case dot:
			// obs-phrase has it, but not in front (RFC 5322, section 4.1).
			if words == 0 {
				bad = ErrName
			}
			if ats > 0 {
				bad = ErrInName
			}
		case at:
			ats++
		case bracket, other:
			if bad = ErrName; ats > 0 {
				bad = ErrLiteral
			}
		case rangle:
			return m, 0, false, ErrAngle
		case langle:
			if bad != nil {
				return m, 0, false, bad
			}
			if ats > 0 {
				if words == 0 || ats > 1 {
					return m, 0, false, ErrInName
				}
			}
			p.name(first.start)
			if m, err = p.angle(); err != nil {
				return m, 0, false, err
			}
			switch delim = p.tok.kind; delim {
			case comma, semicolon:
				err = p.next()
			case end:
			case langle, rangle:
				err = ErrAngle
			default:
				err = ErrTrailing
			}
			return m, delim, false, err
		case colon:
			if bad == nil && ats > 0 {
				bad = ErrInName
			}
			if bad == nil && words == 0 {
				bad = ErrName
			}
			if bad != nil {
				return m, 0, false, bad
			}
			p.name(first.start)
			return m, colon, false, p.next()
		case comma, semicolon, end:
			if p.tok.start == first.start {
				delim = p.tok.kind
				if delim != end {
					err = p.next()
				}
				return m, delim, true, err
			}
			if ats == 0 && bad == nil {
				if bad = ErrNoAddress; p.commas && p.tok.kind == comma && !holdsAt(p.s[first.start:p.tok.start]) {
					p.merged = true
					return m, comma, true, p.next()
				}
			}
			if ats == 0 {
				return m, 0, false, bad
			}
			p.pos, p.tok = begin, first
			if m, err = p.addrSpec(); err != nil {
				return m, 0, false, err
			}
			switch delim = p.tok.kind; delim {
			case comma, semicolon:
				err = p.next()
			case end:
			default:
				err = ErrTrailing
			}
			return m, delim, false, err
		}
		if err := p.next(); err != nil {
			return m, 0, false, err
		}
	}
}

// name judges the display name between start and the current token.
func (p *parser) name(start int) {
	if holdsAt(p.s[start:p.tok.start]) {
		p.flags |= NameHasAddress
	}
}

// angle reads "<" addr-spec ">" and the token behind it.
func (p *parser) angle() (Mailbox, error) {
	if err := p.next(); err != nil {
		return Mailbox{}, err
	}
	switch p.tok.kind {
	case rangle:
		return Mailbox{}, ErrNull
	case at, comma:
		// obs-route; RFC 5322, section 4.4 would have it ignored.
		return Mailbox{}, ErrRoute
	case langle:
		return Mailbox{}, ErrAngle
	}
	m, err := p.addrSpec()
	if err != nil {
		return Mailbox{}, err
	}
	if p.tok.kind != rangle {
		return Mailbox{}, ErrAngle
	}
	return m, p.next()
}

// addrSpec reads local-part "@" domain (RFC 5322, section 3.4.1) and the token
// behind it. White space and comments are accepted around the two parts, where the
// grammar has them, and refused within, where it calls them obsolete.
func (p *parser) addrSpec() (m Mailbox, err error) {
	start, words, pairs, isAtom := p.tok.start, 0, false, true
	stop := start
	for expectWord := true; ; expectWord = !expectWord {
		t := p.tok
		if expectWord {
			if t.kind != atom && t.kind != quoted {
				return m, p.localError()
			}
			if !t.utf8 {
				return m, ErrEncoding
			}
			words++
			pairs = pairs || t.pairs
			isAtom = isAtom && t.kind == atom
		} else if t.kind != dot {
			break
		}
		if t.cfws && t.start != start {
			return m, ErrLocalPart
		}
		stop = t.end
		if err := p.next(); err != nil {
			return m, err
		}
	}
	if p.tok.kind != at {
		return m, p.localError()
	}
	local := p.s[start:stop]
	if strings.Contains(local, "=?") {
		p.flags |= EncodedWord
	}
	if !isAtom {
		if strings.IndexByte(local, '@') >= 0 {
			p.flags |= NameHasAddress
		}
		if words > 1 {
			p.flags |= Obsolete
		}
		if pairs || words > 1 {
			local = unquote(local)
		} else {
			local = local[1 : len(local)-1]
		}
	}
	if len(local) > MaxLocalPart {
		return m, ErrLocalPart
	}
	if err := p.next(); err != nil {
		return m, err
	}
	d, err := p.domain()
	if err != nil {
		return m, err
	}
	return Mailbox{Local: local, Domain: d}, nil
}

// localError names what stands where a local part or its "@" was expected.
func (p *parser) localError() error {
	switch p.tok.kind {
	case end, comma, semicolon, rangle:
		return ErrNoAddress
	case langle:
		return ErrAngle
	}
	return ErrLocalPart
}

// domain reads atom *("." atom) and the token behind it.
func (p *parser) domain() (domain.Name, error) {
	first := p.tok
	if first.kind == bracket {
		return domain.Name{}, ErrLiteral
	}
	stop := first.start
	for p.tok.kind == atom || p.tok.kind == dot {
		if p.tok.cfws && p.tok.start != first.start {
			return domain.Name{}, ErrDomain
		}
		if !p.tok.utf8 {
			return domain.Name{}, ErrEncoding
		}
		stop = p.tok.end
		if err := p.next(); err != nil {
			return domain.Name{}, err
		}
	}
	switch p.tok.kind {
	case quoted, at, bracket, other:
		return domain.Name{}, ErrDomain
	}
	n, err := domain.Parse(p.s[first.start:stop])
	if err != nil {
		return domain.Name{}, fmt.Errorf("%w: %w", ErrDomain, err)
	}
	return n, nil
}

// unquote returns the meaning of a local part of words and dots (RFC 5322, section
// 3.2.4): without quotation marks, without the backslash of quoted-pairs, unfolded.
func unquote(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"', '\r', '\n':
		case '\\':
			i++
			b = append(b, s[i])
		default:
			b = append(b, s[i])
		}
	}
	return string(b)
}

// holdsAt reports whether a display name holds an "@", as it stands or
// within an encoded-word (RFC 2047, section 2).
func holdsAt(w string) bool {
	if strings.IndexByte(w, '@') >= 0 {
		return true
	}
	for {
		i := strings.Index(w, "=?")
		if i < 0 {
			return false
		}
		w = w[i+2:]
		_, rest, _ := strings.Cut(w, "?")
		encoding, rest, _ := strings.Cut(rest, "?")
		text, rest, ok := strings.Cut(rest, "?")
		if !ok {
			return false
		}
		if !strings.HasPrefix(rest, "=") {
			continue
		}
		switch encoding {
		case "q", "Q":
			if strings.Contains(text, "=40") {
				return true
			}
		case "b", "B":
			if base64HoldsAt(text) {
				return true
			}
		}
		w = rest
	}
}

func base64HoldsAt(text string) bool {
	var in, out [256]byte
	for text != "" {
		n := copy(in[:], text)
		text = text[n:]
		m, _ := base64.StdEncoding.Decode(out[:], in[:n])
		if bytes.IndexByte(out[:m], '@') >= 0 {
			return true
		}
	}
	return false
}
