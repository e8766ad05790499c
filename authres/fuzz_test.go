package authres

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

var seeds = []string{
	" example.org 1; none", "example.com;\r\n spf=pass smtp.mailfrom=example.net",
	"foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n policy (A dot can go here) . (like that) expired\r\n (this surprised me) = (as I wasn't expecting it) 1362471462",
	`mx; spf=fail smtp.mailfrom="x; dkim=pass header.d=bank.example; y"@attack.example`,
	`mx; spf=fail smtp.mailfrom="x\"; dkim=pass header.d=bank.example; y"@attack.example`,
	"mx 2; none", "mx; dkim/9=pass", "dkim=pass header.d=bank.example", "mx.victim.example; dkim=pass (",
	"mx; a=b x.y=u . \"v w\" (c) . x @a.example", "mx; a=b x.y=jösé@bücher.example", "mx; a=b reason=grün x.y=gr\xfcn",
	"spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=a.example;dmarc=pass action=none\n header.from=a.example;compauth=pass reason=100",
	"mx; a=b x.y=z reason=r;;", "mx; (((((((((((((((((((a=b", "mx; a=b x.y=\"\\\x00\"", "mx; none; a=b", `mx; c=d; a=b x.y="open; e=f`,
}

// FuzzParse is F14. What parses prints as something that parses to the same;
// what is not understood leaves no trace; strict is a part of lenient.
func FuzzParse(f *testing.F) {
	a := alphabet.Results()
	for _, s := range slices.Concat(seeds, testcase.Excerpts(" ", "authres", "rfc8601", "cases.json")) {
		a.Seed(f.Add, s)
	}
	for _, s := range testcase.Excerpts("Authentication-Results: ", "authres", "*", "cases.json") {
		a.Seed(f.Add, s[len("Authentication-Results:"):])
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		in := a.Text(data, folded)
		h, err := Parse(in)
		l, findings, lerr := ParseLenient(in)
		require.LessOrEqual(t, len(findings), maxFindings)
		if err == nil {
			require.NoError(t, lerr)
			require.Empty(t, findings)
			require.Equal(t, h, l)
			requireRoundTrip(t, h)
		} else {
			require.Equal(t, Header{}, h)
			require.NotEmpty(t, err.Error())
		}
		if lerr == nil {
			for _, r := range l.Results {
				require.True(t, utf8.ValidString(string(r.Method)+string(r.Status)+r.Comment+r.Reason))
			}
			requireRoundTrip(t, l)
		} else {
			require.Equal(t, Header{}, l)
		}
		// Whose a field is does not depend on how well the rest of it parses.
		forged := Forged(fields{fieldName + in}, "mx.example")
		if err == nil && isASCII(in) && !strings.ContainsAny(in, "\r\n\" ") {
			ours := strings.EqualFold(strings.TrimRight(h.AuthservID, "."), "mx.example")
			require.Equal(t, ours, forged != nil)
		}
		if h.IsFrom("mx.example") || l.IsFrom("mx.example") || lerr == nil && l.AuthservID == "" || errors.Is(lerr, ErrSyntax) || errors.Is(lerr, ErrVersion) {
			require.Equal(t, []int{0}, forged)
		}
	})
}

// requireRoundTrip formats what was parsed, and expects all of it that can be written.
func requireRoundTrip(t *testing.T, h Header) {
	t.Helper()
	want := h
	if want.id() == "" {
		require.Empty(t, h.String())
		return
	}
	want.AuthservID = want.id()
	want.Results = []Result{}
	for _, r := range h.Results {
		if !r.writable() {
			continue
		}
		keep := func(s string, n int) string {
			if len(s) > n || !printable(s, h.Internationalized) {
				return ""
			}
			return s
		}
		r.Comment, r.Reason = keep(r.Comment, MaxText), keep(r.Reason, MaxText)
		props := []Property{}
		for _, p := range r.Properties {
			if p.named() && len(p.Value) <= MaxValue && printable(p.Value, h.Internationalized) {
				props = append(props, p)
			}
		}
		r.Properties = props
		want.Results = append(want.Results, r)
	}
	if len(h.Results) > 0 && len(want.Results) == 0 {
		require.Empty(t, h.String())
		return
	}
	s := h.String()
	requireOneField(t, fieldName+s+"\r\n")
	back, err := Parse(s)
	require.NoError(t, err, s)
	if len(back.Results) < len(want.Results) { // cut at the length limit
		require.Greater(t, len(s), MaxLength-MaxProperties*1000)
		want.Results = want.Results[:len(back.Results)]
	}
	back.Internationalized = want.Internationalized // what was UTF-8 may be what was left out
	require.Equal(t, want, back)
}

// FuzzFormat is F15: whatever the strings are, one field comes out, and in it
// one result, which is ours. It prints nothing that is not printable, and no more
// than was asked for.
func FuzzFormat(f *testing.F) {
	a := alphabet.Results()
	for _, s := range append(slices.Clone(seeds), "a\r\nX-Inj: y", `d\"; dkim=pass header.d=bank.example; x="`, "bank\u0085.example", "o'neil@a.example") {
		f.Add("mx.example", "dkim", "pass", s, s, "header", "d", s, true, false)
		f.Add(s, s, s, "reason", "comment", s, s, "a.example", false, false)
		f.Add("mx.example", "dkim", "pass", string(a.Unfold(s)), string(a.Unfold(s)), "header", "d", string(a.Unfold(s)), false, true)
	}
	f.Fuzz(func(t *testing.T, id, method, status, reason, comment, ptype, name, value string, eai, folded bool) {
		reason, comment, value = a.Text([]byte(reason), folded), a.Text([]byte(comment), folded), a.Text([]byte(value), folded)
		h := Header{AuthservID: id, Version: 1, Internationalized: eai, Results: []Result{{
			Method: method, Version: 1, Status: Status(status), Reason: reason, Comment: comment,
			Properties: []Property{{ptype, name, value}},
		}}}
		field, err := h.Field()
		s := h.String()
		if err == nil {
			require.Equal(t, fieldName+s+"\r\n", field)
		}
		if s == "" {
			require.Error(t, err)
			return
		}
		if !eai {
			require.True(t, isASCII(s))
		}
		// Keywords are read in lower case.
		r := &h.Results[0]
		r.Method, r.Status = strings.ToLower(method), Status(strings.ToLower(status))
		r.Properties[0].Type, r.Properties[0].Name = strings.ToLower(ptype), strings.ToLower(name)
		requireRoundTrip(t, h)
	})
}
