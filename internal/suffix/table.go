package suffix

import (
	_ "embed"
)

// The list is compiled in as a hash table that needs no preparation. It is made by
// table_test.go from the list of golang.org/x/net/publicsuffix, which is itself not
// imported because it brings net/http along. The list is the Mozilla Foundation's
// (publicsuffix.org) and subject to the Mozilla Public License, version 2.0.
//
// names has the names of all rules and everything above them, one after another in
// their order, without separators.
//
//go:embed data/names
var names string

// slots has 1<<slotBits slots of four octets, least significant first: flags, length and
// offset of a name. A name is in the first free slot from its hash on; an empty slot is zero.
//
//go:embed data/slots
var slots string

const (
	slotBits   = 14
	offsetBits = 20
	lengthBits = 6
)

// flags of a name of the table.
type flags uint32

const (
	isSuffix    flags = 1 << iota // it is a public suffix
	isICANN                       // ... of the ICANN section
	above                         // every name directly above which this one is, and that is not in the table, is one
	aboveICANN                    // ... of the ICANN section
	isException                   // it is none, but what it is directly below of is, for it
	everything                    // so that no entry is zero
	flagBits    = iota
)

// hash goes over a name from its end, so that one pass is enough for all names above it.
type hash uint32

const hashBegin hash = 2166136261

func (h hash) add(c byte) hash { return (h ^ hash(c)) * 16777619 }

// slot returns where to begin to look.
func (h hash) slot() uint32 { return uint32(h*2654435769) >> (32 - slotBits) }

func entry(slot uint32) uint32 {
	s := slots[4*slot : 4*slot+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// find returns the flags of a name with its hash; ok is false if it is not in the table.
func find(name string, h hash) (f flags, ok bool) {
	for slot := h.slot(); ; slot = (slot + 1) & (1<<slotBits - 1) {
		e := entry(slot)
		if e == 0 {
			return 0, false
		}
		offset, length := e>>(32-offsetBits), e>>flagBits&(1<<lengthBits-1)
		if int(length) == len(name) && names[offset:offset+length] == name {
			return flags(e & (1<<flagBits - 1)), true
		}
	}
}

// publicSuffix returns where in s, a name in lower case, its public suffix begins, and
// whether the list's ICANN section says so.
func publicSuffix(s string) (start int, icann bool) {
	start = -1
	h := hashBegin
	var parent flags
	last := len(s) // where the label to the right begins
	for i := len(s) - 1; i >= -1; i-- {
		if i >= 0 && s[i] != '.' {
			h = h.add(s[i])
			continue
		}
		f, ok := find(s[i+1:], h)
		switch {
		case ok && f&isException != 0:
			return last, parent&aboveICANN != 0
		case ok && f&isSuffix != 0:
			start, icann = i+1, f&isICANN != 0
		case !ok && parent&above != 0:
			start, icann = i+1, parent&aboveICANN != 0
		}
		if !ok {
			break
		}
		if i >= 0 {
			h = h.add('.')
		}
		parent, last = f, i+1
	}
	if start < 0 {
		// "If no rules match, the prevailing rule is '*'."
		for start = len(s); start > 0 && s[start-1] != '.'; start-- {
		}
	}
	return start, icann
}
