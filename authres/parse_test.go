package authres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func result(method string, s Status, props ...string) Result {
	r := Result{Method: method, Version: 1, Status: s, Properties: []Property{}}
	for i := 0; i+2 < len(props); i += 3 {
		r.Properties = append(r.Properties, Property{props[i], props[i+1], props[i+2]})
	}
	return r
}

func header(id string, rs ...Result) Header {
	return Header{AuthservID: id, Version: 1, Results: append([]Result{}, rs...)}
}

func international(h Header) Header { h.Internationalized = true; return h }

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want Header
	}{
		"none":               {" mx.example; none", header("mx.example")},
		"none any case":      {"mx.example ;\r\n\tNone (c)", header("mx.example")},
		"final CRLF":         {"mx.example; none\r\n", header("mx.example")},
		"version 1":          {"mx.example 1; none", header("mx.example")},
		"version 001":        {"mx.example 001 ; none", header("mx.example")},
		"quoted id":          {`"mx example" 1; none`, header("mx example")},
		"id after comments":  {" (a (nested) \\) comment)\r\n (two) mx.example; none", header("mx.example")},
		"method called none": {"mx.example; none=pass", header("mx.example", result("none", Pass))},
		"no space at all":    {"mx;spf=pass smtp.mailfrom=a.example;dkim=fail", header("mx", result("spf", Pass, "smtp", "mailfrom", "a.example"), result("dkim", Fail))},
		"keywords any case":  {"mx; SPF=Pass SMTP.MailFrom=A.example", header("mx", result("spf", Pass, "smtp", "mailfrom", "A.example"))},
		"keyword -a":         {"mx; -a=-b -c.-d=e", header("mx", result("-a", "-b", "-c", "-d", "e"))},
		"property reason":    {"mx; a=b reason.x=y", header("mx", result("a", "b", "reason", "x", "y"))},
		"empty quoted value": {`mx; spf=none smtp.mailfrom=""`, header("mx", result("spf", None, "smtp", "mailfrom", ""))},
		"escapes":            {`mx; a=b x.y="q\"b\\s\a"`, header("mx", result("a", "b", "x", "y", `q"b\sa`))},
		"folded in quotes":   {"mx; a=b x.y=\"one\r\n two\"", header("mx", result("a", "b", "x", "y", "one two"))},
		"comment everywhere": {
			"(0)mx(1)1(2);(3)a(4)/(5)2(6)=(7)b(8)reason(9)=(10)r(11)x(12).(13)y(14)=(15)z(16)",
			Header{AuthservID: "mx", Version: 1, Results: []Result{{
				Method: "a", Version: 2, Status: "b", Reason: "r", Comment: "8",
				Properties: []Property{{"x", "y", "z"}},
			}}},
		},
		"first comment": {
			"mx; dkim=pass (2048-bit \\(key\\) (RSA)\r\n\tfine) (other) header.d=a.example",
			Header{AuthservID: "mx", Version: 1, Results: []Result{{
				Method: "dkim", Version: 1, Status: Pass, Comment: "2048-bit (key) (RSA)\tfine",
				Properties: []Property{{"header", "d", "a.example"}},
			}}},
		},
		"token characters":     {"mx; a=b x.y=!#$%&'*+-.^_`{|}~", header("mx", result("a", "b", "x", "y", "!#$%&'*+-.^_`{|}~"))},
		"address":              {"mx; a=b x.y=u+v=w/x?@a-b.example", header("mx", result("a", "b", "x", "y", "u+v=w/x?@a-b.example"))},
		"domain after @":       {"mx; a=b x.y=@a.example x.z=1", header("mx", result("a", "b", "x", "y", "@a.example", "x", "z", "1"))},
		"quoted local-part":    {`mx; a=b x.y="u \" v"@a.example`, header("mx", result("a", "b", "x", "y", `"u \" v"@a.example`))},
		"folded local-part":    {"mx; a=b x.y=\"u\r\n v\"@a.example", header("mx", result("a", "b", "x", "y", `"u v"@a.example`))},
		"CFWS in local-part":   {"mx; a=b x.y=u (c)\r\n @a.example x.z=1", header("mx", result("a", "b", "x", "y", "u@a.example", "x", "z", "1"))},
		"slash then CFWS":      {"mx; a=b x.y=u/v @a.example", header("mx", result("a", "b", "x", "y", "u/v@a.example"))},
		"obsolete local-part":  {`mx; a=b x.y=u . "v w" (c) . x @a.example`, header("mx", result("a", "b", "x", "y", `u."v w".x@a.example`))},
		"UTF-8 in quotes":      {`mx; a=b reason="grün"`, international(header("mx", Result{Method: "a", Version: 1, Status: "b", Reason: "grün", Properties: []Property{}}))},
		"UTF-8 id in quotes":   {`"mx.bücher.example"; none`, international(header("mx.bücher.example"))},
		"UTF-8 local-part":     {"mx; a=b x.y=jösé@a.example", international(header("mx", result("a", "b", "x", "y", "jösé@a.example")))},
		"U-label":              {"mx; a=b x.y=bücher.example x.z=@bücher.example", international(header("mx", result("a", "b", "x", "y", "bücher.example", "x", "z", "@bücher.example")))},
		"UTF-8 comment behind": {"mx; a=b x.y=z (grün)", header("mx", result("a", "b", "x", "y", "z"))},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := Parse(c.in)
			require.NoError(t, err)
			require.Equal(t, c.want, h)
			lenient, findings, err := ParseLenient(c.in)
			require.NoError(t, err)
			require.Empty(t, findings)
			require.Equal(t, h, lenient)
		})
	}
}

func TestParseErrors(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"empty":                   {"", ErrSyntax},
		"blank":                   {" \t", ErrSyntax},
		"only id":                 {"mx.example", ErrSyntax},
		"nothing behind id":       {"mx.example;", ErrSyntax},
		"empty quoted id":         {`""; none`, ErrAuthservID},
		"id with slash":           {"mx.example/1; none", ErrSyntax},
		"raw UTF-8 id":            {"mx.bücher.example; none", ErrSyntax},
		"raw UTF-8 value":         {"mx; a=b x.y=grün", ErrSyntax},
		"raw UTF-8 reason":        {"mx; a=b reason=grün", ErrSyntax},
		"not UTF-8 in quotes":     {"mx; a=b reason=\"gr\xfcn\"", ErrSyntax},
		"not UTF-8 in comment":    {"mx; a=b (gr\xfcn)", ErrSyntax},
		"not UTF-8 in local-part": {"mx; a=b x.y=j\xf6@a.example", ErrSyntax},
		"split UTF-8":             {"mx; a=b reason=\"gr\xc3\\\xbcn\"", ErrSyntax},
		"version 2":               {"mx 2; none", ErrVersion},
		"version 0":               {"mx 0; none", ErrVersion},
		"version 10^10":           {"mx 10000000000; none", ErrVersion},
		"version 2^64+1":          {"mx 18446744073709551617; none", ErrVersion},
		"version 1.5":             {"mx 1.5; none", ErrSyntax},
		"method version 0":        {"mx; dkim/0=pass", ErrSyntax},
		"method version 10^10":    {"mx; dkim/10000000000=pass", ErrSyntax},
		"method version absent":   {"mx; dkim/=pass", ErrSyntax},
		"trailing semicolon":      {"mx; a=b;", ErrSyntax},
		"double semicolon":        {"mx; a=b;; c=d", ErrSyntax},
		"none and more":           {"mx; none; a=b", ErrSyntax},
		"more and none":           {"mx; a=b; none", ErrSyntax},
		"no method":               {"mx; =b", ErrSyntax},
		"no result":               {"mx; a=", ErrSyntax},
		"result with dot":         {"mx; a=b.c", ErrSyntax},
		"keyword ends in hyphen":  {"mx; a-=b", ErrSyntax},
		"keyword with underscore": {"mx; a_b=c", ErrSyntax},
		"property without ptype":  {"mx; dmarc=none action=none", ErrSyntax},
		"reason behind property":  {"mx; a=b x.y=z reason=r", ErrSyntax},
		"two reasons":             {"mx; a=b reason=r reason=s", ErrSyntax},
		"no value":                {"mx; a=b x.y=", ErrSyntax},
		"no value before next":    {"mx; a=b x.y= ; c=d", ErrSyntax},
		"properties not apart":    {`mx; a=b x.y="z"x.z=1`, ErrSyntax},
		"unquoted slash":          {"mx; a=b x.y=a/b", ErrSyntax},
		"unquoted equals":         {"mx; a=b x.y=a=b", ErrSyntax},
		"unquoted colon":          {"mx; a=b x.y=2001:db8::1", ErrSyntax},
		"angle brackets":          {"mx; a=b x.y=<u@a.example>", ErrSyntax},
		"one label after @":       {"mx; a=b x.y=u@localhost", ErrSyntax},
		"underscore after @":      {"mx; a=b x.y=u@_a.example", ErrSyntax},
		"hyphen label after @":    {"mx; a=b x.y=u@-a.example", ErrSyntax},
		"final dot after @":       {"mx; a=b x.y=u@a.example.", ErrSyntax},
		"two @":                   {"mx; a=b x.y=u@v@a.example", ErrSyntax},
		"dots in local-part":      {"mx; a=b x.y=u..v@a.example", ErrSyntax},
		"final dot in local-part": {"mx; a=b x.y=u.@a.example", ErrSyntax},
		"open quote":              {`mx; a=b x.y="z`, ErrSyntax},
		"open escape":             {`mx; a=b x.y="z\`, ErrSyntax},
		"open comment":            {"mx; a=b (x", ErrSyntax},
		"stray parenthesis":       {"mx; a=b )", ErrSyntax},
		"NUL in quotes":           {"mx; a=b x.y=\"\x00\"", ErrSyntax},
		"quoted NUL":              {"mx; a=b x.y=\"\\\x00\"", ErrSyntax},
		"DEL in comment":          {"mx; a=b (\x7f)", ErrSyntax},
		"NUL at the end":          {"mx; a=b\x00", ErrSyntax},
		"NUL behind value":        {"mx; a=b x.y=z\x00", ErrSyntax},
		"bare LF":                 {"mx;\n a=b", ErrSyntax},
		"bare CR":                 {"mx;\r a=b", ErrSyntax},
		"CRLF without blank":      {"mx;\r\na=b", ErrSyntax},
		"CRLF in quotes":          {"mx; a=b x.y=\"z\r\nX: y\"", ErrSyntax},
		"two final CRLF":          {"mx; none\r\n\r\n", ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := Parse(c.in)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, Header{}, h)
		})
	}
}

func TestParseLimits(t *testing.T) {
	props := func(n int) string { return strings.Repeat(" x.y=z", n) }
	results := func(n int) string { return "mx" + strings.Repeat("; a=b", n) }
	comment := func(n int) string { return "mx; a=b " + strings.Repeat("(", n) + strings.Repeat(")", n) }
	length := func(n int) string { return "mx; a=b (" + strings.Repeat("x", n-10) + ")" }
	for name, c := range map[string]struct {
		at, past string
		want     error
	}{
		"results":    {results(MaxResults), results(MaxResults + 1), ErrResults},
		"properties": {"mx; a=b" + props(MaxProperties), "mx; a=b" + props(MaxProperties+1), ErrProperties},
		"length":     {length(MaxLength), length(MaxLength + 1), ErrLength},
		"depth":      {comment(16), comment(17), ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(c.at)
			require.NoError(t, err)
			_, findings, err := ParseLenient(c.at)
			require.NoError(t, err)
			require.Empty(t, findings)
			h, err := Parse(c.past)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, Header{}, h)
			h, findings, err = ParseLenient(c.past)
			if name == "depth" { // the broken comment ends the field there
				require.NoError(t, err)
				require.Equal(t, []Finding{{WarnResult, 4}, {WarnRest, 4}}, findings)
				return
			}
			require.ErrorIs(t, err, c.want)
			require.Equal(t, Header{}, h)
			require.Nil(t, findings)
		})
	}
	// Full results with full properties: all slices end up where they belong.
	h, err := Parse("mx" + strings.Repeat("; a=b"+props(MaxProperties), MaxResults))
	require.NoError(t, err)
	require.Len(t, h.Results, MaxResults)
	for _, r := range h.Results {
		require.Len(t, r.Properties, MaxProperties)
	}
}

func TestParseErrorNamesOctet(t *testing.T) {
	_, err := Parse("mx; a=b x.y=a:b")
	require.EqualError(t, err, "octet 13: not an Authentication-Results value: unexpected text")
}

func TestParseLenient(t *testing.T) {
	for name, c := range map[string]struct {
		in       string
		want     Header
		findings []Finding
	}{
		"Microsoft": {
			"spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=a.example; dkim=pass (signature was verified)\r\n header.d=a.example;dmarc=pass action=none\r\n header.from=a.example;compauth=pass reason=100",
			Header{Version: 1, Results: []Result{
				{Method: "spf", Version: 1, Status: Pass, Comment: "sender IP is 192.0.2.1", Properties: []Property{{"smtp", "mailfrom", "a.example"}}},
				{Method: "dkim", Version: 1, Status: Pass, Comment: "signature was verified", Properties: []Property{{"header", "d", "a.example"}}},
				result("dmarc", Pass, "header", "from", "a.example"),
				{Method: "compauth", Version: 1, Status: Pass, Reason: "100", Properties: []Property{}},
			}},
			[]Finding{{WarnNoID, 0}, {WarnProperty, 128}},
		},
		"Yahoo":         {"mx.yahoo.example; dmarc=success(p=REJECT) header.from=a.example;", header("mx.yahoo.example", Result{Method: "dmarc", Version: 1, Status: "success", Comment: "p=REJECT", Properties: []Property{{"header", "from", "a.example"}}}), []Finding{{WarnEmpty, 64}}},
		"Yahoo, old":    {"mta.example  from=a.example; domainkeys=neutral (no sig);  from=a.example; dkim=pass (ok)", header("mta.example", Result{Method: "domainkeys", Version: 1, Status: Neutral, Comment: "no sig", Properties: []Property{}}, Result{Method: "dkim", Version: 1, Status: Pass, Comment: "ok", Properties: []Property{}}), []Finding{{WarnResult, 13}, {WarnResult, 59}}},
		"Gmail":         {"mx.google.example;\r\n       dkim=pass header.i=@a.example header.b=ab/cd+=;\r\n       dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=a.example", header("mx.google.example", result("dkim", Pass, "header", "i", "@a.example", "header", "b", "ab/cd+="), Result{Method: "dmarc", Version: 1, Status: Pass, Comment: "p=NONE sp=NONE dis=NONE", Properties: []Property{{"header", "from", "a.example"}}}), []Finding{{WarnValue, 66}}},
		"id alone":      {"mx.example", header("mx.example"), []Finding{{WarnEmpty, 10}}},
		"id and ;":      {"mx.example;", header("mx.example"), []Finding{{WarnEmpty, 11}}},
		"none and more": {"mx; none; a=b", header("mx", result("a", "b")), []Finding{{WarnResult, 4}}},
		"raw UTF-8": {"mx.bücher.example; a=b reason=grün x.y=größer", international(header("mx.bücher.example", Result{Method: "a", Version: 1, Status: "b", Reason: "grün", Properties: []Property{{"x", "y", "größer"}}})),
			[]Finding{{WarnEncoding, 0}, {WarnEncoding, 31}, {WarnEncoding, 41}}},
		"Latin-1 comment":     {"mx; a=b (gr\xfcn) x.y=z", header("mx", result("a", "b", "x", "y", "z")), []Finding{{WarnEncoding, 15}}},
		"Latin-1 value":       {"mx; a=b x.y=gr\xfcn x.z=1", header("mx", result("a", "b", "x", "z", "1")), []Finding{{WarnProperty, 8}}},
		"null sender":         {"mx; spf=none smtp.mailfrom=<>", header("mx", result("spf", None, "smtp", "mailfrom", "<>")), []Finding{{WarnValue, 27}}},
		"one label after @":   {"mx; a=b x.y=root@localhost", header("mx", result("a", "b", "x", "y", "root@localhost")), []Finding{{WarnValue, 12}}},
		"no value":            {"mx; a=b x.y= ; c=d x.y=; e=f", header("mx", result("a", "b"), result("c", "d"), result("e", "f")), []Finding{{WarnProperty, 8}, {WarnProperty, 19}}},
		"underscore":          {"mx; x_a=b p_q.r_s=t", header("mx", result("x_a", "b", "p_q", "r_s", "t")), nil},
		"reason late":         {"mx; a=b x.y=z reason=r", header("mx", Result{Method: "a", Version: 1, Status: "b", Reason: "r", Properties: []Property{{"x", "y", "z"}}}), []Finding{{WarnOrder, 14}}},
		"reason twice":        {"mx; a=b reason=r reason=s", header("mx", Result{Method: "a", Version: 1, Status: "b", Reason: "r", Properties: []Property{}}), []Finding{{WarnProperty, 17}}},
		"junk words":          {"mx; a=b is fine x.y=z", header("mx", result("a", "b", "x", "y", "z")), []Finding{{WarnProperty, 8}, {WarnProperty, 11}}},
		"junk with quotes":    {`mx; a=b foo"; c=d "bar x.y=z`, header("mx", result("a", "b", "x", "y", "z")), []Finding{{WarnProperty, 8}}},
		"bare LF":             {"mx;\n a=b\n", header("mx", result("a", "b")), []Finding{{WarnLineEnd, 3}}},
		"open quote":          {`mx; c=d; spf=fail smtp.mailfrom="x; dkim=pass header.d=bank.example`, header("mx", result("c", "d")), []Finding{{WarnProperty, 18}, {WarnResult, 9}, {WarnRest, 9}}},
		"quote inside a word": {`mx; c=d; spf=fail smtp.mailfrom=x"; dkim=pass header.d=bank.example`, header("mx", result("c", "d")), []Finding{{WarnProperty, 18}, {WarnResult, 9}, {WarnRest, 9}}},
		"open comment":        {"mx; c=d; a=b (x; dkim=pass header.d=bank.example", header("mx", result("c", "d")), []Finding{{WarnResult, 9}, {WarnRest, 9}}},
		"control character":   {"mx; c=d; a=b x.y=\x01; dkim=pass", header("mx", result("c", "d")), []Finding{{WarnProperty, 13}, {WarnResult, 9}, {WarnRest, 9}}},
		"line that is no fold": {"mx; c=d; a=b\r\ndkim=pass", header("mx", result("c", "d")),
			[]Finding{{WarnResult, 9}, {WarnRest, 9}}},
	} {
		t.Run(name, func(t *testing.T) {
			h, findings, err := ParseLenient(c.in)
			require.NoError(t, err)
			require.Equal(t, c.want, h)
			require.Equal(t, c.findings, findings)
			_, err = Parse(c.in)
			require.Error(t, err)
		})
	}
	for _, in := range []string{"", " ", ";", "; a=b", "mx 2; none", "(", `"`, "\x00", `""; none`, "\xff; none", "a=;", "\n"} {
		t.Run(fmt.Sprintf("refused/%q", in), func(t *testing.T) {
			h, findings, err := ParseLenient(in)
			require.Error(t, err)
			require.Nil(t, findings)
			require.Equal(t, Header{}, h)
		})
	}
}

func TestParseLenientFindingsAreBounded(t *testing.T) {
	_, findings, err := ParseLenient("mx" + strings.Repeat(";", MaxLength-2))
	require.NoError(t, err)
	require.Len(t, findings, maxFindings)
}
