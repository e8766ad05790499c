// Package fetch gets indicators, evidence documents and revocation lists from
// the web without letting a stranger's URL reach what is not public. It is the
// only package of the library that makes HTTP requests, and nothing uses it
// unless the caller puts a [Fetcher] where package bimi asks for one.
//
// A URL is https on port 443 with a domain name for host: no address, no user
// name, no other port. The name is resolved here, and every address is checked
// against [Public] twice: when it is chosen and again on the socket that is about
// to connect to it, so that a name that resolves differently the second time
// gains nothing. Redirects lead from https to https, and each is judged like the
// first URL. No proxy is taken from the environment; no cookie, Referer,
// credential or conditional request is sent; no connection is kept. TLS is 1.2
// or newer, with a certificate of the web's roots, which are other roots than
// those of mark certificates. (draft-brand-indicators-for-message-identification-14,
// sections 7.4 to 7.6; draft-fetch-validation-vmc-wchuang-11, section 3.2.)
//
// No Accept-Encoding is sent. An answer in one layer of gzip all the same is
// unpacked within the same limit; any other content coding is an error.
//
// # Interfaces
//
// Packages bimi and markcert do not import this one. What they ask for are
// methods without types of this package, which *Fetcher has:
//
//	Fetch(ctx context.Context, domain, url string, max int64) (body []byte, contentType string, err error)
//	FetchCRL(ctx context.Context, url string) ([]byte, error)
//
// domain is the domain of the BIMI record. An error of theirs says by a method
// Temporary() bool, found with errors.As, whether trying again later could help:
// DNS failure, connection failure, timeout and the statuses 408, 425, 429 and 5xx
// are temporary; everything else is permanent, bad TLS included.
// [Fetcher.Get] and [Fetcher.GetCRL] return the same as a [Document], with what a
// publisher's check wants to know besides; [Fetcher.Inspect] and [Failure.Advice] tell
// it to bimi.Checker.
//
// # Cache
//
// A Fetcher remembers what it got, and what failed, by domain, URL and limit;
// calls for the same at the same time share one request. What is returned is a
// copy of what was received in one request, and [Document].SHA256 is its hash:
// whoever keeps a verdict must keep it under domain, URL and that hash. How long
// an answer is kept follows its Cache-Control between 60 seconds and 24 hours (a
// revocation list: one hour); a permanent failure is kept 5 minutes, a temporary
// one 30 seconds, the caller's own cancellation not at all.
//
// # Limits
//
// A URL has at most 2048 octets. There are at most 3 redirects, 5 seconds to
// connect to one host (TLS included) and 15 seconds in all, 8 addresses tried for
// a host, 32 KiB of response header, and 4 requests at a time to one host. An
// indicator has at most 64 KiB ([MaxIndicator]), evidence 256 KiB
// ([MaxEvidence]), a revocation list 5 MiB ([MaxCRL]), each as sent and as
// unpacked, counted while reading. The cache has 16 MiB. No goroutine outlives a
// call, except a system resolver's or a Resolver's that does not heed its context.
package fetch
