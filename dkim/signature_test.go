package dkim

import (
	"context"
	"crypto"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// TestIdentity: what an i= is read as; of one that is refused nothing is told.
func TestIdentity(t *testing.T) {
	for in, want := range map[string]string{
		"@bank.example":                      "@bank.example",
		"a@bank.example":                     "a@bank.example",
		"a.b@bank.example":                   "a.b@bank.example",
		"a.b.c@MAIL.bank.example":            "a.b.c@mail.bank.example",
		`""@bank.example`:                    `""@bank.example`,
		`"a\"b"@bank.example`:                `"a\"b"@bank.example`,
		`"a\\"@bank.example`:                 `"a\\"@bank.example`,
		`"a@evil.example"@bank.example`:      `"a@evil.example"@bank.example`,
		`"a..b"@bank.example`:                `"a..b"@bank.example`,
		"!#$%&'*+-/=3D?^_`{|}~@bank.example": "!#$%&'*+-/=?^_`{|}~@bank.example",
		"a=40bank.example":                   "a@bank.example",

		"":                       "",
		"@":                      "",
		"a":                      "",
		"a.":                     "",
		"bank.example":           "",
		"<bank.example":          "", // would be a domain behind the first octet
		"(bank.example":          "",
		`"a"`:                    "",
		`""`:                     "",
		".bank.example":          "",
		`"bank.example`:          "",
		`"`:                      "",
		`"a\`:                    "",
		`"a\"@bank.example`:      "",
		`"a"bank.example`:        "",
		`"a"b@bank.example`:      "",
		`"a=01"@bank.example`:    "",
		`"a=7F"@bank.example`:    "",
		`"a\=01"@bank.example`:   "",
		"a=7F@bank.example":      "",
		"a=1F@bank.example":      "",
		"a=20b@bank.example":     "",
		"a(@bank.example":        "",
		`a"@bank.example`:        "",
		`a\@bank.example`:        "",
		"a,b@bank.example":       "",
		".a@bank.example":        "",
		"a.@bank.example":        "",
		"a..b@bank.example":      "",
		".@bank.example":         "",
		"a@b..bank.example":      "",
		"a@bank.example=20":      "",
		"a=FF@bank.example":      "",
		"a=C3@bank.example":      "",
		"a@b=C3=A4.bank.example": "",
		"a=C3=A4=@bank.example":  "",
		"a@bank.example\u00a0":   "",
		"a=3Bb=20@bank.example":  "",
		"a@-.bank.example":       "",
		"a@[bank.example]":       "",
		"a@x_y.bank.example":     "",
		"CEO=20<a@bank.example>": "",
		"a@bank.example=00.x":    "",
		"a@b@bank.example":       "",
		"a@" + strings.Repeat("a", 64) + ".bank.example": "",
	} {
		var s Signature
		p := parseSignature(with(t0, "i="+in, bh(32), "b="+strings.Repeat("A", 88)), false, &s, nil)
		require.Equal(t, want, s.Identity, in)
		if want == "" {
			require.ErrorIs(t, p.err, ErrIdentity, in)
			require.True(t, p.identity.IsZero(), in)
		} else {
			require.NoError(t, p.err, in)
			require.True(t, p.identity.IsWithin(p.key.Domain), in)
		}
	}
}

// Zero is a length and a time like any other, and not the same as none.
func TestZeroTags(t *testing.T) {
	w := newWorld(t)
	results, _ := w.verify(t, Verifier{}, sigtest.Sign(w.kb, with(t0, "l=0", "t=0"), b0))
	s := results[0].Signature
	require.ErrorIs(t, results[0].Err, ErrBodyLength)
	require.NotNil(t, s.BodyLength)
	require.Zero(t, *s.BodyLength)
	require.Equal(t, time.Unix(0, 0).UTC(), s.Time)
	results, _ = w.verify(t, Verifier{}, sigtest.Sign(w.kb, with(t0, "x=0"), b0))
	require.ErrorIs(t, results[0].Err, ErrExpired)
	require.Equal(t, time.Unix(0, 0).UTC(), results[0].Signature.Expires)
	results, _ = w.verify(t, Verifier{}, sigtest.Sign(w.kb, t0, b0))
	require.Zero(t, results[0].Signature.Time)
	require.Zero(t, results[0].Signature.Expires)
	require.Nil(t, results[0].Signature.BodyLength)
}

// Of a z= that is refused nothing is told.
func TestCopiedFieldsOverTheLimit(t *testing.T) {
	w := newWorld(t)
	for n, want := range map[int]int{256: 256, 257: 0} {
		results, _ := w.verify(t, Verifier{}, sigtest.Sign(w.kb, with(t0, "z=a:b"+strings.Repeat("|a:b", n-1)), b0))
		require.Len(t, results[0].Signature.CopiedFields, want)
	}
	results, _ := w.verify(t, Verifier{}, sigtest.Sign(w.kb, with(t0, "z=a:b|c|d:e"), b0))
	require.ErrorIs(t, results[0].Err, ErrCopiedFields)
	require.Nil(t, results[0].Signature.CopiedFields)
	results, _ = w.verify(t, Verifier{}, sigtest.Sign(w.kb, with(t0, "z=a=7C:b| c=d :=20|e=3A:f"), b0))
	require.Equal(t, []CopiedField{{"a|", "b"}, {"c=d", " "}, {"e=3A", "f"}}, results[0].Signature.CopiedFields)
}

// A field of the first place, and a MIME field alone.
func TestCoverageEnds(t *testing.T) {
	w := newWorld(t)
	text := sigtest.Sign(w.kb, with(t0, "h=from:to:subject:date:message-id:content-type"), b0)
	field, rest, _ := strings.Cut(text, "\r\nFrom:")
	head, body, _ := strings.Cut(rest, "\r\n\r\n")
	results, _ := w.verify(t, Verifier{}, "From:"+head+"\r\n"+field+"\r\n\r\n"+body)
	require.NoError(t, results[0].Err)
	require.Equal(t, 7, results[0].Field)
	require.True(t, results[0].Coverage.Covers(0))
	require.Equal(t, []string{"mime-version"}, results[0].Coverage.Uncovered)
	require.True(t, results[0].Coverage.MIMEUncovered)
	results, _ = w.verify(t, Verifier{}, sigtest.Sign(w.kb, with(t0, "h=from:to:subject:date:message-id:mime-version:content-type"),
		"List-Unsubscribe-Post: x\r\n"+b0))
	require.Equal(t, []string{"list-unsubscribe-post"}, results[0].Coverage.Uncovered)
	require.False(t, results[0].Coverage.MIMEUncovered)
}

// The hook sees a key once, however many signatures are made with it.
func TestKeyPolicyOnce(t *testing.T) {
	w := newWorld(t)
	n := 0
	v := Verifier{KeyPolicy: func(crypto.PublicKey) error { n++; return nil }}
	results, _ := w.verify(t, v, sigtest.Sign(w.kb, t0, sigtest.Sign(w.kb, t1, b0)))
	require.Equal(t, 1, n)
	require.Len(t, results, 2)
}

// A message with a defect, where that is not wanted at all.
func TestRefuseDefects(t *testing.T) {
	w := newWorld(t)
	text := sigtest.Sign(w.kb, t0, "X: \x00\r\n"+b0)
	results, _ := w.verify(t, Verifier{}, text)
	require.Equal(t, Pass, results[0].Status)
	results, _ = w.verify(t, Verifier{RefuseDefects: true}, text)
	require.Equal(t, PermError, results[0].Status)
	require.ErrorIs(t, results[0].Err, ErrDefect)
	require.ErrorContains(t, results[0].Err, string(message.NUL))
	results, _ = w.verify(t, Verifier{RefuseDefects: true}, replace("Statement", "Invoice")(text))
	require.ErrorIs(t, results[0].Err, ErrSignature, "what is wrong besides is said")
	results, _ = w.verify(t, Verifier{RefuseDefects: true}, sigtest.Sign(w.kb, t0, b0))
	require.Equal(t, Pass, results[0].Status)
}

// What has ended stays as it ended, whatever is called then.
func TestEnded(t *testing.T) {
	w := newWorld(t)
	v := Verifier{Resolver: w.zone.resolver(t), Now: clock}
	m := parse(t, sigtest.Sign(w.kb, t0, b0))
	vn := v.Start(context.Background(), m.Header())
	require.Equal(t, Pass, vn.Finish(m)[0].Status)
	vn.Abort()
	require.Equal(t, Pass, vn.Finish(nil)[0].Status)
	vn = v.Start(context.Background(), m.Header())
	vn.Abort()
	for range 2 {
		results := vn.Finish(m)
		require.Equal(t, TempError, results[0].Status)
		require.ErrorContains(t, results[0].Err, "aborted")
	}
}

// Well-formed signatures of strangers come before malformed ones.
func TestMalformedComeLast(t *testing.T) {
	w := newWorld(t)
	junk := "DKIM-Signature: v=1; d=bank.example; nonsense\r\n"
	results, _ := w.verify(t, Verifier{MaxSignatures: 1}, junk+sigtest.Sign(w.ka, with(t0, "d=attack.example"), b0))
	require.ErrorIs(t, results[0].Err, ErrNotExamined)
	require.Equal(t, Pass, results[1].Status, fmt.Sprint(results[1].Err))
}
