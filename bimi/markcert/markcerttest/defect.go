package markcerttest

// Defect is one property of a certificate, or of the world around it, that a
// receiver has to notice; or one of those that look odd and are legal. Its text is its name.
type Defect string

// String returns the name.
func (d Defect) String() string { return string(d) }

// Severity is what a strict verifier makes of the defect: "failure", "temporary",
// "warning", or "" for what is legal. "?" for a Defect that does not exist.
func (d Defect) Severity() string {
	if r, ok := d.row(); ok {
		return r.severity
	}
	return "?"
}

// Code is the name of the constant error of package markcert that names it; "" for what is legal.
func (d Defect) Code() string { r, _ := d.row(); return r.code }

// Item is the identifier of the requirement in the checklist of this library,
// such as J1: I is the file, J path and profile, K revocation, L transparency,
// M names, N the logotype.
func (d Defect) Item() string { r, _ := d.row(); return r.item }

// What describes it in a few words.
func (d Defect) What() string { r, _ := d.row(); return r.what }

// Defects returns all of them, in the order of their declaration.
func Defects() []Defect {
	out := make([]Defect, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.name)
	}
	return out
}

func (d Defect) row() (row, bool) {
	for _, r := range rows {
		if r.name == d {
			return r, true
		}
	}
	return row{}, false
}

// The file.
const (
	// WithRoot: the root is in the file too: legal.
	WithRoot Defect = "WithRoot"
	// CRLF: lines end in CRLF, as some authorities write them: legal.
	CRLF Defect = "CRLF"
	// ExplanatoryText: text around the blocks: legal.
	ExplanatoryText Defect = "ExplanatoryText"
	// WrongOrder: the issuer stands before the mark certificate.
	WrongOrder Defect = "WrongOrder"
	// DuplicateCertificate: the issuer is there twice.
	DuplicateCertificate Defect = "DuplicateCertificate"
	// SecondLeaf: a second mark certificate follows.
	SecondLeaf Defect = "SecondLeaf"
	// ForeignCertificate: an authority that is no part of the path follows.
	ForeignCertificate Defect = "ForeignCertificate"
	// PrivateKeyBlock: a block that is no certificate.
	PrivateKeyBlock Defect = "PrivateKeyBlock"
	// BrokenBase64: a block is not base64.
	BrokenBase64 Defect = "BrokenBase64"
	// ElevenCertificates: one certificate more than the limit of ten.
	ElevenCertificates Defect = "ElevenCertificates"
	// OversizedFile: one octet more than 256 KiB.
	OversizedFile Defect = "OversizedFile"
	// MissingIntermediate: the issuer is not in the file; with a pool of intermediates legal.
	MissingIntermediate Defect = "MissingIntermediate"
	// NotACertificate: the first block holds something else.
	NotACertificate Defect = "NotACertificate"
)

// The path.
const (
	// OtherRoot: the root is of another authority.
	OtherRoot Defect = "OtherRoot"
	// SameNameRoot: the issuer is signed by a stranger under the name of the trusted root.
	SameNameRoot Defect = "SameNameRoot"
	// SelfSigned: the mark certificate issued itself.
	SelfSigned Defect = "SelfSigned"
	// LeafSignature: the last octet of the signature is changed.
	LeafSignature Defect = "LeafSignature"
	// IntermediateSignature: the last octet of the issuer's signature is changed.
	IntermediateSignature Defect = "IntermediateSignature"
	// LeafSignedByStranger: the mark certificate only names its issuer.
	LeafSignedByStranger Defect = "LeafSignedByStranger"
	// Expired: the mark certificate ended a second ago.
	Expired Defect = "Expired"
	// NotYetValid: the mark certificate begins in a second.
	NotYetValid Defect = "NotYetValid"
	// IntermediateExpired: the issuer ended a second ago.
	IntermediateExpired Defect = "IntermediateExpired"
	// IntermediateNotYetValid: the issuer begins in a second.
	IntermediateNotYetValid Defect = "IntermediateNotYetValid"
	// RootExpired: the trusted root ended a second ago.
	RootExpired Defect = "RootExpired"
	// IntermediateNotCA: the issuer says that it is no authority.
	IntermediateNotCA Defect = "IntermediateNotCA"
	// IntermediateNoBasicConstraints: the issuer does not say that it is an authority.
	IntermediateNoBasicConstraints Defect = "IntermediateNoBasicConstraints"
	// PathLength: a second issuer below one that allows none.
	PathLength Defect = "PathLength"
	// IntermediateNoCertSign: the issuer's key usage does not include signing certificates.
	IntermediateNoCertSign Defect = "IntermediateNoCertSign"
	// IntermediateEmptyKeyUsage: the issuer's key usage includes nothing.
	IntermediateEmptyKeyUsage Defect = "IntermediateEmptyKeyUsage"
	// ReissuedRoot: the file ends with another certificate of the trusted root, which has expired: legal.
	ReissuedRoot Defect = "ReissuedRoot"
	// CrossCertificate: it ends with one that a stranger issued for the trusted root: legal.
	CrossCertificate Defect = "CrossCertificate"
	// RenewedRoot: an expired certificate of the root is trusted beside the good one: legal.
	RenewedRoot Defect = "RenewedRoot"
	// ExcludedName: the issuer's name constraints exclude the domain.
	ExcludedName Defect = "ExcludedName"
	// NotPermittedName: the issuer's name constraints permit another domain only.
	NotPermittedName Defect = "NotPermittedName"
	// DirectoryNameConstraint: name constraints, not critical, of a kind that crypto/x509 ignores.
	DirectoryNameConstraint Defect = "DirectoryNameConstraint"
	// WildcardConstraint: the issuer's name constraints exclude a wildcard, which is no name.
	WildcardConstraint Defect = "WildcardConstraint"
	// UnknownCritical: a critical extension that nobody knows.
	UnknownCritical Defect = "UnknownCritical"
	// IntermediateUnknownCritical: the same in the issuer.
	IntermediateUnknownCritical Defect = "IntermediateUnknownCritical"
	// UnknownExtension: an unknown extension that is not critical: legal.
	UnknownExtension Defect = "UnknownExtension"
	// PilotCritical: the pilot identifier, critical: known, and out of use.
	PilotCritical Defect = "PilotCritical"
	// Precertificate: the poison of a precertificate.
	Precertificate Defect = "Precertificate"
	// WeakRSAKey: an RSA key of 1024 bits.
	WeakRSAKey Defect = "WeakRSAKey"
	// RSA2047: an RSA key one bit short of 2048.
	RSA2047 Defect = "RSA2047"
	// RSA2048: an RSA key of 2048 bits: legal.
	RSA2048 Defect = "RSA2048"
	// RSA8192: the largest RSA key that is looked at: legal.
	RSA8192 Defect = "RSA8192"
	// RSA8193: an RSA key too large to bother with.
	RSA8193 Defect = "RSA8193"
	// CurveP521: a curve outside P-256 and P-384.
	CurveP521 Defect = "CurveP521"
	// CurveP384: a key on P-384: legal.
	CurveP384 Defect = "CurveP384"
	// WeakIssuerKey: the issuer has a key on P-224.
	WeakIssuerKey Defect = "WeakIssuerKey"
	// SHA1Signature: signed with SHA-1.
	SHA1Signature Defect = "SHA1Signature"
)

// The profile.
const (
	// LeafCA: the mark certificate is an authority.
	LeafCA Defect = "LeafCA"
	// LeafCertSign: the mark certificate may sign certificates.
	LeafCertSign Defect = "LeafCertSign"
	// NoBasicConstraints: no basic constraints and no key usage: legal.
	NoBasicConstraints Defect = "NoBasicConstraints"
	// NoKeyPurpose: no extended key usage.
	NoKeyPurpose Defect = "NoKeyPurpose"
	// AnyKeyPurpose: the extended key usage is any.
	AnyKeyPurpose Defect = "AnyKeyPurpose"
	// ServerKeyPurpose: a TLS certificate with a logo.
	ServerKeyPurpose Defect = "ServerKeyPurpose"
	// ExtraKeyPurpose: TLS server beside the right purpose.
	ExtraKeyPurpose Defect = "ExtraKeyPurpose"
	// IntermediateKeyPurpose: the issuer is limited to TLS servers.
	IntermediateKeyPurpose Defect = "IntermediateKeyPurpose"
	// IntermediateAnyKeyPurpose: the issuer lists any purpose but not this one.
	IntermediateAnyKeyPurpose Defect = "IntermediateAnyKeyPurpose"
	// IntermediateNoKeyPurpose: the issuer lists no purposes: legal.
	IntermediateNoKeyPurpose Defect = "IntermediateNoKeyPurpose"
	// NoPolicy: the general certificate policy is missing.
	NoPolicy Defect = "NoPolicy"
	// Lifetime398: valid for 398 days: legal.
	Lifetime398 Defect = "Lifetime398"
	// LongLifetime: valid for a second more than 398 days.
	LongLifetime Defect = "LongLifetime"
	// NoTrademark: a registered mark without the country of its registration.
	NoTrademark Defect = "NoTrademark"
	// NoMarkType: the mark type is missing.
	NoMarkType Defect = "NoMarkType"
	// UnknownMarkType: a mark type that does not exist.
	UnknownMarkType Defect = "UnknownMarkType"
	// TwoMarkTypes: two mark types.
	TwoMarkTypes Defect = "TwoMarkTypes"
)

// The names.
const (
	// NoNames: no subject alternative names.
	NoNames Defect = "NoNames"
	// CommonNameOnly: the domain is the common name only.
	CommonNameOnly Defect = "CommonNameOnly"
	// OtherDomain: the name of another domain.
	OtherDomain Defect = "OtherDomain"
	// Wildcard: a wildcard.
	Wildcard Defect = "Wildcard"
	// NameWithNUL: a name that a C program would cut short.
	NameWithNUL Defect = "NameWithNUL"
	// NamesTrailing: octets behind the subject alternative names, in the same extension.
	NamesTrailing Defect = "NamesTrailing"
	// NameWithFinalDot: a name in another spelling.
	NameWithFinalDot Defect = "NameWithFinalDot"
	// UnicodeName: a name that is not an IA5String.
	UnicodeName Defect = "UnicodeName"
	// UpperCaseName: upper case: the same name.
	UpperCaseName Defect = "UpperCaseName"
	// MailName: a mail address beside the domain name.
	MailName Defect = "MailName"
)

// The logotype.
const (
	// NoLogotype: no logotype extension.
	NoLogotype Defect = "NoLogotype"
	// LogotypeCritical: the extension is critical.
	LogotypeCritical Defect = "LogotypeCritical"
	// LogotypeIndirect: a reference to a file on the web.
	LogotypeIndirect Defect = "LogotypeIndirect"
	// IssuerLogo: the logo is the issuer's.
	IssuerLogo Defect = "IssuerLogo"
	// LogotypeTrailing: octets after the extension.
	LogotypeTrailing Defect = "LogotypeTrailing"
	// LogotypeLongLength: a length that is not in its shortest form.
	LogotypeLongLength Defect = "LogotypeLongLength"
	// NoImage: an empty list of images.
	NoImage Defect = "NoImage"
	// TwoImages: two images.
	TwoImages Defect = "TwoImages"
	// TwoURIs: two URIs of one image.
	TwoURIs Defect = "TwoURIs"
	// RemoteLogo: the image is on the web.
	RemoteLogo Defect = "RemoteLogo"
	// LogoNotBase64: the data is not base64.
	LogoNotBase64 Defect = "LogoNotBase64"
	// LogoMediaType: an image in PNG.
	LogoMediaType Defect = "LogoMediaType"
	// LogoMediaTypeDiffers: the URI has another media type.
	LogoMediaTypeDiffers Defect = "LogoMediaTypeDiffers"
	// RegisteredMediaType: the media type of RFC 9399: legal.
	RegisteredMediaType Defect = "RegisteredMediaType"
	// LogoUncompressed: the image is not compressed.
	LogoUncompressed Defect = "LogoUncompressed"
	// LogoTwoMembers: two members of gzip.
	LogoTwoMembers Defect = "LogoTwoMembers"
	// LogoTruncated: gzip without its end.
	LogoTruncated Defect = "LogoTruncated"
	// LogoCompressedTwice: gzip within gzip, hashed between them.
	LogoCompressedTwice Defect = "LogoCompressedTwice"
	// LogoBomb: 10 KiB that unpack to 10 MiB.
	LogoBomb Defect = "LogoBomb"
	// HashMismatch: the hash is of another image.
	HashMismatch Defect = "HashMismatch"
	// SecondHashMismatch: one hash matches, another does not.
	SecondHashMismatch Defect = "SecondHashMismatch"
	// HashUnknown: no hash of a known algorithm.
	HashUnknown Defect = "HashUnknown"
	// HashUnknownBeside: a hash of an unknown algorithm beside a good one: legal.
	HashUnknownBeside Defect = "HashUnknownBeside"
	// HashSHA1: SHA-1 alone, as most real certificates have it.
	HashSHA1 Defect = "HashSHA1"
	// HashWithoutParameters: no parameters in the algorithm identifier: legal.
	HashWithoutParameters Defect = "HashWithoutParameters"
)

// Transparency.
const (
	// NoSCT: no timestamp.
	NoSCT Defect = "NoSCT"
	// SCTMalformed: the list is cut short.
	SCTMalformed Defect = "SCTMalformed"
	// SeventeenSCTs: one timestamp more than the limit of 16.
	SeventeenSCTs Defect = "SeventeenSCTs"
	// SixteenSCTs: 16 timestamps: legal.
	SixteenSCTs Defect = "SixteenSCTs"
	// SCTSignature: the timestamp is for another certificate.
	SCTSignature Defect = "SCTSignature"
	// SCTUnknownLog: the timestamp of a log that nobody knows.
	SCTUnknownLog Defect = "SCTUnknownLog"
	// SCTFuture: the timestamp is an hour ahead.
	SCTFuture Defect = "SCTFuture"
)

// Revocation.
const (
	// NoCRLPoint: the mark certificate names no revocation list.
	NoCRLPoint Defect = "NoCRLPoint"
	// IntermediateNoCRLPoint: its issuer names none.
	IntermediateNoCRLPoint Defect = "IntermediateNoCRLPoint"
	// LDAPPoint: a list that only LDAP could get.
	LDAPPoint Defect = "LDAPPoint"
	// CRLUnavailable: the list is not served.
	CRLUnavailable Defect = "CRLUnavailable"
	// IntermediateCRLUnavailable: the issuer's list is not served.
	IntermediateCRLUnavailable Defect = "IntermediateCRLUnavailable"
	// Revoked: the mark certificate is revoked.
	Revoked Defect = "Revoked"
	// OnHold: on hold is revoked.
	OnHold Defect = "OnHold"
	// RemovedInFullCRL: removeFromCRL means something in delta lists only.
	RemovedInFullCRL Defect = "RemovedInFullCRL"
	// IntermediateRevoked: the issuer is revoked.
	IntermediateRevoked Defect = "IntermediateRevoked"
	// CRLGarbage: what is served is no list.
	CRLGarbage Defect = "CRLGarbage"
	// CRLOversized: one octet more than 5 MiB is served.
	CRLOversized Defect = "CRLOversized"
	// CRLIssuer: the list of another authority.
	CRLIssuer Defect = "CRLIssuer"
	// CRLSignature: the list is signed by a stranger.
	CRLSignature Defect = "CRLSignature"
	// CRLNotSigner: the issuer may not sign lists.
	CRLNotSigner Defect = "CRLNotSigner"
	// CRLStale: the next list was due a second ago.
	CRLStale Defect = "CRLStale"
	// CRLFuture: the list begins in a second.
	CRLFuture Defect = "CRLFuture"
	// CRLDelta: a delta list.
	CRLDelta Defect = "CRLDelta"
	// CRLIndirect: an indirect list.
	CRLIndirect Defect = "CRLIndirect"
	// CRLOnlyAuthorities: the list is about authorities.
	CRLOnlyAuthorities Defect = "CRLOnlyAuthorities"
	// CRLOnlyAttributes: the list is about attribute certificates.
	CRLOnlyAttributes Defect = "CRLOnlyAttributes"
	// CRLOnlyUsers: the issuer's list is about certificates that are no authorities.
	CRLOnlyUsers Defect = "CRLOnlyUsers"
	// CRLSomeReasons: the list is about some reasons only.
	CRLSomeReasons Defect = "CRLSomeReasons"
	// CRLOtherPoint: the list is for another distribution point.
	CRLOtherPoint Defect = "CRLOtherPoint"
	// CRLThisPoint: the list names its distribution point: legal.
	CRLThisPoint Defect = "CRLThisPoint"
	// CRLUnknownCritical: the list has a critical extension that nobody knows.
	CRLUnknownCritical Defect = "CRLUnknownCritical"
	// CRLUnknownCriticalEntry: an entry of the list has one.
	CRLUnknownCriticalEntry Defect = "CRLUnknownCriticalEntry"
	// CRLIndirectEntry: an entry is of another issuer's certificate.
	CRLIndirectEntry Defect = "CRLIndirectEntry"
)
