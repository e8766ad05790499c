package main

import (
	"bufio"
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
	parameters string // of MAIL FROM, with a leading space
	data       string
	raw        bool // data goes out as it is, dots and all, and ends in no dot of ours
}

// refused is a reply that is not 2xx, and what it was the reply to.
type refused struct{ command, reply string }

func (e *refused) Error() string { return e.command + ": " + e.reply }

// deliver sends a message in a session of its own and returns the last reply. The error
// is that of the connection; a refusal is a reply.
func (w *world) deliver(m mail) (string, error) {
	c, err := dial(m.from, w.address(m.port))
	if err != nil {
		return "", err
	}
	defer c.close()
	if _, err := c.reply(); err != nil {
		return "", err
	}
	if m.helo == "" {
		_, domain, _ := strings.Cut(m.mailFrom, "@")
		m.helo = "mx." + aLabels.Replace(domain)
	}
	if r, err := c.command("EHLO %s", m.helo); err != nil || r[0] != '2' {
		return r, err
	}
	r, err := c.transact(m)
	if err == nil {
		c.command("QUIT")
	}
	return r, err
}

// transact sends a message in a session that said EHLO.
func (c *client) transact(m mail) (string, error) {
	if r, err := c.command("MAIL FROM:<%s>%s", m.mailFrom, m.parameters); err != nil || r[0] != '2' {
		return r, err
	}
	for _, to := range m.to {
		if r, err := c.command("RCPT TO:<%s>", to); err != nil || r[0] != '2' {
			return r, err
		}
	}
	if r, err := c.command("DATA"); err != nil || r[0] != '3' {
		return r, err
	}
	data := m.data
	if !m.raw {
		data = stuffed(data) + ".\r\n"
	}
	if _, err := c.conn.Write([]byte(data)); err != nil {
		return "", err
	}
	return c.reply()
}

// stuffed doubles the dots at the beginning of lines (RFC 5321, section 4.5.2).
func stuffed(s string) string {
	if strings.HasPrefix(s, ".") {
		s = "." + s
	}
	return strings.ReplaceAll(s, "\r\n.", "\r\n..")
}
