package failure_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dmarc/failure"
)

// TestVariations has other headers of the class of REP-15, row/variation: no way to
// write an address shows its local part, and what is around it stays.
func TestVariations(t *testing.T) {
	for _, c := range []struct{ id, field, want string }{
		{"REP-15/atom", "Return-Path: <secret@x.example>", "Return-Path: <redacted@x.example>"},
		{"REP-15/verp", "Return-Path: <b+secret=y.example@x.example>", "Return-Path: <redacted@x.example>"},
		{"REP-15/quoted", `Return-Path: <"a secret"@x.example>`, "Return-Path: <redacted@x.example>"},
		{"REP-15/quoted-at", `Return-Path: <"secret b@c"@x.example>`, `Return-Path: <"redactedredacted@x.example>`},
		{"REP-15/quoted-quote", `Return-Path: <"secret \" b"@x.example>`, "Return-Path: <redacted@x.example>"},
		{"REP-15/quoted-pair", `Return-Path: <"secret \" b@c"@x.example>`, `Return-Path: <"redactedredacted@x.example>`},
		{"REP-15/quoted-pair-at", `Return-Path: <"secret b\@c"@x.example>`, "Return-Path: <redacted@x.example>"},
		{"REP-15/quoted-two", `Received: by x (a "secret@x.example and secret@y.example" b)`, `Received: by x (a "redacted@x.example and redacted@y.example" b)`},
		{"REP-15/quotes-before", `Received: by "x" "y" for secret@z.example`, `Received: by "x" "y" for redacted@z.example`},
		{"REP-15/comments", "Received: for <secret(a (b) c) (d)@x.example>; x", "Received: for <redacted@x.example>; x"},
		{"REP-15/comment-unopened", "Received: for secret) @x.example; x", "Received: for redacted@x.example; x"},
		{"REP-15/nothing-before", "Received: for @x.example, @y.example", "Received: redacted@x.example, @y.example"},
		{"REP-15/at-the-start", "Return-Path: secret@x.example", "Return-Path: redacted@x.example"},
		{"REP-15/quoted-word", `Return-Path: <secret."b c".secret@x.example>`, "Return-Path: <redacted@x.example>"},
		{"REP-15/backslash", `Return-Path: <secret\@a@x.example>`, "Return-Path: <redacted@redacted@x.example>"},
		{"REP-15/comment", "Received: for <secret(a comment)@x.example>; x", "Received: for <redacted@x.example>; x"},
		{"REP-15/blanks", "Received: for <secret @ x.example>; x", "Received: for <redacted@ x.example>; x"},
		{"REP-15/quoted-comment", `Received: for <"secret b@c" (a) @x.example>; x`, `Received: for <"redactedredacted@x.example>; x`},
		{"REP-15/utf8", "Return-Path: <\u00e9secret@x.example>", "Return-Path: <redacted@x.example>"},
		{"REP-15/source-route", "Return-Path: <@a.example,@b.example:secret@x.example>", "Return-Path: <@a.example,@b.example:redacted@x.example>"},
		{"REP-15/property", "Authentication-Results: mx; spf=pass smtp.mailfrom=secret@x.example; dkim=pass header.i=@y.example",
			"Authentication-Results: mx; spf=pass smtp.mailfrom=redacted@x.example;\r\n dkim=pass header.i=@y.example"},
		{"REP-15/quoted-property", `Authentication-Results: mx; spf=pass smtp.mailfrom="a secret"@x.example`, "Authentication-Results: mx; spf=pass smtp.mailfrom=redacted@x.example"},
		{"REP-15/quoted-value", `Received-SPF: pass (domain of secret@x.example) envelope-from="secret@x.example"; helo=mx.example`,
			`Received-SPF: pass (domain of redacted@x.example)` + "\r\n " + `envelope-from="redacted@x.example"; helo=mx.example`},
		{"REP-15/unclosed-quote", `Received: by "mx for secret@x.example`, `Received: by "redacted@x.example`},
		{"REP-15/display-name", `To: "Secret, Alice" <secret@x.example> (secret), =?utf-8?q?secret?= <secret@y.example>`, "To: <redacted@x.example>, <redacted@y.example>"},
		{"REP-15/group", "Cc: secret people: secret@x.example;", "Cc: <redacted@x.example>"},
		{"REP-15/links", "List-Id: HttPs://x.example/ http:x HTTP: shttp: http", "List-Id: hxxps://x.example/ hxxp:x hxxp: shxxp: http"},
	} {
		t.Run(c.id, func(t *testing.T) {
			in := incident(t)
			in.Message = []byte(c.field + "\r\n\r\nbody")
			r, err := in.Report()
			require.NoError(t, err)
			require.Equal(t, c.want+"\r\n", string(r.Original))
			require.NotContains(t, strings.ToLower(string(r.Original)), "secret")
		})
	}
}

// TestRedactLinear: a header that is built to be read again and again is read once, or this takes hours.
func TestRedactLinear(t *testing.T) {
	for _, piece := range []string{")", "(", "()", `"`, `"\`, `\"`, `""`, "@", "@)", `@"`, " ", "a", "=", "http", `"@`} {
		in := incident(t)
		in.Message = []byte("Received: " + strings.Repeat(piece, 250_000/len(piece)) + "@x.example\r\n\r\n")
		r, err := in.Report()
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(string(r.Original), "@x.example\r\n"))
	}
}

// TestReadVariations has reports whose parts or values are not where or what they should be, and what
// the reader remarks.
func TestReadVariations(t *testing.T) {
	const fields = "Feedback-Type: auth-failure\r\nUser-Agent: T/1\r\nVersion: 1\r\nAuth-Failure: dmarc\r\nIdentity-Alignment: dkim\r\n" +
		"Authentication-Results: mx.example; dmarc=fail\r\n"
	mail := func(parts ...string) string {
		return "From: <r@mx.example>\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=B" + fmt.Sprint(len(parts)) + "\r\n\r\n--B" + fmt.Sprint(len(parts)) +
			"\r\nContent-Type: " + strings.Join(parts, "\r\n--B"+fmt.Sprint(len(parts))+"\r\nContent-Type: ") + "\r\n--B" + fmt.Sprint(len(parts)) + "--\r\n"
	}
	const text, report, original = "text/plain\r\n\r\nhi", "message/feedback-report\r\n\r\n" + fields, "text/rfc822-headers\r\n\r\nSubject: x\r\n"
	good := mail(text, report, original)
	for name, c := range map[string]struct{ in, warnings string }{
		"good":                             {good, "[]"},
		"two reports":                      {mail(text, report, report, original), "[container]"},
		"a report in what is reported":     {mail(text, report, "message/rfc822\r\n\r\n"+mail(report, original)), "[]"},
		"only one in what is reported":     {mail(text, text, text, "message/rfc822\r\n\r\n"+good), "[container]"},
		"day of the week":                  {strings.Replace(good, "Version", "Arrival-Date: Mon, 21 Nov 2026 10:00:00 +0000\r\nVersion", 1), "[bad_value: arrival-date]"},
		"day of the week, right":           {strings.Replace(good, "Version", "Arrival-Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nVersion", 1), "[]"},
		"REP-06 half a literal":            {strings.Replace(good, "Version", "Source-IP: [192.0.2.1\r\nVersion", 1), "[bad_value: source-ip]"},
		"REP-06 the other half":            {strings.Replace(good, "Version", "Source-IP: 192.0.2.1]\r\nVersion", 1), "[bad_value: source-ip]"},
		"REP-06 a literal":                 {strings.Replace(good, "Version", "Source-IP: [IPv6:2001:db8::1]\r\nVersion", 1), "[]"},
		"REP-06 a zone":                    {strings.Replace(good, "Version", "Source-IP: fe80::1%eth0\r\nVersion", 1), "[bad_value: source-ip]"},
		"the first of two alone, repeated": {strings.Replace(good, "Version", "Auth-Failure: spf\r\nVersion", 1), "[repeated_field: auth-failure]"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := (&failure.Parser{}).Read(strings.NewReader(c.in))
			require.NoError(t, err)
			require.Equal(t, c.warnings, fmt.Sprint(r.Warnings))
			require.Equal(t, "auth-failure", r.FeedbackType)
		})
	}
}
