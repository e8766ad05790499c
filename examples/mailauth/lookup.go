package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/records"
)

// lookupCommand prints what a domain publishes and what is wrong with it. With
// -key it also says whether the key of the selector is the one in a file.
func lookupCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, names, err := parseFlags("lookup", args, stderr)
	if err != nil {
		return err
	}
	if len(names) == 0 || o.key != "" && len(names) != 2 {
		return usageError{errors.New("lookup wants a domain, and may have selectors behind it; with -key exactly one")}
	}
	resolver, err := o.resolver()
	if err != nil {
		return err
	}
	if o.key != "" {
		key, err := readKey(o.key)
		if err != nil {
			return err
		}
		return printKeyCheck(stdout, o.json, dkim.CheckKey(ctx, resolver, names[0], names[1], key.Public()))
	}
	r, err := records.Lookup(ctx, resolver, names[0], names[1:]...)
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(stdout, r)
	}
	_, err = io.WriteString(stdout, r.String())
	return err
}

// printKeyCheck fails where mail signed with the key would not pass, so that a
// script can wait for the record to arrive.
func printKeyCheck(w io.Writer, asJSON bool, c dkim.KeyCheck) error {
	if asJSON {
		findings := c.Findings
		if findings == nil {
			findings = []dkim.Finding{}
		}
		if err := printJSON(w, map[string]any{"name": c.Name, "ok": c.OK(), "findings": findings}); err != nil {
			return err
		}
	} else {
		for _, f := range c.Findings {
			fmt.Fprintf(w, "%s: %s\n    fix: %s\n", f.Severity, f.Detail, f.Fix)
		}
		if c.OK() {
			fmt.Fprintf(w, "%s has the key; what it signs will verify\n", c.Name)
		}
	}
	if !c.OK() {
		return fmt.Errorf("the key cannot be used to sign with the selector %s", c.Name)
	}
	return nil
}
