package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	peerspf "blitiri.com.ar/go/spf"
	peerdkim "github.com/emersion/go-msgauth/dkim"
	peerdmarc "github.com/emersion/go-msgauth/dmarc"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// operations returns the limit of work that is one SHA-256 over a canonical body, and so
// many times one over a kilobyte of header and one operation with a parsed RSA key.
func operations(t testing.TB, canonical []byte, n int) func() {
	key := sigtest.RSA(t, "rsa2048")
	input := bytes.Repeat([]byte("x"), 1<<10)
	sum := sha256.Sum256(input)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		sha256.Sum256(canonical)
		for range n {
			verify(&key.PublicKey, input, signature)
		}
	}
}

// chain puts so many ARC sets on top of a message whose body nobody changes.
func chain(t testing.TB, dns world, sets int, text string) string {
	key := sigtest.RSA(t, "rsa2048")
	for i := 1; i <= sets; i++ {
		sel := fmt.Sprintf("a%d", i)
		dns[dnsutil.TypeTXT][sel+"._domainkey.lists.example."] = dnsutil.Answer{TXT: []string{sigtest.Record(key)}}
		text = sigtest.Seal(key, sigtest.Set{Instance: i, Domain: "lists.example", Selector: sel,
			Results: "mx.lists.example;\r\n\tspf=pass smtp.mailfrom=bank.example;\r\n\tdkim=pass header.d=bank.example;\r\n\tdmarc=pass header.from=bank.example"}, text)
	}
	return text
}

// chains are the rows of ARC: with every older ARC-Message-Signature (oldest-pass), and
// the newest and the seals alone.
func chains(t testing.TB) (rows []load) {
	for _, sets := range []int{3, 10} {
		for _, oldest := range []bool{false, true} {
			body := textBody(10 << 10)
			dns := world{dnsutil.TypeTXT: {}}
			text := []byte(chain(t, dns, sets, header+"\r\n"+body))
			n, name := sets+1, fmt.Sprintf("ARC chain of %d sets, 10 KB", sets)
			if oldest {
				n, name = 2*sets, name+", oldest-pass"
			}
			v := arc.Verifier{Resolver: dns, NoOldestPass: !oldest}
			rows = append(rows, load{name: name, limit: operations(t, []byte(sigtest.Body(body, true)), n), ours: func() {
				m, err := message.Parse(text)
				if err != nil {
					panic(err)
				}
				if r := v.Verify(context.Background(), m); r.Status != arc.Pass {
					panic(r.Err)
				}
			}})
		}
	}
	return rows
}

// wholes are the rows of a whole message of 10 KB: SPF with four includes, two DKIM
// signatures, DMARC, without and with ARC. The peers are blitiri's SPF and go-msgauth's DKIM and
// DMARC one after another on the same octets, which is what a program that uses them does; they have
// no ARC, do not search for the organizational domain, and write no result.
func wholes(t testing.TB) (rows []load) {
	for _, c := range []struct {
		name       string
		sets, more int // more operations, for the seals and message signatures
		arc        arc.Verifier
	}{
		{"whole message, no ARC", 0, 0, arc.Verifier{}},
		{"whole message, ARC of 2 sets, no oldest-pass", 2, 3, arc.Verifier{NoOldestPass: true}},
		{"whole message, ARC of 2 sets", 2, 4, arc.Verifier{}},
	} {
		key := sigtest.RSA(t, "rsa2048")
		record := dnsutil.Answer{TXT: []string{sigtest.Record(key)}}
		one := func(s string) dnsutil.Answer { return dnsutil.Answer{TXT: []string{s}} }
		dns := world{dnsutil.TypeTXT: {
			"bank.example.":               one("v=spf1 include:a.example include:b.example include:c.example include:d.example -all"),
			"a.example.":                  one("v=spf1 ip4:203.0.113.1 -all"),
			"b.example.":                  one("v=spf1 ip4:203.0.113.2 -all"),
			"c.example.":                  one("v=spf1 ip4:203.0.113.3 -all"),
			"d.example.":                  one("v=spf1 ip4:198.51.100.1 -all"),
			"_dmarc.bank.example.":        one("v=DMARC1; p=reject"),
			"s0._domainkey.bank.example.": record,
			"s1._domainkey.bank.example.": record,
		}}
		body := textBody(10 << 10)
		head := header
		for i := range 2 {
			tags := strings.Replace(relaxed, "s=sel", fmt.Sprintf("s=s%d", i), 1)
			head = sigtest.Field(key, "DKIM-Signature", strings.ReplaceAll(tags, "; ", ";\r\n\t"), head+"\r\n"+body) + head
		}
		text := chain(t, dns, c.sets, head+"\r\n"+body)
		e := mailauth.Evaluator{Resolver: dns, ARC: c.arc}
		session := mailauth.Session{IP: netip.MustParseAddr("198.51.100.1"), HELO: "mail.bank.example", MailFrom: "b@bank.example",
			Receiver: "mx.victim.example", Time: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
		row := load{name: c.name, limit: operations(t, []byte(sigtest.Body(body, true)), 2+c.more), ours: func() {
			r, err := e.Evaluate(context.Background(), &mailauth.Message{Session: session, Data: strings.NewReader(text)})
			if err != nil || r.DMARC.Status != "pass" || r.SPF.Status != "pass" || c.sets > 0 && r.ARC.Status != arc.Pass {
				panic(fmt.Sprint(err, r.Explain()))
			}
		}}
		if c.sets == 0 {
			row.msgauth = composition(dns, text)
		}
		rows = append(rows, row)
	}
	return rows
}

// composition is the same with other libraries.
func composition(dns world, text string) func() {
	lookup := func(name string) ([]string, error) { return dns[dnsutil.TypeTXT][name+"."].TXT, nil }
	option, ip := peerspf.WithResolver(dns.peer()), net.ParseIP("198.51.100.1")
	return func() {
		r, err := peerspf.CheckHostWithSender(ip, "mail.bank.example", "b@bank.example", option)
		if r != peerspf.Pass {
			panic(err)
		}
		results, err := peerdkim.VerifyWithOptions(strings.NewReader(text), &peerdkim.VerifyOptions{LookupTXT: lookup})
		if err != nil || len(results) != 2 || results[0].Err != nil || results[1].Err != nil {
			panic(fmt.Sprint("go-msgauth: ", err, results))
		}
		if record, err := peerdmarc.LookupWithOptions("bank.example", &peerdmarc.LookupOptions{LookupTXT: lookup}); err != nil || record.Policy != peerdmarc.PolicyReject {
			panic(err)
		}
	}
}
