package bimi

import (
	"errors"
	"fmt"
	"strings"
)

// Finding is something that a publisher should know. Detail may quote what was
// published, with everything but visible ASCII escaped.
type Finding struct {
	// Failure says that the domain's logo is not shown because of it.
	Failure bool
	// Kind is a word for programs, such as "wildcard_txt".
	Kind string
	// Detail is what was found, Fix what to do about it; for people.
	Detail, Fix string
}

// String returns the finding in one line.
func (f Finding) String() string {
	word := "warning: "
	if f.Failure {
		word = "failure: "
	}
	s := word + f.Detail
	if f.Fix != "" {
		s += " (fix: " + f.Fix + ")"
	}
	return s
}

// Lint judges the TXT records at selector._bimi.domain as their publisher would
// want it: each text is one record, its strings joined. An empty list means that
// receivers find one good record there.
func Lint(texts []string) []Finding {
	var out []Finding
	add := func(failure bool, kind, fix, format string, args ...any) {
		out = append(out, Finding{failure, kind, fmt.Sprintf(format, args...), fix})
	}
	n := 0
	for _, text := range texts {
		if (RecordOptions{}).begins(text) {
			n++
			lintRecord(text, add)
			continue
		}
		shown := fmt.Sprintf("%+q", text[:min(len(text), 80)])
		trimmed := strings.Trim(text, "\" \t")
		switch {
		case (RecordOptions{VersionCaseInsensitive: true}).begins(text):
			add(true, "version", "write v=BIMI1 in capitals", "%s has its version in another case; receivers ignore the record", shown)
		case trimmed != text && (RecordOptions{}).begins(trimmed):
			add(true, "quotes", "take away the quotation marks and blanks around it; the DNS editor adds what is needed", "%s has more around it than the record", shown)
		case strings.HasPrefix(strings.Map(noBlank, text), "v=BIMI1"):
			add(true, "version", "write a semicolon behind v=BIMI1", "%s has no semicolon behind its version; receivers ignore the record", shown)
		case strings.Contains(text, "BIMI1"):
			add(true, "version", "begin the record with v=BIMI1", "%s does not begin with v=BIMI1; receivers ignore it", shown)
		default:
			add(false, "wildcard_txt", "give the name a record of its own, or make the wildcard narrower", "%s stands at the name too: probably a wildcard TXT record", shown)
		}
	}
	switch {
	case n == 0:
		add(true, "no_record", "publish one TXT record there that begins with v=BIMI1", "no BIMI record")
	case n > 1:
		add(true, "several_records", "leave one of them", "%d BIMI records at one name; receivers use none", n)
	}
	return out
}

func lintRecord(text string, add func(failure bool, kind, fix, format string, args ...any)) {
	r, err := ParseRecord(text)
	if err != nil {
		fix := "correct the record"
		if strings.Contains(text, `\;`) {
			fix = `write ; without a backslash: the backslash belongs to zone files only and was published`
		}
		add(true, kindOf(err), fix, "%s", ascii(err.Error()))
		return
	}
	if r.Declined() {
		add(false, "declined", "", "the domain declines to show an indicator")
		return
	}
	if avp, ok := rawTag(text, "avp"); ok && r.Preference == "" {
		add(false, "avp", "write avp=brand or avp=personal", "avp=%s is not known and ignored", ascii(avp))
	}
	for _, uri := range []string{r.Location, r.Evidence} {
		if rest, ok := strings.CutPrefix(uri, "https://"); ok && strings.Contains(strings.SplitN(rest, "/", 2)[0], ":") {
			add(true, "port", "serve it on port 443", "%s names a port, and receivers may not fetch from another than 443", ascii(uri))
		}
	}
	if r.Evidence == "" {
		add(false, "no_evidence", "get a mark certificate and name it in a=", "no evidence: receivers that demand a mark certificate show nothing")
	}
	if r.Prefixes != nil && len(r.Prefixes) == 0 {
		add(false, "lps_all", "", "lps= is empty: every message makes receivers look for a record of its local-part")
	}
}

// noBlank drops white space, for strings.Map.
func noBlank(c rune) rune {
	if c == ' ' || c == '\t' {
		return -1
	}
	return c
}

// kindOf makes "several_records" of ErrSeveralRecords.
func kindOf(err error) string {
	var e Error
	errors.As(err, &e)
	var b strings.Builder
	for i, c := range []byte(strings.TrimPrefix(e.Code(), "Err")) {
		if 'A' <= c && c <= 'Z' {
			if i > 0 && b.Len() > 0 && b.String()[b.Len()-1] >= 'a' {
				b.WriteByte('_')
			}
			c |= 0x20
		}
		b.WriteByte(c)
	}
	return b.String()
}

// ascii escapes everything but visible ASCII and blanks, and bounds the length.
func ascii(s string) string {
	q := fmt.Sprintf("%+q", s[:min(len(s), 200)])
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
