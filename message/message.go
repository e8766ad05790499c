// Package message holds the noun that every verifier shares: one message, read
// once, as an immutable value.
package message

import (
	"crypto"
	"errors"
	"io"
)

// Canonicalization is one of the two algorithms of RFC 6376, section 3.4. The zero value is Simple, as c= absent means.
type Canonicalization uint8

const (
	Simple Canonicalization = iota
	Relaxed
)

// BodyHash names one digest of the body.
type BodyHash struct {
	Canonicalization Canonicalization
	Hash             crypto.Hash // crypto.SHA256 or crypto.SHA1
	Length           int64       // l=: octets of the canonical body that are hashed; negative: all
}

// Digest is a body digest that was taken.
type Digest struct {
	Sum       []byte
	Canonical int64 // octets of the whole canonical body; less than Length if l= was too large
}

// Defect is a structural defect of a message.
type Defect string

// Finding is a defect with the place where it was found.
type Finding struct {
	Defect Defect
	Field  int // index of the header field; -1 if it concerns the body or the whole
}

// Message is one message: its header, its defects, the digests of its body.
// It is immutable and safe for concurrent use. The body itself is not kept.
type Message struct{}

// Read reads a message to the end of r. The error is r's own, or a limit's.
func Read(r io.Reader) (*Message, error) { return nil, errors.New("not yet") }

// Parse reads a message from memory.
func Parse(b []byte) (*Message, error) { return nil, errors.New("not yet") }

// Header returns the header; never nil.
func (m *Message) Header() *Header { return nil }

// Defects lists what is structurally wrong.
func (m *Message) Defects() []Finding { return nil }

// BodySize returns the octets of the body as received.
func (m *Message) BodySize() int64 { return 0 }

// BodyDigest returns a digest that was asked for by a signature field of the
// message or by Digester.Want; ok is false if it was not.
func (m *Message) BodyDigest(h BodyHash) (d Digest, ok bool) { return Digest{}, false }

// Digester is an io.Writer that reads a message in one pass.
// The zero value is ready to use; its exported fields must be set before the first Write.
type Digester struct {
	AllowSHA1 bool       // also take SHA-1 digests where a field says a=rsa-sha1
	Want      []BodyHash // digests wanted beyond those of the message's own signature fields (for a signer)
}

// Write takes the next octets of the message.
func (d *Digester) Write(p []byte) (int, error) { return 0, errors.New("not yet") }

// Header returns the header as soon as it has ended, nil before.
func (d *Digester) Header() *Header { return nil }

// Finish ends the message and returns it.
func (d *Digester) Finish() (*Message, error) { return nil, errors.New("not yet") }

// Header is an immutable header block with an index over its fields.
type Header struct{}

// Len returns the number of fields.
func (h *Header) Len() int { return 0 }

// Field returns field i, 0 being the topmost.
func (h *Header) Field(i int) Field { return Field{} }

// All returns the indexes of the fields of that name, in any case, top first. The slice must not be modified.
func (h *Header) All(name string) []int { return nil }

// Raw returns the octets of field i with its line end(s), as received. They must not be modified.
func (h *Header) Raw(i int) []byte { return nil }

// Findings lists the defects seen in the header.
func (h *Header) Findings() []Finding { return nil }

// Field is one header field.
type Field struct {
	h *Header
	i int
}

// Name returns the field's name as written, without white space before the colon.
func (f Field) Name() string { return "" }

// Value returns all after the colon, folding included, without the final line end.
func (f Field) Value() string { return "" }

// Index returns the field's place in the header, 0 being the topmost.
func (f Field) Index() int { return f.i }

// AppendCanonical appends the field's canonical form (RFC 6376, section 3.4.1, 3.4.2) with its final CRLF.
func (f Field) AppendCanonical(dst []byte, c Canonicalization) []byte { return dst }
