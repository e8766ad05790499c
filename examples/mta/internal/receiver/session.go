package receiver

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"

	"github.com/emersion/go-smtp"
	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
	"github.com/seed2385d973/mailauth/examples/mta/internal/maildir"
)

// session is one SMTP connection. The library may call Reset and Logout while Data
// runs, so that a message belongs to whoever takes it.
type session struct {
	s    *Server
	conn *smtp.Conn

	mu sync.Mutex
	t  *transaction
}

// transaction is one message.
type transaction struct {
	gate  *gate.Gate
	from  string
	boxes []string
	to    map[string]bool
	ev    *mailauth.Evaluation
}

func (s *session) take() *transaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.t
	s.t = nil
	return t
}

// Reset implements smtp.Session.
func (s *session) Reset() {
	if t := s.take(); t != nil {
		t.ev.Abort()
	}
}

// Logout implements smtp.Session.
func (s *session) Logout() error {
	s.Reset()
	return nil
}

// client is the address of the other side; the zero Addr if it has none.
func (s *session) client() netip.Addr {
	if a, ok := s.conn.Conn().RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// Mail implements smtp.Session: SPF starts, and is answered here if that is wanted.
func (s *session) Mail(from string, opts *smtp.MailOptions) error {
	s.Reset()
	g := s.s.Live.Get()
	t := &transaction{gate: g, from: from, to: map[string]bool{}}
	t.ev = g.Evaluator.Start(context.Background(), mailauth.Session{
		IP: s.client(), HELO: s.conn.Hostname(), MailFrom: from, Receiver: g.Config.Hostname, SMTPUTF8: opts.UTF8,
	})
	if g.Config.SMTPD.RejectSPF && !observing(g.Config) {
		if r := t.ev.SPF(); r.Status == authres.Fail {
			t.ev.Abort()
			s.s.Log.Info("refused at MAIL FROM", "client", s.client().String(), "mail_from", from, "spf", r)
			return errorOf(mailauth.SMTPReply{Code: 550, Enhanced: "5.7.23", Text: "SPF validation failed for " + r.Domain})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t = t
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.t
	if t == nil {
		return smtp.ErrDataReset
	}
	if !gate.Matches(s.s.recipients, gate.Domain(to)) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Relaying denied"}
	}
	c := t.gate.Config.SMTPD
	box, err := maildir.Box(c.Maildir, to)
	if err != nil || c.Mailboxes == config.Existing && !maildir.Exists(box) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such mailbox here"}
	}
	if !t.to[box] {
		t.to[box] = true
		t.boxes = append(t.boxes, box)
	}
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	t := s.take()
	if t == nil {
		return smtp.ErrDataReset
	}
	defer t.ev.Abort()
	return s.receive(t, r)
}
