// Package suffix answers "is this a public suffix?" from the list compiled into
// golang.org/x/net/publicsuffix. It is the only importer of that package.
//
// Two questions are kept apart. [Is] is the floor under DKIM and DMARC: a name
// under which registries sell names to strangers, the list's ICANN section or
// any single label (decisions 7 and 14). [Organizational] is the algorithm of
// RFC 7489, section 3.2, which takes "the" list as it is, private section
// included: there, customers of one hosting company are not one organization.
package suffix

import (
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/seed2385d973/mailauth/internal/domain"
)

// A List says whether a name, in lower-case A-labels without a final dot, is a
// public suffix. Verifiers carry one in a function field; nil is the compiled-in list.
type List func(name string) bool

// Is reports whether n is a public suffix: listed in the ICANN section, or a
// single label. The zero Name is none.
func Is(n domain.Name) bool {
	s := n.String()
	if s == "" {
		return false
	}
	if strings.IndexByte(s, '.') < 0 {
		return true
	}
	ps, icann := publicsuffix.PublicSuffix(s)
	return icann && ps == s
}

// Is reports whether n is a public suffix by the list l; by [Is] if l is nil. A
// single label is one whatever the list says.
func (l List) Is(n domain.Name) bool {
	if l == nil || n.Labels() < 2 {
		return Is(n)
	}
	return l(n.String())
}

// Floor returns how many labels the public suffix has that n ends in, in the sense of
// [Is]; all of them if n is one. It is not the same as to ask [Is] about the names above n:
// where "*.sch.uk" is listed, "sch.uk" is none, but what is below it has one that is longer.
func Floor(n domain.Name) int {
	for s := n.String(); s != ""; {
		ps, icann := publicsuffix.PublicSuffix(s)
		_, above, more := strings.Cut(ps, ".")
		if icann || !more {
			return strings.Count(ps, ".") + 1
		}
		s = above // of the private section, which is below one of the other
	}
	return 0
}

// Floor is the function [Floor] by the list l; by the compiled-in one if l is nil.
func (l List) Floor(n domain.Name) int {
	if l == nil {
		return Floor(n)
	}
	for m := n; m.Labels() > 1; m = m.Parent() {
		if l(m.String()) {
			return m.Labels()
		}
	}
	return min(n.Labels(), 1)
}

// Organizational returns the Organizational Domain of n by RFC 7489, section
// 3.2: one label more than the longest public suffix that ends n. ok is false,
// and the result n itself, where n is a public suffix and so has no such domain.
func Organizational(n domain.Name) (org domain.Name, ok bool) {
	s := n.String()
	if s == "" {
		return domain.Name{}, false
	}
	ps, _ := publicsuffix.PublicSuffix(s)
	return below(n, strings.Count(ps, ".")+1)
}

// Organizational is the function [Organizational] by the list l; by the
// compiled-in one if l is nil.
func (l List) Organizational(n domain.Name) (org domain.Name, ok bool) {
	if l == nil {
		return Organizational(n)
	}
	// The longest match decides, and a name above it need not be listed: so from
	// the longest down.
	for m := n; m.Labels() > 1; m = m.Parent() {
		if l(m.String()) {
			return below(n, m.Labels())
		}
	}
	return below(n, 1)
}

func below(n domain.Name, labels int) (domain.Name, bool) {
	if n.Labels() <= labels {
		return n, false
	}
	return n.Last(labels + 1), true
}
