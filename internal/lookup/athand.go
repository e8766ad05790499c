package lookup

import (
	"context"
	"errors"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// Pace says how far a verifier came without waiting.
type Pace uint8

const (
	AtOnce Pace = iota // to its end
	Waits              // to a question that the Resolver has to be waited for
	Early              // to one that is not the scope's to ask before earlier scopes have finished
)

// errStalled answers the questions of a verifier that AtHand has given up.
var errStalled = errors.New("lookup: not at hand")

// AtHand runs f, a verifier that asks this scope and nobody else, as long as
// every answer is at hand; then no goroutine has to wait for it. If f comes to a question
// that has to be waited for, that one is begun, it and all after it fail, and what f
// returns is worthless: it has to be run again, to ask the same questions from the
// first on. As these are answered from the session that costs little, and changes neither
// what is counted nor the order of Queries. Without a dnsutil.Peeker f is not run at all.
func (sc *Scope) AtHand(f func()) (p Pace) {
	s := sc.s
	if s.peeker == nil {
		return Waits
	}
	s.mu.Lock()
	if room, busy := sc.room(); busy != nil && len(sc.asked) >= room {
		s.mu.Unlock()
		return Early
	}
	sc.hurry = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		p, sc.hurry, sc.stalled = sc.stalled, false, AtOnce
	}()
	f()
	return AtOnce
}

// Peek returns the answer to a verifier's first question, if r has it at hand and it
// is within every limit. Such a question needs no session, unless another one follows: then
// it is to be given to that session with Known, under its name as it was asked.
func Peek(ctx context.Context, r dnsutil.Resolver, n domain.Name, t dnsutil.Type, a *dnsutil.Answer) (name string, ok bool) {
	p, isPeeker := r.(dnsutil.Peeker)
	if !isPeeker || ctx.Err() != nil {
		return "", false
	}
	defer func() {
		if recover() != nil { // whoever asks again will tell
			ok = false
		}
	}()
	name = n.Absolute()
	var err error
	*a, ok, err = p.Peek(name, t)
	return name, ok && err == nil && vet(a, t) == nil && size(a) <= defaultBytes
}

// Known gives a session that nobody has asked yet what Peek has returned.
func (s *Session) Known(name string, t dnsutil.Type, a *dnsutil.Answer) {
	e := s.memo.add("", name, t)
	e.answer, e.size, e.state, e.sent = *a, size(a), done, true
}
