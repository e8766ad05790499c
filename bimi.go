package mailauth

import (
	"slices"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/message"
)

// evaluateBIMI is the last stage: it runs when everything that it rests on is
// known, and asks nothing for a message that is not eligible.
func (ev *Evaluation) evaluateBIMI(r *Result, h *message.Header) *bimi.Result {
	if ev.e.BIMI == nil {
		return nil
	}
	in := r.BIMIMessage(h)
	v := *ev.e.BIMI
	v.Resolver, v.Now = ev.dns.Scope(bimi.MaxQueries), ev.clock
	out := v.Verify(ev.ctx, in)
	return &out
}

// BIMIMessage returns what package bimi has to know of the message, whose header h is:
// for a bimi.Verifier with another preset, and for bimi.Checker.CheckMessage.
func (r *Result) BIMIMessage(h *message.Header) *bimi.Message {
	in := &bimi.Message{Header: h, Author: r.Author, DMARC: r.DMARC, SPFAll: r.SPF.Breadth.All}
	if o := r.DMARC.Override; o != nil && r.DMARC.Status == authres.Fail {
		in.Override = string(o.Reason)
	}
	// A chain whose sealers the receiver trusts stands in for the author's signature
	// over BIMI-Selector, which the change that a list makes has broken (BIMI, section 5.5).
	if r.ARCTrusted {
		in.ARC = &r.ARC
	}
	for i := range r.DKIM {
		d := &r.DKIM[i]
		in.Signatures = append(in.Signatures, bimi.Signature{
			Status: d.Status, Domain: d.Signature.Domain, Coverage: &d.Coverage,
			PartialHeader: len(d.Coverage.UncoveredDuplicates) > 0 || d.Coverage.MIMEUncovered,
			PartialBody:   d.Coverage.UncoveredOctets > 0,
			Testing:       d.Testing,
		})
	}
	return in
}

// strip lists what must not be delivered as it came.
func strip(h *message.Header, authservID string) []int {
	out := append(authres.Forged(h, authservID), bimi.Strip(h)...)
	slices.Sort(out)
	return slices.Compact(out)
}

// named says which fields these are among those of their names, in reverse.
func named(h *message.Header, fields []int) []NamedField {
	var out []NamedField
	for _, i := range slices.Backward(fields) {
		if f := h.Field(i); f.Number() > 0 {
			out = append(out, NamedField{f.Name(), f.Number()})
		}
	}
	return out
}

func (r *Result) explainBIMI(w *story) {
	b := r.BIMI
	if b == nil {
		return
	}
	if b.Err != nil {
		w.say("BIMI", "%s: %s.", b.Status, textOf(b.Err))
	} else {
		w.say("BIMI", "%s: an indicator of %d octets may be shown.", b.Status, len(b.Indicator))
	}
	if b.Domain != "" {
		w.say("", "The record is at %s._bimi.%s.", b.Selector, b.Domain)
	}
	if b.SelectorErr != nil {
		w.say("", "The BIMI-Selector field was not used: %s.", textOf(b.SelectorErr))
	}
	switch {
	case b.Authority == bimi.Pass:
		w.say("", "A mark certificate vouches for it: %s.", b.MarkType())
	case b.Status == bimi.Pass:
		w.say("", "No mark certificate vouches for it: it is the domain's own word.")
	}
	for _, err := range b.Warnings {
		w.say("", "Excused: %s.", textOf(err))
	}
}
