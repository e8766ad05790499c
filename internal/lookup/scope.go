package lookup

import (
	"context"
	"fmt"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
)

const (
	maxScopes       = 64 // bits of entry.demanded
	scopesOfMessage = 5  // that an evaluation opens
)

// Scope is one protocol's view of a session. It is a dnsutil.Resolver, safe for
// concurrent use.
type Scope struct {
	s        *Session
	prev     *Scope // opened before this one
	bit      uint64
	max      int // own limit on questions
	share    int // octets that need not wait for earlier scopes
	spare    int // octets of the share that Limit has given up
	bytes    int // octets of demanded answers
	over     bool
	finished bool
	slowest  time.Duration // that an answer had to be waited for
	hurry    bool          // within AtHand
	stalled  Pace          // what AtHand met; AtOnce as long as nothing has had to wait
	waited   chan struct{} // closed by wake; nil if nobody waits
	asked    []*entry      // demanded, in order
	first    [2]*entry     // storage for asked
}

// Scope opens the next scope of the session; earlier scopes have priority when
// the session's budget runs short. max bounds the scope's own distinct
// questions; zero means all that the session has.
func (s *Session) Scope(max int) *Scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	sc := &s.one
	if s.nscopes > 0 {
		if len(s.more) == 0 {
			s.more = make([]Scope, scopesOfMessage-1)
		}
		sc, s.more = &s.more[0], s.more[1:]
	}
	if max <= 0 || max > s.limits.Queries {
		max = s.limits.Queries
	}
	shares := 0
	for p := s.last; p != nil; p = p.prev {
		shares += p.share
	}
	sc.s, sc.prev, sc.max = s, s.last, max
	sc.share = min(int(int64(s.limits.Bytes)*int64(max)/int64(s.limits.Queries)), s.limits.Bytes-shares)
	sc.asked = sc.first[:0]
	if s.nscopes >= maxScopes {
		sc.max, sc.share, sc.finished = 0, 0, true
	} else {
		sc.bit = 1 << s.nscopes
	}
	s.last = sc
	s.nscopes++
	return sc
}

// Finish says that this scope will ask nothing more: what it has left is for the
// scopes after it. A new question of the scope is then dnsutil.ErrBudget.
func (sc *Scope) Finish() {
	sc.s.mu.Lock()
	defer sc.s.mu.Unlock()
	sc.finish()
}

func (sc *Scope) finish() {
	if !sc.finished {
		sc.finished = true
		sc.wake()
	}
}

// wake lets those go on who wait for the scope.
func (sc *Scope) wake() {
	if sc.waited != nil {
		close(sc.waited)
		sc.waited = nil
	}
}

// Lookup implements dnsutil.Resolver. The name need not be absolute here; it is
// when it leaves. When ctx ends, or the session, Lookup returns at once, with or
// without the Resolver. Errors: dnsutil.ErrName (not sent), dnsutil.ErrBudget,
// dnsutil.ErrNoResolver, dnsutil.ErrPanic, dnsutil.ErrAnswer, the context's, or
// the Resolver's own.
func (sc *Scope) Lookup(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	n, err := domain.ParseQuery(name)
	if err != nil {
		return dnsutil.Answer{}, fmt.Errorf("%w: %w: %q", dnsutil.ErrName, err, clip(name))
	}
	s := n.String()
	if len(name) == len(s)+1 && name[:len(s)] == s {
		return sc.ask(ctx, s, name, t)
	}
	return sc.ask(ctx, s, "", t)
}

// Ask is Lookup for a checked name. The zero Name is dnsutil.ErrName.
func (sc *Scope) Ask(ctx context.Context, n domain.Name, t dnsutil.Type) (dnsutil.Answer, error) {
	if n.IsZero() {
		return dnsutil.Answer{}, fmt.Errorf("%w: %w", dnsutil.ErrName, domain.ErrEmpty)
	}
	return sc.ask(ctx, n.String(), "", t)
}

// clip keeps a hostile name from filling an error text.
func clip(s string) string {
	if len(s) > 256 {
		return s[:256] + "..."
	}
	return s
}

// ask demands a question. name has no final dot; abs is the same with one, or
// empty if it has yet to be made.
func (sc *Scope) ask(ctx context.Context, name, abs string, t dnsutil.Type) (dnsutil.Answer, error) {
	s := sc.s
	if s.r == nil {
		return dnsutil.Answer{}, dnsutil.ErrNoResolver
	}
	if err := ctx.Err(); err != nil {
		return dnsutil.Answer{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sc.stalled != AtOnce {
		return dnsutil.Answer{}, errStalled
	}
	e := s.memo.find(name, t)
	if e == nil || e.demanded&sc.bit == 0 {
		if s.closed {
			return dnsutil.Answer{}, context.Canceled
		}
		if err := sc.admit(ctx, name, t); err != nil {
			return dnsutil.Answer{}, err
		}
		// The wait for earlier scopes gives up the lock: look again.
		if e = s.memo.find(name, t); e == nil {
			e = s.memo.add(name, abs, t)
			sc.demand(e)
			s.begin(e)
		} else if e.demanded&sc.bit == 0 {
			sc.demand(e)
			s.promote(e)
		}
	}
	if e.state != done {
		if sc.hurry {
			sc.stalled = Waits
			return dnsutil.Answer{}, errStalled
		}
		begin := time.Now()
		err := s.await(ctx, e)
		sc.slowest = max(sc.slowest, time.Since(begin))
		if err != nil {
			return dnsutil.Answer{}, err
		}
	}
	if e.charged&sc.bit == 0 {
		if err := sc.charge(ctx, e); err != nil {
			return dnsutil.Answer{}, err
		}
	}
	if e.denied&sc.bit != 0 {
		return dnsutil.Answer{}, fmt.Errorf("%w: octets of answers: %s", dnsutil.ErrBudget, e)
	}
	return e.answer, e.err
}

func (sc *Scope) demand(e *entry) {
	e.demanded |= sc.bit
	if len(sc.asked) == len(sc.first) {
		sc.asked = append(make([]*entry, 0, 8*len(sc.first)), sc.asked...)
	}
	sc.asked = append(sc.asked, e)
}

// admit decides whether the scope may demand one more question. What earlier
// scopes may still demand is not its to use: it waits for them, the latest
// first, until there is room whatever they do or they have all finished.
func (sc *Scope) admit(ctx context.Context, name string, t dnsutil.Type) error {
	for !sc.finished && !sc.over && len(sc.asked) < sc.max {
		room, busy := sc.room()
		if len(sc.asked) < room {
			return nil
		}
		if busy == nil {
			break
		}
		if err := sc.waitFor(ctx, busy); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w at %s %s", dnsutil.ErrBudget, t, name)
}

// room returns how many questions the earlier scopes leave in any case, and the
// latest of them that has not finished.
func (sc *Scope) room() (n int, busy *Scope) {
	n = sc.s.limits.Queries
	for p := sc.prev; p != nil; p = p.prev {
		if p.finished {
			n -= len(p.asked)
			continue
		}
		n -= p.max
		if busy == nil {
			busy = p
		}
	}
	return n, busy
}

// Slowest returns how long the scope has had to wait for an answer at most.
func (sc *Scope) Slowest() time.Duration {
	sc.s.mu.Lock()
	defer sc.s.mu.Unlock()
	return sc.slowest
}

// Waits reports whether a question of the scope may have to wait until an earlier scope
// has called Finish, because the session has fewer than they could ask together.
func (sc *Scope) Waits() bool {
	sc.s.mu.Lock()
	defer sc.s.mu.Unlock()
	room, busy := sc.room()
	return busy != nil && room < sc.max
}

// Limit lowers the scope's own limit on distinct questions, when it is known that
// it needs fewer: later scopes then need not wait for what it will not ask. Its
// share of octets shrinks with it. A limit below what it has asked is that. It never raises the limit.
func (sc *Scope) Limit(n int) {
	s := sc.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if n = max(n, len(sc.asked)); n < sc.max {
		keep := int(int64(sc.share) * int64(n) / int64(sc.max))
		sc.spare += sc.share - keep
		sc.share, sc.max = keep, n
		sc.wake()
	}
}

// charge takes the answer's octets from the scope's share, and marks it denied
// if there are not enough.
func (sc *Scope) charge(ctx context.Context, e *entry) error {
	for sc.bytes+e.size > sc.share+sc.prev.surplus() && !sc.over {
		_, busy := sc.room()
		if busy == nil {
			break
		}
		if err := sc.waitFor(ctx, busy); err != nil {
			return err
		}
		if e.charged&sc.bit != 0 {
			return nil // by another caller, while this one waited
		}
	}
	e.charged |= sc.bit
	sc.bytes += e.size
	if e.size > 0 && (sc.over || sc.bytes > sc.share+sc.prev.surplus()) {
		sc.over = true
		e.denied |= sc.bit
	}
	return nil
}

// surplus is what the scopes up to sc leave of their shares in any case: all of it
// if they have finished, else what the latest have given up.
func (sc *Scope) surplus() int {
	switch {
	case sc == nil:
		return 0
	case !sc.finished:
		return sc.spare
	}
	return max(0, sc.prev.surplus()+sc.share-sc.bytes) + sc.spare
}

// waitFor waits until p has finished or has lowered its limit. The lock is not
// held meanwhile.
func (sc *Scope) waitFor(ctx context.Context, p *Scope) error {
	if sc.hurry {
		sc.stalled = Early
		return errStalled
	}
	s := sc.s
	if p.waited == nil {
		p.waited = make(chan struct{})
	}
	waited := p.waited
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-waited:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ctx.Done():
		return s.ctx.seen()
	}
}

// Prefetch starts a question without waiting for it, within the speculative
// budget; it never fails and changes no result. Nothing happens if it was asked before.
func (sc *Scope) Prefetch(n domain.Name, t dnsutil.Type) {
	s := sc.s
	if s.r == nil || n.IsZero() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || sc.finished || s.spec >= s.limits.Speculative || s.specBytes > s.limits.Bytes || s.memo.find(n.String(), t) != nil {
		return
	}
	s.spec++
	e := s.memo.add(n.String(), "", t)
	e.spec = true
	s.begin(e)
}
