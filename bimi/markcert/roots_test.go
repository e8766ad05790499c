package markcert_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/bimi/markcert"
	tm "github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/stretchr/testify/require"
)

// TestDefaultRoots: the built-in store is exactly these five, by the SHA-256 of
// their certificates, and each is a root that signs itself.
func TestDefaultRoots(t *testing.T) {
	want := map[string]string{
		"504386c9ee8932fecc95fade427f69c3e2534b7310489e300fee448e33c46b42": "DigiCert Verified Mark Root CA",
		"cd122cb877c6928b9017b0f0b80dbd508196300bbd03cd7356c3beef524e7e0b": "GlobalSign Verified Mark Root R42",
		"8f9d1b7698886782a599b48510651c66a1aa0c5ca3192097bdc68534154bd30d": "SSL.com VMC RSA Root CA 2024",
		"1b82e7f4910b51e3e802a493acdc17ff58eac8b9eb7c09b52ac6cd2efb83598c": "SSL.com VMC ECC Root CA 2024",
		"7831d95a47d42508cd5c9e6264f9096bac19f04eb9b7c8bdd35fffc71c189617": "Entrust Verified Mark Root Certification Authority - VMCR1",
	}
	s := markcert.DefaultRoots()
	require.Equal(t, markcert.DefaultRootsVersion, s.Version())
	require.Len(t, s.All(), len(want))
	for _, r := range s.All() {
		sum := sha256.Sum256(r.Certificate.Raw)
		require.Equal(t, want[hex.EncodeToString(sum[:])], r.Certificate.Subject.CommonName)
		require.True(t, r.Certificate.IsCA)
		require.Equal(t, r.Certificate.RawSubject, r.Certificate.RawIssuer)
		require.NoError(t, r.Certificate.CheckSignatureFrom(r.Certificate))
		require.Equal(t, r.Legacy, !r.NotBeforeMax.IsZero())
		require.False(t, r.Disabled)
	}
}

// TestDefaultRootsSuite: the same store as the list of roots of the suite, its
// constraint included.
func TestDefaultRootsSuite(t *testing.T) {
	var list []struct {
		File, SHA256, Status string
		Constraint           struct {
			Max time.Time `json:"leaf_not_before_max"`
		}
	}
	testcase.ReadJSON(t, testcase.Corpora(t, "bimi", "roots", "roots.json"), &list)
	n := 0
	for _, l := range list {
		if l.File == "" {
			require.Equal(t, "announced", l.Status)
			continue // no certificate to compare: not in the store
		}
		data, err := os.ReadFile(testcase.Corpora(t, "bimi", "roots", l.File))
		require.NoError(t, err)
		certs, err := markcert.ParseCertificates(data)
		require.NoError(t, err)
		found := false
		for _, r := range markcert.DefaultRoots().All() {
			if r.Certificate.Equal(certs[0]) {
				found = true
				require.Equal(t, l.Status == "legacy", r.Legacy, l.File)
				require.Equal(t, l.Constraint.Max, r.NotBeforeMax, l.File)
			}
		}
		require.True(t, found, l.File)
		n++
	}
	testcase.Ran(t, "bimi/roots", n, 5)
}

// TestRootsImmutable: what the store gives out cannot change it.
func TestRootsImmutable(t *testing.T) {
	all := markcert.DefaultRoots().All()
	all[0].Disabled = true
	all[0].Policies[0] = "1.2.3"
	all[0].MarkTypes = append(all[0].MarkTypes, markcert.PriorUseMark)
	again := markcert.DefaultRoots().All()
	require.False(t, again[0].Disabled)
	require.NotEqual(t, "1.2.3", again[0].Policies[0])
	require.Empty(t, again[0].MarkTypes)

	types := []markcert.MarkType{markcert.RegisteredMark}
	s, err := markcert.NewRoots(markcert.Root{Certificate: newPKI(t).Root(), MarkTypes: types})
	require.NoError(t, err)
	types[0] = markcert.PriorUseMark
	require.Equal(t, markcert.RegisteredMark, s.All()[0].MarkTypes[0])
	require.Equal(t, "custom", s.Version())
}

func TestNewRootsErrors(t *testing.T) {
	root := newPKI(t).Root()
	_, err := markcert.NewRoots(markcert.Root{})
	require.ErrorIs(t, err, markcert.ErrCertificate)
	_, err = markcert.NewRoots(markcert.Root{Certificate: &x509.Certificate{}})
	require.ErrorIs(t, err, markcert.ErrCertificate)
	_, err = markcert.NewRoots(markcert.Root{Certificate: root}, markcert.Root{Certificate: root})
	require.ErrorIs(t, err, markcert.ErrDuplicateCertificate)
	_, err = markcert.ParseRoots([]byte("nothing"))
	require.ErrorIs(t, err, markcert.ErrNoCertificate)
}

// TestAttention lists what an operator has to know.
func TestAttention(t *testing.T) {
	s := markcert.DefaultRoots()
	names := func(rs []markcert.Root) (out []string) {
		for _, r := range rs {
			out = append(out, r.Certificate.Subject.Organization[0])
		}
		return out
	}
	require.Equal(t, []string{"Entrust, Inc."}, names(s.Attention(testTime)))
	require.Equal(t, []string{"GlobalSign nv-sa", "Entrust, Inc."}, names(s.Attention(time.Date(2043, 1, 1, 0, 0, 0, 0, time.UTC))))
}

// TestRootConstraints: what a root is trusted for holds whatever the certificate says.
func TestRootConstraints(t *testing.T) {
	day := func(n int) time.Time { return testTime.AddDate(0, 0, n) }
	for _, tc := range []struct {
		name string
		root markcert.Root
		spec tm.Spec
		want error
	}{
		{"none", markcert.Root{}, tm.Spec{}, nil},
		{"legacy alone constrains nothing", markcert.Root{Legacy: true}, tm.Spec{}, nil},
		{"disabled", markcert.Root{Disabled: true}, tm.Spec{}, markcert.ErrRootConstraint},
		{"issued and logged on the last day", markcert.Root{NotBeforeMax: day(-9).Add(time.Minute)}, tm.Spec{NotBefore: day(-9)}, nil},
		{"issued after it", markcert.Root{NotBeforeMax: day(-9).Add(-time.Second)}, tm.Spec{NotBefore: day(-9)}, markcert.ErrRootConstraint},
		{"logged after it", markcert.Root{NotBeforeMax: day(-9)}, tm.Spec{NotBefore: day(-9)}, markcert.ErrRootConstraint},
		{"mark type", markcert.Root{MarkTypes: markcert.VerifiedMarkTypes()}, tm.Spec{}, nil},
		{"other mark type", markcert.Root{MarkTypes: markcert.VerifiedMarkTypes()}, tm.Spec{MarkType: "Prior Use Mark"}, markcert.ErrRootConstraint},
		{"domain", markcert.Root{PermittedDomains: []string{"example.net", "Example.COM"}}, tm.Spec{}, nil},
		{"domain above", markcert.Root{PermittedDomains: []string{"com"}}, tm.Spec{}, nil},
		{"other domain", markcert.Root{PermittedDomains: []string{"ample.com"}}, tm.Spec{}, markcert.ErrRootConstraint},
		{"one of two domains", markcert.Root{PermittedDomains: []string{"example.com"}}, tm.Spec{Domains: []string{"example.com", "example.net"}}, markcert.ErrRootConstraint},
		{"selector of another domain", markcert.Root{PermittedDomains: []string{"example.com"}}, tm.Spec{Domains: []string{"example.com", "s._bimi.example.net"}}, markcert.ErrRootConstraint},
		{"no domain name", markcert.Root{PermittedDomains: []string{""}}, tm.Spec{}, markcert.ErrRootConstraint},
		{"policy", markcert.Root{Policies: []string{"1.2.3", "1.3.6.1.4.1.53087.1.1"}}, tm.Spec{}, nil},
		{"other policy", markcert.Root{Policies: []string{"1.2.3"}}, tm.Spec{}, markcert.ErrPolicy},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPKI(t)
			b, err := p.Issue(tc.spec)
			require.NoError(t, err)
			tc.root.Certificate = p.Root()
			r := verify(t, b, func(v *markcert.Verifier) {
				v.RequirePolicies = true
				v.Roots, err = markcert.NewRoots(tc.root)
				require.NoError(t, err)
			})
			require.ErrorIs(t, r.Err, tc.want)
		})
	}
}

// TestIntermediatePool: the pool completes a path, is searched through loops and
// dead ends, and is never trusted.
func TestIntermediatePool(t *testing.T) {
	p := newPKI(t)
	b, err := p.Issue(tm.Spec{Authorities: 3}, tm.MissingIntermediate)
	require.NoError(t, err)
	full, err := p.Issue(tm.Spec{Authorities: 3})
	require.NoError(t, err)
	pool, err := markcert.ParseCertificates(full.PEM)
	require.NoError(t, err)
	require.Len(t, pool, 4)
	require.NoError(t, verify(t, b, func(v *markcert.Verifier) { v.Intermediates = pool }).Err)
	// A dead end with the same name and another key stands in front.
	other, err := p.Issue(tm.Spec{}, tm.WeakIssuerKey)
	require.NoError(t, err)
	r := verify(t, b, func(v *markcert.Verifier) {
		v.Intermediates = append([]*x509.Certificate{other.Intermediate}, pool...)
	})
	require.NoError(t, r.Err)
	require.Len(t, r.Chain, 5)
	// Without the store the same certificates are worth nothing.
	require.ErrorIs(t, verify(t, b, func(v *markcert.Verifier) {
		v.Intermediates, v.Roots = append(pool, p.Root()), &markcert.Roots{}
	}).Err, markcert.ErrUntrusted)
	// One link missing in the middle.
	require.ErrorIs(t, verify(t, b, func(v *markcert.Verifier) { v.Intermediates = pool[:2] }).Err, markcert.ErrUntrusted)
}

// TestIntermediatePoolLimit: fifty signatures of candidates are looked at, not one more.
func TestIntermediatePoolLimit(t *testing.T) {
	b := issue(t, tm.Spec{}, tm.MissingIntermediate)
	var pool []*x509.Certificate // of other authorities with the same name
	for i := range 50 {
		p, err := tm.New(rand.NewChaCha8([32]byte{2, byte(i)}), testTime)
		require.NoError(t, err)
		o, err := p.Issue(tm.Spec{})
		require.NoError(t, err)
		pool = append(pool, o.Intermediate)
	}
	with := func(strangers int) error {
		return verify(t, b, func(v *markcert.Verifier) {
			v.Intermediates = append(append([]*x509.Certificate(nil), pool[:strangers]...), b.Intermediate)
		}).Err
	}
	require.NoError(t, with(49))
	require.ErrorIs(t, with(50), markcert.ErrSignature)
}

// TestUnordered: any order is an option, anything more than the path is not.
func TestUnordered(t *testing.T) {
	lenient := func(v *markcert.Verifier) { v.AllowUnordered = true }
	b := issue(t, tm.Spec{}, tm.WrongOrder)
	require.ErrorIs(t, verify(t, b, nil).Err, markcert.ErrOrder)
	r := verify(t, b, lenient)
	require.NoError(t, r.Err)
	require.True(t, hasFinding(r, markcert.Warning, markcert.ErrOrder))
	for _, d := range []tm.Defect{tm.ForeignCertificate, tm.SecondLeaf, tm.DuplicateCertificate} {
		require.Error(t, verify(t, issue(t, tm.Spec{}, d), lenient).Err)
	}
	// The root before its children.
	b = issue(t, tm.Spec{}, tm.WithRoot)
	b.PEM = append(append([]byte(nil), b.Roots...), issue(t, tm.Spec{}).PEM...)
	require.ErrorIs(t, verify(t, b, nil).Err, markcert.ErrOrder)
	require.NoError(t, verify(t, b, lenient).Err)
}

// TestRootAsMarkCertificate: a trusted root is not evidence for anything.
func TestRootAsMarkCertificate(t *testing.T) {
	b := issue(t, tm.Spec{})
	b.PEM = b.Roots
	r := verify(t, b, nil)
	require.Error(t, r.Err)
	require.True(t, hasFinding(r, markcert.Failure, markcert.ErrLeafCA))
	require.True(t, hasFinding(r, markcert.Failure, markcert.ErrKeyPurpose))
}

// TestPinnedLeaf: a mark certificate put into the store as if it were a root does not
// vouch for itself: it has no issuer.
func TestPinnedLeaf(t *testing.T) {
	b := issue(t, tm.Spec{}, tm.SelfSigned)
	b.Roots = b.PEM
	require.ErrorIs(t, verify(t, b, nil).Err, markcert.ErrUntrusted)
}
