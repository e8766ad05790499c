package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// input is a file of a corpus.
type input struct {
	name string
	data []byte
}

var hash = regexp.MustCompile(`^[0-9a-f]{16,64}$`)

// keep is the command keep.
func (o *options) keep() error {
	targets, err := o.list()
	if err != nil {
		return err
	}
	for _, t := range targets {
		home := filepath.Join(o.dir, filepath.FromSlash(t.pkg))
		committed := filepath.Join(home, "testdata", "fuzz", t.name)
		cache := filepath.Join(o.work, "cache", strings.ReplaceAll(t.pkg, "/", "_"), t.name)
		var named, candidates []input
		seen := map[[32]byte]bool{}
		for _, dir := range []string{committed, cache} {
			for _, n := range names(dir) {
				data, err := os.ReadFile(filepath.Join(dir, n))
				if err != nil {
					return err
				}
				if sum := sha256.Sum256(data); !seen[sum] {
					seen[sum] = true
					if hash.MatchString(n) {
						candidates = append(candidates, input{n, data})
					} else {
						named = append(named, input{n, data})
					}
				}
			}
		}
		if len(candidates) == 0 {
			continue
		}
		bin, err := o.build(t.pkg, "cover", "-cover", "-covermode", "count", "-coverpkg", "./...")
		if err != nil {
			return err
		}
		kept, err := o.reduce(t, bin, home, named, candidates)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(committed, 0o755); err != nil {
			return err
		}
		for _, n := range names(committed) {
			if hash.MatchString(n) {
				if err := os.Remove(filepath.Join(committed, n)); err != nil {
					return err
				}
			}
		}
		octets := 0
		for _, in := range kept {
			octets += len(in.data)
			name := fmt.Sprintf("%x", sha256.Sum256(in.data))[:16]
			if err := os.WriteFile(filepath.Join(committed, name), in.data, 0o644); err != nil {
				return err
			}
		}
		fmt.Printf("%-40s %4d inputs, %3d kept, %6d octets, %d named\n", t, len(candidates), len(kept), octets, len(named))
	}
	return nil
}

// reduce returns the candidates that add something to the seeds in the target's
// source, the named inputs and the candidates before them.
func (o *options) reduce(t target, bin, home string, named, candidates []input) (kept []input, err error) {
	slices.SortFunc(candidates, func(a, b input) int {
		if d := len(a.data) - len(b.data); d != 0 {
			return d
		}
		return strings.Compare(a.name, b.name)
	})
	// A folder like the package's, with nothing but the inputs in its corpus.
	stage, err := os.MkdirTemp("", "fuzz-keep")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(stage)
	for _, n := range names(home) {
		if n != "testdata" {
			if err := os.Symlink(abs(filepath.Join(home, n)), filepath.Join(stage, n)); err != nil {
				return nil, err
			}
		}
	}
	corpus := filepath.Join(stage, "testdata", "fuzz", t.name)
	if err := os.MkdirAll(corpus, 0o755); err != nil {
		return nil, err
	}
	for _, n := range names(filepath.Join(home, "testdata")) {
		if n != "fuzz" {
			if err := os.Symlink(abs(filepath.Join(home, "testdata", n)), filepath.Join(stage, "testdata", n)); err != nil {
				return nil, err
			}
		}
	}
	profile := filepath.Join(stage, "profile")
	known := map[string]bool{}
	// run returns the features of the inputs that a pattern matches: statements, and
	// whether they ran once, a few times or often.
	run := func(pattern string) (features []string, err error) {
		cmd := exec.Command(bin, "-test.run", "^"+t.name+"$/"+pattern, "-test.coverprofile", profile)
		cmd.Dir = stage
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s/%s: %w\n%s", t, pattern, err, out)
		}
		f, err := os.Open(profile)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			line := s.Text()
			i := strings.LastIndexByte(line, ' ')
			if n, err := strconv.Atoi(line[i+1:]); err == nil && n > 0 {
				features = append(features, line[:i]+strconv.Itoa(min(bits.Len(uint(n))/3, 2)))
			}
		}
		return features, nil
	}
	isNew := func(f string) bool { return !known[f] }
	write := func(name string, data []byte) error { return os.WriteFile(filepath.Join(corpus, name), data, 0o644) }
	for _, in := range named {
		if err := write(in.name, in.data); err != nil {
			return nil, err
		}
	}
	seeds, err := run(".")
	if err != nil {
		return nil, err
	}
	for _, f := range seeds {
		known[f] = true
	}
	octets := 0
	for group := range slices.Chunk(candidates, 16) {
		for i, in := range group {
			if err := write(fmt.Sprintf("group%x", i), in.data); err != nil {
				return nil, err
			}
		}
		pattern := fmt.Sprintf("^group[%.*s]$", len(group), "0123456789abcdef")
		// What a whole group does not add none of it adds, and most groups add nothing.
		features, err := run(pattern)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(features, isNew) {
			continue
		}
		for i, in := range group {
			if len(kept) == o.files || octets+len(in.data) > o.octets {
				return kept, nil
			}
			features, err := run(fmt.Sprintf("^group%x$", i))
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(features, isNew) {
				continue
			}
			for _, f := range features {
				known[f] = true
			}
			kept = append(kept, in)
			octets += len(in.data)
		}
	}
	return kept, nil
}

func abs(p string) string {
	if a, err := filepath.Abs(p); err == nil {
		return a
	}
	return p
}
