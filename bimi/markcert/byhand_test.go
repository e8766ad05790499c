package markcert_test

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/stretchr/testify/require"
)

// Certificates and revocation lists written octet by octet, so that the tests can
// say what no library would sign. Nothing of it is shared with markcerttest.

// tlv is one element of DER.
func tlv(tag byte, content ...[]byte) []byte {
	c := bytes.Join(content, nil)
	out := []byte{tag}
	if n := len(c); n < 0x80 {
		out = append(out, byte(n))
	} else {
		b := big.NewInt(int64(n)).Bytes()
		out = append(append(out, 0x80|byte(len(b))), b...)
	}
	return append(out, c...)
}

func seq(content ...[]byte) []byte             { return tlv(0x30, content...) }
func str(tag byte, s string) []byte            { return tlv(tag, []byte(s)) }
func number(n int64) []byte                    { b, _ := asn1.Marshal(n); return b }
func oid(s string) []byte                      { id, _ := x509.ParseOID(s); b, _ := id.MarshalBinary(); return tlv(6, b) }
func utc(at time.Time) []byte                  { return str(0x17, at.UTC().Format("060102150405Z")) }
func dnsName(s string) []byte                  { return str(0x82, s) }
func attribute(id string, value []byte) []byte { return tlv(0x31, seq(oid(id), value)) }

func ext(id string, value []byte) []byte { return seq(oid(id), tlv(4, value)) }
func critical(id string, value []byte) []byte {
	return seq(oid(id), tlv(1, []byte{0xff}), tlv(4, value))
}

func dn(cn string, more ...[]byte) []byte {
	return seq(append([][]byte{attribute("2.5.4.6", str(0x13, "XX")), attribute("2.5.4.10", str(0x0c, "Test")), attribute("2.5.4.3", str(0x0c, cn))}, more...)...)
}

// The identifiers that the tables name.
const (
	idBasic, idUsage, idPurposes, idNames, idPoints = "2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17", "2.5.29.31"
	idConstraints, idPolicies, idDemands, idReason  = "2.5.29.30", "2.5.29.32", "2.5.29.36", "2.5.29.21"
	idLogo, idSCTs, idPoison, idPilot, idMark       = "1.3.6.1.5.5.7.1.12", "1.3.6.1.4.1.11129.2.4.2", "1.3.6.1.4.1.11129.2.4.3", "1.3.6.1.4.1.53087.4.1", "1.3.6.1.4.1.53087.1.13"
	idBIMI, idAny, idPolicy, idNobody               = "1.3.6.1.5.5.7.3.31", "2.5.29.37.0", "1.3.6.1.4.1.53087.1.1", "1.3.6.1.4.1.32473.9"
	sha256ID, sha1ID, sha512ID, sha3ID              = "2.16.840.1.101.3.4.2.1", "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.3", "2.16.840.1.101.3.4.2.8"
	markCRL, rootCRL                                = "http://crl.example.com/mark.crl", "http://crl.example.com/root.crl"
)

var null = []byte{5, 0}

// handKey is the same key for the same number.
func handKey(n byte) *ecdsa.PrivateKey {
	b := make([]byte, 32)
	b[31] = n
	k, _ := ecdsa.ParseRawPrivateKey(elliptic.P256(), b)
	return k
}

func spki(k *ecdsa.PrivateKey) []byte { b, _ := x509.MarshalPKIXPublicKey(&k.PublicKey); return b }

func sign(k *ecdsa.PrivateKey, data []byte) []byte {
	sum := sha256.Sum256(data)
	sig, _ := k.Sign(nil, sum[:], crypto.SHA256)
	return sig
}

func sha256With() []byte { return seq(oid("1.2.840.10045.4.3.2")) }

// signed wraps a TBSCertificate or TBSCertList.
func signed(k *ecdsa.PrivateKey, tbs []byte) []byte {
	return seq(tbs, sha256With(), tlv(3, []byte{0}, sign(k, tbs)))
}

// byHand is one certificate: zero fields have good values.
type byHand struct {
	key, signer         *ecdsa.PrivateKey
	issuer, subject     []byte
	serial              []byte
	notBefore, notAfter []byte
	extensions          map[string][]byte // in place of the good ones, by identifier; nil leaves one out
	more                [][]byte
}

func (c byHand) der(base [][2]any, last func(tbs func([][]byte) []byte, exts [][]byte) [][]byte) []byte {
	var exts [][]byte
	for _, e := range base {
		id := e[0].(string)
		if v, ok := c.extensions[id]; !ok {
			exts = append(exts, e[1].([]byte))
		} else if v != nil {
			exts = append(exts, v)
		}
	}
	exts = append(exts, c.more...)
	tbs := func(exts [][]byte) []byte {
		return seq(tlv(0xa0, number(2)), c.serial, sha256With(), c.issuer, seq(c.notBefore, c.notAfter), c.subject, spki(c.key), tlv(0xa3, seq(exts...)))
	}
	if last != nil {
		exts = last(tbs, exts)
	}
	return signed(c.signer, tbs(exts))
}

func or[T any](v, def []T) []T {
	if v == nil {
		return def
	}
	return v
}

func orKey(k, def *ecdsa.PrivateKey) *ecdsa.PrivateKey {
	if k == nil {
		return def
	}
	return k
}

func point(urls ...string) []byte {
	var out [][]byte
	for _, u := range urls {
		out = append(out, seq(tlv(0xa0, tlv(0xa0, str(0x86, u)))))
	}
	return ext(idPoints, seq(out...))
}

func authority() [][2]any {
	return [][2]any{{idBasic, critical(idBasic, seq(tlv(1, []byte{0xff})))}, {idUsage, critical(idUsage, tlv(3, []byte{1, 6}))}}
}

func handRoot(c byHand) []byte {
	c.key = orKey(c.key, handKey(1))
	c.signer, c.subject, c.serial = c.key, or(c.subject, dn("Root")), or(c.serial, number(1))
	c.issuer, c.notBefore, c.notAfter = c.subject, or(c.notBefore, utc(testTime.AddDate(-5, 0, 0))), or(c.notAfter, utc(testTime.AddDate(10, 0, 0)))
	return c.der(authority(), nil)
}

func handIssuer(c byHand) []byte {
	c.key, c.signer, c.issuer, c.subject = orKey(c.key, handKey(2)), orKey(c.signer, handKey(1)), or(c.issuer, dn("Root")), or(c.subject, dn("Issuer"))
	c.notBefore, c.notAfter, c.serial = or(c.notBefore, utc(testTime.AddDate(-3, 0, 0))), or(c.notAfter, utc(testTime.AddDate(5, 0, 0))), or(c.serial, number(2))
	return c.der(append(authority(), [][2]any{{idPurposes, ext(idPurposes, seq(oid(idBIMI)))}, {idPoints, point(rootCRL)}, {idPolicies, ext(idPolicies, seq(seq(oid(idPolicy))))}}...), nil)
}

func markName(markType ...[]byte) []byte {
	more := [][]byte{attribute("1.3.6.1.4.1.53087.1.3", str(0x0c, "XX")), attribute("1.3.6.1.4.1.53087.1.4", str(0x0c, "1"))}
	for _, m := range markType {
		more = append(more, attribute(idMark, m))
	}
	return dn("Example Inc.", more...)
}

// scts adds what the extension says the timestamps are; nil takes one good one.
type scts func(entry []byte, exts [][]byte) [][]byte

func handLeaf(c byHand, list scts) []byte {
	c.key, c.signer, c.issuer = orKey(c.key, handKey(3)), orKey(c.signer, handKey(2)), or(c.issuer, dn("Issuer"))
	c.subject, c.serial = or(c.subject, markName(str(0x0c, "Registered Mark"))), or(c.serial, number(0x123456))
	c.notBefore, c.notAfter = or(c.notBefore, utc(testTime.AddDate(0, -1, 0))), or(c.notAfter, utc(testTime.AddDate(0, 10, 0)))
	if list == nil {
		list = func(entry []byte, exts [][]byte) [][]byte { return append(exts, sctList(timestamp(entry, 0))) }
	}
	base := [][2]any{{idPurposes, ext(idPurposes, seq(oid(idBIMI)))}, {idNames, ext(idNames, seq(dnsName("example.com")))}, {idPoints, point(markCRL)},
		{idPolicies, ext(idPolicies, seq(seq(oid(idPolicy))))}, {idLogo, logoOf(logoImage(markcerttest.SVG(), "", nil))}}
	return c.der(base, func(tbs func([][]byte) []byte, exts [][]byte) [][]byte {
		body := tbs(exts)
		issuer := sha256.Sum256(spki(c.signer))
		return list(bytes.Join([][]byte{{0, 1}, issuer[:], {byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body, {0, 0}}, nil), exts)
	})
}

// timestamp is an SCT of the log, made ms milliseconds from a month before the clock.
func timestamp(entry []byte, ms int64) []byte {
	at := binary.BigEndian.AppendUint64(nil, uint64(testTime.AddDate(0, -1, 0).UnixMilli()+ms))
	log := handKey(9)
	id := sha256.Sum256(spki(log))
	sig := sign(log, bytes.Join([][]byte{{0, 0}, at, entry}, nil))
	return bytes.Join([][]byte{{0}, id[:], at, entry[len(entry)-2:], {4, 3, byte(len(sig) >> 8), byte(len(sig))}, sig}, nil)
}

func sctList(list ...[]byte) []byte {
	var b []byte
	for _, s := range list {
		b = append(append(b, byte(len(s)>>8), byte(len(s))), s...)
	}
	return ext(idSCTs, tlv(4, append([]byte{byte(len(b) >> 8), byte(len(b))}, b...)))
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

func dataURI(b []byte) string {
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(b)
}

func hashOf(id string, sum []byte) []byte { return seq(seq(oid(id), null), tlv(4, sum)) }

// logoImage is a LogotypeImage; the URI and the hashes are those of svg if not given.
func logoImage(svg []byte, uri string, hashes [][]byte) []byte {
	if uri == "" {
		uri = dataURI(zipped(svg))
	}
	if hashes == nil {
		sum := sha256.Sum256(svg)
		hashes = [][]byte{hashOf(sha256ID, sum[:])}
	}
	return seq(seq(str(0x16, "image/svg+xml"), seq(hashes...), seq(str(0x16, uri))))
}

func logoOf(images ...[]byte) []byte { return ext(idLogo, seq(tlv(0xa2, tlv(0xa0, seq(images...))))) }

// handCRL is a list: zero fields have good values.
type handCRL struct {
	key        *ecdsa.PrivateKey
	issuer     []byte
	this, next []byte
	entries    [][]byte
	extensions [][]byte
}

func (c handCRL) der() []byte {
	tbs := [][]byte{number(1), sha256With(), or(c.issuer, dn("Issuer")), or(c.this, utc(testTime.Add(-time.Hour))), or(c.next, utc(testTime.Add(24*time.Hour)))}
	if c.entries != nil {
		tbs = append(tbs, seq(c.entries...))
	}
	if c.extensions != nil {
		tbs = append(tbs, tlv(0xa0, seq(c.extensions...)))
	}
	return signed(orKey(c.key, handKey(2)), seq(tbs...))
}

// revokedEntry is an entry of a list.
func revokedEntry(serial []byte, exts ...[]byte) []byte {
	parts := [][]byte{serial, utc(testTime.Add(-time.Hour))}
	if exts != nil {
		parts = append(parts, seq(exts...))
	}
	return seq(parts...)
}

// byHandVerifier trusts the roots and the log, and finds the lists.
func byHandVerifier(tb testing.TB, lists map[string][]byte, roots ...[]byte) markcert.Verifier {
	var file []byte
	for _, r := range roots {
		file = append(file, pemOf(r)...)
	}
	store, err := markcert.ParseRoots(file)
	require.NoError(tb, err)
	logs, err := markcert.ParseLogs(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki(handKey(9))}))
	require.NoError(tb, err)
	served := map[string][]byte{markCRL: handCRL{}.der(), rootCRL: handCRL{key: handKey(1), issuer: dn("Root")}.der()}
	for u, l := range lists {
		served[u] = l
	}
	b := markcerttest.Bundle{CRLs: served}
	return markcert.Verifier{Roots: store, Logs: logs, FetchCRL: b.FetchCRL, Now: testNow}
}
