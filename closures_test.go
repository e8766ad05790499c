package mailauth_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// closures says how many packages, those of the standard library and of this module
// included, come with each package that others import: what it costs to import it. Some
// are left over for what the next version of Go may bring.
var closures = map[string]int{
	"":                         235,
	"authres":                  80,
	"message":                  105,
	"spf":                      105,
	"dkim":                     190,
	"arc":                      160,
	"dmarc":                    140,
	"dmarc/aggregate":          145,
	"dmarc/failure":            150,
	"records":                  200,
	"bimi":                     190,
	"bimi/svgps":               80,
	"bimi/markcert":            175,
	"bimi/fetch":               230,
	"dnsutil":                  85,
	"dnsutil/dnsclient":        200,
	"dnsutil/dnstest":          200,
	"dmarc/aggregate/sqlstore": 150,
}

// TestClosures holds the table, and that nobody but bimi/fetch brings net/http along.
func TestClosures(t *testing.T) {
	list := func(args ...string) []string {
		out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
		require.NoError(t, err)
		return strings.Fields(string(out))
	}
	seen := 0
	for _, path := range list("./...") {
		name := strings.TrimPrefix(strings.TrimPrefix(path, modulePath), "/")
		if strings.Contains("/"+name+"/", "/internal/") || strings.HasPrefix(name, "examples/") || name == "bimi/markcert/markcerttest" || name == "bimi/svgps/gen" {
			continue
		}
		most, ok := closures[name]
		require.True(t, ok, "%s is not in the table", name)
		deps := list("-deps", path)
		t.Logf("%s: %d", path, len(deps))
		require.LessOrEqual(t, len(deps), most, path)
		if name != "bimi/fetch" {
			require.NotContains(t, deps, "net/http", path)
		}
		seen++
	}
	require.Len(t, closures, seen, "packages of the table that are not there")
}
