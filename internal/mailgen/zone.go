package mailgen

import (
	"fmt"
	"slices"
	"strings"
)

// selectors are those of every domain that signs: what is wrong with its keys
// differs from domain to domain and from seed to seed.
const (
	goodKey = "sel"
	edKey   = "ed"
	oddKey  = "odd"
)

// others are the domains besides the author's.
var others = [...]string{"esp.example", "lists.example", "gateway.example", "attack.example"}

// zone writes the records of everybody.
func (g *Generator) zone(author, sender string) {
	org := organization(author)
	g.policy(author, org)
	for _, d := range distinct(append([]string{author, sender, org}, others[:]...)) {
		g.signingKeys(d)
		g.spf(d)
	}
	for _, d := range distinct([]string{"mail." + author, "mx.lists.example", "mail.attack.example"}) {
		if g.one(2) {
			g.addTXT(d, "v=spf1 a -all")
		}
		g.address(d)
	}
	g.address(author)
	g.address("mx1." + org)
	g.address("mx2." + org)
	for i, host := range []string{"mx1." + org, "mx2." + org} {
		g.add(org, "MX", fmt.Sprintf("%d %s.", 10*(i*g.rnd.IntN(2)), g.name(host)))
	}
	for range 2 {
		g.addTXT(g.pick("", "_dmarc.", goodKey+"._domainkey.")+g.pick(author, sender, org), "%s", g.pick("hello", "google-site-verification=x", "v=spf2.0/pra", "v=BIMI1; l=;", "\x00\xff\"\\", ""))
	}
}

// distinct leaves out what was there before: two records where there should be one
// are rare, and made on purpose.
func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

func organization(author string) string {
	labels := strings.Split(author, ".")
	n := 2
	if strings.HasSuffix(author, ".co.uk") || strings.HasSuffix(author, ".reg.example") {
		n = 3
	}
	return strings.Join(labels[max(0, len(labels)-n):], ".")
}

// address gives a host an address: the honest sender's, or others, of either family.
func (g *Generator) address(host string) {
	mine := "A"
	if g.ip.Is6() {
		mine = "AAAA"
	}
	switch g.rnd.IntN(5) {
	case 0, 1:
		g.add(host, mine, g.ip.String())
	case 2:
		g.add(host, "A", "203.0.113.9")
		g.add(host, "AAAA", "2001:db8::9")
	case 3:
		g.add(host, "A", "198.51.100.9")
	}
}

// policy writes DMARC records for the author, its organization, what is between
// them and the registry above.
func (g *Generator) policy(author, org string) {
	tags := func() string {
		var b strings.Builder
		for _, t := range [...][]string{
			{"p", "none", "quarantine", "reject", "reject", "reject", "Reject", "x"},
			{"sp", "", "", "none", "quarantine", "reject", "junk"},
			{"np", "", "", "reject", "none"},
			{"adkim", "", "", "r", "s", "x"}, {"aspf", "", "", "r", "s"},
			{"psd", "", "", "", "", "n", "y", "u"}, {"t", "", "", "", "y"},
			{"rua", "", "mailto:a@" + g.name(org)}, {"fo", "", "1"}, {"pct", "", "50", "abc"}, {"zz", "", "1"},
		} {
			if v := g.pick(t[1:]...); v != "" {
				fmt.Fprintf(&b, "; %s=%s", t[0], v)
			}
		}
		return b.String()
	}
	for _, d := range distinct([]string{author, org, "eu.bank.example", "news.bank.example"}) {
		if d == org && !g.one(6) || g.one(4) {
			g.addTXT("_dmarc."+d, "v=DMARC1%s", tags())
		}
		if g.one(40) {
			g.addTXT("_dmarc."+d, "%s", g.pick("v=DMARC1", "v=DMARC1; p=none", "v=dmarc1; p=reject", "v=DMARC1; p=none; p=reject", "v=DMARC1;;"))
		}
	}
	if strings.HasSuffix(org, ".reg.example") {
		g.addTXT("_dmarc.reg.example", "v=DMARC1; p=%s; psd=y", g.pick("none", "reject"))
	}
}

// signingKeys writes a domain's keys.
func (g *Generator) signingKeys(d string) {
	at := "._domainkey." + d
	if g.one(6) {
		g.add(goodKey+at, "CNAME", g.name(d+".esp-keys.example")+".")
		g.addTXT(d+".esp-keys.example", "%s", g.keys[0].record)
	} else {
		g.addTXT(goodKey+at, "%s%s", g.keys[0].record, g.pick("", "", "; t=s", "; t=y", "; h=sha256", "; s=email:*"))
	}
	g.addTXT(edKey+at, "%s", g.keys[2].record)
	switch g.rnd.IntN(6) {
	case 0:
		g.addTXT(oddKey+at, "v=DKIM1; p=")
	case 1:
		g.addTXT(oddKey+at, "%s", g.keys[1].record) // another key
	case 2:
		g.addTXT(oddKey+at, "%s; h=sha1", g.keys[0].record)
	case 3:
		g.addTXT(oddKey+at, "%s", g.keys[0].record)
		g.addTXT(oddKey+at, "%s", g.keys[1].record)
	case 4:
		g.addTXT(oddKey+at, "v=DKIM1; k=rsa; p=!")
	}
}

// spf writes a domain's SPF record.
func (g *Generator) spf(d string) {
	if g.one(8) {
		return
	}
	var b strings.Builder
	b.WriteString(g.pick("v=spf1", "v=spf1", "V=SPF1"))
	domain := func() string {
		return g.name(g.pick(d, d, "mx1."+organization(d), "mail."+d, g.pick(others[:]...), "nowhere.example"))
	}
	if g.one(2) {
		b.WriteString(g.pick(" ip4:198.51.100.0/24 ip6:2001:db8::1", " mx a", " a:mail."+g.name(d)+" ip4:198.51.100.1"))
	}
	for range g.rnd.IntN(4) {
		b.WriteString(" " + g.pick("", "", "", "", "?", "~", "-"))
		switch g.rnd.IntN(12) {
		case 0, 1, 2:
			if g.ip.Is6() {
				fmt.Fprintf(&b, "ip6:%s", g.ip)
			} else {
				fmt.Fprintf(&b, "ip4:%s%s", g.ip, g.pick("", "/24", "/32"))
			}
		case 3:
			b.WriteString(g.pick("ip4:203.0.113.0/25", "ip6:2001:db8:1::/48"))
		case 4:
			b.WriteString("a:" + domain())
		case 5:
			b.WriteString(g.pick("a", "a/24//64", "mx", "mx:"+domain()))
		case 6, 7:
			b.WriteString("include:" + g.name(g.pick(others[:]...)))
		case 8:
			b.WriteString("exists:%{ir}.%{l1r-}.ok." + domain())
		case 9:
			b.WriteString("exists:" + domain())
		case 10:
			if !g.opt.NoPTR {
				b.WriteString(g.pick("ptr", "ptr:"+domain(), "exists:%{p}.ok.example"))
			} else {
				b.WriteString("a")
			}
		case 11:
			if g.one(5) {
				b.WriteString(g.pick("ip4:x", "all:y", "%", "include"))
			} else {
				b.WriteString("exists:%{d2}")
			}
		}
	}
	b.WriteString(g.pick(" -all", " -all", " ~all", " ?all", "", " redirect="+domain(), " exp=why."+d+" -all"))
	g.addTXT(d, "%s", b.String())
	if g.one(60) {
		g.addTXT(d, "v=spf1 -all")
	}
}
