package main

import (
	"testing"

	peer "github.com/emersion/go-msgauth/authres"

	"github.com/seed2385d973/mailauth/authres"
)

// fiveResults is what a receiver with all methods writes. The other library takes no
// comment at this place and no third dot-separated part, so there is neither.
const fiveResults = "mx.victim.example;\r\n" +
	" spf=pass smtp.mailfrom=bounces@mail.bank.example;\r\n" +
	" dkim=pass header.d=bank.example header.s=sel header.a=rsa-sha256;\r\n" +
	" dkim=fail header.d=list.example header.b=Qgi4FoC0;\r\n" +
	" dmarc=pass header.from=bank.example;\r\n" +
	" arc=none"

// fields are the rows of Authentication-Results.
func fields(b *testing.B) []check {
	h, err := authres.Parse(" " + fiveResults)
	if err != nil || len(h.Results) != 5 {
		b.Fatal(err)
	}
	id, results, err := peer.Parse(fiveResults)
	if err != nil || len(results) != 5 {
		b.Fatal(err, len(results))
	}
	return []check{
		{"parse, five results", func() { _, _ = authres.Parse(" " + fiveResults) }, func() { _, _, _ = peer.Parse(fiveResults) }},
		{"format, five results", func() { _ = h.String() }, func() { _ = peer.Format(id, results) }},
	}
}
