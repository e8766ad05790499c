package arc_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

// A forwarder validates the chain of a message as it arrives, changes the message,
// and seals it as it leaves. The next receiver validates that.
func Example() {
	ctx := context.Background()
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	zone := dnstest.MustParse(`sel._domainkey.lists.example. TXT "v=DKIM1; k=ed25519; p=` +
		base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)) + `"`)
	verifier := arc.Verifier{Resolver: zone}
	sealer := arc.Sealer{Domain: "lists.example", Selector: "sel", Key: key}

	arrived, _ := message.Parse([]byte("From: a@author.example\r\nSubject: Hello\r\n\r\nHello\r\n"))
	chain := verifier.Verify(ctx, arrived)
	fmt.Println("arrived:", chain.Status)

	text := "From: a@author.example\r\nSubject: [list] Hello\r\n\r\nHello\r\n-- \r\nthe list\r\n"
	d := message.Digester{Want: []message.BodyHash{sealer.BodyHash()}}
	_, _ = d.Write([]byte(text))
	leaving, _ := d.Finish()
	fields, err := sealer.Seal(leaving, chain, authres.Header{AuthservID: "mx.lists.example", Results: []authres.Result{{
		Method: "dmarc", Status: authres.Pass,
		Properties: []authres.Property{{Type: "header", Name: "from", Value: "author.example"}},
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(strings.ReplaceAll(fields[2], "\r\n", "\n"))

	received, _ := message.Parse([]byte(strings.Join(fields, "") + text))
	chain = verifier.Verify(ctx, received)
	fmt.Println("received:", chain.Status, chain.Sealers())
	trusted := func(sealer string) bool { return sealer == "lists.example" }
	fmt.Println("vouched for by instance", chain.Vouch("author.example", trusted, nil).Instance)
	// Output:
	// arrived: none
	// ARC-Authentication-Results: i=1; mx.lists.example; dmarc=pass
	//  header.from=author.example
	// received: pass [lists.example]
	// vouched for by instance 1
}
