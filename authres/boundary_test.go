package authres

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The limits are what the documentation says, also when the constants change.
func TestLimitValues(t *testing.T) {
	require.Equal(t, []int{32768, 64, 16, 400, 200, 64, 100}, []int{MaxLength, MaxResults, MaxProperties, MaxValue, MaxText, MaxName, maxFindings})
}
