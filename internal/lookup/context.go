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
	parent   context.Context
	deadline time.Time

	mu     sync.Mutex
	inner  context.Context // nil until Done
	cancel context.CancelFunc
	ended  bool
}

func (c *lazyContext) Deadline() (time.Time, bool) {
	if d, ok := c.parent.Deadline(); ok && d.Before(c.deadline) {
		return d, true
	}
	return c.deadline, true
}

func (c *lazyContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		c.inner, c.cancel = context.WithDeadline(c.parent, c.deadline)
		if c.ended {
			c.cancel()
		}
	}
	return c.inner.Done()
}

func (c *lazyContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.inner != nil:
		return c.inner.Err()
	case c.ended:
		return context.Canceled
	}
	if err := c.parent.Err(); err != nil {
		return err
	}
	if !time.Now().Before(c.deadline) {
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
	if c.cancel != nil {
		c.cancel()
	}
}

// cause says why the session is over; nil if it is not.
func (c *lazyContext) cause() error {
	err := c.Err()
	if err == context.DeadlineExceeded && c.parent.Err() == nil {
		return fmt.Errorf("%w: the message's time for the DNS is over: %w", dnsutil.ErrTimeout, err)
	}
	return err
}
