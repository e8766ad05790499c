package scan

import (
	"bytes"
	"encoding/binary"
)

// nameRoom is how far a line is looked at for a field's name at least, also where it
// has another line end of the same kind before that: octets that a reader may drop make
// a name longer.
const nameRoom = 96

// HiddenName reports whether is holds for what stands before the colon of a line within
// raw, a header field as received, that only some readers see as one: behind a bare CR or
// LF, or behind a character that some take for a line end, VT, FF, the separators U+001C
// to U+001E, U+0085 (in Latin-1, too), U+2028 and U+2029. A line that begins with white
// space has no name, as it continues another.
func HiddenName(raw []byte, is func(name []byte) bool) bool {
	if isOrdinary(raw) {
		return false
	}
	return hiddenAnywhere(raw, is)
}

// isOrdinary reports whether a field is nothing but printable ASCII, white space, folds,
// and perhaps the CRLF that ends it, as nearly all are: then no other line is in it.
func isOrdinary(raw []byte) bool {
	for i := 0; i < len(raw); {
		if i+8 <= len(raw) && isPrintable(binary.LittleEndian.Uint64(raw[i:])) {
			i += 8
			continue
		}
		for end := min(i+8, len(raw)); i < end; i++ {
			switch c := raw[i]; {
			case ' ' <= c && c <= '~' || c == '\t':
			case c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
			case c == '\n' && i > 0 && raw[i-1] == '\r' && (i+1 == len(raw) || WSP.Is(raw[i+1])):
			default:
				return false
			}
		}
	}
	return true
}

// isPrintable reports whether none of eight octets is below SP or above "~".
func isPrintable(w uint64) bool {
	const ones = 0x0101010101010101
	low := w & (0x7f * ones)
	return (^(low+(0x80-' ')*ones)|(low+ones)|w)&(0x80*ones) == 0
}

func hiddenAnywhere(raw []byte, is func(name []byte) bool) bool {
	for _, end := range [...]string{"\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"} {
		if hiddenBehind(raw, end, is) {
			return true
		}
	}
	return false
}

func hiddenBehind(raw []byte, end string, is func(name []byte) bool) bool {
	sep := []byte(end)
	next := bytes.Index(raw, sep)
	for next >= 0 {
		raw = raw[next+len(sep):]
		next = bytes.Index(raw, sep)
		if len(raw) == 0 || WSP.Is(raw[0]) || raw[0] == '\n' && end == "\r" {
			continue // the end, a fold, or no bare CR
		}
		line := raw
		if next >= 0 {
			line = raw[:max(next, min(len(raw), nameRoom))]
		}
		if name, _, found := bytes.Cut(line, []byte{':'}); found && is(name) {
			return true
		}
	}
	return false
}
