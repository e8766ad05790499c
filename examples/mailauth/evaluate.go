package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/examples/internal/sample"
)

// evaluateCommand runs evaluate, spf, dkim, arc and dmarc, which are one evaluation
// and differ in what is shown of it.
func evaluateCommand(ctx context.Context, name string, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, files, err := parseFlags(name, args, stderr)
	if err != nil {
		return err
	}
	o.stdin = stdin
	e, m, err := o.input(name, files)
	if err != nil {
		return err
	}
	e.Handling.HonorReject, e.TrustedSealers = o.honorReject, o.trust
	if err := e.Validate(); err != nil {
		return err
	}
	if e.BIMI, err = o.bimiVerifier(); err != nil {
		return err
	}
	var kept *dnsutil.Recorder
	if o.record != "" {
		if m.Session.Time.IsZero() {
			m.Session.Time = time.Now()
		}
		kept = &dnsutil.Recorder{Resolver: e.Resolver}
		e.Resolver = kept
	}
	r, err := e.Evaluate(ctx, m)
	if err != nil {
		return err
	}
	if kept != nil {
		if err := o.keep(m.Session, kept); err != nil {
			return err
		}
	}
	if o.json {
		if name == "arc" {
			v, err := arcObject(r)
			if err != nil {
				return err
			}
			return printJSON(stdout, v)
		}
		return printJSON(stdout, part(name, r))
	}
	newStory(stdout).print(r.Explain(), name)
	return nil
}

// input is what the flags say, or the sample if they say nothing.
func (o *options) input(name string, files []string) (*mailauth.Evaluator, *mailauth.Message, error) {
	if len(files) == 0 && !o.set() {
		fmt.Fprintf(o.stderr, "mailauth: no message given: this is the built-in sample, offline\n")
		return &mailauth.Evaluator{Resolver: sample.Zone(), AuthservID: o.authserv},
			&mailauth.Message{Session: sample.Session(), Data: bytes.NewReader(sample.Message())}, nil
	}
	var s mailauth.Session
	var resolver dnsutil.Resolver
	var err error
	if o.replay != "" {
		s, resolver, err = o.replayed()
	} else if resolver, err = o.resolver(); err == nil {
		s, err = o.session()
	}
	if err != nil {
		return nil, nil, err
	}
	var data []byte
	if name == "spf" && len(files) == 0 {
		data = []byte("\r\n") // SPF is about the session alone
	} else {
		file, err := oneFile(files)
		if err != nil {
			return nil, nil, err
		}
		if data, err = o.readMessage(file); err != nil {
			return nil, nil, err
		}
	}
	return &mailauth.Evaluator{Resolver: resolver, AuthservID: o.authserv},
		&mailauth.Message{Session: s, Data: bytes.NewReader(data)}, nil
}

// part is what batch answers for the operation of that name.
func part(name string, r *mailauth.Result) any {
	switch name {
	case "spf":
		return r.SPF
	case "dkim":
		if r.DKIM == nil {
			return []dkim.Result{}
		}
		return r.DKIM
	case "dmarc":
		return r.DMARC
	case "bimi":
		return r.BIMI
	}
	return r
}

func printJSON(w io.Writer, v any) error {
	data, err := marshal(v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}
