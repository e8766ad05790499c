package arc

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// The limits are what the documentation says, also when the constants change.
func TestLimitValues(t *testing.T) {
	require.Equal(t, []int{50, 20, 21, 150}, []int{maxInstance, defaultSets, MaxQueries, message.MaxARCSignatures})
	require.Equal(t, time.Hour, maxAhead)
}

// A tag that is missing is called so, and not by what else it spoils.
func TestMissingTags(t *testing.T) {
	for name, template := range map[string]string{"signature": sigtest.AMS, "seal": sigtest.AS} {
		for tag := range strings.SplitSeq(template, "; ") {
			id, _, _ := strings.Cut(tag, "=")
			if strings.Contains("i c cv", id) {
				continue // the instance and the validation have errors of their own, c= a default
			}
			set := attack(1)
			without := strings.TrimSuffix(strings.Replace(template+"; ", tag+"; ", "", 1), "; ")
			if name == "seal" {
				set.AS = without
			} else {
				set.AMS = without
			}
			r := verify(t, zone(t), sigtest.Seal(ka(t), set, b0))
			require.Equal(t, Fail, r.Status, "%s without %s=", name, id)
			require.ErrorIs(t, r.Err, ErrMissingTag, "%s without %s=", name, id)
		}
	}
}
