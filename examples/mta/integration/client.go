package main

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// client speaks SMTP octet by octet, because some of what is sent here no proper
// client sends. from is the loopback address that SPF will see.
type client struct {
	conn net.Conn
	r    *bufio.Reader
}

const patience = 60 * time.Second

func dial(from, to string) (*client, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	conn, err := d.Dial("tcp", to)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(patience))
	return &client{conn, bufio.NewReader(conn)}, nil
}

func (c *client) close() { c.conn.Close() }

// reply reads one reply, its lines joined with line feeds.
func (c *client) reply() (string, error) {
	var lines []string
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return "", err
		}
		line = strings.TrimRight(line, "\r\n")
		lines = append(lines, line)
		if len(line) < 4 || line[3] != '-' {
			return strings.Join(lines, "\n"), nil
		}
	}
}

func (c *client) command(format string, args ...any) (string, error) {
	if _, err := fmt.Fprintf(c.conn, format+"\r\n", args...); err != nil {
		return "", err
	}
	return c.reply()
}

// mail is one message on its way.
type mail struct {
	port       string // of world.ports
	from       string // the client's IP address
	helo       string
	mailFrom   string
	to         []string
	password   string // of userName, to log in with
	parameters string // of MAIL FROM, with a leading space
	author     string // the author domain, if a report will count the message under it
	data       string
	raw        bool // data goes out as it is, dots and all, and ends in no dot of ours
}

// answer is the reply that decided a transaction, and what it was the reply to:
// "connect", "EHLO", "MAIL", "RCPT", "DATA" or "end of data".
type answer struct{ after, reply string }

func (a answer) ok() bool { return strings.HasPrefix(a.reply, "250") && a.after == endOfData }

// final: the sender need not come again.
func (a answer) final() bool { return a.reply != "" && (a.reply[0] == '2' || a.reply[0] == '5') }

func (a answer) String() string {
	return a.after + ": " + strings.ReplaceAll(a.reply, "\n", " / ")
}

const endOfData = "end of data"

// deliver sends a message in a session of its own. The error is that of the
// connection; a refusal is an answer.
func (w *world) deliver(m mail) (answer, error) {
	c, err := w.greet(m)
	if err != nil {
		return answer{}, err
	}
	defer c.close()
	a, err := c.transact(m)
	if err == nil {
		c.command("QUIT")
	}
	return a, err
}

// greet opens a session and says EHLO.
func (w *world) greet(m mail) (*client, error) {
	c, err := dial(m.from, w.address(m.port))
	if err != nil {
		return nil, err
	}
	helo := m.helo
	if helo == "" {
		_, domain, _ := strings.Cut(m.mailFrom, "@")
		helo = "mx." + aLabels.Replace(domain)
	}
	r, err := c.reply()
	if err == nil && r[0] == '2' {
		r, err = c.command("EHLO %s", helo)
	}
	if err == nil && r[0] == '2' && m.password != "" {
		r, err = c.command("AUTH PLAIN %s", base64.StdEncoding.EncodeToString([]byte("\x00"+userName+"\x00"+m.password)))
	}
	if err == nil && r[0] != '2' {
		err = errors.New("greeting: " + r)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// transact sends a message in a session that said EHLO.
func (c *client) transact(m mail) (a answer, err error) {
	a.after = "MAIL"
	if a.reply, err = c.command("MAIL FROM:<%s>%s", m.mailFrom, m.parameters); err != nil || a.reply[0] != '2' {
		return a, err
	}
	a.after = "RCPT"
	for _, to := range m.to {
		if a.reply, err = c.command("RCPT TO:<%s>", to); err != nil || a.reply[0] != '2' {
			return a, err
		}
	}
	a.after = "DATA"
	if a.reply, err = c.command("DATA"); err != nil || a.reply[0] != '3' {
		return a, err
	}
	data := m.data
	if !m.raw {
		data = stuffed(data) + ".\r\n"
	}
	a.after = endOfData
	if _, err = c.conn.Write([]byte(data)); err != nil {
		return a, err
	}
	a.reply, err = c.reply()
	return a, err
}

// stuffed doubles the dots at the beginning of lines (RFC 5321, section 4.5.2).
func stuffed(s string) string {
	if strings.HasPrefix(s, ".") {
		s = "." + s
	}
	return strings.ReplaceAll(s, "\r\n.", "\r\n..")
}
