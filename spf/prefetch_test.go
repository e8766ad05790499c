package spf

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// treeOf10 is an SPF tree of ten look-ups behind the first: four includes, of
// which each asks for more.
const treeOf10 = `
v.example.     TXT "v=spf1 include:a.example include:b.example include:c.example include:d.example -all"
a.example.     TXT "v=spf1 a:h1.a.example a:h2.a.example -all"
b.example.     TXT "v=spf1 include:e.b.example -all"
c.example.     TXT "v=spf1 exists:%{ir}.%{d} -all"
d.example.     TXT "v=spf1 mx a:h.d.example -all"
h1.a.example.  A 203.0.113.1
h2.a.example.  A 203.0.113.2
e.b.example.   TXT "v=spf1 ip4:203.0.113.0/24 -all"
8.2.0.192.c.example. A 127.0.0.2
d.example.     MX 10 m1.d.example.
d.example.     MX 20 h.d.example.
m1.d.example.  A 203.0.113.3
h.d.example.   A 192.0.2.9
`

func session(ip string) Session {
	return Session{IP: netip.MustParseAddr(ip), HELO: "mx.h.example", MailFrom: "a@v.example"}
}

func TestRoundTrips(t *testing.T) {
	zone := strings.ReplaceAll(treeOf10, "exists:%{ir}.%{d}", "exists:%{ir}.%{d} ?all")
	for _, c := range []struct {
		name   string
		zone   string
		none   bool
		trips  int
		result string
	}{
		{"tree of ten", zone, false, 4, "pass"}, // the mx host is the fourth: name, include, mx, host
		{"tree of ten without mx", strings.ReplaceAll(zone, "v=spf1 mx ", "v=spf1 a:m1.d.example "), false, 3, "pass"},
		{"tree of ten, one after another", strings.ReplaceAll(zone, "v=spf1 mx ", "v=spf1 a:m1.d.example "), true, 11, "pass"},
		{"one include", "v.example. TXT \"v=spf1 include:a.example\"\na.example. TXT \"v=spf1 +all\"\n", false, 2, "pass"},
		{"behind all", "v.example. TXT \"v=spf1 include:a.example +all include:b.example a\"\na.example. TXT \"v=spf1 -all\"\n", false, 2, "pass"},
		{"redirect", "v.example. TXT \"v=spf1 a:x.example redirect=a.example\"\na.example. TXT \"v=spf1 mx:b.example +all\"\nx.example. A 203.0.113.1\nb.example. MX 10 x.example.", false, 3, "pass"},
		{"flat", "v.example. TXT \"v=spf1 ip4:192.0.2.0/24 include:a.example\"\n", false, 1, "pass"},
		{"local-part is not shown ahead", "v.example. TXT \"v=spf1 a a:h.v.example exists:%{l}.v.example -all\"\nv.example. A 192.0.2.9\nh.v.example. A 203.0.113.1\n", false, 2, "pass"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				z := dnstest.MustParse(c.zone)
				z.Delay = 20 * time.Millisecond
				start := time.Now()
				r := (&Verifier{Resolver: z, NoPrefetch: c.none}).MailFrom(t.Context(), session("192.0.2.9"))
				require.Equal(t, c.result, r.Status.String(), "%v", r.Err)
				require.Equal(t, c.trips, int(time.Since(start)/z.Delay), "%q", z.Queries())
				for _, q := range z.Queries() {
					require.NotContains(t, q, "b.example. never")
					require.NotEqual(t, "A a.v.example.", q)
				}
			})
		})
	}
}

// Whatever prefetching does, the result is the one without it.
func TestPrefetchChangesNothing(t *testing.T) {
	for seed := range 300 {
		zone := randomZone(uint64(seed))
		want := (&Verifier{Resolver: zone.resolver(), NoPrefetch: true}).MailFrom(t.Context(), session("192.0.2.9"))
		synctest.Test(t, func(t *testing.T) {
			z := zone.resolver()
			z.Delay = time.Duration(1+seed%3) * time.Millisecond
			got := (&Verifier{Resolver: z}).MailFrom(t.Context(), session("192.0.2.9"))
			require.Equal(t, describe(want), describe(got), zone.text)
			require.LessOrEqual(t, len(z.Queries()), maxQueries+maxLookups+maxAheadHosts)
		})
	}
}

func TestTimeout(t *testing.T) {
	for _, c := range []struct {
		timeout, delay time.Duration
		want           string
	}{
		{0, 4 * time.Second, "pass"},
		{0, 21 * time.Second, "temperror"},
		{30 * time.Millisecond, 10 * time.Millisecond, "pass"},
		{29 * time.Millisecond, 15 * time.Millisecond, "temperror"},
	} {
		t.Run(fmt.Sprint(c.timeout, c.delay), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				z := dnstest.MustParse("v.example. TXT \"v=spf1 ptr include:a.example -all\"\na.example. TXT \"v=spf1 +all\"\n")
				z.Delay = c.delay
				start := time.Now()
				r := (&Verifier{Resolver: z, Timeout: c.timeout}).MailFrom(t.Context(), session("192.0.2.9"))
				require.Equal(t, c.want, r.Status.String(), "%v", r.Err)
				if r.Status == TempError {
					require.ErrorIs(t, r.Err, ErrTimeout)
					require.Equal(t, (&Verifier{Timeout: c.timeout}).timeout(), time.Since(start))
				}
			})
		})
	}
}
