// The public suites hold signatures of 2005 to 2010, many under keys of 384 to
// 768 bits. With this setting crypto/rsa leaves the judgement to the Verifier.
//
//go:debug rsa1024min=0
package dkim

import (
	"context"
	"crypto"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
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
	testcase.Ran(t, "dkim/rfc-examples", n, 2)
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
	testcase.Ran(t, "dkim/mailauth", n, 6)
}
