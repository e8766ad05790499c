package svgps

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// laughs is a chain of n groups, each of which uses the one before it k times.
func laughs(n, k int) string {
	var b strings.Builder
	b.WriteString(`<g id="g0"><rect/></g>`)
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, `<g id="g%d">`, i)
		for range k {
			fmt.Fprintf(&b, `<use href="#g%d"/>`, i-1)
		}
		b.WriteString("</g>")
	}
	return b.String()
}

// masks is a chain of n masks, each of which holds k shapes masked by the one before it.
func masks(n, k int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<mask id="m%d">%s</mask>`, i, strings.Repeat(fmt.Sprintf(`<rect mask="url(#m%d)"/>`, i-1), k))
	}
	return strings.Replace(b.String(), "#m-1", "#none", -1)
}

// TestLimits has each limit at its value and one past it.
func TestLimits(t *testing.T) {
	nest := func(n int) string { return image(strings.Repeat("<g>", n-1) + strings.Repeat("</g>", n-1)) }
	many := func(n int) string { return image(strings.Repeat("<g/>", n-2)) }
	attrs := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ` data-a%d="1"`, i)
		}
		return image("<g" + b.String() + "/>")
	}
	bindings := func(n int) string {
		var b strings.Builder
		for i := range n {
			if i%40 == 0 {
				b.WriteString("><g")
			}
			fmt.Fprintf(&b, ` xmlns:a%d="urn:x"`, i)
		}
		return image("<g" + b.String() + ">" + strings.Repeat("</g>", n/40+2))
	}
	uses := func(n int) string { return image(`<g id="a"/>` + strings.Repeat(`<use href="#a"/>`, n)) }
	lenient := Options{Profile: Lenient}
	for _, tt := range []struct {
		name string
		in   string
		o    Options
		want error
	}{
		{"depth", nest(32), Options{}, nil},
		{"depth-past", nest(33), Options{}, ErrDepth},
		{"depth-option", nest(33), Options{MaxDepth: 33}, nil},
		{"elements", many(10_000), Options{MaxSize: 1 << 20}, nil},
		{"elements-past", many(10_001), Options{MaxSize: 1 << 20}, ErrElements},
		{"attributes", attrs(64), lenient, nil},
		{"attributes-past", attrs(65), lenient, ErrAttributes},
		{"bindings", bindings(62), lenient, nil}, // and two of the root
		{"bindings-past", bindings(63), lenient, ErrNamespace},
		{"expansion", uses(31), Options{MaxExpansion: 65}, nil}, // root, title, g, 31 uses, 31 more g
		{"expansion-past", uses(32), Options{MaxExpansion: 65}, ErrExpansion},
		{"size", image(""), Options{MaxSize: len(image(""))}, nil},
		{"size-past", image(""), Options{MaxSize: len(image("")) - 1}, ErrSize},
		{"reference", image("<text>&#" + strings.Repeat("0", maxReference-5) + "65;</text>"), Options{}, nil},
		{"reference-past", image("<text>&#" + strings.Repeat("0", maxReference-4) + "65;</text>"), Options{}, ErrSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) { require.ErrorIs(t, Check([]byte(tt.in), tt.o).Err, tt.want) })
	}
}

// P13: an image that is built to be slow costs at most a little more than twice the
// octets where it is twice as long, limits raised. Time is for BenchmarkCheckDoubled.
func TestP13Linear(t *testing.T) {
	o := Options{Profile: Lenient, MaxSize: 64 << 20, MaxElements: 1 << 30, MaxExpansion: 1 << 30}
	octets := func(data []byte) float64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		Check(data, o)
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	large := slow(1 << 20)
	for name, small := range slow(256 << 10) {
		// Two doublings, because slices and maps grow in steps, which are even only where they are long.
		require.LessOrEqual(t, octets(large[name]), 2.2*2.2*octets(small), name)
	}
}

func allErrors() []Error {
	return []Error{ErrSize, ErrGzip, ErrEncoding, ErrSyntax, ErrDuplicateAttribute, ErrNamespace, ErrSubset, ErrEntity, ErrInstruction,
		ErrCDATA, ErrComment, ErrDepth, ErrElements, ErrAttributes, ErrExpansion, ErrRoot, ErrActive, ErrReference, ErrDoctype, ErrElement,
		ErrPlacement, ErrForeign, ErrAttribute, ErrValue, ErrRequired, ErrTitle, ErrDesc, ErrText, ErrTitleLength, ErrViewBox, ErrNotSquare,
		ErrNoDimensions, ErrRelative, ErrSmall, ErrUse, ErrTarget, ErrID, ErrByteOrderMark, ErrPrefix}
}

func TestErrors(t *testing.T) {
	codes := map[string]bool{}
	for _, e := range allErrors() {
		require.NotEmpty(t, e.Advice(), e)
		require.True(t, strings.HasPrefix(e.Code(), "Err"), e)
		require.False(t, codes[e.Code()], e)
		codes[e.Code()] = true
	}
	require.Empty(t, Error("x").Code())
	require.Equal(t, "Severity(9)", Severity(9).String())
	require.Equal(t, "Tier(9)", Tier(9).String())
	var e Error
	require.True(t, errors.As(Check(nil, Options{}).Err, &e))
	require.Equal(t, "ErrSyntax", e.Code())
}
