package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	peer "github.com/emersion/go-msgauth/dkim"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// memory is a DNS that has all the answers.
type memory map[string]dnsutil.Answer

func (m memory) Lookup(_ context.Context, name string, _ dnsutil.Type) (dnsutil.Answer, error) {
	return m[name], nil
}

func (m memory) Peek(name string, _ dnsutil.Type) (dnsutil.Answer, bool, error) {
	return m[name], true, nil
}

type load struct {
	name                 string
	limit, ours, msgauth func()
	text                 []byte // of a row that libraries of other languages are given too
	dns                  memory
}

const (
	names  = "from:to:subject:date:message-id:mime-version:content-type:reply-to:from"
	header = "Received: from mx1.bank.example (mx1.bank.example [192.0.2.1])\r\n\tby mail.victim.example (Postfix) with ESMTPS id 4F2B1\r\n\tfor <u@victim.example>; Sat, 21 Nov 2026 10:00:01 +0000 (UTC)\r\n" +
		"Received: from mx2.bank.example (mx2.bank.example [192.0.2.2])\r\n\tby mx1.bank.example (Postfix) with ESMTPS id 4F2B2\r\n\tfor <u@victim.example>; Sat, 21 Nov 2026 10:00:00 +0000 (UTC)\r\n" +
		"From: \"Chief Executive\" <ceo@bank.example>\r\nTo: Some Body <u@victim.example>\r\nSubject: Your statement of November is ready\r\n" +
		"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <20261121100000.12345.1@bank.example>\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\nReply-To: <service@bank.example>\r\nX-Mailer: mailer 1.0\r\n"
	relaxed = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=bank.example; s=sel; t=1700000000; h=" + names + "; bh={bh}; b={b}"
)

func loads(t testing.TB) []load {
	key, ed := crypto.Signer(sigtest.RSA(t, "rsa2048")), crypto.Signer(sigtest.Ed25519())
	five := []crypto.Signer{key, key, key, key, key}
	simple := strings.Replace(relaxed, "relaxed/relaxed", "simple/simple", 1)
	text, mega := textBody(10<<10), base64Body(1<<20)
	return []load{
		newLoad(t, "1 KB text, relaxed, RSA-2048", textBody(1<<10), relaxed, key),
		newLoad(t, "10 KB text, relaxed", text, relaxed, key),
		newLoad(t, "100 KB HTML, relaxed", htmlBody(100<<10), relaxed, key),
		newLoad(t, "1 MB base64, relaxed", mega, relaxed, key),
		newLoad(t, "10 KB text, simple", text, simple, key),
		newLoad(t, "1 MB base64, simple", mega, simple, key),
		newLoad(t, "10 KB text, Ed25519", text, relaxed, ed),
		newLoad(t, "10 KB text, five RSA signatures", text, relaxed, five...),
		newLoad(t, "1 MB base64, five RSA signatures", mega, relaxed, five...),
	}
}

// newLoad signs a message with the slow reference signer of the tests.
func newLoad(t testing.TB, name, body, tags string, keys ...crypto.Signer) load {
	dns, head := memory{}, header
	isRelaxed := !strings.Contains(tags, "c=simple")
	canonical := []byte(sigtest.Body(body, isRelaxed))
	work := []func(){func() { sha256.Sum256(canonical) }}
	for i, key := range keys {
		sel := fmt.Sprintf("s%d", i)
		one := strings.Replace(tags, "s=sel", "s="+sel, 1)
		if _, ok := key.(ed25519.PrivateKey); ok {
			one = strings.Replace(one, "rsa-sha256", "ed25519-sha256", 1)
		}
		field := sigtest.Field(key, "DKIM-Signature", strings.ReplaceAll(one, "; ", ";\r\n\t"), head+"\r\n"+body)
		dns[sel+"._domainkey.bank.example."] = dnsutil.Answer{TXT: []string{sigtest.Record(key)}}
		at := strings.LastIndex(field, "\tb=") + 3
		signature, err := base64.StdEncoding.DecodeString(field[at : len(field)-2])
		if err != nil {
			t.Fatal(err)
		}
		input := []byte(sigtest.Select(head, strings.Split(names, ":"), isRelaxed) +
			strings.TrimSuffix(sigtest.HeaderField(field[:at], isRelaxed), "\r\n"))
		work = append(work, func() { verify(key.Public(), input, signature) })
		head = field + head
	}
	text := []byte(head + "\r\n" + body)
	v := dkim.Verifier{Resolver: dns}
	options := &peer.VerifyOptions{LookupTXT: func(name string) ([]string, error) { return dns[name+"."].TXT, nil }}
	return load{
		name: name, text: text, dns: dns,
		limit: func() {
			for _, f := range work {
				f()
			}
		},
		ours: func() {
			m, err := message.Parse(text)
			if err != nil {
				panic(err)
			}
			results := v.Verify(context.Background(), m)
			if len(results) != len(keys) {
				panic("mailauth: results")
			}
			for _, r := range results {
				if r.Status != dkim.Pass {
					panic(r.Err)
				}
			}
		},
		msgauth: func() {
			results, err := peer.VerifyWithOptions(bytes.NewReader(text), options)
			if err != nil || len(results) != len(keys) {
				panic(fmt.Sprint("go-msgauth: ", err, len(results)))
			}
			for _, r := range results {
				if r.Err != nil {
					panic(r.Err)
				}
			}
		},
	}
}

func verify(key crypto.PublicKey, input, signature []byte) {
	sum := sha256.Sum256(input)
	switch k := key.(type) {
	case *rsa.PublicKey:
		if rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature) != nil {
			panic("limit")
		}
	case ed25519.PublicKey:
		if !ed25519.Verify(k, sum[:], signature) {
			panic("limit")
		}
	}
}

func textBody(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < n {
		for line := 0; line < 64; {
			w := 2 + r.IntN(9)
			for range w {
				b.WriteByte(byte('a' + r.IntN(26)))
			}
			b.WriteByte(' ')
			line += w + 1
		}
		b.WriteString("end.\r\n")
		if r.IntN(8) == 0 {
			b.WriteString("\r\n")
		}
	}
	return b.String()
}

func htmlBody(n int) string {
	r := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(strings.Repeat("  ", r.IntN(10)))
		switch r.IntN(4) {
		case 0:
			b.WriteString("<table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"100%\">\r\n")
		case 1:
			b.WriteString("<tr><td align=\"center\">\r\n")
		case 2:
			fmt.Fprintf(&b, "<a href=\"https://bank.example/c/%x\" style=\"color: #333; text-decoration: none\">Read it  </a>\r\n", r.Uint64())
		case 3:
			b.WriteString("</td></tr>\r\n")
		}
	}
	return b.String()
}

func base64Body(n int) string {
	raw := make([]byte, n*3/4)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	var b strings.Builder
	for s := base64.StdEncoding.EncodeToString(raw); s != ""; s = s[min(76, len(s)):] {
		b.WriteString(s[:min(76, len(s))] + "\r\n")
	}
	return b.String()
}
