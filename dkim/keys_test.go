package dkim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

func TestGenerateKey(t *testing.T) {
	for kind, bits := range map[KeyKind]int{"": 2048, RSA2048: 2048, RSA3072: 3072, Ed25519: 256} {
		t.Run(string(kind), func(t *testing.T) {
			k, err := GenerateKey(kind)
			require.NoError(t, err)
			require.Equal(t, bits, k.Record().Bits)
			again, err := ParseKey(k.PEM())
			require.NoError(t, err)
			require.Equal(t, k.Public(), again.Public())
			field, err := Sign(strings.NewReader(b0), newSigner(k))
			require.NoError(t, err)
			w := newWorld(t)
			w.zone["sel._domainkey.bank.example"] = []string{k.Record().String()}
			results, _ := w.verify(t, Verifier{}, field+b0)
			require.NoError(t, results[0].Err)
		})
	}
	_, err := GenerateKey("rsa1024")
	require.ErrorIs(t, err, ErrKeyType)
}

// TestRecordForms: the three forms of a record are the same record.
func TestRecordForms(t *testing.T) {
	for _, name := range []string{"rsa2048", "rsa4096", "ed25519"} {
		var r Record
		var err error
		if name == "ed25519" {
			r, err = NewRecord(sigtest.Ed25519().Public())
		} else {
			r, err = NewRecord(sigtest.RSA(t, name).Public())
		}
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(r.String(), "v=DKIM1; k="), r.String())
		parsed, err := ParseRecord(r.String())
		require.NoError(t, err)
		require.Equal(t, r, parsed)
		for _, s := range r.Strings() {
			require.LessOrEqual(t, len(s), 255)
		}
		require.Equal(t, r.String(), strings.Join(r.Strings(), ""))
		line, err := r.ZoneLine("Sel.a_b", "bücher.example")
		require.NoError(t, err)
		a, err := dnstest.MustParse(line+"\n").Lookup(t.Context(), "sel.a_b._domainkey.xn--bcher-kva.example.", dnsutil.TypeTXT)
		require.NoError(t, err)
		require.Equal(t, []string{r.String()}, a.TXT)
	}
	_, err := ParseRecord(RevokedRecord)
	require.ErrorIs(t, err, ErrKeyRevoked)
	for _, c := range []struct {
		selector, name string
		err            error
	}{{"a b", "x.example", ErrSelector}, {"", "x.example", ErrSelector}, {"a", "example", ErrDomain}, {"a", "", ErrDomain},
		{strings.Repeat("a.", 100) + "a", "x." + strings.Repeat("b.", 30) + "example", ErrSelector}} {
		_, err := Record{}.ZoneLine(c.selector, c.name)
		require.ErrorIs(t, err, c.err)
		_, err = KeyName(c.selector, c.name)
		require.ErrorIs(t, err, c.err)
	}
}

func TestParseKey(t *testing.T) {
	rsaKey := sigtest.RSA(t, "rsa2048")
	k, err := NewKey(rsaKey)
	require.NoError(t, err)
	for name, text := range map[string][]byte{
		"PKCS #8":       k.PEM(),
		"PKCS #1":       k.PKCS1(),
		"text before":   append([]byte("my key\n"), k.PEM()...),
		"other block":   append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), k.PEM()...),
		"CRLF":          []byte(strings.ReplaceAll(string(k.PEM()), "\n", "\r\n")),
		"without a key": nil,
	} {
		got, err := ParseKey(text)
		if text == nil {
			require.ErrorIs(t, err, ErrPrivateKey)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, rsaKey.Public(), got.Public(), name)
	}
	ed, err := NewKey(sigtest.Ed25519())
	require.NoError(t, err)
	require.Nil(t, ed.PKCS1())

	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	require.NoError(t, err)
	pkcs1 := func(k *rsa.PrivateKey) []byte { return x509.MarshalPKCS1PrivateKey(k) }
	for _, c := range []struct {
		name  string
		block pem.Block
		err   error
	}{
		{"ECDSA", pem.Block{Type: "PRIVATE KEY", Bytes: der}, ErrKeyType},
		{"encrypted PKCS #8", pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}, ErrPrivateKey},
		{"encrypted PKCS #1", pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "x"}, Bytes: pkcs1(rsaKey)}, ErrPrivateKey},
		{"junk", pem.Block{Type: "PRIVATE KEY", Bytes: []byte("junk")}, ErrPrivateKey},
		{"short", pem.Block{Type: "RSA PRIVATE KEY", Bytes: pkcs1(sigtest.RSA(t, "rsa1016"))}, nil},
		{"long", pem.Block{Type: "RSA PRIVATE KEY", Bytes: pkcs1(sigtest.RSA(t, "rsa4104"))}, ErrKeyLong},
		{"public only", pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1}}, ErrPrivateKey},
	} {
		_, err := ParseKey(pem.EncodeToMemory(&c.block))
		require.Error(t, err, c.name)
		if c.err != nil {
			require.ErrorIs(t, err, c.err, c.name)
		}
	}
}

func TestNewKey(t *testing.T) {
	good := sigtest.Ed25519()
	swapped := append(append(ed25519.PrivateKey{}, good[:32]...), ed25519.NewKeyFromSeed(make([]byte, 32))[32:]...)
	other := *sigtest.RSA(t, "rsa2048")
	other.PublicKey = sigtest.RSA(t, "rsa2048b").PublicKey
	for _, c := range []struct {
		key any
		err error
	}{
		{nil, ErrKeyType}, {"x", ErrKeyType}, {(*rsa.PrivateKey)(nil), ErrNoPrivateKey}, {&rsa.PrivateKey{}, ErrNoPrivateKey},
		{ed25519.PrivateKey("short"), ErrKeyUnsafe}, {swapped, ErrKeyMismatch}, {&other, ErrKeyMismatch},
		{sigtest.RSA(t, "rsa1016"), ErrKeyShort},
	} {
		_, err := NewKey(c.key)
		require.ErrorIs(t, err, c.err, "%T", c.key)
	}
	for _, public := range []any{nil, "x", (*rsa.PublicKey)(nil), &rsa.PublicKey{}, ed25519.PublicKey("x"), make(ed25519.PublicKey, 32)} {
		_, err := NewRecord(public)
		require.Error(t, err, "%T", public)
	}
}

// FuzzParseKey goes with F22: PEM text of any kind never panics, and what is read can be written and read again.
func FuzzParseKey(f *testing.F) {
	k, err := NewKey(sigtest.RSA(f, "rsa1024"))
	require.NoError(f, err)
	ed, err := NewKey(sigtest.Ed25519())
	require.NoError(f, err)
	f.Add(k.PEM())
	f.Add(k.PKCS1())
	f.Add(ed.PEM())
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := ParseKey(text)
		if err != nil {
			require.Nil(t, k)
			return
		}
		again, err := ParseKey(k.PEM())
		require.NoError(t, err)
		require.Equal(t, k.Record().String(), again.Record().String())
	})
}

// A Key that holds none is refused as a crypto.Signer outside of this package, too.
func TestNoKey(t *testing.T) {
	for _, k := range []*Key{nil, {}} {
		require.Nil(t, k.Public())
		_, err := k.Sign(nil, make([]byte, 32), crypto.SHA256)
		require.ErrorIs(t, err, ErrNoPrivateKey)
	}
}
