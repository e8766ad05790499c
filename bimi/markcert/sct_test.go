package markcert_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	tm "github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/stretchr/testify/require"
)

// testLog is the maker's log with the bounds of a test.
func testLog(t testing.TB, b *tm.Bundle, from, until time.Time) *markcert.Logs {
	block, _ := pem.Decode(b.LogKeys)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	require.NoError(t, err)
	logs, err := markcert.NewLogs(markcert.Log{Description: "test log", Key: key, From: from, Until: until})
	require.NoError(t, err)
	return logs
}

// TestSCTTimes: a timestamp counts inside the log's time, to the millisecond, and
// not before it was made.
func TestSCTTimes(t *testing.T) {
	b := issue(t, tm.Spec{NotBefore: testTime.Add(-time.Minute)}) // logged at testTime
	for _, tc := range []struct {
		name             string
		from, until, now time.Time
		want             error
	}{
		{"no bounds", time.Time{}, time.Time{}, testTime, nil},
		{"first moment", testTime, time.Time{}, testTime, nil},
		{"before it", testTime.Add(time.Millisecond), time.Time{}, testTime, markcert.ErrSCT},
		{"last moment", time.Time{}, testTime, testTime, nil},
		{"after it", time.Time{}, testTime.Add(-time.Millisecond), testTime, markcert.ErrSCT},
		{"future", time.Time{}, time.Time{}, testTime.Add(-time.Second), markcert.ErrSCT},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := verify(t, b, func(v *markcert.Verifier) {
				v.Logs, v.Revocation = testLog(t, b, tc.from, tc.until), markcert.RevocationOff
				v.Now = func() time.Time { return tc.now }
			})
			require.ErrorIs(t, r.Err, tc.want)
			if tc.want != nil {
				require.Equal(t, markcert.Bad, r.Transparency)
				require.False(t, r.SCTs[0].Verified)
				return
			}
			require.Equal(t, markcert.Good, r.Transparency)
			require.Equal(t, testTime, r.SCTs[0].Time)
			require.Equal(t, "test log", r.SCTs[0].Log)
		})
	}
}

// TestSCTPresenceOnly: present is not verified, and says so.
func TestSCTPresenceOnly(t *testing.T) {
	for _, d := range []tm.Defect{tm.SCTUnknownLog, tm.SCTSignature, tm.SCTFuture} {
		r := verify(t, issue(t, tm.Spec{}, d), func(v *markcert.Verifier) { v.Transparency = markcert.SCTPresenceOnly })
		require.NoError(t, r.Err)
		require.Equal(t, markcert.Present, r.Transparency)
		require.True(t, hasFinding(r, markcert.Warning, markcert.ErrSCTUnchecked))
	}
	for _, d := range []tm.Defect{tm.NoSCT, tm.SCTMalformed} {
		r := verify(t, issue(t, tm.Spec{}, d), func(v *markcert.Verifier) { v.Transparency = markcert.SCTPresenceOnly })
		require.ErrorIs(t, r.Err, markcert.ErrNoSCT)
	}
}

// TestDefaultLogs: the built-in log is the approved one.
func TestDefaultLogs(t *testing.T) {
	var list struct {
		Logs []struct{ Key []byte }
	}
	testcase.ReadJSON(t, testcase.Corpora(t, "bimi", "ct", "approved-bimi-logs.json"), &list)
	require.Len(t, list.Logs, 1)
	fromList, err := markcert.ParseLogs(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: list.Logs[0].Key}))
	require.NoError(t, err)
	data, err := os.ReadFile(testcase.Corpora(t, "bimi", "vmc", "ok-redsift-2021-entrust.pem"))
	require.NoError(t, err)
	for _, logs := range []*markcert.Logs{nil, markcert.DefaultLogs(), fromList} {
		v := markcert.Verifier{Logs: logs, Revocation: markcert.RevocationOff,
			Now: func() time.Time { return time.Date(2021, 8, 1, 0, 0, 0, 0, time.UTC) }}
		r := v.Verify(t.Context(), data, markcert.Names{Author: "redsift.com"})
		require.NoError(t, r.Err)
		require.Equal(t, markcert.Good, r.Transparency)
	}
}

// TestLogKeys: only the keys that RFC 6962, section 2.1.4 knows, of a good size.
func TestLogKeys(t *testing.T) {
	n := new(big.Int).Lsh(big.NewInt(1), 1023)
	for _, key := range []any{nil, "x", &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}} {
		_, err := markcert.NewLogs(markcert.Log{Key: key})
		require.ErrorIs(t, err, markcert.ErrWeakKey)
	}
	scalar := make([]byte, 66)
	scalar[65] = 9
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P521(), scalar)
	require.NoError(t, err)
	_, err = markcert.NewLogs(markcert.Log{Key: &k.PublicKey})
	require.ErrorIs(t, err, markcert.ErrWeakKey)
	_, err = markcert.ParseLogs([]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"))
	require.ErrorIs(t, err, markcert.ErrWeakKey)
	_, err = markcert.ParseLogs(issue(t, tm.Spec{}).PEM)
	require.ErrorIs(t, err, markcert.ErrPEMLabel)
}

// TestSCTIsForThisCertificate: a timestamp moved to another certificate of the same
// issuer does not verify there, nor does one of the same certificate by another issuer.
func TestSCTIsForThisCertificate(t *testing.T) {
	b := issue(t, tm.Spec{}, tm.SCTSignature)
	r := verify(t, b, nil)
	require.ErrorIs(t, r.Err, markcert.ErrSCT)
	require.Equal(t, authres.Fail, r.Status)
	require.True(t, bytes.Contains([]byte(r.Err.Error()), []byte("does not verify")))
}
