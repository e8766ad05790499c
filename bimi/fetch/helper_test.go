package fetch

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// zone gives the hosts of the tests their addresses. 198.51.100.0/24 is
// documentation space; the tests count it as public.
const zone = `
logo.example.    A    198.51.100.1
other.example.   A    198.51.100.1
six.example.     AAAA 2001:db8::1
inner.example.   A    10.0.0.1
mixed.example.   A    127.0.0.1
mixed.example.   A    198.51.100.1
mixed.example.   AAAA ::1
nothing.example. TXT  "x"
`

var testNet = netip.MustParsePrefix("198.51.100.0/24")

// server is a real web server on the loopback address, with TLS by a
// certificate for *.example that only f trusts. f believes that testNet is
// public and is led to the server for it, and nowhere for any other address.
type server struct {
	f      *Fetcher
	zone   *dnstest.Zone
	mu     sync.Mutex
	dialed []netip.AddrPort
	seen   []*http.Request
}

func serve(t *testing.T, h http.HandlerFunc) *server {
	t.Helper()
	s := &server{zone: dnstest.MustParse(zone)}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r)
		s.mu.Unlock()
		h(w, r)
	})
	cert, pool := certificate(t, "logo.example", "other.example", "mixed.example", "six.example")
	web := httptest.NewUnstartedServer(handler)
	web.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	plain := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	t.Cleanup(plain.Close)
	s.f = &Fetcher{
		Resolver:     s.zone,
		RootCAs:      pool,
		CacheSize:    -1,
		UnsafePublic: func(a netip.Addr) bool { return testNet.Contains(a) },
		UnsafeDial: func(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
			s.mu.Lock()
			s.dialed = append(s.dialed, a)
			s.mu.Unlock()
			to := web.Listener
			switch {
			case !testNet.Contains(a.Addr()) || a.Port() != 443 && a.Port() != 80:
				return nil, fmt.Errorf("nobody at %s", a)
			case a.Port() == 80:
				to = plain.Listener
			}
			var d net.Dialer
			return d.DialContext(ctx, "tcp", to.Addr().String())
		},
	}
	return s
}

// certificate makes a self-signed certificate and the pool that trusts it.
func certificate(t *testing.T, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: names,
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// wired returns a Fetcher whose connections end in a pipe, over which handle
// speaks raw HTTP behind TLS. It works under the fake clock of testing/synctest.
func wired(t *testing.T, handle func(c net.Conn)) *Fetcher {
	t.Helper()
	cert, pool := certificate(t, "logo.example", "other.example")
	return &Fetcher{
		Resolver:     dnstest.MustParse(zone),
		RootCAs:      pool,
		UnsafePublic: func(a netip.Addr) bool { return testNet.Contains(a) },
		UnsafeDial: func(context.Context, netip.AddrPort) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				c := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{cert}})
				if c.Handshake() != nil {
					return
				}
				for in := bufio.NewReader(c); ; {
					line, err := in.ReadString('\n')
					if err != nil {
						return
					}
					if strings.TrimSpace(line) == "" {
						break
					}
				}
				handle(c)
			}()
			return ours, nil
		},
	}
}

// raw answers with text as it stands.
func raw(text string) func(net.Conn) {
	return func(c net.Conn) { io.WriteString(c, text) }
}

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// requireFailure checks constant, temporariness and that there is no document.
func requireFailure(t *testing.T, want error, temp bool, d Document, err error) {
	t.Helper()
	require.ErrorIs(t, err, want)
	require.Equal(t, Document{}, d)
	var fail interface{ Temporary() bool }
	require.ErrorAs(t, err, &fail)
	require.Equal(t, temp, fail.Temporary(), "%v", err)
	for _, c := range []byte(err.Error()) {
		require.True(t, ' ' <= c && c < 0x7f, "%q", err)
	}
}
