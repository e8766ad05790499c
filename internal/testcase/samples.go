package testcase

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxSample bounds one sample; fuzzers are slow on longer ones.
const maxSample = 16 << 10

// Samples returns the files of the conformance data that match a pattern, as seeds
// for fuzz targets: none where the data is missing, which is no failure, as seeds
// only make a fuzzer quicker.
func Samples(elem ...string) (out []string) {
	names, _ := filepath.Glob(filepath.Join(append([]string{corporaRoot()}, elem...)...))
	for _, n := range names {
		if data, err := os.ReadFile(n); err == nil && len(data) <= maxSample {
			out = append(out, string(data))
		}
	}
	return out
}

// Excerpts returns what begins with prefix in the files that match a pattern, up to
// the end of the quoted string or the line, each once: records out of test suites.
func Excerpts(prefix string, elem ...string) (out []string) {
	names, _ := filepath.Glob(filepath.Join(append([]string{corporaRoot()}, elem...)...))
	for _, n := range names {
		data, _ := os.ReadFile(n)
		for rest := string(data); ; {
			i := strings.Index(rest, prefix)
			if i < 0 {
				break
			}
			rest = rest[i:]
			end := strings.IndexAny(rest, "\"'\n")
			if end < 0 {
				end = len(rest)
			}
			if s := rest[:end]; len(s) <= maxSample {
				out = append(out, s)
			}
			rest = rest[end:]
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Blocks returns the block scalars of a key in the YAML files that match a pattern,
// with CRLF line ends: the messages of test suites.
func Blocks(key string, elem ...string) (out []string) {
	names, _ := filepath.Glob(filepath.Join(append([]string{corporaRoot()}, elem...)...))
	for _, n := range names {
		data, _ := os.ReadFile(n)
		lines := strings.Split(string(data), "\n")
		for i := 0; i < len(lines); i++ {
			if head := strings.TrimSpace(lines[i]); !strings.HasPrefix(head, key+":") || !strings.HasSuffix(head, "|") {
				continue
			}
			indent, block := "", ""
			for i+1 < len(lines) {
				next := lines[i+1]
				if block == "" {
					indent = next[:len(next)-len(strings.TrimLeft(next, " "))]
				}
				body, ok := strings.CutPrefix(next, indent)
				if !ok && strings.TrimSpace(next) != "" || indent == "" {
					break
				}
				block += body + "\r\n"
				i++
			}
			if len(block) <= maxSample {
				out = append(out, block)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
