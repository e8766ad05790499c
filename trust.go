package mailauth

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/message"
)

// trusts reports whether a sealer is on the list.
func (e *Evaluator) trusts(sealer string) bool {
	d, err := domain.Parse(sealer)
	if err != nil {
		return false
	}
	for _, s := range e.TrustedSealers {
		if p, err := ParsePattern(s); err == nil && p.matches(d) {
			return true
		}
	}
	return false
}

// trust lets a chain by trusted sealers override a DMARC failure (RFC 8617,
// section 7.2.1), and says so. It decides nothing else: a chain never makes a
// message worse, and without the receiver's list it does nothing at all.
func (ev *Evaluation) trust(r *Result) {
	if len(ev.e.TrustedSealers) == 0 || r.ARC.Status != arc.Pass && !r.ARC.Temporary() {
		return
	}
	if r.DMARC.Status != authres.Fail || othersFail(&r.DMARC) {
		// Nothing to rescue: only whether every sealer is on the list remains.
		r.ARCTrusted = r.ARC.Status == arc.Pass && !slices.ContainsFunc(r.ARC.Sealers(), func(d string) bool { return !ev.e.trusts(d) })
		return
	}
	v := r.ARC.Vouch(r.DMARC.Domain, ev.e.trusts, ev.aligned())
	r.ARCTrusted = r.ARC.Status == arc.Pass && (v.Instance > 0 || v.Trusted == len(r.ARC.Sets))
	if v.Instance > 0 {
		r.arcInstance = v.Instance
		r.DMARC.Override = &dmarc.Override{Reason: dmarc.LocalPolicy, Comment: overrideComment(&r.ARC)}
		return
	}
	r.arcUncertain = v.Uncertain
}

// othersFail reports whether there are several Author Domains (dmarc.AuthorOptions) of
// which another one than the strictest has not passed either: a sealer's word is about one.
func othersFail(r *dmarc.Result) bool {
	return slices.ContainsFunc(r.Each, func(o dmarc.Result) bool {
		return o.Domain != r.Domain && o.Status != authres.Pass && o.Status != authres.None
	})
}

// aligned says whether an identifier that a sealer saw authenticated is aligned with
// the author domain now, by the records that were found. Its questions have a scope of
// their own, behind all others: nearly always the answers are there already.
func (ev *Evaluation) aligned() func(method, domain string) authres.Status {
	v := ev.dmarc
	v.NoPrefetch = true
	var once bool
	return func(method, domain string) authres.Status {
		if !once {
			once = true
			v.Resolver = ev.dns.Scope(dmarc.MaxQueries)
		}
		id := dmarc.SPFIdentifier(authres.Pass, domain)
		if method == "dkim" {
			id = dmarc.DKIMIdentifier(authres.Pass, domain, "")
		}
		r := v.Verify(ev.ctx, ev.author, id)
		return r.Status
	}
}

// overrideComment is what RFC 8617, section 7.2.2 wants in a report: the status,
// the domain and selector of each seal, and the address that the first sealer got
// the message from.
func overrideComment(c *arc.Result) string {
	var b strings.Builder
	b.WriteString("arc=pass")
	for i := range c.Sets {
		s := &c.Sets[i]
		fmt.Fprintf(&b, " as[%d].d=%s as[%d].s=%s", s.Instance, s.Seal.Domain, s.Instance, s.Seal.Selector)
	}
	if first := &c.Sets[len(c.Sets)-1]; first.RemoteIP().IsValid() {
		fmt.Fprintf(&b, " remote-ip[1]=%s", first.RemoteIP())
	}
	return b.String()
}

// arcResult is the arc entry of Authentication-Results (RFC 8617, section 6).
// The comment has what the hop that vouched saw.
func (r *Result) arcResult() authres.Result {
	out := authres.Result{Method: "arc", Status: r.ARC.Status}
	add := func(ptype, name, value string) {
		out.Properties = append(out.Properties, authres.Property{Type: ptype, Name: name, Value: value})
	}
	if r.Session.IP.IsValid() {
		add("smtp", "remote-ip", remoteIP(r.Session.IP))
	}
	if r.ARC.Status != arc.Pass {
		return out
	}
	add("header", "oldest-pass", strconv.Itoa(r.ARC.OldestPass))
	if r.arcInstance == 0 {
		return out
	}
	s := &r.ARC.Sets[len(r.ARC.Sets)-r.arcInstance]
	words := []string{fmt.Sprintf("i=%d d=%s", s.Instance, s.Seal.Domain)}
	results, _ := s.Results()
	for _, method := range []string{"spf", "dkim", "dmarc"} {
		for _, x := range results.Find(method) {
			words = append(words, method+"="+string(x.Status))
			break
		}
	}
	out.Comment = strings.Join(words, " ")
	return out
}

// remoteIP writes an address as the session had it; IPv4-mapped ones count as IPv4.
func remoteIP(ip netip.Addr) string { return ip.Unmap().WithZone("").String() }

// Seal adds an ARC set to the message as it leaves: [arc.Sealer.Seal] with the
// chain and the results of this evaluation, which was of the message as it arrived.
// leaving is the message with all changes made, read by a Digester that wanted the
// Sealer's BodyHash; where nothing but the fields of Strip was taken off, it may be
// the message as it arrived (Evaluation.Want and Evaluation.Message), for none of
// these is covered by a seal. above are fields put on top of it since. The results name the
// client's address also where the message had no chain, as the first sealer is the one
// to know it (RFC 8617, section 7.2.2).
func (r *Result) Seal(s *arc.Sealer, leaving *message.Message, above ...string) ([]string, error) {
	h := r.AuthenticationResults()
	if r.ARC.Status == arc.None && len(h.Results) < authres.MaxResults {
		h.Results = append(h.Results, r.arcResult())
	}
	return s.Seal(leaving, r.ARC, h, above...)
}
