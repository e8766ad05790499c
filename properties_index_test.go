package mailauth_test

import (
	"fmt"
	"go/ast"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// properties says which tests of which packages hold the properties P1 to P19 of the
// threat matrix. (P20, mutation testing, is no test: make mutate, a sample of which the
// checks try, see internal/tools/mutate/sample.txt.) The names of the
// tests carry the numbers; one that holds several carries several.
const properties = `
P1  what is signed passes: any message, key and canonicalization
    dkim             TestP1SignedPasses TestP1SignThenVerify
P2  relaxed canonicalization takes what it permits, simple takes nothing
    dkim             TestP2Relaxed TestP2SignedRelaxed
P3  no covered octet and none of the signature can be changed
    dkim             TestP3FlippedOctets
P4  unsigned fields never help, junk never harms (CMP-10, CMP-11)
    .                TestP4UnsignedFieldsNeverHelp TestP4JunkSignaturesChangeNothing
    .                TestP4CasesUnsignedFieldsNeverHelp TestP4JunkSignatures
    dkim             TestP4AddedFields
P5  the canonical form is its own, and the reference's
    internal/canon   TestP5Idempotent TestP5FieldExhaustive
P6  all small bodies
    internal/canon   TestP6Exhaustive
P7  the pieces in which a message comes do not matter
    .                TestP7Pieces TestP7Chunks
    message          TestP7Chunks
    internal/canon   TestP7Chunks
P8  questions are bounded, and their names legal and absolute
    .                TestP8QuestionsAreBoundedAndLegal
    spf              TestP8QueriesAreBoundedAndLegal
    dmarc            TestP8P9P10P11P19RandomWorlds
    internal/lookup  TestP8P14SameOutcomeWhoeverIsFaster
P9  DNS errors move verdicts to temperror and nowhere else (CMP-12); see TestDNSFaults, too
    .                TestP9ErrorsOnlyMakeTempError TestP9RecordsGoneMakeNothingGood TestP9DNSErrorsMoveOnlyToTempError
    dkim             TestP9FaultsAreMonotonic
    spf              TestP9ErrorsOnlyMakeTempError
    dmarc            TestP8P9P10P11P19RandomWorlds
P10 the order of records and of ARC fields changes nothing
    .                TestP10OrderChangesNothing
    dkim             TestP10P11OrderAndCase
    spf              TestP10OrderOfRecordsChangesNothing
    arc              TestP10FieldOrder
    dmarc            TestP8P9P10P11P19RandomWorlds
P11 the case of domain names changes nothing
    .                TestP11CaseChangesNothing
    dkim             TestP10P11OrderAndCase
    spf              TestP11CaseChangesNothing
    dmarc            TestP8P9P10P11P19RandomWorlds
P12 our field on top of a message is one field more (CMP-06)
    .                TestP12OurFieldOnTop TestP12Prepended
    authres          TestP12Prepend
P13 work is linear; time is for the benchmarks
    .                TestP13LinearWork
    message          TestP13Linear
    authres          TestP13Linear
    dkim             TestP13Linear
    spf              TestP13ParseIsLinear
    bimi/svgps       TestP13Linear
    dmarc/aggregate  TestP13Linear
P14 one input, one result, however many processors
    .                TestP14SameResult TestP14SameInputSameResult
    dkim             TestP14Deterministic
    dmarc            TestP14Concurrent
    internal/lookup  TestP8P14SameOutcomeWhoeverIsFaster
P15 times hold to the second, by the injected clock
    .                TestP15Times TestP15OnlyInjectedClocks
P16 zero values never pass
    .                TestP16ZeroValuesNeverPass TestP16EveryResultIsListed TestP16ZeroValues
    dkim             TestP16ZeroResult
    dmarc            TestP16ZeroValues
P17 no HTTP and no socket but where they belong
    .                TestP17OnlyFetchReachesTheWeb TestP17Sockets
P18 SPF is what a naive evaluator says
    spf              TestP18Reference
P19 alignment is symmetric, strict within relaxed, and a pass rests on it
    .                TestP19PassHasAnAlignedIdentifier
    dmarc            TestP19AlignmentIsSymmetric TestP19StrictIsWithinRelaxed TestP8P9P10P11P19RandomWorlds
`

var propertyName = regexp.MustCompile(`^Test((?:P[0-9]+)+)[A-Z]`)

// TestPropertiesAreNamed: the list above and the tests are the same, and each of P1 to
// P19 has one.
func TestPropertiesAreNamed(t *testing.T) {
	listed := map[string]bool{}
	item := ""
	for line := range strings.Lines(properties) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if !strings.HasPrefix(line, " ") {
			item = f[0]
			continue
		}
		for _, name := range f[1:] {
			listed[item+" "+f[0]+" "+name] = true
		}
	}
	found := map[string]bool{}
	_, dirs := parseSources(t, 0)
	for _, d := range dirs {
		for _, f := range d.files {
			for _, decl := range f.ast.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || !f.test || fn.Recv != nil {
					continue
				}
				if m := propertyName.FindStringSubmatch(fn.Name.Name); m != nil {
					for p := range strings.SplitSeq(m[1][1:], "P") {
						found["P"+p+" "+d.path+" "+fn.Name.Name] = true
					}
				}
			}
		}
	}
	for key := range found {
		require.True(t, listed[key], "not in the list of properties: %s", key)
	}
	for key := range listed {
		require.True(t, found[key], "in the list of properties, and does not exist: %s", key)
	}
	for n := range 19 {
		require.True(t, slices.ContainsFunc(slices.Collect(maps.Keys(found)), func(k string) bool {
			return strings.HasPrefix(k, fmt.Sprintf("P%d ", n+1))
		}), "no test of P%d", n+1)
	}
}

// Who imports the library does not import the web: only who imports bimi/fetch does.
// The exception is the public suffix list of golang.org/x/net, which names an interface of
// net/http/cookiejar and so has net/http linked, though nobody calls it.
func TestP17OnlyFetchReachesTheWeb(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", `{{.Name}} {{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	require.NoError(t, err)
	imports := map[string][]string{}
	var own []string
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		imports[f[1]] = f[2:]
		if f[0] != "main" && strings.HasPrefix(f[1]+"/", modulePath+"/") {
			own = append(own, f[1])
		}
	}
	reaches := map[string]bool{"net/http": true, "golang.org/x/net/publicsuffix": false}
	var visit func(p string) bool
	visit = func(p string) bool {
		r, known := reaches[p]
		if !known {
			reaches[p] = false
			r = slices.ContainsFunc(imports[p], visit)
			reaches[p] = r
		}
		return r
	}
	require.Greater(t, len(own), 20)
	for _, p := range own {
		require.Equal(t, p == modulePath+"/bimi/fetch", visit(p), p)
	}
}

// sockets are the packages that may open one, and the names in package net that do.
var sockets = []string{"dnsutil/dnsclient", "bimi/fetch", "internal/dnsfault"} // the last is for tests

var opensSocket = regexp.MustCompile(`^(Dial.*|Listen.*|Dialer|Resolver|DefaultResolver|Lookup.*|FileConn|FileListener)$`)

// No other package opens a socket, or asks the system to ask the DNS, but dnsutil.FromNet for
// callers who want just that.
func TestP17Sockets(t *testing.T) {
	_, dirs := parseSources(t, 0)
	found := map[string]bool{}
	for _, d := range dirs {
		if d.isMain() || strings.HasPrefix(d.path, "examples/") {
			continue
		}
		for _, f := range d.files {
			if f.test {
				continue
			}
			ast.Inspect(f.ast, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				pkg, ok := sel.X.(*ast.Ident)
				if !ok || pkg.Name != "net" || pkg.Obj != nil || !opensSocket.MatchString(sel.Sel.Name) {
					return true
				}
				found[d.path] = true
				if !slices.Contains(sockets, d.path) && !(f.name == "dnsutil/net.go" && strings.HasSuffix(sel.Sel.Name, "Resolver")) {
					t.Errorf("%s uses net.%s", f.name, sel.Sel.Name)
				}
				return true
			})
		}
	}
	for _, p := range sockets {
		require.True(t, found[p], p)
	}
}
