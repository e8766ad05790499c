// Package sig is what a DKIM signature (RFC 6376) and the two signatures of an
// ARC set (RFC 8617, section 4.1) share: the tags, the header hash, the key
// record and how it is fetched, the cryptography with its limits. It works on
// tag lists and header fields and knows neither a Verifier nor a Result.
//
// The three signatures differ in their tags only:
//
//	DKIM-Signature          v + Key tags + Message tags + i (identity), z
//	ARC-Message-Signature       Key tags + Message tags + i (instance)
//	ARC-Seal                    Key tags + i (instance), cv
//
// so [Reader.Key] reads the first group for all three and [Reader.Message] the
// second for two of them. A DKIM-Signature and an ARC-Message-Signature are then
// hashed by [Header.Select] and [Header.Sum] (RFC 6376, section 3.7), an
// ARC-Seal by [Header.Sum] over the fields that RFC 8617, section 5.1.1 lists.
//
// Nothing here repairs anything: RFC 6376, section 6.1.1 calls being liberal
// in what one accepts "definitely a bad strategy in this security context".
package sig

// Error is a constant error of this package. The packages above declare
// constants of their own with the same text, so that an Error converts to
// theirs and errors.Is works on both.
type Error string

func (e Error) Error() string { return string(e) }

// What can be wrong with a signature field. All of these are permanent.
const (
	ErrTagList          Error = "signature is not a tag-list"
	ErrMissingTag       Error = "signature lacks a required tag"
	ErrAlgorithm        Error = "unknown signature algorithm"
	ErrSignatureData    Error = "b= is not a signature"
	ErrBodyHashData     Error = "bh= is not a hash of the signature's algorithm"
	ErrCanonicalization Error = "unknown canonicalization"
	ErrDomain           Error = "d= is not a domain name"
	ErrSelector         Error = "s= is not a selector"
	ErrHeaderNames      Error = "h= is not a list of field names"
	ErrLength           Error = "l= is not a length"
	ErrQueryMethod      Error = "no usable query method"
	ErrTime             Error = "t= or x= is not a time, or x= is not after t="
)

// What can be wrong with a key: where it is published, and the key itself.
const (
	ErrKeyUnavailable Error = "key could not be looked up"
	ErrNoResolver     Error = "no resolver configured"
	ErrBudget         Error = "DNS budget of the message exceeded"
	ErrNoKey          Error = "no key published"
	ErrMultipleKeys   Error = "several keys published under one name"
	ErrNotKey         Error = "not a key record"
	ErrKeySyntax      Error = "malformed key record"
	ErrKeyRevoked     Error = "key revoked"
	ErrKeyType        Error = "key type does not fit the algorithm"
	ErrKeyHash        Error = "key is not for this hash algorithm"
	ErrKeyService     Error = "key is not for e-mail"
	ErrKeyShort       Error = "RSA key too short"
	ErrKeyLong        Error = "RSA key too long"
	ErrKeyUnsafe      Error = "key is unsafe"
)

// ErrSignature: the cryptography says no.
const ErrSignature Error = "signature did not verify"

// Default limits.
const (
	// MaxNames bounds h=: no mail has a tenth of it, and each costs a look-up in the header.
	MaxNames = 256
	// MaxRecord bounds the text of a key record: a TXT record can have 64 KiB.
	MaxRecord = 8 << 10
	// MaxKeyText bounds p= in base64 characters: an RSA key of 8192 bits has 1,408.
	MaxKeyText = 4096
	// MaxField bounds the value of a signature field in octets.
	MaxField = 16 << 10
	// MinRSABits is the least RSA modulus (RFC 8301, section 3.2).
	MinRSABits = 1024
	// MaxRSABits is the largest RSA modulus by default, the one up to which RFC
	// 8301, section 3.2 demands support. The work grows with the square.
	MaxRSABits = 4096
	// HardMaxRSABits is the largest modulus that any option allows.
	HardMaxRSABits = 8192
	// WeakRSABits is the least modulus that RFC 8301, section 3.2 tells signers to use.
	WeakRSABits = 2048
)
