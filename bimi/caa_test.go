package bimi

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/dnsutil"
)

// TestAuthorities has item S4 as far as CAA goes: where the records are looked for, and
// what they say (RFC 8659, sections 3 and 4).
func TestAuthorities(t *testing.T) {
	every := "every authority may issue a mark certificate for a.example.com"
	no := "issuevmc lets no authority issue a mark certificate for a.example.com"
	only := "issuevmc lets only ca.example issue a mark certificate for a.example.com"
	for _, tt := range []struct {
		name  string
		dns   map[string]string
		words string
		asked int
	}{
		{"none anywhere", nil, every + ": there are no CAA records", 3},
		{"at the name", map[string]string{"a.example.com": "caa 0 issuevmc ca.example"}, only, 1},
		{"at its parent", map[string]string{"example.com": "caa 0 issuevmc ca.example"}, only + " (CAA records of example.com)", 2},
		{"at the top", map[string]string{"com": "caa 0 issuevmc ca.example"}, only + " (CAA records of com)", 3},
		{"behind an alias", map[string]string{"a.example.com": "cname b.example", "b.example": "caa 0 issuevmc ca.example"}, only, 1},
		{"not above an alias's target", map[string]string{"a.example.com": "cname b.other", "other": "caa 0 issuevmc ca.example"}, every + ": there are no CAA records", 3},
		{"the closest hides those above", map[string]string{"a.example.com": "caa 0 iodef mailto:x@y.example", "example.com": "caa 0 issuevmc ;"}, every + ": its CAA records have no issuevmc", 1},
		{"issue does not count", map[string]string{"a.example.com": "caa 0 issue ;|0 issuewild ;|0 issuemail ;"}, every + ": its CAA records have no issuevmc", 1},
		{"nobody", map[string]string{"a.example.com": "caa 0 issuevmc ;"}, no, 1},
		{"nobody, empty", map[string]string{"a.example.com": "caa 0 issuevmc "}, no, 1},
		{"nobody, for a reason", map[string]string{"a.example.com": "caa 0 issuevmc  ; reason=none "}, no + "", 1},
		{"any case", map[string]string{"a.example.com": "caa 0 IssueVMC CA.Example"}, only, 1},
		{"critical", map[string]string{"a.example.com": "caa 128 issuevmc ca.example|128 issue ;"}, only, 1},
		{"two", map[string]string{"a.example.com": "caa 0 issuevmc ca.example|0 issuevmc ;|0 issuevmc other.example|0 issuevmc ca.example"},
			"issuevmc lets only ca.example, other.example issue a mark certificate for a.example.com", 1},
		{"parameters", map[string]string{"a.example.com": "caa 0 issuevmc ca.example ; account = 230123;policy=ev"}, only + ", and under conditions that only they can judge", 1},
		{"parameter without a value", map[string]string{"a.example.com": "caa 0 issuevmc ca.example; account="}, only + ", and under conditions that only they can judge", 1},
		{"unknown property", map[string]string{"a.example.com": "caa 0 issuevmc ca.example|0 x y"}, only, 1},
		{"unknown property, critical", map[string]string{"a.example.com": "caa 0 issuevmc ca.example|128 x\x01 y"},
			"no authority may issue a mark certificate for a.example.com: the critical property x\\x01 is not known", 1},
		{"malformed: dash", map[string]string{"a.example.com": "caa 0 issuevmc ca-.example"}, no, 1},
		{"malformed: final dot", map[string]string{"a.example.com": "caa 0 issuevmc ca.example."}, no, 1},
		{"malformed: blank", map[string]string{"a.example.com": "caa 0 issuevmc ca example"}, no, 1},
		{"malformed: URL", map[string]string{"a.example.com": "caa 0 issuevmc https://ca.example"}, no, 1},
		{"malformed: parameter", map[string]string{"a.example.com": "caa 0 issuevmc ca.example; account"}, no, 1},
		{"malformed: semicolon at the end", map[string]string{"a.example.com": "caa 0 issuevmc ca.example; a=b;"}, no, 1},
		{"malformed: value with a blank", map[string]string{"a.example.com": "caa 0 issuevmc ca.example; a=b c"}, no, 1},
		{"malformed: tag", map[string]string{"a.example.com": "caa 0 issuevmc ca.example; a_b=c"}, no, 1},
		{"malformed beside good", map[string]string{"a.example.com": "caa 0 issuevmc ca example|0 issuevmc ca.example"}, only, 1},
	} {
		t.Run("S4 "+tt.name, func(t *testing.T) {
			z := records(t, tt.dns)
			a, err := Authorities(context.Background(), z, "A.example.com")
			require.NoError(t, err)
			require.Equal(t, tt.words, a.String())
			require.Len(t, z.Queries(), tt.asked)
			require.Equal(t, !strings.Contains(tt.words, "no authority"), a.Allows("else.example", "CA.example"))
			require.Equal(t, strings.HasPrefix(tt.words, "every"), a.Allows("else.example"))
			require.Equal(t, !a.Restricted, a.Allows())
		})
	}
	deep := strings.Repeat("a.", MaxAuthorizationQueries-1) + "b"
	z := records(t, nil)
	_, err := Authorities(context.Background(), z, deep)
	require.NoError(t, err)
	require.Len(t, z.Queries(), MaxAuthorizationQueries)
	_, err = Authorities(context.Background(), z, "a."+deep)
	require.ErrorIs(t, err, dnsutil.ErrBudget)
	_, err = Authorities(context.Background(), records(t, map[string]string{"com": "servfail"}), "a.example.com")
	require.ErrorIs(t, err, dnsutil.ErrServFail)
	_, err = Authorities(context.Background(), dnsutil.FromNet(nil), "a.example.com")
	require.ErrorIs(t, err, dnsutil.ErrType)
	_, err = Authorities(context.Background(), z, "a..b")
	require.ErrorIs(t, err, ErrAuthor)
	// A record that ends early is a record: nobody goes on to the next name.
	short := z.WithAnswer("a.example.com", dnsutil.TypeCAA, dnsutil.Answer{CAA: []dnsutil.CAA{{Flags: 128}}})
	a, err := Authorities(context.Background(), short, "a.example.com")
	require.NoError(t, err)
	require.Equal(t, "no authority may issue a mark certificate for a.example.com: the critical property without a name is not known", a.String())
}

// TestCheckAuthorization: what the readiness check says about the issuer of the
// certificate that is published (S4).
func TestCheckAuthorization(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(w *world)
		caa    string
		at     string // of the Authorization
		kind   string
		detail string
	}{
		{"allowed", func(*world) {}, "caa 0 issuevmc test.example", "example.com", "", ""},
		{"nothing said", func(*world) {}, "caa 0 issue ;", "example.com", "", ""},
		{"another authority", func(*world) {}, "caa 0 issuevmc ca.example", "example.com", "caa",
			"issuevmc lets only ca.example issue a mark certificate for example.com; the certificate is from test.example"},
		{"nobody", func(*world) {}, "caa 0 issuevmc ;", "example.com", "caa", "issuevmc lets no authority issue a mark certificate for example.com"},
		{"critical", func(*world) {}, "caa 128 x y", "example.com", "caa", "no authority may issue a mark certificate for example.com: the critical property x is not known"},
		{"no certificate", func(w *world) { w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL }, "caa 0 issuevmc ca.example", "example.com", "", ""},
		{"certificate not to be had", func(w *world) { delete(w.web.files, pemURL) }, "caa 0 issuevmc ca.example", "example.com", "", ""},
		{"declined", func(w *world) { w.dns["default._bimi.example.com"] = "v=BIMI1; l=;" }, "caa 0 issuevmc ;", "", "", ""},
		{"DNS down", func(w *world) { w.dns["example.com"] = "servfail" }, "", "", "caa_unavailable", ""},
	} {
		t.Run("S4 "+tt.name, func(t *testing.T) {
			w := newWorld(t, markcerttest.Spec{})
			all := w.v.Certificates.Roots.All()
			all[0].IssuerDomains = []string{"test.example"}
			var err error
			w.v.Certificates.Roots, err = markcert.NewRoots(all...)
			require.NoError(t, err)
			if tt.caa != "" {
				w.dns["example.com"] = tt.caa
			}
			tt.change(w)
			c := Checker{Resolver: records(t, w.dns), Fetcher: w.web, Now: clock, Certificates: w.v.Certificates}
			r, err := c.Check(context.Background(), "example.com", "")
			require.NoError(t, err)
			require.Equal(t, tt.at, r.Authorization.At)
			kind := ""
			for _, f := range r.Findings {
				if strings.HasPrefix(f.Kind, "caa") {
					kind += f.Kind
					require.False(t, f.Failure)
					require.NotEmpty(t, f.Fix)
					if tt.detail != "" {
						require.Equal(t, tt.detail, f.Detail)
					}
				}
			}
			require.Equal(t, tt.kind, kind, "%v", r.Findings)
		})
	}
	for _, r := range markcert.DefaultRoots().All() {
		require.NotEmpty(t, r.IssuerDomains, "%s", r.Certificate.Subject)
	}
}
