package message

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func header(t testing.TB, text string) *Header {
	h, err := ParseHeader([]byte(text))
	require.NoError(t, err)
	return h
}

func TestField(t *testing.T) {
	for _, c := range []struct {
		in, name, value, simple, relaxed string
	}{
		{"A: X\r\n", "A", " X", "A: X\r\n", "a:X\r\n"},
		{"A:X", "A", "X", "A:X\r\n", "a:X\r\n"},
		{"B : Y\t\r\n\tZ  \r\n", "B", " Y\t\r\n\tZ  ", "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n"},
		{"Subject:\r\n \r\n", "Subject", "\r\n ", "Subject:\r\n \r\n", "subject:\r\n"}, // DKC-16
		{"Subject:\r\n", "Subject", "", "Subject:\r\n", "subject:\r\n"},
		{"From\r\n : x\r\n", "From", " x", "From\r\n : x\r\n", "from:x\r\n"},
		{"From : x\r\n", "From", " x", "From : x\r\n", "from:x\r\n"},
		{" From: x\r\n", " From", " x", " From: x\r\n", " from:x\r\n"},
		{"junk  x\r\n", "", "junk  x", "junk  x\r\n", "junk x\r\n"},
		{": x\r\n", "", " x", ": x\r\n", ":x\r\n"},
		{"X: \xff\xfe\r\n", "X", " \xff\xfe", "X: \xff\xfe\r\n", "x:\xff\xfe\r\n"},
		{"X: a\nb\r c\r\n", "X", " a\nb\r c", "X: a\nb\r c\r\n", "x:a\nb\r c\r\n"},
		{"X: a\r", "X", " a\r", "X: a\r\r\n", "x:a\r\r\n"},
		{"X: a:b\r\n", "X", " a:b", "X: a:b\r\n", "x:a:b\r\n"},
	} {
		h := header(t, c.in)
		require.Equal(t, 1, h.Len(), "%q", c.in)
		f := h.Field(0)
		require.Equal(t, c.name, f.Name(), "%q", c.in)
		require.Equal(t, c.value, f.Value(), "%q", c.in)
		require.Equal(t, 0, f.Index())
		require.Equal(t, c.in, string(h.Raw(0)))
		require.Equal(t, c.in, string(h.Bytes()))
		require.Equal(t, "x"+c.simple, string(f.AppendCanonical([]byte("x"), Simple)), "%q", c.in)
		require.Equal(t, " "+c.relaxed, string(f.AppendCanonical([]byte(" "), Relaxed)), "%q", c.in)
		require.False(t, f.Is(""))
		require.Equal(t, c.name != "", f.Is(strings.ToUpper(c.name)))
	}
	require.Equal(t, "simple relaxed unknown", fmt.Sprint(Simple, " ", Relaxed, " ", Canonicalization(9)))
	require.Panics(t, func() { header(t, "A: b\r\n").Field(1) })
}

func TestAppendCanonicalCut(t *testing.T) {
	f := header(t, "DKIM-Signature: v=1; b = \r\n\tabc\r\n def ; bh=x\r\n").Field(0)
	v := f.Value()
	from := strings.Index(v, "b =") + 3
	to := strings.Index(v, "; bh")
	require.Equal(t, "DKIM-Signature: v=1; b =; bh=x", string(f.AppendCanonicalCut(nil, Simple, from, to)))
	require.Equal(t, "dkim-signature:v=1; b =; bh=x", string(f.AppendCanonicalCut(nil, Relaxed, from, to)))
	require.Equal(t, "dkim-signature:v=1; b =", string(f.AppendCanonicalCut(nil, Relaxed, from, len(v))))
	require.Equal(t, "dkim-signature:bh=x", string(f.AppendCanonicalCut(nil, Relaxed, 0, to+1)))
	require.Panics(t, func() { f.AppendCanonicalCut(nil, Relaxed, 0, len(v)+1) })
	require.Panics(t, func() { f.AppendCanonicalCut(nil, Simple, 5, 4) })

	// Without a cut, and with an empty one anywhere, it is the field.
	want := strings.TrimSuffix(string(f.AppendCanonical(nil, Relaxed)), "\r\n")
	for i := range len(v) + 1 {
		if i > 0 && v[i-1] == '\r' {
			continue // within a CRLF
		}
		require.Equal(t, want, string(f.AppendCanonicalCut(nil, Relaxed, i, i)), "%d", i)
	}
}

func TestAll(t *testing.T) {
	h := header(t, "A: 0\r\nb: 1\r\na : 2\r\njunk\r\nB: 4\r\nÄ: 5\r\n: 6\r\nä: 7\r\nA\r\n : 8\r\n")
	require.Equal(t, []int{0, 2, 8}, h.All("A"))
	require.Equal(t, []int{1, 4}, h.All("B"))
	require.Equal(t, []int{5}, h.All("Ä")) // ASCII case only
	require.Equal(t, []int{7}, h.All("ä"))
	require.Equal(t, []int{0}, header(t, "azAZ: 0\r\n").All("AZaz"))
	require.Nil(t, h.All(""))
	require.Nil(t, h.All("c"))
	require.Nil(t, h.All("a "))
	require.Nil(t, header(t, "").All("a"))
	// An append does not reach the others.
	_ = append(h.All("A"), 99)
	require.Equal(t, []int{1, 4}, h.All("B"))
}

// The index is what a search over all fields would find.
func TestAllRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	name := func() string {
		b := make([]byte, 1+r.IntN(20))
		for i := range b {
			b[i] = "abAB-@`[{\xc3"[r.IntN(10)]
			if i > 1 {
				b[i] = 'x'
			}
		}
		return string(b)
	}
	for range 100 {
		var b strings.Builder
		var names []string
		for range r.IntN(200) {
			n := name()
			names = append(names, n)
			b.WriteString(n + ": x\r\n")
		}
		h := header(t, b.String())
		require.Equal(t, len(names), h.Len())
		for range 300 {
			n := name()
			var want []int
			for i := range names {
				if h.Field(i).Is(n) {
					want = append(want, i)
				}
			}
			require.Equal(t, want, h.All(n), "%q", n)
		}
	}
}

// As many look-ups as a header may have fields, of names that all exist and
// are long: linear, because each costs the length of its name.
func TestAllIsLinear(t *testing.T) {
	const n = 8000
	var b strings.Builder
	names := make([]string, n)
	for i := range n {
		names[i] = fmt.Sprintf("X-%d-Some-Field-Name", i%4000)
		b.WriteString(names[i] + ":\r\n")
	}
	d := Digester{Limits: Limits{Fields: n}}
	_, err := d.Write([]byte(b.String() + "\r\n"))
	require.NoError(t, err)
	h := d.Header()
	// Not the time is measured but the longest probe: with a load of at most one
	// half and a random key it is short for all names.
	longest := 0
	for _, name := range names {
		hash := h.names.hash(name)
		group, slots := uint32(h.names.find(h, name, hash)), h.names.slots
		steps := 0
		for slots[(int(hash)+steps)&(len(slots)-1)] != group {
			steps++
		}
		longest = max(longest, steps)
	}
	require.Less(t, longest, 200)
	require.Zero(t, testing.AllocsPerRun(1, func() {
		for _, name := range names {
			if len(h.All(name)) != 2 {
				panic(name)
			}
		}
	}))
}

func TestInternationalized(t *testing.T) {
	for in, want := range map[string]bool{
		"Subject: a\r\n":     false,
		"Subject: ä\r\n":     true,
		"Subject: ä\xff\r\n": false,
		"Ä: x\r\n":           true,
		"DKIM-Signature: d=bücher.example\r\nARC-Seal: d=ü\r\narc-message-signature : d=ü\r\n": false,
		"DKIM-Signature: d=bücher.example\r\nTo: ü@x.example\r\n":                              true,
		"Subject: ä\r\nDKIM-Signature: d=bücher.example\r\n":                                   true,
		"Subject: a\x01\r\nX:\x00\r\n":                                                         false,
		"":                                                                                     false,
	} {
		require.Equal(t, want, header(t, in).Internationalized(), "%q", in)
		d := Digester{SMTPUTF8: true}
		_, err := d.Write([]byte(in + "\r\n"))
		require.NoError(t, err)
		require.True(t, d.Header().Internationalized())
	}
}

func TestParseHeader(t *testing.T) {
	for _, end := range []string{"", "\r\n", "\r\nbody: x\r\n"} {
		h := header(t, "From: a@bank.example\r\nTo: b\r\n"+end)
		require.Equal(t, 2, h.Len())
		if end == "" {
			require.Equal(t, []Finding{{NoBlankLine, -1}}, h.Findings())
		} else {
			require.Nil(t, h.Findings())
		}
	}
	h, err := ParseHeader([]byte(strings.Repeat("A: b\r\n", DefaultFields+1)))
	require.Nil(t, h)
	require.Equal(t, ErrFieldCount, err)
}

// Number counts the fields of one name in any case; a line that is no field has none.
func TestNumber(t *testing.T) {
	h, err := ParseHeader([]byte("To: a\r\nFROM: b\r\nto : c\r\nno field\r\nTO: d\r\nTo\x01: e\r\nfrom: f\r\n"))
	require.NoError(t, err)
	var got []int
	for i := range h.Len() {
		got = append(got, h.Field(i).Number())
	}
	require.Equal(t, []int{1, 1, 2, 0, 3, 1, 2}, got)
}
