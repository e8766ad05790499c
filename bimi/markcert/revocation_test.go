package markcert_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	tm "github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/stretchr/testify/require"
)

// TestRevocationModes: what each mode makes of each kind of trouble (K1, K5).
func TestRevocationModes(t *testing.T) {
	const pass, fail, temp = authres.Pass, authres.Fail, authres.TempError
	for _, tc := range []struct {
		defect                    tm.Defect
		require, bestEffort, none authres.Status
	}{
		{tm.CRLThisPoint, pass, pass, pass},
		{tm.Revoked, fail, fail, pass},
		{tm.IntermediateRevoked, fail, fail, pass},
		{tm.CRLUnavailable, temp, pass, pass},
		{tm.IntermediateCRLUnavailable, temp, pass, pass},
		{tm.NoCRLPoint, fail, pass, pass},
		{tm.IntermediateNoCRLPoint, fail, pass, pass},
		{tm.LDAPPoint, fail, pass, pass},
		// A list that somebody serves and that is not good is no excuse.
		{tm.CRLGarbage, temp, temp, pass},
		{tm.CRLSignature, temp, temp, pass},
		{tm.CRLStale, temp, temp, pass},
		{tm.CRLFuture, temp, temp, pass},
		{tm.CRLIssuer, temp, temp, pass},
		{tm.CRLIndirect, temp, temp, pass},
		{tm.CRLSomeReasons, temp, temp, pass},
	} {
		b := issue(t, tm.Spec{}, tc.defect)
		for mode, want := range map[markcert.Revocation]authres.Status{
			markcert.RequireRevocation: tc.require, markcert.BestEffortRevocation: tc.bestEffort, markcert.RevocationOff: tc.none,
		} {
			r := verify(t, b, func(v *markcert.Verifier) { v.Revocation = mode })
			require.Equal(t, want, r.Status, "%s, mode %d: %v", tc.defect, mode, r.Err)
			switch {
			case want == fail && r.Revocation == markcert.Bad:
				require.ErrorIs(t, r.Err, markcert.ErrRevoked)
			case want == pass && mode != markcert.RevocationOff && tc.defect == tm.CRLThisPoint:
				require.Equal(t, markcert.Good, r.Revocation)
			default:
				require.Equal(t, markcert.Unchecked, r.Revocation)
				require.Zero(t, r.RevocationUntil)
			}
		}
	}
}

// TestFetchOnlyAfterPath: the URLs of a certificate that has not validated are
// never asked for, and neither is anything after the first failure.
func TestFetchOnlyAfterPath(t *testing.T) { t.Run("K2", fetchOnlyAfterPath) }

func fetchOnlyAfterPath(t *testing.T) {
	for _, d := range tm.Defects() {
		b := issue(t, tm.Spec{}, d)
		r := verify(t, b, func(v *markcert.Verifier) { v.Revocation = markcert.RevocationOff })
		if r.Status == authres.Pass {
			continue
		}
		r = verify(t, b, func(v *markcert.Verifier) {
			v.FetchCRL = func(context.Context, string) ([]byte, error) {
				t.Errorf("%s: fetched", d)
				return nil, errors.New("no")
			}
		})
		require.Equal(t, authres.Fail, r.Status)
	}
}

// crlWorld notes which lists are asked for, and answers for some of them.
type crlWorld struct {
	b      *tm.Bundle
	v      markcert.Verifier
	asked  []string
	answer map[string]func() ([]byte, error)
}

func newCRLWorld(t *testing.T, s tm.Spec, defects ...tm.Defect) *crlWorld {
	w := &crlWorld{b: issue(t, s, defects...), answer: map[string]func() ([]byte, error){}}
	w.v = strict(t, w.b)
	w.v.FetchCRL = func(ctx context.Context, url string) ([]byte, error) {
		w.asked = append(w.asked, url)
		if f, ok := w.answer[url]; ok {
			return f()
		}
		return w.b.FetchCRL(ctx, url)
	}
	return w
}

// TestFetchOrder: the mark certificate's list first, then its issuer's; a list that says
// revoked ends the search.
func TestFetchOrder(t *testing.T) {
	w := newCRLWorld(t, tm.Spec{})
	require.NoError(t, w.v.Verify(t.Context(), w.b.PEM, exampleCom).Err)
	require.Equal(t, []string{"http://crl.example.com/mark.crl", "http://crl.example.com/root.crl"}, w.asked)

	w = newCRLWorld(t, tm.Spec{}, tm.Revoked)
	require.ErrorIs(t, w.v.Verify(t.Context(), w.b.PEM, exampleCom).Err, markcert.ErrRevoked)
	require.Equal(t, []string{"http://crl.example.com/mark.crl"}, w.asked)
}

// TestRevokedAfterUnavailable: what could not be asked does not hide what was answered.
func TestRevokedAfterUnavailable(t *testing.T) {
	for _, mode := range []markcert.Revocation{markcert.RequireRevocation, markcert.BestEffortRevocation} {
		r := verify(t, issue(t, tm.Spec{}, tm.CRLUnavailable, tm.IntermediateRevoked), func(v *markcert.Verifier) { v.Revocation = mode })
		require.ErrorIs(t, r.Err, markcert.ErrRevoked)
		require.Equal(t, authres.Fail, r.Status)
		require.Equal(t, markcert.Bad, r.Revocation)
	}
}

// TestFetchContext: a call that is over asks for nothing.
func TestFetchContext(t *testing.T) {
	w := newCRLWorld(t, tm.Spec{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := w.v.Verify(ctx, w.b.PEM, exampleCom)
	require.Equal(t, authres.TempError, r.Status)
	require.ErrorIs(t, r.Err, markcert.ErrCRLUnavailable)
	require.Empty(t, w.asked)
}

// TestDistributionPoints: http and https points only, four of them, each once; any
// usable list among them is enough.
func TestDistributionPoints(t *testing.T) {
	for _, tc := range []struct {
		name  string
		point string
		want  error
	}{
		{"https", "https://crl.example.com/a", nil},
		{"upper case scheme", "HTTP://crl.example.com/a", nil},
		{"file", "file:///etc/passwd", markcert.ErrNoCRLPoint},
		{"no host", "http:///a", markcert.ErrNoCRLPoint},
		{"user", "http://a:b@crl.example.com/a", markcert.ErrNoCRLPoint},
		{"no scheme", "//crl.example.com/a", markcert.ErrNoCRLPoint},
		{"no URL", "http://[::1", markcert.ErrNoCRLPoint},
		{"empty", "", markcert.ErrNoCRLPoint},
	} {
		w := newCRLWorld(t, tm.Spec{CRLURLs: []string{tc.point}})
		require.ErrorIs(t, w.v.Verify(t.Context(), w.b.PEM, exampleCom).Err, tc.want, tc.name)
	}
}

// TestSeveralPoints tries the points of one certificate in turn.
func TestSeveralPoints(t *testing.T) {
	good := issue(t, tm.Spec{}).CRLs["http://crl.example.com/mark.crl"]
	stale := issue(t, tm.Spec{}, tm.CRLStale).CRLs["http://crl.example.com/mark.crl"]
	type answer = func() ([]byte, error)
	down := func() ([]byte, error) { return nil, errors.New("down") }
	serve := func(b []byte) answer { return func() ([]byte, error) { return b, nil } }
	for _, tc := range []struct {
		name    string
		answers []answer
		asked   int
		want    error
	}{
		{"first good", []answer{serve(good), down}, 1, nil},
		{"second good", []answer{down, serve(good)}, 2, nil},
		{"stale, then good", []answer{serve(stale), serve(good)}, 2, nil},
		{"fourth good", []answer{down, down, down, serve(good)}, 4, nil},
		{"fifth good", []answer{down, down, down, down, serve(good)}, 4, markcert.ErrCRLUnavailable},
		{"all down", []answer{down, down}, 2, markcert.ErrCRLUnavailable},
		{"down and stale", []answer{down, serve(stale)}, 2, markcert.ErrCRLTime},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var urls []string
			for i := range tc.answers {
				urls = append(urls, fmt.Sprintf("http://crl%d.example.com/", i))
			}
			w := newCRLWorld(t, tm.Spec{CRLURLs: urls})
			for i, u := range urls {
				w.answer[u] = tc.answers[i]
			}
			r := w.v.Verify(t.Context(), w.b.PEM, exampleCom)
			require.ErrorIs(t, r.Err, tc.want)
			asked := 0
			for _, u := range w.asked {
				if u != "http://crl.example.com/root.crl" {
					asked++
				}
			}
			require.Equal(t, tc.asked, asked)
		})
	}
}
