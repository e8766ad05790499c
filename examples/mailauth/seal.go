package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/message"
)

// sealCommand evaluates a message and puts an ARC set in front of it, as a
// forwarder does that changes nothing. examples/forwarder changes something.
func sealCommand(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, files, err := parseFlags("seal", args, stderr)
	if err != nil {
		return err
	}
	o.stdin = stdin
	if o.domain == "" || o.selector == "" || o.key == "" {
		return usageError{errors.New("seal wants -domain, -selector and -key")}
	}
	key, err := readKey(o.key)
	if err != nil {
		return err
	}
	e, m, err := o.input("seal", files)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(m.Data)
	if err != nil {
		return err
	}
	m.Data = bytes.NewReader(data)
	fields, err := seal(ctx, e, m, arc.Sealer{Domain: o.domain, Selector: o.selector, Key: key})
	if err != nil {
		return err
	}
	for _, f := range fields {
		if _, err := io.WriteString(stdout, f); err != nil {
			return err
		}
	}
	if !o.fieldOnly {
		_, err = stdout.Write(data)
	}
	return err
}

// seal evaluates a message as it arrives and seals it as it leaves, which is the same.
func seal(ctx context.Context, e *mailauth.Evaluator, m *mailauth.Message, s arc.Sealer) ([]string, error) {
	if !m.Time.IsZero() {
		s.Now = func() time.Time { return m.Time }
	}
	leaving := message.Digester{Want: []message.BodyHash{s.BodyHash()}}
	r, err := e.Evaluate(ctx, &mailauth.Message{Session: m.Session, Data: io.TeeReader(m.Data, &leaving)})
	if err != nil {
		return nil, err
	}
	out, err := leaving.Finish()
	if err != nil {
		return nil, err
	}
	return r.Seal(&s, out)
}

// opSeal answers with the fields to put on top of the message, first first.
func opSeal(ctx context.Context, q *request) (any, error) {
	var in struct {
		Selector   string   `json:"selector"`
		Key        string   `json:"key_pem"`
		AuthservID string   `json:"authserv_id"`
		Headers    []string `json:"headers"`
	}
	if err := json.Unmarshal(q.line, &in); err != nil {
		return nil, fmt.Errorf("bad request: %w", err)
	}
	e, err := q.evaluator()
	if err != nil {
		return nil, err
	}
	e.AuthservID = in.AuthservID
	s, err := q.session()
	if err != nil {
		return nil, err
	}
	if q.Message == nil {
		return nil, errNoMessage
	}
	key, err := dkim.ParseKey([]byte(in.Key))
	if err != nil {
		return nil, fmt.Errorf("key_pem: %w", err)
	}
	sealer := arc.Sealer{Domain: q.Domain, Selector: in.Selector, Key: key, Canonicalization: q.Canonicalization}
	if len(in.Headers) > 0 {
		sealer.Fields = in.Headers
	}
	fields, err := seal(ctx, e, &mailauth.Message{Session: s, Data: bytes.NewReader(q.Message)}, sealer)
	if err != nil {
		return nil, err
	}
	return map[string][]string{"fields": fields}, nil
}

// opARC answers with the arc object of evaluate, which says besides whether the
// request's trusted_sealers have sealed it.
func opARC(ctx context.Context, q *request) (any, error) {
	r, err := evaluate(ctx, q)
	if err != nil {
		return nil, err
	}
	return arcObject(r)
}

func arcObject(r *mailauth.Result) (any, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var parts struct {
		ARC json.RawMessage `json:"arc"`
	}
	err = json.Unmarshal(data, &parts)
	return parts.ARC, err
}
