package aggregate_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// random makes a report with everything in it that the form has.
func random(r *rand.Rand, form aggregate.Form) aggregate.Report {
	pieces := []string{"a", "example.com", "<", ">", "&", "]]>", "\"", "'", "é", "\U0001f4e7", "x y", "\r\n", "\t", "&amp;", "<!--", "%s", "=cmd"}
	text := func() string {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return "t" + b.String() + "t"
	}
	maybe := func() string {
		if r.IntN(2) == 0 {
			return ""
		}
		return text()
	}
	pick := func(words string) string { w := strings.Fields(words); return w[r.IntN(len(w))] }
	perhaps := func(words string) string {
		if r.IntN(2) == 0 {
			return ""
		}
		return pick(words)
	}
	old := form == aggregate.RFC7489
	out := aggregate.Report{Header: aggregate.Header{
		Namespace: aggregate.Namespace9990, Version: "1.0", OrgName: text(), Email: text(), ExtraContact: maybe(), ReportID: text(),
		Begin: time.Unix(1+r.Int64N(1<<33), 0).UTC(),
		Policy: aggregate.Policy{
			Domain: text(), P: dmarc.Policy(pick("none quarantine reject")), SP: dmarc.Policy(pick("none quarantine reject")),
			ADKIM: dmarc.Mode(perhaps("r s")), ASPF: dmarc.Mode(perhaps("r s")), FO: pick("0 1 d:s"),
		},
	}}
	out.End = out.Begin.Add(time.Duration(r.IntN(1e6)) * time.Second)
	if e := maybe(); e != "" {
		out.Errors = []string{e}
	}
	p := &out.Policy
	reasons := "local_policy mailing_list other trusted_forwarder "
	dispositions := "none quarantine reject "
	spf := "none pass fail softfail neutral temperror permerror "
	if old {
		out.Namespace, p.Pct = "", fmt.Sprint(r.IntN(101))
		reasons += "forwarded sampled_out"
	} else {
		out.Generator, p.NP, p.Testing, p.Method = maybe(), dmarc.Policy(perhaps("none quarantine reject")), perhaps("y n"), dmarc.Method(perhaps("psl treewalk"))
		reasons, dispositions, spf = reasons+"policy_test_mode", dispositions+"pass", spf+"policy"
	}
	for range 1 + r.IntN(4) {
		var ip [16]byte
		for i := range ip {
			ip[i] = byte(r.Uint32())
		}
		rec := aggregate.Record{
			SourceIP: netip.AddrFrom16(ip), Count: 1 + r.Int64N(1<<53-1), Disposition: aggregate.Disposition(pick(dispositions)),
			DKIM: authres.Status(pick("pass fail")), SPF: authres.Status(pick("pass fail")),
			HeaderFrom: text(), EnvelopeFrom: maybe(), EnvelopeTo: maybe(),
		}
		if r.IntN(2) == 0 {
			rec.SourceIP = netip.AddrFrom4([4]byte(ip[:4]))
		}
		rec.NullReversePath = rec.EnvelopeFrom == "" && (old || r.IntN(2) == 0)
		for range r.IntN(3) {
			rec.Reasons = append(rec.Reasons, aggregate.Reason{Type: dmarc.OverrideReason(pick(reasons)), Comment: maybe()})
		}
		for range r.IntN(3) {
			rec.AuthDKIM = append(rec.AuthDKIM, aggregate.DKIMResult{
				Domain: text(), Selector: text(), Result: authres.Status(pick("none pass fail policy neutral temperror permerror")), HumanResult: maybe(),
			})
		}
		switch {
		case old:
			for range 1 + r.IntN(2) {
				rec.AuthSPF = append(rec.AuthSPF, aggregate.SPFResult{Domain: text(), Scope: pick("mfrom helo"), Result: authres.Status(pick(spf))})
			}
		case r.IntN(2) == 0:
			rec.AuthSPF = []aggregate.SPFResult{{Domain: text(), Scope: perhaps("mfrom"), Result: authres.Status(pick(spf)), HumanResult: maybe()}}
		}
		out.Records = append(out.Records, rec)
	}
	return out
}

// TestWriteRead: writing then reading is the identity, and what is written in the
// form of RFC 9990 reads strictly and matches its schema.
func TestWriteRead(t *testing.T) {
	for _, form := range []aggregate.Form{aggregate.RFC9990, aggregate.RFC7489} {
		rnd := rand.New(rand.NewPCG(1, uint64(form)))
		for range 500 {
			want := random(rnd, form)
			var b bytes.Buffer
			require.NoError(t, want.WriteXML(&b, form))
			p := aggregate.Parser{Strict: form == aggregate.RFC9990}
			got, err := p.Read(bytes.NewReader(b.Bytes()))
			require.NoError(t, err, b.String())
			if form == aggregate.RFC7489 {
				require.Equal(t, []aggregate.Warning{{Kind: aggregate.UnknownNamespace, Count: 1}}, got.Warnings)
				got.Warnings = nil
			} else {
				require.NoError(t, validate(b.Bytes()))
			}
			require.Equal(t, want, got)
			for _, rec := range want.Records {
				text, err := rec.MarshalJSON()
				require.NoError(t, err)
				var back aggregate.Record
				require.NoError(t, back.UnmarshalJSON(text))
				require.Equal(t, rec, back)
			}
		}
	}
}

// TestSchema: the validator accepts the RFC's example and what we write, refuses
// what is wrong, and agrees with xmllint where that is installed.
func TestSchema(t *testing.T) {
	require.NoError(t, validate([]byte(good)))
	for _, bad := range []string{
		head + tail, strings.Replace(good, "<row>", "<row><x/>", 1), strings.Replace(good, "<p>reject</p>", "<p>r</p>", 1),
		strings.Replace(good, "</count>", "</count><count>1</count>", 1), strings.Replace(good, "<org_name>Example</org_name>", "", 1),
		strings.Replace(good, "<dkim>fail</dkim><spf>fail</spf>", "<spf>fail</spf><dkim>fail</dkim>", 1),
		strings.Replace(good, "dmarc-2.0", "dmarc-3.0", 1),
	} {
		require.Error(t, validate([]byte(bad)), bad)
	}
	sample, err := os.ReadFile(filepath.Join(testcase.Corpora(t, "dmarc-reports", "rfc-examples"), "rfc9990-sample.xml"))
	require.NoError(t, err)
	require.NoError(t, validate(sample))
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Log("xmllint is not installed: our own table alone was used")
		return
	}
	schema := filepath.Join(testcase.Corpora(t, "dmarc-reports"), "..", "..", "specs", "dmarc-2.0.xsd")
	if _, err := os.Stat(schema); err != nil {
		t.Log("no schema beside the conformance data: our own table alone was used")
		return
	}
	rnd := rand.New(rand.NewPCG(2, 0))
	for range 20 {
		r := random(rnd, aggregate.RFC9990)
		var b bytes.Buffer
		require.NoError(t, r.WriteXML(&b, aggregate.RFC9990))
		cmd := exec.Command(xmllint, "--nonet", "--noout", "--schema", schema, "-")
		cmd.Stdin = &b
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

// schemaTable is dmarc-2.0.xsd: for each type its children as "name type min max",
// with "sequence" in front where their order counts; or the words it may have.
var schemaTable = map[string]string{
	"feedback":   "sequence; version decimal 0 1; report_metadata metadata 1 1; policy_published policy 1 1; extension any 0 1; record record 1 *",
	"metadata":   "org_name string 1 1; email string 1 1; extra_contact_info string 0 1; report_id string 1 1; date_range dates 1 1; error string 0 1; generator string 0 1",
	"dates":      "begin integer 1 1; end integer 1 1",
	"policy":     "domain string 1 1; p =none,quarantine,reject 1 1; sp =none,quarantine,reject 0 1; np =none,quarantine,reject 0 1; adkim =r,s 0 1; aspf =r,s 0 1; discovery_method =psl,treewalk 0 1; fo string 0 1; testing =n,y 0 1",
	"record":     "sequence; row row 1 1; identifiers ids 1 1; auth_results auth 1 1",
	"row":        "source_ip string 1 1; count integer 1 1; policy_evaluated evaluated 1 1",
	"evaluated":  "sequence; disposition =none,pass,quarantine,reject 1 1; dkim =pass,fail 1 1; spf =pass,fail 1 1; reason reason 0 *",
	"reason":     "type =local_policy,mailing_list,other,policy_test_mode,trusted_forwarder 1 1; comment string 0 1",
	"ids":        "header_from string 1 1; envelope_from string 0 1; envelope_to string 0 1",
	"auth":       "sequence; dkim dkimresult 0 *; spf spfresult 0 1",
	"dkimresult": "domain string 1 1; selector string 1 1; result =none,pass,fail,policy,neutral,temperror,permerror 1 1; human_result string 0 1",
	"spfresult":  "domain string 1 1; scope =mfrom 0 1; result =none,pass,fail,softfail,policy,neutral,temperror,permerror 1 1; human_result string 0 1",
}

type node struct {
	XMLName  xml.Name
	Text     string `xml:",chardata"`
	Children []node `xml:",any"`
}

func validate(doc []byte) error {
	var root node
	if err := xml.Unmarshal(doc, &root); err != nil {
		return err
	}
	if root.XMLName.Local != "feedback" {
		return errors.New("root")
	}
	return validateNode(&root, "feedback")
}

func validateNode(n *node, typ string) error {
	if n.XMLName.Space != aggregate.Namespace9990 {
		return fmt.Errorf("%s: namespace %q", n.XMLName.Local, n.XMLName.Space)
	}
	if words, ok := strings.CutPrefix(typ, "="); ok {
		if !slices.Contains(strings.Split(words, ","), n.Text) {
			return fmt.Errorf("%s: %q", n.XMLName.Local, n.Text)
		}
		return nil
	}
	switch typ {
	case "any", "string":
		return nil
	case "integer", "decimal":
		if strings.Trim(strings.TrimSpace(n.Text), "0123456789.") != "" || strings.TrimSpace(n.Text) == "" {
			return fmt.Errorf("%s: %q", n.XMLName.Local, n.Text)
		}
		return nil
	}
	counts, at := map[string]int{}, 0
	table, ordered := strings.CutPrefix(schemaTable[typ], "sequence; ")
	rows := strings.Split(table, "; ")
	for i := range n.Children {
		c := &n.Children[i]
		k := slices.IndexFunc(rows, func(r string) bool { return strings.HasPrefix(r, c.XMLName.Local+" ") })
		if k < 0 || ordered && k < at {
			return fmt.Errorf("%s in %s", c.XMLName.Local, typ)
		}
		at = k
		counts[c.XMLName.Local]++
		if err := validateNode(c, strings.Fields(rows[k])[1]); err != nil {
			return err
		}
	}
	for _, r := range rows {
		f := strings.Fields(r)
		if n := counts[f[0]]; f[2] == "1" && n == 0 || f[3] == "1" && n > 1 {
			return fmt.Errorf("%d %s in %s", n, f[0], typ)
		}
	}
	return nil
}

// TestIncomplete: what lacks something is not written.
func TestIncomplete(t *testing.T) {
	for name, spoil := range map[string]func(*aggregate.Report){
		"org_name":    func(r *aggregate.Report) { r.OrgName = "" },
		"email":       func(r *aggregate.Report) { r.Email = "" },
		"report_id":   func(r *aggregate.Report) { r.ReportID = "" },
		"begin":       func(r *aggregate.Report) { r.Begin = time.Time{} },
		"end":         func(r *aggregate.Report) { r.End = r.Begin.Add(-time.Second) },
		"domain":      func(r *aggregate.Report) { r.Policy.Domain = "" },
		"p":           func(r *aggregate.Report) { r.Policy.P = "" },
		"sp":          func(r *aggregate.Report) { r.Policy.SP = "x" },
		"records":     func(r *aggregate.Report) { r.Records = nil },
		"source_ip":   func(r *aggregate.Report) { r.Records[0].SourceIP = netip.Addr{} },
		"count":       func(r *aggregate.Report) { r.Records[0].Count = 0 },
		"disposition": func(r *aggregate.Report) { r.Records[0].Disposition = "" },
		"dkim":        func(r *aggregate.Report) { r.Records[0].DKIM = "none" },
		"header_from": func(r *aggregate.Report) { r.Records[0].HeaderFrom = "" },
		"reason":      func(r *aggregate.Report) { r.Records[0].Reasons = []aggregate.Reason{{Type: aggregate.SampledOut}} },
		"two spf":     func(r *aggregate.Report) { r.Records[0].AuthSPF = make([]aggregate.SPFResult, 2) },
		"helo": func(r *aggregate.Report) {
			r.Records[0].AuthSPF = []aggregate.SPFResult{{Scope: "helo", Result: "pass"}}
		},
		"result": func(r *aggregate.Report) { r.Records[0].AuthDKIM = []aggregate.DKIMResult{{Result: "hardfail"}} },
	} {
		r := random(rand.New(rand.NewPCG(3, 0)), aggregate.RFC9990)
		require.NoError(t, r.WriteXML(io.Discard, aggregate.RFC9990))
		spoil(&r)
		require.ErrorIs(t, r.WriteXML(io.Discard, aggregate.RFC9990), aggregate.ErrIncomplete, name)
	}
}

func sendable() *aggregate.Report {
	r, err := read(aggregate.Parser{}, good)
	if err != nil {
		panic(err)
	}
	return &r
}

func TestMail(t *testing.T) {
	r := sendable()
	r.ReportID = aggregate.NewReportID("mail.receiver.example", &r.Header)
	require.Len(t, r.ReportID, 32)
	m := aggregate.Mail{Report: r, Submitter: "mail.receiver.example", From: "dmarc@receiver.example", To: "rua@example.com", Date: time.Unix(1700090000, 0).UTC()}
	var b, again bytes.Buffer
	n, err := m.WriteTo(&b)
	require.NoError(t, err)
	require.Equal(t, int64(b.Len()), n)
	_, err = m.WriteTo(&again)
	require.NoError(t, err)
	require.Equal(t, b.String(), again.String())
	require.Contains(t, b.String(), "\r\nSubject: Report Domain: example.com Submitter: mail.receiver.example\r\n Report-ID: <"+r.ReportID+">\r\n")
	require.Contains(t, b.String(), "filename=\"mail.receiver.example!example.com!1700000000!1700086399!"+r.ReportID+".xml.gz\"")
	require.Contains(t, b.String(), "Date: Wed, 15 Nov 2023 23:13:20 +0000\r\n")
	require.NotContains(t, strings.ReplaceAll(b.String(), "\r\n", ""), "\n")

	p := aggregate.Parser{Strict: true, Mail: &dmarc.Result{Status: authres.Pass, Domain: "reporter.example"}}
	back, err := p.Read(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	require.True(t, back.Sender.Believable())
	back.Sender = aggregate.Sender{}
	require.Equal(t, *r, back)

	m.Uncompressed = true
	b.Reset()
	_, err = m.WriteTo(&b)
	require.NoError(t, err)
	_, err = p.Read(&b)
	require.NoError(t, err)

	m.MaxSize = 100
	_, err = m.WriteTo(io.Discard)
	require.ErrorIs(t, err, aggregate.ErrOutput)
	m.MaxSize = 0
	for _, to := range []string{"", "x", "a@b.example\r\nBcc: c@d.example", "a@b.example,c@d.example", "a@b.example?bcc=x"} {
		m.To = to
		_, err = m.WriteTo(io.Discard)
		require.ErrorIs(t, err, aggregate.ErrAddress, to)
	}
	m.To, r.ReportID = "rua@example.com", "not-alphanumeric"
	_, err = m.WriteTo(io.Discard)
	require.ErrorIs(t, err, aggregate.ErrIncomplete)
}

// TestWriteThreats is what the group REP of the threat matrix has on writing.
func TestWriteThreats(t *testing.T) {
	t.Run("REP-14", func(t *testing.T) {
		for _, text := range []string{"a]]>b", "a&b", "<a>", "a\x00b", "a\x1bb", "a\xffb", "a\ufffeb", "a\uffffb", "a\r\nb", "\"'", "a\u0085b", "a\xed\xa0\x80b"} {
			r := sendable()
			r.Records[0].HeaderFrom, r.Records[0].EnvelopeFrom = text, text
			r.Records[0].AuthDKIM = []aggregate.DKIMResult{{Domain: text, Selector: text, Result: "fail", HumanResult: text}}
			r.Records[0].Reasons = []aggregate.Reason{{Type: dmarc.OtherReason, Comment: text}}
			var b bytes.Buffer
			require.NoError(t, r.WriteXML(&b, aggregate.RFC9990))
			require.NoError(t, xml.Unmarshal(b.Bytes(), new(node)), text)
			back, err := (&aggregate.Parser{Strict: true}).Read(&b)
			require.NoError(t, err, text)
			clean := strings.Map(func(c rune) rune {
				if c < 0x20 && c != '\r' && c != '\n' || c == 0xfffe || c == 0xffff {
					return 0xfffd
				}
				return c
			}, text)
			require.Equal(t, clean, back.Records[0].HeaderFrom)
			require.Equal(t, clean, back.Records[0].AuthDKIM[0].Selector)
		}
	})
	t.Run("REP-17", func(t *testing.T) {
		r := sendable()
		var b bytes.Buffer
		require.NoError(t, r.WriteXML(&b, aggregate.RFC9990))
		require.NotContains(t, b.String(), "envelope_from")
		r.Records[0].NullReversePath = true
		b.Reset()
		require.NoError(t, r.WriteXML(&b, aggregate.RFC9990))
		require.Contains(t, b.String(), "<envelope_from></envelope_from>")
	})
}
