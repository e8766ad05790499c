package fetch

import "net/netip"

// special4 are the IPv4 blocks of the special-purpose registry and the ranges
// beyond unicast. Where the registry calls a block globally reachable (AS 112,
// AMT) no web server is in it, so it is refused as well.
var special4 = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this host
	netip.MustParsePrefix("10.0.0.0/8"),      // private (RFC 1918)
	netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local, and clouds' metadata
	netip.MustParsePrefix("172.16.0.0/12"),   // private
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.31.196.0/24"), // AS 112
	netip.MustParsePrefix("192.52.193.0/24"), // AMT
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("192.168.0.0/16"),  // private
	netip.MustParsePrefix("192.175.48.0/24"), // AS 112
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarking
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("224.0.0.0/4"),     // multicast
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
}

// global6 is the part of IPv6 that holds public hosts (RFC 4291, section 2.4);
// special6 are the blocks in it that do not.
var (
	global6  = netip.MustParsePrefix("2000::/3")
	special6 = [...]netip.Prefix{
		netip.MustParsePrefix("2001::/23"),         // protocol assignments: Teredo, benchmarking, ORCHID
		netip.MustParsePrefix("2001:db8::/32"),     // documentation
		netip.MustParsePrefix("2002::/16"),         // 6to4: an IPv4 address inside
		netip.MustParsePrefix("2620:4f:8000::/48"), // AS 112
		netip.MustParsePrefix("3ffe::/16"),         // the former 6bone
		netip.MustParsePrefix("3fff::/20"),         // documentation
	}
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// Public reports whether a is the address of a host that anybody on the
// Internet can reach: unicast, and in none of the special-purpose blocks. An
// IPv4-mapped address is judged as the IPv4 address; so is one of the well-known
// NAT64 prefix, by which networks without IPv4 reach it. Addresses with a zone,
// and all other ways to write an IPv4 address into an IPv6 one, are not public.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.Is4() {
		for _, p := range special4 {
			if p.Contains(a) {
				return false
			}
		}
		return true
	}
	for _, p := range special6 {
		if p.Contains(a) {
			return false
		}
	}
	return global6.Contains(a)
}
