package filter

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/emersion/go-milter"
	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
	"github.com/seed2385d973/mailauth/examples/mta/internal/keys"
	"github.com/seed2385d973/mailauth/message"
)

// transaction is one message. Its octets go either into an Evaluation or, if it is
// outgoing, into the Digester of its signatures, and are not kept.
type transaction struct {
	c             *session
	gate          *gate.Gate
	from          string
	smtputf8      bool
	authenticated bool
	login         string
	outgoing      bool
	seal          bool

	ev       *mailauth.Evaluation
	digester *message.Digester
	signers  []dkim.Signer

	err    error // why the message cannot be read
	ours   int   // fields called Authentication-Results, for a message that cannot be read
	buffer []byte
}

var crlf = []byte("\r\n")

// begin starts the evaluation; it may be called more than once.
func (t *transaction) begin() {
	switch {
	case t.ev != nil || t.digester != nil:
	case t.outgoing:
		t.digester = &message.Digester{SMTPUTF8: t.smtputf8, WantFunc: func(h *message.Header) []message.BodyHash {
			t.signers = t.gate.Keys.For(gate.Author(h))
			return keys.BodyHashes(t.signers)
		}}
	default:
		t.ev = t.gate.Evaluator.Start(context.Background(), t.session())
	}
}

func (t *transaction) abort() {
	if t.ev != nil {
		t.ev.Abort()
	}
}

// write takes octets of the message.
func (t *transaction) write(p []byte) {
	if t.err != nil {
		return // all the same, the rest has to be listened to
	}
	t.begin()
	var w io.Writer = t.digester
	if t.ev != nil {
		w = t.ev
	}
	_, t.err = w.Write(p)
}

var errField = errors.New("malformed header field from the MTA")

// field writes a header field as it was on the wire. The protocol has its value with
// LF for line ends and, where the MTA knows SMFIP_HDR_LEADSPC, with the white space
// that follows the colon; other MTAs take away one space, of which we can only suppose
// that it was there.
func (t *transaction) field(name, value []byte, exact bool) {
	if isResults(name) {
		t.ours++
	}
	if t.err != nil {
		return
	}
	b := append(t.buffer[:0], name...)
	b = append(b, ':')
	if !exact {
		b = append(b, ' ')
	}
	for len(value) > 0 {
		line, rest, folded := bytes.Cut(value, []byte("\n"))
		b = append(b, bytes.TrimSuffix(line, []byte("\r"))...)
		value = rest
		if !folded {
			break
		}
		// What follows would be a field of its own, of which the MTA knows nothing.
		if len(value) == 0 || value[0] != ' ' && value[0] != '\t' {
			t.err = errField
			return
		}
		b = append(b, '\r', '\n')
	}
	if bytes.ContainsAny(name, ":\r\n") {
		t.err = errField
		return
	}
	t.buffer = append(b, '\r', '\n')
	t.write(t.buffer)
}

func isResults(name []byte) bool {
	return strings.EqualFold(string(bytes.TrimSpace(name)), "Authentication-Results")
}

// finish decides, changes the message and counts it. An error is one of the
// connection, or that nothing may be done but what the MTA does without us.
func (t *transaction) finish(m *milter.Modifier) (mailauth.SMTPReply, error) {
	t.begin()
	log := t.log(m.Macros["i"])
	if t.outgoing {
		return t.send(m, log)
	}
	var r *mailauth.Result
	if t.err == nil {
		r, t.err = t.ev.Finish()
	}
	if t.err != nil {
		return t.unreadable(m, log)
	}
	v := t.gate.Decide(r)
	action, reply := v.Action, v.Reply
	if action == mailauth.Quarantine && t.gate.Config.Milter.Quarantine == config.Refuse {
		action = mailauth.Reject
		reply = mailauth.SMTPReply{Code: 550, Enhanced: "5.7.26", Text: "Email rejected per DMARC policy for " + r.DMARC.Domain}
	}
	if action == mailauth.Accept || action == mailauth.Quarantine {
		reply = mailauth.SMTPReply{Code: 250, Enhanced: "2.0.0", Text: "OK"}
		if err := t.deliver(m, r, action, log); err != nil {
			return reply, err
		}
	}
	t.count(r, action, log)
	log.Info("message", "done", string(action), "policy_action", string(v.Would), "reply", reply.String(), "verdict", r)
	return reply, nil
}

// deliver changes the message that the MTA goes on with.
func (t *transaction) deliver(m *milter.Modifier, r *mailauth.Result, action mailauth.Action, log *slog.Logger) error {
	for _, f := range r.StripNamed {
		if err := m.ChangeHeader(f.Number, f.Name, ""); err != nil {
			return err
		}
	}
	fields := r.HeaderFields
	if t.seal {
		set, err := r.Seal(t.gate.Keys.Sealer(), t.ev.Message(), fields...)
		if err != nil {
			log.Warn("not sealed", "error", err)
		} else {
			fields = append(slices.Clip(set), fields...)
		}
	}
	if action == mailauth.Quarantine {
		switch {
		case t.gate.Config.Milter.Quarantine == config.Hold && t.c.link.actions&milter.OptQuarantine != 0:
			if err := m.Quarantine("dmarc=" + r.DMARC.Status.String() + " " + r.DMARC.Domain); err != nil {
				return err
			}
		default:
			fields = append([]string{"X-Quarantine: dmarc\r\n"}, fields...)
		}
	}
	return t.insert(m, fields)
}

// insert puts fields on top of the message, above the Received field that the MTA
// adds. Each becomes the topmost, so that the last goes first.
func (t *transaction) insert(m *milter.Modifier, fields []string) error {
	for _, f := range slices.Backward(fields) {
		name, value, _ := strings.Cut(strings.TrimSuffix(f, "\r\n"), ":")
		if t.c.link.protocol&milter.OptHeaderLeadingSpace == 0 {
			value = strings.TrimPrefix(value, " ") // the MTA adds it
		}
		if err := m.InsertHeader(0, name, value); err != nil {
			return err
		}
	}
	return nil
}

// unreadable deals with a message that has no result. Where it is let pass, nobody
// has said which fields are forged, and all that could be go.
func (t *transaction) unreadable(m *milter.Modifier, log *slog.Logger) (mailauth.SMTPReply, error) {
	v := t.gate.Unreadable(t.err)
	log.Warn("message not evaluated", "error", t.err, "done", string(v.Action), "reply", v.Reply.String())
	if v.Action == mailauth.Accept {
		for n := t.ours; n > 0; n-- {
			if err := m.ChangeHeader(n, "Authentication-Results", ""); err != nil {
				return v.Reply, err
			}
		}
	}
	return v.Reply, nil
}

// send signs an outgoing message.
func (t *transaction) send(m *milter.Modifier, log *slog.Logger) (mailauth.SMTPReply, error) {
	ok := mailauth.SMTPReply{Code: 250, Enhanced: "2.0.0", Text: "OK"}
	var msg *message.Message
	if t.err == nil {
		msg, t.err = t.digester.Finish()
	}
	if t.err != nil {
		return t.unreadable(m, log)
	}
	h := msg.Header()
	if t.authenticated {
		for _, i := range slices.Backward(t.gate.Claims(h)) {
			if err := m.ChangeHeader(h.Field(i).Number(), h.Field(i).Name(), ""); err != nil {
				return ok, err
			}
		}
	}
	author := gate.Author(h)
	c := t.gate.Config
	if permitted, check := c.Signing.Permitted(t.login); check && t.authenticated {
		if err := dkim.CheckSubmission(msg, permitted...); err != nil {
			log.Warn("not permitted", "error", err, "author", author, "login", t.login)
			if c.Mode == config.Enforce {
				return mailauth.SMTPReply{Code: 550, Enhanced: "5.7.1", Text: "Not permitted to write as this author"}, nil
			}
			return ok, nil
		}
	}
	var signed string
	err := keys.ErrNoKey
	if len(t.signers) > 0 {
		signed, err = dkim.SignMessage(msg, t.signers...)
	}
	if err != nil {
		log.Warn("not signed", "error", err, "author", author)
		if c.Signing.Required {
			return mailauth.SMTPReply{Code: 550, Enhanced: "5.7.1", Text: "Message cannot be signed: " + err.Error()}, nil
		}
		return ok, nil
	}
	log.Info("signed", "author", author, "signatures", len(t.signers))
	return ok, t.insert(m, split(signed))
}

// split cuts a row of fields into single ones.
func split(fields string) []string {
	h, err := message.ParseHeader([]byte(fields))
	if err != nil {
		return nil // they are our own
	}
	var out []string
	for i := range h.Len() {
		out = append(out, string(h.Raw(i)))
	}
	return out
}
