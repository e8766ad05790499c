package markcert_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/bimi/markcert"
	tm "github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/stretchr/testify/require"
)

// TestPEM is the grammar of the file, with the marks of a good file replaced.
func TestPEM(t *testing.T) {
	b := issue(t, tm.Spec{})
	good := string(b.PEM)
	const begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
	one := good[:strings.Index(good, end)+len(end)+1]
	body := strings.Split(one, "\n")[1]
	for _, tc := range []struct {
		name, pem string
		want      error
	}{
		{"as it is", good, nil},
		{"no end of line at the end", strings.TrimRight(good, "\n"), nil},
		{"CR alone", strings.ReplaceAll(good, "\n", "\r"), nil},
		{"mixed line ends", strings.Replace(good, "\n", "\r\n", 5), nil},
		{"empty lines between", strings.ReplaceAll(good, begin, "\n\n"+begin), nil},
		{"empty line after the beginning", strings.ReplaceAll(good, begin, begin+"\n"), nil},
		{"blanks at line ends", strings.ReplaceAll(good, "\n", " \t\n"), nil},
		{"one long line", begin + "\n" + strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(one, begin+"\n"), end+"\n"), "\n", "") + "\n" + end + "\n" + good[len(one):], nil},
		{"text between", one + "issuer:\tTest\n" + good[len(one):], nil},
		{"UTF-8 text between", one + "Prüfer\n" + good[len(one):], nil},

		{"empty", "", markcert.ErrNoCertificate},
		{"text only", "hello\n", markcert.ErrNoCertificate},
		{"DER", string(b.Leaf.Raw), markcert.ErrPEM},
		{"byte order mark", "\ufeff" + good, markcert.ErrPEM},
		{"indented", " " + good, markcert.ErrPEM},
		{"text before the beginning", "x" + good, markcert.ErrPEM},
		{"NUL in the text", "a\x00b\n" + good, markcert.ErrPEM},
		{"escape in the text", "a\x1b[2Jb\n" + good, markcert.ErrPEM},
		{"no end", strings.TrimSuffix(good, end+"\n"), markcert.ErrPEM},
		{"no beginning", strings.TrimPrefix(good, begin+"\n"), markcert.ErrPEM},
		{"beginning twice", begin + "\n" + good, markcert.ErrPEM},
		{"end twice", good + end + "\n", markcert.ErrPEM},
		{"another end", strings.Replace(good, end, "-----END X509 CERTIFICATE-----", 1), markcert.ErrPEM},
		{"text after the boundary", strings.Replace(good, begin, begin+"x", 1), markcert.ErrPEMLabel},
		{"four dashes", strings.Replace(good, begin, begin[1:], 1), markcert.ErrPEM},
		{"lower case", strings.ToLower(begin) + good[len(begin):], markcert.ErrPEM},
		{"old label", strings.ReplaceAll(good, "CERTIFICATE", "X509 CERTIFICATE"), markcert.ErrPEMLabel},
		{"trusted label", strings.ReplaceAll(good, "CERTIFICATE", "TRUSTED CERTIFICATE"), markcert.ErrPEMLabel},
		{"revocation list", good + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", markcert.ErrPEMLabel},
		{"header inside", strings.Replace(good, begin+"\n", begin+"\nProc-Type: 4,ENCRYPTED\n\n", 1), markcert.ErrPEM},
		{"blank inside a line", strings.Replace(good, body, body[:10]+" "+body[10:], 1), markcert.ErrPEM},
		{"padding in the middle", strings.Replace(good, body, body[:8]+"=="+body[10:], 1), markcert.ErrPEM},
		{"empty block", begin + "\n" + end + "\n" + good, markcert.ErrPEM},
		{"octet after the certificate", string(pemOf(append(bytes.Clone(b.Leaf.Raw), 0))), markcert.ErrCertificate},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := strict(t, b)
			r := v.Verify(t.Context(), []byte(tc.pem), exampleCom)
			if tc.want == nil {
				require.NoError(t, r.Err)
				return
			}
			require.ErrorIs(t, r.Err, tc.want)
			require.Equal(t, -1, r.Findings[0].Certificate)
		})
	}
}

// TestPEMNonCanonicalBase64: bits that nothing decodes have to be zero, so that
// one certificate has one text.
func TestPEMNonCanonicalBase64(t *testing.T) {
	for n := range 40 {
		b := issue(t, tm.Spec{Organization: strings.Repeat("x", n+1)})
		text := string(pemOf(b.Leaf.Raw))
		i := strings.Index(text, "=\n-----END")
		if i < 0 || text[i-1] == '=' {
			continue
		}
		// One "=": the last character holds four bits, the two lowest of six are zero.
		c := text[i-1]
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		other := alphabet[strings.IndexByte(alphabet, c)|1]
		v := strict(t, b)
		evidence := text[:i-1] + string(other) + text[i:] + string(pemOf(b.Intermediate.Raw))
		require.ErrorIs(t, v.Verify(t.Context(), []byte(evidence), exampleCom).Err, markcert.ErrPEM)
		return
	}
	t.Fatal("no certificate of a fitting length")
}

// TestLimits: each limit of the file is good at its value and bad one past it.
func TestLimits(t *testing.T) {
	b := issue(t, tm.Spec{})
	pad := func(n int) []byte {
		return append(bytes.Clone(b.PEM), bytes.Repeat([]byte("x"), n-len(b.PEM))...)
	}
	v := strict(t, b)
	require.NoError(t, v.Verify(t.Context(), pad(markcert.MaxBytes), exampleCom).Err)
	require.ErrorIs(t, v.Verify(t.Context(), pad(markcert.MaxBytes+1), exampleCom).Err, markcert.ErrTooLarge)

	for _, tc := range []struct {
		authorities int
		want        error
	}{{markcert.MaxCertificates - 1, nil}, {markcert.MaxCertificates, markcert.ErrTooManyCertificates}} {
		r := verify(t, issue(t, tm.Spec{Authorities: tc.authorities}), nil)
		require.ErrorIs(t, r.Err, tc.want)
	}

	svg := func(n int) []byte {
		head := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><title>x</title>`)
		return append(append(head, bytes.Repeat([]byte(" "), n-len(head)-6)...), "</svg>"...)
	}
	for _, tc := range []struct {
		size, limit int
		want        error
	}{
		{markcert.DefaultMaxIndicator, 0, nil},
		{markcert.DefaultMaxIndicator + 1, 0, markcert.ErrLogotypeSize},
		{1000, 1000, nil},
		{1001, 1000, markcert.ErrLogotypeSize},
	} {
		b := issue(t, tm.Spec{SVG: svg(tc.size)})
		r := verify(t, b, func(v *markcert.Verifier) { v.MaxIndicator = tc.limit })
		require.ErrorIs(t, r.Err, tc.want)
		if tc.want == nil {
			require.Len(t, r.Indicator, tc.size)
		}
	}
}
