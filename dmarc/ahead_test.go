package dmarc

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// What is asked ahead: all levels of all walks that may matter, at once, and nothing
// about identifiers that cannot change the result. Each answer takes a second.
func TestAhead(t *testing.T) {
	const record = "_dmarc.bank.example. TXT \"v=DMARC1; p=reject\"\n"
	for name, c := range map[string]struct {
		ids   []Identifier
		took  time.Duration
		asked string // of names below bank.example
	}{
		"author alone":            {nil, time.Second, "x.a a"},
		"one identifier":          {[]Identifier{DKIMIdentifier(authres.Pass, "b.bank.example", "s")}, time.Second, "x.a a b"},
		"two identifiers":         {[]Identifier{DKIMIdentifier(authres.Pass, "b.bank.example", "s"), DKIMIdentifier(authres.Pass, "c.bank.example", "s")}, time.Second, "x.a a b c"},
		"the author again":        {[]Identifier{SPFIdentifier(authres.Pass, "x.a.bank.example"), DKIMIdentifier(authres.Pass, "x.a.bank.example", "s")}, time.Second, "x.a a"},
		"temporary error":         {[]Identifier{DKIMIdentifier(authres.TempError, "b.bank.example", "s")}, time.Second, "x.a a b"},
		"failed":                  {[]Identifier{DKIMIdentifier(authres.Fail, "b.bank.example", "s"), SPFIdentifier(authres.SoftFail, "c.bank.example")}, time.Second, "x.a a"},
		"failed, and then passed": {[]Identifier{DKIMIdentifier(authres.Fail, "b.bank.example", "s"), DKIMIdentifier(authres.Pass, "b.bank.example", "s")}, time.Second, "x.a a b"},
		"no name":                 {[]Identifier{DKIMIdentifier(authres.Pass, "b.bank.example.", "s"), SPFIdentifier(authres.Pass, "")}, time.Second, "x.a a"},
		"a stranger":              {[]Identifier{DKIMIdentifier(authres.Pass, "attack.example", "s")}, time.Second, "x.a a"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				z := dnstest.MustParse(record)
				z.Delay = time.Second
				v := Verifier{Resolver: z}
				begin := time.Now()
				r := v.Verify(t.Context(), authorOf(t, "u@x.a.bank.example"), c.ids...)
				require.Equal(t, c.took, time.Since(begin), story(r))
				var asked []string
				for _, q := range z.Queries() {
					if n, ok := strings.CutSuffix(strings.TrimPrefix(q, "TXT _dmarc."), ".bank.example."); ok {
						asked = append(asked, n)
					}
				}
				slices.Sort(asked)
				want := strings.Fields(c.asked)
				slices.Sort(want)
				require.Equal(t, want, asked)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		z := dnstest.MustParse(record)
		z.Delay = time.Second
		v := Verifier{Resolver: z}
		begin := time.Now()
		require.Equal(t, "bank.example", v.OrganizationalDomain(t.Context(), "x.a.bank.example").OrganizationalDomain)
		require.Equal(t, time.Second, time.Since(begin))
	})
}
