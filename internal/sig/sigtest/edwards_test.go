package sigtest

import (
	"crypto/sha512"
	"math/big"
	"slices"
)

// The curve edwards25519 after RFC 8032, section 5.1, slowly and in affine
// coordinates, so that any point can be written, also those that no library makes.

type point struct{ x, y *big.Int }

var (
	fieldP, _ = new(big.Int).SetString("57896044618658097711785492504343953926634992332820282019728792003956564819949", 10)
	orderL, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	curveD    = modP(new(big.Int).Mul(big.NewInt(-121665), inverse(big.NewInt(121666), fieldP)))
	identity  = point{new(big.Int), big.NewInt(1)}
)

func modP(x *big.Int) *big.Int { return x.Mod(x, fieldP) }

func mulP(xs ...*big.Int) *big.Int {
	r := big.NewInt(1)
	for _, x := range xs {
		modP(r.Mul(r, x))
	}
	return r
}

// basePoint is B: y is 4/5 and x is even.
func basePoint() point {
	p, _ := decodePoint(littleEndian(mulP(big.NewInt(4), inverse(big.NewInt(5), fieldP))))
	return p
}

func (p point) add(q point) point {
	t := mulP(curveD, p.x, q.x, p.y, q.y)
	x := new(big.Int).Add(mulP(p.x, q.y), mulP(p.y, q.x))
	y := new(big.Int).Add(mulP(p.y, q.y), mulP(p.x, q.x))
	over := func(n int64) *big.Int {
		d := modP(new(big.Int).Add(big.NewInt(1), new(big.Int).Mul(big.NewInt(n), t)))
		return inverse(d, fieldP)
	}
	return point{mulP(x, over(1)), mulP(y, over(-1))}
}

// times multiplies in the projective coordinates X/Z, Y/Z, T = XY/Z: one inversion
// at the end. The sum is that of RFC 8032, section 5.1.4.
func (p point) times(n *big.Int) point {
	type extended [4]*big.Int // X, Y, Z, T
	sub := func(x, y *big.Int) *big.Int { return new(big.Int).Sub(x, y) }
	plus := func(x, y *big.Int) *big.Int { return new(big.Int).Add(x, y) }
	sum := func(u, v extended) extended {
		a := mulP(sub(u[1], u[0]), sub(v[1], v[0]))
		b := mulP(plus(u[1], u[0]), plus(v[1], v[0]))
		c := mulP(u[3], big.NewInt(2), curveD, v[3])
		d := mulP(u[2], big.NewInt(2), v[2])
		e, f, g, h := sub(b, a), sub(d, c), plus(d, c), plus(b, a)
		return extended{mulP(e, f), mulP(g, h), mulP(f, g), mulP(e, h)}
	}
	q := extended{p.x, p.y, one, mulP(p.x, p.y)}
	r := extended{identity.x, identity.y, one, new(big.Int)}
	for i := n.BitLen() - 1; i >= 0; i-- {
		r = sum(r, r)
		if n.Bit(i) == 1 {
			r = sum(r, q)
		}
	}
	z := inverse(r[2], fieldP)
	return point{mulP(r[0], z), mulP(r[1], z)}
}

func (p point) equal(q point) bool { return p.x.Cmp(q.x) == 0 && p.y.Cmp(q.y) == 0 }

// octets is the encoding of RFC 8032, section 5.1.2.
func (p point) octets() []byte {
	b := littleEndian(p.y)
	b[31] |= byte(p.x.Bit(0)) << 7
	return b
}

// decodePoint reads a point as many libraries do: y may be p or more, and x may
// be 0 with its sign bit set.
func decodePoint(b []byte) (point, bool) {
	if len(b) != 32 {
		return point{}, false
	}
	y := fromLittleEndian(b)
	sign := y.Bit(255)
	modP(y.SetBit(y, 255, 0))
	y2 := mulP(y, y)
	u := modP(new(big.Int).Sub(y2, one))
	v := modP(new(big.Int).Add(mulP(curveD, y2), one))
	x := new(big.Int).ModSqrt(mulP(u, inverse(v, fieldP)), fieldP)
	if x == nil {
		return point{}, false
	}
	if x.Bit(0) != sign {
		modP(x.Neg(x))
	}
	return point{x, y}, true
}

func littleEndian(n *big.Int) []byte {
	b := n.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

func fromLittleEndian(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

// challenge is k of RFC 8032, section 5.1.6, step 4.
func challenge(r, a, message []byte) *big.Int {
	h := sha512.Sum512(slices.Concat(r, a, message))
	k := slices.Clone(h[:])
	slices.Reverse(k)
	n := new(big.Int).SetBytes(k)
	return n.Mod(n, orderL)
}

// edHolds is the equation without a cofactor of RFC 8032, section 5.1.7, with
// points and S of any encoding.
func edHolds(public []byte) func(digest []byte, b string) bool {
	return func(digest []byte, b string) bool {
		s := decode(b)
		a, ok := decodePoint(public)
		if !ok || len(s) != 64 {
			return false
		}
		r, ok := decodePoint(s[:32])
		k := challenge(s[:32], public, digest)
		return ok && basePoint().times(fromLittleEndian(s[32:])).equal(r.add(a.times(k)))
	}
}

// lowOrderPoints are the eight points whose order divides 8, as multiples of one
// of order 8.
func lowOrderPoints() (ps []point) {
	// A point times L has only the small part left.
	s := &stream{name: "torsion"}
	for {
		p, ok := decodePoint(s.bytes(32))
		if !ok {
			continue
		}
		t := p.times(orderL)
		if four := t.add(t).add(t.add(t)); four.equal(identity) {
			continue
		}
		for i := range int64(8) {
			ps = append(ps, t.times(big.NewInt(i)))
		}
		return ps
	}
}

// spellings are the encodings that a lenient decoder takes for a point: with y+p
// where that fits 255 bits, and with either sign where x is 0.
func (p point) spellings() (out [][]byte) {
	for _, y := range []*big.Int{p.y, new(big.Int).Add(p.y, fieldP)} {
		if y.BitLen() > 255 {
			continue
		}
		for sign := range uint(2) {
			if p.x.Sign() != 0 && p.x.Bit(0) != sign {
				continue
			}
			b := littleEndian(y)
			b[31] |= byte(sign << 7)
			out = append(out, b)
		}
	}
	return out
}
