package weburl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	long := "https://example.com/" + strings.Repeat("a", MaxLength-len("https://example.com/"))
	for _, tt := range []struct {
		in, want string
		err      error
	}{
		{"https://example.com/a.svg", "https://example.com/a.svg", nil},
		{"HTTPS://EXAMPLE.com", "https://example.com/", nil},
		{"https://example.com?x=1", "https://example.com/?x=1", nil},
		{"https://example.com/a#b", "https://example.com/a", nil},
		{"https://example.com:443/", "https://example.com/", nil},
		{"https://example.com/a%20b,c?d=%C3%BC", "https://example.com/a%20b,c?d=%C3%BC", nil},
		{"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/", nil},
		{long, long, nil},
		{long + "a", "", ErrLength},
		{"", "", ErrScheme},
		{"example.com/a.svg", "", ErrScheme},
		{"//example.com/", "", ErrScheme},
		{"https:/example.com/", "", ErrScheme},
		{"http://example.com/", "", ErrScheme},
		{"ftp://example.com/", "", ErrScheme},
		{"file:///etc/passwd", "", ErrScheme},
		{"data:image/svg+xml,x", "", ErrScheme},
		{" https://example.com/", "", ErrChar},
		{"https://example.com/\r\nX: y", "", ErrChar},
		{"https://example.com/\x00", "", ErrChar},
		{"https://example.com\\@evil.example/", "", ErrChar},
		{"https://exämple.com/", "", ErrChar},
		{"https://example.com/..%0d%0aX:", "", ErrChar},
		{"https://example.com/%7F", "", ErrChar},
		{"https://example.com/a[b].svg", "", ErrChar},
		{"https://example.com/?a[]=b", "", ErrChar},
		{"https://example.com/#a#b", "", ErrChar},
		{"https://example.com/#[", "", ErrChar},
		{"https://example.com/%", "", ErrChar},
		{"https://example.com/%2", "", ErrChar},
		{"https://example.com/%zz", "", ErrChar},
		{"https://u:p@example.com/", "", ErrUserinfo},
		{"https://u@example.com/", "", ErrUserinfo},
		{"https://@example.com/", "", ErrUserinfo},
		{"https://example.com:22/", "", ErrPort},
		{"https://example.com:/", "", ErrPort},
		{"https://example.com:0443/", "", ErrPort},
		{"https://example.com:443:1/", "", ErrPort},
		{"https:///a", "", ErrHost},
		{"https://[::1]/", "", ErrHost},
		{"https://[::1]:443/", "", ErrHost},
		{"https://127.0.0.1/", "", ErrHost},
		{"https://2130706433/", "", ErrHost},
		{"https://0x7f.1/", "", ErrHost},
		{"https://127.0.0.0x1/", "", ErrHost},
		{"https://a.0x/", "", ErrHost},
		{"https://localhost/", "", ErrHost},
		{"https://a.localhost/", "", ErrHost},
		{"https://a.internal/", "", ErrHost},
		{"https://printer.local/", "", ErrHost},
		{"https://example.com./", "", ErrHost},
		{"https://a_b.example.com/", "", ErrHost},
		{"https://%65xample.com/", "", ErrHost},
		{"https://a..example.com/", "", ErrHost},
	} {
		t.Run(tt.in[:min(len(tt.in), 40)], func(t *testing.T) {
			u, err := Parse(tt.in)
			require.ErrorIs(t, err, tt.err)
			if err != nil {
				require.Zero(t, u)
				return
			}
			require.Equal(t, tt.want, u.String())
			again, err := Parse(u.String())
			require.NoError(t, err)
			require.Equal(t, u, again)
		})
	}
}

func TestParsePlain(t *testing.T) {
	for in, want := range map[string]error{
		"http://crl.example.com/a.crl":     nil,
		"http://crl.example.com:80/a.crl":  nil,
		"https://crl.example.com/a.crl":    nil,
		"http://crl.example.com:443/a.crl": ErrPort,
		"https://crl.example.com:80/a.crl": ErrPort,
		"ldap://crl.example.com/a":         ErrScheme,
		"http://127.0.0.1/a.crl":           ErrHost,
	} {
		_, err := ParsePlain(in)
		require.ErrorIs(t, err, want, in)
	}
}

func TestResolve(t *testing.T) {
	secure, err := Parse("https://example.com/a/b.svg?x")
	require.NoError(t, err)
	plain, err := ParsePlain("http://example.com/a/b.crl")
	require.NoError(t, err)
	for _, tt := range []struct {
		from     URL
		in, want string
		err      error
	}{
		{secure, "c.svg", "https://example.com/a/c.svg", nil},
		{secure, "/c.svg", "https://example.com/c.svg", nil},
		{secure, "../../../c.svg", "https://example.com/c.svg", nil},
		{secure, "//other.example/c", "https://other.example/c", nil},
		{secure, "https://other.example/c#d", "https://other.example/c", nil},
		{secure, "http://example.com/c", "", ErrScheme},
		{secure, "file:///etc/passwd", "", ErrScheme},
		{secure, "javascript:alert(1)", "", ErrScheme},
		{secure, "https://u:p@example.com/", "", ErrUserinfo},
		{secure, "//127.0.0.1/", "", ErrHost},
		{secure, "https://[::1]/", "", ErrHost},
		{secure, "//example.com:8443/", "", ErrPort},
		{secure, "a b", "", ErrChar},
		{secure, "a%0d%0ab", "", ErrChar},
		{secure, strings.Repeat("a", MaxLength+1), "", ErrLength},
		{secure, "/" + strings.Repeat("a", MaxLength-1), "", ErrLength},
		{plain, "https://example.com/c", "https://example.com/c", nil},
		{plain, "/c", "http://example.com/c", nil},
	} {
		u, err := tt.from.Resolve(tt.in)
		require.ErrorIs(t, err, tt.err, tt.in)
		if err == nil {
			require.Equal(t, tt.want, u.String())
		}
	}
}

// FuzzParse: whatever is taken prints back as something that is taken again as
// the same, on a host that is a name.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"https://example.com/a?b#c", "HTTPS://a.b:443", "https://u@h/", "https://[::1]/", "https://0x7f.1/", "http://a.b/%41", "//a.b/../c"} {
		f.Add(s)
	}
	base := URL{Scheme: "https"}
	base, _ = Parse("https://example.com/x/y")
	f.Fuzz(func(t *testing.T, s string) {
		for _, read := range []func(string) (URL, error){Parse, ParsePlain, base.Resolve} {
			u, err := read(s)
			if err != nil {
				if u != (URL{}) {
					t.Fatalf("%q: value with error", s)
				}
				continue
			}
			if u.Host.Labels() < 2 || !strings.HasPrefix(u.Path, "/") || len(u.String()) > MaxLength+1 || strings.ContainsAny(u.String(), " \r\n\t\\#@") && !strings.Contains(u.Path, "@") {
				t.Fatalf("%q: %q", s, u)
			}
			if again, err := ParsePlain(u.String()); len(u.String()) <= MaxLength && (err != nil || again != u) {
				t.Fatalf("%q: %q, again %q, %v", s, u, again, err)
			}
		}
	})
}
