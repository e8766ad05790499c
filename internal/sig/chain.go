package sig

import (
	"crypto/sha256"
	"hash"

	"github.com/seed2385d973/mailauth/message"
)

// Seals makes the hashes of the ARC-Seals of a chain, in increasing instance
// order (RFC 8617, section 5.1.1). The hash of seal k covers the fields of all
// sets up to k; what the seals have in common is hashed once, so that a chain
// costs what its fields cost and not their square. Make it with [Header.Seals].
type Seals struct {
	c      *Header
	prefix hash.Hash // over all fields of the sets so far
	buf    []byte    // one field
}

// Seals begins a chain over the fields of the header.
func (c *Header) Seals() Seals { return Seals{c: c, prefix: sha256.New(), buf: make([]byte, 0, 1024)} }

// Next returns the hash for the seal of the next set, whose three fields are
// given by their place in the header; the octets [start, end) of the seal's
// value, its b=, are left out.
func (s *Seals) Next(results, signature, seal, start, end int) (sum [sha256.Size]byte) {
	s.Write(results)
	s.Write(signature)
	h := s.clone()
	s.buf = s.c.h.Field(seal).AppendCanonicalCut(s.buf[:0], message.Relaxed, start, end)
	h.Write(s.buf)
	h.Sum(sum[:0])
	s.Write(seal)
	return sum
}

// Write takes one field, in the relaxed form that RFC 8617, section 4.1.3 prescribes.
//
// The form is not kept: a field of a set enters the hashes once.
func (s *Seals) Write(field int) {
	s.buf = s.c.h.Field(field).AppendCanonical(s.buf[:0], message.Relaxed)
	s.prefix.Write(s.buf)
}

func (s *Seals) clone() hash.Hash {
	// crypto/sha256 promises hash.Cloner.
	h, err := s.prefix.(hash.Cloner).Clone()
	if err != nil {
		panic("sha256: " + err.Error())
	}
	return h
}

// Add takes the canonical form of a field of another header.
func (s *Seals) Add(canonical []byte) { s.prefix.Write(canonical) }
