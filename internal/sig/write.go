package sig

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// AlgorithmOf returns the algorithm that a signer's key is used with, and
// refuses keys that a verifier would not take (RFC 8301, section 3.2; RFC 8463,
// section 3). minBits is the least RSA modulus.
func AlgorithmOf(pub crypto.PublicKey, minBits int) (Algorithm, error) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < minBits {
			return 0, fmt.Errorf("%w: %d bits, at least %d", ErrKeyShort, n, minBits)
		} else if n > HardMaxRSABits {
			return 0, fmt.Errorf("%w: %d bits, limit %d", ErrKeyLong, n, HardMaxRSABits)
		}
		return RSASHA256, nil
	case ed25519.PublicKey:
		return Ed25519SHA256, nil
	}
	return 0, fmt.Errorf("%w: %T", ErrKeyType, pub)
}

// Sign signs a header hash with any crypto.Signer and returns the value of b=.
// Ed25519 signs the hash as if it were the message (RFC 8463, section 3).
func Sign(random io.Reader, signer crypto.Signer, a Algorithm, digest []byte) (string, error) {
	var opts crypto.SignerOpts = crypto.SHA256
	if a == Ed25519SHA256 {
		opts = crypto.Hash(0)
	}
	s, err := signer.Sign(random, digest, opts)
	if err != nil {
		return "", err
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
