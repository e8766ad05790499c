package main

import (
	"strings"
	"time"
)

// startSMTPD runs the other program, once.
func (t *test) startSMTPD() {
	if t.w.milters["smtpd"] != nil {
		return
	}
	m := &milter{w: t.w, name: "smtpd", program: "smtpd", config: settings{host: receiver, mode: "enforce", honorReject: true,
		local: []string{ipReceiver + "/32"}, recipients: "receiver.test"}}
	t.must(m.run())
	t.w.milters["smtpd"] = m
}

func (t *test) arriveHere(id string) delivered {
	return t.wait("in the Maildir of smtpd", func() []delivered { return with(id, readMaildir(t.w.file("smtpd-mail/receiver.test/b"))) })
}

func smtpdGood(t *test) {
	t.startSMTPD()
	m, id := t.good("smtpd", letter{})
	m.data = "Authentication-Results: " + receiver + "; dmarc=pass header.from=bank.example\r\n" + m.data
	a := t.send(m)
	t.want(a.ok(), "answer %s", a)
	d := t.arriveHere(id)
	t.show("delivered", d)
	t.labelled(d, receiver, "spf=pass", "dkim=pass", "dmarc=pass")
	t.want(!strings.Contains(d.header(), "bank.example"), "a forged field is still there")
	t.want(strings.HasSuffix(d.body(), "\n.\nA line with a dot above.\n"), "body %q", d.body())
}

func smtpdForged(t *test) {
	t.startSMTPD()
	m, id := t.forged("smtpd")
	t.refused(t.send(m))
	time.Sleep(100 * time.Millisecond)
	t.want(len(with(id, readMaildir(t.w.file("smtpd-mail/receiver.test/b")))) == 0, "it was delivered")
}

func smtpdKeyServerDown(t *test) {
	t.startSMTPD()
	t.w.keyServer.stop()
	m, id := t.keyless("smtpd", "s3")
	t.deferred(t.send(m))
	t.startKeyServer()
	t.comesBack(m)
	d := t.arriveHere(id)
	t.show("delivered", d)
	t.labelled(d, receiver, "spf=pass", "dkim=pass", "dmarc=pass")
}
