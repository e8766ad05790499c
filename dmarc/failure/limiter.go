package failure

import (
	"strings"
	"sync"
	"time"
)

// maxKeys bounds the destinations of a Limiter.
const maxKeys = 10_000

// Limiter bounds the reports to one destination (RFC 9991, section 2). The zero
// value allows 10 an hour. It is safe for concurrent use.
type Limiter struct {
	Max      int           // reports in an Interval; zero means 10
	Interval time.Duration // zero means an hour

	mu   sync.Mutex
	keys map[string]*window
}

type window struct {
	begin      time.Time
	sent       int
	suppressed uint32
}

// Allow reports whether one more report may go to the destination at the time. The same
// address in another case is the same destination: nobody gets ten times as many by writing it in ten ways.
// Where it may, incidents is how many it stands for: itself, and those refused
// since the last one, for the field Incidents (RFC 9991, section 8.1). With more
// destinations at a time than can be counted, further ones are refused.
func (l *Limiter) Allow(destination string, now time.Time) (incidents uint32, ok bool) {
	limit, interval := l.Max, l.Interval
	if limit <= 0 {
		limit = 10
	}
	if interval <= 0 {
		interval = time.Hour
	}
	destination = strings.ToLower(destination)
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.keys[destination]
	if w == nil {
		if len(l.keys) >= maxKeys {
			for k, old := range l.keys {
				if now.Sub(old.begin) >= interval {
					delete(l.keys, k)
				}
			}
			if len(l.keys) >= maxKeys {
				return 0, false
			}
		}
		if l.keys == nil {
			l.keys = map[string]*window{}
		}
		w = &window{begin: now}
		l.keys[destination] = w
	}
	if now.Sub(w.begin) >= interval {
		w.begin, w.sent = now, 0
	}
	if w.sent >= limit {
		if w.suppressed < 1<<32-2 {
			w.suppressed++
		}
		return 0, false
	}
	w.sent++
	incidents, w.suppressed = w.suppressed+1, 0
	return incidents, true
}
