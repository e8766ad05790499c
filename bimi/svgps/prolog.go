package svgps

import (
	"bytes"
	"unicode/utf8"
)

// characters checks the encoding of the whole text once, so that nothing below
// meets an invalid one: UTF-8 of the characters of XML 1.0, section 2.2.
func (c *checker) characters() bool {
	d := c.data
	switch {
	case bytes.HasPrefix(d, []byte("\xef\xbb\xbf")):
		c.note(ErrByteOrderMark, 0, place{}, "", true)
		c.pos = 3
	case bytes.HasPrefix(d, []byte("\xfe\xff")), bytes.HasPrefix(d, []byte("\xff\xfe")):
		c.fatal(ErrEncoding, 0, "UTF-16")
		return false
	}
	for i := c.pos; i < len(d); {
		b := d[i]
		if b < utf8.RuneSelf {
			if b < ' ' && !isSpace(b) {
				c.fatal(ErrEncoding, i, "control character")
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(d[i:])
		if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
			c.fatal(ErrEncoding, i, "invalid UTF-8 or not a character")
			return false
		}
		i += n
	}
	return true
}

// declaration reads the XML declaration, which may stand at the very start only
// (XML 1.0, section 2.8).
func (c *checker) declaration() {
	start := c.pos
	if !c.skip("<?xml") {
		return
	}
	if c.pos == len(c.data) || !isSpace(c.data[c.pos]) {
		c.pos = start // an instruction with another target
		return
	}
	bad := func(detail string) { c.fatal(ErrSyntax, start, detail) }
	version, ok := c.pseudo("version")
	if !ok || string(version) != "1.0" {
		bad("XML declaration without version 1.0")
		return
	}
	if encoding, ok := c.pseudo("encoding"); ok && !bytes.EqualFold(encoding, []byte("utf-8")) {
		c.fatal(ErrEncoding, start, "encoding other than UTF-8 declared")
		return
	}
	if alone, ok := c.pseudo("standalone"); ok && string(alone) != "yes" && string(alone) != "no" {
		bad("standalone is neither yes nor no")
		return
	}
	c.space()
	if !c.skip("?>") {
		bad("malformed XML declaration")
	}
}

// pseudo reads white space, name="value" of the XML declaration.
func (c *checker) pseudo(name string) ([]byte, bool) {
	start := c.pos
	if c.space() && c.skip(name) {
		c.space()
		if c.skip("=") {
			c.space()
			if c.pos < len(c.data) && (c.data[c.pos] == '"' || c.data[c.pos] == '\'') {
				if end := bytes.IndexByte(c.data[c.pos+1:], c.data[c.pos]); end >= 0 {
					v := c.data[c.pos+1 : c.pos+1+end]
					c.pos += end + 2
					return v, true
				}
			}
		}
	}
	c.pos = start
	return nil, false
}

// instruction refuses every processing instruction: xml-stylesheet loads, and
// an HTML parser ends any of them at the first ">".
func (c *checker) instruction(start int) {
	c.pos = start + 2
	target := c.name()
	if bytes.EqualFold(target, []byte("xml")) {
		c.fatal(ErrSyntax, start, "XML declaration that is not at the very start")
		return
	}
	end := bytes.Index(c.data[c.pos:], []byte("?>"))
	if len(target) == 0 || end < 0 || end > 0 && !isSpace(c.data[c.pos]) {
		c.fatal(ErrSyntax, start, "malformed processing instruction")
		return
	}
	c.noteText(ErrInstruction, start, place{}, target, false)
	c.pos += end + 2
}

// doctype reads a document type declaration (XML 1.0, section 2.8). An internal
// subset, or an external one that is not the W3C's, is a matter of security:
// somebody's parser will expand or fetch it.
func (c *checker) doctype(start int) {
	if c.rootSeen || c.doctypeSeen {
		c.fatal(ErrSyntax, start, "document type declaration repeated or after the root element began")
		return
	}
	c.doctypeSeen = true
	c.pos = start + len("<!DOCTYPE")
	sane := c.space() && len(c.name()) > 0
	var literals [2][]byte
	if spaced := c.space(); sane && spaced {
		n := 0
		switch {
		case c.skip("PUBLIC"):
			n = 2
		case c.skip("SYSTEM"):
			n = 1
		}
		for i := 2 - n; i < 2 && sane; i++ {
			sane = c.space()
			if literals[i] = c.quoted(); literals[i] == nil {
				sane = false
			}
		}
		c.space()
	}
	if sane && c.skip("[") {
		c.fatal(ErrSubset, start, "internal subset")
		return
	}
	if !sane || !c.skip(">") {
		c.fatal(ErrSyntax, start, "malformed document type declaration")
		return
	}
	if system := literals[1]; system != nil && !bytes.HasPrefix(system, []byte("http://www.w3.org/Graphics/SVG/")) && !bytes.HasPrefix(system, []byte("http://www.w3.org/TR/")) {
		c.note(ErrSubset, start, place{}, "foreign document "+quote(system), false)
		return
	}
	c.note(ErrDoctype, start, place{}, "", true)
}
