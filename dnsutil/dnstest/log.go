package dnstest

import (
	"slices"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
)

// Query is one entry of a zone's log.
type Query struct {
	Name       string // as it was asked
	Type       dnsutil.Type
	Start, End time.Time // End is zero while the answer is awaited
	Err        error     // what the zone answered, nil for an answer
}

// String returns the query as "TXT example.com.".
func (q Query) String() string { return q.Type.String() + " " + q.Name }

func (z *Zone) begin(name string, t dnsutil.Type) int {
	now := time.Now()
	z.mu.Lock()
	defer z.mu.Unlock()
	z.log = append(z.log, Query{Name: name, Type: t, Start: now})
	return len(z.log) - 1
}

func (z *Zone) end(i int, err error) {
	now := time.Now()
	z.mu.Lock()
	defer z.mu.Unlock()
	if i < len(z.log) { // Reset may have come in between
		z.log[i].End, z.log[i].Err = now, err
	}
}

// Log returns what was asked so far, repetitions included, in the order of arrival.
func (z *Zone) Log() []Query {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Clone(z.log)
}

// Queries lists what was asked so far, repetitions included, in the order of
// arrival, each as "TXT example.com.".
func (z *Zone) Queries() []string {
	log := z.Log()
	out := make([]string, len(log))
	for i, q := range log {
		out[i] = q.String()
	}
	return out
}

// Count returns how often the question was asked; type 0 stands for all types.
func (z *Zone) Count(name string, t dnsutil.Type) int {
	n, want := 0, key(name)
	for _, q := range z.Log() {
		if key(q.Name) == want && (t == 0 || t == q.Type) {
			n++
		}
	}
	return n
}

// RoundTrips returns the greatest number of look-ups of the log that ran one
// after another, each begun when the one before had ended: what somebody waits
// for who waits for all of them. It needs a Delay to tell.
func (z *Zone) RoundTrips() int {
	log := z.Log()
	slices.SortFunc(log, func(a, b Query) int { return a.End.Compare(b.End) })
	n, free := 0, time.Time{}
	for _, q := range log {
		// The longest chain of disjoint intervals: always take the one that ends first.
		if !q.End.IsZero() && q.End.After(q.Start) && !q.Start.Before(free) {
			n, free = n+1, q.End
		}
	}
	return n
}

// Parallel returns the greatest number of look-ups of the log that ran at once.
// It needs a Delay to tell.
func (z *Zone) Parallel() int {
	log := z.Log()
	most := 0
	for _, q := range log {
		n := 0
		for _, p := range log {
			if !p.Start.After(q.Start) && (p.End.IsZero() || p.End.After(q.Start)) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// Reset empties the log. It is not for use while a look-up is under way.
func (z *Zone) Reset() {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.log = nil
}
