package spf

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

func TestResult(t *testing.T) {
	z := dnstest.MustParse(`
v.example. TXT "v=spf1 a:none.example -ip4:192.0.2.1 include:w.example -all"
w.example. TXT "v=spf1 ?ip4:192.0.2.2 include:x.example -all"
x.example. TXT "v=spf1 redirect=y.example"
y.example. TXT "v=spf1 ip4:192.0.2.0/24 -all"
`)
	r := (&Verifier{Resolver: z}).MailFrom(t.Context(), session("192.0.2.9"))
	require.Equal(t, Pass, r.Status)
	require.NoError(t, r.Err)
	require.Equal(t, MailFrom, r.Identity)
	require.Equal(t, "v.example", r.Domain)
	require.Equal(t, Match{"v.example", "include:w.example"}, r.Match)
	require.Equal(t, Match{"y.example", "ip4:192.0.2.0/24"}, r.Innermost)
	require.Equal(t, "v=spf1 a:none.example -ip4:192.0.2.1 include:w.example -all", r.Record)
	require.Equal(t, []Published{
		{"w.example", "v=spf1 ?ip4:192.0.2.2 include:x.example -all"},
		{"x.example", "v=spf1 redirect=y.example"},
		{"y.example", "v=spf1 ip4:192.0.2.0/24 -all"},
	}, r.Others)
	require.Equal(t, 4, r.Lookups)
	require.Equal(t, 1, r.VoidLookups)
	require.Equal(t, 5, r.Queries)
	require.Equal(t, Breadth{IPv4: 256}, r.Breadth)

	r = (&Verifier{Resolver: z}).MailFrom(t.Context(), session("192.0.2.2"))
	require.Equal(t, Fail, r.Status, "a neutral include is no match")
	require.Equal(t, Match{"v.example", "-all"}, r.Match)
	require.Equal(t, r.Match, r.Innermost)
}

func TestBreadth(t *testing.T) {
	for record, want := range map[string]Breadth{
		"v=spf1 -all":                {},
		"v=spf1 +all":                {All: true},
		"v=spf1 ?all":                {},
		"v=spf1 -all +all":           {},
		"v=spf1 ip4:10.0.0.0/8 -all": {IPv4: 1 << 24},
		"v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 ip4:10.0.0.0/8 -all":        {IPv4: 1 << 32},
		"v=spf1 ~ip4:10.0.0.0/8 -ip4:11.0.0.0/8 ?ip4:12.0.0.0/8 -all":     {},
		"v=spf1 -all ip4:10.0.0.0/8":                                      {},
		"v=spf1 ip6:2001:db8::/32 ip6:2001:db8::/64 ip6:2001:db8::1 -all": {IPv6: 1<<32 + 2},
		"v=spf1 ip6:::/0 ip6:2001:db8::/32 -all":                          {IPv6: 1<<64 - 1},
		"v=spf1 a/24 a:h.example -all":                                    {IPv4: 256 + 2},
		"v=spf1 -a/24 -all":                                               {},
		"v=spf1 mx/25 -all":                                               {IPv4: 128},
		"v=spf1 include:all.example -all":                                 {All: true},
		"v=spf1 -include:all.example -all":                                {},
		"v=spf1 -include:a.example redirect=all.example":                  {All: true},
		"v=spf1 include:a.example -all":                                   {IPv4: 1},
	} {
		t.Run(record, func(t *testing.T) {
			z := dnstest.MustParse("v.example. TXT \"" + record + "\"\n" + `
v.example.   A  198.51.100.1
v.example.   MX 10 v.example.
h.example.   A  203.0.113.1
h.example.   A  203.0.113.2
all.example. TXT "v=spf1 +all"
a.example.   TXT "v=spf1 ip4:203.0.113.7 -ip4:10.0.0.0/8 -all"
`)
			r := (&Verifier{Resolver: z}).MailFrom(t.Context(), session("192.0.2.9"))
			require.Equal(t, want, r.Breadth, "%v", r.Err)
		})
	}
}

func TestFairVoids(t *testing.T) {
	zone := `
v.example.  TXT  "v=spf1 a:h1.example a:h2.example mx:m.example a:h3.example ip6:2001:db8::9 -all"
h1.example. A    192.0.2.1
h2.example. A    192.0.2.2
h3.example. A    192.0.2.3
m.example.  MX   10 h4.example.
h4.example. A    192.0.2.4
u.example.  TXT  "v=spf1 a:h1.example a:n1.example a:n2.example a:n3.example +all"
n3.example. TXT  x
`
	s := session("2001:db8::9")
	z := dnstest.MustParse(zone)
	r := (&Verifier{Resolver: z, NoPrefetch: true}).MailFrom(t.Context(), s)
	require.ErrorIs(t, r.Err, ErrVoidLookups)

	z = dnstest.MustParse(zone)
	r = (&Verifier{Resolver: z, NoPrefetch: true, FairVoids: true}).MailFrom(t.Context(), s)
	require.Equal(t, Pass, r.Status, "%v", r.Err)
	require.Equal(t, 2, r.VoidLookups)
	// The other family is asked only where the limit would be exceeded: for two of four.
	require.NotContains(t, z.Queries(), "A h3.example.")
	require.Contains(t, z.Queries(), "A h1.example.")

	// A name that does not exist, or has no address at all, stays void.
	s.MailFrom = "a@u.example"
	r = (&Verifier{Resolver: dnstest.MustParse(zone), FairVoids: true}).MailFrom(t.Context(), s)
	require.ErrorIs(t, r.Err, ErrVoidLookups)
}

func TestCheckHost(t *testing.T) {
	z := dnstest.MustParse(`
v.example. TXT "v=spf1 exists:%{l}.%{o}.%{h}.x.example -all"
a.other.example.mx.h.example.x.example. A 127.0.0.2
postmaster.v.example.mx.h.example.x.example. A 127.0.0.2
`)
	v := &Verifier{Resolver: z}
	s := session("192.0.2.9")
	r := v.CheckHost(t.Context(), s, "v.example", "a@other.example")
	require.Equal(t, Pass, r.Status, "%v", r.Err)
	require.Empty(t, r.Identity)
	r = v.CheckHost(t.Context(), s, "v.example", "")
	require.Equal(t, Pass, r.Status, "%v", r.Err)
	r = v.CheckHost(t.Context(), s, "v.example", "b@other.example")
	require.Equal(t, Fail, r.Status, "%v", r.Err)
	r = v.CheckHost(t.Context(), s, "example", "b@other.example")
	require.ErrorIs(t, r.Err, ErrDomain)
	r = v.CheckHost(t.Context(), s, "v.example", "a\n@x")
	require.ErrorIs(t, r.Err, ErrSender)
}

func TestAuthenticationResult(t *testing.T) {
	z := dnstest.MustParse(`
v.example. TXT "v=spf1 a -all"
l.example. TXT "v=spf1 a:%{d} redirect=m.example"
m.example. TXT "v=spf1 exists:%{l}.%{d} -all"
n.example. TXT "v=spf1 -all exists:%{l}.%{d}"
v.example. A   192.0.2.8
l.example. A   192.0.2.8
`)
	v := &Verifier{Resolver: z}
	for from, want := range map[string]string{
		"a@v.example":         "v.example",
		"A.b@L.example":       "A.b@l.example",
		`"a; x=y"@l.example`:  "l.example",
		"a\xff@l.example":     "l.example",
		"a@n.example":         "n.example",
		"a@[192.0.2.1]":       "",
		"a@nowhere.example":   "nowhere.example",
		"a\r\nX: y@v.example": "",
		"":                    "mx.h.example",
	} {
		s := session("192.0.2.9")
		s.MailFrom = from
		ptype, property, value := v.MailFrom(t.Context(), s).AuthenticationResult()
		require.Equal(t, []string{"smtp", "mailfrom", want}, []string{ptype, property, value}, "%q", from)
	}
	_, property, value := v.HELO(t.Context(), session("192.0.2.9")).AuthenticationResult()
	require.Equal(t, []string{"helo", "mx.h.example"}, []string{property, value})
}

func TestSMTPReply(t *testing.T) {
	for status, want := range map[authres.Status]string{
		Fail: "5.7.23", TempError: "4.7.24", PermError: "5.7.24", Pass: "", None: "", Neutral: "", SoftFail: "", "": "",
	} {
		code, enhanced, text := Result{Status: status}.SMTPReply()
		require.Equal(t, want, enhanced)
		require.Equal(t, want == "", text == "")
		require.Equal(t, want != "" && want[0] == '4', code == 451)
		require.Equal(t, want != "" && want[0] == '5', code == 550)
	}
}

// The clock is asked for %{t} alone, and is the one given.
func TestClock(t *testing.T) {
	z := dnstest.MustParse("v.example. TXT \"v=spf1 -all exp=e.example\"\ne.example. TXT \"at %{t} by %{r}\"\n")
	s := session("192.0.2.9")
	s.Receiver = "mx.example.org"
	v := &Verifier{Resolver: z, Now: func() time.Time { return time.Unix(1234567890, 5) }}
	require.Equal(t, "at 1234567890 by mx.example.org", v.MailFrom(t.Context(), s).Explanation)
}

// The data that the doctests of pyspf run on, with questions of our own.
func TestPySPFDocTestZone(t *testing.T) {
	s := readZone(t, "doctest.yml")
	v := &Verifier{Resolver: s.zone(t)}
	n := 0
	for _, c := range []struct{ ip, domain, want, mechanism string }{
		{"72.81.252.18", "controlledmail.com", "pass", "ip4:72.81.252.18"},
		{"2607:f0d0:3001:aa::2", "controlledmail.com", "pass", "ip6:2607:f0d0:3001:00aa:0000:0000:0000:0002"},
		{"192.0.2.1", "controlledmail.com", "fail", "-all"},
		{"66.39.138.46", "kitterman.com", "pass", "ip4:66.39.138.46"},
		{"192.0.2.1", "parallel.kitterman.org", "permerror", ""}, // includes a domain without a record
		{"192.0.2.225", "a.example.org", "none", ""},             // its record is of type SPF, beside TXT records that are none
		{"192.0.2.225", "parallel.example.org", "permerror", ""},
		{"66.39.3.5", "webmail.pair.com", "pass", "ip4:66.39.3.0/24"},
		{"66.39.4.5", "webmail.pair.com", "neutral", ""},
		{"192.0.2.131", "relay.pair.com", "pass", "a"},
		{"192.0.32.10", "example.net", "none", ""},
	} {
		n++
		r := v.MailFrom(t.Context(), Session{IP: netip.MustParseAddr(c.ip), MailFrom: "a@" + c.domain})
		require.Equal(t, c.want, string(r.Status), "%s at %s: %v", c.ip, c.domain, r.Err)
		require.Equal(t, c.mechanism, r.Match.Mechanism)
	}
	require.Equal(t, 11, n)
}

func TestErrorText(t *testing.T) {
	z := dnstest.MustParse("v.example. TXT \"v=spf1 include:w.example -all\"\nw.example. TXT \"v=spf1 foo:bar\"\n")
	r := (&Verifier{Resolver: z}).MailFrom(t.Context(), session("192.0.2.9"))
	require.EqualError(t, r.Err, `unknown mechanism or malformed term: "foo:bar" in the record of w.example`)
	require.True(t, strings.HasPrefix(ErrMechanism.Section(), "RFC 7208, section 4.6.1"))
}

func TestJSON(t *testing.T) {
	z := dnstest.MustParse("v.example. TXT \"v=spf1 a -all exp=e.example\"\ne.example. TXT no\nw.example. TXT \"v=spf1 ip4:192.0.2.9\"\n")
	v := &Verifier{Resolver: z}
	r := v.MailFrom(t.Context(), session("192.0.2.9"))
	b, err := json.Marshal(r)
	require.NoError(t, err)
	require.Equal(t, `{"result":"fail","identity":"mailfrom","domain":"v.example","mechanism":"-all","explanation":"no","lookups":1,"void_lookups":1,"code":"ErrFail","error":"client is not authorized"}`, string(b))
	require.Equal(t, "[result=fail identity=mailfrom domain=v.example mechanism=-all lookups=1 void_lookups=1 code=ErrFail error=client is not authorized]", r.LogValue().String())
	s := session("192.0.2.9")
	s.HELO = "w.example"
	b, err = json.Marshal(v.HELO(t.Context(), s))
	require.NoError(t, err)
	require.Equal(t, `{"result":"pass","identity":"helo","domain":"w.example","mechanism":"ip4:192.0.2.9","lookups":0,"void_lookups":0,"error":""}`, string(b))
	b, err = json.Marshal(Result{})
	require.NoError(t, err)
	require.Equal(t, `{"result":"","lookups":0,"void_lookups":0,"error":""}`, string(b))
	require.Equal(t, "result=unevaluated", Result{}.LogValue().Group()[0].String())
}
