package records

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seed2385d973/mailauth/dkim"
)

// String tells people what a domain publishes, and then what is wrong with it.
// Control characters of records are shown escaped.
func (r Report) String() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s", r.Domain)
	line("\nMX")
	switch {
	case r.MX.Null:
		line("    takes no mail (null MX)")
	case len(r.MX.Hosts) == 0:
		line("    none")
	default:
		for _, h := range r.MX.Hosts {
			line("    %d %s", h.Preference, plain(h.Name))
		}
	}
	line("\nSPF")
	if r.SPF.Record == nil {
		line("    no usable record")
	} else {
		r.SPF.Record.write(line, "    ")
		line("    %d of 10 look-ups, %d void; %d networks", r.SPF.Lookups, r.SPF.VoidLookups, len(r.SPF.Networks))
		line("    every other host: %s", r.SPF.Others)
	}
	for _, s := range r.DKIM {
		line("\nDKIM %s", plain(s.Selector))
		switch {
		case len(s.Published) == 0:
			line("    no key")
		case s.Usable:
			line("    %s key of %d bits", s.KeyType, s.Bits)
		default:
			line("    no usable key")
		}
	}
	line("\nDMARC")
	for _, q := range r.DMARC.Walk {
		line("    %s", plain(q))
	}
	if r.DMARC.PolicyDomain != "" {
		line("    the record of %s applies; organizational domain %s", r.DMARC.PolicyDomain, r.DMARC.OrgDomain)
		line("    mail that fails: %s", r.DMARC.Policy)
	}
	line("\nBIMI")
	if r.BIMI.Record == "" {
		line("    none")
	} else {
		line("    %s: %s", r.BIMI.Name, plain(r.BIMI.Record))
	}
	if a := r.BIMI.Authorization; a != nil {
		line("    %s", a)
	}
	if len(r.Findings) == 0 {
		line("\nNothing to improve.")
	}
	for _, s := range []Severity{dkim.Broken, dkim.Warning, dkim.Note} {
		title := strings.ToUpper(string(s)) + "\n"
		for _, f := range r.Findings {
			if f.Severity == s {
				line("\n%s%s %s: %s\n    fix: %s", title, f.Protocol, f.Name, plain(f.Detail), plain(f.Fix))
				title = ""
			}
		}
	}
	return b.String()
}

func (r *SPFRecord) write(line func(string, ...any), indent string) {
	line("%s%s: %s", indent, r.Domain, plain(r.Text))
	for _, t := range r.Terms {
		count := ""
		if t.Lookup {
			count = " [look-up]"
		}
		line("%s    %s: %s%s", indent, plain(t.Text), t.Meaning, count)
		if t.Target != nil {
			t.Target.write(line, indent+"        ")
		}
	}
}

// plain shows a stranger's text on one line, without what a terminal could obey.
func plain(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || 0x7f <= c && c < 0xa0 }) {
		return s
	}
	return fmt.Sprintf("%q", s)
}
