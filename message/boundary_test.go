package message

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The limits are what the documentation says, also when the constants change.
func TestLimitValues(t *testing.T) {
	require.Equal(t, Limits{HeaderSize: 524288, Fields: 2000, FieldSize: 65536, Folds: 500}, Limits{}.withDefaults())
	require.Equal(t, Limits{HeaderSize: 1, Fields: 1, FieldSize: 1, Folds: 1}, Limits{HeaderSize: 1, Fields: 1, FieldSize: 1, Folds: 1}.withDefaults())
	require.Equal(t, []int{64, 150}, []int{MaxDKIMSignatures, MaxARCSignatures})
}
