package canon

import (
	"bytes"
	"encoding/binary"
)

// LineEnds finds out whether a body that arrives in pieces has a CR or an LF
// that is not part of a CRLF. The zero value is ready to use.
type LineEnds struct {
	BareCR, BareLF bool
	cr             bool // a CR came last
	plainGo        bool // a test's: no assembly
}

// Write takes the next octets of the body.
func (l *LineEnds) Write(p []byte) {
	for len(p) > 0 && !(l.BareCR && l.BareLF) {
		q := p[:min(len(p), 2*block)]
		p = p[len(q):]
		if !l.fine(q) {
			l.look(q)
		}
		l.cr = q[len(q)-1] == '\r'
	}
}

// fine reports that p goes on with nothing but CRLFs. It may be false also where
// nothing is wrong.
func (l *LineEnds) fine(p []byte) bool {
	if vectors && !l.plainGo {
		return onlyPairs(p, l.cr, true)
	}
	return evenLines(p, l.cr) || onlyPairs(p, l.cr, false)
}

// Close takes note that the body has ended.
func (l *LineEnds) Close() {
	if l.cr {
		l.BareCR = true
	}
}

// look goes through p octet by octet, when it is known that something is wrong.
func (l *LineEnds) look(p []byte) {
	cr := l.cr
	for _, c := range p {
		if c == '\n' && !cr {
			l.BareLF = true
		}
		if c != '\n' && cr {
			l.BareCR = true
		}
		cr = c == '\r'
	}
}

// onlyPairs reports whether each LF of p has a CR before it, and each CR but
// one at the end an LF behind it. cr says that a CR comes before p, vectors that
// assembly may be used.
func onlyPairs(p []byte, cr, vectors bool) bool {
	if len(p) == 0 {
		return true
	}
	if (p[0] == '\n') != cr {
		return false
	}
	var n int
	var ok bool
	if vectors {
		n, ok = pairsVector(p)
	} else {
		n, ok = pairWords(p, '\r'*ones, '\n'*ones, low7)
	}
	if !ok {
		return false
	}
	for p = p[n:]; len(p) > 1; p = p[1:] {
		if (p[0] == '\r') != (p[1] == '\n') {
			return false
		}
	}
	return true
}

// pairWords reports whether in p, as far as it is looked at, an octet is a CR
// exactly if the next is an LF: two masks, the second of the octets one
// further on, have to be equal. It returns the index of the first octet not
// looked at. The constants are arguments because the compiler then keeps them
// in registers; that takes a third off.
//
//go:noinline
func pairWords(p []byte, cr, lf, low7 uint64) (n int, ok bool) {
	all := len(p)
	var wrong uint64
	for ; len(p) >= 33; p = p[32:] {
		v := binary.LittleEndian.Uint64(p) ^ cr
		w := binary.LittleEndian.Uint64(p[1:]) ^ lf
		wrong |= (v&low7 + low7 | v) ^ (w&low7 + low7 | w)
		v = binary.LittleEndian.Uint64(p[8:]) ^ cr
		w = binary.LittleEndian.Uint64(p[9:]) ^ lf
		wrong |= (v&low7 + low7 | v) ^ (w&low7 + low7 | w)
		v = binary.LittleEndian.Uint64(p[16:]) ^ cr
		w = binary.LittleEndian.Uint64(p[17:]) ^ lf
		wrong |= (v&low7 + low7 | v) ^ (w&low7 + low7 | w)
		v = binary.LittleEndian.Uint64(p[24:]) ^ cr
		w = binary.LittleEndian.Uint64(p[25:]) ^ lf
		wrong |= (v&low7 + low7 | v) ^ (w&low7 + low7 | w)
	}
	return all - len(p), wrong&high == 0
}

// What bytes.Count wants. Nothing writes to them.
var (
	crByte = []byte{'\r'}
	lfByte = []byte{'\n'}
)

// evenLines is onlyPairs for lines of one length, as base64 has them: it looks
// only where the next line end has to be, and then counts whether there were
// others. It may be false also where nothing is wrong.
func evenLines(p []byte, cr bool) bool {
	first := bytes.IndexByte(p, '\n')
	if first < 1 || cr {
		return false
	}
	second := bytes.IndexByte(p[first+1:], '\n')
	if second < 16 {
		return false
	}
	stride, n := second+1, 0
	for i := first; i < len(p); i += stride {
		if p[i] != '\n' || p[i-1] != '\r' {
			return false
		}
		n++
	}
	if bytes.Count(p, lfByte) != n {
		return false
	}
	if p[len(p)-1] == '\r' {
		n++
	}
	return bytes.Count(p, crByte) == n
}
