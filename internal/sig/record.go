package sig

import (
	"crypto"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"

	"github.com/seed2385d973/mailauth/internal/taglist"
)

// Record is a key record (RFC 6376, section 3.6.1). The packages above have a
// type with the same fields, so that one converts to the other.
type Record struct {
	// Version is "DKIM1", or "" where the record has no v=.
	Version string
	// KeyType is k=: "rsa", which is the default, or "ed25519".
	KeyType string
	// Hashes lists the known algorithms of h=, "sha1" and "sha256"; nil allows all.
	Hashes []string
	// Services lists the known service types of s=, "*" and "email"; nil is the default "*".
	Services []string
	// Notes is n= as published, not decoded.
	Notes string
	// Testing and Strict are the flags y and s of t=.
	Testing, Strict bool
	// Revoked: p= is empty.
	Revoked bool
	// Key is an *rsa.PublicKey or an ed25519.PublicKey; nil if there is none that may be used.
	Key crypto.PublicKey
	// Bits is the length of the RSA modulus, 256 for Ed25519; zero if unknown.
	Bits int
	// Data is p= without white space.
	Data string
}

// String writes the record in one canonical form: tags in the order of RFC
// 6376, section 3.6.1, defaults left out except k=.
func (r Record) String() string {
	if r.KeyType == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("v=DKIM1")
	if r.Hashes != nil {
		b.WriteString("; h=" + strings.Join(r.Hashes, ":"))
	}
	b.WriteString("; k=" + r.KeyType)
	if r.Notes != "" {
		b.WriteString("; n=" + r.Notes)
	}
	b.WriteString("; p=" + r.Data)
	if r.Services != nil {
		b.WriteString("; s=" + strings.Join(r.Services, ":"))
	}
	switch {
	case r.Testing && r.Strict:
		b.WriteString("; t=y:s")
	case r.Testing:
		b.WriteString("; t=y")
	case r.Strict:
		b.WriteString("; t=s")
	}
	return b.String()
}

// Bounds are the accepted lengths of an RSA modulus in bits. Zero fields mean
// MinRSABits and MaxRSABits; Max is never more than HardMaxRSABits.
type Bounds struct{ Min, Max int }

func (b Bounds) min() int {
	if b.Min <= 0 {
		return MinRSABits
	}
	return b.Min
}

func (b Bounds) max() int {
	if b.Max <= 0 {
		return MaxRSABits
	}
	return min(b.Max, HardMaxRSABits)
}

// IsRecord reports whether a TXT record is a key record at all, good or bad:
// v=DKIM1 comes first, or there is no v= but p= (decision 24). Other records
// under the name, an SPF record of a wildcard for instance, are not the owner's
// key and must not spoil it.
func IsRecord(text string) bool {
	if strings.HasPrefix(text, "v=DKIM1;") {
		return true // what nearly all records begin with
	}
	p := false
	sc := taglist.NewScanner(text)
	for i := 0; ; i++ {
		t, ok := sc.Next()
		if !ok {
			return p
		}
		switch t.Name {
		case "v":
			return i == 0 && t.Value == "DKIM1"
		case "p":
			p = true
		}
	}
}

// ParseRecord reads a key record strictly. The Record is filled as far as it
// could be read also where there is an error; Key is then nil. A revoked key is
// ErrKeyRevoked.
func ParseRecord(text string, b Bounds) (Record, error) {
	if len(text) > MaxRecord {
		return Record{}, fmt.Errorf("%w: longer than %d octets", ErrKeySyntax, MaxRecord)
	}
	if !IsRecord(text) {
		return Record{}, ErrNotKey
	}
	var storage [8]taglist.Tag
	tags, err := taglist.Parse(storage[:0], text)
	if err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrKeySyntax, err)
	}
	r := Record{KeyType: "rsa"}
	hasKey := false
	for i := range tags {
		v := tags[i].Value
		if !isASCII(v) {
			// DNS strings stay ASCII also for internationalized mail (RFC 8616, section 3).
			return r, fmt.Errorf("%w: octet above 0x7f in %s=", ErrKeySyntax, tags[i].Name)
		}
		ok := true
		switch tags[i].Name {
		case "v":
			r.Version = v
		case "h":
			r.Hashes, ok = known(v, "sha1", "sha256")
		case "k":
			r.KeyType, ok = v, isHyphenated(v)
		case "n":
			r.Notes = v
		case "p":
			hasKey = true
			r.Data = taglist.Compact(v)
		case "s":
			r.Services, ok = known(v, "*", "email")
		case "t":
			var flags []string
			flags, ok = known(v, "y", "s")
			for _, f := range flags {
				r.Testing = r.Testing || f == "y"
				r.Strict = r.Strict || f == "s"
			}
		}
		if !ok {
			return r, fmt.Errorf("%w: %s=", ErrKeySyntax, tags[i].Name)
		}
	}
	if !hasKey {
		return r, fmt.Errorf("%w: no p=", ErrKeySyntax)
	}
	if r.Hashes != nil && len(r.Hashes) == 0 {
		return r, ErrKeyHash // only for algorithms that nobody here knows
	}
	if r.Services != nil && len(r.Services) == 0 {
		return r, ErrKeyService
	}
	if r.Data == "" {
		r.Revoked = true
		return r, ErrKeyRevoked
	}
	return r, r.parseKey(b)
}

// known reads a list of hyphenated words (or "*") and returns those that are
// among the given ones; unknown ones are ignored (RFC 6376, section 3.6.1).
func known(v string, words ...string) ([]string, bool) {
	list := []string{}
	for more := true; more; {
		var item string
		item, v, more = NextItem(v, ':')
		found := false
		for _, w := range words {
			if item == w {
				found = true
				list = append(list, w) // w, not item: the record's text need not be kept for it
			}
		}
		if !found && !isHyphenated(item) {
			return nil, false
		}
		if len(list) > MaxNames {
			return nil, false
		}
	}
	return list, true
}

func (r *Record) parseKey(b Bounds) error {
	if r.KeyType != "rsa" && r.KeyType != "ed25519" {
		return fmt.Errorf("%w: unknown key type", ErrKeyType)
	}
	if len(r.Data) > MaxKeyText {
		return fmt.Errorf("%w: p= longer than %d characters", ErrKeySyntax, MaxKeyText)
	}
	if r.KeyType == "ed25519" {
		return r.parseEd25519()
	}
	var room [600]byte // a key of 4096 bits; nothing is kept of it but the number
	der := room[:]
	if size := decodedLen(r.Data); size > len(room) {
		der = make([]byte, size)
	}
	size, ok := decodeBase64(der, r.Data)
	if !ok {
		return fmt.Errorf("%w: p= is not base64", ErrKeySyntax)
	}
	n, e, ok := parseRSA(der[:size])
	if !ok {
		return fmt.Errorf("%w: p= is not an RSA public key", ErrKeySyntax)
	}
	var err error
	r.Bits, err = CheckRSA(n, e, b)
	if err != nil {
		return err
	}
	r.Key = newRSA(n, e)
	return nil
}

func (r *Record) parseEd25519() error {
	key, _, ok := Base64(r.Data)
	if !ok {
		return fmt.Errorf("%w: p= is not base64", ErrKeySyntax)
	}
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: an Ed25519 key has 32 octets", ErrKeySyntax)
	}
	r.Bits = 256
	if err := CheckEd25519(key); err != nil {
		return err
	}
	r.Key = ed25519.PublicKey(key)
	return nil
}

// fits checks a record against a signature's algorithm (RFC 6376, section
// 6.1.2, steps 6 and 8).
func (r *Record) fits(a Algorithm) error {
	if r.Hashes != nil && !slices.Contains(r.Hashes, a.HashName()) {
		return ErrKeyHash
	}
	if r.KeyType != a.KeyType() && !r.Revoked {
		return ErrKeyType
	}
	return nil
}

// Weak reports whether a key is one that RFC 8301, section 3.2 tells signers to replace.
func (r *Record) Weak() bool {
	return r.KeyType == "rsa" && 0 < r.Bits && r.Bits < WeakRSABits
}
