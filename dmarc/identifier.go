package dmarc

import (
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// Mechanism is an authentication mechanism underlying DMARC (RFC 9989, section 4.3).
type Mechanism string

// The mechanisms.
const (
	SPF  Mechanism = "spf"
	DKIM Mechanism = "dkim"
)

// Identifier is the outcome of one SPF or DKIM check together with the domain it
// is about (RFC 9989, section 3.2.1). The two are one value and cannot be combined
// anew: the domain of a signature that failed never meets the outcome of another.
// The zero value authenticates nothing.
type Identifier struct {
	mechanism Mechanism
	status    authres.Status
	text      string
	domain    domain.Name
	selector  string
}

// SPFIdentifier is the outcome of the SPF check of the MAIL FROM identity, with its
// domain: that of the reverse-path, or of HELO if it is null (RFC 7208, section
// 2.4). The outcome of a HELO check has no place here (RFC 9989, section 4.4.2).
func SPFIdentifier(status authres.Status, name string) Identifier {
	return newIdentifier(SPF, status, name, "")
}

// DKIMIdentifier is the outcome of the verification of one signature, with its d=
// and s= (RFC 9989, section 4.4.1).
func DKIMIdentifier(status authres.Status, name, selector string) Identifier {
	return newIdentifier(DKIM, status, name, selector)
}

func newIdentifier(m Mechanism, status authres.Status, name, selector string) Identifier {
	id := Identifier{mechanism: m, status: status, text: name, selector: selector}
	// What is no domain name is aligned with nothing.
	id.domain, _ = domain.Parse(name)
	return id
}

// Mechanism returns the mechanism, empty for the zero Identifier.
func (id Identifier) Mechanism() Mechanism { return id.mechanism }

// Status returns the outcome of the mechanism's check.
func (id Identifier) Status() authres.Status { return id.status }

// Domain returns the domain as it was given, in lower case A-labels if it is a legal name.
func (id Identifier) Domain() string {
	if id.domain.IsZero() {
		return id.text
	}
	return id.domain.String()
}

// Selector returns the selector of a DKIM signature.
func (id Identifier) Selector() string { return id.selector }

// Authenticated reports whether the check passed, for a domain that is one.
func (id Identifier) Authenticated() bool {
	return id.status == authres.Pass && !id.domain.IsZero()
}

// Why says why an Identifier is aligned or is not.
type Why string

// The reasons.
const (
	SameDomain        Why = "same_domain"        // aligned: equal to the Author Domain
	SameOrganization  Why = "same_organization"  // aligned, relaxed: the same Organizational Domain
	StrictMismatch    Why = "strict_mismatch"    // not aligned: the record demands the same domain
	OtherOrganization Why = "other_organization" // not aligned: another Organizational Domain
	BadDomain         Why = "bad_domain"         // not aligned: not a domain name
	AlignmentUnknown  Why = "unknown"            // a DNS answer is missing; see Err
	AlignmentUnneeded Why = "not_examined"       // it would take more DNS questions, and could change nothing
)

// Alignment is what became of one Identifier.
type Alignment struct {
	Identifier
	// Aligned says whether the domain is aligned with the Author Domain. Whether it was
	// also authenticated is the Identifier's Status.
	Aligned bool
	// Mode is what the record demands for the mechanism.
	Mode Mode
	// OrganizationalDomain of the Identifier; empty where it was not needed or not found.
	OrganizationalDomain string
	Why                  Why
	// Err wraps ErrDNS or ErrBudget where Why is AlignmentUnknown.
	Err error
}

// align tests an Identifier (RFC 9989, section 4.10.2). With ask false it puts no
// question to the DNS.
func (w *walker) align(d *discovery, method Method, mode Mode, id Identifier, ask bool) Alignment {
	a := Alignment{Identifier: id, Mode: mode}
	switch {
	case id.domain.IsZero():
		a.Why = BadDomain
		return a
	case id.domain == d.author:
		// The same start gives the same Organizational Domain, whatever it is.
		a.Aligned, a.Why = true, SameDomain
		if org, ok := d.orgs.certain(); ok {
			a.OrganizationalDomain = org.String()
		}
		return a
	case mode == Strict:
		a.Why = StrictMismatch
		return a
	}
	a.Why = OtherOrganization
	if method == PublicSuffixList {
		org, _ := w.list.Organizational(id.domain)
		a.OrganizationalDomain = org.String()
		a.settle(d.orgs.has(org))
		return a
	}
	// An Organizational Domain of the identifier is the identifier or above it. So one
	// that is below none of the author's candidates cannot be aligned, and what its
	// owner's servers answer is of no interest (decision 25).
	if !d.orgs.above(id.domain) {
		return a
	}
	wk, complete := w.walk(id.domain, ask)
	if !complete {
		a.Why = AlignmentUnneeded
		return a
	}
	candidates := w.orgs(wk)
	org, certain := candidates.certain()
	if certain {
		a.OrganizationalDomain = org.String()
	}
	authorOrg, authorCertain := d.orgs.certain()
	switch {
	case certain && authorCertain:
		a.settle(org == authorOrg)
	case candidates.meets(&d.orgs):
		a.Why = AlignmentUnknown
		if a.Err = w.firstError(wk); a.Err == nil {
			authors, _ := w.walk(d.author, false)
			a.Err = w.firstError(authors)
		}
	}
	return a
}

func (a *Alignment) settle(same bool) {
	if same {
		a.Aligned, a.Why = true, SameOrganization
	}
}

// above reports whether n is within one of the candidates.
func (o *orgs) above(n domain.Name) bool {
	for _, m := range o.name[:o.n] {
		if n.IsWithin(m) {
			return true
		}
	}
	return false
}

func (o *orgs) meets(p *orgs) bool {
	for _, m := range o.name[:o.n] {
		if p.has(m) {
			return true
		}
	}
	return false
}
