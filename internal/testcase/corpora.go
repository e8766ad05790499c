package testcase

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Corpora returns the path of a file or folder of the public conformance data,
// which is not part of this repository: $MAILAUTH_CORPORA, or ../shared/corpora
// beside the checkout. Where it is missing the test skips with a message,
// unless MAILAUTH_CORPORA_REQUIRED is set, which makes it fail.
func Corpora(t testing.TB, elem ...string) string {
	t.Helper()
	p := filepath.Join(append([]string{corporaRoot()}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		if os.Getenv("MAILAUTH_CORPORA_REQUIRED") != "" {
			t.Fatalf("conformance data required but missing: %v", err)
		}
		t.Skipf("conformance data not found (set MAILAUTH_CORPORA): %v", err)
	}
	return p
}

func corporaRoot() string {
	if root := os.Getenv("MAILAUTH_CORPORA"); root != "" {
		return root
	}
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "corpora")
}

// ReadJSON decodes a JSON file of the conformance data into v.
func ReadJSON(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// Ran logs how many cases of a suite ran, in the form that .ci/run collects,
// and fails if that is not want.
func Ran(t testing.TB, suite string, n, want int) {
	t.Helper()
	t.Logf("suite %s: %d cases", suite, n)
	if n != want {
		t.Errorf("suite %s: ran %d cases, want %d", suite, n, want)
	}
}

// Specs returns the path of an RFC text or another file of the folder specs,
// which stands beside the conformance data. Where it is missing the test skips;
// unlike the data it is never required, as what tests need of it is in the
// repository, too (testdata/sections.txt).
func Specs(t testing.TB, elem ...string) string {
	t.Helper()
	p := filepath.Join(append([]string{corporaRoot(), "..", "specs"}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("specification texts not found beside the conformance data: %v", err)
	}
	return p
}
