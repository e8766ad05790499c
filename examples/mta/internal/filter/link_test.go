package filter

import (
	"net"
	"testing"
	"time"

	"github.com/emersion/go-milter"
	"github.com/stretchr/testify/require"
)

// On TCP an MTA gets an answer to everything that it writes: Nagle's algorithm would
// make it wait 40 ms for each two packets without one.
func TestNegotiate(t *testing.T) {
	everything := []byte{0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff}
	negotiated := func(c net.Conn) milter.OptProtocol {
		l := newLink(c, time.Second, nil)
		require.NoError(t, l.negotiate(everything))
		return l.protocol
	}
	one, other := net.Pipe()
	defer one.Close()
	defer other.Close()
	require.Equal(t, milter.OptProtocol(wantProtocol|wantSilence), negotiated(one))

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	c, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, milter.OptProtocol(wantProtocol), negotiated(c))
}
