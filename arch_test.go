package mailauth_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// modulePath is what the import paths of this module begin with.
const modulePath = "github.com/seed2385d973/mailauth"

// rule says what one package of the library, its tests apart, may import
// besides the standard library.
type rule struct {
	own   string // packages of this module, separated by blanks; "internal/..." is a prefix
	third string // packages of other modules
}

// Groups of packages that nearly everybody may use.
const (
	seam   = "authres dnsutil "
	leaves = "internal/domain internal/taglist internal/scan "
	common = seam + leaves + "internal/lookup internal/suffix internal/address message "
)

// architecture is the import table: who may import whom. A package that is not
// in it may not exist; add it here, next to what it resembles.
var architecture = map[string]rule{
	".":                        {own: common + "spf dkim arc dmarc dmarc/aggregate bimi dnsutil/dnsclient"},
	"authres":                  {own: leaves},
	"message":                  {own: leaves + "internal/canon"},
	"spf":                      {own: seam + leaves + "internal/lookup"},
	"dkim":                     {own: common + "internal/sig internal/canon internal/txt"},
	"arc":                      {own: common + "internal/sig internal/canon"}, // not dkim
	"dmarc":                    {own: common},                                 // neither spf nor dkim
	"dmarc/aggregate":          {own: common + "dmarc dmarc/internal/..."},
	"dmarc/aggregate/sqlstore": {own: "dmarc dmarc/aggregate"},
	"dmarc/failure":            {own: common + "dmarc dmarc/aggregate dmarc/internal/..."},
	"dmarc/internal/...":       {own: leaves},
	"records":                  {own: common + "internal/txt spf dkim dmarc bimi"}, // above the protocols, below nobody: for the owners of domains
	"bimi":                     {own: common + "dmarc bimi/svgps bimi/markcert bimi/internal/..."},
	"bimi/fetch":               {own: seam + leaves + "bimi bimi/internal/... internal/lookup"},
	"bimi/svgps":               {own: leaves + "bimi/internal/..."},
	"bimi/markcert":            {own: "authres bimi/svgps bimi/internal/... " + leaves},
	"bimi/internal/...":        {own: leaves},
	"dnsutil":                  {own: leaves},
	"dnsutil/dnsclient":        {own: leaves + "dnsutil dnsutil/internal/...", third: "github.com/miekg/dns"},
	"dnsutil/dnstest":          {own: leaves + "dnsutil dnsutil/internal/...", third: "github.com/miekg/dns"},
	"dnsutil/internal/...":     {own: leaves + "dnsutil", third: "github.com/miekg/dns"},
	"internal/address":         {own: leaves},
	"internal/canon":           {},
	"internal/domain":          {third: "golang.org/x/net/idna"},
	"internal/lookup":          {own: "dnsutil " + leaves},
	"internal/scan":            {},
	"internal/sig":             {own: seam + leaves + "message internal/canon internal/lookup"},
	"internal/suffix":          {own: leaves, third: "golang.org/x/net/publicsuffix"},
	"internal/taglist":         {},
	"internal/txt":             {},

	// What only tests import may use what tests may.
	"internal/alphabet":          {},
	"internal/testcase":          {own: "dnsutil dnsutil/dnstest internal/...", third: "github.com/stretchr/testify/..."},
	"internal/dnsfault":          {own: "dnsutil dnsutil/dnsclient dnsutil/dnstest", third: "github.com/miekg/dns"},
	"internal/mailgen":           {own: "dnsutil/dnstest internal/sig/sigtest"},
	"internal/sig/sigtest":       {own: "message dnsutil dnsutil/dnstest internal/..."},
	"bimi/markcert/markcerttest": {own: leaves},

	// What the example programs share is an ordinary user of the exported API.
	"examples/internal/sample": {own: ". dnsutil/dnstest"},
}

// testThirdParty is what tests may import from other modules.
const testThirdParty = "github.com/stretchr/testify/..."

// onlyIn lists packages of the standard library that only some packages may
// import: those that reach outside (network, files, processes), and those that
// are not safe on hostile input. An empty list forbids the import altogether.
var onlyIn = map[string]string{
	"net/http":   "bimi/fetch",
	"net":        "bimi/fetch dnsutil dnsutil/dnsclient dnsutil/dnstest internal/dnsfault", // dnsutil: the type that FromNet adapts
	"crypto/tls": "bimi/fetch dnsutil/dnsclient",
	"os":         "dnsutil/dnsclient internal/testcase",
	"testing":    "dnsutil/dnstest internal/testcase internal/dnsfault internal/mailgen internal/sig/sigtest bimi/markcert/markcerttest",
	"flag":       "internal/testcase",
	"regexp":     "internal/sig/sigtest", // backtracking or not, a regexp over a message is one pass too many
	"mime":       "dmarc/aggregate dmarc/failure",
	"net/mail":   "", // its address parser accepts what others read differently
	"net/smtp":   "",
	"log":        "",
	"os/exec":    "",
	"os/signal":  "",
	"syscall":    "bimi/fetch", // the type in net.Dialer.Control, which sees the address before it is dialled
	"plugin":     "",
	"unsafe":     "",
	"C":          "",
}

// tolerated are variables that may stay, and why.
var tolerated = map[string]string{
	"internal/canon.packing":                  "a table whose address assembly reads from",
	"internal/sig.sextets":                    "a table, indexed through its address because that is faster",
	"bimi/markcert/markcerttest.ErrNotServed": "only tests import the package",
}

// sourceDir is one directory with Go files of the main module.
type sourceDir struct {
	path  string // relative, with slashes; "." for the root
	files []sourceFile
}

type sourceFile struct {
	name string
	test bool
	ast  *ast.File
}

// isMain reports whether the directory holds a program.
func (d sourceDir) isMain() bool {
	return slices.ContainsFunc(d.files, func(f sourceFile) bool { return !f.test && f.ast.Name.Name == "main" })
}

func (d sourceDir) isInternal() bool {
	return strings.Contains("/"+d.path+"/", "/internal/") || strings.HasSuffix(d.path, "/gen")
}

// parseSources reads all Go files of the main module; nested modules keep their own house.
func parseSources(t *testing.T, mode parser.Mode) (*token.FileSet, []sourceDir) {
	t.Helper()
	parsed.Lock()
	defer parsed.Unlock()
	if p, ok := parsed.modes[mode]; ok {
		return p.fset, p.dirs
	}
	fset, dirs := parseFiles(t, mode)
	parsed.modes[mode] = sources{fset, dirs}
	return fset, dirs
}

// parsed are the sources by mode: many tests read them, and nobody changes them.
var parsed = struct {
	sync.Mutex
	modes map[parser.Mode]sources
}{modes: map[parser.Mode]sources{}}

type sources struct {
	fset *token.FileSet
	dirs []sourceDir
}

func parseFiles(t *testing.T, mode parser.Mode) (*token.FileSet, []sourceDir) {
	t.Helper()
	fset := token.NewFileSet()
	dirs := map[string]*sourceDir{}
	err := filepath.WalkDir(".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			_, nested := os.Stat(filepath.Join(p, "go.mod"))
			if name := e.Name(); p != "." && (nested == nil || name == "testdata" || name[0] == '.' || name[0] == '_') {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, mode)
		if err != nil {
			return err
		}
		dir := path.Dir(filepath.ToSlash(p))
		if dirs[dir] == nil {
			dirs[dir] = &sourceDir{path: dir}
		}
		dirs[dir].files = append(dirs[dir].files, sourceFile{p, strings.HasSuffix(p, "_test.go"), f})
		return nil
	})
	require.NoError(t, err)
	out := make([]sourceDir, 0, len(dirs))
	for _, d := range dirs {
		out = append(out, *d)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].path < out[j].path })
	require.Greater(t, len(out), 5, "the module's packages were not found")
	return fset, out
}

// matches reports whether p is in a blank-separated list of paths and "prefix/..." patterns.
func matches(list, p string) bool {
	return slices.ContainsFunc(strings.Fields(list), func(pattern string) bool {
		prefix, ok := strings.CutSuffix(pattern, "/...")
		return p == pattern || ok && (p == prefix || strings.HasPrefix(p, prefix+"/"))
	})
}

// ruleFor returns the row of the table for a package: its own, or that of a prefix.
func ruleFor(p string) (rule, bool) {
	if r, ok := architecture[p]; ok {
		return r, true
	}
	for pattern, r := range architecture {
		if strings.HasSuffix(pattern, "/...") && matches(pattern, p) {
			return r, true
		}
	}
	return rule{}, false
}

// TestImports holds the import table.
func TestImports(t *testing.T) {
	_, dirs := parseSources(t, parser.ImportsOnly)
	for _, d := range dirs {
		r, known := ruleFor(d.path)
		program := d.isMain()
		for _, f := range d.files {
			if !f.test && !program && !known {
				t.Errorf("%s: package %s is not in the import table of arch_test.go", f.name, d.path)
				break
			}
			for _, spec := range f.ast.Imports {
				p, err := strconv.Unquote(spec.Path.Value)
				require.NoError(t, err)
				own, isOwn := strings.CutPrefix(p+"/", modulePath+"/")
				own = path.Clean("./" + own)
				standard := !isOwn && !strings.Contains(strings.Split(p, "/")[0], ".")
				allowed := false
				switch {
				case isOwn && program:
					// Programs are users of the exported API.
					allowed = f.test || !strings.HasPrefix(d.path, "examples/") || !matches("internal/...", own)
				case isOwn:
					allowed = f.test || matches(r.own, own)
				case standard:
					only, restricted := onlyIn[p]
					allowed = f.test || program || !restricted || matches(only, d.path)
				case f.test:
					allowed = matches(testThirdParty, p) || matches(r.third, p)
				default:
					allowed = matches(r.third, p)
				}
				if !allowed {
					t.Errorf("%s: must not import %s", f.name, p)
				}
			}
		}
	}
}

// TestNoGlobalState: no init function, no exported variable, and no
// package-level variable that anything writes, hands out the address of, or
// that is made to be written (sync and atomic types, channels).
func TestNoGlobalState(t *testing.T) {
	fset, dirs := parseSources(t, 0)
	for _, d := range dirs {
		if d.isMain() && strings.HasPrefix(d.path, "examples/") {
			continue // flags of a program
		}
		vars := packageVars(d)
		for _, f := range d.files {
			if f.test {
				continue
			}
			for _, decl := range f.ast.Decls {
				switch decl := decl.(type) {
				case *ast.FuncDecl:
					if decl.Recv == nil && decl.Name.Name == "init" {
						t.Errorf("%s: init function", fset.Position(decl.Pos()))
					}
				case *ast.GenDecl:
					if decl.Tok == token.VAR {
						checkVars(t, fset, d, decl)
					}
				}
			}
			ast.Inspect(f.ast, func(n ast.Node) bool {
				if name := written(n, vars); name != "" && tolerated[d.path+"."+name] == "" {
					t.Errorf("%s: writes to the package-level variable %s, or hands out its address", fset.Position(n.Pos()), name)
				}
				return true
			})
		}
	}
}

// variables are the package-level variables of a package, those of its tests apart.
type variables struct {
	names map[string]bool
	specs map[any]bool // their *ast.ValueSpecs
}

func packageVars(d sourceDir) variables {
	v := variables{map[string]bool{}, map[any]bool{}}
	for _, f := range d.files {
		for _, decl := range f.ast.Decls {
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.VAR && !f.test {
				for _, spec := range g.Specs {
					v.specs[spec] = true
					for _, n := range spec.(*ast.ValueSpec).Names {
						v.names[n.Name] = n.Name != "_"
					}
				}
			}
		}
	}
	return v
}

// has reports whether an identifier is one of the variables. The parser resolves
// what is declared in the same file; what it does not, another file declares.
func (v variables) has(id *ast.Ident) bool {
	return v.names[id.Name] && (id.Obj == nil || v.specs[id.Obj.Decl])
}

func checkVars(t *testing.T, fset *token.FileSet, d sourceDir, decl *ast.GenDecl) {
	t.Helper()
	for _, spec := range decl.Specs {
		spec := spec.(*ast.ValueSpec)
		for _, n := range spec.Names {
			if n.IsExported() && !d.isInternal() && tolerated[d.path+"."+n.Name] == "" {
				t.Errorf("%s: exported variable %s, which anybody can assign", fset.Position(n.Pos()), n.Name)
			}
		}
		mutable := func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.ChanType:
				t.Errorf("%s: package-level channel", fset.Position(n.Pos()))
			case *ast.SelectorExpr:
				pkg, ok := n.X.(*ast.Ident)
				// A value computed once is a table, whoever asks first.
				if once := n.Sel.Name == "OnceValue" || n.Sel.Name == "OnceValues"; ok && (pkg.Name == "sync" && !once || pkg.Name == "atomic") {
					t.Errorf("%s: package-level %s.%s", fset.Position(n.Pos()), pkg.Name, n.Sel.Name)
				}
			}
			return true
		}
		if spec.Type != nil {
			ast.Inspect(spec.Type, mutable)
		}
		for _, v := range spec.Values {
			ast.Inspect(v, mutable)
		}
	}
}

// written returns the name of the package-level variable that n writes to.
func written(n ast.Node, vars variables) string {
	var targets []ast.Expr
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			targets = n.Lhs
		}
	case *ast.IncDecStmt:
		targets = []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			targets = []ast.Expr{n.Key, n.Value}
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			targets = []ast.Expr{n.X}
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && slices.Contains([]string{"append", "clear", "copy", "delete"}, f.Name) {
			targets = n.Args[:1]
		}
	}
	for _, e := range targets {
		if id := root(e); id != nil && vars.has(id) {
			return id.Name
		}
	}
	return ""
}

// root returns the variable that an addressable expression is a part of.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
