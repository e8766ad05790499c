package spf

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// testZone is a small zone of random records that both sides read.
type testZone struct {
	text string
	data map[string]map[string][]string
}

func (z *testZone) exists(name string) bool { return z.data[name] != nil }

func (z *testZone) answer(name, typ string) []string { return z.data[name][typ] }

func (z *testZone) add(name, typ, value string) {
	if z.data[name] == nil {
		z.data[name] = map[string][]string{}
	}
	if !slices.Contains(z.data[name][typ], value) {
		z.data[name][typ] = append(z.data[name][typ], value)
	}
}

// resolver renders the zone as the JSON of the fake DNS.
func (z *testZone) resolver() *dnstest.Zone {
	var b strings.Builder
	b.WriteString("{")
	names := make([]string, 0, len(z.data))
	for n := range z.data {
		names = append(names, n)
	}
	sort.Strings(names)
	for i, n := range names {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "%q: {", n)
		sep := ""
		for _, typ := range []string{"A", "AAAA", "MX", "PTR", "TXT"} {
			v := z.data[n][typ]
			if len(v) == 0 {
				continue
			}
			b.WriteString(sep)
			sep = ", "
			if isErr(v) {
				fmt.Fprintf(&b, "%q: \"servfail\"", typ+"_rcode")
				continue
			}
			fmt.Fprintf(&b, "%q: [", typ)
			for j, s := range v {
				if j > 0 {
					b.WriteString(", ")
				}
				switch typ {
				case "TXT":
					fmt.Fprintf(&b, "[%q]", s)
				case "MX":
					fmt.Fprintf(&b, "[%s, %q]", s[:2], s[3:])
				default:
					fmt.Fprintf(&b, "%q", s)
				}
			}
			b.WriteString("]")
		}
		b.WriteString("}")
	}
	b.WriteString("}")
	z.text = b.String()
	return dnstest.MustParse(z.text)
}

// randomZone makes a zone of eight names full of terms about each other (F11, P18).
func randomZone(seed uint64) *testZone { return zoneFrom(rand.New(rand.NewPCG(seed, 7)).IntN) }

func zoneFrom(intn func(int) int) *testZone {
	z := &testZone{data: map[string]map[string][]string{}}
	names := []string{"v.example", "w.example", "x.v.example", "y.example", "z.w.example", "q.example", "r.example", "s.v.example"}
	pick := func(l []string) string { return l[intn(len(l))] }
	addrs4 := []string{"192.0.2.9", "192.0.2.8", "203.0.113.1", "203.0.113.2"}
	addrs6 := []string{"2001:db8::9", "2001:db8::8", "2001:db8:1::1"}
	specs := append([]string{
		"%{d}", "%{o}", "x.%{d2}", "%{l}.v.example", "%{l1r-}.v.example", "%{h}", "%{ir}.%{v}.arpa", "%{p}", "%{i}.q.example", "%{p}.example",
		"%{d1r}.example", "%{s}.example", "%{l}..example", "%{dr}.example", "%{o1r}.%{d1}", "missing.example", "w.example.",
	}, names...)
	mechanism := func() string {
		switch intn(14) {
		case 0, 1, 2:
			return "include:" + pick(specs)
		case 3:
			return "a"
		case 4, 5:
			return "a:" + pick(specs) + pick([]string{"", "", "/24", "//64", "/31//127", "/0"})
		case 6:
			return "mx" + pick([]string{"", "", "/24", "//64"})
		case 7:
			return "mx:" + pick(specs)
		case 8:
			return "ptr"
		case 9:
			return "ptr:" + pick(specs)
		case 10:
			return "exists:" + pick(specs)
		case 11:
			return "ip4:" + pick(addrs4) + pick([]string{"", "/24", "/0"})
		case 12:
			return "ip6:" + pick(addrs6) + pick([]string{"", "/64", "/0"})
		}
		if intn(20) == 0 {
			return "bad"
		}
		return "all"
	}
	for _, n := range names {
		if intn(8) > 0 {
			record := pick([]string{"v=spf1", "v=spf1", "V=SPF1"})
			for range intn(6) {
				record += pick([]string{" ", "  "}) + pick([]string{"", "", "+", "-", "-", "~", "?"}) + mechanism()
			}
			if intn(3) == 0 {
				record += " redirect=" + pick(specs)
			}
			if intn(3) == 0 {
				record += " -all"
			}
			z.add(n, "TXT", record)
			if intn(25) == 0 {
				z.add(n, "TXT", "v=spf1 +all")
			}
		}
		z.add(n, "TXT", "something else")
		for range intn(3) {
			z.add(n, "A", pick(addrs4))
		}
		for range intn(3) {
			z.add(n, "AAAA", pick(addrs6))
		}
		for range intn(4) {
			z.add(n, "MX", pick([]string{"10 ", "20 "})+pick(names))
		}
		if intn(12) == 0 {
			for i := range 9 + intn(4) {
				z.add(n, "MX", fmt.Sprintf("10 h%d.%s", i, n))
				if intn(3) > 0 {
					z.add(fmt.Sprintf("h%d.%s", i, n), "A", pick(addrs4))
				}
			}
		}
		if intn(25) == 0 {
			z.data[n][pick([]string{"A", "AAAA", "MX", "TXT"})] = []string{"ERROR"}
		}
	}
	z.add("a.v.example", "A", "127.0.0.2")
	for _, rev := range []string{"9.2.0.192.in-addr.arpa", "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"} {
		for range intn(4) {
			z.add(rev, "PTR", pick(names))
		}
		if intn(15) == 0 {
			z.add(rev, "TXT", "x")
			z.data[rev]["PTR"] = []string{"ERROR"}
		}
		if intn(10) == 0 {
			for i := range 12 {
				z.add(rev, "PTR", fmt.Sprintf("p%d.v.example", i))
			}
			z.add("p9.v.example", "A", "192.0.2.9")
		}
	}
	return z
}
