package aggregate_test

import (
	"fmt"
	"strings"

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
