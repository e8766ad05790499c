package markcert

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"time"

	"github.com/seed2385d973/mailauth/authres"
)

// Limits. See the package comment for their reasons.
const (
	// MaxBytes is the largest evidence document, in octets.
	MaxBytes = 256 << 10
	// MaxCertificates is the largest number of certificates in an evidence
	// document, and in the path that is built from it.
	MaxCertificates = 10
	// DefaultMaxIndicator is the largest image, uncompressed, in octets, where
	// [Verifier.MaxIndicator] is zero.
	DefaultMaxIndicator = 32 << 10
	// MaxSCTs is the largest number of signed certificate timestamps in a certificate.
	MaxSCTs = 16
	// MaxCRLBytes is the largest revocation list, in octets.
	MaxCRLBytes = 5 << 20
	// MaxCRLPoints is how many distribution points of one certificate are tried.
	MaxCRLPoints = 4
)

// Verifier checks mark certificates. The zero value is ready and strict: the
// built-in roots and logs, a verified timestamp demanded, revocation demanded;
// as it has no way to fetch a revocation list, its best answer is temperror until
// FetchCRL is set or Revocation says otherwise.
//
// A Verifier is safe for concurrent use as long as it is not modified.
type Verifier struct {
	// Roots are the trusted roots; nil means [DefaultRoots]. The system's roots are never used.
	Roots *Roots
	// Intermediates may complete the path of a file that lacks the issuing
	// authority's certificate. They are not trusted by themselves. They must come
	// from x509.ParseCertificate and are not modified. See [ParseCertificates].
	Intermediates []*x509.Certificate
	// Logs are the known transparency logs; nil means [DefaultLogs].
	Logs *Logs
	// Transparency says how much of Certificate Transparency is demanded.
	Transparency Transparency
	// Revocation says how much revocation checking is demanded.
	Revocation Revocation
	// FetchCRL gets the revocation list at a URL, http or https. It is called only
	// for a path that has validated, a few times at most, one after the other. It has to
	// bound time and size ([MaxCRLBytes]) itself, guard against internal addresses, and
	// should cache until the list's nextUpdate. nil: no list can be had.
	FetchCRL func(ctx context.Context, url string) ([]byte, error)
	// MarkTypes are the accepted mark types; nil means all known ones,
	// [LegacyMark] included. See [VerifiedMarkTypes] and [CommonMarkTypes].
	MarkTypes []MarkType
	// AllowUnordered accepts the certificates of a file in any order.
	AllowUnordered bool
	// AllowOtherKeyPurposes accepts a mark certificate whose extended key usage
	// lists further purposes beside that of BIMI.
	AllowOtherKeyPurposes bool
	// AllowUncompressedIndicator accepts an embedded image that is not gzip.
	AllowUncompressedIndicator bool
	// RequirePolicies makes a missing certificate policy a failure; it is a warning otherwise.
	RequirePolicies bool
	// RejectLongLifetime makes a lifetime of more than 398 days a failure; it is a warning otherwise.
	RejectLongLifetime bool
	// RejectSHA1 refuses an image whose only hash is SHA-1. Most real certificates have no other.
	RejectSHA1 bool
	// MaxIndicator is the largest image, uncompressed, in octets; zero means [DefaultMaxIndicator].
	MaxIndicator int
	// Now is the clock, called once a verification; nil means time.Now.
	Now func() time.Time
}

// Transparency is what is demanded of the embedded signed certificate timestamps.
type Transparency uint8

const (
	// RequireVerifiedSCT, the default: at least one timestamp of a known log verifies.
	RequireVerifiedSCT Transparency = iota
	// SCTPresenceOnly: a well-formed timestamp must be there; its signature is not checked.
	// The logs of the certificate are then not evidence of anything.
	SCTPresenceOnly
	// TransparencyOff: timestamps are not looked at.
	TransparencyOff
)

// Revocation is what is demanded of revocation lists.
type Revocation uint8

const (
	// RequireRevocation, the default: a current list for every certificate below
	// the root, else the result is temperror.
	RequireRevocation Revocation = iota
	// BestEffortRevocation: a list that cannot be had is a warning. A list that was
	// had and is not usable (wrong issuer, signature, scope or time) is not
	// excused: somebody serves it.
	BestEffortRevocation
	// RevocationOff: revoked certificates are accepted.
	RevocationOff
)

// Names is what the certificate has to be for. The domains come from the message's
// From field and the record that was found, never from the host name of a URL.
type Names struct {
	// Author is the Author Domain.
	Author string
	// Organizational is its Organizational Domain; "" means that only Author counts.
	Organizational string
	// Record is the domain at which the assertion record was found (header.d);
	// "" means Author.
	Record string
	// Selector is the selector of the record; "" means "default".
	Selector string
}

// CheckState is how far a check got that policy may switch off.
type CheckState uint8

const (
	// Unchecked: the check was switched off, not reached, or could not be made.
	Unchecked CheckState = iota
	// Present: what there is to check is there and well-formed, but was not verified.
	Present
	// Good: checked, nothing against it.
	Good
	// Bad: checked, and it says no: revoked, or a timestamp that does not verify.
	Bad
)

// String returns the word.
func (s CheckState) String() string {
	switch s {
	case Present:
		return "present"
	case Good:
		return "good"
	case Bad:
		return "bad"
	}
	return "unchecked"
}

// Result is the outcome for one evidence document. What the certificate says
// about itself (mark type, subject, domains, validity) is there as soon as it could be
// read, so that a failure can be explained; only a Result with Status pass
// vouches for any of it. The image is there only then.
type Result struct {
	// Status is pass, fail or temperror; never empty after Verify.
	Status authres.Status
	// Err is nil exactly if Status is pass. It wraps an [Error].
	Err error
	// MarkType is the kind of mark; [LegacyMark] for certificates from before the attribute.
	MarkType MarkType
	// Subject is what the certificate says about the owner of the mark.
	Subject Subject
	// Domains are the domain names of the certificate: usable ones, lower case, A-labels.
	Domains []string
	// Selectors are its names of the form selector._bimi.domain, likewise.
	Selectors []string
	// Matched is the one of Domains or Selectors that matched.
	Matched string
	// NotBefore and NotAfter are the validity of the mark certificate.
	NotBefore, NotAfter time.Time
	// Indicator is the image: the uncompressed SVG as certified, not yet validated
	// as SVG. nil unless Status is pass.
	Indicator []byte
	// IndicatorSHA256 is the SHA-256 of Indicator; zero unless Status is pass.
	IndicatorSHA256 [sha256.Size]byte
	// Chain is the certification path, mark certificate first, root last; nil
	// unless it validated.
	Chain []*x509.Certificate
	// Transparency is Good when a timestamp verified, Bad when there were some and none did.
	Transparency CheckState
	// SCTs are the embedded timestamps.
	SCTs []SCT
	// Revocation is Good when every certificate below the root was found on no current list.
	Revocation CheckState
	// RevocationUntil is the earliest nextUpdate of the lists used: until then the answer
	// may be kept. Zero if Revocation is not Good.
	RevocationUntil time.Time
	// Findings is everything that was noticed, failures included.
	Findings []Finding
}

// Verify checks an evidence document, a PEM file (RFC 7468) with the mark
// certificate first, for the names. It makes no network request except through FetchCRL.
//
// In this order: the file; the path to a root and its signatures (RFC 5280,
// section 6.1); the profile of mark certificates; the names; the logotype, its
// image and its hash (RFC 9399, section 4.1); transparency (RFC 6962, section 3.3); and, if nothing
// has failed so far, revocation (RFC 5280, section 6.3).
func (v *Verifier) Verify(ctx context.Context, evidence []byte, names Names) Result {
	c := v.start(ctx)
	certs, err := readBundle(evidence)
	if err != nil {
		c.fail(wholeFile, err)
		return c.result
	}
	c.local(certs)
	c.match(names)
	image := c.indicator()
	c.transparency()
	if !c.failed {
		c.revocation()
	}
	if c.result.Err == nil {
		c.result.Status = authres.Pass
		c.result.Indicator = image
		c.result.IndicatorSHA256 = sha256.Sum256(image)
	}
	return c.result
}

// Lint looks at an evidence document as its publisher would: everything that
// Verify judges without the network, and without names to match. An empty list
// means that nothing was noticed.
func (v *Verifier) Lint(evidence []byte) []Finding {
	c := v.start(context.Background())
	certs, err := readBundle(evidence)
	if err != nil {
		c.fail(wholeFile, err)
		return c.result.Findings
	}
	c.local(certs)
	c.indicator()
	c.transparency()
	c.pointsOnly()
	return c.result.Findings
}

func (v *Verifier) start(ctx context.Context) *check {
	now := time.Now
	if v.Now != nil {
		now = v.Now
	}
	// Whole seconds: a certificate is valid through the whole of its last second
	// (RFC 5280, section 4.1.2.5).
	c := &check{v: v, ctx: ctx, now: now().UTC().Truncate(time.Second)}
	c.result.Status = authres.Fail // until everything has said yes
	return c
}

// local makes the checks of the path and the profile.
func (c *check) local(certs []*x509.Certificate) {
	certs = c.order(certs)
	c.leaf = certs[0]
	c.result.NotBefore, c.result.NotAfter = c.leaf.NotBefore, c.leaf.NotAfter
	c.buildPath(certs)
	c.validatePath()
	c.subject()
	c.names()
	c.profile()
	c.rootConstraints()
}

func (v *Verifier) roots() *Roots {
	if v.Roots != nil {
		return v.Roots
	}
	return DefaultRoots()
}

func (v *Verifier) logs() *Logs {
	if v.Logs != nil {
		return v.Logs
	}
	return DefaultLogs()
}

func (v *Verifier) maxIndicator() int {
	if v.MaxIndicator > 0 {
		return v.MaxIndicator
	}
	return DefaultMaxIndicator
}
