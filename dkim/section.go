package dkim

// Section returns where the rule behind e stands, such as "RFC 6376, section
// 3.5"; "" where it is the receiver's own rule or e is no constant of this package.
func (e Error) Section() string {
	switch e {
	case ErrTagList:
		return "RFC 6376, section 3.2"
	case ErrVersion, ErrMissingTag, ErrAlgorithm, ErrSignatureData, ErrBodyHashData, ErrCanonicalization,
		ErrDomain, ErrSelector, ErrIdentity, ErrHeaderNames, ErrLength, ErrQueryMethod, ErrTime, ErrCopiedFields,
		ErrFuture, ErrBodyTooShort:
		return "RFC 6376, section 3.5"
	case ErrPublicSuffix, ErrDomainMismatch, ErrFromNotSigned, ErrExpired:
		return "RFC 6376, section 6.1.1"
	case ErrKeyUnavailable, ErrNoResolver, ErrNoKey, ErrMultipleKeys, ErrKeyRevoked, ErrKeyType, ErrKeyHash:
		return "RFC 6376, section 6.1.2"
	case ErrNotKey, ErrKeySyntax, ErrKeyService, ErrKeyStrict, ErrKeyTesting:
		return "RFC 6376, section 3.6.1"
	case ErrKeyShort, ErrKeyLong:
		return "RFC 8301, section 3.2"
	case ErrSHA1:
		return "RFC 8301, section 3.1"
	case ErrBodyHash, ErrSignature:
		return "RFC 6376, section 6.1.3"
	case ErrDefect:
		return "RFC 6376, section 5.3"
	case ErrBodyLength:
		return "RFC 6376, section 8.2"
	case ErrNotExamined:
		return "RFC 6376, section 6.1"
	}
	return ""
}
