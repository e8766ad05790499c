package sig

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"hash"

	"github.com/seed2385d973/mailauth/message"
)

// Header makes the canonical forms of a header's fields, each once for all
// signatures of a message, and the hashes over them. Make it with NewHeader. It
// is not safe for concurrent use.
type Header struct {
	h      *message.Header
	fields []state
	buf    []byte // all canonical forms made so far
	round  uint32
	sha2   hash.Hash
	sum    [sha256.Size]byte
}

// state is what is known of one field.
type state struct {
	forms [2]span // by Canonicalization
	// taken counts the fields of this name that the selection number round has
	// used. It stands at the first field of the name.
	round, taken uint32
}

// span is a part of buf; end is zero where the form was not made yet. A header
// is far below 4 GiB.
type span struct{ start, end uint32 }

// NewHeader returns the canonical forms of h, none of them made yet.
func NewHeader(h *message.Header) Header { return Header{h: h} }

func (c *Header) init() {
	if c.fields == nil {
		c.fields = make([]state, c.h.Len())
	}
}

// Canonical returns the canonical form of field i with its CRLF (RFC 6376,
// sections 3.4.1 and 3.4.2). It is valid until the next call.
func (c *Header) Canonical(i int, alg message.Canonicalization) []byte {
	c.init()
	f := &c.fields[i].forms[alg]
	if f.end == 0 {
		if c.buf == nil {
			c.buf = make([]byte, 0, 2048)
		}
		start := len(c.buf)
		c.buf = c.h.Field(i).AppendCanonical(c.buf, alg)
		*f = span{uint32(start), uint32(len(c.buf))}
	}
	return c.buf[f.start:f.end]
}

// Select appends to dst the fields that h= names, in its order: of each name
// from the bottom of the header up, and nothing for an entry beyond the last
// instance (RFC 6376, section 5.4.2). self is the signature's own field, which
// an entry "dkim-signature" never means (section 3.7).
//
// The work is linear: each name keeps its own place, found through the first
// field of that name.
func (c *Header) Select(dst []int, names []string, self int) []int {
	c.init()
	c.round++
	for _, name := range names {
		all := c.h.All(name)
		if len(all) == 0 {
			continue
		}
		t := &c.fields[all[0]]
		if t.round != c.round {
			t.round, t.taken = c.round, 0
		}
		i := len(all) - 1 - int(t.taken)
		if i >= 0 && all[i] == self {
			t.taken++
			i--
		}
		if i < 0 {
			continue
		}
		t.taken++
		dst = append(dst, all[i])
	}
	return dst
}

// Sum hashes fields in the given order and then the signature's own field, the
// octets [start, end) of its value left out and without a final CRLF (RFC
// 6376, section 3.7; RFC 8617, section 5.1.1). The result is valid until the next call.
func (c *Header) Sum(fields []int, alg message.Canonicalization, hash crypto.Hash, self, start, end int) []byte {
	return c.SumField(fields, alg, hash, c.h.Field(self), start, end)
}

// SumField is [Header.Sum] for a signer, whose field is not in the header yet.
func (c *Header) SumField(fields []int, alg message.Canonicalization, hash crypto.Hash, self message.Field, start, end int) []byte {
	h := c.hash(hash)
	for _, i := range fields {
		h.Write(c.Canonical(i, alg))
	}
	mark := len(c.buf)
	// The place of b= is the tag's span, never found by a search for "b=": that
	// text may stand in other values as well.
	c.buf = self.AppendCanonicalCut(c.buf, alg, start, end)
	h.Write(c.buf[mark:])
	c.buf = c.buf[:mark]
	return h.Sum(c.sum[:0])
}

func (c *Header) hash(alg crypto.Hash) hash.Hash {
	if alg == crypto.SHA1 {
		return sha1.New() // only where a caller allowed it; RFC 8301, section 3.1
	}
	if c.sha2 == nil {
		c.sha2 = sha256.New()
	}
	c.sha2.Reset()
	return c.sha2
}
