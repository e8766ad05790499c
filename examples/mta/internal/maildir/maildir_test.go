package maildir

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBox(t *testing.T) {
	for address, want := range map[string]string{
		"a@b.example":             "/mail/b.example/a",
		"A+tag@B.example":         "/mail/b.example/a+tag",
		"jörg@b.example":          "/mail/b.example/jörg",
		"a@b@c.example":           "",
		"":                        "",
		"a":                       "",
		"@b.example":              "",
		"a@":                      "",
		"../../etc/x@b.example":   "",
		"..@b.example":            "",
		".Quarantine@b.example":   "",
		"a/b@b.example":           "",
		"a\x00@b.example":         "",
		"a b@b.example":           "",
		"a@../b":                  "",
		"a@..":                    "",
		"\xff@b.example":          "",
		"a\u202e@b.example":       "",
		string(make([]byte, 100)): "",
	} {
		got, err := Box("/mail", address)
		require.Equal(t, want, got, "%q", address)
		if want == "" {
			require.ErrorIs(t, err, ErrAddress)
		}
	}
}

func TestDeliver(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x")
	require.NoError(t, os.WriteFile(file, []byte("message"), 0o600))
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b", Quarantine)
	require.False(t, Exists(a))
	require.NoError(t, Deliver(file, []string{a, b}))
	require.NoError(t, Deliver(file, []string{a}))
	for box, n := range map[string]int{a: 2, b: 1} {
		require.True(t, Exists(box))
		files, err := filepath.Glob(filepath.Join(box, "new", "*"))
		require.NoError(t, err)
		require.Len(t, files, n)
		text, err := os.ReadFile(files[0])
		require.NoError(t, err)
		require.Equal(t, "message", string(text))
		tmp, err := filepath.Glob(filepath.Join(box, "tmp", "*"))
		require.NoError(t, err)
		require.Empty(t, tmp)
	}

	// One box that cannot be written: nobody gets it, as the client will try again.
	broken := filepath.Join(dir, "x", "c")
	require.Error(t, Deliver(file, []string{a, broken}))
	files, err := filepath.Glob(filepath.Join(a, "*", "*"))
	require.NoError(t, err)
	require.Len(t, files, 2)
}
