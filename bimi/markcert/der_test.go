package markcert

import (
	"bytes"
	"encoding/asn1"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDERLengths: every length has one form, and what is appended is read back.
func TestDERLengths(t *testing.T) {
	for _, n := range []int{0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffffff, 0x1000000} {
		content := make([]byte, n)
		b := appendDER(nil, tagOctetString, content[:n/2], content[n/2:])
		want, err := asn1.Marshal(content)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, b), n)
		d := der(b)
		var c, whole der
		e := d
		require.True(t, d.read(tagOctetString, &c))
		require.Len(t, c, n)
		require.Empty(t, d)
		require.True(t, e.element(tagOctetString, &whole))
		require.Len(t, whole, len(b))
	}
	for name, b := range map[string][]byte{
		"empty": nil, "tag only": {4}, "short": {4, 1}, "long form of a short length": append([]byte{4, 0x81, 0x7f}, make([]byte, 0x7f)...),
		"leading zero": append([]byte{4, 0x82, 0, 0x80}, make([]byte, 0x80)...), "indefinite": {4, 0x80, 0, 0},
		"reserved": {4, 0xff, 0}, "five octets": {4, 0x85, 1, 0, 0, 0, 0}, "past the end": {4, 0x84, 0xff, 0xff, 0xff, 0xff},
		"high tag": {0x1f, 1, 0},
	} {
		d := der(b)
		_, _, _, ok := d.any()
		require.False(t, ok, name)
	}
}

// TestDERPrimitives: one form of each value.
func TestDERPrimitives(t *testing.T) {
	for _, tc := range []struct {
		in []byte
		ok bool
	}{
		{[]byte{6, 1, 0x2a}, true},
		{[]byte{6, 0}, false},
		{[]byte{6, 1, 0x80}, false},
		{[]byte{6, 2, 0x80, 0x01}, false},
		{[]byte{6, 3, 0x2a, 0x80, 0x01}, false},
		{[]byte{6, 3, 0x2a, 0x81, 0x00}, true},
		{[]byte{6, 2, 0x2a, 0x81}, false},
		{[]byte{2, 1, 0x2a}, false},
	} {
		d := der(tc.in)
		var s string
		require.Equal(t, tc.ok, d.oid(&s), "%x", tc.in)
	}
	for _, tc := range []struct {
		in []byte
		ok bool
	}{
		{[]byte{2, 0}, false}, {[]byte{2, 1, 0}, true}, {[]byte{2, 2, 0, 0x7f}, false}, {[]byte{2, 2, 0, 0x80}, true},
		{[]byte{2, 2, 0xff, 0x80}, false}, {[]byte{2, 2, 0xff, 0x7f}, true}, {[]byte{4, 1, 0}, false},
	} {
		d := der(tc.in)
		var c der
		require.Equal(t, tc.ok, d.integer(&c), "%x", tc.in)
	}
	for in, ok := range map[byte]bool{0: true, 0xff: true, 1: false} {
		d := der{1, 1, in}
		var v bool
		require.Equal(t, ok, d.boolean(&v))
	}
	d := der{1, 2, 0, 0}
	var v bool
	require.False(t, d.boolean(&v))
}

// TestDERTime is RFC 5280, section 4.1.2.5: UTC, to the second, with the pivot at 1950.
func TestDERTime(t *testing.T) {
	for in, want := range map[string]time.Time{
		"\x17\x0d500101000000Z":   time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC),
		"\x17\x0d491231235959Z":   time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC),
		"\x17\x0d680101000000Z":   time.Date(1968, 1, 1, 0, 0, 0, 0, time.UTC),
		"\x17\x0d690101000000Z":   time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC),
		"\x18\x0f20500101000000Z": time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		d := der(in)
		var got time.Time
		require.True(t, d.time(&got), in)
		require.Equal(t, want, got)
	}
	for _, in := range []string{
		"\x17\x0b5001010000Z", "\x17\x0d5001010000+0", "\x17\x115001010000000+00Z", "\x18\x1120500101000000.5Z",
		"\x17\x0d501301000000Z", "\x17\x0d500230000000Z", "\x17\x0d50010100000aZ", "\x16\x0d500101000000Z", "\x17\x00", "",
	} {
		d := der(in)
		var got time.Time
		require.False(t, d.time(&got), in)
	}
}

// TestKnownConstraints: what crypto/x509 does not apply is not taken for applied.
func TestKnownConstraints(t *testing.T) {
	tree := func(bases ...[]byte) []byte {
		var trees []byte
		for _, b := range bases {
			trees = append(trees, el(0x30, b)...)
		}
		return trees
	}
	dns, dir := el(0x82, []byte("example.com")), el(0xa4, el(0x30))
	for _, tc := range []struct {
		name string
		in   []byte
		want bool
	}{
		{"domain", el(0x30, el(0xa0, tree(dns))), true},
		{"both lists", el(0x30, el(0xa0, tree(dns)), el(0xa1, tree(el(0x81, []byte("a")), el(0x86, []byte("b")), el(0x87, []byte{1})))), true},
		{"directory name", el(0x30, el(0xa0, tree(dns, dir))), false},
		{"excluded directory name", el(0x30, el(0xa1, tree(dir))), false},
		{"minimum", el(0x30, el(0xa0, el(0x30, dns, el(0x80, []byte{1})))), false},
		{"third list", el(0x30, el(0xa2, tree(dns))), false},
		{"trailing", append(el(0x30, el(0xa0, tree(dns))), 0), false},
		{"empty tree", el(0x30, el(0xa0, el(0x30))), false},
		{"nothing", nil, false},
	} {
		require.Equal(t, tc.want, knownConstraints(tc.in), tc.name)
	}
}
