package mailgen

import (
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// message writes the message, lets its senders sign it and hops do to it what hops do.
func (g *Generator) message(author, sender string) {
	org := organization(author)
	m := g.header(author) + "\r\n" + g.body()
	for range g.rnd.IntN(4) {
		m = g.sign(g.pick(author, author, org, sender, "esp.example", "attack.example"), m)
	}
	if g.one(3) {
		m = g.forward(author, m)
	} else if g.one(6) {
		m = g.damage(m)
	}
	for range g.rnd.IntN(3) {
		m = g.traceField() + m
	}
	g.w.Message = m
}

// from are ways to write one author, or several, at a domain %s.
var from = [...]string{
	"<ceo@%[1]s>", "CEO <ceo@%[1]s>", `"Bank, Inc." <ceo@%[1]s>`, "ceo@%[1]s", "ceo@%[1]s (the (nested) boss)", "=?utf-8?Q?C=45O?= <ceo@%[1]s>",
	"\r\n CEO\r\n\t<ceo@%[1]s>", "a@%[1]s,\r\n b@%[1]s", "Bosses: a@%[1]s, b@%[1]s;", "J\xc3\xbcrgen <ceo@%[1]s>", "\xff <ceo@%[1]s>",
	`"ceo@attack.example" <ceo@%[1]s>`, `"a \"quoted\" name" <"odd one"@%[1]s>`, "ceo%%attack.example@%[1]s", "C. E. O. <ceo@%[1]s>", ",,ceo@%[1]s,,",
}

// ambiguous are ways to write no author, or another one for every reader.
var ambiguous = [...]string{
	"", "ceo", "<>", "a@%[1]s, b@attack.example", "<@attack.example:ceo@%[1]s>", "ceo@%[1]s <x@attack.example>", "<ceo@%[1]s", "ceo@[192.0.2.1]",
	"ceo@%[1]s.", "ceo@%[1]s\x00", "\"ceo@%[1]s", "ceo@%[1]s\r\nFrom: x@attack.example", "ceo@%[1]s\r\nfrom : x@attack.example", "ceo@%[1]s\nFrom: x@attack.example",
}

func (g *Generator) header(author string) string {
	var fields []string
	who := from[g.rnd.IntN(len(from))]
	if g.one(15) {
		who = ambiguous[g.rnd.IntN(len(ambiguous))]
	}
	if strings.Contains(who, "%[1]s") {
		who = fmt.Sprintf(who, g.name(author))
	}
	fields = append(fields, "From:"+g.pick(" ", "", "\t")+who+"\r\n")
	for _, f := range []string{
		"To: <u@victim.example>", "Subject: Statement", "Date: Sat, 21 Nov 2026 09:59:00 +0000", "Message-ID: <1@" + author + ">",
		"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "X-Any:  white \t space \t ", "Subject: \xff\xfe 8-bit", "X-Folded:\r\n a\r\n\t b", "X-Empty:",
		"Received: from x by y; Sat, 21 Nov 2026 09:58:00 +0000", "List-Id: <l.lists.example>", "Received-SPF: pass",
		"Comments: (((unclosed", "BIMI-Selector: v=BIMI1; s=brand",
	} {
		if !g.one(4) {
			fields = append(fields, f+"\r\n")
		}
	}
	if g.one(12) {
		fields = append(fields, g.pick("x-lower :space before colon", "X-\x01: bad name", "X-CR: a\rb", "X-LF: a\nb", "no colon", "Fr\xd0\xbem: x@attack.example", "From\r\n : x@attack.example")+"\r\n")
	}
	g.rnd.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	if i := g.rnd.IntN(len(fields)); g.one(60) {
		fields[i] = " " + fields[i] // a continuation of what is above it, or of nothing
	}
	return strings.Join(fields, "")
}

func (g *Generator) body() string {
	var b strings.Builder
	for range g.rnd.IntN(8) {
		b.WriteString(g.pick("Dear customer,", "your  statement\tis ready. ", "", "\xff\x00", ".", " ", strings.Repeat("long ", 300)))
		b.WriteString(g.pick("\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", ""))
	}
	return b.String()
}

// sign puts a signature on top, mostly a good one.
func (g *Generator) sign(d, m string) string {
	names := []string{"from"}
	for _, n := range []string{"to", "subject", "date", "message-id", "mime-version", "content-type", "x-any", "x-folded", "from", "x-none", "received", "x-lower", "bimi-selector"} {
		if g.one(2) {
			names = append(names, n)
		}
	}
	selector, k, algorithm := goodKey, g.keys[0], "rsa-sha256"
	switch g.rnd.IntN(6) {
	case 0:
		selector, k, algorithm = edKey, g.keys[2], "ed25519-sha256"
	case 1:
		if g.one(2) {
			selector = oddKey
		}
	}
	if g.one(20) {
		selector = "none"
	}
	var tags strings.Builder
	fmt.Fprintf(&tags, "v=1; a=%s; d=%s; s=%s; ", algorithm, g.name(d), g.name(selector))
	fmt.Fprintf(&tags, "c=%s; ", g.pick("relaxed/relaxed", "relaxed/simple", "simple/simple", "simple/relaxed"))
	now := Receipt.Unix()
	switch g.rnd.IntN(12) {
	case 0:
		fmt.Fprintf(&tags, "t=%d; x=%d; ", now-60, now+int64(g.rnd.IntN(3))-1)
	case 1:
		fmt.Fprintf(&tags, "t=%d; ", now+3599+int64(g.rnd.IntN(3)))
	case 2:
		fmt.Fprintf(&tags, "i=%s@%s; ", g.pick("", "ceo"), g.name(g.pick("", "sub.")+d))
	case 3:
		fmt.Fprintf(&tags, "l=%d; ", g.rnd.IntN(3))
	case 4:
		tags.WriteString(g.pick("q=dns/txt; ", "z=a:b|c; ", "xx=1;\r\n ", "yy=\xc3\xa4; ", g.pick("v=1; ", "junk; ")))
	}
	fmt.Fprintf(&tags, "h=%s;%sbh={bh}; b={b}", strings.Join(names, g.pick(":", " : ", ":\r\n\t")), g.pick(" ", "\r\n\t"))
	return sigtest.Sign(k.Signer, tags.String(), m)
}

// damage changes something that a signature may cover.
func (g *Generator) damage(m string) string {
	switch g.rnd.IntN(4) {
	case 0:
		return m + "-- \r\nlists.example\r\n"
	case 1:
		return strings.Replace(m, "Subject: Statement", "Subject: [list] Statement", 1)
	case 2:
		return strings.Replace(m, "customer", "Customer", 1)
	}
	return strings.Replace(m, "white \t", "white", 1)
}

// forward lets one to three hops change and seal the message; the receiver trusts
// some of them.
func (g *Generator) forward(author, m string) string {
	d := g.name(author)
	for i := range 1 + g.rnd.IntN(3) {
		if g.one(2) {
			m = g.damage(m)
		}
		sealer := g.pick("lists.example", "lists.example", "gateway.example", "attack.example")
		if g.one(2) {
			g.w.Trusted = append(g.w.Trusted, g.pick(sealer, "*.example", "lists.example"))
		}
		s := sigtest.Set{
			Domain: g.name(sealer), Selector: g.name(goodKey), Instance: i + 1,
			Results: "mx." + g.name(sealer) + g.pick(
				"; spf=pass smtp.mailfrom="+d+"; dkim=pass header.d="+d+"; dmarc=pass header.from="+d,
				"; dkim=pass header.d="+d, "; dmarc=fail header.from="+d, "; none", "; spf=pass smtp.mailfrom=a@"+d),
		}
		if i > 0 && g.one(8) {
			s.CV = g.pick("fail", "none")
		}
		k := g.keys[0]
		if g.one(4) {
			s.Selector, k = g.name(edKey), g.keys[2]
		}
		m = sigtest.Seal(k.Signer, s, m)
	}
	if g.one(5) {
		m = g.damage(m)
	}
	return m
}

func (g *Generator) traceField() string {
	if g.one(15) {
		return g.pick("ARC-Seal: i=9; cv=none; junk\r\n", "DKIM-Signature: junk\r\n", "ARC-Authentication-Results: i=1; x; none\r\n")
	}
	return g.pick(
		"Received: from a (a [192.0.2.1])\r\n\tby mx; Sat, 21 Nov 2026 10:00:00 +0000\r\n",
		"Authentication-Results: mx.victim.example; dmarc=pass header.from=bank.example\r\n",
		"Authentication-Results: other.example; spf=pass\r\n",
		"Return-Path: <a@b.example>\r\n",
		"BIMI-Indicator: PHN2Zz4=\r\n",
		"X-Spam: no\r\n",
	)
}
