package bimi

import (
	"strings"

	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/taglist"
)

// DefaultSelector is the selector of a message that names none (BIMI, section 4.4).
const DefaultSelector = "default"

// ParseSelector reads the value of a BIMI-Selector field and returns its selector
// in lower case (BIMI, sections 4.4 and 5.1). Header fields are not case-sensitive.
// Errors: ErrSelectorSyntax, ErrSelectorName.
func ParseSelector(value string) (string, error) { return parseSelector(value, false) }

func parseSelector(value string, underscore bool) (string, error) {
	if len(value) > MaxRecordLength {
		return "", ErrSelectorSyntax
	}
	// A line end is always a fold in a field; what else looks like one is an octet
	// that the tag-list refuses.
	value = strings.Trim(strings.ReplaceAll(value, "\r\n", ""), " \t")
	tags, err := taglist.Parse(nil, value)
	if err != nil || len(tags) == 0 || !strings.EqualFold(tags[0].Name, "v") || !strings.EqualFold(tags[0].Value, "BIMI1") {
		return "", ErrSelectorSyntax
	}
	selector, found := "", false
	for i, t := range tags {
		for _, u := range tags[:i] {
			if strings.EqualFold(t.Name, u.Name) {
				return "", ErrSelectorSyntax
			}
		}
		if strings.EqualFold(t.Name, "s") {
			selector, found = t.Value, true
		}
	}
	if !found {
		return "", ErrSelectorSyntax
	}
	return checkSelector(selector, underscore)
}

// checkSelector accepts sub-domains of RFC 5321, section 4.1.2, separated by dots.
func checkSelector(s string, underscore bool) (string, error) {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || c == '_' && !underscore {
			return "", ErrSelectorName
		}
	}
	n, err := domain.ParseSelector(s)
	if err != nil {
		return "", ErrSelectorName
	}
	return n.String(), nil
}

// queryName returns selector._bimi.name, the zero Name if that is too long.
func queryName(selector string, name domain.Name) domain.Name {
	n, err := name.Prepend(selector + "._bimi")
	if err != nil {
		return domain.Name{}
	}
	return n
}

// LocalPartSelector returns the selector that the local-part of an author's
// address, its quoting removed, makes under lps= (BIMI, section 4.5), in lower
// case; ok is false if it makes none. collapse replaces every run of dashes by
// one; by the letter that happens to underscores and full stops only.
func LocalPartSelector(local string, collapse bool) (selector string, ok bool) {
	local, _, _ = strings.Cut(local, "+")
	var b strings.Builder
	run := false // of octets that become one dash
	for i := range len(local) {
		c := local[i]
		dash := c == '_' || c == '.' || collapse && c == '-'
		switch {
		case dash && run:
		case dash:
			b.WriteByte('-')
		case c == '-', '0' <= c && c <= '9', 'a' <= c && c <= 'z':
			b.WriteByte(c)
		case 'A' <= c && c <= 'Z':
			b.WriteByte(c | 0x20)
		default:
			return "", false
		}
		run = dash
	}
	s := strings.Trim(b.String(), "-")
	return s, s != "" && len(s) <= 63
}

// matches reports whether lps= is for the local-part selector.
func (r Record) matches(selector string, least int) bool {
	if r.Prefixes == nil {
		return false
	}
	if len(r.Prefixes) == 0 {
		return least <= 0
	}
	for _, p := range r.Prefixes {
		if len(p) >= least && strings.HasPrefix(selector, p) {
			return true
		}
	}
	return false
}
