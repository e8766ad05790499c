package bimi

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// suiteErrors are our errors by the words of the suite.
var suiteErrors = map[string]Error{
	"error:duplicate-tag": ErrDuplicateTag, "error:a-scheme": ErrEvidence, "error:l-missing": ErrLocationMissing,
	"error:l-empty": ErrLocationEmpty, "error:syntax": ErrSyntax, "error:l-not-fqdn": ErrLocation,
	"error:l-userinfo": ErrLocation, "error:l-format": ErrFormat, "error:l-uri": ErrLocation,
	"error:l-scheme": ErrLocation, "error:lps": ErrPrefix, "ignored": ErrNotBIMI,
}

// suiteOtherwise are cases that we answer with another error.
var suiteOtherwise = map[string]Error{
	"r048": ErrSyntax, // the semicolon of the data: URI ends the tag, and what follows is none
}

func suiteRows(t *testing.T) [][]string {
	data, err := os.ReadFile(testcase.Corpora(t, "bimi", "records", "record-cases.tsv"))
	require.NoError(t, err)
	var rows [][]string
	for i, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		f := strings.Split(line, "\t")
		if i == 0 {
			require.Equal(t, []string{"kind", "id", "input", "context", "strict_default", "lenient", "source_or_reason"}, f)
			continue
		}
		require.Len(t, f, 7, line)
		rows = append(rows, f)
	}
	return rows
}

// TestRecordCases runs the table of records, selectors, local-parts, DMARC gates
// and discoveries. What the last two describe in words is in gateCases and
// discoveryCases; a row that is not there fails.
func TestRecordCases(t *testing.T) {
	n := 0
	for _, row := range suiteRows(t) {
		kind, id, input, about, want := row[0], row[1], row[2], row[3], row[4]
		n++
		t.Run(id, func(t *testing.T) {
			switch kind {
			case "record":
				suiteRecord(t, id, input, want, row[5])
			case "selector-header":
				suiteSelector(t, id, input, want)
			case "lps":
				suiteLocalPart(t, id, input, about)
			case "dmarc-gate":
				c, ok := gateCases()[id]
				require.True(t, ok, about)
				c.check(t)
			case "discovery":
				c, ok := discoveryCases()[id]
				require.True(t, ok, about)
				c.check(t)
			default:
				t.Fatal(kind)
			}
		})
	}
	testcase.Ran(t, "bimi/records", n, 99)
}

func suiteRecord(t *testing.T, id, input, want, lenient string) {
	if strings.HasPrefix(input, `"`) {
		input = strings.ReplaceAll(strings.Trim(input, `"`), `" "`, "")
	}
	r, err := ParseRecord(input)
	switch {
	case suiteOtherwise[id] != "":
		require.ErrorIs(t, err, suiteOtherwise[id])
	case want == "declined":
		require.NoError(t, err)
		require.True(t, r.Declined())
	case strings.HasPrefix(want, "ok"):
		require.NoError(t, err)
		require.False(t, r.Declined())
		require.Equal(t, strings.Contains(want, "avp=brand"), r.Preference == Brand)
		if strings.Contains(want, "lps=[brand-]") {
			require.Equal(t, []string{"brand-"}, r.Prefixes)
		}
	default:
		require.NotEmpty(t, suiteErrors[want], want)
		require.ErrorIs(t, err, suiteErrors[want])
		require.True(t, r.IsZero())
	}
	o := RecordOptions{RepairSyntax: true, AllowEvidenceOnly: true}
	_, err = o.Parse(input)
	switch {
	case strings.HasPrefix(lenient, "ok"), lenient == "declined":
		require.NoError(t, err)
	default:
		require.Error(t, err)
	}
}

func suiteSelector(t *testing.T, id, input, want string) {
	switch id {
	case "s019":
		_, err := new(Verifier).Selector(eligible(t, "BIMI-Selector: v=BIMI1; s=a\r\nBIMI-Selector: v=BIMI1; s=b\r\n", signed(0, 1)))
		require.ErrorIs(t, err, ErrSelectorRepeated)
		s, _ := (&Verifier{IgnoreRepeatedSelector: true}).Selector(eligible(t, "BIMI-Selector: v=BIMI1; s=a\r\nBIMI-Selector: v=BIMI1; s=b\r\n", signed(0, 1)))
		require.Equal(t, "default", s)
		return
	case "s020":
		m := eligible(t, "BIMI-Selector: "+input+"\r\n", signed())
		s, err := new(Verifier).Selector(m)
		require.Equal(t, "default", s)
		require.ErrorIs(t, err, ErrSelectorUnsigned)
		s, err = (&Verifier{TrustUnsignedSelector: true}).Selector(m)
		require.NoError(t, err)
		require.Equal(t, "testsel", s)
		return
	case "s023":
		sig := signed(0)
		sig.Domain = "sub.example.com"
		m := mail(t, zone("v=DMARC1; p=reject; adkim=s"), "example.com", "BIMI-Selector: "+input+"\r\n", sig)
		s, err := new(Verifier).Selector(m)
		require.Equal(t, "default", s)
		require.ErrorIs(t, err, ErrSelectorUnsigned)
		return
	}
	input = strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\t`, "\t").Replace(input)
	s, err := new(Verifier).Selector(eligible(t, "BIMI-Selector: "+input+"\r\n", signed(0)))
	if want == "ignored -> default" {
		require.Equal(t, "default", s)
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	require.Equal(t, want, s)
}

// suiteLocalPart checks which selector is asked for, and what becomes of the result.
func suiteLocalPart(t *testing.T, id, local, about string) {
	const first, second = "v=BIMI1; l=https://example.com/a.svg; ", "v=BIMI1; l=https://example.com/b.svg"
	lps, _, _ := strings.Cut(about, " ")
	if !strings.HasPrefix(lps, "lps=") {
		lps = "lps="
	}
	selector := map[string]string{"l004": "a--b", "l005": "a--b", "l006": "x", "l007": "x", "l011": "news", "l014": "news",
		"l018": "x", "l019": "x", "l020": "x", "l021": "x", "l022": "x", "l023": "x"}[id]
	if id == "l011" {
		local = "news" // a parser of addresses has unquoted it
	}
	place, found := "example.com", ""
	if id == "l023" {
		place = "sub.example.com"
	}
	z := map[string]string{"default._bimi.example.com": first + lps}
	var v Verifier
	want := Pass
	if selector != "" {
		found = selector
		z[selector+"._bimi.example.com"] = second
	}
	switch id {
	case "l018":
		z["x._bimi.example.com"] = second + "; lps="
	case "l019":
		delete(z, "x._bimi.example.com")
		found = ""
	case "l020":
		z["x._bimi.example.com"] = "servfail"
		want = TempError
	case "l021":
		z["x._bimi.example.com"] = second + "|" + second
		found = ""
	case "l022":
		z["x._bimi.example.com"] = "v=BIMI1; l=; a=;"
		want = Declined
	case "l024":
		v.MinPrefix = 3
	}
	v.Resolver = records(t, z)
	d := v.Discover(context.Background(), Author{Domain: place, Organizational: "example.com", Local: local})
	require.Equal(t, want, d.Status, d.Err)
	queries := []string{"TXT default._bimi.example.com."}
	if place != "example.com" {
		queries = append([]string{"TXT default._bimi." + place + "."}, queries...)
	}
	if selector != "" {
		queries = append(queries, "TXT "+selector+"._bimi.example.com.")
	}
	require.Equal(t, queries, d.Queries)
	if want == Pass {
		if found == "" {
			found = "default"
		}
		require.Equal(t, found, d.Selector)
	}
	switch id {
	case "l004", "l005":
		v.CollapseAllDashes = true
		d = v.Discover(context.Background(), Author{Domain: place, Local: local})
		require.Contains(t, d.Queries, "TXT a-b._bimi.example.com.")
	case "l020":
		v.LocalPartErrorKeepsRecord = true
		d = v.Discover(context.Background(), Author{Domain: place, Local: local})
		require.Equal(t, Pass, d.Status)
	}
}

// discoveryCase is one search for a record.
type discoveryCase struct {
	author, selector, org string
	zone                  map[string]string
	want                  authres.Status
	err                   error
	domain                string
	queries               int
}

func (c discoveryCase) check(t *testing.T) {
	v := Verifier{Resolver: records(t, c.zone)}
	d := v.Discover(context.Background(), Author{Domain: c.author, Organizational: c.org, Selector: c.selector})
	require.Equal(t, c.want, d.Status, d.Err)
	require.ErrorIs(t, d.Err, c.err)
	require.Equal(t, c.domain, d.Domain)
	require.Len(t, d.Queries, c.queries)
}

func discoveryCases() map[string]discoveryCase {
	const ok = "v=BIMI1; l=https://example.com/a.svg"
	return map[string]discoveryCase{
		"d001": {"sub.example.com", "", "example.com", map[string]string{"default._bimi.example.com": ok}, Pass, nil, "example.com", 2},
		"d004": {"example.com", "", "", map[string]string{"default._bimi.example.com": ok + "|" + ok}, Fail, ErrSeveralRecords, "example.com", 1},
		"d006": {"example.com", "", "", map[string]string{"default._bimi.example.com": ok + "|v=bimi1; l="}, Pass, nil, "example.com", 1},
		"d007": {"example.com", "", "", map[string]string{"default._bimi.example.com": "cname t.example.net", "t.example.net": ok}, Pass, nil, "example.com", 1},
		"d008": {"sub.example.com", "", "example.com", map[string]string{"default._bimi.sub.example.com": "servfail", "default._bimi.example.com": ok}, TempError, ErrDNS, "", 1},
		"d009": {"sub.example.com", "", "example.com", map[string]string{"default._bimi.sub.example.com": "nodata", "default._bimi.example.com": ok}, Pass, nil, "example.com", 2},
		"d012": {"a.b.example.com", "", "example.com", map[string]string{"default._bimi.b.example.com": ok}, None, ErrNoRecord, "", 2},
		"d013": {"example.com", "any", "", map[string]string{"*": ok}, Pass, nil, "example.com", 1},
	}
}

// gateCase is a message before the gate of DMARC.
type gateCase struct {
	author  string // default example.com
	org     string // DMARC record of example.com
	sub     string // DMARC record of the author, if it is another
	message func(*Message)
	header  string
	v       Verifier
	want    authres.Status
	err     error
	relaxed *Verifier // with which the message is eligible
}

func (c gateCase) check(t *testing.T) {
	if c.author == "" {
		c.author = "example.com"
	}
	z := zone(c.org)
	if c.sub != "" {
		z["_dmarc."+c.author] = c.sub
	}
	m := mail(t, z, c.author, c.header, signed(0))
	if c.message != nil {
		c.message(m)
	}
	status, err := c.v.Eligible(context.Background(), m)
	require.Equal(t, c.want, status, err)
	require.ErrorIs(t, err, c.err)
	if c.relaxed != nil {
		_, err := c.relaxed.Eligible(context.Background(), m)
		require.NoError(t, err)
	}
}

func gateCases() map[string]gateCase {
	const reject = "v=DMARC1; p=reject"
	return map[string]gateCase{
		"g004": {org: "v=DMARC1; p=quarantine; pct=99", want: Skipped, err: ErrPct},
		"g005": {org: "v=DMARC1; p=quarantine; pct=x", want: Skipped, err: ErrPct},
		"g006": {org: reject + "; pct=0", v: Verifier{StrictPct: true}, want: Skipped, err: ErrPct, relaxed: &Verifier{}},
		"g008": {org: reject + "; sp=none", want: Skipped, err: ErrPolicy},
		"g009": {author: "sub.example.com", org: reject + "; sp=quarantine", want: Pass},
		"g011": {author: "sub.example.com", org: reject, sub: "v=DMARC1; p=none", want: Skipped, err: ErrPolicy},
		"g012": {author: "sub.example.com", org: reject, sub: reject + "; sp=none", want: Skipped, err: ErrPolicy},
		"g013": {org: reject + "; t=y", want: Skipped, err: ErrTestMode, relaxed: &Verifier{TestModeAsLowered: true}},
		"g018": {author: "sub.example.com", org: "v=DMARC1; p=none", sub: reject + "; psd=n", want: Pass},
		"g020": {org: reject, message: func(m *Message) { m.DMARC.Status = authres.Fail; m.Override = "trusted ARC chain" }, want: Pass},
		"g021": {org: reject, message: func(m *Message) { m.DMARC.Status = authres.TempError }, want: TempError, err: ErrDMARCUnknown},
		"g031": {author: "com", org: "v=DMARC1; p=none", sub: reject + "; psd=y", want: Pass},
		"g023": {org: reject, header: "From: b@example.com\r\n", want: Skipped, err: ErrAuthor},
		"g024": {org: reject, header: "From: a@example.com, b@example.net\r\n", want: Skipped, err: ErrAuthor},
		"g025": {org: reject, header: "From: a@example.com, b@example.com\r\n", want: Skipped, err: ErrAuthor},
		"g027": {org: reject, message: spfOnly, v: Verifier{RequireDKIM: true}, want: Skipped, err: ErrNoDKIM, relaxed: &Verifier{}},
		"g028": {org: reject, message: func(m *Message) { m.Signatures[0].PartialBody = true }, v: Verifier{RejectPartialBody: true},
			want: Skipped, err: ErrCoverage, relaxed: &Verifier{}},
		"g029": {org: reject, message: func(m *Message) { m.SPFAll = true }, v: Verifier{RejectSPFAll: true},
			want: Skipped, err: ErrSPFAll, relaxed: &Verifier{}},
	}
}
