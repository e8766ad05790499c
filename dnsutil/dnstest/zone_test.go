package dnstest_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

const textZone = `
$TTL 600
$ORIGIN example.com.
@          3600 SOA ns. hostmaster. 1 2 3 4 300
@               TXT "v=spf1 " "mx -all"
@           60  TXT "other \"quoted\" \\ \255"
@               MX 10 Mail
mail            A 192.0.2.1
                AAAA 2001:db8::1
alias           CNAME mail
away            CNAME nowhere.example.
*.wild          TXT "synthesised"
deep.wild       A 192.0.2.2
a.b.c           A 192.0.2.3
o'brien         TXT "apostrophe"
b\032blank       TXT "blank"
loop            CNAME loop2
loop2           CNAME loop
1.2.0.192.in-addr.arpa. PTR Mail
srv             NS ns.
caa             CAA 0 issue ";"
caa         90  CAA 128 issueVMC "ca.example; a=\"\\\" \255"
`

const jsonZone = `{
"Example.com": {"TXT": [["v=spf1 ", "mx -all"], [{"b64": "/wA="}, "x"]], "MX": [[10, "Mail.example.com"]]},
"mail.example.com": {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"], "TXT_rcode": "servfail", "MX_rcode": "nxdomain", "PTR_rcode": "nodata"},
"alias.example.com": {"CNAME": "mail.example.com"},
"loop.example.com": {"CNAME": "loop.example.com"},
"down.example.com": {"error": "timeout", "A": ["192.0.2.1"]},
"gone.example.com": {"error": "nxdomain"},
"a.b.example.com": {},
"caa.example.com": {"CAA": [[0, "issue", ";"], [128, "issueVMC", {"b64": "/wA="}]], "A_rcode": "nodata"},
"1.2.0.192.in-addr.arpa": {"PTR": ["mail.example.com"]}
}`

type want struct {
	name string
	t    dnsutil.Type
	a    dnsutil.Answer
	err  error
}

func check(t *testing.T, z *dnstest.Zone, cases []want) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.t.String()+" "+c.name, func(t *testing.T) {
			a, err := z.Lookup(t.Context(), c.name, c.t)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.a, a)
			b, ok, err := z.Peek(c.name, c.t)
			require.True(t, ok)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.a, b)
		})
	}
}

func addrs(s ...string) (out []netip.Addr) {
	for _, a := range s {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

func TestZoneText(t *testing.T) {
	const s = time.Second
	check(t, dnstest.MustParse(textZone), []want{
		{"example.com.", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{"v=spf1 mx -all", "other \"quoted\" \\ \xff"}, TTL: 60 * s}, nil},
		{"EXAMPLE.com.", dnsutil.TypeMX, dnsutil.Answer{MX: []dnsutil.MX{{Preference: 10, Host: "mail.example.com."}}, TTL: 600 * s}, nil},
		{"mail.example.com.", dnsutil.TypeA, dnsutil.Answer{Addrs: addrs("192.0.2.1"), TTL: 600 * s}, nil},
		{"mail.example.com.", dnsutil.TypeAAAA, dnsutil.Answer{Addrs: addrs("2001:db8::1"), TTL: 600 * s}, nil},
		{"mail.example.com.", dnsutil.TypeTXT, dnsutil.Answer{TTL: 300 * s}, nil},
		{"alias.example.com.", dnsutil.TypeA, dnsutil.Answer{Addrs: addrs("192.0.2.1"), TTL: 600 * s, Chain: []string{"mail.example.com."}}, nil},
		{"alias.example.com.", dnsutil.TypeTXT, dnsutil.Answer{TTL: 300 * s, Chain: []string{"mail.example.com."}}, nil},
		{"alias.example.com.", dnsutil.TypeCNAME, dnsutil.Answer{Names: []string{"mail.example.com."}, TTL: 600 * s}, nil},
		{"away.example.com.", dnsutil.TypeA, dnsutil.Answer{NXDomain: true, Chain: []string{"nowhere.example."}}, nil},
		{"x.wild.example.com.", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{"synthesised"}, TTL: 600 * s}, nil},
		{"y.x.wild.example.com.", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{"synthesised"}, TTL: 600 * s}, nil},
		{"deep.wild.example.com.", dnsutil.TypeTXT, dnsutil.Answer{TTL: 300 * s}, nil},
		{"x.deep.wild.example.com.", dnsutil.TypeTXT, dnsutil.Answer{NXDomain: true, TTL: 300 * s}, nil},
		{"wild.example.com.", dnsutil.TypeTXT, dnsutil.Answer{TTL: 300 * s}, nil},
		{"c.example.com.", dnsutil.TypeA, dnsutil.Answer{TTL: 300 * s}, nil},
		{"d.example.com.", dnsutil.TypeA, dnsutil.Answer{NXDomain: true, TTL: 300 * s}, nil},
		{"o'brien.example.com.", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{"apostrophe"}, TTL: 600 * s}, nil},
		{"b blank.example.com.", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{"blank"}, TTL: 600 * s}, nil},
		{"loop.example.com.", dnsutil.TypeA, dnsutil.Answer{}, dnsutil.ErrChain},
		{"1.2.0.192.in-addr.arpa.", dnsutil.TypePTR, dnsutil.Answer{Names: []string{"mail.example.com."}, TTL: 600 * s}, nil},
		{"srv.example.com.", dnsutil.TypeA, dnsutil.Answer{TTL: 300 * s}, nil},
		{"caa.example.com.", dnsutil.TypeCAA, dnsutil.Answer{CAA: []dnsutil.CAA{{Tag: "issue", Value: ";"}, {Flags: 128, Tag: "issueVMC", Value: "ca.example; a=\"\\\" \xff"}}, TTL: 90 * s}, nil},
		{"com.", dnsutil.TypeTXT, dnsutil.Answer{}, nil},
		{"example.org.", dnsutil.TypeTXT, dnsutil.Answer{NXDomain: true}, nil},
		{"example.com", dnsutil.TypeTXT, dnsutil.Answer{}, dnsutil.ErrName},
		{"exa\tmple.com.", dnsutil.TypeTXT, dnsutil.Answer{}, dnsutil.ErrName},
	})
}

func TestZoneJSON(t *testing.T) {
	check(t, dnstest.MustParse(jsonZone), []want{
		{"example.COM.", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{"v=spf1 mx -all", "\xff\x00x"}}, nil},
		{"example.com.", dnsutil.TypeMX, dnsutil.Answer{MX: []dnsutil.MX{{Preference: 10, Host: "mail.example.com."}}}, nil},
		{"mail.example.com.", dnsutil.TypeA, dnsutil.Answer{Addrs: addrs("192.0.2.1")}, nil},
		{"mail.example.com.", dnsutil.TypeTXT, dnsutil.Answer{}, dnsutil.ErrServFail},
		{"mail.example.com.", dnsutil.TypeMX, dnsutil.Answer{NXDomain: true}, nil},
		{"mail.example.com.", dnsutil.TypePTR, dnsutil.Answer{}, nil},
		{"alias.example.com.", dnsutil.TypeAAAA, dnsutil.Answer{Addrs: addrs("2001:db8::1"), Chain: []string{"mail.example.com."}}, nil},
		{"alias.example.com.", dnsutil.TypeMX, dnsutil.Answer{NXDomain: true, Chain: []string{"mail.example.com."}}, nil},
		{"alias.example.com.", dnsutil.TypeTXT, dnsutil.Answer{}, dnsutil.ErrServFail},
		{"loop.example.com.", dnsutil.TypeTXT, dnsutil.Answer{}, dnsutil.ErrChain},
		{"down.example.com.", dnsutil.TypeA, dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"gone.example.com.", dnsutil.TypeA, dnsutil.Answer{NXDomain: true}, nil},
		{"a.b.example.com.", dnsutil.TypeA, dnsutil.Answer{}, nil},
		{"caa.example.com.", dnsutil.TypeCAA, dnsutil.Answer{CAA: []dnsutil.CAA{{Tag: "issue", Value: ";"}, {Flags: 128, Tag: "issueVMC", Value: "\xff\x00"}}}, nil},
		{"b.example.com.", dnsutil.TypeA, dnsutil.Answer{NXDomain: true}, nil}, // the command's rule: absent is NXDOMAIN
	})
	check(t, dnstest.MustParse(`{"*": {"TXT": [["any"]], "A_rcode": "refused"}, "x.example": {"CNAME": "y.example"}, "z.example": {}}`), []want{
		{"y.example.", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{"any"}}, nil},
		{"y.example.", dnsutil.TypeMX, dnsutil.Answer{}, nil},
		{"y.example.", dnsutil.TypeA, dnsutil.Answer{}, dnsutil.ErrRefused},
		{"x.example.", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{"any"}, Chain: []string{"y.example."}}, nil},
		{"z.example.", dnsutil.TypeTXT, dnsutil.Answer{}, nil},
		{"z.example.", dnsutil.TypeA, dnsutil.Answer{}, nil},
	})
}

func TestParseErrors(t *testing.T) {
	for _, text := range []string{
		"example.com. TXT", "example.com. A 192.0.2.256", "example.com. CH TXT x", "a. CNAME b.\na. CNAME c.",
		"$INCLUDE /etc/passwd", `{`, `{} {}`, `{"a": {"TXT": ["x"]}}`, `{"a": {"TXT": [[1]]}}`, `{"a": {"TXT": [[{"b64": "?"}]]}}`,
		`{"a": {"TXT": [[{"b65": "AA=="}]]}}`, `{"a": {"A": ["::1"]}}`, `{"a": {"AAAA": ["192.0.2.1"]}}`, `{"a": {"AAAA": ["fe80::1%x"]}}`, `{"a": {"MX": [[10]]}}`,
		`{"a": {"MX": [[70000, "b"]]}}`, `{"a": {"MX": [[1, "b", 2]]}}`, `{"a": {"txt": [["x"]]}}`, `{"a": {"error": "nofail"}}`, `{"a": {"error": 1}}`, `{"a": {"X_rcode": "nodata"}}`,
		`{"a": {}, "A": {}}`, `{"a": {}, "a": {}}`, `{"a": {"A": [], "A": []}}`, `{"a": []}`, `{"a": null}`, `{"a": {}`, `{"a": {}} x`, `{1: {}}`, `{"a" {}}`, `{"a": {"PTR": "x"}}`, `{"a": {"CNAME": ["x"]}}`,
		`{"a": {"CAA": ["x"]}}`, `{"a": {"CAA": [[0, "issue"]]}}`, `{"a": {"CAA": [[256, "issue", ";"]]}}`, `{"a": {"CAA": [["0", "issue", ";"]]}}`, `{"a": {"CAA": [[0, 1, ";"]]}}`, `{"a": {"CAA": [[0, "issue", 1]]}}`,
	} {
		z, err := dnstest.Parse(text)
		require.Error(t, err, text)
		require.Nil(t, z, text)
	}
	require.Panics(t, func() { dnstest.MustParse("{") })
}

func TestZoneWith(t *testing.T) {
	z := dnstest.MustParse(textZone)
	f := z.WithFault("EXAMPLE.com", dnsutil.TypeTXT, dnsutil.ErrServFail).
		WithFault("mail.example.com.", 0, dnsutil.ErrTimeout).
		WithAnswer("new.example", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{"x"}})
	check(t, f, []want{
		{"example.com.", dnsutil.TypeTXT, dnsutil.Answer{}, dnsutil.ErrServFail},
		{"mail.example.com.", dnsutil.TypeMX, dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"alias.example.com.", dnsutil.TypeA, dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"new.example.", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{"x"}}, nil},
	})
	require.Empty(t, z.Queries())
	_, err := z.Lookup(t.Context(), "example.com.", dnsutil.TypeTXT)
	require.NoError(t, err)
	_, err = z.WithFault("*", 0, dnsutil.ErrServFail).Lookup(t.Context(), "mail.example.com.", dnsutil.TypeA)
	require.ErrorIs(t, err, dnsutil.ErrServFail)

	orders := map[string]bool{}
	for seed := range uint64(20) {
		a, _ := z.Shuffled(seed).Lookup(t.Context(), "example.com.", dnsutil.TypeTXT)
		b, _ := z.Shuffled(seed).Lookup(t.Context(), "example.com.", dnsutil.TypeTXT)
		require.Equal(t, a, b)
		require.Len(t, a.TXT, 2)
		orders[a.TXT[0]] = true
	}
	require.Len(t, orders, 2)
}

func TestZoneLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := dnstest.MustParse(textZone)
		z.Delay = 20 * time.Millisecond
		_, ok, _ := z.Peek("example.com.", dnsutil.TypeTXT)
		require.False(t, ok)
		for range 3 {
			for _, n := range []string{"example.com.", "mail.example.com."} {
				go z.Lookup(t.Context(), n, dnsutil.TypeA)
			}
			time.Sleep(30 * time.Millisecond)
		}
		require.Equal(t, 3, z.RoundTrips())
		require.Equal(t, 2, z.Parallel())
		require.Equal(t, 3, z.Count("Mail.example.com", dnsutil.TypeA))
		require.Equal(t, 3, z.Count("mail.example.com", 0))
		require.Len(t, z.Queries(), 6)
		require.Contains(t, z.Queries(), "A mail.example.com.")

		z.Reset()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := z.Lookup(ctx, "example.com.", dnsutil.TypeA)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 5*time.Millisecond, time.Since(start))
		require.ErrorIs(t, z.Log()[0].Err, context.DeadlineExceeded)
	})
}

func TestZoneZero(t *testing.T) {
	var z dnstest.Zone
	a, err := z.Lookup(t.Context(), "example.com.", dnsutil.TypeA)
	require.NoError(t, err)
	require.Equal(t, dnsutil.Answer{NXDomain: true}, a)
}
