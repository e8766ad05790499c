package message

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/testcase"
)

// digest takes one digest of a message.
func digest(t *testing.T, text string, h BodyHash) Digest {
	d := Digester{AllowSHA1: true, Want: []BodyHash{h}}
	_, err := d.Write([]byte(text))
	require.NoError(t, err)
	m, err := d.Finish()
	require.NoError(t, err)
	got, ok := m.BodyDigest(h)
	require.True(t, ok)
	return got
}

func sum256(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

var algorithms = map[string]Canonicalization{"simple": Simple, "relaxed": Relaxed}

// TestRFCExamples runs RFC 6376, section 3.4.5, and the constants of sections
// 3.4.3 and 3.4.4 in a public transcription.
func TestRFCExamples(t *testing.T) {
	var suite struct {
		Cases         []map[string]string
		EmptyBodyHash map[string]map[string]string `json:"empty_body_hash"`
	}
	testcase.ReadJSON(t, testcase.Corpora(t, "dkim", "rfc-examples", "canonicalization.json"), &suite)
	n := 0
	for _, c := range suite.Cases {
		text := c["headers"] + "\r\n" + c["body"]
		h := header(t, text)
		for name, algorithm := range algorithms {
			var got []byte
			for i := range h.Len() {
				got = h.Field(i).AppendCanonical(got, algorithm)
			}
			require.Equal(t, c[name+"_headers"], string(got))
			require.Equal(t, sum256(c[name+"_body"]), digest(t, text, BodyHash{algorithm, crypto.SHA256, WholeBody}).Sum)
		}
		n++
	}
	for name, sums := range suite.EmptyBodyHash {
		for hash, want := range sums {
			h := BodyHash{algorithms[name], map[string]crypto.Hash{"sha1": crypto.SHA1, "sha256": crypto.SHA256}[hash], WholeBody}
			require.Equal(t, want, base64.StdEncoding.EncodeToString(digest(t, "A: b\r\n\r\n", h).Sum))
			n++
		}
	}
	testcase.Ran(t, "message/rfc6376-canonicalization", n, 5)
}

// TestBodyHashSuite runs the body hashes that another implementation's tests hold.
func TestBodyHashSuite(t *testing.T) {
	dir := testcase.Corpora(t, "dkim", "mailauth")
	var suite struct {
		BodyHash []struct {
			File, Body, Canon, Hash, BH string
			L                           *int64
			Prefix                      string `json:"canonical_prefix"`
		} `json:"body_hash"`
	}
	testcase.ReadJSON(t, filepath.Join(dir, "cases.json"), &suite)
	n := 0
	for _, c := range suite.BodyHash {
		text := "A: b\r\n\r\n" + c.Body
		if c.File != "" {
			f, err := os.Open(filepath.Join(dir, c.File))
			require.NoError(t, err)
			data, err := io.ReadAll(CRLF(f)) // these files have LF alone
			require.NoError(t, err)
			require.NoError(t, f.Close())
			text = string(data)
		}
		require.Equal(t, "sha256", c.Hash)
		h := BodyHash{algorithms[c.Canon], crypto.SHA256, WholeBody}
		if c.L != nil {
			h.Length = *c.L
		}
		want := c.BH
		if want == "" {
			require.Len(t, c.Prefix, int(h.Length))
			want = base64.StdEncoding.EncodeToString(sum256(c.Prefix))
		}
		require.Equal(t, want, base64.StdEncoding.EncodeToString(digest(t, text, h).Sum), "%+v", c)
		n++
	}
	testcase.Ran(t, "message/mailauth-body-hash", n, 5)
}
