package markcert_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
)

// A receiver has found an assertion record of example.com with a= and has fetched
// the file. Here a test authority made it; a real receiver leaves Roots and Logs
// nil for the built-in ones.
func ExampleVerifier_Verify() {
	now := time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)
	pki, err := markcerttest.New(rand.NewChaCha8([32]byte{}), now)
	if err != nil {
		panic(err)
	}
	bundle, err := pki.Issue(markcerttest.Spec{Domains: []string{"example.com"}})
	if err != nil {
		panic(err)
	}
	roots, err := markcert.ParseRoots(bundle.Roots)
	if err != nil {
		panic(err)
	}
	logs, err := markcert.ParseLogs(bundle.LogKeys)
	if err != nil {
		panic(err)
	}
	v := markcert.Verifier{Roots: roots, Logs: logs, FetchCRL: bundle.FetchCRL, Now: func() time.Time { return now }}

	r := v.Verify(context.Background(), bundle.PEM, markcert.Names{Author: "news.example.com", Organizational: "example.com"})
	fmt.Println(r.Status, r.MarkType, r.Matched, r.Revocation, r.Transparency)
	fmt.Printf("%.4s, %d octets\n", r.Indicator, len(r.Indicator))

	r = v.Verify(context.Background(), bundle.PEM, markcert.Names{Author: "example.net"})
	fmt.Println(r.Status, errors.Is(r.Err, markcert.ErrDomain), r.Indicator == nil)
	// Output:
	// pass Registered Mark example.com good good
	// <svg, 216 octets
	// fail true true
}

// A publisher wants to know everything that is wrong with a file.
func ExampleVerifier_Lint() {
	now := time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)
	pki, err := markcerttest.New(rand.NewChaCha8([32]byte{}), now)
	if err != nil {
		panic(err)
	}
	bundle, err := pki.Issue(markcerttest.Spec{}, markcerttest.HashSHA1, markcerttest.NoPolicy, markcerttest.Expired)
	if err != nil {
		panic(err)
	}
	roots, err := markcert.ParseRoots(bundle.Roots)
	if err != nil {
		panic(err)
	}
	v := markcert.Verifier{Roots: roots, Transparency: markcert.TransparencyOff, Now: func() time.Time { return now }}
	for _, f := range v.Lint(bundle.PEM) {
		if f.Severity > markcert.Note {
			fmt.Println(f)
		}
	}
	// Output:
	// failure: certificate has expired: until 2026-06-01T11:59:59Z (certificate 0)
	// warning: certificate policy missing: general policy 1.3.6.1.4.1.53087.1.1 (certificate 0)
	// warning: logotype hashed with SHA-1 only (certificate 0)
	// warning: signed certificate timestamps not verified: switched off (certificate 0)
}
