// Package taglist reads tag=value lists (RFC 6376, section 3.2) as spans over
// the text they came from. Six grammars share it: DKIM signatures and keys, the
// two ARC signatures, DMARC and BIMI records. It judges only what they share;
// what a tag means is its grammar's business.
package taglist

import "strings"

// Error is a constant error of this package.
type Error string

func (e Error) Error() string { return string(e) }

// What can be wrong with a list or with one tag of it.
const (
	ErrSyntax    Error = "tag-list syntax"
	ErrDuplicate Error = "duplicate tag"
	ErrTooMany   Error = "more tags than the limit"
	ErrTooLong   Error = "tag-list longer than the limit"
)

// MaxTags is how many tags a list may have: four times what any grammar defines.
const MaxTags = 64

// MaxLength is how many octets a list may have.
const MaxLength = 16 << 10

// Tag is one tag of a list.
type Tag struct {
	Name  string
	Value string // without the white space around it
	// Start and End delimit, in the text, all between "=" and the next ";":
	// the value with the white space around it, which is what RFC 6376,
	// section 3.5 has a verifier remove from b=.
	Start, End int
	// Err is ErrSyntax if this tag does not follow the grammar; Name and Value
	// are then the raw text where there was any. Set by Scanner only.
	Err error
}

// Scanner walks over a list leniently: one tag at a time, a broken tag is
// reported as such and the next one is read. It allocates nothing.
type Scanner struct {
	s   string
	pos int
	end bool
}

// NewScanner returns a Scanner over s.
func NewScanner(s string) Scanner { return Scanner{s: s, end: isSpace(s)} }

// Next returns the next tag. A final ";" ends the list; an empty tag elsewhere
// has Err set.
func (sc *Scanner) Next() (t Tag, ok bool) {
	ok = sc.next(&t)
	return t, ok
}

// next is Next into a zero Tag.
func (sc *Scanner) next(t *Tag) bool {
	if sc.end {
		return false
	}
	start, eq := sc.pos, sc.name(t)
	stop := len(sc.s)
	if i := strings.IndexByte(sc.s[start:], ';'); i >= 0 {
		stop = start + i
	}
	sc.pos = stop + 1
	sc.end = stop == len(sc.s) || isSpace(sc.s[sc.pos:])
	plainName := eq > 0
	if !plainName {
		eq = start + strings.IndexByte(sc.s[start:stop], '=')
		if eq < start {
			t.Name, t.Start, t.End, t.Err = trim(sc.s[start:stop]), stop, stop, ErrSyntax
			return true
		}
		t.Name = trim(sc.s[start:eq])
	}
	after := sc.s[eq+1 : stop]
	t.Value = trim(after)
	t.Start, t.End = eq+1, stop
	// Most values hold no line end and have no white space around them.
	plain := len(t.Value) == len(after) && isPlain(t.Value)
	if !plainName && !(validName(t.Name) && validFWS(sc.s[start:eq])) || !plain && !(validFWS(after) && validValue(t.Value)) {
		t.Err = ErrSyntax
	}
	return true
}

// name reads the name of the next tag where it is spelt as all are: at most a fold
// before it, and "=" behind. It returns the place of that, or 0 if it is not so.
func (sc *Scanner) name(t *Tag) (eq int) {
	s, i := sc.s, sc.pos
	if i+2 < len(s) && s[i] == '\r' && s[i+1] == '\n' && (s[i+2] == ' ' || s[i+2] == '\t') {
		i += 3
	}
	for i < len(s) && s[i] == ' ' {
		i++
	}
	start := i
	for i < len(s) && 'a' <= s[i] && s[i] <= 'z' {
		i++
	}
	if i == start || i == len(s) || s[i] != '=' {
		return 0
	}
	t.Name = s[start:i]
	return i
}

// Parse reads a whole list strictly: any broken tag or a repeated name makes
// the entire list invalid (RFC 6376, section 3.2). It appends to dst, so that a
// caller can bring its own array.
func Parse(dst []Tag, s string) ([]Tag, error) {
	if len(s) > MaxLength {
		return nil, ErrTooLong
	}
	n := len(dst)
	var letters uint64 // the names of one letter so far
	for sc := NewScanner(s); ; {
		if len(dst) < cap(dst) {
			dst = dst[:len(dst)+1]
			dst[len(dst)-1] = Tag{}
		} else {
			dst = append(dst, Tag{})
		}
		last := len(dst) - 1
		t := &dst[last]
		if !sc.next(t) {
			dst = dst[:last]
			break
		}
		if t.Err != nil {
			return nil, t.Err
		}
		if last-n == MaxTags {
			return nil, ErrTooMany
		}
		if len(t.Name) == 1 {
			bit := uint64(1) << (t.Name[0] - 'A')
			if letters&bit != 0 {
				return nil, ErrDuplicate
			}
			letters |= bit
		} else {
			for i := range dst[n:last] {
				if dst[n+i].Name == t.Name {
					return nil, ErrDuplicate
				}
			}
		}
	}
	if len(dst) == n {
		return nil, ErrSyntax
	}
	return dst, nil
}

// Get returns the value of the tag called name, exactly so spelt.
func Get(tags []Tag, name string) (value string, ok bool) {
	for i := range tags {
		// Most names are one letter, for which a comparison of texts is slow.
		if t := &tags[i]; len(t.Name) == len(name) && (name == "" || t.Name[0] == name[0] && t.Name == name) {
			return t.Value, true
		}
	}
	return "", false
}

// Compact returns v without its folding white space, for values in which the
// grammar allows it anywhere (base64). It copies only when there is some.
func Compact(v string) string {
	i := solid(v)
	if i == len(v) {
		return v
	}
	var b strings.Builder
	b.Grow(len(v) - 1)
	for {
		b.WriteString(v[:i])
		for i < len(v) && isWSP(v[i]) {
			i++
		}
		if v = v[i:]; v == "" {
			return b.String()
		}
		i = solid(v)
	}
}

// solid returns how many octets s begins with that are not white space.
func solid(s string) int {
	const ones, high, low7 = 0x0101010101010101, 0x8080808080808080, 0x7f7f7f7f7f7f7f7f
	i := 0
	for ; i+8 <= len(s); i += 8 {
		p := s[i : i+8]
		w := uint64(p[0]) | uint64(p[1])<<8 | uint64(p[2])<<16 | uint64(p[3])<<24 |
			uint64(p[4])<<32 | uint64(p[5])<<40 | uint64(p[6])<<48 | uint64(p[7])<<56
		if above := w&low7 + (0x7f-' ')*ones | w; above&high != high {
			break // an octet up to SP
		}
	}
	for i < len(s) && !isWSP(s[i]) {
		i++
	}
	return i
}

func isWSP(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// Trim returns s without the white space around it, line ends included.
func Trim(s string) string { return trim(s) }

func trim(s string) string {
	for s != "" && isWSP(s[0]) {
		s = s[1:]
	}
	for s != "" && isWSP(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// isSpace reports whether s is nothing but well-formed folding white space.
func isSpace(s string) bool {
	// Front to back and no further than needed: Next asks this of the whole rest.
	for i := 0; i < len(s); i++ {
		if !isWSP(s[i]) {
			return false
		}
	}
	return validFWS(s)
}

// validFWS reports whether every CR in s is followed by LF and every CRLF by
// WSP, and no LF stands alone. obs-FWS (CRLF twice in a row with only white
// space between) is refused, as RFC 6376, section 2.8 has FWS without it. The
// text's end counts as the field's: a CRLF there belongs to nobody.
func validFWS(s string) bool {
	content := true // the line has something else, or is the first
	for i := 0; i < len(s); {
		switch s[i] {
		case '\r':
			if !content || i+2 >= len(s) || s[i+1] != '\n' || s[i+2] != ' ' && s[i+2] != '\t' {
				return false
			}
			content = false
			i += 3
		case '\n':
			return false
		case ' ', '\t':
			i++
		default:
			content = true
			i += 1 + solid(s[i+1:])
		}
	}
	return true
}

// validName: ALPHA *ALNUMPUNC (RFC 6376, section 3.2).
func validName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if 'a' <= c && c <= 'z' {
			continue
		}
		if i == 0 || !('0' <= s[i] && s[i] <= '9' || s[i] == '_') {
			return false
		}
	}
	return s != ""
}

// validValue: VALCHAR and white space; octets above 0x7f for internationalized
// mail (RFC 8616, section 5). Each grammar narrows it further.
func validValue(s string) bool {
	for len(s) >= 8 {
		if !isPlain(s[:8]) && !validOctets(s[:8]) {
			return false
		}
		s = s[8:]
	}
	return validOctets(s)
}

// isPlain reports whether no octet of s is below SP or DEL.
func isPlain(s string) bool {
	const ones, high, low7 = 0x0101010101010101, 0x8080808080808080, 0x7f7f7f7f7f7f7f7f
	for ; len(s) >= 8; s = s[8:] {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		if plain := (w&low7+(0x80-0x20)*ones)&^(w&low7+ones) | w; plain&high != high {
			return false
		}
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

func validOctets(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 && !isWSP(c) || c == 0x7f {
			return false
		}
	}
	return true
}
