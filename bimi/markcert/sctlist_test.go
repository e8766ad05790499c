package markcert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	mrand "math/rand/v2"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/stretchr/testify/require"
)

func sctVector(b ...[]byte) []byte {
	c := bytes.Join(b, nil)
	return append([]byte{byte(len(c) >> 8), byte(len(c))}, c...)
}

func sctOf(version byte, timestamp []byte) []byte {
	return bytes.Join([][]byte{{version}, make([]byte, 32), timestamp, {0, 0}, {4, 3}, sctVector([]byte{1, 2, 3})}, nil)
}

// TestParseSCTs is the list of RFC 6962, section 3.3.
func TestParseSCTs(t *testing.T) {
	at := []byte{0, 0, 1, 0x80, 0, 0, 0, 0}
	one := sctVector(sctOf(0, at))
	wrap := func(b []byte) []byte { return el(tagOctetString, b) }
	for _, tc := range []struct {
		name string
		in   []byte
		want int // -1: refused
	}{
		{"one", wrap(sctVector(one)), 1},
		{"two", wrap(sctVector(one, one)), 2},
		{"sixteen", wrap(sctVector(bytes.Repeat(one, MaxSCTs))), 16},
		{"seventeen", wrap(sctVector(bytes.Repeat(one, MaxSCTs+1))), -1},
		{"unknown version beside", wrap(sctVector(sctVector(sctOf(1, at)), one)), 1},
		{"unknown version of another form", wrap(sctVector(sctVector([]byte{7}), one)), 1},
		{"unknown version alone", wrap(sctVector(sctVector(sctOf(1, at)))), -1},
		{"no OCTET STRING", sctVector(one), -1},
		{"octets after it", append(wrap(sctVector(one)), 0), -1},
		{"empty list", wrap(sctVector()), -1},
		{"empty entry", wrap(sctVector(sctVector(), one)), -1},
		{"nothing", nil, -1},
		{"length too long", wrap(append([]byte{0, 200}, one...)), -1},
		{"octets after the list", wrap(append(sctVector(one), 0)), -1},
		{"short timestamp", wrap(sctVector(sctVector(make([]byte, 30)))), -1},
		{"no signature", wrap(sctVector(sctVector(make([]byte, 43)))), -1},
		{"octets after the signature", wrap(sctVector(sctVector(sctOf(0, at), []byte{0}))), -1},
	} {
		scts, err := parseSCTs(tc.in)
		if tc.want < 0 {
			require.ErrorIs(t, err, ErrNoSCT, tc.name)
			require.Nil(t, scts)
			continue
		}
		require.NoError(t, err, tc.name)
		require.Len(t, scts, tc.want)
	}
	// A time that no calendar has is a time in the future, not one in the past.
	scts, err := parseSCTs(wrap(sctVector(sctVector(sctOf(0, bytes.Repeat([]byte{0xff}, 8))))))
	require.NoError(t, err)
	require.True(t, scts[0].Time.IsZero())
}

// TestPrecertTBS: without its timestamps the TBSCertificate is the one the log has
// signed, whatever lengths change; compared with what encoding/asn1 makes of it.
func TestPrecertTBS(t *testing.T) {
	p, err := markcerttest.New(mrand.NewChaCha8([32]byte{3}), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	for n := range 40 {
		s := markcerttest.Spec{SVG: bytes.Repeat([]byte("<svg/>"), n*n)}
		b, err := p.Issue(s)
		require.NoError(t, err)
		got, err := precertTBS(b.Leaf.RawTBSCertificate)
		require.NoError(t, err)

		var tbs struct {
			Version    int `asn1:"optional,explicit,tag:0"`
			Serial     *big.Int
			Algorithm  asn1.RawValue
			Issuer     asn1.RawValue
			Validity   asn1.RawValue
			Subject    asn1.RawValue
			PublicKey  asn1.RawValue
			Extensions []asn1.RawValue `asn1:"explicit,tag:3"`
		}
		rest, err := asn1.Unmarshal(b.Leaf.RawTBSCertificate, &tbs)
		require.NoError(t, err)
		require.Empty(t, rest)
		last := len(tbs.Extensions) - 1
		require.True(t, bytes.Contains(tbs.Extensions[last].FullBytes, []byte(sctListID)))
		tbs.Extensions = tbs.Extensions[:last]
		want, err := asn1.Marshal(tbs)
		require.NoError(t, err)
		require.Equal(t, want, got)

		again, err := precertTBS(got) // nothing left to take out
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
	for _, bad := range [][]byte{nil, {0x30, 0}, {0x30, 2, 2, 1}, el(0x30, el(0x02, []byte{1})), append(el(0x30, el(0xa3, el(0x30))), 0)} {
		_, err := precertTBS(bad)
		require.ErrorIs(t, err, ErrCertificate)
	}
}

// TestSCTVerify: the algorithm is the key's, and every field is signed.
func TestSCTVerify(t *testing.T) {
	rk, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	scalar := make([]byte, 32)
	scalar[31] = 7
	ek, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	require.NoError(t, err)
	tbs := []byte("a certificate")
	hash := sha256.Sum256([]byte("issuer"))
	sign := func(s SCT, key any) SCT {
		// The input of the signature, written down once more (RFC 6962, section 3.2).
		var in []byte
		in = append(in, 0, 0)
		in = append(in, 0, 0, 0, 0, 0, 0, 0, byte(s.timestamp))
		in = append(in, 0, 1)
		in = append(in, hash[:]...)
		in = append(in, 0, 0, byte(len(tbs)))
		in = append(in, tbs...)
		in = append(in, 0, byte(len(s.extensions)))
		in = append(in, s.extensions...)
		sum := sha256.Sum256(in)
		var err error
		switch k := key.(type) {
		case *ecdsa.PrivateKey:
			s.algorithm = [2]byte{4, 3}
			s.signature, err = ecdsa.SignASN1(rand.Reader, k, sum[:])
		case *rsa.PrivateKey:
			s.algorithm = [2]byte{4, 1}
			s.signature, err = rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:])
		}
		require.NoError(t, err)
		return s
	}
	for _, k := range []any{rk, ek} {
		var pub any = &ek.PublicKey
		var other any = &rk.PublicKey
		if k == rk {
			pub, other = other, pub
		}
		s := sign(SCT{timestamp: 77, extensions: []byte("e")}, k)
		require.True(t, s.verify(pub, hash, tbs))
		require.False(t, s.verify(other, hash, tbs))
		require.False(t, s.verify(nil, hash, tbs))
		require.False(t, s.verify(pub, sha256.Sum256(nil), tbs))
		require.False(t, s.verify(pub, hash, tbs[1:]))
		require.False(t, s.verify(pub, hash, make([]byte, 1<<24)))
		for _, change := range []func(*SCT){
			func(s *SCT) { s.timestamp++ },
			func(s *SCT) { s.extensions = nil },
			func(s *SCT) { s.algorithm[0] = 2 }, // SHA-1
			func(s *SCT) { s.algorithm[1] ^= 2 },
			func(s *SCT) { s.signature = nil },
			func(s *SCT) { s.signature = bytes.Clone(s.signature); s.signature[len(s.signature)-1] ^= 1 },
		} {
			c := s
			change(&c)
			require.False(t, c.verify(pub, hash, tbs))
		}
	}
}
