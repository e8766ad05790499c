package taglist

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/alphabet"
)

func TestParse(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString("t")
			b.WriteString(strings.Repeat("a", i))
			b.WriteString("=1;")
		}
		return b.String()
	}
	for _, c := range []struct {
		name, in string
		want     [][2]string
		err      error
	}{
		{"one", "v=1", [][2]string{{"v", "1"}}, nil},
		{"final semicolon", "v=1; a=b;", [][2]string{{"v", "1"}, {"a", "b"}}, nil},
		{"final semicolon and fold", "v=1;\r\n ", [][2]string{{"v", "1"}}, nil},
		{"folds", " v\r\n\t=\r\n 1 ;\r\n a = b c ", [][2]string{{"v", "1"}, {"a", "b c"}}, nil},
		{"empty value", "p=", [][2]string{{"p", ""}}, nil},
		{"equals in value", "z=a=b==", [][2]string{{"z", "a=b=="}}, nil},
		{"case is kept", "V=1;v=2", [][2]string{{"V", "1"}, {"v", "2"}}, nil},
		{"UTF-8", "d=bücher.example", [][2]string{{"d", "bücher.example"}}, nil},
		{"duplicate", "a=1;b=2;a=1", nil, ErrDuplicate},
		{"duplicate unknown", "zz=1; zz=2", nil, ErrDuplicate},
		{"empty tag", "a=1;;b=2", nil, ErrSyntax},
		{"leading semicolon", ";a=1", nil, ErrSyntax},
		{"two final semicolons", "a=1;;", nil, ErrSyntax},
		{"no equals", "a=1; junk", nil, ErrSyntax},
		{"empty", "", nil, ErrSyntax},
		{"blank", " \t", nil, ErrSyntax},
		{"name with digit first", "1a=1", nil, ErrSyntax},
		{"name with hyphen", "a-b=1", nil, ErrSyntax},
		{"no name", "=1", nil, ErrSyntax},
		{"NUL", "a=\x00", nil, ErrSyntax},
		{"bare LF", "a=1;\n b=2", nil, ErrSyntax},
		{"bare CR", "a=1\r;b=2", nil, ErrSyntax},
		{"obs-FWS", "a=1;\r\n \r\n b=2", nil, ErrSyntax},
		{"64 tags", many(64), nil, nil},
		{"65 tags", many(65), nil, ErrTooMany},
		{"16 KiB", "a=" + strings.Repeat("x", MaxLength-2), nil, nil},
		{"over 16 KiB", "a=" + strings.Repeat("x", MaxLength-1), nil, ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			tags, err := Parse(nil, c.in)
			require.Equal(t, c.err, err)
			if err != nil {
				require.Nil(t, tags)
				return
			}
			if c.want == nil {
				return
			}
			require.Len(t, tags, len(c.want))
			for i, w := range c.want {
				require.Equal(t, w, [2]string{tags[i].Name, tags[i].Value})
				require.Equal(t, tags[i].Value, trim(c.in[tags[i].Start:tags[i].End]))
			}
		})
	}
}

func TestScannerGoesOn(t *testing.T) {
	sc := NewScanner("v=DMARC1; foo; ;p=reject; x\x00=1; q=\x01;")
	var got []string
	for {
		tag, ok := sc.Next()
		if !ok {
			break
		}
		if tag.Err != nil {
			got = append(got, "!")
			continue
		}
		got = append(got, tag.Name+"="+tag.Value)
	}
	require.Equal(t, []string{"v=DMARC1", "!", "!", "p=reject", "!", "!"}, got)
}

// Every octet at every place of a value of every small length.
func TestValidValue(t *testing.T) {
	for c := range 256 {
		want := c >= 0x20 && c != 0x7f || c == '\t' || c == '\r' || c == '\n'
		for n := range 20 {
			for i := range n {
				b := []byte(strings.Repeat("x", n))
				b[i] = byte(c)
				require.Equal(t, want, validValue(string(b)), "%q", b)
			}
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	s := "v=1; a=rsa-sha256; c=relaxed/relaxed; d=bank.example; s=sel; h=from:to; bh=abc=; b=def"
	var buf [MaxTags]Tag
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := Parse(buf[:0], s); err != nil {
			panic(err)
		}
	}))
}

// reference splits a list as RFC 6376, section 3.2 says it, and nothing is done in passing:
// the names in order, or false for a list that is none.
func reference(s string) (names []string, ok bool) {
	specs := strings.Split(s, ";")
	if last := specs[len(specs)-1]; len(specs) > 1 && strings.Trim(last, " \t\r\n") == "" && validFWS(last) {
		specs = specs[:len(specs)-1]
	}
	seen := map[string]bool{}
	for _, spec := range specs {
		name, value, found := strings.Cut(spec, "=")
		bare := strings.Trim(name, " \t\r\n")
		if !found || !validFWS(name) || !validFWS(value) || seen[bare] || bare == "" || bare[0] == '_' || '0' <= bare[0] && bare[0] <= '9' {
			return nil, false
		}
		for _, c := range []byte(bare) {
			if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
				return nil, false
			}
		}
		for _, c := range []byte(value) {
			if c < ' ' && strings.IndexByte("\t\r\n", c) < 0 || c == 0x7f {
				return nil, false
			}
		}
		seen[bare] = true
		names = append(names, bare)
	}
	return names, true
}

// FuzzParse is F3: what parses is printed and parsed to the same, no name comes
// twice, names are as they are spelt, and a slow reader of the grammar agrees.
func FuzzParse(f *testing.F) {
	a := alphabet.TagList()
	for _, s := range []string{
		"v=1; a=b;", "a=1;;b", " a = b\r\n c ;", "a=1;a=1", "=;", ";", "d=attack.example; d=bank.example", "D=a; d=b", "zz=1; zz=2", "xb=foo; b=", "z=From:x|b=3Dyz; n2=q b=zzz",
		"b = abc ;", ";v=1", "v=1;\r\n ", "v=1;\r\n", "v=\x00", "p=a\u00a0b", "d=ba\u2003nk.example", "1a=b", "a-b=c", "a=1;\n b=2", strings.Repeat("a=", 40),
	} {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		s := a.Text(data, folded)
		tags, err := Parse(nil, s)
		names, ok := reference(s)
		if len(s) <= MaxLength && len(names) <= MaxTags {
			require.Equal(t, ok, err == nil, "%q: %v", s, err)
		} else {
			require.Error(t, err)
		}
		if err == nil {
			require.Len(t, tags, len(names))
			for i := range tags {
				require.Equal(t, names[i], tags[i].Name)
			}
		}
		if err != nil {
			require.Nil(t, tags)
			return
		}
		// Format and parse again: the same tags.
		var b strings.Builder
		for _, tag := range tags {
			b.WriteString(tag.Name + "=" + tag.Value + ";")
			require.Equal(t, tag.Value, trim(s[tag.Start:tag.End]))
		}
		if b.Len() > MaxLength {
			return
		}
		again, err := Parse(nil, b.String())
		require.NoError(t, err)
		require.Len(t, again, len(tags))
		for i := range tags {
			require.Equal(t, tags[i].Name, again[i].Name)
			require.Equal(t, tags[i].Value, again[i].Value)
		}
	})
}

func BenchmarkScannerTrailingSpace(b *testing.B) {
	for _, n := range []int{1 << 12, 1 << 13} {
		s := strings.Repeat(";", n) + strings.Repeat(" ", n)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s)))
			for range b.N {
				for sc := NewScanner(s); ; {
					if _, ok := sc.Next(); !ok {
						break
					}
				}
			}
		})
	}
}

// validFWS looks for line ends only; this is its meaning octet by octet.
func slowFWS(s string) bool {
	folded := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\r':
			if i+2 >= len(s) || s[i+1] != '\n' || s[i+2] != ' ' && s[i+2] != '\t' || folded {
				return false
			}
			folded = true
			i++
		case '\n':
			return false
		case ' ', '\t':
		default:
			folded = false
		}
	}
	return true
}

func TestValidFWS(t *testing.T) {
	const alphabet = "\r\n \ta"
	var try func(s string)
	try = func(s string) {
		if got := validFWS(s); got != slowFWS(s) {
			t.Fatalf("%q: %v", s, got)
		}
		if len(s) < 8 {
			for i := range len(alphabet) {
				try(s + alphabet[i:i+1])
			}
		}
	}
	try("")
}
