package sig

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
)

// AlgorithmOf returns the algorithm that a key is used with, and refuses a key
// that a verifier with default limits would not take.
func AlgorithmOf(public crypto.PublicKey) (Algorithm, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if k == nil || k.N == nil || k.N.Sign() <= 0 || k.E <= 0 {
			return 0, ErrKeyUnsafe
		}
		_, err := CheckRSA(k.N.Bytes(), big.NewInt(int64(k.E)).Bytes(), Bounds{})
		return RSASHA256, err
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			return 0, fmt.Errorf("%w: an Ed25519 public key has %d octets", ErrKeyUnsafe, ed25519.PublicKeySize)
		}
		return Ed25519SHA256, CheckEd25519(k)
	}
	return 0, fmt.Errorf("%w: %T is neither RSA nor Ed25519", ErrKeyType, public)
}

// Sign signs a header hash and returns the value of b=: RSASSA-PKCS1-v1_5, or
// Ed25519 over the hash itself (RFC 8463, section 3). A key that lies in a
// device was configured apart from its public half, so what any key but one of
// the standard library's makes is verified: ErrSignature says that the halves
// do not belong together.
func Sign(key crypto.Signer, a Algorithm, digest []byte) (string, error) {
	var opts crypto.SignerOpts = crypto.Hash(0)
	if a != Ed25519SHA256 {
		opts = crypto.SHA256
	}
	s, err := key.Sign(rand.Reader, digest, opts)
	if err != nil {
		return "", err
	}
	switch key.(type) {
	case *rsa.PrivateKey, ed25519.PrivateKey:
	default:
		if err := Verify(&Record{Key: key.Public(), Bits: MinRSABits}, a, digest, s); err != nil {
			return "", err
		}
	}
	return base64.StdEncoding.EncodeToString(s), nil
}

// TagText is a tag to be written; its value may be folded behind each of the octets of Fold.
type TagText struct{ Name, Value, Fold string }

// foldAt is the length beyond which a line is folded (RFC 5322, section 2.1.1).
const foldAt = 78

// WriteField writes a signature field of the given tags, folded, with its CRLF.
// It folds between tags and where a tag allows it, and nowhere else.
func WriteField(name string, tags []TagText) string {
	var b strings.Builder
	b.WriteString(name + ":")
	col := b.Len()
	put := func(s string, glued bool) {
		switch {
		case !glued && col+1+len(s) > foldAt && col > 1:
			b.WriteString("\r\n\t")
			col = 1
		case !glued:
			b.WriteByte(' ')
			col++
		case col+len(s) > foldAt && col > 1:
			b.WriteString("\r\n\t ")
			col = 2
		}
		b.WriteString(s)
		col += len(s)
	}
	for i, t := range tags {
		end := ";"
		if i == len(tags)-1 {
			end = ""
		}
		head, rest := t.Name+"=", t.Value+end
		switch t.Fold {
		case "":
			put(head+rest, false)
		default:
			for first := true; rest != ""; first = false {
				n := strings.IndexAny(rest, t.Fold) + 1
				if n == 0 {
					n = len(rest)
				}
				if first {
					put(head+rest[:n], false)
				} else {
					put(rest[:n], true)
				}
				rest = rest[n:]
			}
		}
	}
	return b.String() + "\r\n"
}

// FoldData folds base64 for the place behind text, in the middle of a field.
// White space in b= is no part of any hash.
func FoldData(text, data string) string {
	col := len(text) - strings.LastIndexByte(text, '\n') - 1
	var b strings.Builder
	for n := max(8, foldAt-1-col); len(data) > n; n = foldAt - 3 {
		b.WriteString(data[:n] + "\r\n\t ")
		data = data[n:]
	}
	b.WriteString(data)
	return b.String()
}
