package arc

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// A message without ARC fields has no chain and asks nothing.
func TestNone(t *testing.T) {
	z := zone(t)
	r := verify(t, z, b0)
	require.Equal(t, None, r.Status)
	require.NoError(t, r.Err)
	require.Empty(t, r.Sets)
	require.Empty(t, z.Queries())
	var v Verifier
	require.Equal(t, None, v.Verify(context.Background(), read(t, b0)).Status)
	require.NotEqual(t, Pass, Result{}.Status, "the zero value is not a pass")
	h := read(t, b0).Header()
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { v.Start(context.Background(), h) }), 1.0)
}

// What a passing chain says.
func TestPass(t *testing.T) {
	text := sigtest.Seal(ed(), sigtest.Set{Instance: 1, Domain: "lists.example", Selector: "sel",
		Results: `mx.lists.example; dkim=pass header.i=@bank.example; arc=none smtp.remote-ip="2001:db8::1"`}, b0)
	text = sigtest.Seal(kb(t), sigtest.Set{Instance: 2, Domain: "bank.example", Selector: "sel", Results: "\x01"}, text)
	r := verify(t, zone(t), text)
	require.NoError(t, r.Err)
	require.Equal(t, Pass, r.Status)
	require.Equal(t, []string{"bank.example", "lists.example"}, r.Sealers())
	require.Equal(t, 2, r.Instance)
	require.Zero(t, r.OldestPass)
	require.Equal(t, Signature{Domain: "bank.example", Selector: "sel", Algorithm: "rsa-sha256", KeyBits: 2048}, r.Sets[0].Seal)
	require.Equal(t, authres.Pass, r.Sets[0].ChainValidation)
	require.Equal(t, authres.None, r.Sets[1].ChainValidation)
	_, ok := r.Sets[0].Results()
	require.False(t, ok, "unreadable results do not break a chain")
	results, ok := r.Sets[1].Results()
	require.True(t, ok)
	require.Equal(t, "mx.lists.example", results.AuthservID)
	require.Equal(t, "2001:db8::1", r.Sets[1].RemoteIP().String())
	out, err := json.Marshal(r)
	require.NoError(t, err)
	require.JSONEq(t, `{"result":"pass","instance":2,"oldest_pass":0,"sealers":["bank.example","lists.example"],"error":""}`, string(out))
	require.Equal(t, slog.KindGroup, r.LogValue().Kind())
}

// Each older signature is looked at until one fails; no influence on the status.
func TestOldestPass(t *testing.T) {
	z := zone(t)
	text := b0
	for i := 1; i <= 5; i++ {
		if i == 3 || i == 4 {
			text += "footer\r\n"
		}
		text = sigtest.Seal(ed(), sigtest.Set{Instance: i, Domain: "lists.example", Selector: "sel"}, text)
	}
	r := verify(t, z, text)
	require.NoError(t, r.Err)
	require.Equal(t, 4, r.OldestPass)
	require.NoError(t, r.Sets[1].MessageErr)
	require.ErrorIs(t, r.Sets[2].MessageErr, ErrBodyHash)
	require.ErrorIs(t, r.Sets[3].MessageErr, ErrNotExamined)
	v := Verifier{Resolver: z, Now: clock, NoOldestPass: true}
	r = v.Verify(context.Background(), read(t, text))
	require.Equal(t, Pass, r.Status)
	require.Equal(t, 5, r.OldestPass)
	require.ErrorIs(t, r.Sets[1].MessageErr, ErrNotExamined)
}

// A chain of 20 sets with one key a set asks 20 questions, whatever the verifier
// does ahead of need.
func TestQueries(t *testing.T) {
	z, text := zone(t), b0
	for i := 1; i <= 20; i++ {
		d := fmt.Sprintf("d%d.example", i)
		z = z.WithAnswer("sel._domainkey."+d, dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{sigtest.Record(ed())}})
		text = sigtest.Seal(ed(), sigtest.Set{Instance: i, Domain: d, Selector: "sel"}, text)
	}
	r := verify(t, z, text)
	require.NoError(t, r.Err)
	require.Len(t, z.Queries(), 20)
	z.Reset()
	verify(t, z, chainOf(20, b0))
	require.Len(t, z.Queries(), 1)
	z.Reset()
	verify(t, z, text+"changed\r\n")
	require.LessOrEqual(t, len(z.Queries()), 20)
}

// The limits, and one past each.
func TestLimits(t *testing.T) {
	z := zone(t)
	at := func(max, n int) Result {
		v := Verifier{Resolver: z, Now: clock, MaxSets: max}
		return v.Verify(context.Background(), read(t, chainOf(n, b0)))
	}
	for _, c := range []struct {
		max, n int
		want   error
	}{
		{0, 20, nil}, {0, 21, ErrSetLimit}, {-1, 20, nil}, {3, 3, nil}, {3, 4, ErrSetLimit}, {1, 1, nil}, {1, 2, ErrSetLimit},
		{50, 50, nil}, {99, 50, nil}, {99, 51, ErrTooManySets}, {0, 51, ErrTooManySets},
	} {
		r := at(c.max, c.n)
		require.ErrorIs(t, r.Err, c.want, "%+v", c)
		require.Equal(t, c.want == nil, r.Status == Pass)
	}
}

// P10: the order of the ARC fields in the header changes nothing.
func TestP10FieldOrder(t *testing.T) {
	z := zone(t)
	rng := rand.New(rand.NewPCG(1, 2))
	text := chainOf(4, b0)
	for _, text := range []string{text, strings.Replace(text, "t", "T", 40), text + "x\r\n", strings.Replace(text, "i=3", "i=2", 1)} {
		want, err := json.Marshal(verify(t, z, text))
		require.NoError(t, err)
		f := fields(text)
		for range 30 {
			rng.Shuffle(12, func(i, j int) { f[i], f[j] = f[j], f[i] })
			r := verify(t, z, strings.Join(f, "")+"\r\n"+body(text))
			got, err := json.Marshal(r)
			require.NoError(t, err)
			if r.Status == Pass || !strings.Contains(string(want), "Duplicate") && !strings.Contains(string(want), "Incomplete") {
				require.Equal(t, string(want), string(got))
			} else {
				require.Equal(t, Fail, r.Status)
			}
		}
	}
}

// Every octet of the sets counts, up to what the relaxed form lets change.
func TestFlips(t *testing.T) {
	z := zone(t)
	text := chainOf(2, b0)
	end := strings.Index(text, "From:")
	before := verify(t, z, text)
	require.Equal(t, Pass, before.Status)
	for i := 0; i < end; i++ {
		b := []byte(text)
		b[i] ^= 1
		if string(b[i]) == ":" || b[i] == '\n' || b[i] == '\r' {
			continue
		}
		r := verify(t, z, string(b))
		if r.Status != Pass {
			continue
		}
		// White space that became a tab-like octet of the same form, or a field name's
		// case, which no flip of the lowest bit gives.
		t.Errorf("octet %d %q to %q: %s", i, text[i], b[i], r.Status)
	}
}

// Keys are looked up while the body still arrives; no goroutine is left.
func TestStartFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := zone(t)
		z.Delay = 20 * time.Millisecond
		m := read(t, chainOf(3, b0))
		v := Verifier{Resolver: z, Now: clock}
		begin := time.Now()
		vn := v.Start(context.Background(), m.Header())
		require.Equal(t, 1, vn.Queries())
		time.Sleep(time.Second)
		r := vn.Finish(m)
		require.Equal(t, Pass, r.Status)
		require.Equal(t, time.Second, time.Since(begin))
		require.Equal(t, r, vn.Finish(nil), "called again it returns the same")
		vn.Abort()

		vn = v.Start(context.Background(), m.Header())
		vn.Abort()
		r = vn.Finish(m)
		require.Equal(t, Fail, r.Status)
		require.ErrorIs(t, r.Err, ErrAborted)
		s := sealer()
		_, err := s.Seal(m, r, someResults)
		require.ErrorIs(t, err, ErrNotValidated)
	})
}

// Decision 16: DNS trouble is a fail that may pass later, and says so.
func TestTemporary(t *testing.T) {
	z := zone(t).WithFault("sel._domainkey.lists.example", dnsutil.TypeTXT, dnsutil.ErrServFail)
	r := verify(t, z, sigtest.Seal(ed(), sigtest.Set{Instance: 1, Domain: "lists.example", Selector: "sel",
		Results: "mx.lists.example; dmarc=pass header.from=bank.example"}, b0))
	require.Equal(t, Fail, r.Status)
	require.True(t, r.Temporary())
	require.Equal(t, 1, r.FailedInstance)
	require.Equal(t, "ErrKeyUnavailable", r.Code())
	_, ok := r.Sets[0].Results()
	require.False(t, ok)
	all := func(string) bool { return true }
	require.Equal(t, Vouching{Trusted: 1, Uncertain: true}, r.Vouch("bank.example", all, nil))
	require.Equal(t, Vouching{Trusted: 1}, r.Vouch("other.example", all, nil))
	require.Zero(t, r.Vouch("bank.example", func(string) bool { return false }, nil))
	require.Zero(t, r.Vouch("bank.example", nil, nil))
	require.Zero(t, r.Vouch("", all, nil))
	r = verify(t, nil, chainOf(1, b0))
	require.ErrorIs(t, r.Err, ErrNoResolver)
	require.True(t, r.Temporary())
}

// Who vouches for whom.
func TestVouch(t *testing.T) {
	z := zone(t)
	all := func(string) bool { return true }
	aligned := func(status authres.Status) func(string, string) authres.Status {
		return func(method, domain string) authres.Status {
			if strings.HasSuffix("."+domain, ".bank.example") {
				return status
			}
			return authres.Fail
		}
	}
	for _, c := range []struct {
		results string
		aligned func(string, string) authres.Status
		want    Vouching
	}{
		{"mx; dmarc=pass header.from=bank.example", nil, Vouching{Instance: 1, Trusted: 1}},
		{"mx; dmarc=pass header.from=BANK.example", nil, Vouching{Instance: 1, Trusted: 1}},
		{"mx; dmarc=pass header.from=mail.bank.example", nil, Vouching{Trusted: 1}},
		{"mx; dmarc=pass", nil, Vouching{Trusted: 1}},
		{"mx; dmarc=fail header.from=bank.example", nil, Vouching{Trusted: 1}},
		{"mx; dmarc/2=pass header.from=bank.example", nil, Vouching{Trusted: 1}},
		{`mx; dmarc=fail reason="dmarc=pass header.from=bank.example"`, nil, Vouching{Trusted: 1}},
		{"mx; dkim=pass header.d=mail.bank.example", aligned(authres.Pass), Vouching{Instance: 1, Trusted: 1}},
		{"mx; dkim=pass header.i=@mail.bank.example", aligned(authres.Pass), Vouching{Instance: 1, Trusted: 1}},
		{"mx; dkim=fail header.d=bank.example", aligned(authres.Pass), Vouching{Trusted: 1}},
		{"mx; dkim=pass header.d=bank.example", aligned(authres.TempError), Vouching{Trusted: 1, Uncertain: true}},
		{"mx; dkim=pass header.d=bank.example", nil, Vouching{Trusted: 1}},
		{"mx; spf=pass smtp.mailfrom=x@bank.example", aligned(authres.Pass), Vouching{Instance: 1, Trusted: 1}},
		{"mx; spf=pass smtp.helo=bank.example", aligned(authres.Pass), Vouching{Trusted: 1}},
		{"mx; spf=pass smtp.mailfrom=attack.example; dkim=pass header.d=attack.example", aligned(authres.Pass), Vouching{Trusted: 1}},
	} {
		r := verify(t, z, sigtest.Seal(ed(), sigtest.Set{Instance: 1, Domain: "lists.example", Selector: "sel", Results: c.results}, b0))
		require.NoError(t, r.Err)
		require.Equal(t, c.want, r.Vouch("bank.example", all, c.aligned), c.results)
	}
}

// Every error has a name.
func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range names {
		require.Equal(t, n.code, n.err.Code())
		require.False(t, seen[n.code])
		seen[n.code] = true
		require.NotEmpty(t, n.err.Error())
	}
	require.Empty(t, Error("other").Code())
}

// TestCovers: only a chain that passes covers anything, the newest signature counts,
// and of several instances of a field those from the bottom up.
func TestCovers(t *testing.T) {
	extra := "BIMI-Selector: v=BIMI1; s=a\r\n"
	set := attack(1)
	set.AMS = strings.Replace(sigtest.AMS, "h=from:", "h=bimi-selector:from:", 1)
	text := sigtest.Seal(ka(t), set, extra+b0)
	covered := func(text string, field int) bool {
		r := verify(t, zone(t), text)
		require.False(t, r.Covers(-1))
		require.False(t, r.Covers(1<<20))
		return r.Covers(field)
	}
	require.True(t, covered(text, 3), "below the set of three")
	require.True(t, covered(extra+text, 4), "one on top changes nothing")
	require.False(t, covered(extra+text, 0), "nor is it covered itself")
	require.False(t, covered(text, 8), "MIME-Version is not in h=")
	require.False(t, covered(text+"x", 3), "a chain that fails")
	require.False(t, covered(extra+b0, 0), "no chain")
	require.False(t, covered(sigtest.Seal(ka(t), attack(2), text), 6), "only the first of two signatures has it")
	var zero Result
	require.False(t, zero.Covers(0))
}
