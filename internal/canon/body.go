package canon

import "io"

// Body canonicalizes a body that arrives in pieces (RFC 6376, sections 3.4.3
// and 3.4.4) and writes the canonical octets to a sink. How the body was cut
// into pieces makes no difference to what the sink receives in all. Nothing
// that can grow is kept: trailing empty lines are a number, trailing white
// space is one bit.
//
// White space is SP and HTAB only. A CR without LF or an LF without CR is an
// octet like any other (RFC 6376, section 3.4: the text assumes that there are
// none, and section 5.3 has the signer see to it).
type Body struct {
	w       io.Writer
	relaxed bool

	lines   int64 // CRLFs that came since the last other octet and were not written yet
	space   bool  // relaxed: white space came and was not written yet
	cr      bool  // a CR came last; whether it belongs to a CRLF is not known yet
	content bool  // something other than CRLF was written
	n       int   // octets of buf that are used
	buf     [bufSize]byte
}

const bufSize = 2048

// NewBody returns a Body that writes to w. Errors of w are ignored: it is
// meant to be in front of a hash.
func NewBody(w io.Writer, relaxed bool) *Body { return &Body{w: w, relaxed: relaxed} }

func (b *Body) put(c byte) {
	if b.n == len(b.buf) {
		b.flush()
	}
	b.buf[b.n] = c
	b.n++
}

func (b *Body) flush() {
	if b.n > 0 {
		b.w.Write(b.buf[:b.n])
		b.n = 0
	}
}

// Write takes the next octets of the body. They are not kept.
func (b *Body) Write(p []byte) (int, error) {
	for _, c := range p {
		b.octet(c)
	}
	return len(p), nil
}

func (b *Body) octet(c byte) {
	if b.cr {
		b.cr = false
		if c == '\n' {
			b.space = false
			b.lines++
			return
		}
		b.ordinary('\r')
	}
	switch {
	case c == '\r':
		b.cr = true
	case b.relaxed && (c == ' ' || c == '\t'):
		b.space = true
	default:
		b.ordinary(c)
	}
}

func (b *Body) ordinary(c byte) {
	for ; b.lines > 0; b.lines-- {
		b.put('\r')
		b.put('\n')
	}
	if b.space {
		b.put(' ')
		b.space = false
	}
	b.put(c)
	b.content = true
}

// Close writes what the end of the body decides.
func (b *Body) Close() {
	if b.cr {
		b.ordinary('\r')
		b.cr = false
	}
	b.lines, b.space = 0, false
	// An empty body is one CRLF under simple and nothing under relaxed.
	if b.content || !b.relaxed {
		b.put('\r')
		b.put('\n')
	}
	b.flush()
}
