package aggregate_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

// Reading a report a record at a time.
func ExampleParser_Open() {
	var p aggregate.Parser
	r, err := p.Open(strings.NewReader(good)) // a file, or the mail that carries it
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Header().OrgName, "about", r.Header().Policy.Domain)
	for rec, err := range r.Records() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(rec.SourceIP, rec.Count, rec.Aligned())
	}
	// Output:
	// Example about example.com
	// 192.0.2.1 1 false
}

// Counting messages, and writing the report of a day that is over.
func ExampleCollector() {
	ctx := context.Background()
	c := aggregate.Collector{
		Store: aggregate.NewMemory(0), OrgName: "Receiver", Email: "dmarc@receiver.example", Submitter: "receiver.example",
	}

	// What package mailauth makes with Result.Observation.
	record, err := dmarc.ParseRecord("v=DMARC1; p=reject; rua=mailto:rua@example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	day := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	o := aggregate.Observation{
		Time: day.Add(9 * time.Hour), SourceIP: netip.MustParseAddr("192.0.2.1"), EnvelopeFrom: "example.net",
		DMARC: dmarc.Result{
			Status: authres.Fail, Domain: "example.com", PolicyDomain: "example.com", Method: dmarc.TreeWalk, Record: record,
			Published: dmarc.PolicyReject, Policy: dmarc.PolicyReject,
		},
		SPF:         aggregate.SPFResult{Domain: "example.net", Result: authres.Pass},
		Disposition: aggregate.DispositionReject,
	}
	for range 3 {
		if err := c.Add(ctx, o); err != nil {
			fmt.Println(err)
			return
		}
	}

	due, err := c.Reports(ctx, day.Add(24*time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range due {
		fmt.Println("for", p.RUA[0].Address)
		if err := aggregate.Write(os.Stdout, aggregate.RFC9990, &p.Header, p.Records(ctx)); err != nil {
			fmt.Println(err)
			return
		}
		if err := p.Delete(ctx); err != nil { // it has been sent
			fmt.Println(err)
		}
	}
	// Output:
	// for rua@example.com
	// <?xml version="1.0" encoding="UTF-8"?>
	// <feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
	//   <version>1.0</version>
	//   <report_metadata>
	//     <org_name>Receiver</org_name>
	//     <email>dmarc@receiver.example</email>
	//     <report_id>271eef70de2e19aa40f3ab2c1f8ccaa1</report_id>
	//     <date_range>
	//       <begin>1795219200</begin>
	//       <end>1795305599</end>
	//     </date_range>
	//   </report_metadata>
	//   <policy_published>
	//     <domain>example.com</domain>
	//     <discovery_method>treewalk</discovery_method>
	//     <p>reject</p>
	//     <sp>reject</sp>
	//     <np>reject</np>
	//     <fo>0</fo>
	//     <adkim>r</adkim>
	//     <aspf>r</aspf>
	//     <testing>n</testing>
	//   </policy_published>
	//   <record>
	//     <row>
	//       <source_ip>192.0.2.1</source_ip>
	//       <count>3</count>
	//       <policy_evaluated>
	//         <disposition>reject</disposition>
	//         <dkim>fail</dkim>
	//         <spf>fail</spf>
	//       </policy_evaluated>
	//     </row>
	//     <identifiers>
	//       <envelope_from>example.net</envelope_from>
	//       <header_from>example.com</header_from>
	//     </identifiers>
	//     <auth_results>
	//       <spf>
	//         <domain>example.net</domain>
	//         <scope>mfrom</scope>
	//         <result>pass</result>
	//       </spf>
	//     </auth_results>
	//   </record>
	// </feedback>
}

// The mail with a report, ready to be signed for the domain of From.
func ExampleMail() {
	begin := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	r := aggregate.Report{
		Header: aggregate.Header{
			OrgName: "Receiver", Email: "dmarc@receiver.example", Begin: begin, End: begin.Add(24*time.Hour - time.Second),
			Policy: aggregate.Policy{Domain: "example.com", P: dmarc.PolicyNone},
		},
		Records: []aggregate.Record{{
			SourceIP: netip.MustParseAddr("2001:db8::25"), Count: 7, Disposition: aggregate.DispositionNone,
			DKIM: authres.Pass, SPF: authres.Fail, HeaderFrom: "example.com",
			AuthDKIM: []aggregate.DKIMResult{{Domain: "example.com", Selector: "s1", Result: authres.Pass}},
		}},
	}
	r.ReportID = aggregate.NewReportID("receiver.example", &r.Header)
	m := aggregate.Mail{
		Report: &r, Submitter: "receiver.example", From: "dmarc@receiver.example", To: "rua@example.com", Date: r.End.Add(time.Hour),
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		fmt.Println(err)
		return
	}
	head, _, _ := strings.Cut(b.String(), "\r\n\r\n")
	fmt.Println(strings.ReplaceAll(head, "\r\n", "\n"))

	var p aggregate.Parser
	back, err := p.Read(&b)
	fmt.Println(back.Policy.Domain, back.Messages(), err)
	// Output:
	// From: <dmarc@receiver.example>
	// To: <rua@example.com>
	// Date: Sun, 22 Nov 2026 00:59:59 +0000
	// Subject: Report Domain: example.com Submitter: receiver.example Report-ID:
	//  <63b263e8e9fe989283b45a6c15a3024e>
	// Message-ID: <63b263e8e9fe989283b45a6c15a3024e@receiver.example>
	// Auto-Submitted: auto-generated
	// MIME-Version: 1.0
	// Content-Type: multipart/mixed; boundary="=_63b263e8e9fe989283b45a6c15a3024e"
	// example.com 7 <nil>
}
