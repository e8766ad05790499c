package spf

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// threat is one input of the threat matrix: client 192.0.2.9, MAIL FROM
// a@v.example and HELO mx.h.example unless it says otherwise.
type threat struct {
	zone    string
	ip      string
	from    string // "" is a@v.example, "<>" the null reverse-path
	helo    string
	useHELO bool
	v       Verifier
	want    authres.Status
	err     error // nil: as the status has it
	queries int   // at most; 0: do not look
	check   func(t *testing.T, r Result, z *dnstest.Zone)
}

func (c threat) run(t *testing.T) {
	t.Helper()
	z := dnstest.MustParse(c.zone)
	s := Session{IP: netip.MustParseAddr("192.0.2.9"), HELO: "mx.h.example", MailFrom: "a@v.example"}
	if c.ip != "" {
		s.IP = netip.MustParseAddr(c.ip)
	}
	if c.from != "" {
		s.MailFrom = c.from
	}
	if c.from == "<>" {
		s.MailFrom = ""
	}
	if c.helo != "" {
		s.HELO = c.helo
	}
	c.v.Resolver, c.v.NoPrefetch = z, true // the log is what was needed, on a slow machine too
	check := c.v.MailFrom
	if c.useHELO {
		check = c.v.HELO
	}
	r := check(t.Context(), s)
	require.Equal(t, c.want, r.Status, "%v", r.Err)
	if c.err != nil {
		require.ErrorIs(t, r.Err, c.err)
	}
	require.Equal(t, r.Status == Pass, r.Err == nil)
	if r.Err != nil {
		require.Equal(t, r.Status, rootOf(r.Err).status())
	}
	if c.queries > 0 {
		require.LessOrEqual(t, len(z.Queries()), c.queries)
		require.LessOrEqual(t, r.Queries, c.queries)
	}
	if c.queries < 0 {
		require.Empty(t, z.Queries())
	}
	checkField(t, r.ReceivedSPF())
	for _, q := range z.Queries() {
		require.True(t, strings.HasSuffix(q, "."), q)
	}
	if c.check != nil {
		c.check(t, r, z)
	}
}

func runThreats(t *testing.T, cases map[string]threat) {
	for id, c := range cases {
		t.Run(id, c.run)
	}
}

// at writes a zone in which v.example has the records given.
func at(records ...string) string {
	var b strings.Builder
	for _, r := range records {
		b.WriteString("v.example. TXT")
		for len(r) > 250 {
			fmt.Fprintf(&b, " %q", r[:250])
			r = r[250:]
		}
		fmt.Fprintf(&b, " %q\n", r)
	}
	return b.String()
}

func raw(records ...string) string {
	var b strings.Builder
	b.WriteString(`{"v.example": {"TXT": [`)
	for i, r := range records {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `[{"b64": "%s"}]`, b64(r))
	}
	b.WriteString(`]}}`)
	return b.String()
}

func TestThreats(t *testing.T) {
	t.Run("R", func(t *testing.T) {
		cases := map[string]threat{
			"SPF-R01":  {zone: at("v=spf1 -all", "v=spf1 +all"), want: PermError, err: ErrMultipleRecords},
			"SPF-R01b": {zone: at("v=spf1 -all", "V=SPF1 +all"), want: PermError, err: ErrMultipleRecords},
			"SPF-R02":  {zone: at("v=spf1 -all", "v=spf10 +all"), want: Fail, err: ErrFail},
			"SPF-R02b": {zone: at("v=spf1+all"), want: None, err: ErrNoRecord},
			"SPF-R02c": {zone: raw("v=spf1\t+all"), want: None, err: ErrNoRecord},
			"SPF-R06":  {zone: at("v=spf1 ip4:192.0.2.9 -all"), ip: "::ffff:192.0.2.9", want: Pass},
			"SPF-R07":  {zone: at("v=spf1 ip6:::ffff:192.0.2.9 -all"), want: Fail},
			"SPF-R07b": {zone: at("v=spf1 ip6:::ffff:0:0/96 -all"), ip: "::ffff:192.0.2.9", want: Fail},
			"SPF-R08":  {zone: at("v=spf1 foo:bar +all"), want: PermError, err: ErrMechanism},
			"SPF-R08b": {zone: at("v=spf1 +all foo:bar"), want: PermError, err: ErrMechanism},
			"SPF-R09":  {zone: at("v=spf1 redirect=a.example redirect=a.example"), want: PermError, err: ErrDuplicate},
			"SPF-R09b": {zone: at("v=spf1 exp=a.example EXP=b.example +all"), want: PermError, err: ErrDuplicate},
			"SPF-R10":  {zone: raw("v=spf1 a:\u00e9.example +all"), want: PermError, err: ErrCharacter},
			"SPF-R10b": {zone: raw("v=spf1 ip4:192.0.2.9\x00 -all"), want: PermError, err: ErrCharacter},
			"SPF-R11":  {zone: at("v=spf1 " + strings.Repeat("a ", 5000)), want: PermError, err: ErrTerms, queries: 1},
			"SPF-R11b": {zone: at("v=spf1 " + strings.Repeat("x", 64<<10)), want: PermError, err: ErrRecordSize, queries: 1},
			"SPF-R11c": {zone: `v.example. TXT "v=spf1 ip4:192.0" ".2.0/24 -all"`, want: Pass},
			"SPF-R11d": {zone: "v.example. TXT" + strings.Repeat(` "v=spf1 "`, 1) + strings.Repeat(` "a=b "`, 254) + ` "+all"`, want: Pass},
		}
		for i, s := range []string{
			"ip4:192.0.2.9/33", "ip4:192.0.2.9/024", "ip4:192.0.2.9/-1", "ip4:192.0.2.9//64", "ip4:192.0.2.9/",
			"ip6:2001:db8::9/129", "ip6:2001:db8::9/064", "ip6:fe80::1%eth0", "ip6:192.0.2.9", "ip4:::1",
			"a/33", "a//129", "a/24/64", "a/", "a//", "a:%{d}/024", "mx/-1", "a/ 24",
		} {
			cases[fmt.Sprintf("SPF-R04-%d %s", i, s)] = threat{zone: at("v=spf1 " + s + " +all"), want: PermError, err: ErrSyntax}
		}
		cases["SPF-R04 / 24"] = threat{zone: at("v=spf1 ip4:192.0.2.9/ 24 +all"), want: PermError, err: ErrPrefixLength}
		for _, s := range []string{"192.0.02.9", "192.2", "0xc0000209", "3221225993", "192.0.2.9.1", "192.0.2.256", "192.0.2.", ""} {
			cases["SPF-R05 "+s] = threat{zone: at("v=spf1 ip4:" + s + " +all"), want: PermError, err: ErrNetwork}
		}
		runThreats(t, cases)
	})
	t.Run("E", func(t *testing.T) {
		include := func(n int) (record, zone string) {
			for i := range n {
				record += fmt.Sprintf(" include:i%d.example", i)
				zone += fmt.Sprintf("i%d.example. TXT \"v=spf1 -all\"\n", i)
			}
			return record, zone
		}
		ten, tenZone := include(10)
		eleven, elevenZone := include(11)
		mx := func(owner string, n int, address string) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "%s MX 10 m%d.%s\nm%d.%s A %s\n", owner, i, owner, i, owner, address)
			}
			return b.String()
		}
		fan := ""
		fanRecord := ""
		for i := range 10 {
			fanRecord += fmt.Sprintf(" mx:f%d.example", i)
			fan += mx(fmt.Sprintf("f%d.example.", i), 10, "203.0.113.1")
		}
		chain := ""
		for i := range 11 {
			chain += fmt.Sprintf("c%d.example. TXT \"v=spf1 include:c%d.example\"\n", i, i+1)
		}
		cases := map[string]threat{
			"SPF-E01":  {zone: at("v=spf1 include:v.example -all"), want: PermError, err: ErrLookups, queries: 11},
			"SPF-E02":  {zone: at("v=spf1 include:w.example -all") + `w.example. TXT "v=spf1 include:v.example -all"`, want: PermError, err: ErrLookups, queries: 11},
			"SPF-E03":  {zone: at("v=spf1 redirect=v.example"), want: PermError, err: ErrLookups, queries: 11},
			"SPF-E03b": {zone: at("v=spf1 redirect=w.example") + `w.example. TXT "v=spf1 redirect=v.example"`, want: PermError, err: ErrLookups, queries: 11},
			"SPF-E04": {zone: at("v=spf1"+ten+" +all") + tenZone, want: Pass, queries: 11,
				check: func(t *testing.T, r Result, _ *dnstest.Zone) {
					require.Equal(t, 10, r.Lookups)
					require.Len(t, r.Others, 10)
				}},
			"SPF-E04b":           {zone: at("v=spf1"+eleven+" +all") + elevenZone, want: PermError, err: ErrLookups, queries: 11},
			"SPF-E04 nested, 10": {zone: at("v=spf1 include:c1.example") + strings.Replace(chain, "include:c11.example", "+all", 1), want: Pass, queries: 11},
			"SPF-E04 nested, 11": {zone: at("v=spf1 include:c0.example") + chain, want: PermError, err: ErrLookups, queries: 11},
			"SPF-E06":            {zone: at("v=spf1 a:x1.example a:x2.example a:x3.example +all"), want: PermError, err: ErrVoidLookups},
			"SPF-E06b":           {zone: at("v=spf1 a:x1.example a:x2.example +all"), want: Pass},
			"SPF-E06c":           {zone: at("v=spf1 exists:x1.example exists:x2.example exists:x3.example exists:x4.example +all"), want: PermError, err: ErrVoidLookups},
			"SPF-E06 NODATA":     {zone: at("v=spf1 a:x.example a:x.example a:x.example +all") + "x.example. TXT x", want: PermError, err: ErrVoidLookups},
			"SPF-E06 NODATA, 2":  {zone: at("v=spf1 a:x.example mx:x.example +all") + "x.example. TXT x", want: Pass},
			"SPF-E06 mx names":   {zone: at("v=spf1 mx +all") + "v.example. MX 1 a.x.example.\nv.example. MX 1 b.x.example.\nv.example. MX 1 c.x.example.\n", want: PermError, err: ErrVoidLookups},
			"SPF-E06 more":       {zone: at("v=spf1 a:x1.example a:x2.example a:x3.example +all"), v: Verifier{MaxVoidLookups: 3}, want: Pass},
			"SPF-E06 none":       {zone: at("v=spf1 a:x1.example +all"), v: Verifier{MaxVoidLookups: -1}, want: PermError, err: ErrVoidLookups},
			"SPF-E06 ptr names": {zone: at("v=spf1 ptr a:x1.example a:x2.example +all") + "9.2.0.192.in-addr.arpa. PTR a.v.example.\n9.2.0.192.in-addr.arpa. PTR b.v.example.\n",
				want: Pass, check: func(t *testing.T, r Result, _ *dnstest.Zone) { require.Equal(t, 2, r.VoidLookups) }},
			"SPF-E07":  {zone: at("v=spf1 mx -all") + mx("v.example.", 11, "203.0.113.1"), want: PermError, err: ErrMX, queries: 2},
			"SPF-E07b": {zone: at("v=spf1 mx -all") + mx("v.example.", 11, "192.0.2.9"), want: PermError, err: ErrMX, queries: 2},
			"SPF-E07c": {zone: at("v=spf1 mx -all") + mx("v.example.", 10, "203.0.113.1"), want: Fail, queries: 12},
			"SPF-E08":  {zone: at("v=spf1"+fanRecord+" +all") + fan, want: PermError, err: ErrQueries, queries: 50},
			"SPF-E12":  {zone: `{"v.example": {"TXT": [["v=spf1 ptr -all"]]}, "9.2.0.192.in-addr.arpa": {"error": "servfail"}}`, want: Fail},
			"SPF-E12 address": {zone: `{"v.example": {"TXT": [["v=spf1 ptr -all"]]}, "9.2.0.192.in-addr.arpa": {"PTR": ["a.v.example", "b.v.example"]},
				"a.v.example": {"error": "servfail"}, "b.v.example": {"A": ["192.0.2.9"]}}`, want: Pass},
			"SPF-E13":     {zone: at("v=spf1 include:none.example +all") + "none.example. TXT x", want: PermError, err: ErrInclude},
			"SPF-E13b":    {zone: at("v=spf1 include:none.example +all"), want: PermError, err: ErrInclude},
			"SPF-E13c":    {zone: at("v=spf1 redirect=none.example"), want: PermError, err: ErrRedirect},
			"SPF-E15":     {zone: at("v=spf1 +all redirect=none.example"), want: Pass, queries: 1},
			"SPF-E15b":    {zone: at("v=spf1 redirect=none.example -all"), want: Fail, queries: 1},
			"SPF-E17":     {zone: at("v=spf1"+strings.Repeat(" a", 11)+" -all") + "v.example. A 203.0.113.1", want: PermError, err: ErrLookups},
			"SPF-E18":     {zone: `{"v.example": {"error": "servfail"}}`, want: TempError, err: ErrDNS},
			"SPF-E18b":    {zone: `{"v.example": {"error": "servfail"}}`, want: TempError, err: dnsutil.ErrServFail},
			"SPF-E18c":    {zone: `{"v.example": {"TXT": [["v=spf1 a -all"]], "A_rcode": "timeout"}}`, want: TempError, err: ErrDNS},
			"SPF-E18d":    {zone: `{"v.example": {"TXT": [["v=spf1 include:w.example -all"]]}, "w.example": {"error": "refused"}}`, want: TempError, err: ErrDNS},
			"SPF-E22":     {zone: "v.example. CNAME w.example.\n" + `w.example. TXT "v=spf1 +all"`, want: Pass},
			"SPF-E22 A":   {zone: "v.example. A 192.0.2.9", want: None, err: ErrNoRecord},
			"SPF-E22 end": {zone: "v.example. CNAME w.example.", want: None},
			"no domain":   {zone: "", want: None, err: ErrNoDomain},

			// Addresses of inside are addresses like others.
			"DNS-16 exists":          {zone: at("v=spf1 exists:x.example -all") + "x.example. A 127.0.0.1\n", want: Pass, queries: 2},
			"DNS-16 a":               {zone: at("v=spf1 a -all") + "v.example. A 127.0.0.1\n", want: Fail, queries: 2},
			"DNS-16 a, same":         {zone: at("v=spf1 a -all") + "v.example. A 127.0.0.1\n", ip: "127.0.0.1", want: Pass, queries: 2},
			"DNS-16 mx":              {zone: at("v=spf1 mx -all") + "v.example. MX 1 m.example.\nm.example. A 10.0.0.1\n", want: Fail, queries: 3},
			"DNS-16 mx, same":        {zone: at("v=spf1 mx -all") + "v.example. MX 1 m.example.\nm.example. A 10.0.0.1\n", ip: "10.0.0.1", want: Pass, queries: 3},
			"DNS-16 unspecified":     {zone: at("v=spf1 a -all") + "v.example. A 0.0.0.0\n", want: Fail, queries: 2},
			"DNS-16 link-local IPv6": {zone: at("v=spf1 a -all") + "v.example. AAAA fe80::1\n", ip: "2001:db8::9", want: Fail, queries: 2},
		}
		explained := func(text, want string) threat {
			return threat{
				zone: `{"v.example": {"TXT": [["v=spf1 -all exp=e.example"]]}, "e.example": {"TXT": [[{"b64": "` + b64(text) + `"}]]}}`,
				want: Fail, queries: 2,
				check: func(t *testing.T, r Result, _ *dnstest.Zone) {
					require.Equal(t, want, r.Explanation)
					require.Zero(t, r.Lookups)
					require.Zero(t, r.VoidLookups)
				},
			}
		}
		cases["SPF-E16 512"] = explained(strings.Repeat("x", 512), strings.Repeat("x", 512))
		cases["SPF-E16 513"] = explained(strings.Repeat("x", 513), "")
		cases["SPF-E16 64 KiB"] = explained(strings.Repeat("x", 60000), "")
		cases["SPF-E16 non-ASCII"] = explained("caf\u00e9", "")
		cases["SPF-E16 CRLF"] = explained("a\r\n250 ok", "")
		cases["SPF-E16 escape"] = explained("a\x1b[2J", "")
		cases["SPF-E16 syntax"] = explained("%{x}", "")
		cases["SPF-E16 percent"] = explained("100%", "")
		cases["SPF-E16 macros"] = explained("%{i} %{c} %{d} %{s} %{r} %{v} %{h}%_%-%%", "192.0.2.9 192.0.2.9 v.example a@v.example unknown in-addr mx.h.example %20%")
		noText := func(t *testing.T, r Result, _ *dnstest.Zone) { require.Empty(t, r.Explanation) }
		cases["SPF-E16 NXDOMAIN"] = threat{zone: at("v=spf1 -all exp=e.example"), want: Fail, check: noText}
		cases["SPF-E16 SERVFAIL"] = threat{zone: `{"v.example": {"TXT": [["v=spf1 -all exp=e.example"]]}, "e.example": {"error": "servfail"}}`, want: Fail, check: noText}
		cases["SPF-E16 malformed"] = threat{zone: at("v=spf1 -all exp=%{h}%{h}"), helo: "[", want: Fail, check: noText, queries: 1}
		cases["SPF-E16 second"] = threat{zone: at("v=spf1 -all exp=e.example") + "e.example. TXT one\ne.example. TXT two\n", want: Fail, check: noText}
		cases["SPF-E16 include"] = threat{zone: at("v=spf1 include:w.example -all") + "w.example. TXT \"v=spf1 -all exp=e.example\"\ne.example. TXT one\n", want: Fail, check: noText}
		cases["SPF-E16 redirect"] = threat{zone: at("v=spf1 redirect=w.example exp=f.example") + "w.example. TXT \"v=spf1 -all exp=e.%{d}\"\ne.w.example. TXT one\nf.example. TXT two\n", want: Fail,
			check: func(t *testing.T, r Result, _ *dnstest.Zone) { require.Equal(t, "one", r.Explanation) }}
		cases["SPF-E16 off"] = threat{zone: at("v=spf1 -all exp=e.example") + "e.example. TXT one\n", v: Verifier{NoExplanation: true}, want: Fail, check: noText, queries: 1}
		runThreats(t, cases)
	})
	t.Run("M", func(t *testing.T) {
		none := func(t *testing.T, r Result, z *dnstest.Zone) {
			require.Equal(t, []string{"TXT v.example."}, z.Queries())
		}
		cases := map[string]threat{
			"SPF-M05 %{L}":     {zone: at("v=spf1 exists:%{L}.x.example -all"), from: "\u00e9@v.example", want: Fail, check: none},
			"SPF-M05 bytes":    {zone: at("v=spf1 exists:%{L}.x.example -all"), from: strings.Repeat("\xff", 200) + "@v.example", want: Fail, check: none},
			"SPF-M05 %{S}":     {zone: at("v=spf1 include:%{S}.x.example -all"), from: "\xff@v.example", want: Fail, check: none},
			"SPF-M05 redirect": {zone: at("v=spf1 redirect=%{l}.x.example"), from: "\xff@v.example", want: PermError, err: ErrTarget, check: none},
			"SPF-M05 exp": {zone: at("v=spf1 -all exp=e.example") + "e.example. TXT \"%{L}\"\n", from: "\xff\x80a~-@v.example", want: Fail,
				check: func(t *testing.T, r Result, _ *dnstest.Zone) { require.Equal(t, "%FF%80a~-", r.Explanation) }},
			"SPF-M05 exp raw": {zone: at("v=spf1 -all exp=e.example") + "e.example. TXT \"%{l}\"\n", from: "\xff@v.example", want: Fail,
				check: func(t *testing.T, r Result, _ *dnstest.Zone) { require.Empty(t, r.Explanation) }},
			"SPF-M05 exp length": {zone: at("v=spf1 -all exp=e.example") + "e.example. TXT \"%{L}\"\n", from: strings.Repeat("\xff", 171) + "@v.example", want: Fail,
				check: func(t *testing.T, r Result, _ *dnstest.Zone) { require.Empty(t, r.Explanation) }},
			"SPF-M11":               {zone: at("v=spf1 exists:%{l}.x.example -all") + "postmaster.x.example. A 127.0.0.2\n", from: "@v.example", want: Pass},
			"SPF-M13":               {zone: at("v=spf1 exists:" + strings.Repeat("%{i}", 2000) + ".x.example -all"), ip: "2001:db8::9", want: PermError, err: ErrExpansion, queries: 1},
			"SPF-M14":               {zone: at("v=spf1"+strings.Repeat(" a:%{l}.target.example", 10)+" -all") + "*.target.example. A 203.0.113.1\n", want: Fail, queries: 2},
			"SPF-M02 %{s}":          {zone: at("v=spf1 exists:%{s}.x.example -all") + "a\\@v.example.x.example. A 127.0.0.2\n", want: Pass},
			"SPF-M02 atext":         {zone: at("v=spf1 include:%{l}.x.example -all") + "a$b.x.example. TXT \"v=spf1 +all\"\n", from: "a$b@v.example", want: Pass},
			"SPF-M15":               {zone: at("v=spf1 exists:%{p}.x.example -all") + "unknown.x.example. A 127.0.0.2\n", want: Pass},
			"SPF-M15 not validated": {zone: at("v=spf1 exists:%{p}.x.example -all") + "9.2.0.192.in-addr.arpa. PTR a.v.example.\na.v.example. A 192.0.2.8\nunknown.x.example. A 127.0.0.2\n", want: Pass},
			"SPF-M15 validated":     {zone: at("v=spf1 exists:%{p}.x.example -all") + "9.2.0.192.in-addr.arpa. PTR a.v.example.\na.v.example. A 192.0.2.9\na.v.example.x.example. A 127.0.0.2\n", want: Pass},
			"SPF-M15 itself first": {zone: at("v=spf1 exists:%{p}.x.example -all") + `9.2.0.192.in-addr.arpa. PTR a.other.example.
9.2.0.192.in-addr.arpa. PTR a.v.example.
9.2.0.192.in-addr.arpa. PTR v.example.
*.example. A 192.0.2.9
v.example. A 192.0.2.9
v.example.x.example. A 127.0.0.2
x.example. TXT x
`, want: Pass, check: func(t *testing.T, r Result, z *dnstest.Zone) { require.NotContains(t, z.Queries(), "A a.v.example.") }},
			"SPF-M15 ten names": {zone: at("v=spf1 exists:%{p}.x.example -all") + ptrNames(30) + "unknown.x.example. A 127.0.0.2\n", want: Pass, queries: 13},
			"SPF-E12 ten names": {zone: at("v=spf1 ptr -all") + ptrNames(11) + "p10.v.example. A 192.0.2.9\n", want: Fail, queries: 12},
			"SPF-E12 tenth":     {zone: at("v=spf1 ptr -all") + ptrNames(11) + "p9.v.example. A 192.0.2.9\n", want: Pass, queries: 12},
			"cut to 253": {zone: at("v=spf1 exists:"+strings.Repeat("%{l}.", 5)+"x.example -all") + "*.x.example. A 127.0.0.2\n", from: strings.Repeat("l", 60) + "@v.example", want: Pass,
				check: func(t *testing.T, r Result, z *dnstest.Zone) {
					require.Equal(t, "A "+strings.Repeat(strings.Repeat("l", 60)+".", 4)+"x.example.", z.Queries()[1])
				}},
			"final dot": {zone: at("v=spf1 include:w.example. -all") + `w.example. TXT "v=spf1 +all"`, want: Pass},
		}
		for _, s := range []string{"%{d99999999999999999999}", "%{d2147483648}", "%{d4294967296r}", "%{d129}", "%{d0}", "%{d00}", "%{x}", "%{}", "%{d", "%", "%x", "%{dr5}", "%{d5rr}", "%{d:}", "%{c}", "%{r}", "%{t}"} {
			cases["SPF-M01 "+s] = threat{zone: at("v=spf1 exists:" + s + ".x.example +all"), want: PermError, err: ErrMacro, queries: 1}
		}
		cases["SPF-M01 128"] = threat{zone: at("v=spf1 exists:%{d128}.x.example -all"), want: Fail}
		// Targets that are no name: no match for a, mx, exists and ptr, permerror for include and redirect (decision 9).
		for _, s := range []string{"%{l}..x.example", "%{l1r-}.x.example", "%{h}.x.example"} {
			from, helo := "a", "mx.h.example"
			if strings.Contains(s, "l1") {
				from = strings.Repeat("l", 64)
			}
			if strings.Contains(s, "h") {
				helo = "[192.0.2.9]"
			}
			for _, m := range []string{"a", "mx", "exists", "ptr"} {
				c := threat{zone: at("v=spf1 " + m + ":" + s + " -all"), from: from + "@v.example", helo: helo, want: Fail, check: none}
				if m == "ptr" {
					c.check = nil
				}
				cases["malformed "+m+" "+s] = c
			}
			cases["malformed include "+s] = threat{zone: at("v=spf1 include:" + s + " +all"), from: from + "@v.example", helo: helo, want: PermError, err: ErrTarget, check: none}
			cases["malformed redirect "+s] = threat{zone: at("v=spf1 redirect=" + s), from: from + "@v.example", helo: helo, want: PermError, err: ErrTarget, check: none}
		}
		runThreats(t, cases)
	})
	t.Run("I", func(t *testing.T) {
		pass := at("v=spf1 +all") + "mx.h.example. TXT \"v=spf1 ip4:192.0.2.9 -all\"\nbank.example. TXT \"v=spf1 -all\"\nattack.example. TXT \"v=spf1 +all\"\n"
		domain := func(want string) func(*testing.T, Result, *dnstest.Zone) {
			return func(t *testing.T, r Result, _ *dnstest.Zone) { require.Equal(t, want, r.Domain) }
		}
		cases := map[string]threat{
			"SPF-I01 helo beside": {zone: pass, useHELO: true, want: Pass, check: func(t *testing.T, r Result, _ *dnstest.Zone) {
				require.Equal(t, HELO, r.Identity)
				require.Equal(t, "mx.h.example", r.Domain)
			}},
			"SPF-I02":          {zone: pass, from: "(any@bank.example", want: Fail, check: domain("bank.example")},
			"SPF-I02 quote":    {zone: pass, from: `"any@bank.example`, want: PermError, err: ErrSender},
			"SPF-I02 two":      {zone: pass, from: "a@attack.example@bank.example", want: PermError, err: ErrSender},
			"SPF-I02 quoted @": {zone: pass, from: `"x@attack.example"@bank.example`, want: Fail, check: domain("bank.example")},
			"SPF-I02 bracket":  {zone: pass, from: "<a@bank.example>", want: PermError, err: ErrSender},
			"SPF-I02 NUL":      {zone: pass, from: "a@bank.example\x00.attack.example", want: PermError, err: ErrSender},
			"SPF-I02 CRLF":     {zone: pass, from: "a\r\n@attack.example", want: PermError, err: ErrSender},
			"SPF-I03": {zone: pass, from: "<>", want: Pass, check: func(t *testing.T, r Result, _ *dnstest.Zone) {
				require.Equal(t, MailFrom, r.Identity)
				require.Equal(t, "mx.h.example", r.Domain)
			}},
			"SPF-I05":           {zone: pass, from: "@bank.example,@any.com:'any@attack.example", want: PermError, err: ErrSender, queries: -1},
			"SPF-I05 route":     {zone: pass, from: "@bank.example,@any.com:any@attack.example", want: Pass, check: domain("attack.example")},
			"SPF-I05 malformed": {zone: pass, from: "@bank.example,any.com:any@attack.example", want: PermError, err: ErrSender},
			// What a forwarder has written is asked about as it was received: nobody's address is restored.
			"SPF-I09":         {zone: pass, from: "SRS0=HHH=TT=bank.example=ceo@attack.example", want: Pass, check: domain("attack.example")},
			"SPF-I09 VERP":    {zone: pass, from: "bounce+ceo=attack.example@bank.example", want: Fail, check: domain("bank.example")},
			"SPF-I08":         {zone: pass, from: "a@V.EXAMPLE", want: Pass, check: domain("v.example")},
			"SPF-I08 U-label": {zone: "xn--bcher-kva.example. TXT \"v=spf1 exists:%{o}.%{d}.x.example -all\"\nxn--bcher-kva.example.xn--bcher-kva.example.x.example. A 127.0.0.2\n", from: "a@B\u00fccher.example", want: Pass, check: domain("xn--bcher-kva.example")},
			"SPF-I08 HELO":    {zone: "xn--bcher-kva.example. TXT \"v=spf1 +all\"\n", helo: "b\u00fccher.example", useHELO: true, want: None, err: ErrDomain, queries: -1},
			"SPF-I08 null":    {zone: "xn--bcher-kva.example. TXT \"v=spf1 +all\"\n", helo: "b\u00fccher.example", from: "<>", want: None, err: ErrDomain, queries: -1},
			"no domain":       {zone: pass, from: "bank.example", want: None, err: ErrDomain, queries: -1},
			"too long":        {zone: pass, from: strings.Repeat("a", 3000) + "@v.example", want: PermError, err: ErrSender, queries: -1},
		}
		for _, s := range []string{"a@[192.0.2.9]", "a@192.0.2.9", "a@localhost", "a@v.example.", "a@", "a@.v.example", "a@v..example", "a@-v.example", "a@" + strings.Repeat("v", 64) + ".example"} {
			cases["SPF-I06 "+s] = threat{zone: pass, from: s, want: None, err: ErrDomain, queries: -1}
		}
		for _, s := range []string{"[192.0.2.9]", "a b", strings.Repeat("h", 300), "%", "_x", "mx.h.example.", "192.0.2.9", "mx", "mx.h.example\x00"} {
			cases["SPF-I07 "+s[:min(len(s), 20)]] = threat{zone: pass, helo: s, useHELO: true, want: None, err: ErrDomain, queries: -1}
			cases["SPF-I07 null "+s[:min(len(s), 20)]] = threat{zone: pass, helo: s, from: "<>", want: None, err: ErrDomain, queries: -1}
		}
		runThreats(t, cases)
	})
}

func ptrNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "9.2.0.192.in-addr.arpa. PTR p%d.v.example.\n", i)
	}
	return b.String()
}

func TestNoClientAndNoResolver(t *testing.T) {
	r := (&Verifier{}).MailFrom(t.Context(), Session{MailFrom: "a@v.example"})
	require.Equal(t, None, r.Status)
	require.ErrorIs(t, r.Err, ErrNoClient)
	r = (&Verifier{}).MailFrom(t.Context(), Session{MailFrom: "a@v.example", IP: netip.MustParseAddr("192.0.2.9")})
	require.Equal(t, TempError, r.Status)
	require.ErrorIs(t, r.Err, dnsutil.ErrNoResolver)
	require.NotEqual(t, Pass, Result{}.Status)
}

// Every constant has its own name, section and result word, so that none can be
// forgotten in facts.
func TestErrorFacts(t *testing.T) {
	all := []Error{
		ErrNoClient, ErrDomain, ErrNoDomain, ErrNoRecord, ErrFail, ErrSoftFail, ErrNeutral, ErrSender,
		ErrMultipleRecords, ErrInclude, ErrRedirect, ErrTarget, ErrLookups, ErrVoidLookups, ErrMX, ErrQueries,
		ErrExpansion, ErrRecordSize, ErrTerms, ErrDNS, ErrTimeout, ErrSyntax, ErrVersion, ErrCharacter,
		ErrMechanism, ErrNetwork, ErrPrefixLength, ErrDomainSpec, ErrMacro, ErrDuplicate,
	}
	seen := map[string]bool{}
	for _, e := range all {
		require.True(t, strings.HasPrefix(e.Code(), "Err"), string(e))
		require.False(t, seen[e.Code()] || seen[string(e)], e.Code())
		seen[e.Code()], seen[string(e)] = true, true
		require.True(t, strings.HasPrefix(e.Section(), "RFC 7208, section "), e.Code())
		require.NotEmpty(t, e.status())
	}
	require.Empty(t, Error("x").Code())
	require.Empty(t, Error("x").Section())
	var root Error
	require.True(t, errors.As(&problem{err: ErrMX, cause: ErrSyntax}, &root))
	require.Equal(t, ErrMX, root)
	long := (&problem{err: ErrMechanism, domain: "v.example", term: strings.Repeat("\xff", 500)}).Error()
	require.Less(t, len(long), 500)
	require.True(t, utf8.ValidString(long))
}
