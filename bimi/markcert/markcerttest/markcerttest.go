// Package markcerttest makes mark certificates for tests: a root, an issuing
// authority, a certificate with a logo inside, a transparency log's timestamp, and
// revocation lists; good ones, and with one [Defect] each, ones that a receiver of BIMI
// must refuse, excuse or remark upon.
//
//	pki, err := markcerttest.New(rand.NewChaCha8([32]byte{}), now)
//	bundle, err := pki.Issue(markcerttest.Spec{Domains: []string{"example.com"}}, markcerttest.HashMismatch)
//	// bundle.PEM is the file a domain would publish, bundle.Roots and
//	// bundle.LogKeys what a verifier has to trust, bundle.FetchCRL its source of lists.
//
// Everything is a function of the random source and the time given to [New]: the
// same ones give the same octets. Nothing here is secure, and nothing in it
// depends on package markcert, so that a verifier and its tests cannot share a mistake.
package markcerttest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"
)

// Spec is the certificate wanted. Every field has a good value where it is zero.
type Spec struct {
	// Domains are the subject alternative names, as they are; nil means example.com.
	Domains []string
	// SVG is the image; nil means [SVG].
	SVG []byte
	// MarkType is the mark type; "" means "Registered Mark".
	MarkType string
	// Organization is the owner; "" means "Example Inc.".
	Organization string
	// Attributes are further attributes of the subject.
	Attributes []pkix.AttributeTypeAndValue
	// NotBefore is zero for the day before the time given to [New].
	NotBefore time.Time
	// NotAfter is zero for 365 days after NotBefore.
	NotAfter time.Time
	// CRLURLs are the distribution points of the certificate, each of which serves
	// its list; nil means http://crl.example.com/mark.crl.
	CRLURLs []string
	// RootCRLURL is the one of its issuer; "" means http://crl.example.com/root.crl.
	RootCRLURL string
	// Authorities is how many authorities stand between the root and the
	// certificate; 0 means 1.
	Authorities int
}

// SVG returns a small image in the profile SVG Tiny PS.
func SVG() []byte {
	return []byte(`<svg xmlns="http://www.w3.org/2000/svg" version="1.2" baseProfile="tiny-ps" viewBox="0 0 64 64">` +
		`<title>Example</title><rect width="64" height="64" fill="#0b5fff"/><circle cx="32" cy="32" r="20" fill="#ffffff"/></svg>`)
}

// PKI is a root, an issuing authority below it and a transparency log.
// It is not modified once made, and safe for concurrent use.
type PKI struct {
	now                      time.Time
	rootKey, interKey        *ecdsa.PrivateKey
	otherKey, leafKey, logPK *ecdsa.PrivateKey
	root                     *x509.Certificate
}

// New makes the keys from random and dates everything around now. A
// *math/rand/v2.ChaCha8 with a fixed seed is a good source. Error: random ran dry.
func New(random io.Reader, now time.Time) (*PKI, error) {
	p := &PKI{now: now.UTC().Truncate(time.Second)}
	for _, k := range []**ecdsa.PrivateKey{&p.rootKey, &p.interKey, &p.otherKey, &p.leafKey, &p.logPK} {
		var err error
		if *k, err = newKey(random, elliptic.P256()); err != nil {
			return nil, err
		}
	}
	var err error
	p.root, err = create(p.rootTemplate(), p.rootTemplate(), &p.rootKey.PublicKey, p.rootKey)
	return p, err
}

// newKey takes the private scalar from random. crypto/ecdsa's own GenerateKey
// does not promise to use what it is given.
func newKey(random io.Reader, curve elliptic.Curve) (*ecdsa.PrivateKey, error) {
	size := (curve.Params().BitSize + 7) / 8
	for range 100 {
		b := make([]byte, size)
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, fmt.Errorf("markcerttest: random source: %w", err)
		}
		b[0] &= byte(0xff >> (8*size - curve.Params().BitSize))
		if k, err := ecdsa.ParseRawPrivateKey(curve, b); err == nil {
			return k, nil
		}
	}
	return nil, errors.New("markcerttest: random source gives no key")
}

// create signs with the deterministic signatures of RFC 6979 (a nil source of randomness).
func create(template, parent *x509.Certificate, pub any, signer *ecdsa.PrivateKey) (*x509.Certificate, error) {
	issuer := *parent
	issuer.PublicKey = nil // a defect may sign with another key than the issuer's
	raw, err := x509.CreateCertificate(nil, template, &issuer, pub, signer)
	if err != nil {
		return nil, fmt.Errorf("markcerttest: %w", err)
	}
	c, err := x509.ParseCertificate(raw)
	if err != nil { // some defects are meant not to parse
		return &x509.Certificate{Raw: raw}, nil
	}
	return c, nil
}

func (p *PKI) rootTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{Organization: []string{"Test Mark Authority"}, CommonName: "Test Mark Root", Country: []string{"XX"}},
		NotBefore:    p.now.AddDate(-5, 0, 0), NotAfter: p.now.AddDate(20, 0, 0),
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: -1,
		KeyUsage:     x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		SubjectKeyId: keyID(p.rootKey),
	}
}

func keyID(k *ecdsa.PrivateKey) []byte {
	raw, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(raw)
	return sum[:20]
}

// Root returns the root's certificate.
func (p *PKI) Root() *x509.Certificate { return p.root }

// LogKey returns the log's public key in PEM.
func (p *PKI) LogKey() []byte {
	raw, err := x509.MarshalPKIXPublicKey(&p.logPK.PublicKey)
	if err != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: raw})
}

// Bundle is an issued certificate and the world around it.
type Bundle struct {
	// PEM is the file to publish: the mark certificate, then its issuer.
	PEM []byte
	// Leaf and Intermediate are the certificates in it. A certificate that a
	// defect makes impossible to parse has only its Raw.
	Leaf, Intermediate *x509.Certificate
	// Roots are the roots to trust and LogKeys the logs to know, both in PEM.
	Roots, LogKeys []byte
	// CRLs are the revocation lists in DER, by the URL that serves them.
	CRLs map[string][]byte
}

// ErrNotServed is what [Bundle.FetchCRL] answers for a URL with no list.
var ErrNotServed = errors.New("markcerttest: no such revocation list")

// FetchCRL returns the list at a URL; it fits the field of the same name of
// markcert.Verifier.
func (b *Bundle) FetchCRL(_ context.Context, url string) ([]byte, error) {
	if l, ok := b.CRLs[url]; ok {
		return l, nil
	}
	return nil, ErrNotServed
}

// Issue makes a certificate with the defects, in the order given. Without
// defects it is good in every respect. Errors: a defect that does not exist, or
// something that cannot be encoded.
func (p *PKI) Issue(s Spec, defects ...Defect) (*Bundle, error) {
	b := p.plan(s, defects)
	if err := b.authorities(s.Authorities); err != nil {
		return nil, err
	}
	for _, d := range defects {
		row, ok := d.row()
		if !ok {
			return nil, fmt.Errorf("markcerttest: no defect %q", string(d))
		}
		if row.apply != nil {
			row.apply(b)
		}
	}
	return b.build()
}

// serial is a number that differs with everything that may differ.
func serial(p *PKI, s Spec, defects []Defect) *big.Int {
	h := sha256.New()
	h.Write(p.root.Raw)
	fmt.Fprintf(h, "%q %q %q %q %q", s.Domains, s.SVG, s.MarkType, s.NotBefore, defects)
	sum := h.Sum(nil)
	sum[0] = sum[0]&0x7f | 0x40
	return new(big.Int).SetBytes(sum[:16])
}
