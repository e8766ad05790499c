// Package receiver is the SMTP server: it receives mail with
// github.com/emersion/go-smtp, evaluates it while it is written to the spool, and
// delivers it to Maildirs.
package receiver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"

	"github.com/emersion/go-smtp"
	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
)

// Server receives mail. New makes one.
type Server struct {
	Live *gate.Live
	// Counts counts messages for aggregate reports; nil counts nothing.
	Counts interface {
		Add(context.Context, aggregate.Observation) error
	}
	Log *slog.Logger

	smtp       *smtp.Server
	recipients []mailauth.Pattern
	slots      chan struct{}
}

// maxLine bounds a line, which the library reads whole where it is a command. Lines of
// messages are longer than they may be often enough; they are passed on as they are.
const maxLine = 100_000

// New prepares a server. What stands in the [smtpd] section of the configuration does
// not change with a reload.
func New(live *gate.Live, log *slog.Logger) (*Server, error) {
	c := live.Get().Config
	s := &Server{Live: live, Log: log, slots: make(chan struct{}, c.SMTPD.Connections)}
	var err error
	if s.recipients, err = gate.Patterns("smtpd.recipients", c.SMTPD.Recipients); err != nil {
		return nil, err
	}
	if c.SMTPD.Maildir == "" || c.SMTPD.Spool == "" || len(s.recipients) == 0 {
		return nil, errors.New("smtpd: recipients, maildir and spool are all needed")
	}
	for _, d := range []string{c.SMTPD.Maildir, c.SMTPD.Spool} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, err
		}
	}
	if err := clean(c.SMTPD.Spool); err != nil {
		return nil, err
	}
	s.smtp = smtp.NewServer(s)
	s.smtp.Domain = c.Hostname
	s.smtp.MaxMessageBytes = c.SMTPD.MessageSize
	s.smtp.MaxRecipients = c.SMTPD.MaxRcpt
	s.smtp.MaxLineLength = maxLine
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = c.SMTPD.Timeout.D(), c.SMTPD.Timeout.D()
	s.smtp.EnableSMTPUTF8 = true
	s.smtp.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	if c.SMTPD.Certificate != "" {
		cert, err := tls.LoadX509KeyPair(c.SMTPD.Certificate, c.SMTPD.PrivateKey)
		if err != nil {
			return nil, err
		}
		s.smtp.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	return s, nil
}

// clean removes what a killed process has left in the spool: messages that were never
// acknowledged, so that their clients have them still.
func clean(spool string) error {
	old, err := os.ReadDir(spool)
	if err != nil {
		return err
	}
	for _, f := range old {
		if isSpoolFile(f.Name()) {
			if err := os.Remove(spool + "/" + f.Name()); err != nil {
				return fmt.Errorf("spool: %w", err)
			}
		}
	}
	return nil
}

// NewSession implements smtp.Backend.
func (s *Server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{s: s, conn: c}, nil
}

// Serve serves the connections of a listener. At most smtpd.connections are open at
// once; further ones wait in the listener's queue.
func (s *Server) Serve(l net.Listener) error {
	return s.smtp.Serve(&limited{Listener: l, slots: s.slots})
}

// Shutdown takes no further connection, waits for those that are open until ctx is
// done, and then closes them. A message whose end was not acknowledged is not
// delivered, and comes again.
func (s *Server) Shutdown(ctx context.Context) {
	s.smtp.Shutdown(ctx)
	s.smtp.Close()
}

// limited is a listener with so many connections at once.
type limited struct {
	net.Listener
	slots chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &slot{Conn: c, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

type slot struct {
	net.Conn
	free func()
}

func (s *slot) Close() error {
	defer s.free()
	return s.Conn.Close()
}

// errorOf makes the library's error of a reply.
func errorOf(r mailauth.SMTPReply) *smtp.SMTPError {
	e := &smtp.SMTPError{Code: r.Code, Message: r.Text}
	fmt.Sscanf(r.Enhanced, "%d.%d.%d", &e.EnhancedCode[0], &e.EnhancedCode[1], &e.EnhancedCode[2])
	return e
}

// observing reports whether nothing is to be refused.
func observing(c *config.Config) bool { return c.Mode == config.Observe }
