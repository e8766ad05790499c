package records

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/txt"
	"github.com/seed2385d973/mailauth/spf"
)

// Entry is one record to publish.
type Entry struct {
	Name string // absolute, in A-labels
	Type string // TXT or MX
	Data string // the text of a TXT record, not cut into strings; the data of another as a zone file has it
	Why  string // for people
}

// String returns the entry as a line of a zone file without its line end, the
// text of TXT in strings of at most 255 octets.
func (e Entry) String() string {
	if e.Type == "TXT" {
		return txt.Line(e.Name, e.Data)
	}
	return e.Name + " IN " + e.Type + " " + e.Data
}

// Zone returns entries as text to paste into a zone, each with its Why as a comment above.
func Zone(entries []Entry) string {
	var b strings.Builder
	for _, e := range entries {
		if e.Why != "" {
			b.WriteString("; " + e.Why + "\n")
		}
		b.WriteString(e.String() + "\n")
	}
	return b.String()
}

func parse(name string) (domain.Name, error) {
	d, err := domain.Parse(strings.TrimSuffix(name, "."))
	if err != nil || d.Labels() < 2 {
		return domain.Name{}, fmt.Errorf("%w: %q", ErrDomain, name)
	}
	return d, nil
}

// NoMail returns the records of a domain that sends no mail and takes none, so
// that nobody else can send in its name. The error is ErrDomain.
func NoMail(name string) ([]Entry, error) {
	d, err := parse(name)
	if err != nil {
		return nil, err
	}
	at := d.Absolute()
	return []Entry{
		{at, "MX", "0 .", "takes no mail (RFC 7505)"},
		{at, "TXT", "v=spf1 -all", "no host may send for it (RFC 7208, section 10.1.2)"},
		{"*." + at, "TXT", "v=spf1 -all", "nor for any name below it"},
		{"*._domainkey." + at, "TXT", dkim.RevokedRecord, "no selector has a key (RFC 6376, section 3.6.1)"},
		{"_dmarc." + at, "TXT", "v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s", "whatever claims to be from it is forged (RFC 9989, section 4.7)"},
		{"default._bimi." + at, "TXT", "v=BIMI1; l=; a=;", "it shows no logo"},
	}, nil
}

// SPFPolicy says who may send with a domain in MAIL FROM. The zero value lets nobody.
type SPFPolicy struct {
	MX       bool           // the domain's mail exchangers
	A        bool           // the domain's own addresses
	Networks []netip.Prefix // hosts and networks
	Include  []string       // domains of providers whose record says who sends for them
	// SoftFail says ~all in place of -all: others are suspicious, not forbidden.
	// Mail that is forwarded fails either way; DMARC decides about it.
	SoftFail bool
}

// Record returns the text of the record. Terms that ask no DNS stand first. The
// errors are ErrDomain for an Include, and ErrRecord for what a check would not accept.
func (p SPFPolicy) Record() (string, error) {
	var b strings.Builder
	b.WriteString("v=spf1")
	lookups := len(p.Include)
	for _, n := range p.Networks {
		if !n.IsValid() {
			return "", fmt.Errorf("%w: invalid network", ErrRecord)
		}
		n = n.Masked()
		kind, bits := "ip4", 32
		if n.Addr().Is6() {
			kind, bits = "ip6", 128
		}
		if n.Bits() == bits {
			fmt.Fprintf(&b, " %s:%s", kind, n.Addr())
		} else {
			fmt.Fprintf(&b, " %s:%s", kind, n)
		}
	}
	for _, w := range []struct {
		set  bool
		word string
	}{{p.A, " a"}, {p.MX, " mx"}} {
		if w.set {
			b.WriteString(w.word)
			lookups++
		}
	}
	for _, i := range p.Include {
		n, err := domain.ParseQuery(strings.TrimSuffix(i, "."))
		if err != nil || n.Labels() < 2 {
			return "", fmt.Errorf("%w: include %q", ErrDomain, i)
		}
		b.WriteString(" include:" + n.String())
	}
	if p.SoftFail {
		b.WriteString(" ~all")
	} else {
		b.WriteString(" -all")
	}
	if lookups > maxLookups {
		return "", fmt.Errorf("%w: %d terms that ask the DNS, limit %d", ErrRecord, lookups, maxLookups)
	}
	if _, err := spf.ParseRecord(b.String()); err != nil {
		return "", fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return b.String(), nil
}

// DMARCPolicy is what a domain asks of receivers. The zero value is p=none
// without reports, which says nothing.
type DMARCPolicy struct {
	Policy      dmarc.Policy // p; empty is none
	Subdomain   dmarc.Policy // sp; empty is as Policy
	Nonexistent dmarc.Policy // np; empty is as Subdomain
	Testing     bool         // t=y: applied one level down
	// Reports and Failures are the mail addresses for aggregate reports (rua) and
	// failure reports (ruf).
	Reports, Failures []string
	// StrictDKIM and StrictSPF demand that identifiers have exactly the author's
	// domain, so that a subdomain given to others cannot vouch for it.
	StrictDKIM, StrictSPF bool
}

// Record returns the text of the record. The error is ErrRecord.
func (p DMARCPolicy) Record() (string, error) {
	policy := p.Policy
	if policy == "" {
		policy = dmarc.PolicyNone
	}
	var b strings.Builder
	b.WriteString("v=DMARC1; p=" + string(policy))
	tag := func(name, value string) {
		if value != "" {
			b.WriteString("; " + name + "=" + value)
		}
	}
	tag("sp", string(p.Subdomain))
	tag("np", string(p.Nonexistent))
	if p.StrictDKIM {
		tag("adkim", "s")
	}
	if p.StrictSPF {
		tag("aspf", "s")
	}
	if p.Testing {
		tag("t", "y")
	}
	for _, r := range []struct {
		name string
		list []string
	}{{"rua", p.Reports}, {"ruf", p.Failures}} {
		uris := make([]string, len(r.list))
		for i, a := range r.list {
			uris[i] = "mailto:" + escape(a)
			if u, err := dmarc.ParseURI(uris[i]); err != nil || u.Address == "" {
				return "", fmt.Errorf("%w: %s address %q", ErrRecord, r.name, a)
			}
		}
		tag(r.name, strings.Join(uris, ","))
	}
	rec, err := dmarc.ParseRecord(b.String())
	if err == nil && len(rec.Diagnostics()) > 0 {
		err = errors.New(rec.Diagnostics()[0].String())
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return b.String(), nil
}

// escape writes an address so that it can stand in a URI of a DMARC record (RFC
// 9989, section 4.8, where comma, semicolon and exclamation mark have a meaning).
func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~@+$'*", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Stage is one step of the way to a policy that protects.
type Stage struct {
	Title  string
	Entry  Entry   // what the record of the domain is during the stage
	Others []Entry // what other domains have to publish for it: that they want the reports
	Next   string  // when to go on
}

// Rollout returns the way from nothing to p=reject, with reports to the given mail
// addresses. Nobody can go it without them: they show which own mail would be
// lost. The errors are ErrDomain and ErrRecord.
func Rollout(name string, reports ...string) ([]Stage, error) {
	d, err := parse(name)
	if err != nil {
		return nil, err
	}
	if len(reports) == 0 {
		return nil, fmt.Errorf("%w: an address for the reports is needed", ErrRecord)
	}
	var out []Stage
	for _, s := range []struct {
		title, next string
		policy      DMARCPolicy
	}{
		{"1. Watch", "Go on when the reports of four weeks name no host of yours that fails both SPF and DKIM alignment; every sender that is yours signs",
			DMARCPolicy{Policy: dmarc.PolicyNone}},
		{"2. Announce quarantine", "Go on when a week of reports brought no surprise; mailing lists that rewrite From do so already now",
			DMARCPolicy{Policy: dmarc.PolicyQuarantine, Testing: true}},
		{"3. Quarantine", "Go on after four weeks without complaints about mail in the spam folder",
			DMARCPolicy{Policy: dmarc.PolicyQuarantine}},
		{"4. Announce reject", "Go on when a week of reports brought no surprise; meanwhile failing mail is quarantined",
			DMARCPolicy{Policy: dmarc.PolicyReject, Testing: true}},
		{"5. Reject", "Stay here if all mail is signed with DKIM (RFC 9989, section 7.4 demands it); with people who write to mailing lists, stay at 3",
			DMARCPolicy{Policy: dmarc.PolicyReject}},
	} {
		s.policy.Reports = reports
		text, err := s.policy.Record()
		if err != nil {
			return nil, err
		}
		stage := Stage{Title: s.title, Next: s.next, Entry: Entry{"_dmarc." + d.Absolute(), "TXT", text, ""}}
		for _, u := range mustURIs(text) {
			host, err := domain.ParseASCII(u.Host)
			if err != nil || host.IsWithin(d) {
				continue
			}
			e, err := ReportAuthorization(d.String(), host.String())
			if err != nil {
				return nil, err
			}
			stage.Others = append(stage.Others, e)
		}
		out = append(out, stage)
	}
	return out, nil
}

func mustURIs(text string) []dmarc.URI {
	rec, _ := dmarc.ParseRecord(text) // it was written by Record, which has read it back
	return rec.RUA
}

// ReportAuthorization returns what host has to publish so that reports about
// another domain are sent to it (RFC 9990, section 4). The error is ErrDomain.
func ReportAuthorization(policyDomain, host string) (Entry, error) {
	d, err := parse(policyDomain)
	if err != nil {
		return Entry{}, err
	}
	h, err := parse(host)
	if err != nil {
		return Entry{}, err
	}
	n, err := domain.ParseQuery(d.String() + "._report._dmarc." + h.String())
	if err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrDomain, err)
	}
	return Entry{n.Absolute(), "TXT", "v=DMARC1", "in the zone of " + h.String() + ": it wants the reports about " + d.String()}, nil
}
