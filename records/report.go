package records

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// Error is a constant error of this package.
type Error string

func (e Error) Error() string { return string(e) }

// The errors.
const (
	// ErrDomain: not a domain name of two labels or more.
	ErrDomain Error = "not a domain name of two labels or more"
	// ErrRecord: what is to be published would not be a record that a receiver uses.
	ErrRecord Error = "not a usable record"
)

// Code returns the constant's name, "" for an Error that is none of this package.
func (e Error) Code() string {
	switch e {
	case ErrDomain:
		return "ErrDomain"
	case ErrRecord:
		return "ErrRecord"
	}
	return ""
}

// Severity is that of package dkim, so that its findings and those here can be sorted together.
type Severity = dkim.Severity

// Finding is something about a domain's records that its owner should know.
type Finding struct {
	Protocol string   `json:"protocol"` // mx, spf, dkim, dmarc or bimi
	Name     string   `json:"name"`     // whose record: absolute
	Kind     string   `json:"kind"`     // a word for programs: "plus_all"
	Severity Severity `json:"severity"`
	Detail   string   `json:"detail"` // what was found, for people; may quote a stranger's text
	Fix      string   `json:"fix"`    // what to do about it
}

// Report is what a domain publishes. The zero value says nothing.
type Report struct {
	Domain   string     `json:"domain"` // lower-case A-labels
	MX       MX         `json:"mx"`
	SPF      SPF        `json:"spf"`
	DKIM     []Selector `json:"dkim"`
	DMARC    DMARC      `json:"dmarc"`
	BIMI     BIMI       `json:"bimi"`
	Findings []Finding  `json:"findings"` // the worst first
}

// MX is where a domain takes mail.
type MX struct {
	Hosts []Host `json:"hosts"`
	Null  bool   `json:"null"` // it takes none, and says so (RFC 7505)
}

// Host is one mail exchanger.
type Host struct {
	Preference uint16 `json:"preference"`
	Name       string `json:"name"`
}

// Selector is a DKIM key that was asked for.
type Selector struct {
	Selector  string   `json:"selector"`
	Name      string   `json:"name"`
	Published []string `json:"published"` // texts of key records
	KeyType   string   `json:"key_type,omitempty"`
	Bits      int      `json:"bits,omitempty"`
	Usable    bool     `json:"usable"`
}

// DMARC is the policy for mail of a domain and how it was found.
type DMARC struct {
	PolicyDomain string   `json:"policy_domain"` // whose record applies, "" if none does
	OrgDomain    string   `json:"org_domain"`
	Record       string   `json:"record"` // as published
	Policy       string   `json:"policy"` // what is asked for mail that fails, after t
	Walk         []string `json:"walk"`   // the questions of the DNS Tree Walk, with what they found
}

// BIMI is the assertion record of the selector "default". Its syntax is judged, what
// it names is not fetched: bimi.Checker does that.
type BIMI struct {
	Name   string `json:"name,omitempty"` // where it was found
	Record string `json:"record,omitempty"`
	// Authorization is what CAA records say about who may issue a mark certificate; nil
	// if nobody was asked, as without a record that names an indicator, or the DNS did not say.
	Authorization *bimi.Authorization `json:"caa,omitempty"`
}

// maxQueries bounds one Lookup.
const maxQueries = 200

// Lookup asks for all records of a domain and for the DKIM keys of the given
// selectors, which nobody can list (RFC 6376, section 3.1), and judges them. The
// error is ErrDomain; a DNS that does not answer is a finding.
func Lookup(ctx context.Context, r dnsutil.Resolver, name string, selectors ...string) (Report, error) {
	d, err := domain.Parse(strings.TrimSuffix(name, "."))
	if err != nil || d.Labels() < 2 {
		return Report{}, fmt.Errorf("%w: %q", ErrDomain, name)
	}
	sc, done := lookup.For(ctx, r, maxQueries)
	defer done()
	c := &checker{ctx: ctx, dns: sc, report: Report{Domain: d.String(), DKIM: []Selector{}, Findings: []Finding{}}}
	c.report.MX.Hosts = []Host{}
	c.mx(d)
	c.spf(d)
	for _, s := range selectors {
		c.dkim(d, s)
	}
	c.dropAnswered()
	policy := c.dmarc(d)
	c.bimi(d, policy)
	slices.SortStableFunc(c.report.Findings, func(a, b Finding) int { return rank(a.Severity) - rank(b.Severity) })
	return c.report, nil
}

func rank(s Severity) int {
	return slices.Index([]Severity{dkim.Broken, dkim.Warning, dkim.Note}, s)
}

type checker struct {
	ctx    context.Context
	dns    *lookup.Scope
	report Report
}

func (c *checker) add(protocol, name, kind string, s Severity, detail, fix string) {
	c.report.Findings = append(c.report.Findings, Finding{protocol, name, kind, s, detail, fix})
}

func (c *checker) ask(n domain.Name, t dnsutil.Type) (dnsutil.Answer, error) {
	return c.dns.Ask(c.ctx, n, t)
}

func (c *checker) unavailable(protocol, name string, err error) {
	c.add(protocol, name, "unavailable", dkim.Broken, "the DNS did not answer: "+err.Error(), "ask again later; if it lasts, the servers of the zone are at fault")
}

func (c *checker) mx(d domain.Name) {
	ans, err := c.ask(d, dnsutil.TypeMX)
	if err != nil {
		c.unavailable("mx", d.Absolute(), err)
		return
	}
	for _, m := range ans.MX {
		c.report.MX.Hosts = append(c.report.MX.Hosts, Host{m.Preference, m.Host})
		if m.Host == "." {
			c.report.MX.Null = true
			continue
		}
		host, err := domain.ParseQuery(strings.TrimSuffix(m.Host, "."))
		if err != nil {
			c.add("mx", d.Absolute(), "bad_host", dkim.Broken, fmt.Sprintf("the mail exchanger %q is no host name", m.Host), "name a host that has addresses")
			continue
		}
		a, err4 := c.ask(host, dnsutil.TypeA)
		aaaa, err6 := c.ask(host, dnsutil.TypeAAAA)
		if err4 == nil && err6 == nil && len(a.Addrs)+len(aaaa.Addrs) == 0 {
			c.add("mx", d.Absolute(), "host_without_address", dkim.Broken, "the mail exchanger "+m.Host+" has no address", "name a host that has one; an alias is not allowed")
		}
	}
	switch {
	case c.report.MX.Null && len(ans.MX) > 1:
		c.add("mx", d.Absolute(), "null_and_others", dkim.Broken, "a null MX stands beside other MX records", "publish either 0 . alone, or the others (RFC 7505)")
	case len(ans.MX) == 0 && ans.NXDomain:
		c.add("mx", d.Absolute(), "no_domain", dkim.Broken, "the domain does not exist", "check the spelling; a domain without any record needs at least the records for one that sends nothing")
	case len(ans.MX) == 0:
		c.add("mx", d.Absolute(), "no_mx", dkim.Note, "without MX, mail is delivered to the domain's own address if it has one (RFC 5321, section 5.1)",
			"publish MX, or a null MX (0 .) if the domain takes no mail")
	}
}

func (c *checker) dkim(d domain.Name, selector string) {
	k := dkim.CheckKey(c.ctx, c.dns, d.String(), selector, nil)
	s := Selector{Selector: selector, Name: k.Name, Published: k.Published, KeyType: k.Record.KeyType, Bits: k.Record.Bits, Usable: k.OK()}
	if s.Published == nil {
		s.Published = []string{}
	}
	c.report.DKIM = append(c.report.DKIM, s)
	at := k.Name
	if at == "" {
		at = d.Absolute() // there is no such name
	}
	for _, f := range k.Findings {
		c.add("dkim", at, string(f.Kind), f.Severity, f.Detail, f.Fix)
	}
}

// dropAnswered removes the advice to sign with RSA, too, where a key for that is there.
func (c *checker) dropAnswered() {
	if slices.ContainsFunc(c.report.DKIM, func(s Selector) bool { return s.Usable && s.KeyType == "rsa" }) {
		c.report.Findings = slices.DeleteFunc(c.report.Findings, func(f Finding) bool { return f.Protocol == "dkim" && f.Kind == string(dkim.KeyRSAMissing) })
	}
}

// meant reports whether a text that is no BIMI record was probably to be one.
func meant(text string) bool { return strings.Contains(strings.ToUpper(text), "BIMI") }

// bimi looks for the record at the domain and then at its organizational domain, and
// judges what it finds as package bimi does for owners.
func (c *checker) bimi(d domain.Name, policy dmarc.Policy) {
	for i, n := range []string{d.String(), c.report.DMARC.OrgDomain} {
		if n == "" || i == 1 && n == d.String() {
			continue
		}
		name, err := domain.ParseQuery("default._bimi." + n)
		if err != nil {
			continue
		}
		ans, err := c.ask(name, dnsutil.TypeTXT)
		if err != nil {
			c.unavailable("bimi", name.Absolute(), err)
			return
		}
		var found []string
		for _, s := range ans.TXT {
			if _, err := bimi.ParseRecord(s); !errors.Is(err, bimi.ErrNotBIMI) {
				found = append(found, s)
			}
		}
		if len(found) == 0 && !slices.ContainsFunc(ans.TXT, meant) {
			continue // nothing here that anybody took for a BIMI record
		}
		for _, f := range bimi.Lint(ans.TXT) {
			if f.Kind == "no_record" || f.Fix == "" {
				continue // said of the text already, or maybe by the organization; or a choice, as to decline
			}
			severity := dkim.Warning
			switch {
			case f.Failure:
				severity = dkim.Broken
			case f.Kind == "no_evidence":
				severity = dkim.Note
			}
			c.add("bimi", name.Absolute(), f.Kind, severity, f.Detail, f.Fix)
		}
		if len(found) > 1 {
			return
		}
		if len(found) == 1 {
			c.report.BIMI = BIMI{Name: name.Absolute(), Record: found[0]}
			if r, err := bimi.ParseRecord(found[0]); err == nil && r.Declined() {
				return // nothing to show, whatever the policy
			}
			c.authorities(d)
			if policy != dmarc.PolicyQuarantine && policy != dmarc.PolicyReject {
				c.add("bimi", name.Absolute(), "no_enforcement", dkim.Warning, "no logo is shown for a domain whose DMARC policy is not quarantine or reject", "raise the DMARC policy first")
			}
			return
		}
	}
}

// authorities asks who may issue the domain a mark certificate. A record that
// names none does without one, or has its certificate from before.
func (c *checker) authorities(d domain.Name) {
	a, err := bimi.Authorities(c.ctx, c.dns, d.String())
	if errors.Is(err, dnsutil.ErrType) {
		return // a Resolver that cannot ask; the package net's is one
	}
	if err != nil {
		c.add("bimi", d.Absolute(), "caa_unavailable", dkim.Warning, "the CAA records could not be looked up: "+err.Error(), "ask again later; an authority that gets no answer may not issue a mark certificate")
		return
	}
	c.report.BIMI.Authorization = &a
	if a.Restricted && len(a.Issuers) == 0 {
		c.add("bimi", a.At+".", "caa", dkim.Warning, a.String(), "name an authority in issuevmc before a mark certificate is to be issued or renewed")
	}
}
