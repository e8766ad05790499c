package canon

import (
	"bytes"
	"io"
	"strings"
)

// Body canonicalizes a body that arrives in pieces (RFC 6376, section 3.4.3 and
// RFC 6376, section 3.4.4) and writes the canonical octets to a sink. How the body was cut
// into pieces makes no difference to what the sink receives in all. Nothing
// that can grow is kept: trailing empty lines are a number, trailing white
// space is one bit. Call Start before the first Write.
//
// White space is SP and HTAB only. A CR without LF or an LF without CR is an
// octet like any other: RFC 6376, section 3.4 assumes that there are none, and
// RFC 6376, section 5.3 has the signer see to it.
//
// Most octets come out as they went in, so they are looked at many at a time
// for the exceptions, and long stretches between two of these reach the sink
// as slices of the caller's own memory.
type Body struct {
	w       io.Writer
	relaxed bool
	plainGo bool // a test's: no assembly

	lines   int64 // CRLFs that came since the last other octet and were not written yet
	space   bool  // relaxed: white space came last and was not written yet
	cr      bool  // a CR came last; whether it belongs to a CRLF is not known yet
	content bool  // something other than CRLF was written
	n       int   // octets of buf that are used
	buf     []byte
	first   [direct]byte // buf to begin with; most bodies need no more
}

const (
	bufSize = 2048
	// direct is from which length on a stretch goes to the sink as it is. Below
	// it a copy costs less than a call of a hash with an odd length.
	direct = 512
)

// emptyLines is what runs of empty lines are written from. Nothing writes to it.
var emptyLines = []byte(strings.Repeat("\r\n", 512))

// Start makes b, which must be a zero Body, write to w. Errors of w are
// ignored: it is meant to be a hash.
func (b *Body) Start(w io.Writer, relaxed bool) {
	b.w, b.relaxed = w, relaxed
	b.buf = b.first[:]
}

// Write takes the next octets of the body. They are not kept. It never fails.
func (b *Body) Write(p []byte) (int, error) {
	n := len(p)
	// Begin where nothing is pending but whole lines.
	for len(p) > 0 && (b.cr || b.space) {
		switch {
		case b.cr && p[0] != '\n':
			b.cr = false
			b.ordinary('\r')
		case !b.cr && isWSP(p[0]):
			p = p[wspLen(p):]
		default:
			b.octet(p[0])
			p = p[1:]
		}
	}
	// End with an octet that is certain to be kept: what follows it is pending.
	end := len(p)
	if end > 0 && p[end-1] == '\r' {
		end--
	}
	for end > 0 {
		if c := p[end-1]; c == '\n' && end > 1 && p[end-2] == '\r' {
			end -= 2
		} else if b.relaxed && isWSP(c) {
			end--
		} else {
			break
		}
	}
	if end > 0 {
		b.pending()
		b.content = true
		if b.relaxed {
			b.reduce(p[:end])
		} else {
			b.emit(p[:end])
		}
	}
	// What is left is CRLFs, and white space if that matters, and perhaps a CR.
	if p = p[end:]; len(p) > 0 && p[len(p)-1] == '\r' {
		b.cr = true
		p = p[:len(p)-1]
	}
	if len(p) > 0 {
		b.lines += int64(bytes.Count(p, lfByte))
		b.space = isWSP(p[len(p)-1])
	}
	return n, nil
}

// Close writes what the end of the body decides.
func (b *Body) Close() {
	if b.cr {
		b.cr = false
		b.ordinary('\r')
	}
	b.lines, b.space = 0, false
	// The lines that are left out at the end leave one CRLF, also behind a last
	// line without one. An empty body is one CRLF under simple, nothing under relaxed.
	if b.content || !b.relaxed {
		b.emit(emptyLines[:2])
	}
	b.flush()
}

// octet takes one octet in any state.
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
	case b.relaxed && isWSP(c):
		b.space = true
	default:
		b.ordinary(c)
	}
}

// ordinary takes an octet that is kept.
func (b *Body) ordinary(c byte) {
	b.pending()
	b.content = true
	b.put(c)
}

// pending writes what had to wait for an octet that is kept.
func (b *Body) pending() {
	for b.lines > 0 {
		k := min(b.lines, int64(len(emptyLines)/2))
		b.emit(emptyLines[:2*k])
		b.lines -= k
	}
	if b.space {
		b.space = false
		b.put(' ')
	}
}

func (b *Body) put(c byte) {
	if b.n == len(b.buf) {
		b.room()
	}
	b.buf[b.n] = c
	b.n++
}

// emit writes octets that stay as they are.
func (b *Body) emit(p []byte) {
	if len(p) >= direct {
		b.flush()
		b.w.Write(p)
		return
	}
	if len(p) > len(b.buf)-b.n {
		b.room()
	}
	b.n += copy(b.buf[b.n:], p)
}

// room empties the buffer because it is full.
func (b *Body) room() {
	b.flush()
	if len(b.buf) < bufSize {
		b.buf = make([]byte, bufSize)
	}
}

func (b *Body) flush() {
	if b.n > 0 {
		b.w.Write(b.buf[:b.n])
		b.n = 0
	}
}

// reduce writes p with its white space reduced (RFC 6376, section 3.4.4,
// step a). p begins outside of white space and of a CRLF, and its last octet is
// neither white space nor the end of a CRLF.
func (b *Body) reduce(p []byte) {
	if vectors && !b.plainGo {
		p = b.reduceVectors(p)
	}
	from := 0 // p[:from] is done
	for i := 0; i < len(p); {
		end := min(i+block, len(p))
		tab := bytes.IndexByte(p[i:min(end+ahead, len(p))], '\t') >= 0
		if !tab && bytes.IndexByte(p[i:end], ' ') < 0 {
			i = end // no white space at all, as in base64
			continue
		}
		b.emit(p[from:i])
		i = b.squeeze(p, i, end, tab)
		from = i
	}
	b.emit(p[from:])
}

// squeeze writes p[i:end] with its white space reduced, and perhaps some
// octets more, and returns the index of the first that it did not write. If
// tab is false there is none in p[i:end+ahead].
func (b *Body) squeeze(p []byte, i, end int, tab bool) int {
	n := b.n
	for i < end {
		if len(b.buf)-n < 16 {
			b.n = n
			b.room()
			n = 0
		}
		var k int
		var found bool
		if tab {
			k, found = copyPlainTab(b.buf[n:], p[i:min(end+ahead, len(p))])
		} else {
			k, found = copyPlain(b.buf[n:], p[i:min(end+ahead, len(p))])
		}
		i, n = i+k, n+k
		if !found {
			if len(b.buf)-n < 16 || i >= end {
				continue
			}
			// The last few octets, and no two words to read.
			if c := p[i]; !isWSP(c) {
				b.buf[n] = c
				n++
				i++
				continue
			}
		}
		// A run of white space. There is an octet behind it.
		i += wspLen(p[i:])
		if p[i] != '\r' || i+1 == len(p) || p[i+1] != '\n' {
			b.buf[n] = ' '
			n++
		}
	}
	b.n = n
	return i
}
