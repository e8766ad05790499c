package bimi

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
)

const (
	svgURL = "https://example.com/logo.svg"
	pemURL = "https://example.com/mark.pem"
)

// clock is the time of all tests.
func clock() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }

// fakeWeb serves documents by URL and remembers what was asked.
type fakeWeb struct {
	files map[string][]byte
	errs  map[string]error
	crls  func(context.Context, string) ([]byte, error)
	asked []string
}

type temporary struct{ error }

func (temporary) Temporary() bool { return true }

func (w *fakeWeb) Fetch(_ context.Context, domain, url string, max int64) ([]byte, string, error) {
	w.asked = append(w.asked, domain+" "+url)
	if err := w.errs[url]; err != nil {
		return nil, "", err
	}
	body, ok := w.files[url]
	if !ok {
		return nil, "", errors.New("404")
	}
	return body, "text/plain", nil
}

func (w *fakeWeb) FetchCRL(ctx context.Context, url string) ([]byte, error) {
	w.asked = append(w.asked, url)
	if w.crls == nil {
		return nil, errors.New("404")
	}
	return w.crls(ctx, url)
}

// world is a domain with everything in order; tests put one thing out of it.
type world struct {
	v      Verifier
	web    *fakeWeb
	dns    map[string]string
	header string
	sig    Signature
	from   string
}

func newWorld(t testing.TB, s markcerttest.Spec, defects ...markcerttest.Defect) *world {
	t.Helper()
	pki, err := markcerttest.New(rand.NewChaCha8([32]byte{1}), clock())
	require.NoError(t, err)
	b, err := pki.Issue(s, defects...)
	require.NoError(t, err)
	roots, err := markcert.ParseRoots(b.Roots)
	require.NoError(t, err)
	logs, err := markcert.ParseLogs(b.LogKeys)
	require.NoError(t, err)
	svg := s.SVG
	if svg == nil {
		svg = markcerttest.SVG()
	}
	return &world{
		v:   Verifier{Now: clock, Certificates: markcert.Verifier{Roots: roots, Logs: logs}},
		web: &fakeWeb{files: map[string][]byte{svgURL: svg, pemURL: b.PEM}, errs: map[string]error{}, crls: b.FetchCRL},
		dns: map[string]string{
			"_dmarc.example.com":        "v=DMARC1; p=reject",
			"default._bimi.example.com": "v=BIMI1; l=" + svgURL + "; a=" + pemURL,
		},
		sig: signed(), from: "example.com",
	}
}

func (w *world) verify(t testing.TB) Result {
	t.Helper()
	w.v.Resolver = records(t, w.dns)
	if w.v.Fetcher == nil {
		w.v.Fetcher = w.web
	}
	m := mail(t, w.dns, w.from, w.header, w.sig)
	r := w.v.Verify(context.Background(), m)
	require.Equal(t, r.Status == Pass, r.Err == nil)
	require.Equal(t, r.Status == Pass, r.Indicator != nil)
	require.Equal(t, r.Status == Pass, len(r.HeaderFields()) > 0)
	require.NotEmpty(t, r.Authority)
	if r.Err != nil {
		require.NotEmpty(t, r.Code(), r.Err)
	}
	return r
}

func gz(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestVerify(t *testing.T) {
	selfAsserted := func(w *world) { w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL }
	for _, tt := range []struct {
		name      string
		defects   []markcerttest.Defect
		change    func(w *world)
		want      authres.Status
		code      string
		authority authres.Status
	}{
		{"good", nil, func(w *world) {}, Pass, "", Pass},
		{"self-asserted", nil, selfAsserted, Pass, "", None},
		{"F1 declined", nil, func(w *world) { w.dns["default._bimi.example.com"] = "v=BIMI1; l=; a=" }, Declined, "ErrDeclined", None},
		{"F2 evidence only", nil, func(w *world) { w.dns["default._bimi.example.com"] = "v=BIMI1; l=; a=" + pemURL }, Fail, "ErrLocationEmpty", None},
		{"F2 AllowEvidenceOnly", nil, func(w *world) {
			w.dns["default._bimi.example.com"] = "v=BIMI1; l=; a=" + pemURL
			w.v.Record.AllowEvidenceOnly = true
		}, Pass, "", Pass},
		{"F3 no silent fallback", []markcerttest.Defect{markcerttest.Expired}, func(w *world) {}, Fail, "ErrExpired", Fail},
		{"21 SelfAssertedFallback", []markcerttest.Defect{markcerttest.Expired}, func(w *world) { w.v.SelfAssertedFallback = true }, Pass, "", Fail},
		{"F4 evidence ignored", []markcerttest.Defect{markcerttest.Expired}, func(w *world) { w.v.IgnoreEvidence = true }, Pass, "", None},
		{"22 evidence demanded", nil, func(w *world) { selfAsserted(w); w.v.RequireEvidence = true }, Skipped, "ErrNoEvidence", None},
		{"22 MissingEvidenceFails", nil, func(w *world) { selfAsserted(w); w.v.RequireEvidence, w.v.MissingEvidenceFails = true, true }, Fail, "ErrNoEvidence", None},
		{"RequireEvidence beats IgnoreEvidence", nil, func(w *world) { w.v.RequireEvidence, w.v.IgnoreEvidence = true, true }, Pass, "", Pass},
		{"19 temporary", nil, func(w *world) { w.web.errs[pemURL] = temporary{errors.New("503")} }, TempError, "ErrFetch", None},
		{"19 TemporaryFetchFails", nil, func(w *world) {
			w.web.errs[pemURL], w.v.TemporaryFetchFails = temporary{errors.New("503")}, true
		}, Fail, "ErrFetch", Fail},
		{"19 temporary in a chain", nil, func(w *world) { w.web.errs[pemURL] = fmt.Errorf("get: %w", temporary{errors.New("503")}) }, TempError, "ErrFetch", None},
		{"20 permanent", nil, func(w *world) { delete(w.web.files, pemURL) }, Fail, "ErrFetch", Fail},
		{"20 permanent, self-asserted", nil, func(w *world) { selfAsserted(w); delete(w.web.files, svgURL) }, Fail, "ErrFetch", None},
		{"G4 fetcher that does not bound", nil, func(w *world) { selfAsserted(w); w.web.files[svgURL] = make([]byte, 65537) }, Fail, "ErrFetch", None},
		{"G4 at the limit", nil, func(w *world) { selfAsserted(w); w.web.files[svgURL] = make([]byte, 65536) }, Fail, "ErrSize", None},
		{"35 MaxFetch", nil, func(w *world) { selfAsserted(w); w.v.MaxFetch = 10 }, Fail, "ErrFetch", None},
		{"no fetcher", nil, func(w *world) { w.v.Fetcher = noFetcher{} }, TempError, "ErrFetch", None},
		{"24 list not to be had", []markcerttest.Defect{markcerttest.CRLUnavailable}, func(w *world) {}, TempError, "ErrCRLUnavailable", None},
		{"24 best effort", []markcerttest.Defect{markcerttest.CRLUnavailable}, func(w *world) { w.v.Certificates.Revocation = markcert.BestEffortRevocation }, Pass, "", Pass},
		{"BIM-26 revoked", []markcerttest.Defect{markcerttest.Revoked}, func(w *world) {}, Fail, "ErrRevoked", Fail},
		{"25 no timestamp", []markcerttest.Defect{markcerttest.NoSCT}, func(w *world) {}, Fail, "ErrNoSCT", Fail},
		{"25 transparency off", []markcerttest.Defect{markcerttest.NoSCT}, func(w *world) { w.v.Certificates.Transparency = markcert.TransparencyOff }, Pass, "", Pass},
		{"29 off", nil, func(w *world) { w.web.files[svgURL] = []byte("other") }, Pass, "", Pass},
		{"29 warn", nil, func(w *world) { w.web.files[svgURL], w.v.CompareIndicator = []byte("other"), CompareWarn }, Pass, "", Pass},
		{"29 fail", nil, func(w *world) {
			w.web.files[svgURL] = bytes.Replace(markcerttest.SVG(), []byte("</title>"), []byte("!</title>"), 1)
			w.v.CompareIndicator = CompareFail
		}, Fail, "ErrDifferent", Pass},
		{"O3 equal but for gzip and line ends", nil, func(w *world) {
			w.web.files[svgURL] = gz(t, bytes.ReplaceAll(markcerttest.SVG(), []byte("\n"), []byte("\r\n")))
			w.v.CompareIndicator = CompareFail
		}, Pass, "", Pass},
		{"29 fail, not to be had", nil, func(w *world) {
			w.web.errs[svgURL], w.v.CompareIndicator = temporary{errors.New("503")}, CompareFail
		}, TempError, "ErrFetch", Pass},
		{"H15 gzip", nil, func(w *world) { selfAsserted(w); w.web.files[svgURL] = gz(t, markcerttest.SVG()) }, Pass, "", None},
		{"hostile image", nil, func(w *world) {
			selfAsserted(w)
			w.web.files[svgURL] = bytes.Replace(markcerttest.SVG(), []byte("</svg>"), []byte("<script/></svg>"), 1)
		}, Fail, "ErrActive", None},
		{"M6 other domain", []markcerttest.Defect{markcerttest.OtherDomain}, func(w *world) {}, Fail, "ErrDomain", Fail},
		{"DNS down", nil, func(w *world) { w.dns["default._bimi.example.com"] = "servfail" }, TempError, "ErrDNS", None},
		{"A12 DMARC unknown", nil, func(w *world) { w.dns["_dmarc.example.com"] = "servfail" }, TempError, "ErrDMARCUnknown", None},
		{"14 DMARCTempErrorSkips", nil, func(w *world) { w.dns["_dmarc.example.com"], w.v.DMARCTempErrorSkips = "servfail", true }, Skipped, "ErrDMARCUnknown", None},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, markcerttest.Spec{}, tt.defects...)
			tt.change(w)
			r := w.verify(t)
			require.Equal(t, tt.want, r.Status, "%v", r.Err)
			require.Equal(t, tt.code, r.Code(), "%v", r.Err)
			require.Equal(t, tt.authority, r.Authority)
		})
	}
}

// noFetcher fails as a Fetcher without a network does.
type noFetcher struct{}

func (noFetcher) Fetch(context.Context, string, string, int64) ([]byte, string, error) {
	return nil, "", temporary{errors.New("no network")}
}
func (noFetcher) FetchCRL(context.Context, string) ([]byte, error) {
	return nil, temporary{errors.New("no network")}
}

// TestZeroVerifier: what is not configured is an answer, not a panic, and nothing
// is fetched.
func TestZeroVerifier(t *testing.T) {
	w := newWorld(t, markcerttest.Spec{})
	m := mail(t, w.dns, w.from, "", w.sig)
	var v Verifier
	r := v.Verify(context.Background(), m)
	require.Equal(t, TempError, r.Status)
	require.Equal(t, "ErrDNS", r.Code())
	v.Resolver = records(t, w.dns)
	r = v.Verify(context.Background(), m)
	require.Equal(t, TempError, r.Status)
	require.Equal(t, "ErrNoFetcher", r.Code())
	require.Equal(t, Skipped, v.Verify(context.Background(), &Message{}).Status)
}

// TestNothingForTheIneligible: neither a DNS question nor a request (A16), in every
// preset.
func TestNothingForTheIneligible(t *testing.T) {
	for name, v := range presets() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, markcerttest.Spec{})
			m := mail(t, zone("v=DMARC1; p=none"), "example.com", "", signed())
			z := records(t, w.dns)
			v.Resolver, v.Fetcher = z, w.web
			r := v.Verify(context.Background(), m)
			require.Equal(t, Skipped, r.Status)
			require.Empty(t, z.Queries())
			require.Empty(t, w.web.asked)
			require.Empty(t, r.Queries)
		})
	}
}

func presets() map[string]Verifier {
	return map[string]Verifier{"Draft": Draft(), "Gmail": Gmail(), "Apple": Apple(), "SelfAsserted": SelfAsserted()}
}

// TestPresets says what each preset makes of each kind of mark.
func TestPresets(t *testing.T) {
	for _, tt := range []struct {
		preset                     string
		registered, priorUse, none authres.Status
		spf                        authres.Status
	}{
		{"Draft", Pass, Pass, Pass, Pass},
		{"Gmail", Pass, Pass, Skipped, Skipped},
		{"Apple", Pass, Fail, Skipped, Skipped},
		{"SelfAsserted", Pass, Pass, Pass, Pass},
	} {
		t.Run(tt.preset, func(t *testing.T) {
			run := func(mark string, change func(*world)) authres.Status {
				w := newWorld(t, markcerttest.Spec{MarkType: mark})
				trust := w.v.Certificates
				w.v = presets()[tt.preset]
				w.v.Now = clock
				w.v.Certificates.Roots, w.v.Certificates.Logs = trust.Roots, trust.Logs
				change(w)
				return w.verify(t).Status
			}
			require.Equal(t, tt.registered, run("Registered Mark", func(*world) {}))
			require.Equal(t, tt.priorUse, run("Prior Use Mark", func(*world) {}))
			require.Equal(t, tt.none, run("", func(w *world) { w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL }))
			v := presets()[tt.preset]
			m := mail(t, zone("v=DMARC1; p=reject"), "example.com", "", signed())
			spfOnly(m)
			status, _ := v.Eligible(context.Background(), m)
			require.Equal(t, tt.spf, status)
		})
	}
}

// TestHeaderFields: what a pass adds (Q3 to Q7, P2 to P7).
func TestHeaderFields(t *testing.T) {
	svg := append(markcerttest.SVG(), bytes.Repeat([]byte("\n"), 200)...)
	w := newWorld(t, markcerttest.Spec{SVG: svg})
	r := w.verify(t)
	require.Equal(t, Pass, r.Status, "%v", r.Err)
	fields := r.HeaderFields()
	require.Len(t, fields, 2)
	require.Equal(t, "BIMI-Location: v=BIMI1;\r\n a="+pemURL+"\r\n", fields[0]) // Q4
	require.True(t, strings.HasPrefix(fields[1], "BIMI-Indicator:\r\n "))
	for line := range strings.SplitSeq(strings.TrimSuffix(fields[1], "\r\n"), "\r\n") {
		require.LessOrEqual(t, len(line), 78)
	}
	value := strings.NewReplacer("\r\n", "", " ", "").Replace(strings.TrimPrefix(fields[1], "BIMI-Indicator:"))
	decoded, err := base64.StdEncoding.DecodeString(value)
	require.NoError(t, err)
	require.Equal(t, svg, decoded) // 39: unchanged
	sum := sha256.Sum256(svg)
	digest := hex.EncodeToString(sum[:])
	ar := authres.Header{AuthservID: "mx.example", Results: []authres.Result{r.AuthenticationResult()}}
	require.Equal(t, `mx.example; bimi=pass header.d=example.com header.selector=default policy.authority=pass policy.authority-uri="`+pemURL+
		`" policy.mark-type="Registered Mark" policy.indicator-hash=`+digest[56:], unfold(ar.String()))

	w.v.HashLength = 64
	r = w.verify(t)
	got, _ := r.AuthenticationResult().Property("policy", "indicator-hash")
	require.Equal(t, digest, got)
	for _, n := range []int{7, 65} { // 38: 8 to 64
		w.v.HashLength = n
		r = w.verify(t)
		got, _ = r.AuthenticationResult().Property("policy", "indicator-hash")
		require.Equal(t, digest[56:], got)
	}

	w.v.AlwaysLogoPreference = true // 37
	r = w.verify(t)
	require.Equal(t, "BIMI-Logo-Preference: avp=brand\r\n", r.HeaderFields()[1])
	w.v.AlwaysLogoPreference = false
	w.dns["default._bimi.example.com"] += "; avp=personal"
	r = w.verify(t)
	require.Equal(t, "BIMI-Logo-Preference: avp=personal\r\n", r.HeaderFields()[1]) // Q6
	got, _ = r.AuthenticationResult().Property("policy", "logo-preference")
	require.Equal(t, "personal", got)

	w.v.CompareIndicator = CompareFail // 36: both tags once compared
	r = w.verify(t)
	require.Equal(t, "BIMI-Location: v=BIMI1;\r\n l="+svgURL+";\r\n a="+pemURL+"\r\n", r.HeaderFields()[0])

	w.v.MaxIndicatorField = len(svg) - 1
	r = w.verify(t)
	require.Len(t, r.HeaderFields(), 2)
	_, ok := r.AuthenticationResult().Property("policy", "indicator-hash") // P5: only with the field
	require.False(t, ok)
	w.v.MaxIndicatorField = len(svg)
	require.Len(t, w.verify(t).HeaderFields(), 3)

	w = newWorld(t, markcerttest.Spec{})
	w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL
	r = w.verify(t)
	require.Equal(t, "BIMI-Location: v=BIMI1;\r\n l="+svgURL+"\r\n", r.HeaderFields()[0])
	got, _ = r.AuthenticationResult().Property("policy", "indicator-uri")
	require.Equal(t, svgURL, got)
	require.Empty(t, r.MarkType())
}

func unfold(s string) string { return strings.ReplaceAll(s, "\r\n", "") }

// TestAuthenticationResults: the words of results without an indicator hold nothing
// that a stranger wrote (P8).
func TestAuthenticationResults(t *testing.T) { t.Run("P8", authenticationResults) }

func authenticationResults(t *testing.T) {
	w := newWorld(t, markcerttest.Spec{})
	w.dns["default._bimi.example.com"] = "v=BIMI1; l=https://x\"y/;"
	r := w.verify(t)
	ar := authres.Header{AuthservID: "mx", Results: []authres.Result{r.AuthenticationResult()}}
	require.Equal(t, `mx; bimi=fail reason="l= is not a usable https URI" header.d=example.com header.selector=default policy.authority=none`, unfold(ar.String()))
	w.dns["_dmarc.example.com"] = "v=DMARC1; p=none"
	r = w.verify(t)
	ar.Results[0] = r.AuthenticationResult()
	require.Equal(t, `mx; bimi=skipped reason="DMARC policy is none"`, unfold(ar.String()))
}
