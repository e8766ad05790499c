package bimi

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/dmarc"
)

// TestEligible has the items A1 to A16 of the checklist, beyond the public cases.
func TestEligible(t *testing.T) {
	const reject = "v=DMARC1; p=reject"
	for name, c := range map[string]gateCase{
		"A1 empty group":                   {org: reject, header: "From: a@example.com:;\r\n", want: Skipped, err: ErrAuthor},
		"A2 domains are DMARC's":           {org: reject, message: func(m *Message) { m.DMARC.Domain = "other.example" }, want: Skipped, err: ErrDMARC},
		"A3 fail":                          {org: reject, message: func(m *Message) { m.DMARC.Status = authres.Fail }, want: Skipped, err: ErrDMARC},
		"A3 none":                          {org: reject, message: func(m *Message) { m.DMARC.Status = authres.None }, want: Skipped, err: ErrDMARC},
		"A3 permerror":                     {org: reject, message: func(m *Message) { m.DMARC.Status = authres.PermError }, want: Skipped, err: ErrDMARC},
		"A3 no status":                     {org: reject, message: func(m *Message) { m.DMARC.Status = "" }, want: Skipped, err: ErrDMARC},
		"A3 override keeps the policy":     {org: "v=DMARC1; p=none", message: func(m *Message) { m.Override = "list" }, want: Skipped, err: ErrPolicy},
		"A4 author":                        {org: "v=DMARC1; p=none", want: Skipped, err: ErrPolicy},
		"A4 organizational (13)":           {author: "sub.example.com", org: "v=DMARC1; p=none", sub: reject, want: Skipped, err: ErrPolicy},
		"A5 organizational sp=none":        {author: "sub.example.com", org: reject + "; sp=none", sub: reject, want: Skipped, err: ErrPolicy},
		"A6 quarantine":                    {org: "v=DMARC1; p=quarantine", want: Pass},
		"A6 quarantine pct=100":            {org: "v=DMARC1; p=quarantine; PCT=100", want: Pass},
		"A6 quarantine in effect":          {author: "sub.example.com", org: reject + "; sp=quarantine; pct=50", want: Skipped, err: ErrPct},
		"A7 reject pct=50":                 {org: reject + "; pct=50", want: Pass},
		"A8 quarantine t=y (10)":           {org: "v=DMARC1; p=quarantine; t=y", v: Verifier{TestModeAsLowered: true}, want: Skipped, err: ErrTestMode},
		"A8 t=y of the organization":       {author: "sub.example.com", org: reject + "; t=y", sub: reject, want: Skipped, err: ErrTestMode},
		"A9 np=none not in effect (11)":    {org: reject + "; np=none", want: Pass},
		"A9 StrictNP":                      {org: reject + "; np=none", v: Verifier{StrictNP: true}, want: Skipped, err: ErrPolicy},
		"A10 policy of a suffix only (12)": {org: reject, message: func(m *Message) { m.DMARC.OrganizationalRecord = dmarc.Record{} }, want: Skipped, err: ErrNoPolicy},
		"A11 no valid p, with rua":         {org: "v=DMARC1; p=junk; rua=mailto:a@example.com", want: Skipped, err: ErrPolicy},
		"A12 organizational domain unknown": {org: reject, message: func(m *Message) { m.DMARC.OrganizationalDomain = "" },
			want: TempError, err: ErrDMARCUnknown},
		"A13 SPF only":           {org: reject, message: spfOnly, want: Pass},
		"A14 body in part":       {org: reject, message: func(m *Message) { m.Signatures[0].PartialBody = true }, want: Pass},
		"A15 veto":               {org: reject, v: Verifier{Veto: func(context.Context, *Message) error { return errors.New("listed") }}, want: Skipped, err: ErrVeto},
		"A15 veto without veto":  {org: reject, v: Verifier{Veto: func(context.Context, *Message) error { return nil }}, want: Pass},
		"third-party signature":  {org: reject, message: func(m *Message) { m.Signatures[0].Domain = "esp.example" }, want: Skipped, err: ErrCoverage},
		"failed signature":       {org: reject, message: func(m *Message) { m.Signatures[0].Status = authres.Fail }, want: Skipped, err: ErrCoverage},
		"BIM-04 second instance": {org: reject, message: func(m *Message) { m.Signatures[0].PartialHeader = true }, want: Skipped, err: ErrCoverage, relaxed: &Verifier{AllowPartialCoverage: true}},
		"BIM-04 testing key":     {org: reject, message: func(m *Message) { m.Signatures[0].Testing = true }, want: Skipped, err: ErrCoverage, relaxed: &Verifier{AllowPartialCoverage: true}},
		"BIM-04 with SPF":        {org: reject, message: func(m *Message) { m.Signatures[0].Testing, m.DMARC.SPFAligned = true, true }, want: Pass},
		"BIM-04 with SPF, RequireDKIM": {org: reject, message: func(m *Message) { m.Signatures[0].Testing, m.DMARC.SPFAligned = true, true },
			v: Verifier{RequireDKIM: true}, want: Skipped, err: ErrCoverage},
	} {
		t.Run(name, c.check)
	}
	// A16: that nothing is asked before is TestNothingForTheIneligible.
}

// TestSelector has the items B1 to B7, and row BIM-06 of the threat matrix.
func TestSelector(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"B1", "v=BIMI1; s=brand", "brand"},
		{"B1 v not first", "s=brand; v=BIMI1", ""},
		{"B1 no v", "s=brand", ""},
		{"B1 no s", "v=BIMI1", ""},
		{"B1 empty s", "v=BIMI1; s=", ""},
		{"B2 dots", "v=BIMI1; s=a.b", "a.b"},
		{"B2 digits", "v=BIMI1; s=2026", "2026"},
		{"B2 63", "v=BIMI1; s=" + strings.Repeat("a", 63), strings.Repeat("a", 63)},
		{"B2 64", "v=BIMI1; s=" + strings.Repeat("a", 64), ""},
		{"B2 hyphen at the end", "v=BIMI1; s=a-", ""},
		{"B2 final dot", "v=BIMI1; s=a.", ""},
		{"B2 U-label", "v=BIMI1; s=b\u00fccher", ""},
		{"B3", "V=bimi1; S=Brand", "brand"},
		{"B7 folded", "v=BIMI1;\r\n s=brand\r\n ", "brand"},
		{"B7 duplicate in another case", "v=BIMI1; s=a; S=b", ""},
		{"B7 unknown tag", "v=BIMI1; x=y; s=a", "a"},
		{"B7 comment", "v=BIMI1 (x); s=a", ""},
		{"B7 quotes", "v=BIMI1; s=\"a\"", ""},
		{"BIM-06 NUL", "v=BIMI1; s=x.attack.example.\x00", ""},
		{"BIM-06 star", "v=BIMI1; s=*", ""},
		{"BIM-06 dots", "v=BIMI1; s=..", ""},
		{"BIM-06 slash", "v=BIMI1; s=a/b", ""},
		{"BIM-06 underscore", "v=BIMI1; s=_dmarc", ""},
		{"BIM-06 bare CR", "v=BIMI1; s=a\rb", ""},
		{"too long", "v=BIMI1; s=a; x=" + strings.Repeat("y", MaxRecordLength), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseSelector(tt.value)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.want == "", err != nil)
		})
	}
	good := "BIMI-Selector: v=BIMI1; s=brand\r\n"
	var v Verifier
	check := func(name, want string, err error, m *Message) {
		t.Run(name, func(t *testing.T) {
			got, gotErr := v.Selector(m)
			require.Equal(t, want, got)
			require.ErrorIs(t, gotErr, err)
		})
	}
	check("no field", "default", nil, eligible(t, "", signed()))
	check("no header", "default", nil, &Message{})
	check("B4 covered", "brand", nil, eligible(t, good, signed(0)))
	check("B4 another field covered", "default", ErrSelectorUnsigned, eligible(t, good, signed(1)))
	bad := signed(0)
	bad.Status = authres.Fail
	check("B4 covered by a failed signature", "default", ErrSelectorUnsigned, eligible(t, good, bad))
	other := signed(0)
	other.Domain = "esp.example"
	check("B4 covered by a third party", "default", ErrSelectorUnsigned, eligible(t, good, signed(), other))
	sub := signed(0)
	sub.Domain = "news.example.com"
	check("B4 covered by the organization, relaxed", "brand", nil, eligible(t, good, sub))
	m := eligible(t, good, signed())
	m.ARC = covers{0: true}
	check("B5 covered by a trusted chain", "brand", nil, m)
	check("B6 BIM-06 two fields", "", ErrSelectorRepeated, eligible(t, good+good, signed(0, 1)))
	v.AllowUnderscoreSelector = true
	check("underscore allowed", "a_b", nil, eligible(t, "BIMI-Selector: v=BIMI1; s=a_b\r\n", signed(0)))

	long := strings.Repeat("a.", 116)
	fits := mail(t, zone("v=DMARC1; p=reject"), "example.com", "BIMI-Selector: v=BIMI1; s="+long+strings.Repeat("b", 3)+"\r\n", signed(0))
	check("B2 name of 253", long+"bbb", nil, fits)
	over := mail(t, zone("v=DMARC1; p=reject"), "example.com", "BIMI-Selector: v=BIMI1; s="+long+strings.Repeat("b", 4)+"\r\n", signed(0))
	check("B2 name of 254", "default", ErrSelectorName, over)
}

// TestSelectorDecidesNothingUnsigned: row BIM-06 to its end: an unsigned field asks
// for the default record, two fields fail without a question.
func TestSelectorDecidesNothingUnsigned(t *testing.T) {
	w := newWorld(t, markcerttest.Spec{})
	w.header = "BIMI-Selector: v=BIMI1; s=evil\r\n"
	r := w.verify(t)
	require.Equal(t, Pass, r.Status)
	require.Equal(t, []string{"TXT default._bimi.example.com."}, r.Queries)
	require.ErrorIs(t, r.SelectorErr, ErrSelectorUnsigned)
	w.header += w.header
	r = w.verify(t)
	require.Equal(t, Fail, r.Status)
	require.Equal(t, "ErrSelectorRepeated", r.Code())
	require.Empty(t, r.Queries)
}

// TestDiscover has the items C1 to C10 and D1 to D9.
func TestDiscover(t *testing.T) {
	const ok = "v=BIMI1; l=https://example.com/a.svg"
	a, org := "default._bimi.sub.example.com", "default._bimi.example.com"
	for name, c := range map[string]discoveryCase{
		"C1 selector":                   {"example.com", "brand", "", map[string]string{"brand._bimi.example.com": ok}, Pass, nil, "example.com", 1},
		"C3 other texts":                {"example.com", "", "", map[string]string{org: "v=spf1 -all|" + ok + "|junk"}, Pass, nil, "example.com", 1},
		"C3 only other texts":           {"sub.example.com", "", "example.com", map[string]string{a: "v=spf1 -all", org: ok}, Pass, nil, "example.com", 2},
		"C5 no fallback to default (5)": {"example.com", "brand", "", map[string]string{org: ok}, None, ErrNoRecord, "", 1},
		"C5 same selector":              {"sub.example.com", "brand", "example.com", map[string]string{"brand._bimi.example.com": ok}, Pass, nil, "example.com", 2},
		"C7 several, no fallback":       {"sub.example.com", "", "example.com", map[string]string{a: ok + "|" + ok, org: ok}, Fail, ErrSeveralRecords, "sub.example.com", 1},
		"C8 at the organization":        {"sub.example.com", "", "example.com", map[string]string{org: "servfail"}, TempError, ErrDNS, "", 2},
		"C9 one question":               {"example.com", "", "example.com", map[string]string{}, None, ErrNoRecord, "", 1},
		"C9 A-labels":                   {"xn--bcher-kva.example", "", "", map[string]string{"default._bimi.xn--bcher-kva.example": ok}, Pass, nil, "xn--bcher-kva.example", 1},
		"C10 declination ends it":       {"sub.example.com", "", "example.com", map[string]string{a: "v=BIMI1; l=;", org: ok}, Declined, ErrDeclined, "sub.example.com", 1},
		"C10 malformed ends it":         {"sub.example.com", "", "example.com", map[string]string{a: "v=BIMI1; l=ftp", org: ok}, Fail, ErrLocation, "sub.example.com", 1},
		"organization that is none":     {"sub.example.com", "", "other.example", map[string]string{"default._bimi.other.example": ok}, None, ErrNoRecord, "", 1},
		"BIM-07 lower case (1)":         {"example.com", "", "", map[string]string{org: "v=bimi1; l=https://example.com/a.svg"}, None, ErrNoRecord, "", 1},
		"BIM-07 v not first":            {"example.com", "", "", map[string]string{org: "l=https://example.com/a.svg; v=BIMI1"}, None, ErrNoRecord, "", 1},
		"BIM-07 two records (8)":        {"example.com", "", "", map[string]string{org: ok + "|" + ok}, Fail, ErrSeveralRecords, "example.com", 1},
		"BIM-07 duplicate l":            {"example.com", "", "", map[string]string{org: ok + "; l=https://example.com/b.svg"}, Fail, ErrDuplicateTag, "example.com", 1},
		"BIM-07 declination":            {"example.com", "", "", map[string]string{org: "v=BIMI1; l=; a="}, Declined, ErrDeclined, "example.com", 1},
		"BIM-07 unknown tag":            {"example.com", "", "", map[string]string{org: ok + "; x=y"}, Pass, nil, "example.com", 1},
		"not a domain":                  {"a..b", "", "", nil, Fail, ErrAuthor, "", 0},
	} {
		t.Run(name, c.check)
	}
	t.Run("8 SeveralRecordsNone", func(t *testing.T) {
		v := Verifier{SeveralRecordsNone: true, Resolver: records(t, map[string]string{org: ok + "|" + ok})}
		require.Equal(t, None, v.Discover(context.Background(), Author{Domain: "example.com"}).Status)
	})
	t.Run("1 VersionCaseInsensitive", func(t *testing.T) {
		v := Verifier{Resolver: records(t, map[string]string{org: "v=bimi1; l=https://example.com/a.svg"})}
		v.Record.VersionCaseInsensitive = true
		require.Equal(t, Pass, v.Discover(context.Background(), Author{Domain: "example.com"}).Status)
	})
	t.Run("D1 D2 D9 by the address of the author", func(t *testing.T) {
		w := newWorld(t, markcerttest.Spec{})
		w.dns["default._bimi.example.com"] += "; lps=new"
		w.dns["news._bimi.example.com"] = "v=BIMI1; l=" + svgURL
		r := w.verify(t) // the author is news@example.com
		require.Equal(t, Pass, r.Status)
		require.Equal(t, "news", r.Selector)
		require.Equal(t, None, r.Authority)
	})
	t.Run("D3 no prefix matches", func(t *testing.T) {
		w := newWorld(t, markcerttest.Spec{})
		w.dns["default._bimi.example.com"] += "; lps=x,newsletter"
		require.Len(t, w.verify(t).Queries, 1)
	})
	t.Run("D4 the name was already asked for", func(t *testing.T) {
		v := Verifier{Resolver: records(t, map[string]string{org: ok + "; lps="})}
		require.Len(t, v.Discover(context.Background(), Author{Domain: "example.com", Local: "Default"}).Queries, 1)
	})
	t.Run("D8 declination of all but one", func(t *testing.T) {
		v := Verifier{Resolver: records(t, map[string]string{org: "v=BIMI1; l=; a=; lps=x-", "x-a._bimi.example.com": ok})}
		require.Equal(t, Pass, v.Discover(context.Background(), Author{Domain: "example.com", Local: "x.a"}).Status)
		require.Equal(t, Declined, v.Discover(context.Background(), Author{Domain: "example.com", Local: "y.a"}).Status)
	})
}

// TestRecordLimits: each limit at it and one past it.
func TestRecordLimits(t *testing.T) {
	text := "v=BIMI1; l=https://example.com/a.svg; x="
	_, err := ParseRecord(text + strings.Repeat("x", MaxRecordLength-len(text)))
	require.NoError(t, err)
	_, err = ParseRecord(text + strings.Repeat("x", MaxRecordLength-len(text)+1))
	require.ErrorIs(t, err, ErrLimit)
	lps := "v=BIMI1; l=https://example.com/a.svg; lps=" + strings.Repeat("a,", MaxPrefixes-1)
	r, err := ParseRecord(lps + "b")
	require.NoError(t, err)
	require.Len(t, r.Prefixes, MaxPrefixes)
	_, err = ParseRecord(lps + "b,c")
	require.ErrorIs(t, err, ErrLimit)
	_, err = ParseRecord("v=BIMI1; l=https://example.com/a.svg; lps=" + strings.Repeat("a", 63))
	require.NoError(t, err)
	_, err = ParseRecord("v=BIMI1; l=https://example.com/a.svg; lps=" + strings.Repeat("a", 64))
	require.ErrorIs(t, err, ErrPrefix)
	var v Verifier
	v.Record.RepairSyntax = true
	_, err = v.Record.Parse("v=BIMI1; l=https://example.com/a.svg; lps=,;")
	require.ErrorIs(t, err, ErrPrefix, "a list of which nothing is left must not match everybody")
}

// TestThreats has row BIM-08: what may not be fetched is not asked for; and BIM-30.
func TestThreats(t *testing.T) {
	for _, url := range []string{
		"http://h.example/x.svg", "HTTPS://u:p@h.example/x.svg", "https://h.example:22/x.svg", "https://[::1]/x.svg", "https://127.0.0.1/x.svg",
		"https://0x7f.1/x.svg", "https://localhost/x.svg", "https://h.example/..%0d%0aX:", "data:image/svg+xml,x", "file:///x.svg",
		"https://h.example/" + strings.Repeat("x", 3<<10), "https://b\u00fccher.example/x.svg", "https://a.internal/x.svg", "https://h.example\\@evil.example/x.svg",
	} {
		for _, tag := range []string{"l=", "a="} {
			t.Run("BIM-08/"+tag+url[:min(len(url), 30)], func(t *testing.T) {
				w := newWorld(t, markcerttest.Spec{})
				record := "v=BIMI1; l=" + url
				if tag == "a=" {
					record = "v=BIMI1; l=" + svgURL + "; a=" + url
				}
				w.dns["default._bimi.example.com"] = record
				r := w.verify(t)
				require.Equal(t, Fail, r.Status, "%v", r.Err)
				require.Empty(t, w.web.asked)
			})
		}
	}
	t.Run("BIM-30", func(t *testing.T) {
		w := newWorld(t, markcerttest.Spec{})
		w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL
		r := w.verify(t)
		require.Equal(t, []string{"example.com " + svgURL}, w.web.asked, "one request, under the domain that names the URL")
		require.Equal(t, w.web.files[svgURL], r.Indicator, "the octets that were validated")
	})
	t.Run("BIM-23", func(t *testing.T) {
		for san, want := range map[string]authres.Status{
			"example.com": Pass, "default._bimi.example.com": Pass, "EXAMPLE.com": Pass, "sub.example.com": Pass,
			"other._bimi.example.com": Fail, "*.example.com": Fail, "other.example": Fail, "com": Fail,
		} {
			w := newWorld(t, markcerttest.Spec{Domains: []string{san}})
			w.from = "sub.example.com"
			require.Equal(t, want, w.verify(t).Status, san)
		}
	})
	t.Run("BIM-25", func(t *testing.T) {
		for defect, want := range map[markcerttest.Defect]authres.Status{
			markcerttest.HashMismatch: Fail, markcerttest.TwoImages: Fail, markcerttest.LogotypeIndirect: Fail, markcerttest.RemoteLogo: Fail, markcerttest.HashSHA1: Pass,
		} {
			w := newWorld(t, markcerttest.Spec{}, defect)
			require.Equal(t, want, w.verify(t).Status, defect.String())
			for _, asked := range w.web.asked {
				require.True(t, asked == "example.com "+pemURL || strings.Contains(asked, "crl.example.com"), asked)
			}
		}
	})
}

// TestCodes: every constant has a name, and a text of its own.
func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	for e, name := range codes() {
		require.Equal(t, name, e.Code())
		require.False(t, seen[name], name)
		seen[name] = true
		require.NotEmpty(t, e.Error())
	}
	require.Len(t, codes(), len(seen))
	require.Empty(t, Error("x").Code())
}
