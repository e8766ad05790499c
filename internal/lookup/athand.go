package lookup

import "errors"

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
