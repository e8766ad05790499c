package address

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// domains returns the distinct domains of a list, joined.
func domains(list []Mailbox) string {
	var out []string
	for _, m := range list {
		out = append(out, m.Domain.String())
	}
	return strings.Join(out, " ")
}

// TestThreats has the rows of the threat matrix that a single field can show. That
// two domains in one field are ambiguous is for the caller to say; here both are listed.
func TestThreats(t *testing.T) {
	for _, c := range threats {
		t.Run(c.id, func(t *testing.T) {
			got, flags, err := Parse(nil, c.in)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, domains(got))
			require.Equal(t, c.flags, flags)
		})
	}
}

func nest(n int) string {
	return strings.Repeat("(", n) + strings.Repeat(")", n) + " ceo@bank.example"
}
func list(n int) string { return strings.Repeat("a@bank.example,", n-1) + "a@bank.example" }
func pad(n int) string  { return "ceo@bank.example" + strings.Repeat(" ", n-16) }

// seeds are the inputs of TestThreats of a size that a slow reference can bear.
var seeds = func() (out []string) {
	for _, c := range threats {
		if len(c.in) < 200 {
			out = append(out, c.in)
		}
	}
	return out
}()

var threats = []struct {
	id, in, want string
	flags        Flags
	err          error
}{
	{"FROM-04", "<first@attack.example>, <admin@bank.example>", "attack.example bank.example", 0, nil},
	{"FROM-05", "a@bank.example, b@bank.example", "bank.example bank.example", 0, nil},
	{"FROM-07", "=?utf-8?B?PGNlb0BiYW5rLmV4YW1wbGU+?=,<second@attack.example>", "", 0, ErrNoAddress},
	{"FROM-08a", " =?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?=", "", 0, ErrNoAddress},
	{"FROM-08b", " <=?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?=>", "", 0, ErrNoAddress},
	{"FROM-09", " =?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?==?utf-8?Q?=00?==?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?=@attack.example", "attack.example", EncodedWord, nil},
	{"FROM-12", "<@bank.example:ceo@attack.example>", "", 0, ErrRoute},
	{"FROM-14", "admin@bank.example,<second@attack.example>", "bank.example attack.example", 0, nil},
	{"FROM-15", "<any@attack.example>admin@bank.example", "", 0, ErrTrailing},
	{"FROM-16", "ceo@bank.example <any@attack.example>", "", 0, ErrInName},
	{"FROM-16 ideographic stop", "ceo@bank\u3002example <any@attack.example>", "", 0, ErrInName},
	{"FROM-16 comment", "ceo@bank (x) . example <any@attack.example>", "", 0, ErrInName},
	{"FROM-16 quoted domain", `ceo@"bank.example" <any@attack.example>`, "", 0, ErrInName},
	{"FROM-16 one label", "Bank @ Acme <any@attack.example>", "attack.example", NameHasAddress, nil},
	{"FROM-16 twice", "a@b@c <any@attack.example>", "", 0, ErrInName},
	{"FROM-17", `"ceo@bank.example" <any@attack.example>`, "attack.example", NameHasAddress, nil},
	{"FROM-17 Q", "=?utf-8?Q?ceo=40bank.example?= <any@attack.example>", "attack.example", NameHasAddress, nil},
	{"FROM-17 B", "=?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?= <any@attack.example>", "attack.example", NameHasAddress, nil},
	{"FROM-17 B unpadded", "=?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ?= <any@attack.example>", "attack.example", NameHasAddress, nil},
	{"FROM-17 harmless encoded-word", "=?utf-8?B?Y2Vv?= <any@attack.example>", "attack.example", 0, nil},
	{"FROM-17 comment Q", "(=?utf-8?Q?ceo=40bank.example?=) any@attack.example", "attack.example", NameHasAddress, nil},
	{"FROM-17 comment without", "(=?utf-8?Q?ceo?= ?) any@attack.example", "attack.example", 0, nil},
	{"FROM-17 comment", "any@attack.example (ceo@bank.example)", "attack.example", NameHasAddress, nil},
	{"FROM-18", `"ceo@bank.example"@attack.example`, "attack.example", NameHasAddress, nil},
	{"FROM-19", `<"ceo@bank.example>"@attack.example>`, "attack.example", NameHasAddress, nil},
	{"FROM-20", `<"x@attack.example>"@bank.example>`, "bank.example", NameHasAddress, nil},
	{"FROM-21", "<ceo@bank.example><any@attack.example>", "", 0, ErrAngle},
	{"FROM-23", "ceo@bank.example>", "", 0, ErrAngle},
	{"FROM-24", "<ceo@bank.example", "", 0, ErrAngle},
	{"FROM-28", "ceo@bank.example (x@attack.example", "", 0, ErrComment},
	{"FROM-28 closed only", "ceo@bank.example)", "", 0, ErrComment},
	{"FROM-28 quoted", `ceo@bank.example (\)`, "", 0, ErrComment},
	{"FROM-28 backslash", `ceo@bank.example (\`, "", 0, ErrComment},
	{"FROM-29", "<ceo@bank.example(.attack.example>", "", 0, ErrComment},
	{"FROM-29 closed", "<ceo@bank.example(x).attack.example>", "", 0, ErrDomain},
	{"FROM-30", nest(100000), "", 0, ErrTooLong},
	{"FROM-30 limit", nest(MaxCommentDepth), "bank.example", 0, nil},
	{"FROM-30 over", nest(MaxCommentDepth + 1), "", 0, ErrCommentDepth},
	{"FROM-30 over, unclosed", strings.Repeat("(", MaxLength), "", 0, ErrCommentDepth},
	{"FROM-31", "Undisclosed:ceo@bank.example;", "bank.example", Group, nil},
	{"FROM-31 empty", "Nightly Monitor Robot:;", "", 0, ErrEmpty},
	{"FROM-31 nested", "a:b:ceo@bank.example;;", "", 0, ErrGroup},
	{"FROM-31 open", "a:ceo@bank.example", "", 0, ErrGroup},
	{"FROM-31 among others", "a:b@bank.example,c@bank.example;, d@bank.example", "bank.example bank.example bank.example", Group, nil},
	{"FROM-31 no comma", "a:b@bank.example; d@bank.example", "", 0, ErrTrailing},
	{"FROM-31 no name", ":b@bank.example;", "", 0, ErrName},
	{"FROM-31 address as name", "a@attack.example:b@bank.example;", "", 0, ErrInName},
	{"FROM-31 quoted address as name", `"a@attack.example":b@bank.example;`, "bank.example", Group | NameHasAddress, nil},
	{"FROM-33", ",,ceo@bank.example,,", "bank.example", Obsolete, nil},
	{"FROM-33 only commas", ",,,", "", 0, ErrEmpty},
	{"FROM-33 in a group", "a:,b@bank.example,;", "bank.example", Group | Obsolete, nil},
	{"FROM-34a", "ceo@bank.example; a@attack.example", "", 0, ErrSemicolon},
	{"FROM-34b", "ceo@bank.example a@attack.example", "", 0, ErrDomain},
	{"FROM-34c", "<ceo@bank.example> <a@attack.example>", "", 0, ErrAngle},
	{"FROM-36 word", "ceo", "", 0, ErrNoAddress},
	{"FROM-36 empty", "", "", 0, ErrEmpty},
	{"FROM-36 blank", " ", "", 0, ErrEmpty},
	{"FROM-36 null", "<>", "", 0, ErrNull},
	{"FROM-36 no domain", "ceo@", "", 0, ErrDomain},
	{"FROM-36 no local part", "@bank.example", "", 0, ErrLocalPart},
	{"FROM-36 in angles", "<ceo>", "", 0, ErrNoAddress},
	{"FROM-37a", "<ceo@[192.0.2.1]>", "", 0, ErrLiteral},
	{"FROM-37b", "<ceo@[bank.example]>", "", 0, ErrLiteral},
	{"FROM-37c", "ceo@[192.0.2.1]", "", 0, ErrLiteral},
	{"FROM-37d", "ceo@192.0.2.1", "", 0, ErrDomain},
	{"FROM-38a", "ceo@bank.example.", "", 0, ErrDomain},
	{"FROM-38b", "ceo@bank..example", "", 0, ErrDomain},
	{"FROM-38c", "ceo@.bank.example", "", 0, ErrDomain},
	{"FROM-38 local part a", ".ceo@bank.example", "", 0, ErrLocalPart},
	{"FROM-38 local part b", "ceo.@bank.example", "", 0, ErrLocalPart},
	{"FROM-38 local part c", "c..eo@bank.example", "", 0, ErrLocalPart},
	{"FROM-39a", "ceo@localhost", "localhost", 0, nil},
	{"FROM-39b", "ceo@com", "com", 0, nil},
	{"FROM-39c", "ceo@co.uk", "co.uk", 0, nil},
	{"FROM-41", "<CEO@BANK.EXAMPLE>", "bank.example", 0, nil},
	{"FROM-45a", "<ceo@bank.example\x00.attack.example>", "", 0, ErrControl},
	{"FROM-45b", "<ceo@bank.example\x00>", "", 0, ErrControl},
	{"FROM-45 name", "\"c\x00eo\" <ceo@bank.example>", "", 0, ErrControl},
	{"FROM-45 comment", "(\x1b) <ceo@bank.example>", "", 0, ErrControl},
	{"FROM-45 pair", "\"\\\x00\" <ceo@bank.example>", "", 0, ErrControl},
	{"FROM-45 DEL", "c\x7f <ceo@bank.example>", "", 0, ErrControl},
	{"FROM-48a", "ceo@_bank.example", "", 0, ErrDomain},
	{"FROM-48b", "ceo@bank%2eexample", "", 0, ErrDomain},
	{"FROM-48c", "ceo@bank.example'a.attack.example", "", 0, ErrDomain},
	{"FROM-48d", `ceo@bank.example".attack.example`, "", 0, ErrQuote},
	{"FROM-48d closed", `ceo@bank.example"".attack.example`, "", 0, ErrDomain},
	{"FROM-48e", "ceo@-a.example", "", 0, ErrDomain},
	{"FROM-48f", "ceo@a-.example", "", 0, ErrDomain},
	{"FROM-49a", "ceo%bank.example@attack.example", "attack.example", 0, nil},
	{"FROM-49b", "attack.example!ceo@bank.example", "bank.example", 0, nil},
	{"FROM-51", `"ceo <ceo@bank.example>`, "", 0, ErrQuote},
	{"FROM-51 pair", `"ceo\`, "", 0, ErrQuote},
	{"FROM-52", "Bank, Inc. <ceo@bank.example>", "", 0, ErrNoAddress},
	{"FROM-53", "\u202emoc.knab@oec <a@attack.example>", "attack.example", NameHasAddress | Bidi, nil},
	{"FROM-53 quoted", "\"\u2067x\" <a@attack.example>", "attack.example", Bidi, nil},
	{"FROM-54 local part", strings.Repeat("a", 300) + "@bank.example", "", 0, ErrLocalPart},
	{"FROM-54 local part limit", strings.Repeat("a", MaxLocalPart) + "@bank.example", "bank.example", 0, nil},
	{"FROM-54 local part over", strings.Repeat("a", MaxLocalPart+1) + "@bank.example", "", 0, ErrLocalPart},
	{"FROM-54 label 64", "a@" + strings.Repeat("a", 64) + ".example", "", 0, ErrDomain},
	{"FROM-54 name 254", "a@" + strings.Repeat("a.", 126) + "ab", "", 0, ErrDomain},
	{"FROM-54 header 64 KiB", pad(64 << 10), "", 0, ErrTooLong},
	{"FROM-54 limit", pad(MaxLength), "bank.example", 0, nil},
	{"FROM-54 over", pad(MaxLength + 1), "", 0, ErrTooLong},
	{"FROM-56a", "\t<ceo@bank.example>", "bank.example", 0, nil},
	{"FROM-56b", "<ceo@bank.example>", "bank.example", 0, nil},
	{"DMA-35", list(10000), "", 0, ErrTooLong},
	{"DMA-35 limit", list(MaxMailboxes), strings.Repeat("bank.example ", MaxMailboxes-1) + "bank.example", 0, nil},
	{"DMA-35 over", list(MaxMailboxes + 1), "", 0, ErrTooMany},

	{"fold", "CEO\r\n <ceo@bank.example>", "bank.example", 0, nil},
	{"fold within an address", "ceo@bank.\r\n example", "", 0, ErrDomain},
	{"fold around the at sign", "ceo\r\n @\r\n bank.example", "bank.example", 0, nil},
	{"fold in a quoted name", "\"C\r\n EO\" <ceo@bank.example>", "bank.example", 0, nil},
	{"line of white space", "CEO\r\n \r\n <ceo@bank.example>", "bank.example", Obsolete, nil},
	{"bare LF", "CEO\n <ceo@bank.example>", "", 0, ErrFold},
	{"bare CR", "CEO\r <ceo@bank.example>", "", 0, ErrFold},
	{"CRLF at the end", "<ceo@bank.example>\r\n", "", 0, ErrFold},
	{"dot in name", "John Q. Public <ceo@bank.example>", "bank.example", 0, nil},
	{"dot before name", ".NET <ceo@bank.example>", "", 0, ErrName},
	{"brackets in name", "[x] <ceo@bank.example>", "", 0, ErrName},
	{"backslash in name", `a\b <ceo@bank.example>`, "", 0, ErrName},
	{"words in local part", `a."b c".d@bank.example`, "bank.example", Obsolete, nil},
	{"spaces in local part", "a . b@bank.example", "", 0, ErrLocalPart},
	{"word before local part", "a b@bank.example", "", 0, ErrLocalPart},
	{"two at signs", "a@b@bank.example", "", 0, ErrDomain},
	{"null between angles", "<<ceo@bank.example>>", "", 0, ErrAngle},
	{"null member", "<>, ceo@bank.example", "", 0, ErrNull},
	{"address after group name", "Mail From:<joe@joe.example>", "", 0, ErrGroup},
	{"U-label", "ceo@b\u00fccher.example", "xn--bcher-kva.example", 0, nil},
	{"U-label upper", "ceo@B\u00dcCHER.example", "xn--bcher-kva.example", 0, nil},
	{"UTF-8 local part", "j\u00f6rg@bank.example", "bank.example", 0, nil},
	{"Latin-1 name", "\"J\xf6rg\" <ceo@bank.example>", "bank.example", NotUTF8, nil},
	{"Latin-1 atom", "J\xf6rg <ceo@bank.example>", "bank.example", NotUTF8, nil},
	{"Latin-1 comment", "(J\xf6rg) <ceo@bank.example>", "bank.example", NotUTF8, nil},
	{"Latin-1 local part", "j\xf6rg@bank.example", "", 0, ErrEncoding},
	{"Latin-1 domain", "j@b\xf6nk.example", "", 0, ErrEncoding},
	{"Shift_JIS hides a quote", "\"\x81\\\" <ceo@bank.example> \"x\" <a@attack.example>", "", 0, ErrQuote},
	{"Shift_JIS hides a quote, well-formed for us", "\"\x81\\\" <ceo@bank.example> \" <a@attack.example>", "", 0, ErrEncoding},
	{"FROM-16/literal", "ceo@[x] <any@attack.example>", "", 0, ErrLiteral},
	{"FROM-16/brackets", "[ceo@bank.example] <any@attack.example>", "", 0, ErrLiteral},
	{"FROM-16/only brackets", "[x]", "", 0, ErrName},
	{"FROM-17/at sign first", "=?utf-8?B?QGJhbmsuZXhhbXBsZQ==?= <any@attack.example>", "attack.example", NameHasAddress, nil},
	{"FROM-17/comment at the end", "any@attack.example (=?utf-8?Q?ceo=40bank.example?=)", "attack.example", NameHasAddress, nil},
	{"FROM-17/no end of encoded-word", "=?utf-8 <any@attack.example>", "attack.example", 0, nil},
	{"FROM-17/end is not one", "=?utf-8?Q?ceo=40bank.example?x <any@attack.example>", "attack.example", 0, nil},
	{"FROM-17/text behind encoded-word", "=?c?B?YQ=?=?Q?=40?= <any@attack.example>", "attack.example", 0, nil},
	{"FROM-31/one label as name", "a@attack:b@bank.example;", "", 0, ErrInName},
	{"FROM-31/empty, and an address", "a:;, ceo@bank.example", "bank.example", Group, nil},
	{"FROM-33/in front", ",ceo@bank.example", "bank.example", Obsolete, nil},
	{"FROM-33/behind", "ceo@bank.example,", "bank.example", Obsolete, nil},
	{"FROM-33/in a group, behind", "a:ceo@bank.example,;", "bank.example", Group | Obsolete, nil},
	{"FROM-33/open comment behind", ",(", "", 0, ErrComment},
	{"FROM-45/before the at sign", "<ceo\x00@bank.example>", "", 0, ErrControl},
	{"FROM-45/behind the at sign", "<ceo@\x00bank.example>", "", 0, ErrControl},
	{"FROM-45/U+001F", "\x1f <ceo@bank.example>", "", 0, ErrControl},
	{"FROM-45/U+001F in quotes", "\"\x1f\" <ceo@bank.example>", "", 0, ErrControl},
	{"FROM-45/DEL in quotes", "\"\x7f\" <ceo@bank.example>", "", 0, ErrControl},
	{"FROM-45/U+001F in a pair", "\"\\\x1f\" <ceo@bank.example>", "", 0, ErrControl},
	{"FROM-45/DEL in a pair", "\"\\\x7f\" <ceo@bank.example>", "", 0, ErrControl},
	{"FROM-45/not DEL", "\"~\\~ \\ \" <ceo@bank.example>", "bank.example", 0, nil},
	{"lines of white space", "CEO\r\n \t \r\n <ceo@bank.example>", "bank.example", Obsolete, nil},
	{"two words in local part", `a."b"@bank.example`, "bank.example", Obsolete, nil},
	{"0x80 in quotes", "\"\x80\" <ceo@bank.example>", "bank.example", NotUTF8, nil},
	{"0x80 in a comment", "(\x80) <ceo@bank.example>", "bank.example", NotUTF8, nil},
	{"0x80 behind a backslash", "\"\\\x80\" <ceo@bank.example>", "", 0, ErrEncoding},
	{"U+FFFD is UTF-8", "\ufffd <ceo@bank.example>", "bank.example", 0, nil},
	{"UTF-8 and a backslash", "\"\u3042\\\"\" <ceo@bank.example>", "bank.example", 0, nil},
}

func TestLocalPart(t *testing.T) {
	for in, want := range map[string]string{
		`ceo@bank.example`:            `ceo`,
		`CEO+Tag@bank.example`:        `CEO+Tag`,
		`"c e o"@bank.example`:        `c e o`,
		`"a\"b\\c"@bank.example`:      `a"b\c`,
		"\"a\r\n b\"@bank.example":    `a b`,
		`"\` + "\u00e9" + `x"@b.test`: "\u00e9x",
		`a."b".c@bank.example`:        `a.b.c`,
		`""@bank.example`:             ``,
		` (x) ceo (y) @ bank.example`: `ceo`,
	} {
		got, _, err := Parse(nil, in)
		require.NoError(t, err, in)
		require.Len(t, got, 1)
		require.Equal(t, want, got[0].Local, in)
	}
}

func TestParseAppends(t *testing.T) {
	first, _, err := Parse(nil, "a@x.example")
	require.NoError(t, err)
	both, _, err := Parse(first, "b@y.example")
	require.NoError(t, err)
	require.Equal(t, "x.example y.example", domains(both))
	_, _, err = Parse(first, ",")
	require.ErrorIs(t, err, ErrEmpty)
	// What is there already counts for no limit.
	all, _, err := Parse(first, list(MaxMailboxes))
	require.NoError(t, err)
	require.Len(t, all, 1+MaxMailboxes)
	two, _, err := ParseUnquotedComma(first, "Bank, Inc. <ceo@bank.example>")
	require.NoError(t, err)
	require.Equal(t, "x.example bank.example", domains(two))
}

// FROM-45 at every place: a control character closes the field, whatever it hides in.
func TestControls(t *testing.T) {
	for _, in := range []string{`"C E O" <ceo@bank.example>`, "CEO (x) <ceo@bank.example>", `"c\ o"@bank.example`, "g:ceo@bank.example;,"} {
		for c := byte(0); c < 0x20; c++ {
			if c == '\t' || c == '\r' || c == '\n' {
				continue
			}
			for i := range len(in) + 1 {
				_, _, err := Parse(nil, in[:i]+string(rune(c))+in[i:])
				require.ErrorIs(t, err, ErrControl, "%q at %d of %s", c, i, in)
			}
		}
	}
}

// Behind an "@" in an unquoted display name only letters, digits and hyphens are harmless.
func TestPlainWords(t *testing.T) {
	for c := byte('!'); c < 0x7f; c++ {
		if strings.IndexByte(`()<>[]:;@\,."`, c) >= 0 {
			continue
		}
		_, flags, err := Parse(nil, "Bank @ a"+string(c)+"b <any@attack.example>")
		if c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			require.NoError(t, err, "%q", c)
			require.Equal(t, NameHasAddress, flags)
		} else {
			require.ErrorIs(t, err, ErrInName, "%q", c)
		}
	}
}

// Bidi is for the twelve characters that change the direction of text (Unicode's
// Bidi_Control), and for none beside them.
func TestBidi(t *testing.T) {
	const control = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
	for _, r := range [][2]rune{{0x0600, 0x0630}, {0x2000, 0x2080}} {
		for c := r[0]; c < r[1]; c++ {
			_, flags, err := Parse(nil, "a"+string(c)+" <a@attack.example>")
			require.NoError(t, err)
			require.Equal(t, strings.ContainsRune(control, c), flags.Has(Bidi), "%U", c)
		}
	}
}

func TestParseAddrSpec(t *testing.T) {
	for in, want := range map[string]error{
		"ceo@bank.example":         nil,
		`"c e o"@bank.example`:     nil,
		" ceo@bank.example":        ErrTrailing,
		"ceo@bank.example ":        ErrTrailing,
		"ceo@bank.example(x)":      ErrTrailing,
		"ceo @bank.example":        ErrTrailing,
		"ceo@bank.example,":        ErrTrailing,
		"<ceo@bank.example>":       ErrAngle,
		"ceo@bank.example>":        ErrAngle,
		"":                         ErrNoAddress,
		"ceo":                      ErrNoAddress,
		"@bank.example":            ErrLocalPart,
		"ceo@evil.example@b.test":  ErrDomain,
		"ceo@[192.0.2.1]":          ErrLiteral,
		"ceo@bank.example\r\nX: y": ErrFold,
		"ceo@bank.example\x00":     ErrControl,
		"\x00":                     ErrControl,
		"(":                        ErrComment,

		strings.Repeat("a", MaxLength):   ErrNoAddress,
		strings.Repeat("a", MaxLength+1): ErrTooLong,
	} {
		m, err := ParseAddrSpec(in)
		require.ErrorIs(t, err, want, in)
		if err != nil {
			require.Zero(t, m)
		} else {
			require.Equal(t, "bank.example", m.Domain.String())
		}
	}
}

func TestParseUnquotedComma(t *testing.T) {
	for _, c := range []struct {
		in, want string
		flags    Flags
		err      error
	}{
		{"Bank, Inc. <ceo@bank.example>", "bank.example", UnquotedComma, nil},
		{"A, B, C <ceo@bank.example>", "bank.example", UnquotedComma, nil},
		{"a@bank.example, b@bank.example", "bank.example bank.example", 0, nil},
		{"Bank, a@attack.example, b@bank.example", "", 0, ErrNoAddress},
		{"<ceo@bank.example>, Inc", "", 0, ErrNoAddress},
		{"Bank, x:ceo@bank.example;", "", 0, ErrNoAddress},
		{"=?utf-8?B?PGNlb0BiYW5rLmV4YW1wbGU+?=,<second@attack.example>", "", 0, ErrNoAddress},
		{`"ceo@bank.example",<second@attack.example>`, "", 0, ErrNoAddress},
		{"ceo@[x], <second@attack.example>", "", 0, ErrLiteral},
	} {
		got, flags, err := ParseUnquotedComma(nil, c.in)
		require.ErrorIs(t, err, c.err, c.in)
		require.Equal(t, c.want, domains(got), c.in)
		require.Equal(t, c.flags, flags, c.in)
	}
}

func TestAllocations(t *testing.T) {
	var buf [MaxMailboxes]Mailbox
	for in, want := range map[string]float64{
		`CEO <ceo@bank.example>`:                                  0,
		`=?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?= <a@attack.example>`: 0,
		`"C. E. O." <ceo@BANK.example>`:                           1, // lower case
	} {
		require.Equal(t, want, testing.AllocsPerRun(100, func() {
			if _, _, err := Parse(buf[:0], in); err != nil {
				t.Fatal(err)
			}
		}), in)
	}
}

func BenchmarkParse(b *testing.B) {
	var buf [MaxMailboxes]Mailbox
	for name, in := range map[string]string{
		"plain":   `"Example Newsletter" <newsletter@mail.example.com>`,
		"encoded": `=?utf-8?Q?B=C3=BCcher?= <newsletter@mail.example.com>`,
		"worst":   strings.Repeat("((((()))))", 800) + "a@b.example",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for range b.N {
				if _, _, err := Parse(buf[:0], in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The limit is the one that the package's users document.
func TestMaxLength(t *testing.T) { require.Equal(t, 8192, MaxLength) }
