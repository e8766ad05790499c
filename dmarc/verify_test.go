package dmarc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// identifiers reads "pass example.com selector; fail example.org" of one mechanism.
func identifiers(t testing.TB, m Mechanism, s string) (out []Identifier) {
	for part := range strings.SplitSeq(s, ";") {
		f := strings.Fields(part)
		if len(f) == 0 {
			continue
		}
		require.GreaterOrEqual(t, len(f), 2, s)
		if m == SPF {
			out = append(out, SPFIdentifier(authres.Status(f[0]), f[1]))
		} else {
			out = append(out, DKIMIdentifier(authres.Status(f[0]), f[1], strings.Join(f[2:], "")))
		}
	}
	return out
}

func code(err error) string {
	var e Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return ""
}

// story renders what matters of a Result, a line a fact.
func story(r Result) string {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
		}
	}
	line("status", string(r.Status))
	line("code", code(r.Err))
	line("organizational domain", r.OrganizationalDomain)
	line("policy domain", r.PolicyDomain)
	line("record", r.Record.String())
	line("author record", r.AuthorRecord.String())
	line("organizational record", r.OrganizationalRecord.String())
	line("published", strings.TrimSpace(string(r.Published)+" "+r.Tag))
	line("policy", string(r.Policy))
	for _, a := range r.Identifiers {
		aligned := "not aligned"
		if a.Aligned {
			aligned = "aligned"
		}
		line(string(a.Mechanism()), strings.TrimRight(fmt.Sprintf("%s %s %s: %s %s", a.Status(), a.Domain(), aligned, a.Why, a.OrganizationalDomain), " "))
	}
	for _, d := range r.Diagnostics {
		line("diagnostic", d.String())
	}
	return b.String()
}

func queries(r Result) string {
	var b strings.Builder
	for _, q := range r.Queries {
		fmt.Fprintf(&b, "%s %s\n", q, q.Outcome)
	}
	return b.String()
}

func TestVerify(t *testing.T) {
	for _, c := range testcase.Load(t, "testdata/verify", "from", "spf", "dkim", "method") {
		t.Run(c.Name, func(t *testing.T) {
			author, err := AuthorOf(c.Get("from"))
			require.NoError(t, err)
			z, err := dnstest.Parse(string(c.File("zone")))
			require.NoError(t, err)
			ids := append(identifiers(t, SPF, c.Get("spf")), identifiers(t, DKIM, c.Get("dkim"))...)
			v := Verifier{Resolver: z, Method: Method(c.Get("method"))}
			r := v.Verify(context.Background(), author, ids...)
			c.Check(t, "want", story(r))
			c.Check(t, "queries", queries(r))

			// Looking ahead changes nothing but the time it takes.
			v.NoPrefetch = true
			z.Reset()
			plain := v.Verify(context.Background(), author, ids...)
			require.Equal(t, story(r), story(plain))
			require.Equal(t, queries(r), queries(plain))
			var asked []string
			for _, q := range plain.Queries {
				asked = append(asked, q.String())
			}
			require.Equal(t, asked, z.Queries())
		})
	}
}
