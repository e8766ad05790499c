package main

import (
	"strings"
	"syscall"
	"time"

	"github.com/seed2385d973/mailauth/dkim"
)

// keyless is a message that only its DKIM key can vouch for, from a relay.
func (t *test) keyless(port, selector string) (mail, string) {
	text, id := t.write(letter{from: "a@keys.test", to: "b@receiver.test", signers: []dkim.Signer{t.w.signer("keys.test", selector)}})
	return mail{port: port, from: ipGood, mailFrom: "relay@good.test", to: []string{"b@receiver.test"}, author: "keys.test", data: text}, id
}

// comesBack sends until the message is accepted, as a sender's queue does.
func (t *test) comesBack(m mail) {
	begin := time.Now()
	var a answer
	eventually(60*time.Second, func() bool {
		time.Sleep(time.Second)
		var err error
		a, err = t.w.deliver(m)
		return err == nil && a.final()
	})
	t.say("after %.0f s: %s", time.Since(begin).Seconds(), a)
	t.want(a.ok(), "not accepted afterwards: %s", a)
	t.w.count(m.port, m.author)
}

// deferred checks for "come again" at the end of the data.
func (t *test) deferred(a answer) {
	t.want(a.after == endOfData && strings.HasPrefix(a.reply, "451 4."), "answer %s, not 451 4.x.x", a)
}

func keyServerDown(t *test) {
	t.w.keyServer.stop()
	m, id := t.keyless("in", "s1")
	t.deferred(t.send(m))
	t.absent("receiver", id)
	t.startKeyServer()
	t.comesBack(m)
	d := t.arrive("receiver", id)
	t.show("delivered", d)
	t.labelled(d, receiver, "spf=pass", "dkim=pass", "dmarc=pass")
}

func (t *test) startKeyServer() {
	p, err := t.w.runNSD("keyserver")
	t.must(err)
	t.w.keyServer = p
}

// keyServerSilent has a server that takes questions and says nothing: the timeouts are
// the milter's own.
func keyServerSilent(t *test) {
	t.w.keyServer.signal(syscall.SIGSTOP)
	m, id := t.keyless("in", "s2")
	begin := time.Now()
	t.deferred(t.send(m))
	t.say("it took %.1f s", time.Since(begin).Seconds())
	t.want(time.Since(begin) < 15*time.Second, "that is too long")
	t.absent("receiver", id)
	t.w.keyServer.signal(syscall.SIGCONT)
	t.comesBack(m)
	t.labelled(t.arrive("receiver", id), receiver, "spf=pass", "dkim=pass", "dmarc=pass")
}
