package lookup

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/seed2385d973/mailauth/dnsutil"
)

// flights are the questions under way. Everything here happens under
// Session.mu, except the calls of the Resolver itself.
//
// A question runs on a goroutine of the session, since nothing else lets a caller
// go when a Resolver does not heed its context. The goroutines are kept for the
// next question until Close, which makes a question in a row cost two channel
// operations; a Peeker with the answer at hand needs not even these.
type flights struct {
	running   int
	queue     []*entry // demanded, waiting for a place
	specQueue []*entry // speculative, likewise
	workers   int
	idle      []chan *entry
	drained   chan struct{} // closed when the last worker of a closed session ends
	free      []chan struct{}
}

// begin asks e's question: from memory at once, else on a worker as soon as
// there is a place. It gives up the lock while it asks the memory.
func (s *Session) begin(e *entry) {
	if s.peeker != nil {
		if e.state = running; s.atHand(e) { // a caller who comes now waits
			return
		}
	}
	if s.closed {
		s.complete(e, nil, context.Canceled)
		return
	}
	e.state = queued
	if s.place(e.demanded == 0) && len(s.queue) == 0 {
		s.take(e)
		s.start(e)
		return
	}
	if e.demanded != 0 {
		s.queue = append(s.queue, e)
	} else {
		s.specQueue = append(s.specQueue, e)
	}
	s.schedule()
}

// atHand completes e if the memory has the answer. It gives up the lock meanwhile, and has
// it again however the memory comes back: the caller's caller is going to unlock it.
func (s *Session) atHand(e *entry) (ok bool) {
	a, err := dnsutil.Answer{}, error(dnsutil.ErrPanic) // for one that calls runtime.Goexit
	ok = true
	defer func() {
		s.mu.Lock()
		if ok {
			e.sent = true
			s.complete(e, &a, err)
		}
	}()
	s.mu.Unlock()
	a, ok, err = peek(s.peeker, e)
	return ok
}

// promote makes a speculative question that is not yet answered a demanded one.
func (s *Session) promote(e *entry) {
	if e.state == queued && e.spec && !slices.Contains(s.queue, e) {
		s.queue = append(s.queue, e) // next skips it in specQueue
		s.schedule()
	}
}

// schedule hands queued questions to workers as long as there are places.
func (s *Session) schedule() {
	for e := s.next(); e != nil; e = s.next() {
		s.start(e)
	}
}

// start hands a question that has its place to a worker.
func (s *Session) start(e *entry) {
	if n := len(s.idle); n > 0 {
		w := s.idle[n-1]
		s.idle = s.idle[:n-1]
		w <- e
		return
	}
	s.workers++
	go s.work(e)
}

// next takes the next question that may run, demanded ones first.
func (s *Session) next() *entry {
	if s.place(false) {
		if e := pop(&s.queue); e != nil {
			return s.take(e)
		}
	}
	if s.place(true) {
		if e := pop(&s.specQueue); e != nil {
			return s.take(e)
		}
	}
	return nil
}

// place reports whether there is a place for one more question. Speculative ones
// leave a quarter of the places alone, whoever has the others: what is asked ahead of a
// server that never answers, and demanded later, must not take every place there is.
func (s *Session) place(spec bool) bool {
	if spec {
		return s.running < s.limits.Parallel-(s.limits.Parallel+3)/4
	}
	return s.running < s.limits.Parallel
}

func (s *Session) take(e *entry) *entry {
	e.state, e.sent = running, true
	s.running++
	return e
}

// pop takes the first entry that is still queued.
func pop(q *[]*entry) *entry {
	for len(*q) > 0 {
		e := (*q)[0]
		*q = (*q)[1:]
		if e.state == queued {
			return e
		}
	}
	*q = nil
	return nil
}

// work runs questions until the session closes.
func (s *Session) work(e *entry) {
	defer func() {
		// A Resolver that calls runtime.Goexit, as a failing test does, ends here
		// with its question open.
		s.mu.Lock()
		defer s.mu.Unlock()
		if e != nil {
			s.land(e, dnsutil.Answer{}, dnsutil.ErrPanic)
			s.schedule()
		}
		if s.workers--; s.workers == 0 && s.drained != nil {
			close(s.drained)
		}
	}()
	var inbox chan *entry
	for e != nil {
		a, err := call(&s.ctx, s.r, e)
		s.mu.Lock()
		first, rest := e.waiter, e.waiters
		e.waiter, e.waiters = nil, nil
		s.land(e, a, err)
		if e = s.next(); e == nil && !s.closed {
			if inbox == nil {
				inbox = make(chan *entry, 1)
			}
			s.idle = append(s.idle, inbox)
		}
		idle := e == nil && !s.closed
		s.mu.Unlock()
		wake(first, rest) // without the lock, which they want next
		if idle {
			e = <-inbox
		}
	}
}

// land ends the run of a worker's question.
func (s *Session) land(e *entry, a dnsutil.Answer, err error) {
	s.running--
	if err != nil {
		if cause := s.ctx.cause(); cause != nil {
			a, err = dnsutil.Answer{}, cause
		}
	}
	s.complete(e, &a, err)
}

// complete stores the answer, or the error, and wakes whoever waits for it.
func (s *Session) complete(e *entry, a *dnsutil.Answer, err error) {
	if err == nil {
		err = vet(a, e.t)
	}
	if err == nil { // data and error together are an error
		e.answer, e.size = *a, size(a)
	}
	e.err, e.state = err, done
	if e.spec {
		s.specBytes += e.size
	}
	wake(e.waiter, e.waiters)
	e.waiter, e.waiters = nil, nil
}

func wake(first chan struct{}, rest []chan struct{}) {
	if first != nil {
		first <- struct{}{}
	}
	for _, w := range rest {
		w <- struct{}{}
	}
}

const turns = 2

// await waits for e to be answered, ctx to end or the session to end. The lock
// is not held meanwhile. It returns nil if e is answered.
func (s *Session) await(ctx context.Context, e *entry) error {
	// A Resolver in memory has answered by the time that others have had their
	// turn; it is spared the channel, and the session its timer.
	for range turns {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
		if e.state == done {
			return nil
		}
	}
	var w chan struct{}
	if n := len(s.free); n > 0 {
		w, s.free = s.free[n-1], s.free[:n-1]
	} else {
		w = make(chan struct{}, 1)
	}
	if e.waiter == nil {
		e.waiter = w
	} else {
		e.waiters = append(e.waiters, w)
	}
	s.mu.Unlock()
	var err error
	select {
	case <-w:
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.ctx.Done():
		err = s.ctx.seen()
	}
	s.mu.Lock()
	if err != nil {
		if e.state == done {
			err = nil // both at once: an answer is an answer
			<-w
		} else if e.waiter == w {
			e.waiter = nil
		} else if i := slices.Index(e.waiters, w); i >= 0 {
			e.waiters = slices.Delete(e.waiters, i, i+1)
		}
	}
	s.free = append(s.free, w)
	return err
}

// stop lets the idle workers go and ends what was not begun.
func (s *Session) stop() {
	for _, w := range s.idle {
		close(w)
	}
	s.idle = nil
	for _, q := range [...]*[]*entry{&s.queue, &s.specQueue} {
		for e := pop(q); e != nil; e = pop(q) {
			s.complete(e, nil, context.Canceled)
		}
	}
}

// drain returns nil if no worker is left, else a channel that is closed when
// none is.
func (s *Session) drain() <-chan struct{} {
	for i := 0; ; i++ {
		s.mu.Lock()
		if s.workers == 0 {
			s.mu.Unlock()
			return nil
		}
		if i == turns {
			defer s.mu.Unlock()
			s.drained = make(chan struct{})
			return s.drained
		}
		s.mu.Unlock()
		runtime.Gosched()
	}
}

// call asks the Resolver and survives it.
func call(ctx context.Context, r dnsutil.Resolver, e *entry) (a dnsutil.Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			a, err = dnsutil.Answer{}, fmt.Errorf("%w: %v", dnsutil.ErrPanic, p)
		}
	}()
	a, err = r.Lookup(ctx, e.name, e.t)
	return a, printable(err)
}

// peek asks the Resolver's memory and survives it.
func peek(r dnsutil.Peeker, e *entry) (a dnsutil.Answer, ok bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			a, ok, err = dnsutil.Answer{}, true, fmt.Errorf("%w: %v", dnsutil.ErrPanic, p)
		}
	}()
	a, ok, err = r.Peek(e.name, e.t)
	return a, ok, printable(err)
}

// printable returns err. If it is an error that panics when asked what it is, as that of
// a Resolver that returns a nil pointer does, it panics here, where that is survived.
func printable(err error) error {
	if err != nil {
		_ = err.Error()
	}
	return err
}
