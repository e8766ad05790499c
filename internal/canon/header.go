package canon

// AppendRelaxedName appends all before a field's colon, and the colon, in
// "relaxed" form (RFC 6376, section 3.4.2).
func AppendRelaxedName(dst []byte, name string) []byte {
	start := len(dst)
	dst = appendReduced(dst, name, start, true)
	return append(TrimSpace(dst, start), ':')
}

// AppendRelaxedValue appends value unfolded and with its white space reduced.
// start is where in dst the field's value begins: white space there is left
// out. White space at the end is kept as one SP; the caller trims it when the
// value is complete, which is how a value in two parts is written.
func AppendRelaxedValue(dst []byte, value string, start int) []byte {
	if len(dst) == start {
		i := 0
		for i < len(value) {
			if isWSP(value[i]) {
				i++
			} else if i+1 < len(value) && value[i] == '\r' && value[i+1] == '\n' {
				i += 2
			} else {
				break
			}
		}
		value = value[i:]
	}
	return appendReduced(dst, value, start, false)
}

func appendReduced(dst []byte, s string, start int, lower bool) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case isWSP(c):
			if len(dst) == start || dst[len(dst)-1] != ' ' {
				dst = append(dst, ' ')
			}
		case c == '\r' && i+1 < len(s) && s[i+1] == '\n':
			i++
		case lower && 'A' <= c && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// TrimSpace removes the SP at the end of dst[start:] that AppendRelaxedValue left there.
func TrimSpace(dst []byte, start int) []byte {
	if len(dst) > start && dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func isWSP(c byte) bool { return c == ' ' || c == '\t' }
