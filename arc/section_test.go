package arc

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSection: every error of the standards says where its rule stands.
func TestSection(t *testing.T) {
	own := map[Error]bool{
		ErrSetLimit: true, ErrBudget: true, ErrKeyUnsafe: true, ErrNoBodyDigest: true, ErrAborted: true,
		ErrNotValidated: true, ErrUncertain: true, ErrChainChanged: true, ErrPrepend: true, ErrKey: true, ErrResults: true,
	}
	for _, v := range names {
		require.Equal(t, own[v.err], v.err.Section() == "", v.code)
	}
	require.Greater(t, len(names), 50)
	require.Equal(t, "RFC 8617, section 5.2", ErrBodyHash.Section())
	require.Equal(t, "RFC 8617, section 4.1.3", ErrSealNames.Section())
	require.Equal(t, "RFC 6376, section 6.1.2", ErrNoKey.Section())
	require.Empty(t, Error("x").Section())
}
