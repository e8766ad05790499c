package failure_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestVariations has other headers of the class of REP-15, row/variation: no way to
// write an address shows its local part, and what is around it stays.
func TestVariations(t *testing.T) {
	for _, c := range []struct{ id, field, want string }{
		{"REP-15/atom", "Return-Path: <secret@x.example>", "Return-Path: <redacted@x.example>"},
		{"REP-15/verp", "Return-Path: <b+secret=y.example@x.example>", "Return-Path: <redacted@x.example>"},
		{"REP-15/quoted", `Return-Path: <"a secret"@x.example>`, "Return-Path: <redacted@x.example>"},
		{"REP-15/quoted-at", `Return-Path: <"secret b@c"@x.example>`, "Return-Path: <redacted@x.example>"},
		{"REP-15/quoted-quote", `Return-Path: <"secret \" b"@x.example>`, "Return-Path: <redacted@x.example>"},
		{"REP-15/quoted-word", `Return-Path: <secret."b c".secret@x.example>`, "Return-Path: <redacted@x.example>"},
		{"REP-15/backslash", `Return-Path: <secret\@a@x.example>`, "Return-Path: <redacted@redacted@x.example>"},
		{"REP-15/comment", "Received: for <secret(a comment)@x.example>; x", "Received: for <redacted@x.example>; x"},
		{"REP-15/blanks", "Received: for <secret @ x.example>; x", "Received: for <redacted@ x.example>; x"},
		{"REP-15/quoted-comment", `Received: for <"secret b@c" (a) @x.example>; x`, "Received: for <redacted@x.example>; x"},
		{"REP-15/utf8", "Return-Path: <\u00e9secret@x.example>", "Return-Path: <redacted@x.example>"},
		{"REP-15/source-route", "Return-Path: <@a.example,@b.example:secret@x.example>", "Return-Path: <@a.example,@b.example:redacted@x.example>"},
		{"REP-15/property", "Authentication-Results: mx; spf=pass smtp.mailfrom=secret@x.example; dkim=pass header.i=@y.example",
			"Authentication-Results: mx; spf=pass smtp.mailfrom=redacted@x.example;\r\n dkim=pass header.i=@y.example"},
		{"REP-15/quoted-property", `Authentication-Results: mx; spf=pass smtp.mailfrom="a secret"@x.example`, "Authentication-Results: mx; spf=pass smtp.mailfrom=redacted@x.example"},
		{"REP-15/quoted-value", `Received-SPF: pass (domain of secret@x.example) envelope-from="secret@x.example"; helo=mx.example`,
			`Received-SPF: pass (domain of redacted@x.example)` + "\r\n " + `envelope-from="redacted@x.example"; helo=mx.example`},
		{"REP-15/unclosed-quote", `Received: by "mx for secret@x.example`, `Received: by "mx for redacted@x.example`},
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
