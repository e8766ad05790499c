package bimi

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
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

// TestItemsAreNamed holds the items of the checklist against the tests: each is among
// the words with which the name of a sub-test begins, in the directory that its group
// stands with. Groups I to N have the same in package markcert.
func TestItemsAreNamed(t *testing.T) {
	elsewhere := map[string]string{"A16": "func TestNothingForTheIneligible("}
	sources := map[string]itemSource{}
	others := map[string]string{"Q2": "../dkim", "S6": "markcert/markcerttest"} // the one item of its group that is tested there
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
		{"O", 3, "."},      // both images: TestComparisonItems
		{"P", 9, "."},      // the result: TestResultItems
		{"Q", 7, "."},      // the fields: TestFieldItems, TestStrip; Q2 in packages dkim and arc
		{"R", 3, "."},      // the reader: TestReader
		{"S", 6, "."},      // publishers: TestLint, TestCheck, TestHosting, TestAuthorities; S6 in package markcerttest
		{"T", 1, "."},      // reports: TestReportItem
	} {
		for i := 1; i <= group.items; i++ {
			item := group.letter + strconv.Itoa(i)
			dir := cmp.Or(others[item], group.dir)
			if sources[dir].named == nil {
				sources[dir] = itemNames(t, dir)
			}
			s := sources[dir]
			require.True(t, s.named[item] || elsewhere[item] != "" && strings.Contains(s.text, elsewhere[item]), "no test of the name %s in %s", item, dir)
		}
	}
}

// TestRowsAreNamed holds the rows of the threat matrix against the tests in the same way.
func TestRowsAreNamed(t *testing.T) {
	var text strings.Builder
	for _, dir := range []string{".", "svgps", "markcert", "fetch", ".."} {
		text.WriteString(itemNames(t, dir).text)
	}
	for _, row := range []int{4, 5, 6, 7, 8, 10, 11, 12, 13, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30} {
		name := fmt.Sprintf("BIM-%02d", row)
		found := false
		for quoted := range strings.SplitSeq(text.String(), `"`) {
			found = found || len(quoted) < 100 && strings.Contains(quoted, name)
		}
		require.True(t, found, "no test of the name %s", name)
	}
}

// itemSource is the source of a directory's tests, and the items with which its
// quoted texts begin: "D1 D2 D9 by the address of the author" has three.
type itemSource struct {
	text  string
	named map[string]bool
}

func itemNames(t *testing.T, dir string) itemSource {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	var source strings.Builder
	named := map[string]bool{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		source.Write(data)
	}
	for text := range strings.SplitSeq(source.String(), `"`) {
		for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == '/' }) {
			if len(word) > 3 || word[0] < 'A' || word[0] > 'T' {
				break
			}
			named[word] = true
		}
	}
	return itemSource{source.String(), named}
}
