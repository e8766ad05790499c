package records

import (
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// dmarc looks the policy up as a receiver does and returns it.
func (c *checker) dmarc(d domain.Name) dmarc.Policy {
	author, err := dmarc.AuthorOf(d.String())
	at := "_dmarc." + d.Absolute()
	c.report.DMARC.Walk = []string{}
	if err != nil {
		c.add("dmarc", at, "bad_domain", dkim.Broken, err.Error(), "check the spelling")
		return ""
	}
	v := dmarc.Verifier{Resolver: c.dns, NoPrefetch: true}
	r := v.Verify(c.ctx, author)
	out := &c.report.DMARC
	out.OrgDomain = r.OrganizationalDomain
	for _, q := range r.Queries {
		out.Walk = append(out.Walk, strings.TrimSpace(fmt.Sprintf("%s: %s %s", q, q.Outcome, q.Record)))
	}
	for _, g := range r.Diagnostics {
		c.diagnostic(at, g)
	}
	if r.Record.IsZero() {
		if r.Status == authres.TempError {
			c.unavailable("dmarc", at, r.Err)
		} else {
			c.add("dmarc", at, "none", dkim.Warning, "no DMARC policy applies: anybody may write with the domain in From", "publish v=DMARC1; p=none; rua=mailto:... and go on from there (mailauth records)")
		}
		return ""
	}
	out.PolicyDomain, out.Record, out.Policy = r.PolicyDomain, r.Record.Raw(), string(r.Policy)
	c.judge("_dmarc."+r.PolicyDomain+".", r)
	c.external("rua", r.PolicyDomain, r.Record.RUA)
	c.external("ruf", r.PolicyDomain, r.Record.RUF)
	return r.Policy
}

// strength orders the policies.
func strength(p dmarc.Policy) int {
	switch p {
	case dmarc.PolicyReject:
		return 2
	case dmarc.PolicyQuarantine:
		return 1
	}
	return 0
}

func (c *checker) judge(at string, r dmarc.Result) {
	rec := r.Record
	if rec.P == dmarc.PolicyNone {
		c.add("dmarc", at, "p_none", dkim.Warning, "p=none asks for nothing to be done with forged mail", "when the reports show that all own mail passes, go on to quarantine and reject")
	}
	if strength(rec.Subdomain()) < strength(rec.P) {
		c.add("dmarc", at, "sp_weaker", dkim.Warning, fmt.Sprintf("sp=%s is weaker than p=%s: subdomains, also those that do not exist, can be forged", rec.SP, rec.P), "take sp out")
	}
	if rec.NP != "" && strength(rec.NP) < strength(rec.P) {
		c.add("dmarc", at, "np_weaker", dkim.Warning, fmt.Sprintf("np=%s is weaker than p=%s: subdomains that do not exist can be forged", rec.NP, rec.P), "take np out, or say np=reject")
	}
	if rec.T {
		c.add("dmarc", at, "t", dkim.Note, "t=y: the policy is applied one level down (RFC 9989, section 4.7)", "take t out when the reports show no harm")
	}
	if rec.Pct >= 0 {
		c.add("dmarc", at, "pct", dkim.Warning, fmt.Sprintf("pct=%d is without effect since RFC 9989, and what receivers make of it differs", rec.Pct), "take pct out; t=y is what is left of pct=0")
	}
	if len(rec.RUA) == 0 {
		c.add("dmarc", at, "no_rua", dkim.Warning, "without rua there are no reports, so that nobody sees what fails", "add rua=mailto: and an address")
	}
}

// diagnostic reports what the parser of records and the walk noted; historic tags
// are judged by their value.
func (c *checker) diagnostic(at string, g dmarc.Diagnostic) {
	if g.Domain != "" {
		at = "_dmarc." + g.Domain + "."
	}
	severity, fix := dkim.Warning, "correct the record"
	switch g.Kind {
	case dmarc.HistoricTag:
		if g.Tag == "pct" {
			return
		}
		severity, fix = dkim.Note, "take it out"
	case dmarc.SeveralRecords:
		severity, fix = dkim.Broken, "publish one: of several, none counts (RFC 9989, section 4.10)"
	case dmarc.BadRecord, dmarc.BadPolicy:
		severity = dkim.Broken
	case dmarc.LookupFailed:
		severity, fix = dkim.Note, "ask again later"
	case dmarc.SuffixFloor, dmarc.UnknownTag:
		severity = dkim.Note
	}
	c.add("dmarc", at, string(g.Kind), severity, g.String(), fix)
}

// external checks whether the domains that reports go to want them (RFC 9990, section 4).
func (c *checker) external(tag, policy string, list []dmarc.URI) {
	v := dmarc.Verifier{Resolver: c.dns, NoPrefetch: true}
	own := v.OrganizationalDomain(c.ctx, policy).OrganizationalDomain
	for _, u := range list {
		if u.Host == "" || u.Host == policy {
			continue
		}
		if org := v.OrganizationalDomain(c.ctx, u.Host); own != "" && org.OrganizationalDomain == own {
			continue
		}
		name, err := domain.ParseQuery(policy + "._report._dmarc." + u.Host)
		if err != nil {
			c.add("dmarc", "_dmarc."+policy+".", "external_"+tag, dkim.Broken, "no reports go to "+u.Host+": the name of the permission would be too long", "use another address")
			continue
		}
		ans, err := c.ask(name, dnsutil.TypeTXT)
		if err != nil {
			c.unavailable("dmarc", name.Absolute(), err)
			continue
		}
		permitted := false
		for _, s := range ans.TXT {
			first, _, _ := strings.Cut(s, ";")
			k, val, _ := strings.Cut(first, "=")
			permitted = permitted || strings.EqualFold(strings.TrimSpace(k), "v") && strings.TrimSpace(val) == "DMARC1"
		}
		if !permitted {
			c.add("dmarc", "_dmarc."+policy+".", "external_"+tag, dkim.Broken, tag+" names "+u.Host+", which does not say that it wants the reports: they are not sent (RFC 9990, section 4)",
				"have "+u.Host+" publish TXT \"v=DMARC1\" at "+name.Absolute())
		}
	}
}
