package aggregate

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of the XML reader. The deepest element of the format is the fifth.
const (
	maxDepth      = 16
	maxAttributes = 16
	maxText       = 4 << 10 // octets of text in an element, of a name, of an attribute's value
	maxNames      = 32      // namespace declarations in force
)

type tokenKind uint8

const (
	tokenEnd   tokenKind = iota // end tag
	tokenStart                  // start tag
	tokenText                   // text: not all of it need come in one token
	tokenEOF
)

type token struct {
	kind  tokenKind
	name  string // local name, of start and end
	space string // namespace name of a start tag
	text  []byte // valid until the next token
	blank bool   // text is nothing but white space
}

type binding struct {
	prefix, uri string
	depth       int
}

// tokenizer is a reader for the part of XML 1.0 that reports need, in one pass
// and in memory that does not depend on the input. Not validating, no DTD; a
// document that is not well-formed is never repaired.
type tokenizer struct {
	r       *bufio.Reader
	stack   [maxDepth]string // full names of the open elements
	depth   int
	names   []binding
	buf     []byte
	attrs   []string // names of the current tag's attributes
	rooted  bool     // the root element has been seen
	closing bool     // the current tag was an empty element: its end comes next
	latin   []rune   // what 0x80 to 0x9f stand for; nil: control characters
	latin1  bool
	decoded []byte
	current string // name of the element that child returned
	foreign bool   // and whether it is of another namespace
}

func newTokenizer(r *bufio.Reader) *tokenizer { return &tokenizer{r: r} }

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrXML, what) }

// readErr turns the end of input inside of something into an error of XML.
func readErr(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return malformed("it ends too early")
	}
	return err
}

// start reads the byte order mark and the XML declaration.
func (t *tokenizer) start() error {
	if b, _ := t.r.Peek(3); bytes.Equal(b, []byte("\xef\xbb\xbf")) {
		t.r.Discard(3)
	}
	b, err := t.r.Peek(6)
	if err != nil && len(b) == 0 {
		return readErr(err)
	}
	if !bytes.HasPrefix(b, []byte("<?xml")) || len(b) < 6 || !isSpace(b[5]) {
		return nil
	}
	t.r.Discard(5)
	t.buf = t.buf[:0]
	if err := t.until("?>", true); err != nil {
		return err
	}
	encoding, ok := declared(string(t.buf))
	if !ok {
		return malformed("XML declaration")
	}
	switch strings.ToLower(encoding) {
	case "", "utf-8", "us-ascii", "utf8":
	case "iso-8859-1":
		t.latin1 = true
	case "windows-1252":
		t.latin1, t.latin = true, []rune(windows1252)
	default:
		return malformed("unknown encoding")
	}
	return nil
}

// windows1252 is what 0x80 to 0x9f stand for.
const windows1252 = "\u20ac\ufffd\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\ufffd\u017d\ufffd" +
	"\ufffd\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\ufffd\u017e\u0178"

// declared reads the pseudo-attributes of an XML declaration, of which the version
// has to be there and comes first (XML 1.0, section 2.8).
func declared(s string) (encoding string, ok bool) {
	for s = strings.TrimLeft(s, " \t\r\n"); s != ""; s = strings.TrimLeft(s, " \t\r\n") {
		name, rest, found := strings.Cut(s, "=")
		rest = strings.TrimLeft(rest, " \t\r\n")
		if !found || rest == "" || rest[0] != '"' && rest[0] != '\'' {
			return "", false
		}
		value, after, found := strings.Cut(rest[1:], rest[:1])
		if !found {
			return "", false
		}
		switch name = strings.TrimRight(name, " \t\r\n"); {
		case name == "version" && !ok && strings.HasPrefix(value, "1."):
			ok = true
		case name == "encoding" && ok && encoding == "":
			encoding = value
		case name == "standalone" && ok:
		default:
			return "", false
		}
		s = after
	}
	return encoding, ok
}

// until reads up to and including end, and keeps what is before it if wanted.
func (t *tokenizer) until(end string, keep bool) error {
	n := 0 // octets of end that the last ones read are
	for {
		c, err := t.r.ReadByte()
		if err != nil {
			return readErr(err)
		}
		if keep {
			if len(t.buf) >= maxText {
				return fmt.Errorf("%w: text longer than %d octets", ErrLimit, maxText)
			}
			t.buf = append(t.buf, c)
		}
		for n > 0 && c != end[n] {
			// The ends here are "?>", "--", "]]>": all but the last octet are alike.
			if n == len(end)-1 && c == end[0] && end[0] == end[len(end)-2] {
				n--
				break
			}
			n = 0
		}
		if c == end[n] {
			n++
		}
		if n == len(end) {
			if keep {
				t.buf = t.buf[:len(t.buf)-len(end)]
			}
			return nil
		}
	}
}

// next returns the next token.
func (t *tokenizer) next() (token, error) {
	if t.closing {
		t.closing = false
		return t.pop(), nil
	}
	for {
		c, err := t.r.ReadByte()
		if err == io.EOF {
			if t.depth > 0 || !t.rooted {
				return token{}, malformed("it ends too early")
			}
			return token{kind: tokenEOF}, nil
		}
		if err != nil {
			return token{}, err
		}
		if c != '<' {
			t.r.UnreadByte()
			return t.text()
		}
		c, err = t.r.ReadByte()
		if err != nil {
			return token{}, readErr(err)
		}
		switch c {
		case '/':
			return t.endTag()
		case '?':
			if err := t.instruction(); err != nil {
				return token{}, err
			}
		case '!':
			cdata, err := t.declaration()
			if err != nil {
				return token{}, err
			}
			if cdata {
				return t.finishText(t.buf, false)
			}
		default:
			t.r.UnreadByte()
			return t.startTag()
		}
	}
}

// instruction skips a processing instruction, which has a name other than that of the
// XML declaration (XML 1.0, section 2.6).
func (t *tokenizer) instruction() error {
	target, err := t.readName()
	if err != nil {
		return err
	}
	b, err := t.r.Peek(1)
	if err != nil {
		return readErr(err)
	}
	if strings.EqualFold(target, "xml") || b[0] != '?' && !isSpace(b[0]) {
		return malformed("processing instruction")
	}
	return t.until("?>", false)
}

// declaration reads a comment, which gives nothing, or a CDATA section. Anything
// else that begins with "<!" belongs to a DTD.
func (t *tokenizer) declaration() (cdata bool, err error) {
	if b, _ := t.r.Peek(2); string(b) == "--" {
		t.r.Discard(2)
		if err := t.until("--", false); err != nil {
			return false, err
		}
		c, err := t.r.ReadByte()
		if err != nil {
			return false, readErr(err)
		}
		if c != '>' {
			return false, malformed("two hyphens in a comment")
		}
		return false, nil
	}
	if b, _ := t.r.Peek(7); string(b) == "[CDATA[" && t.depth > 0 {
		t.r.Discard(7)
		t.buf = t.buf[:0]
		return true, t.until("]]>", true)
	}
	return false, malformed("declaration of a document type")
}

// text reads character data up to the next "<".
func (t *tokenizer) text() (token, error) {
	t.buf = t.buf[:0]
	blank := true
	for {
		chunk, err := t.r.ReadSlice('<')
		if err == nil {
			t.r.UnreadByte()
			chunk = chunk[:len(chunk)-1]
		} else if err != io.EOF && err != bufio.ErrBufferFull {
			return token{}, err
		}
		if blank = blank && isBlank(chunk); !blank || len(t.buf) > 0 {
			if len(t.buf)+len(chunk) > maxText {
				// White space that indents may be as long as it likes.
				if !isBlank(t.buf) || len(bytes.TrimSpace(chunk)) > maxText {
					return token{}, fmt.Errorf("%w: text longer than %d octets", ErrLimit, maxText)
				}
				chunk = bytes.TrimSpace(chunk)
				t.buf = t.buf[:0]
			}
			t.buf = append(t.buf, chunk...)
		}
		if err == nil || err == io.EOF {
			break
		}
	}
	if blank {
		return token{kind: tokenText, blank: true}, nil
	}
	if t.depth == 0 {
		return token{}, malformed("text outside of the root element")
	}
	return t.finishText(t.buf, true)
}

func (t *tokenizer) finishText(b []byte, references bool) (token, error) {
	if references && bytes.Contains(b, []byte("]]>")) {
		return token{}, malformed("]]> in text")
	}
	out, err := t.chars(b, references)
	return token{kind: tokenText, text: out, blank: isBlank(out)}, err
}

// chars decodes character data or the value of an attribute: references, encoding,
// and no character that XML does not have.
func (t *tokenizer) chars(b []byte, references bool) ([]byte, error) {
	plain := true
	for _, c := range b {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
			return nil, malformed("control character")
		}
		plain = plain && c < 0x80 && (c != '&' || !references)
	}
	if plain {
		return b, nil
	}
	out := t.decoded[:0]
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case c == '&' && references:
			r, n, ok := reference(b[i:])
			if !ok {
				return nil, malformed("reference")
			}
			out = utf8.AppendRune(out, r)
			i += n
		case c < 0x80:
			out = append(out, c)
			i++
		case t.latin1:
			r := rune(c)
			if c < 0xa0 && t.latin != nil {
				r = t.latin[c-0x80]
			}
			out = utf8.AppendRune(out, r)
			i++
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 || !isChar(r) {
				return nil, malformed("octets that are not UTF-8")
			}
			out = append(out, b[i:i+n]...)
			i += n
		}
	}
	t.decoded = out
	return out, nil
}

// reference reads a character reference or one of the five entities of XML.
func reference(b []byte) (r rune, n int, ok bool) {
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 2 {
		return 0, 0, false
	}
	switch name := string(b[1:end]); name {
	case "amp":
		r = '&'
	case "lt":
		r = '<'
	case "gt":
		r = '>'
	case "quot":
		r = '"'
	case "apos":
		r = '\''
	default:
		digits, base := strings.TrimPrefix(name, "#"), rune(10)
		if digits == name {
			return 0, 0, false
		}
		if h, ok := strings.CutPrefix(digits, "x"); ok {
			digits, base = h, 16
		}
		if digits == "" {
			return 0, 0, false
		}
		for i := 0; i < len(digits); i++ {
			d := rune(unhex(digits[i]))
			if d < 0 || d >= base || r > 0x10ffff {
				return 0, 0, false
			}
			r = r*base + d
		}
		if !isChar(r) {
			return 0, 0, false
		}
	}
	return r, end + 1, true
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// isChar: production 2 of XML 1.0.
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isBlank(b []byte) bool {
	for _, c := range b {
		if !isSpace(c) {
			return false
		}
	}
	return true
}

// isNameByte: names are ASCII here, or whatever is beyond it.
func isNameByte(c byte, first bool) bool {
	switch {
	case 'a' <= c|0x20 && c|0x20 <= 'z', c == '_', c == ':', c >= 0x80:
		return true
	}
	return !first && ('0' <= c && c <= '9' || c == '-' || c == '.')
}

func (t *tokenizer) readName() (string, error) {
	t.buf = t.buf[:0]
	for {
		c, err := t.r.ReadByte()
		if err != nil {
			return "", readErr(err)
		}
		if !isNameByte(c, len(t.buf) == 0) {
			t.r.UnreadByte()
			break
		}
		if len(t.buf) == maxText {
			return "", fmt.Errorf("%w: name longer than %d octets", ErrLimit, maxText)
		}
		t.buf = append(t.buf, c)
	}
	if len(t.buf) == 0 {
		return "", malformed("no name")
	}
	if s, ok := elementNames[string(t.buf)]; ok {
		return s, nil
	}
	b, err := t.chars(t.buf, false)
	return string(b), err
}

func (t *tokenizer) space() (c byte, any bool, err error) {
	for {
		if c, err = t.r.ReadByte(); err != nil {
			return 0, any, readErr(err)
		}
		if !isSpace(c) {
			return c, any, nil
		}
		any = true
	}
}
