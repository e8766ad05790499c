package arc

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// TestVectors: a chain whose ARC-Message-Signature is good and whose ARC-Seal is
// the vector, so that it is the seal that decides.
func TestVectors(t *testing.T) {
	f := sigtest.Vectors(t)
	for _, v := range f.Vectors {
		t.Run(v.ID, func(t *testing.T) {
			z := dnstest.MustParse("bank.example. A 192.0.2.1\n").
				WithAnswer("good._domainkey.bank.example", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{f.Good}}).
				WithAnswer("vector._domainkey.bank.example", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{v.Record}})
			verifier := Verifier{Resolver: z, MaxRSABits: v.MaxBits, Now: func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }}
			r := verifier.Verify(context.Background(), read(t, f.Sealed(v)))
			if v.Want == "pass" {
				require.NoError(t, r.Err)
				require.Equal(t, Pass, r.Status)
				return
			}
			require.Equal(t, Fail, r.Status)
			require.Equal(t, v.Want, r.Code(), "%v", r.Err)
			require.NotErrorIs(t, r.Sets[0].MessageErr, ErrSignature, "it is the seal that fails")
		})
	}
	t.Logf("%d vectors", len(f.Vectors))
}
