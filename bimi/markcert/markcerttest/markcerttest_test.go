package markcerttest_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)

func newPKI(t testing.TB, seed byte) *markcerttest.PKI {
	p, err := markcerttest.New(rand.NewChaCha8([32]byte{seed}), now)
	require.NoError(t, err)
	return p
}

// TestDeterministic: the same source and time give the same octets, whatever the
// defect; another source gives others.
func TestDeterministic(t *testing.T) {
	a, b, c := newPKI(t, 1), newPKI(t, 1), newPKI(t, 2)
	require.Equal(t, a.LogKey(), b.LogKey())
	require.NotEqual(t, a.LogKey(), c.LogKey())
	for _, d := range append([]markcerttest.Defect{""}, markcerttest.Defects()...) {
		var defects []markcerttest.Defect
		if d != "" {
			defects = append(defects, d)
		}
		x, err := a.Issue(markcerttest.Spec{}, defects...)
		require.NoError(t, err, d)
		y, err := b.Issue(markcerttest.Spec{}, defects...)
		require.NoError(t, err, d)
		require.Equal(t, x.PEM, y.PEM, d)
		require.Equal(t, x.CRLs, y.CRLs, d)
		z, err := c.Issue(markcerttest.Spec{}, defects...)
		require.NoError(t, err, d)
		require.NotEqual(t, x.PEM, z.PEM, d)
	}
}

// TestTable: every line is complete, and no two defects give the same world.
func TestTable(t *testing.T) { t.Run("S6", table) }

func table(t *testing.T) {
	p := newPKI(t, 1)
	worlds := map[string]markcerttest.Defect{}
	for _, d := range markcerttest.Defects() {
		require.NotEmpty(t, d.Item(), d)
		require.NotEmpty(t, d.What(), d)
		require.Contains(t, []string{"", "warning", "temporary", "failure"}, d.Severity(), d)
		require.Equal(t, d.Severity() == "", d.Code() == "", d)
		require.True(t, d.Code() == "" || strings.HasPrefix(d.Code(), "Err"), d)
		b, err := p.Issue(markcerttest.Spec{}, d)
		require.NoError(t, err)
		world := fmt.Sprintf("%s %s %x", b.PEM, b.Roots, b.CRLs)
		require.Empty(t, worlds[world], d)
		worlds[world] = d
	}
	require.Greater(t, len(worlds), 120)
	require.Equal(t, "?", markcerttest.Defect("no such").Severity())
	_, err := p.Issue(markcerttest.Spec{}, "no such")
	require.ErrorContains(t, err, "no such")
}

// TestIssueParses: what is issued without defects is what crypto/x509 accepts.
func TestIssueParses(t *testing.T) {
	for n := range 4 {
		b, err := newPKI(t, 1).Issue(markcerttest.Spec{Authorities: n})
		require.NoError(t, err)
		pool := x509.NewCertPool()
		require.True(t, pool.AppendCertsFromPEM(b.Roots))
		inter := x509.NewCertPool()
		require.True(t, inter.AppendCertsFromPEM(b.PEM))
		chains, err := b.Leaf.Verify(x509.VerifyOptions{Roots: pool, Intermediates: inter, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		require.NoError(t, err)
		require.Len(t, chains[0], 2+max(n, 1))
		for i, c := range chains[0][:len(chains[0])-1] {
			raw, err := b.FetchCRL(context.Background(), c.CRLDistributionPoints[0])
			require.NoError(t, err)
			l, err := x509.ParseRevocationList(raw)
			require.NoError(t, err)
			require.NoError(t, l.CheckSignatureFrom(chains[0][i+1]))
		}
	}
	_, err := (&markcerttest.Bundle{}).FetchCRL(context.Background(), "http://crl.example.com/none.crl")
	require.ErrorIs(t, err, markcerttest.ErrNotServed)
}

// TestRandomRunsDry: a source that ends is an error, not a weak key.
func TestRandomRunsDry(t *testing.T) {
	_, err := markcerttest.New(bytes.NewReader(make([]byte, 40)), now)
	require.Error(t, err)
	_, err = markcerttest.New(errReader{}, now)
	require.ErrorIs(t, err, errRead)
}

var errRead = errors.New("no randomness")

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errRead }
