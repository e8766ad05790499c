package sigtest

import (
	"encoding/base64"
	"math/big"
	"slices"
)

// rsaKey is an RSA key of any shape. It has many small primes, because they are
// found fast and verifying does not see them: no such key is safe.
type rsaKey struct {
	n, e   *big.Int
	primes []*big.Int
	d      []*big.Int // for each prime, modulo prime-1
}

var one = big.NewInt(1)

// newRSAKey makes a key whose modulus has exactly that many bits.
func newRSAKey(name string, bits int, e *big.Int) *rsaKey {
	lo := new(big.Int).Lsh(one, uint(bits-1))
	return newRSAKeyIn(name, lo, new(big.Int).Lsh(lo, 1), e, func(p *big.Int) bool {
		return new(big.Int).GCD(nil, nil, e, new(big.Int).Sub(p, one)).Cmp(one) == 0
	})
}

// newRSAKeyIn makes a key with lo <= n < hi, of primes that please accept.
func newRSAKeyIn(name string, lo, hi, e *big.Int, accept func(p *big.Int) bool) *rsaKey {
	s := &stream{name: "rsa " + name}
	good := func(p *big.Int) bool { return p.ProbablyPrime(8) && accept(p) }
	const size = 256
	k := &rsaKey{n: big.NewInt(1)}
	for hi.BitLen()-k.n.BitLen() > 2*size {
		p := s.below(new(big.Int).Lsh(one, size-1))
		p.SetBit(p, size-1, 1).SetBit(p, 0, 1)
		for !good(p) {
			p.Add(p, big.NewInt(2))
		}
		k.primes = append(k.primes, p)
		k.n.Mul(k.n, p)
	}
	// The last one brings the product between the limits.
	from := new(big.Int).Div(new(big.Int).Add(lo, new(big.Int).Sub(k.n, one)), k.n)
	to := new(big.Int).Div(hi, k.n)
	for {
		p := s.below(new(big.Int).Sub(to, from))
		p.Add(p, from).SetBit(p, 0, 1)
		if n := new(big.Int).Mul(p, k.n); good(p) && n.Cmp(lo) >= 0 && n.Cmp(hi) < 0 {
			return ofPrimes(append(k.primes, p), e)
		}
	}
}

// ofPrimes makes a key; where e has no inverse it cannot sign.
func ofPrimes(primes []*big.Int, e *big.Int) *rsaKey {
	k := &rsaKey{n: big.NewInt(1), e: e, primes: primes}
	for _, p := range primes {
		k.n.Mul(k.n, p)
		k.d = append(k.d, inverse(e, new(big.Int).Sub(p, one)))
	}
	return k
}

func inverse(a, n *big.Int) *big.Int {
	if n.Cmp(one) == 0 {
		return new(big.Int)
	}
	return new(big.Int).ModInverse(a, n)
}

// with returns the key with another exponent.
func (k *rsaKey) with(e *big.Int) *rsaKey { return ofPrimes(k.primes, e) }

// canSign: the exponent has an inverse.
func (k *rsaKey) canSign() bool { return !slices.Contains(k.d, nil) }

// root applies a function modulo each prime and puts the results together.
func (k *rsaKey) root(f func(i int, m *big.Int) *big.Int, block []byte) []byte {
	m := new(big.Int).SetBytes(block)
	x, n := new(big.Int), big.NewInt(1)
	for i, p := range k.primes {
		r := f(i, new(big.Int).Mod(m, p))
		r.Sub(r, x).Mul(r, inverse(n, p)).Mod(r, p)
		x.Add(x, r.Mul(r, n))
		n.Mul(n, p)
	}
	return x.FillBytes(make([]byte, k.size()))
}

// size is how many octets the modulus has.
func (k *rsaKey) size() int { return (k.n.BitLen() + 7) / 8 }

// apply is the private operation on a block, without any rule about what is in it.
func (k *rsaKey) apply(block []byte) []byte {
	return k.root(func(i int, m *big.Int) *big.Int { return m.Exp(m, k.d[i], k.primes[i]) }, block)
}

// sign is a good signature.
func (k *rsaKey) sign(digest []byte) []byte {
	return k.apply(encoded(k.size(), sha256Info, digest))
}

// holds: s^e mod n is the encoded message.
func (k *rsaKey) holds(digest []byte, b string) bool {
	if k.n.Sign() <= 0 || k.size() < 64 {
		return false
	}
	return new(big.Int).Exp(new(big.Int).SetBytes(decode(b)), k.e, k.n).Cmp(new(big.Int).SetBytes(encoded(k.size(), sha256Info, digest))) == 0
}

// sha256Info is the DigestInfo of SHA-256 up to the hash (RFC 8017, section 9.2).
var sha256Info = []byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20")

// encoded is the encoded message of RFC 8017, section 9.2, with any DigestInfo.
func encoded(size int, info, digest []byte) []byte {
	t := append(info[:len(info):len(info)], digest...)
	em := make([]byte, size)
	em[1] = 1
	for i := 2; i < size-len(t)-1; i++ {
		em[i] = 0xff
	}
	copy(em[size-len(t):], t)
	return em
}

// tlv is a DER element.
func tlv(tag byte, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	n := len(body)
	head := []byte{tag}
	switch {
	case n < 0x80:
		head = append(head, byte(n))
	case n < 0x100:
		head = append(head, 0x81, byte(n))
	default:
		head = append(head, 0x82, byte(n>>8), byte(n))
	}
	return append(head, body...)
}

// number is a DER INTEGER that is not negative.
func number(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	return tlv(2, b)
}

var (
	rsaEncryption = []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
	null          = []byte{5, 0}
)

// pkcs1 is an RSAPublicKey (RFC 8017, section A.1.1).
func pkcs1(k *rsaKey) []byte { return tlv(0x30, number(k.n), number(k.e)) }

// spkiOf is a SubjectPublicKeyInfo around a key of any kind.
func spkiOf(key []byte, algorithm ...[]byte) []byte {
	return tlv(0x30, tlv(0x30, algorithm...), tlv(3, append([]byte{0}, key...)))
}

func spki(k *rsaKey) []byte { return spkiOf(pkcs1(k), rsaEncryption, null) }

// rsaRecord publishes octets as an RSA key.
func rsaRecord(der []byte) string {
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}
