package spf

import (
	"strings"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// explain fetches and expands the explanation of a fail (RFC 7208, section 6.2).
// Whatever goes wrong, there is none; the result of the check stands. Its query
// is outside the limits on terms and void answers.
func (c *check) explain(spec string, d domain.Name) string {
	c.limit = nil
	v := values{
		domain:    d,
		validated: func() string { return c.validatedName(d) },
	}
	n, err := c.id.target(spec, &v)
	if err != nil || c.limit != nil {
		return ""
	}
	a, err := c.ask(n, dnsutil.TypeTXT)
	if err != nil || len(a.TXT) != 1 {
		return ""
	}
	v.now = func() int64 { return c.v.now().Unix() }
	b, err := c.id.expand(nil, a.TXT[0], &v, maxExplanation)
	if err != nil || c.limit != nil {
		return ""
	}
	// Someone may put this into an SMTP reply, a log or a page: nothing that
	// ends a line or hides text gets through, and no part of a text either.
	for _, x := range b {
		if x < ' ' || x > maxVisible {
			return ""
		}
	}
	return string(b)
}

// usesLocalPart reports whether a valid domain-spec holds %{s} or %{l}.
func usesLocalPart(spec string) bool {
	for {
		i := strings.IndexByte(spec, '%')
		if i < 0 {
			return false
		}
		spec = spec[i:]
		m, ok := parseMacro(spec)
		if !ok {
			return false
		}
		if m.letter == 's' || m.letter == 'l' {
			return true
		}
		spec = spec[m.size:]
	}
}
