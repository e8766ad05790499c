package spf

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// FuzzParseRecord is F9: what parses prints back to the same, and what is
// accepted holds nothing but printable ASCII.
func FuzzParseRecord(f *testing.F) {
	a := alphabet.SPF()
	for _, s := range testcase.Excerpts("v=spf1", "spf", "*", "*.yml") {
		a.Seed(f.Add, s)
	}
	for _, s := range []string{
		"v=spf1", "v=spf1 +mx a:colo.example.com/28 -all", "V=SPF1 ~all", "v=spf10", "v=spf1\t+all",
		"v=spf1 ip4:192.0.2.9/024", "v=spf1 ip6:::ffff:192.0.2.9/96", "v=spf1 ip6:fe80::1%eth0", "v=spf1 a:%{d}/24//64 mx//128",
		"v=spf1 exists:%{d99999999999999999999}.x.example", "v=spf1 redirect=%{l1r+-}._spf.%{d} exp=e.example", "v=spf1 x=%{c} y.z-_=",
		"v=spf1 a:foo:bar/baz.example.com", "v=spf1 a:museum", "v=spf1 a:%%%_%-", "v=spf1 include:", "v=spf1 ptr/24", "v=spf1 a:.com.",
		"v=spf1 ip4:192.0.02.9", "v=spf1 ip4:3221225993", "v=spf1 foo:bar +all", "v=spf1 redirect=a.example redirect=b.example", "v=spf1 a:\u00e9.example", "v=spf1 ip4:192.0.2.9\x00 -all", "v=spf1" + strings.Repeat(" a", 501),
	} {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		s := a.Text(data, folded)
		r, err := ParseRecord(s)
		if err != nil {
			require.Empty(t, r)
			require.NotEmpty(t, rootOf(err).Code())
			require.Equal(t, PermError, rootOf(err).status())
			return
		}
		require.LessOrEqual(t, len(s), maxRecord)
		require.LessOrEqual(t, len(r.Terms()), maxTerms)
		require.True(t, isPrintable(s))
		canonical := r.String()
		again, err := ParseRecord(canonical)
		require.NoError(t, err, "%q of %q", canonical, s)
		require.Equal(t, canonical, again.String())
		require.Len(t, again.Terms(), len(r.Terms()))
		for i, x := range r.Terms() {
			y := again.Terms()[i]
			x.Text, y.Text = "", ""
			require.Equal(t, x.Network, y.Network)
			x.DomainSpec, y.DomainSpec = strings.ToLower(x.DomainSpec), strings.ToLower(y.DomainSpec)
			require.Equal(t, x, y)
		}
	})
}

// FuzzExpand is F10: no name leaves that is not legal, and lengths are capped.
func FuzzExpand(f *testing.F) {
	a := alphabet.Macro()
	for _, s := range []string{"%{d}", "%{ir}.%{v}._spf.%{d2}", "%{lr-}.lp._spf.%{d2}", "%{s}", "%{S}", "%{L}", "%{h}", "%{i}%{i}%{i}", "%{p}.x", "%%%_%-", "%{d128r.-+,/_=}", "%{d129}", "%{", "%"} {
		a.Seed(f.Add, s, "strong-bad", "mx.example.org", true)
		a.Seed(f.Add, s, "\xff..", "[192.0.2.9]", false)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool, local, helo string, v6 bool) {
		spec := a.Text(data, folded)
		ip := netip.MustParseAddr("192.0.2.3")
		if v6 {
			ip = netip.MustParseAddr("2001:db8::cb01")
		}
		id := newIdentity(Session{IP: ip, HELO: helo}, local, "email.example.com")
		d, _ := domain.ParseQuery("email.example.com")
		v := values{domain: d, validated: func() string { return "mx.example.org" }}
		if n, err := id.target(spec, &v); err == nil {
			require.LessOrEqual(t, len(n.String()), maxName)
			_, err := domain.ParseQuery(n.String())
			require.NoError(t, err)
		} else {
			require.True(t, n.IsZero())
		}
		v.now = func() int64 { return 1 }
		b, err := id.expand(nil, spec, &v, maxExplanation)
		if err == nil {
			require.LessOrEqual(t, len(b), maxExplanation)
		}
	})
}

// FuzzEvaluate is F11: over zones of eight names full of terms about each other
// a check ends, keeps its limits and says what the reference says.
func FuzzEvaluate(f *testing.F) {
	f.Add([]byte("seed"), false, false)
	f.Add([]byte{}, true, true)
	f.Add([]byte(strings.Repeat("\x00\x07\x33", 200)), true, false)
	for seed := range uint64(20) {
		random := rand.NewPCG(seed, 7)
		b := make([]byte, 160)
		for i := range b {
			b[i] = byte(random.Uint64())
		}
		f.Add(b, seed%2 == 0, seed%3 == 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, v6, fair bool) {
		i := 0
		z := zoneFrom(func(n int) int {
			if i >= len(data) {
				return 0
			}
			i++
			return int(data[i-1]) % n
		})
		ip := "192.0.2.9"
		if v6 {
			ip = "2001:db8::9"
		}
		compareWithReference(t, z, &direct{zone: z}, ip, fair, 2)
	})
}

// FuzzSession: whatever client and sender say, the answer is typed, and the
// fields that tell of it are well-formed.
func FuzzSession(f *testing.F) {
	for _, s := range []string{
		"a@v.example", "", "@v.example", "<>", `"a@b"@v.example`, `"`, "(any@bank.example", "@bank.example,@any.com:'any@attack.example",
		"@a.example:b@v.example", "a@[192.0.2.9]", "a@v.example.", "a@b@c", "\xff@v.example", "a\r\nb@v.example", "a@V.EXAMPLE",
	} {
		f.Add(s, "mx.h.example", "mx.example.org")
		f.Add("", s, s)
	}
	z := randomZone(1).resolver()
	f.Fuzz(func(t *testing.T, from, helo, receiver string) {
		s := Session{IP: netip.MustParseAddr("192.0.2.9"), HELO: helo, MailFrom: from, Receiver: receiver}
		v := &Verifier{Resolver: z}
		for _, r := range []Result{v.MailFrom(t.Context(), s), v.HELO(t.Context(), s)} {
			require.NotEmpty(t, r.Status)
			require.Equal(t, r.Status == Pass, r.Err == nil)
			checkField(t, r.ReceivedSPF())
			_, _, value := r.AuthenticationResult()
			require.True(t, isPrintable(value))
			if r.Err != nil {
				require.True(t, isPrintable(r.Err.Error()), "%q", r.Err.Error())
			}
			if r.Domain != "" {
				_, err := domain.Parse(r.Domain)
				require.NoError(t, err)
			}
		}
	})
}
