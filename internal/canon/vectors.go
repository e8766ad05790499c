package canon

import "bytes"

// What is done 32 octets at a time, in assembly, where the processor can: on
// HTML, which has white space to reduce everywhere, plain Go takes three to five
// times as long as all of this, mostly for branches that cannot be predicted. The
// twin in plain Go is what the other processors run, with the same results.

// reduceVectors is reduce as far as whole vectors go. It returns what is left, which
// may begin within white space or a CRLF.
func (b *Body) reduceVectors(p []byte) []byte {
	for len(p) >= seen {
		q := p[:min(len(p), 2*block)]
		n := plainVector(q)
		if n > len(q)-seen {
			n += plainVector(p[n:]) // nothing to do in q: see how far this goes
		}
		if n >= direct {
			b.emit(p[:n])
			p = p[n:]
			continue
		}
		for len(q) >= seen {
			if len(b.buf)-b.n < width {
				b.room()
			}
			read, written := reduceVector(b.buf[b.n:], q, &packing)
			b.n += written
			p, q = p[read:], q[read:]
		}
	}
	return p
}

const (
	width = 32        // octets of a vector
	seen  = width + 2 // how far one has to see: white space may stand before a CRLF
)

// packing has, for each set of eight octets, the indexes of its members in
// increasing order, each in an octet of its own.
var packing = packings()

func packings() (t [256]uint64) {
	for set := range t {
		shift := 0
		for i := range 8 {
			if set>>i&1 == 1 {
				t[set] |= uint64(i) << shift
				shift += 8
			}
		}
	}
	return t
}

// HeaderEnd returns where the first empty line of p ends that has a line before it;
// -1 if there is none. plain says that all before it is printable ASCII, SP, HTAB and
// CRLF. It may be false also where that is so.
func HeaderEnd(p []byte) (end int, plain bool) {
	if vectors {
		if end, plain = headVector(p); end >= 0 {
			return end, plain && p[0] != '\n'
		}
	}
	// Line by line, which is several times as fast as bytes.Index where each line
	// begins as what is looked for does.
	for at := 0; ; {
		n := bytes.IndexByte(p[at:], '\n')
		if n < 0 {
			return -1, false
		}
		at += n + 1
		if at+1 < len(p) && p[at] == '\r' && p[at+1] == '\n' && at > 1 && p[at-2] == '\r' {
			return at + 2, false
		}
	}
}
