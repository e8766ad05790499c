package dnstest

import (
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/internal/rr"
)

const defaultTTL = 3600 // seconds; RFC 1035 has no default, but a test needs none of its own

// parseText reads master-file text. Records of types that no verifier asks for
// only make their name exist.
func (z *Zone) parseText(text string) error {
	p := dns.NewZoneParser(strings.NewReader(text), ".", "")
	p.SetDefaultTTL(defaultTTL)
	for r, ok := p.Next(); ok; r, ok = p.Next() {
		h := r.Header()
		if h.Class != dns.ClassINET {
			return fmt.Errorf("zone: %s: class %s", h.Name, dns.ClassToString[h.Class])
		}
		ttl := time.Duration(h.Ttl) * time.Second
		name, t := rr.Name(h.Name), dnsutil.Type(h.Rrtype)
		n := z.node(name)
		for up := parent(name); up != ""; up = parent(up) {
			z.node(up) // RFC 8020: what has something below it exists
		}
		if soa, ok := r.(*dns.SOA); ok {
			n.ttl = min(ttl, time.Duration(soa.Minttl)*time.Second) // RFC 2308, section 5
		}
		if caa, ok := r.(*dns.CAA); ok {
			caa.Value = rr.Text([]string{caa.Value}) // as it is in a message
		}
		a, ok := n.data[t]
		if !rr.Add(&a, r, t) {
			continue
		}
		if t == dnsutil.TypeCNAME && len(a.Names) > 1 {
			return fmt.Errorf("zone: %s: more than one CNAME", h.Name)
		}
		if !ok || ttl < a.TTL {
			a.TTL = ttl
		}
		n.data[t] = a
	}
	if err := p.Err(); err != nil {
		return fmt.Errorf("zone: %w", err)
	}
	return nil
}
