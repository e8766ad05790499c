package authres

import (
	"bytes"
	"slices"
	"strings"
	"unicode"

	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/scan"
)

// Fields is a message's header as [Forged] looks at it: field i as received, 0
// being the topmost, with its name and its line end. The Header of this
// library's message package is one.
type Fields interface {
	// Len returns the number of fields.
	Len() int
	// Raw returns the octets of field i; they are not modified.
	Raw(i int) []byte
}

// Forged returns the indexes, in ascending order, of the Authentication-Results
// fields that a border MTA must remove from a message that comes from outside,
// before it adds its own (RFC 8601, section 5). It keeps a field only if it can
// read, without doubt, that the field is somebody else's and of version 1. So
// these are removed:
//
//   - fields with one of the given authserv-ids, whatever else they hold,
//     parsable or not. Case does not matter, nor whether a label is a U-label or
//     an A-label, nor quoting, nor octets that cannot be seen;
//   - fields without an authserv-id, or whose authserv-id cannot be read. Who
//     believes such a field believes it whoever wrote it;
//   - fields whose authserv-id has characters beyond ASCII and is no domain name:
//     readers that map such characters may see anybody's;
//   - fields of another version, which nobody can read (RFC 8601, section 5,
//     last paragraph);
//   - fields in which another line that begins with the field's name hides
//     behind a bare CR or LF, or behind another character that some readers take
//     for a line end (U+000B, U+000C, U+001C to U+001E, U+0085, U+2028, U+2029).
//
// The field's name is recognized in any case, with white space or folding
// before the colon, and with octets in it that are not visible ASCII.
//
// An id is one name, and does not cover the names below it: give the ids of all
// hosts that write the field. Without any ids, Forged returns what nobody can
// be said to have written. Removal may break a signature that covers the field;
// the standard accepts that.
func Forged(fields Fields, ids ...string) []int {
	ours := newIDs(ids)
	var out []int
	for i := range fields.Len() {
		if value, hidden, ok := fieldValue(fields.Raw(i)); ok && (hidden || !isForeign(value, ours)) {
			out = append(out, i)
		}
	}
	return out
}

// All returns the indexes of all Authentication-Results fields, in ascending
// order, for a border MTA that lets none from outside pass: "for simplicity and
// maximum security" (RFC 8601, section 5). It recognizes them as [Forged] does.
func All(fields Fields) []int {
	var out []int
	for i := range fields.Len() {
		if _, _, ok := fieldValue(fields.Raw(i)); ok {
			out = append(out, i)
		}
	}
	return out
}

// IsFrom reports whether the field's authserv-id is one of the given ones, which
// have to come from somebody's configuration (RFC 8601, section 4.1). Case does
// not matter, nor whether a label is a U-label or an A-label. Nothing is from
// "", and without ids the answer is no.
func (h Header) IsFrom(ids ...string) bool {
	id, _ := canonicalID(h.AuthservID)
	return id != "" && slices.ContainsFunc(ids, func(s string) bool {
		o, _ := canonicalID(s)
		return o == id
	})
}

const lowerName = "authentication-results"

// fieldValue returns what stands behind the colon if raw is an
// Authentication-Results field. hidden says that another one is within it, or that it is
// one only to a reader who ends lines elsewhere than at a CRLF.
func fieldValue(raw []byte) (value string, hidden, ok bool) {
	if n, v, found := bytes.Cut(raw, []byte{':'}); found && isName(n) {
		return string(v), hiddenName(v), true
	}
	return "", true, hiddenName(raw)
}

// hiddenName reports whether the field's name stands behind what some readers take
// for a line end.
func hiddenName(raw []byte) bool { return scan.HiddenName(raw, isName) }

// isName compares without regard to case, and to octets that a reader may drop: white
// space in front of the topmost field, for example.
func isName(n []byte) bool {
	i := 0
	for _, b := range n {
		if !scan.Vchar.Is(b) {
			continue
		}
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		if i == len(lowerName) || b != lowerName[i] {
			return false
		}
		i++
	}
	return i == len(lowerName)
}

// isForeign reports whether it is certain that somebody else wrote the value, in version 1.
func isForeign(value string, ours ids) bool {
	p := parser{Cursor: scan.New(strings.TrimSuffix(value, "\r\n"))}
	if !p.head() || p.Peek() != ';' && !p.Done() {
		return false
	}
	return !ours.has(p.h.AuthservID) && !isMappable(p.h.AuthservID)
}

// isMappable reports whether an id beyond ASCII is no domain name, not even without what
// cannot be seen. Readers map such characters (UTS #46: wide letters, other full stops,
// letters that were put together), and may get to the name of anybody.
func isMappable(id string) bool {
	if isASCII(id) {
		return false
	}
	_, err := domain.Parse(visible(id))
	return err != nil
}

// ids are authserv-ids in both forms in which they are compared.
type ids struct{ canonical, bare []string }

func newIDs(list []string) (out ids) {
	for _, id := range list {
		c, b := canonicalID(id)
		out.canonical, out.bare = append(out.canonical, c), append(out.bare, b)
	}
	return out
}

func (l ids) has(id string) bool {
	c, b := canonicalID(id)
	return slices.Contains(l.canonical, c) || slices.Contains(l.bare, b)
}

// canonicalID returns the id as a domain name in A-labels, or in lower case if
// it is not one; and what is left of that when everything that cannot be seen,
// and a final dot, is taken away. RFC 8601, section 5 compares U-labels; each
// has one A-label, so that the outcome is the same.
func canonicalID(id string) (canonical, bare string) {
	lower := func(s string) string {
		if n, err := domain.Parse(s); err == nil {
			return n.String()
		}
		return strings.ToLower(s)
	}
	canonical = lower(id)
	if bare = visible(id); bare != id {
		return canonical, lower(bare)
	}
	return canonical, canonical
}

// visible takes everything that cannot be seen, and a final dot, away.
func visible(id string) string {
	return strings.TrimRight(strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, id), ".")
}
