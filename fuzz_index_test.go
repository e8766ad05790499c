package mailauth_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fuzzTargets says which target of which package holds the items F1 to F22 of the
// threat matrix; those that share an item come after the one that is it.
const fuzzTargets = `
F1  message            FuzzDigester   header block reader
F2  dmarc              FuzzAuthorDomain  From extractor
F2  internal/address   FuzzParse      its grammar
F3  internal/taglist   FuzzParse      tag-list
F4  dkim               FuzzSignature  DKIM-Signature
F5  dkim               FuzzParseRecord  key record
F6  internal/canon     FuzzField      header canonicalization
F7  internal/canon     FuzzBody       body canonicalization
F8  dkim               FuzzVerify     all signatures of a message
F8  .                  FuzzEvaluate   whole evaluation
F9  spf                FuzzParseRecord  SPF record
F10 spf                FuzzExpand     macros
F11 spf                FuzzEvaluate   check_host over random zones
F12 dmarc              FuzzRecord     DMARC record
F12 bimi               FuzzParseRecord
F12 bimi               FuzzParseSelector
F12 bimi               FuzzLocalPartSelector
F13 dmarc              FuzzWorld      tree walk over random zones
F13 internal/suffix    FuzzOrganizational
F14 authres            FuzzParse      Authentication-Results, read
F14 arc                FuzzResults
F15 authres            FuzzFormat     Authentication-Results, written
F16 arc                FuzzVerify     ARC sets
F17 bimi/svgps         FuzzCheck      image
F17 bimi               FuzzReader
F18 bimi/markcert      FuzzLogotype   mark certificate
F18 bimi/markcert      FuzzSCTList
F18 bimi/markcert      FuzzPrecertTBS
F18 bimi/markcert      FuzzBundle
F18 bimi/markcert      FuzzCRL
F19 dmarc/aggregate    FuzzXML        report
F19 dmarc/failure      FuzzRead
F20 dmarc/aggregate    FuzzOpen       archives
F21 internal/domain    FuzzParse      name normalizer
F22 dkim               FuzzSign       sign, then verify
F22 dkim               FuzzParseKey
`

// TestFuzzTargetsAreNamed: each of F1 to F22 has a target whose comment begins with
// its name and its item, and those of the list exist. Targets that belong to no item
// may be anywhere.
func TestFuzzTargetsAreNamed(t *testing.T) {
	listed := map[string]string{} // item by package and function
	var items []string
	for line := range strings.Lines(fuzzTargets) {
		if f := strings.Fields(line); len(f) >= 3 {
			require.NotContains(t, listed, f[1]+" "+f[2])
			listed[f[1]+" "+f[2]] = f[0]
			items = append(items, f[0])
		}
	}
	for n := range 22 {
		require.Contains(t, items, fmt.Sprint("F", n+1))
	}
	first := map[string]bool{}
	_, dirs := parseSources(t, parser.ParseComments)
	for _, d := range dirs {
		for _, f := range d.files {
			for _, decl := range f.ast.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || fn.Recv != nil || !f.test || !strings.HasPrefix(fn.Name.Name, "Fuzz") {
					continue
				}
				key := d.path + " " + fn.Name.Name
				item, known := listed[key]
				if !known {
					continue
				}
				delete(listed, key)
				words := strings.FieldsFunc(fn.Doc.Text(), func(r rune) bool { return strings.ContainsRune(" .,:;()\n", r) })
				require.NotEmpty(t, words, "%s has no comment", key)
				require.Equal(t, fn.Name.Name, words[0], key)
				require.True(t, slices.Contains(words[:min(len(words), 6)], item), "%s: its comment does not say %s: %q", key, item, fn.Doc.Text())
				first[item] = first[item] || len(words) > 2 && words[1] == "is" && words[2] == item
			}
		}
	}
	require.Empty(t, listed, "these targets do not exist")
	for n := range 22 {
		require.True(t, first[fmt.Sprint("F", n+1)], "no target whose comment begins with that it is F%d", n+1)
	}
}
