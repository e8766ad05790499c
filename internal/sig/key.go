package sig

import (
	"bytes"
	"crypto/rsa"
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"
)

// rsaOID is the AlgorithmIdentifier { rsaEncryption, NULL } in DER (RFC 8017, section A.1).
var rsaOID = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00}

// parseRSA reads a SubjectPublicKeyInfo or an RSAPublicKey: RFC 6376, section
// 3.6.1 names the second, everybody publishes the first (erratum 3017), and the
// two cannot be confused (decision 23). DER only: one key has one encoding and
// nothing follows it. n is the modulus without a leading zero octet.
func parseRSA(der []byte) (n, e []byte, ok bool) {
	seq, rest, ok := element(der, 0x30)
	if !ok || len(rest) != 0 {
		return nil, nil, false
	}
	if alg, rest, ok := element(seq, 0x30); ok {
		key, rest, ok := element(rest, 0x03)
		if !ok || len(rest) != 0 || !bytes.Equal(alg, rsaOID) || len(key) == 0 || key[0] != 0 {
			return nil, nil, false
		}
		if seq, rest, ok = element(key[1:], 0x30); !ok || len(rest) != 0 {
			return nil, nil, false
		}
	}
	n, rest, ok1 := positive(seq)
	e, rest, ok2 := positive(rest)
	return n, e, ok1 && ok2 && len(rest) == 0
}

// element reads one DER element with the given tag (RFC 8017, section 2 uses
// X.690): definite length in its shortest form.
func element(der []byte, tag byte) (body, rest []byte, ok bool) {
	if len(der) < 2 || der[0] != tag {
		return nil, nil, false
	}
	n, at := int(der[1]), 2
	if n >= 0x80 {
		k := n & 0x7f
		// Three octets of length: 16 MiB, more than any p= can hold.
		if k == 0 || k > 3 || len(der) < 2+k || der[2] == 0 {
			return nil, nil, false
		}
		n = 0
		for _, c := range der[2 : 2+k] {
			n = n<<8 | int(c)
		}
		if n < 0x80 {
			return nil, nil, false
		}
		at += k
	}
	if len(der)-at < n {
		return nil, nil, false
	}
	return der[at : at+n], der[at+n:], true
}

// positive reads a DER INTEGER over zero and strips the octet that keeps its sign.
func positive(der []byte) (n, rest []byte, ok bool) {
	n, rest, ok = element(der, 0x02)
	if !ok || len(n) == 0 || n[0]&0x80 != 0 {
		return nil, nil, false
	}
	if n[0] == 0 {
		if n = n[1:]; len(n) == 0 || n[0]&0x80 == 0 {
			return nil, nil, false
		}
	}
	return n, rest, true
}

// CheckRSA judges modulus and exponent (big-endian, no leading zero) before
// any arithmetic is done with them (decision 23): the length first, because
// that is what a hostile key makes expensive.
func CheckRSA(n, e []byte, b Bounds) (modulusBits int, err error) {
	if len(n) == 0 || len(e) == 0 {
		return 0, ErrKeyUnsafe
	}
	modulusBits = (len(n)-1)*8 + bits.Len8(n[0])
	switch exp, ok := exponent(e); {
	case modulusBits > b.max():
		return modulusBits, fmt.Errorf("%w: %d bits, limit %d", ErrKeyLong, modulusBits, b.max())
	case !ok || exp < 3 || exp&1 == 0:
		return modulusBits, fmt.Errorf("%w: exponent", ErrKeyUnsafe)
	case n[len(n)-1]&1 == 0:
		return modulusBits, fmt.Errorf("%w: even modulus", ErrKeyUnsafe)
	case modulusBits < b.min():
		return modulusBits, fmt.Errorf("%w: %d bits, at least %d", ErrKeyShort, modulusBits, b.min())
	}
	return modulusBits, nil
}

// exponent: at most 2^31-1, which is also what crypto/rsa takes.
func exponent(e []byte) (int, bool) {
	if len(e) > 4 || len(e) == 4 && e[0]&0x80 != 0 {
		return 0, false
	}
	v := 0
	for _, c := range e {
		v = v<<8 | int(c)
	}
	return v, true
}

// newRSA makes the key, in one piece up to 2048 bits, which is what most have.
func newRSA(n, e []byte) *rsa.PublicKey {
	var k struct {
		key   rsa.PublicKey
		n     big.Int
		words [2048 / bits.UintSize]big.Word
	}
	k.key.N = &k.n
	k.key.E, _ = exponent(e)
	if len(n) > 2048/8 {
		k.n.SetBytes(n)
		return &k.key
	}
	words := k.words[:0]
	for ; len(n) >= wordSize; n = n[:len(n)-wordSize] {
		words = append(words, lastWord(n))
	}
	if len(n) > 0 {
		var first [wordSize]byte
		copy(first[wordSize-len(n):], n)
		words = append(words, lastWord(first[:]))
	}
	k.n.SetBits(words)
	return &k.key
}

// lastWord reads the end of a big-endian number.
func lastWord(n []byte) big.Word {
	if wordSize == 4 {
		return big.Word(binary.BigEndian.Uint32(n[len(n)-4:]))
	}
	return big.Word(binary.BigEndian.Uint64(n[len(n)-8:]))
}

const wordSize = bits.UintSize / 8

// lowOrder lists, sign bit cleared, the y coordinates of the points whose order
// divides 8. With such a key one signature can verify for every message: it is
// no proof of anything. RFC 8032, section 5.1.7 does not make a verifier refuse them.
var lowOrder = [5][32]byte{
	{0: 0x00}, // order 4
	{0: 0x01}, // order 1, the identity; with the sign bit not canonical
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}, // order 8
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}, // order 8
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, // order 2: p-1
}

// CheckEd25519 judges the 32 octets of an Ed25519 public key.
func CheckEd25519(key []byte) error {
	if why := checkEd25519(key); why != "" {
		return fmt.Errorf("%w: %s", ErrKeyUnsafe, why)
	}
	return nil
}

// checkEd25519 returns why 32 octets must not serve as a key, or "". That they
// are a point of the curve at all is left to crypto/ed25519, which then says
// that the signature does not verify.
func checkEd25519(key []byte) string {
	var y [32]byte
	copy(y[:], key)
	y[31] &= 0x7f
	for i := range lowOrder {
		if y == lowOrder[i] {
			return "Ed25519 point of low order"
		}
	}
	// y is little-endian and has to be below p = 2^255-19.
	if y[31] == 0x7f && y[0] >= 0xed {
		for _, c := range y[1:31] {
			if c != 0xff {
				return ""
			}
		}
		return "Ed25519 point not canonical"
	}
	return ""
}
