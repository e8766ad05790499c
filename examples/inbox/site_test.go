package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/examples/internal/sample"
)

const host = "localhost:8025"

func get(t *testing.T, s http.Handler, path, as string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = as
	s.ServeHTTP(w, r)
	return w
}

// logos lists the addresses of the pictures on a page.
func logos(page string) (out []string) {
	for _, s := range strings.Split(page, `<img src="`)[1:] {
		out = append(out, s[:strings.IndexByte(s, '"')])
	}
	return out
}

// TestDelivered: a logo where everything holds, initials everywhere else.
func TestDelivered(t *testing.T) {
	f := newSite(folder{"testdata", delivered{bimi.Reader{AuthservIDs: []string{"mx.example"}}}}, host)
	w := get(t, f, "/", host)
	require.Equal(t, http.StatusOK, w.Code)
	page := w.Body.String()
	items := strings.Split(page, "<li>")[1:]
	require.Len(t, items, 6)
	for i, want := range []struct{ picture, verdict string }{
		{`<img src="/logo/`, "logo of bank.example, certified"},
		{`<img src="/logo/`, "logo of shop.example"},
		{`>L</span>`, "indicator not acceptable"},
		{`>S</span>`, "no trusted BIMI result"},
		{`>S</span>`, "indicator does not match the trusted hash"},
		{`>F</span>`, "no trusted BIMI result"},
	} {
		require.Contains(t, items[i], want.picture)
		require.Contains(t, items[i], want.verdict)
		require.Equal(t, i == 0, strings.Contains(items[i], `class="certified"`))
	}
	require.Contains(t, items[1], "Angebote für Sie")
	require.Contains(t, items[5], "&lt;script&gt;alert(1)&lt;/script&gt;")
	require.NotContains(t, page, "<script")
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "img-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
		require.Contains(t, policy, want)
	}
	require.NotContains(t, policy, "script-src")
	require.NotContains(t, policy, "unsafe")
	require.NotContains(t, page, "style=") // the policy would not let it through

	require.Len(t, logos(page), 2)
	for _, path := range logos(page) {
		get(t, f, "/", host) // the list before is remembered, too
		w := get(t, f, path, host)
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, "image/svg+xml", w.Header().Get("Content-Type"))
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		require.Equal(t, logoPolicy, w.Header().Get("Content-Security-Policy"))
		require.Contains(t, logoPolicy, "default-src 'none'; sandbox;")
		require.Contains(t, w.Body.String(), "<svg")
	}
	for _, path := range []string{"/logo/0.svg", "/logo/x.svg", "/logo/", "/../main.go", "/testdata/6-plain.eml"} {
		require.NotEqual(t, http.StatusOK, get(t, f, path, host).Code, path)
	}
	require.Equal(t, http.StatusMisdirectedRequest, get(t, f, "/", "evil.example").Code)
	require.Equal(t, "text/css; charset=utf-8", get(t, f, "/style.css", host).Header().Get("Content-Type"))
	w = httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Host = host
	f.ServeHTTP(w, r)
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

// logoServer is a web with one logo.
type logoServer struct{}

func (logoServer) Fetch(context.Context, string, string, int64) ([]byte, string, error) {
	return markcerttest.SVG(), "image/svg+xml", nil
}
func (logoServer) FetchCRL(context.Context, string) ([]byte, error) { return nil, errors.New("404") }

// TestReceived: messages that the page evaluates itself.
func TestReceived(t *testing.T) {
	dir := t.TempDir()
	data := sample.Message()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "1.eml"), data, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "2.eml"), []byte(strings.Replace(string(data), "Subject:", "Subject: x", 1)), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "3.eml"), []byte(strings.Repeat("x", 1<<20)), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".hidden"), nil, 0o600))
	zone := sample.Zone()
	dns := dnsutil.ResolverFunc(func(ctx context.Context, name string, typ dnsutil.Type) (dnsutil.Answer, error) {
		if strings.HasPrefix(name, "default._bimi.") {
			return dnsutil.Answer{TXT: []string{"v=BIMI1; l=https://bank.example/l.svg"}, TTL: time.Hour}, nil
		}
		return zone.Lookup(ctx, name, typ)
	})
	f := newSite(folder{dir, received{&mailauth.Evaluator{Resolver: dns, BIMI: &bimi.Verifier{Fetcher: logoServer{}}}}}, host)
	page := get(t, f, "/", host).Body.String()
	items := strings.Split(page, "<li>")[1:]
	require.Len(t, items, 3)
	require.Contains(t, items[0], "dmarc=pass, bimi=pass")
	require.Contains(t, items[0], "<img")
	require.Contains(t, items[0], "DKIM ")
	require.Contains(t, items[1], "dmarc=fail, bimi=skipped")
	require.NotContains(t, items[1], "<img")
	require.Contains(t, items[2], "unreadable")
	require.Equal(t, string(markcerttest.SVG()), get(t, f, logos(page)[0], host).Body.String())
	require.Equal(t, http.StatusInternalServerError, get(t, newSite(folder{dir: dir + "/none"}, host), "/", host).Code)
	require.Contains(t, get(t, newSite(folder{dir: t.TempDir()}, host), "/", host).Body.String(), "no messages")
}

// TestRun: what cannot be served is one clear error.
func TestRun(t *testing.T) {
	for _, args := range [][]string{nil, {"a", "b"}, {"-x"}, {"-addr", "nowhere", "testdata"}} {
		require.Error(t, run(context.Background(), args, new(strings.Builder)))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, run(ctx, []string{"-addr", "127.0.0.1:0", "-authserv-id", "mx.example", "testdata"}, new(strings.Builder)))
}
