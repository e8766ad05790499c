package fetch

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/bimi/internal/weburl"
)

const (
	maxHeader  = 32 << 10 // of a response
	maxInterim = 4        // responses of status 1xx
)

// hop makes one request. Either it got the document, or a redirect to location.
//
// It writes the request and reads the response itself, instead of through
// http.Transport, so that the connection, its deadlines and every octet read
// are in one hand and nothing lives on behind it.
func (f *Fetcher) hop(ctx context.Context, u weburl.URL, max int64) (doc Document, location *string, ttl time.Duration, fail *Failure) {
	done, err := f.enter(ctx, u.Host.String())
	if err != nil {
		return doc, nil, 0, temporary(join(ErrTimeout, err))
	}
	defer done()
	conn, raw, fail := f.connect(ctx, u)
	if fail != nil {
		return doc, nil, 0, fail
	}
	// Closing the TLS connection would wait to send its last word.
	defer raw.Close()
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	if c, ok := conn.(*tls.Conn); ok {
		doc.TLS = c.ConnectionState().Version
	}

	target, err := url.Parse(u.String())
	if err != nil {
		return doc, nil, 0, permanent(join(ErrURL, err))
	}
	agent := f.UserAgent
	if agent == "" {
		agent = DefaultUserAgent
	}
	req := &http.Request{
		Method: http.MethodGet, URL: target, Host: u.Host.String(), Close: true,
		ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"User-Agent": {agent}, "Accept": {"*/*"}},
	}
	if err := req.Write(conn); err != nil {
		return doc, nil, 0, temporary(join(ErrConnect, err))
	}

	wire := &io.LimitedReader{R: conn, N: maxHeader}
	in := bufio.NewReader(wire)
	resp, fail := response(in, wire, req)
	if fail != nil {
		return doc, nil, 0, fail
	}
	// Closing the body would read what is left of it, however much that is;
	// closing the connection is enough.
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if l := resp.Header["Location"]; len(l) == 1 {
			return doc, &l[0], 0, nil
		}
		return doc, nil, 0, permanent(join(ErrRedirect, errLocation))
	default:
		return doc, nil, 0, &Failure{Err: ErrStatus, Status: resp.StatusCode, temp: retriable(resp.StatusCode)}
	}
	if resp.ContentLength > max {
		return doc, nil, 0, permanent(ErrTooLarge)
	}
	// Chunked coding costs at most a few octets for each one, if the server is
	// wasteful; beyond that it is not a document.
	wire.N = 8*max + maxHeader
	if doc.Body, doc.Encoded, fail = body(resp, max); fail != nil {
		return Document{}, nil, 0, fail
	}
	doc.ContentType = mediaType(resp.Header.Get("Content-Type"))
	return doc, nil, lifetime(resp.Header), nil
}

const errLocation Error = "not exactly one Location"

// retriable lists the statuses after which the same request may succeed later.
func retriable(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests || status/100 == 5
}

// response reads a response's header, past a few of status 1xx.
func response(in *bufio.Reader, wire *io.LimitedReader, req *http.Request) (*http.Response, *Failure) {
	for range maxInterim + 1 {
		resp, err := http.ReadResponse(in, req)
		switch {
		case err != nil && wire.N <= 0:
			return nil, permanent(join(ErrResponse, errHeader))
		case err != nil:
			if broken(err) {
				return nil, temporary(join(ErrConnect, err))
			}
			return nil, permanent(join(ErrResponse, errHTTP))
		case resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols:
			return resp, nil
		}
	}
	return nil, permanent(join(ErrResponse, errInterim))
}

const (
	errHeader  Error = "header too long"
	errHTTP    Error = "not HTTP"
	errInterim Error = "too many interim responses"
	errTwice   Error = "compressed twice"
	errGzip    Error = "damaged"
	errCoding  Error = "not gzip"
)

// body reads at most max octets, and at most max once unpacked.
func body(resp *http.Response, max int64) (data []byte, encoded bool, fail *Failure) {
	data, err := io.ReadAll(io.LimitReader(resp.Body, max+1))
	switch {
	case int64(len(data)) > max:
		return nil, false, permanent(ErrTooLarge)
	case err != nil:
		return nil, false, temporary(join(ErrConnect, err))
	}
	switch coding := strings.Join(resp.Header["Content-Encoding"], ","); strings.ToLower(strings.TrimSpace(coding)) {
	case "", "identity":
		return data, false, nil
	case "gzip", "x-gzip":
	default:
		return nil, false, permanent(join(ErrEncoding, errCoding))
	}
	in := bytes.NewReader(data)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, false, permanent(join(ErrEncoding, errGzip))
	}
	z.Multistream(false)
	out, err := io.ReadAll(io.LimitReader(z, max+1))
	switch {
	case int64(len(out)) > max:
		return nil, false, permanent(ErrTooLarge)
	case err != nil || in.Len() > 0:
		return nil, false, permanent(join(ErrEncoding, errGzip))
	case bytes.HasPrefix(out, []byte{0x1f, 0x8b}):
		return nil, false, permanent(join(ErrEncoding, errTwice))
	}
	return out, true, nil
}

// broken reports whether err is the connection's rather than about what came over it.
func broken(err error) bool {
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

// mediaType returns type/subtype in lower case, "" if it is not of that form.
func mediaType(v string) string {
	v, _, _ = strings.Cut(v, ";")
	v = strings.ToLower(strings.Trim(v, " \t"))
	major, minor, ok := strings.Cut(v, "/")
	token := func(s string) bool {
		return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+") == ""
	}
	if !ok || !token(major) || !token(minor) {
		return ""
	}
	return v
}

// lifetime returns how long a response may be kept by its Cache-Control and
// Age, within our bounds. A cache like this one is shared, so s-maxage counts first.
func lifetime(h http.Header) time.Duration {
	age, shared := time.Duration(-1), time.Duration(-1)
	for _, line := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.Trim(directive, " \t"), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache", "private":
				return minTTL
			case "max-age":
				age = seconds(value)
			case "s-maxage":
				shared = seconds(value)
			}
		}
	}
	if shared >= 0 {
		age = shared
	}
	if age < 0 {
		return defaultTTL
	}
	if a := h["Age"]; len(a) == 1 {
		if spent := seconds(a[0]); spent > 0 {
			age -= spent
		}
	}
	return max(minTTL, min(age, maxTTL))
}

// seconds reads a delta of seconds, bounded by a year; -1 if it is none.
func seconds(s string) time.Duration {
	n, err := strconv.ParseUint(strings.Trim(s, `" `), 10, 31)
	if errors.Is(err, strconv.ErrRange) {
		n, err = 1<<31-1, nil
	}
	if err != nil {
		return -1
	}
	return time.Duration(min(n, 365*24*3600)) * time.Second
}

// clone copies what the caller may change.
func (d Document) clone() Document {
	d.Body, d.Redirects = bytes.Clone(d.Body), slices.Clone(d.Redirects)
	return d
}
