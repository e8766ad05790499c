package spf

import (
	"encoding/binary"
	"net/netip"
	"strings"
)

// scanNetwork reads the argument of ip4 and ip6 (RFC 7208, section 5.6).
func (t *Term) scanNetwork(s string) Error {
	host, length := s, ""
	i := strings.IndexByte(s, '/')
	if i >= 0 {
		host, length = s[:i], s[i+1:]
	}
	var addr netip.Addr
	if t.Kind == IP4 {
		a, end := scanIP4(host+"   ", 0)
		if end != len(host) || end == 0 {
			return ErrNetwork
		}
		addr = network{kind: IP4, lo: a}.prefix().Addr()
	} else {
		// A zone is no part of RFC 4291, section 2.2.
		a, err := netip.ParseAddr(host)
		if err != nil || !a.Is6() || a.Zone() != "" {
			return ErrNetwork
		}
		addr = a
	}
	bits := uint8(addr.BitLen())
	if i >= 0 {
		var ok bool
		if bits, ok = prefixLength(length, uint(addr.BitLen())); !ok {
			return ErrPrefixLength
		}
	}
	t.Network = netip.PrefixFrom(addr, int(bits))
	return ""
}

// network is an ip4 or ip6 without anything unusual about it. What most terms of most
// records are is worth to be held in registers.
type network struct {
	hi, lo    uint64 // of an IPv4 network, lo alone
	length    uint8  // of the prefix
	kind      Kind
	qualifier byte
}

// networkOf returns an address as a network of its own.
func networkOf(ip netip.Addr) network {
	if ip.Is4() {
		a := ip.As4()
		return network{kind: IP4, length: 32, lo: uint64(binary.BigEndian.Uint32(a[:]))}
	}
	a := ip.As16()
	return network{kind: IP6, length: 128, hi: binary.BigEndian.Uint64(a[:8]), lo: binary.BigEndian.Uint64(a[8:])}
}

// contains reports whether the host c is in n.
func (n network) contains(c network) bool {
	switch {
	case n.kind != c.kind:
		return false
	case n.kind == IP4:
		return (n.lo^c.lo)>>(32-n.length) == 0
	case n.length <= 64:
		return (n.hi^c.hi)>>(64-n.length) == 0
	}
	return n.hi == c.hi && (n.lo^c.lo)>>(128-n.length) == 0
}

func (n network) prefix() netip.Prefix {
	var b [16]byte
	if n.kind == IP4 {
		binary.BigEndian.PutUint32(b[:4], uint32(n.lo))
		return netip.PrefixFrom(netip.AddrFrom4([4]byte(b[:4])), int(n.length))
	}
	binary.BigEndian.PutUint64(b[:8], n.hi)
	binary.BigEndian.PutUint64(b[8:], n.lo)
	return netip.PrefixFrom(netip.AddrFrom16(b), int(n.length))
}

// scanNetworkTerm reads the term at s[i:] if it is such a network, and returns the index
// behind it; else 0, and the term is to be read with care, as the last one of a record
// may have to be. It never takes what Term.scan would not, nor otherwise.
func scanNetworkTerm(s string, i int) (n network, end int) {
	n.qualifier = '+'
	switch s[i] {
	case '+', '-', '~', '?':
		n.qualifier = s[i]
		i++
	}
	if len(s)-i < 8 {
		return n, 0
	}
	const ip4, ip6 = 'i' | 'p'<<8 | '4'<<16 | ':'<<24, 'i' | 'p'<<8 | '6'<<16 | ':'<<24
	most := uint(32)
	switch (uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24) | 0x2020 {
	case ip4:
		n.kind = IP4
		n.lo, i = scanIP4(s, i+4)
	case ip6:
		n.kind, most = IP6, 128
		n.hi, n.lo, i = scanIP6(s, i+4)
	default:
		return n, 0
	}
	if i <= 0 || i >= len(s) {
		return n, 0
	}
	length := most
	if s[i] == '/' {
		i++
		digits := i
		length = 0
		for ; i < len(s) && i-digits < 3; i++ {
			d := uint(s[i] - '0')
			if d > 9 {
				break
			}
			length = length*10 + d
		}
		if i == digits || length > most || s[digits] == '0' && i-digits > 1 {
			return n, 0
		}
	}
	if i < len(s) && s[i] != ' ' {
		return n, 0
	}
	n.length = uint8(length)
	return n, i
}

// scanIP4 reads four decimal numbers without leading zeros (RFC 7208, section
// 5.6) from s[i:] and returns the index behind them; 0 if they are not there, or if too
// little is behind them to read without looking for the end.
func scanIP4(s string, i int) (addr uint64, end int) {
	for part := 0; ; part++ {
		if len(s)-i < 4 {
			return 0, 0
		}
		w := s[i : i+4]
		n := uint(w[0] - '0')
		if n > 9 {
			return 0, 0
		}
		size := 1
		if d := uint(w[1] - '0'); d <= 9 {
			if n == 0 {
				return 0, 0
			}
			n, size = 10*n+d, 2
			if d := uint(w[2] - '0'); d <= 9 {
				if n, size = 10*n+d, 3; n > 255 {
					return 0, 0
				}
			}
		}
		addr = addr<<8 | uint64(n)
		i += size
		if part == 3 {
			return addr, i
		}
		if w[size] != '.' {
			return 0, 0
		}
		i++
	}
}

// scanIP6 reads the hexadecimal form of an address (RFC 4291, section 2.2, 1
// and 2) from s[i:] and returns the index behind it. It returns 0 for everything else,
// also for what ends in an IPv4 address, which netip can read.
func scanIP6(s string, i int) (hi, lo uint64, end int) {
	const none = 9
	groups, gap := uint(0), uint(none) // and how many stand in front of "::"
	if i+1 < len(s) && s[i] == ':' && s[i+1] == ':' {
		gap = 0
		i += 2
	}
	for groups < 8 {
		start, n := i, uint64(0)
		for ; i < len(s); i++ {
			d := hexDigits[s[i]]
			if d == 'x' {
				break
			}
			n = n<<4 | uint64(d)
		}
		if i == start && gap == groups {
			break // "::" at the end
		}
		if i == start || i > start+4 {
			return 0, 0, 0
		}
		hi, lo = hi<<16|lo>>48, lo<<16|n
		groups++
		if i >= len(s) || s[i] != ':' {
			break
		}
		if i++; i < len(s) && s[i] == ':' && gap == none {
			gap = groups
			i++
		}
	}
	switch {
	case s[i-1] == ':' && gap != groups, i < len(s) && s[i] == '.':
		return 0, 0, 0
	case groups == 8 && gap == none:
		return hi, lo, i
	case groups == 8 || gap == none:
		return 0, 0, 0 // "::" stands for one group at least
	}
	// What stands in front of the gap moves to the beginning.
	behind := 16 * (groups - gap)
	tailHi, tailLo := shiftLeft(^uint64(0), ^uint64(0), behind)
	tailHi, tailLo = hi&^tailHi, lo&^tailLo
	hi, lo = shiftRight(hi, lo, behind)
	hi, lo = shiftLeft(hi, lo, 16*(8-gap))
	return hi | tailHi, lo | tailLo, i
}

// shiftRight and shiftLeft shift 128 bits; by 128 and more nothing is left.
func shiftRight(hi, lo uint64, n uint) (uint64, uint64) {
	if n >= 64 {
		return 0, hi >> (n - 64)
	}
	return hi >> n, lo>>n | hi<<(64-n)
}

func shiftLeft(hi, lo uint64, n uint) (uint64, uint64) {
	if n >= 64 {
		return lo << (n - 64), 0
	}
	return hi<<n | lo>>(64-n), lo << n
}

// hexDigits has the value of each hexadecimal digit, and x for all else.
const hexDigits = "" +
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" +
	"xxxxxxxxxxxxxxxx\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09xxxxxx" +
	"x\x0a\x0b\x0c\x0d\x0e\x0fxxxxxxxxxxxxxxxxxxxxxxxxx" +
	"x\x0a\x0b\x0c\x0d\x0e\x0fxxxxxxxxxxxxxxxxxxxxxxxxx" +
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" +
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" +
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" +
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
