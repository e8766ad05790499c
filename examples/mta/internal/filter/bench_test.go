package filter

import (
	"io"
	"log/slog"
	"testing"
)

// BenchmarkMessage is a signed message through the milter over a Unix socket, an MTA
// that waits for nothing and a DNS in memory.
func BenchmarkMessage(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
	}{{"4KB", 4 << 10}, {"1MB", 1 << 20}} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b, "mode = \"enforce\"\n")
			w.server.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
			body := make([]byte, 0, c.size)
			for len(body) < c.size {
				body = append(body, "The quick brown fox jumps over the lazy dog, seventy-six times a message\r\n"...)
			}
			l := fromGood.with(signed(b, "good.example", awkward+string(body)))
			m := w.connect(b)
			m.open(l)
			b.ReportAllocs()
			b.SetBytes(int64(len(l.text)))
			for b.Loop() {
				m.mailFrom(l)
				m.data(l)
				m.end()
			}
		})
	}
}
