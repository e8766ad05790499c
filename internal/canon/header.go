package canon

import "math/bits"

// AppendRelaxedName appends all before a field's colon, and the colon, in
// "relaxed" form (RFC 6376, section 3.4.2).
func AppendRelaxedName(dst []byte, name string) []byte {
	start := len(dst)
	dst = appendReduced(dst, name)
	for i, c := range dst[start:] {
		if 'A' <= c && c <= 'Z' {
			dst[start+i] = c + 'a' - 'A'
		}
	}
	return append(TrimSpace(dst, start), ':')
}

// AppendRelaxedValue appends what is behind a field's colon, without the final
// line end, unfolded and with its white space reduced. start is where in dst
// the value begins: white space there is left out. White space at the end is
// kept as one SP, so that a value can be appended in parts; TrimSpace ends it.
//
// Each CRLF in value is taken for a fold and left out, as in a field it is one.
func AppendRelaxedValue(dst []byte, value string, start int) []byte {
	if len(dst) == start || dst[len(dst)-1] == ' ' {
		n, _ := foldingSpace(value)
		value = value[n:]
	}
	return appendReduced(dst, value)
}

// TrimSpace removes the SP at the end of dst[start:] that AppendRelaxedValue left there.
func TrimSpace(dst []byte, start int) []byte {
	if len(dst) > start && dst[len(dst)-1] == ' ' {
		return dst[:len(dst)-1]
	}
	return dst
}

// appendReduced appends s without its CRLFs and with one SP for each run of
// white space.
func appendReduced(dst []byte, s string) []byte {
	for from, i := 0, 0; ; {
		i = fold(s, i)
		n, space := foldingSpace(s[i:])
		if n == 0 && i < len(s) {
			i++ // a control character, a CR or LF alone: kept
			continue
		}
		dst = append(dst, s[from:i]...)
		if i == len(s) {
			return dst
		}
		if space {
			dst = append(dst, ' ')
		}
		i += n
		from = i
	}
}

// foldingSpace returns the length of the white space and CRLFs that s begins
// with, and whether there is any of the former.
func foldingSpace(s string) (n int, space bool) {
	for n < len(s) {
		if isWSP(s[n]) {
			space = true
			n++
		} else if s[n] == '\r' && n+1 < len(s) && s[n+1] == '\n' {
			n += 2
		} else {
			break
		}
	}
	return n, space
}

// fold returns the index of the first octet of s[i:] that is a control
// character or an SP in front of SP or of a control character, or len(s): all
// folds and all white space that is not a single SP are there.
func fold(s string, i int) int {
	for ; i+9 <= len(s); i += 8 {
		w := word(s, i)
		a := aboveSpace(w)
		// Up to SP, and without the bit that only SP has of these or in front of another.
		m := ^a & (^(w << 2) | ^(a>>8 | (' '-uint64(s[i+8]))&(1<<63)))
		if m &= high; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(s); i++ {
		if s[i] < ' ' || s[i] == ' ' && i+1 < len(s) && s[i+1] <= ' ' {
			break
		}
	}
	return i
}

// word reads eight octets of a string in the order of binary.LittleEndian.
func word(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// Plain reports whether s is nothing but printable ASCII and SP.
func Plain(s string) bool {
	if len(s) < 8 {
		for i := 0; i < len(s); i++ {
			if s[i]-' ' > '~'-' ' {
				return false
			}
		}
		return true
	}
	var odd uint64
	for i := 0; i+8 <= len(s); i += 8 {
		odd |= notPlain(word(s, i))
	}
	return odd|notPlain(word(s, len(s)-8)) == 0
}

// notPlain is not 0 if an octet of w is below SP or above "~".
func notPlain(w uint64) uint64 {
	low := w & low7
	return (^(low + (0x80-0x20)*ones) | (low + 1*ones) | w) & high
}

func isWSP(c byte) bool { return c == ' ' || c == '\t' }
