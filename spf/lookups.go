package spf

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// ask asks one question of this check. Errors are problems rooted in ErrDNS,
// or in ErrQueries or ErrTimeout, which end the check wherever they are met. The
// scope counts the different questions and has the limit.
func (c *check) ask(n domain.Name, t dnsutil.Type) (dnsutil.Answer, error) {
	a, err := c.dns.Ask(&c.ctx, n, t)
	if err == nil {
		return a, nil
	}
	p := &problem{err: ErrDNS, term: t.String() + " " + n.Absolute(), cause: err}
	switch {
	case errors.Is(err, dnsutil.ErrBudget):
		p.err = ErrQueries
	case c.ctx.Err() != nil:
		p.err = ErrTimeout
	}
	return dnsutil.Answer{}, p
}

// isSlow reports whether answers take long enough to ask ahead.
func (c *check) isSlow() bool {
	if !c.slow && !c.v.NoPrefetch {
		c.slow = c.dns.Slowest() >= slowAnswer
	}
	return c.slow
}

// soft reports whether err is trouble of one look-up and not of the whole check.
func soft(err error) bool { return rootOf(err) == ErrDNS }

// record fetches and selects the SPF record of d (RFC 7208, section 4.4 and RFC 7208, section 4.5).
func (c *check) record(d domain.Name) (string, error) {
	a, err := c.ask(d, dnsutil.TypeTXT)
	if err != nil {
		return "", err
	}
	if c.lookups > 0 && len(a.TXT) == 0 {
		c.voids++ // no need to compare: without a record the check ends anyway
	}
	if a.NXDomain {
		return "", ErrNoDomain
	}
	text, e := selectRecord(a.TXT)
	switch e {
	case "":
		return text, nil
	case ErrNoRecord:
		return "", ErrNoRecord
	}
	return "", &problem{err: e, domain: d.String()}
}

// selectRecord is RFC 7208, section 4.5.
func selectRecord(txt []string) (string, Error) {
	found := -1
	for i, s := range txt {
		if isRecord(s) {
			if found >= 0 {
				return "", ErrMultipleRecords
			}
			found = i
		}
	}
	if found < 0 {
		return "", ErrNoRecord
	}
	return txt[found], ""
}

// family is the type of the client's addresses.
func (id *identity) family() dnsutil.Type {
	if id.ip.Is4() {
		return dnsutil.TypeA
	}
	return dnsutil.TypeAAAA
}

func (id *identity) otherFamily() dnsutil.Type {
	if id.ip.Is4() {
		return dnsutil.TypeAAAA
	}
	return dnsutil.TypeA
}

// addresses looks up the addresses of the client's family; A and AAAA never
// both (decision 8).
func (c *check) addresses(n domain.Name, t *directive, d domain.Name) ([]netip.Addr, error) {
	a, err := c.ask(n, c.id.family())
	if err != nil {
		return nil, err
	}
	if len(a.Addrs) == 0 {
		if c.v.FairVoids && !a.NXDomain {
			c.fair = append(c.fair, n)
		}
		return nil, c.countVoid(t, d)
	}
	return a.Addrs, nil
}

// countVoid counts an answer without a record (RFC 7208, section 4.6.4). With
// FairVoids it asks, before it gives up, whether names without an address of
// the client's family have one of the other, and does not count those that do.
func (c *check) countVoid(t *directive, d domain.Name) error {
	c.voids++
	for c.voids > c.v.maxVoids() {
		if len(c.fair) == 0 {
			return &problem{err: ErrVoidLookups, domain: d.String(), term: t.Text}
		}
		n := c.fair[0]
		c.fair = c.fair[1:]
		a, err := c.ask(n, c.id.otherFamily())
		if err != nil {
			return err
		}
		if len(a.Addrs) > 0 {
			c.voids--
		}
	}
	return nil
}

// exists is RFC 7208, section 5.7: always A, whatever the client is.
func (c *check) exists(t *directive, d, n domain.Name) (bool, error) {
	a, err := c.ask(n, dnsutil.TypeA)
	if err != nil {
		return false, err
	}
	if len(a.Addrs) == 0 {
		return false, c.countVoid(t, d)
	}
	return true, nil
}

// mx is RFC 7208, section 5.4. There is no implicit MX. More than 10 hosts are
// permerror before any is asked for, so that the result cannot depend on their
// order; and they are asked for in an order that the answer's cannot change.
func (c *check) mx(t *directive, d, n domain.Name, allows bool) (bool, error) {
	a, err := c.ask(n, dnsutil.TypeMX)
	if err != nil {
		return false, err
	}
	if len(a.MX) == 0 {
		return false, c.countVoid(t, d)
	}
	if len(a.MX) > maxHosts {
		return false, &problem{err: ErrMX, domain: d.String(), term: t.Text}
	}
	var buf [maxHosts]dnsutil.MX
	hosts := append(buf[:0], a.MX...)
	slices.SortFunc(hosts, func(x, y dnsutil.MX) int {
		return cmp.Or(cmp.Compare(x.Preference, y.Preference), cmp.Compare(x.Host, y.Host))
	})
	if len(hosts) > 1 && c.isSlow() {
		c.prefetchHosts(a)
	}
	for _, mx := range hosts {
		h, err := domain.ParseQuery(mx.Host)
		if err != nil {
			continue // the Null MX of RFC 7505, or no name at all: nothing to ask for
		}
		if matched, err := c.matchHost(t, d, h, allows); matched || err != nil {
			return matched, err
		}
	}
	return false, nil
}

// ptr is RFC 7208, section 5.5, by its text: a validated name matches that is
// the target or below it (the list at the section's end has it the other way
// round, erratum 4751). Names elsewhere could not match, so they are not
// validated.
func (c *check) ptr(t *directive, d, n domain.Name) (bool, error) {
	names, err := c.clientNames()
	if err != nil {
		if soft(err) {
			return false, nil
		}
		return false, err
	}
	if len(names) == 0 {
		return false, c.countVoid(t, d)
	}
	for _, s := range names[:min(len(names), maxHosts)] {
		h, err := domain.ParseQuery(s)
		if err != nil || !h.IsWithin(n) {
			continue
		}
		if ok, err := c.validate(h); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// clientNames asks for the names of the client.
func (c *check) clientNames() ([]string, error) {
	n, err := reverseName(c.id.ip)
	if err != nil {
		return nil, err
	}
	a, err := c.ask(n, dnsutil.TypePTR)
	return a.Names, err
}

func reverseName(ip netip.Addr) (domain.Name, error) {
	var buf [80]byte
	b := transform(buf[:0], macro{reverse: true}, appendDotted(make([]byte, 0, 80), ip))
	if ip.Is4() {
		b = append(b, ".in-addr.arpa"...)
	} else {
		b = append(b, ".ip6.arpa"...)
	}
	return domain.ParseQuery(string(b))
}

// validate reports whether h has the client's address (RFC 7208, section 5.5).
// A void answer does not count here: the client chose the name (decision 8).
func (c *check) validate(h domain.Name) (bool, error) {
	a, err := c.ask(h, c.id.family())
	if err != nil {
		if soft(err) {
			return false, nil
		}
		return false, err
	}
	for _, x := range a.Addrs {
		if x.Unmap() == c.id.ip {
			return true, nil
		}
	}
	return false, nil
}

// validatedName is the value of %{p}: a validated name of the client, best d
// itself, else one below d, else any (RFC 7208, section 7.3). A limit met on the
// way is left in c.limit.
func (c *check) validatedName(d domain.Name) string {
	names, err := c.clientNames()
	if err != nil {
		if !soft(err) {
			c.limit = err
		}
		return "unknown"
	}
	names = names[:min(len(names), maxHosts)]
	for rank := range 3 {
		for _, s := range names {
			h, err := domain.ParseQuery(s)
			if err != nil || rank != rankOf(h, d) {
				continue
			}
			ok, err := c.validate(h)
			if err != nil {
				c.limit = err
				return "unknown"
			}
			if ok {
				return h.String()
			}
		}
	}
	return "unknown"
}

func rankOf(h, d domain.Name) int {
	switch {
	case h == d:
		return 0
	case h.IsBelow(d):
		return 1
	}
	return 2
}

// deadline is a context that ends a check. Unlike context.WithTimeout it costs
// no timer, and not even a look at the clock, until somebody waits for it, which a resolver
// that answers from memory never does; its time begins then.
type deadline struct {
	parent context.Context
	limit  time.Duration
	mu     sync.Mutex
	inner  atomic.Pointer[timed] // nil until somebody waits
}

type timed struct {
	context.Context
	cancel context.CancelFunc
}

func (d *deadline) start(parent context.Context, limit time.Duration) {
	d.parent, d.limit = parent, limit
}

// wait returns the context that somebody wants to wait for.
func (d *deadline) wait() *timed {
	if t := d.inner.Load(); t != nil {
		return t
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.inner.Load(); t != nil {
		return t
	}
	t := new(timed)
	t.Context, t.cancel = context.WithTimeout(d.parent, d.limit)
	d.inner.Store(t)
	return t
}

// current returns the context that knows most.
func (d *deadline) current() context.Context {
	if t := d.inner.Load(); t != nil {
		return t
	}
	return d.parent
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) { return d.wait().Deadline() }

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} { return d.wait().Done() }

// Err implements context.Context.
func (d *deadline) Err() error { return d.current().Err() }

// Value implements context.Context. It finds the inner context once there is
// one, so that a context derived from this one needs no goroutine to follow it.
func (d *deadline) Value(key any) any { return d.current().Value(key) }

// stop releases the timer, if there is one.
func (d *deadline) stop() {
	if t := d.inner.Load(); t != nil {
		t.cancel()
	}
}
