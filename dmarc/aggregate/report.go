package aggregate

import (
	"math"
	"net/netip"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
)

// The namespaces of the two formats.
const (
	Namespace9990 = "urn:ietf:params:xml:ns:dmarc-2.0" // RFC 9990, section 6.1
	Namespace7489 = "http://dmarc.org/dmarc-xml/0.1"   // RFC 7489, appendix C; most senders leave it out
)

// Disposition is what was done with messages (RFC 9990, section 3.1.1.9).
type Disposition string

// The dispositions.
const (
	DispositionNone       Disposition = "none"       // no action taken
	DispositionPass       Disposition = "pass"       // no action: passed under an enforcing policy. Not in RFC 7489.
	DispositionQuarantine Disposition = "quarantine" // failed, treated as suspicious
	DispositionReject     Disposition = "reject"     // failed, rejected
)

// Header is what a report says once (RFC 9990, sections 3.1.1.2 to 3.1.1.5).
// Absent elements are zero. All of it is a stranger's text.
type Header struct {
	// Namespace of the root element, empty if there is none.
	Namespace string
	Version   string

	OrgName      string
	Email        string
	ExtraContact string // extra_contact_info
	ReportID     string
	// Begin and End are the period, in UTC and whole seconds; the zero time where the
	// report has none or not one that can be read.
	Begin, End time.Time
	// Errors are the error elements: RFC 9990 allows one.
	Errors    []string
	Generator string

	Policy Policy
}

// Policy is the policy_published element (RFC 9990, section 3.1.1.5).
type Policy struct {
	Domain      string // the DMARC Policy Domain, as the report writes it
	P, SP, NP   dmarc.Policy
	ADKIM, ASPF dmarc.Mode
	FO          string
	Pct         string // RFC 7489 only: the number as written
	Testing     string // "y", "n" or empty: the value of t
	Method      dmarc.Method
}

// Record is one row of a report: messages from one address with the same
// identifiers and the same results (RFC 9990, section 3.1.1.7).
type Record struct {
	SourceIP netip.Addr // never IPv4-mapped, never with a zone
	Count    int64      // messages, never negative

	Disposition Disposition
	// DKIM and SPF say whether the mechanism passed for an aligned domain: Pass or Fail.
	DKIM, SPF authres.Status
	Reasons   []Reason

	HeaderFrom string // Author Domain
	// EnvelopeFrom is the domain of the reverse-path. NullReversePath says that the
	// element is there and empty, which stands for the null reverse-path (RFC 9990,
	// section 3.1.1.10).
	EnvelopeFrom    string
	NullReversePath bool
	EnvelopeTo      string

	AuthDKIM []DKIMResult
	AuthSPF  []SPFResult // RFC 9990 allows one
}

// Reason is why the disposition is not what the policy asks for (RFC 9990, section 3.1.6).
type Reason struct {
	Type    dmarc.OverrideReason // also "policy_test_mode", and RFC 7489's "forwarded" and "sampled_out"
	Comment string
}

// The reasons that dmarc.OverrideReason has no constant for.
const (
	PolicyTestMode dmarc.OverrideReason = "policy_test_mode" // t=y
	Forwarded      dmarc.OverrideReason = "forwarded"        // RFC 7489 only
	SampledOut     dmarc.OverrideReason = "sampled_out"      // RFC 7489 only: pct
)

// DKIMResult is the outcome of one signature, whether aligned or not (RFC 9990, section 3.1.1.12).
type DKIMResult struct {
	Domain, Selector string
	Result           authres.Status
	HumanResult      string
}

// SPFResult is the outcome of the SPF check, whether aligned or not (RFC 9990, section 3.1.1.13).
type SPFResult struct {
	Domain      string
	Scope       string // "mfrom" or empty; in RFC 7489 also "helo"
	Result      authres.Status
	HumanResult string
}

// Aligned reports whether the messages passed DMARC.
func (r Record) Aligned() bool { return r.DKIM == authres.Pass || r.SPF == authres.Pass }

// Report is a whole report in memory.
type Report struct {
	Header
	Records []Record
	// Warnings is what reading it gave cause for; writing ignores it.
	Warnings []Warning
	// Sender is about the mail that carried the report.
	Sender Sender
}

// Messages returns the sum of the counts; no more than fits.
func (r *Report) Messages() int64 {
	n := int64(0)
	for i := range r.Records {
		n = addCount(n, r.Records[i].Count)
	}
	return n
}

func addCount(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Sender is what is known of the mail that carried a report. A report is worth as
// much as its sender: "Mail streams carrying DMARC feedback data MUST conform to
// the DMARC mechanism" (RFC 9990, section 3.5.2).
type Sender struct {
	// Evaluated says that Parser.Mail was given; Authenticated, that it is a pass.
	Evaluated, Authenticated bool
	// Domain is the Author Domain of that mail.
	Domain string
	// DomainMismatch: the address in the report's email element is at a domain that is neither
	// Domain nor above nor below it.
	DomainMismatch bool
	// SubjectMismatch: the Subject names another policy domain or Report-ID than the report.
	SubjectMismatch bool
}

// Believable reports whether the mail was evaluated, passed, and comes from whom
// the report says.
func (s Sender) Believable() bool {
	return s.Evaluated && s.Authenticated && !s.DomainMismatch && !s.SubjectMismatch
}
