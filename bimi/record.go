package bimi

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed2385d973/mailauth/bimi/internal/weburl"
	"github.com/seed2385d973/mailauth/internal/scan"
	"github.com/seed2385d973/mailauth/internal/taglist"
)

// Limits of a record.
const (
	MaxRecordLength = 4 << 10 // octets; two URLs of the longest kind
	MaxPrefixes     = 64      // of lps=
)

// Record is an assertion record: what a domain publishes in the DNS under
// selector._bimi.domain (BIMI, section 4.3). The zero value is no record.
type Record struct {
	// Location is l=, where the indicator lies; empty in a declination, and with
	// [RecordOptions.AllowEvidenceOnly].
	Location string
	// Evidence is a=, where the mark certificate lies; empty if there is none.
	Evidence string
	// Prefixes is lps= in lower case: the local-parts that have a selector of their
	// own (BIMI, section 4.5). Nil means that the record has no lps=; not nil and
	// empty means all.
	Prefixes []string
	// Preference is avp= as far as it was published and is known; empty otherwise,
	// which means Brand.
	Preference Preference

	declined bool
}

// Preference is the value of avp=: which picture a domain would like to see where
// there is a choice.
type Preference string

// The preferences.
const (
	Brand    Preference = "brand"    // the brand's indicator
	Personal Preference = "personal" // the picture of the person, for instance from an address book
)

// RecordOptions relax what is a record. The zero value relaxes nothing.
type RecordOptions struct {
	// VersionCaseInsensitive accepts v=bimi1, which BIMI, section 4.3 has a reader ignore.
	VersionCaseInsensitive bool
	// AllowEvidenceOnly accepts a record with a= and without l=, which is against
	// BIMI, section 7.3.
	AllowEvidenceOnly bool
	// RepairSyntax accepts white space in front, empty tags, and lps= with unusable
	// prefixes, which are dropped. BIMI, section 4.3 forbids to repair a record.
	RepairSyntax bool
}

// ParseRecord reads the text of a record, the strings of the TXT record joined,
// to the letter of BIMI, section 4.3. A declination is a record. Errors: the
// constants from ErrNotBIMI to ErrPrefix.
func ParseRecord(text string) (Record, error) { return RecordOptions{}.Parse(text) }

// Parse is ParseRecord with options.
func (o RecordOptions) Parse(text string) (Record, error) {
	if !o.begins(text) {
		return Record{}, ErrNotBIMI
	}
	if len(text) > MaxRecordLength {
		return Record{}, fmt.Errorf("%w: %d octets", ErrLimit, len(text))
	}
	tags, err := o.tags(text)
	if err != nil {
		return Record{}, err
	}
	var r Record
	location, ok := taglist.Get(tags, "l")
	evidence, _ := taglist.Get(tags, "a")
	switch {
	case !ok && (evidence == "" || !o.AllowEvidenceOnly):
		return Record{}, ErrLocationMissing
	case location == "" && evidence == "":
		r.declined = true
	case location == "" && !o.AllowEvidenceOnly:
		return Record{}, ErrLocationEmpty
	}
	if location != "" {
		if err := checkURI(location); err != nil {
			return Record{}, fmt.Errorf("%w: %w", ErrLocation, err)
		}
		if !svgName(location) {
			return Record{}, ErrFormat
		}
	}
	if evidence != "" {
		if err := checkURI(evidence); err != nil {
			return Record{}, fmt.Errorf("%w: %w", ErrEvidence, err)
		}
	}
	r.Location, r.Evidence = location, evidence
	if lps, ok := taglist.Get(tags, "lps"); ok {
		if r.Prefixes, err = o.prefixes(lps); err != nil {
			return Record{}, err
		}
	}
	if avp, ok := taglist.Get(tags, "avp"); ok && (avp == string(Brand) || avp == string(Personal)) {
		r.Preference = Preference(avp)
	}
	return r, nil
}

// begins reports whether the text is a BIMI record, good or bad: whether its
// first tag is v=BIMI1. Anything else at the name is not looked at (BIMI, section 7.2).
func (o RecordOptions) begins(text string) bool {
	if o.RepairSyntax {
		text = strings.TrimLeft(text, " \t")
	}
	if text == "" || text[0] != 'v' {
		return false
	}
	sc := taglist.NewScanner(text)
	t, ok := sc.Next()
	if !ok || t.Err != nil || t.Name != "v" {
		return false
	}
	return t.Value == "BIMI1" || o.VersionCaseInsensitive && strings.EqualFold(t.Value, "BIMI1")
}

func (o RecordOptions) tags(text string) ([]taglist.Tag, error) {
	if !o.RepairSyntax {
		tags, err := taglist.Parse(nil, text)
		switch {
		case errors.Is(err, taglist.ErrDuplicate):
			return nil, fmt.Errorf("%w: %w", ErrDuplicateTag, err)
		case errors.Is(err, taglist.ErrTooMany), errors.Is(err, taglist.ErrTooLong):
			return nil, fmt.Errorf("%w: %w", ErrLimit, err)
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		return tags, nil
	}
	var tags []taglist.Tag
	sc := taglist.NewScanner(text)
	for t, ok := sc.Next(); ok; t, ok = sc.Next() {
		if t.Err != nil {
			if strings.TrimSpace(t.Name+t.Value) == "" {
				continue
			}
			return nil, ErrSyntax
		}
		if _, twice := taglist.Get(tags, t.Name); twice {
			return nil, ErrDuplicateTag
		}
		if tags = append(tags, t); len(tags) > taglist.MaxTags {
			return nil, ErrLimit
		}
	}
	return tags, nil
}

// prefixes reads lps=. The value "" is the empty list, which matches everybody.
func (o RecordOptions) prefixes(lps string) ([]string, error) {
	list := []string{}
	if lps == "" {
		return list, nil
	}
	for p := range strings.SplitSeq(lps, ",") {
		p = strings.Trim(p, " \t")
		if p == "" || len(p) > 63 || !scan.Ldh.All(p) {
			if o.RepairSyntax {
				continue
			}
			return nil, ErrPrefix
		}
		if list = append(list, strings.ToLower(p)); len(list) > MaxPrefixes {
			return nil, fmt.Errorf("%w: more than %d prefixes", ErrLimit, MaxPrefixes)
		}
	}
	if len(list) == 0 {
		return nil, ErrPrefix // dropping all of them must not make it match everybody
	}
	return list, nil
}

// checkURI judges a URI as a record may hold it. Another port than 443 is legal
// there (RFC 3986, section 3.2.3); nobody here will fetch from it.
func checkURI(s string) error {
	if strings.Contains(s, ",") {
		return weburl.ErrChar // BIMI, section 4.3: commas are percent-encoded
	}
	_, err := weburl.Parse(s)
	if !errors.Is(err, weburl.ErrPort) {
		return err
	}
	scheme, rest, _ := strings.Cut(s, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, port, _ := strings.Cut(rest[:end], ":")
	if n, perr := strconv.ParseUint(port, 10, 16); perr != nil || n == 0 || len(port) > 5 {
		return err
	}
	_, err = weburl.Parse(scheme + "://" + host + rest[end:])
	return err
}

// svgName reports whether the path ends in .svg or .svgz, or in no suffix.
func svgName(uri string) bool {
	_, rest, _ := strings.Cut(uri, "://")
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	_, path, _ := strings.Cut(rest, "/")
	file := path[strings.LastIndexByte(path, '/')+1:]
	i := strings.LastIndexByte(file, '.')
	if i < 0 {
		return true
	}
	suffix := file[i+1:]
	return strings.EqualFold(suffix, "svg") || strings.EqualFold(suffix, "svgz")
}

// Declined reports whether the record says that no indicator is to be shown
// (BIMI, section 4.3.1).
func (r Record) Declined() bool { return r.declined }

// Decline returns the record that says so.
func Decline() Record { return Record{declined: true} }

// IsZero reports whether r is no record.
func (r Record) IsZero() bool {
	return r.Location == "" && r.Evidence == "" && r.Prefixes == nil && r.Preference == "" && !r.declined
}

// String returns the record in one canonical form, tags in the order v, l, a, lps,
// avp; "" for the zero value. ParseRecord reads it back to the same Record if the
// fields are good, which is how a publisher checks what he built.
func (r Record) String() string {
	if r.IsZero() {
		return ""
	}
	s := "v=BIMI1; l=" + r.Location
	if r.Evidence != "" || r.declined {
		s += "; a=" + r.Evidence
	}
	if r.Prefixes != nil {
		s += "; lps=" + strings.Join(r.Prefixes, ",")
	}
	if r.Preference != "" {
		s += "; avp=" + string(r.Preference)
	}
	return s
}

// Strings returns the record as the character-strings of a TXT record, of at most
// 255 octets each (RFC 1035, section 3.3.14), or what is wrong with its fields.
func (r Record) Strings() ([]string, error) {
	text := r.String()
	back, err := ParseRecord(text)
	if err != nil {
		return nil, err
	}
	if back.Location != r.Location || back.Evidence != r.Evidence || back.Preference != r.Preference || len(back.Prefixes) != len(r.Prefixes) {
		return nil, ErrSyntax // a field that brings another tag with it
	}
	var out []string
	for len(text) > 255 {
		out, text = append(out, text[:255]), text[255:]
	}
	return append(out, text), nil
}
