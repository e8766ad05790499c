package spf_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/spf"
)

// The DNS of the examples. In production the Resolver is a dnsclient.Client.
var zone = dnstest.MustParse(`
example.com.       TXT "v=spf1 mx include:_spf.example.net -all exp=why.example.com"
example.com.       MX  10 mail.example.com.
mail.example.com.  A   192.0.2.1
_spf.example.net.  TXT "v=spf1 ip4:198.51.100.0/24 ?all"
why.example.com.   TXT "%{i} is not one of %{d}'s mail servers"
`)

func Example() {
	v := spf.Verifier{Resolver: zone}
	r := v.MailFrom(context.Background(), spf.Session{
		IP:       netip.MustParseAddr("198.51.100.7"),
		HELO:     "mail.example.net",
		MailFrom: "user@example.com",
	})
	fmt.Println(r.Status, r.Domain)
	fmt.Println(r.Match.Mechanism, "because of", r.Innermost.Mechanism, "at", r.Innermost.Domain)
	fmt.Println(r.Lookups, "terms asked the DNS;", r.Breadth.IPv4, "addresses may send")
	// Output:
	// pass example.com
	// include:_spf.example.net because of ip4:198.51.100.0/24 at _spf.example.net
	// 2 terms asked the DNS; 257 addresses may send
}

func ExampleVerifier_MailFrom_fail() {
	v := spf.Verifier{Resolver: zone}
	r := v.MailFrom(context.Background(), spf.Session{
		IP:       netip.MustParseAddr("203.0.113.9"),
		HELO:     "pc.example.org",
		MailFrom: "user@example.com",
		Receiver: "mx.example.org",
	})
	var reason spf.Error
	fmt.Println(r.Status, errors.Is(r.Err, spf.ErrFail))
	if errors.As(r.Err, &reason) {
		fmt.Println(reason.Code(), reason.Section())
	}
	code, enhanced, text := r.SMTPReply()
	fmt.Println(code, enhanced, text)
	fmt.Printf("%s explains: %s\n", r.Domain, r.Explanation)
	// Output:
	// fail true
	// ErrFail RFC 7208, section 4.6.2
	// 550 5.7.23 SPF validation failed
	// example.com explains: 203.0.113.9 is not one of example.com's mail servers
}

func ExampleVerifier_HELO() {
	v := spf.Verifier{Resolver: zone}
	s := spf.Session{IP: netip.MustParseAddr("192.0.2.1"), HELO: "mail.example.com", MailFrom: ""}
	helo := v.HELO(context.Background(), s)
	fmt.Println(helo.Identity, helo.Status, helo.Err)
	// Output:
	// helo none no SPF record
}

func ExampleResult_ReceivedSPF() {
	v := spf.Verifier{Resolver: zone}
	r := v.MailFrom(context.Background(), spf.Session{
		IP: netip.MustParseAddr("192.0.2.1"), HELO: "mail.example.com", MailFrom: "user@example.com", Receiver: "mx.example.org",
	})
	fmt.Print(strings.ReplaceAll(r.ReceivedSPF(), "\r\n", "\n"))
	// Output:
	// Received-SPF: pass
	//  (mx.example.org: domain of
	//  example.com
	//  designates 192.0.2.1 as permitted sender)
	//  identity=mailfrom;
	//  client-ip=192.0.2.1;
	//  receiver=mx.example.org;
	//  envelope-from="user@example.com";
	//  helo=mail.example.com;
	//  mechanism=mx
}

func ExampleParseRecord() {
	r, err := spf.ParseRecord("v=spf1 A:mail.example.com/28 +ip4:192.0.2.1/32 redirect=_spf.%{d}")
	fmt.Println(r, err)
	for _, t := range r.Terms() {
		fmt.Println(t.Kind, t.Kind.Queries(), t.HasMacro())
	}
	_, err = spf.ParseRecord("v=spf1 ip4:192.0.2 -all")
	fmt.Println(err)
	// Output:
	// v=spf1 a:mail.example.com/28 ip4:192.0.2.1 redirect=_spf.%{d} <nil>
	// a true false
	// ip4 false false
	// redirect true true
	// malformed IP address: "ip4:192.0.2"
}
