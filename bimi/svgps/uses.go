package svgps

import (
	"bytes"
	"slices"
)

// node is one element in document order. Its descendants are the nodes up to end.
type node struct {
	elem element
	clip bool  // clipPath or mask
	end  int32 // MaxElements bounds it
}

// id is an element's name.
type id struct {
	name     []byte
	node     int
	off      int
	repeated bool
}

// ref is a reference to an element of the same document.
type ref struct {
	name   []byte
	node   int // where it stands
	off    int
	paint  bool // url() rather than href
	sheet  bool // in a style sheet: it may count for any element
	target int
}

// identify remembers an id. Names are cloned where they lie in the scratch space.
func (c *checker) identify(o *open, a *attr) {
	name := bytes.Trim(a.value, " \t\r\n")
	if a.referenced {
		name = bytes.Clone(name)
	}
	c.ids = append(c.ids, id{name: name, node: o.node, off: a.off})
}

// use judges href or xlink:href of a use element: "#name" and nothing else.
func (c *checker) use(o *open, a *attr, where place) {
	if !c.target(a, o.node, where) {
		return
	}
	// A use with two different references is drawn by one or the other.
	n := len(c.refs)
	if n > 1 && c.refs[n-2].node == o.node && !c.refs[n-2].paint && !bytes.Equal(c.refs[n-2].name, c.refs[n-1].name) {
		c.security(ErrReference, a.off, where)
	}
}

// target notes a reference by href, false if it leaves the document.
func (c *checker) target(a *attr, node int, where place) bool {
	name := fragment(a.value)
	if name == nil {
		c.noteText(ErrReference, a.off, where, a.value, false)
		return false
	}
	if a.referenced {
		name = bytes.Clone(name)
	}
	c.refs = append(c.refs, ref{name: name, node: node, off: a.off})
	return true
}

// resolve looks up every reference when all ids are known, and bounds what the
// image expands to when it is drawn.
func (c *checker) resolve() {
	slices.SortFunc(c.ids, func(a, b id) int {
		if d := bytes.Compare(a.name, b.name); d != 0 {
			return d
		}
		return a.node - b.node
	})
	for i := 1; i < len(c.ids); i++ {
		if same := &c.ids[i-1]; bytes.Equal(c.ids[i].name, same.name) {
			c.ids[i].repeated, same.repeated = true, true
			c.noteText(ErrID, c.ids[i].off, place{}, same.name, true)
		}
	}
	edges := c.refs[:0]
	for _, r := range c.refs {
		i, ok := slices.BinarySearchFunc(c.ids, r.name, func(e id, name []byte) int { return bytes.Compare(e.name, name) })
		switch {
		case !ok:
			c.noteText(ErrTarget, r.off, place{}, r.name, true)
			continue
		case c.ids[i].repeated && (!r.paint || c.o.Profile == Lenient):
			// Which of the two is drawn depends on the renderer.
			c.note(ErrReference, r.off, place{}, "to an id given twice", false)
			continue
		}
		r.target = c.ids[i].node
		if r.paint {
			switch t := &c.nodes[r.target]; {
			case t.elem == elemLinearGradient || t.elem == elemRadialGradient || t.elem == elemSolidColor:
				continue // painting with it draws nothing more
			case t.clip && r.sheet:
				// Each element inside the clip could have it too.
				c.note(ErrExpansion, r.off, place{}, "clip or mask by a style sheet", false)
				continue
			case !t.clip:
				c.noteText(ErrTarget, r.off, place{}, r.name, true)
				continue // nothing is drawn
			}
		}
		edges = append(edges, r)
	}
	if len(edges) > 0 && !c.dead {
		c.expand(edges)
	}
}

// expansion is what is known of one node that is drawn as a whole.
type expansion struct {
	node  int
	next  int // its edge to be looked at next
	end   int // past its last edge
	total int
	depth int
}

// expand counts the elements that are drawn when each reference is replaced by
// what it refers to: the root with everything in it, and each target again at
// each reference. The edges are in document order, so those inside a node are
// neighbours. Each target is counted once; a target met while it is being
// counted contains itself.
func (c *checker) expand(edges []ref) {
	const counting = -1
	done := map[int]expansion{}
	begin := func(n int) expansion {
		from, _ := slices.BinarySearchFunc(edges, n, func(r ref, n int) int { return r.node - n })
		to, _ := slices.BinarySearchFunc(edges, int(c.nodes[n].end), func(r ref, n int) int { return r.node - n })
		return expansion{node: n, next: from, end: to, total: int(c.nodes[n].end) - n, depth: 1}
	}
	work := []expansion{begin(0)}
	done[0] = expansion{total: counting}
	for len(work) > 0 {
		top := &work[len(work)-1]
		if top.next == top.end {
			done[top.node] = *top
			work = work[:len(work)-1]
			continue
		}
		e := edges[top.next]
		x, ok := done[e.target]
		switch {
		case !ok:
			done[e.target] = expansion{total: counting}
			work = append(work, begin(e.target))
			continue
		case x.total == counting:
			c.note(ErrExpansion, e.off, place{}, quote(e.name)+" contains itself", false)
			return
		}
		top.next++
		top.total += x.total
		top.depth = max(top.depth, x.depth+1)
		if top.total > c.o.MaxExpansion || top.depth > maxUseDepth+1 {
			c.note(ErrExpansion, e.off, place{}, "", false)
			return
		}
	}
}
