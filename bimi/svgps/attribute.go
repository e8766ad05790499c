package svgps

import (
	"bytes"
	"strconv"
)

// kind is the datatype of an attribute in the schema. The enumerations begin at
// kindEnum; table.go numbers them.
type kind uint8

const (
	kindString kind = iota
	kindURI
	kindNCName
	kindNMTOKENS
	kindLanguage
	kindAspect
	kindEnum
)

// attributes judges the attributes of the current start tag.
func (c *checker) attributes(o *open, root bool) {
	var seen attributeSet
	for i := range c.attrs {
		a := &c.attrs[i]
		if a.decl {
			continue
		}
		c.attribute(o, a, &seen)
		if c.dead {
			return
		}
	}
	if seen.has(attrId) && seen.has(attrXmlId) {
		c.note(ErrAttribute, o.off, place{elem: o.name}, "id and xml:id together", true)
	}
	if root {
		c.root(o, &seen)
	}
}

func (c *checker) attribute(o *open, a *attr, seen *attributeSet) {
	where := place{o.name, a.name}
	local := a.local()
	if len(local) > 2 && local[0]|0x20 == 'o' && local[1]|0x20 == 'n' {
		c.security(ErrActive, a.off, where)
		return
	}
	if a.colon < 0 && bytes.EqualFold(o.name, []byte("font")) && endsForeign(local) {
		c.security(ErrActive, a.off, where)
		return
	}
	key := attrNone
	switch a.space {
	case spaceNone:
		if o.kind == kindForeign && string(a.name) != "style" {
			if scheme(a.value, true) {
				c.security(ErrReference, a.off, where)
			}
			return // part of the foreign element
		}
		key = attributeOf(a.name)
	case spaceXML:
		if string(a.prefix()) == "xml" {
			key = attributeOf(a.name)
		}
	case spaceXLink:
		c.xlink(o, a, where)
		return
	default:
		// An HTML parser takes xlink:href for what it looks like, whatever the prefix
		// is bound to.
		if bytes.EqualFold(a.prefix(), []byte("xlink")) {
			c.security(ErrReference, a.off, where)
			return
		}
		// Rebinding the SVG namespace to a prefix does not make its attributes.
		inert := a.space == spaceOther && isInertNamespace(a.uri)
		c.note(ErrForeign, a.off, where, "", inert)
		if scheme(a.value, true) {
			c.security(ErrReference, a.off, where)
		}
		return
	}
	switch key {
	case attrXmlBase:
		// The schema has it; it turns every #name into a reference elsewhere.
		c.security(ErrReference, a.off, where)
		return
	case attrId, attrXmlId:
		c.identify(o, a)
	case attrHref:
		c.href(o, a, where)
		return
	}
	if o.kind == kindListed && key != attrNone && attributesOf[o.elem].has(key) {
		seen[key/64] |= 1 << (key % 64)
		if k := kindOf(o.elem, key); !valid(k, a.value) {
			detail := quote(a.value)
			if k >= kindEnum {
				detail += ", allowed: " + enumWords(k)
			}
			c.note(ErrValue, a.off, where, detail, true)
		}
	} else {
		inert := key != attrNone || isInertAttribute(a.name)
		c.note(ErrAttribute, a.off, where, "", inert)
	}
	switch {
	case string(a.name) == "style":
		c.style(a.value, a.off, o.node, where)
	case key == attrNone && bytes.HasPrefix(a.name, []byte("data-")):
		// A page's own data; nothing reads it here.
	default:
		c.references(a.value, a.off, o.node, where, !isMetadata(key))
	}
}

// endsForeign lists the attributes with which a font element ends the image for an
// HTML parser: what follows is HTML to it.
func endsForeign(name []byte) bool {
	return bytes.EqualFold(name, []byte("color")) || bytes.EqualFold(name, []byte("face")) || bytes.EqualFold(name, []byte("size"))
}

// href judges href or xlink:href: on use it draws another element, on a
// gradient or pattern it inherits from one, and elsewhere it is a link.
func (c *checker) href(o *open, a *attr, where place) {
	switch {
	case o.elem == elemUse:
		c.use(o, a, where)
	case o.elem == elemLinearGradient, o.elem == elemRadialGradient, o.kind == kindInert && o.elem == elemNone:
		c.note(ErrAttribute, a.off, where, "", true)
		c.target(a, o.node, where)
	default:
		c.security(ErrActive, a.off, where)
	}
}

// xlink judges an attribute of the XLink namespace: xlink:href on use, as
// SVG Tiny 1.2 has it, though the schema's href has no namespace.
func (c *checker) xlink(o *open, a *attr, where place) {
	switch string(a.local()) {
	case "href":
		c.href(o, a, where)
	case "type", "title", "show", "actuate":
		c.note(ErrAttribute, a.off, where, "", true)
		if scheme(a.value, true) {
			c.security(ErrReference, a.off, where)
		}
	default:
		c.note(ErrAttribute, a.off, where, "", false)
	}
}

// valid reports whether the value is of the datatype. As in XML Schema, white
// space around the value counts for none of them but strings.
func valid(k kind, v []byte) bool {
	switch k {
	case kindString, kindURI:
		return true
	case kindNCName:
		return isNCName(bytes.Trim(v, " \t\r\n"))
	case kindNMTOKENS:
		return isNMTOKENS(v)
	case kindLanguage:
		return isLanguage(bytes.Trim(v, " \t\r\n"))
	case kindAspect:
		v = bytes.Trim(v, " \t\r\n")
		rest, ok := bytes.CutPrefix(v, []byte("none"))
		if !ok {
			rest, ok = bytes.CutPrefix(v, []byte("xMidYMid"))
		}
		rest = bytes.TrimLeft(rest, " \t\r\n")
		return ok && (len(rest) == 0 || string(rest) == "meet")
	}
	return inEnum(k, bytes.Trim(v, " \t\r\n"))
}

// root judges what only the root has.
func (c *checker) root(o *open, seen *attributeSet) {
	for _, key := range requiredOnRoot {
		if !seen.has(key) {
			c.note(ErrRequired, o.off, place{elem: o.name}, attributeNames[key], true)
		}
	}
	size := func(name string) {
		for i := range c.attrs {
			if a := &c.attrs[i]; string(a.name) == name {
				pixels, ok := length(a.value)
				switch {
				case !ok:
					c.noteText(ErrRelative, a.off, place{o.name, a.name}, a.value, true)
				case pixels < minPixels:
					c.noteText(ErrSmall, a.off, place{o.name, a.name}, a.value, true)
				}
				return
			}
		}
		c.note(ErrNoDimensions, o.off, place{elem: o.name}, "no "+name, true)
	}
	size("width")
	size("height")
	for i := range c.attrs {
		if a := &c.attrs[i]; string(a.name) == "viewBox" {
			c.box(a, place{o.name, a.name})
			return
		}
	}
	c.note(ErrViewBox, o.off, place{elem: o.name}, "missing", true)
}

// box reads viewBox: four numbers, separated by white space or a comma.
func (c *checker) box(a *attr, where place) {
	var box [4]float64
	n, commas := 0, bytes.IndexByte(a.value, ',') >= 0
	for v := bytes.Trim(a.value, " \t\r\n"); len(v) > 0; n++ {
		end := bytes.IndexAny(v, ", \t\r\n")
		if end < 0 {
			end = len(v)
		}
		f, ok := number(v[:end])
		if !ok || n == len(box) {
			n = -1
			break
		}
		box[n] = f
		v = bytes.TrimLeft(v[end:], " \t\r\n")
		if rest, ok := bytes.CutPrefix(v, []byte(",")); ok {
			if v = bytes.TrimLeft(rest, " \t\r\n"); len(v) == 0 {
				n = -1
				break
			}
		}
	}
	switch {
	case n != len(box) || box[2] <= 0 || box[3] <= 0:
		c.noteText(ErrViewBox, a.off, where, a.value, true)
		return
	case commas:
		c.note(ErrViewBox, a.off, where, "commas", true)
	}
	c.viewBox = box
	if box[2] != box[3] {
		c.noteText(ErrNotSquare, a.off, where, a.value, true)
	}
}

// number reads a decimal number, without the names and bases that strconv knows.
func number(s []byte) (float64, bool) {
	if len(s) == 0 || len(s) > maxNumber {
		return 0, false
	}
	for _, b := range s {
		if (b < '0' || b > '9') && b != '.' && b != '-' && b != '+' && b|0x20 != 'e' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(s), 64)
	return f, err == nil
}

// length reads a width or height and returns it in pixels of 1/96 inch; false
// if it is relative or no length.
func length(v []byte) (float64, bool) {
	v = bytes.Trim(v, " \t\r\n")
	scale := 1.0
	if n := len(v); n > 2 {
		unit := 2
		switch string(v[n-2:]) {
		case "px":
		case "in":
			scale = 96
		case "cm":
			scale = 96 / 2.54
		case "mm":
			scale = 96 / 25.4
		case "pt":
			scale = 96.0 / 72
		case "pc":
			scale = 16
		default:
			unit = 0
		}
		v = v[:n-unit]
	}
	f, ok := number(v)
	return f * scale, ok
}
