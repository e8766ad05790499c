package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/svgps"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/message"
)

// bimiVerifier is the preset Draft with the request's web, roots and logs.
func (q *request) bimiVerifier() (*bimi.Verifier, error) {
	v := bimi.Draft()
	c, err := q.certificates()
	if err != nil {
		return nil, err
	}
	v.Certificates, v.Fetcher = c, q.HTTP
	return &v, nil
}

// certificates checks revocation where the request serves the lists. A list that
// it does not serve is a warning, or no test could do without.
func (q *request) certificates() (v markcert.Verifier, err error) {
	v.Revocation, v.FetchCRL = markcert.BestEffortRevocation, q.HTTP.FetchCRL
	if q.RootsPEM != "" {
		if v.Roots, err = markcert.ParseRoots([]byte(q.RootsPEM)); err != nil {
			return v, fmt.Errorf("roots_pem: %w", err)
		}
	}
	if q.IntermediatesPEM != "" {
		if v.Intermediates, err = markcert.ParseCertificates([]byte(q.IntermediatesPEM)); err != nil {
			return v, fmt.Errorf("intermediates_pem: %w", err)
		}
	}
	if q.CTKeysPEM != "" {
		if v.Logs, err = markcert.ParseLogs([]byte(q.CTKeysPEM)); err != nil {
			return v, fmt.Errorf("ct_keys_pem: %w", err)
		}
	}
	return v, nil
}

func opBIMI(ctx context.Context, q *request) (any, error) {
	if q.From == nil {
		q.Options.BIMI = true
		r, err := evaluate(ctx, q)
		if err != nil {
			return nil, err
		}
		return r.BIMI, nil
	}
	e, err := q.evaluator()
	if err != nil {
		return nil, err
	}
	if _, err := q.time(); err != nil {
		return nil, err
	}
	v, err := q.bimiVerifier()
	if err != nil {
		return nil, err
	}
	v.Resolver, v.Now = e.Resolver, q.clock
	m, err := q.bimiMessage(ctx, e.DMARC.Method)
	if err != nil {
		return nil, err
	}
	v.TrustUnsignedSelector = true // the request names the selector
	return v.Verify(ctx, m), nil
}

// bimiMessage stands for a message of which only the author, the selector and
// DMARC's verdict are given. The author is a domain or an address.
func (q *request) bimiMessage(ctx context.Context, method dmarc.Method) (*bimi.Message, error) {
	text := "Subject: \r\n"
	if q.Selector != "" {
		text = "BIMI-Selector: v=BIMI1; s=" + q.Selector + "\r\n"
	}
	author, _ := dmarc.AuthorOf(*q.From) // the Author carries the error into the result
	if strings.Contains(*q.From, "@") {
		h, err := message.ParseHeader([]byte("From: " + *q.From + "\r\n"))
		if err != nil {
			return nil, err
		}
		author, _ = dmarc.AuthorDomain(h)
	}
	h, err := message.ParseHeader([]byte(text))
	if err != nil {
		return nil, err
	}
	z, err := q.zone()
	if err != nil {
		return nil, err
	}
	v := dmarc.Verifier{Resolver: z, Method: method}
	verdict := authres.Pass
	if q.DMARC != "" {
		verdict = authres.Status(q.DMARC)
	}
	d := v.Verify(ctx, author, dmarc.DKIMIdentifier(authres.Pass, author.Domain(), "selector"))
	if verdict != authres.Pass {
		d.Status, d.Err = verdict, errors.New("as the request says")
	}
	return &bimi.Message{Header: h, Author: author, DMARC: d}, nil
}

func opSVG(_ context.Context, q *request) (any, error) {
	r := svgps.Check(q.SVG, svgps.Options{})
	out := struct {
		OK       bool     `json:"ok"`
		Code     string   `json:"code,omitempty"`
		Error    string   `json:"error"`
		Warnings []string `json:"warnings"`
	}{OK: r.OK(), Warnings: []string{}}
	if r.Err != nil {
		out.Error, out.Code = r.Err.Error(), code(r.Err)
	}
	for _, f := range r.Warnings() {
		out.Warnings = append(out.Warnings, f.String())
	}
	return out, nil
}

func opMarkCertificate(ctx context.Context, q *request) (any, error) {
	if _, err := q.time(); err != nil {
		return nil, err
	}
	v, err := q.certificates()
	if err != nil {
		return nil, err
	}
	v.Now = q.clock
	e, err := q.evaluator()
	if err != nil {
		return nil, err
	}
	// A certificate for the Organizational Domain is one for the domain, too: it is
	// what the request's DNS makes of it, the domain itself where that has no records.
	d := e.DMARC
	d.Resolver = e.Resolver
	names := markcert.Names{Author: q.Domain, Organizational: d.OrganizationalDomain(ctx, q.Domain).OrganizationalDomain, Selector: q.Selector}
	r := v.Verify(ctx, []byte(q.PEM), names)
	out := struct {
		OK       bool     `json:"ok"`
		Code     string   `json:"code,omitempty"`
		Error    string   `json:"error"`
		MarkType string   `json:"mark_type,omitempty"`
		Domains  []string `json:"domains"`
		SHA256   string   `json:"svg_sha256,omitempty"`
		NotAfter string   `json:"not_after,omitempty"`
		Warnings []string `json:"warnings"`
	}{Domains: r.Domains, Warnings: []string{}}
	if out.Domains == nil {
		out.Domains = []string{}
	}
	if !r.NotAfter.IsZero() {
		out.NotAfter = r.NotAfter.UTC().Format(time.RFC3339)
		out.MarkType = r.MarkType.String()
	}
	for _, f := range r.Findings {
		if f.Severity < markcert.Temporary {
			out.Warnings = append(out.Warnings, f.String())
		}
	}
	err = r.Err
	if err == nil {
		out.SHA256 = hex.EncodeToString(r.IndicatorSHA256[:])
		err = svgps.Check(r.Indicator, svgps.Options{}).Err
	}
	if out.OK = err == nil; !out.OK {
		out.Error, out.Code = err.Error(), code(err)
	}
	return out, nil
}

func opBIMIRecord(_ context.Context, q *request) (any, error) {
	r, err := bimi.ParseRecord(q.Record)
	if err != nil {
		return record{err: err}, nil
	}
	tags := map[string]any{"v": "BIMI1", "l": r.Location, "a": r.Evidence}
	if r.Prefixes != nil {
		tags["lps"] = strings.Join(r.Prefixes, ",")
	}
	if r.Preference != "" {
		tags["avp"] = string(r.Preference)
	}
	return record{ok: true, canonical: r.String(), tags: tags}, nil
}
