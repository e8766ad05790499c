package message

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// header returns a header block of exactly size octets with fields of at most 1000.
func blockOf(size int) string {
	var b strings.Builder
	for size > 0 {
		n := min(size, 1000)
		if rest := size - n; rest > 0 && rest < 10 {
			n -= 10
		}
		b.WriteString("X-A: " + strings.Repeat("x", n-7) + "\r\n")
		size -= n
	}
	return b.String()
}

// TestLimits goes to each limit and one past it, at the default and at a
// smaller one, with and without the empty line, at once and octet by octet.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits func(n int) Limits
		def    int
		small  int
		err    error
		header func(n int) string // a header block that is exactly at limit n
	}{
		{"HeaderSize", func(n int) Limits { return Limits{HeaderSize: n} }, 512 << 10, 4000, ErrHeaderSize, blockOf},
		{"Fields", func(n int) Limits { return Limits{Fields: n} }, 2000, 10, ErrFieldCount,
			func(n int) string { return strings.Repeat("A: b\r\n", n) }},
		{"Fields without colon", func(n int) Limits { return Limits{Fields: n} }, 2000, 10, ErrFieldCount,
			func(n int) string { return strings.Repeat("\r \r\n", n) }},
		{"FieldSize", func(n int) Limits { return Limits{FieldSize: n} }, 64 << 10, 100, ErrFieldSize,
			func(n int) string { return "A: b\r\nTo: " + strings.Repeat("x", n-6) + "\r\nB: c\r\n" }},
		{"FieldSize over lines", func(n int) Limits { return Limits{FieldSize: n} }, 64 << 10, 100, ErrFieldSize,
			func(n int) string {
				return "To: " + strings.Repeat("x", n/2) + "\r\n " + strings.Repeat("x", n-n/2-9) + "\r\n"
			}},
		{"Folds", func(n int) Limits { return Limits{Folds: n} }, 500, 3, ErrFolds,
			func(n int) string { return "A: b\r\nTo: a" + strings.Repeat("\r\n a", n) + "\r\nB: c\r\n" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Zero and less are the default.
			for _, zero := range []int{0, -1} {
				require.Equal(t, Limits{512 << 10, 2000, 64 << 10, 500}, c.limits(zero).withDefaults())
			}
			for _, limit := range []int{c.def, c.small} {
				set := c.limits(limit)
				if limit == c.def {
					set = Limits{}
				}
				for _, over := range []int{0, 1} {
					for _, end := range []string{"", "\r\n", "\r\nbody\r\n"} {
						in := c.header(limit+over) + end
						want := c.err
						if over == 0 {
							want = nil
						}
						d := Digester{Limits: set}
						_, err := d.Write([]byte(in))
						if err == nil {
							_, err = d.Finish()
						}
						require.Equal(t, want, err, "limit %d over %d end %q", limit, over, end)
						if limit == c.small {
							d = Digester{Limits: set}
							_, err = d.ReadFrom(iotest.OneByteReader(strings.NewReader(in)))
							if err == nil {
								_, err = d.Finish()
							}
							require.Equal(t, want, err, "octet by octet: limit %d over %d end %q", limit, over, end)
						}
						if limit == c.def {
							_, err = ParseHeader([]byte(in))
							require.Equal(t, want, err)
						}
					}
				}
			}
		})
	}
	require.Len(t, blockOf(512<<10), 512<<10)
	require.Equal(t, 1<<30, Limits{HeaderSize: math.MaxInt}.withDefaults().HeaderSize)
}

// However much arrives, an endless header costs no more than growing to the limit does.
func TestEndlessHeader(t *testing.T) {
	piece := []byte(strings.Repeat("From: a@bank.example\n", 1000))
	used := allocated(func() {
		var d Digester
		var err error
		for err == nil {
			_, err = d.Write(piece)
		}
		require.Equal(t, ErrHeaderSize, err)
	})
	require.Less(t, used, uint64(6*DefaultHeaderSize))
}

func TestErrorCode(t *testing.T) {
	for e, code := range map[Error]string{ErrHeaderSize: "ErrHeaderSize", ErrFieldCount: "ErrFieldCount", ErrFieldSize: "ErrFieldSize",
		ErrFolds: "ErrFolds", ErrFinished: "ErrFinished", Error("another"): ""} {
		require.Equal(t, code, e.Code())
		require.Equal(t, "message: "+string(e), e.Error())
	}
}

// TestP13Linear is property P13: four times the input allocates at most four times as
// much, on everything that could be worse.
func TestP13Linear(t *testing.T) {
	for name, make := range map[string]func(n int) string{
		"fields":       func(n int) string { return strings.Repeat("A: b\r\n", n) },
		"names":        func(n int) string { return numbered(n, "X-%d: a\r\n") },
		"long names":   func(n int) string { return numbered(n, strings.Repeat("x", 100)+"-%d: a\r\n") },
		"no colon":     func(n int) string { return numbered(n, "x%d\r\n") },
		"folds":        func(n int) string { return "A: b\r\n" + strings.Repeat(" c\r\n", n/4) },
		"folded names": func(n int) string { return strings.Repeat("From\r\n : x\r\n", n) },
		"signatures":   func(n int) string { return numbered(n, "DKIM-Signature: a=rsa-sha256; l=%d\r\n") },
		"bare LF":      func(n int) string { return "A: " + strings.Repeat("\n", n) + "\r\n" },
		"bare CR":      func(n int) string { return "A: " + strings.Repeat("\r", n) + "\r\n" },
		"line ends":    func(n int) string { return "A: " + strings.Repeat("\v", n) + "\r\n" },
		"bad names":    func(n int) string { return strings.Repeat("Fr\u043em\u00a0: x\r\n", n) },
		"one bad name": func(n int) string { return strings.Repeat("\u00a0", n) + ": x\r\n" },
		"blank folds":  func(n int) string { return "A: b\r\n" + strings.Repeat(" \r\n", n/4) },
	} {
		t.Run(name, func(t *testing.T) {
			cost := func(n int) float64 {
				in := []byte(make(n) + "\r\n")
				return float64(allocated(func() {
					var d Digester
					_, err := d.Write(in)
					require.NoError(t, err)
					_, err = d.Finish()
					require.NoError(t, err)
				}))
			}
			cost(100)
			// Four times as much, because slices grow in steps.
			small, large := cost(500), cost(2000)
			require.LessOrEqual(t, large, 2.2*2.2*small)
		})
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
