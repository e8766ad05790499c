package spf

import (
	"context"
	"net/netip"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

const (
	maxLookups = 10
	maxQueries = 50
	maxHosts   = 10 // of one mx, and names of one PTR answer
)

// check is one run of check_host() with its recursions (RFC 7208, section 4):
// one allocation, with room for what most checks need.
type check struct {
	v     *Verifier
	dns   *lookup.Scope
	ctx   deadline
	id    identity
	depth int

	lookups, voids int
	fair           []domain.Name // void for the client's family alone; see countVoid
	terms          []directive   // of all records under evaluation, innermost last
	others         []Published
	breadth        Breadth
	local          bool  // some record depends on the local-part
	limit          error // a limit met inside a macro
	slow           bool  // an answer took long enough to ask ahead
	ahead          *ahead

	termsBuf [8]directive
}

// alone is a check that has nobody's view of the DNS to share.
type alone struct {
	check
	session lookup.Session
}

// unchecked is the result of a check that never came to asking.
func unchecked(s Session, id Identity, e Error) Result {
	return Result{Status: e.status(), Identity: id, Err: e, session: s}
}

// checkName checks a HELO name, also as the null reverse-path.
func (v *Verifier) checkName(ctx context.Context, s Session, id Identity, name string) Result {
	return v.check(ctx, s, id, postmaster, name, name)
}

func (v *Verifier) check(ctx context.Context, s Session, id Identity, local, host, name string) Result {
	if !s.IP.IsValid() {
		return unchecked(s, id, ErrNoClient)
	}
	n, ok := checkable(name, id, s.MailFrom == "")
	if !ok {
		return unchecked(s, id, ErrDomain)
	}
	sender := n.String()
	if host != name {
		sender = host
		if h, err := domain.Parse(host); err == nil {
			sender = h.String()
		}
	}
	r := Result{Identity: id, Domain: n.String(), session: s, local: local, host: sender}
	who := newIdentity(s, local, sender)

	// The record of many a domain lists networks and nothing else. With the record at
	// hand there is then nothing to wait for, to count or to limit.
	var first dnsutil.Answer
	asked, known := lookup.Peek(ctx, v.Resolver, n, dnsutil.TypeTXT, &first)
	if known && r.decide(n, first.TXT, who.ip, !v.NoExplanation) {
		return r
	}

	var c *check
	sc, shared := v.Resolver.(*lookup.Scope)
	before := 0
	if shared {
		c = new(check)
		before = sc.Demanded() // it may have served others
	} else {
		a := new(alone)
		c = &a.check
		sc = a.session.Alone(&c.ctx, v.Resolver, maxQueries)
		defer a.session.Close()
		if known {
			a.session.Known(asked, dnsutil.TypeTXT, &first)
		}
	}
	c.v, c.dns, c.id = v, sc, who
	c.terms = c.termsBuf[:0]
	c.ctx.start(ctx, v.timeout())
	defer c.ctx.stop()
	o := c.host(n, true, &r.Record)
	r.Status, r.Err, r.Match, r.Innermost = o.status, o.err, o.match, o.innermost
	if r.Status == Fail && o.exp != "" && !v.NoExplanation {
		r.Explanation = c.explain(o.exp, o.domain)
	}
	r.Lookups, r.VoidLookups, r.Queries = c.lookups, c.voids, sc.Demanded()-before
	r.Others, r.Breadth, r.LocalPart = c.others, c.breadth, c.local
	return r
}

// decide fills in the result of a check that needs nothing but d's own record. It
// reports whether that is so.
func (r *Result) decide(d domain.Name, txt []string, client netip.Addr, explains bool) bool {
	text, e := selectRecord(txt)
	if e != "" {
		return false
	}
	var buf [1]directive
	p, terms, _, e := readPlan(text, client, buf[:0:1], true)
	if e != "" || len(terms) == 0 && p.redirect.Kind == Redirect {
		return false
	}
	r.Status, r.Err = Neutral, ErrNeutral
	if len(terms) > 0 {
		r.Status, r.Err = verdict(terms[0].Qualifier)
		if r.Status == Fail && p.exp != "" && explains {
			return false
		}
		r.Match = Match{d.String(), terms[0].Text}
		r.Innermost = r.Match
	}
	r.Record, r.Queries, r.Breadth, r.LocalPart = text, 1, p.breadth, p.localPart
	return true
}

// outcome is what one record, or the one it redirects to, comes to.
type outcome struct {
	status           authres.Status
	err              error
	match, innermost Match
	exp              string      // domain-spec of the exp modifier that applies
	domain           domain.Name // of the record that decided
}

// failed is an outcome that ends the whole check.
func failed(err error) outcome { return outcome{status: rootOf(err).status(), err: err} }

// host is check_host() of RFC 7208, section 4, from the record look-up on.
// allows says whether a pass here lets the client in, for the breadth. first
// receives the text of the record if it is not nil.
func (c *check) host(d domain.Name, allows bool, first *string) outcome {
	var redirected string // the redirect term that led here, "" at first
	from := d
	for {
		text, err := c.record(d)
		if err != nil {
			if e := rootOf(err); redirected != "" && (e == ErrNoRecord || e == ErrNoDomain) {
				err = &problem{err: ErrRedirect, domain: from.String(), term: redirected}
			}
			return failed(err)
		}
		if first != nil {
			*first, first = text, nil
		} else {
			if c.others == nil {
				c.others = make([]Published, 0, 6)
			}
			c.others = append(c.others, Published{d.String(), text})
		}
		base := len(c.terms)
		p, terms, at, e := readPlan(text, c.id.ip, c.terms, false)
		if e != "" {
			return failed(&problem{err: e, domain: d.String(), term: at})
		}
		c.terms = terms
		if allows {
			c.breadth.add(p.breadth)
		}
		c.local = c.local || p.localPart
		o, done := c.evaluate(d, terms[base:], &p, allows)
		c.terms = c.terms[:base]
		if done {
			return o
		}
		// A loop and not a recursion: redirects chain as long as the limit lets them.
		from, redirected = d, p.redirect.Text
		if d, err = c.redirect(&p.redirect, d); err != nil {
			return failed(err)
		}
	}
}

// evaluate evaluates the terms of d's record from left to right (RFC 7208,
// section 4.6.2). It is not done where nothing matched and the redirect has to be followed.
func (c *check) evaluate(d domain.Name, terms []directive, p *plan, allows bool) (o outcome, done bool) {
	o.domain, o.exp = d, p.exp
	begun := false
	for i := range terms {
		t := &terms[i]
		if !begun && t.Kind.Queries() && c.isSlow() {
			// The term itself is asked for right now.
			begun = true
			c.lookAhead().terms(d, terms[i+1:], &p.redirect, c.depth)
		}
		inner, matched, err := c.term(t, d, allows && t.Qualifier == '+')
		if err != nil {
			return failed(err), true
		}
		if !matched {
			continue
		}
		o.status, o.err = verdict(t.Qualifier)
		o.match = Match{d.String(), t.Text}
		if o.innermost = inner; t.Kind != Include {
			o.innermost = o.match
		}
		return o, true
	}
	if p.redirect.Kind == Redirect {
		return outcome{}, false
	}
	o.status, o.err = Neutral, ErrNeutral
	return o, true
}

// verdict is what a qualifier says about a match (RFC 7208, section 4.6.2).
func verdict(qualifier byte) (authres.Status, error) {
	switch qualifier {
	case '-':
		return Fail, ErrFail
	case '~':
		return SoftFail, ErrSoftFail
	case '?':
		return Neutral, ErrNeutral
	}
	return Pass, nil
}

// term evaluates one mechanism (RFC 7208, section 5). An error ends the check.
func (c *check) term(t *directive, d domain.Name, allows bool) (inner Match, matched bool, err error) {
	switch t.Kind {
	case All, IP4, IP6:
		return inner, true, nil
	}
	if err := c.count(t, d); err != nil {
		return inner, false, err
	}
	n, err := c.target(t, d)
	switch {
	case err == nil:
	case err == errNoName && t.Kind == Include:
		return inner, false, &problem{err: ErrTarget, domain: d.String(), term: t.Text}
	case err == errNoName || err == errLocalPart:
		return inner, false, nil // decision 9; RFC 8616, section 4
	default:
		return inner, false, err
	}
	switch t.Kind {
	case Include:
		return c.include(t, d, n, allows)
	case A:
		matched, err = c.matchHost(t, d, n, allows) // RFC 7208, section 5.3
	case MX:
		matched, err = c.mx(t, d, n, allows)
	case PTR:
		matched, err = c.ptr(t, d, n)
	case Exists:
		matched, err = c.exists(t, d, n)
	}
	return inner, matched, err
}

// count counts a term that asks the DNS (RFC 7208, section 4.6.4). The count is
// one for the whole check, however deep: it is what bounds loops and recursion.
func (c *check) count(t *directive, d domain.Name) error {
	if c.lookups++; c.lookups > maxLookups {
		return &problem{err: ErrLookups, domain: d.String(), term: t.Text}
	}
	return nil
}

// target expands a term's domain-spec; without one it is the record's own name
// (RFC 7208, section 4.8). errNoName and errLocalPart are for the caller to
// judge, every other error ends the check.
func (c *check) target(t *directive, d domain.Name) (domain.Name, error) {
	if t.DomainSpec == "" {
		return d, nil
	}
	var n domain.Name
	var err error
	if strings.IndexByte(t.DomainSpec, '%') >= 0 {
		n, err = c.id.target(t.DomainSpec, &values{domain: d, validated: func() string { return c.validatedName(d) }})
	} else {
		n, err = c.id.target(t.DomainSpec, nil)
	}
	if c.limit != nil {
		return n, c.limit
	}
	if err == errLong {
		err = &problem{err: ErrExpansion, domain: d.String(), term: t.Text}
	}
	return n, err
}

// include is RFC 7208, section 5.2.
func (c *check) include(t *directive, d, n domain.Name, allows bool) (inner Match, matched bool, err error) {
	if n.Labels() < 2 {
		return inner, false, &problem{err: ErrInclude, domain: d.String(), term: t.Text}
	}
	// The count of terms bounds the depth already; this holds even if that breaks.
	if c.depth++; c.depth > maxLookups {
		return inner, false, &problem{err: ErrLookups, domain: d.String(), term: t.Text}
	}
	o := c.host(n, allows, nil)
	c.depth--
	switch o.status {
	case Pass:
		return o.innermost, true, nil
	case Fail, SoftFail, Neutral:
		return inner, false, nil
	case None:
		return inner, false, &problem{err: ErrInclude, domain: d.String(), term: t.Text}
	}
	return inner, false, o.err
}

// redirect returns the domain that goes on in d's place (RFC 7208, section 6.1).
func (c *check) redirect(t *directive, d domain.Name) (domain.Name, error) {
	if err := c.count(t, d); err != nil {
		return d, err
	}
	n, err := c.target(t, d)
	if err == errNoName || err == errLocalPart || err == nil && n.Labels() < 2 {
		err = &problem{err: ErrTarget, domain: d.String(), term: t.Text}
	}
	return n, err
}

// matchHost looks up one host's addresses and compares them with the client's
// under the term's prefix lengths (RFC 7208, section 5).
func (c *check) matchHost(t *directive, d, n domain.Name, allows bool) (bool, error) {
	addrs, err := c.addresses(n, t, d)
	if err != nil {
		return false, err
	}
	family, bits := IP4, t.IP4Length
	if c.id.ip.Is6() {
		family, bits = IP6, t.IP6Length
	}
	matched := false
	for _, a := range addrs {
		if a = a.Unmap(); a.BitLen() != c.id.ip.BitLen() {
			continue
		}
		matched = matched || netip.PrefixFrom(a, int(bits)).Contains(c.id.ip)
		if allows {
			c.breadth.addNetwork(family, bits)
		}
	}
	return matched, nil
}
