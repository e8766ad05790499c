package svgps

import (
	"bytes"
	"unicode/utf8"
)

// checker reads one image from the front to the back and notes what it finds.
type checker struct {
	o    Options
	data []byte // uncompressed
	pos  int
	dead bool // not readable further

	findings     []Finding
	errs, warns  int
	lineAt, line int // offset up to which lines are counted, and how many there were
	compressed   bool
	rootSeen     bool
	rootClosed   bool
	doctypeSeen  bool
	prefixWarned bool
	maxDepth     int
	titles       int
	title        []byte
	viewBox      [4]float64
	stack        []open
	attrs        []attr
	scope        []binding
	scratch      []byte // decoded attribute values of the current element, or decoded text
	nodes        []node
	ids          []id
	refs         []ref
}

// open is an element whose end tag has not come yet.
type open struct {
	name     []byte // as written, with prefix
	elem     element
	kind     elementKind
	scope    int // length of checker.scope before its declarations
	node     int
	children int  // elements
	filled   bool // visible text seen
	off      int
}

func (c *checker) run(data []byte) {
	var ok bool
	if c.data, ok = c.uncompressed(data); !ok {
		return
	}
	if !c.characters() {
		return
	}
	c.stack = make([]open, 0, DefaultMaxDepth)
	c.attrs = make([]attr, 0, 16)
	c.nodes = make([]node, 0, min(c.o.MaxElements, bytes.Count(c.data, []byte("<"))))
	c.declaration()
	for !c.dead && c.pos < len(c.data) {
		next := bytes.IndexByte(c.data[c.pos:], '<')
		if next < 0 {
			next = len(c.data) - c.pos
		}
		if next > 0 {
			c.text(c.pos, c.pos+next)
			c.pos += next
			continue
		}
		c.markup()
	}
	if c.dead {
		return
	}
	if n := len(c.stack); n > 0 {
		c.fatal(ErrSyntax, c.stack[n-1].off, "element is not closed")
		return
	}
	if !c.rootSeen {
		c.fatal(ErrSyntax, len(c.data), "no element")
		return
	}
	c.resolve()
}

// markup reads what begins with the "<" at pos.
func (c *checker) markup() {
	d, start := c.data, c.pos
	rest := d[start+1:]
	switch {
	case len(rest) == 0:
		c.fatal(ErrSyntax, start, "text ends in markup")
	case rest[0] == '/':
		c.pos += 2
		c.endTag(start)
	case rest[0] == '?':
		c.instruction(start)
	case bytes.HasPrefix(rest, []byte("!--")):
		c.comment(start)
	case bytes.HasPrefix(rest, []byte("![CDATA[")):
		// Inside title and desc an HTML parser takes it for a comment that ends at
		// the first ">", and what follows for markup.
		if len(c.stack) == 0 {
			c.fatal(ErrSyntax, start, "CDATA section outside the root element")
			return
		}
		c.note(ErrCDATA, start, place{}, "", false)
		end := bytes.Index(d[start:], []byte("]]>"))
		if end < 0 {
			c.fatal(ErrSyntax, start, "CDATA section is not closed")
			return
		}
		c.stack[len(c.stack)-1].filled = true
		c.pos = start + end + 3
	case bytes.HasPrefix(rest, []byte("!DOCTYPE")):
		c.doctype(start)
	case rest[0] == '!':
		c.fatal(ErrSyntax, start, "unknown declaration")
	default:
		c.pos++
		c.startTag(start)
	}
}

// comment reads a comment (XML 1.0, section 2.5). An HTML parser ends it
// already at "<!-->" and "<!--->", and then sees the rest as markup; and in a style
// sheet that it takes for HTML's there are none.
func (c *checker) comment(start int) {
	body := c.data[start+4:]
	end := bytes.Index(body, []byte("--"))
	if end < 0 || end+2 >= len(body) || body[end+2] != '>' {
		c.fatal(ErrSyntax, start, `comment holds "--" or is not closed`)
		return
	}
	inStyle := len(c.stack) > 0 && c.stack[len(c.stack)-1].kind == kindStyle
	if end > 0 && body[0] == '>' || end > 1 && body[0] == '-' && body[1] == '>' || inStyle {
		c.note(ErrComment, start, place{}, "", false)
	}
	c.pos = start + 4 + end + 3
}

// quoted reads a quoted literal, not nil unless there is none.
func (c *checker) quoted() []byte {
	if c.pos < len(c.data) && (c.data[c.pos] == '"' || c.data[c.pos] == '\'') {
		if end := bytes.IndexByte(c.data[c.pos+1:], c.data[c.pos]); end >= 0 {
			v := c.data[c.pos+1 : c.pos+1+end : c.pos+1+end]
			c.pos += end + 2
			return v
		}
	}
	return nil
}

// startTag reads a start tag or an empty-element tag from behind its "<"
// (XML 1.0, section 3.1). Prefixes are resolved when all attributes are there,
// because a declaration counts for the whole tag.
func (c *checker) startTag(start int) {
	if c.rootClosed {
		c.fatal(ErrSyntax, start, "second root element")
		return
	}
	name, colon := c.qname()
	if name == nil {
		c.fatal(ErrSyntax, start, "malformed tag")
		return
	}
	if len(c.nodes) >= c.o.MaxElements {
		c.fatal(ErrElements, start, "")
		return
	}
	if len(c.stack) >= c.o.MaxDepth {
		c.fatal(ErrDepth, start, "")
		return
	}
	c.rootSeen = true
	c.attrs, c.scratch = c.attrs[:0], c.scratch[:0]
	empty := false
	for {
		spaced := c.space()
		if c.skip(">") {
			break
		}
		if c.skip("/>") {
			empty = true
			break
		}
		at := c.pos
		if !spaced {
			c.fatal(ErrSyntax, at, "malformed tag")
			return
		}
		a := attr{off: at}
		if a.name, a.colon = c.qname(); a.name == nil {
			c.fatal(ErrSyntax, at, "malformed attribute name")
			return
		}
		c.space()
		if !c.skip("=") {
			c.fatal(ErrSyntax, at, "attribute without value")
			return
		}
		c.space()
		a.valueOff = c.pos + 1
		raw := c.quoted()
		if raw == nil {
			c.fatal(ErrSyntax, at, "attribute value is not quoted")
			return
		}
		if i := bytes.IndexByte(raw, '<'); i >= 0 {
			c.fatal(ErrSyntax, a.valueOff+i, `"<" in an attribute value`)
			return
		}
		var ok bool
		if a.value, ok = c.decoded(raw, a.valueOff); !ok {
			return
		}
		if len(c.attrs) >= c.o.MaxAttributes {
			c.fatal(ErrAttributes, start, "")
			return
		}
		a.referenced = len(a.value) != len(raw)
		c.attrs = append(c.attrs, a)
	}
	outer := len(c.scope)
	if !c.namespaces() {
		return
	}
	o := open{name: name, off: start, scope: outer}
	c.element(&o, colon)
	if empty && !c.dead {
		c.closeElement()
	}
}

// endTag reads an end tag from behind its "</".
func (c *checker) endTag(start int) {
	n := len(c.stack)
	if n == 0 {
		c.fatal(ErrSyntax, start, "end tag without start tag")
		return
	}
	if want := c.stack[n-1].name; !bytes.HasPrefix(c.data[c.pos:], want) {
		c.fatal(ErrSyntax, start, "end tag does not match <"+printable(want)+">")
		return
	}
	c.pos += len(c.stack[n-1].name)
	c.space()
	if !c.skip(">") {
		c.fatal(ErrSyntax, start, "end tag does not match <"+printable(c.stack[n-1].name)+">")
		return
	}
	c.closeElement()
}

// text takes the character data between from and to.
func (c *checker) text(from, to int) {
	raw := c.data[from:to]
	blank := true
	for _, b := range raw {
		if !isSpace(b) {
			blank = false
			break
		}
	}
	if len(c.stack) == 0 {
		if !blank {
			c.fatal(ErrSyntax, from, "text outside the root element")
		}
		return
	}
	if i := bytes.Index(raw, []byte("]]>")); i >= 0 {
		c.fatal(ErrSyntax, from+i, `"]]>" in text`)
		return
	}
	c.scratch = c.scratch[:0]
	value, ok := c.decoded(raw, from)
	if ok && (!blank || c.stack[len(c.stack)-1].elem == elemTitle) {
		c.characterData(value, from)
	}
}

// decoded replaces references in character data (XML 1.0, section 4.1): the
// five predefined entities and characters by number. The result is raw itself
// if there are none, else part of c.scratch.
func (c *checker) decoded(raw []byte, off int) ([]byte, bool) {
	amp := bytes.IndexByte(raw, '&')
	if amp < 0 {
		return raw, true
	}
	start := len(c.scratch)
	for i := 0; ; {
		c.scratch = append(c.scratch, raw[i:amp]...)
		end := bytes.IndexByte(raw[amp:min(len(raw), amp+maxReference)], ';')
		if end < 0 {
			c.fatal(ErrSyntax, off+amp, `"&" that begins no reference`)
			return nil, false
		}
		ref := raw[amp+1 : amp+end]
		switch r, known := reference(ref); {
		case r != 0:
			c.scratch = utf8.AppendRune(c.scratch, r)
		case known:
			c.fatal(ErrSyntax, off+amp, "reference to a character that XML does not allow")
			return nil, false
		default:
			c.fatal(ErrEntity, off+amp, quote(ref))
			return nil, false
		}
		i = amp + end + 1
		next := bytes.IndexByte(raw[i:], '&')
		if next < 0 {
			c.scratch = append(c.scratch, raw[i:]...)
			return c.scratch[start:], true
		}
		amp = i + next
	}
}

// maxReference bounds the search for the ";" of a reference: leading zeros are
// legal without end, and nobody needs them.
const maxReference = 32

// reference returns the character that the text between "&" and ";" stands for.
// It is 0 where there is none; known then tells a bad number from a name.
func reference(s []byte) (r rune, known bool) {
	switch string(s) {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(s) == 0 {
		return 0, true
	}
	if s[0] != '#' {
		return 0, false
	}
	s, base := s[1:], rune(10)
	if len(s) > 0 && s[0] == 'x' {
		s, base = s[1:], 16
	}
	if len(s) == 0 {
		return 0, true
	}
	for _, b := range s {
		var d rune
		switch {
		case '0' <= b && b <= '9':
			d = rune(b - '0')
		case base == 16 && 'a' <= b|0x20 && b|0x20 <= 'f':
			d = rune(b|0x20-'a') + 10
		default:
			return 0, true
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, true
		}
	}
	if !isChar(r) {
		return 0, true
	}
	return r, true
}

// isChar is the production Char of XML 1.0, section 2.2.
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || ' ' <= r && r <= 0xD7FF || 0xE000 <= r && r <= 0xFFFD || 0x10000 <= r && r <= utf8.MaxRune
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

// space skips white space and reports whether there was any.
func (c *checker) space() bool {
	start := c.pos
	for c.pos < len(c.data) && isSpace(c.data[c.pos]) {
		c.pos++
	}
	return c.pos > start
}

// skip skips the literal s if it is next.
func (c *checker) skip(s string) bool {
	if len(c.data)-c.pos < len(s) || string(c.data[c.pos:c.pos+len(s)]) != s {
		return false
	}
	c.pos += len(s)
	return true
}

// qname reads a QName (Namespaces in XML 1.0, section 4): a name with at most
// one colon, which has a name on each side. colon is its place, -1 if none.
// The name is nil if there is no QName.
func (c *checker) qname() (name []byte, colon int) {
	name = c.name()
	colon = bytes.IndexByte(name, ':')
	if len(name) == 0 || colon >= 0 && !isNCName(name[:colon]) {
		return nil, -1
	}
	if colon >= 0 && !isNCName(name[colon+1:]) {
		return nil, -1
	}
	return name, colon
}

// name reads a Name (XML 1.0, section 2.3), empty if there is none.
func (c *checker) name() []byte {
	start := c.pos
	for c.pos < len(c.data) {
		if b := c.data[c.pos]; b < utf8.RuneSelf {
			if !nameByte(b) && b != ':' || c.pos == start && !startByte(b) && b != ':' {
				break
			}
			c.pos++
			continue
		}
		r, n := utf8.DecodeRune(c.data[c.pos:])
		if !nameRune(r) || c.pos == start && !startRune(r) {
			break
		}
		c.pos += n
	}
	return c.data[start:c.pos]
}
