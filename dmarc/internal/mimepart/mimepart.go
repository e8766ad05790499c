// Package mimepart takes a mail with a report apart: as much of RFC 2045 and RFC
// 2046 as that needs, over bytes in memory, with either line end, without
// recursion, and bounded.
package mimepart

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
)

// Error is a constant error of this package.
type Error string

func (e Error) Error() string { return string(e) }

// The errors.
const (
	ErrHeader   Error = "no header fields"
	ErrLimit    Error = "mail with too many parts, too deep parts or too long a header"
	ErrEncoding Error = "content transfer encoding"
)

// The limits: a report has three parts, one deep.
const (
	MaxParts  = 64
	MaxDepth  = 8
	MaxHeader = 256 << 10 // octets of the header of a mail or a part
	maxFields = 1000
)

// Field is one header field, unfolded, without its line end.
type Field struct{ Name, Value string }

// Fields are the header fields of a mail or a part, in order.
type Fields []Field

// Get returns the value of the topmost field of that name, empty if there is none.
func (f Fields) Get(name string) string {
	for i := range f {
		if strings.EqualFold(f[i].Name, name) {
			return f[i].Value
		}
	}
	return ""
}

// Part is one part without parts of its own. A message/rfc822 part is one, and its
// own parts follow it.
type Part struct {
	Fields
	Type   string            // lower case, "text/plain" by default
	Params map[string]string // of Content-Type, names in lower case
	Name   string            // file name, if any
	Body   []byte            // as transferred
	Depth  int               // 1 for a part of the mail's own multipart, more within other parts; 0: the mail is the part
}

// Message is a mail taken apart.
type Message struct {
	Fields
	Type   string
	Params map[string]string
	Parts  []Part
}

// ParseFields reads header fields up to the first empty line, and returns what is
// behind it. Lines that are no fields are skipped, as is a first line "From ".
func ParseFields(data []byte) (f Fields, body []byte, err error) {
	if bytes.HasPrefix(data, []byte("From ")) || bytes.HasPrefix(data, []byte(">From ")) {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			data = data[i+1:]
		}
	}
	from, size := 0, 0
	var value strings.Builder
	flush := func() {
		if from > 0 {
			f[from-1].Value = strings.TrimSpace(value.String())
		}
		value.Reset()
	}
	open := false
	for len(data) > 0 {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			flush()
			return f, data, nil
		}
		if size += len(line); size > MaxHeader || len(f) > maxFields {
			return nil, nil, ErrLimit
		}
		if line[0] == ' ' || line[0] == '\t' {
			if open {
				value.WriteByte(' ')
				value.Write(bytes.TrimLeft(line, " \t"))
			}
			continue
		}
		flush()
		name, rest, ok := bytes.Cut(line, []byte(":"))
		if open = ok && isName(bytes.TrimRight(name, " \t")); !open {
			from = 0
			continue
		}
		f = append(f, Field{Name: string(bytes.TrimRight(name, " \t"))})
		from = len(f)
		value.Write(rest)
	}
	flush()
	return f, nil, nil
}

func isName(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return len(b) > 0
}

// Parse takes a mail apart.
func Parse(data []byte) (*Message, error) {
	f, body, err := ParseFields(data)
	if err != nil {
		return nil, err
	}
	if len(f) == 0 {
		return nil, ErrHeader
	}
	m := &Message{Fields: f}
	m.Type, m.Params = contentType(f)
	type todo struct {
		f     Fields
		body  []byte
		depth int
	}
	stack, n := []todo{{f, body, 0}}, 0
	for len(stack) > 0 {
		t := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n++; n > MaxParts || t.depth > MaxDepth {
			return nil, ErrLimit
		}
		typ, params := contentType(t.f)
		var inner []todo
		switch boundary := params["boundary"]; {
		case strings.HasPrefix(typ, "multipart/") && boundary != "":
			sections, err := split(t.body, boundary)
			if err != nil {
				return nil, err
			}
			for _, s := range sections {
				f, body, err := ParseFields(s)
				if err != nil {
					return nil, err
				}
				if len(f) == 0 {
					body = bytes.TrimPrefix(bytes.TrimPrefix(s, []byte("\r\n")), []byte("\n"))
				}
				inner = append(inner, todo{f, body, t.depth + 1})
			}
		default:
			p := Part{Fields: t.f, Type: typ, Params: params, Body: t.body, Depth: t.depth}
			_, disposition := ParseType(t.f.Get("Content-Disposition"))
			if p.Name = disposition["filename"]; p.Name == "" {
				p.Name = params["name"]
			}
			m.Parts = append(m.Parts, p)
			if typ == "message/rfc822" {
				f, body, err := ParseFields(t.body)
				if err != nil {
					return nil, err
				}
				if len(f) > 0 {
					inner = append(inner, todo{f, body, t.depth + 1})
				}
			}
		}
		for i := len(inner) - 1; i >= 0; i-- {
			stack = append(stack, inner[i])
		}
	}
	return m, nil
}

// split cuts a multipart body at its boundary lines (RFC 2046, section 5.1.1). A
// missing closing boundary is tolerated: mail gets truncated.
func split(body []byte, boundary string) (out [][]byte, err error) {
	mark := []byte("--" + boundary)
	begin := -1
	for at := 0; at < len(body); {
		line := body[at:]
		next := len(body)
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line, next = line[:i], at+i+1
		}
		if bytes.HasPrefix(line, mark) {
			rest := bytes.TrimRight(line[len(mark):], " \t\r")
			closing := len(rest) > 0 && string(rest) == "--"
			if len(rest) == 0 || closing {
				if begin >= 0 {
					if len(out) == MaxParts {
						return nil, ErrLimit
					}
					end := at
					if end > begin && body[end-1] == '\n' {
						end--
					}
					if end > begin && body[end-1] == '\r' {
						end--
					}
					out = append(out, body[begin:end])
				}
				if begin = next; closing {
					return out, nil
				}
			}
		}
		at = next
	}
	if begin >= 0 {
		if len(out) == MaxParts {
			return nil, ErrLimit
		}
		out = append(out, body[begin:])
	}
	return out, nil
}

func contentType(f Fields) (string, map[string]string) {
	typ, params := ParseType(f.Get("Content-Type"))
	if !strings.Contains(typ, "/") {
		typ = "text/plain"
	}
	return typ, params
}

// ParseType reads the value of Content-Type or Content-Disposition: the type in
// lower case and the parameters (RFC 2045, section 5.1), of those that occur twice
// the first. Continuations of RFC 2231 are not joined.
func ParseType(value string) (typ string, params map[string]string) {
	typ, rest, _ := strings.Cut(value, ";")
	typ = strings.ToLower(strings.TrimSpace(typ))
	params = map[string]string{}
	for len(params) < 32 {
		rest = strings.TrimLeft(rest, " \t;")
		if rest == "" {
			return typ, params
		}
		i := strings.IndexAny(rest, "=;")
		if i < 0 {
			return typ, params
		}
		if rest[i] == ';' { // a word without a value
			rest = rest[i+1:]
			continue
		}
		name, after := rest[:i], rest[i+1:]
		name = strings.ToLower(strings.TrimSpace(name))
		after = strings.TrimLeft(after, " \t")
		var v string
		if after != "" && after[0] == '"' {
			v, rest = quoted(after[1:])
		} else {
			v, rest, _ = strings.Cut(after, ";")
			v = strings.TrimSpace(v)
		}
		if _, twice := params[name]; !twice && name != "" {
			params[name] = v
		}
	}
	return typ, params
}

// quoted reads up to the closing quote.
func quoted(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		case '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// Decode undoes the Content-Transfer-Encoding.
func (p *Part) Decode() ([]byte, error) {
	enc, _, _ := strings.Cut(strings.ToLower(p.Get("Content-Transfer-Encoding")), " ")
	switch enc {
	case "", "7bit", "8bit", "binary":
		return p.Body, nil
	case "base64":
		return decodeBase64(p.Body)
	case "quoted-printable":
		out, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(p.Body)))
		if err != nil {
			return nil, ErrEncoding
		}
		return out, nil
	}
	return nil, ErrEncoding
}

// decodeBase64: white space is no part of it, and nothing else may be in it but
// what follows the padding (RFC 2045, section 6.8).
func decodeBase64(body []byte) ([]byte, error) {
	packed := make([]byte, 0, len(body))
	for _, c := range body {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			packed = append(packed, c)
		}
	}
	if i := bytes.IndexByte(packed, '='); i >= 0 {
		packed = packed[:i]
	}
	n, err := base64.RawStdEncoding.Decode(packed, packed)
	if err != nil {
		return nil, ErrEncoding
	}
	return packed[:n], nil
}
