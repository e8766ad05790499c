// Package testcase reads test data: txtar cases and the public conformance
// suites. Only tests import it.
package testcase

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the want and queries sections of txtar cases")

// Case is one txtar file: a comment of "key: value" lines (and "#" lines), then
// files, each after a line "-- name --".
type Case struct {
	Name string // file name without directory and extension
	path string
	keys []string
	vals map[string]string
	file []section
}

type section struct {
	name string
	data []byte
}

// Load reads every *.txtar file of dir, sorted by name. A key that is not in
// known, a repeated key or a line that is neither is fatal: a misspelt key must
// not pass silently. An empty directory is fatal too.
func Load(t testing.TB, dir string, known ...string) []Case {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no txtar cases (%v)", dir, err)
	}
	cases := make([]Case, 0, len(paths))
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		c, err := parse(data, known)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		c.path, c.Name = p, strings.TrimSuffix(filepath.Base(p), ".txtar")
		cases = append(cases, c)
	}
	return cases
}

func parse(data []byte, known []string) (Case, error) {
	c := Case{vals: map[string]string{}}
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		text := strings.TrimRight(string(line), "\r")
		if name, ok := marker(text); ok {
			c.file = append(c.file, section{name: name})
			continue
		}
		if n := len(c.file); n > 0 {
			c.file[n-1].data = append(append(c.file[n-1].data, line...), '\n')
			continue
		}
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		key, val, ok := strings.Cut(text, ":")
		if _, dup := c.vals[key]; !ok || dup || !slices.Contains(known, key) {
			return c, fmt.Errorf("unknown, repeated or malformed line %q", text)
		}
		c.keys = append(c.keys, key)
		c.vals[key] = strings.TrimSpace(val)
	}
	return c, nil
}

func marker(line string) (string, bool) {
	if !strings.HasPrefix(line, "-- ") || !strings.HasSuffix(line, " --") || len(line) < 7 {
		return "", false
	}
	return strings.TrimSpace(line[3 : len(line)-3]), true
}

// Get returns the value of a key, "" if the case does not have it.
func (c Case) Get(key string) string { return c.vals[key] }

// Has reports whether the case has the key.
func (c Case) Has(key string) bool { _, ok := c.vals[key]; return ok }

// File returns a file's bytes as they stand (LF line ends), nil if absent.
func (c Case) File(name string) []byte {
	for _, f := range c.file {
		if f.name == name {
			return f.data
		}
	}
	return nil
}

// Message returns a file as a message: every line end CRLF, and the escapes
// \r \n \t \0 \xHH and \\ replaced, so that a case can hold any octet.
func (c Case) Message(t testing.TB, name string) []byte {
	t.Helper()
	src := bytes.ReplaceAll(c.File(name), []byte("\n"), []byte("\r\n"))
	out, err := Unescape(string(src))
	if err != nil {
		t.Fatalf("%s: %s: %v", c.path, name, err)
	}
	return []byte(out)
}

// Unescape replaces \r \n \t \0 \xHH and \\; any other backslash is an error.
func Unescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", fmt.Errorf("backslash at the end")
		}
		switch s[i] {
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '0':
			b.WriteByte(0)
		case '\\':
			b.WriteByte('\\')
		case 'x':
			v, err := hex.DecodeString(s[i+1 : min(i+3, len(s))])
			if err != nil || len(v) != 1 {
				return "", fmt.Errorf("bad \\x escape")
			}
			b.WriteByte(v[0])
			i += 2
		default:
			return "", fmt.Errorf("unknown escape \\%c", s[i])
		}
	}
	return b.String(), nil
}

// Check compares got with the file called name. With -update it rewrites the
// file in the case instead; the diff is the review.
func (c Case) Check(t testing.TB, name, got string) {
	t.Helper()
	if got != "" && !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	want := string(c.File(name))
	if got == want {
		return
	}
	if !*update {
		t.Errorf("%s: %s differs\n--- want\n%s--- got\n%s", c.path, name, want, got)
		return
	}
	if err := c.rewrite(name, got); err != nil {
		t.Fatal(err)
	}
}

func (c Case) rewrite(name, got string) error {
	// Read again: another section may have been rewritten just before.
	data, err := os.ReadFile(c.path)
	if err != nil {
		return err
	}
	var out []byte
	found, skip := false, false
	for line := range bytes.Lines(data) {
		if n, ok := marker(strings.TrimRight(string(line), "\r\n")); ok {
			skip = n == name
			out = append(out, line...)
			if skip {
				found = true
				out = append(out, got...)
			}
			continue
		}
		if !skip {
			out = append(out, line...)
		}
	}
	if !found {
		out = append(out, "-- "+name+" --\n"+got...)
	}
	return os.WriteFile(c.path, out, 0o644)
}
