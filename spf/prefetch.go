package spf

import (
	"sync/atomic"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// slowAnswer is how long one answer of a check has to take before the next ones
// are worth asking for ahead. Below it the answers come from memory, where a
// goroutine costs more than a question; above it they come over a network.
// Which side a check falls on changes when it is done, never what it says.
const slowAnswer = 100 * time.Microsecond

// maxAheadHosts bounds the mail exchangers whose addresses are asked for ahead.
// Few records have more than two mx with a handful of hosts.
const maxAheadHosts = 20

// ahead asks questions before their turn. What is in its reach is the same
// record that the check evaluates, so it starts at most what the check could
// come to ask, plus what an earlier match spares it; the scope bounds and counts
// that apart. It owns all it reads, because it works beside the check.
//
// Not asked ahead: what stands behind an all or behind a network that holds the
// client, what needs a validated name of the client, and what would show the
// sender's local-part to a server that may never need to see it (RFC 7208, section 11.6).
type ahead struct {
	dns   *lookup.Scope
	id    identity
	left  atomic.Int32 // terms that may still be looked up: no check comes to more than 10
	hosts atomic.Int32 // likewise mail exchangers
}

// prefetchHosts starts the look-ups of the mail exchangers of an answer.
func (c *check) prefetchHosts(a dnsutil.Answer) { c.lookAhead().exchangers(a) }

func (c *check) lookAhead() *ahead {
	if c.ahead == nil {
		c.ahead = &ahead{dns: c.dns, id: c.id}
		c.ahead.left.Store(maxLookups)
		c.ahead.hosts.Store(maxAheadHosts)
	}
	return c.ahead
}

// terms starts the look-ups that the check will come to in the terms of d's record.
func (a *ahead) terms(d domain.Name, terms []directive, redirect *directive, depth int) {
	if depth > maxLookups {
		return
	}
	for i := range terms {
		switch t := &terms[i]; t.Kind {
		case All, IP4, IP6:
			return
		case Include, A, MX, PTR, Exists:
			a.term(d, t, depth)
		}
	}
	if redirect.Kind == Redirect {
		a.term(d, redirect, depth)
	}
}

func (a *ahead) term(d domain.Name, t *directive, depth int) {
	n := d
	if t.DomainSpec != "" {
		if usesLocalPart(t.DomainSpec) {
			return
		}
		var err error
		if n, err = a.id.target(t.DomainSpec, &values{domain: d}); err != nil {
			return
		}
	}
	if a.left.Add(-1) < 0 {
		return
	}
	switch t.Kind {
	case Include, Redirect:
		a.dns.PrefetchThen(n, dnsutil.TypeTXT, func(ans dnsutil.Answer) { a.record(n, ans, depth+1) })
	case A:
		a.dns.Prefetch(n, a.id.family())
	case Exists:
		a.dns.Prefetch(n, dnsutil.TypeA)
	case MX:
		a.dns.PrefetchThen(n, dnsutil.TypeMX, a.exchangers)
	case PTR:
		if r, err := reverseName(a.id.ip); err == nil {
			a.dns.Prefetch(r, dnsutil.TypePTR)
		}
	}
}

// record goes on with an included record that has arrived.
func (a *ahead) record(d domain.Name, ans dnsutil.Answer, depth int) {
	text, e := selectRecord(ans.TXT)
	if e != "" {
		return
	}
	p, terms, _, e := readPlan(text, a.id.ip, nil, false)
	if e != "" {
		return
	}
	a.terms(d, terms, &p.redirect, depth)
}

// exchangers goes on with the hosts of an MX answer.
func (a *ahead) exchangers(ans dnsutil.Answer) {
	if len(ans.MX) > maxHosts {
		return
	}
	for _, mx := range ans.MX {
		if h, err := domain.ParseQuery(mx.Host); err == nil && a.hosts.Add(-1) >= 0 {
			a.dns.Prefetch(h, a.id.family())
		}
	}
}
