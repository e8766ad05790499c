package dkim

// Errors of a [Signer], of [CheckSubmission] and of private keys: why a message is not signed. A
// Signer also returns, of the errors above, [ErrDomain], [ErrPublicSuffix],
// [ErrSelector], [ErrIdentity], [ErrDomainMismatch], [ErrCanonicalization],
// [ErrHeaderNames], [ErrFromNotSigned], [ErrTime], [ErrKeyType], [ErrKeyShort],
// [ErrKeyLong], [ErrKeyUnsafe] and [ErrNoBodyDigest].
const (
	// ErrNoSigner: there is nobody to sign.
	ErrNoSigner Error = "no signer given"
	// ErrNoPrivateKey: [Signer.Key] is nil.
	ErrNoPrivateKey Error = "no key to sign with"
	// ErrPrivateKey: text given to [ParseKey] that holds no private key which can be read.
	ErrPrivateKey Error = "no readable private key"
	// ErrKeyMismatch: what the key signs is not what its public half verifies.
	ErrKeyMismatch Error = "private and public key do not belong together"
	// ErrDefect: two readers may understand the message in two ways, so that
	// nobody can answer for it (RFC 6376, section 5.3). A verification has it only
	// with [Verifier.RefuseDefects]; its status is then permerror.
	ErrDefect Error = "message has a structural defect"
	// ErrFromMissing: there is no From field.
	ErrFromMissing Error = "no From field"
	// ErrFromRepeated: there are several From fields.
	ErrFromRepeated Error = "several From fields"
	// ErrFromSyntax: the From field is not an address list, or readers differ on what it says.
	ErrFromSyntax Error = "From field cannot be read"
	// ErrFromAddresses: the From field has several addresses; see [Signer.AllowSeveralAuthors].
	ErrFromAddresses Error = "several addresses in the From field"
	// ErrAuthorDomain: the author's domain is not d=, nor above or below it; see [Signer.AllowThirdParty].
	ErrAuthorDomain Error = "author is not of the signing domain"
	// ErrNotPermitted: the author is not one that the account may use ([CheckSubmission]).
	ErrNotPermitted Error = "author not permitted for this account"
)

// signerCode is Code for the errors above, but for ErrDefect, which no verification results in.
func (e Error) signerCode() string {
	switch e {
	case ErrNoSigner:
		return "ErrNoSigner"
	case ErrNoPrivateKey:
		return "ErrNoPrivateKey"
	case ErrPrivateKey:
		return "ErrPrivateKey"
	case ErrKeyMismatch:
		return "ErrKeyMismatch"
	case ErrFromMissing:
		return "ErrFromMissing"
	case ErrFromRepeated:
		return "ErrFromRepeated"
	case ErrFromSyntax:
		return "ErrFromSyntax"
	case ErrFromAddresses:
		return "ErrFromAddresses"
	case ErrAuthorDomain:
		return "ErrAuthorDomain"
	case ErrNotPermitted:
		return "ErrNotPermitted"
	}
	return ""
}
