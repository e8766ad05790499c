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
	root := os.Getenv("MAILAUTH_CORPORA")
	if root == "" {
		_, file, _, _ := runtime.Caller(0)
		root = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "corpora")
	}
	p := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		if os.Getenv("MAILAUTH_CORPORA_REQUIRED") != "" {
			t.Fatalf("conformance data required but missing: %v", err)
		}
		t.Skipf("conformance data not found (set MAILAUTH_CORPORA): %v", err)
	}
	return p
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
