package fetch

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/bimi"
)

// TestChecklist has a test for each point of the BIMI checklist's section on
// fetching, by its name there; the tests above go into each.
func TestChecklist(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		n, _ := strconv.Atoi(r.URL.Query().Get("redirects"))
		if n > 0 {
			http.Redirect(w, r, "/?redirects="+strconv.Itoa(n-1), http.StatusFound)
			return
		}
		io.WriteString(w, strings.Repeat("x", 100))
	})
	get := func(url string, max int64) (Document, error) {
		return s.f.Get(t.Context(), Request{URL: url, Max: max})
	}
	t.Run("G1", func(t *testing.T) {
		d, err := get(logo, 0)
		require.NoError(t, err)
		require.GreaterOrEqual(t, d.TLS, uint16(tls.VersionTLS12))
		_, err = get("http://logo.example/logo.svg", 0)
		require.ErrorIs(t, err, ErrURL)
	})
	t.Run("G2", func(t *testing.T) {
		_, err := s.f.FetchCRL(t.Context(), "http://logo.example/a.crl")
		require.NoError(t, err)
	})
	t.Run("G3", func(t *testing.T) {
		_, err := get("https://logo.example/?redirects=3", 0)
		require.NoError(t, err)
		_, err = get("https://logo.example/?redirects=4", 0)
		require.ErrorIs(t, err, ErrRedirect)
	})
	t.Run("G4", func(t *testing.T) {
		_, err := get(logo, 100)
		require.NoError(t, err)
		_, err = get(logo, 99)
		require.ErrorIs(t, err, ErrTooLarge)
	})
	t.Run("G5", func(t *testing.T) {
		for _, r := range s.seen {
			require.Empty(t, r.Header["Accept-Encoding"])
		}
	})
	t.Run("G6", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := wired(t, func(c net.Conn) { io.Copy(io.Discard, c) })
			start := time.Now()
			_, err := f.Get(t.Context(), Request{URL: logo})
			require.ErrorIs(t, err, ErrTimeout)
			require.Equal(t, DefaultTimeout, time.Since(start))
		})
	})
	t.Run("G7", func(t *testing.T) {
		_, err := get("https://inner.example/", 0)
		require.ErrorIs(t, err, ErrAddress)
	})
	t.Run("G8", func(t *testing.T) {
		d, err := get(logo, 0)
		require.NoError(t, err)
		require.Equal(t, "text/plain", d.ContentType)
	})
	t.Run("G9", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
		s.f.CacheSize = 0
		for range 3 {
			_, err := s.f.Get(t.Context(), Request{URL: logo})
			require.NoError(t, err)
		}
		require.Len(t, s.seen, 1)
	})
}

// TestInspect: what a publisher is told (S3).
func TestInspect(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a":
			http.Redirect(w, r, "/b", http.StatusFound)
		case "/b":
			w.Header().Set("Content-Type", "image/svg+xml; charset=utf-8")
			io.WriteString(w, "x")
		case "/403":
			w.WriteHeader(http.StatusForbidden)
		}
	})
	got, err := s.f.Inspect(t.Context(), "logo.example", "https://logo.example/a", 10)
	require.NoError(t, err)
	require.Equal(t, bimi.Transfer{Body: []byte("x"), ContentType: "image/svg+xml", Redirects: []string{"https://logo.example/b"}, TLS: "TLS 1.3"}, got)
	require.Equal(t, "1 octets of image/svg+xml over TLS 1.3, redirected to https://logo.example/b", got.String())
	got, err = s.f.Inspect(t.Context(), "logo.example", "https://logo.example/403", 10)
	require.Equal(t, bimi.Transfer{}, got)
	var f *Failure
	require.ErrorAs(t, err, &f)
	require.Contains(t, f.Advice(), "User-Agent")
	var _ bimi.Inspector = s.f
}

// TestAdvice: there is something to do about every failure that is the server's.
func TestAdvice(t *testing.T) {
	nothing := map[Error]bool{ErrCanceled: true, ErrResponse: true}
	for _, e := range allErrors() {
		f := &Failure{Err: join(e, errHTTP)}
		require.Equal(t, nothing[e], f.Advice() == "", e.Code())
	}
	for status, word := range map[int]string{404: "put the file", 410: "put the file", 403: "User-Agent", 429: "however often", 500: "status 200", 204: "status 200"} {
		require.Contains(t, (&Failure{Err: ErrStatus, Status: status}).Advice(), word)
	}
}
