package lookup

import (
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/dnsutil"
)

type state uint8

const (
	queued  state = iota
	running       // a Resolver has it
	done
)

// entry is one question of the session and its answer. Answers are kept until
// the session ends; errors too, so that a question is asked once.
type entry struct {
	name     string // absolute, lower case
	t        dnsutil.Type
	state    state
	spec     bool   // begun by Prefetch
	sent     bool   // reached the Resolver
	demanded uint64 // a bit for each scope that demanded it
	charged  uint64 // ... that has paid for the answer
	denied   uint64 // ... whose octets did not suffice
	size     int
	answer   dnsutil.Answer
	err      error
	waiter   chan struct{} // the first who waits; the rest are in waiters
	waiters  []chan struct{}
}

func (e *entry) String() string { return e.t.String() + " " + e.name }

// memo holds the entries where they do not move: in room that is part of the session
// or made with it, then in a chain of blocks. When they are many it keeps an index.
type memo struct {
	n          int
	room       []entry
	head, tail *block
	index      map[memoKey]*entry
	names      strings.Builder
}

type block struct {
	entries [blockLen]entry
	n       int
	next    *block
}

type memoKey struct {
	name string // without final dot
	t    dnsutil.Type
}

const (
	roomOfMessage = 12 // entries that a session of many scopes begins with
	blockLen      = 12
	indexFrom     = 24
	nameBlock     = 512
)

func (m *memo) find(name string, t dnsutil.Type) *entry {
	if m.index != nil {
		return m.index[memoKey{name, t}]
	}
	for i := range m.room {
		if e := &m.room[i]; e.is(name, t) {
			return e
		}
	}
	for b := m.head; b != nil; b = b.next {
		for i := range b.n {
			if e := &b.entries[i]; e.is(name, t) {
				return e
			}
		}
	}
	return nil
}

func (e *entry) is(name string, t dnsutil.Type) bool {
	return e.t == t && len(e.name) == len(name)+1 && e.name[:len(name)] == name
}

func (m *memo) add(name, abs string, t dnsutil.Type) *entry {
	if abs == "" {
		abs = m.absolute(name)
	}
	if m.n == indexFrom {
		m.reindex()
	}
	var e *entry
	if n := len(m.room); n < cap(m.room) {
		m.room = m.room[:n+1]
		e = &m.room[n]
	} else {
		b := m.tail
		switch {
		case b == nil:
			b = new(block)
			m.head, m.tail = b, b
		case b.n == blockLen:
			b.next = new(block)
			b = b.next
			m.tail = b
		}
		e = &b.entries[b.n]
		b.n++
	}
	m.n++
	e.name, e.t = abs, t
	if m.index != nil {
		m.index[memoKey{abs[:len(abs)-1], t}] = e
	}
	return e
}

// reindex makes the index.
func (m *memo) reindex() {
	m.index = make(map[memoKey]*entry, 4*blockLen)
	m.each(func(e *entry) { m.index[memoKey{e.name[:len(e.name)-1], e.t}] = e })
}

// absolute adds the final dot. From the second name on the names share blocks: a
// Builder never touches again what it has handed out.
func (m *memo) absolute(name string) string {
	if m.n == 0 {
		return name + "."
	}
	if m.names.Cap()-m.names.Len() <= len(name) {
		m.names = strings.Builder{}
		m.names.Grow(nameBlock)
	}
	at := m.names.Len()
	m.names.WriteString(name)
	m.names.WriteByte('.')
	return m.names.String()[at:]
}

// each visits the entries in the order in which they were added.
func (m *memo) each(f func(*entry)) {
	for i := range m.room {
		f(&m.room[i])
	}
	for b := m.head; b != nil; b = b.next {
		for i := range b.n {
			f(&b.entries[i])
		}
	}
}

// vet finds an answer that cannot be one to a question for t. An adapter that
// mixes these up confuses NXDOMAIN with data sooner or later; the question
// counts as failed.
func vet(a *dnsutil.Answer, t dnsutil.Type) error {
	txt, addrs, mx, names, caa := len(a.TXT) > 0, len(a.Addrs) > 0, len(a.MX) > 0, len(a.Names) > 0, len(a.CAA) > 0
	switch t {
	case dnsutil.TypeTXT:
		txt = false
	case dnsutil.TypeA, dnsutil.TypeAAAA:
		addrs = false
		for _, ip := range a.Addrs {
			if ip.Is4() != (t == dnsutil.TypeA) || !ip.IsValid() || ip.Zone() != "" {
				return fmt.Errorf("%w: %v is not the address of a record of type %s", dnsutil.ErrAnswer, ip, t)
			}
		}
	case dnsutil.TypeMX:
		mx = false
	case dnsutil.TypePTR, dnsutil.TypeCNAME:
		names = false
	case dnsutil.TypeCAA:
		caa = false
	}
	if txt || addrs || mx || names || caa {
		return fmt.Errorf("%w: records of another type than %s", dnsutil.ErrAnswer, t)
	}
	if a.NXDomain && !a.Empty() {
		return fmt.Errorf("%w: records at a name that does not exist", dnsutil.ErrAnswer)
	}
	return nil
}

// size is what an answer costs of the budget: its data, and 12 octets a record
// for what surrounds it on the wire (RFC 1035, section 3.2.1).
func size(a *dnsutil.Answer) int {
	const fixed = 12
	n := fixed * (len(a.TXT) + len(a.Addrs) + len(a.MX) + len(a.Names) + len(a.CAA) + len(a.Chain))
	for _, s := range a.TXT {
		n += len(s)
	}
	for _, ip := range a.Addrs {
		n += ip.BitLen() / 8
	}
	for _, m := range a.MX {
		n += 2 + len(m.Host)
	}
	for _, s := range a.Names {
		n += len(s)
	}
	for _, c := range a.CAA {
		n += 2 + len(c.Tag) + len(c.Value)
	}
	for _, s := range a.Chain {
		n += len(s)
	}
	return n
}
