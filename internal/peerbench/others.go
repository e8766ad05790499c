package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// other is a library of another language: a program of directory others, called with the
// message and a file of "name record" lines, that prints the microseconds of its quickest
// verification.
type other struct {
	name    string
	command []string
}

// otherTable prints how many times the limit verification takes in the libraries of
// others.sh: of its arguments, each is a name and a command, "name=command with arguments".
func otherTable(b *testing.B, arguments []string) {
	dir := b.TempDir()
	list := []other{}
	titles := []string{"message, DKIM verify", "limit", "mailauth"}
	for _, a := range arguments {
		name, command, _ := strings.Cut(a, "=")
		list = append(list, other{name, strings.Fields(command)})
		titles = append(titles, name)
	}
	out := bytes.NewBufferString(head(titles...))
	for i, l := range loads(b) {
		text, keys := filepath.Join(dir, fmt.Sprint(i, ".eml")), filepath.Join(dir, fmt.Sprint(i, ".keys"))
		var records strings.Builder
		for name, a := range l.dns {
			fmt.Fprintf(&records, "%s %s\n", strings.TrimSuffix(name, "."), a.TXT[0])
		}
		for path, data := range map[string][]byte{text: l.text, keys: []byte(records.String())} {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				b.Fatal(err)
			}
		}
		// In turns: machines drift.
		limit, ours := math.Inf(1), math.Inf(1)
		least := make([]float64, len(list))
		words := make([]string, len(list))
		for round := range 3 {
			both := compare([]candidate{{"limit", l.limit}, {"mailauth", l.ours}})
			limit, ours = min(limit, both[0].Seconds()*1e6), min(ours, both[1].Seconds()*1e6)
			for k, o := range list {
				got, err := exec.Command(o.command[0], append(o.command[1:], text, keys)...).Output()
				word := strings.TrimSpace(string(got))
				us, bad := strconv.ParseFloat(word, 64)
				if err != nil || bad != nil {
					words[k] = "-"
					if round == 0 && word != "several" {
						fmt.Fprintf(os.Stderr, "%s on %s: %v: %s\n", o.name, l.name, err, stderr(err))
					}
					continue
				}
				if words[k] = ""; round == 0 || us < least[k] {
					least[k] = us
				}
			}
		}
		fmt.Fprintf(out, "| %s | %.1f µs | %.2f |", l.name, limit, ours/limit)
		for k := range list {
			if words[k] != "" {
				fmt.Fprintf(out, " %s |", words[k])
			} else {
				fmt.Fprintf(out, " %.1f |", least[k]/limit)
			}
		}
		fmt.Fprintln(out)
	}
	fmt.Println(out)
}

func stderr(err error) string {
	if e, ok := err.(*exec.ExitError); ok {
		return string(e.Stderr)
	}
	return ""
}
