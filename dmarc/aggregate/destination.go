package aggregate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// Tag says which kind of report is to be sent.
type Tag string

// The tags that ask for reports.
const (
	RUA Tag = "rua" // aggregate reports
	RUF Tag = "ruf" // failure reports (RFC 9991, section 5)
)

// Checker finds out where reports may be sent: to whoever the Domain Owner names
// within the same organization, and to others only if these agree (RFC 9990,
// section 4). It fails closed: what could not be found out is not sent to. Its
// zero value, without a Resolver, sends nothing outside. It is safe for
// concurrent use when it is not modified.
type Checker struct {
	Resolver dnsutil.Resolver
	// Method finds Organizational Domains; the tree walk by default.
	Method dmarc.Method
	// Max bounds the destinations of one record, in the order published; zero means 10.
	Max int
	// Own are addr-specs of ours that reports of others come in at: reports to these
	// would be reports about reports, without end.
	Own []string
}

// Destination is what became of one URI.
type Destination struct {
	// URI as the Domain Owner published it.
	URI dmarc.URI
	// To are the addresses to send to: one, or those that the destination put in its
	// place (RFC 9990, section 4, step 9). None unless Status is Pass.
	To []string
	// External: the destination is of another organization, which had to agree.
	External bool
	// Status is Pass to send, TempError to keep the report and ask again later (Err
	// wraps ErrDNS), Fail never to send.
	Status authres.Status
	// Err says why not: ErrScheme, ErrUnauthorized, ErrOverride, ErrOwn, ErrDestinations, ErrDNS.
	Err error
}

// What keeps a report from a destination.
const (
	// ErrScheme: not a mailto URI.
	ErrScheme Error = "unsupported scheme of a report URI"
	// ErrUnauthorized: the destination is of another organization and has not agreed, or could not be asked (its name is too long).
	ErrUnauthorized Error = "external destination has not agreed to receive reports"
	// ErrOverride: the destination names another host, or an unusable URI, in its place: send to neither.
	ErrOverride Error = "external destination points elsewhere"
	// ErrOwn: the destination is ours.
	ErrOwn Error = "report destination is our own"
	// ErrDestinations: there are more destinations than Checker.Max.
	ErrDestinations Error = "too many report destinations"
	// ErrDNS: temporary; an answer could not be had.
	ErrDNS Error = "DNS lookup failed"
)

// maxQuestions bounds the DNS of one Check besides the tree walks.
const maxQuestions = 32

// Check tells for each URI of a record found at policyDomain whether reports go
// there. An address that is named twice is in the result once.
func (c *Checker) Check(ctx context.Context, policyDomain string, tag Tag, uris []dmarc.URI) []Destination {
	limit := c.Max
	if limit <= 0 {
		limit = dmarc.MaxURIs
	}
	sc, done := lookup.For(ctx, c.Resolver, maxQuestions)
	defer done()
	k := check{Checker: c, ctx: ctx, dns: sc, tag: tag, orgs: map[string]dmarc.Organization{}}
	var out []Destination
	seen := map[string]bool{}
	accepted := 0
	policy, policyErr := domain.Parse(policyDomain)
	for _, u := range uris {
		key := strings.ToLower(u.Address)
		if u.Scheme == "mailto" && seen[key] {
			continue
		}
		seen[key] = true
		d := Destination{URI: u, Status: authres.Fail}
		switch {
		case u.Scheme != "mailto" || u.Host == "":
			d.Err = ErrScheme
		case policyErr != nil:
			d.Err = fmt.Errorf("%w: %w", ErrUnauthorized, policyErr)
		case accepted == limit:
			d.Err = ErrDestinations
		default:
			accepted++
			k.check(&d, policy)
		}
		out = append(out, d)
	}
	return out
}

// check is one call of Check.
type check struct {
	*Checker
	ctx  context.Context
	dns  *lookup.Scope
	tag  Tag
	orgs map[string]dmarc.Organization
}

func (c *check) check(d *Destination, policy domain.Name) {
	same, err := c.sameOrganization(policy.String(), d.URI.Host)
	if err != nil {
		d.Status, d.Err = authres.TempError, err
		return
	}
	to := []string{d.URI.Address}
	if !same {
		d.External = true
		if to, err = c.authorized(d.URI, policy); err != nil {
			d.Err = err
			if errors.Is(err, ErrDNS) {
				d.Status = authres.TempError
			}
			return
		}
	}
	for _, addr := range to {
		for _, own := range c.Own {
			if strings.EqualFold(addr, own) {
				d.Err = ErrOwn
				return
			}
		}
	}
	d.To, d.Status = to, authres.Pass
}

// sameOrganization compares Organizational Domains; the same name needs no question.
func (c *check) sameOrganization(a, b string) (bool, error) {
	if a == b {
		return true, nil
	}
	orgA, err := c.organization(a)
	if err != nil {
		return false, err
	}
	orgB, err := c.organization(b)
	return err == nil && orgA == orgB, err
}

func (c *check) organization(name string) (string, error) {
	o, ok := c.orgs[name]
	if !ok {
		v := dmarc.Verifier{Resolver: c.Resolver, Method: c.Method}
		o = v.OrganizationalDomain(c.ctx, name)
		c.orgs[name] = o
	}
	if o.OrganizationalDomain == "" {
		return "", fmt.Errorf("%w: organizational domain of %s: %w", ErrDNS, name, o.Err)
	}
	return o.OrganizationalDomain, nil
}

// authorized asks an external destination (RFC 9990, section 4, steps 1 to 9).
func (c *check) authorized(u dmarc.URI, policy domain.Name) ([]string, error) {
	name, err := domain.ParseQuery(policy.String() + "._report._dmarc." + u.Host)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnauthorized, err)
	}
	a, err := c.dns.Lookup(c.ctx, name.Absolute(), dnsutil.TypeTXT)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDNS, err)
	}
	agreed := false
	var instead []string
	for _, text := range a.TXT {
		r, err := dmarc.ParseRecord(text)
		if err != nil {
			continue
		}
		agreed = true
		list := r.RUA
		if c.tag == RUF {
			list = r.RUF
		}
		if _, tagged := r.Tag(string(c.tag)); !tagged && !badTag(r, c.tag) {
			continue
		}
		if len(list) == 0 || badTag(r, c.tag) {
			return nil, fmt.Errorf("%w: unusable %s at %s", ErrOverride, c.tag, name)
		}
		for _, o := range list {
			if o.Scheme != "mailto" || o.Host != u.Host {
				return nil, fmt.Errorf("%w: %.100q", ErrOverride, o.Text)
			}
			if len(instead) < dmarc.MaxURIs {
				instead = append(instead, o.Address)
			}
		}
	}
	switch {
	case !agreed:
		return nil, fmt.Errorf("%w: no record at %s", ErrUnauthorized, name)
	case instead != nil:
		return instead, nil
	}
	return []string{u.Address}, nil
}

// badTag reports whether a record had URIs that could not be used.
func badTag(r dmarc.Record, tag Tag) bool {
	for _, d := range r.Diagnostics() {
		if d.Tag == string(tag) && (d.Kind == dmarc.BadURI || d.Kind == dmarc.BadValue) {
			return true
		}
	}
	return false
}
