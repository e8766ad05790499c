package sig

import (
	"crypto"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/taglist"
	"github.com/seed2385d973/mailauth/message"
)

// Algorithm is a signature algorithm: the value of a=. The zero value is none.
type Algorithm uint8

// The algorithms of RFC 6376, section 3.3 and RFC 8463, section 3.
const (
	RSASHA256 Algorithm = iota + 1
	Ed25519SHA256
	RSASHA1
)

// String returns the value of a=, "" for the zero value.
func (a Algorithm) String() string {
	switch a {
	case RSASHA256:
		return "rsa-sha256"
	case Ed25519SHA256:
		return "ed25519-sha256"
	case RSASHA1:
		return "rsa-sha1"
	}
	return ""
}

// Hash returns the hash of body and header.
func (a Algorithm) Hash() crypto.Hash {
	if a == RSASHA1 {
		return crypto.SHA1
	}
	return crypto.SHA256
}

// HashName returns the hash as h= of a key record spells it.
func (a Algorithm) HashName() string {
	if a == RSASHA1 {
		return "sha1"
	}
	return "sha256"
}

// KeyType returns the key type that the algorithm needs: the value of k=.
func (a Algorithm) KeyType() string {
	if a == Ed25519SHA256 {
		return "ed25519"
	}
	return "rsa"
}

// Key holds the tags that all three signatures have: who signed, with which
// key, when, and the signature itself.
type Key struct {
	Algorithm     Algorithm
	AlgorithmText string      // a= as written
	Domain        domain.Name // d=
	Selector      domain.Name // s=
	Data          []byte      // b=
	Text          string      // b= without white space; set only if it is base64
	Start, End    int         // what to remove of the field's value for the hash
	Time          int64       // t=; negative if absent
}

// Message holds the tags that a DKIM-Signature and an ARC-Message-Signature
// have besides: what is signed.
type Message struct {
	Header, Body message.Canonicalization // c=
	BodyHash     []byte                   // bh=
	Names        []string                 // h=, as written
	Length       int64                    // l=; negative if absent
	Expires      int64                    // x=; negative if absent
	Methods      string                   // q= as written, "dns/txt" if absent
}

// Tags are those of one signature.
type Tags []taglist.Tag

// Get returns the value of a tag.
func (tags Tags) Get(name string) (string, bool) { return taglist.Get(tags, name) }

// Reader reads the tags of one signature. It goes on after an error, so that
// a report can name what could be read; the first error is the one that counts. It
// does not hold the tags, so that these can lie on the stack while its error
// leaves it.
type Reader struct {
	EAI bool // the message is internationalized (RFC 8616, section 5)
	// EmptyNames lets h= have empty items, which name no field: the public ARC
	// suite has a chain that passes with one.
	EmptyNames bool
	err        error
}

// NewReader parses a field's value; storage is used for the tags if it is large enough.
// A list that is no tag-list, or that holds an octet above 0x7f in a message
// that is not internationalized, leaves an error and no tags: where a name
// occurs twice neither value can be trusted.
func NewReader(storage []taglist.Tag, value string, eai bool) (Reader, Tags) {
	r := Reader{EAI: eai}
	if len(value) > MaxField {
		r.Fail(ErrTagList, taglist.ErrTooLong.Error())
		return r, nil
	}
	tags, err := taglist.Parse(storage[:0], value)
	if err != nil {
		r.Fail(ErrTagList, err.Error())
		return r, nil
	}
	return r, tags
}

// CheckText refuses octets above 0x7f where they are not allowed (RFC 6376,
// section 3.2; RFC 8616, section 5). It comes after the single tags, whose errors say more.
func (r *Reader) CheckText(tags Tags) {
	for i := range tags {
		if v := tags[i].Value; !isASCII(v) && (!r.EAI || !utf8.ValidString(v)) {
			r.Fail(ErrTagList, "octet above 0x7f in "+tags[i].Name+"=")
		}
	}
}

// Fail records an error; the first one stays.
func (r *Reader) Fail(e error, detail string) {
	if r.err == nil {
		if detail == "" {
			r.err = e
		} else {
			r.err = fmt.Errorf("%w: %s", e, detail)
		}
	}
}

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Require fails for the first of names that is absent (RFC 6376, section 6.1.1).
func (r *Reader) Require(tags Tags, names ...string) {
	if tags == nil {
		return
	}
	for _, n := range names {
		if _, ok := tags.Get(n); !ok {
			r.Fail(ErrMissingTag, n+"=")
			return
		}
	}
}

// Key reads a, b, d, s and t (RFC 6376, section 3.5).
func (r *Reader) Key(tags Tags) Key {
	k := Key{Time: -1}
	for i := range tags {
		t := &tags[i]
		switch t.Name {
		case "a":
			r.algorithm(&k, t.Value)
		case "b":
			k.Start, k.End = t.Start, t.End
			data, text, ok := Base64(t.Value)
			if ok && text != "" {
				k.Data, k.Text = data, text
			} else {
				r.Fail(ErrSignatureData, "")
			}
		case "d":
			k.Domain = r.domain(t.Value)
		case "s":
			k.Selector = r.selector(t.Value)
		case "t":
			k.Time = r.time(t.Value)
		}
	}
	if k.Text != "" && k.Algorithm != 0 && !plausible(k.Algorithm, len(k.Data)) {
		r.Fail(ErrSignatureData, "wrong length")
	}
	return k
}

// plausible: the length that an Ed25519 signature has, and the least one that
// any RSA key of 512 bits makes; whether an RSA signature fits its key shows later.
func plausible(a Algorithm, n int) bool {
	if a == Ed25519SHA256 {
		return n == 64
	}
	return 64 <= n && n <= HardMaxRSABits/8
}

func (r *Reader) algorithm(k *Key, v string) {
	k.AlgorithmText = v
	for a := RSASHA256; a <= RSASHA1; a++ {
		if v == a.String() {
			k.Algorithm = a
			return
		}
	}
	r.Fail(ErrAlgorithm, "")
}

// domain: letters, digits, hyphens and at least two labels, by the ABNF of d=;
// U-labels only in an internationalized message (decision 14; RFC 8616, section 5).
func (r *Reader) domain(v string) domain.Name {
	n, err := r.parseName(v)
	if err == nil && n.Labels() < 2 {
		err = fmt.Errorf("one label")
	}
	if err != nil {
		r.Fail(ErrDomain, err.Error())
		return domain.Name{}
	}
	return n
}

func (r *Reader) parseName(v string) (domain.Name, error) {
	if r.EAI {
		return domain.Parse(v)
	}
	return domain.ParseASCII(v)
}

func (r *Reader) selector(v string) domain.Name {
	n, err := domain.ParseSelector(v)
	if err == nil && !r.EAI && !isASCII(v) {
		err = domain.ErrChar
	}
	if err != nil {
		r.Fail(ErrSelector, err.Error())
		return domain.Name{}
	}
	return n
}

// Name parses a domain name under the rules of the message, for i=.
func (r *Reader) Name(v string) (domain.Name, error) { return r.parseName(v) }

// time: 1*12DIGIT (RFC 6376, section 3.5). More digits could count as infinite
// there; refusing them is the closed choice (decision 22).
func (r *Reader) time(v string) int64 {
	n, ok := Number(v, 12)
	if !ok {
		r.Fail(ErrTime, "")
		return -1
	}
	return n
}

// Message reads bh, c, h, l, q and x (RFC 6376, section 3.5). k is what Key returned.
func (r *Reader) Message(tags Tags, k Key) Message {
	m := Message{Length: -1, Expires: -1, Methods: "dns/txt"}
	for i := range tags {
		v := tags[i].Value
		switch tags[i].Name {
		case "bh":
			data, _, ok := Base64(v)
			if !ok || k.Algorithm != 0 && len(data) != k.Algorithm.Hash().Size() {
				r.Fail(ErrBodyHashData, "")
				break
			}
			m.BodyHash = data
		case "c":
			r.canonicalization(&m, v)
		case "h":
			m.Names = r.names(v)
		case "l":
			// 1*76DIGIT; what does not fit 63 bits is larger than any body.
			n, ok := Number(v, 76)
			if !ok {
				r.Fail(ErrLength, "")
				break
			}
			m.Length = n
		case "q":
			m.Methods = v
			r.methods(v)
		case "x":
			m.Expires = r.time(v)
		}
	}
	if m.Expires >= 0 && k.Time >= 0 && m.Expires <= k.Time {
		r.Fail(ErrTime, "x= is not after t=")
	}
	return m
}

func (r *Reader) canonicalization(m *Message, v string) {
	head, body, two := strings.Cut(v, "/")
	if !two {
		body = "simple"
	}
	h, ok1 := canonByName(head)
	b, ok2 := canonByName(body)
	if !ok1 || !ok2 {
		r.Fail(ErrCanonicalization, "")
		return
	}
	m.Header, m.Body = h, b
}

func canonByName(s string) (message.Canonicalization, bool) {
	switch s {
	case "simple":
		return message.Simple, true
	case "relaxed":
		return message.Relaxed, true
	}
	return 0, false
}

func (r *Reader) names(v string) []string {
	n := strings.Count(v, ":") + 1
	if n > MaxNames {
		r.Fail(ErrHeaderNames, fmt.Sprintf("%d names, limit %d", n, MaxNames))
		return nil
	}
	names := make([]string, 0, n)
	for more := true; more; {
		// A name is what its octets say up to the colon; where something else stands,
		// a fold mostly, the list is looked at with more care.
		end := 0
		for end < len(v) && isNameOctet(v[end]) {
			end++
		}
		name := v[:end]
		if end > 0 && end < len(v) && v[end] == ':' {
			v = v[end+1:]
		} else if name, v, more = NextItem(v, ':'); name == "" && r.EmptyNames {
			continue
		} else if !isFieldName(name) {
			r.Fail(ErrHeaderNames, "")
			return nil
		}
		names = append(names, name)
	}
	return names
}

// methods: unknown methods are ignored, but one has to be dns/txt. The
// arguments of unknown ones cannot hold a colon (erratum 4810).
func (r *Reader) methods(v string) {
	known := false
	for more := true; more; {
		var item string
		item, v, more = NextItem(v, ':')
		known = known || item == "dns/txt"
		typ, args, has := strings.Cut(item, "/")
		if !isHyphenated(typ) || has && args == "" {
			r.Fail(ErrQueryMethod, "malformed")
			return
		}
		if _, ok := DecodeQP(args, r.EAI); !ok {
			r.Fail(ErrQueryMethod, "malformed")
			return
		}
	}
	if !known {
		r.Fail(ErrQueryMethod, "not dns/txt")
	}
}
