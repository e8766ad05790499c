package spf

import "net/netip"

// directive is a term as a check keeps it. Of networks only one that holds the client is
// kept, so that it needs no network any more.
type directive struct {
	Kind                 Kind
	Qualifier            byte
	IP4Length, IP6Length uint8
	Text, DomainSpec     string
}

func (t *Term) directive() directive {
	return directive{t.Kind, t.Qualifier, t.IP4Length, t.IP6Length, t.Text, t.DomainSpec}
}

// plan is what a check has to do for one record, and what the record says as a whole.
type plan struct {
	redirect  directive // zero where there is none, or where an all makes it void (RFC 7208, section 6.1)
	exp       string
	breadth   Breadth // of its networks and its all
	localPart bool    // the evaluation can come by the sender's local-part
}

// errAsks never leaves the package.
const errAsks Error = "a term has to ask the DNS"

// readPlan reads a whole record and appends to terms what there is to evaluate for a
// client, in order: what asks the DNS, up to the first term that matches whatever the DNS
// says. On error it says at which term, and nothing it returns but that means anything.
// With flat it gives up with errAsks at a term that has to ask.
func readPlan(text string, client netip.Addr, terms []directive, flat bool) (p plan, _ []directive, at string, e Error) {
	sc := newScanner(text)
	host := networkOf(client)
	all, decided := false, false // behind an all nothing counts; behind a network that holds the client nothing is evaluated
	for sc.begin() {
		if n, end := scanNetworkTerm(text, sc.i); end > 0 {
			if !all && n.qualifier == '+' {
				p.breadth.addNetwork(n.kind, n.length)
			}
			if !decided && n.contains(host) {
				decided = true
				terms = append(terms, directive{Kind: n.kind, Qualifier: n.qualifier, Text: text[sc.i:end]})
			}
			sc.i = end
			continue
		}
		var t Term
		if !sc.term(&t) {
			break
		}
		keep := !decided
		switch t.Kind {
		case IP4, IP6:
			if !all && t.Qualifier == '+' {
				p.breadth.addNetwork(t.Kind, uint8(t.Network.Bits()))
			}
			keep = keep && t.Network.Contains(client)
			decided = decided || keep
		case All:
			p.breadth.All = p.breadth.All || !all && t.Qualifier == '+'
			all, decided = true, true
		case Redirect:
			p.redirect, keep = t.directive(), false
		case Exp:
			p.exp, keep = t.DomainSpec, false
		case Unknown:
			keep = false
		default:
			if flat && keep {
				return p, terms, "", errAsks
			}
			p.localPart = p.localPart || !all && usesLocalPart(t.DomainSpec)
		}
		if keep {
			terms = append(terms, t.directive())
		}
	}
	if all {
		p.redirect = directive{}
	}
	p.localPart = p.localPart || usesLocalPart(p.redirect.DomainSpec)
	return p, terms, sc.at, sc.err
}
