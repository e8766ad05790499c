package bimi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/internal/weburl"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/svgps"
)

// Verify evaluates BIMI for a message, all stages in order. A message that is not
// eligible costs neither a DNS question nor a request (BIMI, section 7.2).
func (v *Verifier) Verify(ctx context.Context, m *Message) Result {
	r := Result{Authority: None, Author: m.Author.Domain(), v: v.fields()}
	if status, err := v.Eligible(ctx, m); err != nil {
		return r.end(status, err)
	}
	selector, err := v.Selector(m)
	r.SelectorErr = err
	if selector == "" {
		return r.end(Fail, err)
	}
	a := Author{Domain: m.Author.Domain(), Organizational: m.DMARC.OrganizationalDomain, Selector: selector}
	if boxes := m.Author.Mailboxes(); len(boxes) == 1 {
		a.Local = boxes[0].Local
	}
	got := v.Lookup(ctx, a)
	got.SelectorErr = err
	return got
}

// Lookup is Verify without a message: it looks for the record of an author who is
// known to be authentic, and retrieves the indicator.
func (v *Verifier) Lookup(ctx context.Context, a Author) Result {
	d := v.Discover(ctx, a)
	if d.Err != nil {
		r := Result{Authority: None, Author: a.Domain, v: v.fields()}
		r.Domain, r.Selector, r.Record, r.Queries = d.Domain, d.Selector, d.Record, d.Queries
		return r.end(d.Status, d.Err)
	}
	return v.Retrieve(ctx, a, d)
}

// Retrieve fetches and checks what a record names: the evidence with the indicator
// inside, or the indicator itself (BIMI, sections 7.3 to 7.6). The discovery is
// that of [Verifier.Discover] for the same author.
func (v *Verifier) Retrieve(ctx context.Context, a Author, d Discovery) Result {
	r := Result{Authority: None, Author: a.Domain, v: v.fields()}
	r.Domain, r.Selector, r.Record, r.Queries = d.Domain, d.Selector, d.Record, d.Queries
	if d.Err != nil {
		return r.end(d.Status, d.Err)
	}
	evidence := d.Record.Evidence != "" && (v.RequireEvidence || !v.IgnoreEvidence)
	switch {
	case v.RequireEvidence && d.Record.Evidence == "":
		if v.MissingEvidenceFails {
			return r.end(Fail, ErrNoEvidence)
		}
		return r.end(Skipped, ErrNoEvidence)
	case !evidence && d.Record.Location == "":
		return r.end(Fail, ErrLocationEmpty)
	case evidence:
		status, err := v.certified(ctx, a, &r)
		if err == nil {
			return v.compared(ctx, r)
		}
		if status != Fail || !v.SelfAssertedFallback || d.Record.Location == "" {
			return r.end(status, err)
		}
		r.Warnings = append(r.Warnings, err)
	}
	svg, status, err := v.fetchIndicator(ctx, &r)
	if err != nil {
		return r.end(status, err)
	}
	r.accept(svg, d.Record.Location)
	return r
}

// certified fetches and checks the evidence, and the image in it.
func (v *Verifier) certified(ctx context.Context, a Author, r *Result) (authres.Status, error) {
	body, _, status, err := v.fetch(ctx, r, r.Record.Evidence, markcert.MaxBytes)
	if err != nil {
		if status == Fail {
			r.Authority = Fail
		}
		return status, err
	}
	c := v.certificates()
	cert := c.Verify(ctx, body, markcert.Names{Author: a.Domain, Organizational: a.Organizational, Record: r.Domain, Selector: r.Selector})
	r.Certificate = &cert
	switch cert.Status {
	case authres.Pass:
	case authres.TempError:
		return TempError, fmt.Errorf("%w: %w", ErrMarkCertificate, cert.Err)
	default:
		r.Authority = Fail
		return Fail, fmt.Errorf("%w: %w", ErrMarkCertificate, cert.Err)
	}
	r.SVG = svgps.Check(cert.Indicator, v.SVG)
	if r.SVG.Err != nil {
		r.Authority = Fail // evidence for an image that nobody may show
		return Fail, fmt.Errorf("%w: %w", ErrIndicator, r.SVG.Err)
	}
	r.Authority = Pass
	r.accept(r.SVG.SVG, r.Record.Evidence)
	return Pass, nil
}

// certificates returns the options with what the Verifier adds to them.
func (v *Verifier) certificates() markcert.Verifier {
	c := v.Certificates
	if c.FetchCRL == nil && v.Fetcher != nil {
		c.FetchCRL = v.Fetcher.FetchCRL
	}
	c.Now = v.now
	return c
}

func (v *Verifier) now() time.Time {
	if v.Now != nil {
		return v.Now()
	}
	return time.Now()
}

// compared fetches the image of l= too, where that is wanted, and compares.
func (v *Verifier) compared(ctx context.Context, r Result) Result {
	if v.CompareIndicator == CompareOff || r.Record.Location == "" {
		return r
	}
	other := r // whose SVG and Indicator are of the other image
	svg, status, err := v.fetchIndicator(ctx, &other)
	if err == nil && !bytes.Equal(lines(svg), lines(r.Indicator)) {
		status, err = Fail, ErrDifferent
	}
	switch {
	case err == nil:
		r.Compared = true
	case v.CompareIndicator == CompareFail:
		return r.end(status, err)
	default:
		r.Warnings = append(r.Warnings, err)
	}
	return r
}

// lines returns the text with LF line ends, which is how RFC 9399, section 7 has
// images compared.
func lines(svg []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(svg, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
}

func (v *Verifier) fetchIndicator(ctx context.Context, r *Result) (svg []byte, status authres.Status, err error) {
	max := v.MaxFetch
	if max <= 0 {
		max = svgps.DefaultMaxCompressed
	}
	body, contentType, status, err := v.fetch(ctx, r, r.Record.Location, int64(max))
	if err != nil {
		return nil, status, err
	}
	r.SVG = svgps.Check(body, v.SVG)
	r.ContentType = contentType
	if r.SVG.Err != nil {
		return nil, Fail, fmt.Errorf("%w: %w", ErrIndicator, r.SVG.Err)
	}
	return r.SVG.SVG, Pass, nil
}

// fetch asks the Fetcher, for URLs that it may be asked for.
func (v *Verifier) fetch(ctx context.Context, r *Result, url string, max int64) (body []byte, contentType string, status authres.Status, err error) {
	u, err := weburl.Parse(url)
	if err != nil {
		return nil, "", Fail, fmt.Errorf("%w: %w", ErrURL, err)
	}
	if v.Fetcher == nil {
		return nil, "", TempError, ErrNoFetcher
	}
	body, contentType, err = v.Fetcher.Fetch(ctx, r.Domain, u.String(), max)
	switch {
	case err == nil && int64(len(body)) > max:
		return nil, "", Fail, fmt.Errorf("%w: %d octets", ErrFetch, len(body))
	case err == nil:
		return body, contentType, Pass, nil
	}
	var t interface{ Temporary() bool }
	if temporary := errors.As(err, &t) && t.Temporary() || ctx.Err() != nil; temporary && !v.TemporaryFetchFails {
		return nil, "", TempError, fmt.Errorf("%w: %w", ErrFetch, err)
	}
	return nil, "", Fail, fmt.Errorf("%w: %w", ErrFetch, err)
}

// accept makes the result a pass with this image.
func (r *Result) accept(svg []byte, location string) {
	r.Status, r.Err = Pass, nil
	r.Indicator, r.IndicatorSHA256, r.Location = svg, sha256.Sum256(svg), location
}

// end makes the result one without an indicator.
func (r Result) end(status authres.Status, err error) Result {
	r.Status, r.Err = status, err
	r.Indicator, r.IndicatorSHA256, r.Location, r.Compared = nil, [sha256.Size]byte{}, "", false
	return r
}
