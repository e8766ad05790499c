package markcert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var crlTime = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)

// crlIssuer is an authority and one certificate of it, with a serial number whose
// first bit is set and one whose is not.
func crlIssuer(t testing.TB, serial int64) (issuer, cert *x509.Certificate, key *ecdsa.PrivateKey) {
	scalar := make([]byte, 32)
	scalar[31] = 11
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	require.NoError(t, err)
	make := func(tmpl, parent *x509.Certificate) *x509.Certificate {
		tmpl.NotBefore, tmpl.NotAfter = crlTime.AddDate(-1, 0, 0), crlTime.AddDate(1, 0, 0)
		raw, err := x509.CreateCertificate(nil, tmpl, parent, &key.PublicKey, key)
		require.NoError(t, err)
		c, err := x509.ParseCertificate(raw)
		require.NoError(t, err)
		return c
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	issuer = make(tmpl, tmpl)
	cert = make(&x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "leaf"}}, issuer)
	return issuer, cert, key
}

func makeCRL(t testing.TB, issuer *x509.Certificate, key *ecdsa.PrivateKey, serials []int64, exts ...pkix.Extension) []byte {
	tmpl := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: crlTime, NextUpdate: crlTime.Add(time.Hour), ExtraExtensions: exts}
	for _, s := range serials {
		tmpl.RevokedCertificateEntries = append(tmpl.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: big.NewInt(s), RevocationTime: crlTime})
	}
	raw, err := x509.CreateRevocationList(nil, tmpl, issuer, key)
	require.NoError(t, err)
	return raw
}

func useCRL(raw []byte, cert, issuer *x509.Certificate, now time.Time) (bool, error) {
	l, err := parseCRL(raw)
	if err != nil {
		return false, err
	}
	return l.check(cert, issuer, nil, now)
}

// TestCRLSerial: serial numbers are compared whole, whatever their sign bit.
func TestCRLSerial(t *testing.T) {
	numbers := []int64{1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0x0102030405, 1<<62 + 5}
	for _, n := range numbers {
		issuer, cert, key := crlIssuer(t, n)
		revoked, err := useCRL(makeCRL(t, issuer, key, numbers), cert, issuer, crlTime)
		require.NoError(t, err)
		require.True(t, revoked, n)
		var others []int64
		for _, o := range numbers {
			if o != n {
				others = append(others, o)
			}
		}
		revoked, err = useCRL(makeCRL(t, issuer, key, others), cert, issuer, crlTime)
		require.NoError(t, err)
		require.False(t, revoked, n)
		revoked, err = useCRL(makeCRL(t, issuer, key, nil), cert, issuer, crlTime)
		require.NoError(t, err)
		require.False(t, revoked)
	}
}

// TestCRLTimes: current from the first second to the last.
func TestCRLTimes(t *testing.T) {
	issuer, cert, key := crlIssuer(t, 5)
	raw := makeCRL(t, issuer, key, nil)
	for d, want := range map[time.Duration]error{
		-time.Second: ErrCRLTime, 0: nil, time.Hour: nil, time.Hour + time.Second: ErrCRLTime,
	} {
		_, err := useCRL(raw, cert, issuer, crlTime.Add(d))
		require.ErrorIs(t, err, want, d)
	}
}

// TestCRLLimit: a list of exactly the limit is used, one octet more is not looked at.
func TestCRLLimit(t *testing.T) {
	issuer, cert, key := crlIssuer(t, 5)
	sized := func(size int) []byte {
		list := func(pad, fill int) []byte {
			value := make([]byte, pad)
			value[0] = byte(fill)
			return makeCRL(t, issuer, key, []int64{5}, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1}, Value: value})
		}
		pad := size - 400
		pad += size - len(list(pad, 0))
		for fill := range 50 { // the signature's own length varies by an octet or two
			if raw := list(pad, fill); len(raw) == size {
				return raw
			}
		}
		t.Fatal("no list of that size")
		return nil
	}
	revoked, err := useCRL(sized(MaxCRLBytes), cert, issuer, crlTime)
	require.NoError(t, err)
	require.True(t, revoked)
	_, err = useCRL(sized(MaxCRLBytes+1), cert, issuer, crlTime)
	require.ErrorIs(t, err, ErrCRL)
}

// TestCRLAllocations: entries are walked, not kept. A hundred times the entries
// costs hardly more allocations.
func TestCRLAllocations(t *testing.T) {
	issuer, cert, key := crlIssuer(t, 5)
	allocs := func(n int) float64 {
		serials := make([]int64, n)
		for i := range serials {
			serials[i] = int64(i + 1000)
		}
		raw := makeCRL(t, issuer, key, serials)
		return testing.AllocsPerRun(5, func() {
			if revoked, err := useCRL(raw, cert, issuer, crlTime); err != nil || revoked {
				t.Fatal(revoked, err)
			}
		})
	}
	few, many := allocs(100), allocs(10000)
	require.Less(t, many, few+100)
}

// TestCRLTruncated: no prefix and no single changed octet of a list can be used,
// or it says the same.
func TestCRLTruncated(t *testing.T) {
	issuer, cert, key := crlIssuer(t, 5)
	raw := makeCRL(t, issuer, key, []int64{4, 5})
	for i := range raw {
		_, err := useCRL(raw[:i], cert, issuer, crlTime)
		require.Error(t, err)
		changed := append([]byte(nil), raw...)
		changed[i] ^= 1
		_, err = useCRL(changed, cert, issuer, crlTime)
		require.Error(t, err, "octet %d", i)
	}
}

// TestCRLExtensions: RFC 5280, section 5.2.5, in the odd forms the maker does not make.
func TestCRLExtensions(t *testing.T) {
	issuer, cert, key := crlIssuer(t, 5)
	idp := func(b ...[]byte) []pkix.Extension {
		return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: el(0x30, b...)}}
	}
	uri := func(s string) []byte { return el(0x86, []byte(s)) }
	for _, tc := range []struct {
		name string
		exts []pkix.Extension
		want error
	}{
		{"empty", idp(), nil},
		{"false flags", idp(el(0x81, []byte{0}), el(0x84, []byte{0})), nil},
		{"one of several names", idp(el(0xa0, el(0xa0, uri("http://b/"), uri("http://a/")))), nil},
		{"none of several names", idp(el(0xa0, el(0xa0, uri("http://b/"), uri("http://c/")))), ErrCRLScope},
		{"directory name", idp(el(0xa0, el(0xa0, el(0xa4, el(0x30))))), ErrCRLScope},
		{"relative name", idp(el(0xa0, el(0xa1, el(0x31)))), ErrCRLScope},
		{"no names", idp(el(0xa0, el(0xa0))), ErrCRLScope},
		{"seventeen names", idp(el(0xa0, el(0xa0, bytes.Repeat(uri("http://b/"), 17)))), ErrCRL},
		{"flags out of order", idp(el(0x82, []byte{0}), el(0x81, []byte{0})), ErrCRL},
		{"flag twice", idp(el(0x81, []byte{0}), el(0x81, []byte{0})), ErrCRL},
		{"flag of one", idp(el(0x84, []byte{1})), ErrCRL},
		{"unknown flag", idp(el(0x86, []byte{0xff})), ErrCRL},
		{"users only", idp(el(0x81, []byte{0xff})), nil},
		{"twice", append(idp(), idp()...), ErrCRL},
		{"not a sequence", []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Value: []byte{5, 0}}}, ErrCRL},
		{"delta, not critical", []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Value: []byte{2, 1, 1}}}, ErrCRLScope},
		{"unknown, not critical", []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 46}, Value: []byte{5, 0}}}, nil},
	} {
		l, err := parseCRL(makeCRL(t, issuer, key, nil, tc.exts...))
		require.NoError(t, err, tc.name)
		_, err = l.check(cert, issuer, []string{"http://a/"}, crlTime)
		require.ErrorIs(t, err, tc.want, tc.name)
	}
	many := make([]pkix.Extension, maxCRLExtensions-2) // two are there already
	for i := range many {
		many[i] = pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, i}, Value: []byte{5, 0}}
	}
	_, err := useCRL(makeCRL(t, issuer, key, nil, many...), cert, issuer, crlTime)
	require.NoError(t, err)
	many = append(many, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 99}, Value: []byte{5, 0}})
	_, err = useCRL(makeCRL(t, issuer, key, nil, many...), cert, issuer, crlTime)
	require.ErrorIs(t, err, ErrCRL)
}

// TestCRLAlgorithms: SHA-256 and better, with the issuer's kind of key.
func TestCRLAlgorithms(t *testing.T) {
	issuer, cert, key := crlIssuer(t, 5)
	rk, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		NotBefore: crlTime, NotAfter: crlTime.AddDate(1, 0, 0)}
	raw, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &rk.PublicKey, rk)
	require.NoError(t, err)
	rsaIssuer, err := x509.ParseCertificate(raw)
	require.NoError(t, err)
	for alg, want := range map[x509.SignatureAlgorithm]error{
		x509.ECDSAWithSHA256: nil, x509.ECDSAWithSHA384: nil, x509.ECDSAWithSHA512: nil, x509.ECDSAWithSHA1: ErrCRLSignature,
		x509.SHA256WithRSA: nil, x509.SHA384WithRSA: nil, x509.SHA512WithRSA: nil, x509.SHA1WithRSA: ErrCRLSignature,
		x509.SHA256WithRSAPSS: ErrCRLSignature,
	} {
		by, signer := issuer, crypto.Signer(key)
		if alg < x509.ECDSAWithSHA1 || alg > x509.ECDSAWithSHA512 {
			by, signer = rsaIssuer, rk
		}
		raw, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), SignatureAlgorithm: alg,
			ThisUpdate: crlTime, NextUpdate: crlTime.Add(time.Hour)}, by, signer)
		require.NoError(t, err)
		_, err = useCRL(raw, cert, by, crlTime)
		require.ErrorIs(t, err, want, alg.String())
	}
}
