package markcert

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"
)

// DefaultRootsVersion is the state of the built-in root store: year and month.
const DefaultRootsVersion = "2026-11"

// Root is a trusted root and what it is trusted for. Every constraint left at
// its zero value constrains nothing.
type Root struct {
	// Certificate is the root's certificate.
	Certificate *x509.Certificate
	// Legacy marks a root that is kept only for certificates issued in the past.
	Legacy bool
	// Disabled takes the root out of use without taking it out of the store.
	Disabled bool
	// NotBeforeMax: certificates issued later are not accepted. It is held against the mark
	// certificate's notBefore and against the earliest verified timestamp of a log.
	NotBeforeMax time.Time
	// MarkTypes are the mark types the root is accepted for.
	MarkTypes []MarkType
	// Policies are certificate policies in dotted form, of which a mark certificate below this
	// root has one; whether a lack of it is a failure says [Verifier.RequirePolicies].
	Policies []string
	// IssuerDomains are the domain names by which the authority knows itself in CAA
	// records (RFC 8659, section 4.2). No verdict depends on them.
	IssuerDomains []string
	// PermittedDomains: every domain of the certificate must be one of these or below one.
	PermittedDomains []string
}

// clone keeps the store's slices out of the caller's reach.
func (r Root) clone() Root {
	r.MarkTypes = slices.Clone(r.MarkTypes)
	r.Policies = slices.Clone(r.Policies)
	r.PermittedDomains = slices.Clone(r.PermittedDomains)
	r.IssuerDomains = slices.Clone(r.IssuerDomains)
	return r
}

// Roots is an immutable set of roots; safe for concurrent use. The zero value
// trusts nobody.
type Roots struct {
	version string
	roots   []Root
}

// NewRoots makes a store of its own, with nothing of the built-in one in it. To
// change the built-in store, take its All apart. A root without a certificate, or one that
// is there twice, is an error.
func NewRoots(roots ...Root) (*Roots, error) {
	s := &Roots{version: "custom"}
	for _, r := range roots {
		if r.Certificate == nil || len(r.Certificate.Raw) == 0 {
			return nil, fmt.Errorf("%w: root without a parsed certificate", ErrCertificate)
		}
		for _, o := range s.roots {
			if o.Certificate.Equal(r.Certificate) {
				return nil, fmt.Errorf("%w: root", ErrDuplicateCertificate)
			}
		}
		s.roots = append(s.roots, r.clone())
	}
	return s, nil
}

// ParseRoots makes a store of the certificates of a PEM file, without constraints.
func ParseRoots(pem []byte) (*Roots, error) {
	certs, err := ParseCertificates(pem)
	if err != nil {
		return nil, err
	}
	roots := make([]Root, len(certs))
	for i, c := range certs {
		roots[i].Certificate = c
	}
	return NewRoots(roots...)
}

// ParseCertificates reads a PEM file of certificates of the caller's own, roots or
// intermediates, at most 1000.
func ParseCertificates(pem []byte) ([]*x509.Certificate, error) {
	blocks, err := splitPEM(pem, 1000, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	certs := make([]*x509.Certificate, len(blocks))
	for i, b := range blocks {
		if certs[i], err = parseCertificate(i, b); err != nil {
			return nil, err
		}
	}
	return certs, nil
}

// All returns a copy of the list of roots.
func (s *Roots) All() []Root {
	out := make([]Root, len(s.roots))
	for i, r := range s.roots {
		out[i] = r.clone()
	}
	return out
}

// Version is [DefaultRootsVersion] for the built-in store, "custom" for another one.
func (s *Roots) Version() string { return s.version }

// Attention returns the roots that an operator should know about at a time: those
// that are disabled, legacy or constrained, and those that expire before the
// deadline. It is meant for a monitoring page.
func (s *Roots) Attention(deadline time.Time) []Root {
	var out []Root
	for _, r := range s.roots {
		if r.Disabled || r.Legacy || !r.NotBeforeMax.IsZero() || len(r.MarkTypes) > 0 ||
			len(r.PermittedDomains) > 0 || r.Certificate.NotAfter.Before(deadline) {
			out = append(out, r.clone())
		}
	}
	return out
}

// anchors returns the roots with the name and the key of c; c itself first, if it
// is one.
func (s *Roots) anchors(c *x509.Certificate) []*Root {
	var out []*Root
	for i := range s.roots {
		switch r := s.roots[i].Certificate; {
		case r.Equal(c):
			out = append([]*Root{&s.roots[i]}, out...)
		case bytes.Equal(r.RawSubject, c.RawSubject) && bytes.Equal(r.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo):
			out = append(out, &s.roots[i])
		}
	}
	return out
}

// issuers returns the roots with the name that c gives as its issuer's.
func (s *Roots) issuers(c *x509.Certificate) []*Root {
	var out []*Root
	for i := range s.roots {
		if bytes.Equal(s.roots[i].Certificate.RawSubject, c.RawIssuer) {
			out = append(out, &s.roots[i])
		}
	}
	return out
}

//go:embed roots/*.pem
var rootFiles embed.FS

// pinned is the built-in store: what is embedded counts only if it has this
// fingerprint.
var pinned = []struct {
	file, sha256 string
	root         Root
}{
	{"digicert-verified-mark-root-ca.pem", "504386c9ee8932fecc95fade427f69c3e2534b7310489e300fee448e33c46b42",
		Root{Policies: []string{"2.16.840.1.114412.0.2.5"}, IssuerDomains: []string{"digicert.com"}}},
	{"globalsign-verified-mark-root-r42.pem", "cd122cb877c6928b9017b0f0b80dbd508196300bbd03cd7356c3beef524e7e0b",
		Root{Policies: []string{"1.3.6.1.4.1.4146.10.6.1"}, IssuerDomains: []string{"globalsign.com"}}},
	{"ssl-com-vmc-rsa-root-ca-2024.pem", "8f9d1b7698886782a599b48510651c66a1aa0c5ca3192097bdc68534154bd30d", Root{IssuerDomains: []string{"ssl.com"}}},
	{"ssl-com-vmc-ecc-root-ca-2024.pem", "1b82e7f4910b51e3e802a493acdc17ff58eac8b9eb7c09b52ac6cd2efb83598c", Root{IssuerDomains: []string{"ssl.com"}}},
	// Off the BIMI Group's list since February 2025; Apple does not accept what was
	// issued after this day.
	{"entrust-verified-mark-root-vmcr1.pem", "7831d95a47d42508cd5c9e6264f9096bac19f04eb9b7c8bdd35fffc71c189617",
		Root{Legacy: true, NotBeforeMax: time.Date(2024, time.November, 15, 23, 59, 59, 0, time.UTC),
			Policies: []string{"2.16.840.1.114028.10.1.11", "2.16.840.1.114028.10.1.100"}, IssuerDomains: []string{"entrust.net"}}},
}

// DefaultRoots returns the built-in store: the roots of the mark certificate
// authorities as of [DefaultRootsVersion]. The package comment says where they come from.
func DefaultRoots() *Roots { return defaultRoots() }

var defaultRoots = sync.OnceValue(func() *Roots {
	s := &Roots{version: DefaultRootsVersion}
	for _, p := range pinned {
		data, err := rootFiles.ReadFile("roots/" + p.file)
		if err != nil {
			continue
		}
		certs, err := ParseCertificates(data)
		if err != nil || len(certs) != 1 {
			continue // cannot happen in a build whose tests passed; not trusted if it does
		}
		if sum := sha256.Sum256(certs[0].Raw); hex.EncodeToString(sum[:]) != p.sha256 {
			continue
		}
		r := p.root
		r.Certificate = certs[0]
		s.roots = append(s.roots, r)
	}
	return s
})
