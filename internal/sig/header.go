package sig

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"

	"github.com/seed2385d973/mailauth/message"
)

// Header makes the canonical forms of a header's fields, for all signatures of a
// message, and the hashes over them. Make it with NewHeader. It is not safe for
// concurrent use.
type Header struct {
	h      *message.Header
	summed bool // a hash was made

	// forms are the canonical forms made so far, in buf; nil if there are none.
	forms []forms
	buf   []byte

	// counts has a place for each field of a header of usual size, and many for
	// those of a larger one.
	round  uint32 // of Select
	counts [48]count
	many   []count
}

// forms are the canonical forms of a field, by Canonicalization.
type forms [2]span

// span is a part of buf; end is zero where the form was not made yet. A header
// is far below 4 GiB.
type span struct{ start, end uint32 }

// count stands at the first field of a name: the selection number round has used
// as many of the fields of this name as taken says.
type count struct{ round, taken uint32 }

// NewHeader returns the canonical forms of h, none of them made yet.
func NewHeader(h *message.Header) Header { return Header{h: h} }

// Canonical returns the canonical form of field i with its CRLF (RFC 6376,
// sections 3.4.1 and 3.4.2). It is valid until the next call.
func (c *Header) Canonical(i int, alg message.Canonicalization) []byte {
	if c.forms == nil {
		c.forms = make([]forms, c.h.Len())
		c.buf = make([]byte, 0, 2048)
	}
	f := &c.forms[i][alg]
	if f.end == 0 {
		start := len(c.buf)
		c.buf = c.h.Field(i).AppendCanonical(c.buf, alg)
		*f = span{uint32(start), uint32(len(c.buf))}
	}
	return c.buf[f.start:f.end]
}

func (c *Header) count(i int) *count {
	if i < len(c.counts) {
		return &c.counts[i]
	}
	return &c.many[i-len(c.counts)]
}

// Select appends to dst the fields that h= names, in its order: of each name
// from the bottom of the header up, and nothing for an entry beyond the last
// instance (RFC 6376, section 5.4.2). self is the signature's own field, which
// an entry "dkim-signature" never means (section 3.7).
//
// The work is linear: each name keeps its own place, found through the first
// field of that name.
func (c *Header) Select(dst []int, names []string, self int) []int {
	if more := c.h.Len() - len(c.counts); more > 0 && c.many == nil {
		c.many = make([]count, more)
	}
	c.round++
	for _, name := range names {
		all := c.h.All(name)
		if len(all) == 0 {
			continue
		}
		t := c.count(all[0])
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
// 6376, section 3.7; RFC 8617, section 5.1.1). Of the result as many octets count
// as the hash has.
func (c *Header) Sum(fields []int, alg message.Canonicalization, hash crypto.Hash, self, start, end int) [sha256.Size]byte {
	return c.SumField(fields, alg, hash, c.h.Field(self), start, end)
}

// SumField is [Header.Sum] for a signer, whose field is not in the header yet.
func (c *Header) SumField(fields []int, alg message.Canonicalization, hash crypto.Hash, self message.Field, start, end int) (sum [sha256.Size]byte) {
	// Most headers have one signature, over not much: its forms need not be kept, and
	// one call hashes them all.
	var room [3072]byte
	in, fits := room[:0], true
	keep := c.summed
	c.summed = true
	for _, i := range fields {
		f := c.h.Field(i)
		if fits = fitsIn(in, f); !fits {
			break
		}
		if keep {
			in = append(in, c.Canonical(i, alg)...)
		} else {
			in = f.AppendCanonical(in, alg)
		}
	}
	if !fits || !fitsIn(in, self) {
		return c.sumLong(fields, alg, hash, self, start, end)
	}
	// The place of b= is the tag's span, never found by a search for "b=": that
	// text may stand in other values as well.
	in = self.AppendCanonicalCut(in, alg, start, end)
	if hash == crypto.SHA1 {
		digest := sha1.Sum(in) // only where a caller allowed it; RFC 8301, section 3.1
		copy(sum[:], digest[:])
		return sum
	}
	return sha256.Sum256(in)
}

// fitsIn reports whether the canonical form of a field has room in buf. It need not be
// exact: what has none goes elsewhere.
func fitsIn(buf []byte, f message.Field) bool {
	return cap(buf)-len(buf) >= len(f.Name())+len(":\r\n")+len(f.Value())
}

// sumLong is SumField for what does not fit on the stack.
func (c *Header) sumLong(fields []int, alg message.Canonicalization, hash crypto.Hash, self message.Field, start, end int) (sum [sha256.Size]byte) {
	h := sha256.New()
	if hash == crypto.SHA1 {
		h = sha1.New()
	}
	for _, i := range fields {
		h.Write(c.Canonical(i, alg))
	}
	h.Write(self.AppendCanonicalCut(nil, alg, start, end))
	h.Sum(sum[:0])
	return sum
}
