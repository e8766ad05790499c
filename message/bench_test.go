package message

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// benchHeader is the kind of header that a message has behind two servers and a
// signer; sigs are put on top.
func benchHeader(sigs ...string) string {
	var b strings.Builder
	for _, c := range sigs {
		fmt.Fprintf(&b, "DKIM-Signature: v=1; a=rsa-sha256; c=%s; d=bank.example; s=sel;\r\n\tt=1795255200; h=from:to:subject:date:message-id:mime-version:content-type:from;\r\n\tbh=%s;\r\n\tb=%s\r\n\t %s\r\n", c,
			strings.Repeat("A", 43)+"=", strings.Repeat("B", 72), strings.Repeat("C", 270))
	}
	for i := range 3 {
		fmt.Fprintf(&b, "Received: from out%d.bank.example (out%[1]d.bank.example [192.0.2.%[1]d])\r\n\tby mx%[1]d.victim.example (Postfix) with ESMTPS id 4F%[1]dABCDEF\r\n\tfor <u@victim.example>; Sat, 21 Nov 2026 10:00:0%[1]d +0000 (UTC)\r\n", i)
	}
	b.WriteString("Return-Path: <ceo@bank.example>\r\nDelivered-To: u@victim.example\r\n" +
		"From: \"Chief Executive\" <ceo@bank.example>\r\nTo: Some Body <u@victim.example>\r\nCc: Some Body Else <v@victim.example>,\r\n another one <w@victim.example>\r\n" +
		"Subject: =?utf-8?q?Your_statement_is_ready?=\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <20261121100000.12345.1@bank.example>\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\nX-Mailer: mailer 1.0\r\n" +
		"List-Unsubscribe: <https://bank.example/unsubscribe?id=0123456789abcdef>,\r\n <mailto:unsubscribe@bank.example>\r\nX-Campaign: 2026-11\r\nFeedback-ID: 1:2:3:bank\r\n\r\n")
	return b.String()
}

func textBody(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < n {
		line := 0
		for line < 64 {
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
		depth := r.IntN(10)
		b.WriteString(strings.Repeat("  ", depth))
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
	s := base64.StdEncoding.EncodeToString(raw)
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	b.WriteString(s + "\r\n")
	return b.String()
}

// BenchmarkDigest reads whole messages. The metric "ratio" is the time of that
// over the time of the limit: one SHA-256 over each distinct canonical body,
// nothing else, in alternating slices of the same run, least over least.
func BenchmarkDigest(b *testing.B) {
	for _, body := range []struct{ name, text string }{
		{"1KB text", textBody(1 << 10)},
		{"10KB text", textBody(10 << 10)},
		{"100KB HTML", htmlBody(100 << 10)},
		{"1MB base64", base64Body(1 << 20)},
	} {
		for _, c := range [][]string{{"simple/simple"}, {"relaxed/relaxed"}, {"relaxed/relaxed", "simple/simple", "relaxed/relaxed", "relaxed/simple", "relaxed/relaxed"}, nil} {
			name := fmt.Sprintf("%s/%d signatures", body.name, len(c))
			if len(c) == 1 {
				name = body.name + "/" + c[0]
			}
			b.Run(name, func(b *testing.B) {
				msg := []byte(benchHeader(c...) + body.text)
				hashed := []byte(body.text)
				b.ReportAllocs()
				b.SetBytes(int64(len(msg)))
				distinct := min(len(c), 2)
				read, limit := alternate(len(msg), func() { parse(b, msg) }, func() {
					for range distinct {
						sha256.Sum256(hashed)
					}
				})
				b.ResetTimer()
				for range b.N {
					parse(b, msg)
				}
				if distinct > 0 {
					b.ReportMetric(float64(read)/float64(limit), "ratio")
				}
				b.ReportMetric(float64(read-limit)/1000, "µs-over")
			})
		}
	}
}

// alternate times f and the limit in alternating slices and returns the least of each.
func alternate(size int, f, limit func()) (leastF, leastLimit time.Duration) {
	n := max(1, (128<<10)/size)
	slice := func(f func()) time.Duration {
		start := time.Now()
		for range n {
			f()
		}
		return time.Since(start)
	}
	leastF, leastLimit = time.Hour, time.Hour
	for range 100 {
		leastF, leastLimit = min(leastF, slice(f)), min(leastLimit, slice(limit))
	}
	return leastF / time.Duration(n), leastLimit / time.Duration(n)
}

func parse(t testing.TB, msg []byte) *Message {
	m, err := Parse(msg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// BenchmarkHeader finds the fields of a header, their defects and their names;
// the metric "ratio" is over the SHA-256 of the header.
func BenchmarkHeader(b *testing.B) {
	text := []byte(benchHeader("relaxed/relaxed"))
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	f := func() {
		if _, err := ParseHeader(text); err != nil {
			b.Fatal(err)
		}
	}
	took, limit := alternate(len(text), f, func() { sha256.Sum256(text) })
	for range b.N {
		f()
	}
	b.ReportMetric(float64(took)/float64(limit), "ratio")
}

// BenchmarkAppendCanonical canonicalizes all fields of a header; the metric
// "ratio" is over the SHA-256 of the header.
func BenchmarkAppendCanonical(b *testing.B) {
	text := []byte(benchHeader("relaxed/relaxed"))
	h, err := ParseHeader(text)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []Canonicalization{Simple, Relaxed} {
		b.Run(c.String(), func(b *testing.B) {
			buf := make([]byte, 0, 8<<10)
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			f := func() {
				buf = buf[:0]
				for i := range h.Len() {
					buf = h.Field(i).AppendCanonical(buf, c)
				}
			}
			took, limit := alternate(len(text), f, func() { sha256.Sum256(text) })
			for range b.N {
				f()
			}
			b.ReportMetric(float64(took)/float64(limit), "ratio")
		})
	}
}
