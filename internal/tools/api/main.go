// Command api prints the exported API of a module, one line for each name,
// sorted, for a file that is kept under version control: a change of the API is
// then seen in review.
//
//	api [-C dir]            print the API of the module in dir
//	api [-C dir] -update f  write it to the file
//	api [-C dir] -check f   fail, and print the difference, if the file says otherwise
//
// Packages under internal directories, programs and nested modules are left out.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	dir := flag.String("C", ".", "directory of the module")
	update := flag.String("update", "", "file to write")
	check := flag.String("check", "", "file to compare with")
	flag.Parse()
	if err := run(*dir, *update, *check); err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

func run(dir, update, check string) error {
	lines, err := list(dir)
	if err != nil {
		return err
	}
	text := strings.Join(lines, "\n") + "\n"
	switch {
	case update != "":
		return os.WriteFile(update, []byte(text), 0o644)
	case check != "":
		old, err := os.ReadFile(check)
		if err != nil {
			return err
		}
		return compare(strings.Split(strings.TrimSuffix(string(old), "\n"), "\n"), lines)
	}
	_, err = io.WriteString(os.Stdout, text)
	return err
}

func compare(old, now []string) error {
	n := 0
	for _, l := range old {
		if !slices.Contains(now, l) {
			fmt.Println("-", l)
			n++
		}
	}
	for _, l := range now {
		if !slices.Contains(old, l) {
			fmt.Println("+", l)
			n++
		}
	}
	if n > 0 {
		return fmt.Errorf("the API differs in %d lines; update the file and CHANGELOG.md", n)
	}
	return nil
}

// list returns the API of the module in dir. The go command compiles the
// packages, and their export data says what they export.
func list(dir string) ([]string, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Name}}\t{{.Export}}\t{{if .Module}}{{if .Module.Main}}{{.Module.Path}}{{end}}{{end}}", "./...")
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.String())
	}
	export := map[string]string{}
	var own []string
	module := ""
	for _, line := range strings.Split(strings.TrimSpace(stdout.String()), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("go list: %q", line)
		}
		export[f[0]] = f[2]
		if f[3] != "" && f[2] != "" && f[1] != "main" && !strings.Contains(f[0]+"/", "/internal/") {
			module = f[3]
			own = append(own, f[0])
		}
	}
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if export[path] == "" {
			return nil, errors.New("no export data for " + path)
		}
		return os.Open(export[path])
	})
	var lines []string
	for _, path := range own {
		pkg, err := imp.Import(path)
		if err != nil {
			return nil, err
		}
		lines = append(lines, describe(pkg, strings.TrimPrefix(path, module+"/"))...)
	}
	slices.Sort(lines)
	return slices.Compact(lines), nil
}

func describe(pkg *types.Package, path string) (lines []string) {
	qualify := func(p *types.Package) string {
		if p == pkg {
			return ""
		}
		return p.Path()
	}
	add := func(format string, args ...any) {
		lines = append(lines, path+": "+fmt.Sprintf(format, args...))
	}
	str := func(t types.Type) string { return types.TypeString(t, qualify) }
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch obj := obj.(type) {
		case *types.Const:
			if str(obj.Type()) == "Error" {
				add("const %s Error", name) // its text is for people
			} else {
				add("const %s %s = %s", name, str(obj.Type()), obj.Val().ExactString())
			}
		case *types.Var:
			add("var %s %s", name, str(obj.Type()))
		case *types.Func:
			add("func %s%s", name, strings.TrimPrefix(str(obj.Type()), "func"))
		case *types.TypeName:
			describeType(obj, str, add)
		}
	}
	return lines
}

func describeType(obj *types.TypeName, str func(types.Type) string, add func(string, ...any)) {
	name := obj.Name()
	if obj.IsAlias() {
		add("type %s = %s", name, str(types.Unalias(obj.Type())))
		return
	}
	named := obj.Type().(*types.Named)
	full := str(named) // with type parameters
	switch u := named.Underlying().(type) {
	case *types.Struct:
		add("type %s struct", full)
		for f := range u.Fields() {
			if f.Embedded() && f.Exported() {
				add("type %s struct, embedded %s", name, str(f.Type()))
			} else if f.Exported() {
				add("type %s struct, %s %s", name, f.Name(), str(f.Type()))
			}
		}
	case *types.Interface:
		add("type %s interface", full)
		for m := range u.Methods() {
			if m.Exported() {
				add("type %s interface, %s%s", name, m.Name(), strings.TrimPrefix(str(m.Type()), "func"))
			} else {
				add("type %s interface, unexported methods", name)
			}
		}
	default:
		add("type %s %s", full, str(u))
	}
	for m := range named.Methods() {
		if !m.Exported() {
			continue
		}
		recv := name
		sig := m.Type().(*types.Signature)
		if _, ok := types.Unalias(sig.Recv().Type()).(*types.Pointer); ok {
			recv = "*" + name
		}
		add("method (%s) %s%s", recv, m.Name(), strings.TrimPrefix(str(sig), "func"))
	}
}
