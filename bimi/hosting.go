package bimi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/seed2385d973/mailauth/bimi/internal/weburl"
)

// An Inspector is a [Fetcher] that can tell how a document came, for a check by its
// publisher. *fetch.Fetcher is one.
type Inspector interface {
	Fetcher
	// Inspect is Fetch, and tells more.
	Inspect(ctx context.Context, domain, url string, max int64) (Transfer, error)
}

// Transfer is a document and how it came.
type Transfer struct {
	Body        []byte
	ContentType string
	Redirects   []string // the URLs redirected to, in order
	TLS         string   // version, such as "TLS 1.3"
	Compressed  bool     // came in content coding gzip, which nobody had offered to understand
}

// String says it in words.
func (t Transfer) String() string {
	s := fmt.Sprintf("%d octets", len(t.Body))
	if t.ContentType != "" {
		s += " of " + t.ContentType
	}
	if t.TLS != "" {
		s += " over " + t.TLS
	}
	if t.Compressed {
		s += ", in content coding gzip"
	}
	if n := len(t.Redirects); n > 0 {
		s += ", redirected to " + strings.Join(t.Redirects, " and then ")
	} else {
		s += ", without a redirect"
	}
	return ascii(s)
}

// hosting says how a document came, or why it did not.
func (p *publisher) hosting(what, url string, err error) {
	if err != nil {
		if errors.Is(err, ErrFetch) || errors.Is(err, ErrURL) {
			p.add(true, "hosting", fmt.Sprintf("the %s cannot be had: %s", what, err), hostingAdvice(err))
		}
		if !errors.Is(err, ErrIndicator) {
			return
		}
	}
	u, _ := weburl.Parse(url)
	t, ok := p.web.how[u.String()]
	if !ok {
		return
	}
	p.out.Hosting = append(p.out.Hosting, fmt.Sprintf("%s %s: %s", what, ascii(url), t))
	if n := len(t.Redirects); n > 0 {
		p.add(false, "redirect", fmt.Sprintf("the %s is behind %s: %s", what, plural(n, "redirect"), strings.Join(t.Redirects, " ")),
			"publish the last URL itself: a receiver may follow fewer redirects, or none")
	}
	// Of a file that is gzip itself the coding only says so (RFC 9399, section 7).
	if t.Compressed && !strings.HasSuffix(strings.ToLower(u.String()), ".svgz") {
		p.add(false, "content_coding", fmt.Sprintf("the %s comes in content coding gzip, although nobody offered to understand it", what), "compress only for those who send Accept-Encoding")
	}
}

func plural(n int, thing string) string {
	if n == 1 {
		return "a " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// hostingAdvice asks the Fetcher's error, if it has an opinion.
func hostingAdvice(err error) string {
	var f interface{ Advice() string }
	if errors.As(err, &f) && f.Advice() != "" {
		return f.Advice()
	}
	return "serve the file by https with status 200, to anybody"
}

// onceFetcher asks for each document once.
type onceFetcher struct {
	f   Fetcher
	mu  sync.Mutex
	got map[string]fetched
	how map[string]Transfer // by URL, where the Fetcher tells
}

type fetched struct {
	body        []byte
	contentType string
	err         error
}

func (o *onceFetcher) once(key string, get func() fetched) fetched {
	o.mu.Lock()
	defer o.mu.Unlock()
	x, ok := o.got[key]
	if !ok {
		x = get()
		o.got[key] = x
	}
	return x
}

// Fetch implements Fetcher.
func (o *onceFetcher) Fetch(ctx context.Context, domain, url string, max int64) ([]byte, string, error) {
	x := o.once(fmt.Sprintf("%s %d %s", domain, max, url), func() (x fetched) {
		in, ok := o.f.(Inspector)
		if !ok {
			x.body, x.contentType, x.err = o.f.Fetch(ctx, domain, url, max)
			return x
		}
		t, err := in.Inspect(ctx, domain, url, max)
		if err == nil {
			o.how[url] = t
		}
		return fetched{t.Body, t.ContentType, err}
	})
	return x.body, x.contentType, x.err
}

// FetchCRL implements Fetcher.
func (o *onceFetcher) FetchCRL(ctx context.Context, url string) ([]byte, error) {
	x := o.once("crl "+url, func() (x fetched) {
		x.body, x.err = o.f.FetchCRL(ctx, url)
		return x
	})
	return x.body, x.err
}
