package failure_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/failure"
)

// Reporting a message that failed: whether a report is due, may go out, and what
// it shows of the message.
func ExampleIncident() {
	record, err := dmarc.ParseRecord("v=DMARC1; p=reject; ruf=mailto:ruf@bank.example")
	if err != nil {
		fmt.Println(err)
		return
	}
	result := dmarc.Result{Status: authres.Fail, Domain: "bank.example", PolicyDomain: "bank.example", Record: record}
	arrived := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	in := failure.Incident{
		Result: &result, AuthservID: "mx.receiver.example", UserAgent: "receiver/1.0", Delivery: "reject",
		SourceIP: netip.MustParseAddr("192.0.2.1"), Arrived: arrived, MailFrom: "x@attack.example", RcptTo: []string{"jo@receiver.example"},
		Message: []byte("From: boss@bank.example\r\nTo: jo@receiver.example\r\nSubject: payroll\r\n\r\nsecret"),
	}
	var limit failure.Limiter
	incidents, ok := limit.Allow("ruf@bank.example", arrived)
	if !failure.Due(&result).DMARC || !in.Answerable() || !ok {
		return
	}
	r, err := in.Report()
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Incidents = incidents
	m := failure.Mail{Report: r, From: "dmarc@receiver.example", To: "ruf@bank.example", Date: arrived}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		fmt.Println(err)
		return
	}

	var p failure.Parser
	back, err := p.Read(&b)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.AuthFailure, back.IdentityAlignment, back.ReportedDomains, back.SourceIP, back.Incidents)
	fmt.Println(back.AuthenticationResults[0])
	fmt.Println(back.OriginalMailFrom, back.OriginalRcptTo)
	fmt.Printf("%q\n", back.Original)
	// Output:
	// dmarc [dkim spf] [bank.example] 192.0.2.1 1
	// mx.receiver.example; dmarc=fail header.from=bank.example
	// redacted@attack.example [redacted@receiver.example]
	// "From: <redacted@bank.example>\r\nTo: <redacted@receiver.example>\r\nSubject: [redacted]\r\n"
}
