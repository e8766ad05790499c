package dkim

import (
	"crypto"
	"slices"

	"github.com/seed2385d973/mailauth/internal/sig"
)

// Record is a key record: what a signing domain publishes in the DNS under
// selector._domainkey.domain (RFC 6376, section 3.6.1). The zero value is no record.
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
	// Key is an *rsa.PublicKey or an ed25519.PublicKey; nil if there is none that
	// may be used.
	Key crypto.PublicKey
	// Bits is the length of the RSA modulus, 256 for Ed25519; zero if unknown.
	Bits int
	// Data is p= without white space.
	Data string
}

// ParseRecord reads the text of a key record, the strings of the TXT record
// joined, with the limits of a zero [Verifier]. A nil error says that such a
// Verifier would use the key. The errors are [ErrNotKey], [ErrKeySyntax],
// [ErrKeyHash], [ErrKeyService], [ErrKeyRevoked], [ErrKeyType], [ErrKeyShort],
// [ErrKeyLong] and [ErrKeyUnsafe]; the Record is then zero.
//
// An RSA key may be a SubjectPublicKeyInfo or an RSAPublicKey (decision 23),
// both in DER with nothing after it. Unknown tags, hash algorithms, services
// and flags are ignored and left out of the Record.
func ParseRecord(text string) (Record, error) {
	r, err := sig.ParseRecord(text, sig.Bounds{})
	if err == nil && r.Hashes != nil && !slices.Contains(r.Hashes, "sha256") {
		err = sig.ErrKeyHash // SHA-1 alone is no use (RFC 8301, section 3.1)
	}
	if err != nil {
		return Record{}, exported(err)
	}
	return Record(r), nil
}

// String returns the record in one canonical form: tags in the order of RFC
// 6376, section 3.6.1 after v=DKIM1, default values left out except k=; "" for
// the zero value. [ParseRecord] reads it back to the same Record.
func (r Record) String() string { return sig.Record(r).String() }
