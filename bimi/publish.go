package bimi

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/svgps"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// Finding is something that a publisher should know. Detail may quote what was
// published, with everything but visible ASCII escaped.
type Finding struct {
	// Failure says that the domain's logo is not shown because of it.
	Failure bool
	// Kind is a word for programs, such as "wildcard_txt".
	Kind string
	// Detail is what was found, Fix what to do about it; for people.
	Detail, Fix string
}

// String returns the finding in one line.
func (f Finding) String() string {
	word := "warning: "
	if f.Failure {
		word = "failure: "
	}
	s := word + f.Detail
	if f.Fix != "" {
		s += ". " + f.Fix
	}
	return s
}

// Lint judges the TXT records at selector._bimi.domain as their publisher would
// want it: each text is one record, its strings joined. An empty list means that
// receivers find one good record there.
func Lint(texts []string) []Finding {
	var out []Finding
	add := func(failure bool, kind, fix, format string, args ...any) {
		out = append(out, Finding{failure, kind, fmt.Sprintf(format, args...), fix})
	}
	n := 0
	for _, text := range texts {
		if (RecordOptions{}).begins(text) {
			n++
			lintRecord(text, add)
			continue
		}
		shown := fmt.Sprintf("%+q", text[:min(len(text), 80)])
		trimmed := strings.Trim(text, "\" \t")
		switch {
		case (RecordOptions{VersionCaseInsensitive: true}).begins(text):
			add(true, "version", "Write v=BIMI1 in capitals.", "%s has its version in another case; receivers ignore the record", shown)
		case trimmed != text && (RecordOptions{}).begins(trimmed):
			add(true, "quotes", "Take away the quotation marks and blanks around it; the DNS editor adds what is needed.", "%s has more around it than the record", shown)
		case strings.Contains(text, "BIMI1"):
			add(true, "version", "Begin the record with v=BIMI1.", "%s does not begin with v=BIMI1; receivers ignore it", shown)
		default:
			add(false, "wildcard_txt", "Give the name a record of its own, or make the wildcard narrower.", "%s stands at the name too: probably a wildcard TXT record", shown)
		}
	}
	switch {
	case n == 0:
		add(true, "no_record", "Publish one TXT record there that begins with v=BIMI1.", "no BIMI record")
	case n > 1:
		add(true, "several_records", "Leave one of them.", "%d BIMI records at one name; receivers use none", n)
	}
	return out
}

func lintRecord(text string, add func(failure bool, kind, fix, format string, args ...any)) {
	r, err := ParseRecord(text)
	if err != nil {
		fix := "Correct the record."
		if strings.Contains(text, `\;`) {
			fix = `Write ; without a backslash: the backslash belongs to zone files only and was published.`
		}
		add(true, kindOf(err), fix, "%s", ascii(err.Error()))
		return
	}
	if r.Declined() {
		add(false, "declined", "", "the domain declines to show an indicator")
		return
	}
	if avp, ok := rawTag(text, "avp"); ok && r.Preference == "" {
		add(false, "avp", "Write avp=brand or avp=personal.", "avp=%s is not known and ignored", ascii(avp))
	}
	for _, uri := range []string{r.Location, r.Evidence} {
		if rest, ok := strings.CutPrefix(uri, "https://"); ok && strings.Contains(strings.SplitN(rest, "/", 2)[0], ":") {
			add(true, "port", "Serve it on port 443.", "%s names a port, and receivers may not fetch from another than 443", ascii(uri))
		}
	}
	if r.Evidence == "" {
		add(false, "no_evidence", "Get a mark certificate and name it in a=.", "no evidence: receivers that demand a mark certificate show nothing")
	}
	if r.Prefixes != nil && len(r.Prefixes) == 0 {
		add(false, "lps_all", "", "lps= is empty: every message makes receivers look for a record of its local-part")
	}
}

// kindOf makes "several_records" of ErrSeveralRecords.
func kindOf(err error) string {
	var e Error
	errors.As(err, &e)
	var b strings.Builder
	for i, c := range []byte(strings.TrimPrefix(e.Code(), "Err")) {
		if 'A' <= c && c <= 'Z' {
			if i > 0 && b.Len() > 0 && b.String()[b.Len()-1] >= 'a' {
				b.WriteByte('_')
			}
			c |= 0x20
		}
		b.WriteByte(c)
	}
	return b.String()
}

// ascii escapes everything but visible ASCII and blanks, and bounds the length.
func ascii(s string) string {
	q := fmt.Sprintf("%+q", s[:min(len(s), 200)])
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

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
	Findings         []Finding // about the record, the image, its hosting and the certificate
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
// policy, the record, the image, where it lies, the certificate, and what each
// known kind of receiver would make of it. It needs a Resolver and a Fetcher.
// Whether CAA records allow the certificate, and whether the messages sign their
// BIMI-Selector field, it cannot see.
type Checker struct {
	Resolver dnsutil.Resolver
	Fetcher  Fetcher
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
	sc, done := lookup.For(ctx, c.Resolver, dmarc.MaxQueries+MaxQueries)
	defer done()
	out := Readiness{Domain: author.Domain(), Selector: selector}
	d := dmarc.Verifier{Resolver: sc, NoPrefetch: true}
	m := &Message{Author: author, DMARC: d.Verify(ctx, author, dmarc.DKIMIdentifier(Pass, author.Domain(), "selector"))}
	a := Author{Domain: author.Domain(), Organizational: m.DMARC.OrganizationalDomain, Selector: selector}
	web := &onceFetcher{f: c.Fetcher, got: map[string]fetched{}}
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
		} else {
			x.Result = v.Lookup(ctx, a)
		}
		if x.Shows = x.Result.Status == Pass; !x.Shows {
			x.Missing = missing(x.Result.Err)
		}
		out.Receivers = append(out.Receivers, x)
	}
	c.findings(ctx, &out, a, sc, web)
	return out, nil
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
		out.Findings = append(out.Findings, Finding{true, "dns", ascii(err.Error()), "Ask again later, or see to the domain's name servers."})
		return
	}
	out.Findings = append(out.Findings, Lint(answer.TXT)...)
	if d.Err != nil || c.Fetcher == nil {
		return
	}
	add := func(failure bool, kind, detail, fix string) {
		out.Findings = append(out.Findings, Finding{failure, kind, ascii(detail), fix})
	}
	if d.Record.Location != "" {
		var r Result
		r.Domain, r.Record = d.Domain, d.Record
		v.Fetcher = web
		svg, _, err := v.fetchIndicator(ctx, &r)
		if errors.Is(err, ErrFetch) || errors.Is(err, ErrURL) {
			add(true, "hosting", err.Error(), "Serve the file by https with status 200, to anybody.")
		}
		for _, f := range r.SVG.Findings {
			add(f.Severity == svgps.SeverityError, "svg", f.String(), "")
		}
		if base, _, _ := strings.Cut(r.ContentType, ";"); err == nil && !strings.EqualFold(strings.TrimSpace(base), "image/svg+xml") {
			add(false, "content_type", fmt.Sprintf("the indicator is served as %s", r.ContentType), "Serve it as image/svg+xml.")
		}
		c.evidence(ctx, d, sha256.Sum256(lines(svg)), svg != nil, web, add)
	}
}

func (c *Checker) evidence(ctx context.Context, d Discovery, published [sha256.Size]byte, have bool, web *onceFetcher, add func(bool, string, string, string)) {
	if d.Record.Evidence == "" {
		return
	}
	v := Verifier{Fetcher: web}
	body, _, _, err := v.fetch(ctx, &Result{Domain: d.Domain}, d.Record.Evidence, markcert.MaxBytes)
	if err != nil {
		add(true, "hosting", err.Error(), "Serve the file by https with status 200, to anybody.")
		return
	}
	cert := c.Certificates
	cert.Now = c.Now
	for _, f := range cert.Lint(body) {
		if f.Severity == markcert.Note {
			continue // nothing that a domain's owner could change
		}
		text := string(f.Code)
		if f.Detail != "" {
			text += ": " + f.Detail
		}
		add(f.Severity == markcert.Failure, "certificate", text, "")
	}
	cert.Revocation = markcert.RevocationOff // only the image is wanted here
	r := cert.Verify(ctx, body, markcert.Names{Author: d.Domain, Selector: d.Selector})
	if r.Status == Pass && have && sha256.Sum256(lines(r.Indicator)) != published {
		add(false, "different", "the image at l= is not the certified one", "Publish the certified image at l=, too.")
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
		ErrDMARC:           "a DMARC record; without one nothing can pass DMARC",
		ErrDMARCUnknown:    "an answer of the DNS about DMARC",
		ErrNoPolicy:        "a DMARC record at the organizational domain itself",
		ErrPolicy:          "p=quarantine or p=reject, and no sp=none, in the DMARC records of the domain and of its organizational domain",
		ErrPct:             "a DMARC policy for all messages: take away pct, or set pct=100",
		ErrTestMode:        "a DMARC policy that is in force: take away t=y",
		ErrNoRecord:        "a BIMI record",
		ErrSeveralRecords:  "a single BIMI record",
		ErrDeclined:        "the will to take part: the record declines",
		ErrNoEvidence:      "a mark certificate (VMC or CMC), named in a= of the BIMI record",
		ErrLocationMissing: "l= in the BIMI record",
		ErrLocationEmpty:   "l= in the BIMI record, beside a=",
		ErrFetch:           "a file that can be fetched by https from anywhere",
		ErrURL:             "a URL on port 443",
		ErrNoFetcher:       "a look at the files themselves, which was not asked for",
	}
}

// onceFetcher asks for each document once.
type onceFetcher struct {
	f   Fetcher
	mu  sync.Mutex
	got map[string]fetched
}

type fetched struct {
	body        []byte
	contentType string
	err         error
}

func (o *onceFetcher) once(key string, get func() fetched) fetched {
	o.mu.Lock()
	defer o.mu.Unlock()
	x, ok := o.got[key]
	if !ok {
		x = get()
		o.got[key] = x
	}
	return x
}

func (o *onceFetcher) Fetch(ctx context.Context, domain, url string, max int64) ([]byte, string, error) {
	x := o.once(fmt.Sprintf("%s %d %s", domain, max, url), func() (x fetched) {
		x.body, x.contentType, x.err = o.f.Fetch(ctx, domain, url, max)
		return x
	})
	return x.body, x.contentType, x.err
}

func (o *onceFetcher) FetchCRL(ctx context.Context, url string) ([]byte, error) {
	x := o.once("crl "+url, func() (x fetched) {
		x.body, x.err = o.f.FetchCRL(ctx, url)
		return x
	})
	return x.body, x.err
}
