package message

import (
	"strings"
	"unicode/utf8"

	"github.com/seed2385d973/mailauth/internal/canon"
)

// parse indexes text, a header block without its empty line, into a zero Header. closed says
// whether there was one, plain that it has nothing but printable ASCII, SP, HTAB and
// CRLF; that is not said of each that is so.
func (h *Header) parse(text string, closed, plain bool, limits Limits) error {
	if len(text) > limits.HeaderSize {
		return ErrHeaderSize
	}
	h.text = text
	h.fields = make([]span, 0, min(strings.Count(text, "\n")+1, limits.Fields))
	for pos := 0; pos < len(text); {
		if len(h.fields) == limits.Fields {
			return ErrFieldCount
		}
		end, err := h.index(pos, plain, limits)
		if err != nil {
			return err
		}
		pos = end
	}
	h.names.build(h)
	h.whole(closed)
	return nil
}

// index reads the field at pos, notes its defects and returns where it ends.
func (h *Header) index(pos int, plain bool, limits Limits) (end int, err error) {
	text, i := h.text, len(h.fields)
	s := span{start: uint32(pos)}
	if isWSP(text[pos]) {
		h.found(LeadingSpace, i, true) // elsewhere it would belong to the field before
	}
	var odd oddities
	colon, folds, next := -1, 0, pos
	for {
		// A line ends at a CRLF and nowhere else, or with the text.
		line, stop := next, len(text)
		next = len(text)
		for at := line; ; {
			n := strings.IndexByte(text[at:], '\n')
			if n < 0 {
				break
			}
			at += n + 1
			if at-2 >= line && text[at-2] == '\r' {
				stop, next = at-2, at
				break
			}
		}
		content := text[line:stop]
		if folds > 0 {
			content = content[1:]
			if trimWSP(content) == "" {
				odd.blank = true
			}
		}
		if colon < 0 {
			if n := strings.IndexByte(content, ':'); n >= 0 {
				colon = stop - len(content) + n
			}
		}
		if !plain && !canon.Plain(content) {
			odd.look(content)
		}
		s.value = uint32(stop)
		if next-pos > limits.FieldSize {
			return 0, ErrFieldSize
		}
		if next == len(text) || !isWSP(text[next]) {
			break
		}
		if folds++; folds > limits.Folds {
			return 0, ErrFolds
		}
	}
	s.end = uint32(next)
	h.name(&s, colon)
	h.fields = append(h.fields, s)
	if odd != (oddities{}) {
		h.odd(i, odd)
	}
	return next, nil
}

// name sets the place of the field's name and notes what is wrong with it.
func (h *Header) name(s *span, colon int) {
	i := len(h.fields)
	// A reader might append a line without a colon to the field before.
	afterFrom := func() bool { return i > 0 && h.Field(i-1).Is("From") }
	if colon < 0 {
		s.noColon = true
		s.name, s.colon = s.start, s.start
		field := h.text[s.start:s.value]
		h.found(NoColon, i, resemblesFrom(field, i == 0) || afterFrom())
		return
	}
	before := h.text[s.start:colon]
	name := trimFold(before)
	s.name, s.colon = s.start+uint32(len(name)), uint32(colon)
	valid := validName(name)
	if valid && len(name) == len(before) {
		return
	}
	looks := resemblesFrom(name, i == 0)
	if strings.Contains(before, "\r\n") {
		h.found(FoldedFieldName, i, looks || afterFrom())
	} else if len(name) < len(before) {
		h.found(SpaceBeforeColon, i, false)
	}
	if !valid {
		h.found(BadFieldName, i, looks)
	}
}

// oddities are what the octets of a field that are not plain turned out to be.
type oddities struct{ bareLF, bareCR, nul, control, eightBit, blank bool }

func (o *oddities) look(line string) {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c >= 0x80:
			o.eightBit = true
		case c == '\t' || ' ' <= c && c <= '~':
		case c == '\n':
			o.bareLF = true
		case c == '\r':
			o.bareCR = true
		case c == 0:
			o.nul = true
		default:
			o.control = true
		}
	}
}

func (h *Header) odd(i int, o oddities) {
	s := h.fields[i]
	field := h.text[s.start:s.end]
	if o.bareLF {
		h.found(BareLF, i, true)
	}
	if o.bareCR {
		h.found(BareCR, i, true)
	}
	if o.nul {
		h.found(NUL, i, false)
	}
	if o.control || o.eightBit {
		ends, from := lineEnds(field)
		if o.control || ends {
			h.found(ControlCharacter, i, from)
		}
	}
	if o.blank {
		h.found(BlankFold, i, false)
	}
	if o.eightBit && !h.utf8 && utf8.ValidString(field) {
		f := h.Field(i)
		h.utf8 = !f.Is("DKIM-Signature") && !f.Is("ARC-Message-Signature") && !f.Is("ARC-Seal")
	}
}

// whole notes the defects of the header as a whole.
func (h *Header) whole(closed bool) {
	for _, g := range h.names.groups {
		if g.end-g.start < 2 {
			continue
		}
		for _, name := range singletons {
			if equalFold(name, h.Field(int(g.first)).Name()) {
				h.found(DuplicateField, h.names.order[g.start+1], false)
			}
		}
	}
	switch from := h.All("From"); len(from) {
	case 0:
		h.found(MissingFrom, -1, true)
	case 1:
	default:
		h.found(DuplicateFrom, from[1], true)
	}
	if !closed {
		h.found(NoBlankLine, -1, false)
	}
}

// singletons are the fields that may occur once, From aside (RFC 5322, section 3.6;
// RFC 2045, section 3; RFC 2183, section 2).
var singletons = [...]string{
	"Date", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To",
	"References", "Subject", "MIME-Version", "Content-Type",
	"Content-Transfer-Encoding", "Content-ID", "Content-Description",
	"Content-Disposition",
}

func (h *Header) found(d Defect, field int, author bool) {
	f := Finding{d, field}
	h.findings = append(h.findings, f)
	if author {
		h.author = append(h.author, f)
	}
}

func trimWSP(s string) string {
	for s != "" && isWSP(s[0]) {
		s = s[1:]
	}
	return s
}

func isWSP(c byte) bool { return c == ' ' || c == '\t' }

// trimFold cuts white space and CRLFs off the end: what may stand between a
// name and its colon. Nothing else is cut, no other kind of space.
func trimFold(s string) string {
	for {
		switch {
		case s != "" && isWSP(s[len(s)-1]):
			s = s[:len(s)-1]
		case strings.HasSuffix(s, "\r\n"):
			s = s[:len(s)-2]
		default:
			return s
		}
	}
}

// validName: 1*ftext (RFC 5322, section 2.2).
func validName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return s != ""
}

// resemblesFrom reports whether a reader more lenient than this package could
// take name, which is not a legal one, for From: by dropping the octets that
// are not letters, by reading look-alikes as the letters they look like, or by
// ending it at the first blank, or at what looks like a colon. Each character beyond ASCII may stand for one
// letter or for none; at least one letter must be real. On top of the message
// "From ceo@bank.example ..." is what an mbox puts between messages and no
// reader's From field.
func resemblesFrom(name string, top bool) bool {
	if !top && len(name) > 4 && isWSP(name[4]) && equalFold(name[:4], "From") {
		return true
	}
	// The set of places in "from" that may have been reached: bit n for n
	// letters read. A letter that does not fit ends the attempt.
	const word = "from"
	reached, letters := uint(1), 0
	for _, r := range name {
		switch r = compatible(r); {
		case r < utf8.RuneSelf:
			c := lower(byte(r))
			if c < 'a' || c > 'z' {
				if '0' <= c && c <= '9' || c == '-' || c == '_' {
					return false
				}
				continue
			}
			var to uint
			for n := range len(word) {
				if reached&(1<<n) != 0 && word[n] == c {
					to |= 1 << (n + 1)
				}
			}
			if to == 0 {
				return false
			}
			reached, letters = to, letters+1
		case looksLikeColon(r) && letters > 0 && reached&(1<<len(word)) != 0:
			return true
		default:
			reached |= reached << 1 & 0x1f
		}
	}
	return letters > 0 && reached&(1<<len(word)) != 0
}

// compatible returns what NFKC makes of r if that is one of the letters of "from" with
// nothing but signs beside it: wide, mathematical, encircled, raised and lowered letters.
// Any other r it returns as it is, or mapped to another letter.
func compatible(r rune) rune {
	switch {
	case r < 0xaa:
		return r
	case 0xff21 <= r && r <= 0xff5a: // fullwidth
		return r - 0xff21 + 'A'
	case 0x1d400 <= r && r <= 0x1d6a3: // mathematical alphabets, one after the other
		return 'a' + (r-0x1d400)%26
	case 0x249c <= r && r <= 0x24b5: // in parentheses
		return r - 0x249c + 'a'
	case 0x24b6 <= r && r <= 0x24e9: // in circles
		return 'a' + (r-0x24b6)%26
	case 0x1f110 <= r && r <= 0x1f129: // capitals in parentheses
		return r - 0x1f110 + 'A'
	case 0x1f130 <= r && r <= 0x1f149: // in squares
		return r - 0x1f130 + 'A'
	case strings.ContainsRune("\u2131\u1da0", r):
		return 'f'
	case strings.ContainsRune("\u02b3\u1d3f\u1d63\u211b\u211c\u211d", r):
		return 'r'
	case strings.ContainsRune("\u00ba\u1d3c\u1d52\u2092\u2134", r):
		return 'o'
	case strings.ContainsRune("\u1d39\u1d50\u2098\u2133", r):
		return 'm'
	}
	return r
}

// looksLikeColon: the characters that NFKC maps to a colon, and two that fonts draw as one.
func looksLikeColon(r rune) bool {
	return r == 0xff1a || r == 0xfe55 || r == 0xfe13 || r == 0x2236 || r == 0xa789
}

// lineEnds looks in s for characters that some readers take for line ends,
// CR, LF and CRLF aside, and reports whether there are any and whether a From
// field begins at one.
func lineEnds(s string) (found, from bool) {
	line := -1 // where the last line began that has had no colon yet
	for i, r := range s {
		if r == ':' && line >= 0 {
			if resemblesFrom(s[line:i], false) {
				return true, true
			}
			line = -1
		}
		n := utf8.RuneLen(r)
		if r == utf8.RuneError && s[i] == 0x85 {
			r, n = 0x85, 1 // NEL in Latin-1
		}
		switch r {
		case '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
			found = true
			line = i + n
			// A reader may know only the first of several, and drop the others.
			rest := s[line:]
			if n := strings.IndexByte(rest[:min(len(rest), 64)], ':'); n >= 0 && resemblesFrom(rest[:n], false) {
				return true, true
			}
		}
	}
	return found, false
}
