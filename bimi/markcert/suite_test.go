package markcert_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/stretchr/testify/require"
)

// suiteWant is our answer to each real file of the suite, at a time inside its
// validity and with the pool of known intermediates. A file that is missing here fails the test.
var suiteWant = map[string]error{
	"bad-generated-non-bimi.pem":                            markcert.ErrUntrusted,
	"bad-generated-testbrand-explicit-default-ca-false.pem": markcert.ErrUntrusted,
	"bad-selfsigned-no-extensions.pem":                      markcert.ErrUntrusted,
	"bad-tampered-leaf-signature-cnn-2021.pem":              markcert.ErrSignature,
	"bad-tls-cert-letsencrypt.pem":                          markcert.ErrUntrusted,
	"ok-cmc-xometry-2024-digicert-pilot-critical.pem":       nil,
	"ok-cnn-2025-digicert-leaf-only.pem":                    nil,
	"ok-redsift-2021-entrust.pem":                           nil,
}

type suiteCase struct {
	file, markType, svgSHA256 string
	certs, svgBytes           int
	san                       []string
	notBefore, notAfter       time.Time
	accept                    bool
}

// loadSuite reads the table by its head, so that a column that moves is noticed.
func loadSuite(t testing.TB) (cases []suiteCase, dir string) {
	dir = testcase.Corpora(t, "bimi", "vmc")
	data, err := os.ReadFile(filepath.Join(dir, "vmc-cases.tsv"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	column := map[string]int{}
	for i, name := range strings.Split(lines[0], "\t") {
		column[name] = i
	}
	for _, line := range lines[1:] {
		f := strings.Split(line, "\t")
		get := func(name string) string {
			i, ok := column[name]
			require.True(t, ok, name)
			return f[i]
		}
		number := func(name string) (n int) {
			if s := get(name); s != "" {
				n, err = strconv.Atoi(s)
				require.NoError(t, err)
			}
			return n
		}
		at := func(name string) time.Time {
			v, err := time.Parse(time.RFC3339, get(name))
			require.NoError(t, err)
			return v
		}
		cases = append(cases, suiteCase{
			file: get("file"), markType: get("mark_type"), svgSHA256: get("svg_sha256"),
			certs: number("certs"), svgBytes: number("svg_bytes"), san: strings.Fields(get("san")),
			notBefore: at("not_before"), notAfter: at("not_after"),
			accept: strings.HasPrefix(get("expectation"), "accept"),
		})
	}
	return cases, dir
}

// knownIntermediates is the pool an operator would configure.
func knownIntermediates(t testing.TB) (v markcert.Verifier) {
	paths, err := filepath.Glob(filepath.Join(testcase.Corpora(t, "bimi", "intermediates"), "*.pem"))
	require.NoError(t, err)
	require.Len(t, paths, 6)
	for _, p := range paths {
		data, err := os.ReadFile(p)
		require.NoError(t, err)
		certs, err := markcert.ParseCertificates(data)
		require.NoError(t, err)
		v.Intermediates = append(v.Intermediates, certs...)
	}
	return v
}

// TestSuiteVMC runs the whole of the mark certificate suite: real chains inside
// and outside their validity, and files that must never be accepted.
func TestSuiteVMC(t *testing.T) {
	cases, dir := loadSuite(t)
	n := 0
	for _, tc := range cases {
		n++
		t.Run(tc.file, func(t *testing.T) {
			want, ok := suiteWant[tc.file]
			require.True(t, ok, "no answer of ours for this file")
			require.Equal(t, tc.accept, want == nil, "our answer is not the suite's")
			data, err := os.ReadFile(filepath.Join(dir, tc.file))
			require.NoError(t, err)
			names := markcert.Names{Author: "example.com"}
			if len(tc.san) > 0 && !strings.HasPrefix(tc.san[0], "*") {
				names.Author = tc.san[0]
			}
			v := knownIntermediates(t)
			v.Revocation = markcert.RevocationOff // the lists are not part of the suite
			at := func(when time.Time) markcert.Result {
				v.Now = func() time.Time { return when }
				return v.Verify(t.Context(), data, names)
			}

			// The timestamps were made within the first day.
			r := at(tc.notBefore.Add(24 * time.Hour))
			require.ErrorIs(t, r.Err, want)
			require.Equal(t, tc.notAfter, r.NotAfter)
			require.Equal(t, tc.notBefore, r.NotBefore)
			require.Equal(t, tc.markType, string(r.MarkType))
			if want != nil {
				require.Equal(t, authres.Fail, r.Status)
				require.Nil(t, r.Indicator)
				require.Nil(t, r.Chain)
				return
			}
			require.Equal(t, authres.Pass, r.Status)
			require.Equal(t, tc.san, r.Domains)
			require.Equal(t, tc.san[0], r.Matched)
			require.Len(t, r.Indicator, tc.svgBytes)
			require.Equal(t, tc.svgSHA256, hex.EncodeToString(r.IndicatorSHA256[:]))
			require.Equal(t, sha256.Sum256(r.Indicator), r.IndicatorSHA256)
			require.Equal(t, markcert.Good, r.Transparency)
			require.Equal(t, "DigiCert Gorgon", r.SCTs[0].Log)
			require.Len(t, r.Chain, 3)

			// The validity holds to the second, at both ends. At the lower one no
			// timestamp exists yet, so that part is judged without.
			require.ErrorIs(t, at(tc.notBefore.Add(-time.Second)).Err, markcert.ErrNotYetValid)
			require.NoError(t, at(tc.notAfter).Err)
			require.NoError(t, at(tc.notAfter.Add(999*time.Millisecond)).Err)
			require.ErrorIs(t, at(tc.notAfter.Add(time.Second)).Err, markcert.ErrExpired)
			v.Transparency = markcert.SCTPresenceOnly
			require.NoError(t, at(tc.notBefore).Err)

			names.Author = "news." + tc.san[0]
			require.ErrorIs(t, at(tc.notAfter).Err, markcert.ErrDomain)
			names.Organizational = tc.san[0]
			require.NoError(t, at(tc.notAfter).Err)
		})
	}
	testcase.Ran(t, "bimi/vmc", n, len(suiteWant))
}

// TestSuiteLeafOnly: a file that lacks the issuing authority's certificate is good
// only with the pool of intermediates.
func TestSuiteLeafOnly(t *testing.T) {
	data, err := os.ReadFile(testcase.Corpora(t, "bimi", "vmc", "ok-cnn-2025-digicert-leaf-only.pem"))
	require.NoError(t, err)
	v := markcert.Verifier{Revocation: markcert.RevocationOff,
		Now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }}
	names := markcert.Names{Author: "cnn.com"}
	require.ErrorIs(t, v.Verify(t.Context(), data, names).Err, markcert.ErrUntrusted)
	v.Intermediates = knownIntermediates(t).Intermediates
	require.NoError(t, v.Verify(t.Context(), data, names).Err)
}

// TestSuiteFlippedBits: no octet of a real leaf can be changed without an answer
// other than pass. The step is a prime so that every region is met.
func TestSuiteFlippedBits(t *testing.T) {
	data, err := os.ReadFile(testcase.Corpora(t, "bimi", "vmc", "ok-redsift-2021-entrust.pem"))
	require.NoError(t, err)
	v := markcert.Verifier{Revocation: markcert.RevocationOff,
		Now: func() time.Time { return time.Date(2021, 8, 1, 0, 0, 0, 0, time.UTC) }}
	names := markcert.Names{Author: "redsift.com"}
	require.NoError(t, v.Verify(t.Context(), data, names).Err)
	certs, err := markcert.ParseCertificates(data)
	require.NoError(t, err)
	require.Len(t, certs, 2)
	n := 0
	for i := 0; i < len(certs[0].Raw); i += 13 {
		raw := append([]byte(nil), certs[0].Raw...)
		raw[i] ^= 0x10
		r := v.Verify(t.Context(), append(pemOf(raw), pemOf(certs[1].Raw)...), names)
		require.Equal(t, authres.Fail, r.Status, "octet %d", i)
		var e markcert.Error
		require.True(t, errors.As(r.Err, &e))
		require.NotEmpty(t, e.Code())
		n++
	}
	require.Greater(t, n, 80)
}
