package fetch

import (
	"context"
	"crypto/tls"
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

func TestSize(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		if r.URL.Path == "/chunked" {
			for range n {
				io.WriteString(w, "x")
				w.(http.Flusher).Flush()
			}
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(n))
		io.WriteString(w, strings.Repeat("x", n))
	})
	for _, tt := range []struct {
		name, path string
		max        int64
		n          int
		want       error
	}{
		{"indicator", "?n=65536", 0, 65536, nil},
		{"indicator-past", "?n=65537", 0, 0, ErrTooLarge},
		{"evidence", "?n=262144", MaxEvidence, 262144, nil},
		{"evidence-past", "?n=262145", MaxEvidence, 0, ErrTooLarge},
		{"chunked", "chunked?n=100", 100, 100, nil},
		{"chunked-past", "chunked?n=101", 100, 0, ErrTooLarge},
		{"empty", "?n=0", 0, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := s.f.Get(t.Context(), Request{URL: "https://logo.example/" + tt.path, Max: tt.max})
			if tt.want != nil {
				requireFailure(t, tt.want, false, d, err)
				return
			}
			require.NoError(t, err)
			require.Len(t, d.Body, tt.n)
		})
	}
	t.Run("crl", func(t *testing.T) {
		d, err := s.f.GetCRL(t.Context(), Request{URL: "http://logo.example/?n=5242880"})
		require.NoError(t, err)
		require.Len(t, d.Body, MaxCRL)
		d, err = s.f.GetCRL(t.Context(), Request{URL: "http://logo.example/?n=5242881"})
		requireFailure(t, ErrTooLarge, false, d, err)
	})
}

func TestContentEncoding(t *testing.T) {
	plain := []byte(strings.Repeat("<svg/>", 100))
	for _, tt := range []struct {
		name, coding string
		body         []byte
		want         error
	}{
		{"none", "", plain, nil},
		{"identity", "identity", plain, nil},
		{"gzip", "gzip", gz(t, plain), nil},
		{"x-gzip", "X-GZIP", gz(t, plain), nil},
		{"gzip-not", "gzip", plain, ErrEncoding},
		{"gzip-twice", "gzip", gz(t, gz(t, plain)), ErrEncoding},
		{"gzip-gzip", "gzip, gzip", gz(t, gz(t, plain)), ErrEncoding},
		{"gzip-trailing", "gzip", append(gz(t, plain), 'x'), ErrEncoding},
		{"gzip-truncated", "gzip", gz(t, plain)[:30], ErrEncoding},
		{"gzip-bomb", "gzip", gz(t, make([]byte, 1<<20)), ErrTooLarge},
		{"deflate", "deflate", plain, ErrEncoding},
		{"br", "br", plain, ErrEncoding},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if tt.coding != "" {
					w.Header().Set("Content-Encoding", tt.coding)
				}
				w.Write(tt.body)
			})
			d, err := s.f.Get(t.Context(), Request{URL: logo})
			if tt.want != nil {
				requireFailure(t, tt.want, false, d, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, plain, d.Body)
			require.Equal(t, strings.Contains(strings.ToLower(tt.coding), "gzip"), d.Encoded)
		})
	}
	t.Run("svgz", func(t *testing.T) {
		// A file that is gzip itself is the caller's affair.
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write(gz(t, plain)) })
		d, err := s.f.Get(t.Context(), Request{URL: logo})
		require.NoError(t, err)
		require.Equal(t, gz(t, plain), d.Body)
	})
}

func TestStatus(t *testing.T) {
	temp := map[int]bool{408: true, 425: true, 429: true, 500: true, 502: true, 503: true, 504: true}
	for _, code := range []int{201, 204, 206, 400, 401, 403, 404, 406, 408, 410, 425, 429, 451, 500, 502, 503, 504} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) })
		d, err := s.f.Get(t.Context(), Request{URL: logo})
		requireFailure(t, ErrStatus, temp[code], d, err)
		var fail *Failure
		require.ErrorAs(t, err, &fail)
		require.Equal(t, code, fail.Status)
		require.Equal(t, logo, fail.URL)
		require.EqualError(t, err, "fetch "+logo+": unexpected status "+strconv.Itoa(code))
	}
}

func TestTLS(t *testing.T) {
	t.Run("name", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
		s.f.Resolver = dnstest.MustParse("third.example. A 198.51.100.1")
		d, err := s.f.Get(t.Context(), Request{URL: "https://third.example/"})
		requireFailure(t, ErrTLS, false, d, err)
	})
	t.Run("root", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
		_, s.f.RootCAs = certificate(t, "logo.example")
		d, err := s.f.Get(t.Context(), Request{URL: logo})
		requireFailure(t, ErrTLS, false, d, err)
	})
	t.Run("expired", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
		s.f.Now = func() time.Time { return time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC) }
		d, err := s.f.Get(t.Context(), Request{URL: logo})
		requireFailure(t, ErrTLS, false, d, err)
	})
	over := func(cfg *tls.Config, before string) *Fetcher {
		cert, pool := certificate(t, "logo.example")
		return &Fetcher{
			Resolver: dnstest.MustParse(zone), RootCAs: pool, UnsafePublic: testNet.Contains,
			UnsafeDial: func(context.Context, netip.AddrPort) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() {
					defer theirs.Close()
					if before != "" {
						go io.Copy(io.Discard, theirs)
						io.WriteString(theirs, before)
						return
					}
					if cfg != nil {
						cfg.Certificates = []tls.Certificate{cert}
						tls.Server(theirs, cfg).Handshake()
					}
				}()
				return ours, nil
			},
		}
	}
	for _, tt := range []struct {
		name string
		f    *Fetcher
		want error
		temp bool
	}{
		{"version", over(&tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, ""), ErrTLS, false},
		{"plain", over(nil, "HTTP/1.1 400 Bad Request\r\n\r\n"), ErrTLS, false},
		{"closed", over(nil, ""), ErrConnect, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := tt.f.Get(t.Context(), Request{URL: logo})
			requireFailure(t, tt.want, tt.temp, d, err)
		})
	}
}

// TestResponse has servers that do not speak HTTP as it should be.
func TestResponse(t *testing.T) {
	endless := func(head, more string) func(net.Conn) {
		return func(c net.Conn) {
			if _, err := io.WriteString(c, head); err != nil {
				return
			}
			for {
				if _, err := io.WriteString(c, more); err != nil {
					return
				}
			}
		}
	}
	ok := "HTTP/1.1 200 OK\r\n"
	for _, tt := range []struct {
		name   string
		handle func(net.Conn)
		body   string
		want   error
		temp   bool
	}{
		{"plain", raw(ok + "Content-Length: 4\r\n\r\nbody"), "body", nil, false},
		{"until-close", func(c net.Conn) { io.WriteString(c, ok+"\r\nbody"); c.(*tls.Conn).CloseWrite() }, "body", nil, false},
		// Without a length nobody can tell the end from a cut: crypto/tls reports
		// both as the end. What is cut is no well-formed XML and no whole PEM block.
		{"cut-off", raw(ok + "\r\nbody"), "body", nil, false},
		{"short", raw(ok + "Content-Length: 5\r\n\r\nbody"), "", ErrConnect, true},
		{"more", raw(ok + "Content-Length: 4\r\n\r\nbodybody"), "body", nil, false},
		{"interim", raw("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 4\r\n\r\nbody"), "body", nil, false},
		{"interim-5", raw(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 5) + ok + "Content-Length: 0\r\n\r\n"), "", ErrResponse, false},
		{"interim-endless", endless("", "HTTP/1.1 100 Continue\r\n\r\n"), "", ErrResponse, false},
		{"switching", raw("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "", ErrStatus, false},
		{"not-http", raw("SSH-2.0-OpenSSH\r\n\r\n"), "", ErrResponse, false},
		{"nothing", func(net.Conn) {}, "", ErrConnect, true},
		{"header-endless", endless(ok, "X-A: "+strings.Repeat("a", 1000)+"\r\n"), "", ErrResponse, false},
		{"header-line-endless", endless(ok+"X-A: ", strings.Repeat("a", 1000)), "", ErrResponse, false},
		{"body-endless", endless(ok+"\r\n", strings.Repeat("a", 1000)), "", ErrTooLarge, false},
		{"chunks-endless", endless(ok+"Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"), "", ErrTooLarge, false},
		{"chunk-extension-endless", endless(ok+"Transfer-Encoding: chunked\r\n\r\n1;", strings.Repeat("a", 1000)), "", ErrConnect, true},
		{"chunk-bad", raw(ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "", ErrConnect, true},
		{"length-lies", raw(ok + "Content-Length: 99999999999\r\n\r\nbody"), "", ErrTooLarge, false},
		{"length-bad", raw(ok + "Content-Length: -1\r\n\r\nbody"), "", ErrResponse, false},
		{"length-two", raw(ok + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody"), "", ErrResponse, false},
		{"type-strange", raw(ok + "Content-Type: text/<b>\r\nContent-Length: 0\r\n\r\n"), "", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, err := wired(t, tt.handle).Get(t.Context(), Request{URL: logo, Max: 4 << 10})
				if tt.want != nil {
					requireFailure(t, tt.want, tt.temp, d, err)
					return
				}
				require.NoError(t, err)
				require.Equal(t, tt.body, string(d.Body))
				require.Empty(t, d.ContentType)
			})
		})
	}
}

func TestTimeouts(t *testing.T) {
	since := func(t *testing.T, start time.Time, want time.Duration) {
		require.Equal(t, want, time.Since(start))
	}
	silent := func(c net.Conn) { io.Copy(io.Discard, c) }
	t.Run("silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			d, err := wired(t, silent).Get(t.Context(), Request{URL: logo})
			requireFailure(t, ErrTimeout, true, d, err)
			since(t, start, DefaultTimeout)
		})
	})
	t.Run("drip", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			d, err := wired(t, func(c net.Conn) {
				io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
				for {
					if _, err := io.WriteString(c, "x"); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			}).Get(t.Context(), Request{URL: logo})
			requireFailure(t, ErrTimeout, true, d, err)
			since(t, start, DefaultTimeout)
			time.Sleep(time.Minute) // until the server has noticed
		})
	})
	t.Run("redirects-share", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			f := wired(t, func(c net.Conn) {
				time.Sleep(6 * time.Second)
				io.WriteString(c, "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n")
			})
			d, err := f.Get(t.Context(), Request{URL: logo})
			requireFailure(t, ErrTimeout, true, d, err)
			since(t, start, DefaultTimeout)
			time.Sleep(time.Minute) // until the server has noticed
		})
	})
	t.Run("connect", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			f := wired(t, silent)
			f.UnsafeDial = func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
			d, err := f.Get(t.Context(), Request{URL: logo})
			requireFailure(t, ErrTimeout, true, d, err)
			since(t, start, DefaultConnectTimeout)
		})
	})
	t.Run("connect-shares", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			f := wired(t, raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
			f.Resolver = dnstest.MustParse("logo.example. A 198.51.100.1\nlogo.example. A 198.51.100.2")
			inner, n := f.UnsafeDial, 0
			f.UnsafeDial = func(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
				if n++; n == 1 {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return inner(ctx, a)
			}
			_, err := f.Get(t.Context(), Request{URL: logo})
			require.NoError(t, err)
			since(t, start, DefaultConnectTimeout/2)
		})
	})
	t.Run("handshake", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			f := wired(t, silent)
			f.UnsafeDial = func(context.Context, netip.AddrPort) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go silent(theirs)
				return ours, nil
			}
			d, err := f.Get(t.Context(), Request{URL: logo})
			requireFailure(t, ErrTimeout, true, d, err)
			since(t, start, DefaultConnectTimeout)
		})
	})
	t.Run("dns", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			f := wired(t, silent)
			f.Resolver = dnsutil.ResolverFunc(func(ctx context.Context, _ string, _ dnsutil.Type) (dnsutil.Answer, error) {
				<-ctx.Done()
				return dnsutil.Answer{}, ctx.Err()
			})
			f.Timeout = 3 * time.Second
			d, err := f.Get(t.Context(), Request{URL: logo})
			requireFailure(t, ErrTimeout, true, d, err)
			since(t, start, 3*time.Second)
		})
	})
	t.Run("caller", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			d, err := wired(t, silent).Get(ctx, Request{URL: logo})
			requireFailure(t, ErrCanceled, true, d, err)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			since(t, start, time.Second)
			d, err = wired(t, silent).Get(ctx, Request{URL: logo})
			requireFailure(t, ErrCanceled, true, d, err)
		})
	})
}

func TestMediaType(t *testing.T) {
	for in, want := range map[string]string{
		"image/svg+xml": "image/svg+xml", " Text/Plain ; charset=x": "text/plain", "": "", "svg": "", "a/": "", "/b": "", "a/b/c": "", "a/b c": "", "a/\"b": "", strings.Repeat("a", 65) + "/b": "",
	} {
		require.Equal(t, want, mediaType(in), in)
	}
}
