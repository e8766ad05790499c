package mailauth_test

import (
	"fmt"
	"mime"
	"net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/mailgen"
	"github.com/seed2385d973/mailauth/message"
)

// pickers are what others do to find out who wrote a message: the standard library, and
// the ways of people in a hurry. Each returns a domain, or "" if it gives up.
var pickers = map[string]func(msg string) string{
	"net/mail": func(msg string) string {
		m, err := mail.ReadMessage(strings.NewReader(msg))
		if err != nil {
			return ""
		}
		list, err := m.Header.AddressList("From")
		if err != nil || len(list) == 0 {
			return ""
		}
		return afterAt(list[0].Address)
	},
	"first From, last angle": func(msg string) string { return lastAngle(first(froms(msg, "\r\n"))) },
	"last From, last angle":  func(msg string) string { return lastAngle(last(froms(msg, "\r\n"))) },
	"LF lines, last angle":   func(msg string) string { return lastAngle(last(froms(msg, "\n"))) },
	"CR lines, last angle":   func(msg string) string { return lastAngle(last(froms(strings.ReplaceAll(msg, "\r", "\n"), "\n"))) },
	"first angle": func(msg string) string {
		f := first(froms(msg, "\r\n"))
		if _, rest, ok := strings.Cut(f, "<"); ok {
			f, _, _ = strings.Cut(rest, ">")
		}
		return afterAt(f)
	},
	"first @":            func(msg string) string { return atWord(first(froms(msg, "\r\n")), strings.IndexByte) },
	"last @":             func(msg string) string { return atWord(first(froms(msg, "\r\n")), strings.LastIndexByte) },
	"decode, then first": func(msg string) string { return atWord(decoded(first(froms(msg, "\r\n"))), strings.IndexByte) },
	"up to NUL": func(msg string) string {
		f, _, _ := strings.Cut(first(froms(msg, "\r\n")), "\x00")
		return lastAngle(f)
	},
	"without comments": func(msg string) string { return lastAngle(uncommented(first(froms(msg, "\r\n")))) },
}

// froms are the values of all From fields as somebody sees them who splits lines so.
func froms(msg, eol string) (out []string) {
	var field string
	done := func() {
		name, value, _ := strings.Cut(field, ":")
		if strings.EqualFold(strings.TrimSpace(name), "from") {
			out = append(out, strings.TrimSpace(value))
		}
	}
	for line := range strings.SplitSeq(msg, eol) {
		if line == "" {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			field += line
			continue
		}
		done()
		field = line
	}
	done()
	return out
}

func first(s []string) string { return append(s, "")[0] }
func last(s []string) string  { return append([]string{""}, s...)[len(s)] }

func lastAngle(f string) string {
	if i := strings.LastIndexByte(f, '<'); i >= 0 {
		f, _, _ = strings.Cut(f[i+1:], ">")
	}
	return afterAt(f)
}

func afterAt(s string) string {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return ""
	}
	return strings.ToLower(strings.Trim(s[i+1:], " \t\"<>;,"))
}

// atWord takes what could be a domain name after an @.
func atWord(s string, find func(string, byte) int) string {
	i := find(s, '@')
	if i < 0 {
		return ""
	}
	s = s[i+1:]
	for i, c := range []byte(s) {
		if c != '.' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c < 0x80 {
			s = s[:i]
			break
		}
	}
	return strings.ToLower(s)
}

func decoded(s string) string {
	d, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		return s
	}
	return d
}

func uncommented(s string) string {
	var b strings.Builder
	depth := 0
	for _, c := range []byte(s) {
		switch {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Where another reader sees another author than we do, our answer is closed or says what
// it is that misleads (CMP-13).
func TestCMP13OtherReaders(t *testing.T) {
	var messages []string
	g := mailgen.New(t)
	for seed := range uint64(*worlds) {
		messages = append(messages, g.World(seed, mailgen.Options{}).Message)
	}
	for _, f := range misleading {
		messages = append(messages, "From: "+f+"\r\nTo: x\r\n\r\nbody\r\n")
	}
	compared := 0
	for _, msg := range messages {
		h, err := message.ParseHeader([]byte(msg))
		require.NoError(t, err)
		a, err := dmarc.AuthorDomain(h)
		if err != nil {
			continue // closed
		}
		for name, pick := range pickers {
			theirs, err := domain.Parse(pick(msg))
			if err != nil {
				continue // nothing that could be looked up
			}
			compared++
			if theirs.String() != a.Domain() {
				require.NotEmpty(t, a.Remarks(), "%s sees %s, we see %s in %q", name, theirs, a.Domain(), msg)
			}
		}
	}
	require.Greater(t, compared, 300)
}

// misleading are From fields that were made to be read in two ways.
var misleading = func() (out []string) {
	const b, a = "bank.example", "attack.example"
	for _, f := range []string{
		"<first@%[2]s>, <admin@%[1]s>", "a@%[1]s, b@%[1]s", "=?utf-8?B?PGNlb0BiYW5rLmV4YW1wbGU+?=,<second@%[2]s>", "=?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?=",
		"<=?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?=>", "=?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?==?utf-8?Q?=00?==?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?=@%[2]s",
		"<@%[1]s:ceo@%[2]s>", "admin@%[1]s,<second@%[2]s>", "<any@%[2]s>admin@%[1]s", "ceo@%[1]s <any@%[2]s>", `"ceo@%[1]s" <any@%[2]s>`, `"ceo@%[1]s"@%[2]s`,
		`<"ceo@%[1]s>"@%[2]s>`, `<"x@%[2]s>"@%[1]s>`, "<ceo@%[1]s><any@%[2]s>", "ceo@%[1]s>", "<ceo@%[1]s", "ceo@%[1]s (x@%[2]s", "ceo@%[1]s (x@%[2]s)", "<ceo@%[1]s(.%[2]s>",
		"(x@%[2]s) ceo@%[1]s", "Undisclosed:ceo@%[1]s;", "x@%[2]s:ceo@%[1]s;", "ceo@%[1]s; a@%[2]s", "ceo@%[1]s a@%[2]s", "<ceo@[%[1]s]>", "ceo@%[1]s.", "<CEO@BANK.EXAMPLE>",
		"<ceo@%[1]s\x00.%[2]s>", "<ceo@%[1]s\x00>", "ceo%%%[1]s@%[2]s", "%[2]s!ceo@%[1]s", `"ceo <ceo@%[1]s>`, "Bank, Inc. <ceo@%[1]s>", "\u202emoc.knab@oec <a@%[2]s>",
		"ceo @ %[1]s", "ceo@%[1]s\r\n .%[2]s", "ceo@(x)%[1]s", "ceo@%[1]s(x).%[2]s", "=?utf-8?Q?ceo=40bank.example?= <a@%[2]s>", `"\"" <ceo@%[1]s>`, `"a\"@%[2]s" <ceo@%[1]s>`,
		"a\\@%[2]s <ceo@%[1]s>", "ceo@%[1]s\tx@%[2]s", "<ceo@%[1]s> (<x@%[2]s>)", "Group: ;", "G: a@%[1]s;, b@%[2]s", "<ceo@%[1]s>, ", ", ,<ceo@%[1]s>", "<ceo@%[1]s> <", "ceo@%[1]s,@%[2]s",
		"ceo@xn--bnk-qla.example", "ceo@b\u00e4nk.example", "ceo@bank\u3002example", "ceo@bank.example\u200b.%[2]s", "ceo@\uff42ank.example", "=?utf-8?q?x?= <ceo@%[1]s>", "=?x?=@%[2]s <ceo@%[1]s>",
		"\"=?utf-8?Q?x=40attack.example?=\" <ceo@%[1]s>", "(=?utf-8?Q?x=40attack.example?=) ceo@%[1]s", "ceo@%[1]s\x7f", "<ceo@%[1]s >", "< ceo@%[1]s>", "<ceo@%[1]s>\r\n\t<x@%[2]s>",
	} {
		if strings.Contains(f, "%[") {
			out = append(out, fmt.Sprintf(f, b, a))
		} else {
			out = append(out, f)
		}
	}
	return out
}()
