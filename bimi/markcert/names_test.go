package markcert_test

import (
	"testing"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	tm "github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/stretchr/testify/require"
)

// TestNames is the domain match: M1 to M6.
func TestNames(t *testing.T) {
	type names = markcert.Names
	for _, tc := range []struct {
		name    string
		san     []string
		names   names
		matched string // "": no match
	}{
		{"author", []string{"example.com"}, names{Author: "example.com"}, "example.com"},
		{"second of two", []string{"example.net", "example.com"}, names{Author: "example.com"}, "example.com"},
		{"organizational", []string{"example.com"}, names{Author: "news.example.com", Organizational: "example.com"}, "example.com"},
		{"author before organizational", []string{"example.com", "news.example.com"}, names{Author: "news.example.com", Organizational: "example.com"}, "news.example.com"},
		{"domain-set whatever the selector", []string{"example.com"}, names{Author: "example.com", Selector: "brand"}, "example.com"},
		{"default selector", []string{"default._bimi.example.com"}, names{Author: "example.com"}, "default._bimi.example.com"},
		{"selector at the organizational domain", []string{"brand._bimi.example.com"},
			names{Author: "news.example.com", Organizational: "example.com", Record: "example.com", Selector: "brand"}, "brand._bimi.example.com"},
		{"selector with dots", []string{"a.b._bimi.example.com"}, names{Author: "example.com", Selector: "a.b"}, "a.b._bimi.example.com"},
		{"selector in upper case", []string{"BRAND._BIMI.Example.com"}, names{Author: "example.com", Selector: "Brand"}, "brand._bimi.example.com"},
		{"A-label", []string{"xn--bcher-kva.example"}, names{Author: "bücher.example"}, "xn--bcher-kva.example"},
		{"usable beside a wildcard", []string{"*.example.com", "example.com"}, names{Author: "example.com"}, "example.com"},

		{"subdomain", []string{"news.example.com"}, names{Author: "example.com"}, ""},
		{"sibling", []string{"news.example.com"}, names{Author: "shop.example.com", Organizational: "example.com"}, ""},
		{"organizational not asked", []string{"example.com"}, names{Author: "news.example.com"}, ""},
		{"record is no author", []string{"example.org"}, names{Author: "example.com", Record: "example.org"}, ""},
		{"suffix of the text", []string{"ample.com"}, names{Author: "example.com"}, ""},
		{"selector name for a plain domain", []string{"brand._bimi.example.com"}, names{Author: "brand._bimi.example.com"}, ""},
		{"underscore", []string{"_dmarc.example.com"}, names{Author: "example.com"}, ""},
		{"two wildcards", []string{"*", "*.com"}, names{Author: "example.com"}, ""},
		{"wildcard selector", []string{"*._bimi.example.com"}, names{Author: "example.com", Selector: "brand"}, ""},
		{"address", []string{"192.0.2.1"}, names{Author: "example.com"}, ""},
		{"blank", []string{" example.com"}, names{Author: "example.com"}, ""},
		{"empty", []string{""}, names{Author: "example.com"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := issue(t, tm.Spec{Domains: tc.san})
			v := strict(t, b)
			r := v.Verify(t.Context(), b.PEM, tc.names)
			require.Equal(t, tc.matched, r.Matched)
			if tc.matched == "" {
				require.Equal(t, authres.Fail, r.Status)
				return
			}
			require.NoError(t, r.Err)
		})
	}
}

// TestNamesUnusable: names that are no domain names match nothing, not even each other.
func TestNamesUnusable(t *testing.T) {
	b := issue(t, tm.Spec{Domains: []string{"example.com", ""}})
	v := strict(t, b)
	for _, n := range []markcert.Names{
		{}, {Author: "example..com"}, {Author: "*.example.com"}, {Author: "example.com."}, {Author: "example.com\x00"},
		{Author: "example.com", Organizational: "com."}, {Author: "example.com", Record: "a b"}, {Author: "example.com", Selector: "a b"},
		{Author: "192.0.2.1"}, {Organizational: "example.com"},
	} {
		r := v.Verify(t.Context(), b.PEM, n)
		require.ErrorIs(t, r.Err, markcert.ErrNames, "%+v", n)
		require.Empty(t, r.Matched)
	}
}

// TestMarkTypes: which types are accepted is the receiver's choice (J10).
func TestMarkTypes(t *testing.T) {
	for _, tc := range []struct {
		mark     markcert.MarkType
		accepted []markcert.MarkType
		ok       bool
	}{
		{markcert.RegisteredMark, nil, true},
		{markcert.GovernmentMark, nil, true},
		{markcert.PriorUseMark, nil, true},
		{markcert.ModifiedRegisteredMark, nil, true},
		{markcert.RegisteredMark, markcert.VerifiedMarkTypes(), true},
		{markcert.GovernmentMark, markcert.VerifiedMarkTypes(), true},
		{markcert.PriorUseMark, markcert.VerifiedMarkTypes(), false},
		{markcert.ModifiedRegisteredMark, markcert.VerifiedMarkTypes(), false},
		{markcert.PriorUseMark, markcert.CommonMarkTypes(), true},
		{markcert.ModifiedRegisteredMark, markcert.CommonMarkTypes(), true},
		{markcert.RegisteredMark, markcert.CommonMarkTypes(), false},
		{"registered mark", nil, false},
		{"Registered Mark ", nil, false},
		{"Pending Registration Mark", nil, false},
	} {
		r := verify(t, issue(t, tm.Spec{MarkType: string(tc.mark)}), func(v *markcert.Verifier) { v.MarkTypes = tc.accepted })
		require.Equal(t, tc.mark, r.MarkType)
		if tc.ok {
			require.NoError(t, r.Err, tc.mark)
			require.NotEqual(t, tc.mark.Verified(), tc.mark.Common())
		} else {
			require.ErrorIs(t, r.Err, markcert.ErrMarkType, tc.mark)
		}
	}
	require.Equal(t, "unknown (legacy)", markcert.LegacyMark.String())
	require.Equal(t, "Prior Use Mark", markcert.PriorUseMark.String())
	require.True(t, markcert.LegacyMark.Verified())
}

// TestSubjectByMarkType: what each mark type has to say about itself (J9), and the
// source of a prior use mark.
func TestSubjectByMarkType(t *testing.T) {
	missing := func(mark markcert.MarkType) (out []string) {
		r := verify(t, issue(t, tm.Spec{MarkType: string(mark)}), nil)
		require.NoError(t, r.Err)
		for _, f := range r.Findings {
			if f.Code == markcert.ErrSubject {
				out = append(out, f.Detail)
			}
		}
		if mark == markcert.PriorUseMark {
			require.Equal(t, "https://web.archive.org/web/2024/https://example.com/", r.Subject.PriorUseSource)
		}
		return out
	}
	require.Empty(t, missing(markcert.RegisteredMark))
	require.Empty(t, missing(markcert.ModifiedRegisteredMark))
	require.Empty(t, missing(markcert.PriorUseMark))
	require.Equal(t, []string{"statuteCountryName", "statuteCitation"}, missing(markcert.GovernmentMark))
}

// TestOptions: each option excuses exactly the one defect it is named for.
func TestOptions(t *testing.T) {
	for _, tc := range []struct {
		defect tm.Defect
		option func(*markcert.Verifier)
		pass   bool // with the option
	}{
		{tm.ExtraKeyPurpose, func(v *markcert.Verifier) { v.AllowOtherKeyPurposes = true }, true},
		{tm.ServerKeyPurpose, func(v *markcert.Verifier) { v.AllowOtherKeyPurposes = true }, false},
		{tm.AnyKeyPurpose, func(v *markcert.Verifier) { v.AllowOtherKeyPurposes = true }, false},
		{tm.LogoUncompressed, func(v *markcert.Verifier) { v.AllowUncompressedIndicator = true }, true},
		{tm.LogoTruncated, func(v *markcert.Verifier) { v.AllowUncompressedIndicator = true }, false},
		{tm.LongLifetime, func(v *markcert.Verifier) { v.RejectLongLifetime = true }, false},
		{tm.NoPolicy, func(v *markcert.Verifier) { v.RequirePolicies = true }, false},
		{tm.HashSHA1, func(v *markcert.Verifier) { v.RejectSHA1 = true }, false},
	} {
		r := verify(t, issue(t, tm.Spec{}, tc.defect), tc.option)
		require.Equal(t, tc.pass, r.Err == nil, "%s: %v", tc.defect, r.Err)
	}
}
