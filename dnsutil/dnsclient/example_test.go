package dnsclient_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnsclient"
)

// The system's servers with a cache in front, as a long-running server wants it.
func Example() {
	resolver := &dnsutil.Cache{Resolver: &dnsclient.Client{}}

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err := resolver.Lookup(ctx, "example.com", dnsutil.TypeTXT) // not absolute: no search list is tried
	fmt.Println(err)
	// Output:
	// not a legal DNS name: "example.com"
}
