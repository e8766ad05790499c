package message

import (
	"slices"
	"sync"

	"github.com/seed2385d973/mailauth/internal/canon"
)

// Header is an immutable header block with an index over its fields, safe for
// concurrent use. It is complete when Digester.Header or ParseHeader returns
// it; the body may still be on its way.
type Header struct {
	text     string // the block with all line ends, without the empty line
	fields   []span
	names    nameIndex
	findings []Finding
	author   []Finding
	utf8     bool

	once sync.Once
	raw  []byte // copy of text for Raw and Bytes
}

// span is the place of a field in the text. The field before ends where it begins.
type span struct {
	start, end uint32 // with its line end(s)
	name       uint32 // end of the name, before white space and the colon
	colon      uint32 // place of the colon; start if there is none
	value      uint32 // end of the value, before the final line end
	group      uint32 // of fields of this name: nameIndex.groups, counted from 1; 0 without a name
	noColon    bool
}

// Len returns the number of fields.
func (h *Header) Len() int { return len(h.fields) }

// Field returns field i, 0 being the topmost. It panics if there is none.
func (h *Header) Field(i int) Field {
	_ = h.fields[i]
	return Field{h, i}
}

// All returns the indexes of the fields of that name, in any ASCII case, top
// first; nil if there is none. The slice must not be modified. The cost does
// not depend on the number of fields.
func (h *Header) All(name string) []int { return h.names.lookup(h, name) }

// Raw returns the octets of field i with its line end(s), as received. They
// must not be modified. The last field of a message that ends within its
// header may lack its line end.
func (h *Header) Raw(i int) []byte {
	s := h.fields[i]
	return h.Bytes()[s.start:s.end:s.end]
}

// Bytes returns the header block as received, without the empty line that ends
// it. It must not be modified.
func (h *Header) Bytes() []byte {
	h.once.Do(func() { h.raw = []byte(h.text) })
	return h.raw[:len(h.raw):len(h.raw)]
}

// Findings lists the defects seen in the header, those of fields in header
// order, then those of the whole; nil if there are none. It must not be modified.
func (h *Header) Findings() []Finding { return h.findings }

// AmbiguousAuthor lists those of the findings because of which some reader
// could see another author than this package does, or which leave the message
// without one: the author domain must then not be used. It is nil for a
// message with exactly one field that anybody could take for From. Whether
// that field's value names one author is another question. The slice must not
// be modified.
func (h *Header) AmbiguousAuthor() []Finding { return h.author }

// Internationalized reports whether the message is an internationalized one
// (RFC 6532): a field that is not itself a signature (DKIM-Signature,
// ARC-Message-Signature, ARC-Seal) holds UTF-8 beyond ASCII, or
// Digester.SMTPUTF8 was set. Octets beyond ASCII that are not UTF-8 do not count.
func (h *Header) Internationalized() bool { return h.utf8 }

// Field is one header field. It is a small value that points into its Header.
// The zero value is no field; its methods panic.
type Field struct {
	h *Header
	i int
}

func (f Field) span() *span { return &f.h.fields[f.i] }

// Name returns the field's name as written, without white space before the
// colon; "" if the field has no colon.
func (f Field) Name() string {
	s := f.span()
	return f.h.text[s.start:s.name]
}

// Is reports whether the field is called name, in any ASCII case. A field
// without name is called nothing.
func (f Field) Is(name string) bool {
	return name != "" && equalFold(f.Name(), name)
}

// Value returns all after the colon, folding included, without the final line
// end. Of a field without a colon it is the whole.
func (f Field) Value() string {
	s := f.span()
	if s.noColon {
		return f.h.text[s.start:s.value]
	}
	return f.h.text[s.colon+1 : s.value]
}

// Number returns which field of its name it is, the topmost being 1: a place as the
// milter protocol gives it (SMFIR_CHGHEADER). It is 0 for a field without a colon,
// which is not shown to a milter.
func (f Field) Number() int {
	n, ok := slices.BinarySearch(f.h.All(f.Name()), f.i)
	if !ok {
		return 0
	}
	return n + 1
}

// Index returns the field's place in the header, 0 being the topmost.
func (f Field) Index() int { return f.i }

// AppendCanonical appends the field's canonical form to dst, with its final
// CRLF (RFC 6376, section 3.4.1 and RFC 6376, section 3.4.2). A last field that
// was received without line end gets one, as each has to end in CRLF there
// (RFC 6376, section 3.7).
func (f Field) AppendCanonical(dst []byte, c Canonicalization) []byte {
	dst = f.AppendCanonicalCut(dst, c, 0, 0)
	return append(dst, '\r', '\n')
}

// AppendCanonicalCut is AppendCanonical with the octets [from, to) of the
// field's Value left out, and without the final CRLF. It is how a signature
// field enters its own hash, with the value of b= taken out
// (RFC 6376, section 3.7). It panics if the range does not lie in the value.
func (f Field) AppendCanonicalCut(dst []byte, c Canonicalization, from, to int) []byte {
	s := f.span()
	v := f.Value()
	_ = v[from:to]
	before, after := v[:from], v[to:]
	if c == Simple {
		if !s.noColon {
			dst = append(dst, f.h.text[s.start:s.colon+1]...)
		}
		dst = append(dst, before...)
		return append(dst, after...)
	}
	if !s.noColon {
		dst = canon.AppendRelaxedName(dst, f.h.text[s.start:s.colon])
	}
	start := len(dst)
	dst = canon.AppendRelaxedValue(dst, before, start)
	dst = canon.AppendRelaxedValue(dst, after, start)
	return canon.TrimSpace(dst, start)
}

// equalFold compares in ASCII; lower-casing beyond it would call fields From
// that are not.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
