package mailauth

import (
	"strings"

	"github.com/seed2385d973/mailauth/arc"
)

// explainARC has no block for a message without chain.
func (r *Result) explainARC(w *story) {
	c := &r.ARC
	switch c.Status {
	case arc.Pass:
		w.say("ARC", "pass: the chain of %d is intact, sealed by %s, newest first (RFC 8617, section 5.2).",
			len(c.Sets), strings.Join(c.Sealers(), ", "))
		switch {
		case c.OldestPass == 0:
			w.say("", "The message has not been changed since the first of them.")
		case c.OldestPass == c.Instance:
			w.say("", "It was changed before the newest of them sealed it.")
		default:
			w.say("", "It was changed before instance %d and not since.", c.OldestPass)
		}
	case arc.Fail:
		w.say("ARC", "fail: %s%s. The message counts as one without chain (RFC 8617, section 5.2).", textOf(c.Err), section(c.Err))
		return
	default:
		return
	}
	switch {
	case r.DMARC.Override != nil:
		s := &c.Sets[len(c.Sets)-r.arcInstance]
		w.say("", "The sealers down to %s, instance %d, are trusted, and its results say that the message was authenticated as %s's.",
			s.Seal.Domain, s.Instance, r.DMARC.Domain)
	case r.ARCTrusted:
		w.say("", "All sealers are trusted.")
	default:
		w.say("", "That proves nothing about the author: everybody can seal, and not all sealers are trusted (RFC 8617, section 9.4).")
	}
}
