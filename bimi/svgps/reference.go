package svgps

import "bytes"

// references refuses, in an attribute value, what leads out of the document:
// url() of anything but #name, the other functions of CSS that load, escapes
// by which a CSS parser would see a function that is not written there, and
// schemes. functions says whether the value is read by a CSS parser at all;
// metadata such as role is not.
func (c *checker) references(v []byte, off, node int, where place, functions bool) {
	if !functions {
		if scheme(v, false) || bytes.Contains(v, []byte("//")) {
			c.security(ErrReference, off, where)
		}
		return
	}
	// The values of nearly all attributes are numbers, names and path data.
	if bytes.IndexByte(v, '(') < 0 && bytes.IndexByte(v, ':') < 0 && bytes.IndexByte(v, '\\') < 0 && bytes.IndexByte(v, '/') < 0 {
		return
	}
	if bytes.IndexByte(v, '\\') >= 0 || bytes.Contains(v, []byte("//")) || bytes.Contains(v, []byte("/*")) || scheme(v, false) || !c.functions(v, off, node, false) {
		c.security(ErrReference, off, where)
	}
}

// functions checks every function in a CSS value against a list; url() has to
// be local. It notes the local ones as edges of the drawing.
func (c *checker) functions(v []byte, off, node int, sheet bool) bool {
	for i := 0; ; {
		p := bytes.IndexByte(v[i:], '(')
		if p < 0 {
			return true
		}
		p += i
		end := p
		for end > i && isSpace(v[end-1]) {
			end--
		}
		begin := end
		for begin > i && end-begin <= maxFunction && (nameByte(v[begin-1]) || v[begin-1] >= 0x80) {
			begin--
		}
		i = p + 1
		name := v[begin:end]
		if bytes.EqualFold(name, []byte("url")) {
			id, n := localURL(v[i:])
			if n == 0 {
				return false
			}
			c.refs = append(c.refs, ref{name: bytes.Clone(id), node: node, off: off, paint: true, sheet: sheet})
			i += n
			continue
		}
		if !isFunction(name) {
			return false
		}
	}
}

// maxFunction is longer than any function name on the list.
const maxFunction = 16

// isFunction lists the functions that only compute: colours, and transforms of
// SVG Tiny 1.2.
func isFunction(name []byte) bool {
	switch string(bytes.ToLower(name)) {
	case "rgb", "rgba", "hsl", "hsla", "matrix", "translate", "scale", "rotate", "skewx", "skewy", "ref":
		return true
	}
	return false
}

// localURL reads the argument of url( up to its ")": a fragment, quoted or not.
// n is 0 if it is anything else.
func localURL(v []byte) (id []byte, n int) {
	end := bytes.IndexByte(v, ')')
	if end < 0 {
		return nil, 0
	}
	arg := bytes.Trim(v[:end], " \t\r\n")
	if len(arg) > 1 && (arg[0] == '"' || arg[0] == '\'') && arg[len(arg)-1] == arg[0] {
		arg = arg[1 : len(arg)-1]
	}
	if id = fragment(arg); id == nil {
		return nil, 0
	}
	return id, end + 1
}

// fragment returns the name in "#name", nil if v is not exactly that. A name
// with percent-encoding or a pointer scheme is not, because parsers differ
// about what it points to.
func fragment(v []byte) []byte {
	if len(v) > 1 && v[0] == '#' && isNCName(v[1:]) {
		return v[1:]
	}
	return nil
}

// scheme reports whether v holds the scheme of a URL, written with the white
// space inside that URL parsers drop. Only the schemes that do something are
// listed: a metadata attribute may hold words with a colon. With active only
// those count that do something by themselves.
func scheme(v []byte, active bool) bool {
	for i := 0; ; i++ {
		p := bytes.IndexByte(v[i:], ':')
		if p < 0 {
			return false
		}
		i += p
		var word [12]byte
		n := len(word)
		for j := i - 1; j >= 0 && n > 0; j-- {
			b := v[j]
			if b <= ' ' {
				continue
			}
			if b |= 0x20; (b < 'a' || b > 'z') && b != '-' {
				break
			}
			n--
			word[n] = b
			// Bounded even where v is one run of white space.
			if i-j > 4*maxName {
				return true
			}
		}
		switch string(word[n:]) {
		case "javascript", "livescript", "vbscript", "data":
			return true
		case "blob", "file", "filesystem", "http", "https", "ftp", "ws", "wss", "jar", "mailto", "tel", "cid", "mhtml", "about", "view-source", "intent", "urn":
			if !active {
				return true
			}
		}
	}
}

// style judges a style attribute, which only the lenient profile accepts.
func (c *checker) style(v []byte, off, node int, where place) {
	if !c.css(v, off, node, false) {
		c.security(ErrReference, off, where)
	}
}

// styleSheet judges the text of a style element. To which elements its rules
// apply is not worked out.
func (c *checker) styleSheet(v []byte, off int, where place) {
	if !c.css(v, off, c.stack[len(c.stack)-1].node, true) {
		c.security(ErrReference, off, where)
	}
}

// css accepts only style text without at-rules, escapes, comments, markup,
// bindings and behaviours, with functions of the list.
func (c *checker) css(v []byte, off, node int, sheet bool) bool {
	if bytes.ContainsAny(v, `\@<`) || bytes.Contains(v, []byte("/*")) || bytes.Contains(v, []byte("//")) || scheme(v, false) {
		return false
	}
	low := bytes.ToLower(v)
	for _, word := range []string{"binding", "behavior", "expression"} {
		if bytes.Contains(low, []byte(word)) {
			return false
		}
	}
	return c.functions(v, off, node, sheet)
}
