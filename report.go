package mailauth

import (
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

// Observation is what a DMARC aggregate report is to say of the message, for
// aggregate.Collector: the results as they are, and Action as what was done. A
// receiver that did something else sets the Disposition; one that deferred the
// message does not report it, as it will come again. EnvelopeTo is left empty.
func (r *Result) Observation() aggregate.Observation {
	o := aggregate.Observation{Time: r.Time, SourceIP: r.Session.IP, DMARC: r.DMARC, Disposition: aggregate.DispositionNone}
	if i := strings.LastIndexByte(r.Session.MailFrom, '@'); i >= 0 {
		o.EnvelopeFrom = r.Session.MailFrom[i+1:]
	}
	switch r.Action {
	case Reject:
		o.Disposition = aggregate.DispositionReject
	case Quarantine:
		o.Disposition = aggregate.DispositionQuarantine
	}
	if r.SPF.Status != "" && r.SPF.Domain != "" {
		o.SPF = aggregate.SPFResult{Domain: r.SPF.Domain, Scope: "mfrom", Result: r.SPF.Status}
	}
	for i := range r.DKIM {
		d := &r.DKIM[i]
		// A signature that does not even say whose it is, tells the domain owner nothing.
		if d.Signature.Domain == "" || d.Status == authres.None {
			continue
		}
		o.DKIM = append(o.DKIM, aggregate.DKIMResult{Domain: d.Signature.Domain, Selector: d.Signature.Selector, Result: d.Status})
	}
	return o
}
