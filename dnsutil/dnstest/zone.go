// Package dnstest provides a fake DNS for tests, [Zone], and a conformance test
// for Resolvers, [TestResolver]. Neither opens a socket.
//
// A zone is written as RFC 1035 master-file text, or as the JSON object that the
// command mailauth reads:
//
//	z := dnstest.MustParse(`
//	example.com.        TXT "v=spf1 mx -all"
//	example.com.        MX  10 mail.example.com.
//	mail.example.com.   A   192.0.2.1
//	`)
//	z = z.WithFault("mail.example.com", dnsutil.TypeA, dnsutil.ErrServFail)
package dnstest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/internal/rr"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// Zone is a fake DNS: a [dnsutil.Resolver] that answers from a fixed set of
// records and remembers what it was asked. It is safe for concurrent use. A zone
// never changes; the With methods return a changed copy with an empty log.
// The zero value knows no name: every answer is NXDOMAIN.
type Zone struct {
	// Delay is how long each answer takes; zero is at once. It is cut short by
	// the end of the context and runs on the fake clock of testing/synctest. Set
	// it before the first look-up. A zone without Delay counts as one that has
	// all its answers in memory (dnsutil.Peeker).
	Delay time.Duration

	nodes  map[string]*node // by lower-case absolute name
	any    *node            // the JSON form's "*": every name that is not listed
	strict bool             // zone text: RFC 4592 wildcards, negative TTL
	faults map[question]outcome

	mu  sync.Mutex
	log []Query
}

// A node is what stands at one name. A node without records exists all the same.
type node struct {
	data map[dnsutil.Type]dnsutil.Answer
	ttl  time.Duration // negative TTL at and below, if there is an SOA here
}

// A question of type 0 stands for all types, a name "*." for all names.
type question struct {
	name string
	t    dnsutil.Type
}

type outcome struct {
	a   dnsutil.Answer
	err error
}

// Parse reads a zone.
//
// Text that does not begin with "{" is RFC 1035, section 5 master-file text: the
// origin is the root and the TTL one hour until $ORIGIN and $TTL say otherwise;
// $INCLUDE is refused. Names that have names below them exist (RFC 8020), and "*"
// labels are wildcards as in RFC 4592. An SOA gives negative answers their TTL.
//
// Text that begins with "{" is a JSON object from names, without final dot, to
// what they have: TXT as lists of chunks, where {"b64": "..."} is a chunk of
// raw octets; A, AAAA and PTR as lists of strings; MX as lists of [preference,
// "host"]; CAA as lists of [flags, "tag", "value"]; CNAME as a string; "<TYPE>_rcode" and, for all types, "error" as one of
// the words nodata, nxdomain, servfail, timeout, refused, formerr, notimp. The
// name "*" stands for every name that is not listed. A name that is not there does
// not exist, whatever is below it. These answers have no TTL.
//
// In both forms a name with a CNAME has no other record (RFC 1034, section 3.6.2):
// whatever else it is given is not seen, but faults and rcodes are.
func Parse(text string) (*Zone, error) {
	z := &Zone{nodes: map[string]*node{}, faults: map[question]outcome{}}
	var err error
	if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		err = z.parseJSON(text)
	} else {
		z.strict = true
		err = z.parseText(text)
	}
	if err != nil {
		return nil, err
	}
	return z, nil
}

// MustParse is Parse for zones that stand in a program's text; it panics on an error.
func MustParse(text string) *Zone {
	z, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return z
}

func (z *Zone) node(name string) *node {
	n := z.nodes[name]
	if n == nil {
		n = &node{data: map[dnsutil.Type]dnsutil.Answer{}}
		z.nodes[name] = n
	}
	return n
}

// key is a name as the maps have it.
func key(name string) string {
	if !strings.HasSuffix(name, ".") {
		name += "."
	}
	return rr.Name(name)
}

// Lookup implements [dnsutil.Resolver]. A name that is not absolute and legal is
// dnsutil.ErrName, so that a caller who would have asked the search list is found out.
func (z *Zone) Lookup(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	i := z.begin(name, t)
	err := z.wait(ctx)
	var a dnsutil.Answer
	if err == nil {
		a, err = z.answer(name, t)
	}
	z.end(i, err)
	return a, err
}

// Peek implements [dnsutil.Peeker]. It is logged as a look-up.
func (z *Zone) Peek(name string, t dnsutil.Type) (a dnsutil.Answer, ok bool, err error) {
	if z.Delay > 0 {
		return dnsutil.Answer{}, false, nil
	}
	i := z.begin(name, t)
	a, err = z.answer(name, t)
	z.end(i, err)
	return a, true, err
}

func (z *Zone) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil || z.Delay <= 0 {
		return err
	}
	timer := time.NewTimer(z.Delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (z *Zone) answer(name string, t dnsutil.Type) (dnsutil.Answer, error) {
	if _, err := domain.ParseQuery(name); err != nil || !strings.HasSuffix(name, ".") {
		return dnsutil.Answer{}, fmt.Errorf("%w: %q", dnsutil.ErrName, name)
	}
	var chain []string
	at := key(name)
	ttl := time.Duration(-1)
	for {
		if o, ok := z.fault(at, t); ok {
			if o.err != nil {
				return dnsutil.Answer{}, fmt.Errorf("%w: %s %s", o.err, t, name)
			}
			o.a.Chain = slices.Concat(chain, o.a.Chain)
			return o.a, nil
		}
		n, exists := z.find(at)
		if n == nil {
			return dnsutil.Answer{NXDomain: !exists, TTL: least(ttl, z.negativeTTL(at)), Chain: chain}, nil
		}
		if c, ok := n.data[dnsutil.TypeCNAME]; ok && t != dnsutil.TypeCNAME {
			if len(chain) == rr.MaxChain {
				return dnsutil.Answer{}, fmt.Errorf("%w: %s %s", dnsutil.ErrChain, t, name)
			}
			at = key(c.Names[0])
			chain = append(chain, at)
			ttl = least(ttl, c.TTL)
			continue
		}
		a, ok := n.data[t]
		if !ok {
			a.TTL = z.negativeTTL(at)
		}
		a.TTL = least(ttl, a.TTL)
		a.Chain = chain
		return a, nil
	}
}

// least is the lesser of two TTLs, where the first is negative as long as there is none.
func least(a, b time.Duration) time.Duration {
	if a < 0 {
		return b
	}
	return min(a, b)
}

func (z *Zone) fault(name string, t dnsutil.Type) (outcome, bool) {
	if len(z.faults) == 0 {
		return outcome{}, false
	}
	for _, q := range [...]question{{name, t}, {name, 0}} {
		if o, ok := z.faults[q]; ok {
			return o, true
		}
	}
	if z.nodes[name] == nil || z.strict {
		for _, q := range [...]question{{"*.", t}, {"*.", 0}} {
			if o, ok := z.faults[q]; ok {
				return o, true
			}
		}
	}
	return outcome{}, false
}

// find returns the node that answers for a name, and whether the name exists.
func (z *Zone) find(name string) (*node, bool) {
	if n := z.nodes[name]; n != nil {
		return n, true
	}
	if !z.strict {
		return z.any, z.any != nil
	}
	// RFC 4592, section 3.3.1: the closest encloser is the longest ancestor that
	// exists, and only its own wildcard can answer.
	for up := parent(name); up != ""; up = parent(up) {
		if z.nodes[up] != nil {
			n := z.nodes["*."+strings.TrimPrefix(up, ".")]
			return n, n != nil
		}
	}
	return nil, false
}

func (z *Zone) negativeTTL(name string) time.Duration {
	for up := name; up != ""; up = parent(up) {
		if n := z.nodes[up]; n != nil && n.ttl > 0 {
			return n.ttl
		}
	}
	return 0
}

// parent returns the name above; "." above the last label, "" above the root.
func parent(name string) string {
	for i := 0; i < len(name); i++ {
		switch name[i] {
		case '\\':
			i++
		case '.':
			if i == len(name)-1 {
				if i == 0 {
					return ""
				}
				return "."
			}
			return name[i+1:]
		}
	}
	return ""
}

// clone copies everything but the log.
func (z *Zone) clone() *Zone {
	return &Zone{Delay: z.Delay, nodes: z.nodes, any: z.any, strict: z.strict, faults: maps.Clone(z.faults)}
}

// WithFault returns a copy of z in which this question fails with err. Type 0
// stands for every type, the name "*" for every name (in the JSON form: every
// name that is not listed). A fault at a name that has a CNAME hides the CNAME.
func (z *Zone) WithFault(name string, t dnsutil.Type, err error) *Zone {
	return z.with(name, t, outcome{err: err})
}

// WithAnswer returns a copy of z in which this question has answer a, a lie if need be.
// Name and type are as for WithFault.
func (z *Zone) WithAnswer(name string, t dnsutil.Type, a dnsutil.Answer) *Zone {
	return z.with(name, t, outcome{a: a})
}

func (z *Zone) with(name string, t dnsutil.Type, o outcome) *Zone {
	c := z.clone()
	if c.faults == nil {
		c.faults = map[question]outcome{}
	}
	c.faults[question{key(name), t}] = o
	return c
}

// Shuffled returns a copy of z that gives the records of each answer in another
// order, the same for the same seed. Nobody may rely on that order.
func (z *Zone) Shuffled(seed uint64) *Zone {
	rnd := rand.New(rand.NewPCG(seed, 0))
	c := z.clone()
	c.nodes = make(map[string]*node, len(z.nodes))
	for _, name := range slices.Sorted(maps.Keys(z.nodes)) {
		c.nodes[name] = z.nodes[name].shuffled(rnd)
	}
	if z.any != nil {
		c.any = z.any.shuffled(rnd)
	}
	return c
}

func (n *node) shuffled(rnd *rand.Rand) *node {
	c := &node{data: make(map[dnsutil.Type]dnsutil.Answer, len(n.data)), ttl: n.ttl}
	for _, t := range slices.Sorted(maps.Keys(n.data)) {
		a := n.data[t]
		a.TXT, a.Addrs = shuffle(rnd, a.TXT), shuffle(rnd, a.Addrs)
		a.MX, a.Names = shuffle(rnd, a.MX), shuffle(rnd, a.Names)
		a.CAA = shuffle(rnd, a.CAA)
		c.data[t] = a
	}
	return c
}

func shuffle[T any](rnd *rand.Rand, s []T) []T {
	s = slices.Clone(s)
	rnd.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	return s
}
