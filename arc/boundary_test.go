package arc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/message"
)

// The limits are what the documentation says, also when the constants change.
func TestLimitValues(t *testing.T) {
	require.Equal(t, []int{50, 20, 21, 150}, []int{maxInstance, defaultSets, MaxQueries, message.MaxARCSignatures})
	require.Equal(t, time.Hour, maxAhead)
}
