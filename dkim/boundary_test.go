package dkim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/internal/taglist"
)

// The limits are what the documentation says, also when the constants change.
func TestLimitValues(t *testing.T) {
	require.Equal(t, []int{64, 8, 4}, []int{maxListed, maxExamined, maxFrom})
	require.Equal(t, time.Hour, maxAhead)
	require.EqualValues(t, 999999999999, maxTime)
	require.Equal(t, []int{256, 8192, 4096, 16384, 1024, 4096, 8192, 2048},
		[]int{sig.MaxNames, sig.MaxRecord, sig.MaxKeyText, sig.MaxField, sig.MinRSABits, sig.MaxRSABits, sig.HardMaxRSABits, sig.WeakRSABits})
	require.Equal(t, []int{64, 16384}, []int{taglist.MaxTags, taglist.MaxLength})
}

// The status of every error, said a second time: what is not here is permerror
// (RFC 6376, sections 6.1.1 and 6.1.2).
func TestErrorStatus(t *testing.T) {
	others := map[Error]authres.Status{
		ErrKeyUnavailable: authres.TempError, ErrNoResolver: authres.TempError,
		ErrBodyHash: authres.Fail, ErrSignature: authres.Fail,
		ErrKeyShort: authres.Policy, ErrSHA1: authres.Policy, ErrBodyLength: authres.Policy, ErrKeyPolicy: authres.Policy,
		ErrPolicy: authres.Policy, ErrNotExamined: authres.Policy,
		ErrKeyTesting: authres.None,
	}
	for _, v := range verdicts {
		want, ok := others[v.err]
		if !ok {
			want = authres.PermError
		}
		require.Equal(t, want, v.err.Status(), v.code)
	}
}
