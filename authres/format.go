package authres

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/scan"
)

// fieldName is the name of the field with the colon and the blank behind it.
const fieldName = "Authentication-Results: "

// foldAt is the length beyond which a line is folded if it can be (RFC 5322, section 2.1.1).
const foldAt = 78

// Field returns the whole field with its name, folded, ending in CRLF. It is to
// be put at the very top of the message, above the Received field of the same
// server (RFC 8601, section 4.1). What values cannot be written is the same as
// for [Header.String], and is no error: they come from strangers, and the field
// has to be written all the same.
//
// What comes from the caller is: ErrAuthservID, ErrVersion, ErrName for a
// method, result word, ptype or property, ErrResults, ErrProperties, and
// ErrLength where all of it together is over MaxLength.
func (h Header) Field() (string, error) {
	if err := h.check(); err != nil {
		return "", err
	}
	var buf [1024]byte
	b, n := h.appendTo(append(buf[:0], fieldName...), 0)
	if n < len(h.Results) {
		return "", ErrLength
	}
	return string(append(b, "\r\n"...)), nil
}

func (h *Header) check() error {
	if h.Version != 0 && h.Version != 1 {
		return fmt.Errorf("%w: %d", ErrVersion, h.Version)
	}
	if h.id() == "" {
		return ErrAuthservID
	}
	if len(h.Results) > MaxResults {
		return ErrResults
	}
	for i := range h.Results {
		r := &h.Results[i]
		if len(r.Properties) > MaxProperties {
			return ErrProperties
		}
		if !r.writable() {
			return fmt.Errorf("%w: method %q with result %q", ErrName, r.Method, string(r.Status))
		}
		for j := range r.Properties {
			if p := &r.Properties[j]; !p.named() {
				return fmt.Errorf("%w: property %q of type %q", ErrName, p.Name, p.Type)
			}
		}
	}
	return nil
}

// String returns the value of the field, folded for a line that begins with the
// field's name, without a final CRLF.
//
// Values are quoted unless they are tokens or addresses of plain characters,
// and escaped where that does not do. What still cannot be written is left out,
// never altered, so that no other text appears in its place: a property, reason
// or comment that holds a control character, invalid UTF-8, or UTF-8 without
// Internationalized, or is over the limits; a property or a result whose name
// is not a keyword; results and properties beyond their number. It returns ""
// if the authserv-id cannot be written, if the Version is not 1, and if there
// are results of which none could be written: "none" would be a lie then.
//
// [Parse] reads what String returns as a Header equal to h, up to what was left
// out, the case of keywords, and 0 for version 1.
func (h Header) String() string {
	if h.Version != 0 && h.Version != 1 || h.id() == "" {
		return ""
	}
	var buf [1024]byte
	b, n := h.appendTo(buf[:0], -len(fieldName))
	if n == 0 && len(h.Results) > 0 {
		return ""
	}
	return string(b)
}

// id returns the authserv-id as it can be written, "" if it cannot. One with
// U-labels is written with A-labels where the field is not internationalized.
func (h *Header) id() string {
	id := h.AuthservID
	if !h.Internationalized && !isASCII(id) {
		n, err := domain.Parse(id)
		if err != nil {
			return ""
		}
		id = n.String()
	}
	if len(id) > MaxValue || !printable(id, h.Internationalized) {
		return ""
	}
	return id
}

func (r *Result) writable() bool {
	return r.Version >= 0 && r.Version < 1e9 && isKeyword(r.Method) && isKeyword(string(r.Status))
}

func (p *Property) named() bool { return isKeyword(p.Type) && isKeyword(p.Name) }

func isKeyword(s string) bool {
	return s != "" && len(s) <= MaxName && s[len(s)-1] != '-' && scan.Ldh.All(s)
}

// printable reports whether s can stand in a quoted-string: visible ASCII and
// blanks, and where UTF-8 is allowed graphic characters. Tabs are not: readers
// turn them into blanks. Nor are format characters, which change how the text
// around them is displayed, and line and paragraph separators.
func printable(s string, utf8OK bool) bool {
	for i := 0; i < len(s); {
		b := s[i]
		if b < utf8.RuneSelf {
			if b < ' ' || b == 0x7f {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !utf8OK || r == utf8.RuneError && n == 1 || !unicode.IsGraphic(r) {
			return false
		}
		i += n
	}
	return true
}

// appendTo appends the value to b, folded for a line that begins at b[line], and
// returns how many results it wrote.
func (h *Header) appendTo(b []byte, line int) (out []byte, n int) {
	start := len(b)
	b = appendValue(b, h.id(), h.Internationalized, false)
	if len(h.Results) == 0 {
		return append(b, "; none"...), 0
	}
	for i := range h.Results[:min(len(h.Results), MaxResults)] {
		before, beforeLine := len(b), line
		b, line = h.Results[i].appendTo(b, line, h.Internationalized)
		if len(b)-start > MaxLength {
			b, line = b[:before], beforeLine
			break
		}
		if len(b) > before {
			n++
		}
	}
	return b, n
}

// appendTo appends ";" and the result, nothing if that cannot be written.
// Every piece that cannot be folded is followed by a call of fold.
func (r *Result) appendTo(b []byte, line int, utf8OK bool) ([]byte, int) {
	before, ok := len(b), true
	b = append(b, "; "...)
	at := len(b) - 1
	if b, ok = appendKeyword(b, r.Method); !ok {
		return b[:before], line
	}
	if r.Version != 0 && r.Version != 1 {
		if r.Version < 0 || r.Version >= 1e9 {
			return b[:before], line
		}
		b = append(b, '/')
		b = strconv.AppendInt(b, int64(r.Version), 10)
	}
	b = append(b, '=')
	if b, ok = appendKeyword(b, string(r.Status)); !ok {
		return b[:before], line
	}
	b, line = fold(b, at, line)
	if s := r.Comment; s != "" && len(s) <= MaxText && printable(s, utf8OK) {
		at := len(b)
		b = append(b, " ("...)
		for i := 0; i < len(s); i++ {
			if s[i] == '(' || s[i] == ')' || s[i] == '\\' {
				b = append(b, '\\')
			}
			b = append(b, s[i])
		}
		b, line = fold(append(b, ')'), at, line)
	}
	if s := r.Reason; s != "" && len(s) <= MaxText && printable(s, utf8OK) {
		at := len(b)
		b, line = fold(appendQuoted(append(b, " reason="...), s), at, line)
	}
	for i := range r.Properties[:min(len(r.Properties), MaxProperties)] {
		at := len(b)
		if b = r.Properties[i].appendTo(b, utf8OK); len(b) > at {
			b, line = fold(b, at, line)
		}
	}
	return b, line
}

// appendTo appends a blank and the property, nothing if that cannot be written.
func (p *Property) appendTo(b []byte, utf8OK bool) []byte {
	before := len(b)
	if len(p.Value) > MaxValue {
		return b
	}
	b, ok := appendKeyword(append(b, ' '), p.Type)
	if !ok {
		return b[:before]
	}
	if b, ok = appendKeyword(append(b, '.'), p.Name); !ok {
		return b[:before]
	}
	b = append(b, '=')
	at := len(b)
	if b = appendValue(b, p.Value, utf8OK, true); len(b) == at {
		return b[:before]
	}
	return b
}

// fold puts a line end in front of the blank b[at] if the line that begins at
// b[line] became too long, and returns where the current line begins.
func fold(b []byte, at, line int) ([]byte, int) {
	if len(b)-line <= foldAt {
		return b, line
	}
	b = append(b, 0, 0)
	copy(b[at+2:], b[at:])
	b[at], b[at+1] = '\r', '\n'
	return b, at + 2
}

// appendKeyword appends a keyword in lower case. ok is isKeyword.
func appendKeyword(b []byte, s string) (out []byte, ok bool) {
	if s == "" || len(s) > MaxName {
		return b, false
	}
	upper := false
	for i := 0; i < len(s); i++ {
		if !scan.Ldh.Is(s[i]) {
			return b, false
		}
		upper = upper || scan.Upper.Is(s[i])
	}
	if upper {
		s = strings.ToLower(s)
	}
	return append(b, s...), s[len(s)-1] != '-'
}

// appendValue appends a value, in quotes unless it is sure to be read as what it
// is without, or nothing if it cannot be written. A single quote is legal in a
// token, and is a quote to careless readers, so that it counts as unsafe.
//
// An address is written as one, without quotes around it (RFC 8601, section 2.2
// demands that of what is meant as an e-mail identity), if it is of the form
// that the parser keeps as it stands.
func appendValue(b []byte, s string, utf8OK, address bool) []byte {
	i := 0
	for i < len(s) && scan.Token.Is(s[i]) && s[i] != '\'' {
		i++
	}
	switch {
	case i == len(s) && s != "":
		return append(b, s...)
	case !printable(s, utf8OK):
		return b
	case address && isAddress(s):
		return append(b, s...)
	}
	return appendQuoted(b, s)
}

func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// isAddress reports whether s can stand without quotes because it is an
// address, or a domain name with U-labels: whether the parser reads it as s.
func isAddress(s string) bool {
	at := strings.IndexByte(s, '@')
	if at < 0 && isASCII(s) || strings.IndexByte(s, '\'') >= 0 {
		return false
	}
	if at >= 0 && isDotAtom(s[:at]) && isASCII(s) {
		return isDomainName(s[at+1:])
	}
	p := parser{Cursor: scan.New(s)}
	v, ok := p.pvalue()
	return ok && v == s && p.Done()
}

// isDotAtom reports whether s is a dot-atom of ASCII, or nothing.
func isDotAtom(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == '.' && (i == 0 || i == len(s)-1 || s[i-1] == '.') || !(scan.Atext | scan.Dot).Is(s[i]) {
			return false
		}
	}
	return true
}
