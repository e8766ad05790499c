package main

import (
	"context"
	"net"
	"net/netip"
	"testing"

	peer "blitiri.com.ar/go/spf"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/spf"
)

type check struct {
	name       string
	ours, peer func()
}

// world answers both libraries from the same table.
type world map[dnsutil.Type]map[string]dnsutil.Answer

func (w world) Lookup(_ context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	return w[t][name], nil
}

func (w world) Peek(name string, t dnsutil.Type) (dnsutil.Answer, bool, error) {
	return w[t][name], true, nil
}

// peerDNS is a world as the other library asks it. What it is handed is made
// beforehand, as far as the interface lets it be.
type peerDNS struct {
	txt map[string][]string
	mx  map[string][]*net.MX
	ip  map[string][]net.IPAddr
}

func (p peerDNS) LookupTXT(_ context.Context, name string) ([]string, error) { return p.txt[name], nil }

func (p peerDNS) LookupMX(_ context.Context, name string) ([]*net.MX, error) { return p.mx[name], nil }

func (p peerDNS) LookupIPAddr(_ context.Context, name string) ([]net.IPAddr, error) {
	return p.ip[name], nil
}

func (p peerDNS) LookupAddr(context.Context, string) ([]string, error) { return nil, nil }

func (w world) peer() peerDNS {
	p := peerDNS{map[string][]string{}, map[string][]*net.MX{}, map[string][]net.IPAddr{}}
	for name, a := range w[dnsutil.TypeTXT] {
		p.txt[name[:len(name)-1]] = a.TXT
	}
	for name, a := range w[dnsutil.TypeMX] {
		for _, mx := range a.MX {
			p.mx[name[:len(name)-1]] = append(p.mx[name[:len(name)-1]], &net.MX{Host: mx.Host, Pref: mx.Preference})
		}
	}
	for name, a := range w[dnsutil.TypeA] {
		for _, ip := range a.Addrs {
			for _, n := range []string{name, name[:len(name)-1]} { // of an mx with the dot, else without
				p.ip[n] = append(p.ip[n], net.IPAddr{IP: net.IP(ip.AsSlice())})
			}
		}
	}
	return p
}

func checks(b *testing.B) []check {
	txt := func(s string) dnsutil.Answer { return dnsutil.Answer{TXT: []string{s}} }
	addr := func(s string) dnsutil.Answer {
		return dnsutil.Answer{Addrs: []netip.Addr{netip.MustParseAddr(s)}}
	}
	flat := world{dnsutil.TypeTXT: {"v.example.": txt("v=spf1 ip4:203.0.113.0/24 ip4:198.51.100.0/25 ip6:2001:db8:1::/48 ip4:198.51.100.128/26 ip4:198.51.100.192/27 ip6:2001:db8:2::/48 ip4:198.51.100.224/28 ip4:192.0.2.0/24 -all")}}
	tree := world{
		dnsutil.TypeTXT: {
			"v.example.":   txt("v=spf1 include:a.example include:b.example include:c.example include:d.example -all"),
			"a.example.":   txt("v=spf1 a:h1.a.example a:h2.a.example -all"),
			"b.example.":   txt("v=spf1 include:e.b.example -all"),
			"c.example.":   txt("v=spf1 exists:%{ir}.%{d} ?all"),
			"d.example.":   txt("v=spf1 mx a:h.d.example -all"),
			"e.b.example.": txt("v=spf1 ip4:203.0.113.0/24 -all"),
		},
		dnsutil.TypeMX: {"d.example.": {MX: []dnsutil.MX{{Preference: 10, Host: "m1.d.example."}}}},
		dnsutil.TypeA: {
			"h1.a.example.": addr("203.0.113.1"),
			"h2.a.example.": addr("203.0.113.2"),
			"m1.d.example.": addr("203.0.113.3"),
			"h.d.example.":  addr("192.0.2.9"),
		},
	}
	return []check{newCheck(b, "flat record of 8 networks", flat), newCheck(b, "tree of 10 look-ups", tree)}
}

func newCheck(b *testing.B, name string, w world) check {
	v := spf.Verifier{Resolver: w}
	s := spf.Session{IP: netip.MustParseAddr("192.0.2.9"), HELO: "mx.v.example", MailFrom: "u@v.example"}
	ours := func() spf.Result { return v.MailFrom(context.Background(), s) }
	option := peer.WithResolver(w.peer())
	ip := net.ParseIP("192.0.2.9")
	theirs := func() (peer.Result, error) {
		return peer.CheckHostWithSender(ip, "mx.v.example", "u@v.example", option)
	}
	if r, _ := theirs(); string(r) != string(ours().Status) {
		b.Fatalf("%s: %v and %v", name, ours().Status, r)
	}
	if r := ours(); r.Status != spf.Pass {
		b.Fatalf("%s: %v %v", name, r.Status, r.Err)
	}
	return check{name, func() { ours() }, func() { theirs() }}
}
