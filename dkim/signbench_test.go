package dkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// BenchmarkSign measures reading and signing a message. x-limit is the ratio to
// one SHA-256 over the canonical body, and for each signature one over its
// header and one private-key operation, as in BenchmarkVerify.
func BenchmarkSign(b *testing.B) {
	rsaKey, ed := sigtest.RSA(b, "rsa2048"), sigtest.Ed25519()
	for _, c := range []struct {
		name string
		body string
		keys []crypto.Signer
	}{
		{"10KB-rsa2048", textBody(10 << 10), []crypto.Signer{rsaKey}},
		{"10KB-ed25519", textBody(10 << 10), []crypto.Signer{ed}},
		{"10KB-both", textBody(10 << 10), []crypto.Signer{rsaKey, ed}},
		{"1MB-rsa2048", base64Body(1 << 20), []crypto.Signer{rsaKey}},
	} {
		b.Run(c.name, func(b *testing.B) {
			text := []byte(benchHeader + "\r\n" + c.body)
			canonical := []byte(sigtest.Body(c.body, true))
			var signers []Signer
			var headers [][]byte
			for _, key := range c.keys {
				s := newSigner(key)
				signers = append(signers, s)
				// What is hashed of the header, as the signer hashes it.
				var digested []byte
				s.Key = device{key.Public(), func(r io.Reader, d []byte, o crypto.SignerOpts) ([]byte, error) {
					digested = d
					return key.Sign(r, d, o)
				}}
				field, err := Sign(bytes.NewReader(text), s)
				if err != nil || digested == nil {
					b.Fatal(err)
				}
				names := field[strings.Index(field, "h=")+2:]
				names = strings.ReplaceAll(names[:strings.IndexByte(names, ';')], "\r\n ", "")
				head := sigtest.Select(benchHeader, strings.Split(names, ":"), true) + sigtest.HeaderField(field[:strings.Index(field, "\r\n b=")], true)
				headers = append(headers, []byte(head))
			}
			limit := func() {
				sha256.Sum256(canonical)
				for i, key := range c.keys {
					sum := sha256.Sum256(headers[i])
					var err error
					if k, ok := key.(*rsa.PrivateKey); ok {
						_, err = rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:])
					} else {
						ed25519.Sign(key.(ed25519.PrivateKey), sum[:])
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			run := func() {
				if _, err := Sign(bytes.NewReader(text), signers...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				run()
			}
			b.StopTimer()
			b.ReportMetric(ratio(run, limit), "x-limit")
		})
	}
}
