package mailauth_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/stretchr/testify/require"
)

// TestDocComments: every exported name of an exported package has a doc comment:
// types, functions, methods, constants and interface methods. A comment on a
// group, or behind the name in its line, will do for constants. Fields are left
// to judgement: some are said in the comment of their struct.
func TestDocComments(t *testing.T) {
	fset, dirs := parseSources(t, parser.ParseComments)
	for _, d := range dirs {
		if d.isInternal() || d.isMain() {
			continue
		}
		packageDoc, library := false, false
		for _, f := range d.files {
			if f.test {
				continue
			}
			library = true
			packageDoc = packageDoc || f.ast.Doc != nil
			for _, n := range undocumented(f.ast) {
				t.Errorf("%s: exported name %s has no doc comment", fset.Position(n.Pos()), n.Name)
			}
		}
		if library && !packageDoc {
			t.Errorf("package %s has no package comment", d.path)
		}
	}
}

func undocumented(f *ast.File) (out []*ast.Ident) {
	for _, decl := range f.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			// What Error returns, error says.
			if decl.Name.IsExported() && decl.Doc == nil && exportedReceiver(decl) && decl.Name.Name != "Error" {
				out = append(out, decl.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if !spec.Name.IsExported() {
						continue
					}
					if decl.Doc == nil && spec.Doc == nil {
						out = append(out, spec.Name)
					}
					if typ, ok := spec.Type.(*ast.InterfaceType); ok {
						for _, m := range typ.Methods.List {
							if m.Doc == nil && m.Comment == nil && len(m.Names) > 0 && m.Names[0].IsExported() {
								out = append(out, m.Names[0])
							}
						}
					}
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						if n.IsExported() && decl.Doc == nil && spec.Doc == nil && spec.Comment == nil {
							out = append(out, n)
						}
					}
				}
			}
		}
	}
	return out
}

// exportedReceiver reports whether d is a function, or a method of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if index, ok := typ.(*ast.IndexExpr); ok {
		typ = index.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

var updateSections = flag.Bool("update-sections", false, "rewrite testdata/sections.txt from the specification texts")

// sectionsFile lists the sections of every RFC text of the folder specs: a line
// "RFC number: section section ...". It is in the repository so that citations
// can be checked where the texts are not at hand.
const sectionsFile = "testdata/sections.txt"

// notAtHand are RFCs that may be cited although their texts are not among the
// specifications, so that nobody can check the section.
var notAtHand = []int{1123, 1918, 2397, 3596, 3597, 3709, 4033, 4034, 4035, 5280, 5452, 5737, 5782, 6066, 6125, 6170, 6890, 6895, 6962, 8659, 9110, 9162, 9399, 9525}

const sectionNumber = `(?:[0-9]+|[A-Z])(?:\.[0-9]+)*`

var (
	citation = regexp.MustCompile(`RFC ([0-9]+), (section|appendix|sections|appendices) (` + sectionNumber + `(?:(?:, | and | or | to )` + sectionNumber + `)*)`)
	decision = regexp.MustCompile(`\(?decisions? ([0-9]+(?:(?:, | and | to )[0-9]+)*)`)
	sloppy   = regexp.MustCompile(`RFC ?[0-9]+,? (?:§|[Ss]ect?\. |Section |section [A-Z0-9]|Appendix )|[Ss]ections? [0-9.]+ of RFC`)
	number   = regexp.MustCompile(sectionNumber)
	lineEnd  = regexp.MustCompile(`\s*\n\s*(?://|#|\*|>)?\s*`)
	heading  = regexp.MustCompile(`(?m)^(?:(?:Appendix |APPENDIX )?(` + sectionNumber + `)(?:\.| |:|$)| {1,6}([0-9]+(?:\.[0-9]+)+)\.? )`)
)

// TestCitedSections: each "RFC nnnn, section x.y" in a .go or .md file names a
// section of that RFC, each "(decision n)" one of the settled decisions, and
// nobody cites in another form, which a search would miss.
func TestCitedSections(t *testing.T) {
	sections := readSections(t)
	cited := 0
	for _, p := range textFiles(t) {
		data, err := os.ReadFile(p)
		require.NoError(t, err)
		text := lineEnd.ReplaceAllString(string(data), " ")
		for _, m := range citation.FindAllStringSubmatch(text, -1) {
			cited++
			list := m[3]
			if !strings.HasSuffix(m[2], "s") && m[2] != "appendices" {
				// "section 3.5, 10 octets": in the singular it is one section.
				list = number.FindString(list)
			}
			rfc, err := strconv.Atoi(m[1])
			require.NoError(t, err)
			known := sections[rfc]
			if known == nil {
				if !slices.Contains(notAtHand, rfc) {
					t.Errorf("%s: cites RFC %d, whose text is not among the specifications; add it to notAtHand if it exists", p, rfc)
				}
				continue
			}
			for _, n := range number.FindAllString(list, -1) {
				if !known[n] {
					t.Errorf("%s: %q: RFC %d has no section %s", p, m[0], rfc, n)
				}
			}
		}
		for _, m := range decision.FindAllStringSubmatch(text, -1) {
			for _, n := range number.FindAllString(m[1], -1) {
				if i, err := strconv.Atoi(n); err != nil || i < 1 || i > 26 {
					t.Errorf("%s: %q: there are decisions 1 to 26", p, m[0])
				}
			}
		}
		if strings.HasSuffix(p, ".go") {
			for _, m := range sloppy.FindAllStringIndex(text, -1) {
				if !citation.MatchString(text[m[0]:min(len(text), m[1]+20)]) {
					t.Errorf("%s: %q: write RFC 6376, section 3.7", p, text[m[0]:min(len(text), m[1]+8)])
				}
			}
		}
	}
	require.Greater(t, cited, 20, "no citations found: is the pattern broken?")
}

// textFiles lists the .go and .md files of the repository, nested modules included.
func textFiles(t *testing.T) (out []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && p != "." && (e.Name()[0] == '.' || e.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(p); !e.IsDir() && (ext == ".go" || ext == ".md") && p != "docs_test.go" {
			out = append(out, p)
		}
		return nil
	}))
	return out
}

func readSections(t *testing.T) map[int]map[string]bool {
	t.Helper()
	if *updateSections {
		require.NoError(t, os.MkdirAll(filepath.Dir(sectionsFile), 0o755))
		require.NoError(t, os.WriteFile(sectionsFile, listSections(t), 0o644))
	}
	data, err := os.ReadFile(sectionsFile)
	require.NoError(t, err)
	out := map[int]map[string]bool{}
	for line := range strings.Lines(string(data)) {
		name, list, ok := strings.Cut(line, ":")
		require.True(t, ok, line)
		rfc, err := strconv.Atoi(strings.TrimPrefix(name, "RFC "))
		require.NoError(t, err)
		out[rfc] = map[string]bool{}
		for _, n := range strings.Fields(list) {
			out[rfc][n] = true
		}
	}
	return out
}

// TestSectionsFile: testdata/sections.txt is what the specification texts say.
func TestSectionsFile(t *testing.T) {
	want := listSections(t)
	got, err := os.ReadFile(sectionsFile)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run go test -run TestCitedSections -update-sections .")
}

func listSections(t *testing.T) []byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(testcase.Specs(t), "rfc*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	var out bytes.Buffer
	for _, p := range paths {
		rfc := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(p), "rfc"), ".txt")
		data, err := os.ReadFile(p)
		require.NoError(t, err)
		var list []string
		for _, m := range heading.FindAllStringSubmatch(string(data), -1) {
			list = append(list, m[1]+m[2])
		}
		sort.Strings(list)
		fmt.Fprintf(&out, "RFC %s: %s\n", rfc, strings.Join(slices.Compact(list), " "))
	}
	return out.Bytes()
}
