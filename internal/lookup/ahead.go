package lookup

import (
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// PrefetchThen is Prefetch for a question whose answer tells what to prefetch
// next: an SPF include, an MX. It calls then with the answer, unless there was an
// error, the session is closed, or the question was asked before by anybody. then
// runs on a goroutine of the session, or at once if the answer is at hand; it
// may call Prefetch and PrefetchThen, must not wait for anything, and must
// bound its own depth.
func (sc *Scope) PrefetchThen(n domain.Name, t dnsutil.Type, then func(dnsutil.Answer)) {
	s := sc.s
	if s.r == nil || n.IsZero() {
		return
	}
	s.mu.Lock()
	if s.closed || sc.finished || s.spec >= s.limits.Speculative || s.specBytes > s.limits.Bytes || s.memo.find(n.String(), t) != nil {
		s.mu.Unlock()
		return
	}
	s.spec++
	e := s.memo.add(n.String(), "", t)
	e.spec = true
	s.begin(e)
	if e.state == done {
		a, err := e.answer, e.err
		s.mu.Unlock()
		if err == nil {
			then(a)
		}
		return
	}
	s.workers++ // Close waits for the goroutine as for one that asks
	s.mu.Unlock()
	go func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.workers--; s.workers == 0 && s.drained != nil {
				close(s.drained)
			}
		}()
		s.mu.Lock()
		var err error
		if e.state != done {
			err = s.await(&s.ctx, e)
		}
		a, ok := e.answer, err == nil && e.err == nil && !s.closed
		s.mu.Unlock()
		if ok {
			then(a)
		}
	}()
}

// Demanded returns how many different questions the scope has demanded.
func (sc *Scope) Demanded() int {
	sc.s.mu.Lock()
	defer sc.s.mu.Unlock()
	return len(sc.asked)
}
