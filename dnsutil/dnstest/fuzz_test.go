package dnstest_test

import (
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// FuzzParse: whatever the text, there is a zone or an error, and a zone answers.
func FuzzParse(f *testing.F) {
	f.Add(textZone)
	f.Add(jsonZone)
	f.Add(dnstest.ConformanceZone)
	f.Add(`{"*": {"TXT": [["any"]], "A_rcode": "refused"}, "x.example": {"CNAME": "y.example"}}`)
	f.Add("$GENERATE 1-3 a$ A 192.0.2.$")
	f.Add("a\\.b. TXT \"\\300\"\n*. CNAME a.")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "GENERATE") && len(text) > 40 {
			return // up to 65535 records a line, which is what was asked for
		}
		z, err := dnstest.Parse(text)
		if (z == nil) != (err != nil) {
			t.Fatal(z, err)
		}
		if err != nil {
			return
		}
		for _, name := range []string{"example.com.", "a.example.", "x.y.z."} {
			for _, ty := range []dnsutil.Type{dnsutil.TypeA, dnsutil.TypeTXT, dnsutil.TypeMX, dnsutil.TypePTR, dnsutil.TypeCNAME, dnsutil.TypeCAA} {
				a, err := z.Lookup(t.Context(), name, ty)
				if err != nil && !a.Empty() || a.NXDomain && !a.Empty() || a.TTL < 0 {
					t.Fatalf("%+v %v", a, err)
				}
			}
		}
	})
}
