package markcert

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// longCRL is the longest time between two lists of a mark certificate issuer.
const longCRL = 10 * 24 * time.Hour

// revocation checks every certificate below the root against its issuer's list
// (RFC 5280, section 6.3). It runs only on a path that has validated: the URLs
// are otherwise whatever a stranger wrote into a file.
func (c *check) revocation() {
	if c.v.Revocation == RevocationOff {
		c.add(Warning, ErrRevocationUnchecked, 0, "switched off")
		return
	}
	until := time.Time{}
	good := true
	for i, cert := range c.path[:len(c.path)-1] {
		state, next := c.revoked(i, cert, c.path[i+1])
		switch {
		case state == Bad:
			c.result.Revocation = Bad
			c.add(Failure, ErrRevoked, i, "")
			return
		case state == Unchecked:
			good = false
		case until.IsZero() || next.Before(until):
			until = next
		}
	}
	if good {
		c.result.Revocation, c.result.RevocationUntil = Good, until
	}
}

// revoked asks the distribution points of one certificate in turn until one
// has a list that can be used.
func (c *check) revoked(i int, cert, issuer *x509.Certificate) (CheckState, time.Time) {
	points := usablePoints(cert)
	if len(points) == 0 {
		s := Failure
		if c.v.Revocation == BestEffortRevocation {
			s = Warning
		}
		c.add(s, ErrNoCRLPoint, i, "")
		return Unchecked, time.Time{}
	}
	var unusable, unavailable error
	for _, p := range points {
		raw, err := c.fetch(p)
		if err != nil {
			unavailable = err
			continue
		}
		l, err := parseCRL(raw)
		if err != nil {
			unusable = err
			continue
		}
		revoked, err := l.check(cert, issuer, cert.CRLDistributionPoints, c.now)
		if err != nil {
			unusable = err
			continue
		}
		if l.nextUpdate.Sub(l.thisUpdate) > longCRL && !isCA(cert) {
			c.add(Note, ErrCRLPeriod, i, "")
		}
		if revoked {
			return Bad, time.Time{}
		}
		return Good, l.nextUpdate
	}
	switch {
	case unusable != nil:
		c.addErr(Temporary, codeOf(unusable), i, unusable)
	case c.v.Revocation == BestEffortRevocation:
		c.addErr(Warning, ErrCRLUnavailable, i, unavailable)
	default:
		c.addErr(Temporary, ErrCRLUnavailable, i, unavailable)
	}
	return Unchecked, time.Time{}
}

// fetch gets a list through the caller's function.
func (c *check) fetch(u string) ([]byte, error) {
	if c.v.FetchCRL == nil {
		return nil, fmt.Errorf("%w: no fetcher configured", ErrCRLUnavailable)
	}
	if err := c.ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrCRLUnavailable, err)
	}
	raw, err := c.v.FetchCRL(c.ctx, u)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrCRLUnavailable, err)
	}
	return raw, nil
}

// usablePoints returns the http and https distribution points, at most
// [MaxCRLPoints]. Other schemes, such as ldap, are passed over.
func usablePoints(cert *x509.Certificate) []string {
	var out []string
	for _, p := range cert.CRLDistributionPoints {
		u, err := url.Parse(p)
		if err != nil || u.Host == "" || u.User != nil || slices.Contains(out, p) {
			continue
		}
		if s := strings.ToLower(u.Scheme); s != "http" && s != "https" {
			continue
		}
		if out = append(out, p); len(out) == MaxCRLPoints {
			break
		}
	}
	return out
}

// pointsOnly notes certificates whose revocation could not be asked for.
func (c *check) pointsOnly() {
	if c.root == nil {
		return
	}
	for i, cert := range c.path[:len(c.path)-1] {
		if len(usablePoints(cert)) == 0 {
			c.add(Failure, ErrNoCRLPoint, i, "")
		}
	}
}
