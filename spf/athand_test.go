package spf

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
)

// atHand is a memory with one answer, and a Resolver without a memory that has the same.
type atHand struct {
	answer dnsutil.Answer
	err    error
	panics bool
	asked  int
}

func (a *atHand) Lookup(_ context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	if a.panics {
		panic("adapter")
	}
	if a.asked++; t != dnsutil.TypeTXT || name != "v.example." {
		return dnsutil.Answer{NXDomain: true}, nil
	}
	return a.answer, a.err
}

func (a *atHand) Peek(name string, t dnsutil.Type) (dnsutil.Answer, bool, error) {
	answer, err := a.Lookup(context.Background(), name, t)
	return answer, true, err
}

// TestAtHandChangesNothing: the result of a check whose record is at hand is the one of
// a check that has to wait for it, in every field.
func TestAtHandChangesNothing(t *testing.T) {
	one := func(s ...string) *atHand { return &atHand{answer: dnsutil.Answer{TXT: s}} }
	var list []*atHand
	for _, s := range []string{
		"", " -all", " all", " ?all", " ~all -all", " ip4:192.0.2.0/24 -all", " ip4:192.0.2.9", " -ip4:192.0.2.9 +all", " ~ip4:192.0.2.9 all",
		" ip4:203.0.113.0/24", " ip4:203.0.113.0/24 ~all", " ip6:2001:db8::/32 -all", " IP6:2001:DB8::/32 ip4:0.0.0.0/0 ?all", " ip6:::ffff:192.0.2.9 -all",
		" -all exp=why.v.example", " all exp=why.v.example", " -all exp=%{l}.v.example", " ip4:192.0.2.9 exp=%{x}", " ip4:192.0.2.9 exp=a.example exp=a.example",
		" redirect=r.example", " all redirect=r.example", " ip4:192.0.2.9 redirect=%{l}.example", " all redirect=%{l}.example", " -all redirect=r.example redirect=r.example",
		" include:i.example -all", " ip4:192.0.2.9 include:i.example a mx", " all include:%{l}.example", " ip4:192.0.2.9 exists:%{s}.example", " ip4:203.0.113.1 exists:%{s}.example -all",
		" a -all", " mx", " ptr", " exists:e.example", " ip4:192.0.2.9 foo", " ip4:192.0.2.9 ip4:192.0.2.256", " x=%{l} all", " x=%{ all", " ip4:192.0.2.9 \x80", " +all\tx",
		" " + strings.Repeat("ip4:10.0.0.0/8 ", 499) + "all", " " + strings.Repeat("ip4:10.0.0.0/8 ", 500) + "all", strings.Repeat(" ", 10<<10),
	} {
		list = append(list, one("v=spf1"+s), one("V=SPF1"+s), one("other", "v=spf1"+s), one("v=spf1"+s, "v=spf1 -all"))
	}
	list = append(list, one(), one("v=spf10 all"), one("v=spf1 all", strings.Repeat("x", 256<<10)), one("v=spf1 all", strings.Repeat("x", 256<<10-200)),
		&atHand{answer: dnsutil.Answer{NXDomain: true}}, &atHand{answer: dnsutil.Answer{NXDomain: true, TXT: []string{"v=spf1 all"}}},
		&atHand{answer: dnsutil.Answer{TXT: []string{"v=spf1 all"}, Names: []string{"x."}}}, &atHand{err: errors.New("broken")}, &atHand{panics: true})
	decided := 0
	for _, a := range list {
		for _, ip := range []string{"192.0.2.9", "2001:db8::1", "::ffff:192.0.2.9"} {
			for _, v := range []Verifier{{}, {NoExplanation: true}, {MaxVoidLookups: -1}} {
				s := session(ip)
				near, far := v, v
				near.Resolver, far.Resolver = a, dnsutil.ResolverFunc(a.Lookup)
				a.asked = 0
				got := near.MailFrom(t.Context(), s)
				if a.asked == 1 && got.Err == nil {
					decided++
				}
				want := far.MailFrom(t.Context(), s)
				require.Equal(t, want.Status, got.Status, "%.200q", a.answer.TXT)
				text := func(err error) string {
					if err == nil {
						return ""
					}
					return err.Error()
				}
				require.Equal(t, text(want.Err), text(got.Err))
				want.Err, got.Err = nil, nil
				require.Equal(t, want, got, "%.200q", a.answer.TXT)
			}
		}
	}
	require.Greater(t, decided, 100)

	// What has ended has ended.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := (&Verifier{Resolver: one("v=spf1 all")}).MailFrom(ctx, Session{IP: netip.MustParseAddr("192.0.2.9"), MailFrom: "a@v.example"})
	require.Equal(t, TempError, r.Status)
}
