package dkim_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

const draft = "From: Joe <joe@football.example.com>\r\nSubject: Is dinner ready?\r\n\r\nHi.\r\n"

// A key that everybody knows, so that the example prints the same each time.
var exampleKey = ed25519.NewKeyFromSeed([]byte("a seed that everybody may know. "))

func ExampleSign() {
	s := dkim.Signer{Domain: "football.example.com", Selector: "ed", Key: exampleKey}
	s.Now = func() time.Time { return time.Unix(1528637909, 0) } // for the example's sake
	field, err := dkim.Sign(strings.NewReader(draft), s)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.ReplaceAll(field+draft, "\r\n", "\n"))
	// Output:
	// DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
	//  d=football.example.com; s=ed; t=1528637909; h=from:from:to:cc:subject:
	//  subject:date:reply-to:message-id:mime-version:content-type:
	//  content-transfer-encoding:content-disposition:in-reply-to:references;
	//  bh=UrA8rmgY3eNBotmDWtzAmHyn5RyZv8Gea45sNGsP0zw=;
	//  b=1a0MCczkrlsLmtR5bJ9mBpXtVEP5l7SjtmWAHJDIyOgAV5yNgIwbmV9UZatqOSekkl1ubBqpI/8
	//  BYiya6No7Bw==
	// From: Joe <joe@football.example.com>
	// Subject: Is dinner ready?
	//
	// Hi.
}

// A server signs while the message passes on its way to the queue.
func ExampleSigner_Sign() {
	s := dkim.Signer{Domain: "football.example.com", Selector: "ed", Key: exampleKey}
	d := message.Digester{Want: []message.BodyHash{s.BodyHash()}}
	var queue strings.Builder
	if _, err := io.Copy(io.MultiWriter(&queue, &d), strings.NewReader(draft)); err != nil {
		fmt.Println(err)
		return
	}
	m, err := d.Finish()
	if err != nil {
		fmt.Println(err)
		return
	}
	field, err := s.Sign(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	signed, _ := message.Parse([]byte(field + queue.String()))
	r, _ := dkim.NewRecord(exampleKey.Public())
	line, _ := r.ZoneLine("ed", "football.example.com")
	v := dkim.Verifier{Resolver: dnstest.MustParse(line + "\n")}
	fmt.Println(v.Verify(context.Background(), signed)[0].Status)
	// Output: pass
}

// The author decides, not the configuration: mail of another domain is not signed.
func ExampleSign_refused() {
	s := dkim.Signer{Domain: "example.org", Selector: "ed", Key: exampleKey}
	_, err := dkim.Sign(strings.NewReader(draft), s)
	fmt.Println(err)
	// Output: author is not of the signing domain: football.example.com, d=example.org
}
