package dkim

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSection: every error of the standards says where its rule stands.
func TestSection(t *testing.T) {
	own := map[Error]bool{ErrBudget: true, ErrKeyUnsafe: true, ErrNoBodyDigest: true, ErrKeyPolicy: true, ErrPolicy: true}
	n := 0
	for _, v := range verdicts {
		n++
		require.Equal(t, own[v.err], v.err.Section() == "", v.code)
	}
	require.Greater(t, n, 40)
	require.Empty(t, Error("x").Section())
}
