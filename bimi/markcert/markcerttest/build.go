package markcerttest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"time"
)

var (
	oidKeyPurpose = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 31}
	oidLogotype   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 12}
	oidSCTList    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
	oidPoison     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 3}
	oidPilot      = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087, 4, 1}
	oidSAN        = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidMarkType   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087, 1, 13}
	oidPolicy     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087, 1, 1}
	oidUnknown    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1, 1} // the number of documentation, RFC 5612
)

// plan is a bundle before it is encoded: what a defect changes.
type plan struct {
	p           *PKI
	roots       []*x509.Certificate // to trust
	issuerRoot  *x509.Certificate   // that issues the intermediate
	inter, leaf *x509.Certificate   // templates
	interKey    *ecdsa.PrivateKey
	interSigner *ecdsa.PrivateKey
	leafPub     any
	leafSigner  *ecdsa.PrivateKey
	selfSigned  bool
	sans        [][]byte // GeneralNames, encoded
	afterSANs   []byte   // behind the GeneralNames, in the value of the extension
	logo        *logo    // nil: none
	log         logPlan
	crl, top    crlPlan
	upper       []upper                             // authorities above the intermediate, the one below the root first
	extra       func() ([]*x509.Certificate, error) // more certificates of the file, after the intermediate
	flipLeaf    bool                                // invert the last octet of the signature
	flipInter   bool
	chain       func([][]byte) [][]byte // rearranges the certificates of the file
	text        func([]byte) []byte     // changes the file
}

// upper is one authority above the issuer of the mark certificate.
type upper struct {
	cert, issuer *x509.Certificate
	crl          crlPlan
}

type logPlan struct {
	none      bool
	key       *ecdsa.PrivateKey
	at        time.Time
	badSig    bool
	malformed bool
	count     int
}

type crlPlan struct {
	urls       []string
	none       bool // no distribution point
	unserved   bool
	key        *ecdsa.PrivateKey
	issuer     *x509.Certificate // nil: the right one
	this, next time.Time
	revoked    bool
	reason     int
	extensions []pkix.Extension
	entry      []pkix.Extension
	others     int // revoked serial numbers beside
	raw        []byte
}

func (p *PKI) plan(s Spec, defects []Defect) *plan {
	or := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	number := serial(p, s, defects)
	or(&s.MarkType, "Registered Mark")
	or(&s.Organization, "Example Inc.")
	if s.CRLURLs == nil {
		s.CRLURLs = []string{"http://crl.example.com/mark.crl"}
	}
	or(&s.RootCRLURL, "http://crl.example.com/root.crl")
	if s.Domains == nil {
		s.Domains = []string{"example.com"}
	}
	if s.SVG == nil {
		s.SVG = SVG()
	}
	if s.NotBefore.IsZero() {
		s.NotBefore = p.now.Add(-24 * time.Hour)
	}
	if s.NotAfter.IsZero() {
		s.NotAfter = s.NotBefore.AddDate(0, 0, 365)
	}
	logged := s.NotBefore.Add(time.Minute)
	b := &plan{
		p: p, roots: []*x509.Certificate{p.root}, issuerRoot: p.root,
		interKey: p.interKey, interSigner: p.rootKey, leafSigner: p.interKey, leafPub: &p.leafKey.PublicKey,
		logo: newLogo(s.SVG),
		log:  logPlan{key: p.logPK, at: logged, count: 1},
		crl:  crlPlan{urls: s.CRLURLs, key: p.interKey, this: p.now.Add(-time.Hour), next: p.now.Add(7 * 24 * time.Hour), others: 3},
		top:  crlPlan{urls: []string{s.RootCRLURL}, key: p.rootKey, this: p.now.Add(-time.Hour), next: p.now.AddDate(0, 3, 0)},
	}
	b.inter = &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{Organization: []string{"Test Mark Authority"}, CommonName: "Test Mark CA 1", Country: []string{"XX"}},
		NotBefore:    p.now.AddDate(-3, 0, 0), NotAfter: p.now.AddDate(10, 0, 0),
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: 0, MaxPathLenZero: true,
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		SubjectKeyId: keyID(p.interKey), UnknownExtKeyUsage: []asn1.ObjectIdentifier{oidKeyPurpose},
		Policies: oids(oidPolicy),
	}
	b.leaf = &x509.Certificate{
		SerialNumber: number,
		Subject: pkix.Name{
			Organization: []string{s.Organization}, CommonName: s.Organization, Country: []string{"XX"},
			ExtraNames: []pkix.AttributeTypeAndValue{
				{Type: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087, 1, 3}, Value: "XX"},
				{Type: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087, 1, 4}, Value: "1234567"},
				{Type: oidMarkType, Value: s.MarkType},
			},
		},
		NotBefore: s.NotBefore, NotAfter: s.NotAfter,
		BasicConstraintsValid: true, MaxPathLen: -1,
		KeyUsage:           x509.KeyUsageDigitalSignature,
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{oidKeyPurpose}, Policies: oids(oidPolicy),
	}
	b.leaf.Subject.ExtraNames = append(b.leaf.Subject.ExtraNames, s.Attributes...)
	if s.MarkType == "Prior Use Mark" {
		v, _ := asn1.Marshal("https://web.archive.org/web/2024/https://example.com/")
		b.leaf.ExtraExtensions = append(b.leaf.ExtraExtensions,
			pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087, 5, 1}, Value: v})
	}
	for _, d := range s.Domains {
		b.sans = append(b.sans, tlv(0x82, []byte(d)))
	}
	return b
}

func oids(ids ...asn1.ObjectIdentifier) []x509.OID {
	out := make([]x509.OID, 0, len(ids))
	for _, id := range ids {
		v := make([]uint64, len(id))
		for i, n := range id {
			v[i] = uint64(n)
		}
		if o, err := x509.OIDFromInts(v); err == nil {
			out = append(out, o)
		}
	}
	return out
}

// tlv encodes one element of DER.
func tlv(tag byte, content ...[]byte) []byte {
	c := bytes.Join(content, nil)
	raw, err := asn1.Marshal(asn1.RawValue{Class: int(tag >> 6), Tag: int(tag & 0x1f), IsCompound: tag&0x20 != 0, Bytes: c})
	if err != nil {
		return nil
	}
	return raw
}

func (b *plan) build() (*Bundle, error) {
	if !b.top.none {
		b.inter.CRLDistributionPoints = b.top.urls
	}
	inter, err := create(b.inter, b.issuerRoot, &b.interKey.PublicKey, b.interSigner)
	if err != nil {
		return nil, err
	}
	leaf, err := b.buildLeaf(inter)
	if err != nil {
		return nil, err
	}
	out := &Bundle{Leaf: leaf, Intermediate: inter, LogKeys: b.p.LogKey(), CRLs: map[string][]byte{}}
	for _, r := range b.roots {
		out.Roots = append(out.Roots, encode(r.Raw)...)
	}
	if err := b.crl.build(out.CRLs, leaf, inter); err != nil {
		return nil, err
	}
	if err := b.top.build(out.CRLs, inter, b.issuerRoot); err != nil {
		return nil, err
	}
	flip(leaf, b.flipLeaf)
	flip(inter, b.flipInter)
	certs := [][]byte{leaf.Raw, inter.Raw}
	for _, u := range slices.Backward(b.upper) {
		if err := u.crl.build(out.CRLs, u.cert, u.issuer); err != nil {
			return nil, err
		}
		certs = append(certs, u.cert.Raw)
	}
	if b.extra != nil {
		more, err := b.extra()
		if err != nil {
			return nil, err
		}
		for _, c := range more {
			certs = append(certs, c.Raw)
		}
	}
	if b.chain != nil {
		certs = b.chain(certs)
	}
	for _, c := range certs {
		out.PEM = append(out.PEM, encode(c)...)
	}
	if b.text != nil {
		out.PEM = b.text(out.PEM)
	}
	return out, nil
}

// flip inverts one bit near the end of the certificate, in its signature.
func flip(c *x509.Certificate, yes bool) {
	if yes {
		c.Raw = slices.Clone(c.Raw)
		c.Raw[len(c.Raw)-1] ^= 1
	}
}

func encode(raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
}

// buildLeaf makes the mark certificate twice: without timestamps for the log to
// sign (RFC 6962, section 3.1), then with them as its last extension.
func (b *plan) buildLeaf(inter *x509.Certificate) (*x509.Certificate, error) {
	t := *b.leaf
	t.ExtraExtensions = slices.Clone(t.ExtraExtensions)
	if len(b.sans) > 0 {
		t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: oidSAN, Value: append(tlv(0x30, b.sans...), b.afterSANs...)})
	}
	if b.logo != nil {
		v, err := b.logo.encode()
		if err != nil {
			return nil, err
		}
		t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: oidLogotype, Critical: b.logo.critical, Value: v})
	}
	if !b.crl.none {
		t.CRLDistributionPoints = b.crl.urls
	}
	parent, signer := inter, b.leafSigner
	if b.selfSigned {
		parent, signer = &t, b.p.leafKey
	}
	c, err := create(&t, parent, b.leafPub, signer)
	if err != nil || b.log.none {
		return c, err
	}
	// The certificate may be one that does not parse; its TBSCertificate is the
	// first element in it either way.
	var cert struct {
		TBS  asn1.RawValue
		Rest asn1.RawValue
		Sig  asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.Raw, &cert); err != nil {
		return nil, fmt.Errorf("markcerttest: %w", err)
	}
	list, err := b.log.sign(inter.RawSubjectPublicKeyInfo, cert.TBS.FullBytes)
	if err != nil {
		return nil, err
	}
	t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: oidSCTList, Value: list})
	return create(&t, parent, b.leafPub, signer)
}

// sign makes the value of the SCT list extension (RFC 6962, section 3.3).
func (l *logPlan) sign(issuerSPKI, tbs []byte) ([]byte, error) {
	key := sha256.Sum256(issuerSPKI)
	spki, err := x509.MarshalPKIXPublicKey(&l.key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("markcerttest: %w", err)
	}
	id := sha256.Sum256(spki)
	at := binary.BigEndian.AppendUint64(nil, uint64(l.at.UnixMilli()))
	input := bytes.Join([][]byte{{0, 0}, at, {0, 1}, key[:],
		{byte(len(tbs) >> 16), byte(len(tbs) >> 8), byte(len(tbs))}, tbs, {0, 0}}, nil)
	sum := sha256.Sum256(input)
	if l.badSig {
		sum[0] ^= 1
	}
	sig, err := l.key.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("markcerttest: %w", err)
	}
	sct := bytes.Join([][]byte{{0}, id[:], at, {0, 0}, {4, 3}, vector(sig)}, nil)
	list := vector(bytes.Repeat(vector(sct), l.count))
	if l.malformed {
		list = list[:len(list)-1]
	}
	return tlv(0x04, list), nil
}

func vector(b []byte) []byte {
	return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...)
}

// build makes the list for one certificate and puts it where it is served.
func (c *crlPlan) build(served map[string][]byte, cert, issuer *x509.Certificate) error {
	if c.unserved || c.none {
		return nil
	}
	if c.raw != nil {
		c.serve(served, c.raw)
		return nil
	}
	if c.issuer != nil {
		issuer = c.issuer
	}
	t := &x509.RevocationList{Number: big.NewInt(7), ThisUpdate: c.this, NextUpdate: c.next, ExtraExtensions: c.extensions}
	for i := range c.others {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: big.NewInt(int64(1000 + i)), RevocationTime: c.this})
	}
	if c.revoked {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: cert.SerialNumber, RevocationTime: c.this, ReasonCode: c.reason})
	}
	for i := range t.RevokedCertificateEntries {
		t.RevokedCertificateEntries[i].ExtraExtensions = c.entry
	}
	signer := *issuer
	signer.KeyUsage |= x509.KeyUsageCRLSign
	raw, err := x509.CreateRevocationList(nil, t, &signer, c.key)
	if err != nil {
		return fmt.Errorf("markcerttest: %w", err)
	}
	c.serve(served, raw)
	return nil
}

func (c *crlPlan) serve(served map[string][]byte, raw []byte) {
	for _, u := range c.urls {
		served[u] = raw
	}
}
