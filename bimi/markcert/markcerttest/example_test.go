package markcerttest_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
)

// The table of what can be wrong, by the requirement it is about.
func ExampleDefects() {
	for _, d := range markcerttest.Defects() {
		if d.Item() == "N5" {
			fmt.Printf("%s %-7s %s\n", d.Item(), d.Severity(), d.What())
		}
	}
	// Output:
	// N5 failure the hash is of another image
	// N5 failure one hash matches, another does not
	// N5 failure no hash of a known algorithm
	// N5         a hash of an unknown algorithm beside a good one: legal
}

func ExamplePKI_Issue() {
	pki, err := markcerttest.New(rand.NewChaCha8([32]byte{}), time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		panic(err)
	}
	b, err := pki.Issue(markcerttest.Spec{Domains: []string{"example.org"}, MarkType: "Prior Use Mark"}, markcerttest.WithRoot)
	if err != nil {
		panic(err)
	}
	fmt.Println(b.Leaf.DNSNames, b.Leaf.NotAfter.Format(time.DateOnly), len(b.CRLs))
	// Output: [example.org] 2027-05-31 2
}
