package dkim

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/internal/taglist"
	"github.com/seed2385d973/mailauth/message"
)

// Signature holds the tags of a DKIM-Signature field (RFC 6376, section 3.5).
// In a Result it is filled as far as the field could be read; all of it was
// written by a stranger. The zero value is a field of which nothing could be read.
type Signature struct {
	Version   string // v= as written
	Algorithm string // a= as written
	Domain    string // d=, the SDID: lower-case A-labels, "" if unusable
	Selector  string // s=: lower-case A-labels, "" if unusable
	// Identity is i=, the AUID, decoded and with its domain in lower-case A-labels;
	// "@" and the domain of d= where the field has no i=.
	Identity string
	// HeaderCanonicalization and BodyCanonicalization are c=.
	HeaderCanonicalization, BodyCanonicalization message.Canonicalization
	QueryMethods                                 string   // q= as written, "dns/txt" if absent
	Fields                                       []string // h=: field names as written
	// BodyLength is l= in octets of the canonical body; nil if absent.
	BodyLength   *int64
	Time         time.Time     // t=; zero if absent
	Expires      time.Time     // x=; zero if absent
	CopiedFields []CopiedField // z=, for diagnosis only
	// Data is b= without white space: base64.
	Data string
}

// CopiedField is a header field as it was when the message was signed, by the
// signer's word (RFC 6376, section 3.5, z=).
type CopiedField struct{ Name, Value string }

// parsed is a signature field with what the verification needs of it.
type parsed struct {
	key      sig.Key
	msg      sig.Message
	keyName  domain.Name // where the key is published
	identity domain.Name // the domain of i=
	err      error       // the first error in the order of RFC 6376, section 6.1.1
}

// parseSignature reads the value of a DKIM-Signature field. It judges the field
// alone: no clock, no DNS, no list of suffixes. storage is for the tags.
func parseSignature(value string, eai bool, s *Signature, storage []taglist.Tag) parsed {
	r, tags := sig.NewReader(storage, value, eai)
	var p parsed
	if v, ok := tags.Get("v"); ok {
		if s.Version = v; v != "1" {
			r.Fail(ErrVersion, "")
		}
	}
	r.Require(tags, "v", "a", "b", "bh", "d", "h", "s")
	p.key = r.Key(tags)
	p.msg = r.Message(tags, p.key)
	s.fill(&p)
	p.identity = p.key.Domain
	if v, ok := tags.Get("i"); ok {
		p.identity = readIdentity(&r, v, p.key.Domain, s)
	} else if !p.key.Domain.IsZero() {
		s.Identity = "@" + s.Domain
	}
	if p.msg.Names != nil && !names(p.msg.Names, "from") {
		r.Fail(ErrFromNotSigned, "")
	}
	if v, ok := tags.Get("z"); ok {
		s.CopiedFields = readCopied(&r, v)
	}
	r.CheckText(tags)
	if !p.key.Domain.IsZero() && !p.key.Selector.IsZero() {
		var err error
		if p.keyName, err = sig.KeyName(p.key.Selector, p.key.Domain); err != nil {
			r.Fail(ErrSelector, err.Error())
		}
	}
	p.err = exported(r.Err())
	return p
}

func (s *Signature) fill(p *parsed) {
	s.Algorithm = p.key.AlgorithmText
	s.Domain = p.key.Domain.String()
	s.Selector = p.key.Selector.String()
	s.Data = p.key.Text
	s.HeaderCanonicalization, s.BodyCanonicalization = p.msg.Header, p.msg.Body
	s.QueryMethods = p.msg.Methods
	s.Fields = p.msg.Names
	if p.msg.Length >= 0 {
		l := p.msg.Length
		s.BodyLength = &l
	}
	if p.key.Time >= 0 {
		s.Time = time.Unix(p.key.Time, 0).UTC()
	}
	if p.msg.Expires >= 0 {
		s.Expires = time.Unix(p.msg.Expires, 0).UTC()
	}
}

// names reports whether a list of field names has name, which is in lower case.
func names(list []string, name string) bool {
	for _, n := range list {
		if len(n) == len(name) && strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// readIdentity reads i=: [ Local-part ] "@" domain-name in
// dkim-quoted-printable, the domain being d= or below it.
func readIdentity(r *sig.Reader, v string, d domain.Name, s *Signature) domain.Name {
	text, ok := sig.DecodeQP(v, r.EAI)
	at := -1
	if ok {
		at = localPart(text)
	}
	if at < 0 {
		r.Fail(ErrIdentity, "")
		return domain.Name{}
	}
	n, err := r.Name(text[at+1:])
	if err != nil {
		r.Fail(ErrIdentity, err.Error())
		return domain.Name{}
	}
	if n == d {
		s.Identity = text[:at+1] + s.Domain
	} else {
		s.Identity = text[:at+1] + n.String()
	}
	if !d.IsZero() && !n.IsWithin(d) {
		r.Fail(ErrDomainMismatch, "")
	}
	return n
}

// localPart returns where the "@" after an optional Local-part is (RFC 5321,
// section 4.1.2: Dot-string or Quoted-string, of UTF-8 as in RFC 6531, section 3.3),
// negative if there is no such thing.
func localPart(s string) int {
	if s == "" || !utf8.ValidString(s) {
		return -1
	}
	i := 0
	if s[0] == '"' {
		for i = 1; i < len(s) && s[i] != '"'; i++ {
			if s[i] == '\\' {
				i++
			}
			if i == len(s) || s[i] < ' ' || s[i] == 0x7f {
				return -1
			}
		}
		if i++; i >= len(s) || s[i] != '@' {
			return -1
		}
		return i
	}
	for ; i < len(s) && s[i] != '@'; i++ {
		if c := s[i]; c == '.' {
			if i == 0 || s[i-1] == '.' || i+1 < len(s) && s[i+1] == '@' {
				return -1
			}
		} else if c <= ' ' || c == 0x7f || strings.IndexByte(`()<>[]:;,\"`, c) >= 0 {
			return -1
		}
	}
	if i == len(s) {
		return -1
	}
	return i
}

// readCopied reads z=. A malformed list is an error like any other malformed tag
// (RFC 6376, section 6.1.1), though nothing of it is ever used to verify.
func readCopied(r *sig.Reader, v string) []CopiedField {
	n := strings.Count(v, "|") + 1
	if n > sig.MaxNames {
		r.Fail(ErrCopiedFields, "too many")
		return nil
	}
	fields := make([]CopiedField, 0, n)
	for more := true; more; {
		var item string
		item, v, more = sig.NextItem(v, '|')
		name, value, ok := strings.Cut(item, ":")
		name = taglist.Trim(name)
		value, okValue := sig.DecodeQP(value, r.EAI)
		if !ok || !okValue || !sig.IsFieldName(name) {
			r.Fail(ErrCopiedFields, "")
			return nil
		}
		// By the letter the name is not encoded, and "=" may stand in one; but there is no
		// other way to write a "|" of it.
		if plain, ok := sig.DecodeQP(name, false); ok && sig.IsFieldName(plain) {
			name = plain
		}
		fields = append(fields, CopiedField{name, value})
	}
	return fields
}
