package aggregate_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

type summaryFile struct {
	File       string         `json:"file"`
	ParseError string         `json:"parse_error"`
	Subject    string         `json:"subject"`
	Aggregate  *summaryReport `json:"aggregate"`
}

type summaryReport struct {
	Root      string `json:"root"`
	Version   string `json:"version"`
	OrgName   string `json:"org_name"`
	Email     string `json:"email"`
	ReportID  string `json:"report_id"`
	Begin     string `json:"begin"`
	End       string `json:"end"`
	Domain    string `json:"policy_domain"`
	P         string `json:"p"`
	SP        string `json:"sp"`
	NP        string `json:"np"`
	ADKIM     string `json:"adkim"`
	ASPF      string `json:"aspf"`
	Pct       string `json:"pct"`
	Testing   string `json:"testing"`
	Method    string `json:"discovery_method"`
	Generator string `json:"generator"`

	Records     int              `json:"records"`
	Messages    int64            `json:"messages"`
	IPs         int              `json:"distinct_ips"`
	From        int              `json:"header_from_domains"`
	Reasons     int              `json:"reasons"`
	DKIM        map[string]int64 `json:"sum_dkim"`
	SPF         map[string]int64 `json:"sum_spf"`
	Disposition map[string]int64 `json:"sum_disposition"`
}

// unread are files that are no well-formed XML: the error is the answer.
var unread = map[string]aggregate.Error{
	"aggregate/ikea.com!example.de!1538690400!1538776800.xml": aggregate.ErrNoReport, // its root is an element of XML Schema that is never closed
	"aggregate/invalid_utf_8.xml":                             aggregate.ErrXML,
	"aggregate/invalid_xml.xml":                               aggregate.ErrXML,
	"empty.xml":                                               aggregate.ErrNoReport,
}

// better are files that the summary's reader could not open, and we can.
var better = map[string]summaryReport{
	// A blank line is encoded in front of the gzip member, and one behind it.
	"aggregate/mimecast-weird-gzip.eml": {Domain: "ab.id.au", ReportID: "157a5fe30ec76f4bc0d8bccfc96c118a167a1280fee7c7465af5115e73082e5e"},
}

// TestCorpora reads every aggregate report of the conformance data.
func TestCorpora(t *testing.T) {
	for set, want := range map[string]int{"mail-dmarc": 3, "parsedmarc": 25, "rfc-examples": 2} {
		dir := testcase.Corpora(t, "dmarc-reports", set)
		var summary struct{ Files []summaryFile }
		testcase.ReadJSON(t, filepath.Join(dir, "summary.json"), &summary)
		n := 0
		for _, f := range summary.Files {
			if strings.HasPrefix(f.File, "failure/") {
				continue // dmarc/failure reads these
			}
			n++
			t.Run(set+"/"+f.File, func(t *testing.T) {
				in, err := os.Open(filepath.Join(dir, f.File))
				require.NoError(t, err)
				defer in.Close()
				var p aggregate.Parser
				r, err := p.Read(in)
				if want, ok := unread[f.File]; ok {
					require.NotEmpty(t, f.ParseError)
					require.ErrorIs(t, err, want)
					require.Equal(t, aggregate.Report{}, r)
					return
				}
				require.NoError(t, err)
				if want, ok := better[f.File]; ok {
					require.NotEmpty(t, f.ParseError)
					require.Equal(t, want.Domain, r.Policy.Domain)
					require.Equal(t, want.ReportID, r.ReportID)
					require.NotEmpty(t, r.Records)
					require.False(t, r.Sender.SubjectMismatch)
					return
				}
				compare(t, f.Aggregate, &r)
			})
		}
		testcase.Ran(t, "dmarc-reports/aggregate/"+set, n, want)
	}
}

func compare(t *testing.T, want *summaryReport, r *aggregate.Report) {
	t.Helper()
	got := summaryReport{
		Root: "feedback", Version: r.Version, OrgName: r.OrgName, Email: r.Email, ReportID: r.ReportID,
		Begin: strconv.FormatInt(r.Begin.Unix(), 10), End: strconv.FormatInt(r.End.Unix(), 10),
		Domain: r.Policy.Domain, P: string(r.Policy.P), SP: string(r.Policy.SP), NP: string(r.Policy.NP),
		ADKIM: string(r.Policy.ADKIM), ASPF: string(r.Policy.ASPF), Pct: r.Policy.Pct, Testing: r.Policy.Testing,
		Method: string(r.Policy.Method), Generator: r.Generator,
		Records: len(r.Records), Messages: r.Messages(),
		DKIM: map[string]int64{}, SPF: map[string]int64{}, Disposition: map[string]int64{},
	}
	if r.Namespace != "" {
		got.Root = "{" + r.Namespace + "}feedback"
	}
	ips, from := map[netip.Addr]bool{}, map[string]bool{}
	for _, rec := range r.Records {
		ips[rec.SourceIP], from[rec.HeaderFrom] = true, true
		got.DKIM[string(rec.DKIM)] += rec.Count
		got.SPF[string(rec.SPF)] += rec.Count
		got.Disposition[string(rec.Disposition)] += rec.Count
		got.Reasons += len(rec.Reasons)
	}
	got.IPs, got.From = len(ips), len(from)

	// Where the summary shows words as they were written, we have those of the format, and a warning.
	expected, raw := *want, false
	for _, sums := range []*map[string]int64{&expected.DKIM, &expected.SPF, &expected.Disposition} {
		lower := map[string]int64{}
		for k, v := range *sums {
			raw = raw || strings.ToLower(k) != k
			lower[strings.ToLower(k)] += v
		}
		*sums = lower
	}
	for _, w := range r.Warnings {
		raw = raw && w.Kind != aggregate.WrongCase
	}
	require.False(t, raw, "no warning of the words written in capitals")
	require.Equal(t, expected, got)
}
