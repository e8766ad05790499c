package markcert_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

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
		item := "M3 "
		if tc.matched == "" {
			item = "M4 "
		}
		t.Run(item+tc.name, func(t *testing.T) {
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

// TestSubject: every attribute lands in its field, the first of a kind counts.
func TestSubject(t *testing.T) {
	attribute := func(last ...int) asn1.ObjectIdentifier {
		return append(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087}, last...)
	}
	var attributes []pkix.AttributeTypeAndValue
	for _, a := range []asn1.ObjectIdentifier{attribute(1, 2), attribute(1, 5), attribute(1, 6), attribute(3, 2), attribute(3, 3),
		attribute(3, 4), attribute(3, 5), attribute(3, 6)} {
		attributes = append(attributes, pkix.AttributeTypeAndValue{Type: a, Value: a.String()},
			pkix.AttributeTypeAndValue{Type: a, Value: "again"})
	}
	r := verify(t, issue(t, tm.Spec{MarkType: "Government Mark", Attributes: attributes}), nil)
	require.NoError(t, r.Err)
	require.Empty(t, r.Findings[1:]) // the first is the note on the media type
	require.Equal(t, markcert.Subject{
		Organization: "Example Inc.", CommonName: "Example Inc.", Country: "XX",
		TrademarkCountry: "XX", TrademarkID: "1234567",
		TrademarkOffice: "1.3.6.1.4.1.53087.1.2", LegalEntityID: "1.3.6.1.4.1.53087.1.5", WordMark: "1.3.6.1.4.1.53087.1.6",
		StatuteCountry: "1.3.6.1.4.1.53087.3.2", StatuteState: "1.3.6.1.4.1.53087.3.3", StatuteLocality: "1.3.6.1.4.1.53087.3.4",
		StatuteCitation: "1.3.6.1.4.1.53087.3.5", StatuteURL: "1.3.6.1.4.1.53087.3.6",
	}, r.Subject)
}

// TestLegacyMarkType: without a mark type up to the last second of 2023, as a
// Verified Mark Certificate, unless the receiver's list leaves that out.
func TestLegacyMarkType(t *testing.T) {
	now := time.Date(2024, time.February, 1, 0, 0, 0, 0, time.UTC)
	p, err := tm.New(rand.NewChaCha8([32]byte{1}), now)
	require.NoError(t, err)
	at := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		from     time.Time
		accepted []markcert.MarkType
		want     error
	}{
		{at.Add(-time.Second), nil, nil},
		{at, nil, markcert.ErrMarkType},
		{at.Add(-time.Second), markcert.VerifiedMarkTypes(), nil},
		{at.Add(-time.Second), markcert.CommonMarkTypes(), markcert.ErrMarkType},
		{at.Add(-time.Second), []markcert.MarkType{markcert.RegisteredMark}, markcert.ErrMarkType},
	} {
		b, err := p.Issue(tm.Spec{NotBefore: tc.from}, tm.NoMarkType)
		require.NoError(t, err)
		r := verify(t, b, func(v *markcert.Verifier) {
			v.MarkTypes, v.Now = tc.accepted, func() time.Time { return now }
		})
		require.ErrorIs(t, r.Err, tc.want)
		require.Equal(t, markcert.LegacyMark, r.MarkType)
	}
}

// TestExpiryWarning begins thirty days before the end.
func TestExpiryWarning(t *testing.T) {
	b := issue(t, tm.Spec{NotAfter: testTime.Add(30 * 24 * time.Hour)})
	warned := func(d time.Duration) bool {
		r := verify(t, b, func(v *markcert.Verifier) {
			v.Revocation, v.Now = markcert.RevocationOff, func() time.Time { return testTime.Add(d) }
		})
		return hasFinding(r, markcert.Warning, markcert.ErrExpiring)
	}
	require.False(t, warned(0))
	require.True(t, warned(time.Second))
	require.False(t, warned(31*24*time.Hour), "it has expired; that is another finding")
}

// TestConcurrent: one verifier, many calls, one answer.
func TestConcurrent(t *testing.T) {
	b := issue(t, tm.Spec{}, tm.PilotCritical)
	v := strict(t, b)
	v.Intermediates = []*x509.Certificate{b.Intermediate}
	want := v.Verify(t.Context(), b.PEM, exampleCom)
	require.NoError(t, want.Err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				got := v.Verify(t.Context(), b.PEM, exampleCom)
				if got.Err != nil || got.IndicatorSHA256 != want.IndicatorSHA256 || len(got.Findings) != len(want.Findings) {
					t.Errorf("got %v", got.Err)
				}
			}
		})
	}
	wg.Wait()
}

// TestWords: what is printed in logs never is an empty word.
func TestWords(t *testing.T) {
	for s, want := range map[fmt.Stringer]string{
		markcert.Note: "note", markcert.Warning: "warning", markcert.Temporary: "temporary", markcert.Failure: "failure",
		markcert.Severity(9): "severity 9", markcert.Unchecked: "unchecked", markcert.Present: "present",
		markcert.Good: "good", markcert.Bad: "bad", markcert.CheckState(9): "unchecked",
	} {
		require.Equal(t, want, s.String())
	}
	require.Equal(t, "failure: certificate has expired (certificate 2)", markcert.Finding{Severity: markcert.Failure, Code: markcert.ErrExpired, Certificate: 2}.String())
}

// TestDetailsArePrintable: a finding quotes strangers in ASCII, bounded.
func TestDetailsArePrintable(t *testing.T) {
	r := verify(t, issue(t, tm.Spec{MarkType: "\x1b[2J\r\nevil\u202e" + strings.Repeat("x", 1000)}), nil)
	require.ErrorIs(t, r.Err, markcert.ErrMarkType)
	for _, s := range []string{r.Err.Error(), r.Findings[0].String()} {
		require.Less(t, len(s), 400)
		for _, c := range s {
			require.True(t, c >= ' ' && c <= '~', "%q", s)
		}
	}
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
