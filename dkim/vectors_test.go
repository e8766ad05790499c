package dkim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// TestVectors: DKK-03 to DKK-12 and DKK-19 by the hundred, as messages.
func TestVectors(t *testing.T) {
	f := sigtest.Vectors(t)
	for _, v := range f.Vectors {
		t.Run(v.ID, func(t *testing.T) {
			w := &world{zone: zone{"vector._domainkey.bank.example": {v.Record}}}
			results, _ := w.verify(t, Verifier{MaxRSABits: v.MaxBits, Now: vectorClock}, f.Message(v))
			require.Len(t, results, 1)
			r := results[0]
			if v.Want == "pass" {
				require.NoError(t, r.Err)
				require.Equal(t, Pass, r.Status)
				return
			}
			require.NotEqual(t, Pass, r.Status)
			require.Equal(t, v.Want, r.Code(), "%v", r.Err)
		})
	}
	t.Logf("%d vectors", len(f.Vectors))
}

func vectorClock() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }
