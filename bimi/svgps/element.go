package svgps

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// element and attribute number the names of the schema; table.go lists them.
type (
	element   uint8
	attribute uint8
	// elementSet has one bit for each element.
	elementSet uint32
)

// String returns the local name.
func (e element) String() string {
	if int(e) < len(elementNames) {
		return elementNames[e]
	}
	return ""
}

func (s elementSet) has(e element) bool { return s>>e&1 != 0 }

func (s *attributeSet) has(a attribute) bool { return s[a/64]>>(a%64)&1 != 0 }

// elementKind says how the inside of an element is judged.
type elementKind uint8

const (
	kindListed  elementKind = iota // in the schema
	kindInert                      // accepted by the lenient profile only
	kindForeign                    // somebody's data, accepted by the lenient profile only
	kindStyle                      // a style sheet in the lenient profile
	kindRefused                    // an error already: what is inside is only read, not judged
)

// element judges a start tag, puts it on the stack and judges its attributes.
func (c *checker) element(o *open, colon int) {
	b, ok := c.lookup(o.name[:max(colon, 0)])
	if !ok {
		c.fatal(ErrNamespace, o.off, "prefix "+quote(o.name[:colon])+" is not declared")
		return
	}
	local := o.name[colon+1:]
	root := len(c.stack) == 0
	if b.space == spaceSVG {
		o.elem = elementOf(local)
		if colon >= 0 && !c.prefixWarned {
			c.prefixWarned = true
			c.note(ErrPrefix, o.off, place{elem: o.name}, "", true)
		}
	}
	if root && o.elem != elemSvg {
		c.fatal(ErrRoot, o.off, quote(o.name))
		return
	}
	o.node = len(c.nodes)
	c.nodes = append(c.nodes, node{elem: o.elem})
	switch {
	case root:
	case c.stack[len(c.stack)-1].kind == kindRefused:
		o.kind = kindRefused
	default:
		o.kind = c.judge(o, b, local, colon)
	}
	if !root {
		c.stack[len(c.stack)-1].children++
	}
	c.stack = append(c.stack, *o)
	c.maxDepth = max(c.maxDepth, len(c.stack))
	if o.kind != kindRefused {
		c.attributes(o, root)
	}
}

// judge decides whether an element other than the root may be where it is.
func (c *checker) judge(o *open, b binding, local []byte, colon int) elementKind {
	parent := &c.stack[len(c.stack)-1]
	where := place{elem: o.name}
	// An HTML parser goes by the name as written: without a prefix a foreign
	// element is whatever HTML or SVG calls by that name.
	foreign := o.elem == elemNone && b.space == spaceOther && colon >= 0 && isInertNamespace(b.uri) && !bytes.EqualFold(local, []byte("script"))
	if o.elem == elemNone && !foreign && isActive(local) {
		c.security(ErrActive, o.off, where)
		return kindRefused
	}
	// An HTML parser reads what stands in title and desc as HTML, where a style
	// sheet has no comments and a name no namespace.
	if parent.elem == elemTitle || parent.elem == elemDesc {
		c.note(ErrPlacement, o.off, where, "in "+printable(parent.name), false)
		return kindRefused
	}
	switch {
	case o.elem != elemNone:
		if !childrenOf[parent.elem].has(o.elem) {
			c.note(ErrPlacement, o.off, where, "in "+printable(parent.name), true)
		}
		if o.elem == elemTitle && parent.elem == elemSvg && len(c.stack) == 1 {
			c.titles++
			switch {
			case c.titles > 1:
				c.note(ErrTitle, o.off, where, "second title", true)
			case parent.children > 0:
				c.note(ErrTitle, o.off, where, "not the first element in svg", true)
			}
		}
		if o.elem == elemUse {
			c.note(ErrUse, o.off, where, "", true)
		}
		return kindListed
	case b.space == spaceSVG:
		if !isInertElement(local) {
			c.note(ErrElement, o.off, where, "", false)
			return kindRefused
		}
		c.note(ErrElement, o.off, where, "", true)
		c.nodes[o.node].clip = string(local) == "clipPath" || string(local) == "mask"
		if c.o.Profile != Lenient {
			return kindRefused
		}
		if string(local) == "style" {
			return kindStyle
		}
		return kindInert
	}
	c.note(ErrForeign, o.off, where, "", foreign)
	if foreign && c.o.Profile == Lenient {
		return kindForeign
	}
	return kindRefused
}

// characterData takes text of the innermost element that is not only white space, or is in a title.
func (c *checker) characterData(value []byte, off int) {
	o := &c.stack[len(c.stack)-1]
	switch {
	case o.kind == kindRefused, o.kind == kindForeign:
		return
	case o.kind == kindStyle:
		c.styleSheet(value, off, place{elem: o.name})
		return
	case o.kind == kindInert && o.elem == elemNone:
		return
	case !withText.has(o.elem):
		if len(bytes.Trim(value, " \t\r\n")) == 0 {
			return // white space by number
		}
		c.note(ErrText, off, place{elem: o.name}, "", true)
		return
	}
	if !o.filled {
		o.filled = visible(value)
	}
	if o.elem == elemTitle && len(c.stack) == 2 && c.titles == 1 {
		c.title = append(c.title, value...)
	}
}

// visible reports whether any character of s leaves a mark. XML and SVG speak
// of text only; a title of zero width spaces names nobody.
func visible(s []byte) bool {
	for _, b := range s {
		if ' ' < b && b < 0x7f {
			return true
		}
	}
	return bytes.IndexFunc(s, func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }) >= 0
}

// closeElement ends the innermost element.
func (c *checker) closeElement() {
	n := len(c.stack) - 1
	o := &c.stack[n]
	c.stack, c.scope = c.stack[:n], c.scope[:o.scope]
	c.nodes[o.node].end = int32(len(c.nodes))
	if o.kind == kindListed {
		switch {
		case o.elem == elemTitle && !o.filled && n == 1:
			c.note(ErrTitle, o.off, place{elem: o.name}, "empty", true)
		case o.elem == elemTitle && n == 1 && c.titles == 1 && utf8.RuneCount(bytes.TrimSpace(c.title)) > maxTitle:
			c.note(ErrTitleLength, o.off, place{elem: o.name}, "", true)
		case o.elem == elemDesc && !o.filled:
			c.note(ErrDesc, o.off, place{elem: o.name}, "", true)
		}
	}
	if n == 0 {
		c.rootClosed = true
		if c.titles == 0 {
			c.note(ErrTitle, o.off, place{elem: o.name}, "missing", true)
		}
	}
}

// place is where a finding is, as written by the stranger.
type place struct{ elem, attr []byte }

// String returns element or element@attribute, printable.
func (p place) String() string {
	s := printable(p.elem)
	if len(p.attr) > 0 {
		s += "@" + printable(p.attr)
	}
	return s
}

// security notes a finding of the security tier, after which reading goes on.
func (c *checker) security(e Error, off int, where place) { c.note(e, off, where, "", false) }

// fatal notes a finding after which the rest cannot be read, or is not worth it.
func (c *checker) fatal(e Error, off int, detail string) {
	c.note(e, off, place{}, detail, false)
	c.dead = true
}

// note adds a finding. inert says that what was found is known to be harmless.
func (c *checker) note(e Error, off int, where place, detail string, inert bool) {
	c.add(e, off, where, detail, nil, inert)
}

// noteText is note with a stranger's text for detail, which is made printable
// only if the finding is listed.
func (c *checker) noteText(e Error, off int, where place, detail []byte, inert bool) {
	c.add(e, off, where, "", detail, inert)
}

// add adds a finding if there is room. Reading stops when there are more errors
// than are listed.
func (c *checker) add(e Error, off int, where place, detail string, text []byte, inert bool) {
	severity := c.o.severity(e, inert)
	switch severity {
	case SeverityError:
		if c.errs++; c.errs > maxListed {
			c.dead = true
			return
		}
	default:
		if c.warns++; c.warns > maxListed {
			return
		}
	}
	f := Finding{Severity: severity, Tier: e.tier(), Err: e, Where: where.String(), Detail: detail}
	if text != nil {
		f.Detail = quote(text)
	}
	if off >= 0 {
		f.Line, f.Column = c.position(off)
	}
	c.findings = append(c.findings, f)
}

// position returns line and column of an offset, counting on from the last one
// asked for where it can.
func (c *checker) position(off int) (line, column int) {
	if off < c.lineAt || c.line == 0 {
		c.lineAt, c.line = 0, 1
	}
	off = min(off, len(c.data))
	c.line += bytes.Count(c.data[c.lineAt:off], []byte("\n"))
	c.lineAt = off
	begin := bytes.LastIndexByte(c.data[:off], '\n') + 1
	return c.line, utf8.RuneCount(c.data[begin:off]) + 1
}
