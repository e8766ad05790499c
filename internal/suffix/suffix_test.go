package suffix

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

func name(t testing.TB, s string) domain.Name {
	t.Helper()
	n, err := domain.Parse(s)
	require.NoError(t, err, s)
	return n
}

func TestIs(t *testing.T) {
	for s, want := range map[string]bool{
		"com":                            true,
		"localhost":                      true, // a single label, listed or not
		"co.uk":                          true,
		"k12.ak.us":                      true,
		"c.kobe.jp":                      true, // by *.kobe.jp
		"city.kobe.jp":                   false,
		"kobe.jp":                        false, // the wildcard's parent is not listed
		"www.ck":                         false,
		"xn--55qx5d.cn":                  true,
		"bank.example":                   false,
		"example.com":                    false,
		"github.io":                      false, // private section
		"uk.com":                         false, // private section
		"compute.amazonaws.com":          false,
		"a.b.compute.amazonaws.com":      false,
		"s3.dualstack.eu-west-1.example": false,
	} {
		require.Equal(t, want, Is(name(t, s)), s)
		require.Equal(t, want, List(nil).Is(name(t, s)), s)
	}
	require.False(t, Is(domain.Name{}))
	require.False(t, List(nil).Is(domain.Name{}))
}

func TestFloor(t *testing.T) {
	for s, want := range map[string]int{
		"com": 1, "localhost": 1, "bank.example": 1, "a.b.c.example": 1, "bank.co.uk": 2, "co.uk": 2, "a.k12.ak.us": 3,
		"x.y.c.kobe.jp": 3, "c.kobe.jp": 3, "kobe.jp": 1, "city.kobe.jp": 2, "a.city.kobe.jp": 2, // "!city.kobe.jp" makes kobe.jp the suffix of that
		"school.herts.sch.uk": 3, "herts.sch.uk": 3, "sch.uk": 1, "www.ck": 1, "a.b.ck": 2,
		"a.github.io": 1, "github.io": 1, "a.b.compute.amazonaws.com": 1, "x.uk.com": 1,
	} {
		require.Equal(t, want, Floor(name(t, s)), s)
		require.Equal(t, want, List(nil).Floor(name(t, s)), s)
		require.Equal(t, want == name(t, s).Labels(), Is(name(t, s)), s)
	}
	require.Zero(t, Floor(domain.Name{}))
	own := List(func(s string) bool { return s == "example" || s == "corp.example" || s == "a.b.corp.example" })
	for s, want := range map[string]int{"example": 1, "x.example": 1, "corp.example": 2, "x.corp.example": 2, "b.corp.example": 2, "a.b.corp.example": 4, "x.a.b.corp.example": 4, "com": 1, "bank.com": 1} {
		require.Equal(t, want, own.Floor(name(t, s)), s)
		require.Equal(t, want == name(t, s).Labels(), own.Is(name(t, s)), s)
	}
	require.Zero(t, own.Floor(domain.Name{}))
}

func TestOrganizational(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a.b.c.d.example.com", "example.com"}, // RFC 7489, section 3.2
		{"bank.co.uk", "bank.co.uk"},
		{"a.github.io", "a.github.io"},
		{"x.a.github.io", "a.github.io"},
		{"a.bank.example", "bank.example"},
		{"co.uk", ""},
		{"localhost", ""},
	} {
		org, ok := Organizational(name(t, c.in))
		require.Equal(t, c.want != "", ok, c.in)
		if ok {
			require.Equal(t, c.want, org.String())
		} else {
			require.Equal(t, c.in, org.String())
		}
	}
	_, ok := Organizational(domain.Name{})
	require.False(t, ok)
}

func TestListFromCaller(t *testing.T) {
	l := List(func(s string) bool { return s == "bank.example" || s == "a.x.bank.example" })
	require.True(t, l.Is(name(t, "bank.example")))
	require.True(t, l.Is(name(t, "com")), "a single label stays one")
	require.False(t, l.Is(name(t, "co.uk")))
	for in, want := range map[string]string{
		"w.giant.bank.example": "giant.bank.example",
		"q.w.a.x.bank.example": "w.a.x.bank.example",
		"w.co.uk":              "co.uk",
	} {
		org, ok := l.Organizational(name(t, in))
		require.True(t, ok)
		require.Equal(t, want, org.String())
	}
	_, ok := l.Organizational(name(t, "bank.example"))
	require.False(t, ok)
	org, ok := List(nil).Organizational(name(t, "w.bank.co.uk"))
	require.True(t, ok)
	require.Equal(t, "bank.co.uk", org.String())
}

// TestVectors runs both files of the list's own tests, whole. "null" is a name
// that is no name, or one that is a public suffix itself.
func TestVectors(t *testing.T) {
	t.Run("test_psl.txt", func(t *testing.T) {
		n := vectors(t, "test_psl.txt", func(line string) (in, want string, ok bool) {
			args, found := strings.CutPrefix(line, "checkPublicSuffix(")
			in, want, sep := strings.Cut(strings.TrimSuffix(args, ");"), ", ")
			return strings.Trim(in, "'"), strings.Trim(want, "'"), found && sep
		})
		testcase.Ran(t, "dmarc/psl/test_psl.txt", n, 78)
	})
	t.Run("tests.txt", func(t *testing.T) {
		n := vectors(t, "tests.txt", func(line string) (in, want string, ok bool) {
			return strings.Cut(line, " ")
		})
		testcase.Ran(t, "dmarc/psl/tests.txt", n, 78)
	})
}

func vectors(t *testing.T, file string, split func(string) (string, string, bool)) (n int) {
	f, err := os.Open(testcase.Corpora(t, "dmarc", "psl", file))
	require.NoError(t, err)
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		line := sc.Text()
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		in, want, ok := split(line)
		require.True(t, ok, line)
		if in == "null" {
			in = ""
		}
		got := "null"
		if d, err := domain.Parse(in); err == nil {
			if org, ok := Organizational(d); ok {
				got = org.String()
			}
		}
		if want != "null" {
			want = name(t, want).String()
		}
		require.Equal(t, want, got, line)
		n++
	}
	return n
}

// FuzzOrganizational goes with F13: a public suffix is nobody's organizational domain.
func FuzzOrganizational(f *testing.F) {
	a := append(alphabet.Domain(), "city.kobe.jp", "ck", "www.ck", "jp", "compute.amazonaws.com")
	for _, s := range []string{"a.b.c.kobe.jp", "www.ck", "co.uk", "x.github.io", "com", "city.kobe.jp", "x.city.kobe.jp", "xn--55qx5d.cn", "localhost", "a.b.unlisted"} {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		s := a.Text(data, folded)
		n, err := domain.Parse(s)
		if err != nil {
			return
		}
		org, ok := Organizational(n)
		require.True(t, n.IsWithin(org))
		if ok {
			require.False(t, Is(org), "R12: %s of %s", org, n)
			again, _ := Organizational(org)
			require.Equal(t, org, again)
		} else {
			require.Equal(t, n, org)
		}
		// The same list by the caller's function gives the same answer.
		whole := List(func(s string) bool {
			d := name(t, s)
			_, below := Organizational(d)
			// One bit for a name cannot say that all names below it are suffixes and one
			// of them is not (an exception rule); with those above it as suffixes it can.
			under, err := d.Prepend("anything-else")
			return !below || err == nil && d != n && Is(under)
		})
		byList, okList := whole.Organizational(n)
		require.Equal(t, ok, okList)
		require.Equal(t, org, byList)
	})
}
