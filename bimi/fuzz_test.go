package bimi

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// FuzzParseRecord goes with F12: what was read can be written and means the same.
func FuzzParseRecord(f *testing.F) {
	a := alphabet.DMARC()
	for _, s := range []string{
		"v=BIMI1; l=https://example.com/logo.svg; a=https://example.com/mark.pem; lps=a,b-; avp=personal",
		"v=BIMI1; l=; a=;", "v = BIMI1 ; l = https://example.com:8443/x?y#z", "v=bimi1; l=", "v=BIMI1; l=https://a.example/x%2Cy.svg;;",
		"v=BIMI1; l=https://[::1]/x.svg", "v=BIMI1; lps=", strings.Repeat("v=BIMI1;", 600),
	} {
		a.Seed(f.Add, s)
	}
	for _, s := range testcase.Excerpts("v=BIMI1", "bimi", "records", "*") {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		s := a.Text(data, folded)
		for _, o := range []RecordOptions{{}, {true, true, true}} {
			r, err := o.Parse(s)
			require.Equal(t, err != nil, r.IsZero())
			if err != nil {
				continue
			}
			// What was read can be written, and means the same.
			again, err := o.Parse(r.String())
			require.NoError(t, err)
			require.Equal(t, r, again)
			if r.Location != "" {
				require.True(t, strings.EqualFold(r.Location[:8], "https://"))
			}
		}
	})
}

// FuzzParseSelector goes with F12: a selector that is accepted is a name.
func FuzzParseSelector(f *testing.F) {
	for _, s := range []string{"v=BIMI1; s=brand", "v=bimi1;\r\n\tS=a.b;", "v=BIMI1; s=x.attack.example.\x00", "v=BIMI1; s=..", "v=BIMI1; s=*", "s=a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseSelector(s)
		if err != nil {
			require.Empty(t, got)
			return
		}
		for label := range strings.SplitSeq(got, ".") {
			require.True(t, len(label) > 0 && len(label) < 64 && label[0] != '-' && label[len(label)-1] != '-')
			require.Empty(t, strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-"))
		}
	})
}

// FuzzLocalPartSelector goes with F12: a selector made of a local part is one label.
func FuzzLocalPartSelector(f *testing.F) {
	for _, s := range []string{"a-_b", "a+b", "_x_", "News", "o'brien", "jörg", "---"} {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, collapse bool) {
		got, ok := LocalPartSelector(s, collapse)
		require.Equal(t, ok, got != "" && len(got) <= 63)
		if ok {
			require.Empty(t, strings.Trim(got, "abcdefghijklmnopqrstuvwxyz0123456789-"))
			again, ok := LocalPartSelector(got, collapse)
			require.True(t, ok)
			require.Equal(t, got, again)
		}
	})
}

// FuzzAuthorization: whatever a CAA record holds, only a name that can be told to
// people is an issuer, and a critical property that is not known leaves none.
func FuzzAuthorization(f *testing.F) {
	for _, s := range []string{"ca.example", ";", "", "ca.example; account=230123; policy=ev", "ca.example;a=b;", " CA.Example \t;", "ca-.example", "ca..example", "b\u00fccher.example", "ca.example;=", "\x00"} {
		f.Add(uint8(0), "issuevmc", s)
		f.Add(uint8(128), "x", s)
	}
	f.Fuzz(func(t *testing.T, flags uint8, tag, value string) {
		a := Authorization{Domain: "example.com", At: "example.com"}
		a.read([]dnsutil.CAA{{Flags: flags, Tag: tag, Value: value}, {Tag: "issuevmc", Value: "always.example"}})
		for _, i := range a.Issuers {
			require.NotEmpty(t, i)
			require.Empty(t, strings.Trim(i, "abcdefghijklmnopqrstuvwxyz0123456789-."))
		}
		require.Equal(t, a.Unknown == "", a.Allows("always.example"))
		for _, c := range []byte(a.String()) {
			require.True(t, ' ' <= c && c < 0x7f)
		}
	})
}
