package markcert

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/seed2385d973/mailauth/authres"
)

// Severity says what a [Finding] does to the result.
type Severity uint8

const (
	// Note: worth knowing; nothing is wrong with the certificate for a receiver.
	Note Severity = iota
	// Warning: against a rule that receivers do not enforce, or a check that was not made.
	Warning
	// Temporary: the check could not be made now; the result is at best temperror.
	Temporary
	// Failure: the certificate must not be used.
	Failure
)

// String returns the word; a number for a value that is none of the constants.
func (s Severity) String() string {
	switch s {
	case Note:
		return "note"
	case Warning:
		return "warning"
	case Temporary:
		return "temporary"
	case Failure:
		return "failure"
	}
	return "severity " + strconv.Itoa(int(s))
}

// Finding is one thing that was noticed.
type Finding struct {
	Severity Severity
	// Code is the constant error that names it.
	Code Error
	// Certificate is the place in the path: 0 is the mark certificate, 1 its
	// issuer; -1 is the file as a whole.
	Certificate int
	// Detail adds the particulars: ASCII without control characters, bounded.
	Detail string
}

// String returns the finding in one line.
func (f Finding) String() string {
	s := f.Severity.String() + ": " + string(f.Code)
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	if f.Certificate >= 0 {
		s += " (certificate " + strconv.Itoa(f.Certificate) + ")"
	}
	return s
}

const wholeFile = -1 // Finding.Certificate of what concerns no certificate in particular

// check is one evaluation in progress. All that can be judged offline is judged,
// even after a failure, so that a publisher sees every problem at once.
type check struct {
	v      *Verifier
	ctx    context.Context
	now    time.Time
	leaf   *x509.Certificate
	path   []*x509.Certificate // leaf to root, once built
	root   *Root
	result Result
	failed bool
}

// add notes a finding; the first failure becomes the result's Err, or the first
// temporary one if there is no failure.
func (c *check) add(s Severity, code Error, cert int, detail string) {
	r := &c.result
	detail = printable(detail)
	r.Findings = append(r.Findings, Finding{s, code, cert, detail})
	if s < Temporary || c.failed || s == Temporary && r.Err != nil {
		return
	}
	r.Err = error(code)
	if detail != "" {
		r.Err = fmt.Errorf("%w: %s", code, detail)
	}
	if s == Failure {
		c.failed = true
		r.Status = authres.Fail
	} else {
		r.Status = authres.TempError
	}
}

// fail notes err, which wraps a constant of this package, as a failure.
func (c *check) fail(cert int, err error) {
	var code Error
	if !errors.As(err, &code) {
		code = ErrCertificate
	}
	c.addErr(Failure, code, cert, err)
}

// addErr notes err under a code, with the code's own words left out of the detail.
func (c *check) addErr(s Severity, code Error, cert int, err error) {
	detail := err.Error()
	if detail == string(code) {
		detail = ""
	} else if p := string(code) + ": "; len(detail) > len(p) && detail[:len(p)] == p {
		detail = detail[len(p):]
	}
	c.add(s, code, cert, detail)
}
