package bimi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/svgps"
)

// Result is the outcome for one message. Only with Status Pass is there an
// indicator to show; everything else explains. The zero value is no pass.
type Result struct {
	// Status is Pass, None, Fail, TempError, Declined or Skipped.
	Status authres.Status
	// Err is nil exactly with Pass.
	Err error
	// Author is the Author Domain, empty if there is none.
	Author string
	// SelectorErr says why a BIMI-Selector field was not used; nil if it was, or if
	// there is none.
	SelectorErr error
	// Domain and Selector are where the record was found; empty if none was.
	Domain, Selector string
	// Record is that record.
	Record Record
	// Queries are the DNS questions of the discovery, in order, as "TXT name.".
	Queries []string

	// Authority is Pass if a mark certificate was checked and is good, Fail if it is
	// not, and None if none was checked to the end.
	Authority authres.Status
	// Certificate is the verdict on the mark certificate; nil if none was read.
	Certificate *markcert.Result
	// SVG is the verdict on the image.
	SVG svgps.Result
	// ContentType is what the web server called the image. No draft demands anything of it.
	ContentType string

	// Indicator is the uncompressed image, octet for octet as it was received; nil
	// unless Status is Pass.
	Indicator []byte
	// IndicatorSHA256 is its SHA-256.
	IndicatorSHA256 [sha256.Size]byte
	// Location is the URL that it came from: of the evidence, or of the image itself.
	Location string
	// Compared says that the image at l= is the certified one.
	Compared bool
	// Warnings are failures that the Verifier's options excuse.
	Warnings []error

	v fieldOptions
}

// fieldOptions are those of the Verifier that header fields depend on.
type fieldOptions struct {
	hashLength, maxIndicator int
	alwaysPreference         bool
}

func (v *Verifier) fields() fieldOptions {
	return fieldOptions{v.HashLength, v.MaxIndicatorField, v.AlwaysLogoPreference}
}

// Code returns the name of the constant of this package at the root of Err; of
// the certificate's or the image's, where one of these is the reason; "" for a pass.
func (r Result) Code() string {
	var cert markcert.Error
	if errors.As(r.Err, &cert) {
		return cert.Code()
	}
	var svg svgps.Error
	if errors.As(r.Err, &svg) {
		return svg.Code()
	}
	var own Error
	if errors.As(r.Err, &own) {
		return own.Code()
	}
	return ""
}

// MarkType returns the kind of the certified mark in words; "" unless Authority is
// Pass.
func (r Result) MarkType() string {
	if r.Authority != Pass || r.Certificate == nil {
		return ""
	}
	return r.Certificate.MarkType.String()
}

// AuthenticationResult returns what belongs into Authentication-Results (BIMI,
// section 7.7). The reason is one of this package's own texts. A URL of more than
// 400 octets is left out when the field is written.
func (r Result) AuthenticationResult() authres.Result {
	out := authres.Result{Method: "bimi", Status: r.Status}
	add := func(ptype, name, value string) {
		if value != "" {
			out.Properties = append(out.Properties, authres.Property{Type: ptype, Name: name, Value: value})
		}
	}
	var own Error
	if errors.As(r.Err, &own) {
		out.Reason = string(own)
	}
	add("header", "d", r.Domain)
	if r.Domain != "" {
		add("header", "selector", r.Selector)
		add("policy", "authority", string(r.Authority))
	}
	if r.Status != Pass {
		return out
	}
	if r.Authority == Pass {
		add("policy", "authority-uri", r.Record.Evidence)
		add("policy", "mark-type", r.MarkType())
	} else {
		add("policy", "indicator-uri", r.Record.Location)
	}
	add("policy", "logo-preference", string(r.Record.Preference))
	if r.hasIndicatorField() {
		n := r.v.hashLength
		if n < 8 || n > 64 {
			n = 8
		}
		h := hex.EncodeToString(r.IndicatorSHA256[:])
		add("policy", "indicator-hash", h[len(h)-n:])
	}
	return out
}

func (r Result) hasIndicatorField() bool {
	return r.Status == Pass && len(r.Indicator) > 0 && (r.v.maxIndicator <= 0 || len(r.Indicator) <= r.v.maxIndicator)
}

// HeaderFields returns the fields to put on top of the message, below the
// Authentication-Results field that vouches for them, each complete with its CRLF:
// BIMI-Location, BIMI-Logo-Preference and BIMI-Indicator (BIMI, sections 7.9 to
// 7.11). There are none unless Status is Pass. No signature may cover them
// (section 5.5). Incoming fields of these names have to go whatever the result is:
// see [Strip].
func (r Result) HeaderFields() []string {
	if r.Status != Pass {
		return nil
	}
	uris := [][2]string{{"l", r.Record.Location}}
	if r.Authority == Pass {
		uris = [][2]string{{"a", r.Record.Evidence}}
		if r.Compared {
			uris = append([][2]string{{"l", r.Record.Location}}, uris...)
		}
	}
	// A URI cannot be folded, and a line has at most 998 octets (RFC 5322, section 2.1.1).
	var b strings.Builder
	b.WriteString("BIMI-Location: v=BIMI1")
	long := false
	for _, u := range uris {
		b.WriteString(";\r\n " + u[0] + "=" + u[1])
		long = long || len(u[1]) > maxURI
	}
	b.WriteString("\r\n")
	var out []string
	if !long {
		out = append(out, b.String())
	}
	preference := r.Record.Preference
	if preference == "" && r.v.alwaysPreference {
		preference = Brand
	}
	if preference != "" {
		out = append(out, "BIMI-Logo-Preference: avp="+string(preference)+"\r\n")
	}
	if r.hasIndicatorField() {
		out = append(out, indicatorField(r.Indicator))
	}
	return out
}

// maxURI is the longest URI that fits a line with its tag.
const maxURI = 990

// indicatorField writes BIMI-Indicator: lines of 76 base64 characters, the first
// one beginning on a line of its own. An image near the limit gets lines a little
// longer (97 octets at 32 KiB), because readers, package message among them, limit
// how often a field is folded.
func indicatorField(svg []byte) string {
	const most = 450 // lines
	text := base64.StdEncoding.EncodeToString(svg)
	width := min(max(76, (len(text)+most-1)/most), 996)
	var b strings.Builder
	b.Grow(len(text) + len(text)/width*3 + 32)
	b.WriteString("BIMI-Indicator:")
	for len(text) > 0 {
		n := min(width, len(text))
		b.WriteString("\r\n ")
		b.WriteString(text[:n])
		text = text[n:]
	}
	b.WriteString("\r\n")
	return b.String()
}

// MarshalJSON writes the result as the object that the command mailauth prints for
// bimi: result, domain, selector, location, authority, mark_type, indicator_sha256,
// code and error. What does not apply is absent.
func (r Result) MarshalJSON() ([]byte, error) {
	out := struct {
		Result    authres.Status `json:"result"`
		Domain    string         `json:"domain,omitempty"`
		Selector  string         `json:"selector,omitempty"`
		Location  string         `json:"location,omitempty"`
		Authority authres.Status `json:"authority,omitempty"`
		MarkType  string         `json:"mark_type,omitempty"`
		Hash      string         `json:"indicator_sha256,omitempty"`
		Code      string         `json:"code,omitempty"`
		Error     string         `json:"error"`
	}{
		Result: r.Status, Domain: r.Domain, Selector: r.Selector, Location: r.Location,
		Authority: r.Authority, MarkType: r.MarkType(), Code: r.Code(),
	}
	if r.Status == Pass {
		out.Hash = hex.EncodeToString(r.IndicatorSHA256[:])
	}
	if r.Err != nil {
		out.Error = r.Err.Error()
	}
	return json.Marshal(out)
}
