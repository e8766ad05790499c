package markcert_test

import (
	"context"
	"encoding/pem"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/stretchr/testify/require"
)

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// testTime is the clock of every test with certificates of our own.
var testTime = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)

func testNow() time.Time { return testTime }

// clockAt is a clock that stands still at a Unix time.
func clockAt(seconds int64) func() time.Time {
	return func() time.Time { return time.Unix(seconds, 0).UTC() }
}

func newPKI(t testing.TB) *markcerttest.PKI {
	t.Helper()
	p, err := markcerttest.New(rand.NewChaCha8([32]byte{1}), testTime)
	require.NoError(t, err)
	return p
}

func issue(t testing.TB, s markcerttest.Spec, defects ...markcerttest.Defect) *markcerttest.Bundle {
	t.Helper()
	b, err := newPKI(t).Issue(s, defects...)
	require.NoError(t, err)
	return b
}

// strict is a verifier with every default, in the world of the bundle.
func strict(t testing.TB, b *markcerttest.Bundle) markcert.Verifier {
	t.Helper()
	roots, err := markcert.ParseRoots(b.Roots)
	require.NoError(t, err)
	logs, err := markcert.ParseLogs(b.LogKeys)
	require.NoError(t, err)
	return markcert.Verifier{Roots: roots, Logs: logs, FetchCRL: b.FetchCRL, Now: testNow}
}

var exampleCom = markcert.Names{Author: "example.com"}

// verify is one defect under the defaults, with what change does to them.
func verify(t testing.TB, b *markcerttest.Bundle, change func(*markcert.Verifier)) markcert.Result {
	t.Helper()
	v := strict(t, b)
	if change != nil {
		change(&v)
	}
	return v.Verify(context.Background(), b.PEM, exampleCom)
}

func hasFinding(r markcert.Result, s markcert.Severity, code markcert.Error) bool {
	for _, f := range r.Findings {
		if f.Severity == s && f.Code == code {
			return true
		}
	}
	return false
}
