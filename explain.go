package mailauth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/spf"
)

// Explain tells the story of the verdict for a person: one block for each
// protocol with what it was given, what it found, and the section of the standard
// that decided; the verdict last. The text is plain ASCII in lines of at most 78
// columns where words allow it. Strangers' text in it is quoted and escaped. Its
// wording may change between versions; programs use the fields.
func (r *Result) Explain() string {
	w := &story{}
	r.explainMessage(w)
	explainSPF(w, "SPF", &r.SPF, &r.Session)
	explainSPF(w, "HELO", &r.SPFHELO, &r.Session)
	r.explainDKIM(w)
	r.explainARC(w)
	r.explainDMARC(w)
	r.explainBIMI(w)
	r.explainVerdict(w)
	return w.b.String()
}

// story writes paragraphs with a hanging label.
type story struct{ b strings.Builder }

const (
	labelWidth = 9
	lineWidth  = 78
)

// say writes one paragraph; an empty label continues the block above.
func (w *story) say(label, format string, args ...any) {
	col := labelWidth
	fmt.Fprintf(&w.b, "%-*s", labelWidth, label)
	for i, word := range strings.Fields(fmt.Sprintf(format, args...)) {
		if i > 0 {
			if col+1+len(word) > lineWidth {
				w.b.WriteString("\n" + strings.Repeat(" ", labelWidth))
				col = labelWidth
			} else {
				w.b.WriteByte(' ')
				col++
			}
		}
		w.b.WriteString(word)
		col += len(word)
	}
	w.b.WriteByte('\n')
}

// quote makes a stranger's text harmless on a terminal.
func quote(s string) string {
	const most = 120
	if len(s) > most {
		s = s[:most] + "..."
	}
	return fmt.Sprintf("%+q", s)
}

// textOf returns the text of err for the middle of a sentence.
func textOf(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimSuffix(err.Error(), ".") // of an absolute name
}

// section returns " (RFC nnnn, section x)" if the error at the root of err knows.
func section(err error) string {
	var s interface {
		error
		Section() string
	}
	if errors.As(err, &s) && s.Section() != "" {
		return " (" + s.Section() + ")"
	}
	return ""
}

func (r *Result) explainMessage(w *story) {
	from := r.DMARC.Domain
	if from == "" {
		from = "an author who cannot be told"
	}
	if r.Session.IP.IsValid() {
		w.say("Message", "by %s, received from %s, which called itself %s, with MAIL FROM %s.",
			from, r.Session.IP, quote(r.Session.HELO), quote("<"+r.Session.MailFrom+">"))
	} else {
		w.say("Message", "by %s; nothing is known of the SMTP session.", from)
	}
	for _, m := range r.Author.Remarks() {
		w.say("", "Remark on From: %s.", strings.ReplaceAll(string(m), "_", " "))
	}
	seen := map[string]int{}
	var order []string
	for _, f := range r.Defects {
		d := strings.ReplaceAll(string(f.Defect), "_", " ")
		if seen[d]++; seen[d] == 1 {
			order = append(order, d)
		}
	}
	for _, d := range order {
		times := ""
		if seen[d] > 1 {
			times = fmt.Sprintf(" (%d times)", seen[d])
		}
		w.say("", "Defect: %s%s.", d, times)
	}
	if n := len(r.Strip); n > 0 {
		w.say("", "Header fields to remove, because they claim to be ours: %d (RFC 8601, section 5).", n)
	}
}

func explainSPF(w *story, label string, r *spf.Result, s *Session) {
	identity := "MAIL FROM"
	if r.Identity == spf.HELO {
		identity = "HELO"
	}
	switch {
	case r.Domain == "":
		w.say(label, "%s: %s%s.", r.Status, textOf(r.Err), section(r.Err))
		return
	case r.Status == authres.Pass:
		w.say(label, "pass: %s may use %s in %s; %s matched in the record of %s (RFC 7208, section 4.6.2).",
			s.IP, r.Domain, identity, quote(r.Match.Mechanism), r.Match.Domain)
		if r.Innermost != r.Match {
			w.say("", "Behind it stands %s in the record of %s.", quote(r.Innermost.Mechanism), r.Innermost.Domain)
		}
		if r.Breadth.All {
			w.say("", "Beware: the record lets every host of the Internet in.")
		}
	case r.Match.Mechanism != "":
		w.say(label, "%s: %s, %s in %s; %s matched in the record of %s%s.",
			r.Status, textOf(r.Err), r.Domain, identity, quote(r.Match.Mechanism), r.Match.Domain, section(r.Err))
	default:
		w.say(label, "%s: %s, %s in %s%s.", r.Status, textOf(r.Err), r.Domain, identity, section(r.Err))
	}
	if r.Record != "" {
		w.say("", "It took %d of 10 look-ups, %d of them void.", r.Lookups, r.VoidLookups)
	}
	if r.Explanation != "" {
		w.say("", "The domain explains: %s", quote(r.Explanation))
	}
}

func (r *Result) explainDKIM(w *story) {
	if len(r.DKIM) == 0 {
		w.say("DKIM", "none: the message is not signed.")
		return
	}
	label := "DKIM"
	for i := range r.DKIM {
		d := &r.DKIM[i]
		explainSignature(w, label, d)
		label = ""
	}
	if more := r.DKIM[0].Total - len(r.DKIM); more > 0 {
		w.say("", "%d more signatures were not looked at.", more)
	}
}

func explainSignature(w *story, label string, d *dkim.Result) {
	who := "a signature that cannot be read"
	if d.Signature.Domain != "" {
		who = "signature of " + d.Signature.Domain
		if d.Signature.Selector != "" {
			who += ", selector " + d.Signature.Selector
		}
		if d.KeyBits > 0 {
			who += fmt.Sprintf(", %s with %d bits", d.Signature.Algorithm, d.KeyBits)
		}
	}
	if d.Status == authres.Pass {
		w.say(label, "pass: %s (RFC 6376, section 6.1).", who)
	} else {
		w.say(label, "%s: %s: %s%s.", d.Status, who, textOf(d.Err), section(d.Err))
	}
	if d.Testing {
		w.say("", "The key says that it is being tested (RFC 6376, section 3.6.1).")
	}
	if d.Weak {
		w.say("", "The key is shorter than the 2048 bits that RFC 8301, section 3.2 wants.")
	}
	if d.Status != authres.Pass {
		return
	}
	if n := len(d.Coverage.UncoveredDuplicates); n > 0 {
		w.say("", "Beware: not all instances of %s are covered.", strings.Join(d.Coverage.UncoveredDuplicates, ", "))
	}
	if n := d.Coverage.UncoveredOctets; n > 0 {
		w.say("", "Beware: %d octets at the end of the body are not covered.", n)
	}
}

func (r *Result) explainVerdict(w *story) {
	by := ""
	if r.Exception != "" {
		by = ", by the exception for " + r.Exception
	}
	switch {
	case r.DMARC.Override != nil:
		by = ", although DMARC failed, because of the ARC chain of trusted sealers (RFC 8617, section 7.2.1)"
	case r.arcUncertain && r.Action == Defer:
		by = ", because the ARC chain of trusted sealers could rescue the message, and a key could not be looked up"
	case r.Action == Quarantine && r.DMARC.Status == authres.Fail && r.DMARC.Policy == dmarc.PolicyReject && r.Exception == "":
		by = ", although the policy is reject, because a receiver without other knowledge has to (RFC 9989, section 7.4)"
	case r.Action == Accept && r.DMARC.Status == authres.Fail && r.DMARC.Policy == dmarc.PolicyNone:
		by += "; a policy of none asks for nothing else (RFC 9989, section 5.4)"
	}
	w.say("Verdict", "%s%s.", r.Action, by)
	w.say("", "SMTP: %s.", r.SMTPReply())
}
