package sigtest

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
)

// rsaForgeries are signatures that anybody makes without a private key, if the
// verifier leaves something out of its sight.
func (g *maker) rsaForgeries() {
	k := newRSAKey("three", 2048, big.NewInt(3))
	size := k.size()
	add := func(id, comment, want string, f func(d []byte) []byte) {
		g.add(Vector{ID: id, Comment: comment, Algorithm: "rsa-sha256", Record: rsaRecord(spki(k)), Want: want}, b64(f), k.holds)
	}
	add("e=3/valid", "three is an odd exponent, and nobody can forge by it where the whole block is compared", "pass", k.sign)
	cube := func(s []byte) []byte {
		n := new(big.Int).SetBytes(s)
		return new(big.Int).Exp(n, big.NewInt(3), k.n).FillBytes(make([]byte, size))
	}
	prefixed := func(head []byte) []byte {
		want := append(head, make([]byte, size-len(head))...)
		for i := len(head); i < size; i++ {
			want[i] = 0xff
		}
		s := cubeRoot(new(big.Int).SetBytes(want)).FillBytes(make([]byte, size))
		require.Equal(g.t, head, cube(s)[:len(head)], "the forgery is what it says")
		return s
	}
	ff := func(n int) []byte { return append(append([]byte{0, 1}, slices.Repeat([]byte{0xff}, n)...), 0) }
	for _, n := range []int{0, 1, 8} {
		add(fmt.Sprintf("e=3/garbage after the hash, %d octets of padding", n), "a cube whose first octets are right (Bleichenbacher 2006)", "ErrSignature", func(d []byte) []byte {
			return prefixed(slices.Concat(ff(n), sha256Info, d))
		})
	}
	add("e=3/garbage after a bare hash", "without DigestInfo", "ErrSignature", func(d []byte) []byte {
		return prefixed(slices.Concat(ff(8), d))
	})
	// A cube can end in any odd number of 416 bits and begin at will, both at once.
	add("e=3/garbage before the hash", "a cube that begins with 00 01 and ends with 00, DigestInfo and hash: the padding is not looked at", "ErrSignature", func(d []byte) []byte {
		tail := slices.Concat([]byte{0}, sha256Info, d)
		mod := new(big.Int).Lsh(one, uint(8*len(tail)))
		low := cubeRootModulo(new(big.Int).SetBytes(tail), len(tail)*8)
		head := new(big.Int).Lsh(big.NewInt(0x01ffff), uint(8*(size-4)))
		s := cubeRoot(head)
		s.Sub(s, new(big.Int).Mod(s, mod)).Add(s, low)
		out := s.FillBytes(make([]byte, size))
		require.Equal(g.t, []byte{0, 1}, cube(out)[:2])
		require.Equal(g.t, tail, cube(out)[size-len(tail):], "the forgery is what it says")
		return out
	})
	add("e=3/garbage in the length", "the garbage is the length of the DigestInfo, of 200 octets (CVE-2014-1568)", "ErrSignature", func(d []byte) []byte {
		tail := slices.Concat(sha256Info[2:], d)
		mod := new(big.Int).Lsh(one, uint(8*len(tail)))
		low := cubeRootModulo(new(big.Int).SetBytes(tail), len(tail)*8)
		room := size - 3 - 8 - 2 - len(tail)
		head := slices.Concat(ff(8), []byte{0x30, 0x80 | byte(room&0x7f)})
		want := append(head, slices.Repeat([]byte{0x80}, size-len(head))...)
		s := cubeRoot(new(big.Int).SetBytes(want))
		s.Sub(s, new(big.Int).Mod(s, mod)).Add(s, low)
		out := s.FillBytes(make([]byte, size))
		require.Equal(g.t, head, cube(out)[:len(head)])
		require.Equal(g.t, tail, cube(out)[size-len(tail):], "the forgery is what it says")
		return out
	})
	add("e=3/root of the exact block", "the cube root, rounded down: near, and not it", "ErrSignature", func(d []byte) []byte {
		return cubeRoot(new(big.Int).SetBytes(encoded(size, sha256Info, d))).FillBytes(make([]byte, size))
	})
}

// cubeRoot is rounded down.
func cubeRoot(n *big.Int) *big.Int {
	lo, hi := new(big.Int), new(big.Int).Lsh(one, uint(n.BitLen()/3+2))
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

// cubeRootModulo is the root of an odd number modulo 2^bits, found bit by bit.
func cubeRootModulo(n *big.Int, bits int) *big.Int {
	x := big.NewInt(1)
	for i := 1; i < bits; i++ {
		if new(big.Int).Exp(x, big.NewInt(3), nil).Bit(i) != n.Bit(i) {
			x.SetBit(x, i, 1)
		}
	}
	return x
}

// rsaKeys are numbers that must not be a key.
func (g *maker) rsaKeys() {
	add := func(id, comment, want string, k *rsaKey, der []byte, f func(d []byte) []byte) {
		g.add(Vector{ID: id, Comment: comment, Algorithm: "rsa-sha256", Record: rsaRecord(der), Want: want}, b64(f), k.holds)
	}
	block := func(k *rsaKey) func(d []byte) []byte {
		return func(d []byte) []byte { return encoded(k.size(), sha256Info, d) }
	}
	// The octets of an ordinary modulus, with other exponents.
	k := g.key.with(big.NewInt(1))
	add("exponent/1", "the signature is the encoded message itself", "ErrKeyUnsafe", k, spki(k), block(k))
	k = g.key.with(new(big.Int))
	add("exponent/0", "", "ErrKeySyntax", k, spki(k), block(k))

	// Modulo these primes both messages are squares, so that an even exponent has a root.
	d := g.digests("rsa-sha256")
	lo := new(big.Int).Lsh(one, 2047)
	squares := newRSAKeyIn("squares", lo, new(big.Int).Lsh(lo, 1), big.NewInt(2), func(p *big.Int) bool {
		return p.Bit(1) == 1 && big.Jacobi(new(big.Int).SetBytes(encoded(256, sha256Info, d[0])), p) == 1 &&
			big.Jacobi(new(big.Int).SetBytes(encoded(256, sha256Info, d[1])), p) == 1
	})
	for _, shift := range []uint{1, 2, 16} {
		k := squares.with(new(big.Int).Lsh(one, shift))
		add(fmt.Sprintf("exponent/%d", k.e), "an even exponent (Rabin's scheme, once more and again): the signature is a root of that degree, and has others", "ErrKeyUnsafe", k, spki(k), func(d []byte) []byte {
			return k.root(func(i int, m *big.Int) *big.Int {
				p := k.primes[i]
				quarter := new(big.Int).Rsh(new(big.Int).Add(p, one), 2)
				for range shift {
					m.Exp(m, quarter, p)
				}
				return m
			}, encoded(k.size(), sha256Info, d))
		})
	}
	good := func(id, comment, want string, e *big.Int) {
		k := newRSAKey("exponent "+id, 2048, e)
		add("exponent/"+id, comment, want, k, spki(k), k.sign)
	}
	pow := func(bits uint, plus int64) *big.Int {
		return new(big.Int).Add(new(big.Int).Lsh(one, bits), big.NewInt(plus))
	}
	good("5", "", "pass", big.NewInt(5))
	good("17", "", "pass", big.NewInt(17))
	good("35", "odd and not prime", "pass", big.NewInt(35))
	good("2^31-1", "the largest that we take", "pass", pow(31, -1))
	good("2^31+11", "of four octets, the first of them 80", "ErrKeyUnsafe", pow(31, 11))
	good("2^32-5", "", "ErrKeyUnsafe", pow(32, -5))
	good("2^32+15", "cut to 32 bits it is 15", "ErrKeyUnsafe", pow(32, 15))
	good("2^64+13", "cut to 64 bits it is 13", "ErrKeyUnsafe", pow(64, 13))
	good("as long as n", "verifying costs what signing costs", "ErrKeyUnsafe", pow(2046, 27))

	modulus := func(id, comment, want string, k *rsaKey) { add("modulus/"+id, comment, want, k, spki(k), k.sign) }
	modulus("even", "", "ErrKeyUnsafe", ofPrimes(append(newRSAKey("even", 2047, g.key.e).primes, big.NewInt(2)), g.key.e))
	modulus("divisible by 5", "that the factors are secret is the owner's business; whoever looks for weak keys has KeyPolicy", "pass",
		ofPrimes(append(newRSAKey("five", 2046, g.key.e).primes, big.NewInt(5)), g.key.e))
	modulus("prime", "everybody can sign with it, by its owner's doing; see above", "pass", g.prime())
	ints := func(id, comment, want string, n []byte) {
		add("modulus/"+id, comment, want, g.key, spkiOf(tlv(0x30, n, number(g.key.e)), rsaEncryption, null), g.key.sign)
	}
	ints("negative", "the octet that keeps the sign is missing", "ErrKeySyntax", tlv(2, g.key.n.Bytes()))
	ints("one zero too many", "BER, not DER", "ErrKeySyntax", tlv(2, []byte{0, 0}, g.key.n.Bytes()))
	ints("empty", "", "ErrKeySyntax", []byte{2, 0})
	ints("0", "", "ErrKeySyntax", number(new(big.Int)))
	ints("1", "", "ErrKeyShort", number(one))
	ints("15", "", "ErrKeyShort", number(big.NewInt(15)))
	ints("a BIT STRING", "", "ErrKeySyntax", tlv(3, []byte{0}, g.key.n.Bytes()))
	exps := func(id, comment, want string, e []byte) {
		add("exponent/"+id, comment, want, g.key, spkiOf(tlv(0x30, number(g.key.n), e), rsaEncryption, null), g.key.sign)
	}
	exps("negative", "-65537", "ErrKeySyntax", []byte{2, 3, 0xfe, 0xff, 0xff})
	exps("-1", "", "ErrKeySyntax", []byte{2, 1, 0xff})
	exps("one zero too many", "BER, not DER", "ErrKeySyntax", []byte{2, 4, 0, 1, 0, 1})
	exps("empty", "", "ErrKeySyntax", []byte{2, 0})
	exps("missing", "", "ErrKeySyntax", nil)
}

// prime is a key whose modulus is one prime.
func (g *maker) prime() *rsaKey {
	p := new(big.Int).Add(new(big.Int).Lsh(one, 1023), big.NewInt(1155)) // the smallest prime of 1024 bits
	require.True(g.t, p.ProbablyPrime(20))
	return ofPrimes([]*big.Int{p}, big.NewInt(65537))
}

// rsaLengths are keys at and beyond the limits.
func (g *maker) rsaLengths() {
	add := func(bits, allowed int, comment, want string, e *big.Int) {
		id := fmt.Sprintf("bits/%d", bits)
		if allowed != 0 {
			id += fmt.Sprintf(", %d allowed", allowed)
		}
		k := newRSAKey(fmt.Sprint("bits ", bits), bits, e)
		sign := k.sign
		if bits > 8192 {
			// A signature of that length is refused before its key is asked for. This
			// one is not, so that it is the key that has to be refused.
			g.add(Vector{ID: id + ", its signature", Comment: "b= is longer than any key that can be allowed makes", Algorithm: "rsa-sha256",
				Record: rsaRecord(spki(k)), MaxBits: allowed, Want: "ErrSignatureData"}, b64(sign), k.holds)
			sign = func(d []byte) []byte { return k.sign(d)[:1024] }
		}
		g.add(Vector{ID: id, Comment: comment, Algorithm: "rsa-sha256", Record: rsaRecord(spki(k)), MaxBits: allowed, Want: want}, b64(sign), k.holds)
	}
	e := big.NewInt(65537)
	for _, bits := range []int{512, 768, 1008, 1016, 1023} {
		add(bits, 0, "RFC 8301, section 3.2", "ErrKeyShort", e)
	}
	for _, bits := range []int{1024, 1025, 1536, 2047, 3072, 4095, 4096} {
		add(bits, 0, "", "pass", e)
	}
	for _, bits := range []int{4097, 4104, 8192} {
		add(bits, 0, "", "ErrKeyLong", e)
	}
	const any = 1 << 30
	add(4096, 2048, "", "ErrKeyLong", e)
	add(4097, 8192, "", "pass", e)
	add(8192, 8192, "", "pass", e)
	add(8192, any, "no option allows more than 8192", "pass", e)
	add(8193, any, "no option allows more than 8192", "ErrKeyLong", e)
	add(16384, any, "the most expensive exponent that could be allowed: refused by its length", "ErrKeyLong", big.NewInt(1<<31-1))
	add(24000, any, "p= can hold no larger one", "ErrKeyLong", e)
	add(25000, any, "p= is longer than 4096 characters", "ErrKeySyntax", e)
}

// rsaEncodings are other ways to write the same key, and other things to publish as one.
func (g *maker) rsaEncodings() {
	k := g.key
	add := func(id, comment, want, record string) {
		g.add(Vector{ID: "key/" + id, Comment: comment, Algorithm: "rsa-sha256", Record: record, Want: want}, b64(k.sign), k.holds)
	}
	der := func(id, comment, want string, der []byte) { add(id, comment, want, rsaRecord(der)) }
	p1, alg := pkcs1(k), tlv(0x30, rsaEncryption, null)
	bits := append([]byte{0}, p1...)

	der("SubjectPublicKeyInfo", "", "pass", spki(k))
	der("RSAPublicKey", "what RFC 6376, section 3.6.1 names", "pass", p1)
	der("algorithm without NULL", "", "ErrKeySyntax", spkiOf(p1, rsaEncryption))
	der("algorithm with two NULLs", "", "ErrKeySyntax", spkiOf(p1, rsaEncryption, null, null))
	der("algorithm with NULL of content", "", "ErrKeySyntax", spkiOf(p1, rsaEncryption, []byte{5, 1, 0}))
	der("algorithm with a SEQUENCE", "", "ErrKeySyntax", spkiOf(p1, rsaEncryption, []byte{0x30, 0}))
	der("algorithm empty", "", "ErrKeySyntax", spkiOf(p1))
	for _, o := range []struct{ name, oid string }{
		{"RSASSA-PSS", "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"}, {"RSAES-OAEP", "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07"},
		{"sha256WithRSAEncryption", "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"}, {"sha1WithRSAEncryption", "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"},
		{"rsa of X.500", "\x06\x04\x55\x08\x01\x01"}, {"Ed25519", "\x06\x03\x2b\x65\x70"},
	} {
		der("algorithm "+o.name, "an RSA key under another name", "ErrKeySyntax", spkiOf(p1, []byte(o.oid), null))
	}
	der("PSS without parameters", "", "ErrKeySyntax", spkiOf(p1, []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")))

	whole := spki(k)
	body := whole[4:]
	long := func(tag byte, form []byte, body []byte) []byte { return slices.Concat([]byte{tag}, form, body) }
	n := len(body)
	der("outer length in three octets", "BER, not DER", "ErrKeySyntax", long(0x30, []byte{0x83, 0, byte(n >> 8), byte(n)}, body))
	der("outer length in four octets", "", "ErrKeySyntax", long(0x30, []byte{0x84, 0, 0, byte(n >> 8), byte(n)}, body))
	der("outer length in eight octets", "", "ErrKeySyntax", long(0x30, []byte{0x88, 0, 0, 0, 0, 0, 0, byte(n >> 8), byte(n)}, body))
	der("outer length 2^64+", "a length that overflows to the right one", "ErrKeySyntax", long(0x30, []byte{0x89, 1, 0, 0, 0, 0, 0, 0, byte(n >> 8), byte(n)}, body))
	der("outer length 2^32+", "", "ErrKeySyntax", long(0x30, []byte{0x85, 1, 0, 0, byte(n >> 8), byte(n)}, body))
	der("outer length reserved", "the length octet ff", "ErrKeySyntax", long(0x30, []byte{0xff}, body))
	der("outer length indefinite", "BER", "ErrKeySyntax", long(0x30, []byte{0x80}, append(body[:n:n], 0, 0)))
	der("outer length 1 too long", "", "ErrKeySyntax", long(0x30, []byte{0x82, byte((n + 1) >> 8), byte(n + 1)}, body))
	der("outer length 1 too short", "", "ErrKeySyntax", long(0x30, []byte{0x82, byte((n - 1) >> 8), byte(n - 1)}, body))
	der("outer SET", "", "ErrKeySyntax", long(0x31, whole[1:4], body))
	der("algorithm length long form", "", "ErrKeySyntax", tlv(0x30, long(0x30, []byte{0x81, 13}, alg[2:]), tlv(3, bits)))
	der("algorithm indefinite", "", "ErrKeySyntax", tlv(0x30, long(0x30, []byte{0x80}, append(alg[2:len(alg):len(alg)], 0, 0)), tlv(3, bits)))
	der("bit string length long form", "", "ErrKeySyntax", tlv(0x30, alg, long(3, []byte{0x83, 0, byte(len(bits) >> 8), byte(len(bits))}, bits)))
	der("bit string constructed", "", "ErrKeySyntax", tlv(0x30, alg, tlv(0x23, tlv(3, bits))))
	der("bit string indefinite", "", "ErrKeySyntax", tlv(0x30, alg, long(0x23, []byte{0x80}, append(tlv(3, bits), 0, 0))))
	der("bit string with unused bits", "", "ErrKeySyntax", tlv(0x30, alg, tlv(3, []byte{1}, p1)))
	der("bit string of 8 unused bits", "", "ErrKeySyntax", tlv(0x30, alg, tlv(3, []byte{8}, p1)))
	der("bit string empty", "", "ErrKeySyntax", tlv(0x30, alg, []byte{3, 0}))
	der("bit string of nothing", "", "ErrKeySyntax", tlv(0x30, alg, []byte{3, 1, 0}))
	der("octet string", "04 in place of 03", "ErrKeySyntax", tlv(0x30, alg, tlv(4, bits)))
	der("inner length long form", "", "ErrKeySyntax", spkiOf(long(0x30, []byte{0x83, 0, p1[2], p1[3]}, p1[4:]), rsaEncryption, null))
	der("inner indefinite", "", "ErrKeySyntax", spkiOf(long(0x30, []byte{0x80}, append(p1[4:len(p1):len(p1)], 0, 0)), rsaEncryption, null))
	der("RSAPublicKey indefinite", "", "ErrKeySyntax", long(0x30, []byte{0x80}, append(p1[4:len(p1):len(p1)], 0, 0)))
	der("modulus length long form", "", "ErrKeySyntax", spkiOf(tlv(0x30, long(2, []byte{0x83, 0, 1, 1}, append([]byte{0}, k.n.Bytes()...)), number(k.e)), rsaEncryption, null))
	der("exponent length long form", "", "ErrKeySyntax", spkiOf(tlv(0x30, number(k.n), []byte{2, 0x81, 3, 1, 0, 1}), rsaEncryption, null))
	der("octet after the key", "", "ErrKeySyntax", append(spki(k), 0))
	der("octet after RSAPublicKey", "", "ErrKeySyntax", append(pkcs1(k), 0))
	der("element after the bit string", "", "ErrKeySyntax", tlv(0x30, alg, tlv(3, bits), null))
	der("octet after the inner key", "inside the bit string", "ErrKeySyntax", spkiOf(append(pkcs1(k), 0), rsaEncryption, null))
	der("three integers", "", "ErrKeySyntax", tlv(0x30, number(k.n), number(k.e), number(one)))
	der("version first", "as in an RSAPrivateKey", "ErrKeySyntax", tlv(0x30, number(new(big.Int)), number(k.n), number(k.e)))
	der("exponent first", "", "ErrKeyUnsafe", tlv(0x30, number(k.e), number(k.n)))
	der("last octet missing", "", "ErrKeySyntax", whole[:len(whole)-1])
	der("first 100 octets", "", "ErrKeySyntax", whole[:100])
	der("key in a key", "a SubjectPublicKeyInfo as the RSAPublicKey of another", "ErrKeySyntax", spkiOf(spki(k), rsaEncryption, null))
	der("octets n", "the modulus without any structure", "ErrKeySyntax", k.n.Bytes())
	der("SEQUENCE empty", "", "ErrKeySyntax", []byte{0x30, 0})
	der("zeros", "", "ErrKeySyntax", make([]byte, 64))
	der("elliptic curve key", "a P-256 key", "ErrKeySyntax", spkiOf(append([]byte{4}, (&stream{name: "ec"}).bytes(64)...),
		[]byte("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"), []byte("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07")))
	der("Ed25519 key wrapped", "", "ErrKeySyntax", spkiOf(edPublic(), edOID))
	der("private key", "an RSAPrivateKey, n and e and what nobody should see", "ErrKeySyntax", tlv(0x30, number(new(big.Int)), number(k.n), number(k.e), number(k.d[0])))
	der("certificate", "the key inside a SEQUENCE, as in a certificate", "ErrKeySyntax", tlv(0x30, spki(k)))

	text := base64.StdEncoding.EncodeToString(whole)
	add("PEM", "the armour is no base64", "ErrKeySyntax", "v=DKIM1; k=rsa; p=-----BEGIN PUBLIC KEY-----"+text+"-----END PUBLIC KEY-----")
	add("hexadecimal", "", "ErrKeySyntax", "v=DKIM1; k=rsa; p="+hex.EncodeToString(whole))
	add("base64 twice", "", "ErrKeySyntax", rsaRecord([]byte(text)))
	add("p= empty", "", "ErrKeyRevoked", "v=DKIM1; k=rsa; p=")
	add("p= missing", "", "ErrKeySyntax", "v=DKIM1; k=rsa")
	add("p= twice", "", "ErrKeySyntax", rsaRecord(whole)+"; p="+text)
	add("k= missing", "", "pass", strings.Replace(rsaRecord(whole), "k=rsa; ", "", 1))
	add("k=RSA", "", "ErrKeyType", strings.Replace(rsaRecord(whole), "k=rsa", "k=RSA", 1))
	add("h=sha1", "", "ErrKeyHash", rsaRecord(whole)+"; h=sha1")
}
