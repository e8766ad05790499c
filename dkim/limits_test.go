package dkim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

func count(results []Result, err error) int {
	n := 0
	for _, r := range results {
		if errors.Is(r.Err, err) {
			n++
		}
	}
	return n
}

// Row DKS-21a: many signatures.
func TestTooManySignatures(t *testing.T) {
	w := newWorld(t)
	goodField := sigtest.Field(w.kb, "DKIM-Signature", t0, b0)
	bad := func(d string) string {
		return sigtest.Field(w.ka, "DKIM-Signature", with(t0, "d="+d, "s=s"+d), b0)
	}
	junk := "DKIM-Signature: v=1; d=bank.example; nonsense\r\n"

	t.Run("DKS-21a", func(t *testing.T) {
		results, asked := w.verify(t, Verifier{}, strings.Repeat(strings.Replace(goodField, "s=sel", "s=other", 1), 200)+goodField+b0)
		require.Len(t, results, 64)
		require.Equal(t, 201, results[0].Total)
		require.Equal(t, 64-8, count(results, ErrNotExamined))
		require.Len(t, asked, 1)
		for _, r := range results[8:] {
			require.Equal(t, Policy, r.Status)
			require.Equal(t, "bank.example", r.Signature.Domain)
		}
	})
	t.Run("DKS-21b queries", func(t *testing.T) {
		var all strings.Builder
		for i := range 60 {
			all.WriteString(bad(fmt.Sprintf("d%d.example", i)))
		}
		_, asked := w.verify(t, Verifier{}, all.String()+b0)
		require.Len(t, asked, 8)
		_, asked = w.verify(t, Verifier{MaxSignatures: 20}, all.String()+b0)
		require.Len(t, asked, 20)
		results, _ := w.verify(t, Verifier{MaxSignatures: 1000}, all.String()+b0)
		require.Zero(t, count(results, ErrNotExamined))
	})
	// The signature of the author's domain is examined wherever it stands.
	for name, above := range map[string]string{
		"other domains": strings.Repeat(bad("attack.example"), 20),
		"malformed":     strings.Repeat(junk, 60),
		"expired":       strings.Repeat(sigtest.Field(w.ka, "DKIM-Signature", with(t0, "x=1"), b0), 20),
	} {
		t.Run("DKS-21c "+name, func(t *testing.T) {
			results, _ := w.verify(t, Verifier{}, above+goodField+b0)
			require.Equal(t, Pass, results[len(results)-1].Status)
			require.Equal(t, len(results)-8, count(results, ErrNotExamined))
		})
	}
	t.Run("related domains come first", func(t *testing.T) {
		w.zone["s1._domainkey.mail.bank.example"] = []string{sigtest.Record(w.kb)}
		below := sigtest.Field(w.kb, "DKIM-Signature", with(t0, "d=mail.bank.example", "s=s1"), b0)
		results, _ := w.verify(t, Verifier{MaxSignatures: 1}, bad("attack.example")+below+b0)
		require.Equal(t, Pass, results[1].Status)
		require.ErrorIs(t, results[0].Err, ErrNotExamined)
		// d= above the author's domain.
		m := strings.Replace(b0, "ceo@bank", "ceo@dept.bank", 1)
		above := sigtest.Field(w.kb, "DKIM-Signature", t0, m)
		results, _ = w.verify(t, Verifier{MaxSignatures: 1}, bad("attack.example")+above+m)
		require.Equal(t, Pass, results[1].Status)
	})
	t.Run("at the limit", func(t *testing.T) {
		results, _ := w.verify(t, Verifier{}, strings.Repeat(goodField, 8)+b0)
		require.Zero(t, count(results, ErrNotExamined))
		results, _ = w.verify(t, Verifier{}, strings.Repeat(goodField, 9)+b0)
		require.Equal(t, 1, count(results, ErrNotExamined))
		require.Len(t, results, 9)
		results, _ = w.verify(t, Verifier{}, strings.Repeat(goodField, 64)+b0)
		require.Len(t, results, 64)
		results, _ = w.verify(t, Verifier{}, strings.Repeat(goodField, 65)+b0)
		require.Len(t, results, 64)
		require.Equal(t, 65, results[0].Total)
	})
}

// Every other limit at its value and one past it.
func TestLimits(t *testing.T) {
	kb := newWorld(t).kb
	rec := sigtest.Record(kb)
	names := func(n int) string { return "h=from" + strings.Repeat(":x", n-1) }
	tags := func(n int) string {
		var b strings.Builder
		for i := range n - 8 {
			fmt.Fprintf(&b, "n%d=; ", i)
		}
		return b.String() + t0
	}
	field := func(n int) string {
		// The value begins with the blank after the colon.
		fixed := len(" ") + len(strings.NewReplacer("{bh}", strings.Repeat("x", 44), "{b}", strings.Repeat("x", 344)).Replace(t0)) + len("; nn=")
		return t0 + "; nn=" + strings.Repeat("x", n-fixed)
	}
	note := func(n int) string { return rec + "; n=" + strings.Repeat("x", n-len(rec)-len("; n=")) }
	at := func(d time.Duration) Verifier {
		return Verifier{Now: func() time.Time { return time.Unix(1800000000, 0).Add(d) }}
	}
	grace := at(10*time.Second + 999*time.Millisecond)
	grace.Grace = 10 * time.Second
	overGrace := at(11 * time.Second)
	overGrace.Grace = 10 * time.Second
	expires := with(t0, "t=1700000000", "x=1800000000")
	signedAt := with(t0, "t=1800000000")
	runMatrix(t, []matrix{
		{id: "names-256", tags: with(t0, names(sig.MaxNames)), status: Pass, asks: 1},
		{id: "names-257", tags: with(t0, names(sig.MaxNames+1)), status: PermError, err: ErrHeaderNames},
		{id: "tags-64", tags: tags(64), status: Pass, asks: 1},
		{id: "tags-65", tags: tags(65), status: PermError, err: ErrTagList},
		{id: "field-16K", tags: field(sig.MaxField), status: Pass, asks: 1},
		{id: "field-16K+1", tags: field(sig.MaxField + 1), status: PermError, err: ErrTagList},
		{id: "record-8K", zone: keyIs(note(sig.MaxRecord)), status: Pass, asks: 1},
		{id: "record-8K+1", zone: keyIs(note(sig.MaxRecord + 1)), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "copied-256", tags: with(t0, "z=a:b"+strings.Repeat("|a:b", 255)), status: Pass, asks: 1},
		{id: "copied-257", tags: with(t0, "z=a:b"+strings.Repeat("|a:b", 256)), status: PermError, err: ErrCopiedFields},
		{id: "time-12", tags: with(t0, "x=999999999999"), status: Pass, asks: 1},
		{id: "time-13", tags: with(t0, "x=1000000000000"), status: PermError, err: ErrTime},
		{id: "ahead-1h", tags: signedAt, v: at(-time.Hour), status: Pass, asks: 1},
		{id: "ahead-1h+1s", tags: signedAt, v: at(-time.Hour - time.Second), status: PermError, err: ErrFuture},
		{id: "expires-now", tags: expires, v: at(999 * time.Millisecond), status: Pass, asks: 1},
		{id: "expires-1s-ago", tags: expires, v: at(time.Second), status: PermError, err: ErrExpired},
		{id: "grace", tags: expires, v: grace, status: Pass, asks: 1},
		{id: "grace-over", tags: expires, v: overGrace, status: PermError, err: ErrExpired},
		{id: "x-one-after-t", tags: with(t0, "t=1800000000", "x=1800000001"), v: at(0), status: Pass, asks: 1},
		{id: "selector-63", tags: with(t0, "s="+strings.Repeat("a", 63)), zone: zone{strings.Repeat("a", 63) + "._domainkey.bank.example": {rec}}, status: Pass, asks: 1},
	})
}

// p= at 4,096 characters is judged as a key, one more is not looked at.
func TestKeyTextLimit(t *testing.T) {
	_, err := ParseRecord("p=" + strings.Repeat("AAAA", sig.MaxKeyText/4))
	require.ErrorContains(t, err, "not an RSA public key")
	_, err = ParseRecord("p=" + strings.Repeat("A", sig.MaxKeyText+1))
	require.ErrorContains(t, err, "longer than")
}

// A key that only SHA-1 may use is none that a zero Verifier would use.
func TestParseRecordHashes(t *testing.T) {
	rec := sigtest.Record(sigtest.Ed25519())
	for h, want := range map[string]error{"sha256": nil, "sha1:sha256": nil, "x:sha256": nil, "sha1": ErrKeyHash, "x": ErrKeyHash} {
		r, err := ParseRecord(rec + "; h=" + h)
		require.ErrorIs(t, err, want, h)
		require.Equal(t, err != nil, r.Key == nil)
	}
}

func TestNilResolver(t *testing.T) {
	w := newWorld(t)
	results := (&Verifier{Now: clock}).Verify(context.Background(), parse(t, sigtest.Sign(w.kb, t0, b0)))
	require.Equal(t, TempError, results[0].Status)
	require.ErrorIs(t, results[0].Err, ErrNoResolver)
	require.ErrorIs(t, results[0].Err, dnsutil.ErrNoResolver)
	require.Equal(t, "ErrNoResolver", results[0].Code())
}

func TestNoSignature(t *testing.T) {
	v := Verifier{Now: func() time.Time { t.Fatal("no clock is needed"); return time.Time{} }}
	require.Empty(t, v.Verify(context.Background(), parse(t, b0)))
	require.Empty(t, v.Verify(context.Background(), parse(t, "")))
	vn := v.Start(context.Background(), parse(t, b0).Header())
	vn.Abort()
	require.Empty(t, vn.Finish(nil))
}

func TestNoBodyDigest(t *testing.T) {
	w := newWorld(t)
	text := sigtest.Sign(w.kb, with(t0, "a=rsa-sha1"), b0)
	m, err := message.Parse([]byte(text)) // without AllowSHA1
	require.NoError(t, err)
	v := Verifier{Resolver: w.zone.resolver(t), Now: clock, AllowSHA1: true}
	results := v.Verify(context.Background(), m)
	require.ErrorIs(t, results[0].Err, ErrNoBodyDigest)
	require.Equal(t, PermError, results[0].Status)

	vn := v.Start(context.Background(), m.Header())
	results = vn.Finish(nil)
	require.ErrorIs(t, results[0].Err, ErrNoBodyDigest)
}

func TestBudget(t *testing.T) {
	w := newWorld(t)
	v := Verifier{Now: clock, Resolver: dnsutil.ResolverFunc(func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) {
		return dnsutil.Answer{}, fmt.Errorf("out: %w", dnsutil.ErrBudget)
	})}
	results := v.Verify(context.Background(), parse(t, sigtest.Sign(w.kb, t0, b0)))
	require.Equal(t, PermError, results[0].Status)
	require.ErrorIs(t, results[0].Err, ErrBudget)
	require.Equal(t, "ErrBudget", results[0].Code())
}

func TestPanickingResolver(t *testing.T) {
	w := newWorld(t)
	v := Verifier{Now: clock, Resolver: dnsutil.ResolverFunc(func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) { panic("resolver") })}
	results := v.Verify(context.Background(), parse(t, sigtest.Sign(w.kb, t0, b0)))
	require.Equal(t, TempError, results[0].Status)
	require.ErrorIs(t, results[0].Err, ErrKeyUnavailable)
	require.ErrorIs(t, results[0].Err, dnsutil.ErrPanic)
}

// TestLargeKeysDoNotStarve: junk signatures whose key records are as large as the
// DNS carries them use up no budget before the author's own signature had its turn.
func TestLargeKeysDoNotStarve(t *testing.T) {
	w := newWorld(t)
	msg := sigtest.Sign(w.kb, t0, b0)
	for i := range 7 {
		d := fmt.Sprintf("j%d.attack.example", i)
		w.zone["sel._domainkey."+d] = []string{"v=DKIM1; n=" + strings.Repeat("x", 60<<10) + "; p="}
		msg = sigtest.Field(w.ka, "DKIM-Signature", with(t0, "d="+d), msg) + msg
	}
	r, _ := w.verify(t, Verifier{}, msg)
	require.Len(t, r, 8)
	require.Equal(t, Pass, r[7].Status, "%v", r[7].Err)
	require.ErrorIs(t, r[6].Err, ErrBudget)
}
