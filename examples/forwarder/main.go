// Command forwarder does what a mailing list does to a message, and what it should
// do about it: it evaluates the message as it arrives, tags the subject, adds a
// footer, and seals the result (RFC 8617), so that the next receiver can know what
// this one saw before the changes broke the author's signature.
//
//	forwarder -domain lists.example -selector sel -key key.pem -ip 198.51.100.25 < in.eml > out.eml
//
// Without arguments it forwards the built-in sample, offline, and shows what the
// next receiver says to it with and without the list among its trusted sealers.
package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnsclient"
	"github.com/seed2385d973/mailauth/examples/internal/sample"
	"github.com/seed2385d973/mailauth/message"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "forwarder:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return demonstrate(ctx, out)
	}
	var l list
	var key, ip, dns string
	fs := flag.NewFlagSet("forwarder", flag.ContinueOnError)
	fs.StringVar(&l.sealer.Domain, "domain", "", "the list's `domain`")
	fs.StringVar(&l.sealer.Selector, "selector", "", "the `name` of its key")
	fs.StringVar(&key, "key", "", "a PEM `file` with the private key")
	fs.StringVar(&ip, "ip", "", "the client's IP `address`")
	fs.StringVar(&l.session.HELO, "helo", "", "the client's `name`")
	fs.StringVar(&l.session.MailFrom, "from", "", "the MAIL FROM `address`")
	fs.StringVar(&dns, "dns", "", "the resolver to ask, a `host:port`; the system's if empty")
	if err := fs.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(key)
	if err != nil {
		return err
	}
	if l.sealer.Key, err = dkim.ParseKey(text); err != nil {
		return err
	}
	if ip != "" {
		if l.session.IP, err = netip.ParseAddr(ip); err != nil {
			return err
		}
	}
	l.evaluator = &mailauth.Evaluator{AuthservID: "mx." + l.sealer.Domain}
	if dns != "" {
		l.evaluator.Resolver = &dnsclient.Client{Servers: []string{dns}}
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	forwarded, err := l.forward(ctx, data)
	if err != nil {
		return err
	}
	_, err = out.Write(forwarded)
	return err
}

// list is a mailing list.
type list struct {
	evaluator *mailauth.Evaluator
	session   mailauth.Session
	sealer    arc.Sealer
}

// forward returns the message as it leaves the list. The order matters: the chain
// is validated as it arrives, and sealed when nothing more will change
// (RFC 8617, section 5.1).
func (l *list) forward(ctx context.Context, data []byte) ([]byte, error) {
	arrived, err := l.evaluator.Evaluate(ctx, &mailauth.Message{Session: l.session, Data: bytes.NewReader(data)})
	if err != nil {
		return nil, err
	}
	changed, err := change(data, arrived.Strip)
	if err != nil {
		return nil, err
	}
	d := message.Digester{Want: []message.BodyHash{l.sealer.BodyHash()}}
	if _, err := d.Write(changed); err != nil {
		return nil, err
	}
	leaving, err := d.Finish()
	if err != nil {
		return nil, err
	}
	fields, err := arrived.Seal(&l.sealer, leaving)
	if err != nil {
		return nil, err
	}
	return append([]byte(strings.Join(fields, "")), changed...), nil
}

// change removes the fields that claim to be ours, tags the subject and adds a
// footer. It touches no other octet.
func change(data []byte, strip []int) ([]byte, error) {
	m, err := message.Parse(data)
	if err != nil {
		return nil, err
	}
	h := m.Header()
	var out bytes.Buffer
	for i := range h.Len() {
		switch f := h.Field(i); {
		case len(strip) > 0 && strip[0] == i:
			strip = strip[1:]
		case f.Is("Subject"):
			out.WriteString("Subject: [alumni]" + f.Value() + "\r\n")
		default:
			out.Write(h.Raw(i))
		}
	}
	out.Write(data[len(h.Bytes()):])
	out.WriteString("-- \r\nThe alumni list, https://lists.example/alumni\r\n")
	return out.Bytes(), nil
}

// demonstrate forwards the sample and evaluates what comes out as the next receiver does.
func demonstrate(ctx context.Context, out io.Writer) error {
	key := ed25519.NewKeyFromSeed([]byte("no secret: a key for examples..."))
	record := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	zone := sample.Zone().
		WithAnswer("demo._domainkey.lists.example", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{record}}).
		WithAnswer("lists.example", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{"v=spf1 ip4:203.0.113.7 -all"}})
	l := list{
		evaluator: &mailauth.Evaluator{Resolver: zone, AuthservID: "mx.lists.example"},
		session:   sample.Session(),
		sealer: arc.Sealer{Domain: "lists.example", Selector: "demo", Key: key,
			Now: func() time.Time { return sample.Session().Time }},
	}
	forwarded, err := l.forward(ctx, sample.Message())
	if err != nil {
		return err
	}
	header, _, _ := bytes.Cut(forwarded, []byte("\r\nReceived:"))
	fmt.Fprintf(out, "What the list puts on top:\n\n%s\n\n", bytes.ReplaceAll(header, []byte("\r\n"), []byte("\n")))
	session := mailauth.Session{IP: netip.MustParseAddr("203.0.113.7"), HELO: "mx.lists.example", MailFrom: "bounces@lists.example", Time: l.session.Time}
	for _, trusted := range [][]string{nil, {"lists.example"}} {
		e := mailauth.Evaluator{Resolver: zone, AuthservID: "mx.example.net", TrustedSealers: trusted}
		r, err := e.Evaluate(ctx, &mailauth.Message{Session: session, Data: bytes.NewReader(forwarded)})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "The next receiver, trusting %v: dmarc=%s, arc=%s, %s\n", trusted, r.DMARC.Status, r.ARC.Status, r.Action)
		if o := r.DMARC.Override; o != nil {
			fmt.Fprintf(out, "  to be reported as %s: %s\n", o.Reason, o.Comment)
		}
	}
	return nil
}
