package canon

import (
	"encoding/binary"
	"math/bits"
)

// Eight octets at a time: a word holds octet i of a slice in its bits 8i to
// 8i+7, and of a mask only bit 7 of each octet counts; the others may be anything.
const (
	ones = 0x0101010101010101
	high = 0x80 * ones
	low7 = 0x7f * ones
	// block is how many octets are asked at once whether they have a tab or any
	// blank at all: with neither there is nothing to do for them.
	block = 2048
	// ahead is how much further copyPlain has to see to get to an end: two words and an octet.
	ahead = 17
)

// aboveSpace is the mask of the octets above SP (0x20).
func aboveSpace(w uint64) uint64 { return (w&low7 + (0x7f-' ')*ones) | w }

// differs is the mask of the octets in which v and w differ.
func differs(v, w uint64) uint64 {
	x := v ^ w
	return (x&low7 + low7) | x
}

// copyPlain copies src to dst up to the first SP that does not stay as it is,
// two words at a time, as long as both have room for these; it may have
// written octets behind that. It returns how many were copied, and whether it
// found such an SP there: one in front of an octet up to SP. If that is a
// control character nothing is wrong with the SP, and to treat it as a run of
// white space of one octet is right, too. There must be no tab in src.
func copyPlain(dst, src []byte) (n int, found bool) {
	all := len(src)
	for len(src) >= ahead && len(dst) >= 16 {
		v, w := binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])
		next := (' ' - uint64(src[16])) & (1 << 63) // bit 63: it is above SP
		binary.LittleEndian.PutUint64(dst, v)
		binary.LittleEndian.PutUint64(dst[8:], w)
		// Of the octets that are not above SP only SP has bit 5.
		av, aw := aboveSpace(v), aboveSpace(w)
		v = v << 2 &^ (av | av>>8 | aw<<56)
		w = w << 2 &^ (aw | aw>>8 | next)
		if (v|w)&high != 0 {
			return all - len(src) + firstOctet(v&high, w&high), true
		}
		src, dst = src[16:], dst[16:]
	}
	return all - len(src), false
}

// copyPlainTab is copyPlain up to the first tab or such an SP.
func copyPlainTab(dst, src []byte) (n int, found bool) {
	all := len(src)
	for len(src) >= ahead && len(dst) >= 16 {
		v, w := binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])
		next := (' ' - uint64(src[16])) & (1 << 63)
		binary.LittleEndian.PutUint64(dst, v)
		binary.LittleEndian.PutUint64(dst[8:], w)
		av, aw := aboveSpace(v), aboveSpace(w)
		v = v<<2&^(av|av>>8|aw<<56) | ^differs(v, '\t'*ones)
		w = w<<2&^(aw|aw>>8|next) | ^differs(w, '\t'*ones)
		if (v|w)&high != 0 {
			return all - len(src) + firstOctet(v&high, w&high), true
		}
		src, dst = src[16:], dst[16:]
	}
	return all - len(src), false
}

// firstOctet returns the index of the first octet of two words of which a mask
// has bit 7. One of them does.
func firstOctet(v, w uint64) int {
	if v != 0 {
		return bits.TrailingZeros64(v) / 8
	}
	return 8 + bits.TrailingZeros64(w)/8
}

// wspLen returns the length of the white space p begins with.
func wspLen(p []byte) int {
	i := 0
	if len(p) > 0 && p[0] == ' ' {
		// Mostly that is all there is: one comparison a word.
		for ; i+8 <= len(p); i += 8 {
			if other := binary.LittleEndian.Uint64(p[i:]) ^ ' '*ones; other != 0 {
				if i += bits.TrailingZeros64(other) / 8; p[i] != '\t' {
					return i
				}
				break
			}
		}
	}
	for ; i+8 <= len(p); i += 8 {
		w := binary.LittleEndian.Uint64(p[i:])
		if m := differs(w, ' '*ones) & differs(w, '\t'*ones) & high; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for i < len(p) && isWSP(p[i]) {
		i++
	}
	return i
}
