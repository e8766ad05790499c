package testcase

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSamples(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("MAILAUTH_CORPORA", dir)
	require.Empty(t, Samples("a", "*"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.yml"), []byte(
		"x: 'v=spf1 -all'\ny: \"v=spf1 a\"\nz: v=spf1 a\nmessage: |\n  A: b\n   c\n\n  body\nmessage: |\n  D: e\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.yml"), make([]byte, maxSample+1), 0o600))
	require.Len(t, Samples("*.yml"), 1)
	require.Equal(t, []string{"v=spf1 -all", "v=spf1 a"}, Excerpts("v=spf1", "*.yml"))
	require.Equal(t, []string{"A: b\r\n c\r\n\r\nbody\r\n", "D: e\r\n\r\n"}, Blocks("message", "a.yml"))
}
