package authres

import (
	"strings"
	"unicode/utf8"

	"github.com/seed2385d973/mailauth/internal/scan"
)

// Warning is one way in which a field departs from the grammar. Its text is for
// people; programs compare with the constants.
type Warning string

// What [ParseLenient] warns of.
const (
	// WarnNoID: there is no authserv-id, the results begin at once (Microsoft 365).
	WarnNoID Warning = "no authserv-id"
	// WarnEmpty: a ";" with nothing behind it, often the last one; or no ";" at all.
	WarnEmpty Warning = "empty result"
	// WarnValue: a value that has to be quoted stands without quotes, such as
	// header.b=ab/cd; it was taken up to the next white space, ";" or comment.
	WarnValue Warning = "unquoted value"
	// WarnEncoding: UTF-8 where the grammar has none, or a comment that is not UTF-8.
	WarnEncoding Warning = "text that is not ASCII"
	// WarnProperty: something among the properties was left out, such as
	// action=none, which lacks a ptype.
	WarnProperty Warning = "property left out"
	// WarnOrder: a reason stands behind properties.
	WarnOrder Warning = "reason behind properties"
	// WarnResult: a result was left out.
	WarnResult Warning = "result left out"
	// WarnRest: all from here on was left out, as a quoted string or a comment
	// does not end, or an octet may stand nowhere. To go on reading behind it
	// would let whoever wrote the broken part write the results.
	WarnRest Warning = "rest left out"
	// WarnLineEnd: the field is folded with bare line feeds.
	WarnLineEnd Warning = "bare line feed"
)

// Finding is a departure from the grammar, with the octet of the value at which it stands.
type Finding struct {
	Warning Warning
	Offset  int
}

// maxFindings bounds what a field that is nothing but errors can allocate.
const maxFindings = 100

// ParseLenient reads the value of an Authentication-Results field as it is in
// use: all that [Parse] reads, with the same outcome and no finding, and
// besides what the constants of [Warning] describe. What cannot be read is left
// out and reported, never guessed at. The findings are in the order in which
// they were made, at most 100 of them.
//
// It returns an error, and a zero Header, for a field over the limits, for
// another version, and where neither an authserv-id nor a result can be read.
func ParseLenient(value string) (Header, []Finding, error) {
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	p := parser{Cursor: scan.New(value), lenient: true}
	p.Lax = true
	for i := 0; i < len(value) && i < MaxLength; i++ {
		if value[i] == '\n' && (i == 0 || value[i-1] != '\r') {
			p.found(WarnLineEnd, i)
			break
		}
	}
	h, err := p.parse(value)
	if err != nil {
		return Header{}, nil, err
	}
	return h, p.findings, nil
}

func (p *parser) found(w Warning, pos int) {
	if len(p.findings) < maxFindings {
		p.findings = append(p.findings, Finding{w, pos})
	}
}

// startsWithMethod reports whether what comes next is a method and its "=",
// which no authserv-id can be.
func (p *parser) startsWithMethod() bool {
	pos := p.Pos()
	defer p.Reset(pos)
	if p.Span(scan.Ldh|scan.Underscore) == "" {
		return false
	}
	p.CFWS()
	if p.Accept('/') {
		p.CFWS()
		p.Span(scan.Digit)
		p.CFWS()
	}
	return p.Peek() == '='
}

// lenientBody reads results to the end, whatever they look like.
func (p *parser) lenientBody() bool {
	if p.h.AuthservID != "" {
		if p.Peek() != ';' && !p.Done() {
			p.found(WarnResult, p.Pos())
			p.skip(false)
		}
		if p.Done() {
			p.found(WarnEmpty, p.Pos())
		}
	}
	at := 0
	for n := 0; p.Err() == nil && !p.Done(); n++ {
		if n > 0 || p.h.AuthservID != "" {
			p.Expect(';')
		}
		at = p.Pos()
		if p.space(); p.Err() == nil {
			at = p.Pos()
		}
		p.first = len(p.props)
		if p.Peek() == ';' || p.Done() {
			p.found(WarnEmpty, at)
			continue
		}
		if !p.lenientResult(n) {
			if p.limit() {
				return false
			}
			p.props = p.props[:p.first]
			p.Reset(at)
			p.found(WarnResult, at)
			p.skip(false)
		}
	}
	if p.Err() != nil {
		p.found(WarnRest, at)
		p.Reset(p.Pos())
	}
	if p.h.AuthservID == "" && len(p.h.Results) == 0 {
		return p.Fail(scan.ErrSyntax)
	}
	return true
}

// limit reports whether the error is one that ends a lenient parse, too.
func (p *parser) limit() bool { return p.Err() == ErrResults || p.Err() == ErrProperties }

func (p *parser) lenientResult(n int) bool {
	r := Result{Method: p.keyword(), Version: 1}
	p.space()
	if r.Method == "none" && n == 0 && p.Done() {
		return true
	}
	if p.Accept('/') {
		p.space()
		var ok bool
		if r.Version, ok = p.version(); !ok {
			return p.Fail(scan.ErrSyntax)
		}
		p.space()
	}
	p.Expect('=')
	p.space()
	r.Status = Status(p.keyword())
	p.space()
	if p.Err() != nil || !p.cfws && p.Peek() != ';' && !p.Done() {
		return p.Fail(scan.ErrSyntax) // "pass.x" is not "pass"
	}
	if p.cfws {
		if c := p.Comment(); utf8.ValidString(c) {
			r.Comment = p.text(c)
		} else {
			p.found(WarnEncoding, p.Pos())
		}
	}
	for reason := false; p.Peek() != ';' && !p.Done(); {
		at, seen := p.Pos(), len(p.props)
		if p.lenientProperty(&r, &reason) {
			continue
		}
		if p.limit() {
			return false
		}
		p.props = p.props[:seen]
		p.Reset(at)
		p.found(WarnProperty, at)
		if !p.skip(true) {
			return false
		}
	}
	return p.add(r)
}

// lenientProperty reads a property, or a reason wherever it stands, and the
// CFWS behind it. It fails on anything else.
func (p *parser) lenientProperty(r *Result, reason *bool) bool {
	at := p.Pos()
	name := p.keyword()
	p.space()
	if name == "reason" && !*reason && p.Accept('=') {
		if len(p.props) > p.first {
			p.found(WarnOrder, at)
		}
		*reason = true
		p.space()
		var ok bool
		r.Reason, ok = p.value()
		p.space()
		return ok && p.Err() == nil
	}
	return p.property(name)
}

// unquoted is what a value without quotes is taken to consist of.
func unquoted(b byte) bool {
	return (scan.Vchar | scan.NonASCII).Is(b) && strings.IndexByte(`;()"\`, b) < 0
}

// lenientRun reads a value without quotes from start, grammatical or not.
func (p *parser) lenientRun(start int) (string, bool) {
	p.Reset(start)
	for unquoted(p.Peek()) {
		p.Accept(p.Peek())
	}
	s := p.Since(start)
	switch b := p.Peek(); {
	case s == "", b == '"', b == '\\', b == ')':
		return "", p.Fail(scan.ErrSyntax)
	case !utf8.ValidString(s):
		return "", p.Fail(scan.ErrUTF8)
	case !isASCII(s):
		p.found(WarnEncoding, start)
	case !scan.Token.All(s):
		p.found(WarnValue, start)
	}
	return p.text(s), true
}

// skip goes to the next ";", or only to the end of the next word and the CFWS
// behind it. It knows quoted strings and comments, so that it never stops inside
// one, and fails where one does not end.
func (p *parser) skip(word bool) bool {
	for p.Err() == nil && !p.Done() {
		switch b := p.Peek(); {
		case b == ';':
			return true
		case b == '"':
			p.Quoted()
		case b == '(' || scan.WSP.Is(b) || b == '\r' || b == '\n':
			if !p.CFWS() {
				return p.Fail(scan.ErrOctet)
			}
			if word {
				return true
			}
		case (scan.Vchar | scan.NonASCII).Is(b):
			p.Accept(b)
		default:
			return p.Fail(scan.ErrOctet)
		}
	}
	return p.Err() == nil
}
