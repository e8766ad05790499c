package bimi

import (
	"context"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
)

func BenchmarkVerify(b *testing.B) {
	for _, name := range []string{"not eligible", "self-asserted", "certified"} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, markcerttest.Spec{})
			switch name {
			case "not eligible":
				w.dns["_dmarc.example.com"] = "v=DMARC1; p=none"
			case "self-asserted":
				w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL
			}
			m := mail(b, w.dns, w.from, "", w.sig)
			w.v.Resolver, w.v.Fetcher = records(b, w.dns), w.web
			b.ReportAllocs()
			for b.Loop() {
				w.web.asked = w.web.asked[:0]
				w.v.Verify(context.Background(), m)
			}
		})
	}
}

func BenchmarkParseRecord(b *testing.B) {
	text := "v=BIMI1; l=https://images.example.com/brand/logo.svg; a=https://images.example.com/brand/mark.pem; lps=news,offers"
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRecord(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStrip is what every message pays, with or without BIMI.
func BenchmarkStrip(b *testing.B) {
	text := strings.Repeat("Received: from mx.example.com (mx.example.com [192.0.2.1]) by mx.example.net with ESMTPS id x; Sat, 21 Nov 2026 10:00:00 +0000\r\n", 30)
	h := parseHeader(b, text)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if len(Strip(h)) > 0 {
			b.Fatal("nothing to strip")
		}
	}
}
