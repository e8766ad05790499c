package bimi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
)

// another is the image of the tests with another title.
func another() []byte {
	return bytes.Replace(markcerttest.SVG(), []byte("</title>"), []byte("!</title>"), 1)
}

// field returns the value of the header field to add, unfolded, without white space.
func field(r Result, name string) string {
	for _, f := range r.HeaderFields() {
		if v, ok := strings.CutPrefix(f, name+":"); ok {
			return strings.NewReplacer("\r\n", "", " ", "").Replace(v)
		}
	}
	return ""
}

// results is the Authentication-Results field in one line, behind its authserv-id.
func results(r Result) string {
	return strings.TrimPrefix(unfold(authres.Header{AuthservID: "mx", Results: []authres.Result{r.AuthenticationResult()}}.String()), "mx; ")
}

// TestComparisonItems has the items O1 to O3: when both images are fetched and compared.
func TestComparisonItems(t *testing.T) {
	for _, tt := range []struct {
		name     string
		svg      []byte // at l=
		compare  Comparison
		want     authres.Status
		location string // BIMI-Location
		asked    int    // documents, without revocation lists
	}{
		{"O1 both tags after a comparison", markcerttest.SVG(), CompareFail, Pass, "v=BIMI1;l=" + svgURL + ";a=" + pemURL, 2},
		{"O1 one tag without", markcerttest.SVG(), CompareOff, Pass, "v=BIMI1;a=" + pemURL, 1},
		{"O1 one tag where they differ", another(), CompareWarn, Pass, "v=BIMI1;a=" + pemURL, 2},
		{"O1 one tag where l= cannot be had", nil, CompareWarn, Pass, "v=BIMI1;a=" + pemURL, 2},
		{"O2 the certified image is shown", another(), CompareOff, Pass, "v=BIMI1;a=" + pemURL, 1},
		{"O3 after gunzip", gz(t, markcerttest.SVG()), CompareFail, Pass, "v=BIMI1;l=" + svgURL + ";a=" + pemURL, 2},
		{"O3 mismatch fails", another(), CompareFail, Fail, "", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, markcerttest.Spec{})
			w.v.CompareIndicator = tt.compare
			if w.web.files[svgURL] = tt.svg; tt.svg == nil {
				delete(w.web.files, svgURL)
			}
			r := w.verify(t)
			require.Equal(t, tt.want, r.Status, "%v", r.Err)
			require.Equal(t, tt.location, field(r, "BIMI-Location"))
			asked := 0
			for _, u := range w.web.asked {
				if strings.HasPrefix(u, "example.com ") {
					asked++
				}
			}
			require.Equal(t, tt.asked, asked)
			if r.Status == Pass {
				require.Equal(t, markcerttest.SVG(), r.Indicator)
				require.Equal(t, strings.Contains(tt.location, ";l="), r.Compared)
			}
		})
	}
}

// TestResultItems has the items P1 to P7: the result in words, field by field. P8 is
// TestAuthenticationResults, P9 TestResultsToSign.
func TestResultItems(t *testing.T) {
	selfAsserted := func(w *world) { w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL }
	sum := sha256.Sum256(markcerttest.SVG())
	hash := " policy.indicator-hash=" + hex.EncodeToString(sum[:])[56:]
	const where = " header.d=example.com header.selector=default"
	for _, tt := range []struct {
		name    string
		defects []markcerttest.Defect
		change  func(w *world)
		want    string
	}{
		{"P1 skipped", nil, func(w *world) { w.dns["_dmarc.example.com"] = "v=DMARC1; p=none" }, `bimi=skipped reason="DMARC policy is none"`},
		{"P1 none", nil, func(w *world) { delete(w.dns, "default._bimi.example.com") }, `bimi=none reason="no BIMI record"`},
		{"P1 declined", nil, func(w *world) { w.dns["default._bimi.example.com"] = "v=BIMI1; l=;" },
			`bimi=declined reason="domain declines to show an indicator"` + where + " policy.authority=none"},
		{"P1 temperror, DNS", nil, func(w *world) { w.dns["default._bimi.example.com"] = "servfail" }, `bimi=temperror reason="DNS lookup of BIMI record failed"`},
		{"P1 temperror, web", nil, func(w *world) { selfAsserted(w); w.web.errs[svgURL] = temporary{errors.New("503")} },
			`bimi=temperror reason="document could not be fetched"` + where + " policy.authority=none"},
		{"P1 temperror, revocation list", []markcerttest.Defect{markcerttest.CRLUnavailable}, func(*world) {},
			`bimi=temperror reason="mark certificate not acceptable"` + where + " policy.authority=none"},
		{"P1 fail, several records", nil, func(w *world) { w.dns["default._bimi.example.com"] += "|v=BIMI1; l=" }, `bimi=fail reason="several BIMI records at one name"` + where + " policy.authority=none"},
		{"P1 fail, syntax", nil, func(w *world) { w.dns["default._bimi.example.com"] = "v=BIMI1; x=y" }, `bimi=fail reason="l= missing in BIMI record"` + where + " policy.authority=none"},
		{"P1 fail, web", nil, func(w *world) { selfAsserted(w); delete(w.web.files, svgURL) }, `bimi=fail reason="document could not be fetched"` + where + " policy.authority=none"},
		{"P1 fail, SVG", nil, func(w *world) { selfAsserted(w); w.web.files[svgURL] = []byte("x") }, `bimi=fail reason="indicator not acceptable"` + where + " policy.authority=none"},
		{"P2 P5 self-asserted", nil, selfAsserted, `bimi=pass` + where + ` policy.authority=none policy.indicator-uri="` + svgURL + `"` + hash},
		{"P3 P4 P7 certified", nil, func(*world) {}, `bimi=pass` + where + ` policy.authority=pass policy.authority-uri="` + pemURL + `" policy.mark-type="Registered Mark"` + hash},
		{"P3 evidence that is no good", []markcerttest.Defect{markcerttest.Expired}, func(*world) {}, `bimi=fail reason="mark certificate not acceptable"` + where + " policy.authority=fail"},
		{"P3 evidence not looked at", nil, func(w *world) { w.v.IgnoreEvidence = true }, `bimi=pass` + where + ` policy.authority=none policy.indicator-uri="` + svgURL + `"` + hash},
		{"P3 evidence for an image that is no good", nil, func(w *world) { w.v.SVG.MaxSize = 100 }, `bimi=fail reason="indicator not acceptable"` + where + " policy.authority=fail"},
		{"P4 a URI with a quotation mark's escape", nil, func(w *world) {
			w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL + "?a=%22&b"
			w.web.files[svgURL+"?a=%22&b"] = markcerttest.SVG()
		}, `bimi=pass` + where + ` policy.authority=none policy.indicator-uri="` + svgURL + `?a=%22&b"` + hash},
		{"P5 no hash without the field", nil, func(w *world) { selfAsserted(w); w.v.MaxIndicatorField = 10 }, `bimi=pass` + where + ` policy.authority=none policy.indicator-uri="` + svgURL + `"`},
		{"P6 valid avp", nil, func(w *world) { w.dns["default._bimi.example.com"] += "; avp=personal" },
			`bimi=pass` + where + ` policy.authority=pass policy.authority-uri="` + pemURL + `" policy.mark-type="Registered Mark" policy.logo-preference=personal` + hash},
		{"P6 invalid avp", nil, func(w *world) { w.dns["default._bimi.example.com"] += "; avp=Personal" },
			`bimi=pass` + where + ` policy.authority=pass policy.authority-uri="` + pemURL + `" policy.mark-type="Registered Mark"` + hash},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, markcerttest.Spec{}, tt.defects...)
			tt.change(w)
			got := results(w.verify(t))
			require.Equal(t, tt.want, got)
			require.NotContains(t, got, "\n")
		})
	}
}

// TestFieldItems has the items Q3 to Q7: the fields to add. Q1 is TestStrip; Q2 is held
// where signers are, in packages dkim and arc.
func TestFieldItems(t *testing.T) {
	t.Run("Q3 nothing without a pass", func(t *testing.T) {
		for _, status := range []authres.Status{Fail, None, TempError, Declined, Skipped, ""} {
			r := newWorld(t, markcerttest.Spec{}).verify(t)
			r.Status = status
			require.Empty(t, r.HeaderFields(), status)
		}
	})
	t.Run("Q4 a= from evidence, l= otherwise", func(t *testing.T) {
		w := newWorld(t, markcerttest.Spec{})
		require.Equal(t, "v=BIMI1;a="+pemURL, field(w.verify(t), "BIMI-Location"))
		w.v.IgnoreEvidence = true
		require.Equal(t, "v=BIMI1;l="+svgURL, field(w.verify(t), "BIMI-Location"))
	})
	t.Run("Q5 Q7 uncompressed, folded, the octets that were hashed", func(t *testing.T) {
		w := newWorld(t, markcerttest.Spec{})
		w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL
		crlf := append(bytes.ReplaceAll(markcerttest.SVG(), []byte("><"), []byte(">\r\n<")), bytes.Repeat([]byte("\r\n"), 4000)...)
		w.web.files[svgURL] = gz(t, crlf)
		r := w.verify(t)
		require.Equal(t, Pass, r.Status, "%v", r.Err)
		got, err := base64.StdEncoding.DecodeString(field(r, "BIMI-Indicator"))
		require.NoError(t, err)
		require.Equal(t, crlf, got)
		sum := sha256.Sum256(got)
		require.Equal(t, sum, r.IndicatorSHA256)
		hash, _ := r.AuthenticationResult().Property("policy", "indicator-hash")
		require.True(t, strings.HasSuffix(hex.EncodeToString(sum[:]), hash))
		for _, f := range r.HeaderFields() {
			for line := range strings.Lines(f) {
				require.LessOrEqual(t, len(line), 79)
				require.True(t, strings.HasSuffix(line, "\r\n"))
			}
		}
	})
	t.Run("Q6 preference only if it was published", func(t *testing.T) {
		for avp, want := range map[string]string{"": "", "; avp=brand": "avp=brand", "; avp=personal": "avp=personal", "; avp=Brand": "", "; avp=x\"y": ""} {
			w := newWorld(t, markcerttest.Spec{})
			w.dns["default._bimi.example.com"] += avp
			require.Equal(t, want, field(w.verify(t), "BIMI-Logo-Preference"), avp)
		}
	})
}

// TestReportItem has item T1: a result says everything that a report would have to,
// whatever became of the message.
func TestReportItem(t *testing.T) {
	t.Run("T1", func(t *testing.T) {
		w := newWorld(t, markcerttest.Spec{}, markcerttest.Expired)
		w.header = "BIMI-Selector: v=BIMI1; s=brand\r\n"
		r := w.verify(t)
		require.Equal(t, Fail, r.Status)
		require.Equal(t, []string{"example.com", "example.com", "default", pemURL}, []string{r.Author, r.Domain, r.Selector, r.Record.Evidence})
		require.Equal(t, authres.Fail, r.Authority)
		require.ErrorIs(t, r.SelectorErr, ErrSelectorUnsigned)
		require.NotEmpty(t, r.Certificate.Findings)
		require.NotEmpty(t, r.Queries)
		require.Equal(t, "ErrExpired", r.Code())
		_, err := r.MarshalJSON()
		require.NoError(t, err)
	})
}

// TestEvidenceItems has item M6 and row BIM-05, which need a message.
func TestEvidenceItems(t *testing.T) {
	t.Run("M6 the host of a= is nobody", func(t *testing.T) {
		w := newWorld(t, markcerttest.Spec{Domains: []string{"cdn.example"}})
		w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL + "; a=https://cdn.example/mark.pem"
		w.web.files["https://cdn.example/mark.pem"] = w.web.files[pemURL]
		r := w.verify(t)
		require.Equal(t, Fail, r.Status)
		require.Equal(t, "ErrDomain", r.Code())
	})
	for name, from := range map[string]string{
		"second field":           "From: a@example.com\r\nFrom: b@example.com\r\n",
		"two addresses":          "From: a@example.com, b@other.example\r\n",
		"two of the same domain": "From: a@example.com, b@example.com\r\n",
		"empty group":            "From: a@example.com:;\r\n",
	} {
		t.Run("BIM-05/"+name, func(t *testing.T) {
			w := newWorld(t, markcerttest.Spec{})
			w.v.Resolver, w.v.Fetcher = records(t, w.dns), w.web
			m := mail(t, w.dns, "example.com", from, signed())
			r := w.v.Verify(context.Background(), m)
			require.Equal(t, Skipped, r.Status)
			require.Equal(t, "ErrAuthor", r.Code())
			require.Empty(t, w.web.asked)
			require.Empty(t, r.Queries)
		})
	}
}
