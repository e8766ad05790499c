package arc

// Section returns where the rule behind e stands, such as "RFC 8617, section
// 5.2"; "" where it is our own rule, the caller's mistake, or e is no constant of
// this package. Rules that ARC takes over from DKIM are cited where DKIM has them
// (RFC 8617, sections 4.1.2 and 4.1.3).
func (e Error) Section() string {
	switch e {
	case ErrTooManySets, ErrInstance, ErrInstances:
		return "RFC 8617, section 4.2.1"
	case ErrChainFailed, ErrSetIncomplete, ErrSetDuplicate, ErrSetGap, ErrChainValidation, ErrBodyHash, ErrSignature, ErrNotExamined:
		return "RFC 8617, section 5.2"
	case ErrKeyUnavailable, ErrNoResolver:
		return "RFC 8617, section 5.2.1"
	case ErrChainEnded:
		return "RFC 8617, section 5.1"
	case ErrSealNames:
		return "RFC 8617, section 4.1.3"
	case ErrARCSigned:
		return "RFC 8617, section 4.1.2"
	case ErrTagList:
		return "RFC 6376, section 3.2"
	case ErrMissingTag, ErrAlgorithm, ErrSignatureData, ErrBodyHashData, ErrCanonicalization, ErrDomain, ErrSelector,
		ErrHeaderNames, ErrLength, ErrQueryMethod, ErrTime, ErrFuture:
		return "RFC 6376, section 3.5"
	case ErrFromNotSigned:
		return "RFC 6376, section 5.4"
	case ErrPublicSuffix, ErrExpired:
		return "RFC 6376, section 6.1.1"
	case ErrNoKey, ErrMultipleKeys, ErrKeyRevoked, ErrKeyType, ErrKeyHash:
		return "RFC 6376, section 6.1.2"
	case ErrKeySyntax, ErrKeyService:
		return "RFC 6376, section 3.6.1"
	case ErrBodyLength:
		return "RFC 6376, section 8.2"
	case ErrSHA1:
		return "RFC 8301, section 3.1"
	case ErrKeyShort, ErrKeyLong:
		return "RFC 8301, section 3.2"
	}
	return ""
}
