package aggregate_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

// BenchmarkRecords reads a report of a thousand records, one at a time: with
// nothing but what is required, and with one signature, SPF and an override.
func BenchmarkRecords(b *testing.B) {
	least := record("192.0.2.1", "1")
	full := strings.NewReplacer(
		"</policy_evaluated>", "<reason><type>local_policy</type><comment>arc=pass</comment></reason></policy_evaluated>",
		"<identifiers>", "<identifiers><envelope_from>example.net</envelope_from>",
		"<auth_results/>", "<auth_results><dkim><domain>example.com</domain><selector>s1</selector><result>fail</result></dkim>"+
			"<spf><domain>example.net</domain><scope>mfrom</scope><result>pass</result></spf></auth_results>",
	).Replace(least)
	const records = 1000
	for _, c := range []struct{ name, record string }{{"least", least}, {"full", full}} {
		b.Run(c.name, func(b *testing.B) {
			text := []byte(head + strings.Repeat(c.record, records) + tail)
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				var p aggregate.Parser
				r, err := p.Open(bytes.NewReader(text))
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for _, err := range r.Records() {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != records {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
		})
	}
}
