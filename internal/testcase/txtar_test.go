package testcase

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const sample = "# what it shows\nkey: value: with colon\nempty:\n-- a.eml --\nX: \\x41\\0\n\nbody\n-- want --\nold\n"

func TestParse(t *testing.T) {
	c, err := parse([]byte(sample), []string{"key", "empty"})
	require.NoError(t, err)
	require.Equal(t, "value: with colon", c.Get("key"))
	require.True(t, c.Has("empty"))
	require.False(t, c.Has("other"))
	require.Equal(t, "X: A\x00\r\n\r\nbody\r\n", string(c.Message(t, "a.eml")))
	require.Nil(t, c.File("none"))

	for _, bad := range []string{"kee: x\n", "key: 1\nkey: 2\n", "no colon\n"} {
		_, err := parse([]byte(bad), []string{"key"})
		require.Error(t, err, "%q", bad)
	}
}

func TestUnescape(t *testing.T) {
	got, err := Unescape(`a\r\n\t\0\\\xff\x4a`)
	require.NoError(t, err)
	require.Equal(t, "a\r\n\t\x00\\\xffJ", got)
	for _, bad := range []string{`\`, `\q`, `\x`, `\x4`, `\xzz`} {
		_, err := Unescape(bad)
		require.Error(t, err, bad)
	}
}

// TestRewrite: -update replaces a section or adds it, and touches nothing else.
func TestRewrite(t *testing.T) {
	p := filepath.Join(t.TempDir(), "c.txtar")
	require.NoError(t, os.WriteFile(p, []byte(sample), 0o600))
	c, err := parse([]byte(sample), []string{"key", "empty"})
	require.NoError(t, err)
	c.path = p
	require.NoError(t, c.rewrite("want", "new\n"))
	require.NoError(t, c.rewrite("queries", "TXT x.\n"))
	got, err := os.ReadFile(p)
	require.NoError(t, err)
	require.Equal(t, sample[:len(sample)-4]+"new\n-- queries --\nTXT x.\n", string(got))
}
