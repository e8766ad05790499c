package mailauth_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// closures says how many packages, those of the standard library and of this module
// included, come with each package that others import: what it costs to import it. Some
// are left over for what the next version of Go may bring.
var closures = map[string]int{
	"":                         245,
	"authres":                  80,
	"message":                  105,
	"spf":                      105,
	"dkim":                     225,
	"arc":                      225,
	"dmarc":                    220,
	"dmarc/aggregate":          225,
	"dmarc/failure":            225,
	"records":                  230,
	"bimi":                     225,
	"bimi/svgps":               80,
	"bimi/markcert":            175,
	"bimi/fetch":               230,
	"dnsutil":                  85,
	"dnsutil/dnsclient":        200,
	"dnsutil/dnstest":          200,
	"dmarc/aggregate/sqlstore": 225,
}

// TestClosures holds the table. The list of public suffixes brings net/http along, for
// an interface that it names; a table of our own would save the packages, and be other
// people's data in our repository, older with every release that we do not make.
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
		if name != "bimi/fetch" && !slices.Contains(deps, "golang.org/x/net/publicsuffix") {
			require.NotContains(t, deps, "net/http", path)
		}
		seen++
	}
	require.Len(t, closures, seen, "packages of the table that are not there")
}
