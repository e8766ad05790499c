package mailauth

import (
	"errors"
	"slices"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
)

func (r *Result) explainDMARC(w *story) {
	d := &r.DMARC
	switch d.Status {
	case authres.Pass:
		var by []string
		for _, a := range d.PassedBy() {
			if s := strings.ToUpper(string(a.Mechanism())) + " for " + a.Domain(); !slices.Contains(by, s) {
				by = append(by, s)
			}
		}
		w.say("DMARC", "pass: %s; aligned with %s (RFC 9989, section 4.4).", strings.Join(by, ", "), d.Domain)
	case authres.None:
		w.say("DMARC", "none: %s for %s%s.", textOf(d.Err), d.Domain, section(d.Err))
	case authres.PermError:
		if errors.Is(d.Err, dmarc.ErrFromDefect) {
			w.say("DMARC", "permerror: %s, and this receiver takes no such message.", quote(textOf(d.Err)))
			break
		}
		if d.AmbiguousAuthor() {
			w.say("DMARC", "permerror: %s. A message without exactly one author domain can be anybody's%s.", quote(textOf(d.Err)), section(d.Err))
			break
		}
		w.say("DMARC", "permerror: %s.", textOf(d.Err))
	case authres.TempError:
		w.say("DMARC", "temperror: %s. The message can neither pass nor fail now (RFC 9989, section 5.3.6).", textOf(d.Err))
	default:
		w.say("DMARC", "%s: %s%s.", d.Status, textOf(d.Err), section(d.Err))
	}
	for _, a := range d.Identifiers {
		explainAlignment(w, d, a)
	}
	r.explainPolicy(w)
	for _, n := range d.Diagnostics {
		w.say("", "Note for the domain's owner: %s.", strings.ReplaceAll(n.String(), "_", " "))
	}
}

func explainAlignment(w *story, d *dmarc.Result, a dmarc.Alignment) {
	var why string
	switch a.Why {
	case dmarc.SameDomain:
		why = "aligned, the same domain"
	case dmarc.SameOrganization:
		why = "aligned, its organizational domain is " + a.OrganizationalDomain + " too"
	case dmarc.StrictMismatch:
		why = "not aligned, the record wants the same domain"
	case dmarc.OtherOrganization:
		why = "not aligned, it is of another organization"
		if a.OrganizationalDomain != "" && d.OrganizationalDomain != "" {
			why += ": " + a.OrganizationalDomain + ", where the author's is " + d.OrganizationalDomain
		}
	case dmarc.AlignmentUnknown:
		why = "alignment unknown, " + textOf(a.Err)
	case dmarc.AlignmentUnneeded:
		why = "alignment not examined, it could change nothing"
	default:
		return // no domain: the protocol's own block has said why
	}
	w.say("", "%s for %s (%s): %s.", strings.ToUpper(string(a.Mechanism())), a.Domain(), a.Status(), why)
}

func (r *Result) explainPolicy(w *story) {
	d := &r.DMARC
	if d.Record.IsZero() {
		return
	}
	how := "the tree walk (RFC 9989, section 4.10)"
	if d.Method == dmarc.PublicSuffixList {
		how = "the public suffix list (RFC 7489, section 3.2)"
	}
	w.say("", "The record of %s applies: %s; organizational domain %s by %s.",
		d.PolicyDomain, quote(d.Record.Raw()), d.OrganizationalDomain, how)
	if d.Policy == "" {
		return
	}
	testing := ""
	if d.Record.T && d.Policy != d.Published {
		testing = ", one step milder than published because of t=y"
	}
	w.say("", "Policy: %s, from %s%s (RFC 9989, section 4.7).", d.Policy, d.Tag, testing)
}
