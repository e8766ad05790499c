package aggregate_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

// head and tail enclose records in a report that matches RFC 9990.
const (
	head = `<?xml version="1.0"?><feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0"><version>1.0</version>` +
		`<report_metadata><org_name>Example</org_name><email>dmarc@reporter.example</email><report_id>r1</report_id>` +
		`<date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>` +
		`<policy_published><domain>example.com</domain><p>reject</p></policy_published>`
	tail = `</feedback>`
)

func record(ip, count string) string {
	return `<record><row><source_ip>` + ip + `</source_ip><count>` + count + `</count><policy_evaluated><disposition>none</disposition>` +
		`<dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers>` +
		`<auth_results/></record>`
}

var good = head + record("192.0.2.1", "1") + tail

func read(p aggregate.Parser, in string) (aggregate.Report, error) {
	return p.Read(strings.NewReader(in))
}

func zipped(t testing.TB, files ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, f := range files {
		e, err := w.Create(fmt.Sprintf("../../etc/%d.xml", i))
		require.NoError(t, err)
		_, err = io.WriteString(e, f)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.String()
}

func gzipped(t testing.TB, s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, s)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func mailed(mediaType, name, content string) string {
	return "Subject: Report Domain: example.com Submitter: reporter.example Report-ID: <r1>\r\nFrom: dmarc@reporter.example\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nA report.\r\n--b\r\nContent-Type: " + mediaType +
		"; name=\"" + name + "\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(content)) + "\r\n--b--\r\n"
}

// TestStrict: what matches the format passes, and everything that warns is an error.
func TestStrict(t *testing.T) {
	r, err := read(aggregate.Parser{Strict: true}, good)
	require.NoError(t, err)
	require.Empty(t, r.Warnings)
	require.Equal(t, aggregate.Namespace9990, r.Namespace)

	old := strings.NewReplacer(` xmlns="urn:ietf:params:xml:ns:dmarc-2.0"`, "").Replace
	cases := map[string]struct {
		in   string
		want aggregate.Warning
	}{
		"no namespace":      {old(good), aggregate.Warning{Kind: aggregate.UnknownNamespace}},
		"version":           {strings.Replace(good, "1.0</v", "2.0</v", 1), aggregate.Warning{Kind: aggregate.BadVersion, Element: "version"}},
		"no org_name":       {strings.Replace(good, "<org_name>Example</org_name>", "", 1), aggregate.Warning{Kind: aggregate.MissingElement, Element: "org_name"}},
		"empty org_name":    {strings.Replace(good, "Example</org", "</org", 1), aggregate.Warning{Kind: aggregate.EmptyElement, Element: "org_name"}},
		"unknown element":   {strings.Replace(good, "<row>", "<x/><row>", 1), aggregate.Warning{Kind: aggregate.UnknownElement, Element: "x", Record: 1}},
		"pct":               {strings.Replace(good, "</p>", "</p><pct>50</pct>", 1), aggregate.Warning{Kind: aggregate.RemovedElement, Element: "pct"}},
		"capitals":          {strings.Replace(good, ">fail</dkim>", ">Fail</dkim>", 1), aggregate.Warning{Kind: aggregate.WrongCase, Element: "dkim", Record: 1}},
		"word":              {strings.Replace(good, ">fail</dkim>", ">maybe</dkim>", 1), aggregate.Warning{Kind: aggregate.UnknownValue, Element: "dkim", Record: 1}},
		"empty word":        {strings.Replace(good, ">fail</dkim>", "></dkim>", 1), aggregate.Warning{Kind: aggregate.EmptyElement, Element: "dkim", Record: 1}},
		"no records":        {head + tail, aggregate.Warning{Kind: aggregate.NoRecords}},
		"no policy":         {strings.Replace(good, `<policy_published><domain>example.com</domain><p>reject</p></policy_published>`, "", 1), aggregate.Warning{Kind: aggregate.MissingElement, Element: "policy_published"}},
		"text between":      {strings.Replace(good, "<row>", "x<row>", 1), aggregate.Warning{Kind: aggregate.UnexpectedText, Element: "record", Record: 1}},
		"space before gzip": {"\r\n" + gzipped(t, good), aggregate.Warning{Kind: aggregate.JunkAround}},
		"space behind gzip": {gzipped(t, good) + "\r\n", aggregate.Warning{Kind: aggregate.JunkAround}},
		"media type":        {mailed("application/x-gzip", "r.gz", gzipped(t, good)), aggregate.Warning{Kind: aggregate.WrongMediaType}},
		"version last": {strings.Replace(strings.Replace(good, "<version>1.0</version>", "", 1), "<record>", "<version>1.0</version><record>", 1),
			aggregate.Warning{Kind: aggregate.MisplacedElement, Element: "version"}},
		"sampled_out": {strings.Replace(good, "</policy_eval", "<reason><type>sampled_out</type></reason></policy_eval", 1), aggregate.Warning{Kind: aggregate.RemovedElement, Element: "type", Record: 1}},
		"helo": {strings.Replace(good, "<auth_results/>", "<auth_results><spf><domain>a.example</domain><scope>helo</scope><result>pass</result></spf></auth_results>", 1),
			aggregate.Warning{Kind: aggregate.RemovedElement, Element: "scope", Record: 1}},
		"two spf": {strings.Replace(good, "<auth_results/>", "<auth_results>"+strings.Repeat("<spf><domain>a.example</domain><result>pass</result></spf>", 2)+"</auth_results>", 1),
			aggregate.Warning{Kind: aggregate.TooMany, Element: "spf", Record: 1}},
		"no selector": {strings.Replace(good, "<auth_results/>", "<auth_results><dkim><domain>a.example</domain><result>pass</result></dkim></auth_results>", 1),
			aggregate.Warning{Kind: aggregate.MissingElement, Element: "selector", Record: 1}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.want.Count = 1
			r, err := read(aggregate.Parser{}, c.in)
			require.NoError(t, err)
			require.Contains(t, r.Warnings, c.want)
			_, err = read(aggregate.Parser{Strict: true}, c.in)
			require.ErrorIs(t, err, aggregate.ErrStrict)
		})
	}
}

// TestContainers: one report in every wrapping that is in use reads the same.
func TestContainers(t *testing.T) {
	want, err := read(aggregate.Parser{}, good)
	require.NoError(t, err)
	require.Equal(t, int64(1), want.Messages())
	for name, in := range map[string]string{
		"gzip":              gzipped(t, good),
		"gzip, two members": gzipped(t, good[:100]) + gzipped(t, good[100:]),
		"zip":               zipped(t, good),
		"zip with a folder": zipped(t, "", good),
		"zip with a readme": zipped(t, "Hello.", good),
		"mail, gzip":        mailed("application/gzip", "r.xml.gz", gzipped(t, good)),
		"mail, octets":      mailed("application/octet-stream", "r", gzipped(t, good)),
		"mail, zip":         mailed("application/zip", "r.zip", zipped(t, good)),
		"mail, xml":         mailed("text/xml", "r.xml", good),
		"mail, text":        mailed("text/plain", "r", good),
		"mail, LF":          strings.ReplaceAll(mailed("application/gzip", "r", gzipped(t, good)), "\r\n", "\n"),
		"mbox":              "From dmarc@reporter.example Mon Nov 20 00:00:00 2023\n" + mailed("application/gzip", "r", gzipped(t, good)),
		"the whole mail":    "From: a@b.example\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(gzipped(t, good))),
		"forwarded":         "From: a@b.example\nContent-Type: message/rfc822\n\n" + mailed("application/gzip", "r", gzipped(t, good)),
		"byte order mark":   "\xef\xbb\xbf" + good,
		"a prefix":          strings.NewReplacer("</", "</d:", "<?", "<?", "<", "<d:", "xmlns=", "xmlns:d=").Replace(good),
		"comments":          strings.ReplaceAll(good, "><", "><!-- - -> --><?pi ?><"),
		"CDATA":             strings.Replace(good, ">Example<", "><![CDATA[Exam]]><![CDATA[ple]]><", 1),
		"references":        strings.Replace(good, ">Example<", ">&#69;xampl&#x65;<", 1),
		"latin-1":           strings.Replace(good, `version="1.0"?`, `version="1.0" encoding="ISO-8859-1"?`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
				var p aggregate.Parser
				got, err := p.Read(wrap(strings.NewReader(in)))
				require.NoError(t, err)
				got.Warnings, got.Sender = nil, aggregate.Sender{}
				require.Equal(t, want, got)
			}
		})
	}
}

// TestLimits: at each limit a report is read, one past it it is not.
func TestLimits(t *testing.T) {
	org := func(n int) string { return strings.Replace(good, "Example</org", strings.Repeat("x", n)+"</org", 1) }
	nested := func(n int) string {
		return strings.Replace(good, "</feedback>", "<extension>"+strings.Repeat("<e>", n-2)+strings.Repeat("</e>", n-2)+"</extension></feedback>", 1)
	}
	attributes := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ` a%d=""`, i)
		}
		return strings.Replace(good, "<row>", "<row"+b.String()+">", 1)
	}
	results := func(kind string, n int) string {
		one := "<" + kind + "><domain>a.example</domain><selector>s</selector><result>fail</result></" + kind + ">"
		return strings.Replace(good, "<auth_results/>", "<auth_results>"+strings.Repeat(one, n)+"</auth_results>", 1)
	}
	reasons := func(n int) string {
		return strings.Replace(good, "</policy_eval", strings.Repeat("<reason><type>other</type></reason>", n)+"</policy_eval", 1)
	}
	records := func(n int) string { return head + strings.Repeat(record("192.0.2.1", "1"), n) + tail }
	long := strings.Replace(good, "</feedback>", "<!--"+strings.Repeat("x", 1000)+"--></feedback>", 1)
	entries := func(n int) string { return zipped(t, append([]string{good}, make([]string, n-1)...)...) }
	parts := func(n int) string {
		return "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", n-2) + "--b\nContent-Type: text/xml\n\n" + good + "\n--b--\n"
	}
	depth := func(n int) string {
		return "From: a@b.example\n" + strings.Repeat("Content-Type: message/rfc822\n\nFrom: a@b.example\n", n) + "Content-Type: text/xml\n\n" + good
	}
	for name, c := range map[string]struct {
		at, past string
		limits   aggregate.Limits
		want     aggregate.Error
	}{
		"text":       {org(4096), org(4097), aggregate.Limits{}, aggregate.ErrLimit},
		"depth":      {nested(16), nested(17), aggregate.Limits{}, aggregate.ErrLimit},
		"attributes": {attributes(16), attributes(17), aggregate.Limits{}, aggregate.ErrLimit},
		"dkim":       {results("dkim", 256), results("dkim", 257), aggregate.Limits{}, aggregate.ErrLimit},
		"spf":        {results("spf", 64), results("spf", 65), aggregate.Limits{}, aggregate.ErrLimit},
		"reasons":    {reasons(64), reasons(65), aggregate.Limits{}, aggregate.ErrLimit},
		"records":    {records(3), records(4), aggregate.Limits{Records: 3}, aggregate.ErrLimit},
		"input":      {long, long + " ", aggregate.Limits{Input: int64(len(long))}, aggregate.ErrInput},
		"output":     {gzipped(t, long), gzipped(t, long+" "), aggregate.Limits{Output: int64(len(long))}, aggregate.ErrOutput},
		"entries":    {entries(16), entries(17), aggregate.Limits{}, aggregate.ErrArchive},
		"parts":      {parts(64), parts(65), aggregate.Limits{}, aggregate.ErrLimit},
		"mail depth": {depth(8), depth(9), aggregate.Limits{}, aggregate.ErrLimit},
		"count":      {head + record("::1", "9007199254740991") + tail, head + record("::1", "9007199254740992") + tail, aggregate.Limits{}, aggregate.ErrCount},
	} {
		t.Run(name, func(t *testing.T) {
			p := aggregate.Parser{Limits: c.limits}
			_, err := read(p, c.at)
			require.NoError(t, err)
			r, err := read(p, c.past)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, aggregate.Report{}, r)
			var own aggregate.Error
			require.True(t, errors.As(err, &own))
			require.NotEmpty(t, own.Code())
		})
	}
}

// TestMalformed: what is not well-formed is never repaired.
func TestMalformed(t *testing.T) {
	for name, in := range map[string]string{
		"cut off":              good[:len(good)-5],
		"cut off in a record":  good[:len(good)-60],
		"wrong end tag":        strings.Replace(good, "</count>", "</counts>", 1),
		"two roots":            good + good,
		"text behind":          good + "x",
		"entity":               strings.Replace(good, "Example<", "&nbsp;<", 1),
		"bare ampersand":       strings.Replace(good, "Example<", "A&B<", 1),
		"DTD":                  strings.Replace(good, "<feedback", "<!DOCTYPE feedback [<!ENTITY a \"b\">]><feedback", 1),
		"reference to NUL":     strings.Replace(good, "Example<", "&#0;<", 1),
		"reference too large":  strings.Replace(good, "Example<", "&#x110000;<", 1),
		"reference surrogate":  strings.Replace(good, "Example<", "&#xd800;<", 1),
		"control character":    strings.Replace(good, "Example<", "\x01<", 1),
		"invalid UTF-8":        strings.Replace(good, "Example<", "\xff<", 1),
		"U+FFFE":               strings.Replace(good, "Example<", "\ufffe<", 1),
		"attribute twice":      strings.Replace(good, "<row>", `<row a="" a="">`, 1),
		"attribute unquoted":   strings.Replace(good, "<row>", `<row a=b>`, 1),
		"attribute with <":     strings.Replace(good, "<row>", `<row a="<">`, 1),
		"no space before name": strings.Replace(good, "<row>", `<row a="b"c="d">`, 1),
		"unknown prefix":       strings.Replace(good, "<row>", `<x:row>`, 1),
		"]]> in text":          strings.Replace(good, "Example<", "]]><", 1),
		"encoding":             strings.Replace(good, `version="1.0"?`, `version="1.0" encoding="UTF-7"?`, 1),
		"XML 2.0":              strings.Replace(good, `version="1.0"?`, `version="2.0"?`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(aggregate.Parser{}, in)
			require.ErrorIs(t, err, aggregate.ErrXML)
		})
	}
	for _, in := range []string{"", " ", "<html></html>", "<xs:feedback xmlns:xs='x'/>" + "x", "Hello: world\n\nno report", "junk"} {
		_, err := read(aggregate.Parser{}, in)
		require.Error(t, err)
	}
}

// TestReaderErrors: an error of the input is the caller's to see, as it is.
func TestReaderErrors(t *testing.T) {
	broken := errors.New("broken")
	for n := range len(good) {
		var p aggregate.Parser
		_, err := p.Read(io.MultiReader(strings.NewReader(good[:n]), iotest.ErrReader(broken)))
		require.ErrorIs(t, err, broken, n)
	}
}

func TestTimes(t *testing.T) {
	day := time.Unix(1700000000, 0).UTC()
	for in, want := range map[string]struct {
		t  time.Time
		ok bool
	}{
		"1700000000": {day, true}, " 1700000000 ": {day, true}, "+1700000000": {day, false}, "1700000000.5": {day, false},
		"1700000000000": {day, false}, "2023-11-14 22:13:20": {day, false}, "2023-11-14T22:13:20Z": {day, false},
		"0": {}, "-1": {}, "1000000000000000000": {}, "99999999999999999999": {}, "": {}, "soon": {}, "0x1": {}, "1e9": {},
		"253402300799": {time.Unix(253402300799, 0).UTC(), true},
	} {
		r, err := read(aggregate.Parser{}, strings.Replace(good, "<begin>1700000000<", "<begin>"+in+"<", 1))
		require.NoError(t, err)
		require.Equal(t, want.t, r.Begin, in)
		bad := false
		for _, w := range r.Warnings {
			bad = bad || w.Kind == aggregate.BadTime && w.Element == "begin"
		}
		require.Equal(t, want.ok, !bad, in)
	}
}

// TestMillionRecords: what is streamed needs no memory of its own.
func TestMillionRecords(t *testing.T) {
	const n = 1_000_000
	in, w := io.Pipe()
	go func() {
		z := gzip.NewWriter(w)
		z.Write([]byte(head))
		parts := strings.SplitN(record("10.0.0.0", "7"), "10.0.0.0", 2)
		b := make([]byte, 0, 1024)
		for i := range n {
			b = append(b[:0], parts[0]...)
			b = append(strconv.AppendInt(append(b, "10."...), int64(i>>16&255), 10), '.')
			b = append(strconv.AppendInt(b, int64(i>>8&255), 10), '.')
			b = append(strconv.AppendInt(b, int64(i&255), 10), parts[1]...)
			z.Write(b)
		}
		z.Write([]byte(tail))
		z.Close()
		w.Close()
	}()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	p := aggregate.Parser{Limits: aggregate.Limits{Input: 1 << 30, Output: 1 << 40, Records: 1 << 30}}
	r, err := p.Open(in)
	require.NoError(t, err)
	records, sum := 0, int64(0)
	for rec, err := range r.Records() {
		require.NoError(t, err)
		records++
		sum += rec.Count
		if records%50_000 == 0 {
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}
	require.Equal(t, n, records)
	require.Equal(t, int64(n)*7, sum)
	require.Empty(t, r.Warnings())
	t.Logf("peak heap %d KiB above %d KiB", (peak-min(peak, before.HeapAlloc))>>10, before.HeapAlloc>>10)
	require.Less(t, peak, before.HeapAlloc+64<<20)
}

func TestSender(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		mail *dmarc.Result
		want aggregate.Sender
		good bool
	}{
		"not evaluated": {in: mailed("text/xml", "r", good), want: aggregate.Sender{Domain: "reporter.example"}},
		"good": {mailed("text/xml", "r", good), &dmarc.Result{Status: authres.Pass, Domain: "reporter.example"},
			aggregate.Sender{Evaluated: true, Authenticated: true, Domain: "reporter.example"}, true},
		"subdomain": {mailed("text/xml", "r", good), &dmarc.Result{Status: authres.Pass, Domain: "mail.reporter.example"},
			aggregate.Sender{Evaluated: true, Authenticated: true, Domain: "mail.reporter.example"}, true},
		"failed": {mailed("text/xml", "r", good), &dmarc.Result{Status: authres.Fail, Domain: "reporter.example"},
			aggregate.Sender{Evaluated: true, Domain: "reporter.example"}, false},
		"other domain": {mailed("text/xml", "r", good), &dmarc.Result{Status: authres.Pass, Domain: "evil.example"},
			aggregate.Sender{Evaluated: true, Authenticated: true, Domain: "evil.example", DomainMismatch: true}, false},
		"other subject": {strings.Replace(mailed("text/xml", "r", good), "Domain: example.com", "Domain: example.net", 1), &dmarc.Result{Status: authres.Pass, Domain: "reporter.example"},
			aggregate.Sender{Evaluated: true, Authenticated: true, Domain: "reporter.example", SubjectMismatch: true}, false},
		"other id": {strings.Replace(mailed("text/xml", "r", good), "<r1>", "<r2>", 1), nil, aggregate.Sender{Domain: "reporter.example", SubjectMismatch: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := read(aggregate.Parser{Mail: c.mail}, c.in)
			require.NoError(t, err)
			require.Equal(t, c.want, r.Sender)
			require.Equal(t, c.good, r.Sender.Believable())
		})
	}
}

// P13: a report costs at most a little more than twice the octets where it is twice as
// long, whatever it is long of. Time is for BenchmarkRecords.
func TestP13Linear(t *testing.T) {
	for name, text := range map[string]func(n int) string{
		"records": func(n int) string { return head + strings.Repeat(record("192.0.2.1", "1"), n/300) + tail },
		"text": func(n int) string {
			return strings.Replace(head, "</org_name>", strings.Repeat("&#65;", n/5)+"</org_name>", 1) + tail
		},
		"depth":      func(n int) string { return head + strings.Repeat("<a>", n/3) },
		"attributes": func(n int) string { return head + "<record " + strings.Repeat(`a="b" `, n/6) + ">" + tail },
		"comments":   func(n int) string { return head + strings.Repeat("<!---->", n/7) + tail },
		"unknown":    func(n int) string { return head + strings.Repeat("<x></x>", n/7) + tail },
		"no end":     func(n int) string { return head + "<record>" + strings.Repeat("<", n) },
	} {
		octets := func(n int) float64 {
			in := []byte(text(n))
			var before, after runtime.MemStats
			least := ^uint64(0)
			for range 3 {
				runtime.ReadMemStats(&before)
				_, _ = (&aggregate.Parser{}).Read(bytes.NewReader(in))
				runtime.ReadMemStats(&after)
				least = min(least, after.TotalAlloc-before.TotalAlloc)
			}
			return float64(least)
		}
		// Two doublings, because slices grow in steps.
		require.LessOrEqual(t, octets(256<<10), 2.2*2.2*octets(64<<10)+4096, name)
	}
}
