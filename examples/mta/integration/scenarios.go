package main

import (
	"errors"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dkim"
)

// scenarios run one after the other: some stop a server that others need.
var scenarios = []struct {
	name string
	run  func(*test)
}{
	{"Postfix delivers without our milter", withoutMilter},
	{"good mail arrives with our field on top, and forged ones gone", goodMail},
	{"a forged author under p=reject is refused", forgedRefused},
	{"a forged author under p=reject is held for a cautious receiver, and can be released", forgedHeld},
	{"a forged author is delivered and labelled while we only observe", forgedObserved},
	{"an attacker's own SPF and DKIM do not help a forged author", attackersOwn},
	{"two From fields", twoFrom},
	{"the null sender", nullSender},
	{"internationalized mail (SMTPUTF8)", internationalized},
	{"8-bit text", eightBit},
	{"a signature that allows no change of white space (c=simple)", simple},
	{"20 MB attachment", bigAttachment},
	{"several messages in one session", oneSession},
	{"a client that takes its time", slowClient},
	{"bare LF", bareLF},
	{"clients that hang up", hangUp},
	{"the key server is down, and comes back", keyServerDown},
	{"the key server does not answer, and then does", keyServerSilent},
	{"a mailing list breaks the signature; its trusted seal rescues the message", trustedList},
	{"a seal that nobody trusts rescues nothing", untrustedList},
	{"a forwarder's milter seals what SPF alone vouched for", milterSeals},
	{"outgoing mail verifies in another Postfix, with our milter and with OpenDKIM", outgoing},
	{"mail of a user who has logged in is signed; of one who has not, judged", loggedIn},
	{"a bounce that Postfix writes is signed, and passes as null-sender mail", bounce},
	{"keys are reloaded by SIGHUP", reload},
	{"smtpd: good mail", smtpdGood},
	{"smtpd: a forged author is refused", smtpdForged},
	{"smtpd: the key server is down, and comes back", smtpdKeyServerDown},
	{"1,000 messages from 20 clients while the milter is killed twice", killed},
	{"the reports of all scenarios add up", reportsAddUp},
	{"a report is mailed, once, and passes at its reader", reportMailed},
}

// send delivers a message, prints what was said to it, and remembers what a report
// has to say about it: ledger counts final answers by milter and author domain.
func (t *test) send(m mail) answer {
	a, err := t.w.deliver(m)
	t.must(err)
	t.say("%s -> %s, MAIL FROM:<%s>%s; %s", m.from, m.port, m.mailFrom, m.parameters, a)
	if a.after == endOfData && a.final() {
		t.w.count(m.port, m.author)
	}
	return a
}

// count notes that the milter of a port has evaluated a message with this author
// domain, and that the answer was final.
func (w *world) count(port, author string) {
	if w.ledger == nil {
		w.ledger = map[[2]string]int64{}
	}
	if author != "" {
		w.ledger[[2]string{milterOf[port], author}]++
	}
}

var milterOf = map[string]string{"in": "enforce", "submission": "enforce", "bare-no": "enforce", "bare-reject": "enforce", "bare-normalize": "enforce",
	"cautious": "quarantine", "watching": "observe", "partner": "partner-milter", "smtpd": "smtpd"}

// arrive waits for a message in the Maildir of a Postfix.
func (t *test) arrive(at, id string) delivered {
	return t.wait(at, func() []delivered { return with(id, t.w.postfix[at].maildir()) })
}

func (t *test) wait(where string, find func() []delivered) delivered {
	var found []delivered
	if !eventually(20*time.Second, func() bool { found = find(); return len(found) > 0 }) {
		t.must(errors.New("the message did not arrive: " + where))
	}
	t.want(len(found) == 1, "the message arrived %d times", len(found))
	return found[0]
}

// absent checks that a message that was refused is nowhere.
func (t *test) absent(at, id string) {
	time.Sleep(100 * time.Millisecond)
	t.want(len(with(id, t.w.postfix[at].maildir())) == 0, "it was delivered")
	t.want(len(with(id, t.w.postfix[at].held())) == 0, "it was put on hold")
}

// labelled checks that the only Authentication-Results of a server stands on top and
// says this: "spf=pass", "dmarc=fail".
func (t *test) labelled(d delivered, authservID string, results ...string) {
	name, value := d.top()
	t.want(name == "Authentication-Results" && strings.HasPrefix(strings.TrimSpace(value), authservID), "on top is %q", name)
	for _, r := range results {
		method, status, _ := strings.Cut(r, "=")
		got := d.say(authservID, method)
		t.want(got == status, "%s=%s, not %s", method, got, status)
	}
}

func (t *test) write(l letter) (text, id string) {
	text, id, err := l.text()
	t.must(err)
	return text, id
}

// good is a message of good.test, signed, from its own server.
func (t *test) good(port string, l letter) (mail, string) {
	l.from, l.to = "Ann <a@good.test>", "b@receiver.test"
	l.signers = []dkim.Signer{t.w.signer("good.test", "s1")}
	text, id := t.write(l)
	return mail{port: port, from: ipGood, mailFrom: "a@good.test", to: []string{"b@receiver.test"}, author: "good.test", data: text}, id
}

// forged says it is from victim.test and comes from somewhere else.
func (t *test) forged(port string) (mail, string) {
	text, id := t.write(letter{from: "Boss <boss@victim.test>", to: "b@receiver.test", subject: "Invoice"})
	return mail{port: port, from: ipAttacker, helo: "mx.attacker.test", mailFrom: "boss@victim.test", to: []string{"b@receiver.test"}, author: "victim.test", data: text}, id
}

// refused checks for a permanent refusal at the end of the data, for security.
func (t *test) refused(a answer) {
	t.want(a.after == endOfData && strings.HasPrefix(a.reply, "550 5.7."), "answer %s, not 550 5.7.x", a)
}

func withoutMilter(t *test) {
	m, id := t.good("plain", letter{})
	m.author = "" // nobody counts it
	a := t.send(m)
	t.want(a.ok(), "answer %s", a)
	d := t.arrive("receiver", id)
	t.show("delivered", d)
	t.want(len(d.values("Authentication-Results")) == 0, "somebody filtered it")
}

func goodMail(t *test) {
	m, id := t.good("in", letter{})
	// Forged above and below the signature, in the middle and folded, and one that is not ours.
	lie := "Authentication-Results: " + receiver + ";\r\n dmarc=pass header.from=bank.example\r\n"
	m.data = lie + strings.Replace(m.data, "From: ", "Authentication-Results: other.example; spf=pass smtp.mailfrom=x.example\r\n"+
		"Authentication-Results:\r\n\tMX.receiver.test (really) 1; spf=pass smtp.mailfrom=bank.example\r\nFrom: ", 1) // not signed
	a := t.send(m)
	t.want(a.ok(), "answer %s", a)
	d := t.arrive("receiver", id)
	t.show("delivered", d)
	t.labelled(d, receiver, "spf=pass", "dkim=pass", "dmarc=pass")
	t.want(!strings.Contains(d.header(), "bank.example"), "a forged field is still there")
	t.want(len(d.values("Authentication-Results")) == 2, "a field of somebody else was removed")
	t.want(strings.HasSuffix(d.body(), "\n.\nA line with a dot above.\n"), "body %q", d.body())
}

func forgedRefused(t *test) {
	m, id := t.forged("in")
	t.refused(t.send(m))
	t.absent("receiver", id)
}

func forgedHeld(t *test) {
	m, id := t.forged("cautious")
	a := t.send(m)
	t.want(a.ok(), "answer %s", a)
	p := t.w.postfix["receiver"]
	d := t.wait("in the hold queue", func() []delivered { return with(id, p.held()) })
	t.show("in the hold queue", d)
	t.want(len(with(id, p.maildir())) == 0, "it was delivered as well")
	t.must(p.release(d))
	d = t.arrive("receiver", id)
	t.show("released by postsuper -H", d)
	t.labelled(d, receiver, "spf=fail", "dmarc=fail")
}

func forgedObserved(t *test) {
	m, id := t.forged("watching")
	a := t.send(m)
	t.want(a.ok(), "answer %s", a)
	d := t.arrive("receiver", id)
	t.show("delivered", d)
	t.labelled(d, receiver, "spf=fail", "dmarc=fail")
}

func attackersOwn(t *test) {
	for _, c := range []struct{ port, victim string }{{"in", "victim.test"}, {"cautious", "careful.test"}} {
		text, id := t.write(letter{from: "boss@" + c.victim, to: "b@receiver.test"})
		// What an attacker's signer would do, ours must be told to.
		s := t.w.signer("attacker.test", "s1")
		s.AllowThirdParty = true
		field, err := dkim.Sign(strings.NewReader(text), s)
		t.must(err)
		a := t.send(mail{port: c.port, from: ipAttacker, mailFrom: "x@attacker.test", to: []string{"b@receiver.test"}, author: c.victim, data: field + text})
		if c.port == "in" {
			t.refused(a)
			t.absent("receiver", id)
			continue
		}
		t.want(a.ok(), "answer %s", a)
		d := t.wait("in the hold queue", func() []delivered { return with(id, t.w.postfix["receiver"].held()) })
		t.show("p=quarantine: in the hold queue", d)
		t.labelled(d, receiver, "spf=pass", "dkim=pass", "dmarc=fail")
	}
}

func twoFrom(t *test) {
	for _, second := range []string{"From: Boss <boss@victim.test>\r\n", "FROM : boss@victim.test\r\n"} {
		m, id := t.good("in", letter{})
		m.author = "" // nobody to report to
		m.data = second + m.data
		t.say("with %q on top", second)
		t.refused(t.send(m))
		t.absent("receiver", id)
	}
}

func nullSender(t *test) {
	text, id := t.write(letter{from: "Mail Delivery System <mailer-daemon@good.test>", to: "b@receiver.test", subject: "Undelivered"})
	a := t.send(mail{port: "in", from: ipGood, helo: "mx.good.test", to: []string{"b@receiver.test"}, author: "good.test", data: text})
	t.want(a.ok(), "answer %s", a)
	d := t.arrive("receiver", id)
	t.show("delivered; SPF looked at the HELO name", d)
	t.labelled(d, receiver, "spf=pass", "dmarc=pass")

	text, id = t.write(letter{from: "mailer-daemon@victim.test", to: "b@receiver.test", subject: "Undelivered"})
	t.refused(t.send(mail{port: "in", from: ipAttacker, helo: "mx.attacker.test", to: []string{"b@receiver.test"}, author: "victim.test", data: text}))
	t.absent("receiver", id)
}

func internationalized(t *test) {
	text, id := t.write(letter{from: "Jörg <jörg@grün.test>", to: "b@receiver.test", subject: "Grüße, 你好",
		body: "Grüße!\r\n", signers: []dkim.Signer{t.w.signer("xn--grn-ioa.test", "s1")}})
	a := t.send(mail{port: "in", from: ipGood, mailFrom: "jörg@grün.test", parameters: " BODY=8BITMIME SMTPUTF8", to: []string{"b@receiver.test"}, author: "xn--grn-ioa.test", data: text})
	t.want(a.ok(), "answer %s", a)
	d := t.arrive("receiver", id)
	t.show("delivered", d)
	t.labelled(d, receiver, "spf=pass", "dkim=pass", "dmarc=pass")
	t.want(strings.Contains(d.header(), "\nFrom: Jörg <jörg@grün.test>\n"), "the From field is not as it was")
}

func eightBit(t *test) {
	m, id := t.good("in", letter{body: "Gr\xfc\xdfe in Latin-1, and \x80\xff.\r\n", fields: "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n"})
	m.parameters = " BODY=8BITMIME"
	a := t.send(m)
	t.want(a.ok(), "answer %s", a)
	d := t.arrive("receiver", id)
	t.show("delivered", d)
	t.labelled(d, receiver, "spf=pass", "dkim=pass", "dmarc=pass")
	t.want(d.body() == "Gr\xfc\xdfe in Latin-1, and \x80\xff.\n", "body %q", d.body())
}

// simple looks whether the octets of the header get to the programs as they were sent.
func simple(t *test) {
	t.startSMTPD()
	s := t.w.signer("good.test", "s1")
	s.Canonicalization = "simple/simple"
	s.IfPresent = []string{"X-Odd", "X-Tight", "X-Empty"}
	text, id := t.write(letter{from: "  a@good.test ", to: "b@receiver.test", subject: "  two  blanks\t", body: "Blanks at the end  \r\n\r\n \r\n\r\n\r\n",
		fields: "X-Odd: \t folded\r\n\t  and \r\n again\t \r\nX-Tight:none\r\nX-Empty: \r\n", signers: []dkim.Signer{s}})
	for _, port := range []string{"in", "smtpd"} {
		a := t.send(mail{port: port, from: ipGood, mailFrom: "a@good.test", to: []string{"b@receiver.test"}, author: "good.test", data: text})
		t.want(a.ok(), "answer %s", a)
		arrive := t.arriveHere
		if port == "in" {
			arrive = func(id string) delivered { return t.arrive("receiver", id) }
		}
		d := arrive(id)
		if port == "in" {
			t.show("delivered", d)
		}
		t.labelled(d, receiver, "spf=pass", "dkim=pass", "dmarc=pass")
	}
}

func bigAttachment(t *test) {
	const lines = 20_000_000 / 78
	m, id := t.good("in", letter{body: strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", lines), fields: "Content-Transfer-Encoding: base64\r\n"})
	filter := t.w.milters["enforce"]
	filter.resetPeak()
	before, _ := filter.memory()
	begin := time.Now()
	a := t.send(m)
	took := time.Since(begin)
	after, peak := filter.memory()
	t.want(a.ok(), "answer %s", a)
	d := t.arrive("receiver", id)
	t.show("delivered", d)
	t.labelled(d, receiver, "spf=pass", "dkim=pass", "dmarc=pass")
	t.want(len(d.body()) == lines*77, "%d octets of body", len(d.body()))
	t.say("%d octets in %.1f s; resident memory of the milter: %d KiB before, %d at most, %d after", len(m.data), took.Seconds(), before, peak, after)
	t.want(peak-before < 10<<10, "the milter kept the message: %d KiB more", peak-before)
}

// oneSession looks whether anything of a message is left when the next one begins.
func oneSession(t *test) {
	for _, port := range []string{"in", "smtpd"} {
		if port == "smtpd" {
			t.startSMTPD()
		}
		good, goodID := t.good(port, letter{})
		forged, forgedID := t.forged(port)
		forged.mailFrom, forged.from = "x@good.test", ipGood // SPF passes, for somebody else
		last, lastID := t.good(port, letter{})
		c, err := t.w.greet(good)
		t.must(err)
		defer c.close()
		for _, m := range []mail{good, forged, {}, last} {
			if m.data == "" { // given up after RCPT
				for _, s := range []string{"MAIL FROM:<boss@victim.test>", "RCPT TO:<b@receiver.test>", "RSET"} {
					r, err := c.command("%s", s)
					t.must(err)
					t.want(r[0] == '2', "%s: %s", s, r)
				}
				continue
			}
			a, err := c.transact(m)
			t.must(err)
			t.say("%s, MAIL FROM:<%s>; %s", port, m.mailFrom, a)
			t.w.count(port, m.author)
			if m.author == "victim.test" {
				t.refused(a)
			} else {
				t.want(a.ok(), "answer %s", a)
			}
		}
		arrive := func(id string) delivered { return t.arrive("receiver", id) }
		if port == "smtpd" {
			arrive = t.arriveHere
		} else {
			t.absent("receiver", forgedID)
		}
		t.labelled(arrive(goodID), receiver, "spf=pass", "dkim=pass", "dmarc=pass")
		d := arrive(lastID)
		t.show("the last one, delivered", d)
		t.labelled(d, receiver, "spf=pass", "dkim=pass", "dmarc=pass")
		t.want(strings.HasPrefix(d.values("Return-Path")[0], " <a@good.test>"), "Return-Path: %s", d.values("Return-Path"))
	}
}

// slowClient takes longer for its header and for its body than the DNS may take for a
// message (6 s here): the time of the one must not be charged to the other.
func slowClient(t *test) {
	type outcome struct {
		port string
		id   string
		a    answer
		err  error
	}
	done := make(chan outcome)
	ports := []string{"in", "smtpd"}
	t.startSMTPD()
	for _, port := range ports {
		m, id := t.good(port, letter{})
		go func() {
			a, err := t.w.dawdle(m, 7*time.Second)
			done <- outcome{port, id, a, err}
		}()
	}
	for range ports {
		o := <-done
		t.must(o.err)
		t.say("%s; %s", o.port, o.a)
		t.want(o.a.ok(), "answer %s", o.a)
		t.w.count(o.port, "good.test")
		if o.port == "in" {
			t.labelled(t.arrive("receiver", o.id), receiver, "spf=pass", "dkim=pass", "dmarc=pass")
		} else {
			t.labelled(t.arriveHere(o.id), receiver, "spf=pass", "dkim=pass", "dmarc=pass")
		}
	}
}

// dawdle rests within the header and within the body.
func (w *world) dawdle(m mail, rest time.Duration) (a answer, err error) {
	c, err := w.greet(m)
	if err != nil {
		return a, err
	}
	defer c.close()
	head, body, _ := strings.Cut(stuffed(m.data), "\r\n\r\n")
	m.data, m.raw = head[:len(head)/2], true
	go func() {
		time.Sleep(rest)
		c.conn.Write([]byte(head[len(head)/2:] + "\r\n\r\n" + body[:len(body)/2]))
		time.Sleep(rest)
		c.conn.Write([]byte(body[len(body)/2:] + ".\r\n"))
	}()
	return c.transact(m)
}
