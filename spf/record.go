package spf

import (
	"net/netip"
	"strconv"
	"strings"
)

// A Record is a parsed SPF record (RFC 7208, section 4.6.1). It is an immutable
// value; the zero value is a record without a term, "v=spf1".
type Record struct {
	text  string
	terms []Term
}

// Kind says what a term is.
type Kind uint8

// The mechanisms (RFC 7208, section 5) and modifiers (RFC 7208, section 6).
// The zero value is none of them.
const (
	All      Kind = iota + 1 // matches always
	Include                  // matches where another domain's record says pass
	A                        // the target's addresses
	MX                       // the addresses of the target's mail exchangers
	PTR                      // a validated name of the client is within the target; do not publish
	IP4                      // an IPv4 network
	IP6                      // an IPv6 network
	Exists                   // the target has an A record
	Redirect                 // another domain's record goes on where nothing matched
	Exp                      // where to find the explanation of a fail
	Unknown                  // a modifier that RFC 7208 does not define; ignored
)

// String returns the name as a record spells it; "unknown" for a modifier that
// RFC 7208 does not define and for anything else.
func (k Kind) String() string {
	switch k {
	case All:
		return "all"
	case Include:
		return "include"
	case A:
		return "a"
	case MX:
		return "mx"
	case PTR:
		return "ptr"
	case IP4:
		return "ip4"
	case IP6:
		return "ip6"
	case Exists:
		return "exists"
	case Redirect:
		return "redirect"
	case Exp:
		return "exp"
	}
	return "unknown"
}

// IsModifier reports whether k is a modifier: a term that does not match
// anything (RFC 7208, section 4.6.3).
func (k Kind) IsModifier() bool { return k >= Redirect }

// Queries reports whether a term of this kind counts towards the limit of 10
// terms that ask the DNS (RFC 7208, section 4.6.4).
func (k Kind) Queries() bool {
	switch k {
	case Include, A, MX, PTR, Exists, Redirect:
		return true
	}
	return false
}

// Term is one directive or modifier of a record (RFC 7208, section 4.6.1).
type Term struct {
	Kind Kind
	// Qualifier is '+', '-', '~' or '?' of a directive, '+' where it has none;
	// 0 for a modifier (RFC 7208, section 4.6.2).
	Qualifier byte
	// IP4Length and IP6Length are the prefix lengths of a and mx, 32 and 128
	// where there is none (RFC 7208, section 5.6); 0 for other kinds.
	IP4Length, IP6Length uint8
	// Text is the term as written.
	Text string
	// DomainSpec is the domain-spec as written, macros and all, "" where there
	// is none (RFC 7208, section 4.8). For an unknown modifier it is the value.
	DomainSpec string
	// Network is the network of ip4 and ip6, its host bits as written; the
	// zero Prefix for other kinds.
	Network netip.Prefix
}

// Name returns the term's name in lower case, also of an unknown modifier.
func (t Term) Name() string {
	if t.Kind == Unknown {
		name, _, _ := strings.Cut(t.Text, "=")
		return strings.ToLower(name)
	}
	return t.Kind.String()
}

// HasMacro reports whether the domain-spec has to be expanded (RFC 7208, section 7).
func (t Term) HasMacro() bool { return strings.IndexByte(t.DomainSpec, '%') >= 0 }

// String returns the term in canonical form: name in lower case, no "+", no
// prefix length that says nothing, addresses as RFC 5952, section 4 writes them.
func (t Term) String() string { return string(t.append(nil)) }

func (t Term) append(b []byte) []byte {
	if t.Kind.IsModifier() {
		b = append(b, t.Name()...)
		b = append(b, '=')
		return append(b, t.DomainSpec...)
	}
	if t.Qualifier != 0 && t.Qualifier != '+' {
		b = append(b, t.Qualifier)
	}
	b = append(b, t.Kind.String()...)
	switch t.Kind {
	case IP4, IP6:
		b = append(b, ':')
		b = t.Network.Addr().AppendTo(b)
		if !t.Network.IsSingleIP() {
			b = append(b, '/')
			b = strconv.AppendInt(b, int64(t.Network.Bits()), 10)
		}
		return b
	}
	if t.DomainSpec != "" {
		b = append(b, ':')
		b = append(b, t.DomainSpec...)
	}
	if t.Kind == A || t.Kind == MX {
		if t.IP4Length != 32 {
			b = append(b, '/')
			b = strconv.AppendInt(b, int64(t.IP4Length), 10)
		}
		if t.IP6Length != 128 {
			b = append(b, '/', '/')
			b = strconv.AppendInt(b, int64(t.IP6Length), 10)
		}
	}
	return b
}

// ParseRecord reads an SPF record: the text of one TXT record, its strings
// joined (RFC 7208, section 3.3). It is as strict as a check is: any syntax
// error anywhere is an error (RFC 7208, section 4.6). Errors: [ErrSyntax], under
// which [ErrVersion], [ErrCharacter], [ErrMechanism], [ErrNetwork],
// [ErrPrefixLength], [ErrDomainSpec], [ErrMacro], [ErrDuplicate]; besides
// [ErrRecordSize] and [ErrTerms].
func ParseRecord(text string) (Record, error) {
	if !isRecord(text) {
		return Record{}, &problem{err: ErrVersion, term: text}
	}
	terms, term, e := scanTerms(text, nil)
	if e != "" {
		return Record{}, &problem{err: e, term: term}
	}
	return Record{text: text, terms: terms}, nil
}

// Text returns the record as it was read.
func (r Record) Text() string {
	if r.text == "" {
		return version
	}
	return r.text
}

// Terms returns the record's terms in their order. The slice is the caller's.
func (r Record) Terms() []Term { return append([]Term(nil), r.terms...) }

// Modifier returns the domain-spec of redirect or exp, "" if the record has none.
func (r Record) Modifier(k Kind) string {
	if !k.IsModifier() || k == Unknown {
		return ""
	}
	for _, t := range r.terms {
		if t.Kind == k {
			return t.DomainSpec
		}
	}
	return ""
}

// String returns the record in canonical form: what a check sees, nothing
// else. Parsing it gives the same terms again.
func (r Record) String() string {
	b := make([]byte, 0, len(r.text)+len(version))
	b = append(b, version...)
	for _, t := range r.terms {
		b = append(b, ' ')
		b = t.append(b)
	}
	return string(b)
}
