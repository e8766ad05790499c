package aggregate

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// Observation is what a receiver knows of one message when it is done with it.
// Package mailauth makes one of its Result.
type Observation struct {
	Time     time.Time
	SourceIP netip.Addr
	// DMARC is the result of the evaluation, with Override where there was one.
	DMARC dmarc.Result
	// EnvelopeFrom is the domain of the reverse-path; empty for the null one.
	EnvelopeFrom string
	// EnvelopeTo is the domain of the recipients; leave it empty where they must not be told apart.
	EnvelopeTo string
	DKIM       []DKIMResult
	SPF        SPFResult // of the MAIL FROM identity; zero if it was not checked
	// Disposition is what was done: none (delivered), quarantine or reject. For a message
	// that passed it does not matter.
	Disposition Disposition
}

// wanted reports whether anybody asks for a report about the message: a record
// applies, and has a rua (RFC 9989, section 4.7).
func (o *Observation) wanted() bool {
	r := &o.DMARC
	return !r.Record.IsZero() && r.PolicyDomain != "" && len(r.Record.RUA) > 0 && o.SourceIP.IsValid() && r.Domain != ""
}

// policy returns policy_published, with defaults filled in (RFC 9990, section 3.1.1.5).
func (o *Observation) policy() Policy {
	rec := &o.DMARC.Record
	p := Policy{
		Domain: o.DMARC.PolicyDomain, P: rec.P, SP: rec.Subdomain(), NP: rec.Nonexistent(), ADKIM: rec.ADKIM, ASPF: rec.ASPF,
		FO: or(rec.FO, "0"), Testing: "n", Method: o.DMARC.Method,
	}
	if rec.T {
		p.Testing = "y"
	}
	return p
}

// record returns the row that the message counts in.
func (o *Observation) record() Record {
	r := &o.DMARC
	rec := Record{
		SourceIP: o.SourceIP.Unmap().WithZone(""), Count: 1, DKIM: aligned(r.DKIMAligned), SPF: aligned(r.SPFAligned),
		HeaderFrom: r.Domain, EnvelopeFrom: lower(o.EnvelopeFrom), NullReversePath: o.EnvelopeFrom == "", EnvelopeTo: lower(o.EnvelopeTo),
	}
	o.dispose(&rec)
	if o.SPF.Result != "" {
		rec.AuthSPF = []SPFResult{{Domain: lower(o.SPF.Domain), Scope: "mfrom", Result: o.SPF.Result, HumanResult: o.SPF.HumanResult}}
	}
	rec.AuthDKIM = slices.Clone(o.DKIM)
	for i := range rec.AuthDKIM {
		d := &rec.AuthDKIM[i]
		d.Domain, d.Selector = lower(d.Domain), strings.ToLower(d.Selector)
	}
	// What is left out of a message with many is what tells least (RFC 9990, section 3.1.3).
	slices.SortStableFunc(rec.AuthDKIM, func(a, b DKIMResult) int { return o.rank(a) - o.rank(b) })
	if len(rec.AuthDKIM) > maxSignatures {
		rec.AuthDKIM = rec.AuthDKIM[:maxSignatures]
	}
	return rec
}

func aligned(ok bool) authres.Status {
	if ok {
		return authres.Pass
	}
	return authres.Fail
}

// lower makes one key of names that are one (RFC 4343, section 3); what is no name stays what it is.
func lower(s string) string {
	if n, err := domain.Parse(s); err == nil {
		return n.String()
	}
	return strings.ToLower(s)
}

// rank orders signatures: strictly aligned pass, relaxed aligned pass, other pass, rest.
func (o *Observation) rank(d DKIMResult) int {
	if d.Result != authres.Pass {
		return 3
	}
	if d.Domain == o.DMARC.Domain {
		return 0
	}
	for _, a := range o.DMARC.Identifiers {
		if a.Aligned && a.Mechanism() == dmarc.DKIM && a.Domain() == d.Domain {
			return 1
		}
	}
	return 2
}

// dispose sets the disposition, and the reasons why it is not what was published.
func (o *Observation) dispose(rec *Record) {
	r := &o.DMARC
	if r.Status == authres.Pass {
		rec.Disposition = DispositionNone
		if r.Published == dmarc.PolicyQuarantine || r.Published == dmarc.PolicyReject {
			rec.Disposition = DispositionPass // decision 19
		}
		return
	}
	rec.Disposition = o.Disposition
	if rec.Disposition != DispositionQuarantine && rec.Disposition != DispositionReject {
		rec.Disposition = DispositionNone
	}
	done := dmarc.Policy(rec.Disposition)
	switch {
	case r.Override != nil:
		rec.Reasons = append(rec.Reasons, Reason{r.Override.Reason, r.Override.Comment})
	case r.Status != authres.Fail:
		rec.Reasons = append(rec.Reasons, Reason{dmarc.OtherReason, "dmarc=" + string(r.Status)})
	case done == r.Published:
	case r.Published != r.Policy && done == r.Policy:
		rec.Reasons = append(rec.Reasons, Reason{Type: PolicyTestMode})
	case r.Policy == dmarc.PolicyReject && done == dmarc.PolicyQuarantine:
		rec.Reasons = append(rec.Reasons, Reason{dmarc.LocalPolicy, "not rejected on p=reject alone (RFC 9989, section 7.4)"})
	default:
		rec.Reasons = append(rec.Reasons, Reason{Type: dmarc.LocalPolicy})
	}
}
