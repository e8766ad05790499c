package authres

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/scan"
)

// Parse reads the value of an Authentication-Results field, all after the
// colon, folded or not, by the grammar of RFC 8601, section 2.2 with erratum
// 6026. The final CRLF may be there or not.
//
// UTF-8 is accepted where the grammar has it: in quoted-strings and comments
// (RFC 6532), in the local-part of an address (RFC 6531) and as U-labels of a
// domain name (RFC 8616, section 4). Obsolete forms that carry control
// characters are refused.
//
// The error wraps one of the constants of this package and says at which octet
// it arose; the Header is then zero. The strings of the Header share memory
// with value.
func Parse(value string) (Header, error) {
	value = strings.TrimSuffix(value, "\r\n")
	p := parser{Cursor: scan.New(value)}
	return p.parse(value)
}

// parser holds the state of one call of Parse or ParseLenient.
type parser struct {
	scan.Cursor
	lenient  bool
	findings []Finding
	h        Header
	props    []Property // of all results, so that they cost one allocation
	first    int        // where those of the current result begin
	cfws     bool       // CFWS was consumed just before the current position
}

func (p *parser) parse(value string) (Header, error) {
	if len(value) > MaxLength {
		return Header{}, ErrLength
	}
	p.prepare(value)
	if !p.head() || !p.body() {
		return Header{}, p.wrapped()
	}
	// Until now the properties may have moved when they grew.
	for i, rest := 0, p.props; i < len(p.h.Results); i++ {
		n := len(p.h.Results[i].Properties)
		p.h.Results[i].Properties, rest = rest[:n:n], rest[n:]
	}
	return p.h, nil
}

// prepare sizes the slices: a ";" for each result, a "=" for each result and property.
func (p *parser) prepare(value string) {
	n := min(strings.Count(value, ";"), MaxResults)
	p.h.Results = make([]Result, 0, n)
	if m := strings.Count(value, "=") - n; m > 0 {
		p.props = make([]Property, 0, min(m, n*MaxProperties))
	} else {
		p.props = []Property{}
	}
}

func (p *parser) wrapped() error {
	err := p.Err()
	if e := Error(""); errors.As(err, &e) {
		return fmt.Errorf("octet %d: %w", p.Pos(), err)
	}
	return fmt.Errorf("octet %d: %w: %w", p.Pos(), ErrSyntax, err)
}

// head reads [CFWS] authserv-id [ CFWS authres-version ].
func (p *parser) head() bool {
	p.space()
	if p.lenient && p.startsWithMethod() {
		p.found(WarnNoID, p.Pos())
		p.h.Version = 1
		return true
	}
	id, ok := p.value()
	if !ok || id == "" {
		return p.Fail(ErrAuthservID)
	}
	p.h.AuthservID, p.h.Version = id, 1
	if p.space(); p.cfws && scan.Digit.Is(p.Peek()) {
		if p.h.Version, ok = p.version(); !ok || p.h.Version != 1 {
			return p.Fail(ErrVersion)
		}
		p.space()
	}
	return p.Err() == nil
}

// body reads no-result / 1*resinfo.
func (p *parser) body() bool {
	if p.lenient {
		return p.lenientBody()
	}
	for n := 0; ; n++ {
		if n > 0 && p.Done() {
			return true
		}
		if !p.Expect(';') {
			return false
		}
		p.space()
		method := p.keyword()
		if p.space(); n == 0 && method == "none" && p.Done() {
			return true
		}
		if !p.resinfo(method) {
			return false
		}
	}
}

// resinfo reads the rest of one result, of which the method's keyword was read
// already, and appends it.
func (p *parser) resinfo(method string) bool {
	r := Result{Method: method, Version: 1}
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
	if p.Err() != nil {
		return false
	}
	if p.cfws {
		r.Comment = p.text(p.Comment())
	}
	p.first = len(p.props)
	for reason := true; p.cfws && scan.Ldh.Is(p.Peek()); reason = false {
		name := p.keyword()
		p.space()
		switch {
		case reason && name == "reason" && p.Accept('='):
			var ok bool
			p.space()
			if r.Reason, ok = p.value(); !ok {
				return false
			}
			p.space()
		case !p.property(name):
			return false
		}
	}
	if p.Err() != nil || p.Peek() != ';' && !p.Done() {
		return p.Fail(scan.ErrSyntax)
	}
	return p.add(r)
}

// property reads the rest of a propspec, of which the ptype was read already,
// and the CFWS behind it. By erratum 6026 that CFWS separates properties: it
// is not part of the pvalue.
func (p *parser) property(ptype string) bool {
	p.Expect('.')
	p.space()
	name := p.keyword()
	p.space()
	p.Expect('=')
	p.space()
	value, ok := p.pvalue()
	if !ok {
		return false
	}
	if len(p.props)-p.first >= MaxProperties {
		return p.Fail(ErrProperties)
	}
	p.props = append(p.props, Property{Type: ptype, Name: name, Value: value})
	return p.Err() == nil
}

// add appends a result with the properties since first.
func (p *parser) add(r Result) bool {
	if len(p.h.Results) >= MaxResults {
		return p.Fail(ErrResults)
	}
	r.Properties = p.props[p.first:]
	p.h.Results = append(p.h.Results, r)
	return true
}

// space skips CFWS and notes whether there was any.
func (p *parser) space() { p.cfws = p.CFWS() }

// text notes whether s, which is going to be kept, holds UTF-8.
func (p *parser) text(s string) string {
	if !p.h.Internationalized && !isASCII(s) {
		p.h.Internationalized = true
	}
	return s
}

// keyword reads a Keyword (RFC 5321, section 4.1.2: letters, digits, hyphens,
// no hyphen at the end). Keywords are compared without regard to case, on which
// RFC 8601 is silent, and are kept in lower case.
func (p *parser) keyword() string {
	set := scan.Ldh
	if p.lenient {
		set |= scan.Underscore
	}
	s, _, some := p.Run(set)
	if s == "" || s[len(s)-1] == '-' {
		p.Fail(scan.ErrSyntax)
	}
	if some&scan.Upper != 0 {
		return strings.ToLower(s)
	}
	return s
}

// version reads 1*DIGIT. One that is too long to be a version is none, and
// neither is 0, which no registry has.
func (p *parser) version() (n int, ok bool) {
	digits := strings.TrimLeft(p.ExpectSpan(scan.Digit), "0")
	if p.Err() != nil || len(digits) > 9 {
		return 0, false
	}
	for i := 0; i < len(digits); i++ {
		n = 10*n + int(digits[i]-'0')
	}
	return n, n > 0
}

// value reads a value of RFC 2045, section 5.1: a token or a quoted-string.
func (p *parser) value() (string, bool) {
	if p.Peek() == '"' {
		s, ok := p.Quoted()
		return p.text(s), ok
	}
	if p.lenient {
		return p.lenientRun(p.Pos())
	}
	s := p.ExpectSpan(scan.Token)
	return s, s != ""
}

// pvalue reads value / [ [ local-part ] "@" ] domain-name, and the CFWS behind
// it, in which a local-part may continue: before "@", or before "." in the
// obsolete form.
func (p *parser) pvalue() (string, bool) {
	start := p.Pos()
	if p.Peek() == '"' {
		s, ok := p.Quoted()
		if !ok {
			return "", false
		}
		if p.space(); p.Peek() == '@' || p.Peek() == '.' {
			return p.address(start)
		}
		return p.text(s), true
	}
	s, all, some := p.Run(scan.Atext | scan.Dot | scan.NonASCII)
	if p.cfws = false; p.Peek() != '@' && s != "" {
		p.space()
	}
	b := p.Peek()
	if s != "" && s[len(s)-1] == '.' && (b == '"' || scan.Atext.Is(b)) {
		// A token, or the beginning of an obsolete local-part (RFC 5322, section 4.4).
		pos, cfws := p.Pos(), p.cfws
		if v, ok := p.address(start); ok {
			return v, true
		}
		p.Reset(pos)
		p.cfws = cfws
	}
	switch {
	case b == '@', b == '.' && s != "":
		if v, ok := p.plainAddress(start, s, some); ok {
			return v, true
		}
		return p.address(start)
	case p.Err() != nil:
		return "", false
	case s == "" || !p.cfws && b != ';' && b != 0:
	case all&scan.Token != 0:
		return s, true
	case some&scan.NonASCII != 0 && isDomainName(s):
		return p.text(s), true
	}
	return p.notValue(start)
}

// notValue is where the grammar has no value at start; another reading of it may have.
func (p *parser) notValue(start int) (string, bool) {
	if !p.lenient {
		return "", p.Fail(scan.ErrSyntax)
	}
	s, ok := p.lenientRun(start)
	p.space()
	return s, ok && p.Err() == nil
}

// plainAddress reads "@" domain-name behind a local-part that is a dot-atom or
// nothing, and the CFWS behind it. What is not that simple is for address.
func (p *parser) plainAddress(start int, local string, some scan.Class) (string, bool) {
	if p.cfws || some&scan.NonASCII != 0 || !isDotAtom(local) || !p.Accept('@') {
		return "", false
	}
	name := p.Span(scan.Ldh | scan.Dot)
	s := p.Since(start)
	p.space()
	b := p.Peek()
	return s, isDomainName(name) && (p.cfws || b == ';' || b == 0) && p.Err() == nil
}

// address reads [ local-part ] "@" domain-name from start, and the CFWS behind
// it. The local-part is a dot-atom, a quoted-string or the obsolete mixture of
// both (RFC 5322, sections 3.4.1 and 4.4); comments in it are left out.
func (p *parser) address(start int) (string, bool) {
	p.Reset(start)
	var local strings.Builder
	plain := true // the text is the value: no CFWS inside
	for p.Peek() != '@' {
		word := p.Pos()
		if p.Peek() == '"' {
			p.Quoted()
		} else {
			p.ExpectSpan(scan.Atext | scan.NonASCII)
		}
		if p.Err() != nil {
			return p.notValue(start)
		}
		local.WriteString(unfold(p.Since(word)))
		if p.CFWS() {
			plain = false
		}
		if p.Peek() != '.' {
			break
		}
		p.Accept('.')
		local.WriteByte('.')
		if p.CFWS() {
			plain = false
		}
		if p.Peek() == '@' {
			return p.notValue(start)
		}
	}
	if !p.Accept('@') {
		return p.notValue(start)
	}
	at := p.Pos()
	p.Span(scan.Ldh | scan.Dot | scan.NonASCII)
	name := p.Since(at)
	if !isDomainName(name) {
		return p.notValue(start)
	}
	s := p.Since(start)
	if !plain || strings.IndexByte(s, '\n') >= 0 {
		s = local.String() + "@" + name
	}
	if !isASCII(s) && !utf8.ValidString(s) {
		return "", p.Fail(scan.ErrUTF8)
	}
	p.space()
	if b := p.Peek(); !p.cfws && b != ';' && b != 0 {
		return p.notValue(start)
	}
	return p.text(s), p.Err() == nil
}

// isDomainName reports whether s is a domain-name of RFC 6376, section 3.5: two
// or more labels of letters, digits and hyphens, or U-labels.
func isDomainName(s string) bool {
	if !isASCII(s) {
		n, err := domain.Parse(s)
		return err == nil && n.Labels() > 1
	}
	dots, label := 0, 0
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case b == '.':
			if label == 0 || s[i-1] == '-' {
				return false
			}
			dots, label = dots+1, 0
			continue
		case b == '-' && label == 0, !scan.Ldh.Is(b):
			return false
		}
		label++
	}
	return dots > 0 && label > 0 && s[len(s)-1] != '-'
}

// unfold removes the line ends of folding inside a quoted string that is kept as it is.
func unfold(s string) string {
	if strings.IndexByte(s, '\n') < 0 {
		return s
	}
	return strings.NewReplacer("\r", "", "\n", "").Replace(s)
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
