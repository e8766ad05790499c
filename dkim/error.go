package dkim

import (
	"errors"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/sig"
)

// Error is a constant error of this package: why a signature is not a pass, or
// why a text is not a key record. Result.Err and the errors of parsers have one
// of them at their root: errors.Is(r.Err, dkim.ErrBodyHash).
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

// Code returns the constant's name, such as "ErrBodyHash"; "" for an Error that
// is no constant of this package.
func (e Error) Code() string {
	for i := range verdicts {
		if verdicts[i].err == e {
			return verdicts[i].code
		}
	}
	return e.signerCode()
}

// Status returns the status that a result with this error has: permerror where
// nothing can be verified (RFC 6376, sections 6.1.1 and 6.1.2), temperror where
// the DNS gave no answer, fail where the mathematics say no, and policy where the
// receiver's rules refuse what the standard would allow or where RFC 8301
// forbids the strength (decision 12). A fail under a key in testing mode is
// reported as neutral (decision 20).
func (e Error) Status() authres.Status {
	for i := range verdicts {
		if verdicts[i].err == e {
			return verdicts[i].status
		}
	}
	return authres.PermError
}

// Errors of the signature field (RFC 6376, sections 3.5 and 6.1.1). Status
// permerror; RFC 8601, section 2.7.1 has "neutral" for syntax errors, which
// hardly anybody uses (decision 11).
const (
	// ErrTagList: the field is no tag-list, names a tag twice or goes over a limit (RFC 6376, section 3.2).
	ErrTagList Error = Error(sig.ErrTagList)
	// ErrVersion: v= is not "1".
	ErrVersion Error = "signature version is not 1"
	// ErrMissingTag: one of v, a, b, bh, d, h, s is missing.
	ErrMissingTag Error = Error(sig.ErrMissingTag)
	// ErrAlgorithm: a= is unknown; it is case-sensitive (decision 13).
	ErrAlgorithm Error = Error(sig.ErrAlgorithm)
	// ErrSignatureData: b= is not base64, or too short for any signature of the algorithm.
	ErrSignatureData Error = Error(sig.ErrSignatureData)
	// ErrBodyHashData: bh= is not base64, or not as long as the algorithm's hash.
	ErrBodyHashData Error = Error(sig.ErrBodyHashData)
	// ErrCanonicalization: c= names an algorithm other than simple and relaxed.
	ErrCanonicalization Error = Error(sig.ErrCanonicalization)
	// ErrDomain: d= is not a domain name of two labels or more.
	ErrDomain Error = Error(sig.ErrDomain)
	// ErrPublicSuffix: d= is a public suffix, so that its owner cannot answer for the names below it (decision 14).
	ErrPublicSuffix Error = "d= is a public suffix"
	// ErrSelector: s= is not a selector, or the key's name would be too long.
	ErrSelector Error = Error(sig.ErrSelector)
	// ErrIdentity: i= is not an address with an optional local part.
	ErrIdentity Error = "i= is not an identity"
	// ErrDomainMismatch: the domain of i= is not d= or below it.
	ErrDomainMismatch Error = "i= is outside d="
	// ErrHeaderNames: h= is not a list of field names, or longer than 256; of a
	// [Signer], also that it names a field which must not be signed.
	ErrHeaderNames Error = Error(sig.ErrHeaderNames)
	// ErrFromNotSigned: h= lacks From.
	ErrFromNotSigned Error = "From field not signed"
	// ErrLength: l= is not a number below 2^63.
	ErrLength Error = Error(sig.ErrLength)
	// ErrQueryMethod: q= is malformed or does not offer dns/txt.
	ErrQueryMethod Error = Error(sig.ErrQueryMethod)
	// ErrTime: t= or x= is not a number of up to 12 digits, or x= is not after t= (decision 22).
	ErrTime Error = Error(sig.ErrTime)
	// ErrCopiedFields: z= is malformed.
	ErrCopiedFields Error = "z= is not a list of header fields"
	// ErrFuture: t= is more than an hour ahead of the verifier's clock (decision 22).
	ErrFuture Error = "signature is from the future"
	// ErrExpired: x= has passed (decisions 12 and 22).
	ErrExpired Error = "signature expired"
)

// Errors of the key (RFC 6376, sections 3.6 and 6.1.2).
const (
	// ErrKeyUnavailable: the DNS gave no answer. Status temperror.
	ErrKeyUnavailable Error = Error(sig.ErrKeyUnavailable)
	// ErrNoResolver: the Verifier has no Resolver. Status temperror.
	ErrNoResolver Error = Error(sig.ErrNoResolver)
	// ErrBudget: the DNS budget of the message was used up. Status permerror.
	ErrBudget Error = Error(sig.ErrBudget)
	// ErrNoKey: nothing is published under the name, or no TXT record there is a key record. Status permerror.
	ErrNoKey Error = Error(sig.ErrNoKey)
	// ErrMultipleKeys: two or more key records under the name (decision 24). Status permerror.
	ErrMultipleKeys Error = Error(sig.ErrMultipleKeys)
	// ErrNotKey: the text given to [ParseRecord] is not a key record: v= is something
	// else or not first, or there is neither v= nor p=. Status permerror.
	ErrNotKey Error = Error(sig.ErrNotKey)
	// ErrKeySyntax: the key record is malformed. Status permerror.
	ErrKeySyntax Error = Error(sig.ErrKeySyntax)
	// ErrKeyRevoked: p= is empty. Status permerror.
	ErrKeyRevoked Error = Error(sig.ErrKeyRevoked)
	// ErrKeyType: k= is unknown or does not fit a=. Status permerror.
	ErrKeyType Error = Error(sig.ErrKeyType)
	// ErrKeyHash: h= of the record does not list the hash of a=. Status permerror.
	ErrKeyHash Error = Error(sig.ErrKeyHash)
	// ErrKeyService: s= of the record lists neither "email" nor "*". Status permerror.
	ErrKeyService Error = Error(sig.ErrKeyService)
	// ErrKeyStrict: the key says t=s and the domain of i= is not d=. Status permerror.
	ErrKeyStrict Error = "key does not allow i= below d="
	// ErrKeyShort: the RSA modulus is under [Verifier.MinRSABits]. Status policy.
	ErrKeyShort Error = Error(sig.ErrKeyShort)
	// ErrKeyLong: the RSA modulus is over [Verifier.MaxRSABits]. Status permerror.
	ErrKeyLong Error = Error(sig.ErrKeyLong)
	// ErrKeyUnsafe: an RSA exponent that is even, 1 or over 2^31-1, an even modulus,
	// an Ed25519 point of low order or not canonical (decision 23). Status permerror.
	ErrKeyUnsafe Error = Error(sig.ErrKeyUnsafe)
	// ErrKeyTesting: the key is in testing mode and [Verifier.IgnoreTesting] is
	// set: the message counts as not signed. Status none.
	ErrKeyTesting Error = "key is in testing mode"
)

// Errors of the verification (RFC 6376, section 6.1.3).
const (
	// ErrBodyHash: the body is not the one that was signed. Status fail.
	ErrBodyHash Error = "body hash did not verify"
	// ErrSignature: the signature is not this key's over this header. Status fail.
	ErrSignature Error = Error(sig.ErrSignature)
	// ErrBodyTooShort: l= is larger than the canonical body (RFC 6376, section 3.5). Status permerror.
	ErrBodyTooShort Error = "l= is larger than the body"
	// ErrNoBodyDigest: the message was read without the digest that this signature
	// needs; with [Verifier.AllowSHA1] that is [message.Digester.AllowSHA1]. Status permerror.
	ErrNoBodyDigest Error = "no digest of the body was taken"
)

// Refusals by policy. Status policy.
const (
	// ErrSHA1: a= is rsa-sha1 (RFC 8301, section 3.1); see [Verifier.AllowSHA1].
	ErrSHA1 Error = "SHA-1 signature"
	// ErrBodyLength: the signature is good but has l= (RFC 6376, section 8.2); see [Verifier.AllowBodyLength].
	ErrBodyLength Error = "signature covers only a part of the body"
	// ErrKeyPolicy: [Verifier.KeyPolicy] refused the key.
	ErrKeyPolicy Error = "key refused by policy"
	// ErrPolicy: [Verifier.Policy] refused the result.
	ErrPolicy Error = "signature refused by policy"
	// ErrNotExamined: the message has more signatures than [Verifier.MaxSignatures].
	ErrNotExamined Error = "signature not examined"
)

// verdicts gives each constant its name and the status of a result that has it.
var verdicts = [...]struct {
	err    Error
	code   string
	status authres.Status
}{
	{ErrTagList, "ErrTagList", authres.PermError},
	{ErrVersion, "ErrVersion", authres.PermError},
	{ErrMissingTag, "ErrMissingTag", authres.PermError},
	{ErrAlgorithm, "ErrAlgorithm", authres.PermError},
	{ErrSignatureData, "ErrSignatureData", authres.PermError},
	{ErrBodyHashData, "ErrBodyHashData", authres.PermError},
	{ErrCanonicalization, "ErrCanonicalization", authres.PermError},
	{ErrDomain, "ErrDomain", authres.PermError},
	{ErrPublicSuffix, "ErrPublicSuffix", authres.PermError},
	{ErrSelector, "ErrSelector", authres.PermError},
	{ErrIdentity, "ErrIdentity", authres.PermError},
	{ErrDomainMismatch, "ErrDomainMismatch", authres.PermError},
	{ErrHeaderNames, "ErrHeaderNames", authres.PermError},
	{ErrFromNotSigned, "ErrFromNotSigned", authres.PermError},
	{ErrLength, "ErrLength", authres.PermError},
	{ErrQueryMethod, "ErrQueryMethod", authres.PermError},
	{ErrTime, "ErrTime", authres.PermError},
	{ErrCopiedFields, "ErrCopiedFields", authres.PermError},
	{ErrFuture, "ErrFuture", authres.PermError},
	{ErrExpired, "ErrExpired", authres.PermError},

	{ErrKeyUnavailable, "ErrKeyUnavailable", authres.TempError},
	{ErrNoResolver, "ErrNoResolver", authres.TempError},
	{ErrBudget, "ErrBudget", authres.PermError},
	{ErrNoKey, "ErrNoKey", authres.PermError},
	{ErrMultipleKeys, "ErrMultipleKeys", authres.PermError},
	{ErrNotKey, "ErrNotKey", authres.PermError},
	{ErrKeySyntax, "ErrKeySyntax", authres.PermError},
	{ErrKeyRevoked, "ErrKeyRevoked", authres.PermError},
	{ErrKeyType, "ErrKeyType", authres.PermError},
	{ErrKeyHash, "ErrKeyHash", authres.PermError},
	{ErrKeyService, "ErrKeyService", authres.PermError},
	{ErrKeyStrict, "ErrKeyStrict", authres.PermError},
	{ErrKeyShort, "ErrKeyShort", authres.Policy},
	{ErrKeyLong, "ErrKeyLong", authres.PermError},
	{ErrKeyUnsafe, "ErrKeyUnsafe", authres.PermError},
	{ErrKeyTesting, "ErrKeyTesting", authres.None},

	{ErrBodyHash, "ErrBodyHash", authres.Fail},
	{ErrSignature, "ErrSignature", authres.Fail},
	{ErrBodyTooShort, "ErrBodyTooShort", authres.PermError},
	{ErrNoBodyDigest, "ErrNoBodyDigest", authres.PermError},
	{ErrDefect, "ErrDefect", authres.PermError},

	{ErrSHA1, "ErrSHA1", authres.Policy},
	{ErrBodyLength, "ErrBodyLength", authres.Policy},
	{ErrKeyPolicy, "ErrKeyPolicy", authres.Policy},
	{ErrPolicy, "ErrPolicy", authres.Policy},
	{ErrNotExamined, "ErrNotExamined", authres.Policy},
}

// exported turns an error of the shared layer into one of this package: the
// text stays, and errors.Is and errors.As find this package's constant.
func exported(err error) error {
	if err == nil {
		return nil
	}
	return export(err)
}

// export is apart because its variable lives on the heap.
func export(err error) error {
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

// statusOf returns the status that an error stands for.
func statusOf(err error) authres.Status {
	var e Error
	if errors.As(err, &e) {
		return e.Status()
	}
	return authres.PermError
}
