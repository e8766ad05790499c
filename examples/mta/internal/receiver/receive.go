package receiver

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
	"github.com/seed2385d973/mailauth/examples/mta/internal/maildir"
)

// The files of the spool: as received, and as delivered.
const (
	receivedSuffix = ".received"
	readySuffix    = ".ready"
)

func isSpoolFile(name string) bool {
	return strings.HasSuffix(name, receivedSuffix) || strings.HasSuffix(name, readySuffix)
}

// chunk is how much of a message is in memory at once.
const chunk = 32 << 10

// failed is the answer where something of ours does not work.
func failed() *smtp.SMTPError {
	return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Local error, try again later"}
}

// receive takes the message: into the spool and the evaluation at once, and then, by
// what the evaluation says, into the boxes. The client is told that it was taken when
// it is on the disk.
func (s *session) receive(t *transaction, r io.Reader) error {
	id := rand.Text()
	log := s.s.Log.With("id", id, "client", s.client().String(), "mail_from", t.from)
	spool := t.gate.Config.SMTPD.Spool
	in, err := os.OpenFile(filepath.Join(spool, id+receivedSuffix), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		log.Error("no spool", "error", err)
		return failed()
	}
	defer os.Remove(in.Name())
	defer in.Close()
	if err := spoolInto(r, in, t.ev); err != nil {
		return interrupted(err, log.Warn)
	}
	result, err := t.ev.Finish()
	if err != nil {
		return interrupted(unreadable{err}, log.Warn)
	}
	v := t.gate.Decide(result)
	if v.Action == mailauth.Accept || v.Action == mailauth.Quarantine {
		if err := s.deliver(t, id, in, result, v.Action); err != nil {
			log.Error("not delivered", "error", err)
			return failed()
		}
	}
	if s.s.Counts != nil && v.Action != mailauth.Defer {
		if err := s.s.Counts.Add(context.Background(), gate.Observation(result, v.Action)); err != nil {
			log.Error("not counted", "error", err)
		}
	}
	log.Info("message", "done", string(v.Action), "policy_action", string(v.Would), "reply", v.Reply.String(), "verdict", result)
	if v.Action == mailauth.Accept || v.Action == mailauth.Quarantine {
		return nil
	}
	return errorOf(v.Reply)
}

// unreadable marks an error of the evaluation, as opposed to one of the connection or the disk.
type unreadable struct{ error }

func (u unreadable) Unwrap() error { return u.error }

// spoolInto copies the message.
func spoolInto(r io.Reader, file *os.File, ev *mailauth.Evaluation) error {
	buf := make([]byte, chunk)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, err := file.Write(buf[:n]); err != nil {
				return err
			}
			if _, err := ev.Write(buf[:n]); err != nil {
				return unreadable{err}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// interrupted answers for a message that has no result. A header over a limit is
// refused in every mode, as a message over the size is: nobody can say what is in it.
func interrupted(err error, log func(string, ...any)) error {
	log("message not evaluated", "error", err)
	var protocol *smtp.SMTPError
	var u unreadable
	switch {
	case errors.As(err, &protocol): // too large, or given up by the client
		return protocol
	case errors.As(err, &u):
		return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "Message header is over a limit"}
	}
	return failed()
}

// deliver writes the message as it is delivered, and puts it into the boxes.
func (s *session) deliver(t *transaction, id string, in *os.File, r *mailauth.Result, action mailauth.Action) error {
	name := filepath.Join(t.gate.Config.SMTPD.Spool, id+readySuffix)
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	defer out.Close()
	w := bufio.NewWriterSize(out, chunk)
	fmt.Fprintf(w, "Return-Path: <%s>\r\n", visible(t.from))
	for _, f := range r.HeaderFields {
		w.WriteString(f)
	}
	w.WriteString(s.trace(id, t))
	h := t.ev.Message().Header()
	for i := range h.Len() {
		if !slices.Contains(r.Strip, i) {
			w.Write(h.Raw(i))
		}
	}
	if _, err := in.Seek(int64(len(h.Bytes())), io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(w, in); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	boxes := slices.Clone(t.boxes)
	if action == mailauth.Quarantine {
		for i := range boxes {
			boxes[i] = filepath.Join(boxes[i], maildir.Quarantine)
		}
	}
	return maildir.Deliver(name, boxes)
}

// trace is the Received field (RFC 5321, section 4.4).
func (s *session) trace(id string, t *transaction) string {
	with := "ESMTP"
	if _, ok := s.conn.TLSConnectionState(); ok {
		with = "ESMTPS"
	}
	helo, ip := visible(s.conn.Hostname()), "unknown"
	if a := s.client(); a.IsValid() {
		ip = a.String()
		if a.Is6() {
			ip = "IPv6:" + ip
		}
	}
	return fmt.Sprintf("Received: from %s ([%s])\r\n\tby %s with %s id %s;\r\n\t%s\r\n",
		helo, ip, t.gate.Config.Hostname, with, id, time.Now().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
}

// visible leaves of what a client has said about itself what cannot be taken for
// anything else in a header field.
func visible(s string) string {
	if len(s) > 255 {
		s = s[:255]
	}
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c == 0x7f || strings.ContainsRune("<>()[];\\\",\ufffd", c) {
			return '?'
		}
		return c
	}, s)
}
