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
	"github.com/seed2385d973/mailauth/internal/lookup"
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
				require.Nil(t, r.Each)
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
	timed := func(name string, took time.Duration, method Method, f func(t *testing.T, v *Verifier)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				z := dnstest.MustParse(record)
				z.Delay = time.Second
				begin := time.Now()
				f(t, &Verifier{Resolver: z, Method: method})
				require.Equal(t, took, time.Since(begin))
			})
		})
	}
	timed("organizational domain", time.Second, TreeWalk, func(t *testing.T, v *Verifier) {
		require.Equal(t, "bank.example", v.OrganizationalDomain(t.Context(), "x.a.bank.example").OrganizationalDomain)
	})
	timed("the public suffix way", time.Second, PublicSuffixList, func(t *testing.T, v *Verifier) {
		require.Equal(t, "bank.example", v.Verify(t.Context(), authorOf(t, "u@x.a.bank.example")).PolicyDomain)
	})
	later := func() []Identifier {
		return []Identifier{DKIMIdentifier(authres.Pass, "c.b.bank.example", "s"), DKIMIdentifier(authres.Pass, "e.d.bank.example", "s")}
	}
	timed("identifiers that come later", 2*time.Second, TreeWalk, func(t *testing.T, v *Verifier) {
		require.Equal(t, authres.Pass, v.VerifyFunc(t.Context(), authorOf(t, "u@x.a.bank.example"), later).Status)
	})
	timed("several authors", time.Second, TreeWalk, func(t *testing.T, v *Verifier) {
		a := AuthorOptions{SeveralDomains: true}.read("u@x.a.bank.example, u@y.z.bank.example")
		require.Equal(t, authres.Pass, v.Verify(t.Context(), a, later()...).Status)
	})
	timed("several authors, identifiers that come later", 2*time.Second, TreeWalk, func(t *testing.T, v *Verifier) {
		a := AuthorOptions{SeveralDomains: true}.read("u@x.a.bank.example, u@y.z.bank.example")
		require.Equal(t, authres.Pass, v.VerifyFunc(t.Context(), a, later).Status)
	})
}

// What Prefetch starts, before anybody demands it.
func TestPrefetchAlone(t *testing.T) {
	z := dnstest.MustParse(bankZone)
	s := lookup.New(t.Context(), z, lookup.Limits{})
	defer s.Close()
	v := Verifier{Resolver: s.Scope(MaxQueries)}
	v.Prefetch(t.Context(), "a.bank.example", "not a name", "a.bank.example", "b.example")
	asked := z.Queries()
	slices.Sort(asked)
	require.Equal(t, []string{"TXT _dmarc.a.bank.example.", "TXT _dmarc.b.example.", "TXT _dmarc.bank.example.", "TXT _dmarc.example."}, asked)
	require.Empty(t, s.Queries())
}
