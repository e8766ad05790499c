package config

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The sample documents every setting with its default, and is valid with all of
// them uncommented.
func TestSample(t *testing.T) {
	text, err := os.ReadFile("../../mta.toml")
	require.NoError(t, err)
	_, err = Parse(string(text), "/etc/mailauth")
	require.NoError(t, err)

	all := regexp.MustCompile(`(?m)^#(\[|[a-z_]+ = )`).ReplaceAllString(string(text), "$1")
	c, err := Parse(all, "/etc/mailauth")
	require.NoError(t, err)
	require.Len(t, c.Signing.Keys, 2)
	require.Equal(t, "/etc/mailauth/e2026.pem", c.Signing.Keys[1].File)
	require.Equal(t, "*.example.com", c.Exceptions[0].Domain)

	bare, err := Parse(`hostname = "mx.example.net"`, "/etc/mailauth")
	require.NoError(t, err)
	require.Equal(t, c.DNS.Timeout, bare.DNS.Timeout)
	require.Equal(t, c.Milter.Timeout, bare.Milter.Timeout)
	require.Equal(t, c.SMTPD.MessageSize, bare.SMTPD.MessageSize)
	require.Equal(t, c.LocalNetworks, bare.LocalNetworks)
	require.Equal(t, c.AuthservID, bare.AuthservID)
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "hostname = \"a\"\nmod = \"observe\"", `unknown setting "mod"`},
		{"unknown key below", "hostname = \"a\"\n[handling]\nrejekt = \"reject\"", `unknown setting "handling.rejekt"`},
		{"no hostname", "", "hostname is missing"},
		{"mode", "hostname = \"a\"\nmode = \"watch\"", "mode = "},
		{"on_error", "hostname = \"a\"\non_error = \"drop\"", "on_error = "},
		{"duration", "hostname = \"a\"\n[dns]\ntimeout = \"0s\"", "no duration above zero"},
		{"network", "hostname = \"a\"\nlocal_networks = [\"10.0.0.1\"]", "local_networks"},
		{"listen", "hostname = \"a\"\n[milter]\nlisten = \"/run/x\"", "unix:PATH"},
		{"half a key", "hostname = \"a\"\n[[signing.key]]\ndomain = \"b\"", "signing.key 1"},
		{"account without addresses", "hostname = \"a\"\n[[signing.account]]\nlogin = \"b\"", "signing.account 1"},
		{"account with a domain alone", "hostname = \"a\"\n[[signing.account]]\nlogin = \"b\"\naddresses = [\"b\"]", "signing.account 1"},
		{"sealing without a key", "hostname = \"a\"\n[sealing]\nrecipients = [\"b\"]", "sealing"},
		{"half a certificate", "hostname = \"a\"\n[smtpd]\ncertificate = \"b\"", "belong together"},
		{"no TOML", "hostname", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.text, "/")
			require.ErrorContains(t, err, c.want)
		})
	}
}
