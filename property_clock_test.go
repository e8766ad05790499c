package mailauth_test

import (
	"fmt"
	"go/ast"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// Times hold to the second: x= is the last second of a signature, t= may be an hour
// ahead and no second more (decision 22), by the time of receipt and no other clock.
func TestP15Times(t *testing.T) {
	const from = "From: <ceo@bank.example>\r\n"
	key := sigtest.RSA(t, "rsa1024")
	zone := dnstest.MustParse("_dmarc.bank.example. TXT \"v=DMARC1; p=reject\"\nsel._domainkey.bank.example. TXT" + quoteTXT(sigtest.Record(key)))
	at := receipt.Truncate(time.Second)
	for _, c := range []struct {
		name, tags string
		first      time.Duration // of the time in which the signature is good, relative to at
		last       time.Duration // and the first instant after it
		early      error
		late       error
	}{
		{"x=", fmt.Sprintf("x=%d; ", at.Unix()), -100 * time.Hour, time.Second, nil, dkim.ErrExpired},
		{"t=", fmt.Sprintf("t=%d; ", at.Unix()), -time.Hour, 100 * time.Hour, dkim.ErrFuture, nil},
		{"t= and x=", fmt.Sprintf("t=%d; x=%d; ", at.Unix(), at.Unix()+1), -time.Hour, 2 * time.Second, dkim.ErrFuture, dkim.ErrExpired},
		{"neither", "", -100 * time.Hour, 100 * time.Hour, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dkimText := signed(t, c.tags+"h=from", from+amplified)
			arcText := sigtest.Seal(key, sigtest.Set{
				Domain: "bank.example", Selector: "sel", Instance: 1,
				AMS: strings.Replace(sigtest.AMS, "h=", c.tags+"h=", 1),
			}, from+amplified)
			check := func(now time.Time, want error) {
				e := mailauth.Evaluator{Resolver: zone}
				evaluate := func(text string) *mailauth.Result {
					r, err := e.Evaluate(t.Context(), &mailauth.Message{Session: mailauth.Session{Time: now}, Data: strings.NewReader(text)})
					require.NoError(t, err)
					return r
				}
				r, chain := evaluate(dkimText), evaluate(arcText).ARC
				if want == nil {
					require.Equal(t, authres.Pass, r.DKIM[0].Status, "%s: %v", now, r.DKIM[0].Err)
					require.Equal(t, authres.Pass, r.DMARC.Status)
					require.Equal(t, arc.Pass, chain.Status, "%s: %v", now, chain.Err)
					return
				}
				require.Equal(t, authres.PermError, r.DKIM[0].Status, now)
				require.ErrorIs(t, r.DKIM[0].Err, want)
				require.Equal(t, authres.Fail, r.DMARC.Status)
				require.Equal(t, arc.Fail, chain.Status, now)
				require.Equal(t, errorCode(want), chain.Code())
			}
			check(at.Add(c.first-time.Nanosecond), c.early)
			check(at.Add(c.first-time.Second), c.early)
			check(at.Add(c.first), nil)
			check(at, nil)
			check(at.Add(time.Nanosecond), nil)
			check(at.Add(c.last-time.Nanosecond), nil)
			check(at.Add(c.last-time.Second), nil)
			check(at.Add(c.last), c.late)
			// A time is an instant, not what clocks show somewhere.
			check(at.Add(c.last).In(time.FixedZone("", 14*3600)), c.late)
			check(at.In(time.FixedZone("", -12*3600)), nil)
		})
	}
}

// clocks are the packages that may look at the system's clock, and what for.
var clocks = map[string]string{
	".":                 "default of Session.Time",
	"arc":               "defaults of Sealer.Now and Verifier.Now",
	"bimi":              "default of Verifier.Now",
	"bimi/fetch":        "default of Fetcher.Now; deadlines",
	"bimi/markcert":     "default of Verifier.Now",
	"dkim":              "defaults of Signer.Now and Verifier.Now",
	"dnsutil":           "default of Cache.Now",
	"dnsutil/dnsclient": "deadlines; when to read resolv.conf again",
	"dnsutil/dnstest":   "log of a test",
	"internal/lookup":   "deadlines",
	"spf":               "default of Verifier.Now; deadlines",
}

// Nobody else looks at the clock: what a verdict says of times it says of the time it was given.
func TestP15OnlyInjectedClocks(t *testing.T) {
	_, dirs := parseSources(t, 0)
	used := map[string]bool{}
	for _, d := range dirs {
		if d.isMain() || strings.HasPrefix(d.path, "examples/") {
			continue
		}
		for _, f := range d.files {
			if f.test {
				continue
			}
			ast.Inspect(f.ast, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && (sel.Sel.Name == "Now" || sel.Sel.Name == "Since" || sel.Sel.Name == "Until") {
					used[d.path] = true
					if clocks[d.path] == "" {
						t.Errorf("%s looks at the clock", f.name)
					}
				}
				return true
			})
		}
	}
	for name := range clocks {
		if !used[name] {
			t.Errorf("%s does not look at the clock any more", name)
		}
	}
}
