package dkim

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/seed2385d973/mailauth/message"
)

// Whole messages with their DNS, as data. "about" says what the case shows; "now"
// is the clock; "options" names fields of Verifier that are true.
func TestVerify(t *testing.T) {
	for _, c := range testcase.Load(t, "testdata/verify", "about", "now", "options") {
		t.Run(c.Name, func(t *testing.T) {
			zone, err := dnstest.Parse(string(c.File("zone")))
			require.NoError(t, err)
			now, err := time.Parse(time.RFC3339, c.Get("now"))
			require.NoError(t, err)
			v := Verifier{Resolver: zone, Now: func() time.Time { return now }}
			for _, o := range strings.Fields(c.Get("options")) {
				switch o {
				case "AllowSHA1":
					v.AllowSHA1 = true
				case "AllowBodyLength":
					v.AllowBodyLength = true
				case "IgnoreTesting":
					v.IgnoreTesting = true
				default:
					t.Fatalf("unknown option %q", o)
				}
			}
			m, err := message.Parse(c.Message(t, "message.eml"))
			require.NoError(t, err)
			var want, queries strings.Builder
			for _, r := range v.Verify(context.Background(), m) {
				line, err := json.Marshal(r)
				require.NoError(t, err)
				want.Write(append(line, '\n'))
			}
			for _, q := range zone.Queries() {
				queries.WriteString(q + "\n")
			}
			c.Check(t, "want", want.String())
			c.Check(t, "queries", queries.String())
		})
	}
}
