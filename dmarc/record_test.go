package dmarc

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

const rua = "; rua=mailto:d@bank.example"

// kinds lists a record's diagnostics.
func kinds(r Record) string {
	var out []string
	for _, d := range r.Diagnostics() {
		out = append(out, d.String())
	}
	return strings.Join(out, ", ")
}

func TestParseRecord(t *testing.T) {
	for _, c := range []struct {
		id, in, want, diag string
		err                error
	}{
		{"DMA-01", "v=DMARC1; p=reject; p=none", "", "", ErrDuplicateTag},
		{"DMA-01 any case", "v=DMARC1; p=reject; P=none", "", "", ErrDuplicateTag},
		{"DMA-01 unknown", "v=DMARC1; p=reject; zz=1; zz=2", "", "", ErrDuplicateTag},
		{"DMA-01 broken", "v=DMARC1; p=reject; p=\x00", "", "", ErrDuplicateTag},
		{"DMA-01 version", "v=DMARC1; p=reject; v=DMARC1", "", "", ErrDuplicateTag},
		{"DMA-07 sp", "v=DMARC1; p=reject; sp=junk", "", "", ErrPolicy},
		{"DMA-07 np", "v=DMARC1; p=reject; np=junk", "", "", ErrPolicy},
		{"DMA-07 p", "v=DMARC1; p=junk", "", "", ErrPolicy},
		{"DMA-07 empty", "v=DMARC1; p=", "", "", ErrPolicy},
		{"DMA-07 sp with rua", "v=DMARC1; p=reject; sp=junk; np=reject; adkim=s" + rua, "v=DMARC1; p=none; adkim=s" + rua, "bad_value sp, bad_policy sp", nil},
		{"DMA-07 p with rua", "v=DMARC1; p=junk; sp=reject" + rua, "v=DMARC1; p=none" + rua, "bad_value p, bad_policy p", nil},
		{"DMA-07 rua without URI", "v=DMARC1; p=junk; rua=d@bank.example", "", "", ErrPolicy},
		{"DMA-07 ruf does not count", "v=DMARC1; p=junk; ruf=mailto:d@bank.example", "", "", ErrPolicy},
		{"DMA-08 adkim", "v=DMARC1; p=reject; adkim=x", "v=DMARC1; p=reject", "bad_value adkim", nil},
		{"DMA-08 pct", "v=DMARC1; p=reject; pct=abc", "v=DMARC1; p=reject", "bad_value pct", nil},
		{"DMA-08 fo", "v=DMARC1; p=reject; ruf=mailto:d@bank.example; fo=9", "v=DMARC1; p=reject; ruf=mailto:d@bank.example", "bad_value fo", nil},
		{"DMA-08 junk", "v=DMARC1; p=reject; foo", "v=DMARC1; p=reject", "junk", nil},
		{"DMA-08 empty", "v=DMARC1;; p=reject;;", "v=DMARC1; p=reject", "", nil},
		{"DMA-08 first empty", "v=DMARC1;;;p=reject", "v=DMARC1; p=reject", "", nil},
		{"DMA-09", "v=DMARC1; p=reject; pct=0", "v=DMARC1; p=reject; pct=0", "historic_tag pct", nil},
		{"DMA-10", "v=DMARC1; p=reject; t=y", "v=DMARC1; p=reject; t=y", "", nil},
		{"DMA-11 NUL", "v=DMARC1; p=reject\x00", "", "", ErrPolicy},
		{"DMA-11 CRLF", "v=DMARC1; p=reject\r\nX: y", "", "", ErrPolicy},
		{"DMA-11 fold", "v=DMARC1;\r\n p=reject", "", "", ErrPolicy},
		{"DMA-11 no-break space", "v=DMARC1;\u00a0p=reject", "", "", ErrPolicy},
		{"DMA-11 with rua", "v=DMARC1; p=reject\x00" + rua, "v=DMARC1; p=none" + rua, "bad_value p, bad_policy p", nil},
		{"DMA-11 no-break space with rua", "v=DMARC1;\u00a0p=reject" + rua, "v=DMARC1; p=none" + rua, "junk, bad_policy p", nil},
		{"DMA-11 elsewhere", "v=DMARC1; p=reject; adkim=s\x07", "v=DMARC1; p=reject", "bad_value adkim", nil},

		{"version missing", "p=reject", "", "", ErrNotDMARC},
		{"version empty", "", "", "", ErrNotDMARC},
		{"version second", "p=reject; v=DMARC1", "", "", ErrNotDMARC},
		{"version case", "v=dmarc1; p=reject", "", "", ErrNotDMARC},
		{"version 2", "v=DMARC2; p=reject", "", "", ErrNotDMARC},
		{"version longer", "v=DMARC10; p=reject", "", "", ErrNotDMARC},
		{"version without semicolon", "v=DMARC1 p=reject", "", "", ErrNotDMARC},
		{"blank first", " v=DMARC1; p=reject", "", "", ErrNotDMARC},
		{"SPF", "v=spf1 -all", "", "", ErrNotDMARC},
		{"version tag case", "V=DMARC1; p=reject", "v=DMARC1; p=reject", "", nil},
		{"version blanks", "v\t= DMARC1 ; p = reject ", "v=DMARC1; p=reject", "", nil},
		{"no blanks", "v=DMARC1;p=reject", "v=DMARC1; p=reject", "", nil},
		{"only version", "v=DMARC1", "v=DMARC1; p=none", "missing_policy p", nil},
		{"p missing", "v=DMARC1; sp=reject", "v=DMARC1; p=none; sp=reject", "missing_policy p", nil},
		{"p last", "v=DMARC1; sp=none; np=quarantine; p=reject", "v=DMARC1; p=reject; sp=none; np=quarantine", "", nil},
		{"case", "v=DMARC1; P=REJECT; Sp=None; ADKIM=S; T=Y; PSD=N", "v=DMARC1; p=reject; sp=none; adkim=s; t=y; psd=n", "", nil},
		{"all", "v=DMARC1; p=none; rf=afrf; ri=3600; pct=100; ruf=mailto:f@a.example; rua=mailto:a@a.example; fo=0:d:s; psd=u; t=n; aspf=r; adkim=r; np=none; sp=none",
			"v=DMARC1; p=none; sp=none; np=none; adkim=r; aspf=r; t=n; psd=u; fo=0:d:s; rua=mailto:a@a.example; ruf=mailto:f@a.example; pct=100; rf=afrf; ri=3600",
			"historic_tag rf, historic_tag ri, historic_tag pct", nil},
		{"unknown tag", "v=DMARC1; p=none; foo=bar", "v=DMARC1; p=none", "unknown_tag foo", nil},
		{"unknown tag, long", "v=DMARC1; p=none; abcdefghijklmnopq=bar", "v=DMARC1; p=none", "unknown_tag", nil},
		{"tag with digit", "v=DMARC1; p=none; p1=reject", "v=DMARC1; p=none", "junk", nil},
		{"fo without ruf", "v=DMARC1; p=none; fo=1", "v=DMARC1; p=none", "ignored_tag fo", nil},
		{"fo with a bad ruf", "v=DMARC1; p=none; fo=1; ruf=x", "v=DMARC1; p=none", "bad_uri ruf, bad_value ruf, ignored_tag fo", nil},
		{"fo 0 and 1", "v=DMARC1; p=none; ruf=mailto:f@a.example; fo=0:1", "v=DMARC1; p=none; ruf=mailto:f@a.example", "bad_value fo", nil},
		{"fo twice", "v=DMARC1; p=none; ruf=mailto:f@a.example; fo=d:d", "v=DMARC1; p=none; ruf=mailto:f@a.example", "bad_value fo", nil},
		{"fo blanks", "v=DMARC1; p=none; ruf=mailto:f@a.example; fo=1 : d", "v=DMARC1; p=none; ruf=mailto:f@a.example", "bad_value fo", nil},
		{"fo any order", "v=DMARC1; p=none; ruf=mailto:f@a.example; fo=S:1:D", "v=DMARC1; p=none; fo=s:1:d; ruf=mailto:f@a.example", "", nil},
		{"psd", "v=DMARC1; p=none; psd=maybe", "v=DMARC1; p=none", "bad_value psd", nil},
		{"t", "v=DMARC1; p=none; t=1", "v=DMARC1; p=none", "bad_value t", nil},
		{"pct over", "v=DMARC1; p=none; pct=101", "v=DMARC1; p=none", "bad_value pct", nil},
		{"pct negative", "v=DMARC1; p=none; pct=-1", "v=DMARC1; p=none", "bad_value pct", nil},
		{"ri huge", "v=DMARC1; p=none; ri=99999999999999999999", "v=DMARC1; p=none", "bad_value ri", nil},
		{"rf list", "v=DMARC1; p=none; rf=AFRF : afrf", "v=DMARC1; p=none; rf=afrf:afrf", "historic_tag rf", nil},
		{"rf other", "v=DMARC1; p=none; rf=iodef", "v=DMARC1; p=none", "bad_value rf", nil},
		{"tab in value", "v=DMARC1; p=none; adkim=\ts\t", "v=DMARC1; p=none; adkim=s", "", nil},
		{"8-bit value", "v=DMARC1; p=none; adkim=\u00e9", "v=DMARC1; p=none", "bad_value adkim", nil},
	} {
		t.Run(c.id, func(t *testing.T) {
			r, err := ParseRecord(c.in)
			require.ErrorIs(t, err, c.err)
			if c.err != nil {
				require.Equal(t, Record{}, r)
				require.True(t, r.IsZero())
				require.Empty(t, r.String())
				return
			}
			require.Equal(t, c.want, r.String())
			require.Equal(t, c.diag, kinds(r))
			require.Equal(t, c.in, r.Raw())
		})
	}
}

func TestRecordDefaults(t *testing.T) {
	r, err := ParseRecord("v=DMARC1; p=reject")
	require.NoError(t, err)
	require.Equal(t, Record{P: PolicyReject, ADKIM: Relaxed, ASPF: Relaxed, PSD: PSDUnknown, Pct: -1, RI: -1,
		raw: "v=DMARC1; p=reject", tags: tagP}, r)
	require.Equal(t, PolicyReject, r.Subdomain())
	require.Equal(t, PolicyReject, r.Nonexistent())
	r, err = ParseRecord("v=DMARC1; p=reject; sp=none; ruf=mailto:f@a.example")
	require.NoError(t, err)
	require.Equal(t, PolicyNone, r.Subdomain())
	require.Equal(t, PolicyNone, r.Nonexistent())
	require.Equal(t, "0", r.FO)
	_, ok := r.Tag("fo")
	require.False(t, ok, "a default is no tag")
	v, ok := r.Tag("sp")
	require.True(t, ok)
	require.Equal(t, "none", v)
}

func TestTesting(t *testing.T) {
	require.Equal(t, PolicyQuarantine, PolicyReject.Testing())
	require.Equal(t, PolicyNone, PolicyQuarantine.Testing())
	require.Equal(t, PolicyNone, PolicyNone.Testing())
	require.Equal(t, Policy(""), Policy("").Testing())
}

func TestRecordLimits(t *testing.T) {
	record := func(n int) string { return "v=DMARC1; p=none; x=" + strings.Repeat("a", n-20) }
	_, err := ParseRecord(record(MaxRecordLength))
	require.NoError(t, err)
	_, err = ParseRecord(record(MaxRecordLength + 1))
	require.ErrorIs(t, err, ErrRecordLimit)

	tags := func(n int) string {
		var b strings.Builder
		b.WriteString("v=DMARC1")
		for i := range n - 1 {
			b.WriteString(";" + strings.Repeat("x", i+1) + "=1")
		}
		return b.String()
	}
	_, err = ParseRecord(tags(MaxTags))
	require.NoError(t, err)
	_, err = ParseRecord(tags(MaxTags + 1))
	require.ErrorIs(t, err, ErrRecordLimit)
	_, err = ParseRecord("v=DMARC1" + strings.Repeat(";x", MaxTags))
	require.ErrorIs(t, err, ErrRecordLimit)
	_, err = ParseRecord("v=DMARC1" + strings.Repeat(";", 10000) + "p=none")
	require.NoError(t, err)

	uris := func(n int) string {
		return "v=DMARC1; p=none; rua=" + strings.Repeat("mailto:a@b.example,", n-1) + "mailto:a@b.example"
	}
	r, err := ParseRecord(uris(MaxURIs))
	require.NoError(t, err)
	require.Len(t, r.RUA, MaxURIs)
	require.Empty(t, kinds(r))
	r, err = ParseRecord(uris(MaxURIs + 1))
	require.NoError(t, err)
	require.Len(t, r.RUA, MaxURIs)
	require.Equal(t, "too_many_uris rua", kinds(r))
	r, err = ParseRecord("v=DMARC1; p=none; rua=" + strings.Repeat(",", 10000))
	require.NoError(t, err)
	require.Equal(t, "bad_uri rua, bad_value rua", kinds(r))
}

func TestParseURI(t *testing.T) {
	long := "https://a.example/" + strings.Repeat("x", maxURILength)
	for _, c := range []struct {
		id, in, address string
		size            int64
		ok              bool
	}{
		{"plain", "mailto:a@x.example", "a@x.example", 0, true},
		{"REP-11 header field", "mailto:a@x.example?bcc=b@y.example", "", 0, false},
		{"REP-11 two addresses", "mailto:a@x.example,b@y.example", "", 0, false},
		{"REP-11 two addresses encoded", "mailto:a@x.example%2cb@y.example", "", 0, false},
		{"REP-11 CRLF", "mailto:a%0d%0aRCPT TO:<b@y>@x.example", "", 0, false},
		{"REP-11 CRLF encoded", "mailto:a%0d%0aRCPT%20TO:%3cb@y.example%3e@x.example", "", 0, false},
		{"REP-11 CRLF in quotes", "mailto:%22a%0d%0a%20b%22@x.example", "", 0, false},
		{"REP-11 size", "mailto:a@x.example!10m", "a@x.example", 10 << 20, true},
		{"REP-11 empty", "mailto:", "", 0, false},
		{"REP-11 upper case", "MAILTO:a@x.example", "a@x.example", 0, true},
		{"REP-11 long", long, "", 0, false},
		{"REP-11 limit", long[:maxURILength], "", 0, true},
		{"REP-11 https", "https://x.example/report", "", 0, true},
		{"percent", "mailto:a%21b@x.example", "a!b@x.example", 0, true},
		{"percent in domain", "mailto:a@%78.example", "a@x.example", 0, true},
		{"percent, broken", "mailto:a%2@x.example", "", 0, false},
		{"percent, not ASCII", "mailto:%c3%a9@x.example", "", 0, false},
		{"fragment", "mailto:a@x.example#b", "", 0, false},
		{"authority", "mailto://x.example", "", 0, false},
		{"REP-11 authority with an address", "mailto://a@x.example", "", 0, false},
		{"slash", "mailto:a/b@x.example", "", 0, false},
		{"slash, encoded", "mailto:a%2Fb@x.example", "a/b@x.example", 0, true},
		{"literal", "mailto:a@[192.0.2.1]", "", 0, false},
		{"no scheme", "a@x.example", "", 0, false},
		{"empty", "", "", 0, false},
		{"scheme alone", "https:", "", 0, false},
		{"scheme with blank", "mail to:a@x.example", "", 0, false},
		{"digit first", "1x:y", "", 0, false},
		{"blank", "mailto:a@x.example ", "", 0, false},
		{"8-bit", "mailto:\u00e9@x.example", "", 0, false},
		{"size without number", "mailto:a@x.example!", "", 0, false},
		{"size, unit alone", "mailto:a@x.example!m", "", 0, false},
		{"size, blank", "mailto:a@x.example!10 k", "", 0, false},
		{"size, other unit", "mailto:a@x.example!10p", "", 0, false},
		{"size twice", "mailto:a@x.example!10!10", "", 0, false},
		{"size in octets", "mailto:a@x.example!10", "a@x.example", 10, true},
		{"size upper", "mailto:a@x.example!2G", "a@x.example", 2 << 30, true},
		{"size t", "mailto:a@x.example!1t", "a@x.example", 1 << 40, true},
		{"size beyond", "mailto:a@x.example!99999999999999999999999t", "a@x.example", math.MaxInt64, true},
		{"size shifted beyond", "mailto:a@x.example!9007199254740993k", "a@x.example", math.MaxInt64, true},
	} {
		t.Run(c.id, func(t *testing.T) {
			u, err := ParseURI(c.in)
			if !c.ok {
				require.ErrorIs(t, err, ErrURI)
				require.Zero(t, u)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.address, u.Address)
			require.Equal(t, c.size, u.MaxSize)
			if c.address != "" {
				require.Equal(t, "mailto", u.Scheme)
				require.Equal(t, "x.example", u.Host)
			}
		})
	}
}

func TestErrorCodes(t *testing.T) {
	for _, e := range []Error{ErrFromMissing, ErrFromRepeated, ErrFromHidden, ErrFromSyntax, ErrFromEmpty, ErrFromDomain,
		ErrFromLimit, ErrFromDomains, ErrNoAuthor, ErrNotDMARC, ErrDuplicateTag, ErrRecordLimit, ErrPolicy, ErrURI, ErrNoRecord,
		ErrNotAuthenticated, ErrNotAligned, ErrDNS, ErrIdentifier, ErrBudget, ErrDomain} {
		require.True(t, strings.HasPrefix(e.Code(), "Err"), e)
		require.NotEmpty(t, e.Error())
	}
	require.Empty(t, Error("else").Code())
}

// FuzzRecord is F12: what was read is printed and read to the same, without anything
// left to discard, and no address of it holds a line end.
func FuzzRecord(f *testing.F) {
	a := alphabet.DMARC()
	for _, s := range testcase.Excerpts("v=DMARC1", "dmarc", "*", "cases.json") {
		a.Seed(f.Add, s)
	}
	for _, s := range []string{
		"v=DMARC1; p=reject; sp=none; np=quarantine; adkim=s; aspf=r; t=y; psd=n; fo=1:d; rua=mailto:a@b.example!10m, https://x.example/; ruf=mailto:c@d.example; pct=50; rf=afrf; ri=86400",
		"v=DMARC1; p=junk; rua=mailto:a@b.example", "v=DMARC1;\u00a0p=reject", "v=DMARC1; p=reject\r\nX: y",
		"v=DMARC1; p=none; fo=0:1", "v = DMARC1 ;; P = Reject", "v=DMARC1; foo; p=none; p=none", "v=DMARC1; p=reject\x00", "v=DMARC1; p=reject; pct=0", "v=DMARC1; p=reject; sp=junk",
		"v=DMARC1; adkim=x; pct=abc; fo=9; foo;; p=reject", "v=DMARC1; p=none; rua=mailto:a%0d%0aRCPT TO:<b@y>@x, mailto:a@x!10m, MAILTO:a@x?bcc=b@y",
	} {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		s := a.Text(data, folded)
		r, err := ParseRecord(s)
		if err != nil {
			require.Equal(t, Record{}, r)
			return
		}
		require.True(t, isRecord(s))
		require.Contains(t, []Policy{PolicyNone, PolicyQuarantine, PolicyReject}, r.P)
		require.LessOrEqual(t, len(r.RUA), MaxURIs)
		for _, u := range append(r.RUA, r.RUF...) {
			require.NotContains(t, u.Address, "\r")
			require.NotContains(t, u.Address, "\n")
		}
		// Format and parse are each other's inverse, and what is printed needs no discarding.
		canonical := r.String()
		again, err := ParseRecord(canonical)
		require.NoError(t, err, canonical)
		require.Equal(t, canonical, again.String())
		for _, d := range again.Diagnostics() {
			require.Equal(t, HistoricTag, d.Kind, canonical)
		}
		r.raw, r.diag, again.raw, again.diag = "", nil, "", nil
		r.tags |= tagP
		require.Equal(t, r, again)
	})
}
