// The public suites hold signatures of 2005 to 2010, many under keys of 384 to
// 768 bits. With this setting crypto/rsa leaves the judgement to the Verifier.
//
//go:debug rsa1024min=0
package dkim

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/seed2385d973/mailauth/message"
)

type suite struct {
	Cases []struct {
		File       string
		Expect     string
		Signatures []struct{ D, S, A, I string }
		Crosscheck []struct {
			D, S, A, Result, Why string
			Flags                []string
		}
	}
	BodyHash []struct {
		File, Body, Canon, Hash, BH string
		L                           *int64
		CanonicalPrefix             string `json:"canonical_prefix"`
	} `json:"body_hash"`
	BodyHashOnly []string `json:"body_hash_only"`
}

func loadSuite(t *testing.T, name string) (dir string, s suite, zone *dnstest.Zone) {
	t.Helper()
	dir = testcase.Corpora(t, "dkim", name)
	testcase.ReadJSON(t, filepath.Join(dir, "cases.json"), &s)
	text, err := os.ReadFile(filepath.Join(dir, "dns.json"))
	require.NoError(t, err)
	zone, err = dnstest.Parse(string(text))
	require.NoError(t, err)
	return dir, s, zone
}

// suiteTime lies after every t= of the suites.
var suiteTime = func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) }

func readFile(t *testing.T, path string, allowSHA1 bool) *message.Message {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	d := message.Digester{AllowSHA1: allowSHA1}
	_, err = d.ReadFrom(message.CRLF(f))
	require.NoError(t, err)
	m, err := d.Finish()
	require.NoError(t, err)
	return m
}

// RFC 6376, appendix A.2 and RFC 8463, appendix A.3.
func TestSuiteRFCExamples(t *testing.T) {
	dir, s, zone := loadSuite(t, "rfc-examples")
	n := 0
	for _, c := range s.Cases {
		t.Run(c.File, func(t *testing.T) {
			v := Verifier{Resolver: zone, Now: suiteTime}
			results := v.Verify(context.Background(), readFile(t, filepath.Join(dir, c.File), false))
			require.Len(t, results, len(c.Signatures))
			for i, want := range c.Signatures {
				r := results[i]
				require.NoError(t, r.Err)
				require.Equal(t, authres.Pass, r.Status)
				require.Equal(t, want.D, r.Signature.Domain)
				require.Equal(t, want.S, r.Signature.Selector)
				require.Equal(t, want.A, r.Signature.Algorithm)
				if want.I != "" {
					require.Equal(t, want.I, r.Signature.Identity)
				}
			}
		})
		n++
	}
	var c struct {
		Cases []struct {
			Headers, Body  string
			RelaxedHeaders string `json:"relaxed_headers"`
			RelaxedBody    string `json:"relaxed_body"`
			SimpleHeaders  string `json:"simple_headers"`
			SimpleBody     string `json:"simple_body"`
		}
		EmptyBodyHash map[string]map[string]string `json:"empty_body_hash"`
	}
	testcase.ReadJSON(t, filepath.Join(dir, "canonicalization.json"), &c)
	canons := map[string]message.Canonicalization{"simple": message.Simple, "relaxed": message.Relaxed}
	hashes := map[string]crypto.Hash{"sha1": crypto.SHA1, "sha256": crypto.SHA256}
	for _, x := range c.Cases {
		for name, want := range map[string][2]string{"simple": {x.SimpleHeaders, x.SimpleBody}, "relaxed": {x.RelaxedHeaders, x.RelaxedBody}} {
			m, got := bodyDigest(t, x.Headers+"\r\n"+x.Body, message.BodyHash{Canonicalization: canons[name], Hash: crypto.SHA256, Length: -1})
			var header []byte
			for i := range m.Header().Len() {
				header = m.Header().Field(i).AppendCanonical(header, canons[name])
			}
			require.Equal(t, want[0], string(header))
			require.Equal(t, sum(crypto.SHA256, want[1]), got.Sum)
		}
		n++
	}
	for canon, list := range c.EmptyBodyHash {
		for hash, want := range list {
			_, got := bodyDigest(t, "From: x\r\n\r\n", message.BodyHash{Canonicalization: canons[canon], Hash: hashes[hash], Length: -1})
			require.Equal(t, want, base64.StdEncoding.EncodeToString(got.Sum), "%s %s", canon, hash)
			n++
		}
	}
	testcase.Ran(t, "dkim/rfc-examples", n, 7)
}

func bodyDigest(t *testing.T, text string, want message.BodyHash) (*message.Message, message.Digest) {
	t.Helper()
	d := message.Digester{AllowSHA1: true, Want: []message.BodyHash{want}}
	_, err := d.Write([]byte(text))
	require.NoError(t, err)
	m, err := d.Finish()
	require.NoError(t, err)
	got, ok := m.BodyDigest(want)
	require.True(t, ok)
	return m, got
}

func sum(h crypto.Hash, s string) []byte {
	w := h.New()
	w.Write([]byte(s))
	return w.Sum(nil)
}

// differ lists the signatures on which we answer otherwise than the suite's
// cross-check, which knows neither decision 20 nor decision 22.
var differ = map[string]authres.Status{
	"corpus/badkey1_ed25519.txt#0": PermError, // the key has not 32 octets: no key (RFC 8463, section 4.2), whatever the signature
	"corpus/ignore_7.txt#0":        PermError, // x= has passed; RFC 6376, section 3.5 lets us refuse it (decision 22)
}

func runCrosscheck(t *testing.T, name string, want int) {
	dir, s, zone := loadSuite(t, name)
	old := Verifier{Resolver: zone, Now: suiteTime, AllowSHA1: true, MinRSABits: 256}
	today := Verifier{Resolver: zone, Now: suiteTime}
	n := 0
	for _, c := range s.Cases {
		n++
		t.Run(c.File, func(t *testing.T) {
			path := filepath.Join(dir, c.File)
			without := old.Verify(context.Background(), readFile(t, path, true))
			with := today.Verify(context.Background(), readFile(t, path, false))
			require.Len(t, without, len(c.Crosscheck))
			require.Len(t, with, len(c.Crosscheck))
			for i, x := range c.Crosscheck {
				want := authres.Status(x.Result)
				if d, ok := differ[c.File+"#"+string(rune('0'+i))]; ok {
					want = d
				}
				require.Equal(t, want, without[i].Status, "signature %d without the RFC 8301 limits: %v (cross-check: %s)", i, without[i].Err, x.Why)
				require.Equal(t, x.D, without[i].Signature.Domain)
				if want == Pass || want == Fail || want == TempError {
					if x.A == "rsa-sha1" {
						want = Policy
						require.ErrorIs(t, with[i].Err, ErrSHA1)
					} else if has(x.Flags, "rsa512") {
						want = Policy
						require.ErrorIs(t, with[i].Err, ErrKeyShort)
					}
				} else if with[i].Status == Policy {
					// A fault of the key that a SHA-1 signature did not live to meet.
					require.ErrorIs(t, with[i].Err, ErrSHA1)
					want = Policy
				}
				require.Equal(t, want, with[i].Status, "signature %d with the RFC 8301 limits: %v", i, with[i].Err)
			}
		})
	}
	testcase.Ran(t, "dkim/"+name, n, want)
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func TestSuiteMailDKIM(t *testing.T) { runCrosscheck(t, "mail-dkim", 79) }

func TestSuiteDkimpy(t *testing.T) { runCrosscheck(t, "dkimpy", 4) }

func TestSuiteMailauth(t *testing.T) {
	dir, s, zone := loadSuite(t, "mailauth")
	n := 0
	for _, c := range s.Cases {
		t.Run(c.File, func(t *testing.T) {
			v := Verifier{Resolver: zone, Now: suiteTime}
			results := v.Verify(context.Background(), readFile(t, filepath.Join(dir, c.File), false))
			require.NotEmpty(t, results)
			for _, r := range results {
				require.NoError(t, r.Err)
				require.Equal(t, Pass, r.Status)
			}
		})
		n++
	}
	for _, c := range s.BodyHash {
		want := message.BodyHash{Hash: crypto.SHA256, Length: -1}
		if c.Canon == "relaxed" {
			want.Canonicalization = message.Relaxed
		}
		if c.L != nil {
			want.Length = *c.L
		}
		d := message.Digester{Want: []message.BodyHash{want}}
		if c.File != "" {
			f, err := os.Open(filepath.Join(dir, c.File))
			require.NoError(t, err)
			_, err = d.ReadFrom(message.CRLF(f))
			require.NoError(t, err)
			f.Close()
		} else {
			_, err := d.Write([]byte("From: a@example.com\r\n\r\n" + c.Body))
			require.NoError(t, err)
		}
		m, err := d.Finish()
		require.NoError(t, err)
		got, ok := m.BodyDigest(want)
		require.True(t, ok)
		if c.CanonicalPrefix != "" {
			sum := crypto.SHA256.New()
			sum.Write([]byte(c.CanonicalPrefix))
			require.Equal(t, sum.Sum(nil), got.Sum)
		} else {
			require.Equal(t, c.BH, base64.StdEncoding.EncodeToString(got.Sum))
		}
		n++
	}
	// Messages without an expected value: against the slow canonicalizer. Two of
	// the list are not in the collection.
	absent := 0
	for _, name := range s.BodyHashOnly {
		f, err := os.Open(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			absent++
			continue
		}
		require.NoError(t, err)
		text, err := io.ReadAll(message.CRLF(f))
		require.NoError(t, err)
		f.Close()
		_, body, _ := strings.Cut(string(text), "\r\n\r\n")
		for _, c := range []message.Canonicalization{message.Simple, message.Relaxed} {
			_, got := bodyDigest(t, string(text), message.BodyHash{Canonicalization: c, Hash: crypto.SHA256, Length: -1})
			require.Equal(t, sum(crypto.SHA256, sigtest.Body(body, c == message.Relaxed)), got.Sum)
		}
		n++
	}
	require.Equal(t, 2, absent)
	testcase.Ran(t, "dkim/mailauth", n, 8)
}
