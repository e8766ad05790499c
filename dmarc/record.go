package dmarc

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seed2385d973/mailauth/internal/scan"
	"github.com/seed2385d973/mailauth/internal/taglist"
)

// Policy is a Domain Owner Assessment Policy (RFC 9989, section 4.7, p=). The zero
// value means that none was published or that none applies.
type Policy string

// The policies.
const (
	PolicyNone       Policy = "none"       // no preference is expressed
	PolicyQuarantine Policy = "quarantine" // mail that fails is suspicious
	PolicyReject     Policy = "reject"     // mail that fails is not the domain's
)

// Mode is an Identifier Alignment mode (RFC 9989, section 4.4).
type Mode string

// The modes.
const (
	Relaxed Mode = "r" // the same Organizational Domain
	Strict  Mode = "s" // the same domain
)

// PSD is the value of the psd tag (RFC 9989, section 4.7).
type PSD string

// The values of psd.
const (
	PSDYes     PSD = "y" // a Public Suffix Domain
	PSDNo      PSD = "n" // an Organizational Domain
	PSDUnknown PSD = "u" // the tree walk decides
)

// Limits of a record. A longer one is no record at all.
const (
	MaxRecordLength = 16 << 10 // octets; a TXT record can have 64 KiB
	MaxTags         = 64       // four times as many as are registered
	MaxURIs         = 10       // of rua and of ruf; further ones are ignored
)

// Record is a DMARC Policy Record (RFC 9989, section 4.7), as a reader has to
// understand it: values that must be discarded are not in it, absent tags have
// their defaults. The zero value is no record. A Record must not be modified.
type Record struct {
	// P is the policy of the domain itself: never empty in a Record that was
	// parsed, PolicyNone where the tag is absent (decision 1) or the policy tags are
	// not valid (RFC 9989, section 4.10.1; decision 3).
	P Policy
	// SP and NP are the policies of existing and non-existent subdomains, empty
	// where the tag is absent. Subdomain and Nonexistent have the fallback.
	SP, NP Policy
	// ADKIM and ASPF are the alignment modes, Relaxed by default.
	ADKIM, ASPF Mode
	// T says that the policy is only being tested (t=y): see Testing.
	T bool
	// PSD is PSDUnknown by default.
	PSD PSD
	// FO is the list of failure report options, "0" by default: some of 0, 1, d and s,
	// in lower case, separated by colons. It is empty without RUF, as it must be ignored then.
	FO string
	// RUA and RUF are where aggregate and failure reports are wanted.
	RUA, RUF []URI

	// The historic tags of RFC 7489, section 6.3. No verifier acts on them; BIMI and
	// readers of reports want to know them.

	// Pct is the value of pct, 0 to 100, or -1 where it is absent.
	Pct int
	// RF is the list of report formats, lower case, separated by colons; RI the
	// interval in seconds, -1 where it is absent.
	RF string
	RI int64

	raw  string
	tags uint16 // which tags were given a valid value
	diag []Diagnostic
}

// The bits of Record.tags, in canonical order.
const (
	tagP = 1 << iota
	tagSP
	tagNP
	tagADKIM
	tagASPF
	tagT
	tagPSD
	tagFO
	tagRUA
	tagRUF
	tagPct
	tagRF
	tagRI
)

// Tag is one tag of a record with its value.
type Tag struct{ Name, Value string }

// ParseRecord reads a TXT record (RFC 9989, section 4.8), its character-strings
// joined. Errors: ErrNotDMARC, ErrDuplicateTag, ErrRecordLimit, ErrPolicy. What
// else is wrong is ignored, as it must be, and listed by Diagnostics.
func ParseRecord(text string) (Record, error) {
	r, err := parseRecord(text)
	if err != nil {
		return Record{}, err
	}
	return r, nil
}

// isRecord reports whether text begins with a v tag of value DMARC1.
func isRecord(text string) bool {
	rest := text
	if rest == "" || rest[0]|0x20 != 'v' {
		return false
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if rest == "" || rest[0] != '=' {
		return false
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	rest, ok := strings.CutPrefix(rest, "DMARC1")
	rest = strings.TrimLeft(rest, " \t")
	return ok && (rest == "" || rest[0] == ';')
}

// parseRecord is ParseRecord that returns the record with ErrPolicy too: its
// psd tag still shapes the tree walk.
func parseRecord(text string) (Record, error) {
	if !isRecord(text) {
		return Record{}, ErrNotDMARC
	}
	if len(text) > MaxRecordLength {
		return Record{}, ErrRecordLimit
	}
	r := Record{ADKIM: Relaxed, ASPF: Relaxed, PSD: PSDUnknown, Pct: -1, RI: -1, raw: text}
	var seen [MaxTags]string
	n, from, badPolicy := 0, 0, ""
	for sc := taglist.NewScanner(text); ; {
		t, ok := sc.Next()
		if !ok {
			break
		}
		part := text[from:t.End]
		from = t.End + 1
		if part == "" {
			continue
		}
		if n == MaxTags {
			return Record{}, ErrRecordLimit
		}
		name := scan.Lower(t.Name)
		if !isAlpha(name) || strings.IndexByte(part, '=') < 0 {
			// A policy tag garbled by a control octet or a no-break space is one that is
			// not valid, rather than one that is absent: the publisher did express a policy.
			if l := letters(name); isPolicy(l) && l != name {
				badPolicy = l
			}
			seen[n] = ""
			n++
			r.note(JunkIgnored, "")
			continue
		}
		for _, s := range seen[:n] {
			if s == name {
				return Record{}, ErrDuplicateTag
			}
		}
		seen[n] = name
		n++
		if name == "v" {
			continue
		}
		value := t.Value
		if t.Err != nil || value == "" || !isPrintable(part) {
			value = "" // no tag of the grammar has an empty value
		}
		bit, good := r.set(name, value)
		switch {
		case bit == 0:
			r.note(UnknownTag, name)
		case good:
			r.tags |= bit
			if bit >= tagPct {
				r.note(HistoricTag, name)
			}
		default:
			r.note(BadValue, name)
			if bit&(tagP|tagSP|tagNP) != 0 {
				badPolicy = name
			}
		}
	}
	if r.tags&tagRUF == 0 && r.tags&tagFO != 0 {
		r.tags &^= tagFO
		r.note(IgnoredTag, "fo")
	}
	if r.tags&tagFO == 0 {
		r.FO = ""
		if r.tags&tagRUF != 0 {
			r.FO = "0"
		}
	}
	if badPolicy != "" {
		r.P, r.SP, r.NP = PolicyNone, "", ""
		r.tags &^= tagP | tagSP | tagNP
		r.note(BadPolicy, badPolicy)
		if len(r.RUA) == 0 {
			return r, ErrPolicy
		}
	} else if r.tags&tagP == 0 {
		r.P = PolicyNone
		r.note(MissingPolicy, "p")
	}
	return r, nil
}

// set stores a tag's value; an empty one is not valid. bit is 0 for an unknown tag.
func (r *Record) set(name, value string) (bit uint16, ok bool) {
	switch name {
	case "p":
		return tagP, setWord(&r.P, value, PolicyNone, PolicyQuarantine, PolicyReject)
	case "sp":
		return tagSP, setWord(&r.SP, value, PolicyNone, PolicyQuarantine, PolicyReject)
	case "np":
		return tagNP, setWord(&r.NP, value, PolicyNone, PolicyQuarantine, PolicyReject)
	case "adkim":
		return tagADKIM, setWord(&r.ADKIM, value, Relaxed, Strict)
	case "aspf":
		return tagASPF, setWord(&r.ASPF, value, Relaxed, Strict)
	case "psd":
		return tagPSD, setWord(&r.PSD, value, PSDYes, PSDNo, PSDUnknown)
	case "t":
		r.T = strings.EqualFold(value, "y")
		return tagT, r.T || strings.EqualFold(value, "n")
	case "fo":
		r.FO = strings.ToLower(value)
		return tagFO, validFO(r.FO)
	case "rua":
		r.RUA = r.uris(name, value)
		return tagRUA, len(r.RUA) > 0
	case "ruf":
		r.RUF = r.uris(name, value)
		return tagRUF, len(r.RUF) > 0
	case "pct":
		n, ok := parseNumber(value, 100)
		if ok {
			r.Pct = int(n)
		}
		return tagPct, ok
	case "ri":
		n, ok := parseNumber(value, 1<<32-1)
		if ok {
			r.RI = n
		}
		return tagRI, ok
	case "rf":
		// Its values were never more than "afrf"; RFC 7489, section 6.4 allows a list
		// of keywords, with blanks around the colons.
		rf := strings.ToLower(value)
		if strings.ContainsAny(rf, " \t") {
			rf = strings.NewReplacer(" ", "", "\t", "").Replace(rf)
		}
		ok := true
		for f := range strings.SplitSeq(rf, ":") {
			ok = ok && f == "afrf"
		}
		if ok {
			r.RF = rf
		}
		return tagRF, ok
	}
	return 0, false
}

func setWord[W ~string](dst *W, value string, words ...W) bool {
	for _, w := range words {
		if strings.EqualFold(value, string(w)) {
			*dst = w
			return true
		}
	}
	return false
}

// validFO: dmarc-fo of RFC 9989, section 4.8. Its three alternatives come to this:
// each value at most once, at most one of "0" and "1", no blanks.
func validFO(s string) bool {
	var seen [4]bool
	for f := range strings.SplitSeq(s, ":") {
		i := strings.Index("01ds", f)
		if len(f) != 1 || i < 0 || seen[i] {
			return false
		}
		seen[i] = true
	}
	return !(seen[0] && seen[1])
}

// parseNumber reads 1*DIGIT up to limit. An overlong run of digits is over the
// limit, whatever it begins with.
func parseNumber(s string, limit int64) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	n := int64(0)
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, n <= limit
}

func isAlpha(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return s != ""
}

// letters returns the ASCII letters of a short name whose other octets are all
// invisible or not ASCII; "" for any other name.
func letters(s string) string {
	var b [4]byte
	n := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z' && n < len(b):
			b[n] = c
			n++
		case 0x20 < c && c < 0x7f:
			return ""
		}
	}
	return string(b[:n])
}

func isPolicy(name string) bool { return name == "p" || name == "sp" || name == "np" }

// isPrintable: dmarc-value and the white space of RFC 9989, section 4.8, which has
// no folding.
func isPrintable(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 && c != '\t' || c > 0x7e {
			return false
		}
	}
	return true
}

// IsZero reports whether r is no record.
func (r Record) IsZero() bool { return r.P == "" }

// Raw returns the text the record was parsed from.
func (r Record) Raw() string { return r.raw }

// Diagnostics lists what had to be ignored in the record, in the order found.
func (r Record) Diagnostics() []Diagnostic { return r.diag }

func (r *Record) note(k DiagnosticKind, tag string) {
	if len(tag) > 16 {
		tag = "" // unknown, and nobody's name for anything
	}
	d := Diagnostic{Kind: k, Tag: tag}
	if !slices.Contains(r.diag, d) {
		r.diag = append(r.diag, d)
	}
}

// Subdomain returns the policy for existing subdomains of an Organizational Domain
// or PSD that publishes r: SP, else P (RFC 9989, section 4.7).
func (r Record) Subdomain() Policy {
	if r.SP != "" {
		return r.SP
	}
	return r.P
}

// Nonexistent returns the policy for subdomains that do not exist: NP, else SP, else P.
func (r Record) Nonexistent() Policy {
	if r.NP != "" {
		return r.NP
	}
	return r.Subdomain()
}

// Testing returns what p comes to under t=y: one level below (RFC 9989, section 4.7).
func (p Policy) Testing() Policy {
	switch p {
	case PolicyReject:
		return PolicyQuarantine
	case PolicyQuarantine:
		return PolicyNone
	}
	return p
}

// strictness orders policies: reject before quarantine before none.
func (p Policy) strictness() int {
	switch p {
	case PolicyReject:
		return 3
	case PolicyQuarantine:
		return 2
	case PolicyNone:
		return 1
	}
	return 0
}

// Tags lists the tags that count, in canonical order: v and p first, values in
// lower case, URIs as published. Tags left at their default, unknown tags and
// values that a reader has to discard are not in it.
func (r Record) Tags() []Tag {
	if r.IsZero() {
		return nil
	}
	out := append(make([]Tag, 0, 8), Tag{"v", "DMARC1"}, Tag{"p", string(r.P)})
	add := func(bit uint16, name, value string) {
		if r.tags&bit != 0 {
			out = append(out, Tag{name, value})
		}
	}
	t := "n"
	if r.T {
		t = "y"
	}
	add(tagSP, "sp", string(r.SP))
	add(tagNP, "np", string(r.NP))
	add(tagADKIM, "adkim", string(r.ADKIM))
	add(tagASPF, "aspf", string(r.ASPF))
	add(tagT, "t", t)
	add(tagPSD, "psd", string(r.PSD))
	add(tagFO, "fo", r.FO)
	if r.tags&tagRUA != 0 {
		out = append(out, Tag{"rua", joinURIs(r.RUA)})
	}
	if r.tags&tagRUF != 0 {
		out = append(out, Tag{"ruf", joinURIs(r.RUF)})
	}
	add(tagPct, "pct", strconv.Itoa(r.Pct))
	add(tagRF, "rf", r.RF)
	add(tagRI, "ri", strconv.FormatInt(r.RI, 10))
	return out
}

// Tag returns the value of one tag of Tags.
func (r Record) Tag(name string) (value string, ok bool) {
	for _, t := range r.Tags() {
		if t.Name == name {
			return t.Value, true
		}
	}
	return "", false
}

// String returns the record in canonical form: the Tags, separated by "; ". It
// means the same as the text it was parsed from. The zero Record is "".
func (r Record) String() string {
	var b strings.Builder
	for i, t := range r.Tags() {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(t.Name)
		b.WriteByte('=')
		b.WriteString(t.Value)
	}
	return b.String()
}
