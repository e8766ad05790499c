package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// mutant is one change of one place.
type mutant struct {
	file       string // relative to the module's directory
	src        string // its text when the mutant was made
	line       int
	start, end int // octets replaced
	text       string
	// key names the mutant for the list of equivalents: file, function, what is
	// changed into what, and its number where a function has several alike. It does
	// not change when lines move.
	key string
	// form is how the change can be compiled next to others; see schemata.go.
	form form
}

// mutants makes all mutants of a file in the order of its text. Replaced are
//
//	conditions      if c -> if !(c), && <-> ||, == <-> !=, < <-> <=, > <-> >=
//	numbers         n -> n+1, n -> n-1
//	truth           true <-> false
//	arithmetic      + <-> -
//	statuses        Pass, Fail, None and so on by another one
//	errors          ErrX by the next constant of the file's errors
//	statements      an assignment, a call, ++, return, break or continue left out
func mutants(dir, file string) ([]mutant, error) {
	src, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return mutantsOf(fset, f, file, src), nil
}

// mutantsOf makes all mutants of a file that is parsed already.
func mutantsOf(fset *token.FileSet, f *ast.File, file string, src []byte) []mutant {
	w := &walker{fset: fset, file: file, src: string(src), seen: map[string]int{}, errs: errorNames(f)}
	for _, d := range f.Decls {
		w.fn = "package"
		if fd, ok := d.(*ast.FuncDecl); ok {
			w.fn = fd.Name.Name
			if fd.Recv != nil {
				w.fn = receiver(fd.Recv.List[0].Type) + "." + w.fn
			}
			if fd.Body == nil {
				continue
			}
			ast.Inspect(fd.Body, w.node)
			continue
		}
		if gd := d.(*ast.GenDecl); gd.Tok == token.CONST || gd.Tok == token.VAR {
			ast.Inspect(gd, w.node)
		}
	}
	sort.SliceStable(w.out, func(i, j int) bool { return w.out[i].start < w.out[j].start })
	return w.out
}

func receiver(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return "?"
}

// errorNames lists the error names that a file uses, so that one can stand for another.
func errorNames(f *ast.File) []string {
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && isErrorName(id.Name) && !slices.Contains(names, id.Name) {
			names = append(names, id.Name)
		}
		return true
	})
	sort.Strings(names)
	return names
}

// isErrorName: ErrX, and not Error.
func isErrorName(s string) bool {
	return len(s) > 3 && s[:3] == "Err" && 'A' <= s[3] && s[3] <= 'Z'
}

type walker struct {
	fset *token.FileSet
	file string
	src  string
	fn   string
	errs []string
	seen map[string]int
	out  []mutant
}

func (w *walker) at(p token.Pos) int { return w.fset.Position(p).Offset }

// add replaces the octets from start to end. A word or a number says nothing
// alone: its key has the line with it.
func (w *walker) add(start, end token.Pos, text string, form form) {
	a, b := w.at(start), w.at(end)
	old, context := w.src[a:b], ""
	if !strings.ContainsAny(old, " (") {
		from := strings.LastIndexByte(w.src[:a], '\n') + 1
		to := b + strings.IndexByte(w.src[b:]+"\n", '\n')
		context = strings.Join(strings.Fields(w.src[from:to]), " ") + " | "
	}
	short := func(s string) string {
		s = strings.Join(strings.Fields(s), " ")
		if len(s) > 60 {
			s = s[:57] + "..."
		}
		return s
	}
	by := short(text)
	if by == "" {
		by = "nothing"
	}
	key := fmt.Sprintf("%s %s: %s%s -> %s", w.file, w.fn, context, short(old), by)
	if w.seen[key]++; w.seen[key] > 1 {
		key += fmt.Sprintf(" #%d", w.seen[key])
	}
	w.out = append(w.out, mutant{w.file, w.src, w.fset.Position(start).Line, a, b, text, key, form})
}

var operators = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.EQL: "!=", token.NEQ: "==",
	token.LAND: "||", token.LOR: "&&", token.ADD: "-", token.SUB: "+",
}

// statuses are the result words; each is replaced by the one after it.
var statuses = []string{"Pass", "Fail", "None", "Neutral", "Policy", "TempError", "PermError", "SoftFail"}

// dispositions are what a domain owner wants and a receiver does.
var dispositions = [][]string{statuses, {"Accept", "Quarantine", "Reject", "Defer"}}

func (w *walker) text(n ast.Node) string { return w.src[w.at(n.Pos()):w.at(n.End())] }

func (w *walker) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		w.condition(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			w.condition(n.Cond)
		}
	case *ast.BinaryExpr:
		if op, ok := operators[n.Op]; ok && !isText(n.X) && !isText(n.Y) {
			// The key shows the whole expression, the change is only the operator.
			a, b := w.at(n.OpPos), w.at(n.OpPos)+len(n.Op.String())
			old := w.text(n)
			rel := w.at(n.Pos())
			w.add(n.Pos(), n.End(), old[:a-rel]+op+old[b-rel:], form{node: n})
		}
	case *ast.BasicLit:
		if n.Kind == token.INT {
			w.number(n)
		}
	case *ast.Ident:
		w.name(n)
	case *ast.BlockStmt:
		for _, s := range n.List {
			w.statement(s)
		}
	case *ast.CaseClause:
		for _, s := range n.Body {
			w.statement(s)
		}
	case *ast.CallExpr:
		// What make and append are told is memory, not a verdict.
		if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "make" || id.Name == "panic") {
			return false
		}
	case *ast.ImportSpec, *ast.CompositeLit:
		if c, ok := n.(*ast.CompositeLit); ok && isOctets(c) {
			return false
		}
	}
	return true
}

// isOctets: a table of numbers, whose tests are not worth a mutant each.
func isOctets(c *ast.CompositeLit) bool {
	n := 0
	for _, e := range c.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.INT {
			n++
		}
	}
	return n > 4
}

// isText: + of texts cannot become -.
func isText(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (isText(e.X) || isText(e.Y))
	}
	return false
}

// condition negates; the operators == and != are swapped elsewhere.
func (w *walker) condition(c ast.Expr) {
	if b, ok := c.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) {
		return
	}
	if u, ok := c.(*ast.UnaryExpr); ok && u.Op == token.NOT {
		w.add(c.Pos(), c.End(), "("+w.text(u.X)+")", form{node: c, negated: true})
		return
	}
	w.add(c.Pos(), c.End(), "!("+w.text(c)+")", form{node: c, negated: true})
}

func (w *walker) number(n *ast.BasicLit) {
	v, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 0, 64)
	if err != nil {
		return
	}
	w.add(n.Pos(), n.End(), strconv.FormatInt(v+1, 10), form{node: n, by: "+"})
	if v > 0 {
		w.add(n.Pos(), n.End(), strconv.FormatInt(v-1, 10), form{node: n, by: "-"})
	}
}

func (w *walker) name(id *ast.Ident) {
	switch id.Name {
	case "true":
		w.add(id.Pos(), id.End(), "false", form{node: id, negated: true})
		return
	case "false":
		w.add(id.Pos(), id.End(), "true", form{node: id, negated: true})
		return
	}
	for _, words := range dispositions {
		if i := slices.Index(words, id.Name); i >= 0 {
			w.add(id.Pos(), id.End(), words[(i+1)%len(words)], form{node: id, by: words[(i+1)%len(words)]})
		}
	}
	if i := slices.Index(w.errs, id.Name); i >= 0 && len(w.errs) > 1 {
		w.add(id.Pos(), id.End(), w.errs[(i+1)%len(w.errs)], form{node: id, by: w.errs[(i+1)%len(w.errs)]})
	}
}

// statement leaves one out.
func (w *walker) statement(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			return
		}
		// The right side stays, so that what it uses is still used.
		blank := strings.TrimSuffix(strings.Repeat("_, ", len(s.Lhs)), ", ")
		if len(s.Rhs) > 0 {
			right := w.src[w.at(s.Rhs[0].Pos()):w.at(s.Rhs[len(s.Rhs)-1].End())]
			w.add(s.Pos(), s.End(), blank+" = "+right, form{node: s, by: blank + " = " + right})
		}
	case *ast.IncDecStmt, *ast.ExprStmt, *ast.BranchStmt, *ast.DeferStmt, *ast.ReturnStmt:
		w.add(s.Pos(), s.End(), "", form{node: s})
	}
}
