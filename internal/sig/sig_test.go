package sig

import (
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		in     string
		digits int
		want   int64
		ok     bool
	}{
		{"0", 12, 0, true},
		{"000000000001", 12, 1, true},
		{"0000000000001", 12, 0, false},
		{"999999999999", 12, 999999999999, true},
		{"9223372036854775807", 76, 1<<63 - 1, true},
		{"9223372036854775808", 76, 0, false},
		{strings.Repeat("0", 75) + "7", 76, 7, true},
		{"", 12, 0, false},
		{"-1", 12, 0, false},
		{"+1", 12, 0, false},
		{"1 6", 12, 0, false},
		{"0x1", 12, 0, false},
		{"\u0661", 12, 0, false}, // an Arabic digit
	} {
		got, ok := Number(c.in, c.digits)
		require.Equal(t, c.ok, ok, "%q", c.in)
		require.Equal(t, c.want, got, "%q", c.in)
	}
}

func TestBase64(t *testing.T) {
	for _, c := range []struct {
		in   string
		want string
		ok   bool
	}{
		{"aGk=", "hi", true},
		{"a G\tk\r\n =", "hi", true},
		{"", "", true},
		{"aGk", "", false},   // padding is not optional (RFC 4648, section 3.2)
		{"aGl=", "", false},  // bits under the padding
		{"aGk==", "", false}, // too much of it
		{"aG_k", "", false},  // another alphabet
		{"aGk=aGk=", "", false},
		{"a!Gk=", "", false},
	} {
		got, text, ok := Base64(c.in)
		require.Equal(t, c.ok, ok, "%q", c.in)
		require.Equal(t, c.want, string(got), "%q", c.in)
		require.Equal(t, strings.Join(strings.Fields(c.in), ""), text)
	}
}

func TestDecodeQP(t *testing.T) {
	for _, c := range []struct {
		in, want string
		eai, ok  bool
	}{
		{"a=20b", "a b", false, true},
		{"a = 2 0b", "", false, false}, // white space does not stand within an octet
		{"a\r\n b", "ab", false, true},
		{"=3d", "", false, false},
		{"=3D", "=", false, true},
		{"=", "", false, false},
		{"=4", "", false, false},
		{"\x01", "", false, false},
		{"a\x7f=20", "", false, false},
		{"\u00e9", "", false, false},
		{"\u00e9", "\u00e9", true, true},
		{"\xe9", "", true, false},
		{"", "", false, true},
	} {
		got, ok := DecodeQP(c.in, c.eai)
		require.Equal(t, c.ok, ok, "%q", c.in)
		require.Equal(t, c.want, got, "%q", c.in)
	}
}

func TestIsRecord(t *testing.T) {
	for text, want := range map[string]bool{
		"v=DKIM1; p=x":  true,
		" v = DKIM1":    true,
		"p=x":           true,
		"k=rsa; p=":     true,
		"v=DKIM1 ; ;":   true, // a key record, and a bad one
		"v=DKIM1 p=x":   false,
		"v=spf1 -all":   false,
		"v=DMARC1; p=x": false,
		"p=x; v=DKIM1":  false,
		"P=x":           false,
		"hello":         false,
		"":              false,
	} {
		require.Equal(t, want, IsRecord(text), "%q", text)
	}
}

func TestRecordString(t *testing.T) {
	rec := sigtest.Record(sigtest.Ed25519())
	for in, want := range map[string]string{
		rec: rec,
		"p=" + strings.SplitN(sigtest.Record(sigtest.RSA(t, "rsa2048")), "p=", 2)[1]: sigtest.Record(sigtest.RSA(t, "rsa2048")),
		rec + "; t=s:y:x; s=email:x-y; h=sha1:sha256:md5; n=a b; g=*; q=r":           "v=DKIM1; h=sha1:sha256; k=ed25519; n=a b; p=" + strings.SplitN(rec, "p=", 2)[1] + "; s=email; t=y:s",
	} {
		r, err := ParseRecord(in, Bounds{})
		require.NoError(t, err)
		require.Equal(t, want, r.String())
	}
	for _, flags := range []string{"; t=y", "; t=s", "; t=y:s"} {
		r, err := ParseRecord(rec+flags, Bounds{})
		require.NoError(t, err)
		require.Equal(t, rec+flags, r.String())
	}
	require.Empty(t, Record{}.String())
}

// DER has one encoding of a key; what BER would allow besides is refused.
func TestParseRSA(t *testing.T) {
	tlv := func(tag byte, body ...byte) []byte {
		if len(body) < 0x80 {
			return append([]byte{tag, byte(len(body))}, body...)
		}
		return append([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
	}
	cat := func(parts ...[]byte) []byte {
		var out []byte
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	key := &sigtest.RSA(t, "rsa2048").PublicKey
	n := tlv(2, append([]byte{0}, key.N.Bytes()...)...)
	e := tlv(2, 1, 0, 1)
	pkcs1 := tlv(0x30, cat(n, e)...)
	alg := tlv(0x30, rsaOID...)
	spki := func(alg, bits []byte) []byte { return tlv(0x30, cat(alg, tlv(3, bits...))...) }
	for name, der := range map[string][]byte{
		"pkcs1": pkcs1,
		"spki":  spki(alg, append([]byte{0}, pkcs1...)),
	} {
		gotN, gotE, ok := parseRSA(der)
		require.True(t, ok, name)
		require.Equal(t, key.N.Bytes(), gotN)
		require.Equal(t, []byte{1, 0, 1}, gotE)
		require.Equal(t, key, newRSA(gotN, gotE))
		for i := range gotN { // of all lengths, as setting the octets makes it
			require.Zero(t, new(big.Int).SetBytes(gotN[i:]).Cmp(newRSA(gotN[i:], gotE).N), i)
		}
		for i := range der {
			_, _, ok := parseRSA(der[:i])
			require.False(t, ok, "%s cut at %d", name, i)
		}
	}
	for name, der := range map[string][]byte{
		"trailing octet":           append(append([]byte{}, pkcs1...), 0),
		"trailing in sequence":     tlv(0x30, cat(n, e, []byte{5, 0})...),
		"negative modulus":         tlv(0x30, cat(tlv(2, key.N.Bytes()...), e)...),
		"modulus with two zeros":   tlv(0x30, cat(tlv(2, append([]byte{0, 0}, key.N.Bytes()...)...), e)...),
		"zero exponent":            tlv(0x30, cat(n, tlv(2, 0))...),
		"empty exponent":           tlv(0x30, cat(n, tlv(2))...),
		"padded exponent":          tlv(0x30, cat(n, tlv(2, 0, 3))...),
		"indefinite length":        append([]byte{0x30, 0x80}, cat(n, e, []byte{0, 0})...),
		"long form for short":      tlv(0x30, cat(n, []byte{2, 0x81, 3, 1, 0, 1})...),
		"length with leading 0":    append([]byte{0x30, 0x83, 0, byte(len(n) + len(e)>>8), byte(len(n) + len(e))}, cat(n, e)...),
		"length of four octets":    {0x30, 0x84, 0, 0, 0, 0},
		"length beyond the end":    {0x30, 0x82, 0xff, 0xff, 2},
		"no null parameter":        spki(tlv(0x30, rsaOID[:len(rsaOID)-2]...), append([]byte{0}, pkcs1...)),
		"another algorithm":        spki(tlv(0x30, append(append([]byte{}, rsaOID[:10]...), 0x0a, 5, 0)...), append([]byte{0}, pkcs1...)),
		"unused bits":              spki(alg, append([]byte{1}, pkcs1...)),
		"empty bit string":         spki(alg, nil),
		"trailing in bit string":   spki(alg, append(append([]byte{0}, pkcs1...), 0)),
		"nothing":                  {},
		"certificate-like nesting": tlv(0x30, tlv(0x30, tlv(0x30)...)...),
	} {
		_, _, ok := parseRSA(der)
		require.False(t, ok, name)
	}
}

func TestCheckRSA(t *testing.T) {
	n := func(bits int) []byte {
		v := new(big.Int).SetBit(new(big.Int).SetBit(new(big.Int), bits-1, 1), 0, 1)
		return v.Bytes()
	}
	e := []byte{1, 0, 1}
	for _, c := range []struct {
		bits int
		b    Bounds
		want error
	}{
		{1023, Bounds{}, ErrKeyShort},
		{1024, Bounds{}, nil},
		{4096, Bounds{}, nil},
		{4097, Bounds{}, ErrKeyLong},
		{8192, Bounds{Max: 8192}, nil},
		{8192, Bounds{Max: 1 << 20}, nil},
		{8193, Bounds{Max: 1 << 20}, ErrKeyLong},
		{2047, Bounds{Min: 2048}, ErrKeyShort},
		{512, Bounds{Min: 512}, nil},
		{1023, Bounds{Min: -1}, ErrKeyShort},
	} {
		bits, err := CheckRSA(n(c.bits), e, c.b)
		require.ErrorIs(t, err, c.want)
		require.Equal(t, c.bits, bits)
	}
	for want, list := range map[error][][]byte{
		nil:          {{3}, {17}, e, {0x7f, 0xff, 0xff, 0xff}},
		ErrKeyUnsafe: {{}, {1}, {2}, {4}, {1, 0, 0}, {0x80, 0, 0, 1}, {1, 0, 0, 0, 1}},
	} {
		for _, e := range list {
			_, err := CheckRSA(n(2048), e, Bounds{})
			require.ErrorIs(t, err, want, "%v", e)
		}
	}
	even := n(2048)
	even[255] = 2
	_, err := CheckRSA(even, e, Bounds{})
	require.ErrorIs(t, err, ErrKeyUnsafe)
}

// The list of low-order points against the curve equation, and the edge of the
// canonical range.
func TestCheckEd25519(t *testing.T) {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	enc := func(v *big.Int) []byte {
		be := v.FillBytes(make([]byte, 32))
		for i := range 16 {
			be[i], be[31-i] = be[31-i], be[i]
		}
		return be
	}
	for i := range lowOrder {
		require.NotEmpty(t, checkEd25519(lowOrder[i][:]))
		withSign := lowOrder[i]
		withSign[31] |= 0x80
		require.NotEmpty(t, checkEd25519(withSign[:]))
		// y of order 8 satisfies d y^4 + 2 y^2 - 1 = 0.
		be := make([]byte, 32)
		for k := range be {
			be[31-k] = lowOrder[i][k]
		}
		y := new(big.Int).SetBytes(be)
		if small := y.Cmp(big.NewInt(1)) <= 0 || y.Cmp(new(big.Int).Sub(p, big.NewInt(1))) == 0; small {
			continue
		}
		d := new(big.Int).ModInverse(big.NewInt(121666), p)
		d.Mul(d, big.NewInt(-121665))
		y2 := new(big.Int).Mul(y, y)
		v := new(big.Int).Mul(d, new(big.Int).Mul(y2, y2))
		v.Add(v, new(big.Int).Lsh(y2, 1)).Sub(v, big.NewInt(1)).Mod(v, p)
		require.Zero(t, v.Sign())
	}
	for i := int64(0); i < 19; i++ {
		require.NotEmpty(t, checkEd25519(enc(new(big.Int).Add(p, big.NewInt(i)))), "p+%d", i)
	}
	require.Empty(t, checkEd25519(enc(new(big.Int).Sub(p, big.NewInt(2)))))
	require.Empty(t, checkEd25519(enc(big.NewInt(2))))
	require.Empty(t, checkEd25519(sigtest.Ed25519()[32:]))
}

// The order of RFC 6376, section 6.1.2: what a record says of itself comes first.
func TestPublishedFor(t *testing.T) {
	short := strings.SplitN(sigtest.Record(sigtest.RSA(t, "rsa512")), "; ", 2)[1]
	for text, want := range map[string]error{
		short:                       ErrKeyShort,
		short + "; h=sha1":          ErrKeyHash,
		"p=; h=sha1":                ErrKeyHash,
		"p=; k=ed25519":             ErrKeyRevoked,
		"p=; s=tlsrpt":              ErrKeyService,
		"k=other; p=AAAA":           ErrKeyType,
		"k=ed25519; p=AAAA":         ErrKeySyntax,
		"k=ed25519; p=" + zeroKey(): ErrKeyType,
	} {
		rec, err := ParseRecord(text, Bounds{})
		p := Published{Record: rec, Err: err}
		require.ErrorIs(t, p.For(RSASHA256), want, "%q", text)
	}
	rec, err := ParseRecord(sigtest.Record(sigtest.RSA(t, "rsa2048")), Bounds{})
	require.NoError(t, err)
	require.NoError(t, (&Published{Record: rec}).For(RSASHA256))
	require.NoError(t, (&Published{Record: rec}).For(RSASHA1))
	require.ErrorIs(t, (&Published{Record: rec}).For(Ed25519SHA256), ErrKeyType)
}

func zeroKey() string { return base64.StdEncoding.EncodeToString(make([]byte, 32)) }

// A key that crypto/rsa refuses is not taken for a bad signature.
func TestVerifyRefusedKey(t *testing.T) {
	r := Record{KeyType: "rsa", Bits: 2048, Key: &rsa.PublicKey{N: big.NewInt(4), E: 2}}
	require.ErrorIs(t, Verify(&r, RSASHA256, make([]byte, 32), make([]byte, 1)), ErrKeyUnsafe)
	require.ErrorIs(t, Verify(&Record{}, RSASHA256, nil, nil), ErrKeyType)
}

func TestSelect(t *testing.T) {
	h, err := message.ParseHeader([]byte("A: 0\r\nB: 1\r\na: 2\r\nDKIM-Signature: 3\r\nDKIM-Signature: 4\r\nA : 5\r\n"))
	require.NoError(t, err)
	c := NewHeader(h)
	for _, s := range []struct {
		names string
		self  int
		want  []int
	}{
		{"a", 3, []int{5}},
		{"a:A:a:a", 3, []int{5, 2, 0}},
		{"b:x:a:b:a", 3, []int{1, 5, 2}},
		{"dkim-signature:dkim-signature:dkim-signature", 3, []int{4}},
		{"dkim-signature", 4, []int{3}},
		{"dkim-signature:DKIM-Signature", -1, []int{4, 3}},
	} {
		// Twice, as for two signatures.
		require.Equal(t, s.want, c.Select(nil, strings.Split(s.names, ":"), s.self))
		require.Equal(t, s.want, c.Select(nil, strings.Split(s.names, ":"), s.self))
	}
}

// An ARC-Seal is hashed with the same functions: fields in a given order.
func TestSumOverGivenFields(t *testing.T) {
	h, err := message.ParseHeader([]byte("ARC-Seal: i=1; b=abc ; cv=none\r\nARC-Message-Signature: i=1;\r\n x\r\n"))
	require.NoError(t, err)
	c := NewHeader(h)
	r, tags := NewReader(nil, h.Field(0).Value(), false)
	k := r.Key(tags)
	got := fmt.Sprintf("%x", c.Sum([]int{1}, message.Relaxed, RSASHA256.Hash(), 0, k.Start, k.End))
	want := RSASHA256.Hash().New()
	want.Write([]byte("arc-message-signature:i=1; x\r\narc-seal:i=1; b=; cv=none"))
	require.Equal(t, fmt.Sprintf("%x", want.Sum(nil)), got)
}
