package dnstest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/seed2385d973/mailauth/dnsutil"
)

// ConformanceZone is what the DNS behind a Resolver has to hold for
// [TestResolver]. Besides, every question about servfail.conformance.example has
// to fail, with SERVFAIL if it goes through a server.
const ConformanceZone = `
$ORIGIN conformance.example.
$TTL 3600
@           SOA   ns hostmaster 1 7200 900 1209600 300
@           NS    ns
ns          A     192.0.2.53
data        TXT   "one " "string"
data        TXT   "octets \000\255 \"\\"
data        A     192.0.2.1
data        A     192.0.2.2
data        AAAA  2001:db8::1
mapped      AAAA  ::ffff:192.0.2.1
data        MX    10 mx1
data        MX    20 mx2
null        MX    0 .
data        CAA   0 issuevmc "ca.example; policy=\"a\\b\""
data        CAA   128 Iodef ""
empty       TXT   ""
a.b.deep    TXT   "deep"
o'brien+tag TXT   "odd"
alias       CNAME alias2
alias2      CNAME data
dangling    CNAME missing
loop        CNAME pool
pool        CNAME loop
*.wild      TXT   "wild"
big         TXT   "` + big250 + `" "` + big250 + `" "` + big250 + `" "` + big250 + `" "` + big250 + `" "` + big250 + `"
1.2.0.192.in-addr.arpa. PTR data
`

const big250 = big50 + big50 + big50 + big50 + big50
const big50 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"

// NewConformanceZone returns a Zone that [TestResolver] is content with, for
// serving it to others.
func NewConformanceZone() *Zone {
	return MustParse(ConformanceZone).WithFault("servfail."+origin, 0, dnsutil.ErrServFail)
}

const origin = "conformance.example."

// An Exemption is something that a Resolver says in its documentation it cannot do.
type Exemption int

// What TestResolver can be told not to ask for.
const (
	NoNXDomain  Exemption = iota + 1 // cannot tell NXDOMAIN from NODATA (dnsutil.FromNet)
	NoChain                          // does not report CNAMEs
	NoCNAMEType                      // cannot be asked for CNAME records
	NoOddNames                       // refuses unusual questions, with an error
	NoCAA                            // cannot be asked for CAA records (dnsutil.FromNet)
	NoMapped                         // loses AAAA records with an IPv4-mapped address
)

// TestResolver tests a Resolver whose DNS holds [ConformanceZone]: that data, no
// data, no domain and failure are four different outcomes; that a TXT record's
// strings are joined and their octets kept; that CNAMEs are followed, loops are
// errors, and the context is heeded, from many goroutines at once. It returns all that
// it found wrong, joined. In a test:
//
//	if err := dnstest.TestResolver(r); err != nil {
//		t.Fatal(err)
//	}
func TestResolver(r dnsutil.Resolver, except ...Exemption) error {
	c := conformance{r: r, except: except}
	for _, check := range checks {
		c.ask(check)
	}
	c.context()
	c.concurrently()
	return errors.Join(c.problems...)
}

type kind int

const (
	data kind = iota
	nodata
	nxdomain
	failure
)

func (k kind) String() string {
	return [...]string{"data", "no data", "no such domain", "failure"}[k]
}

type check struct {
	name  string
	t     dnsutil.Type
	want  kind
	data  []string // in any order, as texts
	chain []string
	odd   bool // NoOddNames allows an error
}

var checks = [...]check{
	{name: "data", t: dnsutil.TypeTXT, data: []string{"one string", "octets \x00\xff \"\\"}},
	{name: "DATA", t: dnsutil.TypeTXT, data: []string{"one string", "octets \x00\xff \"\\"}},
	{name: "data", t: dnsutil.TypeA, data: []string{"192.0.2.1", "192.0.2.2"}},
	{name: "data", t: dnsutil.TypeAAAA, data: []string{"2001:db8::1"}},
	{name: "mapped", t: dnsutil.TypeAAAA, data: []string{"::ffff:192.0.2.1"}},
	{name: "data", t: dnsutil.TypeMX, data: []string{"10 mx1." + origin, "20 mx2." + origin}},
	{name: "null", t: dnsutil.TypeMX, data: []string{"0 ."}},
	{name: "data", t: dnsutil.TypeCAA, data: []string{`0 issuevmc ca.example; policy="a\b"`, "128 iodef "}},
	{name: "ns", t: dnsutil.TypeCAA, want: nodata},
	{name: "missing", t: dnsutil.TypeCAA, want: nxdomain},
	{name: "empty", t: dnsutil.TypeTXT, data: []string{""}},
	{name: "big", t: dnsutil.TypeTXT, data: []string{strings.Repeat(big250, 6)}},
	{name: "x.y.wild", t: dnsutil.TypeTXT, data: []string{"wild"}},
	{name: "1.2.0.192.in-addr.arpa.", t: dnsutil.TypePTR, data: []string{"data." + origin}},
	{name: "o'brien+tag", t: dnsutil.TypeTXT, data: []string{"odd"}, odd: true},
	{name: "alias", t: dnsutil.TypeCNAME, data: []string{"alias2." + origin}},
	{name: "alias", t: dnsutil.TypeA, data: []string{"192.0.2.1", "192.0.2.2"}, chain: []string{"alias2", "data"}},
	{name: "alias", t: dnsutil.TypePTR, want: nodata, chain: []string{"alias2", "data"}, odd: true},
	{name: "dangling", t: dnsutil.TypeTXT, want: nxdomain, chain: []string{"missing"}},
	{name: "loop", t: dnsutil.TypeTXT, want: failure},
	{name: "ns", t: dnsutil.TypeTXT, want: nodata},
	{name: "data", t: dnsutil.TypePTR, want: nodata, odd: true},
	{name: "empty", t: dnsutil.TypeA, want: nodata},
	{name: "b.deep", t: dnsutil.TypeTXT, want: nodata}, // RFC 8020: it has a name below it
	{name: "missing", t: dnsutil.TypeTXT, want: nxdomain},
	{name: "missing", t: dnsutil.TypeA, want: nxdomain},
	{name: "x.missing", t: dnsutil.TypeMX, want: nxdomain},
	{name: "servfail", t: dnsutil.TypeTXT, want: failure},
	{name: "servfail", t: dnsutil.TypeA, want: failure},
}

type conformance struct {
	r        dnsutil.Resolver
	except   []Exemption
	problems []error
}

func (c *conformance) exempt(e Exemption) bool { return slices.Contains(c.except, e) }

func (c *conformance) wrong(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf(format, args...))
}

// full is the name as it is asked.
func (k check) full() string {
	if strings.HasSuffix(k.name, ".") {
		return k.name
	}
	return k.name + "." + origin
}

func (c *conformance) ask(k check) {
	if k.t == dnsutil.TypeCNAME && c.exempt(NoCNAMEType) || k.t == dnsutil.TypeCAA && c.exempt(NoCAA) || k.name == "mapped" && c.exempt(NoMapped) {
		return
	}
	q := k.t.String() + " " + k.full()
	a, err := c.r.Lookup(context.Background(), k.full(), k.t)
	if k.odd && err != nil && c.exempt(NoOddNames) {
		return
	}
	got := outcomeOf(a, err)
	if got == nodata && k.want == nxdomain && c.exempt(NoNXDomain) {
		got = nxdomain
	}
	if got != k.want {
		c.wrong("%s: %v (%+v, %v), want %v", q, got, a, err, k.want)
		return
	}
	if err != nil {
		if !a.Empty() || a.NXDomain {
			c.wrong("%s: an answer together with error %v", q, err)
		}
		return
	}
	if a.NXDomain && !a.Empty() {
		c.wrong("%s: records at a name that does not exist", q)
	}
	if got, want := texts(a, k.t), slices.Sorted(slices.Values(k.data)); !slices.Equal(got, want) {
		c.wrong("%s: %q, want %q", q, got, want)
	}
	if n := len(a.TXT) + len(a.Addrs) + len(a.MX) + len(a.Names) + len(a.CAA); n != len(k.data) {
		c.wrong("%s: %d records, want %d of that type and none of another: %+v", q, n, len(k.data), a)
	}
	for _, ip := range a.Addrs {
		if ip.Is4() != (k.t == dnsutil.TypeA) {
			c.wrong("%s: %v is of the wrong family (netip.Addr.Unmap?)", q, ip)
		}
	}
	if a.TTL < 0 {
		c.wrong("%s: TTL %v", q, a.TTL)
	}
	if !c.exempt(NoChain) {
		var want []string
		for _, n := range k.chain {
			want = append(want, n+"."+origin)
		}
		if !slices.EqualFunc(a.Chain, want, strings.EqualFold) {
			c.wrong("%s: chain %q, want %q", q, a.Chain, want)
		}
	}
}

func outcomeOf(a dnsutil.Answer, err error) kind {
	switch {
	case err != nil:
		return failure
	case a.NXDomain:
		return nxdomain
	case a.Empty():
		return nodata
	}
	return data
}

// texts are the records of the type asked for, in a common order. Names may be in any case.
func texts(a dnsutil.Answer, t dnsutil.Type) []string {
	var out []string
	switch t {
	case dnsutil.TypeTXT:
		out = append(out, a.TXT...)
	case dnsutil.TypeA, dnsutil.TypeAAAA:
		for _, ip := range a.Addrs {
			out = append(out, netip.Addr.String(ip))
		}
	case dnsutil.TypeMX:
		for _, m := range a.MX {
			out = append(out, fmt.Sprintf("%d %s", m.Preference, strings.ToLower(m.Host)))
		}
	case dnsutil.TypeCAA:
		for _, p := range a.CAA {
			out = append(out, fmt.Sprintf("%d %s %s", p.Flags, strings.ToLower(p.Tag), p.Value))
		}
	default:
		for _, n := range a.Names {
			out = append(out, strings.ToLower(n))
		}
	}
	slices.Sort(out)
	return out
}

// context asks under a context that is over.
func (c *conformance) context() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if a, err := c.r.Lookup(ctx, "unheard-of."+origin, dnsutil.TypeTXT); err == nil {
		c.wrong("a cancelled context: %+v, want an error", a)
	}
}

// concurrently asks for everything from several goroutines and expects what one gets.
func (c *conformance) concurrently() {
	const goroutines = 4
	want := make([]string, len(checks))
	render := func(k check) string {
		a, err := c.r.Lookup(context.Background(), k.full(), k.t)
		return fmt.Sprint(outcomeOf(a, err), texts(a, k.t))
	}
	for i, k := range checks {
		want[i] = render(k)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range checks {
				i = (i + 3*g) % len(checks)
				if got := render(checks[i]); got != want[i] {
					mu.Lock()
					c.wrong("%s %s, asked by several: %s, want %s", checks[i].t, checks[i].full(), got, want[i])
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
}
