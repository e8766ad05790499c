package markcert_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	tm "github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/stretchr/testify/require"
)

// TestItems has those items of groups I to N, and S4, that no single defect shows.
func TestItems(t *testing.T) {
	t.Run("J1 the pools of the system and of web servers count for nothing", func(t *testing.T) {
		b := issue(t, tm.Spec{})
		path := filepath.Join(t.TempDir(), "roots.pem")
		require.NoError(t, os.WriteFile(path, b.Roots, 0o600))
		t.Setenv("SSL_CERT_FILE", path)
		r := verify(t, b, func(v *markcert.Verifier) { v.Roots = nil })
		require.ErrorIs(t, r.Err, markcert.ErrUntrusted)
	})
	t.Run("J2 inside the validity of all, to the second", func(t *testing.T) {
		b := issue(t, tm.Spec{})
		for _, c := range []struct {
			at   int64 // seconds after the end
			want authres.Status
		}{{0, authres.Pass}, {1, authres.Fail}} {
			end := b.Leaf.NotAfter.Unix() + c.at
			r := verify(t, b, func(v *markcert.Verifier) {
				v.Revocation, v.Now = markcert.RevocationOff, clockAt(end)
			})
			require.Equal(t, c.want, r.Status, "%v", r.Err)
		}
		r := verify(t, b, func(v *markcert.Verifier) { v.Now = clockAt(b.Leaf.NotBefore.Unix() - 1) })
		require.ErrorIs(t, r.Err, markcert.ErrNotYetValid)
	})
	t.Run("J10 the receiver's list of mark types", func(t *testing.T) {
		for mark, verified := range map[string]bool{"Registered Mark": true, "Government Mark": true, "Prior Use Mark": false, "Modified Registered Mark": false} {
			b := issue(t, tm.Spec{MarkType: mark})
			for list, want := range map[bool]bool{true: verified, false: !verified} {
				r := verify(t, b, func(v *markcert.Verifier) {
					if v.MarkTypes = markcert.CommonMarkTypes(); list {
						v.MarkTypes = markcert.VerifiedMarkTypes()
					}
				})
				require.Equal(t, want, r.Status == authres.Pass, "%s %v", mark, r.Err)
			}
		}
	})
	t.Run("M2 selector-set and domain-set", func(t *testing.T) {
		b := issue(t, tm.Spec{Domains: []string{"Example.com", "brand._bimi.example.com", "a.b._bimi.example.net", "example.org"}})
		r := verify(t, b, nil)
		require.Equal(t, []string{"example.com", "example.org"}, r.Domains)
		require.Equal(t, []string{"brand._bimi.example.com", "a.b._bimi.example.net"}, r.Selectors)
	})
	t.Run("M5 a selector name does without the domain", func(t *testing.T) {
		b := issue(t, tm.Spec{Domains: []string{"brand._bimi.example.com"}})
		v := strict(t, b)
		require.Equal(t, authres.Pass, v.Verify(context.Background(), b.PEM, markcert.Names{Author: "example.com", Selector: "brand"}).Status)
		require.ErrorIs(t, v.Verify(context.Background(), b.PEM, exampleCom).Err, markcert.ErrDomain)
	})
	t.Run("N6 N7 SHA-1 alone, parameters NULL or absent", func(t *testing.T) {
		require.Equal(t, authres.Pass, verify(t, issue(t, tm.Spec{}, tm.HashSHA1), nil).Status)
		require.Equal(t, authres.Fail, verify(t, issue(t, tm.Spec{}, tm.HashSHA1), func(v *markcert.Verifier) { v.RejectSHA1 = true }).Status)
		require.Equal(t, authres.Pass, verify(t, issue(t, tm.Spec{}, tm.HashWithoutParameters), nil).Status)
	})
	// A publisher hears of everything that a receiver would, but for revocation and
	// for whom the certificate is.
	for _, d := range tm.Defects() {
		group := d.Item()[:1]
		if d.Severity() == "" || group == "M" || group == "K" && d.Item() != "K1" {
			continue
		}
		t.Run("S4 "+d.String(), func(t *testing.T) {
			b := issue(t, tm.Spec{}, d)
			v := strict(t, b)
			found := slices.ContainsFunc(v.Lint(b.PEM), func(f markcert.Finding) bool {
				return f.Code.Code() == d.Code() && f.Severity.String() == d.Severity()
			})
			require.True(t, found, "%v", v.Lint(b.PEM))
		})
	}
}

// TestItemsAreNamed: each item of groups I to N is that of a defect or begins the
// name of a sub-test.
func TestItemsAreNamed(t *testing.T) {
	named := map[string]bool{}
	for _, d := range tm.Defects() {
		named[d.Item()] = true
	}
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		for text := range strings.SplitSeq(string(data), `"`) {
			for _, word := range strings.Fields(text) {
				if len(word) > 3 || word[0] < 'I' || word[0] > 'N' {
					break
				}
				named[word] = true
			}
		}
	}
	for group, items := range map[string]int{"I": 5, "J": 10, "K": 6, "L": 4, "M": 5, "N": 8} { // M6 needs a message: package bimi
		for i := 1; i <= items; i++ {
			require.True(t, named[group+strconv.Itoa(i)], "no test of the name %s%d", group, i)
		}
	}
}
