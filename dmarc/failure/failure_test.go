package failure_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/failure"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// TestCorpora reads every failure report of the conformance data. The summary
// says in which of them its reader saw a feedback report; what is in the others,
// and what the fields say, is from looking at the files.
func TestCorpora(t *testing.T) {
	dir := testcase.Corpora(t, "dmarc-reports", "parsedmarc")
	var summary struct {
		Files []struct {
			File     string `json:"file"`
			Feedback bool   `json:"feedback_report"`
		}
	}
	testcase.ReadJSON(t, filepath.Join(dir, "summary.json"), &summary)
	linkedin := failure.Report{
		FeedbackType: "auth-failure", UserAgent: "Lua/1.0", Version: "1.0", AuthFailure: "dmarc", DeliveryResult: "delivered",
		ReportedDomains: []string{"example.com"}, AuthenticationResults: []string{"dmarc=fail (p=none; dis=none) header.from=example.com"},
		SourceIP: netip.MustParseAddr("10.10.10.10"), ArrivalDate: "Tue, 30 Apr 2019 02:09:00 +0000",
		NullReversePath: true, OriginalRcptTo: []string{"recipient@linkedin.com"},
	}
	want := map[string]failure.Report{
		"failure/dmarc_ruf_report_linkedin.eml":      linkedin,
		"failure/dmarc_ruf_report_linkedin.crlf.eml": linkedin,
		"failure/DMARC Failure Report for domain.de (mail-from=sharepoint@domain.de, ip=10.10.10.10).eml": {
			FeedbackType: "auth-failure", UserAgent: "Lua/1.0", Version: "1.0", AuthFailure: "dmarc", DeliveryResult: "smg-policy-action",
			ReportedDomains: []string{"domain.de"}, AuthenticationResults: []string{"dmarc=fail (p=none, dis=none) header.from=domain.de"},
			SourceIP: netip.MustParseAddr("10.10.10.10"), ArrivalDate: "Mon, 01 Oct 2018 11:20:27 +0200",
			OriginalMailFrom: "sharepoint@domain.de", OriginalRcptTo: []string{"peter.pan@domain.de"},
		},
		"failure/[Netease DMARC Failure Report] Rent Reminder.eml": {
			FeedbackType: "auth-failure", UserAgent: "NtesDmarcReporter/1.0", Version: "1", DeliveryResult: "delivered",
			IdentityAlignment: []string{"spf", "dkim"}, ReportedDomains: []string{"cardinal.com"}, DKIMDomain: "entrata.com",
			AuthenticationResults: []string{"163.com; dkim=pass (verify result: all signatures verified) header.d=entrata.com; spf=pass smtp.mailfrom=bounces+1137616-c1ad-xsj399=163.com@email.entrata.com"},
			SourceIP:              netip.MustParseAddr("167.89.69.24"), ArrivalDate: "Fri, 28 Sep 2018 16:48:42 +0800", OriginalEnvelopeID: "N8CowEApcUPo6q1bnXlMAA--.44392S3",
			OriginalMailFrom: "bounces+1137616-c1ad-xsj399=163.com@email.entrata.com",
		},
	}
	n := 0
	for _, f := range summary.Files {
		if !strings.HasPrefix(f.File, "failure/") {
			continue
		}
		n++
		t.Run(f.File, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, f.File))
			require.NoError(t, err)
			var p failure.Parser
			r, err := p.Read(bytes.NewReader(data))
			w, readable := want[f.File]
			if !readable {
				require.False(t, f.Feedback)
				require.ErrorIs(t, err, failure.ErrNoReport) // it is prose for people, and nothing else
				return
			}
			require.NoError(t, err)
			require.NotEmpty(t, r.Warnings)
			header := string(r.OriginalHeader())
			require.Contains(t, header, "Subject:")
			require.NotContains(t, header, "\n\n")
			require.False(t, r.HeaderOnly)
			require.False(t, r.Arrived.IsZero())
			r.Original, r.Warnings, r.Arrived = nil, nil, time.Time{}
			require.Equal(t, w, r)
			_, err = (&failure.Parser{Strict: true}).Read(bytes.NewReader(data))
			require.ErrorIs(t, err, failure.ErrStrict)
		})
	}
	testcase.Ran(t, "dmarc-reports/failure", n, 5)
}

// example is the report of RFC 9991, appendix A, shortened.
const example = "From: DMARC Filter <DMARC@gen.example>\r\nTo: dmarcfail@consumer.example\r\nSubject: FW: This is the original subject\r\nMime-Version: 1.0\r\n" +
	"Content-Type: multipart/report; report-type=feedback-report;\r\n  boundary=\"=_mime_boundary_\"\r\n\r\nThis is a MIME-formatted message.\r\n\r\n" +
	"--=_mime_boundary_\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThis is an authentication failure report.\r\n\r\n" +
	"--=_mime_boundary_\r\nContent-Type: message/feedback-report\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" +
	"Feedback-Type: auth-failure\r\nVersion: 1\r\nUser-Agent: DMARC-Filter/1.2.3\r\nAuth-Failure: dmarc (a comment (nested))\r\n" +
	"Authentication-Results: gen.example;\r\n  dmarc=fail header.from=consumer.example\r\nIdentity-Alignment: dkim\r\nDKIM-Domain: consumer.example\r\n" +
	"DKIM-Identity: @consumer.example\r\nDKIM-Selector: epsilon\r\nOriginal-Envelope-Id: 65E1A3F0A0\r\nOriginal-Mail-From: <author=gen.example@forwarder.example>\r\n" +
	"SPF-DNS: txt : forwarder.example : \"v=spf1 exp=\\\"x\\\" -all\"\r\nSource-IP: 192.0.2.2\r\nSource-Port: 12345\r\nReported-Domain: consumer.example\r\n\r\n" +
	"--=_mime_boundary_\r\nContent-Type: message/rfc822; charset=utf-8\r\n\r\nFrom: a@consumer.example\r\nSubject: This is the original subject\r\n\r\nHello.\r\n--=_mime_boundary_--\r\n"

func read(p failure.Parser, in string) (failure.Report, error) { return p.Read(strings.NewReader(in)) }

func TestRead(t *testing.T) {
	r, err := read(failure.Parser{Strict: true}, example)
	require.NoError(t, err)
	require.Equal(t, failure.Report{
		FeedbackType: "auth-failure", UserAgent: "DMARC-Filter/1.2.3", Version: "1", AuthFailure: "dmarc", IdentityAlignment: []string{"dkim"},
		ReportedDomains: []string{"consumer.example"}, AuthenticationResults: []string{"gen.example; dmarc=fail header.from=consumer.example"},
		SourceIP: netip.MustParseAddr("192.0.2.2"), SourcePort: 12345, OriginalEnvelopeID: "65E1A3F0A0",
		OriginalMailFrom: "author=gen.example@forwarder.example", DKIMDomain: "consumer.example", DKIMIdentity: "@consumer.example", DKIMSelector: "epsilon",
		SPFDNS:   []failure.SPFRecord{{Type: "txt", Domain: "forwarder.example", Record: `v=spf1 exp="x" -all`, Text: `txt : forwarder.example : "v=spf1 exp=\"x\" -all"`}},
		Original: []byte("From: a@consumer.example\r\nSubject: This is the original subject\r\n\r\nHello."),
	}, r)
	require.Equal(t, "From: a@consumer.example\r\nSubject: This is the original subject\r\n", string(r.OriginalHeader()))
}

func TestWarnings(t *testing.T) {
	for in, want := range map[[2]string]failure.Warning{
		{"multipart/report;", "multipart/mixed;"}:                               {Kind: failure.WrongContainer},
		{"report-type=feedback-report", "report-type=delivery-status"}:          {Kind: failure.WrongContainer},
		{"message/rfc822", "text/plain"}:                                        {Kind: failure.MissingOriginal},
		{"Version: 1\r\n", ""}:                                                  {Kind: failure.MissingField, Field: "version"},
		{"Version: 1\r\n", "Version: 1\r\nVersion: 2\r\n"}:                      {Kind: failure.RepeatedField, Field: "version"},
		{"Version: 1\r\n", "Version: 1.0\r\n"}:                                  {Kind: failure.BadValue, Field: "version"},
		{"Identity-Alignment: dkim\r\n", ""}:                                    {Kind: failure.MissingField, Field: "identity-alignment"},
		{"Alignment: dkim\r\n", "Alignment: dkim, dkim\r\n"}:                    {Kind: failure.BadValue, Field: "identity-alignment"},
		{"Alignment: dkim\r\n", "Alignment: none, spf\r\n"}:                     {Kind: failure.BadValue, Field: "identity-alignment"},
		{"Source-IP: 192.0.2.2", "Source-IP: fe80::1%eth0"}:                     {Kind: failure.BadValue, Field: "source-ip"},
		{"Source-Port: 12345", "Source-Port: 70000"}:                            {Kind: failure.BadValue, Field: "source-port"},
		{"Auth-Failure: dmarc", "Auth-Failure: arc"}:                            {Kind: failure.BadValue, Field: "auth-failure"},
		{"<author=gen.example@forwarder.example>", "a@b.example"}:               {Kind: failure.BadValue, Field: "original-mail-from"},
		{"SPF-DNS: txt :", "SPF-DNS: txt"}:                                      {Kind: failure.BadValue, Field: "spf-dns"},
		{"Reported-Domain: consumer.example", "Reported-Domain:"}:               {Kind: failure.BadValue, Field: "reported-domain"},
		{"Reported-Domain: consumer.example", "Reported-Domain: (none)"}:        {Kind: failure.BadValue, Field: "reported-domain"},
		{"Source-Port:", "Reported-URI: \r\nSource-Port:"}:                      {Kind: failure.BadValue, Field: "reported-uri"},
		{"Source-Port:", "Original-Rcpt-To: <>\r\nSource-Port:"}:                {Kind: failure.BadValue, Field: "original-rcpt-to"},
		{"Source-Port:", "SPF-DNS:\r\nSource-Port:"}:                            {Kind: failure.BadValue, Field: "spf-dns"},
		{"Source-Port:", "Authentication-Results: \r\nSource-Port:"}:            {Kind: failure.BadValue, Field: "authentication-results"},
		{"Source-Port:", "Arrival-Date: x\r\nReceived-Date: x\r\nSource-Port:"}: {Kind: failure.RepeatedField, Field: "arrival-date"},
	} {
		changed := strings.Replace(example, in[0], in[1], 1)
		require.NotEqual(t, example, changed, in)
		r, err := read(failure.Parser{}, changed)
		require.NoError(t, err, in)
		require.Contains(t, r.Warnings, want)
		_, err = read(failure.Parser{Strict: true}, changed)
		require.ErrorIs(t, err, failure.ErrStrict)
	}
}

func TestLimits(t *testing.T) {
	_, err := read(failure.Parser{MaxSize: int64(len(example))}, example)
	require.NoError(t, err)
	_, err = read(failure.Parser{MaxSize: int64(len(example)) - 1}, example)
	require.ErrorIs(t, err, failure.ErrSize)
	many := func(field string, n int) string {
		return strings.Replace(example, "Version: 1\r\n", "Version: 1\r\n"+strings.Repeat(field, n), 1)
	}
	for _, field := range []string{"Original-Rcpt-To: <a@b.example>\r\n", "Reported-URI: x:y\r\n", "SPF-DNS: txt : b.example : \"\"\r\n"} {
		n := 100
		if strings.HasPrefix(field, "SPF") {
			n = 99
		}
		_, err = read(failure.Parser{}, many(field, n))
		require.NoError(t, err)
		_, err = read(failure.Parser{}, many(field, n+1))
		require.ErrorIs(t, err, failure.ErrLimit)
	}
	_, err = read(failure.Parser{}, many("X: y\r\n", 1001))
	require.ErrorIs(t, err, failure.ErrLimit)
	for _, in := range []string{"", "x", "From: a@b.example\r\n\r\nhello"} {
		_, err = read(failure.Parser{}, in)
		require.ErrorIs(t, err, failure.ErrNoReport)
	}
}

// FuzzRead goes with F19 and F20: failure reports. What is read is written and read again.
func FuzzRead(f *testing.F) {
	a := alphabet.Mail()
	a.Seed(f.Add, example)
	a.Seed(f.Add, strings.ReplaceAll(example, "\r\n", "\n"))
	for _, field := range []string{"Reported-Domain:", "Reported-Domain: (x)", "Reported-URI: ", "Original-Rcpt-To: <>", "Authentication-Results:\t", "SPF-DNS:"} {
		a.Seed(f.Add, strings.Replace(example, "Version: 1\r\n", "Version: 1\r\n"+field+"\r\n", 1)) // read as a value once, and not written
	}
	a.Seed(f.Add, "Feedback-Type: auth-failure\nSource-IP: [IPv6:::1]\nArrival-Date: 1 Jan 2020 00:00 +0000\n")
	for _, s := range testcase.Samples("dmarc-reports", "parsedmarc", "failure", "*") {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		data = []byte(a.Text(data, folded))
		r, err := (&failure.Parser{MaxSize: 1 << 20}).Read(bytes.NewReader(data))
		if err != nil {
			require.Equal(t, failure.Report{}, r)
			return
		}
		_, err = r.MarshalJSON()
		require.NoError(t, err)
		// What can be written reads the same, but for white space and what is not ASCII.
		var out bytes.Buffer
		if _, err := (&failure.Mail{Report: &r, From: "a@b.example", To: "c@d.example"}).WriteTo(&out); err == nil {
			again, err := (&failure.Parser{}).Read(&out)
			require.NoError(t, err)
			require.Equal(t, r.SourceIP, again.SourceIP)
			require.Equal(t, r.SourcePort, again.SourcePort)
			require.Equal(t, r.Incidents, again.Incidents)
			require.Len(t, again.ReportedDomains, len(r.ReportedDomains))
			require.Len(t, again.ReportedURIs, len(r.ReportedURIs))
			require.Len(t, again.OriginalRcptTo, len(r.OriginalRcptTo))
			require.Len(t, again.AuthenticationResults, len(r.AuthenticationResults))
			require.Len(t, again.SPFDNS, len(r.SPFDNS))
			require.Equal(t, r.CanonicalizedHeader, again.CanonicalizedHeader)
			require.Equal(t, r.CanonicalizedBody, again.CanonicalizedBody)
		}
	})
}

// evaluate makes a DMARC result under a record.
func evaluate(t *testing.T, record string, ids ...dmarc.Identifier) *dmarc.Result {
	zone, err := dnstest.Parse(fmt.Sprintf(`{"_dmarc.example.com": {"TXT": [[%q]]}, "example.com": {"A": ["192.0.2.1"]}}`, record))
	require.NoError(t, err)
	author, err := dmarc.AuthorOf("example.com")
	require.NoError(t, err)
	r := (&dmarc.Verifier{Resolver: zone}).Verify(context.Background(), author, ids...)
	return &r
}

func TestDue(t *testing.T) {
	pass, fail, softfail, neutral, temp := authres.Pass, authres.Fail, authres.SoftFail, authres.Neutral, authres.TempError
	for _, c := range []struct {
		record    string
		spf, dkim authres.Status
		want      failure.Wanted
	}{
		{"v=DMARC1; p=reject; ruf=mailto:a@example.com", fail, fail, failure.Wanted{DMARC: true}},
		{"v=DMARC1; p=reject; ruf=mailto:a@example.com", pass, fail, failure.Wanted{}},
		{"v=DMARC1; p=reject; fo=1; ruf=mailto:a@example.com", pass, fail, failure.Wanted{DMARC: true}},
		{"v=DMARC1; p=reject; fo=1; ruf=mailto:a@example.com", pass, pass, failure.Wanted{}},
		{"v=DMARC1; p=reject; fo=d:s; ruf=mailto:a@example.com", softfail, fail, failure.Wanted{DKIM: true, SPF: true}},
		{"v=DMARC1; p=reject; fo=0:d; ruf=mailto:a@example.com", softfail, fail, failure.Wanted{DMARC: true, DKIM: true}},
		{"v=DMARC1; p=reject; fo=s; ruf=mailto:a@example.com", neutral, fail, failure.Wanted{}},
		{"v=DMARC1; p=reject; fo=1", fail, fail, failure.Wanted{}},
		{"v=DMARC1; p=reject; fo=1; psd=y; ruf=mailto:a@example.com", fail, fail, failure.Wanted{}},
		{"v=DMARC1; p=reject; fo=1; ruf=mailto:a@example.com", temp, fail, failure.Wanted{}},
	} {
		r := evaluate(t, c.record, dmarc.SPFIdentifier(c.spf, "example.com"), dmarc.DKIMIdentifier(c.dkim, "example.com", "s"))
		require.Equal(t, c.want, failure.Due(r), "%s spf=%s dkim=%s", c.record, c.spf, c.dkim)
	}
}

const private = "Received: from client (HELO x) by mx for <alice.secret@example.net>; Mon, 1 Jan 2024 00:00:00 +0000\r\n" +
	"DKIM-Signature: v=1; d=example.com; i=bob.secret@example.com; z=Subject:merger=20secret; b=abc=\r\n" +
	"Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=bob.secret@example.com\r\n" +
	"From: \"Bob Secret\" <bob.secret@example.com>\r\nTo: Alice Secret <alice.secret@example.net>\r\nSubject: secret merger\r\n" +
	"X-Secret: secret\r\nMessage-ID: <1@example.com>\r\nList-Id: see http://example.com/x\r\n\r\nThe secret body.\r\n"

func incident(t *testing.T) failure.Incident {
	return failure.Incident{
		Result:    evaluate(t, "v=DMARC1; p=reject; ruf=mailto:a@example.com", dmarc.SPFIdentifier(authres.Fail, "example.com"), dmarc.DKIMIdentifier(authres.Fail, "example.com", "sel")),
		UserAgent: "Test/1.0", AuthservID: "mx.example.net", Delivery: "reject", SourceIP: netip.MustParseAddr("2001:db8::1"),
		Arrived: time.Unix(1700000000, 0).UTC(), MailFrom: "bob.secret@example.com", RcptTo: []string{"alice.secret@example.net"},
		SPFRecords: []failure.SPFRecord{{Domain: "example.com", Record: "v=spf1 -all"}}, Message: []byte(private),
	}
}

// TestThreats is the group REP of the threat matrix, as far as failure reports go.
func TestThreats(t *testing.T) {
	t.Run("REP-15", func(t *testing.T) {
		in := incident(t)
		r, err := in.Report()
		require.NoError(t, err)
		var out bytes.Buffer
		m := failure.Mail{Report: r, From: "dmarc@mx.example.net", To: "a@example.com"}
		_, err = m.WriteTo(&out)
		require.NoError(t, err)
		back, err := (&failure.Parser{Strict: true}).Read(bytes.NewReader(out.Bytes()))
		require.NoError(t, err)
		shown := strings.ToLower(out.String() + string(back.Original))
		require.NotContains(t, shown, "secret")
		require.Contains(t, shown, "message-id: <1@example.com>")
		require.Contains(t, shown, "for <redacted@example.net>")
		require.Contains(t, shown, "i=redacted@example.com")
		require.Contains(t, shown, "hxxp://example.com/x")
		require.True(t, back.HeaderOnly)

		in.Secret = []byte("key")
		one, err := in.Report()
		require.NoError(t, err)
		two, err := in.Report()
		require.NoError(t, err)
		require.Equal(t, one, two)
		require.NotContains(t, strings.ToLower(string(one.Original)), "secret")
		require.Contains(t, string(one.Original), strings.TrimSuffix(one.OriginalMailFrom, "@example.com")+"@example.com")

		in.Redact = func([]byte) []byte { return []byte("From: x@example.com\r\n") }
		r, err = in.Report()
		require.NoError(t, err)
		require.Equal(t, "From: x@example.com\r\n", string(r.Original))

		in.DangerousUnredacted = true
		r, err = in.Report()
		require.NoError(t, err)
		require.Equal(t, private, string(r.Original))
		require.False(t, r.HeaderOnly)
	})
	t.Run("REP-13", func(t *testing.T) {
		in := incident(t)
		require.True(t, in.Answerable())
		for _, field := range []string{"Auto-Submitted: auto-generated\r\n", "Content-Type: multipart/report; report-type=feedback-report\r\n", "Auto-Submitted: (x) auto-replied\r\n"} {
			in.Message = []byte(field + private)
			require.False(t, in.Answerable(), field)
		}
		in.Message, in.MailFrom = []byte(private), ""
		require.False(t, in.Answerable())
		// Our own report is one of these.
		r, err := in.Report()
		require.NoError(t, err)
		var out bytes.Buffer
		_, err = (&failure.Mail{Report: r, From: "dmarc@mx.example.net", To: "a@example.com"}).WriteTo(&out)
		require.NoError(t, err)
		in.Message, in.MailFrom = out.Bytes(), "dmarc@mx.example.net"
		require.False(t, in.Answerable())
	})
	t.Run("header injection", func(t *testing.T) {
		in := incident(t)
		in.EnvelopeID, in.Delivery = "x\r\nBcc: evil@example.org", "reject\nX: y"
		in.Message = []byte("Subject: a\x00\x1b[31m\r\n\r\n")
		r, err := in.Report()
		require.NoError(t, err)
		var out bytes.Buffer
		_, err = (&failure.Mail{Report: r, From: "dmarc@mx.example.net", To: "a@example.com"}).WriteTo(&out)
		require.NoError(t, err)
		require.NotContains(t, out.String(), "\nBcc")
		require.NotContains(t, out.String(), "\x1b")
		for _, bad := range []string{"", "a", "a@b.example\r\nBcc: x@y.example", "a@b.example, c@d.example", "\"a b\"@b.example", "a@[192.0.2.1]"} {
			_, err = (&failure.Mail{Report: r, From: "dmarc@mx.example.net", To: bad}).WriteTo(&out)
			require.ErrorIs(t, err, failure.ErrAddress, bad)
		}
	})
}

// TestWriteRead: a report that is written is read as it was.
func TestWriteRead(t *testing.T) {
	in := incident(t)
	r, err := in.Report()
	require.NoError(t, err)
	r.Incidents, r.SourcePort = 5, 2525
	r.CanonicalizedHeader, r.CanonicalizedBody = []byte("from:a@b.example\r\n"), bytes.Repeat([]byte("x\r\n"), 100)
	var out bytes.Buffer
	n, err := (&failure.Mail{Report: r, From: "dmarc@mx.example.net", To: "a@example.com", Date: time.Unix(1700000100, 0).UTC()}).WriteTo(&out)
	require.NoError(t, err)
	require.Equal(t, int64(out.Len()), n)
	for line := range strings.SplitSeq(out.String(), "\r\n") {
		require.LessOrEqual(t, len(line), 998)
		require.NotContains(t, line, "\n")
	}
	back, err := (&failure.Parser{Strict: true}).Read(&out)
	require.NoError(t, err)
	want := *r
	want.ArrivalDate = "Tue, 14 Nov 2023 22:13:20 +0000"
	want.AuthenticationResults = []string{"mx.example.net; dmarc=fail header.from=example.com"}
	want.SPFDNS = []failure.SPFRecord{{Type: "txt", Domain: "example.com", Record: "v=spf1 -all", Text: `txt : example.com : "v=spf1 -all"`}}
	require.True(t, want.Arrived.Equal(back.Arrived))
	back.Arrived = want.Arrived
	require.Equal(t, want, back)

	_, err = (&failure.Mail{Report: &failure.Report{}, From: "a@b.example", To: "a@b.example"}).WriteTo(&out)
	require.ErrorIs(t, err, failure.ErrIncomplete)
}

func TestLimiter(t *testing.T) {
	l := failure.Limiter{Max: 2, Interval: time.Minute}
	now := time.Unix(1700000000, 0)
	for i, want := range []struct {
		after time.Duration
		n     uint32
		ok    bool
	}{{0, 1, true}, {0, 1, true}, {0, 0, false}, {59 * time.Second, 0, false}, {time.Minute, 3, true}, {time.Minute, 1, true}, {time.Minute, 0, false}} {
		n, ok := l.Allow([]string{"a@example.com", "A@Example.com"}[i%2], now.Add(want.after))
		require.Equal(t, want.n, n)
		require.Equal(t, want.ok, ok)
	}
	_, ok := l.Allow("example.net", now)
	require.True(t, ok)

	var full failure.Limiter
	for i := range 10_000 {
		_, ok := full.Allow(fmt.Sprint(i), now)
		require.True(t, ok)
	}
	_, ok = full.Allow("one more", now)
	require.False(t, ok)
	_, ok = full.Allow("one more", now.Add(time.Hour))
	require.True(t, ok)
}
