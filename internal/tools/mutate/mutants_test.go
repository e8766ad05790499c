package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sample = `package p

const limit = 3

func f(a, b int) (bool, error) {
	if a < b && a != limit {
		a = 2
		return true, ErrA
	}
	for !done() {
		a++
	}
	return false, ErrB
}
`

// TestMutants: every kind of change is made, each of them changes the file, and
// the keys are those that a list can hold.
func TestMutants(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	ms, err := mutants(dir, "p.go")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, m := range ms {
		if changed := sample[:m.start] + m.text + sample[m.end:]; changed == sample {
			t.Errorf("%s changes nothing", m.key)
		}
		keys = append(keys, m.key)
	}
	want := []string{
		"p.go package: const limit = 3 | 3 -> 4",
		"p.go package: const limit = 3 | 3 -> 2",
		"p.go f: a < b && a != limit -> !(a < b && a != limit)",
		"p.go f: a < b && a != limit -> a < b || a != limit",
		"p.go f: a < b -> a <= b",
		"p.go f: a != limit -> a == limit",
		"p.go f: a = 2 -> _ = 2",
		"p.go f: a = 2 | 2 -> 3",
		"p.go f: a = 2 | 2 -> 1",
		"p.go f: return true, ErrA -> nothing",
		"p.go f: return true, ErrA | true -> false",
		"p.go f: return true, ErrA | ErrA -> ErrB",
		"p.go f: !done() -> (done())",
		"p.go f: a++ | a++ -> nothing",
		"p.go f: return false, ErrB -> nothing",
		"p.go f: return false, ErrB | false -> true",
		"p.go f: return false, ErrB | ErrB -> ErrA",
	}
	slices.Sort(want)
	slices.Sort(keys)
	if !slices.Equal(want, keys) {
		t.Errorf("got\n%s", strings.Join(keys, "\n"))
	}
}
