package arc

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/sig"
)

// testimony is what an ARC-Authentication-Results field says, not read yet. The
// zero value is that of a chain that did not pass.
type testimony struct {
	payload string
	open    bool
}

// read reads the results as leniently as they are written out there.
func (t *testimony) read() (authres.Header, bool) {
	if !t.open {
		return authres.Header{}, false
	}
	h, _, err := authres.ParseLenient(t.payload)
	return h, err == nil
}

// Vouching is the answer of [Result.Vouch].
type Vouching struct {
	// Instance is the set whose sealer saw the message authenticated; zero if there is none.
	Instance int
	// Trusted is how many of the newest sealers are trusted without a gap.
	Trusted int
	// Uncertain: a DNS answer is missing that could have made Instance other than zero.
	Uncertain bool
}

// Vouch looks for a hop that saw the message authenticated as the author
// domain's, and that the receiver has reason to believe (RFC 8617, sections 7.2.1
// and 9.4). It begins at the newest set and goes back as long as the sealer is
// trusted, for a sealer can be believed only about what arrived at him, and a
// stranger in between could have written everything below. A hop vouches if
// its results say dmarc=pass for author, or pass for an identifier of SPF or DKIM
// that aligned says is aligned.
//
// trusted is asked with the domain of a seal, aligned with "spf" or "dkim" and a
// domain; its answer is authres.Pass, authres.TempError where that cannot be said
// now, or anything else. A nil function is one that denies. Both get names in
// lower-case A-labels.
//
// A chain that failed only because a key could not be looked up vouches for
// nothing; Uncertain then says whether it would if the keys turned out good
// (decision 16). Any other chain that did not pass gives the zero Vouching.
func (r *Result) Vouch(author string, trusted func(sealer string) bool, aligned func(method, domain string) authres.Status) Vouching {
	var v Vouching
	pending := r.pending != nil && r.Temporary()
	if r.Status != Pass && !pending || trusted == nil {
		return v
	}
	a, err := domain.Parse(author)
	if err != nil {
		return v
	}
	for i := range r.Sets {
		s := &r.Sets[i]
		if s.Seal.Domain == "" || !trusted(s.Seal.Domain) {
			return v
		}
		v.Trusted++
		t := &s.testimony
		if pending {
			t = &r.pending[s.Instance-1]
		}
		switch t.vouches(a, aligned) {
		case authres.Pass:
			if pending {
				v.Uncertain = true
			} else {
				v.Instance = s.Instance
				v.Uncertain = false
			}
			return v
		case authres.TempError:
			v.Uncertain = true
		}
	}
	return v
}

// Covers reports whether the newest ARC-Message-Signature of a chain that passed
// covers field i of the header, 0 being the topmost. The newest is the one that always
// verifies, and its sealer the one that handed the message over. False for any other
// chain, and for the zero Result. Whether the sealer is to be believed is another question.
//
// It is for a few fields of a message: each call reads h= again.
func (r *Result) Covers(i int) bool {
	if r.Status != Pass || r.chain == nil || len(r.chain.sets) == 0 {
		return false
	}
	s := &r.chain.sets[len(r.chain.sets)-1]
	forms := sig.NewHeader(r.header)
	return slices.Contains(forms.Select(nil, s.ams.msg.Names, s.signature), i)
}

// vouches says whether the results are those of a message that was the author's.
func (t *testimony) vouches(author domain.Name, aligned func(method, domain string) authres.Status) authres.Status {
	results, ok := t.read()
	if !ok {
		return authres.Fail
	}
	for _, r := range results.Find("dmarc") {
		// Without header.from the sealer does not say whom he means; the From field
		// may have been another when he looked.
		from, _ := r.Property("header", "from")
		if n, err := domain.Parse(from); r.Status == authres.Pass && err == nil && n == author {
			return authres.Pass
		}
	}
	if aligned == nil {
		return authres.Fail
	}
	answer := authres.Fail
	ask := func(method, name string) {
		if at := strings.LastIndexByte(name, '@'); at >= 0 {
			name = name[at+1:]
		}
		n, err := domain.Parse(name)
		if err != nil || answer == authres.Pass {
			return
		}
		switch aligned(method, n.String()) {
		case authres.Pass:
			answer = authres.Pass
		case authres.TempError:
			answer = authres.TempError
		}
	}
	for _, r := range results.Find("dkim") {
		if r.Status != authres.Pass {
			continue
		}
		d, ok := r.Property("header", "d")
		if !ok {
			// What many sealers write instead; i= is d= or lies below it, and so is of
			// the same organization.
			d, _ = r.Property("header", "i")
		}
		ask("dkim", d)
	}
	for _, r := range results.Find("spf") {
		if from, ok := r.Property("smtp", "mailfrom"); ok && r.Status == authres.Pass {
			ask("spf", from)
		}
	}
	return answer
}

// RemoteIP returns the address that the sealer says the message came to him
// from (smtp.remote-ip of RFC 8617, section 6); the zero Addr if he does not, or
// if the chain has not passed.
func (s *Set) RemoteIP() netip.Addr {
	results, _ := s.testimony.read()
	for _, r := range results.Find("arc") {
		if v, ok := r.Property("smtp", "remote-ip"); ok {
			ip, _ := netip.ParseAddr(v)
			return ip.WithZone("")
		}
	}
	return netip.Addr{}
}
