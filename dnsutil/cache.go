package dnsutil

import (
	"context"
	"errors"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed2385d973/mailauth/internal/scan"
)

// The limits of a [Cache].
const (
	defaultCacheBytes   = 16 << 20
	defaultCacheEntries = 100_000
	minTTL              = time.Minute    // a TTL of 0 must not make a sender's every mail a query
	maxTTL              = 24 * time.Hour // one of 68 years must not keep a stolen key alive
	maxErrorTTL         = 30 * time.Second
	defaultErrorTTL     = 5 * time.Second
)

// Cache is a [Resolver] that remembers the answers of another one: data and
// negative answers (RFC 2308) for their TTL, but at least a minute and at most a
// day, and errors for seconds. An expired answer is never given, not even when
// nobody can be reached. Answers without a TTL are kept for a minute.
//
// Callers who ask the same question at the same time share one look-up, which
// runs under the context of one of them; if that one is cancelled, the next takes
// over. Cache starts no goroutine.
//
// The zero value is ready but for Resolver. It is safe for concurrent use; set the
// fields before the first look-up and do not copy it after.
type Cache struct {
	// Resolver is asked for what is not here. Nil is ErrNoResolver.
	Resolver Resolver
	// MaxBytes bounds the memory of the answers, about; zero means 16 MiB. An answer
	// that alone takes more than a sixteenth of it is not kept.
	MaxBytes int
	// MaxEntries bounds their number; zero means 100,000.
	MaxEntries int
	// ErrorTTL is how long an error is kept: zero means 5 s, more than 30 s
	// means 30 s, and less than zero means not at all. The error of a look-up
	// whose own context ended is never kept.
	ErrorTTL time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	once   sync.Once
	seed   maphash.Seed
	shards []shard
}

// shardsOfLarge is how many locks a cache has that is large enough to be divided.
const shardsOfLarge = 16

// shard is a part of the cache with a lock of its own: a map, and a ring of its
// items about in the order of their last use. Who finds an answer only reads, so that
// everybody can look up at once what everybody needs; the item is marked, and goes to the
// front of the ring instead of away when its turn comes.
type shard struct {
	mu      sync.RWMutex
	items   map[cacheKey]*item
	ring    item // ring.next was stored or spared last, ring.prev is the next to go
	bytes   int
	flights map[cacheKey]*flight
}

type cacheKey struct {
	name string // lower case
	t    Type
}

type item struct {
	next, prev *item
	key        cacheKey
	answer     Answer
	err        error
	stored     time.Time
	expires    time.Time
	size       int
	used       atomic.Bool // since it came to its place in the ring
}

// flight is a look-up under way. done is closed when it is over.
type flight struct {
	done     chan struct{}
	answer   Answer
	err      error
	deserted bool // its leader's context ended: someone else has to ask
}

func (c *Cache) init() {
	n := shardsOfLarge
	if c.maxBytes() < 1<<20 || c.maxEntries() < 1<<10 {
		n = 1
	}
	c.seed = maphash.MakeSeed()
	c.shards = make([]shard, n)
	for i := range c.shards {
		c.shards[i].clear()
	}
}

func (s *shard) clear() {
	s.items = map[cacheKey]*item{}
	s.ring.next, s.ring.prev = &s.ring, &s.ring
	s.bytes = 0
	if s.flights == nil {
		s.flights = map[cacheKey]*flight{}
	}
}

func (c *Cache) maxBytes() int {
	if c.MaxBytes <= 0 {
		return defaultCacheBytes
	}
	return c.MaxBytes
}

func (c *Cache) maxEntries() int {
	if c.MaxEntries <= 0 {
		return defaultCacheEntries
	}
	return c.MaxEntries
}

func (c *Cache) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *Cache) shard(k cacheKey) *shard {
	c.once.Do(c.init)
	if len(c.shards) == 1 {
		return &c.shards[0]
	}
	return &c.shards[maphash.String(c.seed, k.name)%uint64(len(c.shards))]
}

// Lookup implements [Resolver]. The TTL of an answer from memory is what is left of it.
func (c *Cache) Lookup(ctx context.Context, name string, t Type) (Answer, error) {
	if c.Resolver == nil {
		return Answer{}, ErrNoResolver
	}
	k := cacheKey{scan.Lower(name), t}
	s := c.shard(k)
	for {
		if err := ctx.Err(); err != nil {
			return Answer{}, err
		}
		if a, ok, err := s.get(k, c.now()); ok {
			return a, err
		}
		s.mu.Lock()
		f := s.flights[k]
		if it := s.items[k]; it != nil && f == nil && it.live(c.now()) { // stored meanwhile
			s.mu.Unlock()
			continue
		}
		if f == nil {
			f = &flight{done: make(chan struct{}), deserted: true}
			s.flights[k] = f
			s.mu.Unlock()
			return c.lead(ctx, s, k, f)
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return Answer{}, ctx.Err()
		case <-f.done:
			if !f.deserted {
				return f.answer, f.err
			}
		}
	}
}

// Peek implements [Peeker].
func (c *Cache) Peek(name string, t Type) (a Answer, ok bool, err error) {
	k := cacheKey{scan.Lower(name), t}
	return c.shard(k).get(k, c.now())
}

// lead asks for everybody who waits on f.
func (c *Cache) lead(ctx context.Context, s *shard, k cacheKey, f *flight) (Answer, error) {
	// Also if the Resolver panics: those who wait are told to ask for themselves.
	defer func() {
		s.mu.Lock()
		delete(s.flights, k)
		s.mu.Unlock()
		close(f.done)
	}()
	a, err := c.Resolver.Lookup(ctx, k.name, k.t)
	if err != nil {
		a = Answer{}
	}
	if err != nil && ctx.Err() != nil {
		return a, err
	}
	f.answer, f.err, f.deserted = a, err, false
	if keep := c.lifetime(a, err); keep > 0 {
		k.name = strings.Clone(k.name) // the caller's may be a piece of something large
		now := c.now()
		n := len(c.shards)
		it := &item{key: k, answer: a, err: err, stored: now, expires: now.Add(keep), size: itemSize(k, a, err)} // which may panic, if err does
		s.mu.Lock()
		s.put(it, c.maxBytes()/n, c.maxEntries()/n, c.maxBytes()/shardsOfLarge)
		s.mu.Unlock()
	}
	return a, err
}

// lifetime is how long to keep an outcome.
func (c *Cache) lifetime(a Answer, err error) time.Duration {
	switch {
	case err == nil:
		return min(max(a.TTL, minTTL), maxTTL)
	case errors.Is(err, ErrName), errors.Is(err, ErrType), errors.Is(err, ErrNoResolver), errors.Is(err, ErrBudget):
		return 0 // about the question or the asker, not about the DNS
	case c.ErrorTTL == 0:
		return defaultErrorTTL
	}
	return min(c.ErrorTTL, maxErrorTTL)
}

// Size returns the number of answers held, expired ones included, and about how
// many octets they take.
func (c *Cache) Size() (entries, bytes int) {
	c.once.Do(c.init)
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		entries += len(s.items)
		bytes += s.bytes
		s.mu.RUnlock()
	}
	return entries, bytes
}

// Clear forgets everything.
func (c *Cache) Clear() {
	c.once.Do(c.init)
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.clear()
		s.mu.Unlock()
	}
}

// get returns what the shard has and has not expired.
func (s *shard) get(k cacheKey, now time.Time) (Answer, bool, error) {
	s.mu.RLock()
	it := s.items[k]
	s.mu.RUnlock()
	if it == nil || !it.live(now) {
		return Answer{}, false, nil
	}
	// Nothing of an item changes once it is stored but this mark and its place.
	if !it.used.Load() {
		it.used.Store(true)
	}
	a := it.answer
	a.TTL = max(0, a.TTL-now.Sub(it.stored))
	return a, true, it.err
}

// live reports whether an item has not expired. A clock that was set back to before
// the answer came makes it expired too.
func (it *item) live(now time.Time) bool {
	return now.Before(it.expires) && !now.Before(it.stored)
}

// maxSpared is how many items may be spared for one that is stored.
const maxSpared = 32

// put stores an item and drops the ones longest unused to make room.
func (s *shard) put(it *item, maxBytes, maxEntries, maxItem int) {
	if old := s.items[it.key]; old != nil {
		s.drop(old)
	}
	if it.size > maxItem {
		return
	}
	for spared := 0; len(s.items) >= maxEntries || s.bytes+it.size > maxBytes; {
		last := s.ring.prev
		if last.used.Load() && spared < maxSpared && last.live(it.stored) {
			spared++
			last.used.Store(false)
			last.unlink()
			s.link(last)
			continue
		}
		s.drop(last)
	}
	s.items[it.key] = it
	s.link(it)
	s.bytes += it.size
}

func (s *shard) drop(it *item) {
	delete(s.items, it.key)
	it.unlink()
	s.bytes -= it.size
}

func (s *shard) link(it *item) {
	it.next, it.prev = s.ring.next, &s.ring
	it.next.prev, s.ring.next = it, it
}

func (it *item) unlink() {
	it.prev.next, it.next.prev = it.next, it.prev
}

// itemSize is about what an item takes in memory: the structures, and every string.
func itemSize(k cacheKey, a Answer, err error) int {
	const fixed, slot = 400, 40 // the item and its place in the map; a string and its allocation
	n := fixed + len(k.name)
	for _, list := range [...][]string{a.TXT, a.Names, a.Chain} {
		for _, s := range list {
			n += slot + len(s)
		}
	}
	for _, m := range a.MX {
		n += slot + len(m.Host)
	}
	for _, c := range a.CAA {
		n += slot + len(c.Tag) + len(c.Value)
	}
	n += slot * len(a.Addrs)
	if err != nil {
		n += slot + len(err.Error())
	}
	return n
}
