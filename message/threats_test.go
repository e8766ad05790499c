package message

import (
	"crypto"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// TestThreats is group MSG of the threat matrix: what this package has to say
// about each row. "author" lists the findings that close the author domain.
func TestThreats(t *testing.T) {
	const noFrom = "To: <u@victim.example>\r\n\r\nx\r\n"
	missing := Finding{MissingFrom, -1}
	for _, c := range []struct {
		id, in   string
		findings []Finding // all of them
		author   []Finding // those that close the author domain
		from     []int     // the fields that are From
	}{
		{"MSG-01", "X-A: b\nFrom: <ceo@evil.example>\r\n" + b0, []Finding{{BareLF, 0}}, []Finding{{BareLF, 0}}, []int{1}},
		{"MSG-01 twice", "X-A: b\n\nFrom: <ceo@evil.example>\r\n" + b0, []Finding{{BareLF, 0}}, []Finding{{BareLF, 0}}, []int{1}},
		{"MSG-10 colon before", ":a\r\n From: x\r\n" + b0, []Finding{{BadFieldName, 0}}, nil, []int{1}},
		{"MSG-02", "X-A: b\rFrom: <ceo@evil.example>\r\n" + b0, []Finding{{BareCR, 0}}, []Finding{{BareCR, 0}}, []int{1}},
		{"MSG-06", b0 + "\n", []Finding{{BareLF, -1}}, nil, []int{0}},
		{"MSG-06 CR", b0 + "\r", []Finding{{BareCR, -1}}, nil, []int{0}},
		{"MSG-09", " From: <ceo@evil.example>\r\n" + b0,
			[]Finding{{LeadingSpace, 0}, {BadFieldName, 0}}, []Finding{{LeadingSpace, 0}, {BadFieldName, 0}}, []int{1}},
		{"MSG-09 any", "\tb\r\n" + b0, []Finding{{LeadingSpace, 0}, {NoColon, 0}}, []Finding{{LeadingSpace, 0}}, []int{1}},
		{"MSG-10", "X-A: b\r\nFrom\r\n : <ceo@evil.example>\r\n" + b0,
			[]Finding{{FoldedFieldName, 1}, {DuplicateFrom, 2}}, []Finding{{FoldedFieldName, 1}, {DuplicateFrom, 2}}, []int{1, 2}},
		{"MSG-10 within", "Fr\r\n om: <ceo@evil.example>\r\n" + b0,
			[]Finding{{FoldedFieldName, 0}, {BadFieldName, 0}}, []Finding{{FoldedFieldName, 0}, {BadFieldName, 0}}, []int{1}},
		{"MSG-10 other", "Subject\r\n : x\r\n" + strings.Replace(b0, "Subject: Statement\r\n", "", 1), []Finding{{FoldedFieldName, 0}}, nil, []int{1}},
		{"MSG-11", "From : <ceo@evil.example>\r\n" + b0, []Finding{{SpaceBeforeColon, 0}, {DuplicateFrom, 1}}, []Finding{{DuplicateFrom, 1}}, []int{0, 1}},
		{"MSG-11 tab", "From\t : <ceo@evil.example>\r\n" + noFrom, []Finding{{SpaceBeforeColon, 0}}, nil, []int{0}},
		{"MSG-12", "From\x00: <ceo@evil.example>\r\n" + b0, []Finding{{BadFieldName, 0}, {NUL, 0}}, []Finding{{BadFieldName, 0}}, []int{1}},
		{"MSG-12 other", "Xx\x00: a\r\n" + b0, []Finding{{BadFieldName, 0}, {NUL, 0}}, nil, []int{1}},
		{"MSG-13 U+00A0", "From\u00a0: <ceo@evil.example>\r\n" + b0, []Finding{{BadFieldName, 0}}, []Finding{{BadFieldName, 0}}, []int{1}},
		{"MSG-13 U+2000", "From\u2000: <ceo@evil.example>\r\n" + b0, []Finding{{BadFieldName, 0}}, []Finding{{BadFieldName, 0}}, []int{1}},
		{"MSG-13 Latin-1", "From\xa0: <ceo@evil.example>\r\n" + b0, []Finding{{BadFieldName, 0}}, []Finding{{BadFieldName, 0}}, []int{1}},
		{"MSG-13 U+200B", "Fr\u200bom: <ceo@evil.example>\r\n" + b0, []Finding{{BadFieldName, 0}}, []Finding{{BadFieldName, 0}}, []int{1}},
		{"MSG-16", strings.TrimSuffix(b0[:strings.Index(b0, "\r\n\r\n")+4], "\r\n"), []Finding{{NoBlankLine, -1}}, nil, []int{0}},
		{"MSG-16 no CRLF", "From: <ceo@bank.example>", []Finding{{NoBlankLine, -1}}, nil, []int{0}},
		{"MSG-18 empty", "", []Finding{missing, {NoBlankLine, -1}}, []Finding{missing}, nil},
		{"MSG-18 CRLF", "\r\n", []Finding{missing}, []Finding{missing}, nil},
		{"MSG-18 CRLF CRLF", "\r\n\r\n", []Finding{missing}, []Finding{missing}, nil},
		{"MSG-18 colon", ":", []Finding{{BadFieldName, 0}, missing, {NoBlankLine, -1}}, []Finding{missing}, nil},
		{"MSG-18 no name", ": x\r\n", []Finding{{BadFieldName, 0}, missing, {NoBlankLine, -1}}, []Finding{missing}, nil},
		{"MSG-18 space", " \r\n", []Finding{{LeadingSpace, 0}, {NoColon, 0}, missing, {NoBlankLine, -1}}, []Finding{{LeadingSpace, 0}, missing}, nil},
		{"MSG-18 CR", "\r", []Finding{{NoColon, 0}, {BareCR, 0}, missing, {NoBlankLine, -1}}, []Finding{{BareCR, 0}, missing}, nil},
		{"MSG-18 LF", "\n", []Finding{{NoColon, 0}, {BareLF, 0}, missing, {NoBlankLine, -1}}, []Finding{{BareLF, 0}, missing}, nil},
		{"MSG-19", "X-A: \xff\xfe\r\nSubject: \xff\r\n" + strings.Replace(b0, "Subject: Statement\r\n", "", 1), nil, nil, []int{2}},
		{"MSG-21", "Fr\u043em: <ceo@evil.example>\r\n" + b0, []Finding{{BadFieldName, 0}}, []Finding{{BadFieldName, 0}}, []int{1}},
		{"MSG-21 fullwidth", "\uff26\uff32\uff2f\uff2d: <ceo@evil.example>\r\n" + b0, []Finding{{BadFieldName, 0}}, []Finding{{BadFieldName, 0}}, []int{1}},
		{"MSG-21 mathematical", "\U0001d405\U0001d42b\U0001d428\U0001d426: <ceo@evil.example>\r\n" + b0, []Finding{{BadFieldName, 0}}, []Finding{{BadFieldName, 0}}, []int{1}},
		{"MSG-21 encircled", "\u24bb\u24e1\u24de\u24dc: <ceo@evil.example>\r\n" + b0, []Finding{{BadFieldName, 0}}, []Finding{{BadFieldName, 0}}, []int{1}},
		{"MSG-21 script", "\u2131\u211b\u2134\u2133: <ceo@evil.example>\r\n" + b0, []Finding{{BadFieldName, 0}}, []Finding{{BadFieldName, 0}}, []int{1}},
		{"MSG-21 other wide word", "\uff34\uff4f\uff4f\uff4d: x\r\n" + b0, []Finding{{BadFieldName, 0}}, nil, []int{1}},
		{"MSG-21 a word", "Тема: x\r\n" + b0, []Finding{{BadFieldName, 0}}, nil, []int{1}},
		{"MSG-22", "\ufeff" + b0, []Finding{{BadFieldName, 0}, missing}, []Finding{{BadFieldName, 0}, missing}, nil},
		{"MSG-21 colon", "From\uff1a <ceo@evil.example>\r\n" + b0, []Finding{{NoColon, 0}}, []Finding{{NoColon, 0}}, []int{1}},
		{"MSG-21 colon, and another", "From\ufe55 x: <ceo@evil.example>\r\n" + b0, []Finding{{BadFieldName, 0}}, []Finding{{BadFieldName, 0}}, []int{1}},
		{"MSG-21 colon in another name", "X-From\uff1a y\r\n" + b0, []Finding{{NoColon, 0}}, nil, []int{1}},
		{"VT", "X-A: b\vFrom: <ceo@evil.example>\r\n" + b0, []Finding{{ControlCharacter, 0}}, []Finding{{ControlCharacter, 0}}, []int{1}},
		{"VT, far colon", "X-A: b\vFrom" + strings.Repeat(" ", 99) + ": <ceo@evil.example>\r\n" + b0, []Finding{{ControlCharacter, 0}}, []Finding{{ControlCharacter, 0}}, []int{1}},
		{"VT, another within", "X-A: b\vFr\vom: <ceo@evil.example>\r\n" + b0, []Finding{{ControlCharacter, 0}}, []Finding{{ControlCharacter, 0}}, []int{1}},
		{"VT, another colon first", "X-A: b\vSubject: From: x\r\n" + b0, []Finding{{ControlCharacter, 0}}, nil, []int{1}},
		{"NEL", "X-A: b\u0085From : <ceo@evil.example>\r\n" + b0, []Finding{{ControlCharacter, 0}}, []Finding{{ControlCharacter, 0}}, []int{1}},
		{"NEL Latin-1", "X-A: b\x85From: <ceo@evil.example>\r\n" + b0, []Finding{{ControlCharacter, 0}}, []Finding{{ControlCharacter, 0}}, []int{1}},
		{"LS", "X-A: b\u2028 From: <ceo@evil.example>\r\n" + b0, []Finding{{ControlCharacter, 0}}, []Finding{{ControlCharacter, 0}}, []int{1}},
		{"escape", "X-A: \x1b$B\r\n" + b0, []Finding{{ControlCharacter, 0}}, nil, []int{1}},
		{"NUL in a value", "X-A: b\x00c\r\n" + b0, []Finding{{NUL, 0}}, nil, []int{1}},
		{"no colon", "X-A: b\r\njunk\r\n" + b0, []Finding{{NoColon, 1}}, nil, []int{2}},
		{"no colon behind From", "From: <a@attack.example>\r\n,<ceo@bank.example>\r\n" + noFrom, []Finding{{NoColon, 1}}, []Finding{{NoColon, 1}}, []int{0}},
		{"no colon, From", "X-A: b\r\nFrom <ceo@evil.example>\r\n" + b0, []Finding{{NoColon, 1}}, []Finding{{NoColon, 1}}, []int{2}},
		{"mbox line", "From ceo@bank.example Sat Nov 21 10:00:00 2026\r\n" + b0, []Finding{{BadFieldName, 0}}, nil, []int{1}},
		{"mbox line elsewhere", "X-A: b\r\nFrom ceo@bank.example Sat Nov 21 10:00:00 2026\r\n" + b0, []Finding{{BadFieldName, 1}}, []Finding{{BadFieldName, 1}}, []int{2}},
		{"blank fold", "X-A: b\r\n \t\r\n c\r\n" + b0, []Finding{{BlankFold, 0}}, nil, []int{1}},
		{"folded From in a value", "X-A: b\r\n From: <ceo@evil.example>\r\n" + b0, nil, nil, []int{1}},
		{"FROM-01", "Sender: <ceo@bank.example>\r\n" + noFrom, []Finding{missing}, []Finding{missing}, nil},
		{"FROM-02", "Resent-From: <ceo@bank.example>\r\n" + noFrom, []Finding{missing}, []Finding{missing}, nil},
		{"FROM-03", "FROM: <a@attack.example>\r\n" + b0, []Finding{{DuplicateFrom, 1}}, []Finding{{DuplicateFrom, 1}}, []int{0, 1}},
	} {
		t.Run(c.id, func(t *testing.T) {
			m, err := Parse([]byte(c.in))
			require.NoError(t, err)
			h := m.Header()
			require.Equal(t, c.findings, m.Defects())
			require.Equal(t, c.author, h.AmbiguousAuthor())
			require.Equal(t, c.from, h.All("from"))
			var all string // nothing repaired, nothing dropped
			for i := range h.Len() {
				all += string(h.Raw(i))
			}
			require.Equal(t, c.in[:len(all)], all)
		})
	}

	for _, name := range []string{"Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Sender", "Reply-To", "To", "Cc", "Subject",
		"Bcc", "In-Reply-To", "References", "Content-ID", "Content-Description", "Content-Disposition"} {
		t.Run("MSG-27/"+name, func(t *testing.T) {
			h, err := ParseHeader([]byte("From: a@bank.example\r\n" + name + ": a\r\nX: y\r\n" + name + ": b\r\n\r\n"))
			require.NoError(t, err)
			require.Equal(t, []Finding{{DuplicateField, 3}}, h.Findings())
			h, err = ParseHeader([]byte("From: a@bank.example\r\n" + name + ": a\r\nX: y\r\n" + strings.ToUpper(name) + " : b\r\n" + name + ": c\r\n\r\n"))
			require.NoError(t, err)
			require.Equal(t, []Finding{{SpaceBeforeColon, 3}, {DuplicateField, 3}}, h.Findings())
			require.Nil(t, h.AmbiguousAuthor())
		})
	}

	whole := func(t *testing.T, in string, c Canonicalization) string {
		d := Digester{Want: []BodyHash{{c, crypto.SHA256, WholeBody}}}
		_, err := d.Write([]byte(in))
		require.NoError(t, err)
		m, err := d.Finish()
		require.NoError(t, err)
		return sum64(t, m, d.Want[0])
	}
	for _, c := range []Canonicalization{Simple, Relaxed} {
		t.Run("MSG-04/"+c.String(), func(t *testing.T) {
			header, body, _ := strings.Cut(b0, "\r\n\r\n")
			changed := header + "\r\n\r\n" + strings.ReplaceAll(body, "\r\n", "\n")
			require.NotEqual(t, whole(t, b0, c), whole(t, changed, c))
		})
		t.Run("MSG-06/"+c.String(), func(t *testing.T) {
			require.NotEqual(t, whole(t, b0, c), whole(t, b0+"\n", c))
		})
		t.Run("MSG-24/"+c.String(), func(t *testing.T) {
			require.NotEqual(t, whole(t, b0+".x\r\n", c), whole(t, b0+"..x\r\n", c))
		})
	}

	t.Run("MSG-26", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // fails if a goroutine is left
			broken := errors.New("broken")
			in := benchHeader("relaxed/relaxed", "simple/simple") + textBody(1<<10)
			m, err := Read(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)))
			require.Nil(t, m)
			require.Equal(t, broken, err)
		})
	})
}
