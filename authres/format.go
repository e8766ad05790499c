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
	w := writer{b: append(buf[:0], fieldName...), utf8: h.Internationalized}
	if w.header(&h) < len(h.Results) {
		return "", ErrLength
	}
	w.b = append(w.b, "\r\n"...)
	return string(w.b), nil
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
	w := writer{b: buf[:0], col: len(fieldName), utf8: h.Internationalized}
	if w.header(&h) == 0 && len(h.Results) > 0 {
		return ""
	}
	return string(w.b)
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

// writer appends pieces that cannot be folded, and folds between them.
type writer struct {
	b    []byte
	col  int // columns in front of b
	utf8 bool
}

// header writes h and returns how many results were written.
func (w *writer) header(h *Header) (n int) {
	start := len(w.b)
	w.bareOrQuoted(h.id(), false)
	if len(h.Results) == 0 {
		w.b = append(w.b, "; none"...)
		return 0
	}
	for i := range h.Results {
		r := &h.Results[i]
		if i == MaxResults {
			break
		}
		if !r.writable() {
			continue
		}
		before, col := len(w.b), w.col
		w.result(r)
		if len(w.b)-start > MaxLength {
			w.b, w.col = w.b[:before], col
			break
		}
		n++
	}
	return n
}

func (w *writer) result(r *Result) {
	w.b = append(w.b, ';')
	at := w.begin()
	w.lower(r.Method)
	if r.Version > 1 {
		w.b = append(w.b, '/')
		w.b = strconv.AppendInt(w.b, int64(r.Version), 10)
	}
	w.b = append(w.b, '=')
	w.lower(string(r.Status))
	w.end(at)
	if s := r.Comment; s != "" && len(s) <= MaxText && printable(s, w.utf8) {
		at := w.begin()
		w.b = append(w.b, '(')
		for i := 0; i < len(s); i++ {
			if s[i] == '(' || s[i] == ')' || s[i] == '\\' {
				w.b = append(w.b, '\\')
			}
			w.b = append(w.b, s[i])
		}
		w.b = append(w.b, ')')
		w.end(at)
	}
	if s := r.Reason; s != "" && len(s) <= MaxText && printable(s, w.utf8) {
		at := w.begin()
		w.b = append(w.b, "reason="...)
		w.quoted(s)
		w.end(at)
	}
	for i := range r.Properties {
		p := &r.Properties[i]
		if i == MaxProperties {
			break
		}
		if !p.named() || len(p.Value) > MaxValue || !printable(p.Value, w.utf8) {
			continue
		}
		at := w.begin()
		w.lower(p.Type)
		w.b = append(w.b, '.')
		w.lower(p.Name)
		w.b = append(w.b, '=')
		w.bareOrQuoted(p.Value, true)
		w.end(at)
	}
}

// begin starts a piece behind a blank; end folds in front of it, by a line end
// before the blank, if the line became too long.
func (w *writer) begin() (at int) {
	w.b = append(w.b, ' ')
	return len(w.b) - 1
}

func (w *writer) end(at int) {
	if w.col+len(w.b) <= foldAt {
		return
	}
	w.b = append(w.b, 0, 0)
	copy(w.b[at+2:], w.b[at:])
	w.b[at], w.b[at+1] = '\r', '\n'
	// The line now begins at the blank.
	w.col = -(at + 2)
}

func (w *writer) lower(s string) {
	for i := 0; i < len(s); i++ {
		b := s[i]
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		w.b = append(w.b, b)
	}
}

// bareOrQuoted writes a value, in quotes unless it is sure to be read as what it
// is without. A single quote is legal in a token, and is a quote to careless
// readers, so that it counts as unsafe.
//
// An address is written as one, without quotes around it (RFC 8601, section 2.2
// demands that of what is meant as an e-mail identity), if it is of the form
// that the parser keeps as it stands.
func (w *writer) bareOrQuoted(s string, address bool) {
	i := 0
	for i < len(s) && scan.Token.Is(s[i]) && s[i] != '\'' {
		i++
	}
	if i == len(s) && s != "" || address && isAddress(s) {
		w.b = append(w.b, s...)
	} else {
		w.quoted(s)
	}
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

func (w *writer) quoted(s string) {
	w.b = append(w.b, '"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' {
			w.b = append(w.b, '\\')
		}
		w.b = append(w.b, s[i])
	}
	w.b = append(w.b, '"')
}
