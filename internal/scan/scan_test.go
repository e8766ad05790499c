package scan

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClasses(t *testing.T) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	const digits = "0123456789"
	for name, c := range map[string]struct {
		class Class
		want  string
	}{
		"Alpha":      {Alpha, letters},
		"Upper":      {Upper, letters[:26]},
		"Digit":      {Digit, digits},
		"Ldh":        {Ldh, letters + digits + "-"},
		"Underscore": {Underscore, "_"},
		"Dot":        {Dot, "."},
		"WSP":        {WSP, " \t"},
		// RFC 2045, section 5.1 lists what a token has not: tspecials.
		"Token": {Token, without(visible(), `()<>@,;:\"/[]?=`)},
		// RFC 5322, section 3.2.3.
		"Atext": {Atext, letters + digits + "!#$%&'*+-/=?^_`{|}~"},
		"Qtext": {Qtext, without(visible(), `"\`)},
		"Ctext": {Ctext, without(visible(), `()\`)},
		"Vchar": {Vchar, visible()},
	} {
		t.Run(name, func(t *testing.T) {
			for b := range 256 {
				require.Equal(t, b < 128 && strings.IndexByte(c.want, byte(b)) >= 0, c.class.Is(byte(b)), "%q", byte(b))
				require.Equal(t, b >= 128, NonASCII.Is(byte(b)))
			}
			require.True(t, c.class.All(c.want))
			require.False(t, c.class.All(c.want+"\x00"))
		})
	}
}

func visible() string {
	var b strings.Builder
	for c := byte('!'); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}

func without(s, chars string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(chars, r) {
			return -1
		}
		return r
	}, s)
}

func TestCFWS(t *testing.T) {
	for name, c := range map[string]struct {
		in      string
		rest    string
		comment string
		err     error
		lax     bool
	}{
		"nothing":           {in: "x", rest: "x"},
		"end":               {},
		"blanks":            {in: " \t x", rest: "x"},
		"fold":              {in: " \r\n x", rest: "x"},
		"folds":             {in: "\r\n \r\n\tx", rest: "x"},
		"no fold":           {in: " \r\nx", rest: "\r\nx"},
		"bare LF":           {in: " \n x", rest: "\n x"},
		"bare LF, lax":      {in: " \n x", rest: "x", lax: true},
		"comments":          {in: " (one) (two)x", rest: "x", comment: "one"},
		"nested":            {in: "(a(b)c)x", rest: "x", comment: "a(b)c"},
		"escaped":           {in: `(a\)\\\(b)x`, rest: "x", comment: `a)\(b`},
		"folded comment":    {in: "(a\r\n b)x", rest: "x", comment: "a b"},
		"empty comment":     {in: "()x", rest: "x"},
		"UTF-8":             {in: "(grün \\é)x", rest: "x", comment: "grün é"},
		"not UTF-8":         {in: "(gr\xfcn)x", err: ErrUTF8},
		"quoted, not UTF-8": {in: "(gr\\\xfcn)x", err: ErrUTF8},
		"not UTF-8, lax":    {in: "(gr\xfcn)x", rest: "x", comment: "gr\xfcn", lax: true},
		"open":              {in: "(x", err: ErrComment},
		"open nested":       {in: "((x)", err: ErrComment},
		"ends in backslash": {in: `(\`, err: ErrSyntax},
		"control":           {in: "(\x01)", err: ErrOctet},
		"quoted control":    {in: "(\\\x01)", err: ErrOctet},
		"quoted CR":         {in: "(\\\r\n )", err: ErrOctet},
		"line end inside":   {in: "(a\r\nb)", err: ErrFold},
		"deep":              {in: strings.Repeat("(", MaxDepth) + strings.Repeat(")", MaxDepth) + "x", rest: "x", comment: strings.Repeat("(", MaxDepth-1) + strings.Repeat(")", MaxDepth-1)},
		"too deep":          {in: strings.Repeat("(", MaxDepth+1) + strings.Repeat(")", MaxDepth+1), err: ErrDepth},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(c.in)
			s.Lax = c.lax
			got := s.CFWS()
			require.Equal(t, c.err, s.Err())
			if c.err != nil {
				require.False(t, got)
				require.False(t, s.Done())
				return
			}
			require.Equal(t, c.rest, s.s[s.Pos():])
			require.Equal(t, c.rest != c.in, got)
			require.Equal(t, c.comment, s.Comment())
		})
	}
}

func TestQuoted(t *testing.T) {
	for name, c := range map[string]struct {
		in, want string
		err      error
	}{
		"plain":          {in: `"a b(c)"`, want: "a b(c)"},
		"empty":          {in: `""`},
		"escapes":        {in: `"\"\\\a\ "`, want: `"\a `},
		"fold":           {in: "\"a\r\n\tb\"", want: "a\tb"},
		"UTF-8":          {in: `"grün \ü"`, want: "grün ü"},
		"not UTF-8":      {in: "\"\xfc\"", err: ErrUTF8},
		"split UTF-8":    {in: "\"\xc3\\\xbc\"", err: ErrUTF8},
		"open":           {in: `"a`, err: ErrQuote},
		"open escape":    {in: `"a\`, err: ErrSyntax},
		"escaped end":    {in: `"a\"`, err: ErrQuote},
		"NUL":            {in: "\"\x00\"", err: ErrOctet},
		"quoted NUL":     {in: "\"\\\x00\"", err: ErrOctet},
		"bare LF":        {in: "\"a\n b\"", err: ErrFold},
		"no quoted text": {in: "a", err: ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(c.in)
			got, ok := s.Quoted()
			require.Equal(t, c.err, s.Err())
			require.Equal(t, c.err == nil, ok)
			require.Equal(t, c.want, got)
			require.Equal(t, c.err == nil, s.Done())
		})
	}
}

func TestCursor(t *testing.T) {
	c := New("ab1-;Xy")
	require.Equal(t, byte('a'), c.Peek())
	require.Equal(t, "ab1-", c.Span(Ldh))
	require.False(t, c.Accept('x'))
	require.NoError(t, c.Err())
	require.True(t, c.Expect(';'))
	mark := c.Pos()
	run, all, some := c.Run(Alpha)
	require.Equal(t, "Xy", run)
	require.Equal(t, "Xy", c.Since(mark))
	require.NotZero(t, all&Alpha)
	require.Zero(t, all&Upper)
	require.NotZero(t, some&Upper)
	require.True(t, c.Done())
	require.Zero(t, c.Peek())

	// The first error sticks until Reset, and nothing moves any more.
	require.False(t, c.Expect('z'))
	c.Reset(0)
	require.NoError(t, c.Err())
	require.Empty(t, c.ExpectSpan(Digit))
	require.Equal(t, ErrSyntax, c.Err())
	require.False(t, c.Fail(ErrDepth))
	require.Equal(t, ErrSyntax, c.Err())
	require.Zero(t, c.Peek())
	require.False(t, c.Accept('a'))
	require.Empty(t, c.Span(Ldh))
	run, _, _ = c.Run(Ldh)
	require.Empty(t, run)
	require.False(t, c.FWS())
	require.False(t, c.CFWS())
	require.Zero(t, c.Pos())

	var zero Cursor
	require.True(t, zero.Done())
	require.False(t, zero.CFWS())
}

// Each line end that some reader knows is found, and no other; the work is linear.
func TestHiddenName(t *testing.T) {
	is := func(name []byte) bool { return strings.TrimRight(string(name), " ") == "N" }
	for _, end := range []string{"\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u0085", "\u2028", "\u2029", "\r\r\n", "\n\n", "\u2028\u2028"} {
		require.True(t, HiddenName([]byte("A: b"+end+"N: c\r\n"), is), "%q", end)
		require.True(t, HiddenName([]byte("A: b"+end+"x"+end+"N"+strings.Repeat(" ", 2*nameRoom)+": c"+end), is), "%q", end)
		require.False(t, HiddenName([]byte("A: b"+end+" N: c\r\n"), is), "%q", end)
		require.False(t, HiddenName([]byte("A: b"+end+"M: c"+end), is), "%q", end)
		require.False(t, HiddenName([]byte("A: b"+end+"N"+end), is), "%q", end)
	}
	for _, other := range []string{"", ";", "\t", "\x1f", "\x00", "\x84", "\u2027", "\u202a"} {
		require.False(t, HiddenName([]byte("N: b"+other+"N: c\r\n"), is), "%q", other)
	}
	require.False(t, HiddenName(nil, is))

	looked := 0
	count := func(name []byte) bool { looked += len(name); return false }
	raw := []byte(strings.Repeat("\n\x85x", 1<<14) + ":")
	HiddenName(raw, count)
	require.Less(t, looked, 4*nameRoom*len(raw))
}

// The short way to "no" is right: in a field that it calls ordinary no line end is found.
func TestOrdinary(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{"N", ":", " ", "\t", "\r\n ", "\r\n\t", "\r\n", "\r", "\n", "abcdefgh", "~", "\x7f", "\x1f", "\v", "\f", "\x1c", "\x85", "\u2028", "\u00e9", "\x00"}
	ordinary, hidden := 0, 0
	for range 200_000 {
		var raw []byte
		few := 1 + r.IntN(len(parts))
		for range r.IntN(12) {
			raw = append(raw, parts[r.IntN(few)]...)
		}
		found := hiddenAnywhere(raw, func([]byte) bool { return true })
		require.Equal(t, found, HiddenName(raw, func([]byte) bool { return true }), "%q", raw)
		if isOrdinary(raw) {
			ordinary++
		}
		if found {
			hidden++
		}
	}
	require.Greater(t, ordinary, 10_000)
	require.Greater(t, hidden, 10_000)
	for b := range 256 {
		for i := range 16 {
			raw := []byte("0123456789abcdef")
			raw[i] = byte(b)
			require.Equal(t, b == '\t' || ' ' <= b && b <= '~', isOrdinary(raw), "%q", raw)
		}
	}
}
