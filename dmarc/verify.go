package dmarc

import (
	"context"
	"errors"
	"slices"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
	"github.com/seed2385d973/mailauth/internal/suffix"
)

// MaxQueries is how many DNS questions the evaluation of one message may ask. One
// walk asks 8 at most (RFC 9989, section 4.10), and walks share most of them.
const MaxQueries = 32

// Verifier evaluates DMARC. Its zero value has no Resolver and so answers
// TempError; nothing else needs to be set. It keeps no state and may be used
// concurrently as long as its fields are not modified.
type Verifier struct {
	// Resolver answers DNS questions; nil is ErrDNS (dnsutil.ErrNoResolver).
	Resolver dnsutil.Resolver
	// Method is how Organizational Domains are determined; empty means TreeWalk.
	Method Method
	// PublicSuffix says whether a name, in lower-case A-labels, is a public suffix. It
	// replaces the compiled-in list in both of its uses: PublicSuffixList as Method,
	// where nil means the whole list, and the floor under every method (decision 7),
	// where nil means its ICANN section. A single label is always a public suffix.
	PublicSuffix func(name string) bool
	// NoPrefetch makes Verify ask one question after another, none ahead of need.
	// Results do not depend on it.
	NoPrefetch bool
}

func (v *Verifier) method() Method {
	if v.Method == PublicSuffixList {
		return PublicSuffixList
	}
	return TreeWalk
}

func (v *Verifier) walker(ctx context.Context) (w *walker, done func()) {
	sc, done := lookup.For(ctx, v.Resolver, MaxQueries)
	return &walker{
		ctx: ctx, dns: sc, list: suffix.List(v.PublicSuffix),
		levels: make([]level, 0, usualSteps), queries: make([]Query, 0, usualSteps),
	}, done
}

// Verify evaluates a message (RFC 9989, section 5.3) from its author and the
// outcomes of its SPF and DKIM checks, all of them, whether they passed or not.
func (v *Verifier) Verify(ctx context.Context, a Author, ids ...Identifier) Result {
	return v.verify(ctx, a, ids, nil)
}

// VerifyFunc is [Verifier.Verify] for a caller whose SPF and DKIM checks are still under
// way. It asks first what the Author Domains' records are, and calls identifiers once it
// needs the outcomes, so that whoever holds up those checks does not use up the time for
// the policy. identifiers is called at most once, and not for an Author with an error.
func (v *Verifier) VerifyFunc(ctx context.Context, a Author, identifiers func() []Identifier) Result {
	return v.verify(ctx, a, nil, identifiers)
}

func (v *Verifier) verify(ctx context.Context, a Author, ids []Identifier, later func() []Identifier) Result {
	if err := a.Err(); err != nil {
		return Result{Status: authres.PermError, Err: err, Domain: a.Domain(), Method: v.method()}
	}
	w, done := v.walker(ctx)
	defer done()
	v.prefetchAll(w, a, ids)
	if len(a.domains) == 1 {
		c := v.discover(w, a.domains[0])
		if later != nil {
			ids = later()
			v.prefetchAll(w, a, ids)
		}
		return v.judge(w, c, ids)
	}
	return v.verifyEach(w, a, ids, later)
}

// prefetchAll asks ahead for the walks of authors and of identifiers that may matter.
func (v *Verifier) prefetchAll(w *walker, a Author, ids []Identifier) {
	for _, d := range a.domains {
		v.prefetch(w.dns, d)
		for i, id := range ids {
			// Of most messages all are one domain.
			seen := id.domain == d || slices.ContainsFunc(ids[:i], func(o Identifier) bool { return o.domain == id.domain && o.matters() })
			if id.matters() && !seen && commonSuffix(d, id.domain).Labels() > w.list.Floor(d) {
				v.prefetch(w.dns, id.domain)
			}
		}
	}
}

// matters reports whether alignment of the identifier can decide the result.
func (id Identifier) matters() bool {
	return !id.domain.IsZero() && (id.status == authres.Pass || id.status == authres.TempError)
}

// verifyEach evaluates several Author Domains. The strictest outcome stands for
// the message (RFC 9989, section 11.5); nothing that is not a pass for each of
// them is a pass.
func (v *Verifier) verifyEach(w *walker, a Author, ids []Identifier, later func() []Identifier) Result {
	// What is asked about identifiers must not use up the questions for an author
	// further back, who may be the one that somebody wants to hide.
	cases := make([]discovered, 0, len(a.domains))
	for _, d := range a.domains {
		cases = append(cases, v.discover(w, d))
	}
	if later != nil {
		ids = later()
		v.prefetchAll(w, a, ids)
	}
	each := make([]Result, 0, len(a.domains))
	worst := 0
	for i, c := range cases {
		each = append(each, v.judge(w, c, ids))
		if each[i].severity() > each[worst].severity() {
			worst = i
		}
	}
	r := each[worst]
	r.Each = each
	return r
}

// severity orders the results of several Author Domains. A temporary error may
// stand for a reject, so only a certain one is worse.
func (r *Result) severity() int {
	switch r.Status {
	case authres.Pass:
		return 0
	case authres.None:
		return 1
	case authres.Fail:
		if r.Policy == PolicyReject {
			return 6
		}
		return 1 + r.Policy.strictness()
	case authres.PermError:
		return 4
	}
	return 5
}

// discovered is a discovery with what is to be told of it.
type discovered struct {
	discovery
	queries []Query
	diag    []Diagnostic
	missing bool  // the author does not exist; known only where it makes a difference
	unknown error // whether it exists is not known, though it would make one
}

func (v *Verifier) discover(w *walker, author domain.Name) (c discovered) {
	c.discovery = w.discover(author, v.method())
	if c.err == nil && c.policy >= 0 {
		if l := &w.levels[c.policy]; l.bad == nil && l.name != author && l.rec.Nonexistent() != l.rec.Subdomain() {
			var exists bool
			exists, c.unknown = w.exists(author)
			c.missing = c.unknown == nil && !exists
		}
	}
	c.queries, c.diag = w.take()
	return c
}

// judge makes a Result of what was discovered about an author.
func (v *Verifier) judge(w *walker, c discovered, ids []Identifier) (r Result) {
	d, author := &c.discovery, c.author
	r = Result{Domain: author.String(), Method: v.method()}
	defer func() { r.finish(w, c) }()

	if org, ok := d.orgs.certain(); ok {
		r.OrganizationalDomain = org.String()
		r.OrganizationalRecord = w.record(org)
	}
	r.AuthorRecord = w.record(author)
	if d.err != nil {
		r.Status, r.Err = errorStatus(d.err), d.err
		return r
	}
	if d.policy < 0 {
		r.Status, r.Err = authres.None, ErrNoRecord
		return r
	}
	found := w.levels[d.policy]
	r.note(found.rec.Diagnostics(), found.name)
	if found.bad != nil {
		// "The Mail Receiver applies no DMARC processing to this message" (RFC 9989,
		// section 4.10.1), and looks no further (decision 3).
		r.Status, r.Err = authres.None, found.bad
		return r
	}
	r.PolicyDomain, r.Record = found.name.String(), found.rec
	r.psd = found.psd(w.list.Floor(author)) == PSDYes
	r.alignments(w, d, ids)
	r.apply(w, &c, found.name != author)
	return r
}

// alignments settles everything but the policy. Identifiers that passed come
// first, since one of them is enough; then those whose own check was a temporary
// error, since they might have been it; the rest is for reports and worth no question.
func (r *Result) alignments(w *walker, d *discovery, ids []Identifier) {
	r.Identifiers = make([]Alignment, len(ids))
	authenticated, passed := false, false
	var unknown error
	each := func(want func(Identifier) bool, ask bool) {
		for i, id := range ids {
			if !want(id) {
				continue
			}
			mode := r.Record.ADKIM
			if id.mechanism == SPF {
				mode = r.Record.ASPF
			}
			a := w.align(d, r.Method, mode, id, ask)
			r.Identifiers[i] = a
			if a.Aligned && id.Authenticated() {
				passed = true
				r.SPFAligned = r.SPFAligned || id.mechanism == SPF
				r.DKIMAligned = r.DKIMAligned || id.mechanism == DKIM
			}
			if ask && unknown == nil {
				switch {
				case a.Why == AlignmentUnknown:
					unknown = a.Err
				case a.Aligned && id.status == authres.TempError:
					unknown = ErrIdentifier
				}
			}
		}
	}
	temporary := func(id Identifier) bool { return id.status == authres.TempError }
	each(func(id Identifier) bool {
		authenticated = authenticated || id.Authenticated()
		return id.Authenticated()
	}, true)
	each(temporary, !passed)
	each(func(id Identifier) bool { return !id.Authenticated() && !temporary(id) }, false)
	switch {
	case passed:
		r.Status = authres.Pass
	case unknown != nil:
		r.Status, r.Err = errorStatus(unknown), unknown
	case authenticated:
		r.Status, r.Err = authres.Fail, ErrNotAligned
	default:
		r.Status, r.Err = authres.Fail, ErrNotAuthenticated
	}
}

// apply determines the policy: the tag (RFC 9989, section 4.10.1), then t (section
// 4.7). Whether the author exists is asked only where the answer makes a difference.
func (r *Result) apply(w *walker, c *discovered, subdomain bool) {
	rec := r.Record
	r.Published, r.Tag = rec.P, "p"
	if subdomain {
		r.Published = rec.Subdomain()
		if rec.SP != "" {
			r.Tag = "sp"
		}
		switch err := c.unknown; {
		case err != nil && r.Status == authres.Fail:
			r.Status, r.Err = errorStatus(err), err
			r.Published, r.Tag = "", ""
		case err != nil:
			// A pass stays one. Nothing is to be applied, and what would have been is not known.
			w.note(LookupFailed, c.author)
			r.Published, r.Tag = "", ""
		case c.missing:
			r.Published, r.Tag = rec.Nonexistent(), "np"
		}
	}
	if r.Policy = r.Published; rec.T {
		r.Policy = r.Published.Testing()
	}
}

// note adds the diagnostics of the record found at n.
func (r *Result) note(list []Diagnostic, n domain.Name) {
	for _, d := range list {
		d.Domain = n.String()
		r.Diagnostics = append(r.Diagnostics, d)
	}
}

// finish puts together what is told about the way to the result.
func (r *Result) finish(w *walker, c discovered) {
	queries, diag := w.take()
	r.Queries = append(c.queries, queries...)
	r.Diagnostics = append(append(r.Diagnostics, c.diag...), diag...)
	if r.Status == authres.TempError || r.Status == authres.PermError {
		return
	}
	for _, q := range r.Queries {
		if q.Outcome == FoundError && q.Type == dnsutil.TypeTXT {
			r.Diagnostics = append(r.Diagnostics, Diagnostic{Kind: LookupFailed, Domain: q.Name[len("_dmarc.") : len(q.Name)-1]})
		}
	}
}

// errorStatus: time heals a DNS error, but not a message that costs too much.
func errorStatus(err error) authres.Status {
	if errors.Is(err, ErrBudget) || errors.Is(err, ErrRecordLimit) {
		return authres.PermError
	}
	return authres.TempError
}

// Prefetch starts the DNS questions that the evaluation of a message will ask, all
// levels of all walks at once, and does not wait for the answers. It is for the
// package mailauth, which hands its verifiers a shared view of the DNS as Resolver
// and knows the Author Domain and the signing domains while the body still
// arrives. With any other Resolver it does nothing. Names that are none are passed over.
func (v *Verifier) Prefetch(ctx context.Context, domains ...string) {
	sc, ok := v.Resolver.(*lookup.Scope)
	if !ok {
		return
	}
	for i, s := range domains {
		if ctx.Err() != nil {
			return
		}
		if slices.Contains(domains[:i], s) {
			continue
		}
		if n, err := domain.Parse(s); err == nil {
			v.prefetch(sc, n)
		}
	}
}

func (v *Verifier) prefetch(sc *lookup.Scope, n domain.Name) {
	if v.NoPrefetch {
		return
	}
	var buf [maxSteps]domain.Name
	names := buf[:0]
	if v.method() == PublicSuffixList {
		org, _ := suffix.List(v.PublicSuffix).Organizational(n)
		names = append(names, n, org)
	} else {
		names = steps(names, n)
	}
	for _, n := range names {
		if at, err := n.Prepend("_dmarc"); err == nil {
			sc.Prefetch(at, dnsutil.TypeTXT)
		}
	}
}
