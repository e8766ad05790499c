package authres_test

import (
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
)

func ExampleParse() {
	h, err := authres.Parse(" mx.example.net; dkim=pass (2048-bit key)\r\n header.d=example.com; x-spam=no")
	if err != nil {
		fmt.Println(err)
		return
	}
	// Believe a field only if it is from somebody you have configured.
	if h.IsFrom("mx.example.net") {
		for _, r := range h.Find("dkim") {
			d, _ := r.Property("header", "d")
			fmt.Println(r.Method, r.Status, d)
		}
	}
	// Output: dkim pass example.com
}

func ExampleParseLenient() {
	h, findings, err := authres.ParseLenient("dmarc=pass action=none header.from=example.com;")
	fmt.Println(h.Results[0].Status, h.Results[0].Properties, err)
	for _, f := range findings {
		fmt.Println(f.Offset, f.Warning)
	}
	// Output:
	// pass [{header from example.com}] <nil>
	// 0 no authserv-id
	// 11 property left out
	// 47 empty result
}

func ExampleHeader_Field() {
	h := authres.Header{
		AuthservID: "mx.example.net",
		Results: []authres.Result{{
			Method: "spf", Status: authres.Fail,
			Properties: []authres.Property{{Type: "smtp", Name: "mailfrom", Value: `x"; dkim=pass header.d=bank.example; y="`}},
		}},
	}
	field, err := h.Field()
	fmt.Println(strings.ReplaceAll(field, "\r\n", "\n"), err)
	// Output:
	// Authentication-Results: mx.example.net; spf=fail
	//  smtp.mailfrom="x\"; dkim=pass header.d=bank.example; y=\""
	//  <nil>
}

// header stands in for the Header of package message.
type header [][]byte

func (h header) Len() int         { return len(h) }
func (h header) Raw(i int) []byte { return h[i] }

func ExampleForged() {
	h := header{
		[]byte("Authentication-Results: mx.example.org; spf=pass\r\n"),
		[]byte("Authentication-results : (hi) MX.example.NET;\r\n dkim=pass header.d=bank.example\r\n"),
		[]byte("Subject: hello\r\n"),
	}
	fmt.Println(authres.Forged(h, "mx.example.net"))
	// Output: [1]
}
