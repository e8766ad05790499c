package bimi

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
)

// inspector is a fakeWeb that tells how a document came.
type inspector struct {
	*fakeWeb
	how Transfer
}

func (w inspector) Inspect(ctx context.Context, domain, url string, max int64) (Transfer, error) {
	t := w.how
	var err error
	t.Body, t.ContentType, err = w.Fetch(ctx, domain, url, max)
	return t, err
}

// advised is an error with advice.
type advised struct{ error }

func (advised) Advice() string { return "do this" }

// TestHosting has item S3 as far as the web goes: how each document came, in words.
func TestHosting(t *testing.T) {
	for _, tt := range []struct {
		name     string
		how      Transfer
		change   func(w *world)
		hosting  []string
		findings string // kinds of the findings about hosting
		fix      string
	}{
		{"directly", Transfer{TLS: "TLS 1.3"}, func(*world) {}, []string{
			"indicator " + svgURL + ": {svg} octets of text/plain over TLS 1.3, without a redirect",
			"certificate " + pemURL + ": {pem} octets of text/plain over TLS 1.3, without a redirect",
		}, "content_type", ""},
		{"redirected", Transfer{TLS: "TLS 1.2", Redirects: []string{"https://a.example/", "https://b.example/"}}, func(w *world) {
			w.dns["default._bimi.example.com"] = "v=BIMI1; l=https://EXAMPLE.com/logo.svg"
		}, []string{
			"indicator https://EXAMPLE.com/logo.svg: {svg} octets of text/plain over TLS 1.2, redirected to https://a.example/ and then https://b.example/",
		}, "redirect content_type", "publish the last URL itself: a receiver may follow fewer redirects, or none"},
		{"compressed", Transfer{TLS: "TLS 1.3", Compressed: true}, func(w *world) { w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL }, []string{
			"indicator " + svgURL + ": {svg} octets of text/plain over TLS 1.3, in content coding gzip, without a redirect",
		}, "content_coding content_type", "compress only for those who send Accept-Encoding"},
		{"svgz", Transfer{TLS: "TLS 1.3", Compressed: true}, func(w *world) {
			w.web.files[svgURL+"z"] = w.web.files[svgURL]
			w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL + "z"
		}, []string{
			"indicator " + svgURL + "z: {svg} octets of text/plain over TLS 1.3, in content coding gzip, without a redirect",
		}, "content_type", ""},
		{"a bad image came all the same", Transfer{TLS: "TLS 1.3"}, func(w *world) {
			w.web.files[svgURL] = []byte("<svg/>")
			w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL
		}, []string{"indicator " + svgURL + ": 6 octets of text/plain over TLS 1.3, without a redirect"}, "", ""},
		{"refused", Transfer{}, func(w *world) { w.web.errs[svgURL], w.web.errs[pemURL] = advised{errors.New("403")}, errors.New("403") }, nil, "hosting hosting", "do this"},
		{"not told", Transfer{}, func(w *world) { w.v.Fetcher = w.web }, nil, "content_type", ""},
	} {
		t.Run("S3 "+tt.name, func(t *testing.T) {
			w := newWorld(t, markcerttest.Spec{})
			w.v.Fetcher = inspector{w.web, tt.how}
			tt.change(w)
			c := Checker{Resolver: records(t, w.dns), Fetcher: w.v.Fetcher, Now: clock, Certificates: w.v.Certificates}
			r, err := c.Check(context.Background(), "example.com", "")
			require.NoError(t, err)
			for i, s := range tt.hosting {
				tt.hosting[i] = strings.NewReplacer("{svg}", strconv.Itoa(len(w.web.files[svgURL])), "{pem}", strconv.Itoa(len(w.web.files[pemURL]))).Replace(s)
			}
			require.Equal(t, tt.hosting, r.Hosting)
			var kinds []string
			var fixes strings.Builder
			for _, f := range r.Findings {
				switch f.Kind {
				case "hosting", "redirect", "content_coding", "content_type":
					kinds = append(kinds, f.Kind)
					fixes.WriteString(f.Fix)
					require.Equal(t, f.Kind == "hosting", f.Failure)
				}
			}
			require.Equal(t, tt.findings, strings.Join(kinds, " "))
			require.Contains(t, fixes.String(), tt.fix)
		})
	}
}
