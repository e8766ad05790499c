package fetch

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/internal/weburl"
	"github.com/seed2385d973/mailauth/dnsutil"
)

// What a document of each kind may have in octets.
const (
	// MaxIndicator is twice what an uncompressed indicator may have.
	MaxIndicator = 64 << 10
	// MaxEvidence is more than ten times the largest bundle of certificates seen.
	MaxEvidence = 256 << 10
	// MaxCRL leaves room for the revocation list of a large issuer.
	MaxCRL = 5 << 20
)

// The defaults of a Fetcher's fields.
const (
	DefaultConnectTimeout = 5 * time.Second
	DefaultTimeout        = 15 * time.Second
	DefaultMaxRedirects   = 3
	DefaultMaxPerHost     = 4
	DefaultCacheSize      = 16 << 20
	DefaultUserAgent      = "mailauth-bimi"
)

// A Fetcher gets documents. The zero value is ready; like an http.Client it is
// made once, used from many goroutines, and must not be copied or changed after
// its first use.
type Fetcher struct {
	// Resolver looks up the addresses of hosts; nil means the system's.
	Resolver dnsutil.Resolver
	// RootCAs are the roots for web servers; nil means the system's.
	RootCAs *x509.CertPool
	// ConnectTimeout bounds connecting to one host, TLS included; zero or less means DefaultConnectTimeout.
	ConnectTimeout time.Duration
	// Timeout bounds one call with all its redirects; zero or less means DefaultTimeout.
	Timeout time.Duration
	// MaxRedirects is how many redirects are followed; zero means DefaultMaxRedirects, less none.
	MaxRedirects int
	// MaxPerHost is how many requests go to one host at a time; zero or less means DefaultMaxPerHost.
	MaxPerHost int
	// CacheSize is how many octets are remembered; zero means DefaultCacheSize, less none.
	CacheSize int
	// UserAgent is what servers see; empty means DefaultUserAgent.
	UserAgent string
	// Now is the clock of the cache and of certificates; nil means time.Now.
	Now func() time.Time

	// UnsafePublic replaces [Public], which keeps requests away from hosts that
	// only we can reach. For tests with a server on the loopback address.
	UnsafePublic func(netip.Addr) bool
	// UnsafeDial replaces the TCP connection, and with it the check of the
	// address on the socket. For tests; the address was checked before.
	UnsafeDial func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)

	mu      sync.Mutex
	cache   store
	flights map[key]*flight
	hosts   map[string]*gate
}

// Request says what to get.
type Request struct {
	// Domain is the domain of the BIMI record that names the URL. It keeps apart
	// what different domains caused to be remembered; it is not sent.
	Domain string
	URL    string
	Max    int64 // octets; zero or less means MaxIndicator, from GetCRL MaxCRL
}

// Document is what a request got.
type Document struct {
	URL         string   // after redirects
	Redirects   []string // the URLs redirected to, the last of them URL
	Body        []byte   // content coding removed; the caller's own
	SHA256      [32]byte // of Body
	ContentType string   // media type in lower case without parameters, "" if none or malformed; nothing was concluded from it
	Encoded     bool     // came in content coding gzip
	TLS         uint16   // version, as in crypto/tls; 0 over plain http
	Fetched     time.Time
	Cached      bool // remembered from an earlier call
}

// Get gets a document by https. The error is a [*Failure].
func (f *Fetcher) Get(ctx context.Context, r Request) (Document, error) {
	if r.Max <= 0 {
		r.Max = MaxIndicator
	}
	u, err := weburl.Parse(r.URL)
	return f.get(ctx, r, u, err, false)
}

// GetCRL is Get for a certificate revocation list, which is signed and is
// therefore published under http. The certificate that names the URL must have
// been verified before, or its maker chooses where requests go.
func (f *Fetcher) GetCRL(ctx context.Context, r Request) (Document, error) {
	if r.Max <= 0 {
		r.Max = MaxCRL
	}
	u, err := weburl.ParsePlain(r.URL)
	return f.get(ctx, r, u, err, true)
}

// Fetch is [Fetcher.Get] in the shape that package bimi asks for.
func (f *Fetcher) Fetch(ctx context.Context, domain, url string, max int64) (body []byte, contentType string, err error) {
	d, err := f.Get(ctx, Request{Domain: domain, URL: url, Max: max})
	return d.Body, d.ContentType, err
}

// Inspect is [Fetcher.Get] in the shape that package bimi asks for where it checks
// what a domain publishes.
func (f *Fetcher) Inspect(ctx context.Context, domain, url string, max int64) (bimi.Transfer, error) {
	d, err := f.Get(ctx, Request{Domain: domain, URL: url, Max: max})
	t := bimi.Transfer{Body: d.Body, ContentType: d.ContentType, Redirects: d.Redirects, Compressed: d.Encoded}
	if d.TLS != 0 {
		t.TLS = tls.VersionName(d.TLS)
	}
	return t, err
}

// FetchCRL is [Fetcher.GetCRL] in the shape that package markcert asks for.
// Lists are shared by all domains.
func (f *Fetcher) FetchCRL(ctx context.Context, url string) ([]byte, error) {
	d, err := f.GetCRL(ctx, Request{URL: url})
	return d.Body, err
}

// Redirect returns where a redirect leads: the URL that location names, seen from the
// URL at (RFC 3986, section 5.2), without its fragment. The error is a [*Failure] with
// ErrURL or ErrRedirect: neither may leave https, unless at is http, as for a revocation list,
// nor lead to an address, a user name, or another port. A Fetcher asks it for every
// hop; it is for Fetchers of one's own, which have to check addresses besides.
func Redirect(at, location string) (string, error) {
	u, err := weburl.ParsePlain(at)
	if err != nil {
		return "", permanent(join(ErrURL, err))
	}
	next, err := u.Resolve(location)
	if err != nil {
		return "", &Failure{URL: u.String(), Err: join(ErrRedirect, err)}
	}
	return next.String(), nil
}

// get answers from the cache, or from a request that is under way, or makes one.
func (f *Fetcher) get(ctx context.Context, r Request, u weburl.URL, bad error, crl bool) (Document, error) {
	if bad != nil {
		return Document{}, permanent(join(ErrURL, bad))
	}
	k := key{domain: r.Domain, url: u.String(), max: r.Max, crl: crl}
	for {
		if err := ctx.Err(); err != nil {
			return Document{}, f.canceled(u, err)
		}
		doc, fail, fl, leader := f.claim(k)
		switch {
		case fl == nil:
			return answer(doc, fail)
		case leader:
			doc, fail := f.lead(ctx, k, fl, u, r.Max)
			return answer(doc, fail)
		}
		select {
		case <-fl.done:
		case <-ctx.Done():
			return Document{}, f.canceled(u, ctx.Err())
		}
		// The leader's caller may have given up; that says nothing to us.
		if fl.fail == nil || !errors.Is(fl.fail, ErrCanceled) {
			return answer(fl.doc, fl.fail)
		}
	}
}

// lead makes the request for everybody who waits for it.
func (f *Fetcher) lead(ctx context.Context, k key, fl *flight, u weburl.URL, max int64) (doc Document, fail *Failure) {
	// Should something panic, the others must not wait for ever.
	fail = temporary(ErrCanceled)
	ttl := time.Duration(0)
	defer func() { f.land(k, fl, doc, fail, ttl) }()
	doc, ttl, fail = f.request(ctx, u, max)
	if k.crl {
		ttl = min(ttl, maxTTLCRL)
	}
	return doc, fail
}

// request follows redirects from u.
func (f *Fetcher) request(caller context.Context, u weburl.URL, max int64) (Document, time.Duration, *Failure) {
	ctx, cancel := context.WithTimeout(caller, or(f.Timeout, DefaultTimeout))
	defer cancel()
	left := f.MaxRedirects
	if left == 0 {
		left = DefaultMaxRedirects
	}
	var redirects []string
	for {
		doc, location, ttl, fail := f.hop(ctx, u, max)
		if fail == nil && location != nil {
			if left--; left < 0 {
				fail = permanent(join(ErrRedirect, errTooMany))
			} else {
				next, err := u.Resolve(*location)
				if err == nil {
					u = next
					redirects = append(redirects, u.String())
					continue
				}
				fail = permanent(join(ErrRedirect, err))
			}
		}
		if fail != nil {
			fail.URL = u.String()
			// Whatever broke because time was up is a timeout.
			switch {
			case caller.Err() != nil:
				fail = &Failure{URL: fail.URL, Err: join(ErrCanceled, caller.Err()), temp: true}
			case ctx.Err() != nil:
				fail = &Failure{URL: fail.URL, Err: ErrTimeout, temp: true}
			}
			return Document{}, 0, fail
		}
		doc.URL, doc.Redirects = u.String(), redirects
		doc.SHA256 = sha256.Sum256(doc.Body)
		doc.Fetched = f.now()
		return doc, ttl, nil
	}
}

const errTooMany Error = "too many of them"

func (f *Fetcher) canceled(u weburl.URL, err error) *Failure {
	return &Failure{URL: u.String(), Err: join(ErrCanceled, err), temp: true}
}

// answer hands out a copy: what is remembered must not be changed by a caller.
func answer(doc Document, fail *Failure) (Document, error) {
	if fail != nil {
		c := *fail
		return Document{}, &c
	}
	return doc.clone(), nil
}

func (f *Fetcher) now() time.Time {
	if f.Now != nil {
		return f.Now()
	}
	return time.Now()
}

// joined is an error of two: which constant, and why.
type joined struct{ kind, why error }

func join(kind Error, why error) error { return joined{kind, why} }

// Error implements error, and says why.
func (j joined) Error() string { return j.kind.Error() + ": " + printable(j.why.Error()) }

// Unwrap lets errors.Is find the constant.
func (j joined) Unwrap() []error { return []error{j.kind, j.why} }

// printable bounds a text that may repeat what a server sent, such as the names
// in its certificate, and leaves only printable ASCII of it.
func printable(s string) string {
	cut := ""
	if len(s) > maxReason {
		s, cut = s[:maxReason], "..."
	}
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c >= 0x7f {
			b[i] = '?'
		}
	}
	return string(b) + cut
}

// maxReason is how much of a foreign error's text is kept.
const maxReason = 200

func or(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}
