package bimi

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/svgps"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// Receiver is what one kind of mailbox provider would do with a domain's mail.
type Receiver struct {
	// Name is "Gmail", "Apple Mail", "Fastmail", or "Any that follows the drafts".
	Name string
	// Shows says whether the logo would be shown beside a message that passes DMARC by
	// DKIM and leaves nothing open. Reputation, which most providers want besides, is
	// not in it.
	Shows bool
	// Missing says in words what is missing; empty if Shows.
	Missing string
	// Result is the whole answer.
	Result Result
}

// Readiness is how ready a domain is for BIMI.
type Readiness struct {
	Domain, Selector string
	Receivers        []Receiver
	// Hosting says how each document came, if the Checker's Fetcher is an [Inspector]: one line each.
	Hosting []string
	// Authorization is what CAA records say about who may issue the certificate: for
	// the name by which it is the domain's, or where there is no certificate for the
	// domain itself. Its Domain is empty if the DNS did not say, or was not asked, as
	// where the record declines.
	Authorization Authorization
	// Findings are about the record, the image, its hosting, the certificate and its issuer.
	Findings []Finding
}

// Ready reports whether at least one receiver shows the logo.
func (r Readiness) Ready() bool {
	for _, x := range r.Receivers {
		if x.Shows {
			return true
		}
	}
	return false
}

// Checker checks a domain before its owner tells anybody about it: the DMARC
// policy, the record, the image, where it lies, the certificate, what each known
// kind of receiver would make of it all, and whether CAA records let the
// certificate's authority issue the next one. It is plain configuration and safe for
// concurrent use while nobody changes it.
type Checker struct {
	// Resolver answers DNS questions; nil leaves nothing but a finding that says so.
	Resolver dnsutil.Resolver
	// Fetcher gets the documents; nil means that they are not looked at. One that is
	// an [Inspector], such as *fetch.Fetcher, tells more about their hosting.
	Fetcher Fetcher
	// Certificates are the options for evidence; see Verifier.Certificates.
	Certificates markcert.Verifier
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Check checks mail of a domain under a selector; empty means DefaultSelector. The
// documents are fetched once for all receivers.
func (c *Checker) Check(ctx context.Context, domain, selector string) (Readiness, error) {
	author, err := dmarc.AuthorOf(domain)
	if err != nil {
		return Readiness{}, fmt.Errorf("%w: %w", ErrAuthor, err)
	}
	if selector == "" {
		selector = DefaultSelector
	}
	if selector, err = checkSelector(selector, false); err != nil {
		return Readiness{}, err
	}
	sc, done := lookup.For(ctx, c.Resolver, dmarc.MaxQueries+MaxQueries+MaxAuthorizationQueries)
	defer done()
	d := dmarc.Verifier{Resolver: sc, NoPrefetch: true}
	m := &Message{Author: author, DMARC: d.Verify(ctx, author, dmarc.DKIMIdentifier(Pass, author.Domain(), "selector"))}
	return c.check(ctx, m, selector, sc), nil
}

// CheckMessage is Check for a message as a receiver has evaluated it, and tells
// besides whether its own signature and its BIMI-Selector field do what they should:
// an owner sends one to himself. Error: ErrAuthor.
func (c *Checker) CheckMessage(ctx context.Context, m *Message) (Readiness, error) {
	if err := m.Author.Err(); err != nil || m.Author.Domain() == "" {
		return Readiness{}, fmt.Errorf("%w: %w", ErrAuthor, err)
	}
	sc, done := lookup.For(ctx, c.Resolver, MaxQueries+MaxAuthorizationQueries)
	defer done()
	selector, err := new(Verifier).Selector(m)
	out := c.check(ctx, m, cmp.Or(selector, DefaultSelector), sc)
	if err != nil {
		fix := "write BIMI-Selector: v=BIMI1; s=" + DefaultSelector + " with the selector in its place, or leave the field away"
		switch {
		case errors.Is(err, ErrSelectorUnsigned):
			fix = "name BIMI-Selector in h= of the domain's own DKIM signature"
		case errors.Is(err, ErrSelectorRepeated):
			fix = "write the field once"
		}
		out.Findings = append(out.Findings, Finding{selector == "", "selector", ascii(err.Error()), fix})
	}
	return out, nil
}

// check asks each receiver about a message, and then looks at each thing by itself.
func (c *Checker) check(ctx context.Context, m *Message, selector string, sc *lookup.Scope) Readiness {
	a := Author{Domain: m.Author.Domain(), Organizational: m.DMARC.OrganizationalDomain, Selector: selector}
	out := Readiness{Domain: a.Domain, Selector: selector}
	web := &onceFetcher{f: c.Fetcher, got: map[string]fetched{}, how: map[string]Transfer{}}
	for _, p := range receivers() {
		v := p.v
		v.Resolver, v.Now = sc, c.Now
		if c.Fetcher != nil {
			v.Fetcher = web
		}
		types := v.Certificates.MarkTypes
		v.Certificates = c.Certificates
		if types != nil {
			v.Certificates.MarkTypes = types
		}
		x := Receiver{Name: p.name}
		if status, err := v.Eligible(ctx, m); err != nil {
			x.Result = Result{Author: a.Domain, Authority: None}.end(status, err)
		} else if s, err := v.Selector(m); s == "" {
			x.Result = Result{Author: a.Domain, Authority: None}.end(Fail, err)
		} else {
			x.Result = v.Lookup(ctx, a)
		}
		if x.Shows = x.Result.Status == Pass; !x.Shows {
			x.Missing = missing(x.Result.Err)
			if errors.Is(x.Result.Err, ErrDMARC) && !m.DMARC.OrganizationalRecord.IsZero() {
				x.Missing = "a pass of DMARC: sign the message with the author's domain"
			}
		}
		out.Receivers = append(out.Receivers, x)
	}
	c.findings(ctx, &out, a, sc, web)
	return out
}

type receiver struct {
	name string
	v    Verifier
}

// receivers are the kinds of receivers that are known, the strictest last.
func receivers() []receiver {
	fastmail := Draft()
	fastmail.SVG = svgps.Fastmail()
	return []receiver{{"Any that follows the drafts", Draft()}, {"Fastmail", fastmail}, {"Gmail", Gmail()}, {"Apple Mail", Apple()}}
}

// findings looks at each thing by itself, whether or not the one before is good.
func (c *Checker) findings(ctx context.Context, out *Readiness, a Author, sc *lookup.Scope, web *onceFetcher) {
	v := Verifier{Resolver: sc}
	d := v.Discover(ctx, a)
	place := d.Domain
	if place == "" {
		place = a.Domain
	}
	answer, err := sc.Lookup(ctx, a.Selector+"._bimi."+place+".", dnsutil.TypeTXT)
	if err != nil {
		out.Findings = append(out.Findings, Finding{true, "dns", ascii(err.Error()), "ask again later, or see to the domain's name servers"})
		return
	}
	out.Findings = append(out.Findings, Lint(answer.TXT)...)
	if n := len(answer.Chain); n > 0 && d.Domain != "" {
		out.Findings = append(out.Findings, Finding{false, "alias", ascii("the record's name is an alias of " + answer.Chain[n-1]), "see to it that its owner tells you before the record changes"})
	}
	if d.Status == Declined {
		return
	}
	p := publisher{c: c, out: out, web: web, d: d}
	certified := a.Domain
	if d.Err == nil && c.Fetcher != nil && d.Record.Location != "" {
		svg := p.indicator(ctx)
		if d.Record.Evidence != "" {
			certified = cmp.Or(p.evidence(ctx, a, svg), certified)
		}
	}
	p.authorization(ctx, sc, certified)
}

// publisher looks at what one domain publishes, as its owner would.
type publisher struct {
	c       *Checker
	out     *Readiness
	web     *onceFetcher
	d       Discovery
	issuers []string // the names of the certificate's authority in CAA records, if it is known
}

func (p *publisher) add(failure bool, kind, detail, fix string) {
	p.out.Findings = append(p.out.Findings, Finding{failure, kind, ascii(detail), fix})
}

// indicator looks at the image of l= and returns it with LF line ends; nil if it is no good.
func (p *publisher) indicator(ctx context.Context) []byte {
	v := Verifier{Fetcher: p.web}
	r := Result{Domain: p.d.Domain, Record: p.d.Record}
	svg, _, err := v.fetchIndicator(ctx, &r)
	p.hosting("indicator", p.d.Record.Location, err)
	for _, f := range r.SVG.Findings {
		fix := f.Err.Advice()
		p.add(f.Severity == svgps.SeverityError, "svg", strings.TrimSuffix(f.String(), " ("+fix+")"), fix)
	}
	if base, _, _ := strings.Cut(r.ContentType, ";"); err == nil && !strings.EqualFold(strings.TrimSpace(base), "image/svg+xml") {
		p.add(false, "content_type", "the indicator is served as "+cmp.Or(r.ContentType, "nothing in particular"), "serve it as image/svg+xml")
	}
	if svg == nil {
		return nil
	}
	return lines(svg)
}

// evidence looks at the certificate of a=, and at its image beside that of l=. It
// returns the name by which the certificate is for the domain, "" if there is none.
func (p *publisher) evidence(ctx context.Context, a Author, published []byte) (matched string) {
	v := Verifier{Fetcher: p.web}
	body, _, _, err := v.fetch(ctx, &Result{Domain: p.d.Domain}, p.d.Record.Evidence, markcert.MaxBytes)
	p.hosting("certificate", p.d.Record.Evidence, err)
	if err != nil {
		return ""
	}
	cert := p.c.Certificates
	cert.Now = p.c.Now
	for _, f := range cert.Lint(body) {
		if f.Severity == markcert.Note {
			continue // nothing that a domain's owner could change
		}
		text := string(f.Code)
		if f.Detail != "" {
			text += ": " + f.Detail
		}
		p.add(f.Severity == markcert.Failure, "certificate", text, "")
	}
	cert.Revocation = markcert.RevocationOff // only the image and the names are wanted here
	r := cert.Verify(ctx, body, markcert.Names{Author: a.Domain, Organizational: a.Organizational, Record: p.d.Domain, Selector: p.d.Selector})
	if r.Status == Pass && published != nil && !bytes.Equal(lines(r.Indicator), published) {
		p.add(false, "different", "the image at l= is not the certified one", "publish the certified image at l=, too")
	}
	if roots := cmp.Or(cert.Roots, markcert.DefaultRoots()); len(r.Chain) > 0 {
		for _, root := range roots.All() {
			if root.Certificate.Equal(r.Chain[len(r.Chain)-1]) {
				p.issuers = root.IssuerDomains
			}
		}
	}
	return r.Matched
}

// authorization looks at the CAA records. They are a matter of the next
// certificate: none of its findings is a failure.
func (p *publisher) authorization(ctx context.Context, sc *lookup.Scope, name string) {
	a, err := Authorities(ctx, sc, name)
	if err != nil {
		p.add(false, "caa_unavailable", "the CAA records of "+name+" could not be looked up: "+err.Error(), "ask again later, or another DNS server; an authority that gets no answer may not issue")
		return
	}
	p.out.Authorization = a
	switch {
	case a.Unknown != "":
		p.add(false, "caa", a.String(), "take away the property, or its flag 128")
	case a.Restricted && len(a.Issuers) == 0:
		p.add(false, "caa", a.String(), "name an authority in issuevmc, or take issuevmc away")
	case len(p.issuers) > 0 && !a.Allows(p.issuers...):
		p.add(false, "caa", a.String()+"; the certificate is from "+p.issuers[0], fmt.Sprintf(`add the CAA record 0 issuevmc "%s" at %s before the certificate is to be renewed`, p.issuers[0], a.At))
	}
}

// missing says in words what an error means for a publisher.
func missing(err error) string {
	var cert markcert.Error
	var svg svgps.Error
	var own Error
	switch {
	case errors.As(err, &cert):
		return "a mark certificate that is accepted: " + string(cert)
	case errors.As(err, &svg):
		if advice := svg.Advice(); advice != "" {
			return "an image in the profile: " + string(svg) + ". " + advice
		}
		return "an image in the profile: " + string(svg)
	case errors.As(err, &own):
		if text := words()[own]; text != "" {
			return text
		}
		return string(own)
	}
	return ""
}

func words() map[Error]string {
	return map[Error]string{
		ErrDMARC:            "a DMARC record; without one nothing can pass DMARC",
		ErrDMARCUnknown:     "an answer of the DNS about DMARC",
		ErrNoPolicy:         "a DMARC record at the organizational domain itself",
		ErrPolicy:           "p=quarantine or p=reject, and no sp=none, in the DMARC records of the domain and of its organizational domain",
		ErrPct:              "a DMARC policy for all messages: take away pct, or set pct=100",
		ErrTestMode:         "a DMARC policy that is in force: take away t=y",
		ErrSelectorRepeated: "a single BIMI-Selector field",
		ErrNoDKIM:           "a DKIM signature of the domain itself or of its organization",
		ErrCoverage:         "a DKIM signature of the domain that covers the whole message, with a key that is not in test mode",
		ErrNoRecord:         "a BIMI record",
		ErrSeveralRecords:   "a single BIMI record",
		ErrDeclined:         "the will to take part: the record declines",
		ErrNoEvidence:       "a mark certificate (VMC or CMC), named in a= of the BIMI record",
		ErrLocationMissing:  "l= in the BIMI record",
		ErrLocationEmpty:    "l= in the BIMI record, beside a=",
		ErrFetch:            "a file that can be fetched by https from anywhere",
		ErrURL:              "a URL on port 443",
		ErrNoFetcher:        "a look at the files themselves, which was not asked for",
	}
}
