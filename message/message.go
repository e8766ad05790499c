package message

import (
	"io"
)

// Message is one message: its header, its defects, the digests of its body. It
// is immutable and safe for concurrent use. The body itself is not kept.
type Message struct {
	header   *Header
	defects  []Finding
	bodySize int64
	digests  []request
}

// Header returns the header; never nil.
func (m *Message) Header() *Header { return m.header }

// Defects lists what is structurally wrong, the header's findings first, then
// the body's; nil if nothing is. It must not be modified.
func (m *Message) Defects() []Finding { return m.defects }

// BodySize returns the number of octets of the body as received, those after
// the empty line that ends the header.
func (m *Message) BodySize() int64 { return m.bodySize }

// BodyDigest returns a digest that was asked for by a signature field of the
// message, by Digester.Want or by Digester.WantFunc; ok is false if none of
// them did. Its Sum must not be modified.
func (m *Message) BodyDigest(h BodyHash) (d Digest, ok bool) {
	h = h.normal()
	for i := range m.digests {
		if r := &m.digests[i]; r.BodyHash == h {
			return Digest{Sum: r.sum[:h.Hash.Size():h.Hash.Size()], Canonical: r.canonical}, true
		}
	}
	return Digest{}, false
}

// Read reads a message to the end of r. The error is r's own, as it is, or one
// of this package's limits; the Message is then nil.
func Read(r io.Reader) (*Message, error) {
	var d Digester
	if _, err := d.ReadFrom(r); err != nil {
		return nil, err
	}
	return d.Finish()
}

// Parse reads a message from memory. It keeps no reference to b.
func Parse(b []byte) (*Message, error) {
	var d Digester
	if _, err := d.Write(b); err != nil {
		return nil, err
	}
	return d.Finish()
}

// ParseHeader reads a header block alone, with or without the empty line that
// ends it; octets after that line are ignored. It keeps no reference to b.
// Limits are the defaults.
func ParseHeader(b []byte) (*Header, error) {
	limits := Limits{}.withDefaults()
	end, closed := len(b), false
	n, plain := headerEnd("", b[:min(len(b), limits.HeaderSize+2)])
	if n >= 0 {
		end, closed = n-2, true
	}
	if end > limits.HeaderSize {
		return nil, ErrHeaderSize
	}
	h := &Header{}
	if err := h.parse(string(b[:end]), closed, plain, limits); err != nil {
		return nil, err
	}
	return h, nil
}
