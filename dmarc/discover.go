package dmarc

import (
	"context"
	"fmt"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// Method is the way in which Organizational Domains are determined: the
// discovery_method of RFC 9990, section 3.1.1.5.
type Method string

// The methods. The zero value means TreeWalk.
const (
	TreeWalk         Method = "treewalk" // RFC 9989, section 4.10
	PublicSuffixList Method = "psl"      // RFC 7489, section 3.2
)

// discovery is what is known about one Author Domain.
type discovery struct {
	author domain.Name
	orgs   orgs
	policy int // index of the level whose record applies; -1 if there is none
	err    error
}

// discover finds the record that applies to an Author Domain (RFC 9989, section
// 4.10.1) and the author's Organizational Domain. The walk goes to its end even
// if the author has a record of its own: alignment, reports and BIMI want to know
// the Organizational Domain, and DNS trouble there counts only where it matters.
func (w *walker) discover(author domain.Name, m Method) (d discovery) {
	if m == PublicSuffixList {
		return w.discoverPSL(author)
	}
	d = discovery{author: author, policy: -1}
	wk, _ := w.walk(author, true)
	d.orgs = w.orgs(wk)
	first, last := wk.at[0], wk.at[wk.n-1]
	if d.policy = w.usable(first); d.policy >= 0 {
		return d
	}
	// The record of the Organizational Domain, else that of the PSD above it; those
	// at names between do not count. If it was the author's own answer that is
	// missing, there is no certain Organizational Domain with a record.
	if org, ok := d.orgs.certain(); ok {
		for _, i := range wk.at[:wk.n] {
			if w.levels[i].name == org {
				d.policy = w.usable(i)
			}
		}
		if d.policy >= 0 {
			return d
		}
	}
	if d.err = w.firstError(wk); d.err != nil {
		return d
	}
	if w.levels[last].psd(wk.floor) == PSDYes {
		d.policy = w.usable(last)
	}
	return d
}

// discoverPSL does it by RFC 7489, section 6.6.3. A name with several records is
// taken as in the tree walk, as one without any (decision 4).
func (w *walker) discoverPSL(author domain.Name) discovery {
	d := discovery{author: author, policy: -1}
	floor := w.list.Floor(author)
	first := w.ask(author, floor)
	org, _ := w.list.Organizational(author)
	d.orgs.add(org)
	at := w.ask(org, floor)
	if d.err = w.levels[first].err; d.err != nil {
		return d
	}
	if d.policy = w.usable(first); d.policy < 0 {
		d.policy, d.err = w.usable(at), w.levels[at].err
	}
	return d
}

// usable returns i if the level has a record, else -1.
func (w *walker) usable(i int) int {
	if w.levels[i].rec.IsZero() {
		return -1
	}
	return i
}

// record returns the record at a name that was asked for, zero if there is none.
func (w *walker) record(n domain.Name) Record {
	if i := w.level(n); i >= 0 {
		return w.levels[i].rec
	}
	return Record{}
}

// Organization is what [Verifier.OrganizationalDomain] found out about a domain.
type Organization struct {
	// Domain is the domain asked about, in lower-case A-labels.
	Domain string
	// OrganizationalDomain is empty if the DNS did not say enough.
	OrganizationalDomain string
	// PolicyDomain is where the record lies that applies to mail from the domain; empty if there is none.
	PolicyDomain string
	Method       Method
	// Queries lists the DNS questions in the order in which they were asked.
	Queries []Query
	// Status is PermError for a domain that is none (ErrDomain), TempError or PermError if
	// a DNS answer is missing (ErrDNS, ErrBudget) that could have changed one of the two
	// domains, else Pass. Err wraps the constant.
	Status authres.Status
	Err    error
}

// OrganizationalDomain determines the Organizational Domain of a domain, which may
// have U-labels (RFC 9989, section 4.10.2).
func (v *Verifier) OrganizationalDomain(ctx context.Context, name string) Organization {
	o := Organization{Domain: name, Method: v.method()}
	n, err := domain.Parse(name)
	if err != nil {
		o.Status, o.Err = authres.PermError, fmt.Errorf("%w: %w", ErrDomain, err)
		return o
	}
	o.Domain = n.String()
	w, done := v.walker(ctx)
	defer done()
	v.prefetch(w.dns, n)
	d := w.discover(n, v.method())
	o.Queries = w.queries
	if d.policy >= 0 {
		o.PolicyDomain = w.levels[d.policy].name.String()
	}
	org, ok := d.orgs.certain()
	if ok {
		o.OrganizationalDomain = org.String()
	}
	o.Err = d.err
	for i := range w.levels {
		if !ok && o.Err == nil {
			o.Err = w.levels[i].err
		}
	}
	if o.Status = authres.Pass; o.Err != nil {
		o.Status = errorStatus(o.Err)
	}
	return o
}
