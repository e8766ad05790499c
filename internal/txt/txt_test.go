package txt

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

func TestSplit(t *testing.T) {
	require.Equal(t, []string{""}, Split(""))
	require.Equal(t, []string{strings.Repeat("a", 255)}, Split(strings.Repeat("a", 255)))
	require.Equal(t, []string{strings.Repeat("a", 255), "a"}, Split(strings.Repeat("a", 256)))
}

// What is written comes back from a zone with the same octets.
func TestLine(t *testing.T) {
	for _, text := range []string{"v=spf1 -all", `a "quoted" \ text; and ( more )`, "\x00\x7f\xff\t", strings.Repeat("\"x", 300)} {
		zone := dnstest.MustParse(Line("example.com.", text) + "\n")
		a, err := zone.Lookup(t.Context(), "example.com.", dnsutil.TypeTXT)
		require.NoError(t, err)
		require.Equal(t, []string{text}, a.TXT)
	}
}
