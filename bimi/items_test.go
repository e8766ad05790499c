package bimi

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// TestRecordItems has the items E1 to E10 by their names; TestRecordCases has many
// more cases of each.
func TestRecordItems(t *testing.T) {
	const l = "l=https://example.com/a.svg"
	for _, tt := range []struct {
		name, text string
		err        error
	}{
		{"E1 blanks around = and ;", "v = BIMI1 ; l = https://example.com/a.svg ;", nil},
		{"E1 tag twice", "v=BIMI1; " + l + "; " + l, ErrDuplicateTag},
		{"E1 two semicolons", "v=BIMI1; " + l + ";;", ErrSyntax},
		{"E1 tag names have a case", "v=BIMI1; L=https://example.com/a.svg", ErrLocationMissing},
		{"E2 capitals are not repaired", "v=Bimi1; " + l, ErrNotBIMI},
		{"E3 v is first", l + "; v=BIMI1", ErrNotBIMI},
		{"E4 l missing", "v=BIMI1; a=https://example.com/a.pem", ErrLocationMissing},
		{"E4 two URIs", "v=BIMI1; " + l + ",https://example.com/b.svg", ErrLocation},
		{"E5 a empty", "v=BIMI1; " + l + "; a=", nil},
		{"E5 a by http", "v=BIMI1; " + l + "; a=http://example.com/a.pem", ErrEvidence},
		{"E6 comma", "v=BIMI1; l=https://example.com/a,b.svg", ErrLocation},
		{"E6 comma escaped", "v=BIMI1; l=https://example.com/a%2Cb.svg", nil},
		{"E7 unknown tag", "v=BIMI1; " + l + "; x=y", nil},
		{"E8 avp unknown", "v=BIMI1; " + l + "; avp=other", nil},
		{"E8 avp in capitals", "v=BIMI1; " + l + "; avp=Brand", nil},
		{"E9 png", "v=BIMI1; l=https://example.com/a.png", ErrFormat},
		{"E9 no suffix", "v=BIMI1; l=https://example.com/a", nil},
		{"E9 svgz", "v=BIMI1; l=https://example.com/a.svgz", nil},
		{"E10 nothing after avp", "v=BIMI1; " + l + "; lps=a; avp=brand", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ParseRecord(tt.text)
			require.ErrorIs(t, err, tt.err)
			require.Equal(t, err != nil, r.IsZero())
			require.Equal(t, tt.name == "E10 nothing after avp", r.Preference != "")
		})
	}
}

// TestDiscoveryItems has the items C2, C4, C6 and D5 to D7 by their names.
func TestDiscoveryItems(t *testing.T) {
	const ok = "v=BIMI1; l=https://example.com/a.svg"
	author := Author{Domain: "sub.example.com", Organizational: "example.com", Local: "news.letter"}
	a, org := "default._bimi.sub.example.com", "default._bimi.example.com"
	t.Run("C2 strings are joined without blanks", func(t *testing.T) {
		v := Verifier{Resolver: dnstest.MustParse(org + `. TXT "v=BIMI1; l=https://exam" "ple.com/a.svg"`)}
		require.Equal(t, "https://example.com/a.svg", v.Discover(context.Background(), author).Record.Location)
	})
	for name, c := range map[string]struct {
		v        Verifier
		dns      map[string]string
		selector string
		domain   string
		asked    int
	}{
		"C4 lps at the author domain":       {Verifier{}, map[string]string{a: ok + "; lps=news", "news-letter._bimi.sub.example.com": ok}, "news-letter", "sub.example.com", 2},
		"C6 lps at the organization":        {Verifier{}, map[string]string{org: ok + "; lps=news", "news-letter._bimi.example.com": ok}, "news-letter", "example.com", 3},
		"D5 otherwise the first":            {Verifier{}, map[string]string{a: ok + "; lps=news"}, "default", "sub.example.com", 2},
		"D5 malformed second":               {Verifier{}, map[string]string{a: ok + "; lps=news", "news-letter._bimi.sub.example.com": "v=BIMI1; x=y"}, "default", "sub.example.com", 2},
		"D6 lps of the second is not asked": {Verifier{}, map[string]string{a: ok + "; lps=news", "news-letter._bimi.sub.example.com": ok + "; lps="}, "news-letter", "sub.example.com", 2},
		"D7 prefix of the least length":     {Verifier{MinPrefix: 4}, map[string]string{a: ok + "; lps=news", "news-letter._bimi.sub.example.com": ok}, "news-letter", "sub.example.com", 2},
		"D7 prefix too short":               {Verifier{MinPrefix: 5}, map[string]string{a: ok + "; lps=news", "news-letter._bimi.sub.example.com": ok}, "default", "sub.example.com", 1},
	} {
		t.Run(name, func(t *testing.T) {
			c.v.Resolver = records(t, c.dns)
			d := c.v.Discover(context.Background(), author)
			require.Equal(t, Pass, d.Status, "%v", d.Err)
			require.Equal(t, c.selector, d.Selector)
			require.Equal(t, c.domain, d.Domain)
			require.Len(t, d.Queries, c.asked)
		})
	}
}

// TestItemsAreNamed holds the items A1 to H16 of the checklist against the tests:
// each begins the name of a sub-test in the directory that its group stands with. The
// later groups are not in this table: their tests are named by what they are about.
func TestItemsAreNamed(t *testing.T) {
	elsewhere := map[string]string{"A16": "func TestNothingForTheIneligible("}
	for _, group := range []struct {
		letter string
		items  int
		dir    string
	}{
		{"A", 16, "."},     // eligibility: TestEligible
		{"B", 7, "."},      // BIMI-Selector: TestSelector
		{"C", 10, "."},     // record discovery: TestDiscover, TestDiscoveryItems
		{"D", 9, "."},      // lps=: the same
		{"E", 10, "."},     // record syntax: TestRecordItems
		{"F", 4, "."},      // declination: TestVerify
		{"G", 9, "fetch"},  // fetching: TestChecklist there
		{"H", 16, "svgps"}, // the image: TestChecklist there
	} {
		files, err := filepath.Glob(filepath.Join(group.dir, "*_test.go"))
		require.NoError(t, err)
		var source strings.Builder
		for _, f := range files {
			data, err := os.ReadFile(f)
			require.NoError(t, err)
			source.Write(data)
		}
		for i := 1; i <= group.items; i++ {
			item := group.letter + strconv.Itoa(i)
			found := false
			for _, form := range []string{`"` + item + " ", `"` + item + `"`, `"` + item + "/", elsewhere[item]} {
				found = found || form != "" && strings.Contains(source.String(), form)
			}
			// Or it stands second in a name: "D1 D2 D9 by the address of the author".
			for name := range strings.SplitSeq(source.String(), `"`) {
				words := strings.Fields(name)
				found = found || len(words) > 2 && len(words[0]) <= 3 && words[0][0] == group.letter[0] && slices.Contains(words[1:min(len(words), 3)], item)
			}
			require.True(t, found, "no test of the name %s in %s", item, group.dir)
		}
	}
}
