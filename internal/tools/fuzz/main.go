// Command fuzz runs the fuzz targets of a module for a long time and keeps what
// they found.
//
//	fuzz [-C dir] run [-slice 3m] [-for 1h] [-until 15:04] [-parallel 1] [-work dir] [-targets regexp]
//	fuzz [-C dir] keep [-files 100] [-octets 65536] [-work dir] [-targets regexp]
//	fuzz [-work dir] report
//
// run goes over all targets in turn, a slice of time each, until the time is up,
// with one instrumented binary for each package, and appends what each slice did to
// the file "accounts" of the work directory. A finding ends its target's slice, is
// copied to the folder "findings" there, and makes the command fail at the end.
// The inputs that reached something new are in the folder "cache".
//
// keep reduces those inputs, with the ones that are committed: smallest first, an
// input stays if it runs a statement that none before it has run, or has run far
// less often. The result replaces the committed files of the target, up to the
// limits; files with a name that is not a hash, which are findings, always stay.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

// options are the flags of all commands.
type options struct {
	dir, work     string
	slice, total  time.Duration
	until         string
	parallel      int
	targets       *regexp.Regexp
	files, octets int
	now           func() time.Time
	minimize      string
}

func run(args []string) error {
	o := options{now: time.Now, minimize: "20x"}
	f := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	f.StringVar(&o.dir, "C", ".", "directory of the module")
	f.StringVar(&o.work, "work", filepath.Join(os.TempDir(), "mailauth-fuzz"), "directory for binaries, cache, findings and accounts")
	f.DurationVar(&o.slice, "slice", 3*time.Minute, "how long a target runs at a time")
	f.DurationVar(&o.total, "for", time.Hour, "how long to go on")
	f.StringVar(&o.until, "until", "", "go on until this time of the day (UTC) instead")
	f.IntVar(&o.parallel, "parallel", 1, "workers of a target")
	f.IntVar(&o.files, "files", 100, "files to keep for a target")
	f.IntVar(&o.octets, "octets", 64<<10, "octets to keep for a target")
	pattern := f.String("targets", "", "regular expression for \"package Function\"")
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") { // the command may stand in front
		args = append(args[1:], args[0])
	}
	if err := f.Parse(args); err != nil {
		return err
	}
	var err error
	if o.targets, err = regexp.Compile(*pattern); err != nil {
		return err
	}
	if o.work, err = filepath.Abs(o.work); err != nil {
		return err
	}
	switch f.Arg(0) {
	case "run":
		return o.run()
	case "keep":
		return o.keep()
	case "report":
		return o.report(os.Stdout)
	}
	return errors.New("want one of the commands run, keep, report")
}

// target is one fuzz target.
type target struct{ pkg, name string } // the package as a path in the module, "." for its root

func (t target) String() string { return t.pkg + " " + t.name }

var function = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(\w+ \*testing\.F\)`)

// list finds the targets of the module.
func (o *options) list() (out []target, err error) {
	cmd := exec.Command("go", "list", "-f", "{{$d := .Dir}}{{range .TestGoFiles}}{{$d}}/{{.}}\n{{end}}{{range .XTestGoFiles}}{{$d}}/{{.}}\n{{end}}", "./...")
	cmd.Dir, cmd.Stderr = o.dir, os.Stderr
	files, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	root, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	for file := range strings.FieldsSeq(string(files)) {
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		pkg, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return nil, err
		}
		for _, m := range function.FindAllStringSubmatch(string(source), -1) {
			if t := (target{filepath.ToSlash(pkg), m[1]}); o.targets.MatchString(t.String()) {
				out = append(out, t)
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no fuzz target found")
	}
	slices.SortFunc(out, func(a, b target) int { return strings.Compare(a.String(), b.String()) })
	return out, nil
}

// build compiles a package's tests, once.
func (o *options) build(pkg, kind string, flags ...string) (string, error) {
	bin := filepath.Join(o.work, "bin", strings.ReplaceAll(pkg, "/", "_")+"."+kind)
	if err := os.MkdirAll(filepath.Dir(bin), 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("go", slices.Concat([]string{"test", "-c", "-o", bin}, flags, []string{"./" + pkg})...)
	cmd.Dir = o.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", pkg, err, out)
	}
	return bin, nil
}

var status = regexp.MustCompile(`execs: (\d+) .*new interesting: (\d+)`)

// run is the command run.
func (o *options) run() error {
	targets, err := o.list()
	if err != nil {
		return err
	}
	binaries := map[string]string{}
	for _, t := range targets {
		if binaries[t.pkg] == "" {
			if binaries[t.pkg], err = o.build(t.pkg, "fuzz", "-fuzz", "."); err != nil {
				return err
			}
		}
	}
	end := o.now().Add(o.total)
	if o.until != "" {
		at, err := time.Parse("15:04", o.until)
		if err != nil {
			return err
		}
		now := o.now().UTC()
		end = time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
		if end.Before(now) {
			end = end.AddDate(0, 0, 1)
		}
	}
	findings := 0
	for round := 1; ; round++ {
		for _, t := range targets {
			left := end.Sub(o.now())
			if left < time.Second {
				if err := o.report(os.Stdout); err != nil {
					return err
				}
				if findings > 0 {
					return fmt.Errorf("%d findings, in %s", findings, filepath.Join(o.work, "findings"))
				}
				return nil
			}
			found, err := o.fuzz(t, binaries[t.pkg], min(o.slice, left).Round(time.Second))
			if err != nil {
				return err
			}
			findings += found
		}
	}
}

// fuzz runs one target for one slice.
func (o *options) fuzz(t target, bin string, d time.Duration) (findings int, err error) {
	home := filepath.Join(o.dir, filepath.FromSlash(t.pkg))
	cache := filepath.Join(o.work, "cache", strings.ReplaceAll(t.pkg, "/", "_"))
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return 0, err
	}
	committed := filepath.Join(home, "testdata", "fuzz", t.name)
	before := names(committed)
	cmd := exec.Command(bin, "-test.run", "^$", "-test.fuzz", "^"+t.name+"$", "-test.fuzzcachedir", cache, "-test.fuzztime", d.String(),
		"-test.fuzzminimizetime", o.minimize, "-test.parallel", fmt.Sprint(o.parallel), "-test.timeout", "0")
	cmd.Dir = home
	begin := o.now()
	out, failure := cmd.CombinedOutput()
	took := o.now().Sub(begin)
	execs, interesting, word := "0", "0", "ok"
	if all := status.FindAllStringSubmatch(string(out), -1); len(all) > 0 {
		execs, interesting = all[len(all)-1][1], all[len(all)-1][2]
	}
	if failure != nil {
		word = "FAILED"
		// The fuzzer now and then reports the end of its own time (go.dev/issue/48591); a
		// finding writes its input down.
		if text := string(out); strings.Contains(text, "context deadline exceeded") && !strings.Contains(text, "Failing input") {
			word = "ok"
		}
	}
	if word != "ok" {
		for _, n := range names(committed) {
			if slices.Contains(before, n) {
				continue
			}
			findings++
			to := filepath.Join(o.work, "findings", strings.ReplaceAll(t.pkg, "/", "_"), t.name)
			if err := os.MkdirAll(to, 0o755); err != nil {
				return findings, err
			}
			if err := os.Rename(filepath.Join(committed, n), filepath.Join(to, n)); err != nil {
				return findings, err
			}
			if err := os.WriteFile(filepath.Join(to, n+".log"), out, 0o644); err != nil {
				return findings, err
			}
		}
		if findings == 0 {
			findings = 1
			fmt.Fprintf(os.Stderr, "%s: %v\n%s\n", t, failure, out)
		}
	}
	line := fmt.Sprintf("%s %s %s %.0f %s %s %s\n", begin.UTC().Format(time.RFC3339), t.pkg, t.name, took.Seconds(), execs, interesting, word)
	fmt.Print(line)
	accounts, err := os.OpenFile(filepath.Join(o.work, "accounts"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return findings, err
	}
	_, err = accounts.WriteString(line)
	return findings, errors.Join(err, accounts.Close())
}

// names lists a folder; one that is missing is empty.
func names(dir string) (out []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// report is the command report: the sums over the accounts.
func (o *options) report(w interface{ Write([]byte) (int, error) }) error {
	f, err := os.Open(filepath.Join(o.work, "accounts"))
	if err != nil {
		return err
	}
	defer f.Close()
	type sum struct{ seconds, execs, interesting, slices, failed int }
	sums := map[string]*sum{}
	var order []string
	for s := bufio.NewScanner(f); s.Scan(); {
		var at, pkg, name, word string
		var one sum
		if n, _ := fmt.Sscan(s.Text(), &at, &pkg, &name, &one.seconds, &one.execs, &one.interesting, &word); n != 7 {
			return fmt.Errorf("accounts: %q", s.Text())
		}
		t := target{pkg, name}.String()
		if sums[t] == nil {
			sums[t] = &sum{}
			order = append(order, t)
		}
		sums[t].seconds += one.seconds
		sums[t].execs += one.execs
		sums[t].interesting += one.interesting
		sums[t].slices++
		if word != "ok" {
			sums[t].failed++
		}
	}
	slices.Sort(order)
	var all sum
	for _, t := range order {
		s := sums[t]
		fmt.Fprintf(w, "%-40s %6d s %12d execs %6d new %3d failed\n", t, s.seconds, s.execs, s.interesting, s.failed)
		all.seconds += s.seconds
		all.execs += s.execs
		all.interesting += s.interesting
		all.failed += s.failed
	}
	fmt.Fprintf(w, "%-40s %6d s %12d execs %6d new %3d failed\n", fmt.Sprintf("%d targets", len(order)), all.seconds, all.execs, all.interesting, all.failed)
	return nil
}
