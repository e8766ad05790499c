package lookup

import (
	"context"
	"fmt"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
)

const maxScopes = 64 // bits of entry.demanded

// Scope is one protocol's view of a session. It is a dnsutil.Resolver, safe for
// concurrent use.
type Scope struct {
	s        *Session
	prev     *Scope // opened before this one
	bit      uint64
	max      int // own limit on questions
	free     int // questions that need not wait for earlier scopes
	share    int // octets that need not wait for earlier scopes
	bytes    int // octets of demanded answers
	over     bool
	finished bool
	waited   chan struct{} // closed by finish; nil if nobody waits
	asked    []*entry      // demanded, in order
	room     [2]*entry
}

// Scope opens the next scope of the session; earlier scopes have priority when
// the session's budget runs short. max bounds the scope's own distinct
// questions; zero means all that the session has.
func (s *Session) Scope(max int) *Scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	sc := &s.one
	if s.nscopes > 0 {
		sc = new(Scope)
	}
	if max <= 0 || max > s.limits.Queries {
		max = s.limits.Queries
	}
	before, shares := 0, 0
	for p := s.last; p != nil; p = p.prev {
		before, shares = before+p.max, shares+p.share
	}
	sc.s, sc.prev, sc.max = s, s.last, max
	sc.free = min(max, s.limits.Queries-before)
	sc.share = min(int(int64(s.limits.Bytes)*int64(max)/int64(s.limits.Queries)), s.limits.Bytes-shares)
	sc.asked = sc.room[:0]
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
	if sc.waited != nil && !sc.finished {
		close(sc.waited)
	}
	sc.finished = true
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
		if err := s.await(ctx, e); err != nil {
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
	if len(sc.asked) == len(sc.room) {
		sc.asked = append(make([]*entry, 0, 8*len(sc.room)), sc.asked...)
	}
	sc.asked = append(sc.asked, e)
}

// admit decides whether the scope may demand one more question.
func (sc *Scope) admit(ctx context.Context, name string, t dnsutil.Type) error {
	ok := !sc.finished && !sc.over && len(sc.asked) < sc.max
	if ok && len(sc.asked) >= sc.free {
		if err := sc.waitEarlier(ctx); err != nil {
			return err
		}
		left := sc.s.limits.Queries
		for p := sc.prev; p != nil; p = p.prev {
			left -= len(p.asked)
		}
		ok = !sc.finished && !sc.over && len(sc.asked) < min(sc.max, left)
	}
	if !ok {
		return fmt.Errorf("%w at %s %s", dnsutil.ErrBudget, t, name)
	}
	return nil
}

// charge takes the answer's octets from the scope's share, and marks it denied
// if there are not enough.
func (sc *Scope) charge(ctx context.Context, e *entry) error {
	if sc.bytes+e.size > sc.share && !sc.over {
		if err := sc.waitEarlier(ctx); err != nil {
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

// surplus is what finished scopes up to sc have left of their shares. It is
// only asked for where it matters, after waitEarlier.
func (sc *Scope) surplus() int {
	if sc == nil || !sc.finished {
		return 0
	}
	return max(0, sc.prev.surplus()+sc.share-sc.bytes)
}

// waitEarlier waits until all scopes opened before sc have finished. The lock is
// not held meanwhile.
func (sc *Scope) waitEarlier(ctx context.Context) error {
	s := sc.s
	for p := sc.prev; p != nil; p = p.prev {
		for !p.finished {
			if p.waited == nil {
				p.waited = make(chan struct{})
			}
			waited := p.waited
			s.mu.Unlock()
			var err error
			select {
			case <-waited:
			case <-ctx.Done():
				err = ctx.Err()
			case <-s.ctx.Done():
				err = s.ctx.cause()
			}
			s.mu.Lock()
			if err != nil {
				return err
			}
		}
	}
	return nil
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
