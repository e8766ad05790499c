package spf

// Breadth is how much of the Internet the records that a check has read let
// in: an upper estimate, because overlapping networks count twice and terms with
// "-" in front are not subtracted; and a lower one, because a check stops at the
// first match and asks for no host behind it, and nobody can tell what exists and
// ptr let in. A pass from a record that lets everyone in says nothing about the sender.
// The zero value is a domain that lets nobody in.
type Breadth struct {
	// All: a record lets every host in with an all that passes.
	All bool
	// IPv4 is the number of IPv4 addresses, at most 2^32.
	IPv4 uint64
	// IPv6 is the number of IPv6 networks of 64 bits; a smaller network counts as one.
	IPv6 uint64
}

// addNetwork adds a network of so many bits.
func (b *Breadth) addNetwork(family Kind, bits uint8) {
	if family == IP4 {
		b.IPv4 = min(b.IPv4+1<<(32-bits), 1<<32)
		return
	}
	n := uint64(1)
	switch {
	case bits == 0:
		n = 1<<64 - 1
	case bits < 64:
		n = 1 << (64 - bits)
	}
	b.addIPv6(n)
}

func (b *Breadth) addIPv6(n uint64) {
	if b.IPv6+n < n {
		b.IPv6 = 1<<64 - 1
		return
	}
	b.IPv6 += n
}

func (b *Breadth) add(o Breadth) {
	b.All = b.All || o.All
	b.IPv4 = min(b.IPv4+o.IPv4, 1<<32)
	b.addIPv6(o.IPv6)
}
