package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is small code with every kind of change, and tests that notice most.
var module = map[string]string{
	"go.mod": "module example.test/m\n\ngo 1.26\n",
	"p/p.go": `package p // the comment stays

import "time"

type word uint8

const (
	Pass word = iota
	Fail
)

const limit = 3

func grade(n uint8, d time.Duration, names []string) (w word, total int) {
	if n < limit && d >= 2*time.Second ||
		names != nil { // on two lines
		total = len(names) +
			1
		return Pass, total
	}
	for i := 0; i < 2; i++ {
		total++
	}
	if !seen(names) {
		unused()
	}
	return Fail, total - 1
}

func seen(names []string) bool { return len(names) > 0 }

func unused() {}

func never() int { return 5 }
`,
	"p/p_test.go": `package p

import (
	"testing"
	"time"
)

func TestGrade(t *testing.T) {
	for _, c := range []struct {
		n     uint8
		d     time.Duration
		names []string
		w     word
		total int
	}{
		{2, 2 * time.Second, nil, Pass, 1},
		{3, 2 * time.Second, nil, Fail, 1},
		{2, 2*time.Second - 1, nil, Fail, 1},
		{3, 0, []string{"a"}, Pass, 2},
	} {
		if w, total := grade(c.n, c.d, c.names); w != c.w || total != c.total {
			t.Error(c, w, total)
		}
	}
}
`,
}

// TestTogether: what can be compiled with others is, the rest is left to be tried
// alone, and the tests decide as they would over each mutant alone.
func TestTogether(t *testing.T) {
	dir := t.TempDir()
	for name, text := range module {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ms, err := mutants(dir, "p/p.go")
	if err != nil {
		t.Fatal(err)
	}
	g := &group{name: "p", tests: []string{"./p"}, files: []string{"p/p.go"}, limit: 1 << 36}
	var jobs, again []*job
	for i, m := range ms {
		jobs = append(jobs, &job{mutant: m, group: g})
		if i%4 == 0 {
			again = append(again, &job{mutant: m, group: g})
		}
	}
	r := &runner{dir: dir, tmp: t.TempDir()}
	if err := r.together(g, jobs, 2); err != nil {
		t.Fatal(err)
	}
	var others, alone []string
	for _, j := range jobs {
		line := fmt.Sprintf("%s %s", j.state, strings.TrimPrefix(j.key, "p/p.go "))
		switch j.state {
		case "killed":
		case "alone":
			alone = append(alone, line)
		default:
			others = append(others, line)
		}
	}
	slices.Sort(others)
	want := []string{
		"invalid grade: return Fail, total - 1 -> nothing",
		"invalid seen: return len(names) > 0 -> nothing",
		"invalid never: return 5 -> nothing",
		"survived grade: !seen(names) -> (seen(names))",
		"survived grade: unused() -> nothing",
		"survived seen: len(names) > 0 -> len(names) >= 0",
		"survived seen: func seen(names []string) bool { return len(names) > 0 } | 0 -> 1",
		"unreached never: func never() int { return 5 } | 5 -> 4",
		"unreached never: func never() int { return 5 } | 5 -> 6",
	}
	slices.Sort(want)
	if !slices.Equal(want, others) {
		t.Errorf("got\n%s", strings.Join(others, "\n"))
	}
	want = []string{
		"alone package: Pass word = iota | Pass -> Fail",
		"alone package: Fail | Fail -> None",
		"alone package: const limit = 3 | 3 -> 4",
		"alone package: const limit = 3 | 3 -> 2",
		"alone grade: total = len(names) + 1 -> _ = len(names) + 1",
		"alone grade: return Fail, total - 1 | Fail -> None",
	}
	if !slices.Equal(want, alone) {
		t.Errorf("alone\n%s", strings.Join(alone, "\n"))
	}

	if err := r.alone(again, 2); err != nil {
		t.Fatal(err)
	}
	for i, one := range again {
		if j := jobs[4*i]; j.state != "alone" && j.state != one.state && !(j.state == "unreached" && one.survived()) {
			t.Errorf("%s together, %s alone: %s", j.state, one.state, j.key)
		}
	}
}
