package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// A mutant costs seconds to compile and milliseconds to notice. So all mutants of
// a group are compiled into one binary, each behind a switch ("mutant schemata"),
// and one is switched on when the tests run. Replacements stay on their lines: an
// error of the compiler then says which mutants cannot be had in this way. Those,
// and changes of constants, are compiled one by one.

// form is what the schema of a mutant is made from.
type form struct {
	node    ast.Node
	by      string // what stands for it, where that is a name, a sign or a statement
	negated bool   // the truth value is turned round
}

// switchPackage is where the switch is; it exists in the overlay only.
const switchPackage = "internal/zzmut"

// switchSource: with ZZMUT_TRACE the numbers of the mutants that are reached are
// written to a file, each once.
const switchSource = `package zzmut

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"sync"
)

var (
	on      = number()
	tracing = os.Getenv("ZZMUT_TRACE") != ""
	mu      sync.Mutex
	seen    = map[int]bool{}
	file    *os.File
)

func number() int {
	n, err := strconv.Atoi(os.Getenv("ZZMUT"))
	if err != nil {
		return -1
	}
	return n
}

func On(id int) bool {
	if tracing {
		trace(id)
	}
	return id == on
}

func trace(id int) {
	mu.Lock()
	defer mu.Unlock()
	if seen[id] {
		return
	}
	seen[id] = true
	if file == nil {
		file, _ = os.OpenFile(os.Getenv("ZZMUT_TRACE"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	}
	fmt.Fprintln(file, id)
}

func Less[T cmp.Ordered](id int, a, b T) bool { return a < b || On(id) && a == b }
func Most[T cmp.Ordered](id int, a, b T) bool { return a < b || !On(id) && a == b }
func More[T cmp.Ordered](id int, a, b T) bool { return a > b || On(id) && a == b }
func Least[T cmp.Ordered](id int, a, b T) bool { return a > b || !On(id) && a == b }

func And(id int, a bool, b func() bool) bool {
	if a != On(id) {
		return b()
	}
	return a
}

func Or(id int, a bool, b func() bool) bool {
	if a != On(id) {
		return a
	}
	return b()
}

type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr | ~float32 | ~float64
}

func Add[T Number](id int, a, b T) T {
	if On(id) {
		return a - b
	}
	return a + b
}

func Sub[T Number](id int, a, b T) T {
	if On(id) {
		return a + b
	}
	return a - b
}

func Num[T Number](id, by int, v T) T {
	if On(id) {
		return v + T(by)
	}
	return v
}

func Pick[T any](id int, a, b T) T {
	if On(id) {
		return b
	}
	return a
}

func Fell() string { return "zzmut: missing return" }
`

// calls are the functions of the switch that stand for operators.
var calls = map[token.Token]string{
	token.LSS: "Less", token.LEQ: "Most", token.GTR: "More", token.GEQ: "Least", token.LAND: "And", token.LOR: "Or", token.ADD: "Add", token.SUB: "Sub",
}

// source is a parsed file of a group, with the types of its package.
type source struct {
	fset *token.FileSet
	file *ast.File
	info *types.Info
	pkg  *types.Package
	path string // absolute
	text string
}

// load parses and checks the packages that the files are in. The files come back
// by their absolute paths.
func load(dir string, files []string) (map[string]*source, error) {
	var patterns []string
	for _, f := range files {
		if p := "./" + filepath.ToSlash(filepath.Dir(f)); !slices.Contains(patterns, p) {
			patterns = append(patterns, p)
		}
	}
	pkgs, err := packages.Load(&packages.Config{
		Dir:  dir,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo,
	}, patterns...)
	if err != nil {
		return nil, err
	}
	out := map[string]*source{}
	for _, p := range pkgs {
		if len(p.Errors) > 0 {
			return nil, p.Errors[0]
		}
		for i, f := range p.Syntax {
			out[p.CompiledGoFiles[i]] = &source{fset: p.Fset, file: f, info: p.TypesInfo, pkg: p.Types, path: p.CompiledGoFiles[i]}
		}
	}
	return out, nil
}

// wrap is text before and after a node.
type wrap struct{ before, after string }

// schema is a file on its way to all its mutants.
type schema struct {
	*source
	module  string
	parents map[ast.Node]ast.Node
	wraps   map[ast.Node][]wrap // the first is the outermost
	ops     map[int]string      // offset of an operator, and what it is replaced with
	opLen   map[int]int
	bodies  map[*ast.BlockStmt]bool // of functions with results, some return of which can be switched off
}

func newSchema(s *source, module string) *schema {
	c := &schema{source: s, module: module, parents: map[ast.Node]ast.Node{}, wraps: map[ast.Node][]wrap{}, ops: map[int]string{}, opLen: map[int]int{}, bodies: map[*ast.BlockStmt]bool{}}
	var stack []ast.Node
	ast.Inspect(s.file, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if len(stack) > 0 {
			c.parents[n] = stack[len(stack)-1]
		}
		stack = append(stack, n)
		return true
	})
	return c
}

func (c *schema) wrap(n ast.Node, before, after string) bool {
	c.wraps[n] = append(c.wraps[n], wrap{before, after})
	return true
}

// add puts a mutant into the file, and says whether that is possible.
func (c *schema) add(id int, m form) bool {
	n := m.node
	if c.constant(n) {
		return false
	}
	on := fmt.Sprintf("zzmut.On(%d)", id)
	if m.negated {
		t := c.info.TypeOf(n.(ast.Expr))
		if t != types.Typ[types.Bool] && t != types.Typ[types.UntypedBool] {
			return false
		}
		return c.wrap(n, "("+on+" != (", "))")
	}
	switch n := n.(type) {
	case *ast.BinaryExpr:
		return c.binary(id, n)
	case *ast.BasicLit:
		name, ok := c.typeName(n)
		if !ok {
			return false
		}
		return c.wrap(n, fmt.Sprintf("zzmut.Num[%s](%d, %s1, ", name, id, m.by), ")")
	case *ast.Ident:
		return c.name(id, n, m.by)
	case *ast.BranchStmt:
		if n.Tok == token.FALLTHROUGH {
			return false
		}
	case *ast.ReturnStmt:
		if !c.mayReturn(n) {
			return false
		}
	case *ast.AssignStmt:
		if !hasCall(n.Rhs) {
			break
		}
		if strings.Contains(m.by, "\n") {
			return false
		}
		return c.wrap(n, "if !"+on+" { ", " } else { "+m.by+" }")
	}
	return c.wrap(n, "if !"+on+" { ", " }")
}

func (c *schema) binary(id int, n *ast.BinaryExpr) bool {
	on := fmt.Sprintf("zzmut.On(%d)", id)
	if n.Op == token.EQL || n.Op == token.NEQ {
		return c.wrap(n, "("+on+" != (", "))")
	}
	at := c.fset.Position(n.OpPos).Offset
	if tv := c.info.Types[n]; tv.Value != nil || c.ops[at] != "" {
		return false
	}
	if n.Op == token.ADD || n.Op == token.SUB {
		if b, ok := c.info.TypeOf(n).Underlying().(*types.Basic); !ok || b.Info()&types.IsNumeric == 0 {
			return false
		}
	}
	c.ops[at], c.opLen[at] = ",", len(n.Op.String())
	c.wrap(n, fmt.Sprintf("zzmut.%s(%d, ", calls[n.Op], id), ")")
	if n.Op == token.LAND || n.Op == token.LOR {
		// Before what its own mutants put round it.
		c.wraps[n.Y] = slices.Insert(c.wraps[n.Y], 0, wrap{"func() bool { return (", ") }"})
	}
	return true
}

// name: a constant or variable of a package by another of its type.
func (c *schema) name(id int, n *ast.Ident, by string) bool {
	obj := c.info.Uses[n]
	if obj == nil || obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() {
		return false
	}
	other := obj.Pkg().Scope().Lookup(by)
	if other == nil || !types.Identical(other.Type(), obj.Type()) {
		return false
	}
	if sel, ok := c.parents[n].(*ast.SelectorExpr); ok {
		return c.wrap(sel, fmt.Sprintf("zzmut.Pick(%d, ", id), ", "+sel.X.(*ast.Ident).Name+"."+by+")")
	}
	return c.wrap(n, fmt.Sprintf("zzmut.Pick(%d, ", id), ", "+by+")")
}

// constant: the place takes constants only.
func (c *schema) constant(n ast.Node) bool {
	for child := n; ; {
		parent := c.parents[child]
		switch p := parent.(type) {
		case nil:
			return false
		case *ast.GenDecl:
			return p.Tok == token.CONST
		case *ast.ArrayType:
			return true
		case *ast.KeyValueExpr:
			if p.Key == child {
				if lit, ok := c.parents[p].(*ast.CompositeLit); ok {
					if _, isMap := c.info.TypeOf(lit).Underlying().(*types.Map); !isMap {
						return true
					}
				}
			}
		}
		child = parent
	}
}

// typeName writes the type of a number as the file would.
func (c *schema) typeName(n *ast.BasicLit) (string, bool) {
	t := c.info.TypeOf(n)
	b, ok := t.Underlying().(*types.Basic)
	if !ok || b.Info()&types.IsNumeric == 0 {
		return "", false
	}
	if b.Info()&types.IsUntyped != 0 {
		return "int", b.Info()&types.IsInteger != 0
	}
	found := true
	name := types.TypeString(t, func(p *types.Package) string {
		if p == c.pkg {
			return ""
		}
		for _, i := range c.file.Imports {
			if strings.Trim(i.Path.Value, `"`) == p.Path() && i.Name == nil {
				return p.Name()
			}
		}
		found = false
		return p.Name()
	})
	return name, found
}

// mayReturn: without the return the function must still compile, so that its end
// gets a panic that says that it would not have.
func (c *schema) mayReturn(n ast.Node) bool {
	for p := c.parents[n]; p != nil; p = c.parents[p] {
		var typ *ast.FuncType
		var body *ast.BlockStmt
		switch f := p.(type) {
		case *ast.FuncDecl:
			typ, body = f.Type, f.Body
		case *ast.FuncLit:
			typ, body = f.Type, f.Body
		default:
			continue
		}
		if typ.Results != nil {
			c.bodies[body] = true
		}
		return true
	}
	return false
}

func hasCall(list []ast.Expr) (found bool) {
	for _, e := range list {
		ast.Inspect(e, func(n ast.Node) bool {
			_, call := n.(*ast.CallExpr)
			found = found || call
			return !found
		})
	}
	return found
}

// render writes the file with what was put into it, every line where it was.
func (c *schema) render() string {
	before, after := map[int]string{}, map[int]string{}
	put := func(n ast.Node) {
		from, to := c.fset.Position(n.Pos()).Offset, c.fset.Position(n.End()).Offset
		for _, w := range c.wraps[n] {
			before[from] += w.before
			after[to] = w.after + after[to]
		}
	}
	ast.Inspect(c.file, func(n ast.Node) bool {
		if n == nil {
			return true
		}
		put(n)
		if b, ok := n.(*ast.BlockStmt); ok && c.bodies[b] {
			at := c.fset.Position(b.Rbrace).Offset
			after[at] += "; panic(zzmut.Fell())"
		}
		return true
	})
	after[c.fset.Position(c.file.Name.End()).Offset] += `; import zzmut "` + c.module + "/" + switchPackage + `"`
	var b strings.Builder
	for i := 0; i <= len(c.text); i++ {
		b.WriteString(after[i])
		b.WriteString(before[i])
		if op := c.ops[i]; op != "" {
			b.WriteString(op)
			i += c.opLen[i] - 1
			continue
		}
		if i < len(c.text) {
			b.WriteByte(c.text[i])
		}
	}
	b.WriteString("\nvar _ = zzmut.On\n")
	return b.String()
}
