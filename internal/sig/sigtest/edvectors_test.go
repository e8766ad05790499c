package sigtest

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"

	"github.com/stretchr/testify/require"
)

var edOID = []byte("\x06\x03\x2b\x65\x70")

// edSecret is the scalar and the prefix of a key (RFC 8032, section 5.1.5).
func edSecret() (a *big.Int, prefix []byte) {
	h := sha512.Sum512(Ed25519().Seed())
	h[0] &= 248
	h[31] &= 127
	h[31] |= 64
	return fromLittleEndian(h[:32]), h[32:]
}

func edPublic() []byte { return Ed25519().Public().(ed25519.PublicKey) }

func edRecord(key []byte) string {
	return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key)
}

// scalar reduces r + k*a.
func scalar(r, k, a *big.Int) *big.Int {
	s := new(big.Int).Mul(k, a)
	return s.Add(s, r).Mod(s, orderL)
}

// edSign signs with a secret scalar for the octets of any public key, with
// R = rB + add.
func edSign(secret, r *big.Int, public []byte, add point, message []byte) []byte {
	point := basePoint().times(r).add(add).octets()
	return append(point, littleEndian(scalar(r, challenge(point, public, message), secret))...)
}

func (g *maker) ed(id, comment, want string, key []byte, f func(d []byte) []byte) {
	g.add(Vector{ID: id, Comment: comment, Algorithm: "ed25519-sha256", Record: edRecord(key), Want: want}, b64(f), edHolds(key))
}

// ed25519Signatures are signatures under an ordinary key.
func (g *maker) ed25519Signatures() {
	key, public := Ed25519(), edPublic()
	a, _ := edSecret()
	require.Equal(g.t, public, basePoint().times(a).octets())
	sign := func(d []byte) []byte { return ed25519.Sign(key, d) }
	edit := func(id, comment, want string, f func(s []byte) []byte) {
		g.ed(id, comment, want, public, func(d []byte) []byte { return f(sign(d)) })
	}
	g.ed("ed25519/valid", "", "pass", public, sign)
	r := (&stream{name: "nonce"}).below(orderL)
	g.ed("ed25519/other nonce", "R is not derived as RFC 8032 has a signer do it, and nobody can tell", "pass", public,
		func(d []byte) []byte { return edSign(a, r, public, identity, d) })

	setS := func(id, comment, want string, f func(s *big.Int) *big.Int) {
		edit("s/"+id, comment, want, func(s []byte) []byte { return append(s[:32:32], littleEndian(f(fromLittleEndian(s[32:])))...) })
	}
	plus := func(n int64) func(*big.Int) *big.Int {
		return func(s *big.Int) *big.Int { return s.Add(s, new(big.Int).Mul(orderL, big.NewInt(n))) }
	}
	setS("plus L", "RFC 8032, section 5.1.7 has S below L, or everybody makes a second signature", "ErrSignature", plus(1))
	setS("plus 2L", "", "ErrSignature", plus(2))
	setS("plus 3L", "", "ErrSignature", plus(3))
	setS("plus 7L", "below 2^255", "ErrSignature", plus(7))
	setS("plus 14L", "", "ErrSignature", plus(14))
	setS("L-S", "", "ErrSignature", func(s *big.Int) *big.Int { return s.Sub(orderL, s) })
	setS("L", "", "ErrSignature", func(*big.Int) *big.Int { return orderL })
	setS("0", "", "ErrSignature", func(*big.Int) *big.Int { return new(big.Int) })
	setS("1", "", "ErrSignature", func(*big.Int) *big.Int { return one })
	for _, bit := range []int{253, 254, 255} {
		setS(fmt.Sprintf("bit %d", bit), "", "ErrSignature", func(s *big.Int) *big.Int { return s.SetBit(s, bit, 1) })
	}
	setS("reversed", "big-endian", "ErrSignature", func(s *big.Int) *big.Int { return fromLittleEndian(s.FillBytes(make([]byte, 32))) })

	edit("r/last bit", "", "ErrSignature", func(s []byte) []byte { s[0] ^= 1; return s })
	edit("r/sign", "-R", "ErrSignature", func(s []byte) []byte { s[31] ^= 0x80; return s })
	edit("r/swapped with S", "", "ErrSignature", func(s []byte) []byte { return slices.Concat(s[32:], s[:32]) })
	edit("r/zeros", "a point of order 4", "ErrSignature", func(s []byte) []byte { clear(s[:32]); return s })
	edit("r/ones", "no point of the curve", "ErrSignature", func(s []byte) []byte {
		return append(bytes.Repeat([]byte{0xff}, 32), s[32:]...)
	})
	// The owner can have R = identity by taking zero as the nonce; each spelling has its own k.
	for i, spelling := range identity.spellings() {
		id, want := fmt.Sprintf("r/identity, spelling %d", i), "ErrSignature"
		comment := "R is compared as octets with the canonical form of what it should be"
		if i == 0 {
			id, want = "r/identity", "pass"
			comment = "the nonce is 0: it tells the key, which is the owner's business; RFC 8032, section 5.1.7 lets R be any point"
		}
		g.ed(id, comment, want, public, func(d []byte) []byte {
			return append(slices.Clone(spelling), littleEndian(scalar(new(big.Int), challenge(spelling, public, d), a))...)
		})
	}
	edit("length/ed25519 63", "", "ErrSignatureData", func(s []byte) []byte { return s[:63] })
	edit("length/ed25519 65", "", "ErrSignatureData", func(s []byte) []byte { return append(s, 0) })
	edit("length/ed25519 32", "", "ErrSignatureData", func(s []byte) []byte { return s[:32] })
	edit("length/ed25519 0", "", "ErrSignatureData", func([]byte) []byte { return nil })
	edit("length/ed25519 128", "", "ErrSignatureData", func(s []byte) []byte { return append(s, s...) })
	edit("length/ed25519 hexadecimal", "", "ErrSignatureData", func(s []byte) []byte { return []byte(hex.EncodeToString(s)) })
	edit("ed25519/zeros", "", "ErrSignature", func([]byte) []byte { return make([]byte, 64) })
	edit("ed25519/ones", "", "ErrSignature", func([]byte) []byte { return bytes.Repeat([]byte{0xff}, 64) })

	g.ed("ed25519/other message", "", "ErrSignature", public, func([]byte) []byte { return sign(make([]byte, 32)) })
	g.ed("ed25519/hash of the hash", "Ed25519 over SHA-256 of what is to be signed", "ErrSignature", public, func(d []byte) []byte {
		return sign(digest32(d))
	})
	g.ed("ed25519/hexadecimal digest", "", "ErrSignature", public, func(d []byte) []byte { return sign([]byte(hex.EncodeToString(d))) })
	g.ed("ed25519/Ed25519ph", "another algorithm: RFC 8463, section 3 has PureEdDSA over the hash", "ErrSignature", public, func(d []byte) []byte {
		sum := sha512.Sum512(d)
		s, err := key.Sign(nil, sum[:], crypto.SHA512)
		require.NoError(g.t, err)
		return s
	})
	g.ed("ed25519/Ed25519ctx", "", "ErrSignature", public, func(d []byte) []byte {
		s, err := key.Sign(nil, d, &ed25519.Options{Context: "DKIM"})
		require.NoError(g.t, err)
		return s
	})
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	g.ed("ed25519/other key", "", "ErrSignature", public, func(d []byte) []byte { return ed25519.Sign(other, d) })
}

func digest32(d []byte) []byte { return digest("-sha256", string(d)) }

// ed25519Keys are octets that must not be a key.
func (g *maker) ed25519Keys() {
	key, public := Ed25519(), edPublic()
	sign := func(d []byte) []byte { return ed25519.Sign(key, d) }
	torsion := lowOrderPoints()
	for i, p := range torsion {
		order := map[int]int{0: 1, 4: 2, 2: 4, 6: 4}[i]
		if order == 0 {
			order = 8
		}
		for j, spelling := range p.spellings() {
			id := fmt.Sprintf("low order/%d, point %d, spelling %d", order, i, j)
			comment := "everybody finds a signature for any message; this one is good by the equation"
			if j > 0 {
				comment += ", and the key is not in its canonical form"
			}
			g.ed(id, comment, "ErrKeyUnsafe", spelling, func(d []byte) []byte {
				for n := int64(1); ; n++ {
					r := big.NewInt(n)
					s := edSign(new(big.Int), r, spelling, identity, d)
					if p.times(challenge(s[:32], spelling, d)).equal(identity) {
						return s
					}
				}
			})
		}
	}
	g.ed("low order/R and S of nothing", "R is the identity and S is 0: the signature of every message", "ErrKeyUnsafe", identity.octets(),
		func([]byte) []byte { return append(identity.octets(), make([]byte, 32)...) })
	for n := int64(2); n < 19; n++ {
		for sign := range uint(2) {
			b := littleEndian(new(big.Int).Add(fieldP, big.NewInt(n)))
			b[31] |= byte(sign << 7)
			if p, ok := decodePoint(b); !ok || p.times(big.NewInt(8)).equal(identity) {
				continue
			}
			g.ed(fmt.Sprintf("not canonical/p+%d, sign %d", n, sign), "a point of large order whose y is p or more: RFC 8032, section 5.1.3, step 1; nobody knows its secret",
				"ErrKeyUnsafe", b, func(d []byte) []byte { return sign64(key, d) })
		}
	}
	for y := int64(2); ; y++ {
		b := littleEndian(big.NewInt(y))
		if _, ok := decodePoint(b); !ok {
			g.ed(fmt.Sprintf("not a point/y=%d", y), "the record is well-formed, and no signature verifies", "ErrSignature", b, sign)
			break
		}
	}
	// y = p+n where y = n is no point: the encoding is refused before the curve is asked.
	for n := int64(2); n < 19; n++ {
		if _, ok := decodePoint(littleEndian(big.NewInt(n))); !ok {
			g.ed(fmt.Sprintf("not a point/y=p+%d", n), "", "ErrKeyUnsafe", littleEndian(new(big.Int).Add(fieldP, big.NewInt(n))), sign)
			break
		}
	}
	g.ed("key length/0 after white space", "an empty p= revokes the key", "ErrKeyRevoked", nil, sign)
	g.ed("key length/1", "", "ErrKeySyntax", public[:1], sign)
	g.ed("key length/31", "", "ErrKeySyntax", public[:31], sign)
	g.ed("key length/33", "", "ErrKeySyntax", append(slices.Clone(public), 0), sign)
	g.ed("key length/33, 04 first", "", "ErrKeySyntax", append([]byte{4}, public...), sign)
	g.ed("key length/33, 40 first", "the prefix that OpenPGP has", "ErrKeySyntax", append([]byte{0x40}, public...), sign)
	g.ed("key length/64", "the private key as many libraries keep it", "ErrKeySyntax", key, sign)
	g.ed("key length/64, twice", "", "ErrKeySyntax", append(slices.Clone(public), public...), sign)
	g.ed("key length/57", "as long as an Ed448 key", "ErrKeySyntax", append(slices.Clone(public), make([]byte, 25)...), sign)
	g.ed("key/wrapped", "a SubjectPublicKeyInfo (RFC 8410); RFC 8463, section 4.2 has the octets of the key alone", "ErrKeySyntax", spkiOf(public, edOID), sign)
	g.ed("key/wrapped with NULL", "", "ErrKeySyntax", spkiOf(public, edOID, null), sign)
	g.ed("key/in an OCTET STRING", "", "ErrKeySyntax", tlv(4, public), sign)
	g.ed("key/in a BIT STRING", "", "ErrKeySyntax", tlv(3, []byte{0}, public), sign)
	g.ed("key/32 octets in hexadecimal", "", "ErrKeySyntax", []byte(hex.EncodeToString(public)), sign)
	reversed := slices.Clone(public)
	slices.Reverse(reversed)
	g.ed("key/reversed", "big-endian", "ErrSignature", reversed, sign)
	negated := slices.Clone(public)
	negated[31] ^= 0x80
	g.ed("key/negated", "-A", "ErrSignature", negated, sign)
	a, _ := edSecret()
	montgomery := func() []byte { // u = (1+y)/(1-y)
		p := basePoint().times(a)
		return littleEndian(mulP(new(big.Int).Add(one, p.y), inverse(modP(new(big.Int).Sub(one, p.y)), fieldP)))
	}
	g.ed("key/X25519", "the same point on the other form of the curve", "ErrSignature", montgomery(), sign)
}

func sign64(key ed25519.PrivateKey, d []byte) []byte { return ed25519.Sign(key, d) }

// ed25519Cofactor are signatures on which verifiers differ: RFC 8032, section
// 5.1.7 has the equation times 8, and allows the stronger one without. We check
// the one without, as most do; whoever makes one that only holds times 8 gets a fail.
func (g *maker) ed25519Cofactor() {
	a, _ := edSecret()
	public := edPublic()
	torsion := lowOrderPoints()
	eight := big.NewInt(8)
	// find tries nonces until k and the number of the point in R fit.
	find := func(key []byte, j int, fits func(k int64) bool) func(d []byte) []byte {
		return func(d []byte) []byte {
			for n := int64(1); ; n++ {
				s := edSign(a, big.NewInt(n), key, torsion[j], d)
				if k := challenge(s[:32], key, d); fits(new(big.Int).Mod(k, eight).Int64()) {
					return s
				}
			}
		}
	}
	any := func(int64) bool { return true }
	const times8 = "holds only when multiplied by 8: some take it, we do not"
	for _, j := range []int{1, 2, 4} {
		g.ed(fmt.Sprintf("cofactor/R plus point %d", j), times8, "ErrSignature", public, find(public, j, any))
		mixed := basePoint().times(a).add(torsion[j]).octets()
		order := int64(8 / j)
		g.ed(fmt.Sprintf("cofactor/A plus point %d, even", j), "the key has a small part that its signature leaves out by chance; only the owner makes it, and the equation holds", "pass",
			mixed, find(mixed, 0, func(k int64) bool { return k%order == 0 }))
		g.ed(fmt.Sprintf("cofactor/A plus point %d, odd", j), "the same key with another nonce; "+times8, "ErrSignature",
			mixed, find(mixed, 0, func(k int64) bool { return k%order != 0 }))
		g.ed(fmt.Sprintf("cofactor/A and R plus point %d", j), "the small parts cancel each other", "pass",
			mixed, find(mixed, j, func(k int64) bool { return (k+1)*int64(j)%8 == 0 }))
	}
}

// confusion pairs each algorithm with the other's key.
func (g *maker) confusion() {
	k, public := g.key, edPublic()
	ed := func(d []byte) []byte { return ed25519.Sign(Ed25519(), d) }
	add := func(id, comment, algorithm, want, record string, f func([]byte) []byte) {
		g.add(Vector{ID: "confusion/" + id, Comment: comment, Algorithm: algorithm, Record: record, Want: want}, b64(f), func([]byte, string) bool { return false })
	}
	add("a=rsa, k=ed25519, RSA signature", "", "rsa-sha256", "ErrKeyType", edRecord(public), k.sign)
	add("a=rsa, k=ed25519, Ed25519 signature", "", "rsa-sha256", "ErrKeyType", edRecord(public), ed)
	add("a=ed25519, k=rsa, RSA signature", "its length betrays it", "ed25519-sha256", "ErrSignatureData", rsaRecord(spki(k)), k.sign)
	add("a=ed25519, k=rsa, Ed25519 signature", "", "ed25519-sha256", "ErrKeyType", rsaRecord(spki(k)), ed)
	short := newRSAKey("sixty-four", 512, k.e)
	add("a=ed25519, k=rsa, RSA signature of 64 octets", "", "ed25519-sha256", "ErrKeyType", rsaRecord(spki(short)), short.sign)
	add("a=ed25519, k= missing", "the default is rsa, and 32 octets are no RSA key", "ed25519-sha256", "ErrKeySyntax", "v=DKIM1; p="+base64.StdEncoding.EncodeToString(public), ed)
	add("a=rsa, k= missing, Ed25519 key", "", "rsa-sha256", "ErrKeySyntax", "v=DKIM1; p="+base64.StdEncoding.EncodeToString(public), ed)
	add("a=ed25519, k=ed25519, RSA key", "", "ed25519-sha256", "ErrKeySyntax", edRecord(spki(k)), ed)
	add("a=rsa, k=rsa, Ed25519 key", "", "rsa-sha256", "ErrKeySyntax", rsaRecord(public), k.sign)
	add("a=ed25519, k=Ed25519", "key types are case-sensitive, as a= is (decision 13)", "ed25519-sha256", "ErrKeyType", "v=DKIM1; k=Ed25519; p="+base64.StdEncoding.EncodeToString(public), ed)
	add("a=ed25519, k=ecdsa", "", "ed25519-sha256", "ErrKeyType", "v=DKIM1; k=ecdsa; p="+base64.StdEncoding.EncodeToString(public), ed)
	add("a=ed25519, h=sha1", "", "ed25519-sha256", "ErrKeyHash", edRecord(public)+"; h=sha1", ed)
}
