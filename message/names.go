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
	slots  []uint32 // open addressing; group number + 1, 0 is free; nil where there are few groups
	groups []group
	order  []int  // field indexes, group after group
	seen   uint64 // a bit for the first bits of each hash: most names that are asked for and not there end here

	fewGroups [few]group // room for headers of usual size
}

// few is up to how many names are looked through one after another.
const few = 24

type group struct {
	hash       uint32
	first      uint32 // a field of that name
	start, end uint32 // in order
}

func (x *nameIndex) build(h *Header) {
	n := len(h.fields)
	if n == 0 {
		return
	}
	x.seed, x.mult = rand.Uint64(), rand.Uint64()|1
	x.groups = x.fewGroups[:0]
	x.order = make([]int, n)
	for i := range h.fields {
		name := Field{h, i}.Name()
		if name == "" {
			continue
		}
		hash := x.hash(name)
		g := x.find(h, name, hash)
		if g == 0 {
			x.groups = append(x.groups, group{hash: hash, first: uint32(i)})
			x.seen |= 1 << (hash >> 26)
			g = len(x.groups)
			x.enter(g, n)
		}
		h.fields[i].group = uint32(g)
		x.groups[g-1].end++
	}
	var at uint32
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

// enter puts the group that was added last, of a header with n fields, into the table,
// and all of them when they become too many to do without one.
func (x *nameIndex) enter(last, n int) {
	switch {
	case last <= few:
		return
	case x.slots == nil:
		x.slots = make([]uint32, 1<<bits.Len(uint(2*n)))
		for g := 1; g < last; g++ {
			x.slots[x.free(x.groups[g-1].hash)] = uint32(g)
		}
	}
	x.slots[x.free(x.groups[last-1].hash)] = uint32(last)
}

// free returns the slot where a new group belongs. A table is never more than
// half full.
func (x *nameIndex) free(hash uint32) int {
	mask := len(x.slots) - 1
	i := int(hash) & mask
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	return i
}

func (x *nameIndex) lookup(h *Header, name string) []int {
	if name == "" {
		return nil
	}
	if n := x.find(h, name, x.hash(name)); n > 0 {
		g := &x.groups[n-1]
		return x.order[g.start:g.end:g.end]
	}
	return nil
}

// find returns the number of the group of a name, counted from 1; 0 if there is none.
func (x *nameIndex) find(h *Header, name string, hash uint32) int {
	if x.seen>>(hash>>26)&1 == 0 {
		return 0
	}
	if x.slots == nil {
		for i := range x.groups {
			if g := &x.groups[i]; g.hash == hash && equalFold(Field{h, int(g.first)}.Name(), name) {
				return i + 1
			}
		}
		return 0
	}
	mask := len(x.slots) - 1
	for i := int(hash) & mask; x.slots[i] != 0; i = (i + 1) & mask {
		n := x.slots[i]
		if g := &x.groups[n-1]; g.hash == hash && equalFold(Field{h, int(g.first)}.Name(), name) {
			return int(n)
		}
	}
	return 0
}

// hash multiplies and folds eight octets at a time, keyed, and blind to ASCII
// case: bit 5 is ignored, which may make two names collide but never
// lets one be missed. The last word may overlap the one before.
func (x *nameIndex) hash(s string) uint32 {
	const fold = 0x2020202020202020
	v := x.seed ^ uint64(len(s))
	switch n := len(s); {
	case n >= 8:
		for i := 0; i < n-8; i += 8 {
			v = x.mix(v ^ (word(s[i:]) | fold))
		}
		return uint32(x.mix(v ^ (word(s[n-8:]) | fold)))
	case n >= 4:
		return uint32(x.mix(v ^ (half(s) | half(s[n-4:])<<32 | fold)))
	}
	var w uint64
	for i := 0; i < len(s); i++ {
		w = w<<8 | uint64(s[i])
	}
	return uint32(x.mix(v ^ (w | fold)))
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
