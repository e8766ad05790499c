package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/fetch"
	"github.com/seed2385d973/mailauth/bimi/markcert"
)

// bimiFlags adds what bimi and evaluate know beyond the shared flags.
func (o *options) bimiFlags(name string) {
	preset := ""
	if name == "bimi" {
		preset = "draft"
		o.fs.BoolVar(&o.check, "check", false, "check a domain for its owner: bimi -check <domain> [selector], or bimi -check <file.eml> for a message of his")
	}
	o.fs.StringVar(&o.preset, "preset", preset, "evaluate BIMI by this `preset`: draft, gmail, apple or self-asserted")
	o.fs.StringVar(&o.httpFile, "http", "", "fetch from this JSON `file` only (as in batch); no request is sent, as with -dns")
}

// bimiVerifier is the preset that the flags name; nil for none.
func (o *options) bimiVerifier() (*bimi.Verifier, error) {
	var v bimi.Verifier
	switch o.preset {
	case "":
		return nil, nil
	case "draft":
		v = bimi.Draft()
	case "gmail":
		v = bimi.Gmail()
	case "apple":
		v = bimi.Apple()
	case "self-asserted":
		v = bimi.SelfAsserted()
	default:
		return nil, usageError{fmt.Errorf("-preset: %q is not draft, gmail, apple or self-asserted", o.preset)}
	}
	var err error
	v.Fetcher, err = o.fetcher()
	return &v, err
}

// fetcher is the web: the file's, none beside a -dns file, else the real one.
func (o *options) fetcher() (bimi.Fetcher, error) {
	if o.httpFile != "" {
		text, err := os.ReadFile(o.httpFile)
		if err != nil {
			return nil, err
		}
		var w web
		if err := json.Unmarshal(text, &w); err != nil {
			return nil, fmt.Errorf("%s: %w", o.httpFile, err)
		}
		return w, nil
	}
	if o.dnsFile != "" || o.replay != "" {
		return nil, nil
	}
	return &fetch.Fetcher{}, nil
}

// bimiCommand evaluates a message, or checks a domain.
func bimiCommand(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, names, err := parseFlags("bimi", args, stderr)
	if err != nil {
		return err
	}
	if !o.check {
		return evaluateCommand(ctx, "bimi", args, stdin, stdout, stderr)
	}
	if len(names) < 1 || len(names) > 2 {
		return usageError{errors.New("bimi -check wants a domain, and may have a selector behind it, or a message in a file *.eml")}
	}
	c := bimi.Checker{}
	if c.Resolver, err = o.resolver(); err != nil {
		return err
	}
	if c.Fetcher, err = o.fetcher(); err != nil {
		return err
	}
	if o.now != "" {
		at, err := time.Parse(time.RFC3339, o.now)
		if err != nil {
			return fmt.Errorf("-now: %w", err)
		}
		c.Now = func() time.Time { return at }
	}
	if o.httpFile != "" {
		c.Certificates.Revocation = markcert.BestEffortRevocation // a file rarely has the lists
	}
	var r bimi.Readiness
	if strings.HasSuffix(names[0], ".eml") && len(names) == 1 {
		r, err = o.checkMessage(ctx, &c, names[0])
	} else {
		r, err = c.Check(ctx, names[0], append(names, "")[1])
	}
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(stdout, r)
	}
	printReadiness(stdout, r)
	return nil
}

// checkMessage evaluates a message, and checks its domain with what came of it.
func (o *options) checkMessage(ctx context.Context, c *bimi.Checker, file string) (bimi.Readiness, error) {
	data, err := o.readMessage(file)
	if err != nil {
		return bimi.Readiness{}, err
	}
	s, err := o.session()
	if err != nil {
		return bimi.Readiness{}, err
	}
	e := &mailauth.Evaluator{Resolver: c.Resolver}
	ev := e.Start(ctx, s)
	defer ev.Abort()
	if _, err := ev.Write(data); err != nil {
		return bimi.Readiness{}, err
	}
	r, err := ev.Finish()
	if err != nil {
		return bimi.Readiness{}, err
	}
	return c.CheckMessage(ctx, r.BIMIMessage(ev.Message().Header()))
}

func printReadiness(w io.Writer, r bimi.Readiness) {
	fmt.Fprintf(w, "%s._bimi.%s, beside mail that passes DMARC by DKIM:\n", r.Selector, r.Domain)
	for _, x := range r.Receivers {
		if x.Shows {
			fmt.Fprintf(w, "  %-28s shows the logo\n", x.Name)
		} else {
			fmt.Fprintf(w, "  %-28s does not: it misses %s\n", x.Name, x.Missing)
		}
	}
	for _, how := range r.Hosting {
		fmt.Fprintf(w, "%s\n", how)
	}
	if r.Authorization.Domain != "" {
		fmt.Fprintf(w, "%s\n", r.Authorization)
	}
	for _, f := range r.Findings {
		fix := f.Fix
		f.Fix = ""
		fmt.Fprintf(w, "%s\n", f)
		if fix != "" {
			fmt.Fprintf(w, "    fix: %s\n", fix)
		}
	}
}
