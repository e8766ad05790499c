package message

import (
	"math/bits"
	"math/rand/v2"
)

// nameIndex finds fields by name. It is built once for a header, without an
// allocation per field, and looked up in time that does not depend on the
// number of fields: an h= tag may name as many as a header has.
type nameIndex struct {
	seed   uint64   // random, as mult is: nobody can choose names that collide
	mult   uint64   // odd
	slots  []uint32 // open addressing; group number + 1, 0 is free
	groups []group
	order  []int // field indexes, group after group

	// Room for headers of usual size.
	fewSlots  [64]uint32
	fewGroups [24]group
}

type group struct {
	hash       uint64
	first      int32 // a field of that name
	start, end int32 // in order
}

func (x *nameIndex) build(h *Header) {
	n := len(h.fields)
	if n == 0 {
		return
	}
	x.seed, x.mult = rand.Uint64(), rand.Uint64()|1
	x.groups = x.fewGroups[:0]
	if size := 1 << bits.Len(uint(2*n)); size <= len(x.fewSlots) {
		x.slots = x.fewSlots[:size]
	} else {
		x.slots = make([]uint32, size)
	}
	x.order = make([]int, n)
	for i := range h.fields {
		name := Field{h, i}.Name()
		if name == "" {
			continue
		}
		hash := x.hash(name)
		slot := x.find(h, name, hash)
		if x.slots[slot] == 0 {
			x.groups = append(x.groups, group{hash: hash, first: int32(i)})
			x.slots[slot] = uint32(len(x.groups))
		}
		h.fields[i].group = x.slots[slot]
		x.groups[x.slots[slot]-1].end++
	}
	var at int32
	for g := range x.groups {
		size := x.groups[g].end
		x.groups[g].start, x.groups[g].end = at, at
		at += size
	}
	for i := range h.fields {
		if m := h.fields[i].group; m > 0 {
			g := &x.groups[m-1]
			x.order[g.end] = i
			g.end++
		}
	}
}

func (x *nameIndex) lookup(h *Header, name string) []int {
	if name == "" || len(x.slots) == 0 {
		return nil
	}
	slot := x.find(h, name, x.hash(name))
	if x.slots[slot] == 0 {
		return nil
	}
	g := x.groups[x.slots[slot]-1]
	return x.order[g.start:g.end:g.end]
}

// find returns the slot of name, or the free one where it belongs. A table is
// never more than half full.
func (x *nameIndex) find(h *Header, name string, hash uint64) int {
	mask := len(x.slots) - 1
	for i := int(hash) & mask; ; i = (i + 1) & mask {
		s := x.slots[i]
		if s == 0 {
			return i
		}
		g := &x.groups[s-1]
		if g.hash == hash && equalFold(Field{h, int(g.first)}.Name(), name) {
			return i
		}
	}
}

// hash multiplies and folds eight octets at a time, keyed, and blind to ASCII
// case: bit 5 is ignored, which may make two names collide but never
// lets one be missed. The last word may overlap the one before.
func (x *nameIndex) hash(s string) uint64 {
	const fold = 0x2020202020202020
	v := x.seed ^ uint64(len(s))
	switch n := len(s); {
	case n >= 8:
		for i := 0; i < n-8; i += 8 {
			v = x.mix(v ^ (word(s[i:]) | fold))
		}
		return x.mix(v ^ (word(s[n-8:]) | fold))
	case n >= 4:
		return x.mix(v ^ (half(s) | half(s[n-4:])<<32 | fold))
	}
	var w uint64
	for i := 0; i < len(s); i++ {
		w = w<<8 | uint64(s[i])
	}
	return x.mix(v ^ (w | fold))
}

func word(s string) uint64 { return half(s) | half(s[4:])<<32 }

func half(s string) uint64 {
	s = s[:4]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

func (x *nameIndex) mix(v uint64) uint64 {
	hi, lo := bits.Mul64(v, x.mult)
	return hi ^ lo
}
