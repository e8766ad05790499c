package bimi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/svgps"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/message"
)

// Reader is the side of BIMI that shows logos: a mail program that reads messages
// which its own provider has evaluated. It believes nothing but a result in an
// Authentication-Results field of that provider, who has to remove such fields
// that come from outside (RFC 8601, section 5). BIMI-Location is never followed.
//
// The message must have exactly one author, of the domain that the result is about
// (header.d) or below it: whatever the provider saw, a logo must not stand beside
// an address that is not its domain's. A mail program must show it beside
// [Indicator].Author only, with the address itself in sight.
//
// The zero value trusts nobody.
type Reader struct {
	// AuthservIDs are the provider's names in Authentication-Results.
	AuthservIDs []string
	// RequireAuthority shows only what a mark certificate vouches for.
	RequireAuthority bool
	// AllowMissingHash accepts a result without policy.indicator-hash, which some
	// providers leave out: nothing then ties the indicator to the result.
	AllowMissingHash bool
	// SVG are the options for the image. The zero value is the strict profile.
	SVG svgps.Options
}

// Indicator is a logo that may be shown.
type Indicator struct {
	SVG              []byte // uncompressed
	Author           string // the domain of the one address in From
	Domain, Selector string // where the record was found
	Certified        bool   // a mark certificate vouches for it
	MarkType         string // policy.mark-type, if the provider said; his text
	Preference       Preference
}

// Read returns the logo of a delivered message, or why there is none: ErrNotTrusted,
// ErrAmbiguous, ErrNotPass, ErrOtherAuthor, ErrNoIndicator, ErrEncoding, ErrHash or ErrIndicator.
func (v *Reader) Read(h *message.Header) (Indicator, error) {
	res, err := v.trusted(h)
	if err != nil {
		return Indicator{}, err
	}
	get := func(ptype, name string) string { s, _ := res.Property(ptype, name); return s }
	certified := get("policy", "authority") == "pass"
	if res.Status != Pass || v.RequireAuthority && !certified {
		return Indicator{}, ErrNotPass
	}
	author, place, err := authorWithin(h, get("header", "d"))
	if err != nil {
		return Indicator{}, err
	}
	svg, err := v.indicator(h)
	if err != nil {
		return Indicator{}, err
	}
	sum := sha256.Sum256(svg)
	hash, ok := res.Property("policy", "indicator-hash")
	switch {
	case !ok && v.AllowMissingHash:
	case len(hash) < 8 || !strings.HasSuffix(hex.EncodeToString(sum[:]), strings.ToLower(hash)):
		return Indicator{}, ErrHash
	}
	check := svgps.Check(svg, v.SVG)
	if check.Err != nil {
		return Indicator{}, fmt.Errorf("%w: %w", ErrIndicator, check.Err)
	}
	out := Indicator{SVG: check.SVG, Author: author, Domain: place, Selector: get("header", "selector"), Certified: certified}
	if certified {
		out.MarkType = get("policy", "mark-type")
	}
	if p := Preference(get("policy", "logo-preference")); p == Brand || p == Personal {
		out.Preference = p
	}
	return out, nil
}

// authorWithin returns the domain of the one author, if it is place or below it: a
// record is found at the Author Domain or at its Organizational Domain.
func authorWithin(h *message.Header, place string) (author, at string, err error) {
	a, err := dmarc.AuthorDomain(h)
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrOtherAuthor, err)
	}
	n, err := domain.Parse(a.Domain())
	if err != nil || len(a.Mailboxes()) != 1 {
		return "", "", ErrOtherAuthor
	}
	d, err := domain.Parse(place)
	if err != nil || d.Labels() < 2 || !n.IsWithin(d) {
		return "", "", ErrOtherAuthor
	}
	return n.String(), d.String(), nil
}

// trusted returns the one BIMI result of the provider.
func (v *Reader) trusted(h *message.Header) (authres.Result, error) {
	var found []authres.Result
	for _, i := range h.All("Authentication-Results") {
		ar, err := authres.Parse(h.Field(i).Value())
		if err != nil || !ar.IsFrom(v.AuthservIDs...) {
			continue
		}
		for _, r := range ar.Results {
			if strings.EqualFold(r.Method, "bimi") && r.Version <= 1 {
				found = append(found, r)
			}
		}
	}
	switch len(found) {
	case 0:
		return authres.Result{}, ErrNotTrusted
	case 1:
		return found[0], nil
	}
	return authres.Result{}, ErrAmbiguous
}

// indicator decodes the one BIMI-Indicator field.
func (v *Reader) indicator(h *message.Header) ([]byte, error) {
	fields := h.All("BIMI-Indicator")
	switch {
	case len(fields) == 0:
		return nil, ErrNoIndicator
	case len(fields) > 1:
		return nil, ErrAmbiguous
	}
	most := v.SVG.MaxSize
	if most <= 0 {
		most = svgps.DefaultMaxSize
	}
	value := h.Field(fields[0]).Value()
	if len(value) > 2*most+1024 {
		return nil, ErrEncoding
	}
	compact := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return r
	}, value)
	svg, err := base64.StdEncoding.Strict().DecodeString(compact)
	if err != nil || len(svg) > most || len(svg) == 0 {
		return nil, ErrEncoding
	}
	if svg[0] == 0x1f {
		return nil, ErrEncoding // BIMI, section 5.3: it is not compressed
	}
	return svg, nil
}
