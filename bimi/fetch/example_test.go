package fetch_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed2385d973/mailauth/bimi/fetch"
)

// A URL from a stranger's record never leads to a host that only we can reach.
func ExampleFetcher_Get() {
	var f fetch.Fetcher
	_, err := f.Get(context.Background(), fetch.Request{Domain: "example.com", URL: "https://127.0.0.1/logo.svg"})
	fmt.Println(err)
	fmt.Println(errors.Is(err, fetch.ErrURL))

	var failure *fetch.Failure
	fmt.Println(errors.As(err, &failure) && failure.Temporary())
	// Output:
	// fetch: URL may not be fetched: URL host is not a public domain name
	// true
	// false
}
