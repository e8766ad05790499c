package mailauth_test

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/seed2385d973/mailauth/message"
)

// What the flags of FuzzEvaluate say besides what the DNS answers.
const (
	foldMessage = 32 // the message is folded by the alphabet of header fields
	foldRecord  = 64 // so is the record, by those of SPF, DMARC and keys
)

// FuzzEvaluate is F8, the whole evaluation: any message in any session against any
// DNS, one text for all TXT questions and one for what the addresses are. Questions
// are names and within the budget; a pass has something aligned and one author
// domain; what we write on top of the message is one field that says our verdict.
func FuzzEvaluate(f *testing.F) {
	letters := append(alphabet.Header(), "From: CEO <ceo@bank.example>\r\n", "To: <u@victim.example>\r\n", "v=1; a=ed25519-sha256; d=bank.example; s=sel; h=from; bh=", "i=1; cv=none; ", "=")
	terms := slices.Concat(alphabet.SPF(), alphabet.DMARC(), alphabet.Alphabet{"v=DKIM1; ", "k=ed25519; ", "p=", "t=y", "v=BIMI1; "})
	for _, s := range fromLines {
		f.Add(letters.Unfold(s+"\r\n\r\nx\r\n"), "a@attack.example", "mx.attack.example", string(terms.Unfold("v=DMARC1; p=reject")), uint8(2|foldMessage|foldRecord))
	}
	for _, c := range testcase.Load(f, "testdata", caseKeys...) {
		w := load(f, c)
		f.Add(w.message, w.session.MailFrom, w.session.HELO, "v=DMARC1; p=reject", uint8(0))
		f.Add(w.message, w.session.MailFrom, w.session.HELO, "v=spf1 include:%{d1}.example a mx ptr exists:%{l}.x -all", uint8(7))
	}
	f.Fuzz(func(t *testing.T, msg []byte, from, helo, txt string, flags uint8) {
		msg, txt = []byte(letters.Text(msg, flags&foldMessage != 0)), terms.Text([]byte(txt), flags&foldRecord != 0)
		var asked atomic.Int64 // several protocols ask at once
		var bad atomic.Pointer[string]
		e := mailauth.Evaluator{
			AuthservID: "mx.victim.example",
			DNS:        mailauth.DNSLimits{Speculative: -1},
			Resolver: dnsutil.ResolverFunc(func(_ context.Context, name string, typ dnsutil.Type) (dnsutil.Answer, error) {
				asked.Add(1)
				if _, err := domain.ParseQuery(name); err != nil || !strings.HasSuffix(name, ".") {
					bad.Store(&name)
				}
				switch {
				case flags&1 != 0 && typ == dnsutil.TypeA:
					return dnsutil.Answer{}, dnsutil.ErrServFail
				case flags&2 != 0 && typ == dnsutil.TypeTXT && strings.HasPrefix(name, "_dmarc."):
					return dnsutil.Answer{TXT: []string{"v=DMARC1; p=reject; np=none"}}, nil
				case typ == dnsutil.TypeTXT:
					return dnsutil.Answer{TXT: []string{txt}}, nil
				case flags&4 != 0 && typ == dnsutil.TypeMX:
					return dnsutil.Answer{MX: []dnsutil.MX{{Host: name}}}, nil
				}
				return dnsutil.Answer{NXDomain: flags&8 != 0}, nil
			}),
		}
		s := mailauth.Session{IP: ip("192.0.2.1"), HELO: helo, MailFrom: from, Receiver: "mx.victim.example", Time: receipt, SMTPUTF8: flags&16 != 0}
		r, err := e.Evaluate(context.Background(), &mailauth.Message{Session: s, Data: bytes.NewReader(msg)})
		if err != nil {
			require.Nil(t, r)
			return
		}
		require.LessOrEqual(t, asked.Load(), int64(100))
		require.Nil(t, bad.Load(), "illegal or relative name")
		require.NotEmpty(t, r.Action)
		require.NotEmpty(t, r.Explain())
		_, err = r.MarshalJSON()
		require.NoError(t, err)
		if r.DMARC.Status == authres.Pass {
			require.True(t, r.DMARC.SPFAligned || r.DMARC.DKIMAligned)
			require.Len(t, r.Author.Domains(), 1)
		}
		if len(r.HeaderFields) == 0 {
			return
		}
		// Our field on top: one field more, which says what we say and nothing else.
		after, err := message.Parse(append([]byte(r.HeaderFields[0]), msg...))
		if err != nil {
			return // over a limit with it
		}
		before, err := message.Parse(msg)
		require.NoError(t, err)
		require.Equal(t, before.Header().Len()+1, after.Header().Len())
		got, err := authres.Parse(after.Header().Field(0).Value())
		require.NoError(t, err)
		require.Equal(t, "mx.victim.example", got.AuthservID)
		want := r.AuthenticationResults()
		require.Len(t, got.Results, len(want.Results))
		for i := range want.Results {
			require.Equal(t, want.Results[i].Method, got.Results[i].Method)
			require.Equal(t, want.Results[i].Status, got.Results[i].Status)
		}
	})
}

// fromLines are the telling rows of group FROM, as whole headers.
var fromLines = []string{
	"Sender: <ceo@bank.example>", "Resent-From: <ceo@bank.example>", "From: <a@attack.example>\r\nFrom: <ceo@bank.example>", "From : <a@attack.example>\r\nFrom: <ceo@bank.example>",
	"From: <first@attack.example>, <admin@bank.example>", "From:=?utf-8?B?PGNlb0BiYW5rLmV4YW1wbGU+?=,<second@attack.example>", "From: \"ceo@bank.example\" <any@attack.example>",
	"From: <\"x@attack.example\"@bank.example>", "From: Undisclosed:ceo@bank.example;", "From: <@bank.example:ceo@attack.example>", "X-A: b\nFrom: <ceo@bank.example>\r\nFrom: <a@attack.example>",
	"From\x00: <ceo@bank.example>\r\nFrom: <a@attack.example>", "From: \u202emoc.knab@oec <a@attack.example>", "From: <ceo@bank.example\x00.attack.example>", " From: <ceo@bank.example>\r\nFrom: <a@attack.example>",
}

// TestReadme holds the code of README.md and of Example_server together.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	_, code, ok := strings.Cut(string(source), "// README begins\n")
	require.True(t, ok)
	code, _, ok = strings.Cut(code, "// README ends\n")
	require.True(t, ok)
	_, block, ok := strings.Cut(string(readme), "```go\n")
	require.True(t, ok)
	block, _, _ = strings.Cut(block, "```\n")
	require.Equal(t, strings.TrimSpace(code), strings.TrimSpace(block))
}
