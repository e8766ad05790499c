package scan

import "bytes"

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
