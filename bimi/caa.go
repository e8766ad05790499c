package bimi

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
	"github.com/seed2385d973/mailauth/internal/scan"
)

// MaxAuthorizationQueries is how many DNS questions [Authorities] asks at most. The
// climb through a name of more labels is given up.
const MaxAuthorizationQueries = 32

// Authorization is what CAA records say about who may issue a mark certificate for
// a domain (RFC 8659; the property is issuevmc, for marks of every kind). Only an
// authority asks for it, before it issues: a receiver does not look, and a certificate
// from before stays good. The properties issue and issuewild are about certificates for
// servers. The zero value restricts nobody.
type Authorization struct {
	// Domain is the domain asked about.
	Domain string `json:"domain"`
	// At is the closest name, from Domain upwards, that has CAA records; only these
	// count. It is empty if none has.
	At string `json:"at,omitempty"`
	// Restricted says that only Issuers may issue; no Issuers, nobody.
	Restricted bool `json:"restricted"`
	// Issuers are the domain names by which the authorities know themselves, in
	// lower case and in the order of the records.
	Issuers []string `json:"issuers,omitempty"`
	// Parameters says that one of the Issuers is bound to parameters, such as an
	// account, which only the authority can judge.
	Parameters bool `json:"parameters,omitempty"`
	// Unknown is a critical property that no authority for marks has to know, so that
	// none may issue (RFC 8659, section 4.1): a stranger's text.
	Unknown string `json:"unknown,omitempty"`
}

// Authorities asks who may issue a mark certificate for a domain: it climbs the DNS
// from the domain to the first name with CAA records (RFC 8659, section 3). Errors:
// ErrAuthor for what is no domain; else those of package dnsutil, ErrType where the
// Resolver cannot ask for CAA records. An authority that gets no answer may not issue.
func Authorities(ctx context.Context, r dnsutil.Resolver, name string) (Authorization, error) {
	at, err := domain.ParseQuery(name)
	if err != nil {
		return Authorization{}, fmt.Errorf("%w: %w", ErrAuthor, err)
	}
	sc, done := lookup.For(ctx, r, MaxAuthorizationQueries)
	defer done()
	out := Authorization{Domain: at.String()}
	for n := 0; !at.IsZero(); at = at.Parent() {
		if n++; n > MaxAuthorizationQueries {
			return Authorization{}, dnsutil.ErrBudget
		}
		a, err := sc.Ask(ctx, at, dnsutil.TypeCAA)
		if err != nil {
			return Authorization{}, err
		}
		if len(a.CAA) > 0 {
			out.At = at.String()
			out.read(a.CAA)
			break
		}
	}
	return out, nil
}

// read takes in the relevant set of properties.
func (a *Authorization) read(set []dnsutil.CAA) {
	const critical = 128
	for _, p := range set {
		switch tag := strings.ToLower(p.Tag); tag {
		case "issuevmc":
			a.Restricted = true
			issuer, parameters, ok := issueValue(p.Value)
			if ok && issuer != "" && !slices.Contains(a.Issuers, issuer) {
				a.Issuers = append(a.Issuers, issuer)
			}
			a.Parameters = a.Parameters || ok && parameters
		case "issue", "issuewild", "issuemail", "iodef", "contactemail", "contactphone":
			// Registered, and about something else.
		default:
			if p.Flags&critical != 0 {
				a.Restricted, a.Unknown = true, cmp.Or(p.Tag, "without a name")
			}
		}
	}
	if a.Unknown != "" {
		a.Issuers, a.Parameters = nil, false
	}
}

// issueValue reads the value of a property (RFC 8659, section 4.2). What does not
// have that form counts as a value without an issuer, which allows nobody.
func issueValue(s string) (issuer string, parameters, ok bool) {
	const blank = " \t"
	name, list, more := strings.Cut(s, ";")
	if name = strings.Trim(name, blank); name != "" {
		for label := range strings.SplitSeq(name, ".") {
			if !caaLabel(label) {
				return "", false, false
			}
		}
	}
	list = strings.Trim(list, blank)
	if !more || list == "" {
		return strings.ToLower(name), false, true
	}
	for p := range strings.SplitSeq(list, ";") {
		tag, value, found := strings.Cut(strings.Trim(p, blank), "=")
		value = strings.TrimLeft(value, blank)
		if !found || !caaLabel(strings.TrimRight(tag, blank)) || strings.ContainsFunc(value, func(c rune) bool { return c < '!' || c > '~' }) {
			return "", false, false
		}
	}
	return strings.ToLower(name), true, true
}

// caaLabel accepts letters and digits, with dashes between them.
func caaLabel(s string) bool {
	return s != "" && s[0] != '-' && s[len(s)-1] != '-' && scan.Ldh.All(s)
}

// Allows reports whether an authority that knows itself by these domain names may issue.
func (a Authorization) Allows(names ...string) bool {
	if !a.Restricted {
		return true
	}
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(a.Issuers, strings.ToLower(n)) })
}

// String says it in words.
func (a Authorization) String() string {
	var s string
	switch {
	case a.At == "":
		return "every authority may issue a mark certificate for " + a.Domain + ": there are no CAA records"
	case a.Unknown != "":
		s = fmt.Sprintf("no authority may issue a mark certificate for %s: the critical property %s is not known", a.Domain, ascii(a.Unknown))
	case !a.Restricted:
		s = "every authority may issue a mark certificate for " + a.Domain + ": its CAA records have no issuevmc"
	case len(a.Issuers) == 0:
		s = "issuevmc lets no authority issue a mark certificate for " + a.Domain
	default:
		s = "issuevmc lets only " + strings.Join(a.Issuers, ", ") + " issue a mark certificate for " + a.Domain
		if a.Parameters {
			s += ", and under conditions that only they can judge"
		}
	}
	if a.At != a.Domain {
		s += " (CAA records of " + a.At + ")"
	}
	return s
}
