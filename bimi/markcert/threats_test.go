package markcert_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	tm "github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/stretchr/testify/require"
)

// TestThreats is the threat matrix of mark certificates, one row a group.
func TestThreats(t *testing.T) {
	type attack struct {
		name    string
		spec    tm.Spec
		defects []tm.Defect
		names   markcert.Names // zero: example.com
		change  func(*markcert.Verifier)
		pem     func([]byte) []byte
		want    error // nil: pass
	}
	defect := func(want error, ds ...tm.Defect) attack { return attack{name: string(ds[0]), defects: ds, want: want} }
	san := func(names ...string) tm.Spec { return tm.Spec{Domains: names} }
	rows := map[string][]attack{
		"BIM-21": {
			defect(markcert.ErrExpired, tm.Expired),
			defect(markcert.ErrNotYetValid, tm.NotYetValid),
			defect(markcert.ErrUntrusted, tm.SelfSigned),
			defect(markcert.ErrUntrusted, tm.OtherRoot),
			defect(markcert.ErrNotCA, tm.IntermediateNotCA),
			defect(markcert.ErrPathLength, tm.PathLength),
			defect(markcert.ErrLeafCA, tm.LeafCA),
			{name: "another root of the same name in the file", defects: []tm.Defect{tm.WithRoot}, want: markcert.ErrForeignCertificate, pem: func(p []byte) []byte {
				other, err := tm.New(rand.NewChaCha8([32]byte{2}), testTime)
				require.NoError(t, err)
				return append(p, pemOf(other.Root().Raw)...)
			}},
			{name: "ten certificates", spec: tm.Spec{Authorities: 9}},
			{name: "eleven certificates", spec: tm.Spec{Authorities: 10}, want: markcert.ErrTooManyCertificates},
			{name: "thousand blocks", pem: func(p []byte) []byte { return bytes.Repeat(p[:len(p)/2], 1000) }, want: markcert.ErrTooLarge},
			{name: "thousand small blocks", pem: func(p []byte) []byte {
				return bytes.Repeat([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), 1000)
			}, want: markcert.ErrTooManyCertificates},
			{name: "one certificate of a quarter megabyte", pem: func(p []byte) []byte {
				return bytes.Repeat([]byte("A"), markcert.MaxBytes+1)
			}, want: markcert.ErrTooLarge},
		},
		"BIM-22": {
			defect(markcert.ErrKeyPurpose, tm.NoKeyPurpose),
			defect(markcert.ErrKeyPurpose, tm.AnyKeyPurpose),
			defect(markcert.ErrKeyPurpose, tm.ServerKeyPurpose),
			defect(markcert.ErrOtherKeyPurposes, tm.ExtraKeyPurpose),
			defect(markcert.ErrKeyPurpose, tm.IntermediateKeyPurpose),
		},
		"BIM-23": {
			{name: "other.example", spec: san("other.example"), want: markcert.ErrDomain},
			{name: "organizational for a subdomain", spec: san("bank.example"),
				names: markcert.Names{Author: "x.bank.example", Organizational: "bank.example"}},
			{name: "parent that is not organizational", spec: san("y.bank.example"),
				names: markcert.Names{Author: "x.y.bank.example", Organizational: "bank.example"}, want: markcert.ErrDomain},
			{name: "subdomain for its organizational", spec: san("x.bank.example"),
				names: markcert.Names{Author: "bank.example", Organizational: "bank.example"}, want: markcert.ErrDomain},
			{name: "selector", spec: san("sel._bimi.bank.example"), names: markcert.Names{Author: "bank.example", Selector: "sel"}},
			{name: "another selector", spec: san("sel._bimi.bank.example"), names: markcert.Names{Author: "bank.example", Selector: "default"}, want: markcert.ErrDomain},
			{name: "selector of another domain", spec: san("sel._bimi.bank.example"),
				names: markcert.Names{Author: "bank.example", Selector: "sel", Record: "attack.example"}, want: markcert.ErrDomain},
			{name: "selector without its own", spec: san("_bimi.bank.example"), names: markcert.Names{Author: "bank.example"}, want: markcert.ErrDomain},
			defect(markcert.ErrDomain, tm.Wildcard),
			defect(markcert.ErrDomain, tm.CommonNameOnly),
			defect(markcert.ErrDomain, tm.NameWithNUL),
			{name: "upper case in the certificate", spec: san("BANK.Example"), names: markcert.Names{Author: "bank.example"}},
			{name: "upper case in the message", spec: san("bank.example"), names: markcert.Names{Author: "BANK.Example"}},
			{name: "U-label in the message", spec: san("xn--bnk-qla.example"), names: markcert.Names{Author: "bänk.example"}},
			defect(markcert.ErrCertificate, tm.UnicodeName),
		},
		"BIM-24": {
			defect(markcert.ErrNameConstraints, tm.ExcludedName),
			defect(markcert.ErrNameConstraints, tm.NotPermittedName),
			defect(markcert.ErrNameConstraints, tm.DirectoryNameConstraint),
			defect(markcert.ErrCriticalExtension, tm.UnknownCritical),
			defect(markcert.ErrCriticalExtension, tm.IntermediateUnknownCritical),
			{name: "policy demanded", defects: []tm.Defect{tm.NoPolicy}, want: markcert.ErrPolicy,
				change: func(v *markcert.Verifier) { v.RequirePolicies = true }},
		},
		"BIM-25": {
			defect(markcert.ErrLogotypeHash, tm.HashMismatch),
			defect(markcert.ErrLogotypeCount, tm.TwoImages),
			defect(markcert.ErrLogotypeIndirect, tm.LogotypeIndirect),
			defect(markcert.ErrLogotypeURI, tm.RemoteLogo),
			defect(nil, tm.HashSHA1),
			{name: "SHA-1 refused", defects: []tm.Defect{tm.HashSHA1}, want: markcert.ErrLogotypeSHA1,
				change: func(v *markcert.Verifier) { v.RejectSHA1 = true }},
		},
		"BIM-26": {
			defect(markcert.ErrRevoked, tm.Revoked),
			defect(markcert.ErrRevoked, tm.IntermediateRevoked),
			defect(markcert.ErrNoSCT, tm.NoSCT),
			{name: "revoked, best effort", defects: []tm.Defect{tm.Revoked}, want: markcert.ErrRevoked,
				change: func(v *markcert.Verifier) { v.Revocation = markcert.BestEffortRevocation }},
		},
	}
	for row, attacks := range rows {
		t.Run(row, func(t *testing.T) {
			for _, a := range attacks {
				t.Run(a.name, func(t *testing.T) {
					b := issue(t, a.spec, a.defects...)
					if a.pem != nil {
						b.PEM = a.pem(b.PEM)
					}
					if a.names == (markcert.Names{}) {
						a.names = exampleCom
					}
					v := strict(t, b)
					if a.change != nil {
						a.change(&v)
					}
					fetched := 0
					v.FetchCRL = func(ctx context.Context, url string) ([]byte, error) {
						fetched++
						require.Contains(t, b.CRLs, url, "only revocation lists are ever asked for")
						return b.FetchCRL(ctx, url)
					}
					r := v.Verify(t.Context(), b.PEM, a.names)
					if a.want == nil {
						require.NoError(t, r.Err)
						require.Equal(t, authres.Pass, r.Status)
						return
					}
					require.ErrorIs(t, r.Err, a.want)
					require.Equal(t, authres.Fail, r.Status)
					require.Nil(t, r.Indicator)
					if a.want != markcert.ErrRevoked {
						require.Zero(t, fetched, "a URL of a certificate that failed was asked")
					}
				})
			}
		})
	}

	// A check that is switched off shows.
	t.Run("BIM-26/switched off", func(t *testing.T) {
		r := verify(t, issue(t, tm.Spec{}, tm.Revoked, tm.NoSCT), func(v *markcert.Verifier) {
			v.Revocation, v.Transparency = markcert.RevocationOff, markcert.TransparencyOff
		})
		require.NoError(t, r.Err)
		require.Equal(t, markcert.Unchecked, r.Revocation)
		require.Equal(t, markcert.Unchecked, r.Transparency)
		require.True(t, hasFinding(r, markcert.Warning, markcert.ErrRevocationUnchecked))
		require.True(t, hasFinding(r, markcert.Warning, markcert.ErrSCTUnchecked))
	})
}

// TestZeroVerifier: what nobody configured is not a pass. The built-in roots do not
// know the test authority, and without a fetcher there is no revocation list.
func TestZeroVerifier(t *testing.T) {
	b := issue(t, tm.Spec{})
	var zero markcert.Verifier
	r := zero.Verify(t.Context(), b.PEM, exampleCom)
	require.ErrorIs(t, r.Err, markcert.ErrUntrusted)
	require.Equal(t, authres.Fail, r.Status)

	require.Equal(t, authres.Status(""), markcert.Result{}.Status)

	r = verify(t, b, func(v *markcert.Verifier) { v.FetchCRL = nil })
	require.ErrorIs(t, r.Err, markcert.ErrCRLUnavailable)
	require.Equal(t, authres.TempError, r.Status)
	require.Nil(t, r.Indicator)

	r = verify(t, b, func(v *markcert.Verifier) { v.Roots = &markcert.Roots{} })
	require.ErrorIs(t, r.Err, markcert.ErrUntrusted)
	r = verify(t, b, func(v *markcert.Verifier) { v.Logs = &markcert.Logs{} })
	require.ErrorIs(t, r.Err, markcert.ErrSCT)
	r = verify(t, b, func(v *markcert.Verifier) { v.Now = func() time.Time { return time.Time{} } })
	require.ErrorIs(t, r.Err, markcert.ErrNotYetValid)
}

// TestClockOnce: the clock is asked once, so that no check sees another time.
func TestClockOnce(t *testing.T) {
	n := 0
	r := verify(t, issue(t, tm.Spec{}), func(v *markcert.Verifier) {
		v.Now = func() time.Time { n++; return testTime }
	})
	require.NoError(t, r.Err)
	require.Equal(t, 1, n)
}

// TestCollectsEverything: a failure does not hide the next one from the publisher;
// the first in order is the result's.
func TestCollectsEverything(t *testing.T) {
	b := issue(t, tm.Spec{}, tm.Expired, tm.NoKeyPurpose, tm.HashMismatch, tm.SCTUnknownLog, tm.NoCRLPoint)
	v := strict(t, b)
	var got []string
	for _, f := range v.Lint(b.PEM) {
		if f.Severity == markcert.Failure {
			got = append(got, f.Code.Code())
		}
	}
	require.Equal(t, []string{"ErrExpired", "ErrKeyPurpose", "ErrLogotypeHash", "ErrSCT", "ErrNoCRLPoint"}, got)
	r := v.Verify(t.Context(), b.PEM, exampleCom)
	require.ErrorIs(t, r.Err, markcert.ErrExpired)
	require.Equal(t, markcert.RegisteredMark, r.MarkType, "facts are there to explain the failure")
	require.Equal(t, []string{"example.com"}, r.Domains)
}
