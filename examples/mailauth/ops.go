package main

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/message"
	"github.com/seed2385d973/mailauth/spf"
)

func opSPF(ctx context.Context, q *request) (any, error) {
	e, err := q.evaluator()
	if err != nil {
		return nil, err
	}
	s, err := q.session()
	if err != nil {
		return nil, err
	}
	v := e.SPF
	v.Resolver, v.Now = e.Resolver, q.clock
	return v.MailFrom(ctx, spf.Session{IP: s.IP, HELO: s.HELO, MailFrom: s.MailFrom, Receiver: s.Receiver}), nil
}

func opDKIM(ctx context.Context, q *request) (any, error) {
	e, err := q.evaluator()
	if err != nil {
		return nil, err
	}
	if _, err := q.time(); err != nil {
		return nil, err
	}
	if q.Message == nil {
		return nil, errNoMessage
	}
	d := message.Digester{AllowSHA1: q.Options.AllowSHA1}
	if _, err := d.Write(q.Message); err != nil {
		return nil, err
	}
	m, err := d.Finish()
	if err != nil {
		return nil, err
	}
	v := e.DKIM
	v.Resolver, v.Now = e.Resolver, q.clock
	results := v.Verify(ctx, m)
	if results == nil {
		results = []dkim.Result{}
	}
	return results, nil
}

func opDMARC(ctx context.Context, q *request) (any, error) {
	if q.From == nil {
		r, err := evaluate(ctx, q)
		if err != nil {
			return nil, err
		}
		return r.DMARC, nil
	}
	e, err := q.evaluator()
	if err != nil {
		return nil, err
	}
	author, _ := dmarc.AuthorOf(*q.From) // the Author carries the error into the result
	var ids []dmarc.Identifier
	if q.SPF != nil {
		ids = append(ids, dmarc.SPFIdentifier(authres.Status(q.SPF.Result), q.SPF.Domain))
	}
	for _, d := range q.DKIM {
		ids = append(ids, dmarc.DKIMIdentifier(authres.Status(d.Result), d.Domain, d.Selector))
	}
	v := e.DMARC
	v.Resolver = e.Resolver
	return v.Verify(ctx, author, ids...), nil
}

func opFrom(_ context.Context, q *request) (any, error) {
	m, err := q.parsed()
	if err != nil {
		return nil, err
	}
	author, err := dmarc.AuthorDomain(m.Header())
	out := struct {
		Domains []string `json:"domains"`
		Error   string   `json:"error"`
		Code    string   `json:"code,omitempty"`
	}{Domains: author.Domains()}
	if out.Domains == nil {
		out.Domains = []string{}
	}
	if err != nil {
		out.Error, out.Code = err.Error(), code(err)
	}
	return out, nil
}

func opOrgDomain(ctx context.Context, q *request) (any, error) {
	e, err := q.evaluator()
	if err != nil {
		return nil, err
	}
	v := e.DMARC
	v.Resolver = e.Resolver
	v.NoPrefetch = true
	o := v.OrganizationalDomain(ctx, q.Domain)
	out := struct {
		OrgDomain    string       `json:"org_domain"`
		PolicyDomain string       `json:"policy_domain"`
		Method       dmarc.Method `json:"method"`
		Queries      []string     `json:"queries"`
		Error        string       `json:"error,omitempty"`
		Code         string       `json:"code,omitempty"`
	}{OrgDomain: o.OrganizationalDomain, PolicyDomain: o.PolicyDomain, Method: o.Method, Queries: []string{}}
	for _, x := range o.Queries {
		out.Queries = append(out.Queries, x.String())
	}
	if o.Err != nil {
		out.Error, out.Code = o.Err.Error(), code(o.Err)
	}
	return out, nil
}

// record is the answer of the operations that parse one record. The tags stand
// in it under their own names.
type record struct {
	ok        bool
	err       error
	canonical string
	tags      map[string]any
}

func (r record) MarshalJSON() ([]byte, error) {
	out := map[string]any{}
	for k, v := range r.tags {
		out[k] = v
	}
	out["ok"], out["error"] = r.ok, ""
	if r.canonical != "" {
		out["canonical"] = r.canonical
	}
	if r.err != nil {
		out["error"] = r.err.Error()
		if c := code(r.err); c != "" {
			out["code"] = c
		}
	}
	return marshal(out)
}

func opSPFRecord(_ context.Context, q *request) (any, error) {
	r, err := spf.ParseRecord(q.Record)
	if err != nil {
		return record{err: err}, nil
	}
	tags := map[string]any{}
	terms := []string{}
	for _, t := range r.Terms() {
		terms = append(terms, t.String())
		if t.Kind.IsModifier() {
			tags[t.Name()] = t.DomainSpec
		}
	}
	tags["v"], tags["terms"] = "spf1", terms
	return record{ok: true, canonical: r.String(), tags: tags}, nil
}

func opDKIMKey(_ context.Context, q *request) (any, error) {
	r, err := dkim.ParseRecord(q.Record)
	if err != nil {
		return record{err: err}, nil
	}
	tags := map[string]any{"k": r.KeyType, "p": r.Data, "key_bits": r.Bits}
	set := func(name, value string) {
		if value != "" {
			tags[name] = value
		}
	}
	set("v", r.Version)
	set("h", strings.Join(r.Hashes, ":"))
	set("s", strings.Join(r.Services, ":"))
	set("n", r.Notes)
	var flags []string
	if r.Testing {
		flags = append(flags, "y")
	}
	if r.Strict {
		flags = append(flags, "s")
	}
	set("t", strings.Join(flags, ":"))
	return record{ok: true, canonical: r.String(), tags: tags}, nil
}

func opDMARCRecord(_ context.Context, q *request) (any, error) {
	r, err := dmarc.ParseRecord(q.Record)
	if err != nil {
		return record{err: err}, nil
	}
	tags := map[string]any{}
	for _, t := range r.Tags() {
		tags[t.Name] = t.Value
	}
	return record{ok: true, canonical: r.String(), tags: tags}, nil
}

func opAuthres(_ context.Context, q *request) (any, error) {
	var h authres.Header
	var err error
	if q.Lenient {
		h, _, err = authres.ParseLenient(q.Value)
	} else {
		h, err = authres.Parse(q.Value)
	}
	if err != nil {
		return nil, err
	}
	if h.Results == nil {
		h.Results = []authres.Result{}
	}
	for i := range h.Results {
		if h.Results[i].Properties == nil {
			h.Results[i].Properties = []authres.Property{}
		}
	}
	return h, nil
}

func opAuthresFormat(_ context.Context, q *request) (any, error) {
	var h authres.Header
	if err := json.Unmarshal(q.line, &h); err != nil {
		return nil, fmt.Errorf("bad request: %w", err)
	}
	if _, err := h.Field(); err != nil {
		return nil, err
	}
	return map[string]string{"value": strings.ReplaceAll(h.String(), "\r\n", "")}, nil
}

func opBodyHash(_ context.Context, q *request) (any, error) {
	if q.Message == nil {
		return nil, errNoMessage
	}
	want := message.BodyHash{Hash: crypto.SHA256, Length: message.WholeBody}
	// "relaxed" alone is a body's canonicalization here, unlike in c=.
	c := q.Canonicalization
	if _, body, ok := strings.Cut(c, "/"); ok {
		c = body
	}
	switch c {
	case "", "simple":
	case "relaxed":
		want.Canonicalization = message.Relaxed
	default:
		return nil, fmt.Errorf("canonicalization: %q is neither simple nor relaxed", q.Canonicalization)
	}
	if q.Length != nil {
		if want.Length = *q.Length; want.Length < 0 {
			return nil, errors.New("length is negative")
		}
	}
	d := message.Digester{Want: []message.BodyHash{want}}
	if _, err := d.Write(q.Message); err != nil {
		return nil, err
	}
	m, err := d.Finish()
	if err != nil {
		return nil, err
	}
	digest, _ := m.BodyDigest(want)
	if want.Length > digest.Canonical {
		return nil, fmt.Errorf("length %d is larger than the canonical body of %d octets", want.Length, digest.Canonical)
	}
	return map[string]string{"b64": base64.StdEncoding.EncodeToString(digest.Sum)}, nil
}

var errNoMessage = errors.New("message_b64 is missing")

// code is the name of the constant at the root of an error.
func code(err error) string {
	var c interface {
		error
		Code() string
	}
	if errors.As(err, &c) {
		return c.Code()
	}
	return ""
}
