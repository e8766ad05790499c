// Command mutate changes the code that decides about mail, one place at a time,
// and reports which changes no test notices.
//
//	mutate [-C dir] [-sample n] [-match regexp] [-keys file] [-list] [-v] [group ...]
//
// With -keys only the mutants that a file names are tried: those of sample.txt are a
// bounded check that tests which once noticed still do.
//
// A group is a line of targets.txt: its name, the packages whose tests are run,
// their files. Without a group all are mutated. Mutants are compiled through an
// overlay, so that no file of the tree is touched: as many as possible into one
// binary with a switch (schemata.go), of which only the tests are run that come by
// the mutant, the others one by one. A mutant is killed if the tests fail, run out
// of time or panic, and does not count if it does not compile.
//
// equivalents.txt lists mutants that no test can or should kill, each with the
// reason. Any other that survives makes the exit status 1.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.dir, "C", ".", "directory of the module")
	flag.IntVar(&o.sample, "sample", 0, "how many mutants to try; 0: all. The choice depends on nothing but the mutants")
	match := flag.String("match", "", "regular expression that the mutant's key has to match")
	flag.StringVar(&o.keys, "keys", "", "file of the keys to try")
	flag.BoolVar(&o.list, "list", false, "print the mutants and try none")
	flag.BoolVar(&o.verbose, "v", false, "print every mutant")
	flag.BoolVar(&o.skipAlone, "together", false, "leave out the mutants that have to be compiled one by one, such as changed constants")
	flag.IntVar(&o.parallel, "parallel", 2, "how many at once")
	flag.DurationVar(&o.limit, "limit", 0, "for the tests of one mutant; 0: by the time that they take without one, which is measured first")
	flag.Parse()
	o.groups = flag.Args()
	var err error
	if o.match, err = regexp.Compile(*match); err == nil {
		err = o.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

type options struct {
	dir, keys     string
	sample        int
	parallel      int
	match         *regexp.Regexp
	list, verbose bool
	skipAlone     bool
	limit         time.Duration
	groups        []string
}

// group is code that is mutated together and the tests that have to notice.
type group struct {
	name  string
	tests []string
	files []string
	limit time.Duration // for the tests of one mutant
}

// job is one mutant of a group.
type job struct {
	mutant
	group *group
	state string // killed, survived, unreached, invalid; alone before it is tried alone
}

func (j *job) survived() bool { return j.state == "survived" || j.state == "unreached" }

func (o *options) run() error {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	own := filepath.Join(dir, "internal/tools/mutate")
	groups, err := readGroups(filepath.Join(own, "targets.txt"), dir)
	if err != nil {
		return err
	}
	known, err := readEquivalents(filepath.Join(own, "equivalents.txt"))
	if err != nil {
		return err
	}
	wanted, err := o.readKeys()
	if err != nil {
		return err
	}
	var jobs []*job
	all := map[string]bool{}
	for _, g := range groups {
		g.limit = o.limit
		for _, f := range g.files {
			ms, err := mutants(dir, f)
			if err != nil {
				return err
			}
			for _, m := range ms {
				all[m.key] = true
				// An equivalent mutant is known to survive; trying it again tells nothing.
				if known[m.key] == "" && (wanted == nil || wanted[m.key]) && o.match.MatchString(m.key) &&
					(len(o.groups) == 0 || slices.Contains(o.groups, g.name)) {
					jobs = append(jobs, &job{mutant: m, group: g})
				}
			}
		}
	}
	for key := range known {
		if !all[key] {
			fmt.Printf("equivalents.txt: no such mutant any more: %s\n", key)
		}
	}
	if n := len(wanted); n > 0 && 3*len(jobs) < 2*n {
		return fmt.Errorf("%s: %d of %d mutants are left; choose new ones", o.keys, len(jobs), n)
	}
	if o.sample > 0 {
		// By a hash of the key: a change elsewhere does not change the choice.
		slices.SortFunc(jobs, func(a, b *job) int { return cmp.Compare(hash(a.key), hash(b.key)) })
		jobs = jobs[:min(len(jobs), o.sample)]
	}
	if o.list {
		for _, j := range jobs {
			fmt.Println(j.key)
		}
		return nil
	}
	tmp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	r := &runner{dir: dir, tmp: tmp, verbose: o.verbose}
	begin := time.Now()
	for _, g := range groups {
		if err := r.together(g, jobs, o.parallel); err != nil {
			return err
		}
	}
	alone := slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.state != "alone" })
	if o.skipAlone {
		jobs = slices.DeleteFunc(jobs, func(j *job) bool { return j.state == "alone" })
		fmt.Printf("%d mutants have to be compiled alone, and were left out\n", len(alone))
		alone = nil
	}
	for _, g := range groups {
		if g.limit == 0 && slices.ContainsFunc(alone, func(j *job) bool { return j.group == g }) {
			if err := r.baseline(g); err != nil {
				return err
			}
		}
	}
	if err := r.alone(alone, o.parallel); err != nil {
		return err
	}
	err = score(jobs)
	fmt.Printf("%d mutants in %s; %d listed as equivalent were left out\n", len(jobs), time.Since(begin).Round(time.Second), len(known))
	return err
}

// readKeys returns the keys of the file, nil without one.
func (o *options) readKeys() (map[string]bool, error) {
	if o.keys == "" {
		return nil, nil
	}
	wanted := map[string]bool{}
	return wanted, lines(o.keys, func(line string) error {
		wanted[line] = true
		return nil
	})
}

func hash(s string) string { h := sha256.Sum256([]byte(s)); return string(h[:]) }

// readGroups reads lines of name, packages and files, separated by tabs; the
// items of a list by blanks. A file may be a pattern.
func readGroups(path, dir string) ([]*group, error) {
	var groups []*group
	err := lines(path, func(line string) error {
		f := strings.Split(line, "\t")
		if len(f) != 3 {
			return fmt.Errorf("not three columns: %s", line)
		}
		g := &group{name: f[0], tests: strings.Fields(f[1])}
		for _, p := range strings.Fields(f[2]) {
			files, err := filepath.Glob(filepath.Join(dir, p))
			if err != nil || len(files) == 0 {
				return fmt.Errorf("no file %s", p)
			}
			for _, x := range files {
				if rel, _ := filepath.Rel(dir, x); !strings.HasSuffix(x, "_test.go") {
					g.files = append(g.files, filepath.ToSlash(rel))
				}
			}
		}
		groups = append(groups, g)
		return nil
	})
	return groups, err
}

// readEquivalents reads keys and reasons: each reason is a line that begins with
// "#" and holds for the keys below it, up to an empty line.
func readEquivalents(path string) (map[string]string, error) {
	known := map[string]string{}
	reason := ""
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "":
			reason = ""
		case strings.HasPrefix(line, "#"):
			reason += line
		case reason == "":
			return nil, fmt.Errorf("%s: no reason above %q", path, line)
		case known[line] != "":
			return nil, fmt.Errorf("%s: twice: %q", path, line)
		default:
			known[line] = reason
		}
	}
	return known, nil
}

func lines(path string, f func(string) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for s := bufio.NewScanner(file); s.Scan(); {
		if line := s.Text(); line != "" && !strings.HasPrefix(line, "#") {
			if err := f(line); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return nil
}

type runner struct {
	dir, tmp string
	verbose  bool
	mu       sync.Mutex
	done     int
}

// test runs the tests of a group, one package after the other, until one fails.
func (r *runner) test(g *group, overlay string, limit time.Duration) (out []byte, err error) {
	for _, pkg := range g.tests {
		args := []string{"test", "-count=1", "-failfast", "-vet=off", "-ldflags=-s -w", fmt.Sprintf("-timeout=%s", limit)}
		if overlay != "" {
			args = append(args, "-overlay="+overlay)
		}
		// The time to build is not the tests'; a hang of the builder itself is not expected.
		ctx, cancel := context.WithTimeout(context.Background(), limit+5*time.Minute)
		cmd := exec.CommandContext(ctx, "go", append(args, pkg)...)
		cmd.Dir = r.dir
		out, err = cmd.CombinedOutput()
		cancel()
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// baseline makes sure that the tests pass without a mutant, and takes their time.
func (r *runner) baseline(g *group) error {
	begin := time.Now()
	if out, err := r.test(g, "", 10*time.Minute); err != nil {
		return fmt.Errorf("%s fails without a mutant:\n%s", g.name, out)
	}
	g.limit = 20*time.Second + 3*time.Since(begin) // with the time to build
	return nil
}

// alone compiles every job by itself.
func (r *runner) alone(jobs []*job, parallel int) error {
	next := make(chan *job)
	var wg sync.WaitGroup
	var failed error
	for i := range parallel {
		wg.Go(func() {
			for j := range next {
				if err := r.try(j, i); err != nil {
					r.mu.Lock()
					failed = errors.Join(failed, err)
					r.mu.Unlock()
				}
			}
		})
	}
	for _, j := range jobs {
		next <- j
	}
	close(next)
	wg.Wait()
	return failed
}

// score prints what became of the jobs.
func score(jobs []*job) error {
	survivors := 0
	count := map[string]map[string]int{}
	var order []string
	for _, j := range jobs {
		c := count[j.group.name]
		if c == nil {
			c = map[string]int{}
			count[j.group.name] = c
			order = append(order, j.group.name)
		}
		if j.survived() {
			survivors++
			fmt.Printf("%s %s:%d\n%s\n", strings.ToUpper(j.state), j.file, j.line, j.key)
			j.state = "survived"
		}
		c[j.state]++
	}
	slices.Sort(order)
	fmt.Printf("%-10s %7s %8s %8s %6s\n", "", "killed", "survived", "invalid", "score")
	for _, name := range order {
		c := count[name]
		score := 100.0
		if n := c["killed"] + c["survived"]; n > 0 {
			score = 100 * float64(c["killed"]) / float64(n)
		}
		fmt.Printf("%-10s %7d %8d %8d %5.1f%%\n", name, c["killed"], c["survived"], c["invalid"], score)
	}
	if survivors > 0 {
		return fmt.Errorf("%d mutants survived: write a case that notices, or list them in equivalents.txt with the reason", survivors)
	}
	return nil
}

// try builds one mutant and runs the tests.
func (r *runner) try(j *job, worker int) error {
	overlay, err := r.overlay(j, filepath.Join(r.tmp, fmt.Sprint(worker)))
	if err != nil {
		return err
	}
	out, err := r.test(j.group, overlay, j.group.limit)
	switch {
	case err == nil:
		j.state = "survived"
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		j.state = "invalid"
	default:
		j.state = "killed"
	}
	r.count(j)
	return nil
}

// overlay puts the mutant in the place of its file, for the builder only.
func (r *runner) overlay(j *job, stem string) (string, error) {
	if err := os.WriteFile(stem+".go", []byte(j.src[:j.start]+j.text+j.src[j.end:]), 0o600); err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(r.dir, j.file): stem + ".go"}})
	if err != nil {
		return "", err
	}
	return stem + ".json", os.WriteFile(stem+".json", data, 0o600)
}

func (r *runner) count(j *job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if r.verbose || j.survived() {
		fmt.Fprintf(os.Stderr, "%d %s %s:%d %s\n", r.done, j.state, j.file, j.line, j.key)
	}
}
