package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"strings"
	"testing"

	peer "github.com/emersion/go-msgauth/dkim"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// signings are the rows of signing: the header fields of the verified messages, relaxed.
func signings(t testing.TB) (rows []load) {
	key, ed := sigtest.RSA(t, "rsa2048"), sigtest.Ed25519()
	for _, c := range []struct {
		name, body string
		key        crypto.Signer
	}{
		{"sign 10 KB, RSA-2048", textBody(10 << 10), key},
		{"sign 10 KB, Ed25519", textBody(10 << 10), ed},
		{"sign 1 MB, RSA-2048", base64Body(1 << 20), key},
	} {
		text := []byte(header + "\r\n" + c.body)
		canonical := []byte(sigtest.Body(c.body, true))
		input := bytes.Repeat([]byte("x"), 1<<10)
		fields := strings.Split(names, ":")
		s := dkim.Signer{Domain: "bank.example", Selector: "sel", Key: c.key, Fields: fields}
		options := &peer.SignOptions{Domain: "bank.example", Selector: "sel", Signer: c.key, HeaderKeys: fields,
			HeaderCanonicalization: peer.CanonicalizationRelaxed, BodyCanonicalization: peer.CanonicalizationRelaxed}
		rows = append(rows, load{
			name: c.name,
			limit: func() {
				sha256.Sum256(canonical)
				sum := sha256.Sum256(input)
				if k, ok := c.key.(*rsa.PrivateKey); ok {
					if _, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:]); err != nil {
						panic(err)
					}
					return
				}
				ed25519.Sign(c.key.(ed25519.PrivateKey), sum[:])
			},
			ours: func() {
				if _, err := dkim.Sign(bytes.NewReader(text), s); err != nil {
					panic(err)
				}
			},
			// Its Sign writes the whole message again; its Signer does not.
			msgauth: func() {
				signer, err := peer.NewSigner(options)
				if err == nil {
					_, err = io.Copy(signer, bytes.NewReader(text))
				}
				if err == nil {
					err = signer.Close()
				}
				if err != nil || signer.Signature() == "" {
					panic(err)
				}
			},
		})
	}
	return rows
}
