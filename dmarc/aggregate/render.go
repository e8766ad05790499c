package aggregate

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CSV makes a stranger's text safe as the value of a cell, before encoding/csv quotes
// it: a spreadsheet takes what begins with = + - @, of whatever width, a tab or a carriage return for a
// formula, and does not with an apostrophe in front.
func CSV(text string) string {
	text = Plain(text)
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(text, unicode.IsSpace))
	if strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", first) {
		return "'" + text
	}
	return text
}

// Plain makes a stranger's text safe on a terminal and in one line: control
// characters become blanks, and those that are not seen but change what is, such
// as U+202E, are left out.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
}
