package mailauth_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/mailgen"
	"github.com/seed2385d973/mailauth/message"
)

// The properties of whole evaluations, over the random worlds of package mailgen. The
// index in properties_index_test.go says what their numbers mean.

var worlds = flag.Int("worlds", 40, "number of random worlds for each property")

// chance is a random world under test.
type chance struct {
	*world
	gen *mailgen.World
	rnd *rand.Rand
}

// eachWorld calls f with random worlds, and prints the one that fails.
func eachWorld(t *testing.T, o mailgen.Options, f func(c chance)) {
	t.Helper()
	g := mailgen.New(t)
	for seed := range uint64(*worlds) {
		func() {
			w := g.World(seed, o)
			defer func() {
				if t.Failed() {
					t.Log(w)
				}
			}()
			f(chance{ofWorld(w), w, rand.New(rand.NewPCG(seed, 1))})
		}()
	}
}

// ofWorld is the world of a test case from a random one.
func ofWorld(g *mailgen.World) *world {
	w := &world{zone: g.Zone(), message: []byte(g.Message), session: mailauth.Session{
		IP: g.IP, HELO: g.HELO, MailFrom: g.MailFrom, Receiver: "mx.victim.example", Time: mailgen.Receipt, SMTPUTF8: g.SMTPUTF8,
	}}
	w.evaluator = mailauth.Evaluator{Resolver: w.zone, TrustedSealers: g.Trusted, Handling: mailauth.Handling{HonorReject: true}}
	return w
}

// evaluateText evaluates another message in the same session and DNS.
func (c chance) evaluateText(t testing.TB, text string) *mailauth.Result {
	t.Helper()
	w := c.with(c.evaluator.Resolver)
	w.message = []byte(text)
	return w.evaluate(t)
}

// The worlds are worth something only if everything happens in them.
func TestWorldsAreVaried(t *testing.T) {
	g := mailgen.New(t)
	seen := map[string]int{}
	for seed := range uint64(150) {
		r := ofWorld(g.World(seed, mailgen.Options{})).evaluate(t)
		seen["spf "+string(r.SPF.Status)]++
		seen["dmarc "+string(r.DMARC.Status)]++
		seen["arc "+string(r.ARC.Status)]++
		seen[string(r.Action)]++
		for i := range r.DKIM {
			seen["dkim "+string(r.DKIM[i].Status)]++
		}
		if r.DMARC.Override != nil {
			seen["override"]++
		}
	}
	for _, what := range []string{
		"spf pass", "spf fail", "spf softfail", "spf neutral", "spf none", "spf permerror", "dmarc pass", "dmarc fail", "dmarc none", "dmarc permerror",
		"arc pass", "arc fail", "arc none", "dkim pass", "dkim fail", "dkim permerror", "dkim neutral", "dkim policy", "accept", "quarantine", "reject", "override",
	} {
		require.Positive(t, seen[what], "%s in %v", what, seen)
	}
}

// vouched reports whether somebody whom the receiver believes says that the message is the author's.
func vouched(r *mailauth.Result) bool {
	return r.DMARC.Status == authres.Pass || r.DMARC.Override != nil
}

// unsigned are fields that somebody may put anywhere, and lines that only look like fields.
var unsigned = []string{
	"X-Any: thing\r\n", "From: <ceo@bank.example>\r\n", "from : a@attack.example\r\n", "FROM:<ceo@news.bank.example>\r\n", "Sender: <ceo@bank.example>\r\n",
	"Resent-From: <ceo@bank.example>\r\n", "Reply-To: <x@attack.example>\r\n", "Subject: other\r\n", "To: x\r\n", "Date: x\r\n", "X-Any: again\r\n", " folded\r\n", "\tFrom: a@b.example\r\n",
	"X-A: b\nFrom: <ceo@bank.example>\r\n", "X-A: b\rFrom: <ceo@bank.example>\r\n", "Fr\xd0\xbem: <ceo@bank.example>\r\n", "From\xc2\xa0: <ceo@bank.example>\r\n", "no colon\r\n",
	"Received-SPF: pass identity=mailfrom; envelope-from=a@bank.example\r\n", ": x\r\n", "X-\xff: \xff\r\n", "List-Id: <l.lists.example>\r\n", "MIME-Version: 1.0\r\n",
}

// Adding an unsigned field anywhere never makes a message pass, nor milder what is
// done with one that fails (CMP-10).
func TestP4UnsignedFieldsNeverHelp(t *testing.T) {
	eachWorld(t, mailgen.Options{}, func(c chance) {
		base := c.evaluate(t)
		fields, _ := c.gen.Fields()
		for range 8 {
			at, x := c.rnd.IntN(len(fields)+1), unsigned[c.rnd.IntN(len(unsigned))]
			if at == 0 && fields[0][0] == ' ' {
				continue // makes a continuation of what is the top of the header
			}
			r := c.evaluateText(t, c.gen.Insert(at, x))
			if !vouched(base) {
				require.False(t, vouched(r), "%q at %d", x, at)
			}
			if base.Action != mailauth.Accept {
				require.NotEqual(t, mailauth.Accept, r.Action, "%q at %d", x, at)
			}
		}
	})
}

// Junk signatures, chains and results, any number and anywhere, change nothing about
// the verdict, unless it says that a signature was not examined (CMP-11).
func TestP4JunkSignaturesChangeNothing(t *testing.T) {
	const tags = " a=rsa-sha256; c=relaxed/relaxed; d=%s; s=%s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=%s\r\n"
	b := strings.Repeat("QUJD", 85) + "QQ=="
	eachWorld(t, mailgen.Options{}, func(c chance) {
		base := c.evaluate(t)
		if c.gen.Message[0] == ' ' {
			return
		}
		junk := []string{
			"DKIM-Signature: v=1;" + fmt.Sprintf(tags, "attack.example", "sel", b), "DKIM-Signature: v=1;" + fmt.Sprintf(tags, "bank.example", "junk", b),
			"DKIM-Signature: junk\r\n", "DKIM-Signature:\r\n", "dkim-signature : v=2\r\n",
			"Authentication-Results: mx.victim.example; dmarc=pass header.from=bank.example; spf=pass\r\n", "Authentication-Results: (\r\n",
			"ARC-Seal: i=1; cv=none;" + fmt.Sprintf(tags, "lists.example", "sel", b), "ARC-Message-Signature: i=1;" + fmt.Sprintf(tags, "lists.example", "sel", b),
			"ARC-Authentication-Results: i=1; lists.example; dmarc=pass header.from=bank.example\r\n",
		}
		for range 4 {
			var text strings.Builder
			for range 1 << c.rnd.IntN(6) {
				text.WriteString(junk[c.rnd.IntN(len(junk))])
			}
			fields, _ := c.gen.Fields()
			r := c.evaluateText(t, c.gen.Insert(c.rnd.IntN(len(fields)+1), text.String()))
			if r.DMARC.Status != base.DMARC.Status {
				require.False(t, vouched(r))
				require.True(t, slices.ContainsFunc(r.DKIM, func(d dkim.Result) bool { return d.Code() == dkim.ErrNotExamined.Code() }), "%s became %s", base.DMARC.Status, r.DMARC.Status)
			}
			if !vouched(base) {
				require.False(t, vouched(r))
			}
		}
	})
}

// The pieces in which a message arrives do not matter.
func TestP7Pieces(t *testing.T) {
	eachWorld(t, mailgen.Options{}, func(c chance) {
		want := pretty(t, c.evaluate(t))
		ev := c.evaluator.Start(context.Background(), c.session)
		for rest := c.message; len(rest) > 0; {
			n := min(1+c.rnd.IntN(1+c.rnd.IntN(200)), len(rest))
			_, err := ev.Write(rest[:n])
			require.NoError(t, err)
			rest = rest[n:]
		}
		r, err := ev.Finish()
		require.NoError(t, err)
		require.Equal(t, want, pretty(t, r))
	})
}

// No message asks too many questions, nor one for a name that is not legal and absolute.
func TestP8QuestionsAreBoundedAndLegal(t *testing.T) {
	eachWorld(t, mailgen.Options{}, func(c chance) {
		c.evaluator.DNS.Speculative = 20
		r := c.evaluate(t)
		require.LessOrEqual(t, len(r.Queries), 100)
		asked := map[string]bool{}
		for _, q := range c.zone.Queries() {
			asked[q] = true
			_, name, _ := strings.Cut(q, " ")
			require.True(t, strings.HasSuffix(name, "."), q)
			require.Equal(t, strings.ToLower(name), name)
		}
		for _, q := range r.Queries {
			require.True(t, asked[q], q)
		}
		require.LessOrEqual(t, len(asked), len(r.Queries)+20)
	})
}

// Where answers become errors, verdicts move to temperror and nowhere else; a chain moves
// to a failure that is temporary (decision 16), and the message waits (CMP-12). The
// mechanism ptr and the macro %{p} are exempt.
func TestP9ErrorsOnlyMakeTempError(t *testing.T) {
	faults := []error{dnsutil.ErrServFail, dnsutil.ErrTimeout, dnsutil.ErrAnswer, dnsutil.ErrChain, context.DeadlineExceeded, fmt.Errorf("anything")}
	eachWorld(t, mailgen.Options{NoPTR: true}, func(c chance) {
		base := c.evaluate(t)
		// What was asked, and what is asked only because something else is not answered.
		var names []string
		for _, q := range base.Queries {
			names = append(names, q[strings.IndexByte(q, ' ')+1:])
		}
		for _, r := range c.gen.Records {
			names = append(names, r.Name+".")
		}
		slices.Sort(names)
		names = slices.Compact(names)
		for range 6 {
			in := 1 + c.rnd.IntN(8)
			zone := c.zone
			var hit []string
			for _, name := range names {
				if c.rnd.IntN(in) == 0 {
					zone = zone.WithFault(name, 0, faults[c.rnd.IntN(len(faults))])
					hit = append(hit, name)
				}
			}
			r := c.with(zone).evaluate(t)
			requireOnlyTempError(t, base, r, hit)
		}
	})
}

func requireOnlyTempError(t *testing.T, base, r *mailauth.Result, hit []string) {
	t.Helper()
	moves := func(what string, from, to authres.Status) {
		if from != to {
			require.Equal(t, authres.TempError, to, "%s was %s; %v", what, from, hit)
		}
	}
	moves("spf", base.SPF.Status, r.SPF.Status)
	moves("helo", base.SPFHELO.Status, r.SPFHELO.Status)
	for i := range r.DKIM {
		moves("dkim", base.DKIM[i].Status, r.DKIM[i].Status)
	}
	moves("dmarc", base.DMARC.Status, r.DMARC.Status)
	if r.DMARC.Status == authres.Fail {
		require.Equal(t, base.DMARC.Policy, r.DMARC.Policy, hit)
	}
	if base.ARC.Status != r.ARC.Status {
		require.True(t, r.ARC.Temporary(), hit)
	}
	if base.DMARC.Override == nil {
		require.Nil(t, r.DMARC.Override, hit)
	}
	if base.Action != r.Action {
		require.Equal(t, mailauth.Defer, r.Action, "was %s; %v", base.Action, hit)
	}
}

// Records that are gone make no signature and no chain good.
func TestP9RecordsGoneMakeNothingGood(t *testing.T) {
	eachWorld(t, mailgen.Options{}, func(c chance) {
		base := c.evaluate(t)
		for range 4 {
			zone := c.zone
			for _, q := range base.Queries {
				if c.rnd.IntN(3) == 0 {
					_, name, _ := strings.Cut(q, " ")
					zone = zone.WithAnswer(name, 0, dnsutil.Answer{NXDomain: c.rnd.IntN(2) == 0})
				}
			}
			r := c.with(zone).evaluate(t)
			for i := range r.DKIM {
				if base.DKIM[i].Status != authres.Pass {
					require.NotEqual(t, authres.Pass, r.DKIM[i].Status)
				}
			}
			if base.ARC.Status == authres.Fail {
				require.Equal(t, authres.Fail, r.ARC.Status)
			}
		}
	})
}

// The order of records in an answer and of ARC fields in the header changes nothing.
func TestP10OrderChangesNothing(t *testing.T) {
	eachWorld(t, mailgen.Options{}, func(c chance) {
		want := c.evaluate(t)
		for i := range uint64(3) {
			w := c.with(c.zone.Shuffled(i))
			w.message = []byte(c.gen.ShuffleARC(i))
			got := w.evaluate(t)
			require.Equal(t, outcome(want), outcome(got))
			if bytes.Equal(w.message, c.message) {
				require.Equal(t, pretty(t, want), pretty(t, got))
			}
		}
	})
}

// outcome is what a result says, without the octets of signatures.
func outcome(r *mailauth.Result) string {
	domains := []string{r.SPF.Domain, r.DMARC.Domain, r.DMARC.OrganizationalDomain, r.DMARC.PolicyDomain}
	for i := range r.DKIM {
		domains = append(domains, r.DKIM[i].Signature.Domain, r.DKIM[i].Signature.Selector)
	}
	return fmt.Sprint(verdict(r), domains, r.ARC.Sealers(), r.ARCTrusted, r.Queries, r.DMARC.Override)
}

// The case of domain names, wherever they stand, changes nothing.
func TestP11CaseChangesNothing(t *testing.T) {
	g := mailgen.New(t)
	i := 0
	odd := func(s string) string {
		b := []byte(s)
		for j, c := range b {
			if i += 7; 'a' <= c && c <= 'z' && i%3 > 0 {
				b[j] = c - 'a' + 'A'
			}
		}
		return string(b)
	}
	for seed := range uint64(*worlds) {
		want := ofWorld(g.World(seed, mailgen.Options{})).evaluate(t)
		for _, f := range []func(string) string{strings.ToUpper, odd} {
			w := g.World(seed, mailgen.Options{Case: f})
			got := ofWorld(w).evaluate(t)
			require.Equal(t, strings.ToLower(outcome(want)), strings.ToLower(outcome(got)), "%s", w)
			require.Equal(t, want.Queries, got.Queries)
		}
	}
}

// Our field on top of a message gives a message with one field more, which says what we
// say; and it leaves the rest as it was (CMP-06).
func TestP12OurFieldOnTop(t *testing.T) {
	eachWorld(t, mailgen.Options{}, func(c chance) {
		r := c.evaluate(t)
		if len(r.HeaderFields) == 0 {
			require.True(t, slices.ContainsFunc(r.Defects, func(f message.Finding) bool { return f.Defect == message.LeadingSpace }))
			return
		}
		before, err := message.Parse(c.message)
		require.NoError(t, err)
		after, err := message.Parse(append([]byte(r.HeaderFields[0]), c.message...))
		require.NoError(t, err)
		require.Equal(t, before.Header().Len()+1, after.Header().Len())
		for i := range before.Header().Len() {
			require.Equal(t, before.Header().Raw(i), after.Header().Raw(i+1))
		}
		got, err := authres.Parse(after.Header().Field(0).Value())
		require.NoError(t, err)
		require.Equal(t, r.AuthenticationResults().String(), got.String())
		require.Equal(t, 0, authres.Forged(after.Header(), "mx.victim.example")[0])
		for _, b := range []byte(r.HeaderFields[0]) {
			require.True(t, b >= ' ' && b != 0x7f || b == '\r' || b == '\n' || b == '\t', "%q", r.HeaderFields[0])
		}
	})
}

// One input, one result: 50 times, on one processor and on sixteen, answers at once and
// answers that take their time.
func TestP14SameResult(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	g := mailgen.New(t)
	for seed := range uint64(max(1, *worlds/10)) {
		w := ofWorld(g.World(seed, mailgen.Options{}))
		want := pretty(t, w.evaluate(t))
		for _, procs := range []int{1, 16} {
			runtime.GOMAXPROCS(procs)
			for i := range 25 {
				zone := w.zone.Shuffled(uint64(i))
				zone.Delay = time.Duration(i%3) * time.Microsecond
				require.Equal(t, want, pretty(t, w.with(zone).evaluate(t)), "seed %d", seed)
			}
		}
	}
}

// A verdict rests on identifiers that were authenticated, whoever the author is.
func TestP19PassHasAnAlignedIdentifier(t *testing.T) {
	eachWorld(t, mailgen.Options{}, func(c chance) {
		r := c.evaluate(t)
		require.Equal(t, r.DMARC.Status == authres.Pass, len(r.DMARC.PassedBy()) > 0)
		for _, a := range r.DMARC.PassedBy() {
			require.True(t, a.Authenticated() && a.Aligned)
			require.NotEmpty(t, a.Domain())
			switch a.Mechanism() {
			case dmarc.SPF:
				require.Equal(t, authres.Pass, r.SPF.Status)
				require.Equal(t, a.Domain(), strings.ToLower(r.SPF.Domain))
			case dmarc.DKIM:
				require.True(t, slices.ContainsFunc(r.DKIM, func(d dkim.Result) bool { return d.Status == authres.Pass && d.Signature.Domain == a.Domain() }))
			}
		}
	})
}
