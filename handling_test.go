package mailauth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// TestHandling walks through every outcome of DMARC under the zero Handling, with
// every action replaced, and with exceptions.
func TestHandling(t *testing.T) {
	const from = "From: <a@mail.bank.example>\r\n\r\n"
	record := func(policy string) *dnstest.Zone {
		return dnstest.MustParse(`{"_dmarc.mail.bank.example": {"TXT": [["v=DMARC1; p=` + policy + `"]]}}`)
	}
	all := mailauth.Actions{
		NoRecord: mailauth.Quarantine, None: mailauth.Reject, Quarantine: mailauth.Accept, Reject: mailauth.Accept,
		TempError: mailauth.Accept, PermError: mailauth.Defer, AmbiguousAuthor: mailauth.Quarantine,
	}
	exception := func(domain string, a mailauth.Actions) mailauth.Handling {
		return mailauth.Handling{HonorReject: true, Exceptions: []mailauth.Exception{{Domain: domain, Actions: a}}}
	}
	honor := mailauth.Handling{HonorReject: true}
	noBudget := mailauth.DNSLimits{Queries: 1}
	for _, c := range []struct {
		name      string
		message   string
		zone      *dnstest.Zone
		dns       mailauth.DNSLimits
		handling  mailauth.Handling
		want      mailauth.Action
		reply     string
		exception string
	}{
		{name: "no record", zone: dnstest.MustParse("{}"), want: mailauth.Accept, reply: "250 2.0.0 OK"},
		{name: "none", zone: record("none"), want: mailauth.Accept, reply: "250 2.0.0 OK"},
		{name: "quarantine", zone: record("quarantine"), want: mailauth.Quarantine, reply: "250 2.0.0 OK"},
		{name: "reject", zone: record("reject"), want: mailauth.Quarantine, reply: "250 2.0.0 OK"},
		{name: "reject honoured", zone: record("reject"), handling: honor, want: mailauth.Reject, reply: "550 5.7.26 Email rejected per DMARC policy for mail.bank.example"},
		{name: "t=y is applied before", zone: record("reject; t=y"), handling: honor, want: mailauth.Quarantine, reply: "250 2.0.0 OK"},
		{name: "temperror", zone: record("reject").WithFault("_dmarc.mail.bank.example", 0, dnsutil.ErrServFail), want: mailauth.Defer, reply: "451 4.4.3 Unable to look up the DMARC policy of mail.bank.example: DNS error"},
		{name: "permerror", zone: dnstest.MustParse("{}"), dns: noBudget, want: mailauth.Quarantine, reply: "250 2.0.0 OK"},
		{name: "ambiguous", message: "From: <a@bank.example>, <b@attack.example>\r\n\r\n", zone: record("none"), want: mailauth.Reject, reply: "550 5.7.1 Message does not have exactly one usable author domain in its From field"},

		{name: "no record replaced", zone: dnstest.MustParse("{}"), handling: mailauth.Handling{Actions: all}, want: mailauth.Quarantine},
		{name: "none replaced", zone: record("none"), handling: mailauth.Handling{Actions: all}, want: mailauth.Reject},
		{name: "quarantine replaced", zone: record("quarantine"), handling: mailauth.Handling{Actions: all}, want: mailauth.Accept},
		{name: "reject replaced", zone: record("reject"), handling: mailauth.Handling{Actions: all, HonorReject: true}, want: mailauth.Accept},
		{name: "temperror replaced", zone: record("reject").WithFault("_dmarc.mail.bank.example", 0, dnsutil.ErrServFail), handling: mailauth.Handling{Actions: all}, want: mailauth.Accept},
		{name: "permerror replaced", zone: dnstest.MustParse("{}"), dns: noBudget, handling: mailauth.Handling{Actions: all}, want: mailauth.Defer,
			reply: "451 4.7.1 Email deferred: the author domain mail.bank.example could not be authenticated"},
		{name: "ambiguous replaced", message: "Subject: x\r\n\r\n", zone: record("none"), handling: mailauth.Handling{Actions: all}, want: mailauth.Quarantine},

		{name: "reject deferred", zone: record("reject"), handling: mailauth.Handling{Actions: mailauth.Actions{Reject: mailauth.Defer}}, want: mailauth.Defer,
			reply: "451 4.7.26 Email deferred per DMARC policy for mail.bank.example"},
		{name: "ambiguous deferred", message: "Subject: x\r\n\r\n", zone: record("none"), handling: mailauth.Handling{Actions: mailauth.Actions{AmbiguousAuthor: mailauth.Defer}}, want: mailauth.Defer,
			reply: "451 4.7.1 Message does not have exactly one usable author domain in its From field"},
		{name: "no record rejected", zone: dnstest.MustParse("{}"), handling: mailauth.Handling{Actions: mailauth.Actions{NoRecord: mailauth.Reject}}, want: mailauth.Reject,
			reply: "550 5.7.1 Email rejected: the author domain mail.bank.example could not be authenticated"},
		{name: "exception by name", zone: record("reject"), handling: exception("mail.bank.example", all), want: mailauth.Accept, exception: "mail.bank.example"},
		{name: "exception in upper case", zone: record("reject"), handling: exception("MAIL.Bank.Example", all), want: mailauth.Accept, exception: "MAIL.Bank.Example"},
		{name: "exception by wildcard", zone: record("reject"), handling: exception("*.example", all), want: mailauth.Accept, exception: "*.example"},
		{name: "wildcard is not the domain itself", zone: record("reject"), handling: exception("*.mail.bank.example", all), want: mailauth.Reject},
		{name: "no suffix match within a label", zone: record("reject"), handling: exception("*.ank.example", all), want: mailauth.Reject},
		{name: "exception that leaves it open", zone: record("reject"), handling: exception("mail.bank.example", mailauth.Actions{None: mailauth.Reject}), want: mailauth.Reject},
		{name: "exception does not cover the ambiguous", message: "From: <a@mail.bank.example>\r\nFrom: <a@mail.bank.example>\r\n\r\n", zone: record("reject"), handling: exception("mail.bank.example", all), want: mailauth.Reject},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.message == "" {
				c.message = from
			}
			require.NoError(t, c.handling.Validate())
			e := mailauth.Evaluator{Resolver: c.zone, Handling: c.handling, DNS: c.dns}
			r, err := e.Evaluate(context.Background(), &mailauth.Message{Data: strings.NewReader(c.message)})
			require.NoError(t, err)
			require.Equal(t, c.want, r.Action)
			require.Equal(t, c.exception, r.Exception)
			if c.reply != "" {
				require.Equal(t, c.reply, r.SMTPReply().String())
			}
		})
	}
}

// TestExceptionOrder: the name itself before wildcards, the longer wildcard before
// the shorter, wherever they stand.
func TestExceptionOrder(t *testing.T) {
	x := func(d string, a mailauth.Action) mailauth.Exception {
		return mailauth.Exception{Domain: d, Actions: mailauth.Actions{Reject: a}}
	}
	short, long, self := x("*.example", mailauth.Accept), x("*.bank.example", mailauth.Defer), x("mail.bank.example", mailauth.Quarantine)
	z := dnstest.MustParse(`{"*": {"TXT": [["v=DMARC1; p=reject"]]}}`)
	for _, c := range []struct {
		list []mailauth.Exception
		want mailauth.Action
	}{
		{[]mailauth.Exception{short, long, self}, mailauth.Quarantine},
		{[]mailauth.Exception{self, long, short}, mailauth.Quarantine},
		{[]mailauth.Exception{short, long}, mailauth.Defer},
		{[]mailauth.Exception{long, short}, mailauth.Defer},
		{[]mailauth.Exception{short}, mailauth.Accept},
		{nil, mailauth.Reject},
	} {
		e := mailauth.Evaluator{Resolver: z, Handling: mailauth.Handling{HonorReject: true, Exceptions: c.list}}
		r, err := e.Evaluate(context.Background(), &mailauth.Message{Data: strings.NewReader("From: <a@mail.bank.example>\r\n\r\n")})
		require.NoError(t, err)
		require.Equal(t, c.want, r.Action)
	}
}

// Of several Author Domains the one with the strictest action decides, whichever has the
// strictest policy: an exception is for one of them.
func TestSeveralAuthors(t *testing.T) {
	const zone = `{"_dmarc.strict.example": {"TXT": [["v=DMARC1; p=reject"]]}, "_dmarc.mild.example": {"TXT": [["v=DMARC1; p=quarantine"]]},
		"_dmarc.down.example": {"error": "servfail"}, "_dmarc.none.example": {"TXT": [["v=DMARC1; p=none"]]}}`
	accept := func(d string) mailauth.Handling {
		return mailauth.Handling{Exceptions: []mailauth.Exception{{Domain: d, Actions: mailauth.Actions{Reject: mailauth.Accept, Quarantine: mailauth.Accept}}}}
	}
	for _, c := range []struct {
		from      string
		handling  mailauth.Handling
		want      mailauth.Action
		exception string
	}{
		{"a@strict.example", accept("strict.example"), mailauth.Accept, "strict.example"},
		{"a@strict.example, b@mild.example", accept("strict.example"), mailauth.Quarantine, ""},
		{"a@mild.example, b@strict.example", accept("strict.example"), mailauth.Quarantine, ""},
		{"a@strict.example, b@none.example", accept("strict.example"), mailauth.Accept, "strict.example"},
		{"a@strict.example, b@mild.example", accept("*.example"), mailauth.Accept, "*.example"},
		{"a@strict.example, b@mild.example", accept("mild.example"), mailauth.Quarantine, ""},
		{"a@strict.example, b@down.example", accept("strict.example"), mailauth.Defer, ""},
		{"a@strict.example, b@mild.example", mailauth.Handling{HonorReject: true}, mailauth.Reject, ""},
		{"a@strict.example, b@mild.example", mailauth.Handling{HonorReject: true, Exceptions: []mailauth.Exception{{Domain: "strict.example", Actions: mailauth.Actions{Reject: mailauth.Quarantine}}}}, mailauth.Quarantine, "strict.example"},
	} {
		e := mailauth.Evaluator{Resolver: dnstest.MustParse(zone), Handling: c.handling, Author: dmarc.AuthorOptions{SeveralDomains: true}}
		r, err := e.Evaluate(context.Background(), &mailauth.Message{Data: strings.NewReader("From: " + c.from + "\r\n\r\n")})
		require.NoError(t, err)
		require.Equal(t, c.want, r.Action, c.from)
		require.Equal(t, c.exception, r.Exception, c.from)
	}
}

func TestValidate(t *testing.T) {
	for _, d := range []string{"", "*", "*.", "*.*.example", "a..b", "foo.*.example", "192.0.2.1", "example.com."} {
		h := mailauth.Handling{Exceptions: []mailauth.Exception{{Domain: d}}}
		require.ErrorIs(t, h.Validate(), mailauth.ErrPattern, d)
	}
	h := mailauth.Handling{Actions: mailauth.Actions{Reject: "bounce"}}
	require.ErrorIs(t, h.Validate(), mailauth.ErrAction)
	h = mailauth.Handling{Exceptions: []mailauth.Exception{{Domain: "*.bücher.example", Actions: mailauth.Actions{None: "x"}}}}
	require.ErrorIs(t, h.Validate(), mailauth.ErrAction)
	require.Equal(t, "ErrAction", mailauth.ErrAction.Code())

	require.NoError(t, new(mailauth.Evaluator).Validate())
	require.NoError(t, (&mailauth.Evaluator{AuthservID: "mx.example.net"}).Validate())
	require.ErrorIs(t, (&mailauth.Evaluator{AuthservID: "mx\r\nX: y"}).Validate(), authres.ErrAuthservID)
	require.ErrorIs(t, (&mailauth.Evaluator{Handling: h}).Validate(), mailauth.ErrAction)
}

// TestP16ZeroValues (P16): nothing that was not evaluated is a pass.
func TestP16ZeroValues(t *testing.T) {
	var r mailauth.Result
	require.NotEqual(t, "pass", r.DMARC.Status.String())
	require.NotEqual(t, "pass", r.SPF.Status.String())
	require.Empty(t, r.DMARC.PassedBy())
	require.Empty(t, r.AuthenticationResults().String())
	require.NotContains(t, r.LogValue().String(), "pass")
	require.Equal(t, "451 4.7.1 Email deferred: it could not be evaluated", r.SMTPReply().String())
}
