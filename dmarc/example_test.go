package dmarc_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

func ExampleVerifier_Verify() {
	zone, err := dnstest.Parse(`
_dmarc.bank.example. TXT "v=DMARC1; p=reject; sp=quarantine; rua=mailto:dmarc@bank.example"
news.bank.example.   A   192.0.2.1
`)
	if err != nil {
		log.Fatal(err)
	}
	msg, err := message.Parse([]byte("From: Example Bank <info@news.bank.example>\r\n\r\nHello.\r\n"))
	if err != nil {
		log.Fatal(err)
	}

	author, _ := dmarc.AuthorDomain(msg.Header()) // an unusable author makes Verify say PermError
	v := dmarc.Verifier{Resolver: zone}
	r := v.Verify(context.Background(), author,
		dmarc.SPFIdentifier(authres.Pass, "mailer.example"),
		dmarc.DKIMIdentifier(authres.Fail, "bank.example", "2026"))

	fmt.Println(r.Status, r.Domain)
	fmt.Println("policy", r.Policy, "from", r.Tag, "at", r.PolicyDomain)
	for _, a := range r.Identifiers {
		fmt.Println(a.Mechanism(), a.Status(), a.Domain(), a.Aligned, a.Why)
	}
	for _, q := range r.Queries {
		fmt.Println(q, q.Outcome)
	}
	// Output:
	// fail news.bank.example
	// policy quarantine from sp at bank.example
	// spf pass mailer.example false other_organization
	// dkim fail bank.example true same_organization
	// TXT _dmarc.news.bank.example. nxdomain
	// TXT _dmarc.bank.example. record
	// TXT _dmarc.example. nxdomain
}

func ExampleAuthorDomain() {
	msg, err := message.Parse([]byte("From: a@attack.example, ceo@bank.example\r\n\r\nHello.\r\n"))
	if err != nil {
		log.Fatal(err)
	}
	author, err := dmarc.AuthorDomain(msg.Header())
	fmt.Println(errors.Is(err, dmarc.ErrFromDomains), author.Domains())

	r := new(dmarc.Verifier).Verify(context.Background(), author)
	fmt.Println(r.Status, r.Err)
	// Output:
	// true [attack.example bank.example]
	// permerror more than one domain in From field: 2
}

func ExampleParseRecord() {
	r, err := dmarc.ParseRecord("v=DMARC1;p=REJECT; adkim=x; pct=50; rua=mailto:d@bank.example!10m,junk")
	fmt.Println(r, err)
	fmt.Println(r.P, r.Subdomain(), r.ADKIM, r.Pct, r.RUA[0].Address)
	for _, d := range r.Diagnostics() {
		fmt.Println(d)
	}
	// Output:
	// v=DMARC1; p=reject; rua=mailto:d@bank.example!10m; pct=50 <nil>
	// reject reject r 50 d@bank.example
	// bad_value adkim
	// historic_tag pct
	// bad_uri rua
}

func ExampleVerifier_OrganizationalDomain() {
	zone, err := dnstest.Parse(`_dmarc.bank.example. TXT "v=DMARC1; p=reject; psd=y"`)
	if err != nil {
		log.Fatal(err)
	}
	v := dmarc.Verifier{Resolver: zone}
	o := v.OrganizationalDomain(context.Background(), "mail.giant.bank.example")
	fmt.Println(o.OrganizationalDomain, o.PolicyDomain, o.Method)
	// Output:
	// giant.bank.example bank.example treewalk
}
