package scan

// Class is a set of octet classes. Classes are combined with |.
type Class uint16

// The classes that the mail grammars are made of.
const (
	// Alpha and Digit: RFC 5234, appendix B.1.
	Alpha Class = 1 << iota
	Digit
	// Hyphen is "-", Underscore is "_", Dot is ".".
	Hyphen
	Underscore
	Dot
	// WSP is space and tab.
	WSP
	// Token is what a MIME token consists of (RFC 2045, section 5.1).
	Token
	// Atext is what an atom consists of (RFC 5322, section 3.2.3), ASCII only.
	Atext
	// Qtext and Ctext are the plain octets of quoted-strings and comments
	// (RFC 5322, sections 3.2.2 and 3.2.4), ASCII only.
	Qtext
	Ctext
	// Vchar is a visible ASCII character.
	Vchar
	// cfws is what folding white space and comments begin with.
	cfws
	// Upper is a capital letter, which is an Alpha, too.
	Upper
	// NonASCII is any octet from 0x80; whether the octets are UTF-8 is another question.
	NonASCII
)

// Ldh is letters, digits and hyphens.
const Ldh = Alpha | Digit | Hyphen

var classes = table()

func table() (t [256]Class) {
	for i := range t {
		b := byte(i)
		if b >= 0x80 {
			t[i] = NonASCII
			continue
		}
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z':
			t[i] |= Alpha | Token | Atext
		case '0' <= b && b <= '9':
			t[i] |= Digit | Token | Atext
		}
		if 'A' <= b && b <= 'Z' {
			t[i] |= Upper
		}
		switch b {
		case ' ', '\t':
			t[i] |= WSP | cfws
		case '\r', '\n', '(':
			t[i] |= cfws
		case '-':
			t[i] |= Hyphen
		case '_':
			t[i] |= Underscore
		case '.':
			t[i] |= Dot | Token
		}
		switch b {
		case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '^', '_', '`', '{', '|', '}', '~':
			t[i] |= Token | Atext
		case '/', '=', '?':
			t[i] |= Atext
		}
		if 0x21 <= b && b <= 0x7e {
			t[i] |= Vchar
			if b != '"' && b != '\\' {
				t[i] |= Qtext
			}
			if b != '(' && b != ')' && b != '\\' {
				t[i] |= Ctext
			}
		}
	}
	return t
}

// Is reports whether b is in one of the classes.
func (c Class) Is(b byte) bool { return classes[b]&c != 0 }

// All reports whether s consists of octets of the classes; true for "".
func (c Class) All(s string) bool {
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&c == 0 {
			return false
		}
	}
	return true
}

// Lower folds the case of names as the DNS does: that of ASCII letters, and of nothing else
// (RFC 4343, section 3). strings.ToLower makes a k of the Kelvin sign, and another text of
// one that is not UTF-8: a name that nobody wrote.
func Lower(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
