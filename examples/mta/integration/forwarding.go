package main

import (
	"bytes"
	"os/exec"
	"strings"

	"github.com/seed2385d973/mailauth/dkim"
)

// post has examples/forwarder be the mailing list of a domain: it evaluates a message
// of good.test, tags its subject, adds a footer and seals. The message comes back as
// the list sends it, with and without what the list put on top.
func (t *test) post(domain, ip string) (sealed, unsealed mail, id string) {
	arrived, id := t.good("", letter{to: "list@" + domain})
	forward := exec.Command(t.w.bin+"/forwarder", "-domain", domain, "-selector", "arc", "-key", t.w.file(t.w.keyFile(domain, "arc")),
		"-ip", arrived.from, "-helo", "mx.good.test", "-from", arrived.mailFrom, "-dns", t.w.resolverAddress())
	forward.Stdin = strings.NewReader(arrived.data)
	var complaint bytes.Buffer
	forward.Stderr = &complaint
	out, err := forward.Output()
	if !t.want(err == nil, "forwarder: %v: %s", err, complaint.String()) {
		t.must(err)
	}
	sealed = mail{port: "in", from: ip, mailFrom: "bounces@" + domain, to: []string{"b@receiver.test"}, author: "good.test", data: string(out)}
	unsealed = sealed
	_, rest, ok := strings.Cut(sealed.data, "\r\nDKIM-Signature:")
	t.want(ok && strings.HasPrefix(sealed.data, "ARC-Seal:"), "no set was put on top")
	unsealed.data = "DKIM-Signature:" + rest
	return sealed, unsealed, id
}

func trustedList(t *test) {
	sealed, unsealed, id := t.post("list.test", ipList)
	t.say("without its seal:")
	t.refused(t.send(unsealed))
	t.absent("receiver", id)
	t.say("sealed:")
	a := t.send(sealed)
	t.want(a.ok(), "answer %s", a)
	d := t.arrive("receiver", id)
	t.show("delivered", d)
	t.labelled(d, receiver, "spf=pass", "dkim=fail", "dmarc=fail", "arc=pass")
	t.want(strings.Contains(d.header(), "\nSubject: [alumni] Good morning\n"), "the list changed nothing")
}

func untrustedList(t *test) {
	sealed, _, id := t.post("other.test", ipOther)
	t.refused(t.send(sealed))
	t.absent("receiver", id)
}

// milterSeals sends mail without a signature through partner.test, which forwards it
// with the reverse-path as it was: SPF fails at the receiver, and only the ARC set of
// partner's milter can tell that it passed before.
func milterSeals(t *test) {
	text, id := t.write(letter{from: "a@good.test", to: "you@alumni.partner.test"})
	a := t.send(mail{port: "partner", from: ipGood, mailFrom: "a@good.test", to: []string{"you@alumni.partner.test"}, author: "good.test", data: text})
	t.want(a.ok(), "answer %s", a)
	d := t.arrive("receiver", id)
	t.w.count("in", "good.test")
	t.show("delivered at the receiver", d)
	t.labelled(d, receiver, "spf=fail", "dmarc=fail", "arc=pass")
	t.want(len(d.values("ARC-Seal")) == 1, "%d seals", len(d.values("ARC-Seal")))
	t.want(d.say(partner, "spf") == "pass", "partner.test's own results are gone")
}

// submit sends mail of a user of receiver.test to partner.test.
func (t *test) submit(l letter) delivered {
	l.from, l.to = "User <user@receiver.test>", "p@partner.test"
	text, id := t.write(l)
	a := t.send(mail{port: "in", from: ipReceiver, helo: "laptop.receiver.test", mailFrom: "user@receiver.test", to: []string{"p@partner.test"}, data: text})
	t.want(a.ok(), "answer %s", a)
	d := t.arrive("partner", id)
	t.w.count("partner", "receiver.test")
	return d
}

func outgoing(t *test) {
	d := t.submit(letter{fields: "Authentication-Results: " + partner + "; dmarc=pass header.from=bank.example\r\n"})
	t.show("delivered at the partner", d)
	t.verifiedTwice(d, "rsa1")
	t.want(!strings.Contains(d.header(), "bank.example"), "the partner's milter left a forged field")
}

// verifiedTwice checks that both signatures of receiver.test verify at the partner, and
// the one by RSA with OpenDKIM too; some builds of it know Ed25519, others do not.
func (t *test) verifiedTwice(d delivered, selector string) {
	t.want(d.say(partner, "dkim") == "pass pass", "our milter: dkim=%s", d.say(partner, "dkim"))
	t.want(d.say(partner, "dmarc") == "pass", "our milter: dmarc=%s", d.say(partner, "dmarc"))
	var said string
	for _, v := range d.values("Authentication-Results") {
		if strings.Contains(v, opendkimID) {
			said += v
		}
	}
	rsa := t.w.keys[selector+"@receiver.test"] != nil && strings.Contains(d.header(), "s="+selector+";")
	t.want(rsa, "no signature with selector %s", selector)
	ok := false
	for _, part := range strings.Split(said, ";") {
		if strings.Contains(part, "dkim=pass") && (strings.Contains(part, "header.s="+selector) || !strings.Contains(part, "header.s=")) {
			ok = true
		}
	}
	t.want(ok, "OpenDKIM says %q", said)
}

// bounce makes the receiver's Postfix write one, to partner.test.
func bounce(t *test) {
	text, id := t.write(letter{from: "p@partner.test", to: "gone@receiver.test", signers: []dkim.Signer{t.w.signer("partner.test", "rsa1")}})
	a := t.send(mail{port: "in", from: ipPartner, mailFrom: "p@partner.test", to: []string{"gone@receiver.test"}, author: "partner.test", data: text})
	t.want(a.ok(), "answer %s", a)
	d := t.wait("a bounce at the partner", func() (found []delivered) {
		for _, d := range t.w.postfix["partner"].maildir() {
			if strings.Contains(d.body(), "\nMessage-ID: "+id+"\n") {
				found = append(found, d)
			}
		}
		return found
	})
	t.show("delivered at the partner", d)
	t.labelled(d, partner, "spf=pass", "dkim=pass pass", "dmarc=pass")
	t.w.count("partner", "receiver.test")
}

// reload gives the milter another key and a signal, and then a file that it cannot read.
func reload(t *test) {
	m := t.w.milters["enforce"]
	m.config.keys = []string{"rsa2@receiver.test", "ed1@receiver.test"}
	t.must(m.reload())
	d := t.submit(letter{})
	t.show("delivered at the partner", d)
	t.verifiedTwice(d, "rsa2")
	t.want(!strings.Contains(d.header(), "s=rsa1;"), "the old key still signs")

	t.must(t.w.write(m.file(), "this is no configuration\n"))
	m.signalAndWait()
	t.want(m.alive(), "a broken file ended the milter")
	t.verifiedTwice(t.submit(letter{}), "rsa2")
	t.say("a broken file is refused, and the milter goes on with what it has")
	t.must(m.reload())
}
