package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const module = `package m

import "testing"

func parse(s string) int {
	if len(s) > 2 && s[0] == 'a' {
		if s[1] == 'b' {
			if s[2] == 'c' {
				panic("found")
			}
			return 2
		}
		return 1
	}
	return 0
}

func FuzzParse(f *testing.F) {
	f.Add("xxx")
	f.Fuzz(func(t *testing.T, s string) { parse(s) })
}
`

// A module with one target that has a finding: the run tells it, moves it away and
// counts; what is kept is what adds something.
func TestRunAndKeep(t *testing.T) {
	dir, work := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOWORK", "off")
	write("go.mod", "module m\n\ngo 1.26\n")
	write("m_test.go", module)
	write("m.go", "package m\n")
	o := options{dir: dir, work: work, slice: time.Second, total: 3 * time.Second, parallel: 1, minimize: "20x", targets: regexp.MustCompile(""), now: time.Now, files: 100, octets: 1 << 16}
	if targets, err := o.list(); err != nil || len(targets) != 1 || targets[0].String() != ". FuzzParse" {
		t.Fatal(targets, err)
	}
	err := o.run()
	if err != nil && !strings.Contains(err.Error(), "findings") {
		t.Fatal(err)
	}
	if len(names(filepath.Join(dir, "testdata", "fuzz", "FuzzParse"))) != 0 {
		t.Fatal("a finding was left in the module")
	}
	var b bytes.Buffer
	if err := o.report(&b); err != nil || !strings.Contains(b.String(), ". FuzzParse") || !strings.Contains(b.String(), "1 targets") {
		t.Fatal(b.String(), err)
	}

	// Without statements in files that are not tests there is no coverage to gain.
	code, test, _ := strings.Cut(module, "func FuzzParse")
	write("m.go", strings.Replace(code, "import \"testing\"\n\n", "", 1))
	write("m_test.go", "package m\n\nimport \"testing\"\n\nfunc FuzzParse"+test)
	corpus := "go test fuzz v1\nstring(%)\n"
	for name, s := range map[string]string{"00000000000000aa": `"xyz"`, "00000000000000ab": `"axx"`, "00000000000000ac": `"abx"`, "00000000000000ad": `"aby"`, "named": `""`} {
		write("testdata/fuzz/FuzzParse/"+name, strings.Replace(corpus, "%", s, 1))
	}
	if err := os.RemoveAll(filepath.Join(work, "cache")); err != nil {
		t.Fatal(err)
	}
	if err := o.keep(); err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, n := range names(filepath.Join(dir, "testdata", "fuzz", "FuzzParse")) {
		data, err := os.ReadFile(filepath.Join(dir, "testdata", "fuzz", "FuzzParse", n))
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, strings.Fields(string(data))[4])
	}
	if got := strings.Join(kept, " "); len(kept) != 3 || !strings.Contains(got, "axx") || !strings.Contains(got, "abx") || strings.Contains(got, "aby") {
		t.Fatal(got)
	}
	if err := run([]string{"nonsense"}); err == nil {
		t.Fatal("no command, no error")
	}
}
