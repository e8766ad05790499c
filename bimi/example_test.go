package bimi_test

import (
	"context"
	"fmt"

	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

func ExampleParseRecord() {
	r, err := bimi.ParseRecord("v=BIMI1; l=https://example.com/logo.svg; a=https://example.com/mark.pem")
	fmt.Println(r.Location, r.Evidence, err)
	_, err = bimi.ParseRecord("v=BIMI1; l=http://example.com/logo.svg")
	fmt.Println(err)
	// Output:
	// https://example.com/logo.svg https://example.com/mark.pem <nil>
	// l= is not a usable https URI: URL scheme is not https
}

// web serves one logo.
type web struct{}

func (web) Fetch(context.Context, string, string, int64) ([]byte, string, error) {
	return markcerttest.SVG(), "image/svg+xml", nil
}

func (web) FetchCRL(context.Context, string) ([]byte, error) { return nil, fmt.Errorf("no lists") }

// Lookup retrieves the logo of a domain that is known to be authentic. Package
// fetch has a Fetcher for the real web.
func ExampleVerifier_Lookup() {
	zone, _ := dnstest.Parse(`default._bimi.example.com. TXT "v=BIMI1; l=https://example.com/logo.svg"`)
	v := bimi.Draft()
	v.Resolver, v.Fetcher = zone, web{}
	r := v.Lookup(context.Background(), bimi.Author{Domain: "news.example.com", Organizational: "example.com"})
	fmt.Println(r.Status, r.Domain, len(r.Indicator) > 0)
	// Output: pass example.com true
}

func ExampleChecker() {
	zone, _ := dnstest.Parse(`
_dmarc.example.com. TXT "v=DMARC1; p=reject"
default._bimi.example.com. TXT "v=BIMI1; l=https://example.com/logo.svg"
`)
	c := bimi.Checker{Resolver: zone, Fetcher: web{}}
	r, _ := c.Check(context.Background(), "example.com", "")
	for _, x := range r.Receivers {
		fmt.Printf("%s: %t %q\n", x.Name, x.Shows, x.Missing)
	}
	// Output:
	// Any that follows the drafts: true ""
	// Fastmail: true ""
	// Gmail: false "a mark certificate (VMC or CMC), named in a= of the BIMI record"
	// Apple Mail: false "a mark certificate (VMC or CMC), named in a= of the BIMI record"
}

func ExampleReader() {
	h, _ := message.ParseHeader([]byte("Authentication-Results: mx.evil.example; bimi=pass policy.authority=pass\r\nBIMI-Indicator: PHN2Zy8+\r\n"))
	v := bimi.Reader{AuthservIDs: []string{"mx.example"}}
	_, err := v.Read(h)
	fmt.Println(err)
	// Output: no trusted BIMI result
}
