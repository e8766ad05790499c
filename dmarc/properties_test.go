package dmarc

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// P16: nothing that was left out passes.
func TestP16ZeroValues(t *testing.T) {
	ctx := context.Background()
	var v Verifier
	r := v.Verify(ctx, Author{}, SPFIdentifier(authres.Pass, "bank.example"))
	require.Equal(t, authres.PermError, r.Status)
	require.ErrorIs(t, r.Err, ErrNoAuthor)

	author, err := AuthorOf("bank.example")
	require.NoError(t, err)
	r = v.Verify(ctx, author, SPFIdentifier(authres.Pass, "bank.example"))
	require.Equal(t, authres.TempError, r.Status)
	require.ErrorIs(t, r.Err, ErrDNS)
	require.ErrorIs(t, r.Err, dnsutil.ErrNoResolver)
	o := v.OrganizationalDomain(ctx, "a.bank.example")
	require.Equal(t, authres.TempError, o.Status)
	require.ErrorIs(t, o.Err, dnsutil.ErrNoResolver)
	require.Empty(t, o.OrganizationalDomain)

	v.Resolver = dnstest.MustParse(bankZone)
	r = v.Verify(ctx, author, Identifier{})
	require.Equal(t, authres.Fail, r.Status)
	require.Equal(t, BadDomain, r.Identifiers[0].Why)
	r = v.Verify(ctx, author, SPFIdentifier("", "bank.example"), SPFIdentifier("PASS", "bank.example"))
	require.Equal(t, authres.Fail, r.Status)

	require.NotEqual(t, authres.Pass, Result{}.Status)
	require.Empty(t, Result{}.PassedBy())
	require.False(t, Identifier{}.Authenticated())
	require.True(t, Record{}.IsZero())
	require.Empty(t, Record{}.Tags())
	require.ErrorIs(t, Author{}.Err(), ErrNoAuthor)
	require.Empty(t, Author{}.Domain())
	require.Empty(t, Author{}.Domains())
}

func TestPassedBy(t *testing.T) {
	author, _ := AuthorOf("bank.example")
	v := Verifier{Resolver: dnstest.MustParse(bankZone)}
	r := v.Verify(context.Background(), author,
		SPFIdentifier(authres.Pass, "attack.example"),
		DKIMIdentifier(authres.Fail, "bank.example", "a"),
		DKIMIdentifier(authres.Pass, "mail.bank.example", "b"))
	require.Equal(t, authres.Pass, r.Status)
	require.False(t, r.SPFAligned)
	require.True(t, r.DKIMAligned)
	by := r.PassedBy()
	require.Len(t, by, 1)
	require.Equal(t, "mail.bank.example", by[0].Domain())
	require.Equal(t, "b", by[0].Selector())
	require.Equal(t, DKIM, by[0].Mechanism())
	require.Equal(t, "bank.example", by[0].OrganizationalDomain)
	// What failed is told to be aligned all the same: failure reports ask.
	require.True(t, r.Identifiers[1].Aligned)
}

// P19: who is aligned with whom does not depend on who is the author.
func TestP19AlignmentIsSymmetric(t *testing.T) {
	zone := `
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
_dmarc.eu.bank.example. TXT "v=DMARC1; p=reject; psd=n"
_dmarc.co.uk. TXT "v=DMARC1; p=reject"
_dmarc.z.example. TXT "v=DMARC1; p=reject; psd=y"
`
	names := []string{"bank.example", "a.bank.example", "eu.bank.example", "x.eu.bank.example", "a.co.uk", "b.co.uk", "x.b.co.uk", "co.uk", "z.example", "y.z.example", "x.y.z.example", "w.z.example"}
	for _, m := range []Method{TreeWalk, PublicSuffixList} {
		v := Verifier{Resolver: dnstest.MustParse(zone), Method: m}
		aligned := func(a, b string) bool {
			author, err := AuthorOf(a)
			require.NoError(t, err)
			w, done := v.walker(context.Background())
			defer done()
			d := w.discover(author.domains[0], m)
			return w.align(&d, m, Relaxed, DKIMIdentifier(authres.Pass, b, "s"), true).Aligned
		}
		for _, a := range names {
			require.True(t, aligned(a, a))
			for _, b := range names {
				require.Equal(t, aligned(a, b), aligned(b, a), "%s: %s and %s", m, a, b)
				for _, c := range names {
					require.False(t, aligned(a, b) && aligned(b, c) && !aligned(a, c), "%s: %s, %s and %s", m, a, b, c)
				}
			}
		}
	}
}

// P19: what is aligned strictly is aligned relaxed, and what is no domain name is aligned
// with nobody, whatever the outcome it comes with.
func TestP19StrictIsWithinRelaxed(t *testing.T) {
	const zone = `
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
_dmarc.eu.bank.example. TXT "v=DMARC1; p=reject; psd=n"
_dmarc.z.example. TXT "v=DMARC1; p=reject; psd=y"
`
	names := []string{"bank.example", "a.bank.example", "BANK.example", "eu.bank.example", "x.eu.bank.example", "z.example", "y.z.example", "other.example", "example"}
	none := []string{"", ".", " ", "@", "bank.example.", ".bank.example", "bank..example", "bank.example\x00", " bank.example", "*.bank.example", "198.51.100.1", "[198.51.100.1]", strings.Repeat("a.", 130) + "bank.example"}
	for _, m := range []Method{TreeWalk, PublicSuffixList} {
		v := Verifier{Resolver: dnstest.MustParse(zone), Method: m}
		for _, a := range names {
			author, err := AuthorOf(a)
			require.NoError(t, err)
			w, done := v.walker(context.Background())
			d := w.discover(author.domains[0], m)
			aligned := func(mode Mode, id Identifier) bool { return w.align(&d, m, mode, id, true).Aligned }
			for _, b := range names {
				id := SPFIdentifier(authres.Pass, b)
				strict := aligned(Strict, id)
				require.Equal(t, strings.EqualFold(a, b), strict, "%s and %s", a, b)
				require.True(t, !strict || aligned(Relaxed, id), "%s and %s", a, b)
			}
			for _, b := range none {
				for _, id := range []Identifier{SPFIdentifier(authres.Pass, b), DKIMIdentifier(authres.Pass, b, "s"), {}} {
					require.False(t, aligned(Strict, id) || aligned(Relaxed, id), "%s and %q", a, b)
					require.False(t, id.Authenticated())
				}
			}
			done()
		}
	}
}

// R12 by a list of the caller's, which stands in for ours under both methods.
func TestCallersSuffixList(t *testing.T) {
	author, _ := AuthorOf("a.hosting.example")
	zone := "_dmarc.hosting.example. TXT \"v=DMARC1; p=reject\"\n"
	neighbour := DKIMIdentifier(authres.Pass, "b.hosting.example", "s")
	for _, m := range []Method{TreeWalk, PublicSuffixList} {
		v := Verifier{Resolver: dnstest.MustParse(zone), Method: m}
		require.Equal(t, authres.Pass, v.Verify(context.Background(), author, neighbour).Status)
		v.PublicSuffix = func(name string) bool { return name == "hosting.example" }
		r := v.Verify(context.Background(), author, neighbour)
		require.NotEqual(t, authres.Pass, r.Status)
		require.Equal(t, "a.hosting.example", r.OrganizationalDomain)
	}
	// The private section is part of the list for PublicSuffixList, and of no concern to the floor.
	author, _ = AuthorOf("a.github.io")
	neighbour = DKIMIdentifier(authres.Pass, "b.github.io", "s")
	z := dnstest.MustParse("_dmarc.github.io. TXT \"v=DMARC1; p=reject\"\n_dmarc.a.github.io. TXT \"v=DMARC1; p=reject\"\n")
	walk, psl := Verifier{Resolver: z}, Verifier{Resolver: z, Method: PublicSuffixList}
	require.Equal(t, authres.Pass, walk.Verify(context.Background(), author, neighbour).Status)
	require.Equal(t, authres.Fail, psl.Verify(context.Background(), author, neighbour).Status)
}

func TestOrganizationalDomain(t *testing.T) {
	v := Verifier{Resolver: dnstest.MustParse(bankZone + "_dmarc.broken.example. TXT \"v=DMARC1; p=x\"\n")}
	o := v.OrganizationalDomain(context.Background(), "A.Bank.example")
	require.Equal(t, Organization{Domain: "a.bank.example", OrganizationalDomain: "bank.example", PolicyDomain: "bank.example", Method: TreeWalk, Status: authres.Pass,
		Queries: []Query{
			{"_dmarc.a.bank.example.", dnsutil.TypeTXT, FoundNXDomain, ""},
			{"_dmarc.bank.example.", dnsutil.TypeTXT, FoundRecord, "v=DMARC1; p=reject"},
			{"_dmarc.example.", dnsutil.TypeTXT, FoundNXDomain, ""},
		}}, o)
	o = v.OrganizationalDomain(context.Background(), "bank.example.")
	require.Equal(t, authres.PermError, o.Status)
	require.ErrorIs(t, o.Err, ErrDomain)

	z := dnstest.MustParse(bankZone).WithFault("_dmarc.bank.example.", 0, context.DeadlineExceeded)
	v = Verifier{Resolver: z}
	o = v.OrganizationalDomain(context.Background(), "a.bank.example")
	require.Equal(t, authres.TempError, o.Status)
	require.ErrorIs(t, o.Err, context.DeadlineExceeded)
	require.Empty(t, o.OrganizationalDomain)
	// What is one label below a public suffix is its own organization, answer or not;
	// where its policy lies is another question.
	o = v.OrganizationalDomain(context.Background(), "bank.example")
	require.Equal(t, authres.TempError, o.Status)
	require.Equal(t, "bank.example", o.OrganizationalDomain)
	v.Method = PublicSuffixList
	o = v.OrganizationalDomain(context.Background(), "a.bank.example")
	require.Equal(t, authres.TempError, o.Status)
	require.Equal(t, "bank.example", o.OrganizationalDomain)
	require.Equal(t, PublicSuffixList, o.Method)
}

// A message costs at most MaxQueries questions: 8 for the author's walk, and here
// 6 for each identifier of its own, until they are used up.
func TestBudget(t *testing.T) {
	ids := func(n int) (out []Identifier) {
		for i := range n {
			out = append(out, DKIMIdentifier(authres.Pass, fmt.Sprintf("a.b.c.d.e.x%d.bank.example", i), "s"))
		}
		return out
	}
	author, _ := AuthorOf("a.b.c.d.e.f.bank.example")
	zone := `_dmarc.bank.example. TXT "v=DMARC1; p=reject"` + "\n"
	for i := range 6 {
		// None of them is aligned.
		zone += fmt.Sprintf("_dmarc.x%d.bank.example. TXT \"v=DMARC1; p=none; psd=n\"\n", i)
	}
	z := dnstest.MustParse(zone)
	v := Verifier{Resolver: z, NoPrefetch: true}
	r := v.Verify(context.Background(), author, ids(4)...)
	require.Equal(t, authres.Fail, r.Status)
	require.Len(t, r.Queries, MaxQueries)
	require.Len(t, z.Queries(), MaxQueries)
	z.Reset()
	r = v.Verify(context.Background(), author, ids(5)...)
	require.Equal(t, authres.PermError, r.Status)
	require.ErrorIs(t, r.Err, ErrBudget)
	require.ErrorIs(t, r.Err, dnsutil.ErrBudget)
	require.Len(t, z.Queries(), MaxQueries)
	// One that passes without further questions is enough, whatever the others cost.
	r = v.Verify(context.Background(), author, append(ids(5), SPFIdentifier(authres.Pass, author.Domain()))...)
	require.Equal(t, authres.Pass, r.Status)
	// Nor is anything asked for what could only have been a pass if there is one already.
	z.Reset()
	r = v.Verify(context.Background(), author, DKIMIdentifier(authres.TempError, "a.x0.bank.example", "s"), SPFIdentifier(authres.Pass, author.Domain()))
	require.Equal(t, authres.Pass, r.Status)
	require.Len(t, z.Queries(), 8)
	require.Equal(t, AlignmentUnneeded, r.Identifiers[0].Why)
	// Junk costs nothing: it does not even get to ask.
	z.Reset()
	r = v.Verify(context.Background(), author, DKIMIdentifier(authres.Fail, "a.b.c.d.e.x0.bank.example", "s"), DKIMIdentifier(authres.Pass, "a.b.c.d.e.f.attack.example", "s"))
	require.Equal(t, authres.Fail, r.Status)
	require.Len(t, z.Queries(), 8)
	require.Equal(t, AlignmentUnneeded, r.Identifiers[0].Why)
}

// The strictest policy is found whatever the first author's identifiers cost.
func TestBudgetOfSeveralAuthors(t *testing.T) {
	zone := bankZone + "_dmarc.attack.example. TXT \"v=DMARC1; p=none\"\n"
	var ids []Identifier
	for i := range 8 {
		ids = append(ids, DKIMIdentifier(authres.Pass, fmt.Sprintf("a.b.c.d.e.x%d.attack.example", i), "s"))
	}
	a := AuthorOptions{SeveralDomains: true}.read("x@attack.example, ceo@bank.example")
	v := Verifier{Resolver: dnstest.MustParse(zone)}
	r := v.Verify(context.Background(), a, ids...)
	require.Equal(t, authres.Fail, r.Status)
	require.Equal(t, "bank.example", r.Domain)
	require.Equal(t, PolicyReject, r.Policy)
	require.Equal(t, authres.Pass, r.Each[0].Status)
}

func TestFailureReports(t *testing.T) {
	author, _ := AuthorOf("giant.bank.example")
	school, _ := AuthorOf("school.herts.sch.uk")
	v := Verifier{Resolver: dnstest.MustParse("_dmarc.sch.uk. TXT \"v=DMARC1; p=reject; ruf=mailto:f@sch.uk\"\n")}
	require.Empty(t, v.Verify(context.Background(), school).FailureReports(), "above a public suffix")
	for record, want := range map[string]int{
		"_dmarc.bank.example. TXT \"v=DMARC1; p=reject; ruf=mailto:f@bank.example\"\n":        1,
		"_dmarc.bank.example. TXT \"v=DMARC1; p=reject; psd=y; ruf=mailto:f@bank.example\"\n": 0,
		"_dmarc.example. TXT \"v=DMARC1; p=reject; ruf=mailto:f@example\"\n":                  0,
	} {
		v := Verifier{Resolver: dnstest.MustParse(record)}
		r := v.Verify(context.Background(), author)
		require.Len(t, r.Record.RUF, 1)
		require.Len(t, r.FailureReports(), want, record)
	}
}

func TestNameTooLongToPublish(t *testing.T) {
	long := strings.Repeat("a.", 121) + "bank.test"
	author, err := AuthorOf(long)
	require.NoError(t, err)
	z := dnstest.MustParse("_dmarc.bank.test. TXT \"v=DMARC1; p=reject\"\n")
	v := Verifier{Resolver: z, NoPrefetch: true}
	r := v.Verify(context.Background(), author)
	require.Equal(t, authres.Fail, r.Status)
	require.Equal(t, FoundTooLong, r.Queries[0].Outcome)
	require.Len(t, z.Queries(), 7)
}

// Looking ahead: all levels are asked for at once.
func TestPrefetch(t *testing.T) {
	z := dnstest.MustParse(bankZone)
	s := lookup.New(context.Background(), z, lookup.Limits{})
	defer s.Close()
	v := Verifier{Resolver: s.Scope(MaxQueries)}
	v.Prefetch(context.Background(), "x.a.bank.example", "b.bank.example", "not a name")
	author, _ := AuthorOf("x.a.bank.example")
	r := v.Verify(context.Background(), author, DKIMIdentifier(authres.Pass, "b.bank.example", "s"))
	require.Equal(t, authres.Pass, r.Status)
	asked := z.Queries()
	slices.Sort(asked)
	require.Equal(t, []string{"TXT _dmarc.a.bank.example.", "TXT _dmarc.b.bank.example.", "TXT _dmarc.bank.example.", "TXT _dmarc.example.", "TXT _dmarc.x.a.bank.example."}, asked)
	demanded := s.Queries()
	require.Equal(t, "TXT _dmarc.x.a.bank.example.", demanded[0])

	// Alone it has nobody to ask ahead for.
	z.Reset()
	(&Verifier{Resolver: z}).Prefetch(context.Background(), "bank.example")
	require.Empty(t, z.Queries())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v.Prefetch(ctx, "other.example")
	require.Empty(t, z.Queries())
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	author, _ := AuthorOf("bank.example")
	v := Verifier{Resolver: dnsutil.ResolverFunc(func(ctx context.Context, _ string, _ dnsutil.Type) (dnsutil.Answer, error) {
		return dnsutil.Answer{}, ctx.Err()
	})}
	r := v.Verify(ctx, author)
	require.Equal(t, authres.TempError, r.Status)
	require.ErrorIs(t, r.Err, context.Canceled)
}

// A CNAME to nowhere is something that exists.
func TestExistence(t *testing.T) {
	author, _ := AuthorOf("x.bank.example")
	zone := "_dmarc.bank.example. TXT \"v=DMARC1; p=none; np=reject\"\n"
	for extra, want := range map[string]Policy{
		"":                                           PolicyReject,
		"x.bank.example. CNAME gone.test.\n":         PolicyNone,
		"y.x.bank.example. A 192.0.2.1\n":            PolicyNone, // an empty non-terminal exists
		"*.bank.example. A 192.0.2.1\n":              PolicyNone,
		"x.bank.example. MX 0 .\n":                   PolicyNone,
		"_domainkey.x.bank.example. TXT \"empty\"\n": PolicyNone,
	} {
		v := Verifier{Resolver: dnstest.MustParse(zone + extra)}
		require.Equal(t, want, v.Verify(context.Background(), author).Policy, extra)
	}
}

// P14: one Verifier, many goroutines, one answer.
func TestP14Concurrent(t *testing.T) {
	author, _ := AuthorOf("a.b.bank.example")
	v := Verifier{Resolver: dnstest.MustParse(bankZone)}
	ids := []Identifier{DKIMIdentifier(authres.Pass, "c.bank.example", "s"), SPFIdentifier(authres.Fail, "bank.example")}
	want := v.Verify(context.Background(), author, ids...)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got := v.Verify(context.Background(), author, ids...); story(got) != story(want) {
				t.Errorf("got %s, want %s", story(got), story(want))
			}
		})
	}
	wg.Wait()
}

// VerifyFunc says what Verify says. It asks for the policy before it calls the function,
// once, and does not call it for an author that it cannot use.
func TestVerifyFunc(t *testing.T) {
	ctx := context.Background()
	ids := []Identifier{SPFIdentifier(authres.Fail, "bank.example"), DKIMIdentifier(authres.Pass, "mail.bank.example", "s")}
	for _, several := range []bool{false, true} {
		author, err := AuthorOf("a.b.bank.example")
		require.NoError(t, err)
		if several {
			other, err := AuthorOf("attack.example")
			require.NoError(t, err)
			author.domains = append(author.domains, other.domains...)
		}
		zone := dnstest.MustParse(bankZone)
		calls := 0
		r := (&Verifier{Resolver: zone}).VerifyFunc(ctx, author, func() []Identifier {
			calls++
			require.Contains(t, zone.Queries(), "TXT _dmarc.bank.example.")
			return ids
		})
		require.Equal(t, 1, calls)
		want := (&Verifier{Resolver: zone}).Verify(ctx, author, ids...)
		require.Equal(t, want, r)
	}
	author := Author{}
	r := (&Verifier{}).VerifyFunc(ctx, author, func() []Identifier { panic("called") })
	require.Equal(t, authres.PermError, r.Status)
}
