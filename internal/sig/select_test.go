package sig

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/message"
)

// The signature's own field between others of its name is passed over once, and
// the one above it is taken once.
func TestSelectPassesSelfOnce(t *testing.T) {
	h, err := message.ParseHeader([]byte("S: 0\r\nS: 1\r\nS: 2\r\nS: 3\r\nS: 4\r\n"))
	require.NoError(t, err)
	c := NewHeader(h)
	names := strings.Split("s:s:s:s:s:s:s", ":")
	for self, want := range map[int][]int{
		-1: {4, 3, 2, 1, 0}, 0: {4, 3, 2, 1}, 1: {4, 3, 2, 0}, 2: {4, 3, 1, 0}, 3: {4, 2, 1, 0}, 4: {3, 2, 1, 0},
	} {
		require.Equal(t, want, c.Select(nil, names, self), self)
		for n := range want {
			require.Equal(t, want[:n+1], c.Select(nil, names[:n+1], self), self)
		}
	}
}

// The first field of a name at each place of a header, also where it has more
// fields than there is room for without allocating.
func TestSelectInLongHeaders(t *testing.T) {
	for n := 1; n < 120; n++ {
		var text strings.Builder
		names := make([]string, 0, 2*n)
		want := make([]int, n)
		for i := range n {
			fmt.Fprintf(&text, "X%d: y\r\n", i)
			names = append(names, fmt.Sprint("x", i), fmt.Sprint("X", i))
			want[i] = i
		}
		h, err := message.ParseHeader([]byte(text.String()))
		require.NoError(t, err)
		c := NewHeader(h)
		for range 2 {
			require.Equal(t, want, c.Select(nil, names, -1))
		}
	}
}

// Numbers without octets are no key, whoever asks.
func TestCheckRSANothing(t *testing.T) {
	one := []byte{3}
	for _, k := range [][2][]byte{{nil, nil}, {nil, one}, {one, nil}, {{}, one}} {
		bits, err := CheckRSA(k[0], k[1], Bounds{})
		require.ErrorIs(t, err, ErrKeyUnsafe)
		require.Zero(t, bits)
	}
	for e, want := range map[int]error{0: ErrKeyUnsafe, 1: ErrKeyUnsafe, 2: ErrKeyUnsafe, 3: ErrKeyShort, 4: ErrKeyUnsafe, 5: ErrKeyShort} {
		_, err := CheckRSA([]byte{0x81}, []byte{byte(e)}, Bounds{})
		require.ErrorIs(t, err, want, e)
	}
}
