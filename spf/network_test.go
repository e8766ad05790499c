package spf

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlainNetworks: the short way to read a network is the long one, on addresses
// in every form, whole and damaged.
func TestPlainNetworks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(s ...string) string { return s[rnd.IntN(len(s))] }
	plain := 0
	const runs = 200000
	for range runs {
		var b strings.Builder
		b.WriteString(pick("", "", "", "+", "-", "~", "?", "=", "++") + pick("ip4", "ip6", "ip6", "IP4", "iP6", "ip5", "ip") + pick(":", ":", ":", ":", "", "/", "::"))
		if rnd.IntN(2) == 0 {
			for i := range pick("xxxx", "xxxx", "xxxx", "xxx", "xxxxx") {
				if i > 0 {
					b.WriteString(pick(".", ".", ".", ".", ".", ".", ".", ".", "..", ":"))
				}
				b.WriteString(pick("0", "1", "10", "99", "192", "255", "256", "300", "01", "00", "1234", "", "a"))
			}
		} else {
			var raw [16]byte
			for i := range raw {
				raw[i] = byte(rnd.IntN(256) * rnd.IntN(2))
			}
			if rnd.IntN(3) == 0 {
				clear(raw[2*rnd.IntN(8):])
			}
			s := netip.AddrFrom16(raw).String()
			switch rnd.IntN(6) {
			case 0:
				s = netip.AddrFrom16(raw).StringExpanded()
			case 1:
				s = strings.ToUpper(s)
			case 2:
				i := rnd.IntN(len(s) + 1)
				s = s[:i] + pick(":", "::", "f", "0", ".", "g", "%", "1.2.3.4", "0:", ":0") + s[i:]
			case 3:
				i := rnd.IntN(len(s))
				s = s[:i] + s[i+1:]
			}
			b.WriteString(s)
		}
		b.WriteString(pick("", "", "/24", "/0", "/32", "/33", "/64", "/128", "/129", "/00", "/01", "/", "/999", "/1000", "//64", "/6x"))
		text := b.String()
		var want Term
		want.Text = text
		e := want.scan()
		behind := pick("", " ", " all")
		n, end := scanNetworkTerm("x "+text+behind, 2)
		if end == 0 {
			continue // the long way decides
		}
		plain++
		require.Equal(t, Error(""), e, "%q", text)
		require.Equal(t, want, Term{Kind: n.kind, Qualifier: n.qualifier, Text: text, Network: n.prefix()}, "%q", text)
		for _, host := range []netip.Addr{want.Network.Addr(), other(want.Network), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")} {
			require.Equal(t, want.Network.Contains(host), n.contains(networkOf(host)), "%s %s", text, host)
		}
		require.Equal(t, 2+len(text), end, "%q", text)
	}
	require.Greater(t, plain, runs/50)

	// Whatever form of an address there is, unless it ends in IPv4, the short way takes.
	for _, s := range []string{
		"ip4:192.0.2.0", "ip4:0.0.0.0/0", "~IP4:255.255.255.255/32", "ip6:::", "ip6:::1", "ip6:1::", "ip6:1:2:3:4:5:6:7:8/128", "ip6:1:2:3:4:5:6:7::",
		"ip6:::2:3:4:5:6:7:8", "-ip6:2001:DB8::/32", "ip6:1::8/0", "ip6:0:0:0:0:0:0:0:0", "ip6:::ffff:c000:201",
	} {
		long := Term{Text: s}
		require.Equal(t, Error(""), long.scan(), s)
		n, end := scanNetworkTerm(s+" -all", 0)
		require.Equal(t, len(s), end, s)
		require.Equal(t, long.Network, n.prefix())
	}
}

// other returns an address outside the network if there is one: its last bit is the other way round.
func other(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	if n := p.Bits() - 1; n >= 0 {
		b[n/8] ^= 0x80 >> (n % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
