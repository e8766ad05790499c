package markcerttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// The defects that take more than a line.

// critical is a list of one critical extension 2.5.29.n.
func critical(n int, value []byte) []pkix.Extension {
	return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, n}, Critical: true, Value: value}}
}

// rsaOf is a public key of a size whose private half nobody has: the mark
// certificate's key never signs anything.
func rsaOf(bits int) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return &rsa.PublicKey{N: n.Add(n, big.NewInt(4711)), E: 65537}
}

// curve is a public key on a curve, the same every time.
func (b *plan) curve(c elliptic.Curve) *ecdsa.PublicKey {
	return &b.keyOn(c, "").PublicKey
}

// keyOn is a key that depends on the root, the curve and a label.
func (b *plan) keyOn(c elliptic.Curve, label string) *ecdsa.PrivateKey {
	sum := sha256.Sum256(append([]byte(label+c.Params().Name), b.p.root.Raw...))
	scalar := make([]byte, (c.Params().BitSize+7)/8)
	copy(scalar[1:], sum[:]) // the first octet stays zero: below the order
	k, err := ecdsa.ParseRawPrivateKey(c, scalar)
	if err != nil {
		return b.p.otherKey
	}
	return k
}

// weakIssuer gives the issuer a key on a curve that is too small.
func (b *plan) weakIssuer() {
	k := b.keyOn(elliptic.P224(), "")
	b.interKey, b.leafSigner, b.crl.key = k, k, k
	b.inter.SubjectKeyId = keyID(k)
}

// secondLeaf adds the certificate of another domain to the file.
func (b *plan) secondLeaf() {
	b.extra = func() ([]*x509.Certificate, error) {
		t := *b.leaf
		t.SerialNumber = big.NewInt(99)
		parent, err := create(b.inter, b.issuerRoot, &b.interKey.PublicKey, b.interSigner)
		if err != nil {
			return nil, err
		}
		c, err := create(&t, parent, &b.p.otherKey.PublicKey, b.leafSigner)
		return []*x509.Certificate{c}, err
	}
}

// foreign adds an authority that has nothing to do with the path.
func (b *plan) foreign() {
	b.extra = func() ([]*x509.Certificate, error) {
		t := *b.inter
		t.Subject.CommonName, t.SubjectKeyId = "Another CA", keyID(b.p.otherKey)
		c, err := create(&t, b.issuerRoot, &b.p.otherKey.PublicKey, b.interSigner)
		return []*x509.Certificate{c}, err
	}
}

// otherRoot trusts a root of another name instead of the one that issued.
func (b *plan) otherRoot(name string) {
	t := b.p.rootTemplate()
	t.Subject.CommonName, t.SubjectKeyId = name, keyID(b.p.otherKey)
	if c, err := create(t, t, &b.p.otherKey.PublicKey, b.p.otherKey); err == nil {
		b.roots = []*x509.Certificate{c}
	}
}

// expiredRoot is the same root with an end in the past.
func (b *plan) expiredRoot() {
	t := b.p.rootTemplate()
	t.NotAfter = b.p.now.Add(-time.Second)
	if c, err := create(t, t, &b.p.rootKey.PublicKey, b.p.rootKey); err == nil {
		b.roots, b.issuerRoot = []*x509.Certificate{c}, c
	}
}

// oldRoot is a certificate of the root that has expired.
func (b *plan) oldRoot() *x509.Certificate {
	t := b.p.rootTemplate()
	t.NotAfter = b.p.now.AddDate(0, -1, 0)
	if c, err := create(t, t, &b.p.rootKey.PublicKey, b.p.rootKey); err == nil {
		return c
	}
	return b.p.root
}

// crossRoot is a certificate for the root by an authority that nobody knows.
func (b *plan) crossRoot() *x509.Certificate {
	stranger := b.p.rootTemplate()
	stranger.Subject.CommonName, stranger.SubjectKeyId = "Stranger", keyID(b.p.otherKey)
	if c, err := create(b.p.rootTemplate(), stranger, &b.p.rootKey.PublicKey, b.p.otherKey); err == nil {
		return c
	}
	return b.p.root
}

// authorities puts n-1 authorities between the root and the issuer.
func (b *plan) authorities(n int) error {
	for i := 1; i < n; i++ {
		name := fmt.Sprintf("Test Mark CA above %d", i)
		key := b.keyOn(elliptic.P256(), name)
		t := *b.inter
		t.SerialNumber, t.Subject.CommonName = big.NewInt(int64(100+i)), name
		t.SubjectKeyId, t.MaxPathLen, t.MaxPathLenZero = keyID(key), -1, false
		crl := b.top
		t.CRLDistributionPoints = crl.urls
		c, err := create(&t, b.issuerRoot, &key.PublicKey, b.interSigner)
		if err != nil {
			return err
		}
		b.upper = append(b.upper, upper{c, b.issuerRoot, crl})
		b.issuerRoot, b.interSigner, b.top.key = c, key, key
		b.top.urls = []string{fmt.Sprintf("http://crl.example.com/ca%d.crl", i)}
	}
	return nil
}

// secondIntermediate has two authorities, of which the upper one allows no other
// authority below it.
func (b *plan) secondIntermediate() {
	if err := b.authorities(2); err != nil {
		return
	}
	u := &b.upper[len(b.upper)-1]
	t := *u.cert
	t.MaxPathLenZero, t.MaxPathLen = true, 0
	if c, err := create(&t, u.issuer, &b.interSigner.PublicKey, b.p.rootKey); err == nil {
		u.cert, b.issuerRoot = c, c
	}
}
