package dmarc

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

func header(t testing.TB, lines string) *message.Header {
	t.Helper()
	m, err := message.Parse([]byte(lines))
	require.NoError(t, err)
	return m.Header()
}

// rest is the message below the From fields of the matrix.
const rest = "To: <u@victim.example>\r\nSubject: Statement\r\n\r\nDear customer,\r\n"

// TestAuthorDomain has the rows about who a message is from, on whole headers.
// The forms that one field value can take are tested beside the address parser.
func TestAuthorDomain(t *testing.T) {
	const from, evil = "From: CEO <ceo@bank.example>\r\n", "<ceo@evil.example>\r\n"
	for _, c := range []struct {
		id, in, want string // want: the domains read
		err          error
	}{
		{"MSG-01", "X-A: b\nFrom: " + evil + from, "bank.example", ErrFromHidden},
		{"MSG-02", "X-A: b\rFrom: " + evil + from, "bank.example", ErrFromHidden},
		{"MSG-10", "X-A: b\r\nFrom\r\n : " + evil + from, "", ErrFromRepeated},
		{"MSG-10 alone", "From\r\n : " + evil, "evil.example", ErrFromHidden},
		{"MSG-11", "From : " + evil + from, "", ErrFromRepeated},
		{"MSG-11 alone", "From : <ceo@bank.example>\r\n", "bank.example", nil},
		{"MSG-12", "From\x00: " + evil + from, "bank.example", ErrFromHidden},
		{"MSG-13a", "From\u00a0: " + evil + from, "bank.example", ErrFromHidden},
		{"MSG-13b", "From\u2000: " + evil + from, "bank.example", ErrFromHidden},
		{"MSG-18", "", "", ErrFromMissing},
		{"MSG-18 colon", ": x\r\n", "", ErrFromMissing},
		{"MSG-21", "Fr\u043em: " + evil + from, "bank.example", ErrFromHidden},
		{"MSG-22", "\xef\xbb\xbf" + from, "", ErrFromHidden},
		{"FROM-01", "Sender: <ceo@bank.example>\r\n", "", ErrFromMissing},
		{"FROM-02", "Resent-From: <ceo@bank.example>\r\n", "", ErrFromMissing},
		{"FROM-03", "From: <a@attack.example>\r\nFrom: <ceo@bank.example>\r\n", "", ErrFromRepeated},
		{"FROM-03 other order", "From: <ceo@bank.example>\r\nFrom: <a@attack.example>\r\n", "", ErrFromRepeated},
		{"FROM-03 same", from + from, "", ErrFromRepeated},
		{"FROM-04", "From: <first@attack.example>, <admin@bank.example>\r\n", "attack.example bank.example", ErrFromDomains},
		{"FROM-05", "From: a@bank.example, b@bank.example\r\n", "bank.example", nil},
		{"FROM-07", "From:=?utf-8?B?PGNlb0BiYW5rLmV4YW1wbGU+?=,<second@attack.example>\r\n", "", ErrFromEmpty},
		{"FROM-12", "From: <@bank.example:ceo@attack.example>\r\n", "", ErrFromSyntax},
		{"FROM-14", "From: admin@bank.example,<second@attack.example>\r\n", "bank.example attack.example", ErrFromDomains},
		{"FROM-20", "From: <\"x@attack.example>\"@bank.example>\r\n", "bank.example", nil},
		{"FROM-30", "From: " + strings.Repeat("(", 17) + strings.Repeat(")", 17) + "ceo@bank.example\r\n", "", ErrFromLimit},
		{"FROM-31", "From: Undisclosed:ceo@bank.example;\r\n", "bank.example", nil},
		{"FROM-36", "From: \r\n", "", ErrFromEmpty},
		{"FROM-37", "From: <ceo@[192.0.2.1]>\r\n", "", ErrFromDomain},
		{"FROM-39", "From: <ceo@co.uk>\r\n", "co.uk", nil},
		{"FROM-48", "From: <ceo@_bank.example>\r\n", "", ErrFromDomain},
		{"FROM-52", "From: Bank, Inc. <ceo@bank.example>\r\n", "", ErrFromEmpty},
		{"FROM-54", "From: " + strings.Repeat("x", 9<<10) + "@bank.example\r\n", "", ErrFromLimit},
		{"FROM-56a", "From:\t<ceo@bank.example>\r\n", "bank.example", nil},
		{"FROM-56b", "From:<ceo@bank.example>\r\n", "bank.example", nil},
		{"FROM-56c", "from: <ceo@bank.example>\r\n", "bank.example", nil},
		{"FROM-56 folded", "FROM:\r\n CEO\r\n\t<ceo@bank.example>\r\n", "bank.example", nil},
		{"DMA-29", "From: <ceo@localhost>\r\n", "localhost", nil},
		{"DMA-34 two fields", "From: <a@attack.example>\r\nX: y\r\nFrom: <ceo@bank.example>\r\n", "", ErrFromRepeated},
		{"DMA-34 two domains", "From: <ceo@bank.example>, <a@attack.example>\r\n", "bank.example attack.example", ErrFromDomains},
		{"DMA-34 a group of two", "From: x:<ceo@bank.example>, <a@attack.example>;\r\n", "bank.example attack.example", ErrFromDomains},
		{"DMA-34 subdomain", "From: <ceo@bank.example>, <a@mail.bank.example>\r\n", "bank.example mail.bank.example", ErrFromDomains},
		{"DMA-35", "From: " + strings.Repeat("a@b.example, ", 500) + "x@y.example\r\n", "", ErrFromLimit},
	} {
		t.Run(c.id, func(t *testing.T) {
			a, err := AuthorDomain(header(t, c.in+rest))
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, strings.Join(a.Domains(), " "))
			if c.err == nil {
				require.Equal(t, c.want, a.Domain())
				return
			}
			// Closed: not "no policy", and no question is asked about anybody.
			require.Empty(t, a.Domain())
			z := dnstest.MustParse(bankZone)
			v := Verifier{Resolver: z}
			r := v.Verify(context.Background(), a, SPFIdentifier(authres.Pass, "bank.example"))
			require.Equal(t, authres.PermError, r.Status)
			require.ErrorIs(t, r.Err, c.err)
			require.Empty(t, z.Queries())
		})
	}
	_, err := AuthorDomain(nil)
	require.ErrorIs(t, err, ErrFromMissing)
}

func TestRemarks(t *testing.T) {
	for in, want := range map[string][]Remark{
		"CEO <ceo@bank.example>":                       nil,
		`"ceo@bank.example" <any@attack.example>`:      {NameHasAddress},
		"Undisclosed:ceo@bank.example;":                {GroupSyntax},
		",,ceo@bank.example,,":                         {ObsoleteSyntax},
		"\u202emoc.knab@oec <a@attack.example>":        {NameHasAddress, BidiText},
		"=?utf-8?B?Y2VvQGJhbms==?=@attack.example":     {EncodedWordInAddress},
		"\"J\xf6rg\" <ceo@bank.example>":               {NotUTF8},
		"=?utf-8?Q?ceo=40bank.example?= <a@b.example>": {NameHasAddress},
	} {
		require.Equal(t, want, authorOf(t, in).Remarks(), in)
	}
}

func TestAuthorOptions(t *testing.T) {
	o := AuthorOptions{UnquotedComma: true}
	a, err := o.AuthorDomain(header(t, "From: Bank, Inc. <ceo@bank.example>\r\n"+rest))
	require.NoError(t, err)
	require.Equal(t, "bank.example", a.Domain())
	require.Equal(t, []Remark{UnquotedComma}, a.Remarks())
	require.Equal(t, []Mailbox{{"ceo", "bank.example"}}, a.Mailboxes())

	o = AuthorOptions{SeveralDomains: true}
	three := "From: a@a.example, b@b.example, c@c.example, d@a.example\r\n"
	a, err = o.AuthorDomain(header(t, three+rest))
	require.NoError(t, err)
	require.Equal(t, []string{"a.example", "b.example", "c.example"}, a.Domains())
	require.Empty(t, a.Domain())
	require.Len(t, a.Mailboxes(), 4)
	a, err = o.AuthorDomain(header(t, strings.Replace(three, "d@a", "d@d", 1)+rest))
	require.ErrorIs(t, err, ErrFromDomains)
	require.ErrorIs(t, a.Err(), ErrFromDomains)
	_, err = o.AuthorDomain(header(t, three+three+rest))
	require.ErrorIs(t, err, ErrFromRepeated)

	_, err = AuthorOf("bank.example.")
	require.ErrorIs(t, err, ErrFromDomain)
	a, err = AuthorOf("B\u00dccher.example")
	require.NoError(t, err)
	require.Equal(t, "xn--bcher-kva.example", a.Domain())
}

const bankZone = "_dmarc.bank.example. TXT \"v=DMARC1; p=reject\"\n"

// TestThreats has the rows about evaluation.
func TestThreats(t *testing.T) {
	const np = "_dmarc.bank.example. TXT \"v=DMARC1; p=none; sp=none; np=reject\"\n"
	for _, c := range []struct {
		id, zone, from, spf, dkim string
		fault                     string // a name whose every question fails
		status                    authres.Status
		policy                    Policy
		code                      string
	}{
		{id: "DMA-01", zone: `_dmarc.bank.example. TXT "v=DMARC1; p=reject; p=none"`, status: authres.None, code: "ErrNoRecord"},
		{id: "DMA-32 size", zone: overLimit("x=" + strings.Repeat("a", MaxRecordLength)), spf: "pass attack.example", status: authres.PermError, code: "ErrRecordLimit"},
		{id: "DMA-32 tags", zone: overLimit(manyTags(MaxTags)), spf: "pass attack.example", status: authres.PermError, code: "ErrRecordLimit"},
		{id: "DMA-04", zone: bankZone + `_dmarc.a.bank.example. TXT "v=DMARC1; p=none"` + "\n" + `_dmarc.a.bank.example. TXT "v=DMARC1; p=none "`, from: "a.bank.example",
			status: authres.Fail, policy: PolicyReject, code: "ErrNotAuthenticated"},
		{id: "DMA-07", zone: `_dmarc.bank.example. TXT "v=DMARC1; p=reject; sp=junk"`, spf: "pass bank.example", status: authres.None, code: "ErrPolicy"},
		{id: "DMA-07 rua", zone: `_dmarc.bank.example. TXT "v=DMARC1; p=reject; sp=junk; rua=mailto:d@bank.example"`, status: authres.Fail, policy: PolicyNone, code: "ErrNotAuthenticated"},
		{id: "DMA-08", zone: `_dmarc.bank.example. TXT "v=DMARC1; p=reject; adkim=x; pct=abc; fo=9; foo;;"`, status: authres.Fail, policy: PolicyReject, code: "ErrNotAuthenticated"},
		{id: "DMA-09", zone: `_dmarc.bank.example. TXT "v=DMARC1; p=reject; pct=0"`, status: authres.Fail, policy: PolicyReject, code: "ErrNotAuthenticated"},
		{id: "DMA-10a", zone: `_dmarc.bank.example. TXT "v=DMARC1; p=reject; t=y"`, status: authres.Fail, policy: PolicyQuarantine, code: "ErrNotAuthenticated"},
		{id: "DMA-10b", zone: `_dmarc.bank.example. TXT "v=DMARC1; p=quarantine; t=y"`, status: authres.Fail, policy: PolicyNone, code: "ErrNotAuthenticated"},
		{id: "DMA-11", zone: `_dmarc.bank.example. TXT "v=DMARC1; p=reject\000"`, status: authres.None, code: "ErrPolicy"},
		{id: "DMA-14", zone: `_dmarc.bank.example. TXT "v=DMARC1; p=reject; adkim=s"`, from: "sub.bank.example", dkim: "pass bank.example s", status: authres.Fail, policy: PolicyReject, code: "ErrNotAligned"},
		{id: "DMA-14 SPF is not strict", zone: `_dmarc.bank.example. TXT "v=DMARC1; p=reject; adkim=s"`, from: "sub.bank.example", spf: "pass bank.example", status: authres.Pass, policy: PolicyReject},
		{id: "DMA-15", zone: bankZone, from: "a.bank.example", dkim: "pass b.bank.example s", status: authres.Pass, policy: PolicyReject},
		{id: "DMA-18", zone: bankZone, dkim: "fail bank.example s; pass attack.example s", status: authres.Fail, policy: PolicyReject, code: "ErrNotAligned"},
		{id: "DMA-22", zone: bankZone + `_dmarc.mail.bank.example. TXT "v=DMARC1; p=reject; psd=n"`, from: "a.mail.bank.example", dkim: "pass other.bank.example s", status: authres.Fail, policy: PolicyReject, code: "ErrNotAligned"},
		{id: "DMA-27 NXDOMAIN", zone: np, from: "x.bank.example", status: authres.Fail, policy: PolicyReject, code: "ErrNotAuthenticated"},
		{id: "DMA-27 NODATA", zone: np + "x.bank.example. TXT \"hello\"\n", from: "x.bank.example", status: authres.Fail, policy: PolicyNone, code: "ErrNotAuthenticated"},
		{id: "DMA-27 error", zone: np, from: "x.bank.example", fault: "x.bank.example.", status: authres.TempError, code: "ErrDNS"},
		{id: "DMA-27 error, pass", zone: np, from: "x.bank.example", dkim: "pass bank.example s", fault: "x.bank.example.", status: authres.Pass},
		{id: "DMA-27 no test needed", zone: strings.Replace(np, "sp=none", "sp=reject", 1), from: "x.bank.example", fault: "x.bank.example.", status: authres.Fail, policy: PolicyReject, code: "ErrNotAuthenticated"},
		{id: "DMA-28", zone: np + "x.bank.example. A 192.0.2.1\n", from: "x.bank.example", status: authres.Fail, policy: PolicyNone, code: "ErrNotAuthenticated"},
		{id: "DMA-29", zone: "", from: "localhost", spf: "pass localhost", status: authres.None, code: "ErrNoRecord"},
		{id: "DMA-33", zone: bankZone, dkim: "temperror attack.example s", spf: "none bank.example", fault: "_dmarc.attack.example.", status: authres.Fail, policy: PolicyReject, code: "ErrNotAuthenticated"},
		{id: "DMA-33 passing", zone: bankZone, dkim: "pass attack.example s", fault: "_dmarc.attack.example.", status: authres.Fail, policy: PolicyReject, code: "ErrNotAligned"},
		{id: "CMP-01", zone: bankZone, spf: "none attack.example", status: authres.Fail, policy: PolicyReject, code: "ErrNotAuthenticated"},
		{id: "CMP-03", zone: bankZone, spf: "pass attack.example", dkim: "fail bank.example s; pass attack.example s", status: authres.Fail, policy: PolicyReject, code: "ErrNotAligned"},
		{id: "CMP-14", zone: bankZone, spf: "fail bank.example", dkim: "temperror bank.example s", status: authres.TempError, policy: PolicyReject, code: "ErrIdentifier"},
		{id: "CMP-14 but another passes", zone: bankZone, spf: "pass bank.example", dkim: "temperror bank.example s", status: authres.Pass, policy: PolicyReject},
		{id: "R7 policy is no pass", zone: bankZone, dkim: "policy bank.example s", spf: "softfail bank.example", status: authres.Fail, policy: PolicyReject, code: "ErrNotAuthenticated"},

		{id: "author's record fails", zone: bankZone, fault: "_dmarc.bank.example.", dkim: "pass bank.example s", status: authres.TempError, code: "ErrDNS"},
		{id: "suffix fails, no matter", zone: bankZone, fault: "_dmarc.example.", dkim: "pass a.bank.example s", status: authres.Pass, policy: PolicyReject},
		{id: "suffix fails, nothing below", zone: "", fault: "_dmarc.example.", status: authres.TempError, code: "ErrDNS"},
		{id: "between fails, might be the organization", zone: bankZone, from: "x.a.bank.example", fault: "_dmarc.a.bank.example.", status: authres.TempError, code: "ErrDNS"},
		{id: "above fails, author decides, same domain", zone: bankZone + `_dmarc.a.bank.example. TXT "v=DMARC1; p=none"`, from: "a.bank.example", dkim: "pass a.bank.example s", fault: "_dmarc.bank.example.",
			status: authres.Pass, policy: PolicyNone},
		{id: "above fails, alignment unknown", zone: bankZone + `_dmarc.a.bank.example. TXT "v=DMARC1; p=none"`, from: "a.bank.example", dkim: "pass b.bank.example s", fault: "_dmarc.bank.example.",
			status: authres.TempError, policy: PolicyNone, code: "ErrDNS"},
		{id: "above fails, strict", zone: bankZone + `_dmarc.a.bank.example. TXT "v=DMARC1; p=none; adkim=s"`, from: "a.bank.example", dkim: "pass b.bank.example s", fault: "_dmarc.bank.example.",
			status: authres.Fail, policy: PolicyNone, code: "ErrNotAligned"},
		{id: "above fails, another passes", zone: bankZone + `_dmarc.a.bank.example. TXT "v=DMARC1; p=none"`, from: "a.bank.example", dkim: "pass b.bank.example s; pass a.bank.example s", fault: "_dmarc.bank.example.",
			status: authres.Pass, policy: PolicyNone},
		{id: "identifier's own level fails", zone: bankZone, dkim: "pass b.bank.example s", fault: "_dmarc.b.bank.example.", status: authres.TempError, policy: PolicyReject, code: "ErrDNS"},
		{id: "failed signature's level fails", zone: bankZone, dkim: "fail b.bank.example s", fault: "_dmarc.b.bank.example.", status: authres.Fail, policy: PolicyReject, code: "ErrNotAuthenticated"},
		{id: "identifier is no name", zone: bankZone, dkim: "pass bank.example. s", spf: "pass [192.0.2.1]", status: authres.Fail, policy: PolicyReject, code: "ErrNotAuthenticated"},
		{id: "identifier in capitals", zone: bankZone, dkim: "pass BANK.Example s", status: authres.Pass, policy: PolicyReject},
		{id: "R12", zone: `_dmarc.com. TXT "v=DMARC1; p=reject"`, from: "bank.com", dkim: "pass attack.com s; pass com s", status: authres.Fail, policy: PolicyReject, code: "ErrNotAligned"},
	} {
		t.Run(c.id, func(t *testing.T) {
			if c.from == "" {
				c.from = "bank.example"
			}
			author, err := AuthorOf(c.from)
			require.NoError(t, err)
			z := dnstest.MustParse(c.zone + "\n")
			if c.fault != "" {
				z = z.WithFault(c.fault, 0, context.DeadlineExceeded)
			}
			v := Verifier{Resolver: z}
			ids := append(identifiers(t, SPF, c.spf), identifiers(t, DKIM, c.dkim)...)
			r := v.Verify(context.Background(), author, ids...)
			require.Equal(t, c.status, r.Status, "%v\n%s", r.Err, story(r))
			require.Equal(t, c.policy, r.Policy)
			require.Equal(t, c.code, code(r.Err))
			require.Equal(t, c.status == authres.Pass, r.Err == nil)
			require.Equal(t, c.from, r.Domain)
		})
	}
}

// DMA-36: where the record lies and who the message is from are two fields.
func TestPolicyDomain(t *testing.T) {
	author, err := AuthorOf("a.bank.example")
	require.NoError(t, err)
	v := Verifier{Resolver: dnstest.MustParse(bankZone)}
	r := v.Verify(context.Background(), author)
	require.Equal(t, "a.bank.example", r.Domain)
	require.Equal(t, "bank.example", r.PolicyDomain)
}

func TestSeveralDomains(t *testing.T) {
	zone := bankZone + `
_dmarc.q.example. TXT "v=DMARC1; p=quarantine"
_dmarc.n.example. TXT "v=DMARC1; p=none"
`
	for _, c := range []struct {
		from, dkim, fault string
		status            authres.Status
		domain            string
	}{
		{"a@q.example, b@n.example", "pass n.example s", "", authres.Fail, "q.example"},
		{"a@q.example, b@bank.example", "", "", authres.Fail, "bank.example"},
		{"a@q.example, b@bank.example", "pass bank.example s", "", authres.Fail, "q.example"},
		{"a@q.example, b@bank.example", "pass bank.example s; pass q.example s", "", authres.Pass, "q.example"},
		{"a@attack.example, b@bank.example", "pass attack.example s", "", authres.Fail, "bank.example"},
		{"a@n.example, b@none.example", "pass n.example s", "", authres.None, "none.example"},
		{"a@q.example, b@bank.example", "", "_dmarc.bank.example.", authres.TempError, "bank.example"},
		{"a@q.example, b@bank.example", "", "_dmarc.q.example.", authres.Fail, "bank.example"},
	} {
		a := AuthorOptions{SeveralDomains: true}.read(c.from)
		require.NoError(t, a.Err())
		z := dnstest.MustParse(zone)
		if c.fault != "" {
			z = z.WithFault(c.fault, 0, context.DeadlineExceeded)
		}
		v := Verifier{Resolver: z}
		r := v.Verify(context.Background(), a, identifiers(t, DKIM, c.dkim)...)
		require.Equal(t, c.status, r.Status, c.from)
		require.Equal(t, c.domain, r.Domain, c.from)
		require.Len(t, r.Each, 2)
	}
}

// overLimit is a zone with a record of bank.example that is too large to be read.
func overLimit(rest string) string {
	record := "v=DMARC1; p=reject; " + rest
	var chunks []string
	for ; len(record) > 255; record = record[255:] {
		chunks = append(chunks, `"`+record[:255]+`"`)
	}
	return "_dmarc.bank.example. TXT " + strings.Join(chunks, " ") + ` "` + record + `"`
}

// manyTags returns n tags, each of another name.
func manyTags(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("x", i+1) + "=1;")
	}
	return b.String()
}
