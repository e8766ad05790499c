package authres

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestString(t *testing.T) {
	p := func(value string) Header { return header("mx", result("a", "b", "x", "y", value)) }
	long := strings.Repeat("v", 60)
	for name, c := range map[string]struct {
		in   Header
		want string
	}{
		"none":                      {header("mx.example"), "mx.example; none"},
		"version 0":                 {Header{AuthservID: "mx"}, "mx; none"},
		"version 2":                 {Header{AuthservID: "mx", Version: 2}, ""},
		"zero":                      {Header{}, ""},
		"id quoted":                 {header(`m"x 1`), `"m\"x 1"; none`},
		"id like an address":        {header("u@mx.example"), `"u@mx.example"; none`},
		"id with a control":         {header("mx\r\nX: y"), ""},
		"id with U-label":           {header("mx.bücher.example"), "mx.xn--bcher-kva.example; none"},
		"id with U-label, EAI":      {international(header("mx.bücher.example")), `"mx.bücher.example"; none`},
		"id not ASCII, not a name":  {header("bücher stube"), ""},
		"id too long":               {header(strings.Repeat("x", MaxValue+1)), ""},
		"method version":            {header("mx", Result{Method: "a", Version: 2, Status: "b"}), "mx; a/2=b"},
		"keywords in lower case":    {header("mx", result("DKIM", "Pass", "Header", "D", "A.example")), "mx; dkim=pass header.d=A.example"},
		"comment, reason, property": {header("mx", Result{Method: "a", Status: "b", Reason: `r"\`, Comment: `(c)\`, Properties: []Property{{"x", "y", "z"}}}), `mx; a=b (\(c\)\\) reason="r\"\\" x.y=z`},
		"token":                     {p("!#$%&*+-.^_`{|}~"), "mx; a=b x.y=!#$%&*+-.^_`{|}~"},
		"empty":                     {p(""), `mx; a=b x.y=""`},
		"address":                   {p("u+v=w/x@a.example"), "mx; a=b x.y=u+v=w/x@a.example"},
		"@domain":                   {p("@a.example"), "mx; a=b x.y=@a.example"},
		"one label after @":         {p("u@localhost"), `mx; a=b x.y="u@localhost"`},
		"single quote":              {p("o'neil@a.example"), `mx; a=b x.y="o'neil@a.example"`},
		"quoted local-part":         {p(`"u;v"@a.example`), `mx; a=b x.y="u;v"@a.example`},
		"broken local-part":         {p(`"u;v@a.example`), `mx; a=b x.y="\"u;v@a.example"`},
		"comment in local-part":     {p(`u(c)@a.example`), `mx; a=b x.y="u(c)@a.example"`},
		"two @":                     {p(`u@v@a.example`), `mx; a=b x.y="u@v@a.example"`},
		"IPv6":                      {p("2001:db8::1"), `mx; a=b x.y="2001:db8::1"`},
		"base64":                    {p("ab/cd+="), `mx; a=b x.y="ab/cd+="`},
		"not ASCII":                 {p("grün"), "mx; a=b"},
		"not ASCII, EAI":            {international(p("grün")), `mx; a=b x.y="grün"`},
		"EAI address":               {international(p("jösé@bücher.example")), "mx; a=b x.y=jösé@bücher.example"},
		"EAI domain":                {international(p("bücher.example")), "mx; a=b x.y=bücher.example"},
		"not UTF-8, EAI":            {international(p("gr\xfcn")), "mx; a=b"},
		"C1 control, EAI":           {international(p("a\u0085b")), "mx; a=b"},
		"zero width, EAI":           {international(p("a\u200bb")), "mx; a=b"},
		"right to left, EAI":        {international(p("a\u202eb")), "mx; a=b"},
		"line separator, EAI":       {international(p("a\u2028b")), "mx; a=b"},
		"replacement character":     {international(p("a\ufffdb")), "mx; a=b x.y=\"a\ufffdb\""},
		"tab":                       {p("a\tb"), "mx; a=b"},
		"DEL":                       {p("a\x7fb"), "mx; a=b"},
		"bad property":              {header("mx", result("a", "b", "x y", "z", "1", "x", "", "2", "x", "y-", "3", "x", "y", "4")), "mx; a=b x.y=4"},
		"bad method":                {header("mx", result("a=b; c", "d"), result("e", "f")), "mx; e=f"},
		"bad result":                {header("mx", result("a", ""), result("e", "f")), "mx; e=f"},
		"bad method version":        {header("mx", Result{Method: "a", Version: -1, Status: "b"}, result("e", "f")), "mx; e=f"},
		"nothing left is not none":  {header("mx", result("a", "")), ""},
		"folded": {
			header("mx.example", result("spf", Pass, "smtp", "mailfrom", "a.example"), result("dkim", Fail, "header", "d", "b.example", "header", "s", "selector")),
			"mx.example; spf=pass smtp.mailfrom=a.example;\r\n dkim=fail header.d=b.example header.s=selector",
		},
		"folded again and again": {
			header("mx", result("a", "b", "x", "y", long, "x", "z", long)),
			"mx; a=b\r\n x.y=" + long + "\r\n x.z=" + long,
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, c.in.String())
		})
	}
}

func TestStringFoldsAt78(t *testing.T) {
	for n := 1; n < 70; n++ {
		h := header("mx.example", result("a", "b", "x", "y", strings.Repeat("v", n), "x", "z", "w"))
		field, err := h.Field()
		require.NoError(t, err)
		require.Equal(t, fieldName+h.String()+"\r\n", field)
		for _, line := range strings.Split(strings.TrimSuffix(field, "\r\n"), "\r\n") {
			require.LessOrEqual(t, len(line), 78)
		}
		require.Equal(t, n > 78-len("Authentication-Results: mx.example; a=b x.y="), strings.Contains(field, "\r\n x.y="))
	}
}

func TestField(t *testing.T) {
	ok := result("a", "b")
	many := make([]Result, MaxResults+1)
	for i := range many {
		many[i] = ok
	}
	props := ok
	for range MaxProperties + 1 {
		props.Properties = append(props.Properties, Property{"x", "y", "z"})
	}
	full := props
	full.Properties = nil
	for range MaxProperties {
		full.Properties = append(full.Properties, Property{"x", "y", strings.Repeat("v", MaxValue)})
	}
	for name, c := range map[string]struct {
		in   Header
		want error
	}{
		"zero":         {Header{}, ErrAuthservID},
		"control":      {header("mx\n"), ErrAuthservID},
		"version":      {Header{AuthservID: "mx", Version: 2}, ErrVersion},
		"method":       {header("mx", result("a.", "b")), ErrName},
		"method empty": {header("mx", result("", "b")), ErrName},
		"method long":  {header("mx", result(strings.Repeat("a", MaxName+1), "b")), ErrName},
		"result":       {header("mx", result("a", "")), ErrName},
		"ptype":        {header("mx", result("a", "b", "x\r\n", "y", "z")), ErrName},
		"property":     {header("mx", result("a", "b", "x", "y=z w.v", "z")), ErrName},
		"results":      {header("mx", many...), ErrResults},
		"properties":   {header("mx", props), ErrProperties},
		"length":       {header("mx", full, full, full, full, full, full), ErrLength},
	} {
		t.Run(name, func(t *testing.T) {
			field, err := c.in.Field()
			require.ErrorIs(t, err, c.want)
			require.Empty(t, field)
		})
	}
	for name, h := range map[string]Header{
		"results":    header("mx", many[:MaxResults]...),
		"properties": header("mx", full),
		"name":       header("mx", result(strings.Repeat("a", MaxName), "b")),
		"value":      header("mx", result("a", "b", "x", "y", strings.Repeat(`"`, MaxValue))),
		"text":       header("mx", Result{Method: "a", Version: 1, Status: "b", Reason: strings.Repeat(`"`, MaxText), Comment: strings.Repeat("(", MaxText), Properties: []Property{}}),
	} {
		t.Run("at the limit/"+name, func(t *testing.T) {
			field, err := h.Field()
			require.NoError(t, err)
			for _, line := range strings.Split(field, "\r\n") {
				require.LessOrEqual(t, len(line), 998)
			}
			back, err := Parse(h.String())
			require.NoError(t, err)
			require.Equal(t, h, back)
		})
	}
	t.Run("past the limit", func(t *testing.T) {
		h := header("mx", Result{Method: "a", Status: "b", Reason: strings.Repeat("r", MaxText+1), Comment: strings.Repeat("c", MaxText+1),
			Properties: []Property{{"x", "y", strings.Repeat("v", MaxValue+1)}, {"x", "z", "1"}}})
		require.Equal(t, "mx; a=b x.z=1", h.String())
		require.Equal(t, MaxResults, strings.Count(header("mx", many...).String(), ";"))
		require.Equal(t, MaxProperties, strings.Count(header("mx", props).String(), "x.y"))
		s := header("mx", full, full, full, full, full, full).String()
		require.LessOrEqual(t, len(s), MaxLength)
		h, err := Parse(s)
		require.NoError(t, err)
		require.Len(t, h.Results, 5)
	})
}

func TestJSON(t *testing.T) {
	const in = `{"authserv_id":"mx.example","version":1,"results":[{"method":"dkim","version":1,"result":"pass","reason":"fine","props":[{"type":"header","name":"d","value":"a.example"}]},{"method":"spf","version":1,"result":"none","props":[]}]}`
	var h Header
	require.NoError(t, json.Unmarshal([]byte(in), &h))
	require.Equal(t, `mx.example; dkim=pass reason="fine" header.d=a.example; spf=none`, strings.ReplaceAll(h.String(), "\r\n", ""))
	back, err := Parse(h.String())
	require.NoError(t, err)
	require.Equal(t, h, back)
	out, err := json.Marshal(back)
	require.NoError(t, err)
	require.JSONEq(t, in, string(out))

	none, err := Parse("mx; none")
	require.NoError(t, err)
	out, err = json.Marshal(none)
	require.NoError(t, err)
	require.JSONEq(t, `{"authserv_id":"mx","version":1,"results":[]}`, string(out))
}
