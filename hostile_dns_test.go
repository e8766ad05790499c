package mailauth_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// hostile is a DNS in which everything of the attacker's is as bad as it can be, and
// everything of the victim's is answered at once.
type hostile struct {
	victim *dnstest.Zone
	attack func(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error)
}

func (h hostile) Lookup(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	if strings.HasSuffix(name, "attack.example.") {
		return h.attack(ctx, name, t)
	}
	return h.victim.Lookup(ctx, name, t)
}

// everything is a message that makes the attacker's DNS work for all protocols: SPF by
// MAIL FROM and HELO, more signatures than are verified, a chain of sets, and an author
// below the victim whose policy takes a walk and a look at whether the name exists.
func everything() (mailauth.Session, string) {
	const sig = " a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s%d; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=%s\r\n"
	b := strings.Repeat("QUJD", 85) + "QQ=="
	var m strings.Builder
	for i := 20; i > 0; i-- {
		d := fmt.Sprintf("arc%d.attack.example", i)
		fmt.Fprintf(&m, "ARC-Seal: i=%d; cv=%s; a=rsa-sha256; d=%s; s=s; b=%s\r\n", i, map[bool]string{true: "none", false: "pass"}[i == 1], d, b)
		fmt.Fprintf(&m, "ARC-Message-Signature: i=%d;"+sig, i, d, i, b)
		fmt.Fprintf(&m, "ARC-Authentication-Results: i=%d; mx; dmarc=pass header.from=x.y.bank.example\r\n", i)
	}
	for i := range 12 {
		fmt.Fprintf(&m, "DKIM-Signature: v=1;"+sig, fmt.Sprintf("d%d.attack.example", i), i, b)
	}
	m.WriteString("From: <ceo@x.y.bank.example>\r\n" + amplified)
	return mailauth.Session{IP: ip("192.0.2.1"), HELO: "mx.attack.example", MailFrom: "a@m.attack.example", Receiver: "mx.victim.example", Time: receipt}, m.String()
}

// Whatever an attacker's DNS does, a message in the name of a domain whose DNS works is
// judged by that domain's policy: nobody turns a reject into "come back later", or worse
// into nothing, by servers and records of their own.
func TestHostileDNS(t *testing.T) {
	victim := dnstest.MustParse("_dmarc.bank.example. TXT \"v=DMARC1; p=none; sp=none; np=reject\"\ny.bank.example. A 198.51.100.1\n")
	s, msg := everything()
	long := strings.Repeat("x", 60000)
	answer := func(a dnsutil.Answer, err error) func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) {
		return func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) { return a, err }
	}
	wait := func(d time.Duration, a dnsutil.Answer, err error) func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) {
		return func(ctx context.Context, _ string, _ dnsutil.Type) (dnsutil.Answer, error) {
			select {
			case <-time.After(d):
				return a, err
			case <-ctx.Done():
				return dnsutil.Answer{}, ctx.Err()
			}
		}
	}
	spfTree := txt("v=spf1 include:%{i}.a.attack.example include:b.attack.example mx:c.attack.example mx:d.attack.example ptr exists:%{p}.attack.example a:e.attack.example -all")
	spfTree.MX = []dnsutil.MX{{Host: "m1.attack.example."}, {Host: "m2.attack.example."}, {Host: "m3.attack.example."}}
	for name, attack := range map[string]func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error){
		"never answers":     wait(time.Hour, dnsutil.Answer{}, nil),
		"answers late":      wait(9*time.Second, spfTree, nil),
		"fails late":        wait(9*time.Second, dnsutil.Answer{}, dnsutil.ErrServFail),
		"fails":             answer(dnsutil.Answer{}, dnsutil.ErrServFail),
		"a tree":            answer(spfTree, nil),
		"large answers":     answer(txt("v=spf1 +all "+long), nil),
		"many records":      answer(dnsutil.Answer{TXT: strings.Split(strings.Repeat("v=DMARC1; p=none|", 500), "|")}, nil),
		"everything is":     answer(txt("v=spf1 +all"), nil),
		"policies all over": answer(txt("v=DMARC1; p=none; psd=y"), nil),
		"names that bite":   answer(dnsutil.Answer{MX: []dnsutil.MX{{Host: "a\\.b."}}, Names: []string{"\\000."}, Chain: []string{"bank.example."}}, nil),
		"panics":            func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) { panic("attack") },
		"ignores its context": func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) {
			time.Sleep(time.Hour)
			return dnsutil.Answer{}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := mailauth.Evaluator{Resolver: hostile{victim, attack}, Handling: mailauth.Handling{HonorReject: true}, TrustedSealers: []string{"lists.example"}}
				start := time.Now()
				r, err := e.Evaluate(t.Context(), &mailauth.Message{Session: s, Data: strings.NewReader(msg)})
				require.NoError(t, err)
				require.LessOrEqual(t, time.Since(start), 31*time.Second)
				require.Equal(t, authres.Fail, r.DMARC.Status, "%v; %v", r.DMARC.Err, verdict(r))
				require.Equal(t, mailauth.Reject, r.Action)
				require.LessOrEqual(t, len(r.Queries), 100)
				time.Sleep(2 * time.Hour) // what did not heed its context ends
			})
		})
	}
}
