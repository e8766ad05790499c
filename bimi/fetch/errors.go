package fetch

import (
	"errors"
	"net/http"
	"strconv"
)

// Error is a constant error of this package: the root of every error it returns.
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

const (
	// ErrURL: the URL may not be fetched, for what is wrapped beside it. Permanent.
	ErrURL Error = "URL may not be fetched"
	// ErrResolve: the DNS did not answer. Temporary.
	ErrResolve Error = "host could not be looked up"
	// ErrNoAddress: the host has no address. Permanent.
	ErrNoAddress Error = "host has no address"
	// ErrAddress: the host has no address that is public. Permanent.
	ErrAddress Error = "address of the host is not public"
	// ErrConnect: no connection, or it broke off. Temporary.
	ErrConnect Error = "connection failed"
	// ErrTLS: no TLS 1.2, or the server's certificate is not valid for the host. Permanent.
	ErrTLS Error = "TLS failed"
	// ErrTimeout: not done in time. Temporary.
	ErrTimeout Error = "timed out"
	// ErrCanceled: the caller's context ended. Temporary, never cached.
	ErrCanceled Error = "given up by the caller"
	// ErrResponse: the server's answer is not HTTP. Permanent.
	ErrResponse Error = "malformed response"
	// ErrStatus: a status other than 200. Temporary for 408, 425, 429 and 5xx.
	ErrStatus Error = "unexpected status"
	// ErrRedirect: too many redirects, or one that leads where no URL may. Permanent.
	ErrRedirect Error = "unacceptable redirect"
	// ErrTooLarge: more octets than the limit. Permanent.
	ErrTooLarge Error = "larger than the limit"
	// ErrEncoding: a content coding other than one sound layer of gzip. Permanent.
	ErrEncoding Error = "unacceptable content coding"
)

// Code returns the name of the constant, such as "ErrAddress"; "" for a value that is none.
func (e Error) Code() string {
	switch e {
	case ErrURL:
		return "ErrURL"
	case ErrResolve:
		return "ErrResolve"
	case ErrNoAddress:
		return "ErrNoAddress"
	case ErrAddress:
		return "ErrAddress"
	case ErrConnect:
		return "ErrConnect"
	case ErrTLS:
		return "ErrTLS"
	case ErrTimeout:
		return "ErrTimeout"
	case ErrCanceled:
		return "ErrCanceled"
	case ErrResponse:
		return "ErrResponse"
	case ErrStatus:
		return "ErrStatus"
	case ErrRedirect:
		return "ErrRedirect"
	case ErrTooLarge:
		return "ErrTooLarge"
	case ErrEncoding:
		return "ErrEncoding"
	}
	return ""
}

// Failure is the error that every method of this package returns.
type Failure struct {
	URL    string // the one that failed, after redirects; "" if it was not even a URL
	Status int    // HTTP status if Err is ErrStatus, else 0
	Err    error  // its root is a constant of this package
	temp   bool
}

// Error says what failed and where.
func (f *Failure) Error() string {
	s := "fetch"
	if f.URL != "" {
		s += " " + f.URL
	}
	s += ": " + f.Err.Error()
	if f.Status != 0 {
		s += " " + strconv.Itoa(f.Status)
	}
	return s
}

// Unwrap returns f.Err.
func (f *Failure) Unwrap() error { return f.Err }

// Temporary reports whether the same request may succeed later.
func (f *Failure) Temporary() bool { return f.temp }

// Advice says what the owner of the URL could do about it; "" if that is nothing.
func (f *Failure) Advice() string {
	switch {
	case errors.Is(f.Err, ErrURL):
		return "publish an https URL with a public host name, on port 443"
	case errors.Is(f.Err, ErrNoAddress), errors.Is(f.Err, ErrAddress):
		return "give the host a public address"
	case errors.Is(f.Err, ErrResolve):
		return "see to the name servers of the host's zone"
	case errors.Is(f.Err, ErrTLS):
		return "offer TLS 1.2 or newer, with a certificate for this host of an authority that browsers trust, and its intermediate certificates"
	case errors.Is(f.Err, ErrConnect), errors.Is(f.Err, ErrTimeout):
		return "let the host answer on port 443, to anybody and within seconds"
	case errors.Is(f.Err, ErrStatus):
		switch {
		case f.Status == http.StatusNotFound || f.Status == http.StatusGone:
			return "put the file where the URL says, or publish another URL"
		case f.Status/100 == 4:
			return "let programs that are no browsers have the file, whatever their User-Agent and however often they ask: receivers are such programs"
		}
		return "answer with status 200"
	case errors.Is(f.Err, ErrRedirect):
		return "publish the URL at which the file is, or redirect to https and at most three times"
	case errors.Is(f.Err, ErrTooLarge):
		return "make the file smaller"
	case errors.Is(f.Err, ErrEncoding):
		return "serve the file as it is, without content coding"
	}
	return ""
}

func temporary(err error) *Failure { return &Failure{Err: err, temp: true} }
func permanent(err error) *Failure { return &Failure{Err: err} }
