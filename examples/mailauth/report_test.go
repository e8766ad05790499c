package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

const reportXML = `<feedback><report_metadata><org_name>=cmd|' /C calc'!A0&lt;script&gt;alert(1)&lt;/script&gt;&#x202e;</org_name><email>a@b.example</email>` +
	`<report_id>1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>` +
	`<policy_published><domain>example.com</domain><p>reject</p></policy_published>` +
	`<record><row><source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>` +
	`<identifiers><header_from>example.com</header_from></identifiers><auth_results><spf><domain>x.example</domain><result>fail</result></spf></auth_results></record>` +
	`<record><row><source_ip>2001:db8::1</source_ip><count>1</count><policy_evaluated><disposition>reject</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>` +
	`<identifiers><header_from>@example.com</header_from></identifiers><auth_results><dkim><domain>other.example</domain><result>pass</result></dkim></auth_results></record></feedback>`

const failureMail = "From: a@b.example\nSubject: x\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\n" +
	"Feedback-Type: auth-failure\nUser-Agent: x\nVersion: 1\nAuth-Failure: dmarc\nAuthentication-Results: x; dmarc=fail\nIdentity-Alignment: dkim, spf\n" +
	"Original-Mail-From: <c\x1b[31m@d.example>\nSource-IP: 192.0.2.9\nReported-Domain: example.com\n--b\nContent-Type: text/rfc822-headers\n\nSubject: y\n--b--\n"

// reportRun runs "mailauth report" on the files.
func reportRun(t *testing.T, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	got := run(context.Background(), append([]string{"report"}, args...), strings.NewReader(""), &out, &errs)
	require.Equal(t, status, got, errs.String())
	return out.String(), errs.String()
}

func reportDir(t *testing.T) string {
	dir := t.TempDir()
	mbox := "From x Mon Jan 1 00:00:00 2024\nFrom: a@b.example\nContent-Type: text/xml\n\n" + strings.Replace(reportXML, "<report_id>1", "<report_id>2", 1) +
		"\n\nFrom y Mon Jan 1 00:00:00 2024\n" + failureMail + "\nFrom z Mon Jan 1 00:00:00 2024\nFrom: a@b.example\n\nhello\n"
	for name, data := range map[string]string{"1.xml": reportXML, "again.xml": reportXML, "box": mbox, "sub/junk": "junk"} {
		p := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o700))
		require.NoError(t, os.WriteFile(p, []byte(data), 0o600))
	}
	return dir
}

func TestReportText(t *testing.T) {
	dir := reportDir(t)
	out, errs := reportRun(t, 0, dir)
	require.Contains(t, out, "2 aggregate reports")
	require.Contains(t, out, "2023-11-14 to 2023-11-14")
	require.Contains(t, out, "8 messages: 6 pass DMARC (75%), 6 by DKIM, 0 by SPF; 2 fail, of which 0 quarantined, 2 rejected")
	require.Contains(t, out, "fails: DKIM passes for other.example, which is not aligned")
	require.Contains(t, out, "example.com: mail from c [31m@d.example at 192.0.2.9 failed dkim and spf")
	require.NotContains(t, out, "\x1b")
	require.NotContains(t, out, "\u202e")
	require.Contains(t, errs, "again.xml: a duplicate")
	require.Contains(t, errs, "mail 3: no aggregate report found")
	require.Contains(t, errs, "junk")
}

// TestReportThreats: REP-07, a report is no program for what shows it.
func TestReportThreats(t *testing.T) {
	dir := reportDir(t)
	t.Run("REP-07/csv", func(t *testing.T) {
		out, _ := reportRun(t, 0, "-csv", dir)
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 5)
		for _, row := range rows {
			for _, cell := range row {
				require.False(t, cell != "" && strings.IndexByte("=+-@\t\r", cell[0]) >= 0, cell)
			}
		}
		require.Equal(t, "'@example.com", rows[2][12])
	})
	t.Run("REP-07/html", func(t *testing.T) {
		out, _ := reportRun(t, 0, "-html", dir)
		require.NotContains(t, out, "<script")
		require.NotContains(t, out, "\u202e")
		require.Contains(t, out, "&lt;script&gt;")
		require.Contains(t, out, `<rect class="pass"`)
		require.NotContains(t, out, "http:")
		require.NotContains(t, out, "https:")
		// It is well-formed but for what HTML alone has.
		d := xml.NewDecoder(strings.NewReader(out))
		d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else {
				require.NoError(t, err)
			}
		}
	})
}

// TestReportSums: REP-05, the sums of many reports stay where they are when they cannot grow.
func TestReportSums(t *testing.T) {
	s := summary{out: bufio.NewWriter(io.Discard)}
	for _, p := range []authres.Status{authres.Pass, authres.Fail, authres.Pass, authres.Fail} {
		r := aggregate.Report{Records: []aggregate.Record{
			{Count: 1 << 62, DKIM: p, SPF: p, Disposition: aggregate.DispositionReject}, {Count: 1 << 62, DKIM: p, SPF: p, Disposition: aggregate.DispositionQuarantine}}}
		require.NoError(t, s.aggregate(&r))
	}
	src := s.Sources[netip.Addr{}]
	const most = math.MaxInt64
	want := tally{All: most, Pass: most, DKIM: most, SPF: most, Quarantined: most, Rejected: most}
	require.Equal(t, []any{want, want, int64(0)}, []any{s.Total, src.tally, s.Total.Failed()})
	require.Equal(t, int64(most), s.Reporters["(nameless)"])
	require.Equal(t, int64(most), s.Domains[""])
	require.Equal(t, int64(most), src.From[""])
	require.Equal(t, int64(most), src.Why["no DKIM signature"])
}

func TestReportJSON(t *testing.T) {
	dir := reportDir(t)
	out, _ := reportRun(t, 0, "-json", filepath.Join(dir, "1.xml"))
	req := `{"id":"1","op":"aggregate_report","file_b64":"` + base64.StdEncoding.EncodeToString([]byte(reportXML)) + `"}` + "\n" +
		`{"id":"2","op":"failure_report","file_b64":"` + base64.StdEncoding.EncodeToString([]byte(failureMail)) + `"}` + "\n" +
		`{"id":"3","op":"failure_report"}` + "\n" + `{"id":"4","op":"aggregate_report","file_b64":"eA=="}`
	var answers bytes.Buffer
	require.NoError(t, batch(context.Background(), strings.NewReader(req), &answers))
	lines := strings.Split(strings.TrimSpace(answers.String()), "\n")
	require.Len(t, lines, 4)
	var reply struct{ Result json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &reply))
	require.JSONEq(t, out, string(reply.Result))
	var failed struct {
		Result struct {
			Alignment []string `json:"identity_alignment"`
			Domain    string   `json:"reported_domain"`
			Headers   string   `json:"original_headers"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &failed))
	require.Equal(t, []string{"dkim", "spf"}, failed.Result.Alignment)
	require.Equal(t, "example.com", failed.Result.Domain)
	require.Equal(t, "Subject: y", failed.Result.Headers)
	require.Contains(t, lines[2], `"error":"file_b64 is missing"`)
	require.Contains(t, lines[3], `"error":`)
}

func TestReportUsage(t *testing.T) {
	dir := reportDir(t)
	reportRun(t, 2)
	reportRun(t, 2, "-json", "-csv", dir)
	reportRun(t, 2, "-x")
	reportRun(t, 1, filepath.Join(dir, "nowhere"))
	_, errs := reportRun(t, 1, "-strict", filepath.Join(dir, "1.xml"))
	require.Contains(t, errs, "does not match the format")
}
