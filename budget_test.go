package mailauth_test

import (
	"context"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/spf"
)

// flat and tree are the SPF records of the performance targets: eight networks, and ten
// look-ups behind the first.
var spfRecords = map[string]full{
	"flat": {
		{"v.example.", dnsutil.TypeTXT}: txt("v=spf1 ip4:203.0.113.0/24 ip4:198.51.100.0/25 ip6:2001:db8:1::/48 ip4:198.51.100.128/26 ip4:198.51.100.192/27 ip6:2001:db8:2::/48 ip4:198.51.100.224/28 ip4:192.0.2.0/24 -all"),
	},
	"tree": {
		{"v.example.", dnsutil.TypeTXT}:         txt("v=spf1 include:a.example include:b.example include:c.example include:d.example -all"),
		{"a.example.", dnsutil.TypeTXT}:         txt("v=spf1 a:h1.a.example a:h2.a.example -all"),
		{"b.example.", dnsutil.TypeTXT}:         txt("v=spf1 include:e.b.example -all"),
		{"c.example.", dnsutil.TypeTXT}:         txt("v=spf1 exists:%{ir}.%{d} ?all"),
		{"d.example.", dnsutil.TypeTXT}:         txt("v=spf1 mx a:h.d.example -all"),
		{"e.b.example.", dnsutil.TypeTXT}:       txt("v=spf1 ip4:203.0.113.0/24 -all"),
		{"d.example.", dnsutil.TypeMX}:          {MX: []dnsutil.MX{{Preference: 10, Host: "m1.d.example."}}},
		{"h1.a.example.", dnsutil.TypeA}:        address("203.0.113.1"),
		{"h2.a.example.", dnsutil.TypeA}:        address("203.0.113.2"),
		{"m1.d.example.", dnsutil.TypeA}:        address("203.0.113.3"),
		{"h.d.example.", dnsutil.TypeA}:         address("192.0.2.9"),
		{"9.2.0.192.c.example.", dnsutil.TypeA}: {NXDomain: true},
	},
}

func txt(s string) dnsutil.Answer { return dnsutil.Answer{TXT: []string{s}} }

func address(s string) dnsutil.Answer {
	return dnsutil.Answer{Addrs: []netip.Addr{netip.MustParseAddr(s)}}
}

// allocates returns how often and how many octets a run of f allocates.
func allocates(f func()) (times, octets float64) {
	const runs = 50
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f() // what is made once
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64((after.Mallocs - before.Mallocs) / runs), float64((after.TotalAlloc - before.TotalAlloc) / runs)
}

// TestBudgets holds what the work of every message allocates, all answers being at
// hand. Times are measured (BENCHMARKS.md) and not tested; what is allocated does not depend on
// who else uses the machine.
func TestBudgets(t *testing.T) {
	const field = " mx.victim.example;\r\n spf=pass smtp.mailfrom=bounces@mail.bank.example;\r\n" +
		" dkim=pass header.d=bank.example header.s=sel header.a=rsa-sha256\r\n header.b=\"ab/cdefg\";\r\n" +
		" dkim=fail (body hash differs) header.d=list.example header.b=Qgi4FoC0;\r\n" +
		" dmarc=pass header.from=bank.example policy.dmarc=reject;\r\n arc=none"
	header, err := authres.Parse(field)
	require.NoError(t, err)
	check := func(zone string) func() {
		v := &spf.Verifier{Resolver: spfRecords[zone]}
		s := spf.Session{IP: netip.MustParseAddr("192.0.2.9"), HELO: "mx.v.example", MailFrom: "u@v.example"}
		require.Equal(t, spf.Pass, v.MailFrom(context.Background(), s).Status)
		return func() { v.MailFrom(context.Background(), s) }
	}
	whole := func(arc bool) func() {
		evaluate, _, _ := wholeMessage(t, arc, true)
		return func() { evaluate() }
	}
	for _, c := range []struct {
		name          string
		times, octets float64 // at most
		run           func()
	}{
		{"SPF, flat record of 8 networks", 1, 32, check("flat")},
		{"SPF, tree of 10 look-ups", 8, 6200, check("tree")},
		{"Authentication-Results, parse", 3, 1600, func() { _, _ = authres.Parse(field) }},
		{"Authentication-Results, format", 1, 512, func() { _ = header.String() }},
		{"DMARC record", 2, 400, func() {
			_, _ = dmarc.ParseRecord("v=DMARC1; p=reject; rua=mailto:dmarc@bank.example; sp=none; adkim=s")
		}},
		{"whole message", 120, 42 << 10, whole(false)},
		{"whole message, ARC of 2", 200, 62 << 10, whole(true)},
	} {
		t.Run(c.name, func(t *testing.T) {
			times, octets := allocates(c.run)
			t.Logf("%.0f octets in %.0f", octets, times)
			require.LessOrEqual(t, times, c.times, "allocations")
			require.LessOrEqual(t, octets, c.octets, "octets")
		})
	}
	require.True(t, strings.HasPrefix(header.String(), "mx.victim.example"))
}
