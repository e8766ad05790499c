package dnsutil_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// Four outcomes, told apart without a helper.
func ExampleResolver() {
	zone := dnstest.MustParse(`
mail.example.  A    192.0.2.1
mail.example.  TXT  "v=spf1 " "a -all"
`).WithFault("down.example", dnsutil.TypeTXT, dnsutil.ErrServFail)

	var r dnsutil.Resolver = zone
	ctx := context.Background()
	for _, name := range []string{"mail.example.", "example.", "nobody.example.", "down.example."} {
		a, err := r.Lookup(ctx, name, dnsutil.TypeTXT)
		switch {
		case err != nil:
			fmt.Println(name, "ask again later:", errors.Is(err, dnsutil.ErrServFail))
		case a.NXDomain:
			fmt.Println(name, "does not exist")
		case a.Empty():
			fmt.Println(name, "has no TXT record")
		default:
			fmt.Println(name, a.TXT[0])
		}
	}
	// Output:
	// mail.example. v=spf1 a -all
	// example. has no TXT record
	// nobody.example. does not exist
	// down.example. ask again later: true
}

// A decorator is one function.
func ExampleResolverFunc() {
	zone := dnstest.MustParse(`example. TXT "x"`)
	logged := dnsutil.ResolverFunc(func(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
		a, err := zone.Lookup(ctx, name, t)
		fmt.Println(t, name, len(a.TXT), err)
		return a, err
	})
	logged.Lookup(context.Background(), "example.", dnsutil.TypeTXT)
	// Output:
	// TXT example. 1 <nil>
}

func ExampleCache() {
	zone := dnstest.MustParse(`example. 300 TXT "x"`)
	cache := &dnsutil.Cache{Resolver: zone}
	for range 3 {
		cache.Lookup(context.Background(), "example.", dnsutil.TypeTXT)
	}
	fmt.Println(zone.Queries())
	// Output:
	// [TXT example.]
}

// The DNS of a verdict, kept for the day on which somebody asks why.
func ExampleRecorder() {
	zone := dnstest.MustParse(`example. 300 TXT "v=spf1 -all"`)
	rec := &dnsutil.Recorder{Resolver: zone}
	rec.Lookup(context.Background(), "example.", dnsutil.TypeTXT) // the evaluation

	stored, _ := json.Marshal(rec.Recording())
	fmt.Println(string(stored))

	var later dnsutil.Recording
	json.Unmarshal(stored, &later)
	a, err := later.Replay().Lookup(context.Background(), "example.", dnsutil.TypeTXT)
	fmt.Println(a.TXT, err)
	// Output:
	// [{"name":"example.","type":16,"txt":["v=spf1 -all"],"ttl":300000000000}]
	// [v=spf1 -all] <nil>
}
