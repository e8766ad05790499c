package bimi

import (
	"context"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/svgps"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/message"
)

// The statuses of a Result (BIMI, section 7.7).
const (
	Pass      = authres.Pass               // the indicator may be shown
	None      = authres.None               // no record
	Fail      = authres.Fail               // a record, an indicator or evidence that is no good
	TempError = authres.TempError          // a later try may give an answer
	Declined  = authres.Status("declined") // the domain does not want an indicator
	Skipped   = authres.Status("skipped")  // the message is not eligible
)

// Fetcher gets documents from the web. It has to bound time and size, follow https
// only, and keep away from addresses that are not public. *fetch.Fetcher is one.
//
// An error says by a method Temporary() bool, found with errors.As, whether a
// later try may succeed.
type Fetcher interface {
	// Fetch gets at most max octets from an https URL that the record of domain names.
	Fetch(ctx context.Context, domain, url string, max int64) (body []byte, contentType string, err error)
	// FetchCRL gets a revocation list, by http or https.
	FetchCRL(ctx context.Context, url string) ([]byte, error)
}

// Verifier evaluates BIMI for messages. Its zero value has the defaults of the
// drafts ([Draft]) and neither Resolver nor Fetcher, so that a message with a
// record is temperror. It is plain configuration and safe for concurrent use while
// nobody changes it. Fields that accept more than the drafts do say so.
type Verifier struct {
	// Resolver answers DNS questions; nil makes every eligible message temperror.
	Resolver dnsutil.Resolver
	// Fetcher gets indicators, evidence and revocation lists; nil means that nothing
	// is fetched, and every record that is no declination is temperror.
	Fetcher Fetcher
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	// StrictPct wants pct=100, or no pct, also with p=reject.
	StrictPct bool
	// TestModeAsLowered counts t=y as the policy one level lower, so that p=reject;
	// t=y is eligible (RFC 9989, section 4.7). By default t=y is not.
	TestModeAsLowered bool
	// StrictNP refuses np=none also where the author domain exists.
	StrictNP bool
	// DMARCTempErrorSkips makes a DMARC temperror skipped and not temperror.
	DMARCTempErrorSkips bool
	// RequireDKIM wants an aligned DKIM signature; an aligned SPF pass is not enough.
	RequireDKIM bool
	// RejectPartialBody does not count an aligned signature with l= that leaves
	// part of the body open. (By default package dkim does not let one pass.)
	RejectPartialBody bool
	// AllowPartialCoverage counts aligned signatures although a second instance of a
	// signed field or a MIME field is not covered, or the key is in test mode:
	// what is shown beside the logo may then be a stranger's.
	AllowPartialCoverage bool
	// RejectSPFAll refuses domains whose SPF record lets everybody in.
	RejectSPFAll bool
	// Veto, if not nil, sees each message that is eligible before anything is looked
	// up, for reputation and lists (BIMI, section 8.2). An error makes it skipped.
	Veto func(ctx context.Context, m *Message) error

	// IgnoreRepeatedSelector makes a message with several BIMI-Selector fields use
	// the default selector; else it fails.
	IgnoreRepeatedSelector bool
	// TrustUnsignedSelector uses a BIMI-Selector field that no aligned signature
	// covers, so that anybody on the way can choose among the domain's logos.
	TrustUnsignedSelector bool
	// AllowUnderscoreSelector accepts underscores in a BIMI-Selector field.
	AllowUnderscoreSelector bool

	// Record relaxes what is a record.
	Record RecordOptions
	// SeveralRecordsNone makes several records at one name none and not fail.
	SeveralRecordsNone bool
	// CollapseAllDashes reads "more than one of these" in BIMI, section 4.5, to include
	// dashes: a-_b asks for a-b and not for a--b.
	CollapseAllDashes bool
	// LocalPartErrorKeepsRecord goes on with the first record where the DNS does not
	// answer for the local-part's; else that is temperror.
	LocalPartErrorKeepsRecord bool
	// MinPrefix is the least length of a prefix of lps= that is followed; zero
	// follows all, also the empty one (BIMI, section 4.5).
	MinPrefix int

	// IgnoreEvidence does not look at a= and shows what the domain itself asserts.
	// It has no effect with RequireEvidence.
	IgnoreEvidence bool
	// RequireEvidence skips domains that publish no evidence.
	RequireEvidence bool
	// MissingEvidenceFails makes such a domain fail and not skipped.
	MissingEvidenceFails bool
	// SelfAssertedFallback shows the indicator of l= where the evidence is not good:
	// a forger then only has to break his certificate. BIMI has no such fallback.
	SelfAssertedFallback bool
	// TemporaryFetchFails makes temporary failures of the web fail and not temperror.
	TemporaryFetchFails bool
	// CompareIndicator says whether the image at l= is fetched too, and compared with
	// the certified one. Off by default: the certificate's is the one that is shown,
	// and a second request is a second way to fail.
	CompareIndicator Comparison
	// Certificates are the options for evidence. Where FetchCRL is nil the Fetcher is
	// asked; Now is the Verifier's.
	Certificates markcert.Verifier
	// SVG are the options for the image.
	SVG svgps.Options
	// MaxFetch is how many octets are read for an indicator; zero means
	// [svgps.DefaultMaxCompressed].
	MaxFetch int

	// AlwaysLogoPreference writes BIMI-Logo-Preference also where the domain
	// published no avp=.
	AlwaysLogoPreference bool
	// HashLength is how many of the last hexadecimal digits of the indicator's hash go
	// into Authentication-Results, 8 to 64; zero means 8.
	HashLength int
	// MaxIndicatorField is the largest image, in octets, that is put into
	// BIMI-Indicator; zero means all that SVG accepts. 32 KiB make a field of 45 KB,
	// which some MTAs do not take.
	MaxIndicatorField int
}

// Comparison says what is done about an indicator at l= that is not the certified one.
type Comparison uint8

// The comparisons.
const (
	CompareOff  Comparison = iota // l= is not fetched
	CompareWarn                   // a difference is a warning
	CompareFail                   // a difference fails
)

// Draft is what the drafts say where they say something: evidence is checked where
// it is given, and not demanded. It is the zero value.
func Draft() Verifier { return Verifier{} }

// Gmail comes nearest to what Google documents: evidence demanded, of either
// kind; an aligned DKIM signature; a policy for all messages.
func Gmail() Verifier {
	return Verifier{RequireEvidence: true, RequireDKIM: true, RejectPartialBody: true, StrictPct: true, SVG: svgps.Gmail()}
}

// Apple comes nearest to what Apple documents: evidence demanded, of registered
// and government marks only; an aligned DKIM signature.
func Apple() Verifier {
	return Verifier{
		RequireEvidence: true, RequireDKIM: true, RejectPartialBody: true,
		Certificates: markcert.Verifier{MarkTypes: markcert.VerifiedMarkTypes()},
		SVG:          svgps.Apple(),
	}
}

// SelfAsserted neither demands evidence nor looks at it: the logo is the
// domain's own word, for receivers who have another opinion of the domain.
func SelfAsserted() Verifier { return Verifier{IgnoreEvidence: true} }

// Message is what BIMI has to know of a message.
type Message struct {
	// Header is the message's header, for BIMI-Selector; nil means none.
	Header *message.Header
	// Author is what the From field says.
	Author dmarc.Author
	// DMARC is the verdict on it.
	DMARC dmarc.Result
	// Override, if not empty, is the reason for which the receiver counts the
	// message as a DMARC pass although it is none: a trusted ARC chain, a known
	// forwarder (BIMI, section 7.1). The demands on the policy stay.
	Override string
	// Signatures are the results of DKIM. Without any, DMARC's word is taken for
	// coverage, and no BIMI-Selector field counts as signed.
	Signatures []Signature
	// ARC says which fields a trusted ARC chain covers (BIMI, section 5.5); nil means none.
	ARC Coverage
	// SPFAll says that the author domain's SPF record lets everybody in.
	SPFAll bool
}

// Signature is the result for one DKIM signature.
type Signature struct {
	Status authres.Status
	// Domain is d= in lower-case A-labels.
	Domain string
	// Coverage says which header fields are signed; nil means none.
	Coverage Coverage
	// PartialHeader: another instance of a signed field, or a MIME field, is open.
	PartialHeader bool
	// PartialBody: l= leaves a part of the body open.
	PartialBody bool
	// Testing: the key has t=y.
	Testing bool
}

// Coverage tells which header fields a signature covers. *dkim.Coverage is one.
type Coverage interface {
	// Covers reports whether field i of the header is covered, 0 being the topmost.
	Covers(i int) bool
}
