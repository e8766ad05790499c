package keys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/stretchr/testify/require"
)

func load(t *testing.T, keys string) (*Ring, error) {
	dir := t.TempDir()
	k, err := dkim.GenerateKey(dkim.Ed25519)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "k.pem"), k.PEM(), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad.pem"), []byte("-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"), 0o600))
	var b strings.Builder
	b.WriteString("hostname = \"mx\"\n")
	for line := range strings.SplitSeq(keys, "\n") {
		if f := strings.Fields(line); len(f) == 3 {
			b.WriteString("[[signing.key]]\ndomain = \"" + f[0] + "\"\nselector = \"" + f[1] + "\"\nfile = \"" + f[2] + "\"\n")
		}
	}
	c, err := config.Parse(b.String(), dir)
	require.NoError(t, err)
	return Load(c)
}

// All keys of the author's domain sign, or those of the closest one above it.
func TestFor(t *testing.T) {
	r, err := load(t, "example.com a k.pem\nexample.com b k.pem\nSub.example.com c k.pem")
	require.NoError(t, err)
	require.Equal(t, 3, r.Len())
	for author, want := range map[string]string{
		"example.com": "ab", "EXAMPLE.com": "ab", "x.y.example.com": "ab", "sub.example.com": "c", "x.sub.example.com": "c",
		"badexample.com": "", "com": "", "": "",
	} {
		got := ""
		for _, s := range r.For(author) {
			got += s.Selector
		}
		require.Equal(t, want, got, author)
		require.Len(t, BodyHashes(r.For(author)), len(want))
	}
	require.Nil(t, r.Sealer())
}

// One key that is of no use is found when the keys are loaded.
func TestLoad(t *testing.T) {
	for keys, want := range map[string]error{
		"example.com a k.pem\nexample.com b missing.pem": os.ErrNotExist,
		"example.com a k.pem\nexample.com b bad.pem":     dkim.ErrPrivateKey,
		"co.uk a k.pem":             dkim.ErrPublicSuffix,
		"exa_mple..com a k.pem":     dkim.ErrDomain,
		"example.com not.-a. k.pem": dkim.ErrSelector,
	} {
		_, err := load(t, keys)
		require.ErrorIs(t, err, want, keys)
	}
}
