package main

import (
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dkim"
)

var scenarios = []struct {
	name string
	run  func(*test)
}{
	{"Postfix delivers without our milter", withoutMilter},
}

// send delivers a message and prints what was said to it.
func (t *test) send(m mail) string {
	r, err := t.w.deliver(m)
	t.must(err)
	t.say("%s -> %s, MAIL FROM:<%s>%s: %s", m.from, m.port, m.mailFrom, m.parameters, strings.ReplaceAll(r, "\n", " / "))
	return r
}

// arrive waits for a message in the Maildir of a Postfix.
func (t *test) arrive(at, id string) delivered {
	var found []delivered
	eventually(20*time.Second, func() bool {
		found = with(id, t.w.postfix[at].maildir())
		return len(found) > 0
	})
	if len(found) == 0 {
		t.must(notArrived(id + " did not arrive at " + at))
	}
	t.want(len(found) == 1, "%s arrived %d times", id, len(found))
	return found[0]
}

type notArrived string

func (e notArrived) Error() string { return string(e) }

// good is a message of good.test, signed, from its own server.
func (t *test) good(port string, l letter) (mail, string) {
	l.from, l.to = "a@good.test", "b@receiver.test"
	l.signers = []dkim.Signer{t.w.signer("good.test", "s1")}
	text, id, err := l.text()
	t.must(err)
	return mail{port: port, from: ipGood, mailFrom: "a@good.test", to: []string{"b@receiver.test"}, data: text}, id
}

func withoutMilter(t *test) {
	m, id := t.good("plain", letter{})
	r := t.send(m)
	t.want(strings.HasPrefix(r, "250 "), "reply %q", r)
	d := t.arrive("receiver", id)
	t.show("delivered", d)
	t.want(len(d.values("Authentication-Results")) == 0, "somebody filtered it")
}
