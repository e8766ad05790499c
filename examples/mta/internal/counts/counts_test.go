package counts

import (
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/stretchr/testify/require"
)

// Several programs share the file, and every message is counted, also by one that
// goes without saying good-bye.
func TestShared(t *testing.T) {
	c := &config.Config{Reports: config.Reports{Database: filepath.Join(t.TempDir(), "r.sqlite"), OrgName: "o", Email: "a@ours.example", Submitter: "ours.example"}}
	rec, err := dmarc.ParseRecord("v=DMARC1; p=reject; rua=mailto:r@a.example")
	require.NoError(t, err)
	day := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	var wg sync.WaitGroup
	const programs, clients, messages = 3, 4, 25
	for range programs {
		db, err := Open(t.Context(), c)
		require.NoError(t, err)
		defer db.Close() // at the end only
		for i := range clients {
			wg.Go(func() {
				for range messages {
					o := aggregate.Observation{
						Time: day, SourceIP: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), Disposition: aggregate.DispositionReject,
						DMARC: dmarc.Result{Status: authres.Fail, Domain: "a.example", PolicyDomain: "a.example", Record: rec, Published: dmarc.PolicyReject, Policy: dmarc.PolicyReject},
					}
					if err := db.Add(t.Context(), o); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	db, err := Open(t.Context(), c)
	require.NoError(t, err)
	defer db.Close()
	due, err := db.Reports(t.Context(), day.Add(24*time.Hour))
	require.NoError(t, err)
	require.Len(t, due, 1)
	total, rows := int64(0), 0
	for rec, err := range due[0].Records(t.Context()) {
		require.NoError(t, err)
		total += rec.Count
		rows++
	}
	require.Equal(t, clients, rows)
	require.EqualValues(t, programs*clients*messages, total)
}
