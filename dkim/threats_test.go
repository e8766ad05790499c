package dkim

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// Rows named as in the threat matrix; a suffix tells the variants of a row apart.

func TestThreats(t *testing.T) {
	testDKS(t)
	testDKD(t)
	testDKK(t)
	testDKC(t)
}

func permanent(id string, err error, changes ...string) matrix {
	return matrix{id: id, tags: with(t0, changes...), status: PermError, err: err}
}

func good(id string, changes ...string) matrix {
	return matrix{id: id, tags: with(t0, changes...), status: Pass, asks: 1}
}

func bh(n int) string { return "bh=" + base64.StdEncoding.EncodeToString(make([]byte, n)) }

func testDKS(t *testing.T) {
	ed := sigtest.Ed25519()
	rows := []matrix{
		good("DKS-00"),
		permanent("DKS-01a", ErrVersion, "v=2"),
		permanent("DKS-01b", ErrMissingTag, "-v"),
		permanent("DKS-01c", ErrVersion, "v=1.0"),
		permanent("DKS-01d", ErrVersion, "v="),
		permanent("DKS-01e", ErrVersion, "v=01"),
		{id: "DKS-02a", tags: strings.Replace(t0, "d=bank.example", "d=attack.example; d=bank.example", 1), status: PermError, err: ErrTagList},
		{id: "DKS-02b", tags: "zz=1; zz=2; " + t0, status: PermError, err: ErrTagList},
		{id: "DKS-03", tags: strings.Replace(t0, "d=bank", "D=bank", 1), status: PermError, err: ErrMissingTag},
		permanent("DKS-04a", ErrAlgorithm, "a=RSA-SHA256"),
		permanent("DKS-04b", ErrAlgorithm, "a=rsa"),
		permanent("DKS-04c", ErrAlgorithm, "a=none-sha256"),
		permanent("DKS-04d", ErrAlgorithm, "a="),
		permanent("DKS-04e", ErrMissingTag, "-a"),
		permanent("DKS-04f", ErrAlgorithm, "a=rsa-md5"),
		good("DKS-05", "xb=foo"),
		good("DKS-06a", "z=From:x|Subject:b=3Dyz"),
		good("DKS-06b", "n2=q b=zzz"),
		good("DKS-06c", "z=Subject:Bob=20Smith"),
		{id: "DKS-07", tags: with(t0, "b = {b}"), status: PermError, err: ErrTagList}, // b twice: see DKS-07a
		{id: "DKS-07a", tags: strings.Replace(t0, "b={b}", "b = {b} ", 1), status: Pass, asks: 1},
		{id: "DKS-07b", tags: strings.Replace(t0, "b={b}", "b\r\n =\r\n {b}\r\n ", 1) + "; x9=y", status: Pass, asks: 1},
		{id: "DKS-07c", tags: "b={b}; " + strings.Replace(t0, "; b={b}", "", 1), status: Pass, asks: 1},
		{id: "DKS-10a", tags: strings.Replace(t0, "; c=", ";; c=", 1), status: PermError, err: ErrTagList},
		{id: "DKS-10b", tags: t0 + ";", status: Pass, asks: 1},
		{id: "DKS-10c", tags: ";" + t0, status: PermError, err: ErrTagList},
		{id: "DKS-10d", tags: t0 + "; ", status: Pass, asks: 1},
		permanent("DKS-12", ErrFromNotSigned, "h=to:subject:date"),
		permanent("DKS-12b", ErrHeaderNames, "h="),
		permanent("DKS-12c", ErrHeaderNames, "h=from::to"),
		permanent("DKS-12d", ErrHeaderNames, "h=from to"),
		{id: "DKS-14a", tags: with(t0, "l=16"), edit: replace("\r\nyour statement is ready.\r\n", "EVIL CONTENT\r\n"),
			status: Policy, err: ErrBodyLength, asks: 1},
		{id: "DKS-14a-allowed", tags: with(t0, "l=16"), edit: replace("\r\nyour statement is ready.\r\n", "EVIL CONTENT\r\n"),
			v: Verifier{AllowBodyLength: true}, status: Pass, asks: 1,
			check: func(t *testing.T, r Result) {
				require.EqualValues(t, len("EVIL CONTENT\r\n"), r.Coverage.UncoveredOctets)
				require.EqualValues(t, 16, *r.Signature.BodyLength)
			}},
		{id: "DKS-14b", tags: with(t0, "l=16"), edit: replace("Dear customer", "Dear Customer"), status: Fail, err: ErrBodyHash, asks: 1},
		{id: "DKS-14c", tags: with(t0, fmt.Sprintf("l=%d", len("Dear customer,\r\n\r\nyour statement is ready.\r\n"))), status: Policy, err: ErrBodyLength, asks: 1},
		{id: "DKS-14c-large", tags: with(t0, "l=100000"), status: PermError, err: ErrBodyTooShort, asks: 1},
		{id: "DKS-14c-one", tags: with(t0, fmt.Sprintf("l=%d", 1+len("Dear customer,\r\n\r\nyour statement is ready.\r\n"))),
			v: Verifier{AllowBodyLength: true}, status: PermError, err: ErrBodyTooShort, asks: 1},
		permanent("DKS-14d1", ErrLength, "l=99999999999999999999999"),
		permanent("DKS-14d2", ErrLength, "l=-1"),
		permanent("DKS-14d3", ErrLength, "l="),
		permanent("DKS-14d4", ErrLength, "l=0x10"),
		permanent("DKS-14d5", ErrLength, "l=1 6"),
		permanent("DKS-14d6", ErrLength, "l=+1"),
		permanent("DKS-14d7", ErrLength, "l="+strings.Repeat("0", 76)+"1"),
		permanent("DKS-15a", ErrExpired, "t=1000000000", "x=1000003600"),
		permanent("DKS-15b", ErrTime, "t=4000000000", "x=3900000000"),
		permanent("DKS-15c", ErrTime, "t=1000000000", "x=1000000000"),
		permanent("DKS-15d", ErrTime, "x=99999999999999999999"),
		permanent("DKS-15e1", ErrTime, "x=9223372036854775807"),
		permanent("DKS-15e2", ErrTime, "x=9223372036854775808"),
		good("DKS-15f", "x=999999999999"),
		permanent("DKS-15g", ErrFuture, "t=999999999999"),
		permanent("DKS-16a1", ErrDomainMismatch, "i=@evil.example"),
		permanent("DKS-16a2", ErrDomainMismatch, "i=@notbank.example"),
		permanent("DKS-16a3", ErrDomainMismatch, "i=@example"),
		permanent("DKS-16b1", ErrIdentity, "i=sub.bank.example"),
		permanent("DKS-16b2", ErrIdentity, "i=ceo@evil.example@bank.example"),
		permanent("DKS-16b3", ErrIdentity, "i=@"),
		permanent("DKS-16b4", ErrIdentity, "i="),
		permanent("DKS-16b5", ErrIdentity, "i=ceo=40evil.example@bank.example"),
		permanent("DKS-16b6", ErrIdentity, "i=ceo=4@bank.example"),
		permanent("DKS-16b7", ErrIdentity, "i=a..b@bank.example"),
		permanent("DKS-16b8", ErrIdentity, `i="ceo@bank.example`),
		permanent("DKS-16b9", ErrIdentity, "i=@bank.example."),
		{id: "DKS-16c", tags: with(t0, "i=ceo=2Bx@Mail.\r\n bank.example"), status: Pass, asks: 1,
			check: func(t *testing.T, r Result) { require.Equal(t, "ceo+x@mail.bank.example", r.Signature.Identity) }},
		{id: "DKS-16d", tags: with(t0, `i="a=20@b"@bank.example`), status: Pass, asks: 1,
			check: func(t *testing.T, r Result) { require.Equal(t, `"a @b"@bank.example`, r.Signature.Identity) }},
		{id: "DKS-16e", status: Pass, asks: 1,
			check: func(t *testing.T, r Result) { require.Equal(t, "@bank.example", r.Signature.Identity) }},
		permanent("DKS-17a", ErrQueryMethod, "q=http/txt"),
		good("DKS-17b", "q=foo/bar:dns/txt"),
		permanent("DKS-17c", ErrQueryMethod, "q="),
		permanent("DKS-17d", ErrQueryMethod, "q=dns"),
		permanent("DKS-17e", ErrQueryMethod, "q=DNS/TXT"),
		permanent("DKS-17f", ErrQueryMethod, "q=dns/txt:"),
		permanent("DKS-18a", ErrCanonicalization, "c=foo/bar"),
		permanent("DKS-18b", ErrCanonicalization, "c=relaxed/relaxed/x"),
		permanent("DKS-18c", ErrCanonicalization, "c=RELAXED"),
		permanent("DKS-18c2", ErrCanonicalization, "c=relaxed/"),
		good("DKS-18d", "c=relaxed"),
		good("DKS-18e", "-c"),
		permanent("DKS-19a", ErrCopiedFields, "z=From"),
		permanent("DKS-19b", ErrCopiedFields, "z=From:a=3d"),
		permanent("DKS-19c1", ErrSignatureData, "b="),
		permanent("DKS-19c2", ErrSignatureData, "b=aa"),
		permanent("DKS-19c3", ErrSignatureData, "b=aaaa"),
		permanent("DKS-19c4", ErrSignatureData, "b=!"),
		{id: "DKS-19c5", tags: with(t0, "a=ed25519-sha256", "b="+base64.StdEncoding.EncodeToString(make([]byte, 63))), status: PermError, err: ErrSignatureData},
		{id: "DKS-20a", text: sigtest.Field(newWorld(t).kb, "DKIM-Signature ", t0, b0) + b0, status: Pass, asks: 1},
		{id: "DKS-20b", edit: replace("DKIM-Signature:", "dkim-signature:"), status: Pass, asks: 1},
		{id: "DKS-20c", tags: with(t0, "c=simple/simple"), edit: replace("DKIM-Signature:", "dkim-signature:"), status: Fail, err: ErrSignature, asks: 1},
		good("DKS-24", "h=From:from:FROM:to:subject:date"),
		{id: "DKS-24b", tags: with(t0, "h=From:from:FROM:to:subject:date"), edit: top("From: x@evil.example\r\n"), status: Fail, err: ErrSignature, asks: 1},
	}
	for _, n := range []int{36, 16, 0, 65, 4096} {
		ofEd := permanent(fmt.Sprintf("DKS-19d-ed25519-%d", n), ErrBodyHashData, "a=ed25519-sha256", bh(n))
		ofEd.key = ed
		rows = append(rows, permanent(fmt.Sprintf("DKS-19d-rsa-%d", n), ErrBodyHashData, bh(n)), ofEd)
	}
	runMatrix(t, rows)
}

func testDKD(t *testing.T) {
	long := strings.Repeat("a", 63) + "."
	eai := func(tags string) string {
		m := strings.Replace(b0, "Subject: Statement", "Subject: Kontoausz\u00fcge", 1)
		return sigtest.Sign(newWorld(t).kb, tags, m)
	}
	runMatrix(t, []matrix{
		permanent("DKD-01", ErrTagList, "s=sel._domainkey.attack.example.\x00.any"),
		permanent("DKD-03a", ErrDomain, "d=*.attack.example"),
		permanent("DKD-03b", ErrDomain, "d=_x.attack.example"),
		permanent("DKD-03c", ErrSelector, "s=*"),
		{id: "DKD-03d", tags: with(t0, "s=_sel"), zone: zone{"_sel._domainkey.bank.example": {sigtest.Record(sigtest.RSA(t, "rsa2048"))}}, status: Pass, asks: 1},
		permanent("DKD-04a", ErrDomain, "d="),
		permanent("DKD-04b", ErrDomain, "d=a..attack.example"),
		permanent("DKD-04c", ErrDomain, "d=.bank.example"),
		permanent("DKD-04d", ErrSelector, "s="),
		permanent("DKD-04e", ErrSelector, "s=.sel"),
		permanent("DKD-04f", ErrSelector, "s=sel."),
		permanent("DKD-04g", ErrSelector, "s=sel._domainkey.attack.example."),
		permanent("DKD-05", ErrDomain, "d=bank.example."),
		permanent("DKD-06a", ErrDomain, "d=bank .example"),
		permanent("DKD-06b", ErrDomain, "d=bank\r\n .example"),
		permanent("DKD-07a", ErrDomain, "d=ba\u2003nk.example"),
		permanent("DKD-07b", ErrTagList, "d=ba\vnk.example"),
		permanent("DKD-07c", ErrDomain, "d=ba\u0085nk.example"),
		permanent("DKD-07d", ErrDomain, "d=ba\u00a0nk.example"),
		permanent("DKD-08a", ErrDomain, "d=ba\u200bnk.example"),
		permanent("DKD-08b", ErrDomain, "d=bank\u3002example"),
		permanent("DKD-09a", ErrDomain, "d=b\u00e4nk.example"),
		permanent("DKD-09b", ErrSelector, "s=s\u00e9l"),
		{id: "DKD-09c", text: eai(with(t0, "d=b\u00e4nk.example", "s=s\u00e9l")),
			zone:   zone{"xn--sl-bja._domainkey.xn--bnk-qla.example": {sigtest.Record(sigtest.RSA(t, "rsa2048"))}},
			status: Pass, asks: 1, check: func(t *testing.T, r Result) {
				require.Equal(t, "xn--bnk-qla.example", r.Signature.Domain)
				require.Equal(t, "@xn--bnk-qla.example", r.Signature.Identity)
			}},
		{id: "DKD-09d", text: eai(with(t0, "d=ba\u200bnk.example")), status: PermError, err: ErrDomain},
		{id: "DKD-09e", text: eai(with(t0, "n2=\xff")), status: PermError, err: ErrTagList},
		{id: "DKD-09f", text: eai(with(t0, "i=jos\u00e9@bank.example")), status: Pass, asks: 1},
		permanent("DKD-09g", ErrIdentity, "i=jos\u00e9@bank.example"),
		permanent("DKD-09h", ErrTagList, "n2=\u00e9"),
		permanent("DKD-11a", ErrDomain, "d=example"),
		permanent("DKD-11b", ErrDomain, "d=com"),
		permanent("DKD-11c", ErrPublicSuffix, "d=co.uk"),
		{id: "DKD-11d", tags: with(t0, "d=github.io"), zone: zone{"sel._domainkey.github.io": {sigtest.Record(sigtest.RSA(t, "rsa2048"))}}, status: Pass, asks: 1},
		{id: "DKD-11e", v: Verifier{PublicSuffix: func(d string) bool { return d == "bank.example" }}, status: PermError, err: ErrPublicSuffix},
		{id: "DKD-11f", tags: with(t0, "d=co.uk"), v: Verifier{PublicSuffix: func(string) bool { return false }},
			zone: zone{"sel._domainkey.co.uk": {sigtest.Record(sigtest.RSA(t, "rsa2048"))}}, status: Pass, asks: 1},
		permanent("DKD-12a", ErrSelector, "s="+strings.Repeat("a", 64)),
		permanent("DKD-12b", ErrSelector, "s="+long+long+strings.Repeat("a", 62), "d=bank."+strings.Repeat("b", 40)+".example"),
		permanent("DKD-14a", ErrSelector, `s=sel\.x`),
		permanent("DKD-14b", ErrSelector, `s=sel\046x`),
		permanent("DKD-14c", ErrSelector, "s=sel#"),
		permanent("DKD-14d", ErrSelector, "s=sel%00"),
		{id: "DKD-15", key: newWorld(t).ka, zone: zone{"sel._domainkey.bank.example": {"cname:k.attack.example"},
			"k.attack.example": {sigtest.Record(newWorld(t).ka)}}, status: Pass, asks: -1,
			check: func(t *testing.T, r Result) { require.Equal(t, []string{"k.attack.example."}, r.Chain) }},
		{id: "DKD-16", zone: zone{"sel._domainkey.bank.example": {"v=spf1 -all"}}, status: PermError, err: ErrNoKey, asks: 1},
		{id: "DKD-17", zone: zone{"sel._domainkey.bank.example": {"error:nxdomain"}}, status: PermError, err: ErrNoKey, asks: 1},
		{id: "DKD-18", zone: zone{"sel._domainkey.bank.example": {}}, status: PermError, err: ErrNoKey, asks: 1},
		{id: "DKD-19", zone: zone{"sel._domainkey.bank.example": {"error:servfail"}}, status: TempError, err: ErrKeyUnavailable, asks: -1},
		{id: "DKD-20", zone: zone{"sel._domainkey.bank.example": {"error:timeout"}}, status: TempError, err: ErrKeyUnavailable, asks: -1},
	})
}

// key returns a zone in which the signer's name has these records.
func keyIs(records ...string) zone { return zone{"sel._domainkey.bank.example": records} }

func p(der []byte) string { return "v=DKIM1; p=" + base64.StdEncoding.EncodeToString(der) }

func spki(t testing.TB, n *big.Int, e int) []byte {
	inner, err := asn1.Marshal(struct {
		N *big.Int
		E int
	}{n, e})
	require.NoError(t, err)
	outer, err := asn1.Marshal(struct {
		A asn1.RawValue
		B asn1.BitString
	}{asn1.RawValue{FullBytes: []byte{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00}},
		asn1.BitString{Bytes: inner, BitLength: 8 * len(inner)}})
	require.NoError(t, err)
	return outer
}

func testDKK(t *testing.T) {
	w := newWorld(t)
	kb := w.kb.(*rsa.PrivateKey)
	rec := sigtest.Record(kb)
	ed := sigtest.Ed25519()
	edTags := with(t0, "a=ed25519-sha256")
	edP := strings.TrimPrefix(sigtest.Record(ed), "v=DKIM1; k=ed25519; ")
	pkcs1 := x509.MarshalPKCS1PublicKey(&kb.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(&kb.PublicKey)
	require.NoError(t, err)
	huge := func(bits int) *big.Int {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		return n.SetBit(n, 0, 1)
	}
	short := sigtest.RSA(t, "rsa1016")
	rows := []matrix{
		{id: "DKK-02", key: sigtest.RSA(t, "rsa1024"), zone: keyIs(sigtest.Record(sigtest.RSA(t, "rsa1024"))), status: Pass, asks: 1,
			check: func(t *testing.T, r Result) {
				require.True(t, r.Weak)
				require.Equal(t, 1024, r.KeyBits)
			}},
		{id: "DKK-02-min2048", key: sigtest.RSA(t, "rsa1024"), zone: keyIs(sigtest.Record(sigtest.RSA(t, "rsa1024"))),
			v: Verifier{MinRSABits: 2048}, status: Policy, err: ErrKeyShort, asks: 1},
		{id: "DKK-02-2048", status: Pass, asks: 1, check: func(t *testing.T, r Result) { require.False(t, r.Weak) }},
		{id: "DKK-02-1016", key: short, zone: keyIs(sigtest.Record(short)), status: Policy, err: ErrKeyShort, asks: 1,
			check: func(t *testing.T, r Result) { require.Equal(t, 1016, r.KeyBits) }},
		{id: "DKK-02-512", key: sigtest.RSA(t, "rsa512"), zone: keyIs(sigtest.Record(sigtest.RSA(t, "rsa512"))), status: Policy, err: ErrKeyShort, asks: 1},
		{id: "DKK-02-512-allowed", key: sigtest.RSA(t, "rsa512"), zone: keyIs(sigtest.Record(sigtest.RSA(t, "rsa512"))),
			v: Verifier{MinRSABits: 512}, status: Pass, asks: 1},
		{id: "DKK-03a", zone: keyIs(p(spki(t, huge(16384), 1<<31-1))), status: PermError, err: ErrKeyLong, asks: 1},
		{id: "DKK-03b", zone: keyIs("v=DKIM1; p=" + strings.Repeat("A", 4100)), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-03c", key: sigtest.RSA(t, "rsa4096"), zone: keyIs(sigtest.Record(sigtest.RSA(t, "rsa4096"))), status: Pass, asks: 1},
		{id: "DKK-03d", key: sigtest.RSA(t, "rsa4104"), zone: keyIs(sigtest.Record(sigtest.RSA(t, "rsa4104"))), status: PermError, err: ErrKeyLong, asks: 1},
		{id: "DKK-03e", key: sigtest.RSA(t, "rsa8192"), zone: keyIs(sigtest.Record(sigtest.RSA(t, "rsa8192"))), v: Verifier{MaxRSABits: 99999}, status: Pass, asks: 1},
		{id: "DKK-03f", zone: keyIs(p(spki(t, huge(8193), 65537))), v: Verifier{MaxRSABits: 99999}, status: PermError, err: ErrKeyLong, asks: 1},
		{id: "DKK-04a", zone: keyIs(p(spki(t, kb.N, 1))), text: forgeE1(t, kb), status: PermError, err: ErrKeyUnsafe, asks: 1},
		{id: "DKK-04b", zone: keyIs(p(spki(t, kb.N, 65536))), status: PermError, err: ErrKeyUnsafe, asks: 1},
		{id: "DKK-04c", zone: keyIs(p(spki(t, kb.N, 1<<31+1))), status: PermError, err: ErrKeyUnsafe, asks: 1},
		{id: "DKK-04d", zone: keyIs(p(spki(t, new(big.Int).Sub(kb.N, big.NewInt(1)), 65537))), status: PermError, err: ErrKeyUnsafe, asks: 1},
		{id: "DKK-06-honest", key: sigtest.RSA(t, "rsa2048e3"), zone: keyIs(sigtest.Record(sigtest.RSA(t, "rsa2048e3"))), status: Pass, asks: 1},
		{id: "DKK-06", zone: keyIs(sigtest.Record(sigtest.RSA(t, "rsa2048e3"))), text: forgeCubeRoot(t), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKK-09a", tags: edTags, edit: nil, key: ed, status: PermError, err: ErrKeyType, asks: 1},
		{id: "DKK-09b", zone: keyIs(sigtest.Record(ed)), status: PermError, err: ErrKeyType, asks: 1},
		{id: "DKK-10", tags: edTags, key: ed, zone: keyIs("v=DKIM1; " + edP), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-11", tags: edTags, key: ed, zone: keyIs(sigtest.Record(ed)), status: Pass, asks: 1,
			check: func(t *testing.T, r Result) { require.Equal(t, 256, r.KeyBits) }},
		{id: "DKK-12-sGEL", tags: edTags, key: ed, zone: keyIs(sigtest.Record(ed)), edit: addOrder, status: Fail, err: ErrSignature, asks: 1},
		{id: "DKK-12-length", tags: edTags, key: ed, zone: keyIs("v=DKIM1; k=ed25519; p=AAAA"), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-17a", zone: keyIs(strings.Replace(rec, "DKIM1", "DKIM2", 1)), status: PermError, err: ErrNoKey, asks: 1},
		{id: "DKK-17b", zone: keyIs(strings.Replace(rec, "DKIM1", "dkim1", 1)), status: PermError, err: ErrNoKey, asks: 1},
		{id: "DKK-17c", zone: keyIs(strings.TrimPrefix(rec, "v=DKIM1; ") + "; v=DKIM1"), status: PermError, err: ErrNoKey, asks: 1},
		{id: "DKK-17d", zone: keyIs(strings.TrimPrefix(rec, "v=DKIM1; ")), status: Pass, asks: 1},
		{id: "DKK-17e", zone: keyIs(" v = DKIM1 ; g=*; k=rsa ;n=; p=" + strings.SplitN(rec, "p=", 2)[1] + " ; "), status: Pass, asks: 1},
		{id: "DKK-18a", zone: keyIs("v=DKIM1; p="), status: PermError, err: ErrKeyRevoked, asks: 1, check: func(t *testing.T, r Result) { require.True(t, r.Record.Revoked) }},
		{id: "DKK-18b", zone: keyIs("v=DKIM1; k=rsa"), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-18c", zone: keyIs("v=DKIM1; k=rsa; p=  "), status: PermError, err: ErrKeyRevoked, asks: 1},
		{id: "DKK-19a", zone: keyIs(rec[:100] + " \t" + rec[100:]), status: Pass, asks: 1},
		{id: "DKK-19b", zone: keyIs(rec[:100] + "!" + rec[100:]), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-19c", zone: keyIs(p(append(der[:len(der):len(der)], 0, 0, 0))), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-19d", zone: keyIs(p(append(pkcs1[:len(pkcs1):len(pkcs1)], 0))), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-19e", zone: keyIs(rec + "AAAA"), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-20", zone: keyIs(rec + "; p=" + strings.SplitN(sigtest.Record(w.ka), "p=", 2)[1]), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-21", zone: keyIs(sigtest.Record(w.ka), rec), status: PermError, err: ErrMultipleKeys, asks: 1},
		{id: "DKK-22", zone: keyIs("v=spf1 -all", rec, "google-site-verification=abc"), status: Pass, asks: 1},
		{id: "DKK-23a", zone: keyIs(rec + "; t=y"), status: Pass, asks: 1, check: func(t *testing.T, r Result) { require.True(t, r.Testing) }},
		{id: "DKK-23b", zone: keyIs(rec + "; t=y"), edit: replace("Statement", "Invoice"), status: Neutral, err: ErrSignature, asks: 1,
			check: func(t *testing.T, r Result) { require.True(t, r.Testing) }},
		{id: "DKK-23c", zone: keyIs(rec + "; t=s:y"), v: Verifier{IgnoreTesting: true}, status: None, err: ErrKeyTesting, asks: 1},
		{id: "DKK-23d", zone: keyIs(rec + "; t=y"), edit: replace("Statement", "Invoice"), v: Verifier{IgnoreTesting: true}, status: None, err: ErrKeyTesting, asks: 1},
		{id: "DKK-23e", zone: keyIs(rec + "; t=Y"), edit: replace("Statement", "Invoice"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKK-24", zone: keyIs(p(pkcs1)), status: Pass, asks: 1},
		{id: "DKK-26", v: Verifier{KeyPolicy: func(key crypto.PublicKey) error {
			if key.(*rsa.PublicKey).N.Cmp(kb.N) == 0 {
				return fmt.Errorf("on the list of keys that everybody has")
			}
			return nil
		}}, status: Policy, err: ErrKeyPolicy, asks: 1},
		{id: "DKK-27a", zone: keyIs(rec + "; h=sha1"), status: PermError, err: ErrKeyHash, asks: 1},
		{id: "DKK-27b", zone: keyIs(rec + "; h=sha1 : foo : sha256"), status: Pass, asks: 1},
		{id: "DKK-27c", zone: keyIs(rec + "; h=SHA256"), status: PermError, err: ErrKeyHash, asks: 1},
		{id: "DKK-27d", zone: keyIs(rec + "; h="), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-27e", zone: keyIs(rec + "; h=md5:sha3"), status: PermError, err: ErrKeyHash, asks: 1},
		{id: "DKK-28a", zone: keyIs(rec + "; s=tlsrpt"), status: PermError, err: ErrKeyService, asks: 1},
		{id: "DKK-28b", zone: keyIs(rec + "; s=tlsrpt:email"), status: Pass, asks: 1},
		{id: "DKK-28c", zone: keyIs(rec + "; s=*"), status: Pass, asks: 1},
		{id: "DKK-29a", tags: with(t0, "i=@mail.bank.example"), zone: keyIs(rec + "; t=s"), status: PermError, err: ErrKeyStrict, asks: 1},
		{id: "DKK-29b", tags: with(t0, "i=x@bank.example"), zone: keyIs(rec + "; t=s"), status: Pass, asks: 1},
		{id: "DKK-30a", zone: keyIs(rec + "; k=dsa"), status: PermError, err: ErrKeySyntax, asks: 1}, // k twice
		{id: "DKK-30b", zone: keyIs(strings.Replace(rec, "k=rsa", "k=RSA", 1)), status: PermError, err: ErrKeyType, asks: 1},
		{id: "DKK-30c", zone: keyIs(rec + "; n=caf\u00e9"), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-31", tags: with(t0, "a=rsa-sha1"), status: Policy, err: ErrSHA1},
		{id: "DKK-31-allowed", tags: with(t0, "a=rsa-sha1"), v: Verifier{AllowSHA1: true}, status: Pass, asks: 1},
	}
	for i, e := range lowOrderEncodings() {
		rows = append(rows, matrix{
			id:   fmt.Sprintf("DKK-12-%d", i),
			text: "DKIM-Signature: " + strings.NewReplacer("{bh}", bodyHash(), "{b}", base64.StdEncoding.EncodeToString(append([]byte{1}, make([]byte, 63)...))).Replace(edTags) + "\r\n" + b0,
			zone: keyIs("v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(e)), status: PermError, err: ErrKeyUnsafe, asks: 1,
		})
	}
	for i, s := range badSignatures(t, kb) {
		row := "DKK-07"
		switch i {
		case "plus-modulus", "leading-zero", "octet-stripped", "zero":
			row = "DKK-08"
		}
		rows = append(rows, matrix{id: row + "-" + i, text: s, status: Fail, err: ErrSignature, asks: 1})
	}
	runMatrix(t, rows)
}

func testDKC(t *testing.T) {
	simple := with(t0, "c=simple/simple")
	uncovered := func(dup []string, names ...string) func(*testing.T, Result) {
		return func(t *testing.T, r Result) {
			require.Equal(t, names, r.Coverage.Uncovered)
			require.Equal(t, dup, r.Coverage.UncoveredDuplicates)
		}
	}
	full := with(t0, "h=from:to:subject:date:message-id:mime-version:content-type")
	runMatrix(t, []matrix{
		{id: "DKC-00", tags: full, status: Pass, asks: 1, check: func(t *testing.T, r Result) {
			require.Nil(t, r.Coverage.Uncovered)
			require.False(t, r.Coverage.MIMEUncovered)
			require.False(t, r.Coverage.Covers(0), "the signature's own field")
			require.True(t, r.Coverage.Covers(1))
			require.False(t, r.Coverage.Covers(-1))
			require.False(t, r.Coverage.Covers(8))
			require.False(t, r.Coverage.Covers(64))
		}},
		{id: "DKC-01", tags: full, edit: top("From: <ceo@evil.example>\r\n"), status: Pass, asks: 1, check: uncovered([]string{"from"}, "from")},
		{id: "DKC-01-oversigned", tags: t1, edit: top("From: <ceo@evil.example>\r\n"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-01-space", tags: full, edit: top("From : <ceo@evil.example>\r\n"), status: Pass, asks: 1, check: uncovered([]string{"from"}, "from")},
		{id: "DKC-01-space-oversigned", tags: t1, edit: top("From : <ceo@evil.example>\r\n"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-02a", tags: full, edit: top("Subject: URGENT wire\r\n"), status: Pass, asks: 1, check: uncovered([]string{"subject"}, "subject")},
		{id: "DKC-02b", tags: full, edit: top("To: x\r\nDate: y\r\n"), status: Pass, asks: 1, check: uncovered([]string{"to", "date"}, "to", "date")},
		{id: "DKC-02-strict", tags: full, edit: top("Subject: URGENT wire\r\n"), status: Policy, err: ErrPolicy, asks: 1,
			v: Verifier{Policy: func(r Result) error {
				if len(r.Coverage.UncoveredDuplicates) > 0 {
					return fmt.Errorf("a field was added")
				}
				return nil
			}}},
		{id: "DKC-02-below", tags: full, edit: replace("\r\n\r\n", "\r\nSubject: below\r\n\r\n"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-04", edit: top("Content-Type: multipart/mixed; boundary=BAD\r\n"), status: Pass, asks: 1,
			check: func(t *testing.T, r Result) {
				require.True(t, r.Coverage.MIMEUncovered)
				require.Equal(t, []string{"message-id", "mime-version", "content-type"}, r.Coverage.Uncovered)
				require.Nil(t, r.Coverage.UncoveredDuplicates)
			}},
		{id: "DKC-08-fold", edit: replace("Subject: Statement", "SUBJECT :\r\n\t Statement "), status: Pass, asks: 1},
		{id: "DKC-08-trailing", edit: replace("ready.\r\n", "ready. \t\r\n \r\n\r\n"), status: Pass, asks: 1},
		{id: "DKC-08-value", edit: replace("Statement", "Statements"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-09a", tags: simple, edit: replace("Subject: Statement", "Subject:  Statement"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-09b", tags: simple, edit: replace("Subject: Statement", "subject: Statement"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-09c", tags: simple, edit: replace("ready.\r\n", "ready. \r\n"), status: Fail, err: ErrBodyHash, asks: 1},
		{id: "DKC-09d", tags: simple, edit: replace("ready.\r\n", "ready.\r\n\r\n\r\n"), status: Pass, asks: 1},
		{id: "DKC-10", text: sigtest.Sign(newWorld(t).kb, with(t0, "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), header()+"\r\n \r\n"), status: Pass, asks: 1},
		{id: "DKC-12-relaxed", text: sigtest.Sign(newWorld(t).kb, with(t0, "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), header()+"\r\n"), status: Pass, asks: 1},
		{id: "DKC-12-simple", text: sigtest.Sign(newWorld(t).kb, with(simple, "bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="), header()+"\r\n"), status: Pass, asks: 1},
		{id: "DKC-13a", tags: with(t0, "c=relaxed/simple"), edit: replace("Subject: ", "SUBJECT:  "), status: Pass, asks: 1},
		{id: "DKC-13b", tags: with(t0, "c=relaxed/simple"), edit: replace("ready.\r\n", "ready. \r\n"), status: Fail, err: ErrBodyHash, asks: 1},
		{id: "DKC-13c", tags: with(t0, "c=simple/relaxed"), edit: replace("ready.\r\n", "ready. \r\n"), status: Pass, asks: 1},
		{id: "DKC-13d", tags: with(t0, "c=simple/relaxed"), edit: replace("Subject: ", "SUBJECT:  "), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-16", text: sigtest.Sign(newWorld(t).kb, simple, strings.Replace(b0, "Subject: Statement", "Subject:\r\n ", 1)), status: Pass, asks: 1},
		{id: "DKC-16-relaxed", text: sigtest.Sign(newWorld(t).kb, t0, strings.Replace(b0, "Subject: Statement", "Subject:\r\n ", 1)), status: Pass, asks: 1},
		{id: "DKC-17", tags: with(t0, "h=from:x-none:to:subject:date:x-none"), status: Pass, asks: 1},
		{id: "MSG-04", edit: func(s string) string {
			h, b, _ := strings.Cut(s, "\r\n\r\n")
			return h + "\r\n\r\n" + strings.ReplaceAll(b, "\r\n", "\n")
		}, status: Fail, err: ErrBodyHash, asks: 1},
		{id: "MSG-06", edit: func(s string) string { return s + "\n" }, status: Fail, err: ErrBodyHash, asks: 1},
		{id: "MSG-19", text: sigtest.Sign(newWorld(t).kb, t0, "X-A: \xff\xfe\r\n"+strings.Replace(b0, "Statement", "\xff", 1)), status: Pass, asks: 1},
		{id: "MSG-24", text: strings.Replace(sigtest.Sign(newWorld(t).kb, t0, b0+".x\r\n"), "\n.x", "\n..x", 1), status: Fail, err: ErrBodyHash, asks: 1},
	})
}

func header() string {
	h, _, _ := strings.Cut(b0, "\r\n\r\n")
	return h + "\r\n"
}
