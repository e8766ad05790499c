package dkim

import (
	"github.com/seed2385d973/mailauth/internal/address"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/message"
)

// authorDomains returns the domains of the From fields, as far as they can be
// read, to say which signatures come first. It decides nothing else: which
// domain the author's is, and whether there is one, is package dmarc's question.
func authorDomains(h *message.Header) []domain.Name {
	var storage [4]address.Mailbox
	var names []domain.Name
	fields := h.All("From")
	for _, i := range fields[:min(len(fields), maxFrom)] {
		list, _, err := address.Parse(storage[:0], h.Field(i).Value())
		if err != nil {
			continue
		}
		for _, m := range list {
			names = append(names, m.Domain)
		}
	}
	return names
}

// maxFrom is how many From fields are read; one is what a message may have.
const maxFrom = 4
