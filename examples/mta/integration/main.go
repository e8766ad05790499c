// Command integration runs the programs of examples/mta with the real things: two
// Postfix, NSD, Unbound and OpenDKIM, all below one directory and on loopback. It is a
// program and no test of package testing, because it needs root and those packages,
// must never run by way of "go test ./...", and what it prints (the header of every
// message as it was delivered) is half of its purpose. run.sh installs what it needs.
//
//	integration -dir DIR -bin DIR [-only EXPRESSION] [scenarios|figures]
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

func main() {
	dir := flag.String("dir", "", "an empty `directory` for everything that is written; other users must be able to enter it")
	bin := flag.String("bin", "", "the `directory` of the programs milter, smtpd, report and forwarder")
	only := flag.String("only", "", "only scenarios whose name matches a regular `expression`")
	limit := flag.Duration("limit", 270*time.Second, "after this `time` the run has failed")
	flag.Parse()
	if *dir == "" || *bin == "" {
		flag.Usage()
		os.Exit(2)
	}
	which, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		os.Exit(2)
	}
	time.AfterFunc(*limit, func() {
		fmt.Printf("\nnot done after %s\n", *limit)
		os.Exit(1) // run.sh kills what runs
	})
	begin := time.Now()
	w := &world{dir: *dir, bin: *bin}
	if err := w.begin(); err != nil {
		w.end()
		fmt.Fprintln(os.Stderr, "integration:", err)
		os.Exit(1)
	}
	fmt.Printf("everything is up after %.1f s\n", time.Since(begin).Seconds())
	failed := 0
	if flag.Arg(0) == "figures" {
		if err := w.figures(); err != nil {
			fmt.Fprintln(os.Stderr, "figures:", err)
			failed++
		}
	} else {
		failed = w.runScenarios(which)
	}
	w.end()
	fmt.Printf("%.0f seconds\n", time.Since(begin).Seconds())
	if failed > 0 {
		os.Exit(1)
	}
}

// test is one scenario as it runs.
type test struct {
	w        *world
	failures int
	checks   int
}

func (t *test) say(format string, args ...any) {
	fmt.Printf("  "+strings.TrimRight(format, "\n")+"\n", args...)
}

// want checks one thing.
func (t *test) want(ok bool, format string, args ...any) bool {
	t.checks++
	if !ok {
		if t.failures++; t.failures <= 20 {
			fmt.Printf("  FAILED: "+format+"\n", args...)
		}
	}
	return ok
}

// must ends the scenario on an error that is not what it is about.
func (t *test) must(err error) {
	if err != nil {
		panic(abandoned{err})
	}
}

type abandoned struct{ err error }

// show prints a header as it was delivered.
func (t *test) show(title string, d delivered) {
	fmt.Printf("  %s:\n", title)
	for line := range strings.Lines(d.header()) {
		fmt.Printf("    | %s", line)
	}
}

// runScenarios returns the number that failed.
func (w *world) runScenarios(only *regexp.Regexp) int {
	passed, failed, checks := 0, 0, 0
	var names []string
	for _, s := range scenarios {
		if !only.MatchString(s.name) {
			continue
		}
		fmt.Printf("\n=== %s\n", s.name)
		begin := time.Now()
		t := &test{w: w}
		func() {
			defer func() {
				switch p := recover().(type) {
				case nil:
				case abandoned:
					t.want(false, "%v", p.err)
				default:
					panic(p)
				}
			}()
			s.run(t)
		}()
		checks += t.checks
		if t.failures > 20 {
			t.say("and %d further checks", t.failures-20)
		}
		word := "passed"
		if t.failures > 0 || t.checks == 0 {
			word = "FAILED"
			failed++
			names = append(names, s.name)
		} else {
			passed++
		}
		fmt.Printf("  %s: %d checks, %.1f s\n", word, t.checks, time.Since(begin).Seconds())
	}
	if failed > 0 {
		fmt.Println("\nlogs that may tell more:")
		w.logs()
		fmt.Println("\nfailed:", strings.Join(names, "; "))
	}
	fmt.Printf("\n%d checks; %d passed, %d failed\n", checks, passed, failed)
	return failed
}
