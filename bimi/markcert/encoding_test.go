package markcert

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBadValidity: both times have seconds and end in Z (RFC 5280, section 4.1.2.5),
// which crypto/x509 does not insist on.
func TestBadValidity(t *testing.T) {
	tbs := func(version []byte, times ...[]byte) []byte {
		return appendDER(nil, tagSequence, version, []byte{tagInteger, 1, 1}, []byte{tagSequence, 0}, []byte{tagSequence, 0}, appendDER(nil, tagSequence, times...), []byte{tagSequence, 0})
	}
	utc := func(s string) []byte { return appendDER(nil, tagUTCTime, []byte(s)) }
	general := func(s string) []byte { return appendDER(nil, tagGeneralizedTime, []byte(s)) }
	v3 := []byte{tagConstructed, 3, tagInteger, 1, 2}
	good := utc("261101120000Z")
	require.Empty(t, badValidity(tbs(v3, good, general("20500101000000Z"))))
	require.Empty(t, badValidity(tbs(nil, good, good)))
	for name, bad := range map[string][]byte{
		"no seconds": utc("2611011200Z"), "offset": utc("261101120000+0100"), "no zone": utc("261101120000"), "fraction": general("20261101120000.5Z"),
		"general, no seconds": general("202611011200Z"), "another type": appendDER(nil, tagIA5String, []byte("261101120000Z")), "letters": utc("2611011200ooZ"), "empty": utc(""),
	} {
		require.NotEmpty(t, badValidity(tbs(v3, bad, good)), name)
		require.NotEmpty(t, badValidity(tbs(v3, good, bad)), name)
	}
	require.NotEmpty(t, badValidity(tbs(v3, good)), "one time")
	require.NotEmpty(t, badValidity([]byte{tagSequence, 0}))
	require.NotEmpty(t, badValidity(nil))
}
