package authres

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type fields []string

func (f fields) Len() int         { return len(f) }
func (f fields) Raw(i int) []byte { return []byte(f[i]) }

func TestForged(t *testing.T) {
	const ours = "mx.victim.example"
	for name, c := range map[string]struct {
		field  string
		forged bool
		all    bool // found by All
	}{
		"ours":                       {"Authentication-Results: mx.victim.example; none\r\n", true, true},
		"foreign":                    {"Authentication-Results: mx.other.example; none\r\n", false, true},
		"foreign, ours in a value":   {"Authentication-Results: mx.other.example; dkim=pass header.d=mx.victim.example\r\n", false, true},
		"foreign, ours in a comment": {"Authentication-Results: (mx.victim.example) mx.other.example; none\r\n", false, true},
		"foreign, broken behind id":  {"Authentication-Results: mx.other.example; dkim=pass (\r\n", false, true},
		"foreign, id alone":          {"Authentication-Results: mx.other.example\r\n", false, true},
		"foreign, version 1":         {"Authentication-Results: mx.other.example 1; none\r\n", false, true},
		"name below ours":            {"Authentication-Results: a.mx.victim.example; none\r\n", false, true},
		"name above ours":            {"Authentication-Results: victim.example; none\r\n", false, true},
		"any case":                   {"AUTHENTICATION-results: MX.Victim.EXAMPLE; none\r\n", true, true},
		"blank before colon":         {"Authentication-Results :mx.victim.example; none\r\n", true, true},
		"fold before colon":          {"Authentication-Results\r\n : mx.victim.example; none\r\n", true, true},
		"NUL in name":                {"Authentication-Results\x00: mx.victim.example; none\r\n", true, true},
		"zero width in name":         {"Authentication\u200b-Results: mx.victim.example; none\r\n", true, true},
		"folded value":               {"Authentication-Results:\r\n\t\r\n mx.victim.example;\r\n none\r\n", true, true},
		"comment before id":          {"Authentication-Results: (a (b) \\)) mx.victim.example; none\r\n", true, true},
		"quoted":                     {"Authentication-Results: \"mx.victim.example\"; none\r\n", true, true},
		"quoted with escapes":        {"Authentication-Results: \"mx.\\victim.example\"; none\r\n", true, true},
		"quoted with blanks":         {"Authentication-Results: \" mx.victim. example\"; none\r\n", true, true},
		"quoted with zero width":     {"Authentication-Results: \"mx.vic\u200btim.example\"; none\r\n", true, true},
		"final dot":                  {"Authentication-Results: mx.victim.example.; none\r\n", true, true},
		"ours, version 2":            {"Authentication-Results: mx.victim.example 2; none\r\n", true, true},
		"foreign, version 2":         {"Authentication-Results: mx.other.example 2; none\r\n", true, true},
		"foreign, junk behind id":    {"Authentication-Results: mx.other.example mx.victim.example; none\r\n", true, true},
		"foreign, quote behind id":   {"Authentication-Results: mx.other.example\"; none\r\n", true, true},
		"no id":                      {"Authentication-Results: dkim=pass header.d=bank.example\r\n", true, true},
		"no id, method version":      {"Authentication-Results: dkim/1=pass header.d=bank.example\r\n", true, true},
		"id is an encoded word":      {"Authentication-Results: =?utf-8?q?mx.victim.example?=; none\r\n", true, true},
		"id is raw 8-bit":            {"Authentication-Results: mx.v\xffctim.example; none\r\n", true, true},
		"empty":                      {"Authentication-Results:\r\n", true, true},
		"unclosed comment":           {"Authentication-Results: (mx.other.example; none\r\n", true, true},
		"unclosed quote":             {"Authentication-Results: \"mx.other.example; none\r\n", true, true},
		"no line end":                {"Authentication-Results: mx.victim.example; none", true, true},
		"hidden by LF":               {"X-A: b\nAuthentication-Results: mx.other.example; none\r\n", true, true},
		"hidden by CR":               {"X-A: b\rAuthentication-Results : mx.other.example; none\r\n", true, true},
		"hidden in foreign":          {"Authentication-Results: mx.other.example; none\nAuthentication-Results: mx.victim.example; none\r\n", true, true},
		"hidden by LF, long name":    {"X-A: b\nAuthentication-Results" + strings.Repeat(" ", 200) + ": mx.victim.example; none\r\n", true, true},
		"hidden by LF, other lines":  {"X-A: b\nAuthentication-Results\n : mx.victim.example; none\nX: y\r\n", true, true},
		"hidden by VT":               {"X-A: b\vAuthentication-Results: mx.victim.example; none\r\n", true, true},
		"hidden by NEL":              {"Subject: b\u0085Authentication-Results: mx.victim.example; none\r\n", true, true},
		"hidden by NEL in Latin-1":   {"Subject: b\x85Authentication-Results: mx.victim.example; none\r\n", true, true},
		"hidden by U+2028":           {"Subject: b\u2028Authentication-Results: mx.victim.example; none\r\n", true, true},
		"hidden in foreign by FF":    {"Authentication-Results: mx.other.example; none\fAuthentication-Results: mx.victim.example; none\r\n", true, true},
		"blank before the name":      {" Authentication-Results: mx.victim.example; none\r\n", true, true},
		"blank before, foreign":      {"\tAuthentication-Results: mx.other.example; none\r\n", false, true},
		"ideographic full stop":      {"Authentication-Results: \"mx\u3002victim\u3002example\"; none\r\n", true, true},
		"wide letters":               {"Authentication-Results: \"mx.\uff56ictim.example\"; none\r\n", true, true},
		"Kelvin sign":                {"Authentication-Results: \"mx.other.\u212aexample\"; none\r\n", true, true},
		"foreign, U-label":           {"Authentication-Results: \"mx.b\u00fccher.example\"; none\r\n", false, true},
		"foreign, invisible":         {"Authentication-Results: \"mx.oth\u200ber.example\"; none\r\n", false, true},
		"mentioned behind VT SP":     {"Subject: x\v Authentication-Results: mx.victim.example; none\r\n", false, false},
		"mentioned in a fold":        {"Subject: x\r\n Authentication-Results: mx.victim.example; none\r\n", false, false},
		"mentioned behind LF SP":     {"Subject: x\n Authentication-Results: mx.victim.example; none\r\n", false, false},
		"mentioned":                  {"Subject: Authentication-Results: mx.victim.example; none\r\n", false, false},
		"ARC":                        {"ARC-Authentication-Results: i=1; mx.victim.example; none\r\n", false, false},
		"shorter name":               {"Authentication-Result: mx.victim.example; none\r\n", false, false},
		"longer name":                {"Authentication-Results-X: mx.victim.example; none\r\n", false, false},
		"no colon":                   {"Authentication-Results mx.victim.example\r\n", false, false},
		"nothing":                    {"", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			want, all := []int(nil), []int(nil)
			if c.forged {
				want = []int{1}
			}
			if c.all {
				all = []int{1}
			}
			f := fields{"Subject: one\r\n", c.field, "To: two\r\n"}
			require.Equal(t, want, Forged(f, "other.id.example", ours))
			require.Equal(t, all, All(f))
		})
	}
	t.Run("U-label and A-label", func(t *testing.T) {
		f := fields{
			"Authentication-Results: mx.xn--bcher-kva.example; none\r\n",
			"Authentication-Results: \"mx.BÜCHER.example\"; none\r\n",
			"Authentication-Results: mx.bucher.example; none\r\n",
		}
		require.Equal(t, []int{0, 1}, Forged(f, "mx.bücher.example"))
		require.Equal(t, []int{0, 1}, Forged(f, "MX.xn--BCHER-kva.example"))
	})
	t.Run("id that is no domain", func(t *testing.T) {
		f := fields{"Authentication-Results: \"Our Gate\"; none\r\n", "Authentication-Results: \"grün\"; none\r\n"}
		require.Equal(t, []int{0}, Forged(f, "our gate"))
		require.Equal(t, []int{1}, Forged(f, "GRÜN"))
		require.Nil(t, Forged(f))
	})
	t.Run("empty header", func(t *testing.T) {
		require.Nil(t, Forged(fields{}, ours))
		require.Nil(t, All(fields{}))
	})
}

func TestIsFrom(t *testing.T) {
	h := header("MX.Bücher.example")
	require.True(t, h.IsFrom("a.example", "mx.xn--bcher-kva.example"))
	require.True(t, h.IsFrom("mx.bücher.EXAMPLE"))
	require.False(t, h.IsFrom("bücher.example"))
	require.False(t, h.IsFrom("mx.bücher.example."))
	require.False(t, h.IsFrom())
	require.False(t, Header{}.IsFrom(""))
	require.False(t, header("mx.\u200bx.example").IsFrom("mx.x.example"), "what cannot be seen is ignored to remove, never to believe")
}

func TestFind(t *testing.T) {
	h, err := Parse(strings.Join([]string{"mx",
		"dkim=pass header.d=a.example bogus.x=y",
		"dkim/9=pass header.d=b.example",
		"dkim=excellent header.d=c.example",
		"DKIM=FAIL header.d=d.example",
		"dkim=pass header.d=e.example header.b=abcdefgh",
		"dkim=fail header.d=e.example header.b=abcdefgh",
		"dkim=pass header.d=f.example header.b=ABCDEFGH",
		"x-dkim=pass",
		"spf=softfail smtp.mailfrom=a.example",
		"dmarc=policy",
		"arc=fail"}, "; "))
	require.NoError(t, err)
	require.Len(t, h.Results, 11)
	require.Equal(t, []Result{
		result("dkim", Pass, "header", "d", "a.example"),
		result("dkim", Fail, "header", "d", "d.example"),
		result("dkim", Pass, "header", "d", "f.example", "header", "b", "ABCDEFGH"),
	}, h.Find("DKIM"))
	require.Len(t, h.Results[0].Properties, 2, "Find must not touch the parse tree")
	require.Equal(t, []Result{result("spf", SoftFail, "smtp", "mailfrom", "a.example")}, h.Find("spf"))
	require.Equal(t, []Result{result("arc", Fail)}, h.Find("arc"))
	require.Empty(t, h.Find("x-dkim"))
	require.Empty(t, h.Find("dmarc"))
	require.Empty(t, h.Find(""))

	v, ok := h.Find("spf")[0].Property("SMTP", "MailFrom")
	require.True(t, ok)
	require.Equal(t, "a.example", v)
	v, ok = h.Find("spf")[0].Property("header", "mailfrom")
	require.False(t, ok)
	require.Empty(t, v)
}

func TestRegistered(t *testing.T) {
	for method, words := range map[string]string{
		"auth": "none pass fail temperror permerror", "dkim": "none pass fail policy neutral temperror permerror",
		"domainkeys": "none pass fail policy neutral temperror permerror", "spf": "none pass fail softfail policy neutral temperror permerror",
		"sender-id": "none pass fail softfail policy neutral temperror permerror", "iprev": "pass fail temperror permerror",
		"dmarc": "none pass fail temperror permerror", "arc": "none pass fail", "bimi": "none pass fail temperror declined skipped",
		"dnswl": "none pass temperror permerror", "smime": "none pass fail policy neutral temperror permerror",
		"rrvs": "none unknown pass fail temperror permerror", "vbr": "none pass fail temperror permerror",
		"dkim-atps": "none pass fail temperror permerror", "dkim-adsp": "none pass unknown fail discard nxdomain temperror permerror",
	} {
		for _, w := range []Status{"", None, Pass, Fail, SoftFail, Neutral, Policy, TempError, PermError, "declined", "skipped", "unknown", "discard", "nxdomain", "hardfail"} {
			require.Equal(t, w != "" && strings.Contains(" "+words+" ", " "+string(w)+" "), registered(method, w), "%s=%s", method, w)
		}
	}
}

func TestSignatureTags(t *testing.T) {
	long := strings.Repeat("x", 70)
	for name, c := range map[string]struct{ in, want []string }{
		"nothing":     {nil, []string{}},
		"one":         {[]string{"abcdefghijkl"}, []string{"abcdefgh"}},
		"short":       {[]string{"abc", ""}, []string{"abc", ""}},
		"different":   {[]string{"abcdefghijkl", "bbcdefghijkl"}, []string{"abcdefgh", "bbcdefgh"}},
		"alike":       {[]string{"abcdefghijkl", "zzzzzzzzzzzz", "abcdefghiXkl"}, []string{"abcdefghij", "zzzzzzzz", "abcdefghiX"}},
		"prefix":      {[]string{"abcdefgh", "abcdefghi"}, []string{"abcdefgh", "abcdefghi"}},
		"the same":    {[]string{"abcdefghijkl", "abcdefghijkl"}, []string{"abcdefgh", "abcdefgh"}},
		"made for it": {[]string{long + "1", long + "2"}, []string{long[:64], long[:64]}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, SignatureTags(c.in)) })
	}
}
