package markcert

// Error is a constant error of this package. Every Err of a Result and every Code
// of a Finding is one, so errors.Is(r.Err, markcert.ErrExpired) works.
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

// Code returns the name of the constant, such as "ErrExpired"; "" for a value
// that is none of them.
func (e Error) Code() string { return codes[e] }

// The file itself.
const (
	// ErrTooLarge: the file is over [MaxBytes].
	ErrTooLarge Error = "evidence document over the size limit"
	// ErrTooManyCertificates: the file holds more than [MaxCertificates].
	ErrTooManyCertificates Error = "evidence document holds too many certificates"
	// ErrPEM: the text encoding is broken (RFC 7468, section 3).
	ErrPEM Error = "evidence document is not well-formed PEM"
	// ErrPEMLabel: a block is something other than a CERTIFICATE.
	ErrPEMLabel Error = "evidence document holds a block that is not a certificate"
	// ErrNoCertificate: there is no block at all.
	ErrNoCertificate Error = "evidence document holds no certificate"
	// ErrCertificate: a block is not an X.509 certificate (RFC 5280, section 4.1).
	ErrCertificate Error = "certificate cannot be parsed"
	// ErrDuplicateCertificate: the same certificate twice.
	ErrDuplicateCertificate Error = "evidence document holds a certificate twice"
	// ErrSeveralLeaves: more than one certificate that is not a certification authority.
	ErrSeveralLeaves Error = "evidence document holds more than one mark certificate"
	// ErrOrder: the certificates do not follow each other from the mark certificate upward.
	ErrOrder Error = "certificates are not in order"
	// ErrForeignCertificate: a certificate is no part of the path.
	ErrForeignCertificate Error = "evidence document holds a certificate that is no part of the path"
)

// The certification path (RFC 5280, section 6.1).
const (
	// ErrUntrusted: the path does not end at a root of the store.
	ErrUntrusted Error = "certification path does not end at a trusted mark root"
	// ErrRootConstraint: the root's own entry in the store does not allow this certificate.
	ErrRootConstraint Error = "certificate outside what its root is trusted for"
	// ErrSignature: a signature of the path does not verify.
	ErrSignature Error = "certificate signature does not verify"
	// ErrNotYetValid: a certificate of the path is not valid yet.
	ErrNotYetValid Error = "certificate is not yet valid"
	// ErrExpired: a certificate of the path is not valid any more.
	ErrExpired Error = "certificate has expired"
	// ErrNotCA: an issuer is no certification authority.
	ErrNotCA Error = "issuer is not a certification authority"
	// ErrPathLength: more certification authorities than one of them allows.
	ErrPathLength Error = "certification path longer than allowed"
	// ErrKeyUsage: the key usage does not fit the certificate's place in the path.
	ErrKeyUsage Error = "key usage does not allow this use"
	// ErrNameConstraints: a name outside the name constraints of an issuer, or
	// constraints of a kind that cannot be judged.
	ErrNameConstraints Error = "name constraints violated"
	// ErrCriticalExtension: a critical extension that nobody here understands.
	ErrCriticalExtension Error = "unknown critical extension"
	// ErrWeakKey: a key outside RSA of 2048 to 8192 bits, P-256 and P-384.
	ErrWeakKey Error = "key type or size not acceptable"
	// ErrSignatureAlgorithm: signed with SHA-1, MD5 or an unknown algorithm.
	ErrSignatureAlgorithm Error = "signature algorithm not acceptable"
	// ErrPath: crypto/x509 refuses the path for another reason.
	ErrPath Error = "certification path is not valid"
)

// The profile of a mark certificate.
const (
	// ErrLeafCA: the mark certificate is a certification authority.
	ErrLeafCA Error = "mark certificate is a certification authority"
	// ErrKeyPurpose: the extended key usage is not the one of BIMI.
	ErrKeyPurpose Error = "extended key usage does not allow brand indicators"
	// ErrOtherKeyPurposes: the extended key usage has further purposes beside that of BIMI.
	ErrOtherKeyPurposes Error = "extended key usage has other purposes too"
	// ErrPrecertificate: the certificate is a precertificate (RFC 6962, section 3.1).
	ErrPrecertificate Error = "certificate is a precertificate"
	// ErrMarkType: the mark type is missing, unknown, twice or not accepted.
	ErrMarkType Error = "mark type not acceptable"
	// ErrPolicy: a certificate policy that the store or the general policy asks for is missing.
	ErrPolicy Error = "certificate policy missing"
	// ErrLifetime: valid for more than 398 days.
	ErrLifetime Error = "certificate lifetime over 398 days"
	// ErrSubject: the subject lacks what its mark type needs.
	ErrSubject Error = "subject lacks a field of its mark type"
	// ErrPilot: the pilot identifier in a certificate issued after its end.
	ErrPilot Error = "pilot identifier in a certificate issued after 15 March 2025"
	// ErrExpiring: the certificate expires soon; only ever a warning.
	ErrExpiring Error = "certificate expires within 30 days"
	// ErrNames: the names to match were not usable.
	ErrNames Error = "names to match are not domain names"
	// ErrSAN: a subject alternative name that no domain can match.
	ErrSAN Error = "subject alternative name of no use"
	// ErrDomain: no subject alternative name is the one asked for.
	ErrDomain Error = "certificate is for another domain"
)

// The logotype and its image (RFC 9399, section 4.1).
const (
	// ErrNoLogotype: no logotype extension, or no subject logotype in it.
	ErrNoLogotype Error = "certificate has no subject logotype"
	// ErrLogotype: the extension is not the DER it should be, or is marked critical.
	ErrLogotype Error = "logotype extension is malformed"
	// ErrLogotypeIndirect: the subject logotype is a reference to fetch.
	ErrLogotypeIndirect Error = "logotype is indirect"
	// ErrLogotypeCount: not exactly one image with exactly one URI.
	ErrLogotypeCount Error = "logotype is not exactly one image"
	// ErrLogotypeMediaType: not an SVG media type, or not the one of the URI.
	ErrLogotypeMediaType Error = "logotype media type not acceptable"
	// ErrLogotypeSpelling: an SVG media type other than the one of RFC 9399, section 7; only ever a note.
	ErrLogotypeSpelling Error = "logotype media type is not the registered one"
	// ErrLogotypeURI: not a well-formed data: URI (RFC 2397, section 3).
	ErrLogotypeURI Error = "logotype is not a usable data URI"
	// ErrLogotypeGzip: not exactly one member of gzip.
	ErrLogotypeGzip Error = "logotype is not well-formed gzip"
	// ErrLogotypeSize: the image is over [Verifier.MaxIndicator].
	ErrLogotypeSize Error = "logotype over the size limit"
	// ErrLogotypeHash: a listed hash does not match the image, or none can be checked.
	ErrLogotypeHash Error = "logotype hash does not match"
	// ErrLogotypeLineEnds: the hash is over the image without canonical line ends; only ever a note.
	ErrLogotypeLineEnds Error = "logotype hashed without canonical line ends"
	// ErrLogotypeSHA1: the image is hashed with SHA-1 only.
	ErrLogotypeSHA1 Error = "logotype hashed with SHA-1 only"
)

// Transparency (RFC 6962, section 3.3) and revocation (RFC 5280, section 6.3).
const (
	// ErrNoSCT: the certificate carries no signed certificate timestamp.
	ErrNoSCT Error = "certificate carries no signed certificate timestamp"
	// ErrSCT: none of the timestamps is from a known log and verifies.
	ErrSCT Error = "no signed certificate timestamp verifies"
	// ErrSCTUnchecked: some or all timestamps were not verified; never a failure.
	ErrSCTUnchecked Error = "signed certificate timestamps not verified"
	// ErrRevoked: a certificate of the path is revoked.
	ErrRevoked Error = "certificate is revoked"
	// ErrNoCRLPoint: the certificate names no revocation list that could be asked.
	ErrNoCRLPoint Error = "certificate names no revocation list"
	// ErrCRLUnavailable: no revocation list could be had. Temporary.
	ErrCRLUnavailable Error = "revocation list not available"
	// ErrCRL: what was had is not a revocation list. Temporary, as the next ones: another try may get a good one.
	ErrCRL Error = "revocation list is malformed"
	// ErrCRLIssuer: the list is another issuer's.
	ErrCRLIssuer Error = "revocation list of another issuer"
	// ErrCRLSignature: the list's signature does not verify.
	ErrCRLSignature Error = "revocation list signature does not verify"
	// ErrCRLScope: the list does not speak about this certificate.
	ErrCRLScope Error = "revocation list does not cover the certificate"
	// ErrCRLTime: the list is out of date or from the future.
	ErrCRLTime Error = "revocation list is not current"
	// ErrCRLPeriod: the list is valid for more than ten days; only ever a note.
	ErrCRLPeriod Error = "revocation list valid for more than 10 days"
	// ErrRevocationUnchecked: revocation was not checked; only ever a warning.
	ErrRevocationUnchecked Error = "revocation not checked"
)

// codes is the name of each constant; a test holds it against the source.
var codes = map[Error]string{
	ErrTooLarge:             "ErrTooLarge",
	ErrTooManyCertificates:  "ErrTooManyCertificates",
	ErrPEM:                  "ErrPEM",
	ErrPEMLabel:             "ErrPEMLabel",
	ErrNoCertificate:        "ErrNoCertificate",
	ErrCertificate:          "ErrCertificate",
	ErrDuplicateCertificate: "ErrDuplicateCertificate",
	ErrSeveralLeaves:        "ErrSeveralLeaves",
	ErrOrder:                "ErrOrder",
	ErrForeignCertificate:   "ErrForeignCertificate",
	ErrUntrusted:            "ErrUntrusted",
	ErrRootConstraint:       "ErrRootConstraint",
	ErrSignature:            "ErrSignature",
	ErrNotYetValid:          "ErrNotYetValid",
	ErrExpired:              "ErrExpired",
	ErrNotCA:                "ErrNotCA",
	ErrPathLength:           "ErrPathLength",
	ErrKeyUsage:             "ErrKeyUsage",
	ErrNameConstraints:      "ErrNameConstraints",
	ErrCriticalExtension:    "ErrCriticalExtension",
	ErrWeakKey:              "ErrWeakKey",
	ErrSignatureAlgorithm:   "ErrSignatureAlgorithm",
	ErrPath:                 "ErrPath",
	ErrLeafCA:               "ErrLeafCA",
	ErrKeyPurpose:           "ErrKeyPurpose",
	ErrOtherKeyPurposes:     "ErrOtherKeyPurposes",
	ErrPrecertificate:       "ErrPrecertificate",
	ErrMarkType:             "ErrMarkType",
	ErrPolicy:               "ErrPolicy",
	ErrLifetime:             "ErrLifetime",
	ErrSubject:              "ErrSubject",
	ErrPilot:                "ErrPilot",
	ErrExpiring:             "ErrExpiring",
	ErrNames:                "ErrNames",
	ErrSAN:                  "ErrSAN",
	ErrDomain:               "ErrDomain",
	ErrNoLogotype:           "ErrNoLogotype",
	ErrLogotype:             "ErrLogotype",
	ErrLogotypeIndirect:     "ErrLogotypeIndirect",
	ErrLogotypeCount:        "ErrLogotypeCount",
	ErrLogotypeMediaType:    "ErrLogotypeMediaType",
	ErrLogotypeSpelling:     "ErrLogotypeSpelling",
	ErrLogotypeURI:          "ErrLogotypeURI",
	ErrLogotypeGzip:         "ErrLogotypeGzip",
	ErrLogotypeSize:         "ErrLogotypeSize",
	ErrLogotypeHash:         "ErrLogotypeHash",
	ErrLogotypeLineEnds:     "ErrLogotypeLineEnds",
	ErrLogotypeSHA1:         "ErrLogotypeSHA1",
	ErrNoSCT:                "ErrNoSCT",
	ErrSCT:                  "ErrSCT",
	ErrSCTUnchecked:         "ErrSCTUnchecked",
	ErrRevoked:              "ErrRevoked",
	ErrNoCRLPoint:           "ErrNoCRLPoint",
	ErrCRLUnavailable:       "ErrCRLUnavailable",
	ErrCRL:                  "ErrCRL",
	ErrCRLIssuer:            "ErrCRLIssuer",
	ErrCRLSignature:         "ErrCRLSignature",
	ErrCRLScope:             "ErrCRLScope",
	ErrCRLTime:              "ErrCRLTime",
	ErrCRLPeriod:            "ErrCRLPeriod",
	ErrRevocationUnchecked:  "ErrRevocationUnchecked",
}
