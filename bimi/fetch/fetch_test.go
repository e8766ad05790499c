package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

const logo = "https://logo.example/logo.svg"

// The shapes that packages bimi and markcert ask for.
var (
	_ interface {
		Fetch(ctx context.Context, domain, url string, max int64) (body []byte, contentType string, err error)
	} = (*Fetcher)(nil)
	_ func(ctx context.Context, url string) ([]byte, error) = (*Fetcher)(nil).FetchCRL
	_ interface{ Temporary() bool }                         = (*Failure)(nil)
)

func TestGet(t *testing.T) {
	body := []byte("<svg/>")
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "Image/SVG+xml; charset=utf-8")
		w.Header().Set("ETag", `"x"`)
		w.Write(body)
	})
	d, err := s.f.Get(t.Context(), Request{Domain: "example.com", URL: logo + "?a=%20b#c"})
	require.NoError(t, err)
	require.Equal(t, logo+"?a=%20b", d.URL)
	require.Equal(t, body, d.Body)
	require.Equal(t, sha256.Sum256(body), d.SHA256)
	require.Equal(t, "image/svg+xml", d.ContentType)
	require.GreaterOrEqual(t, d.TLS, uint16(tls.VersionTLS12))
	require.False(t, d.Cached || d.Encoded)
	require.Empty(t, d.Redirects)

	r := s.seen[0]
	require.Equal(t, "GET", r.Method)
	require.Equal(t, "/logo.svg?a=%20b", r.RequestURI)
	require.Equal(t, "logo.example", r.Host)
	require.Equal(t, http.Header{"User-Agent": {DefaultUserAgent}, "Accept": {"*/*"}, "Connection": {"close"}}, r.Header,
		"no cookie, Referer, Accept-Encoding, credential or condition")
	require.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("198.51.100.1:443")}, s.dialed)

	t.Run("shapes", func(t *testing.T) {
		b, ct, err := s.f.Fetch(t.Context(), "example.com", logo, 100)
		require.NoError(t, err)
		require.Equal(t, body, b)
		require.Equal(t, "image/svg+xml", ct)
		b, err = s.f.FetchCRL(t.Context(), "http://logo.example/a.crl")
		require.NoError(t, err)
		require.Equal(t, body, b)
		require.Nil(t, s.seen[len(s.seen)-1].TLS)
		require.Equal(t, uint16(80), s.dialed[len(s.dialed)-1].Port())
		b, _, err = s.f.Fetch(t.Context(), "example.com", "http://logo.example/", 100)
		require.ErrorIs(t, err, ErrURL)
		require.Nil(t, b)
	})
}

// TestEnvironment: proxies of the environment are not asked.
func TestEnvironment(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	touched := make(chan bool, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			touched <- true
			c.Close()
		}
	}()
	for _, v := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(v, "http://"+l.Addr().String())
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	_, err = s.f.Get(t.Context(), Request{URL: logo})
	require.NoError(t, err)
	_, err = s.f.FetchCRL(t.Context(), "http://logo.example/")
	require.NoError(t, err)
	require.Empty(t, touched)
}

// TestThreats: the rows of the threat matrix about fetching.
func TestThreats(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	for name, u := range map[string]string{
		"http": "http://logo.example/", "userinfo": "HTTPS://u:p@logo.example/", "port": "https://logo.example:22/",
		"address6": "https://[::1]/", "address4": "https://127.0.0.1/", "hexadecimal": "https://0x7f.1/", "localhost": "https://localhost/",
		"line-end": "https://logo.example/..%0d%0aX:", "data": "data:image/svg+xml,x", "file": "file:///x",
		"long": "https://logo.example/" + strings.Repeat("a", 3<<10), "U-label": "https://bücher.example/", "internal": "https://a.internal/",
		"empty": "", "relative": "logo.svg", "one-label": "https://logo/",
	} {
		t.Run("BIM-08/"+name, func(t *testing.T) {
			d, err := s.f.Get(t.Context(), Request{URL: u})
			requireFailure(t, ErrURL, false, d, err)
			require.Empty(t, s.zone.Queries())
			require.Empty(t, s.dialed)
		})
	}
	t.Run("BIM-30", func(t *testing.T) {
		// The body changes at each request, and the ETag does not.
		n := 0
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			n++
			w.Header().Set("ETag", `"same"`)
			io.WriteString(w, "body "+strconv.Itoa(n))
		})
		s.f.CacheSize = 0
		a, err := s.f.Get(t.Context(), Request{Domain: "a.example", URL: logo})
		require.NoError(t, err)
		again, err := s.f.Get(t.Context(), Request{Domain: "a.example", URL: logo})
		require.NoError(t, err)
		require.True(t, again.Cached)
		require.Equal(t, a.Body, again.Body)
		require.Equal(t, sha256.Sum256(a.Body), again.SHA256)
		b, err := s.f.Get(t.Context(), Request{Domain: "b.example", URL: logo})
		require.NoError(t, err)
		require.False(t, b.Cached)
		require.NotEqual(t, a.SHA256, b.SHA256)
		// A caller cannot change what the next one gets.
		copy(again.Body, "xxxx")
		again, err = s.f.Get(t.Context(), Request{Domain: "a.example", URL: logo})
		require.NoError(t, err)
		require.Equal(t, a.Body, again.Body)
		for _, r := range s.seen {
			require.Empty(t, r.Header["If-None-Match"])
		}
	})
}

// TestAddresses: where a host resolves to decides, at look-up and at connection.
func TestAddresses(t *testing.T) {
	get := func(t *testing.T, s *server, host string) (Document, error) {
		return s.f.Get(t.Context(), Request{URL: "https://" + host + "/"})
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	t.Run("private", func(t *testing.T) {
		d, err := get(t, s, "inner.example")
		requireFailure(t, ErrAddress, false, d, err)
		require.Empty(t, s.dialed)
	})
	t.Run("not-public-6", func(t *testing.T) {
		d, err := get(t, s, "six.example")
		requireFailure(t, ErrAddress, false, d, err)
		require.Empty(t, s.dialed)
	})
	t.Run("mixed", func(t *testing.T) {
		_, err := get(t, s, "mixed.example")
		require.NoError(t, err)
		require.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("198.51.100.1:443")}, s.dialed)
	})
	t.Run("none", func(t *testing.T) {
		d, err := get(t, s, "nothing.example")
		requireFailure(t, ErrNoAddress, false, d, err)
	})
	t.Run("no-such-name", func(t *testing.T) {
		d, err := get(t, s, "absent.example")
		requireFailure(t, ErrNoAddress, false, d, err)
	})
	t.Run("servfail", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
		s.f.Resolver = s.zone.WithFault("logo.example", dnsutil.TypeA, dnsutil.ErrServFail).WithFault("logo.example", dnsutil.TypeAAAA, dnsutil.ErrServFail)
		d, err := get(t, s, "logo.example")
		requireFailure(t, ErrResolve, true, d, err)
	})
	t.Run("half-an-answer", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
		s.f.Resolver = s.zone.WithFault("logo.example", dnsutil.TypeAAAA, dnsutil.ErrServFail)
		_, err := get(t, s, "logo.example")
		require.NoError(t, err)
	})
	t.Run("panicking-resolver", func(t *testing.T) {
		f := &Fetcher{Resolver: dnsutil.ResolverFunc(func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) { panic("x") })}
		d, err := f.Get(t.Context(), Request{URL: logo})
		requireFailure(t, ErrResolve, true, d, err)
	})
	t.Run("absolute-names", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
		_, err := get(t, s, "logo.example")
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"A logo.example.", "AAAA logo.example."}, s.zone.Queries())
	})
	t.Run("every-special-address", func(t *testing.T) {
		for a, public := range addresses {
			if public || strings.Contains(a, "%") {
				continue
			}
			typ := "A"
			if strings.Contains(a, ":") {
				typ = "AAAA"
			}
			if typ == "AAAA" && netip.MustParseAddr(a).Is4In6() {
				continue // the zone would have to say it as an A record
			}
			f := &Fetcher{Resolver: dnstest.MustParse("logo.example. " + typ + " " + a), UnsafeDial: func(context.Context, netip.AddrPort) (net.Conn, error) {
				t.Errorf("%s dialled", a)
				return nil, errors.New("no")
			}}
			d, err := f.Get(t.Context(), Request{URL: logo})
			requireFailure(t, ErrAddress, false, d, err)
		}
	})
	// The address is judged again on the socket: a predicate that says yes the
	// first time stands for a name that resolves differently the second time.
	t.Run("rebinding", func(t *testing.T) {
		asked := 0
		f := &Fetcher{
			Resolver:     dnstest.MustParse("logo.example. A 127.0.0.1"),
			UnsafePublic: func(a netip.Addr) bool { asked++; return asked == 1 },
		}
		d, err := f.Get(t.Context(), Request{URL: logo})
		requireFailure(t, ErrAddress, false, d, err)
		require.Equal(t, 2, asked)
	})
	t.Run("socket", func(t *testing.T) {
		f := &Fetcher{}
		for _, a := range []string{"127.0.0.1:443", "[::1]:443", "10.0.0.1:443", "192.0.9.9:22", "x"} {
			require.ErrorIs(t, f.control("tcp4", a, nil), ErrAddress, a)
		}
		require.ErrorIs(t, f.control("unix", "192.0.9.9:443", nil), ErrAddress)
		require.NoError(t, f.control("tcp4", "192.0.9.9:443", nil))
	})
	t.Run("one-round-trip", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := wired(t, raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			f.Resolver.(*dnstest.Zone).Delay = time.Second
			start := time.Now()
			_, err := f.Get(t.Context(), Request{URL: logo})
			require.NoError(t, err)
			require.Equal(t, time.Second, time.Since(start))
		})
	})
	t.Run("second-address", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
		s.f.Resolver = dnstest.MustParse("logo.example. A 198.51.100.1\nlogo.example. A 198.51.100.2")
		inner := s.f.UnsafeDial
		n := 0
		s.f.UnsafeDial = func(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
			if n++; n == 1 {
				return nil, errors.New("refused")
			}
			return inner(ctx, a)
		}
		_, err := get(t, s, "logo.example")
		require.NoError(t, err)
		require.Equal(t, 2, n)
	})
	t.Run("refused", func(t *testing.T) {
		s.f.Resolver = dnstest.MustParse("logo.example. A 198.51.100.1")
		s.f.UnsafeDial = func(context.Context, netip.AddrPort) (net.Conn, error) { return nil, errors.New("refused") }
		d, err := get(t, s, "logo.example")
		requireFailure(t, ErrConnect, true, d, err)
	})
}

func TestRedirects(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		switch r.URL.Path {
		case "/count":
			if n > 0 {
				http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
				w.Header().Set("Location", "/count?n="+strconv.Itoa(n-1))
				w.WriteHeader(http.StatusFound)
				return
			}
		case "/long":
			w.Header().Set("Location", "/"+strings.Repeat("a", 2048))
			w.WriteHeader(http.StatusFound)
			return
		case "/to":
			w.Header()["Location"] = r.URL.Query()["l"]
			w.WriteHeader(n)
			return
		}
		io.WriteString(w, "here")
	})
	d, err := s.f.Get(t.Context(), Request{URL: "https://logo.example/count?n=3"})
	require.NoError(t, err)
	require.Equal(t, "https://logo.example/count?n=0", d.URL)
	require.Equal(t, []string{"https://logo.example/count?n=2", "https://logo.example/count?n=1", "https://logo.example/count?n=0"}, d.Redirects)
	require.Len(t, s.zone.Queries(), 8, "each hop is looked up again")
	for _, r := range s.seen {
		require.Empty(t, r.Cookies())
		require.Empty(t, r.Referer())
	}
	d, err = s.f.Get(t.Context(), Request{URL: "https://logo.example/count?n=4"})
	requireFailure(t, ErrRedirect, false, d, err)

	for _, tt := range []struct {
		name, query string
		want        error
	}{
		{"301", "n=301&l=/x", nil},
		{"303", "n=303&l=https://other.example/x", nil},
		{"307", "n=307&l=//other.example/x", nil},
		{"308", "n=308&l=x", nil},
		{"300", "n=300&l=/x", ErrStatus},
		{"304", "n=304&l=/x", ErrStatus},
		{"none", "n=302", ErrRedirect},
		{"empty", "n=302&l=", ErrRedirect},
		{"two", "n=302&l=/x&l=/y", ErrRedirect},
		{"http", "n=302&l=http://logo.example/x", ErrRedirect},
		{"file", "n=302&l=file:///etc/passwd", ErrRedirect},
		{"port", "n=302&l=https://logo.example:8443/", ErrRedirect},
		{"userinfo", "n=302&l=https://a@logo.example/", ErrRedirect},
		{"address", "n=302&l=https://127.0.0.1/", ErrRedirect},
		{"address6", "n=302&l=https://%5B::1%5D/", ErrRedirect},
		{"metadata", "n=302&l=https://169.254.169.254/latest/meta-data/", ErrRedirect},
		{"localhost", "n=302&l=https://localhost/", ErrRedirect},
		{"private", "n=302&l=https://inner.example/", ErrAddress},
		{"control", "n=302&l=/a%2500", ErrRedirect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := s.f.Get(t.Context(), Request{URL: "https://logo.example/to?" + tt.query})
			if tt.want == nil {
				require.NoError(t, err)
				require.Equal(t, "here", string(d.Body))
				return
			}
			requireFailure(t, tt.want, false, d, err)
		})
	}
	for _, a := range s.dialed {
		require.Equal(t, netip.MustParseAddrPort("198.51.100.1:443"), a)
	}
	t.Run("long", func(t *testing.T) {
		d, err := s.f.Get(t.Context(), Request{URL: "https://logo.example/long"})
		requireFailure(t, ErrRedirect, false, d, err)
	})
	t.Run("none-wanted", func(t *testing.T) {
		s.f.MaxRedirects = -1
		d, err := s.f.Get(t.Context(), Request{URL: "https://logo.example/count?n=1"})
		requireFailure(t, ErrRedirect, false, d, err)
	})
	t.Run("crl", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if l := r.URL.Query().Get("l"); l != "" {
				http.Redirect(w, r, l, http.StatusFound)
			}
		})
		for from, want := range map[string]error{
			"http://logo.example/?l=http://other.example/":   nil,
			"http://logo.example/?l=https://other.example/":  nil,
			"https://logo.example/?l=http://other.example/":  ErrRedirect,
			"http://logo.example/?l=http://inner.example/":   ErrAddress,
			"http://logo.example/?l=http://127.0.0.1/":       ErrRedirect,
			"http://logo.example/?l=http://other.example:22": ErrRedirect,
		} {
			_, err := s.f.FetchCRL(t.Context(), from)
			require.ErrorIs(t, err, want, from)
		}
	})
}

func allErrors() []Error {
	return []Error{ErrURL, ErrResolve, ErrNoAddress, ErrAddress, ErrConnect, ErrTLS, ErrTimeout, ErrCanceled, ErrResponse, ErrStatus, ErrRedirect, ErrTooLarge, ErrEncoding}
}

func TestErrors(t *testing.T) {
	for _, e := range allErrors() {
		require.True(t, strings.HasPrefix(e.Code(), "Err"), e)
	}
	require.Empty(t, Error("x").Code())
	long := join(ErrTLS, errors.New(strings.Repeat("\u202e\r\n", 100)))
	require.Less(t, len(long.Error()), 250)
	require.False(t, bytes.ContainsAny([]byte(long.Error()), "\r\n\u202e"))
}

// TestRedirect: what Fetchers of one's own are told is what a Fetcher does.
func TestRedirect(t *testing.T) {
	for location, want := range map[string]string{
		"/b": "https://logo.example/b", "b?c#d": "https://logo.example/x/b?c", "//other.example/": "https://other.example/", "https://other.example:443/a": "https://other.example/a",
		"http://other.example/": "", "https://127.0.0.1/": "", "https://[::1]/": "", "//127.0.0.1/": "", "https://u@other.example/": "", "https://other.example:8443/": "",
		"https://localhost/": "", "https://a.internal/": "", "file:///etc/passwd": "", "data:,x": "", "/%0d%0aX": "", "/\r\nX": "", "https://other.example\\@evil.example/": "",
	} {
		got, err := Redirect("https://logo.example/x/y", location)
		require.Equal(t, want, got, location)
		if want == "" {
			require.ErrorIs(t, err, ErrRedirect, location)
		}
	}
	got, err := Redirect("http://logo.example/a.crl", "http://other.example/b")
	require.NoError(t, err)
	require.Equal(t, "http://other.example/b", got)
	_, err = Redirect("https://logo.example/", "http://logo.example/a.crl")
	require.ErrorIs(t, err, ErrRedirect, "never back")
	_, err = Redirect("ftp://logo.example/", "/")
	require.ErrorIs(t, err, ErrURL)
}
