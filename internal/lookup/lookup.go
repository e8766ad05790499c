// Package lookup is one message's view of the DNS.
//
// A [Session] asks each question once, checks every name before it leaves, keeps
// the message's budget, and turns a panicking or contradictory Resolver into an
// error. A [Scope] is what one protocol sees of it; it is itself a Resolver, so
// that a verifier's Resolver field can hold one.
//
// # Demand and speculation
//
// A question is demanded by Lookup or Ask: the verdict depends on it. Demanded
// questions are counted, listed, and limited. A question is speculative when
// Prefetch starts it because it may be demanded soon. Speculation changes when an
// answer is there, and nothing else: not what is counted, not what is listed by
// Queries, and not whether a demanded question is answered. That is why it has a
// budget of its own, and why it never takes the last quarter of the places for
// questions under way.
//
// # Budgets
//
// The outcome must not depend on which protocol was faster, so a budget that is
// shared is shared in the order in which the scopes were opened.
//
// Queries: a scope counts its own distinct demanded questions, whether another
// scope asked them too or not, and never has more than its max. It uses freely
// what the session's total leaves if all earlier scopes use their max. Beyond that it
// waits until they have all called Finish, and uses what they left.
//
// Octets: a scope's share of Limits.Bytes is in proportion to its max (all, if it
// is alone by For). An answer that goes over the share and what earlier scopes have
// surely left of theirs waits until the earlier scopes have called Finish, and is let
// through if what they left covers it. An answer that is not let through is ErrBudget, and
// so is every question of the scope after it, unsent.
//
// Open the scopes that matter most, and need least, first; nothing ever waits
// if the sum of the max is within the total. A scope must not wait for a later
// one before it has called Finish.
//
// Within a scope the budget goes to questions in the order in which they are
// demanded, and Queries lists them so. Where that matters, prefetch in parallel
// and demand one after another.
//
// # Limits
//
// [Limits] has them with their defaults.
// Over a number it is dnsutil.ErrBudget, over the time dnsutil.ErrTimeout.
// A session has at most 64 scopes; more of them have no budget.
package lookup

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
)

// Limits bounds the DNS of one message. Zero fields mean the defaults.
type Limits struct {
	Queries     int           // distinct questions demanded; default 100
	Parallel    int           // questions under way at once; default 16
	Timeout     time.Duration // wall clock from New, and from Extend; default 30 s
	Bytes       int           // octets of demanded answers, and of speculative ones; default 256 KiB
	Speculative int           // questions asked ahead of need; default 100, negative none
}

// The defaults: room for every protocol at its own limit on mail that means well,
// and an end to what one message of one that does not can cost.
const (
	defaultQueries     = 100
	defaultParallel    = 16
	defaultTimeout     = 30 * time.Second
	defaultBytes       = 256 << 10
	defaultSpeculative = 100
)

func (l Limits) withDefaults() Limits {
	if l.Queries <= 0 {
		l.Queries = defaultQueries
	}
	if l.Parallel <= 0 {
		l.Parallel = defaultParallel
	}
	if l.Timeout <= 0 {
		l.Timeout = defaultTimeout
	}
	if l.Bytes <= 0 {
		l.Bytes = defaultBytes
	}
	if l.Speculative == 0 {
		l.Speculative = defaultSpeculative
	}
	return l
}

// grace is how long Close waits for a Resolver after it has cancelled its
// context: long enough for any that watches it, even on a loaded machine.
const grace = 100 * time.Millisecond

// Session is the DNS of one message. It is safe for concurrent use.
type Session struct {
	r      dnsutil.Resolver
	peeker dnsutil.Peeker // r, if it is one
	limits Limits
	ctx    lazyContext // of every question; the caller's and the deadline

	mu     sync.Mutex
	closed bool
	memo   memo
	flights

	last      *Scope // opened last; linked to the earlier ones
	nscopes   int
	one       Scope    // room for the first, so that a verifier alone allocates once
	more      []Scope  // room for others
	entry     [1]entry // likewise, as many checks ask one question
	spec      int      // questions begun by Prefetch
	specBytes int
}

// New starts a session over r, which may be nil: every question is then
// dnsutil.ErrNoResolver. The session ends with ctx, with its time, or by Close,
// which must be called.
func New(ctx context.Context, r dnsutil.Resolver, l Limits) *Session {
	s := &Session{r: r, limits: l.withDefaults()}
	s.peeker, _ = r.(dnsutil.Peeker)
	s.ctx.parent, s.ctx.limit = ctx, s.limits.Timeout
	s.memo.room = make([]entry, 0, roomOfMessage)
	return s
}

// Extend gives the session Limits.Timeout from now, for a message whose next part
// was long in coming: the time that a client takes is not the DNS's. What has
// failed for lack of time stays failed.
func (s *Session) Extend() { s.ctx.extend() }

// For returns r itself if it is a Scope, else a scope of a new session over r
// for a verifier that is used alone. done must be called when the verifier returns.
func For(ctx context.Context, r dnsutil.Resolver, max int) (sc *Scope, done func()) {
	// Short enough to be inlined, which spares a verifier the closure.
	sc, own := open(ctx, r, max)
	return sc, own.release
}

// open returns r itself, or a scope of a session of its own.
func open(ctx context.Context, r dnsutil.Resolver, max int) (*Scope, *Session) {
	if sc, ok := r.(*Scope); ok {
		return sc, nil
	}
	sc := alone(ctx, r, max)
	return sc, sc.s
}

// release closes a session of For; there is none, and s is nil, if a Scope was lent.
func (s *Session) release() {
	if s != nil {
		s.Close()
	}
}

func alone(ctx context.Context, r dnsutil.Resolver, max int) *Scope {
	return new(Session).Alone(ctx, r, max)
}

// Alone makes of the zero Session one over r that has a single scope, for a
// verifier that is used alone and has room for it. Its time begins when somebody
// first has to wait. Close must be called.
func (s *Session) Alone(ctx context.Context, r dnsutil.Resolver, max int) *Scope {
	s.r, s.limits = r, Limits{}.withDefaults()
	s.peeker, _ = r.(dnsutil.Peeker)
	s.ctx.parent, s.ctx.limit = ctx, s.limits.Timeout
	s.memo.room = s.entry[:0]
	sc := &s.one
	if max <= 0 || max > s.limits.Queries {
		max = s.limits.Queries
	}
	sc.s, sc.max, sc.share, sc.bit = s, max, s.limits.Bytes, 1
	sc.asked = sc.first[:0]
	s.last, s.nscopes = sc, 1
	return sc
}

// Close ends the session: it cancels what is under way and waits for it. A
// Resolver that does not heed its context is not waited for longer than 100 ms;
// its goroutine ends when it returns, and what it returns is dropped. Callers
// still in Lookup get context.Canceled. Close may be called more than once.
func (s *Session) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	for sc := s.last; sc != nil; sc = sc.prev {
		sc.finish()
	}
	s.stop()
	idle := s.workers == 0
	s.mu.Unlock()
	s.ctx.end()
	if idle {
		return
	}
	drained := s.drain()
	if drained == nil {
		return
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
}

// Queries lists the questions demanded ("TXT example.com."), scope by scope in
// the order in which each was first demanded, without repetition.
func (s *Session) Queries() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*entry, 0, s.memo.n)
	size := 0
	for _, sc := range s.scopes() {
		for _, e := range sc.asked {
			if e.demanded&(sc.bit-1) == 0 { // no earlier scope demanded it
				list = append(list, e)
				size += len(e.t.String()) + 1 + len(e.name)
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	var text strings.Builder // one for all: a Builder never touches again what it has handed out
	text.Grow(size)
	out := make([]string, 0, len(list))
	for _, e := range list {
		at := text.Len()
		text.WriteString(e.t.String())
		text.WriteByte(' ')
		text.WriteString(e.name)
		out = append(out, text.String()[at:])
	}
	return out
}

// Speculative lists, in the order of Prefetch, the questions that were asked
// ahead of need and that nobody demanded.
func (s *Session) Speculative() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	s.memo.each(func(e *entry) {
		if e.demanded == 0 && e.sent {
			out = append(out, e.String())
		}
	})
	return out
}

// scopes lists the scopes in the order in which they were opened.
func (s *Session) scopes() []*Scope {
	out := make([]*Scope, s.nscopes)
	for sc, i := s.last, s.nscopes-1; sc != nil; sc, i = sc.prev, i-1 {
		out[i] = sc
	}
	return out
}
