package arc

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// TestVariations has other chains of the classes of TestThreats, row/variation. Under
// an error the results of no set can be had; without one the chain passes.
func TestVariations(t *testing.T) {
	z := zone(t)
	with := func(change func(*sigtest.Set)) string {
		s := sigtest.Set{Instance: 1, Domain: "lists.example", Selector: "sel"}
		change(&s)
		return sigtest.Seal(ed(), s, b0)
	}
	as := func(old, to string) string {
		return with(func(s *sigtest.Set) { s.AS = strings.Replace(sigtest.AS, old, to, 1) })
	}
	ams := func(old, to string) string {
		return with(func(s *sigtest.Set) { s.AMS = strings.Replace(sigtest.AMS, old, to, 1) })
	}
	aar := func(text string) string { return with(func(s *sigtest.Set) { s.AAR = text }) }
	good, two := chainOf(1, b0), chainOf(2, b0)
	f := fields(two)
	second := sigtest.Set{Instance: 2, Domain: "lists.example", Selector: "sel", Results: "mx.lists.example; arc=pass"}
	for _, c := range []struct {
		id, text string
		want     error
	}{
		{"ARC-01/another author in the results", with(func(s *sigtest.Set) { s.Results = "mx.bank.example; dmarc=pass header.from=bank.example" }), nil},
		{"ARC-02/older set of another message", strings.Join(f[:3], "") + strings.Join(fields(chainOf(1, strings.Replace(b0, "Statement", "Lunch", 1)))[:3], "") + b0, ErrSignature},
		{"ARC-03/seal alone", fields(good)[0] + b0, ErrSetIncomplete},
		{"ARC-03/no results field", strings.Join(fields(good)[:2], "") + b0, ErrSetIncomplete},
		{"ARC-03/no signature", fields(good)[0] + fields(good)[2] + b0, ErrSetIncomplete},
		{"ARC-03/results changed", strings.Replace(good, "; none", "; dmarc=pass header.from=bank.example", 1), ErrSignature},
		{"ARC-05/only the second", strings.Join(f[:3], "") + b0, ErrSetGap},
		{"ARC-05/only the first", strings.Join(f[3:6], "") + b0, nil},
		{"ARC-05/order of fields", f[5] + f[0] + f[4] + f[2] + f[3] + f[1] + b0, nil},
		{"ARC-05/two seals", fields(good)[0] + good, ErrSetDuplicate},
		{"ARC-05/i hex", as("{i}", "0x1"), ErrInstance},
		{"ARC-05/i in words", as("{i}", "one"), ErrInstance},
		{"ARC-05/i quoted", as("{i}", "\"1\""), ErrInstance},
		{"ARC-05/i comma", as("{i}", "1,2"), ErrInstance},
		{"ARC-05/I", as("i={i}", "I={i}"), ErrInstance},
		{"ARC-05/i behind results", aar("{results}; i={i}"), ErrInstance},
		{"ARC-05/i colon", aar("i:{i}; {results}"), ErrInstance},
		{"ARC-05/i again later", aar("i={i}; mx.lists.example; i=2; dmarc=pass"), ErrInstance},
		{"ARC-05/i again last", aar("i={i}; mx.lists.example; dmarc=pass; (x) i\r\n =1"), ErrInstance},
		{"ARC-05/i again behind an open quote", aar(`i={i}; mx.lists.example; spf=pass reason="; i=2`), ErrInstance},
		{"ARC-05/i again behind an open comment", aar(`i={i}; mx.lists.example (; i=2`), ErrInstance},
		{"ARC-05/i in quotes behind an open comment", aar(`i={i}; mx.lists.example (x; spf=pass reason="; i=2"`), ErrInstance},
		{"ARC-05/i in quotes behind an open comment and more", aar(`i={i}; mx.lists.example (x; spf=pass reason="; i=2" (y) "z"`), ErrInstance},
		{"ARC-05/i in a quoted string", aar(`i={i}; mx.lists.example; spf=pass reason="; i=2; \"; i=3" smtp.helo=x`), nil},
		{"ARC-05/i in a comment", aar(`i={i} (; i=3); mx.lists.example (; i=2 (; i=4); "); none`), nil},
		{"ARC-05/i as a property", aar(`i={i}; mx.lists.example; dkim=pass header.i=@x.example; x-i=pass`), nil},
		{"ARC-05/too high for the sets", as("{i}", "50"), ErrSetGap},
		{"ARC-05/results of another instance", strings.Replace(good, "Results: i=1", "Results: i=2", 1), ErrSetGap},
		{"ARC-05/second results at the bottom", strings.Replace(good, "\r\n\r\n", "\r\nARC-Authentication-Results: i=1; mx.evil.example; dmarc=pass\r\n\r\n", 1), ErrSetDuplicate},
		{"ARC-05/seal in lower case twice", strings.ToLower(fields(good)[0][:8]) + fields(good)[0][8:] + good, ErrSetDuplicate},
		{"ARC-08/empty h", as("b={b}", "h=; b={b}"), ErrSealNames},
		{"ARC-08/h of ARC fields", as("b={b}", "h=arc-authentication-results; b={b}"), ErrSealNames},
		{"ARC-09/all of them", ams("from:to:subject:date", "from:ARC-Authentication-Results:ARC-Seal"), ErrARCSigned},
		{"ARC-09/with space", ams("from:to:subject:date", "from : Arc-Seal "), ErrARCSigned},
		{"ARC-10/From spelt otherwise", ams("from:to:", "FROM:to:"), nil},
		{"ARC-09/only empty names", ams("from:to:subject:date", ":::"), ErrFromNotSigned},
		{"ARC-10/l and L", ams("bh=", "L=0; l=; bh="), ErrLength},
		{"ARC-10/fromx", ams("from:to:", "fromx:to:"), ErrFromNotSigned},
		{"ARC-10/l of all", ams("bh=", "l=100000; bh="), ErrBodyLength},
		{"ARC-11/no a", as("a={a}; ", ""), ErrMissingTag},
		{"ARC-11/a of the other", as("a={a}", "a=rsa-sha256"), ErrKeyType},
		{"ARC-11/no key", as("s={s}", "s=none"), ErrNoKey},
		{"ARC-12/cv empty", as("cv={cv}", "cv="), ErrChainValidation},
		{"ARC-12/no cv", as("cv={cv}; ", ""), ErrChainValidation},
		{"ARC-12/cv pass at first", as("cv={cv}", "cv=pass"), ErrChainValidation},
		{"ARC-12/cv with a long s", sigtest.Seal(ed(), sigtest.Set{Instance: 2, Domain: "lists.example", Selector: "sel", CV: "pa\u017fs"}, good), ErrChainValidation},
		{"ARC-12/cv in capitals", sigtest.Seal(ed(), sigtest.Set{Instance: 2, Domain: "lists.example", Selector: "sel", CV: "PASS"}, good), nil},
		{"ARC-12/cv quoted", as("cv={cv}", `cv="none"`), ErrChainValidation},
		{"ARC-12/cv two words", as("cv={cv}", "cv=none pass"), ErrChainValidation},
		{"ARC-12/cv fail in capitals", as("cv={cv}", "cv=\r\n FAIL "), ErrChainFailed},
		{"ARC-12/cv none at second", sigtest.Seal(ed(), sigtest.Set{Instance: 2, Domain: "lists.example", Selector: "sel", CV: "none"}, good), ErrChainValidation},
		{"ARC-12/b not base64", as("b={b}", "b=!!!!"), ErrSignatureData},
		{"ARC-12/b empty", as("b={b}", "b="), ErrSignatureData},
		{"ARC-15/fail below pass", func() string {
			s := second
			s.CV, s.Alone = "fail", true
			third := sigtest.Set{Instance: 3, Domain: "lists.example", Selector: "sel"}
			return sigtest.Seal(ed(), third, sigtest.Seal(ed(), s, good))
		}(), ErrChainValidation},
		{"ARC-19/body changed", two + "footer\r\n", ErrBodyHash},
		{"ARC-19/header changed", strings.Replace(two, "Subject: ", "Subject: [l] ", 1), ErrSignature},
		{"ARC-19/refolded", strings.Replace(two, "Subject: Statement", "SUBJECT:\r\n\tStatement ", 1), nil},
		{"ARC-20/d of another", as("d={d}", "d=bank.example"), ErrKeyType},
		{"ARC-20/d without dot", as("d={d}", "d=example"), ErrDomain},
		{"ARC-20/s NUL", as("s={s}", "s=sel\x00"), ErrTagList},
		{"ARC-20/d with space", as("d={d}", "d=lists .example"), ErrDomain},
		{"ARC-20/d soft hyphen", as("d={d}", "d=li\u00adsts.example"), ErrDomain},
		{"ARC-23/AMS twice", ams("bh=", "s=sel; bh="), ErrTagList},
		{"ARC-23/AMS ;;", ams("; bh=", ";; bh="), ErrTagList},
		{"ARC-23/AMS unknown", ams("bh=", "zz=1; bh="), nil},
		{"ARC-23/comma", as("; s=", ", s="), someError},
	} {
		t.Run(c.id, func(t *testing.T) {
			r := verify(t, z, c.text)
			if c.want == nil {
				require.NoError(t, r.Err)
				require.Equal(t, Pass, r.Status)
				return
			}
			require.Equal(t, Fail, r.Status)
			if c.want != someError {
				require.ErrorIs(t, r.Err, c.want)
			}
			require.Nil(t, r.Sealers())
			for i := range r.Sets {
				_, ok := r.Sets[i].Results()
				require.False(t, ok)
			}
		})
	}
}
