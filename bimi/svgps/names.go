package svgps

import (
	"bytes"
	"unicode/utf8"
)

// space is a namespace, as far as the check distinguishes them.
type space uint8

const (
	spaceNone space = iota
	spaceSVG
	spaceXLink
	spaceXML
	spaceOther
)

const (
	uriSVG   = "http://www.w3.org/2000/svg"
	uriXLink = "http://www.w3.org/1999/xlink"
	uriXML   = "http://www.w3.org/XML/1998/namespace"
	uriXMLNS = "http://www.w3.org/2000/xmlns/"
	uriRDF   = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
)

// binding is one namespace declaration in scope.
type binding struct {
	prefix []byte // empty for the default namespace
	space  space
	uri    []byte
}

// attr is an attribute of the current start tag.
type attr struct {
	name       []byte // as written
	colon      int    // of name, -1 if none
	value      []byte // references replaced
	off        int
	valueOff   int
	referenced bool // the value was written with references
	decl       bool // a namespace declaration
	space      space
	uri        []byte // if space is spaceOther
}

// local returns the name without prefix.
func (a *attr) local() []byte { return a.name[a.colon+1:] }

// prefix returns the prefix, empty if none.
func (a *attr) prefix() []byte { return a.name[:max(a.colon, 0)] }

// namespaces puts the declarations of the current tag in scope, resolves the
// attributes' prefixes and refuses duplicates (Namespaces in XML 1.0, sections
// 3, 5 and 6.3).
func (c *checker) namespaces() bool {
	for i := range c.attrs {
		a := &c.attrs[i]
		var prefix []byte
		switch {
		case string(a.name) == "xmlns":
		case string(a.prefix()) == "xmlns":
			prefix = a.local()
		default:
			continue
		}
		a.decl = true
		// A reference in a namespace name is legal and is how a filter is fooled
		// that compares the text; no drawing program writes one.
		bad := a.referenced
		b := binding{prefix: prefix, space: spaceOther, uri: a.value}
		switch string(a.value) {
		case "":
			bad = bad || len(prefix) > 0
			b.space = spaceNone
		case uriSVG:
			b.space = spaceSVG
		case uriXLink:
			b.space = spaceXLink
		case uriXML:
			bad = bad || string(prefix) != "xml"
			b.space = spaceXML
		case uriXMLNS:
			bad = true
		}
		if string(prefix) == "xmlns" || string(prefix) == "xml" && b.space != spaceXML {
			bad = true
		}
		if bad {
			c.fatal(ErrNamespace, a.off, quote(a.name))
			return false
		}
		if len(c.scope) >= maxBindings {
			c.fatal(ErrNamespace, a.off, "too many declarations in scope")
			return false
		}
		c.scope = append(c.scope, b)
	}
	for i := range c.attrs {
		a := &c.attrs[i]
		if a.colon >= 0 && !a.decl {
			b, ok := c.lookup(a.prefix())
			if !ok {
				c.fatal(ErrNamespace, a.off, "prefix "+quote(a.prefix())+" is not declared")
				return false
			}
			a.space, a.uri = b.space, b.uri
		}
		for j := range c.attrs[:i] {
			if p := &c.attrs[j]; bytes.Equal(p.local(), a.local()) && p.decl == a.decl &&
				(a.decl && bytes.Equal(p.name, a.name) ||
					!a.decl && p.space == a.space && (a.space != spaceOther || bytes.Equal(p.uri, a.uri))) {
				c.fatal(ErrDuplicateAttribute, a.off, quote(a.name))
				return false
			}
		}
	}
	return true
}

// lookup resolves a prefix, the empty one to the default namespace.
func (c *checker) lookup(prefix []byte) (binding, bool) {
	for i := len(c.scope) - 1; i >= 0; i-- {
		if bytes.Equal(c.scope[i].prefix, prefix) {
			return c.scope[i], true
		}
	}
	if string(prefix) == "xml" {
		return binding{space: spaceXML}, true
	}
	return binding{}, len(prefix) == 0
}

// The classes of XML 1.0 (fifth edition), section 2.3, without the colon.

func startByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b == '_'
}

func nameByte(b byte) bool {
	return startByte(b) || '0' <= b && b <= '9' || b == '-' || b == '.'
}

func startRune(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return startByte(byte(r))
	case r < 0x300:
		return r >= 0xC0 && r != 0xD7 && r != 0xF7
	case r < 0x2000:
		return r >= 0x370 && r != 0x37E
	case r < 0x3001:
		return r == 0x200C || r == 0x200D || 0x2070 <= r && r <= 0x218F || 0x2C00 <= r && r <= 0x2FEF
	}
	return r <= 0xD7FF || 0xF900 <= r && r <= 0xFDCF || 0xFDF0 <= r && r <= 0xFFFD || 0x10000 <= r && r <= 0xEFFFF
}

func nameRune(r rune) bool {
	return startRune(r) || r < utf8.RuneSelf && nameByte(byte(r)) || r == 0xB7 || 0x300 <= r && r <= 0x36F || r == 0x203F || r == 0x2040
}

// isNCName reports whether s is a name without colon.
func isNCName(s []byte) bool {
	for i := 0; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			if !nameByte(b) || i == 0 && !startByte(b) {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		if !nameRune(r) || i == 0 && !startRune(r) {
			return false
		}
		i += n
	}
	return len(s) > 0
}

// isNMTOKENS reports whether s is one or more name tokens with white space between them.
func isNMTOKENS(s []byte) bool {
	n := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRune(s[i:])
		if !isSpace(s[i]) {
			if !nameRune(r) && r != ':' {
				return false
			}
			n++
		}
		i += size
	}
	return n > 0
}

// isLanguage reports whether s is empty or a language tag as XML Schema knows it.
func isLanguage(s []byte) bool {
	if len(s) == 0 {
		return true
	}
	for i, part := range bytes.Split(s, []byte("-")) {
		if len(part) < 1 || len(part) > 8 {
			return false
		}
		for _, b := range part {
			if !startByte(b) && (i == 0 || b < '0' || b > '9') || b == '_' {
				return false
			}
		}
	}
	return true
}

// printable makes a stranger's name fit for a message: printable ASCII, bounded.
func printable(s []byte) string {
	cut := ""
	if len(s) > maxName {
		s, cut = s[:maxName], "..."
	}
	b := make([]byte, 0, len(s)+len(cut))
	for _, x := range s {
		if x <= ' ' || x >= 0x7f || x == '"' || x == '\\' {
			x = '?'
		}
		b = append(b, x)
	}
	return string(b) + cut
}

// quote is printable in quotation marks.
func quote(s []byte) string { return `"` + printable(s) + `"` }
