package dmarc

import (
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/message"
)

// linesOfFrom counts the lines of a header, as the most lenient reader cuts lines,
// that begin with the name of a From field.
func linesOfFrom(header string) (n int) {
	for _, l := range strings.FieldsFunc(header, func(r rune) bool { return strings.ContainsRune("\r\n\v\f\u0085\u2028\u2029", r) }) {
		name, _, ok := strings.Cut(l, ":")
		if ok && strings.EqualFold(strings.TrimRight(name, " \t"), "from") {
			n++
		}
	}
	return n
}

// FuzzAuthorDomain is F2: of a header there is one author domain, which is a name, or
// none and a reason. There is none where a reader who takes any line end for one sees
// not exactly one From field; and where another reader reads the field he reads the
// same domain.
func FuzzAuthorDomain(f *testing.F) {
	a := append(alphabet.From(), "From:", "\r\nFrom:", "\r\nFrom : ", "\nFrom: ", "\rFrom: ", "\r\nfrom:\t", "\r\nX: y", "Sender: ", "\r\nFrom\x00: ", "\u0085From: ", "\u2028From: ", "\r\nFrom\r\n : ", "\r\n From: ")
	for _, s := range []string{
		"From: <ceo@bank.example>", "Sender: <ceo@bank.example>", "Resent-From: <ceo@bank.example>", "From: <a@attack.example>\r\nFrom: <ceo@bank.example>", "From : <a@attack.example>\r\nFrom: <ceo@bank.example>",
		"From: <first@attack.example>, <admin@bank.example>", "From: a@bank.example, b@bank.example", "From:=?utf-8?B?PGNlb0BiYW5rLmV4YW1wbGU+?=,<second@attack.example>",
		"From: =?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?==?utf-8?Q?=00?=@attack.example", "From: <@bank.example:ceo@attack.example>", "From: <any@attack.example>admin@bank.example", "From: ceo@bank.example <any@attack.example>",
		`From: "ceo@bank.example" <any@attack.example>`, `From: "ceo@bank.example"@attack.example`, `From: <"x@attack.example>"@bank.example>`, "From: <ceo@bank.example><any@attack.example>", "From: ceo@bank.example>",
		"From: <ceo@bank.example(.attack.example>", "From: Undisclosed:ceo@bank.example;", "From: ,,ceo@bank.example,,", "From: ceo@bank.example; a@attack.example", "From: <>", "From: <ceo@[192.0.2.1]>", "From: ceo@bank.example.",
		"From: <ceo@bank.example\x00.attack.example>", "From: Bank, Inc. <ceo@bank.example>", "X-A: b\nFrom: <ceo@evil.example>\r\nFrom: <ceo@bank.example>", "X-A: b\rFrom: <ceo@evil.example>\r\nFrom: <ceo@bank.example>",
		"From\x00: <x@evil.example>\r\nFrom: <ceo@bank.example>", "X-A: b\u0085From: <x@evil.example>\r\nFrom: <ceo@bank.example>", " From: <x@evil.example>\r\nFrom: <ceo@bank.example>", "Fr\u043em: <x@evil.example>\r\nFrom: <ceo@bank.example>",
	} {
		a.Seed(f.Add, s+"\r\n\r\n")
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		text, _, _ := strings.Cut(a.Text(data, folded), "\r\n\r\n")
		text += "\r\n\r\n"
		h, err := message.ParseHeader([]byte(text))
		if err != nil {
			return
		}
		author, err := AuthorDomain(h)
		several, errSeveral := AuthorOptions{SeveralDomains: true, UnquotedComma: true}.AuthorDomain(h)
		if err != nil {
			require.Empty(t, author.Domain())
			require.Equal(t, err, author.Err())
			if errSeveral == nil {
				require.LessOrEqual(t, len(several.Domains()), MaxAuthorDomains)
			}
			return
		}
		require.Equal(t, []string{author.Domain()}, author.Domains())
		require.NoError(t, errSeveral)
		require.Equal(t, author.Domains(), several.Domains(), "options take nothing away")
		n, err := domain.ParseASCII(author.Domain())
		require.NoError(t, err)
		require.Equal(t, author.Domain(), n.String())
		require.Equal(t, 1, linesOfFrom(text), "%q", text)
		if m, err := mail.ReadMessage(strings.NewReader(text)); err == nil {
			if list, err := m.Header.AddressList("From"); err == nil {
				for _, m := range list {
					theirs, err := domain.Parse(m.Address[strings.LastIndexByte(m.Address, '@')+1:])
					require.NoError(t, err, "%q", text)
					require.True(t, slices.Contains(author.Domains(), theirs.String()), "%q: %s", text, theirs)
				}
			}
		}
	})
}
