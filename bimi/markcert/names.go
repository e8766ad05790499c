package markcert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed2385d973/mailauth/internal/domain"
)

const selectorLabel = "._bimi."

// maxBadNames is how many unusable names are noted one by one.
const maxBadNames = 16

// names reads the dNSName subject alternative names: those of the form
// selector._bimi.domain into the selector-set, the others into the domain-set. A
// common name is never one. A name that cannot match anything, such as a
// wildcard, is noted and left out; it does no harm.
func (c *check) names() {
	r := &c.result
	seen := make(map[string]bool, len(c.leaf.DNSNames)) // there may be tens of thousands, before anybody is trusted
	bad := 0
	for _, san := range c.leaf.DNSNames {
		name, selector, err := parseSAN(san)
		switch {
		case err != nil:
			if bad++; bad <= maxBadNames {
				c.add(Warning, ErrSAN, 0, fmt.Sprintf("%q", printable(san)))
			}
		case seen[name]: // a selector's name holds what no other has
		case selector:
			r.Selectors = append(r.Selectors, name)
		default:
			r.Domains = append(r.Domains, name)
		}
		if err == nil {
			seen[name] = true
		}
	}
	if bad > maxBadNames {
		c.add(Warning, ErrSAN, 0, fmt.Sprintf("and %d more", bad-maxBadNames))
	}
	if len(c.leaf.EmailAddresses)+len(c.leaf.URIs)+len(c.leaf.IPAddresses) > 0 {
		c.add(Warning, ErrSAN, 0, "names other than domain names")
	}
}

// parseSAN returns a subject alternative name in lower case. A U-label cannot
// stand in one, and is not converted (RFC 5280, section 7.2).
func parseSAN(san string) (name string, selector bool, err error) {
	s, d, selector := strings.Cut(strings.ToLower(san), selectorLabel)
	if !selector {
		d, s = s, ""
	}
	n, err := domain.ParseASCII(d)
	if err != nil {
		return "", selector, err
	}
	if !selector {
		return n.String(), false, nil
	}
	l, err := domain.ParseSelector(s)
	if err != nil {
		return "", true, err
	}
	return selectorName(l, n), true, nil
}

func selectorName(selector, d domain.Name) string {
	return selector.String() + selectorLabel + d.String()
}

// match decides whether the certificate is for the names: the record's
// selector._bimi.domain is in the selector-set, or the Author Domain or its
// Organizational Domain is in the domain-set, each by equality. There is neither
// a wildcard nor relaxed alignment: example.com in the certificate covers
// news.example.com because it is its Organizational Domain, and
// news.example.com covers nothing but itself.
func (c *check) match(names Names) {
	if names.Record == "" {
		names.Record = names.Author
	}
	if names.Selector == "" {
		names.Selector = "default"
	}
	author, err1 := domain.Parse(names.Author)
	record, err2 := domain.Parse(names.Record)
	selector, err3 := domain.ParseSelector(names.Selector)
	org, err4 := author, error(nil)
	if names.Organizational != "" {
		org, err4 = domain.Parse(names.Organizational)
	}
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			c.add(Failure, ErrNames, wholeFile, err.Error())
			return
		}
	}
	r := &c.result
	for _, d := range []domain.Name{author, org} {
		if slices.Contains(r.Domains, d.String()) {
			r.Matched = d.String()
			return
		}
	}
	if s := selectorName(selector, record); slices.Contains(r.Selectors, s) {
		r.Matched = s
		return
	}
	if len(r.Domains)+len(r.Selectors) == 0 {
		c.add(Failure, ErrDomain, 0, "it names none")
		return
	}
	c.add(Failure, ErrDomain, 0, "it names "+strings.Join(append(slices.Clone(r.Domains), r.Selectors...), " "))
}
