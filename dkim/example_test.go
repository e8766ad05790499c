package dkim_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

// The message of RFC 8463, appendix A.3: one Ed25519 and one RSA signature.
var signedMessage = strings.ReplaceAll(`DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
`, "\n", "\r\n")

var zone = dnstest.MustParse(`
brisbane._domainkey.football.example.com. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
test._domainkey.football.example.com. TXT ( "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
  "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
  "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
  "Ip3G+2kryOTIKT+l/K4w3QIDAQAB" )
`)

func ExampleVerifier_Verify() {
	m, err := message.Parse([]byte(signedMessage))
	if err != nil {
		fmt.Println(err)
		return
	}
	v := dkim.Verifier{Resolver: zone}
	for _, r := range v.Verify(context.Background(), m) {
		fmt.Println(r.Status, r.Signature.Domain, r.Signature.Algorithm, r.KeyBits, "weak:", r.Weak)
	}
	// Output:
	// pass football.example.com ed25519-sha256 256 weak: false
	// pass football.example.com rsa-sha256 1024 weak: true
}

// A server looks the keys up while it still receives the body.
func ExampleVerifier_Start() {
	v := dkim.Verifier{Resolver: zone}
	var verification *dkim.Verification
	var d message.Digester
	for chunk := range strings.SplitAfterSeq(signedMessage, "\r\n") {
		if _, err := d.Write([]byte(chunk)); err != nil {
			fmt.Println(err)
			return
		}
		if verification == nil && d.Header() != nil {
			verification = v.Start(context.Background(), d.Header())
			defer verification.Abort() // does nothing after Finish
		}
	}
	m, err := d.Finish()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range verification.Finish(m) {
		fmt.Println(r.Status, r.Signature.Selector)
	}
	// Output:
	// pass brisbane
	// pass test
}

// A changed message says what is wrong with it.
func ExampleResult() {
	m, err := message.Parse([]byte(strings.Replace(signedMessage, "lost", "won", 1)))
	if err != nil {
		fmt.Println(err)
		return
	}
	v := dkim.Verifier{Resolver: zone, Now: func() time.Time { return time.Unix(1528637909, 0) }}
	r := v.Verify(context.Background(), m)[0]
	fmt.Println(r.Status, errors.Is(r.Err, dkim.ErrBodyHash), r.Code())
	fmt.Println(r.Err)
	// Output:
	// fail true ErrBodyHash
	// body hash did not verify
}

// A receiver that wants the fields that a reader sees to be signed.
func ExampleVerifier_policy() {
	v := dkim.Verifier{
		Resolver: zone,
		Policy: func(r dkim.Result) error {
			if len(r.Coverage.UncoveredDuplicates) > 0 {
				return fmt.Errorf("somebody added %v", r.Coverage.UncoveredDuplicates)
			}
			return nil
		},
	}
	m, err := message.Parse([]byte("To: everybody@shopping.example.net\r\n" + signedMessage))
	if err != nil {
		fmt.Println(err)
		return
	}
	r := v.Verify(context.Background(), m)[0]
	fmt.Println(r.Status)
	fmt.Println(r.Err)
	// Output:
	// policy
	// signature refused by policy: somebody added [to]
}

func ExampleParseRecord() {
	r, err := dkim.ParseRecord("v=DKIM1; k=ed25519; t=y; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
	fmt.Println(r.KeyType, r.Bits, r.Testing, err)
	_, err = dkim.ParseRecord("v=DKIM1; p=")
	fmt.Println(err)
	// Output:
	// ed25519 256 true <nil>
	// key revoked
}
