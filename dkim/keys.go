package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"

	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/internal/txt"
)

// KeyKind says which key [GenerateKey] makes.
type KeyKind string

// The kinds. The empty KeyKind is RSA2048.
const (
	// RSA2048 is what every verifier knows, and what RFC 8301, section 3.2
	// recommends as the least. Its record takes two strings of TXT data.
	RSA2048 KeyKind = "rsa2048"
	RSA3072 KeyKind = "rsa3072"
	RSA4096 KeyKind = "rsa4096"
	// Ed25519 makes short records and quick signatures (RFC 8463). Several large
	// receivers do not know it, so sign with an RSA key as well.
	Ed25519 KeyKind = "ed25519"
)

// Key is a private key to sign with: RSA or Ed25519. It is a crypto.Signer, safe
// for concurrent use, and immutable. [GenerateKey], [ParseKey] and [NewKey] make one.
type Key struct {
	private crypto.Signer // *rsa.PrivateKey or ed25519.PrivateKey
}

// GenerateKey makes a key. The error is ErrKeyType for an unknown kind.
func GenerateKey(kind KeyKind) (*Key, error) {
	bits := 0
	switch kind {
	case RSA2048, "":
		bits = 2048
	case RSA3072:
		bits = 3072
	case RSA4096:
		bits = 4096
	case Ed25519:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		return &Key{private}, nil
	default:
		return nil, fmt.Errorf("%w: %q is no kind of key", ErrKeyType, string(kind))
	}
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, err
	}
	return &Key{private}, nil
}

// NewKey takes a private key that the program has: an *rsa.PrivateKey or an
// ed25519.PrivateKey. The errors are ErrKeyType, ErrKeyShort, ErrKeyLong,
// ErrKeyUnsafe, and ErrKeyMismatch where the two halves do not belong together.
func NewKey(private crypto.PrivateKey) (*Key, error) {
	var key crypto.Signer
	switch k := private.(type) {
	case *rsa.PrivateKey:
		if k == nil || k.N == nil {
			return nil, ErrNoPrivateKey
		}
		key = k
	case ed25519.PrivateKey:
		if len(k) != ed25519.PrivateKeySize {
			return nil, fmt.Errorf("%w: an Ed25519 private key has %d octets", ErrKeyUnsafe, ed25519.PrivateKeySize)
		}
		key = k
	default:
		return nil, fmt.Errorf("%w: %T", ErrKeyType, private)
	}
	if _, _, err := judgeKey(key.Public()); err != nil {
		return nil, err
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if err := k.Validate(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKeyMismatch, err)
		}
	case ed25519.PrivateKey:
		if !k.Equal(ed25519.NewKeyFromSeed(k.Seed())) {
			return nil, ErrKeyMismatch
		}
	}
	return &Key{key}, nil
}

// ParseKey reads a private key from PEM text: PKCS #8 ("PRIVATE KEY") or PKCS #1
// ("RSA PRIVATE KEY"). Blocks of another type are passed over; the first that is
// a private key counts. It is ErrPrivateKey if that is encrypted, malformed, or
// not there; else the errors of [NewKey].
func ParseKey(text []byte) (*Key, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, fmt.Errorf("%w: no private key in PEM", ErrPrivateKey)
		}
		var private any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return nil, fmt.Errorf("%w: encrypted", ErrPrivateKey)
			}
			private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, fmt.Errorf("%w: encrypted", ErrPrivateKey)
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPrivateKey, err)
		}
		return NewKey(private)
	}
}

// Public implements crypto.Signer: an *rsa.PublicKey or an ed25519.PublicKey; nil
// for the zero Key and for a nil one, which no signer takes.
func (k *Key) Public() crypto.PublicKey {
	if k == nil || k.private == nil {
		return nil
	}
	return k.private.Public()
}

// Sign implements crypto.Signer. It is ErrNoPrivateKey for the zero Key.
func (k *Key) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if k == nil || k.private == nil {
		return nil, ErrNoPrivateKey
	}
	return k.private.Sign(random, digest, opts)
}

// PEM returns the private key as PKCS #8 in PEM, for a file that nobody else may read.
func (k *Key) PEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		panic("dkim: a key that was checked cannot be written: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// PKCS1 returns an RSA key as PKCS #1 in PEM, for older programs; nil for Ed25519.
func (k *Key) PKCS1() []byte {
	private, ok := k.private.(*rsa.PrivateKey)
	if !ok {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})
}

// Record returns the record to publish for the key.
func (k *Key) Record() Record {
	r, err := NewRecord(k.Public())
	if err != nil {
		panic("dkim: a key that was checked has no record: " + err.Error())
	}
	return r
}

// NewRecord returns the record to publish for a public key, RSA as
// SubjectPublicKeyInfo as everybody does (decision 23), Ed25519 as 32 octets (RFC
// 8463, section 4). The errors are ErrKeyType, ErrKeyShort, ErrKeyLong, ErrKeyUnsafe.
func NewRecord(public crypto.PublicKey) (Record, error) {
	a, bits, err := judgeKey(public)
	if err != nil {
		return Record{}, err
	}
	r := Record{Version: "DKIM1", KeyType: a.KeyType(), Key: public, Bits: bits}
	if k, ok := public.(ed25519.PublicKey); ok {
		r.Data = base64.StdEncoding.EncodeToString(k)
		return r, nil
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrKeyUnsafe, err)
	}
	r.Data = base64.StdEncoding.EncodeToString(der)
	return r, nil
}

// RevokedRecord is the text of a record that withdraws a key (RFC 6376, section
// 3.6.1, p=). Under "*._domainkey" it says that no selector has one.
const RevokedRecord = "v=DKIM1; p="

// Strings returns the record as the strings of TXT data, each of at most 255
// octets (RFC 6376, section 3.6.2.2): what many DNS programs and web forms want.
func (r Record) Strings() []string { return txt.Split(r.String()) }

// ZoneLine returns the record as a line of a zone file without its line end: the
// absolute name, IN TXT, and the strings in quotes. The errors are ErrDomain and
// ErrSelector.
func (r Record) ZoneLine(selector, name string) (string, error) {
	n, err := keyName(selector, name)
	if err != nil {
		return "", err
	}
	return txt.Line(n.Absolute(), r.String()), nil
}

// KeyName returns where a key is published, as an absolute name in A-labels:
// selector._domainkey.domain. The errors are ErrDomain and ErrSelector.
func KeyName(selector, name string) (string, error) {
	n, err := keyName(selector, name)
	if err != nil {
		return "", err
	}
	return n.Absolute(), nil
}

func keyName(selector, name string) (domain.Name, error) {
	d, err := domain.Parse(name)
	if err == nil && d.Labels() < 2 {
		err = fmt.Errorf("one label")
	}
	if err != nil {
		return domain.Name{}, fmt.Errorf("%w: %w", ErrDomain, err)
	}
	s, err := domain.ParseSelector(selector)
	if err != nil {
		return domain.Name{}, fmt.Errorf("%w: %w", ErrSelector, err)
	}
	n, err := sig.KeyName(s, d)
	if err != nil {
		return domain.Name{}, fmt.Errorf("%w: %w", ErrSelector, err)
	}
	return n, nil
}
