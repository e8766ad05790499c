package sig

import (
	"encoding/binary"

	"github.com/seed2385d973/mailauth/internal/taglist"
)

// Base64 decodes a base64string (RFC 6376, section 2.10): white space anywhere
// is ignored, everything else is strict. text is the value without white space;
// it is returned also if it is not base64. An empty value is not an error here.
func Base64(value string) (data []byte, text string, ok bool) {
	text = taglist.Compact(value)
	data = make([]byte, decodedLen(text))
	n, ok := decodeBase64(data, text)
	if !ok {
		return nil, text, false
	}
	return data[:n], text, true
}

// decodedLen returns how many octets decodeBase64 needs room for at most.
func decodedLen(text string) int { return len(text) / 4 * 3 }

// decodeBase64 decodes a text without white space into dst, and returns how many
// octets that were. It takes what base64.StdEncoding.Strict() takes, line ends
// apart, in a third of its time: set bits under the padding are refused, so that one
// signature has one spelling.
func decodeBase64(dst []byte, text string) (n int, ok bool) {
	if len(text)%4 != 0 {
		return 0, false
	}
	if text == "" {
		return 0, true
	}
	whole, last := text[:len(text)-4], text[len(text)-4:]
	bad := uint32(0)
	t := &sextets
	for len(whole) >= 8 && len(dst)-n >= 8 {
		s := whole[:8]
		v := t[0][s[0]] | t[1][s[1]] | t[2][s[2]] | t[3][s[3]]
		w := t[0][s[4]] | t[1][s[5]] | t[2][s[6]] | t[3][s[7]]
		bad |= v | w
		binary.BigEndian.PutUint64(dst[n:], uint64(v)<<40|uint64(w)<<16)
		whole, n = whole[8:], n+6
	}
	for ; len(whole) >= 4; whole = whole[4:] {
		s := whole[:4]
		v := t[0][s[0]] | t[1][s[1]] | t[2][s[2]] | t[3][s[3]]
		bad |= v
		dst[n], dst[n+1], dst[n+2] = byte(v>>16), byte(v>>8), byte(v)
		n += 3
	}
	v := t[0][last[0]] | t[1][last[1]]
	switch {
	case last[3] != '=':
		v |= t[2][last[2]] | t[3][last[3]]
		dst[n], dst[n+1], dst[n+2] = byte(v>>16), byte(v>>8), byte(v)
		n += 3
	case last[2] != '=':
		if v |= t[2][last[2]]; v&0xff != 0 {
			return 0, false
		}
		dst[n], dst[n+1] = byte(v>>16), byte(v>>8)
		n += 2
	default:
		if v&0xffff != 0 {
			return 0, false
		}
		dst[n] = byte(v >> 16)
		n++
	}
	return n, (bad|v)&noSextet == 0
}

// noSextet marks a character that is none of the alphabet (RFC 4648, section 4).
const noSextet = 1 << 31

// sextets has the value of a character in the place that it has as the first,
// second, third and fourth of its group.
var sextets = sextetTable()

func sextetTable() (t [4][256]uint32) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for place := range t {
		for c := range t[place] {
			t[place][c] = noSextet
		}
		for v, c := range []byte(alphabet) {
			t[place][c] = uint32(v) << (18 - 6*place)
		}
	}
	return t
}
