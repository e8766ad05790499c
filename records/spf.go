package records

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/spf"
)

// MaxSPFRecords is how many records of an include tree are read: a check would
// have stopped at the eleventh.
const MaxSPFRecords = 30

// Limits of RFC 7208, section 4.6.4.
const (
	maxLookups = 10
	maxVoid    = spf.DefaultMaxVoidLookups
	maxMXHosts = 10
)

// SPF is a domain's SPF record with all that it includes.
type SPF struct {
	Record *SPFRecord `json:"record,omitempty"` // nil if there is not exactly one that can be read
	// Lookups counts the terms that ask the DNS over the whole tree, all of them
	// taken: a check that matches early needs fewer (RFC 7208, section 4.6.4).
	Lookups int `json:"lookups"`
	// VoidLookups counts the names that have no address at all.
	VoidLookups int `json:"void_lookups"`
	// Networks are all the networks that are let in, in order, each once.
	Networks []netip.Prefix `json:"networks"`
	// Dynamic lists terms that let in what depends on the message, or on the client's name.
	Dynamic []string `json:"dynamic,omitempty"`
	// Others is what happens to all other hosts: pass, fail, softfail or neutral.
	Others string `json:"others,omitempty"`
}

// SPFRecord is one record of the tree.
type SPFRecord struct {
	Domain string    `json:"domain"`
	Text   string    `json:"text"` // as published
	Terms  []SPFTerm `json:"terms"`
}

// SPFTerm is one term of a record.
type SPFTerm struct {
	Text    string `json:"text"`
	Meaning string `json:"meaning"` // for people
	Lookup  bool   `json:"lookup"`  // counts towards the limit of ten
	// Target is the record that an include or redirect leads to, if it could be read.
	Target *SPFRecord `json:"target,omitempty"`
}

// walk is the state of one tree.
type walk struct {
	*checker
	root  domain.Name
	seen  int
	path  []string // the domains above
	deny  bool     // within an include whose qualifier is not "+"
	broke bool     // a finding about the tree as a whole was made
}

func (c *checker) spf(d domain.Name) {
	c.report.SPF.Networks = []netip.Prefix{}
	w := &walk{checker: c, root: d}
	r, others := w.read(d)
	c.report.SPF.Record, c.report.SPF.Others = r, others
	if r == nil {
		return
	}
	s := &c.report.SPF
	at := d.Absolute()
	said := slices.ContainsFunc(c.report.Findings, func(f Finding) bool { return f.Kind == "neutral_all" && f.Name == at })
	if rec, _ := spf.ParseRecord(r.Text); others == "neutral" && rec.Modifier(spf.Redirect) != "" && !said {
		c.add("spf", at, "neutral_all", dkim.Warning, "the record that is redirected to says nothing about other hosts", "have it end in ~all or -all")
	}
	switch {
	case s.Lookups > maxLookups:
		c.add("spf", at, "too_many_lookups", dkim.Broken, fmt.Sprintf("%d terms ask the DNS; the eleventh is a permerror (RFC 7208, section 4.6.4)", s.Lookups),
			"remove includes that are not needed, or put the networks of some in the record with ip4 and ip6")
	case s.Lookups == maxLookups:
		c.add("spf", at, "no_lookups_left", dkim.Note, "all 10 look-ups are used; one more in any included record, which others may change, is a permerror", "leave room for one or two")
	}
	if s.VoidLookups > maxVoid {
		c.add("spf", at, "too_many_voids", dkim.Broken, fmt.Sprintf("%d terms name hosts without an address; the third is a permerror (RFC 7208, section 4.6.4)", s.VoidLookups), "remove names that are gone")
	}
	var four uint64
	for _, n := range s.Networks {
		if n.Addr().Is4() {
			four += 1 << (32 - n.Bits())
		}
	}
	if four >= 1<<24 {
		c.add("spf", at, "too_wide", dkim.Warning, fmt.Sprintf("%d IPv4 addresses may send for the domain", four), "list only the hosts that send its mail")
	}
}

// read returns the record of a domain, and the result for hosts that nothing in
// it matches. What it finds wrong with it becomes a finding at that name.
func (w *walk) read(d domain.Name) (*SPFRecord, string) {
	at := d.Absolute()
	if w.seen++; w.seen > MaxSPFRecords {
		if !w.broke {
			w.broke = true
			w.add("spf", at, "not_read", dkim.Broken, fmt.Sprintf("more than %d records, the rest was not read", MaxSPFRecords), "remove includes")
		}
		return nil, ""
	}
	ans, err := w.ask(d, dnsutil.TypeTXT)
	if err != nil {
		w.unavailable("spf", at, err)
		return nil, ""
	}
	var texts []string
	for _, s := range ans.TXT {
		if _, err := spf.ParseRecord(s); err == nil || !errors.Is(err, spf.ErrVersion) {
			texts = append(texts, s)
		}
	}
	switch {
	case len(texts) == 0 && len(w.path) > 0:
		w.add("spf", at, "include_of_nothing", dkim.Broken, "the domain is included and has no SPF record: a permerror (RFC 7208, section 5.2)", "take the include out")
		return nil, ""
	case len(texts) == 0:
		w.add("spf", at, "none", dkim.Warning, "no SPF record: anybody may send with the domain in MAIL FROM", "publish one; v=spf1 -all if the domain sends nothing")
		return nil, ""
	case len(texts) > 1:
		w.add("spf", at, "several", dkim.Broken, fmt.Sprintf("%d SPF records: a permerror (RFC 7208, section 4.5)", len(texts)), "publish one that has the terms of all")
		return nil, ""
	}
	rec, err := spf.ParseRecord(texts[0])
	if err != nil {
		w.add("spf", at, "syntax", dkim.Broken, err.Error(), "correct the record: one mistake anywhere makes all of it a permerror (RFC 7208, section 4.6)")
		return nil, ""
	}
	out := &SPFRecord{Domain: d.String(), Text: texts[0], Terms: []SPFTerm{}}
	w.path = append(w.path, d.String())
	others := w.terms(d, rec, out)
	w.path = w.path[:len(w.path)-1]
	return out, others
}

// terms explains a record and returns what it says of hosts that do not match.
func (w *walk) terms(d domain.Name, rec spf.Record, out *SPFRecord) string {
	at := d.Absolute()
	terms := rec.Terms()
	all := slices.IndexFunc(terms, func(t spf.Term) bool { return t.Kind == spf.All })
	others := ""
	for i, t := range terms {
		e := SPFTerm{Text: t.Text, Lookup: t.Kind.Queries()}
		if all >= 0 && (i > all && !t.Kind.IsModifier() || t.Kind == spf.Redirect) {
			e.Meaning, e.Lookup = "without effect, because of "+terms[all].Text, false
			w.add("spf", at, "unreachable", dkim.Warning, t.Text+" is without effect: all matches before", "take it out, or move all to the end")
			out.Terms = append(out.Terms, e)
			continue
		}
		if e.Lookup {
			w.report.SPF.Lookups++
		}
		e.Meaning = w.term(d, t, &e)
		if t.Kind == spf.All {
			others = verdict(t.Qualifier)
		}
		if t.Kind == spf.Redirect && e.Target != nil {
			others = e.Target.others()
		}
		out.Terms = append(out.Terms, e)
	}
	if len(w.path) > 1 && rec.Modifier(spf.Redirect) == "" && all < 0 {
		return "neutral"
	}
	switch {
	case len(w.path) > 1: // an include's all decides only whether the include matches
	case all >= 0 && terms[all].Qualifier == '?':
		w.add("spf", at, "neutral_all", dkim.Warning, "?all says nothing about other hosts", "end in ~all, or in -all when all senders are known")
	case all < 0 && rec.Modifier(spf.Redirect) == "":
		w.add("spf", at, "no_all", dkim.Warning, "the record does not say what of other hosts: neutral (RFC 7208, section 4.7)", "end in ~all, or in -all when all senders are known")
	}
	if others == "" {
		others = "neutral"
	}
	return others
}

// others is what a record that is redirected to says of other hosts.
func (r *SPFRecord) others() string {
	for _, t := range r.Terms {
		if p, err := spf.ParseRecord("v=spf1 " + t.Text); err == nil && p.Terms()[0].Kind == spf.All {
			return verdict(p.Terms()[0].Qualifier)
		}
		if t.Target != nil && strings.HasPrefix(strings.ToLower(t.Text), "redirect=") {
			return t.Target.others()
		}
	}
	return "neutral"
}

func verdict(qualifier byte) string {
	switch qualifier {
	case '-':
		return "fail"
	case '~':
		return "softfail"
	case '?':
		return "neutral"
	}
	return "pass"
}

// term returns what a term means, and notes what it lets in.
func (w *walk) term(d domain.Name, t spf.Term, e *SPFTerm) string {
	at := d.Absolute()
	word := verdict(t.Qualifier)
	if t.Kind == spf.All {
		if t.Qualifier == '+' && !w.deny {
			w.add("spf", at, "plus_all", dkim.Broken, "+all lets every host of the Internet send for "+w.root.String(), "end in ~all or -all")
		}
		return word + " for every other host"
	}
	if t.HasMacro() {
		if t.Kind != spf.Exp {
			w.dynamic(t.Text)
		}
		return "depends on the message (macros, RFC 7208, section 7)"
	}
	target := d
	if t.DomainSpec != "" && t.Kind != spf.Unknown {
		n, err := domain.ParseQuery(strings.TrimSuffix(strings.ToLower(t.DomainSpec), "."))
		if err != nil {
			w.add("spf", at, "bad_name", dkim.Broken, t.Text+" names no legal domain: "+err.Error(), "correct it")
			return "names no legal domain"
		}
		target = n
	}
	lets := t.Qualifier == '+' && !w.deny
	switch t.Kind {
	case spf.IP4, spf.IP6:
		w.allow(lets, t.Network.Masked())
		return word + " for " + t.Network.Masked().String()
	case spf.A:
		n, void := w.addresses(target, t, lets)
		if void {
			w.void(d, t)
		}
		return fmt.Sprintf("%s for the %d addresses of %s", word, n, target)
	case spf.MX:
		return w.exchangers(d, target, t, lets, word)
	case spf.PTR:
		w.add("spf", at, "ptr", dkim.Warning, "ptr is slow, unreliable, and should not be used (RFC 7208, section 5.5)", "list the networks with ip4 and ip6")
		w.dynamic(t.Text)
		return word + " for hosts whose own name is within " + target.String()
	case spf.Exists:
		w.dynamic(t.Text)
		return word + " for everybody, if " + target.String() + " has an address"
	case spf.Exp:
		return "where the explanation of a fail is found"
	case spf.Include, spf.Redirect:
		if slices.Contains(w.path, target.String()) {
			w.add("spf", at, "loop", dkim.Broken, t.Text+" leads back to a record above it: a permerror", "take it out")
			return "a loop"
		}
		outer := w.deny
		w.deny = w.deny || t.Qualifier != '+' && t.Kind == spf.Include
		e.Target, _ = w.read(target)
		w.deny = outer
		if t.Kind == spf.Redirect {
			return "for all others the record of " + target.String() + " decides"
		}
		return word + " for those whom the record of " + target.String() + " lets pass"
	}
	return "unknown, ignored (RFC 7208, section 6)"
}

func (w *walk) dynamic(text string) { w.report.SPF.Dynamic = append(w.report.SPF.Dynamic, text) }

func (w *walk) void(d domain.Name, t spf.Term) {
	w.report.SPF.VoidLookups++
	w.add("spf", d.Absolute(), "void", dkim.Warning, t.Text+" finds nothing", "take it out, or correct the name")
}

func (w *walk) allow(lets bool, p netip.Prefix) {
	if lets && !slices.Contains(w.report.SPF.Networks, p) {
		w.report.SPF.Networks = append(w.report.SPF.Networks, p)
	}
}

// addresses lets in the addresses of a host; void if it has none of either family.
func (w *walk) addresses(host domain.Name, t spf.Term, lets bool) (n int, void bool) {
	failed := false
	for _, typ := range []dnsutil.Type{dnsutil.TypeA, dnsutil.TypeAAAA} {
		ans, err := w.ask(host, typ)
		if err != nil {
			failed = true
			w.unavailable("spf", host.Absolute(), err)
			break
		}
		for _, a := range ans.Addrs {
			bits := int(t.IP4Length)
			if !a.Is4() {
				bits = int(t.IP6Length)
			}
			if p, err := a.Prefix(bits); err == nil {
				n++
				w.allow(lets, p)
			}
		}
	}
	return n, n == 0 && !failed
}

func (w *walk) exchangers(d, target domain.Name, t spf.Term, lets bool, word string) string {
	ans, err := w.ask(target, dnsutil.TypeMX)
	if err != nil {
		w.unavailable("spf", target.Absolute(), err)
		return "the mail exchangers of " + target.String() + " could not be looked up"
	}
	if len(ans.MX) == 0 {
		w.void(d, t)
	}
	if len(ans.MX) > maxMXHosts {
		w.add("spf", d.Absolute(), "too_many_mx", dkim.Broken, fmt.Sprintf("%s has %d mail exchangers, and %s a permerror (RFC 7208, section 4.6.4)", target, len(ans.MX), t.Text), "list the networks with ip4 and ip6")
		return "more than 10 mail exchangers"
	}
	total := 0
	for _, m := range ans.MX {
		if host, err := domain.ParseQuery(strings.TrimSuffix(m.Host, ".")); err == nil {
			n, _ := w.addresses(host, t, lets)
			total += n
		}
	}
	return fmt.Sprintf("%s for the %d addresses of the %d mail exchangers of %s", word, total, len(ans.MX), target)
}
