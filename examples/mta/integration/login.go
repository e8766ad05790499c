package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"strings"
)

const userName, userPassword = "user", "correct horse"

// startLogin listens where Postfix asks about names and passwords, as Dovecot does
// (its authentication protocol, version 1), for one user.
func (w *world) startLogin() error {
	l, err := net.Listen("unix", w.loginSocket())
	if err != nil {
		return err
	}
	w.atEnd(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go login(c)
		}
	}()
	return os.Chmod(w.loginSocket(), 0o666)
}

func (w *world) loginSocket() string { return w.file("login.sock") }

func login(c net.Conn) {
	defer c.Close()
	fmt.Fprintf(c, "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nDONE\n")
	want := base64.StdEncoding.EncodeToString([]byte("\x00" + userName + "\x00" + userPassword))
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		words := strings.Split(lines.Text(), "\t")
		if len(words) < 3 || words[0] != "AUTH" {
			continue
		}
		answer := "FAIL\t" + words[1] + "\tuser=" + userName
		for _, word := range words[2:] {
			if word == "resp="+want {
				answer = "OK\t" + words[1] + "\tuser=" + userName
			}
		}
		fmt.Fprintln(c, answer)
	}
}

// loggedIn sends from a strange network, where only the login says whose mail it is.
func loggedIn(t *test) {
	text, id := t.write(letter{from: "User <user@receiver.test>", to: "p@partner.test",
		fields: "Authentication-Results: " + receiver + "; dmarc=pass header.from=bank.example\r\n"})
	m := mail{port: "submission", from: ipOther, helo: "hotel.test", mailFrom: "user@receiver.test", to: []string{"p@partner.test"}, data: text}
	a := t.send(m)
	t.want(a.after == "RCPT" && a.reply[0] == '5', "without a login: %s", a)
	m.password = userPassword
	a = t.send(m)
	t.want(a.ok(), "with a login: %s", a)
	d := t.arrive("partner", id)
	t.w.count("partner", "receiver.test")
	t.show("delivered at the partner", d)
	t.verifiedTwice(d, "rsa1")
	t.want(!strings.Contains(d.header(), "bank.example"), "what the user says in our name is still there")

	text, _ = t.write(letter{from: "Boss <boss@receiver.test>", to: "p@partner.test"})
	m.data = text
	a = t.send(m)
	t.want(a.after == endOfData && strings.HasPrefix(a.reply, "550 5.7."), "the same login in another name: %s", a)

	// And mail that only says that it is ours is not.
	text, id = t.write(letter{from: "User <user@receiver.test>", to: "b@receiver.test"})
	t.refused(t.send(mail{port: "submission", from: ipOther, helo: "hotel.test", mailFrom: "user@receiver.test", to: []string{"b@receiver.test"}, author: "receiver.test", data: text}))
	t.absent("receiver", id)
}
