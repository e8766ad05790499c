package canon

import (
	"crypto/sha256"
	"encoding/base64"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

// bodies are the three kinds that performance is measured with.
func bodies() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	var text, html, b64 strings.Builder
	for text.Len() < 10<<10 {
		for line := 0; line < 64; {
			w := 2 + r.IntN(9)
			for range w {
				text.WriteByte(byte('a' + r.IntN(26)))
			}
			text.WriteByte(' ')
			line += w + 1
		}
		text.WriteString("end.\r\n")
	}
	for html.Len() < 100<<10 {
		html.WriteString(strings.Repeat("  ", r.IntN(10)))
		html.WriteString([]string{
			"<table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"100%\">",
			"<tr><td align=\"center\">",
			"<a href=\"https://bank.example/c/0123456789abcdef\" style=\"color: #333; text-decoration: none\">Read it  </a>",
			"</td></tr>"}[r.IntN(4)])
		html.WriteString("\r\n")
	}
	raw := make([]byte, 768<<10)
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	for s := base64.StdEncoding.EncodeToString(raw); s != ""; s = s[min(76, len(s)):] {
		b64.WriteString(s[:min(76, len(s))] + "\r\n")
	}
	return map[string][]byte{"10KB text": []byte(text.String()), "100KB HTML": []byte(html.String()),
		"100KB HTML with tabs": []byte(strings.ReplaceAll(html.String(), "  ", "\t")),
		"1MB base64":           []byte(b64.String())}
}

type discard struct{ n int }

func (d *discard) Write(p []byte) (int, error) { d.n += len(p); return len(p), nil }

// BenchmarkBody gives the cost of canonicalizing alone; the metric "ratio" is
// its time, that of the hash included, over the hash of the body alone: least
// over least of alternating slices.
func BenchmarkBody(b *testing.B) {
	for _, name := range []string{"10KB text", "100KB HTML", "100KB HTML with tabs", "1MB base64"} {
		body := bodies()[name]
		pieces := func(f func(p []byte)) {
			for p := body; len(p) > 0; p = p[min(16<<10, len(p)):] {
				f(p[:min(16<<10, len(p))])
			}
		}
		canonicalize := func(relaxed bool) func() {
			return func() {
				var c Body
				c.Start(&discard{}, relaxed)
				pieces(func(p []byte) { c.Write(p) })
				c.Close()
			}
		}
		for _, k := range []struct {
			name string
			run  func()
		}{
			{"simple", canonicalize(false)},
			{"relaxed", canonicalize(true)},
			{"line ends", func() {
				var l LineEnds
				pieces(l.Write)
			}},
		} {
			b.Run(name+"/"+k.name, func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				hash, run := time.Hour, time.Hour
				for range 50 {
					hash = min(hash, slice(len(body), func() { sha256.Sum256(body) }))
					run = min(run, slice(len(body), k.run))
				}
				for range b.N {
					k.run()
				}
				b.ReportMetric(float64(hash+run)/float64(hash), "ratio")
			})
		}
	}
}

// BenchmarkHostile gives the same ratio for bodies of one thing over and over, relaxed,
// with the search for bare CR and LF.
func BenchmarkHostile(b *testing.B) {
	for _, unit := range []string{" a", "  a", " \ta", "  ", "\t", " \r\n", "\r\n", "a \r\n", "\r", "\n", "\r\r\n", "\x00", strings.Repeat("x", 520) + "  ", strings.Repeat("x", 31) + "  "} {
		body := []byte(strings.Repeat(unit, (256<<10)/len(unit)) + "x")
		run := func() {
			var c Body
			var l LineEnds
			c.Start(&discard{}, true)
			for p := body; len(p) > 0; p = p[min(16<<10, len(p)):] {
				c.Write(p[:min(16<<10, len(p))])
				l.Write(p[:min(16<<10, len(p))])
			}
			c.Close()
		}
		b.Run(strings.Trim(strconv.Quote(unit[max(0, len(unit)-4):]), `"`), func(b *testing.B) {
			hash, least := time.Hour, time.Hour
			for range 50 {
				hash = min(hash, slice(len(body), func() { sha256.Sum256(body) }))
				least = min(least, slice(len(body), run))
			}
			for range b.N {
				run()
			}
			b.ReportMetric(float64(hash+least)/float64(hash), "ratio")
		})
	}
}

func slice(size int, f func()) time.Duration {
	n := max(1, (128<<10)/size)
	start := time.Now()
	for range n {
		f()
	}
	return time.Since(start) / time.Duration(n)
}
