package mailauth_test

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// README begins
var evaluator = mailauth.Evaluator{AuthservID: "mx.example.net"}

func data(ctx context.Context, ip netip.Addr, helo, from string, smtp io.Reader, spool io.Writer) (reply string, fields []string, strip []int) {
	ev := evaluator.Start(ctx, mailauth.Session{IP: ip, HELO: helo, MailFrom: from}) // SPF is asked now
	defer ev.Abort()
	if _, err := io.Copy(io.MultiWriter(spool, ev), smtp); err != nil {
		return "451 4.3.0 " + err.Error(), nil, nil
	}
	res, err := ev.Finish()
	if err != nil {
		return "554 5.6.0 Message header cannot be processed", nil, nil
	}
	return res.SMTPReply().String(), res.HeaderFields, res.Strip // prepend fields, remove the forged ones
}

// README ends

func Example_server() {
	evaluator.Handling.HonorReject = true
	evaluator.Resolver = dnstest.MustParse(`
attack.example. TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
`)
	smtp := strings.NewReader("Authentication-Results: mx.example.net; dmarc=pass\r\nFrom: CEO <ceo@bank.example>\r\nSubject: Wire\r\n\r\nNow!\r\n")
	reply, fields, strip := data(context.Background(), netip.MustParseAddr("192.0.2.1"), "mx.attack.example", "x@attack.example", smtp, io.Discard)
	fmt.Println(reply)
	fmt.Print(strings.ReplaceAll(fields[0], "\r\n", "\n"))
	fmt.Println("remove", strip)
	// Output:
	// 550 5.7.26 Email rejected per DMARC policy for bank.example
	// Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=attack.example;
	//  dkim=none; dmarc=fail header.from=bank.example policy.dmarc=reject
	// remove [0]
}

func ExampleEvaluator_Evaluate() {
	evaluator := mailauth.Evaluator{Resolver: dnstest.MustParse(`
example.com. TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.example.com. TXT "v=DMARC1; p=quarantine"
`)}
	res, err := evaluator.Evaluate(context.Background(), &mailauth.Message{
		Session: mailauth.Session{
			IP:       netip.MustParseAddr("192.0.2.7"),
			HELO:     "mail.example.com",
			MailFrom: "news@example.com",
			Time:     time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
		},
		Data: strings.NewReader("From: News <news@example.com>\r\n\r\nHello\r\n"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.DMARC.Status, res.Action)
	for _, a := range res.DMARC.PassedBy() {
		fmt.Println(a.Mechanism(), a.Domain(), a.Why)
	}
	// Output:
	// pass accept
	// spf example.com same_domain
}

func ExampleResult_Explain() {
	evaluator := mailauth.Evaluator{Resolver: dnstest.MustParse(`_dmarc.example.com. TXT "v=DMARC1; p=quarantine"`)}
	res, err := evaluator.Evaluate(context.Background(), &mailauth.Message{
		Data: strings.NewReader("From: News <news@example.com>\r\n\r\nHello\r\n"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(res.Explain())
	// Output:
	// Message  by example.com; nothing is known of the SMTP session.
	// SPF      none: no client address to check (RFC 7208, section 4.1).
	// HELO     none: no client address to check (RFC 7208, section 4.1).
	// DKIM     none: the message is not signed.
	// DMARC    fail: no authenticated identifier (RFC 9989, section 4.4).
	//          The record of example.com applies: "v=DMARC1; p=quarantine";
	//          organizational domain example.com by the tree walk (RFC 9989, section
	//          4.10).
	//          Policy: quarantine, from p (RFC 9989, section 4.7).
	// Verdict  quarantine.
	//          SMTP: 250 2.0.0 OK.
}

func ExampleHandling() {
	h := mailauth.Handling{
		HonorReject: true,
		Exceptions: []mailauth.Exception{
			{Domain: "*.partner.example", Actions: mailauth.Actions{Reject: mailauth.Quarantine}},
		},
	}
	fmt.Println(h.Validate())
	h.Exceptions[0].Domain = "partner..example"
	fmt.Println(h.Validate())
	// Output:
	// <nil>
	// exception "partner..example": not a domain name or *.domain pattern: empty label in domain name
}
