package dmarc

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/suffix"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// zoneOf makes a Zone of a case's DNS in the JSON form.
func zoneOf(t testing.TB, raw json.RawMessage) *dnstest.Zone {
	t.Helper()
	z, err := dnstest.Parse(string(raw))
	require.NoError(t, err)
	return z
}

// authorOf makes an Author of a From field's value.
func authorOf(t testing.TB, value string) Author {
	t.Helper()
	a := AuthorOptions{}.read(value)
	require.NoError(t, a.Err())
	return a
}

func walked(r Result) []string {
	var out []string
	for _, q := range r.Queries {
		if name, ok := strings.CutPrefix(q.Name, "_dmarc."); ok {
			out = append(out, "_dmarc."+strings.TrimSuffix(name, "."))
		}
	}
	return out
}

func TestRFC9989Examples(t *testing.T) {
	var suite struct {
		Cases []struct {
			ID, From string
			SPF      []string `json:"spf_pass_domains"`
			DKIM     []string `json:"dkim_pass_domains"`
			DNS      json.RawMessage
			Expect   struct {
				Result       string
				PolicyDomain string   `json:"policy_record_domain"`
				Queries      []string `json:"dmarc_queries"`
				SPFAligned   any      `json:"spf_aligned"`
				DKIMAligned  any      `json:"dkim_aligned"`
			}
		}
	}
	testcase.ReadJSON(t, testcase.Corpora(t, "dmarc", "rfc9989-examples", "cases.json"), &suite)
	for _, c := range suite.Cases {
		t.Run(c.ID, func(t *testing.T) {
			var ids []Identifier
			for _, d := range c.SPF {
				ids = append(ids, SPFIdentifier(authres.Pass, d))
			}
			for _, d := range c.DKIM {
				ids = append(ids, DKIMIdentifier(authres.Pass, d, "s"))
			}
			v := Verifier{Resolver: zoneOf(t, c.DNS)}
			r := v.Verify(context.Background(), authorOf(t, c.From), ids...)
			if c.Expect.Result != "" {
				require.Equal(t, c.Expect.Result, string(r.Status))
			}
			if c.Expect.PolicyDomain != "" {
				require.Equal(t, c.Expect.PolicyDomain, r.PolicyDomain)
			}
			if c.Expect.Queries != nil {
				require.Equal(t, c.Expect.Queries, walked(r))
			}
			// Where it is a name, the suite has the Organizational Domain that made it so.
			for want, m := range map[any]Mechanism{c.Expect.SPFAligned: SPF, c.Expect.DKIMAligned: DKIM} {
				for _, a := range r.Identifiers {
					if a.Mechanism() != m || want == nil {
						continue
					}
					if org, ok := want.(string); ok {
						require.True(t, a.Aligned)
						require.Equal(t, org, a.OrganizationalDomain)
					} else {
						require.Equal(t, want, a.Aligned)
					}
				}
			}
		})
	}
	testcase.Ran(t, "dmarc/rfc9989-examples", len(suite.Cases), 4)
}

func TestStalwart(t *testing.T) {
	var suite struct {
		Eval []struct {
			ID, From string
			SPF      *struct{ Domain, Result string }
			DKIM     []struct{ Domain, Result string }
			DNS      json.RawMessage
			Expect   struct {
				DKIMAligned *bool `json:"dkim_aligned"`
				SPFAligned  *bool `json:"spf_aligned"`
				Result      string
				Policy      string
			}
		}
		Parse []struct {
			ID, Record string
			Expect     struct {
				P, SP, NP, ADKIM, ASPF string
				FO                     []string
				RUA, RUF               [][2]any
				T                      bool
				PSD                    string
			}
		}
	}
	testcase.ReadJSON(t, testcase.Corpora(t, "dmarc", "stalwart", "cases.json"), &suite)
	for _, c := range suite.Eval {
		t.Run(c.ID, func(t *testing.T) {
			var ids []Identifier
			if c.SPF != nil {
				ids = append(ids, SPFIdentifier(authres.Status(c.SPF.Result), c.SPF.Domain))
			}
			for _, d := range c.DKIM {
				ids = append(ids, DKIMIdentifier(authres.Status(d.Result), d.Domain, "s"))
			}
			v := Verifier{Resolver: zoneOf(t, c.DNS)}
			r := v.Verify(context.Background(), authorOf(t, c.From), ids...)
			if c.Expect.Result != "" {
				require.Equal(t, c.Expect.Result, string(r.Status))
			}
			if c.Expect.Policy != "" {
				require.Equal(t, c.Expect.Policy, string(r.Policy))
			}
			if c.Expect.SPFAligned != nil {
				require.Equal(t, *c.Expect.SPFAligned, r.SPFAligned)
			}
			if c.Expect.DKIMAligned != nil {
				require.Equal(t, *c.Expect.DKIMAligned, r.DKIMAligned)
			}
		})
	}

	// Where we answer otherwise on purpose: see DIVERGENCES.md.
	const noRUF = "fo counts only beside ruf (RFC 9989, section 4.7)"
	type ours struct {
		fo, reason string
		rua        string
	}
	others := map[string]ours{
		"parse-1": {fo: "", reason: ""},
		"parse-2": {fo: "0", reason: ""},
		"parse-3": {fo: "", reason: noRUF},
		"parse-4": {fo: "", reason: noRUF},
		// Blanks within a size suffix and %20 at the end of an address are no syntax of
		// RFC 9989, section 4.8: neither URI of this record is valid.
		"parse-5": {fo: "", reason: noRUF, rua: "-"},
		"parse-6": {fo: "", reason: noRUF},
	}
	uris := func(list []URI) (out [][2]any) {
		for _, u := range list {
			out = append(out, [2]any{u.Address, float64(u.MaxSize)})
		}
		return out
	}
	for _, c := range suite.Parse {
		t.Run(c.ID, func(t *testing.T) {
			r, err := ParseRecord(c.Record)
			require.NoError(t, err)
			e := c.Expect
			require.Equal(t, e.P, string(r.P))
			require.Equal(t, e.SP, string(r.Subdomain()))
			require.Equal(t, e.NP, string(r.Nonexistent()))
			require.Equal(t, e.ADKIM, string(r.ADKIM))
			require.Equal(t, e.ASPF, string(r.ASPF))
			require.Equal(t, e.T, r.T)
			require.Equal(t, e.PSD, string(r.PSD))
			o, ok := others[c.ID]
			require.True(t, ok)
			require.Equal(t, o.fo, r.FO)
			if o.rua == "-" {
				require.Empty(t, r.RUA)
			} else {
				require.Equal(t, e.RUA, uris(r.RUA))
			}
			require.ElementsMatch(t, e.RUF, uris(r.RUF))
		})
	}

	// The one case of external_reports is about sending reports, not about evaluating mail.
	testcase.Ran(t, "dmarc/stalwart", len(suite.Eval)+len(suite.Parse), 18)
}

func TestOpenDMARC(t *testing.T) {
	var suite struct {
		Parse []struct {
			ID, Record string
			Valid      bool `json:"valid_rfc"`
		}
		Alignment []struct {
			ID, A, B, Mode string
			Aligned        bool
		}
		From []struct{ ID, Header, Domain, Note string } `json:"from_domain"`
		Org  []struct{ Domain, Org string }              `json:"org_domain"`
	}
	testcase.ReadJSON(t, testcase.Corpora(t, "dmarc", "opendmarc", "cases.json"), &suite)

	// Cases on which we answer otherwise than "valid_rfc" or the table, with the reason.
	others := map[string]string{
		"parse-9":  "a bad sp without rua is no DMARC (RFC 9989, section 4.10.1; decision 3)",
		"parse-15": "an absent p is p=none (RFC 9989, section 4.7; decision 1)",
		"align-5":  "a name with dots at its ends is no name; it is not repaired",
		"align-6":  "a name with dots at its ends is no name; it is not repaired",
		"from-2":   "text before an address without angle brackets is two readings of one field",
		"from-6":   "brackets within brackets are no address list",
		"from-7":   "authors of two domains are ambiguous (decision 6)",
		"from-8":   "authors of two domains are ambiguous (decision 6)",
		"from-9":   "a group that is not closed",
		"from-12":  "a word before an address without angle brackets",
		"from-13":  "a group that is not closed",
	}
	n := 0
	differs := func(id string) bool {
		n++
		_, ok := others[id]
		delete(others, id)
		return ok
	}
	for _, c := range suite.Parse {
		t.Run(c.ID, func(t *testing.T) {
			_, err := ParseRecord(c.Record)
			require.Equal(t, c.Valid != differs(c.ID), err == nil, c.Record)
		})
	}
	for _, c := range suite.Alignment {
		t.Run(c.ID, func(t *testing.T) {
			mode := "r"
			if c.Mode == "strict" {
				mode = "s"
			}
			want := c.Aligned != differs(c.ID)
			for _, pair := range [][2]string{{c.A, c.B}, {c.B, c.A}} {
				author, err := AuthorOf(pair[0])
				if err != nil {
					require.False(t, want)
					continue
				}
				z := dnstest.MustParse("_dmarc." + author.Domain() + ". TXT \"v=DMARC1; p=reject; adkim=" + mode + "; aspf=" + mode + "\"\n")
				for _, m := range []Method{PublicSuffixList, TreeWalk} {
					v := Verifier{Resolver: z, Method: m}
					r := v.Verify(context.Background(), author, DKIMIdentifier(authres.Pass, pair[1], "s"))
					if m == TreeWalk && mode == "r" {
						// The table knows no DNS. A walk from below finds the record above, a
						// walk from above does not find the one below.
						org, _ := suffix.Organizational(author.domains[0])
						want := author.Domain() == org.String() || author.Domain() == pair[1]
						require.Equal(t, want, r.DKIMAligned, m)
						continue
					}
					require.Equal(t, want, r.DKIMAligned, m)
				}
			}
		})
	}
	for _, c := range suite.From {
		t.Run(c.ID, func(t *testing.T) {
			a := AuthorOptions{}.read(c.Header)
			if differs(c.ID) {
				require.Error(t, a.Err())
				require.Empty(t, a.Domain())
				return
			}
			require.NoError(t, a.Err())
			require.Equal(t, c.Domain, a.Domain())
		})
	}
	for _, c := range suite.Org {
		t.Run(c.Domain, func(t *testing.T) {
			d, err := domain.Parse(c.Domain)
			require.NoError(t, err)
			org, ok := suffix.Organizational(d)
			require.True(t, ok)
			require.Equal(t, c.Org == org.String(), !differs("org "+c.Domain), org.String())
		})
	}
	require.Empty(t, others, "deviations that are none")
	testcase.Ran(t, "dmarc/opendmarc", n, 45)
}
