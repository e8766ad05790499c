package sig

import (
	"strings"
	"unicode/utf8"
)

// Number reads 1*maxDigits DIGIT; a value over 2^63-1 is refused as well.
func Number(s string, maxDigits int) (int64, bool) {
	if s == "" || len(s) > maxDigits {
		return 0, false
	}
	var n int64
	for i := 0; i < len(s); i++ {
		d := int64(s[i]) - '0'
		if d < 0 || d > 9 || n > (1<<63-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// NextItem cuts the first item off a list whose items are separated by sep
// with white space around it (RFC 6376, section 3.5). more is false at the last.
func NextItem(s string, sep byte) (item, rest string, more bool) {
	i := strings.IndexByte(s, sep)
	if i < 0 {
		return trim(s), "", false
	}
	return trim(s[:i]), s[i+1:], true
}

func trim(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// IsFieldName reports whether a name can stand in h=.
func IsFieldName(s string) bool { return isFieldName(s) }

// isFieldName: field-name of RFC 5322, section 3.6.8, without the semicolon
// that no tag value can hold (RFC 6376, section 2.10, hdr-name).
func isFieldName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isNameOctet(s[i]) {
			return false
		}
	}
	return s != ""
}

func isNameOctet(c byte) bool { return ' ' < c && c < 0x7f && c != ':' && c != ';' }

// IsReceiverField reports whether a field is one that a receiver writes about BIMI,
// in any case of letters. Each receiver on the way takes it off and writes its own,
// so that signers must not cover it: BIMI, section 5.5.
func IsReceiverField(name string) bool {
	return strings.EqualFold(name, "BIMI-Location") || strings.EqualFold(name, "BIMI-Indicator") ||
		strings.EqualFold(name, "BIMI-Logo-Preference")
}

// isHyphenated: hyphenated-word of RFC 6376, section 2.10.
func isHyphenated(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && '0' <= c && c <= '9':
		case i > 0 && i < len(s)-1 && c == '-':
		default:
			return false
		}
	}
	return s != ""
}

// isASCII reports whether no octet of s is above 0x7f.
func isASCII(s string) bool {
	var w uint64
	for ; len(s) >= 8; s = s[8:] {
		w |= uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	}
	for i := 0; i < len(s); i++ {
		w |= uint64(s[i])
	}
	return w&(0x80*0x0101010101010101) == 0
}

// DecodeQP decodes dkim-quoted-printable (RFC 6376, section 2.11), with raw
// UTF-8 where the message is internationalized (RFC 8616, section 5). White
// space is no part of the value; a lower-case hexadecimal digit or an "=" that
// begins no octet is an error.
func DecodeQP(s string, eai bool) (string, bool) {
	if eai && !utf8.ValidString(s) || !eai && !isASCII(s) {
		return "", false
	}
	if !strings.ContainsAny(s, "= \t\r\n") {
		if !printable(s) {
			return "", false
		}
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		case c == '=':
			if i+2 >= len(s) {
				return "", false
			}
			h, l := hex(s[i+1]), hex(s[i+2])
			if h < 0 || l < 0 {
				return "", false
			}
			b = append(b, byte(h<<4|l))
			i += 2
		case c < ' ' || c == 0x7f || c == ';':
			return "", false
		default:
			b = append(b, c)
		}
	}
	return string(b), true
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f || c == ';' {
			return false
		}
	}
	return true
}

func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
