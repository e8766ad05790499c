package fetch

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// addresses has, of every block that is not public, an address at each end or
// in the middle, and the public neighbours.
var addresses = map[string]bool{
	"0.0.0.0": false, "0.255.255.255": false, "1.0.0.0": true,
	"9.255.255.255": true, "10.0.0.0": false, "10.255.255.255": false, "11.0.0.0": true,
	"100.63.255.255": true, "100.64.0.0": false, "100.127.255.255": false, "100.128.0.0": true,
	"126.255.255.255": true, "127.0.0.1": false, "127.255.255.255": false, "128.0.0.0": true,
	"169.253.255.255": true, "169.254.0.1": false, "169.254.169.254": false, "169.255.0.0": true,
	"172.15.255.255": true, "172.16.0.0": false, "172.31.255.255": false, "172.32.0.0": true,
	"192.0.0.1": false, "192.0.0.9": false, "192.0.1.0": true, "192.0.2.1": false, "192.0.3.0": true,
	"192.31.196.1": false, "192.52.193.1": false, "192.88.99.1": false, "192.175.48.1": false,
	"192.167.255.255": true, "192.168.0.0": false, "192.168.255.255": false, "192.169.0.0": true,
	"198.17.255.255": true, "198.18.0.0": false, "198.19.255.255": false, "198.20.0.0": true,
	"198.51.100.7": false, "203.0.113.7": false,
	"223.255.255.255": true, "224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false, "255.255.255.255": false,
	"8.8.8.8": true,

	"::": false, "::1": false, "::7f00:1": false, "::808:808": false,
	"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true,
	"64:ff9b::7f00:1": false, "64:ff9b::a00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b::808:808": true,
	"64:ff9b:1::808:808": false, "100::1": false, "1fff::1": false,
	"2000::1": true, "2001::1": false, "2001:0:7f00:1::": false, "2001:2::1": false, "2001:10::1": false, "2001:20::1": false, "2001:1ff::1": false, "2001:200::1": true,
	"2001:db7::1": true, "2001:db8::1": false, "2001:db9::1": true,
	"2002:7f00:1::": false, "2002:808:808::": false, "2003::1": true,
	"2606:4700::1111": true, "2620:4f:8000::1": false, "3ffe::1": false, "3fff::1": false, "3fff:1000::1": true,
	"4000::1": false, "5f00::1": false, "fc00::1": false, "fd00::1": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false,
	"ff02::1": false, "2606:4700::1111%eth0": false,
}

func TestPublic(t *testing.T) {
	for a, want := range addresses {
		require.Equal(t, want, Public(netip.MustParseAddr(a)), a)
	}
	require.False(t, Public(netip.Addr{}))
}

// FuzzPublic: no writing of a special IPv4 address into the forms that are
// judged by it makes it public, and the standard library's view agrees.
func FuzzPublic(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add([]byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		if Public(a) != Public(a.Unmap()) {
			t.Fatal(a)
		}
		if a.Is4() {
			b := a.As4()
			six := netip.AddrFrom16([16]byte{0, 0x64, 0xff, 0x9b, 12: b[0], 13: b[1], 14: b[2], 15: b[3]})
			if Public(a) != Public(six) || Public(a) != Public(netip.AddrFrom16(a.As16())) {
				t.Fatal(a)
			}
		}
		if Public(a) && (a.Unmap().IsPrivate() || a.Unmap().IsLoopback() || !a.Unmap().IsGlobalUnicast()) {
			t.Fatal(a)
		}
	})
}
