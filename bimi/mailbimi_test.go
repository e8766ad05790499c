package bimi

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

type mailBIMI struct {
	RecordParse []struct {
		Title, Record string
		Valid         bool
	} `json:"record_parse"`
	Lookup []struct {
		Test, Domain, Selector string
		SPF                    string `json:"spf_identity"`
		Expect                 string `json:"expect_auth_results"`
	}
	Results []struct {
		Record, DMARC, Disposition, Expect string
	}
}

// mailBIMIZone reads the suite's zone: one record a line, names without final dot.
func mailBIMIZone(t *testing.T) map[string]string {
	data, err := os.ReadFile(testcase.Corpora(t, "bimi", "mail-bimi", "zonefile"))
	require.NoError(t, err)
	z := map[string]string{}
	for line := range strings.Lines(string(data)) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(f) < 3 {
			continue
		}
		switch f[1] {
		case "TXT":
			if text := strings.Trim(f[2], `"`); z[f[0]] == "" {
				z[f[0]] = text
			} else {
				z[f[0]] += "|" + text
			}
		case "CNAME":
			z[f[0]] = "cname " + strings.TrimSuffix(f[2], ".")
		default:
			require.Equal(t, "A", f[1])
		}
	}
	return z
}

// TestMailBIMI runs the public cases of another implementation, which accepts
// v=bimi1, with the option that does so.
func TestMailBIMI(t *testing.T) {
	var suite mailBIMI
	testcase.ReadJSON(t, testcase.Corpora(t, "bimi", "mail-bimi", "cases.json"), &suite)
	o := RecordOptions{VersionCaseInsensitive: true}
	for _, c := range suite.RecordParse {
		r, err := o.Parse(c.Record)
		if c.Record == "v=bimi1; l=" {
			// There an error; by BIMI, section 4.3.1 a declination.
			require.NoError(t, err)
			require.True(t, r.Declined())
			continue
		}
		require.Equal(t, c.Valid, err == nil, c.Record)
	}
	testcase.Ran(t, "bimi/mail-bimi-record", len(suite.RecordParse), 12)

	for _, c := range suite.Lookup {
		t.Run(c.Test, func(t *testing.T) {
			z := mailBIMIZone(t)
			switch c.Test {
			case "01-dns-lookup-fail.t", "01-dns-lookup-fallback-fail.t":
				z[c.Selector+"._bimi."+c.Domain] = "servfail" // there the resolver is made to fail
			case "01-record-fallback.t":
				c.Expect = "bimi=pass header.d=recordfallback.com header.selector=selector"
			case "01-results-nobimi.t":
				c.Expect = "bimi=none"
			case "01-results-nodmarc.t":
				c.Expect = "bimi=skipped"
			}
			v := Verifier{Resolver: records(t, z), RejectSPFAll: true, TrustUnsignedSelector: true,
				Fetcher: &fakeWeb{files: map[string][]byte{"https://fastmaildmarc.com/FM_BIMI.svg": markcerttest.SVG()}}}
			v.Record = o
			m := &Message{Header: parseHeader(t, "BIMI-Selector: v=BIMI1; s="+c.Selector+"\r\n")}
			if c.Domain != "" {
				m.Author, _ = dmarc.AuthorOf(c.Domain)
				d := dmarc.Verifier{Resolver: v.Resolver}
				m.DMARC = d.Verify(context.Background(), m.Author, dmarc.DKIMIdentifier(authres.Pass, c.Domain, "s"))
				m.SPFAll = strings.Contains(z[c.Domain], "+all")
			}
			got := unfold(authres.Header{AuthservID: "x", Results: []authres.Result{v.Verify(context.Background(), m).AuthenticationResult()}}.String())
			want, _, _ := strings.Cut(c.Expect, " (")
			require.True(t, strings.HasPrefix(got, "x; "+want), "%s: %s", want, got)
		})
	}
	testcase.Ran(t, "bimi/mail-bimi-lookup", len(suite.Lookup), 12)

	// A record and a verdict of DMARC, and what comes of them.
	for _, c := range suite.Results {
		t.Run(c.Record+" "+c.DMARC, func(t *testing.T) {
			if strings.HasPrefix(c.Record, "v=foobar") {
				// There a failure; by BIMI, section 4.3 the text is no record at all.
				c.Expect = "bimi=none"
			}
			require.Equal(t, "reject", c.Disposition) // which it gets from p=reject
			z := records(t, map[string]string{"_dmarc.results.com": "v=DMARC1; p=" + c.Disposition, "default._bimi.results.com": c.Record})
			v := Verifier{Resolver: z, Record: o,
				Fetcher: &fakeWeb{files: map[string][]byte{"https://fastmaildmarc.com/FM_BIMI.svg": markcerttest.SVG()}}}
			author, err := dmarc.AuthorOf("results.com")
			require.NoError(t, err)
			d := dmarc.Verifier{Resolver: z}
			m := &Message{Author: author, DMARC: d.Verify(context.Background(), author, dmarc.DKIMIdentifier(authres.Status(c.DMARC), "results.com", "s"))}
			require.Equal(t, authres.Status(c.DMARC), m.DMARC.Status)
			got := unfold(authres.Header{AuthservID: "x", Results: []authres.Result{v.Verify(context.Background(), m).AuthenticationResult()}}.String())
			want, _, _ := strings.Cut(c.Expect, " (")
			require.True(t, strings.HasPrefix(got, "x; "+want), "%s: %s", want, got)
		})
	}
	testcase.Ran(t, "bimi/mail-bimi-results", len(suite.Results), 3)
}
