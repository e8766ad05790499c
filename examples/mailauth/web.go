package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/fetch"
)

// web is the only web that a request sees: answers by URL. What is not in it
// cannot be reached. It is a bimi.Fetcher, and keeps to the rules of package fetch.
type web map[string]webAnswer

type webAnswer struct {
	Status      int    `json:"status"`
	ContentType string `json:"content_type"`
	Body        []byte `json:"body_b64"`
	Location    string `json:"location"`
}

// webError says whether trying again could help, as a bimi.Fetcher has to.
type webError struct {
	text      string
	temporary bool
}

func (e *webError) Error() string   { return e.text }
func (e *webError) Temporary() bool { return e.temporary }

const (
	maxRedirects = 3
	maxCRL       = 5 << 20
)

func (w web) Fetch(_ context.Context, _, at string, max int64) ([]byte, string, error) {
	t, err := w.get(at, max, "https")
	return t.Body, t.ContentType, err
}

// Inspect makes the web a bimi.Inspector.
func (w web) Inspect(_ context.Context, _, at string, max int64) (bimi.Transfer, error) {
	return w.get(at, max, "https")
}

func (w web) FetchCRL(_ context.Context, at string) ([]byte, error) {
	t, err := w.get(at, maxCRL, "http")
	return t.Body, err
}

func (w web) get(at string, max int64, least string) (bimi.Transfer, error) {
	var redirects []string
	for range maxRedirects + 1 {
		u, err := url.Parse(at)
		if err != nil || u.Scheme != "https" && u.Scheme != least {
			return bimi.Transfer{}, &webError{fmt.Sprintf("%q may not be fetched", at), false}
		}
		if u.Scheme == "https" {
			least = "https" // and never back
		}
		a, ok := w[at]
		if !ok {
			return bimi.Transfer{}, &webError{fmt.Sprintf("%q cannot be reached", at), true}
		}
		switch status := a.Status; {
		case redirect(status) && a.Location != "":
			next, err := fetch.Redirect(at, a.Location)
			if err != nil {
				return bimi.Transfer{}, err
			}
			at = next
			redirects = append(redirects, at)
			continue
		case status != 0 && status != http.StatusOK:
			temporary := status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests
			return bimi.Transfer{}, &webError{fmt.Sprintf("%q answered %d", at, status), temporary}
		case int64(len(a.Body)) > max:
			return bimi.Transfer{}, &webError{fmt.Sprintf("%q is over %d octets", at, max), false}
		}
		return bimi.Transfer{Body: a.Body, ContentType: a.ContentType, Redirects: redirects}, nil
	}
	return bimi.Transfer{}, &webError{fmt.Sprintf("more than %d redirects", maxRedirects), false}
}

func redirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}
