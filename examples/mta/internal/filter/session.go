package filter

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"net/textproto"
	"strings"

	"github.com/emersion/go-milter"
	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
)

// session is one connection of an MTA: the milter library's callbacks. They, and the
// link's calls, come from one goroutine.
type session struct {
	s    *Server
	link *link

	ip       netip.Addr // invalid for a message that no network client has handed in
	helo     string
	envelope []string // the arguments of MAIL
	t        *transaction
}

var _ milter.Milter = (*session)(nil)

// client begins with a client of the MTA.
func (c *session) client(ip netip.Addr) { c.ip, c.helo, c.envelope = ip, "", nil }

// reset ends the message that is under way, if any.
func (c *session) reset() {
	if c.t != nil {
		c.t.abort()
		c.t = nil
	}
}

// answer is the reply to a command of which the MTA may not want to hear.
func (c *session) answer(unless milter.OptProtocol) (milter.Response, error) {
	if c.link.protocol&unless != 0 {
		return nil, nil
	}
	return milter.RespContinue, nil
}

// Connect implements milter.Milter. The link has read the address.
func (c *session) Connect(string, string, uint16, net.IP, *milter.Modifier) (milter.Response, error) {
	return c.answer(milter.OptNoConnReply)
}

// Helo implements milter.Milter.
func (c *session) Helo(name string, _ *milter.Modifier) (milter.Response, error) {
	c.helo = name
	return c.answer(milter.OptNoHeloReply)
}

// MailFrom implements milter.Milter. The link has read the arguments.
func (c *session) MailFrom(_ string, m *milter.Modifier) (milter.Response, error) {
	c.reset()
	g := c.s.Live.Get()
	login := m.Macros["{auth_authen}"]
	authenticated := login != ""
	c.t = &transaction{
		c: c, gate: g, from: unbracket(c.envelope[0]), authenticated: authenticated, login: login, outgoing: g.Outgoing(c.ip, authenticated),
	}
	for _, arg := range c.envelope[1:] {
		if strings.EqualFold(arg, "SMTPUTF8") {
			c.t.smtputf8 = true
		}
	}
	return c.answer(milter.OptNoMailReply)
}

func unbracket(s string) string {
	if n := len(s); n >= 2 && s[0] == '<' && s[n-1] == '>' {
		return s[1 : n-1]
	}
	return s
}

// RcptTo implements milter.Milter. With the first recipient that the MTA takes it is
// likely that a message comes, and SPF can start.
func (c *session) RcptTo(rcpt string, _ *milter.Modifier) (milter.Response, error) {
	if t := c.t; t != nil {
		t.begin()
		if !t.outgoing && !t.seal && t.gate.Seals(rcpt) {
			t.seal = true
			t.ev.Want(t.gate.Keys.Sealer().BodyHash())
		}
	}
	return c.answer(milter.OptNoRcptReply)
}

// field takes a header field from the link.
func (c *session) field(name, value []byte) {
	if c.t != nil {
		c.t.field(name, value, c.link.protocol&milter.OptHeaderLeadingSpace != 0)
	}
}

// Header implements milter.Milter. It is not called: the link passes fields on itself.
func (c *session) Header(string, string, *milter.Modifier) (milter.Response, error) {
	return c.answer(milter.OptNoHeaderReply)
}

// Headers implements milter.Milter.
func (c *session) Headers(textproto.MIMEHeader, *milter.Modifier) (milter.Response, error) {
	if c.t != nil {
		c.t.write(crlf)
	}
	return c.answer(milter.OptNoEOHReply)
}

// BodyChunk implements milter.Milter.
func (c *session) BodyChunk(chunk []byte, _ *milter.Modifier) (milter.Response, error) {
	if c.t != nil {
		c.t.write(chunk)
	}
	return c.answer(milter.OptNoBodyReply)
}

var errSequence = errors.New("end of a message that did not begin")

// Body implements milter.Milter: the end of the message, where everything is decided.
func (c *session) Body(m *milter.Modifier) (milter.Response, error) {
	t := c.t
	if t == nil {
		return nil, errSequence
	}
	defer c.reset()
	reply, err := t.finish(m)
	if err != nil {
		return nil, err // the MTA does what milter_default_action says
	}
	if reply.Code == 250 {
		// Not "accept", after which the library forgets the connection. At this
		// point both are the same.
		return milter.RespContinue, nil
	}
	return milter.NewResponseStr(byte(milter.ActReplyCode), reply.String()), nil
}

// Abort implements milter.Milter.
func (c *session) Abort(*milter.Modifier) error {
	c.reset()
	return nil
}

// session returns what the evaluation is told of the SMTP session.
func (t *transaction) session() mailauth.Session {
	return mailauth.Session{IP: t.c.ip, HELO: t.c.helo, MailFrom: t.from, Receiver: t.gate.Config.Hostname, SMTPUTF8: t.smtputf8}
}

// log is the log with what is known of the message. All of it but the queue id comes
// from strangers, and slog quotes it.
func (t *transaction) log(queue string) *slog.Logger {
	return t.c.s.Log.With("queue", queue, "client", t.c.ip.String(), "mail_from", t.from)
}

func (t *transaction) count(r *mailauth.Result, done mailauth.Action, log *slog.Logger) {
	if t.c.s.Counts == nil || done == mailauth.Defer {
		return // it will come again
	}
	if err := t.c.s.Counts.Add(context.Background(), gate.Observation(r, done)); err != nil {
		log.Error("not counted", "error", err)
	}
}
