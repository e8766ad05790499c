package fetch

import (
	"container/list"
	"context"
	"errors"
	"time"
)

// How long what is remembered stays good.
const (
	minTTL       = 60 * time.Second
	maxTTL       = 24 * time.Hour
	defaultTTL   = time.Hour        // for an answer without Cache-Control
	maxTTLCRL    = time.Hour        // a list may be replaced at any time
	permanentTTL = 5 * time.Minute  // a publisher corrects a mistake and tries again
	temporaryTTL = 30 * time.Second // what fails for everybody is not asked for each message
)

// entryCost is what an entry costs beyond its octets, roughly.
const entryCost = 512

// key is what a remembered answer belongs to. The domain is part of it, so that
// no domain can put something into the way of another; the limit and the kind
// are, because they decide the outcome.
type key struct {
	domain string
	url    string
	max    int64
	crl    bool
}

// entry is what is remembered: a document or a failure.
type entry struct {
	key  key
	doc  Document
	fail *Failure
	good time.Time // until when
	cost int
}

// store holds entries, the one longest unused at the back.
type store struct {
	byKey map[key]*list.Element
	order list.List
	cost  int
}

// flight is a request under way; doc and fail are set when done is closed.
type flight struct {
	done chan struct{}
	doc  Document
	fail *Failure
}

// claim returns a remembered answer, or else the request under way for k, and
// whether the caller is to make it.
func (f *Fetcher) claim(k key) (Document, *Failure, *flight, bool) {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if e, ok := f.cache.byKey[k]; ok {
		if x := e.Value.(*entry); now.Before(x.good) {
			f.cache.order.MoveToFront(e)
			doc := x.doc
			doc.Cached = true
			return doc, x.fail, nil, false
		}
		f.cache.remove(e)
	}
	if fl, ok := f.flights[k]; ok {
		return Document{}, nil, fl, false
	}
	if f.flights == nil {
		f.flights = map[key]*flight{}
	}
	fl := &flight{done: make(chan struct{})}
	f.flights[k] = fl
	return Document{}, nil, fl, true
}

// land ends a request and remembers what came of it.
func (f *Fetcher) land(k key, fl *flight, doc Document, fail *Failure, ttl time.Duration) {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	fl.doc, fl.fail = doc, fail
	close(fl.done)
	delete(f.flights, k)
	switch {
	case fail == nil:
	case errors.Is(fail, ErrCanceled):
		return
	case fail.temp:
		ttl = temporaryTTL
	default:
		ttl = permanentTTL
	}
	size := f.CacheSize
	if size == 0 {
		size = DefaultCacheSize
	}
	x := &entry{key: k, doc: doc, fail: fail, good: now.Add(ttl), cost: entryCost + len(doc.Body) + len(k.url) + len(k.domain)}
	if x.cost > size/2 {
		return // one document must not push out all others
	}
	if f.cache.byKey == nil {
		f.cache.byKey = map[key]*list.Element{}
	}
	f.cache.byKey[k] = f.cache.order.PushFront(x)
	for f.cache.cost += x.cost; f.cache.cost > size; {
		f.cache.remove(f.cache.order.Back())
	}
}

func (s *store) remove(e *list.Element) {
	x := s.order.Remove(e).(*entry)
	delete(s.byKey, x.key)
	s.cost -= x.cost
}

// gate lets a few requests at a time through to one host; no domain shall make us flood another.
type gate struct {
	places chan struct{}
	users  int
}

// enter waits for a place at the host; leave gives it back.
func (f *Fetcher) enter(ctx context.Context, host string) (leave func(), err error) {
	f.mu.Lock()
	g, ok := f.hosts[host]
	if !ok {
		n := f.MaxPerHost
		if n <= 0 {
			n = DefaultMaxPerHost
		}
		g = &gate{places: make(chan struct{}, n)}
		if f.hosts == nil {
			f.hosts = map[string]*gate{}
		}
		f.hosts[host] = g
	}
	g.users++
	f.mu.Unlock()
	out := func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if g.users--; g.users == 0 {
			delete(f.hosts, host)
		}
	}
	select {
	case g.places <- struct{}{}:
		return func() { <-g.places; out() }, nil
	case <-ctx.Done():
		out()
		return nil, ctx.Err()
	}
}
