package main

import (
	"os"
	"strings"
	"time"
)

// bareLF shows what Postfix makes of lines that end in LF alone before any milter sees
// them: it is Postfix's setting that decides, and each message that comes out of it is
// evaluated as it came out.
func bareLF(t *test) {
	t.say("Postfix never shows a milter a bare LF: with smtpd_forbid_bare_newline=no and =normalize (or =yes)")
	t.say("it takes it for a line end, with =reject it refuses the message.")
	for _, port := range []string{"bare-no", "bare-normalize", "bare-reject"} {
		m, id := t.good(port, letter{})
		head, body, _ := strings.Cut(m.data, "\r\n\r\n")
		m.data, m.raw = head+"\r\n\r\n"+strings.ReplaceAll(strings.TrimSuffix(stuffed(body), "\r\n"), "\r\n", "\n")+"\r\n.\r\n", true
		if port == "bare-reject" {
			m.author = "" // the milter will not see its end
		}
		a := t.send(m)
		if port == "bare-reject" {
			t.want(a.reply[0] == '5', "answer %s", a)
			t.absent("receiver", id)
			continue
		}
		t.want(a.ok(), "answer %s", a)
		d := t.arrive("receiver", id)
		t.show("delivered", d)
		t.labelled(d, receiver, "spf=pass", "dkim=pass", "dmarc=pass")

		// A second author on a line of its own is a second author.
		m, id = t.good(port, letter{})
		m.author = ""
		m.data, m.raw = strings.Replace(stuffed(m.data), "\r\nFrom:", "\nFrom: boss@victim.test\nFrom:", 1)+".\r\n", true
		t.refused(t.send(m))
		t.absent("receiver", id)
	}

	// The end of data in bare LF, and a second message smuggled behind it.
	first, firstID := t.good("bare-no", letter{subject: "First"})
	second, secondID := t.forged("bare-no")
	first.data = strings.TrimSuffix(stuffed(first.data), "\r\n") + "\n.\n" + "MAIL FROM:<" + second.mailFrom + ">\r\nRCPT TO:<b@receiver.test>\r\nDATA\r\n" + stuffed(second.data) + ".\r\n"
	first.raw = true
	c, err := t.w.greet(first)
	t.must(err)
	defer c.close()
	a, err := c.transact(first)
	t.must(err)
	t.say("smuggling with smtpd_forbid_bare_newline=no: the first message: %s", a)
	t.want(a.ok(), "answer %s", a)
	t.w.count("bare-no", first.author)
	var last string
	for range 4 { // MAIL, RCPT, DATA, end of data
		last, err = c.reply()
		t.must(err)
		t.say("  then: %s", last)
	}
	t.refused(answer{endOfData, last})
	t.w.count("bare-no", second.author)
	t.arrive("receiver", firstID)
	t.absent("receiver", secondID)
}

// hangUp leaves a session in every phase, and looks whether the programs got over it.
func hangUp(t *test) {
	t.startSMTPD()
	for _, c := range []struct{ port, program string }{{"in", "enforce"}, {"smtpd", "smtpd"}} {
		t.hangUpOn(c.port, t.w.milters[c.program])
	}
	left, _ := os.ReadDir(t.w.file("smtpd-spool"))
	t.want(len(left) == 0, "%d files in the spool directory of smtpd", len(left))
}

func (t *test) hangUpOn(port string, p *milter) {
	before := p.files()
	memory, _ := p.memory()
	m, id := t.good(port, letter{body: strings.Repeat("A line that is not the last.\r\n", 2000)})
	head, body, _ := strings.Cut(m.data, "\r\n\r\n")
	open := []string{"MAIL FROM:<" + m.mailFrom + ">\r\n", "RCPT TO:<b@receiver.test>\r\n", "DATA\r\n"}
	leave := func(send []string) { // each waits for the reply of the one before
		c, err := t.w.greet(m)
		t.must(err)
		defer c.close()
		for i, s := range send {
			_, err := c.conn.Write([]byte(s))
			t.must(err)
			if i < 3 {
				_, err = c.reply()
				t.must(err)
			}
		}
		time.Sleep(10 * time.Millisecond) // let it get there
	}
	phases := []struct {
		name string
		send []string
	}{
		{"after EHLO", nil},
		{"after MAIL", open[:1]},
		{"after RCPT", open[:2]},
		{"after DATA", open},
		{"within the header", append(open[:3:3], head[:len(head)/2])},
		{"after the header", append(open[:3:3], head+"\r\n\r\n")},
		{"within the body", append(open[:3:3], head+"\r\n\r\n"+body[:len(body)/2])},
		{"before the final dot", append(open[:3:3], m.data)},
	}
	for _, ph := range phases {
		for range 5 {
			leave(ph.send)
		}
		t.want(p.alive(), "%s: ended when a client hung up %s", port, ph.name)
	}
	arrived := func(id string) []delivered {
		if port == "smtpd" {
			return with(id, readMaildir(t.w.file("smtpd-mail/receiver.test/b")))
		}
		return with(id, t.w.postfix["receiver"].maildir())
	}
	t.want(len(arrived(id)) == 0, "%s delivered a message that was not complete", port)

	// Behind the final dot the message is the server's, whether or not the client
	// stays to hear it; one that comes again has sent it twice (RFC 5321, section 4.1.1.4).
	n := 0
	for range 5 {
		m, id = t.good(port, letter{})
		leave(append(open[:3:3], stuffed(m.data)+".\r\n"))
		if eventually(10*time.Second, func() bool { return len(arrived(id)) > 0 }) {
			t.want(len(arrived(id)) == 1, "delivered %d times", len(arrived(id)))
			t.w.count(port, m.author)
			n++
		}
	}
	t.say("%s: %d phases, five times each; of five messages whose client left behind the final dot, %d were delivered", port, len(phases), n)
	t.want(n == 5, "%d delivered", n)
	t.want(eventually(20*time.Second, func() bool { return p.files() <= before+2 }), "%d open files, %d before", p.files(), before)
	now, _ := p.memory()
	t.say("%s: open files %d before, %d after; resident %d KiB before, %d after", port, before, p.files(), memory, now)

	m, id = t.good(port, letter{})
	a := t.send(m)
	t.want(a.ok(), "good mail after them: %s", a)
	t.want(eventually(10*time.Second, func() bool { return len(arrived(id)) == 1 }), "it did not arrive")
}
