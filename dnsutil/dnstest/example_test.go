package dnstest_test

import (
	"context"
	"fmt"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

func ExampleParse() {
	zone, err := dnstest.Parse(`{
		"example.com":       {"TXT": [["v=spf1 ", "include:_spf.example.com -all"]], "MX": [[10, "mail.example.com"]]},
		"_spf.example.com":  {"TXT_rcode": "servfail"},
		"www.example.com":   {"CNAME": "example.com"}
	}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	a, err := zone.Lookup(ctx, "www.example.com.", dnsutil.TypeTXT)
	fmt.Println(a.TXT, a.Chain, err)
	_, err = zone.Lookup(ctx, "_spf.example.com.", dnsutil.TypeTXT)
	fmt.Println(err)
	fmt.Println(zone.Queries())
	// Output:
	// [v=spf1 include:_spf.example.com -all] [example.com.] <nil>
	// DNS server answered SERVFAIL: TXT _spf.example.com.
	// [TXT www.example.com. TXT _spf.example.com.]
}

// An adapter that forgets to tell NXDOMAIN from an empty answer is found out.
func ExampleTestResolver() {
	zone := dnstest.NewConformanceZone()
	adapter := dnsutil.ResolverFunc(func(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
		a, err := zone.Lookup(ctx, name, t)
		return dnsutil.Answer{TXT: a.TXT, Addrs: a.Addrs, MX: a.MX, Names: a.Names, CAA: a.CAA, Chain: a.Chain}, err
	})
	fmt.Println(dnstest.TestResolver(zone))
	fmt.Println(dnstest.TestResolver(adapter) != nil)
	fmt.Println(dnstest.TestResolver(adapter, dnstest.NoNXDomain))
	// Output:
	// <nil>
	// true
	// <nil>
}
