// Package txt writes the data of a TXT record for people and programs that
// publish it (RFC 1035, section 3.3.14).
package txt

import (
	"fmt"
	"strings"
)

// maxString is how many octets a character-string can hold (RFC 1035, section 3.3).
const maxString = 255

// Split cuts a text into strings that fit; one empty string for an empty text.
func Split(text string) []string {
	var out []string
	for len(text) > maxString {
		out = append(out, text[:maxString])
		text = text[maxString:]
	}
	return append(out, text)
}

// Line returns a record as a line of a zone file (RFC 1035, section 5.1): what
// has a meaning there is escaped. name is absolute.
func Line(name, text string) string {
	var b strings.Builder
	b.WriteString(name + " IN TXT")
	for _, s := range Split(text) {
		b.WriteString(` "`)
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case c == '"' || c == '\\':
				b.WriteString(`\` + string(rune(c)))
			case c < ' ' || c >= 0x7f:
				fmt.Fprintf(&b, `\%03d`, c)
			default:
				b.WriteByte(c)
			}
		}
		b.WriteByte('"')
	}
	return b.String()
}
