package lookup

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
)

// lazyContext is parent with a deadline, whose timer is made when somebody asks
// for Done. A Resolver that answers from memory never does, and a context with
// timeout costs more than a whole SPF check of one record.
type lazyContext struct {
	parent context.Context
	limit  time.Duration

	mu       sync.Mutex
	deadline time.Time       // zero until the time begins, which is at the latest when somebody waits
	inner    context.Context // nil until Done
	cancel   context.CancelFunc
	timer    *time.Timer
	expired  bool // the deadline ended inner
	ended    bool
}

// begin lets the time begin. The caller holds the lock, or nobody else is about.
func (c *lazyContext) begin() {
	if c.deadline.IsZero() {
		c.deadline = time.Now().Add(c.limit)
	}
}

func (c *lazyContext) Deadline() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	if d, ok := c.parent.Deadline(); ok && d.Before(c.deadline) {
		return d, true
	}
	return c.deadline, true
}

func (c *lazyContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		c.begin()
		c.inner, c.cancel = context.WithCancel(c.parent)
		left := time.Until(c.deadline)
		switch {
		case c.ended:
			c.cancel()
		case left <= 0:
			c.expired = true
			c.cancel()
		default:
			c.timer = time.AfterFunc(left, c.expire)
		}
	}
	return c.inner.Done()
}

// expire ends the context, unless the deadline was moved while the timer fired.
func (c *lazyContext) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.deadline) || c.ended || c.inner.Err() != nil {
		return
	}
	c.expired = true
	c.cancel()
}

// extend lets the time begin anew. A context that has ended for lack of time is alive
// again; who has seen its end, has seen it.
func (c *lazyContext) extend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = time.Time{}
	switch {
	case c.inner == nil || c.ended:
	case c.expired:
		c.inner, c.cancel, c.timer, c.expired = nil, nil, nil, false
	default:
		c.begin()
		c.timer.Reset(c.limit)
	}
}

func (c *lazyContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.expired:
		return context.DeadlineExceeded
	case c.inner != nil:
		return c.inner.Err()
	case c.ended:
		return context.Canceled
	}
	if err := c.parent.Err(); err != nil {
		return err
	}
	if !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// Value finds the inner context once there is one, so that a context derived
// from this one is cancelled by it and needs no goroutine of its own.
func (c *lazyContext) Value(key any) any {
	c.mu.Lock()
	inner := c.inner
	c.mu.Unlock()
	if inner != nil {
		return inner.Value(key)
	}
	return c.parent.Value(key)
}

// end cancels the context.
func (c *lazyContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.cancel != nil {
		c.cancel()
	}
}

// cause says why the session is over; nil if it is not.
func (c *lazyContext) cause() error {
	err := c.Err()
	if err == context.DeadlineExceeded && c.parent.Err() == nil {
		return errOver()
	}
	return err
}

// seen is cause for who has seen the context end, be it extended since.
func (c *lazyContext) seen() error {
	if err := c.cause(); err != nil {
		return err
	}
	return errOver()
}

func errOver() error {
	return fmt.Errorf("%w: the message's time for the DNS is over: %w", dnsutil.ErrTimeout, context.DeadlineExceeded)
}
