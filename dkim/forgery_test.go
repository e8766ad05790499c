package dkim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// Signatures and keys that somebody made to be taken for good ones.

func bodyHash() string {
	_, body, _ := strings.Cut(b0, "\r\n\r\n")
	h := sha256.Sum256([]byte(sigtest.Body(body, true)))
	return base64.StdEncoding.EncodeToString(h[:])
}

// signed returns b0 signed by a function that gets the header hash.
func signed(tags string, f func(digest []byte) []byte) string {
	return sigtest.Sign(signerFunc(f), tags, b0)
}

type signerFunc func(digest []byte) []byte

func (f signerFunc) Public() crypto.PublicKey { return nil }
func (f signerFunc) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return f(digest), nil
}

var digestInfo = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// padded is the encoded message of RFC 8017, section 9.2.
func padded(size int, info, digest []byte) []byte {
	em := append([]byte{0, 1}, make([]byte, size-3-len(info)-len(digest))...)
	for i := 2; i < len(em); i++ {
		em[i] = 0xff
	}
	em = append(em, 0)
	return append(append(em, info...), digest...)
}

// With e=1 the signature is the padded digest itself.
func forgeE1(t *testing.T, key *rsa.PrivateKey) string {
	return signed(t0, func(d []byte) []byte { return padded(key.Size(), digestInfo, d) })
}

// forgeCubeRoot makes a number whose cube begins like a short padding with the
// digest; a verifier that does not look at the rest takes it for a signature
// under any key with e=3.
func forgeCubeRoot(t *testing.T) string {
	key := sigtest.RSA(t, "rsa2048e3")
	return signed(t0, func(d []byte) []byte {
		block := append([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}, append(digestInfo[:len(digestInfo):len(digestInfo)], d...)...)
		want := append(block, make([]byte, key.Size()-len(block))...)
		for i := len(block); i < len(want); i++ {
			want[i] = 0xff
		}
		root := cubeRoot(new(big.Int).SetBytes(want))
		cube := new(big.Int).Exp(root, big.NewInt(3), nil).FillBytes(make([]byte, key.Size()))
		require.Equal(t, block, cube[:len(block)], "the forgery has to be what it claims")
		return root.FillBytes(make([]byte, key.Size()))
	})
}

func cubeRoot(n *big.Int) *big.Int {
	lo, hi := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(n.BitLen()/3+2))
	for {
		mid := new(big.Int).Rsh(new(big.Int).Add(lo, hi), 1)
		if mid.Cmp(lo) == 0 {
			return lo
		}
		if new(big.Int).Exp(mid, big.NewInt(3), nil).Cmp(n) <= 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
}

// raw applies the private key to a block without any padding rule.
func raw(key *rsa.PrivateKey, block []byte) []byte {
	n := new(big.Int).Exp(new(big.Int).SetBytes(block), key.D, key.N)
	return n.FillBytes(make([]byte, key.Size()))
}

// badSignatures are variants of PKCS #1 v1.5 that some verifier somewhere took
// (DKK-07, DKK-08). All but "good" have to fail.
func badSignatures(t *testing.T, key *rsa.PrivateKey) map[string]string {
	info := func(s string) []byte { return []byte(s) }
	size := key.Size()
	sign := func(f func(d []byte) []byte) string {
		return signed(t0, func(d []byte) []byte { return raw(key, f(d)) })
	}
	variants := map[string]string{
		"missing-null": sign(func(d []byte) []byte {
			return padded(size, info("\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20"), d)
		}),
		"ber-length": sign(func(d []byte) []byte {
			return padded(size, info("\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), d)
		}),
		"long-form": sign(func(d []byte) []byte {
			return padded(size, info("\x30\x32\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x81\x20"), d)
		}),
		"sha1-oid": sign(func(d []byte) []byte {
			return padded(size, info("\x30\x2d\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x20"), d)
		}),
		"no-info": sign(func(d []byte) []byte { return padded(size, nil, d) }),
		"type-2": sign(func(d []byte) []byte {
			b := padded(size, digestInfo, d)
			b[1] = 2
			return b
		}),
		"padding-not-ff": sign(func(d []byte) []byte {
			b := padded(size, digestInfo, d)
			b[20] = 0xfe
			return b
		}),
		"short-padding": sign(func(d []byte) []byte {
			b := padded(size-40, digestInfo, d)
			return append(b, make([]byte, 40)...)
		}),
		"pss": signed(t0, func(d []byte) []byte {
			s, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, d, nil)
			require.NoError(t, err)
			return s
		}),
		"plus-modulus": signed(t0, func(d []byte) []byte {
			s := new(big.Int).SetBytes(raw(key, padded(size, digestInfo, d)))
			s.Add(s, key.N)
			if s.BitLen() > size*8 {
				return s.FillBytes(make([]byte, size+1))
			}
			return s.FillBytes(make([]byte, size))
		}),
		"leading-zero": signed(t0, func(d []byte) []byte {
			return append([]byte{0}, raw(key, padded(size, digestInfo, d))...)
		}),
		"octet-stripped": signed(t0, func(d []byte) []byte { return raw(key, padded(size, digestInfo, d))[1:] }),
		"zero":           signed(t0, func([]byte) []byte { return make([]byte, size) }),
	}
	w := newWorld(t)
	results, _ := w.verify(t, Verifier{}, sign(func(d []byte) []byte { return padded(size, digestInfo, d) }))
	require.Equal(t, Pass, results[0].Status, "the machinery of the variants makes good signatures as well")
	return variants
}

// addOrder adds the group order L to S of an Ed25519 signature (RFC 8032, section 5.1.7).
func addOrder(text string) string {
	at := strings.Index(text, " b=") + 3
	end := at + strings.IndexByte(text[at:], '\r')
	s, _ := base64.StdEncoding.DecodeString(text[at:end])
	l, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	n := new(big.Int)
	for i := 63; i >= 32; i-- {
		n.Lsh(n, 8).Or(n, big.NewInt(int64(s[i])))
	}
	n.Add(n, l)
	for i, b := range n.FillBytes(make([]byte, 32)) {
		s[63-i] = b
	}
	return text[:at] + base64.StdEncoding.EncodeToString(s) + text[end:]
}

// lowOrderEncodings computes, from the curve equation, every 32-octet string that
// a lenient decoder takes for a point whose order divides 8.
func lowOrderEncodings() [][]byte {
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	var ys []*big.Int
	ys = append(ys, big.NewInt(0), big.NewInt(1), new(big.Int).Sub(prime, big.NewInt(1)))
	// Order 8: y^4 d + 2 y^2 - 1 = 0, from doubling to a point with y = 0.
	d := new(big.Int).ModInverse(big.NewInt(121666), prime)
	d.Mul(d, big.NewInt(-121665)).Mod(d, prime)
	root := new(big.Int).ModSqrt(new(big.Int).Mod(new(big.Int).Add(d, big.NewInt(1)), prime), prime)
	for _, r := range []*big.Int{root, new(big.Int).Sub(prime, root)} {
		y2 := new(big.Int).Sub(r, big.NewInt(1))
		y2.Mul(y2, new(big.Int).ModInverse(d, prime)).Mod(y2, prime)
		if y := new(big.Int).ModSqrt(y2, prime); y != nil {
			ys = append(ys, y, new(big.Int).Sub(prime, y))
		}
	}
	var out [][]byte
	for _, y := range ys {
		for _, v := range []*big.Int{y, new(big.Int).Add(y, prime)} {
			if v.BitLen() > 255 {
				continue // no such non-canonical form
			}
			be := v.FillBytes(make([]byte, 32))
			for _, sign := range []byte{0, 0x80} {
				le := make([]byte, 32)
				for i := range be {
					le[31-i] = be[i]
				}
				le[31] |= sign
				out = append(out, le)
			}
		}
	}
	return out
}
