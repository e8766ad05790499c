package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// together tries the jobs of a group with all mutants in one binary. Those that
// cannot be had so come back, with state "".
type together struct {
	*runner
	group    *group
	jobs     []*job
	dir      string // of its own
	binaries []*binary
}

// binary is the tests of one package.
type binary struct {
	path, dir string
	tests     []*test
}

// test is one top-level test, and the mutants that it comes by.
type test struct {
	name    string
	took    time.Duration
	reaches map[int]bool
}

// together tries those of the jobs that are the group's.
func (r *runner) together(g *group, jobs []*job, parallel int) error {
	t := &together{runner: r, group: g}
	for _, j := range jobs {
		if j.group == g {
			t.jobs = append(t.jobs, j)
		}
	}
	if len(t.jobs) == 0 {
		return nil
	}
	var err error
	if t.dir, err = os.MkdirTemp(r.tmp, g.name); err != nil {
		return err
	}
	return t.run(parallel)
}

func (t *together) run(parallel int) error {
	if err := t.build(); err != nil {
		return err
	}
	for _, b := range t.binaries {
		if err := b.trace(t.dir); err != nil {
			return err
		}
	}
	numbers := make(chan int)
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for n := range numbers {
				t.try(n)
			}
		})
	}
	for n, j := range t.jobs {
		if j.state != "alone" {
			numbers <- n
		}
	}
	close(numbers)
	wg.Wait()
	return nil
}

var errorLine = regexp.MustCompile(`(?m)^(\S+\.go):(\d+)(?::\d+)?: (.*)$`)

// build compiles the tests, and leaves out what the compiler does not take.
func (t *together) build() error {
	module, err := exec.Command("go", "list", "-C", t.runner.dir, "-m").Output()
	if err != nil {
		return err
	}
	sources, err := load(t.runner.dir, t.group.files)
	if err != nil {
		return err
	}
	for range 20 {
		replace := map[string]string{}
		write := func(path, text string) error {
			to := filepath.Join(t.dir, fmt.Sprintf("%d.go", len(replace)))
			replace[path] = to
			return os.WriteFile(to, []byte(text), 0o600)
		}
		if err := write(filepath.Join(t.runner.dir, switchPackage, "zzmut.go"), switchSource); err != nil {
			return err
		}
		files, forms := map[string]*schema{}, map[string]form{}
		for n, j := range t.jobs {
			path := filepath.Join(t.runner.dir, j.file)
			src := sources[path]
			if src == nil || j.state == "alone" {
				j.state = "alone"
				continue
			}
			c := files[path]
			if c == nil {
				src.text = j.src
				c = newSchema(src, strings.TrimSpace(string(module)))
				files[path] = c
				for _, m := range mutantsOf(src.fset, src.file, j.file, []byte(j.src)) {
					forms[m.key] = m.form // of the tree that has the types
				}
			}
			if f, ok := forms[j.key]; !ok || !c.add(n, f) {
				j.state = "alone"
			}
		}
		for path, c := range files {
			if err := write(path, c.render()); err != nil {
				return err
			}
		}
		data, err := json.Marshal(map[string]any{"Replace": replace})
		if err != nil {
			return err
		}
		overlay := filepath.Join(t.dir, "overlay.json")
		if err := os.WriteFile(overlay, data, 0o600); err != nil {
			return err
		}
		back := map[string]string{}
		for path, to := range replace {
			back[to] = path
		}
		dropped, err := t.compile(overlay, back)
		if err != nil || dropped == 0 {
			return err
		}
	}
	return errors.New("the compiler goes on complaining")
}

// compile builds the binaries; mutants on lines that the compiler complains of are
// set aside.
func (t *together) compile(overlay string, back map[string]string) (dropped int, err error) {
	t.binaries = nil
	for n, pkg := range t.group.tests {
		b := &binary{path: filepath.Join(t.dir, fmt.Sprintf("%d.test", n)), dir: filepath.Join(t.runner.dir, pkg)}
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-gcflags=-e", "-overlay="+overlay, "-o", b.path, pkg)
		cmd.Dir = t.runner.dir
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.binaries = append(t.binaries, b)
			continue
		}
		for _, m := range errorLine.FindAllStringSubmatch(string(out), -1) {
			path := m[1]
			if !filepath.IsAbs(path) {
				path = filepath.Join(t.runner.dir, path)
			}
			if back[path] != "" {
				path = back[path]
			}
			line, _ := strconv.Atoi(m[2])
			for _, j := range t.jobs {
				last := j.line + strings.Count(j.src[j.start:j.end], "\n")
				if filepath.Join(t.runner.dir, j.file) == path && j.state != "alone" && (j.line == line || last == line) {
					j.state = "alone"
					dropped++
				}
			}
		}
		if dropped == 0 {
			return 0, fmt.Errorf("%s: %w\n%s", pkg, err, out)
		}
		return dropped, nil
	}
	return 0, nil
}

// trace runs each test alone, and notes which mutants it reaches. One that fails as
// it is cannot tell anything, and is left out.
func (b *binary) trace(dir string) error {
	cmd := exec.Command(b.path, "-test.list", "^(Test|Fuzz|Example)")
	cmd.Dir = b.dir
	list, err := cmd.Output()
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(string(list)) {
		file := filepath.Join(dir, "trace")
		os.Remove(file)
		begin := time.Now()
		if out, err := b.exec(5*time.Minute, []string{"ZZMUT_TRACE=" + file}, name); err != nil {
			fmt.Fprintf(os.Stderr, "left out, as it fails without a mutant: %s %s\n%s\n", b.dir, name, tail(out))
			continue
		}
		t := &test{name: name, took: time.Since(begin), reaches: map[int]bool{}}
		data, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		for f := range strings.FieldsSeq(string(data)) {
			n, err := strconv.Atoi(f)
			if err != nil {
				return err
			}
			t.reaches[n] = true
		}
		b.tests = append(b.tests, t)
	}
	slices.SortFunc(b.tests, func(x, y *test) int { return int(x.took - y.took) })
	return nil
}

func tail(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// exec runs tests of the binary.
func (b *binary) exec(limit time.Duration, env []string, names ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit+5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.path, "-test.failfast", "-test.timeout="+limit.String(), "-test.run=^("+strings.Join(names, "|")+")$")
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), env...)
	return cmd.CombinedOutput()
}

// try switches one mutant on. The tests that are done soonest come first.
func (t *together) try(n int) {
	j := t.jobs[n]
	j.state = "unreached"
	for _, b := range t.binaries {
		var names []string
		var sum time.Duration
		run := func() bool {
			if len(names) == 0 {
				return false
			}
			j.state = "survived"
			out, err := b.exec(10*time.Second+6*sum, []string{"ZZMUT=" + strconv.Itoa(n)}, names...)
			if err != nil {
				j.state = "killed"
				if bytes.Contains(out, []byte("zzmut: missing return")) {
					j.state = "invalid"
				}
			}
			names, sum = nil, 0
			return err != nil
		}
		for _, one := range b.tests {
			if !one.reaches[n] {
				continue
			}
			if sum+one.took > time.Second && run() {
				break
			}
			names, sum = append(names, one.name), sum+one.took
		}
		if j.state != "killed" && j.state != "invalid" && run() || j.state == "killed" || j.state == "invalid" {
			break
		}
	}
	// What is left out may be what the compiler would have missed.
	if (j.state == "survived" || j.state == "unreached") && !t.compiles(j, n) {
		j.state = "invalid"
	}
	t.count(j)
}

// compiles: the mutant alone is a program.
func (t *together) compiles(j *job, n int) bool {
	overlay, err := t.overlay(j, filepath.Join(t.dir, fmt.Sprintf("alone%d", n)))
	if err != nil {
		return true
	}
	cmd := exec.Command("go", "build", "-overlay="+overlay, "./"+filepath.Dir(j.file))
	cmd.Dir = t.runner.dir
	return cmd.Run() == nil
}
