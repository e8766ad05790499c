package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/spf"
)

// lookupCommand prints what a domain publishes: SPF with everything it includes,
// DMARC with the walk that finds it, the DKIM keys of the selectors given, MX.
func lookupCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, names, err := parseFlags("lookup", args, stderr)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return usageError{errors.New("lookup wants a domain, and may have selectors behind it")}
	}
	resolver, err := o.resolver()
	if err != nil {
		return err
	}
	l := &lookup{ctx: ctx, r: resolver, w: stdout, seen: map[string]bool{}}
	name := strings.TrimSuffix(names[0], ".")
	author, err := dmarc.AuthorOf(name)
	if err != nil {
		return err
	}
	name = author.Domain()
	l.mx(name)
	l.line("SPF")
	l.spf(name, 1)
	l.line("    %d of 10 look-ups counted", l.lookups)
	l.dmarc(author)
	for _, s := range names[1:] {
		l.dkim(name, s)
	}
	return nil
}

type lookup struct {
	ctx     context.Context
	r       dnsutil.Resolver
	w       io.Writer
	seen    map[string]bool // records printed already
	lookups int
}

func (l *lookup) line(format string, args ...any) { fmt.Fprintf(l.w, format+"\n", args...) }

// txt returns the TXT records at a name that begin with a version tag.
func (l *lookup) txt(name, version string) []string {
	a, err := l.r.Lookup(l.ctx, name+".", dnsutil.TypeTXT)
	switch {
	case err != nil:
		l.line("    %s: %v", name, err)
	case a.NXDomain:
		l.line("    %s does not exist", name)
	}
	var out []string
	for _, s := range a.TXT {
		if len(s) >= len(version) && strings.EqualFold(s[:len(version)], version) {
			out = append(out, s)
		}
	}
	return out
}

func (l *lookup) mx(name string) {
	a, err := l.r.Lookup(l.ctx, name+".", dnsutil.TypeMX)
	switch {
	case err != nil:
		l.line("MX\n    %v", err)
	case len(a.MX) == 0:
		l.line("MX\n    none")
	default:
		l.line("MX")
		for _, m := range a.MX {
			if m.Host == "." {
				l.line("    null MX: the domain takes no mail (RFC 7505)")
				continue
			}
			l.line("    %d %s", m.Preference, m.Host)
		}
	}
}

// spf prints a record and those it includes. Each record is printed once, so
// that a loop ends, and no deeper than a check would go.
func (l *lookup) spf(name string, depth int) {
	indent := strings.Repeat("    ", depth)
	if l.seen[name] || depth > 10 {
		l.line("%s%s: see above", indent, name)
		return
	}
	l.seen[name] = true
	records := l.txt(name, "v=spf1")
	if len(records) != 1 {
		l.line("%s%s: %d SPF records, there must be one (RFC 7208, section 4.5)", indent, name, len(records))
		return
	}
	r, err := spf.ParseRecord(records[0])
	if err != nil {
		l.line("%s%s: %q: %v", indent, name, records[0], err)
		return
	}
	l.line("%s%s: %s", indent, name, r)
	for _, t := range r.Terms() {
		if t.Kind.Queries() {
			l.lookups++
		}
		if (t.Kind == spf.Include || t.Kind == spf.Redirect) && !t.HasMacro() {
			l.spf(strings.TrimSuffix(strings.ToLower(t.DomainSpec), "."), depth+1)
		}
	}
}

func (l *lookup) dmarc(author dmarc.Author) {
	v := dmarc.Verifier{Resolver: l.r, NoPrefetch: true}
	r := v.Verify(l.ctx, author)
	l.line("DMARC")
	for _, q := range r.Queries {
		l.line("    %s: %s %s", q, q.Outcome, q.Record)
	}
	if r.Record.IsZero() {
		l.line("    %v", r.Err)
		return
	}
	l.line("    the record of %s applies; organizational domain %s (RFC 9989, section 4.10)", r.PolicyDomain, r.OrganizationalDomain)
	l.line("    mail that fails: %s", r.Policy)
	for _, d := range r.Diagnostics {
		l.line("    note: %s", d)
	}
}

func (l *lookup) dkim(name, selector string) {
	l.line("DKIM %s", selector)
	a, err := l.r.Lookup(l.ctx, selector+"._domainkey."+name+".", dnsutil.TypeTXT)
	if err != nil {
		l.line("    %v", err)
		return
	}
	if len(a.TXT) == 0 {
		l.line("    no key")
	}
	for _, s := range a.TXT {
		k, err := dkim.ParseRecord(s)
		if err != nil {
			l.line("    %q: %v", s, err)
			continue
		}
		l.line("    %s key, %d bits", k.KeyType, k.Bits)
		if k.Testing {
			l.line("    t=y: being tested (RFC 6376, section 3.6.1)")
		}
	}
	if len(a.TXT) > 1 {
		l.line("    %d records at one name (RFC 6376, section 3.6.2.2)", len(a.TXT))
	}
}
