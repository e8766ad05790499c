package arc

import (
	"errors"

	"github.com/seed2385d973/mailauth/internal/sig"
)

// Error is a constant error of this package: why a chain did not pass, or why
// a Sealer did not seal. Result.Err and a Sealer's error have one of them at
// their root: errors.Is(r.Err, arc.ErrBodyHash).
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

// Code returns the constant's name, such as "ErrBodyHash"; "" for an Error that
// is no constant of this package.
func (e Error) Code() string {
	for i := range names {
		if names[i].err == e {
			return names[i].code
		}
	}
	return ""
}

// Errors of the chain (RFC 8617, section 5.2, steps 1 to 3).
const (
	// ErrTooManySets: more than 50 sets (RFC 8617, section 4.2.1).
	ErrTooManySets Error = "more than 50 ARC sets"
	// ErrSetLimit: more sets than [Verifier.MaxSets].
	ErrSetLimit Error = "more ARC sets than the limit"
	// ErrChainFailed: the newest seal says cv=fail: somebody found the chain broken, and it stays so.
	ErrChainFailed Error = "the newest seal says that the chain has failed"
	// ErrInstance: i= is missing or is not a number from 1 to 50 without leading zero.
	ErrInstance Error = "i= is not an instance"
	// ErrSetIncomplete: a set lacks one of its three fields.
	ErrSetIncomplete Error = "ARC set lacks a field"
	// ErrSetDuplicate: a set has one of its fields twice.
	ErrSetDuplicate Error = "ARC set has a field twice"
	// ErrSetGap: instances do not run from 1 to N.
	ErrSetGap Error = "gap in the ARC sets"
	// ErrChainValidation: cv= is missing or unknown, is not none in the first set, or not pass in a later one.
	ErrChainValidation Error = "wrong cv="
)

// Errors of a signature field (RFC 8617, sections 4.1.2 and 4.1.3; RFC 6376, section 3.5).
const (
	// ErrTagList: the field is no tag-list, names a tag twice or goes over a limit (RFC 6376, section 3.2).
	ErrTagList Error = Error(sig.ErrTagList)
	// ErrMissingTag: a required tag is missing.
	ErrMissingTag Error = Error(sig.ErrMissingTag)
	// ErrSealNames: an ARC-Seal has h= (RFC 8617, section 4.1.3).
	ErrSealNames Error = "h= in ARC-Seal"
	// ErrAlgorithm: a= is unknown; it is case-sensitive (decision 13).
	ErrAlgorithm Error = Error(sig.ErrAlgorithm)
	// ErrSHA1: a= is rsa-sha1 (RFC 8301, section 3.1).
	ErrSHA1 Error = "SHA-1 signature"
	// ErrSignatureData: b= is not base64, or not as long as any signature of the algorithm.
	ErrSignatureData Error = Error(sig.ErrSignatureData)
	// ErrBodyHashData: bh= is not base64, or not as long as the algorithm's hash.
	ErrBodyHashData Error = Error(sig.ErrBodyHashData)
	// ErrCanonicalization: c= names an algorithm other than simple and relaxed.
	ErrCanonicalization Error = Error(sig.ErrCanonicalization)
	// ErrDomain: d= is not a domain name of two labels or more.
	ErrDomain Error = Error(sig.ErrDomain)
	// ErrPublicSuffix: d= is a public suffix (decision 14).
	ErrPublicSuffix Error = "d= is a public suffix"
	// ErrSelector: s= is not a selector, or the key's name would be too long.
	ErrSelector Error = Error(sig.ErrSelector)
	// ErrHeaderNames: h= is not a list of field names, or longer than 256; of a
	// [Sealer], also that it names a field which must not be signed.
	ErrHeaderNames Error = Error(sig.ErrHeaderNames)
	// ErrFromNotSigned: h= of an ARC-Message-Signature lacks From (RFC 6376, section 5.4).
	ErrFromNotSigned Error = "From field not signed"
	// ErrARCSigned: h= of an ARC-Message-Signature names ARC-Seal, or more
	// ARC-Message-Signature fields than there were before it (RFC 8617, section 4.1.2).
	ErrARCSigned Error = "ARC fields signed by an ARC-Message-Signature"
	// ErrLength: l= is not a number below 2^63.
	ErrLength Error = Error(sig.ErrLength)
	// ErrBodyLength: the signature covers only a part of the body (RFC 6376, section 8.2).
	ErrBodyLength Error = "signature covers only a part of the body"
	// ErrQueryMethod: q= is malformed or does not offer dns/txt.
	ErrQueryMethod Error = Error(sig.ErrQueryMethod)
	// ErrTime: t= or x= is not a number of up to 12 digits, or x= is not after t= (decision 22).
	ErrTime Error = Error(sig.ErrTime)
	// ErrFuture: t= is more than an hour ahead of the verifier's clock (decision 22).
	ErrFuture Error = "signature is from the future"
	// ErrExpired: x= has passed (decision 22).
	ErrExpired Error = "signature expired"
)

// Errors of a key (RFC 6376, sections 3.6 and 6.1.2).
const (
	// ErrKeyUnavailable: the DNS gave no answer. The chain has failed all the same
	// (RFC 8617, section 5.2.1); see [Result.Temporary] (decision 16).
	ErrKeyUnavailable Error = Error(sig.ErrKeyUnavailable)
	// ErrNoResolver: the Verifier has no Resolver. As ErrKeyUnavailable.
	ErrNoResolver Error = Error(sig.ErrNoResolver)
	// ErrBudget: the DNS budget of the message was used up.
	ErrBudget Error = Error(sig.ErrBudget)
	// ErrNoKey: nothing is published under the name, or no TXT record there is a key record.
	ErrNoKey Error = Error(sig.ErrNoKey)
	// ErrMultipleKeys: two or more key records under the name (decision 24).
	ErrMultipleKeys Error = Error(sig.ErrMultipleKeys)
	// ErrKeySyntax: the key record is malformed.
	ErrKeySyntax Error = Error(sig.ErrKeySyntax)
	// ErrKeyRevoked: p= is empty.
	ErrKeyRevoked Error = Error(sig.ErrKeyRevoked)
	// ErrKeyType: k= is unknown or does not fit a=; or a Sealer's key is neither RSA nor Ed25519.
	ErrKeyType Error = Error(sig.ErrKeyType)
	// ErrKeyHash: h= of the key record does not allow SHA-256.
	ErrKeyHash Error = Error(sig.ErrKeyHash)
	// ErrKeyService: s= of the key record does not allow e-mail.
	ErrKeyService Error = Error(sig.ErrKeyService)
	// ErrKeyShort: the RSA modulus is under the limit (RFC 8301, section 3.2).
	ErrKeyShort Error = Error(sig.ErrKeyShort)
	// ErrKeyLong: the RSA modulus is over the limit.
	ErrKeyLong Error = Error(sig.ErrKeyLong)
	// ErrKeyUnsafe: the key has a form that no good key has (decision 23).
	ErrKeyUnsafe Error = Error(sig.ErrKeyUnsafe)
)

// Errors of the verification (RFC 8617, section 5.2, steps 4 and 6).
const (
	// ErrBodyHash: the body is not the one that was signed.
	ErrBodyHash Error = "body hash did not verify"
	// ErrSignature: the signature is not this key's over these fields.
	ErrSignature Error = Error(sig.ErrSignature)
	// ErrNoBodyDigest: the message was read without the digest that is needed; a
	// sealer's is in [Sealer.BodyHash].
	ErrNoBodyDigest Error = "no digest of the body was taken"
	// ErrNotExamined: nobody looked whether this older ARC-Message-Signature still verifies.
	ErrNotExamined Error = "signature not examined"
	// ErrAborted: the message did not arrive as a whole.
	ErrAborted Error = "validation aborted"
)

// Reasons of a [Sealer] not to seal.
const (
	// ErrNotValidated: the Result is the zero value, or one of a validation that was aborted.
	ErrNotValidated Error = "the chain was not validated"
	// ErrUncertain: the chain failed for a reason that is ours, not the chain's: a
	// key could not be looked up, or it went over a limit of the validator (decision 16).
	ErrUncertain Error = "the chain may be intact"
	// ErrChainEnded: the newest seal says cv=fail, after which nothing is added (RFC 8617, section 5.1, step 2).
	ErrChainEnded Error = "nothing is added to a chain that has been marked as failed"
	// ErrInstances: the chain has an instance 50 (RFC 8617, section 4.2.1).
	ErrInstances Error = "no instance left"
	// ErrChainChanged: the message that leaves does not have the sets of the chain that was validated.
	ErrChainChanged Error = "the ARC fields are not those that were validated"
	// ErrPrepend: the message begins with white space, which would become a part of whatever
	// is put on top; or what a [Sealer] is told to be on top is not whole fields.
	ErrPrepend Error = "no field can be put on top of this message"
	// ErrKey: the key failed to sign, or there is none.
	ErrKey Error = "no usable key"
	// ErrResults: the authentication results cannot be written.
	ErrResults Error = "authentication results cannot be written"
)

// names gives each constant its name.
var names = [...]struct {
	err  Error
	code string
}{
	{ErrTooManySets, "ErrTooManySets"},
	{ErrSetLimit, "ErrSetLimit"},
	{ErrChainFailed, "ErrChainFailed"},
	{ErrInstance, "ErrInstance"},
	{ErrSetIncomplete, "ErrSetIncomplete"},
	{ErrSetDuplicate, "ErrSetDuplicate"},
	{ErrSetGap, "ErrSetGap"},
	{ErrChainValidation, "ErrChainValidation"},

	{ErrTagList, "ErrTagList"},
	{ErrMissingTag, "ErrMissingTag"},
	{ErrSealNames, "ErrSealNames"},
	{ErrAlgorithm, "ErrAlgorithm"},
	{ErrSHA1, "ErrSHA1"},
	{ErrSignatureData, "ErrSignatureData"},
	{ErrBodyHashData, "ErrBodyHashData"},
	{ErrCanonicalization, "ErrCanonicalization"},
	{ErrDomain, "ErrDomain"},
	{ErrPublicSuffix, "ErrPublicSuffix"},
	{ErrSelector, "ErrSelector"},
	{ErrHeaderNames, "ErrHeaderNames"},
	{ErrFromNotSigned, "ErrFromNotSigned"},
	{ErrARCSigned, "ErrARCSigned"},
	{ErrLength, "ErrLength"},
	{ErrBodyLength, "ErrBodyLength"},
	{ErrQueryMethod, "ErrQueryMethod"},
	{ErrTime, "ErrTime"},
	{ErrFuture, "ErrFuture"},
	{ErrExpired, "ErrExpired"},

	{ErrKeyUnavailable, "ErrKeyUnavailable"},
	{ErrNoResolver, "ErrNoResolver"},
	{ErrBudget, "ErrBudget"},
	{ErrNoKey, "ErrNoKey"},
	{ErrMultipleKeys, "ErrMultipleKeys"},
	{ErrKeySyntax, "ErrKeySyntax"},
	{ErrKeyRevoked, "ErrKeyRevoked"},
	{ErrKeyType, "ErrKeyType"},
	{ErrKeyHash, "ErrKeyHash"},
	{ErrKeyService, "ErrKeyService"},
	{ErrKeyShort, "ErrKeyShort"},
	{ErrKeyLong, "ErrKeyLong"},
	{ErrKeyUnsafe, "ErrKeyUnsafe"},

	{ErrBodyHash, "ErrBodyHash"},
	{ErrSignature, "ErrSignature"},
	{ErrNoBodyDigest, "ErrNoBodyDigest"},
	{ErrNotExamined, "ErrNotExamined"},
	{ErrAborted, "ErrAborted"},

	{ErrNotValidated, "ErrNotValidated"},
	{ErrUncertain, "ErrUncertain"},
	{ErrChainEnded, "ErrChainEnded"},
	{ErrInstances, "ErrInstances"},
	{ErrChainChanged, "ErrChainChanged"},
	{ErrPrepend, "ErrPrepend"},
	{ErrKey, "ErrKey"},
	{ErrResults, "ErrResults"},
}

// exported turns an error of the shared layer into one of this package: the
// text stays, and errors.Is and errors.As find this package's constant.
func exported(err error) error {
	if err == nil {
		return nil
	}
	var e sig.Error
	if !errors.As(err, &e) {
		return err
	}
	if err == error(e) {
		return Error(e)
	}
	return &fault{Error(e), err}
}

type fault struct {
	code  Error
	cause error
}

// Error implements error.
func (f *fault) Error() string { return f.cause.Error() }

// Unwrap lets errors.Is find the constant and errors.As what is beneath it.
func (f *fault) Unwrap() []error { return []error{f.code, f.cause} }
