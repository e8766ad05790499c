package dkim

import (
	"github.com/seed2385d973/mailauth/message"
)

// Coverage says what of the message a signature leaves open, so that it may
// have been added or changed by anybody since: RFC 6376, section 8 describes
// the attacks. A pass with open ends is still a pass; what to make of it is the
// receiver's policy ([Verifier.Policy]).
type Coverage struct {
	// Uncovered lists, in lower case, the fields of the message that
	// have an instance that the signature does not cover, among those that matter:
	// From, Reply-To, To, Cc, Subject, Date, Message-ID, In-Reply-To, References,
	// MIME-Version, Content-Type, Content-Transfer-Encoding, Content-Disposition,
	// List-Unsubscribe, List-Unsubscribe-Post. Trace fields and such are
	// expected to be open.
	Uncovered []string
	// UncoveredDuplicates lists those of Uncovered of which another instance is
	// covered: somebody may have added the open one, and a mail program may show that one.
	UncoveredDuplicates []string
	// MIMEUncovered: Uncovered has a MIME field, so that the body that was signed
	// may be read as something else (RFC 6376, section 6.1.1).
	MIMEUncovered bool
	// UncoveredOctets is how many octets of the canonical body lie beyond l=.
	UncoveredOctets int64

	low  uint64   // a bit for each of the first 64 fields
	high []uint64 // the others
}

// Covers reports whether the signature covers field i of the header. The zero
// value covers nothing.
func (c *Coverage) Covers(i int) bool {
	switch {
	case i < 0:
		return false
	case i < 64:
		return c.low>>i&1 == 1
	}
	k := i>>6 - 1
	return k < len(c.high) && c.high[k]>>(i&63)&1 == 1
}

func (c *Coverage) set(i, fields int) {
	if i < 64 {
		c.low |= 1 << i
		return
	}
	if c.high == nil {
		c.high = make([]uint64, fields>>6)
	}
	c.high[i>>6-1] |= 1 << (i & 63)
}

// sensitive lists the fields that a reader sees or that decide how the body is
// read. The MIME fields come last.
var sensitive = [...]string{
	"from", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references",
	"list-unsubscribe", "list-unsubscribe-post",
	"mime-version", "content-type", "content-transfer-encoding", "content-disposition",
}

const firstMIME = 11 // in sensitive

// cover computes the coverage by the selected fields.
func cover(h *message.Header, selected []int) Coverage {
	var c Coverage
	for _, i := range selected {
		c.set(i, h.Len())
	}
	for k, name := range sensitive {
		open, closed := false, false
		for _, i := range h.All(name) {
			if c.Covers(i) {
				closed = true
			} else {
				open = true
			}
		}
		if !open {
			continue
		}
		c.Uncovered = append(c.Uncovered, name)
		if closed {
			c.UncoveredDuplicates = append(c.UncoveredDuplicates, name)
		}
		c.MIMEUncovered = c.MIMEUncovered || k >= firstMIME
	}
	return c
}
