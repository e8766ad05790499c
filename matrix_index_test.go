package mailauth_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMatrixIsComplete holds testdata/threats.txt, where a reviewer finds the test of
// an attack: each row of the threat matrix is there with the file and the function
// that state what the answer must be. The row's name has to stand in that file, in a
// string (the name of a sub-test) or in the comment of the function; or in the name of
// a case beside it, in testdata.
func TestMatrixIsComplete(t *testing.T) {
	data, err := os.ReadFile("testdata/threats.txt")
	require.NoError(t, err)
	_, dirs := parseSources(t, parser.ParseComments)
	files := map[string]*ast.File{}
	for _, d := range dirs {
		for _, f := range d.files {
			files[filepath.ToSlash(f.name)] = f.ast
		}
	}
	row := regexp.MustCompile(`^([A-Z]+)-[A-Z]?\d\d[a-e]?$`)
	groups := map[string]map[string]bool{}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		require.Len(t, f, 3, line)
		id, file, name := f[0], f[1], f[2]
		m := row.FindStringSubmatch(id)
		require.NotNil(t, m, "%s is no name of a row", id)
		if groups[m[1]] == nil {
			groups[m[1]] = map[string]bool{}
		}
		groups[m[1]][id] = true

		source := files[file]
		require.NotNil(t, source, "%s: %s does not exist", id, file)
		held, declared := false, false
		says := mentions(id)
		for _, decl := range source.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && fn.Recv == nil && fn.Name.Name == name {
				declared = true
				held = held || says.MatchString(fn.Doc.Text())
			}
		}
		require.True(t, declared, "%s: %s has no %s", id, file, name)
		ast.Inspect(source, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && says.MatchString(lit.Value) {
				held = true
			}
			return !held
		})
		cases, err := filepath.Glob(filepath.Join(path.Dir(file), "testdata", "*.txtar"))
		require.NoError(t, err)
		for _, c := range cases {
			held = held || says.MatchString(filepath.Base(c))
		}
		require.True(t, held, "%s: %s does not name it", id, file)
	}
	// How many rows each group has, so that none gets lost.
	want := "AR 16, ARC 15, BIM 22, CMP 13, DKC 8, DKD 13, DKG 10, DKK 18, DKS 25, DMA 18, DNS 9, FROM 38, MSG 16, REP 14, SPF 37"
	var got []string
	for _, g := range strings.Split(want, ", ") {
		name, _, _ := strings.Cut(g, " ")
		got = append(got, fmt.Sprintf("%s %d", name, len(groups[name])))
		delete(groups, name)
	}
	require.Equal(t, want, strings.Join(got, ", "))
	require.Empty(t, groups)
}

// mentions matches the name of a row, and not of one that begins with it.
func mentions(id string) *regexp.Regexp {
	end := `([^0-9]|$)`
	if c := id[len(id)-1]; 'a' <= c && c <= 'z' {
		end = ``
	}
	return regexp.MustCompile(`(^|[^A-Za-z-])` + regexp.QuoteMeta(id) + end)
}
