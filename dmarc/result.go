package dmarc

import "github.com/seed2385d973/mailauth/authres"

// Result is the outcome of the evaluation of one message. The zero value says that
// nothing was evaluated; it is not a pass. A Result must not be modified, except
// that whoever decides against the policy may set Override.
type Result struct {
	// Status is one of
	//
	//	Pass       an authenticated identifier is aligned with the Author Domain
	//	Fail       none is; Policy says what the domain owner would have done
	//	None       no policy was published, or none that could be used
	//	TempError  an answer is missing that could have changed the outcome
	//	PermError  the author is unusable or ambiguous (the constants beginning with
	//	           ErrFrom), or the evaluation would cost too much. Never treat such a
	//	           message as one whose domain has no policy.
	Status authres.Status
	// Err says why Status is not Pass; nil if it is. It wraps a constant of this package.
	Err error

	// Domain is the Author Domain in lower-case A-labels; empty if there is none.
	Domain string
	// OrganizationalDomain of the author; empty if the DNS did not say enough.
	OrganizationalDomain string
	// Method is how it was determined.
	Method Method

	// PolicyDomain is the DMARC Policy Domain: where the record lies that applies. It
	// may be the Author Domain, its Organizational Domain or a Public Suffix Domain.
	PolicyDomain string
	// Record is the record that applies; zero if there is none.
	Record Record
	// AuthorRecord and OrganizationalRecord are the records at the two domains, zero
	// where there is none. BIMI wants both, whichever applies.
	AuthorRecord, OrganizationalRecord Record

	// Tag names the tag that the policy was taken from: "p", "sp" or "np", or the one
	// it falls back on. Where sp and np agree, nobody asked whether the author exists, and
	// it is not "np".
	Tag string
	// Published is that policy as published; Policy is the one to apply, after t (RFC
	// 9989, section 4.7). What to do with the message is the receiver's decision
	// (section 5.4); rejecting solely because of Policy is against sections 7.4 and 8.
	// Both are empty if no record applies or if it could not be found out.
	Published, Policy Policy

	// SPFAligned and DKIMAligned say whether the mechanism passed for an aligned domain.
	SPFAligned, DKIMAligned bool
	// Identifiers says what became of each Identifier, in the order given; nil if it did
	// not come to that.
	Identifiers []Alignment

	// Diagnostics lists what an operator or the domain's owner may want to know.
	Diagnostics []Diagnostic
	// Queries lists the DNS questions in the order in which they were asked, each once.
	Queries []Query

	// Each holds the results for all Author Domains in the order of the From field
	// where there were several (AuthorOptions.SeveralDomains), this one among them.
	Each []Result

	// Override is for whoever decides against Policy: this package never sets it.
	Override *Override

	psd bool // Record is that of a Public Suffix Domain
}

// FailureReports lists where the domain owner wants failure reports: ruf of the
// Record, but never that of a Public Suffix Domain (RFC 9991, section 2).
func (r Result) FailureReports() []URI {
	if r.psd {
		return nil
	}
	return r.Record.RUF
}

// PassedBy lists the identifiers that are authenticated and aligned.
func (r Result) PassedBy() []Alignment {
	var out []Alignment
	for _, a := range r.Identifiers {
		if a.Aligned && a.Authenticated() {
			out = append(out, a)
		}
	}
	return out
}

// OverrideReason is a type of policy override in aggregate reports (RFC 9990,
// section 3.1.1.14).
type OverrideReason string

// The reasons. There is also "policy_test_mode", which needs no decision: it is
// what Published and Policy differ by.
const (
	LocalPolicy      OverrideReason = "local_policy"
	MailingList      OverrideReason = "mailing_list"
	TrustedForwarder OverrideReason = "trusted_forwarder"
	OtherReason      OverrideReason = "other"
)

// Override says that and why a receiver did not do as the policy says (RFC 9989,
// section 5.4).
type Override struct {
	Reason  OverrideReason
	Comment string // for the report; RFC 8617, section 7.2.2 says what belongs here for ARC
}
