package sigtest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"math/big"
	"slices"

	"github.com/stretchr/testify/require"
)

// rsaSignatures are signatures under an ordinary key whose encoded message, or
// whose number, is not quite what RFC 8017, section 8.2.2 wants.
func (g *maker) rsaSignatures() {
	k, size := g.key, g.key.size()
	record := rsaRecord(spki(k))
	raw := func(id, comment, want string, f func(d []byte) []byte) {
		g.add(Vector{ID: id, Comment: comment, Algorithm: "rsa-sha256", Record: record, Want: want}, b64(f), k.holds)
	}
	// block has a private key applied to a block of any content.
	block := func(id, comment string, f func(d []byte) []byte) {
		raw(id, comment, "ErrSignature", func(d []byte) []byte {
			b := f(d)
			require.Len(g.t, b, size, id)
			return k.apply(b)
		})
	}
	edit := func(id, comment string, f func(em []byte)) {
		block(id, comment, func(d []byte) []byte {
			em := encoded(size, sha256Info, d)
			f(em)
			return em
		})
	}
	info := func(id, comment string, info []byte) {
		block(id, comment, func(d []byte) []byte { return encoded(size, info, d) })
	}
	zero := size - len(sha256Info) - 32 - 1 // where the padding ends

	raw("rsa/valid", "", "pass", k.sign)

	edit("padding/type 0, zeros", "", func(em []byte) { clear(em[1:zero]) })
	edit("padding/type 0, ones", "", func(em []byte) { em[1] = 0 })
	edit("padding/type 2", "the block type of encryption", func(em []byte) { em[1] = 2 })
	edit("padding/first octet 1", "00 is missing: 01 01", func(em []byte) { em[0] = 1 })
	edit("padding/type first", "the block begins with 01 and not with 00 01", func(em []byte) {
		copy(em, em[1:])
		em[zero-1], em[zero] = 0xff, 0
	})
	for _, p := range []struct {
		name string
		at   int
	}{{"first", 2}, {"middle", zero / 2}, {"last", zero - 1}} {
		edit("padding/fe "+p.name, "one octet of the padding is not ff", func(em []byte) { em[p.at] = 0xfe })
		edit("padding/00 "+p.name, "the padding has a 00 in it", func(em []byte) { em[p.at] = 0 })
	}
	edit("padding/no separator", "ff in place of the 00 before the DigestInfo", func(em []byte) { em[zero] = 0xff })
	edit("padding/separator 01", "", func(em []byte) { em[zero] = 1 })
	edit("padding/random", "non-zero octets in place of ff, as for encryption", func(em []byte) {
		for i, c := range (&stream{name: "padding"}).bytes(zero - 2) {
			em[2+i] = c | 1
		}
	})
	edit("padding/all zero", "", func(em []byte) { clear(em[2:zero]) })
	for _, n := range []int{0, 1, 7, 8} {
		for _, f := range []struct {
			name string
			fill byte
		}{{"zeros", 0}, {"ones", 0xff}} {
			block("garbage/"+string(rune('0'+n))+" octets of padding, then "+f.name, "short padding, and what follows the hash is not looked at (Bleichenbacher 2006)", func(d []byte) []byte {
				em := append(append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, n)...), 0)
				em = append(append(em, sha256Info...), d...)
				return append(em, bytes.Repeat([]byte{f.fill}, size-len(em))...)
			})
		}
	}
	block("garbage/one octet after the hash", "", func(d []byte) []byte {
		return append(encoded(size-1, sha256Info, d), 0)
	})
	block("garbage/in the parameters", "the NULL is an element with content, and the padding is short", func(d []byte) []byte {
		room := size - 3 - 8 - 4 - 4 - 11 - 4 - 34
		junk := append([]byte{0x05, 0x81, byte(room)}, bytes.Repeat([]byte{'A'}, room)...)
		alg := append([]byte("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"), junk...)
		seq := append([]byte{0x30, 0x81, byte(len(alg))}, alg...)
		body := append(append(seq, 0x04, 0x20), d...)
		t := append([]byte{0x30, 0x81, byte(len(body))}, body...)
		em := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, size-3-len(t))...)
		return append(append(em, 0), t...)
	})
	block("garbage/in the digest info", "an element that nobody asked for follows the hash inside the SEQUENCE", func(d []byte) []byte {
		t := tlv(0x30, sha256Info[2:17], tlv(4, d), tlv(4, []byte("junk")))
		return encoded(size, t, nil)
	})

	oid := sha256Info[4:15]
	hash := func(alg []byte) []byte { // DigestInfo up to the hash around an AlgorithmIdentifier
		return append(append([]byte{0x30, byte(len(alg) + 34)}, alg...), 0x04, 0x20)
	}
	info("info/no NULL", "RFC 8017, section 9.2, note 1 lets a verifier take this form: the encoding is compared as a whole, so we do not", hash(tlv(0x30, oid)))
	info("info/NULL with content", "", hash(tlv(0x30, oid, []byte{5, 1, 0})))
	info("info/two NULLs", "", hash(tlv(0x30, oid, null, null)))
	info("info/parameters a SEQUENCE", "", hash(tlv(0x30, oid, []byte{0x30, 0})))
	info("info/parameters an INTEGER", "", hash(tlv(0x30, oid, []byte{2, 1, 0})))
	info("info/outer length long form", "BER, not DER", slices.Concat([]byte{0x30, 0x81, 0x31}, sha256Info[2:]))
	info("info/outer length long form 2", "", slices.Concat([]byte{0x30, 0x82, 0, 0x31}, sha256Info[2:]))
	info("info/outer length long form 8", "", slices.Concat([]byte{0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 0x31}, sha256Info[2:]))
	info("info/algorithm length long form", "", slices.Concat([]byte{0x30, 0x32, 0x30, 0x81, 0x0d}, sha256Info[4:]))
	info("info/OID length long form", "", slices.Concat([]byte{0x30, 0x32, 0x30, 0x0e, 0x06, 0x81, 0x09}, sha256Info[6:]))
	info("info/NULL length long form", "", slices.Concat([]byte{0x30, 0x32, 0x30, 0x0e}, oid, []byte{5, 0x81, 0, 4, 0x20}))
	info("info/hash length long form", "", slices.Concat([]byte{0x30, 0x32}, sha256Info[2:17], []byte{4, 0x81, 0x20}))
	block("info/indefinite length", "BER", func(d []byte) []byte {
		return encoded(size, slices.Concat([]byte{0x30, 0x80}, sha256Info[2:], d, []byte{0, 0}), nil)
	})
	block("info/algorithm of indefinite length", "", func(d []byte) []byte {
		return encoded(size, slices.Concat([]byte{0x30, 0x33, 0x30, 0x80}, sha256Info[4:17], []byte{0, 0, 4, 0x20}, d), nil)
	})
	block("info/hash in two pieces", "a constructed OCTET STRING", func(d []byte) []byte {
		return encoded(size, tlv(0x30, sha256Info[2:17], tlv(0x24, tlv(4, d[:16]), tlv(4, d[16:]))), nil)
	})
	info("info/hash a BIT STRING", "", slices.Concat(sha256Info[:17], []byte{3, 0x20}))
	info("info/SET", "the outer tag is 31", slices.Concat([]byte{0x31}, sha256Info[1:]))
	info("info/outer length too short", "", slices.Concat([]byte{0x30, 0x30}, sha256Info[2:]))
	info("info/outer length too long", "", slices.Concat([]byte{0x30, 0x32}, sha256Info[2:]))
	info("info/hash length 31", "of 32 octets", slices.Concat(sha256Info[:18], []byte{31}))
	block("info/hash cut", "31 octets of the hash, lengths right", func(d []byte) []byte {
		return encoded(size, tlv(0x30, sha256Info[2:17], tlv(4, d[:31])), nil)
	})
	block("info/hash longer", "33 octets", func(d []byte) []byte {
		return encoded(size, tlv(0x30, sha256Info[2:17], tlv(4, d, []byte{0})), nil)
	})
	block("info/none", "the hash alone after the padding", func(d []byte) []byte { return encoded(size, nil, d) })
	block("info/no octet string", "", func(d []byte) []byte { return encoded(size, tlv(0x30, sha256Info[2:17]), d) })
	block("info/twice", "", func(d []byte) []byte { return encoded(size, slices.Concat(sha256Info, d, sha256Info), d) })

	for _, o := range []struct{ name, oid string }{
		{"SHA-1", "\x06\x05\x2b\x0e\x03\x02\x1a"}, {"MD5", "\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05"},
		{"SHA-224", "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04"}, {"SHA-384", "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02"},
		{"SHA-512", "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03"}, {"SHA-512/256", "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x06"},
		{"SHA3-256", "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x08"}, {"sha256WithRSAEncryption", "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"},
		{"padded", "\x06\x0a\x60\x86\x48\x01\x65\x03\x04\x02\x80\x01"}, {"empty", "\x06\x00"},
	} {
		info("oid/"+o.name, "the SHA-256 hash under the name of another function", hash(tlv(0x30, []byte(o.oid), null)))
	}
	block("oid/real SHA-1", "a good rsa-sha1 signature where a= says rsa-sha256", func(d []byte) []byte {
		sum := sha1.Sum(d)
		return encoded(size, []byte("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"), sum[:])
	})

	raw("digest/hashed twice", "a good signature over the hash of the hash", "ErrSignature", func(d []byte) []byte {
		sum := sha256.Sum256(d)
		return k.sign(sum[:])
	})
	raw("digest/other message", "a good signature over something else", "ErrSignature", func([]byte) []byte {
		return k.sign(bytes.Repeat([]byte{7}, 32))
	})
	raw("digest/last bit", "a good signature over a hash that differs in one bit", "ErrSignature", func(d []byte) []byte {
		d = slices.Clone(d)
		d[31] ^= 1
		return k.sign(d)
	})
	raw("digest/reversed", "", "ErrSignature", func(d []byte) []byte {
		d = slices.Clone(d)
		slices.Reverse(d)
		return k.sign(d)
	})
	raw("pss/salt 32", "RSASSA-PSS is another algorithm", "ErrSignature", func(d []byte) []byte { return k.apply(pss(size, d, bytes.Repeat([]byte{1}, 32))) })
	raw("pss/no salt", "", "ErrSignature", func(d []byte) []byte { return k.apply(pss(size, d, nil)) })

	num := func(id, comment, want string, length int, f func(s *big.Int) *big.Int) {
		raw(id, comment, want, func(d []byte) []byte {
			n := f(new(big.Int).SetBytes(k.sign(d)))
			return n.FillBytes(make([]byte, max(length, (n.BitLen()+7)/8)))
		})
	}
	is := func(n int64) func(*big.Int) *big.Int {
		return func(*big.Int) *big.Int { return big.NewInt(n) }
	}
	num("number/0", "", "ErrSignature", size, is(0))
	num("number/1", "", "ErrSignature", size, is(1))
	num("number/n-1", "", "ErrSignature", size, func(*big.Int) *big.Int { return new(big.Int).Sub(k.n, one) })
	num("number/n", "", "ErrSignature", size, func(*big.Int) *big.Int { return k.n })
	num("number/n+1", "", "ErrSignature", size, func(*big.Int) *big.Int { return new(big.Int).Add(k.n, one) })
	num("number/n-s", "", "ErrSignature", size, func(s *big.Int) *big.Int { return new(big.Int).Sub(k.n, s) })
	num("number/all ones", "", "ErrSignature", size, func(*big.Int) *big.Int {
		return new(big.Int).Sub(new(big.Int).Lsh(one, uint(8*size)), one)
	})
	num("number/s+256n", "the number is a signature modulo n, and two octets longer", "ErrSignature", size, func(s *big.Int) *big.Int {
		return new(big.Int).Add(s, new(big.Int).Mul(k.n, big.NewInt(256*256)))
	})
	low := newRSAKeyIn("low", new(big.Int).Lsh(one, 2047), new(big.Int).Mul(big.NewInt(257), new(big.Int).Lsh(one, 2039)), k.e, func(p *big.Int) bool { return inverse(k.e, new(big.Int).Sub(p, one)) != nil })
	for times := int64(0); times <= 1; times++ {
		id, want := "number/s under a low modulus", "pass"
		if times == 1 {
			id, want = "number/s+n of the same length", "ErrSignature"
		}
		g.add(Vector{ID: id, Algorithm: "rsa-sha256", Record: rsaRecord(spki(low)), Want: want,
			Comment: "s+n fits the octets of n; RFC 8017, section 5.2.2 has it out of range"},
			b64(func(d []byte) []byte {
				s := new(big.Int).SetBytes(low.sign(d))
				s.Add(s, new(big.Int).Mul(low.n, big.NewInt(times)))
				return s.FillBytes(make([]byte, size))
			}), low.holds)
	}

	octets := func(id, comment, want string, f func(s []byte) []byte) {
		raw(id, comment, want, func(d []byte) []byte { return f(k.sign(d)) })
	}
	octets("length/leading zero", "RFC 8017, section 8.2.2, step 1: as long as the modulus", "ErrSignature", func(s []byte) []byte { return append([]byte{0}, s...) })
	octets("length/64 leading zeros", "", "ErrSignature", func(s []byte) []byte { return append(make([]byte, 64), s...) })
	octets("length/trailing zero", "", "ErrSignature", func(s []byte) []byte { return append(s, 0) })
	octets("length/first octet missing", "", "ErrSignature", func(s []byte) []byte { return s[1:] })
	octets("length/last octet missing", "", "ErrSignature", func(s []byte) []byte { return s[:len(s)-1] })
	octets("length/64", "", "ErrSignature", func(s []byte) []byte { return s[:64] })
	octets("length/63", "shorter than any RSA key makes", "ErrSignatureData", func(s []byte) []byte { return s[:63] })
	octets("length/1", "", "ErrSignatureData", func(s []byte) []byte { return s[:1] })
	octets("length/0", "", "ErrSignatureData", func([]byte) []byte { return nil })
	octets("length/1024", "as long as the longest key that can be allowed makes", "ErrSignature", func(s []byte) []byte { return append(s, make([]byte, 1024-len(s))...) })
	octets("length/1025", "", "ErrSignatureData", func(s []byte) []byte { return append(s, make([]byte, 1025-len(s))...) })
	octets("length/twice", "", "ErrSignature", func(s []byte) []byte { return append(s, s...) })
	octets("octets/reversed", "little-endian", "ErrSignature", func(s []byte) []byte {
		slices.Reverse(s)
		return s
	})
	octets("octets/last bit", "", "ErrSignature", func(s []byte) []byte {
		s[len(s)-1] ^= 1
		return s
	})
	octets("octets/in an OCTET STRING", "", "ErrSignature", func(s []byte) []byte { return tlv(4, s) })

	// A signature whose first octet is zero is as long as any other.
	short := g.shortSignature()
	g.add(Vector{ID: "zero octet/kept", Algorithm: "rsa-sha256", Record: rsaRecord(spki(short)), Want: "pass",
		Comment: "the signature is a small number and begins with 00"}, b64(short.sign), short.holds)
	g.add(Vector{ID: "zero octet/stripped", Algorithm: "rsa-sha256", Record: rsaRecord(spki(short)), Want: "ErrSignature",
		Comment: "the same without the 00, as a big number library prints it"}, b64(func(d []byte) []byte { return short.sign(d)[1:] }), short.holds)
}

// shortSignature finds a key under which both digests have a signature that begins with 00.
func (g *maker) shortSignature() *rsaKey {
	d := g.digests("rsa-sha256")
	base := newRSAKey("short", 1025, big.NewInt(65537)) // the first octet is 0 or 1
	// Verifying takes any odd exponent, and one is soon found.
	for e := int64(3); ; e += 2 {
		k := base.with(big.NewInt(e))
		if k.canSign() && k.sign(d[0])[0] == 0 && k.sign(d[1])[0] == 0 {
			return k
		}
	}
}

// pss is EMSA-PSS of RFC 8017, section 9.1.1 with SHA-256.
func pss(size int, digest, salt []byte) []byte {
	h := sha256.Sum256(slices.Concat(make([]byte, 8), digest, salt))
	db := make([]byte, size-33)
	db[len(db)-len(salt)-1] = 1
	copy(db[len(db)-len(salt):], salt)
	var mask []byte
	for i := byte(0); len(mask) < len(db); i++ {
		m := sha256.Sum256(append(h[:], 0, 0, 0, i))
		mask = append(mask, m[:]...)
	}
	for i := range db {
		db[i] ^= mask[i]
	}
	db[0] &= 0x7f
	return append(append(db, h[:]...), 0xbc)
}
