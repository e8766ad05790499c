package address

import (
	"net/mail"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// ref is the grammar that the package accepts, written down as directly as Go
// allows: one function for each rule, recursive, quadratic and worse, no scanner
// and no state shared with the parser it is compared with. A rule returns where
// it ends, or -1.
type ref struct{ s string }

func (r ref) at(i int, chars string) bool {
	return i >= 0 && i < len(r.s) && strings.IndexByte(chars, r.s[i]) >= 0
}

// fws: [*WSP CRLF] 1*WSP, and what is obsolete about it, any number of times.
func (r ref) fws(i int) int {
	switch {
	case r.at(i, " \t"):
		return r.opt(i+1, r.fws)
	case r.at(i, "\r") && r.at(i+1, "\n") && r.at(i+2, " \t"):
		return r.opt(i+3, r.fws)
	}
	return -1
}

func (r ref) opt(i int, rule func(int) int) int {
	if j := rule(i); j >= 0 {
		return j
	}
	return i
}

func (r ref) char(i int, not string) int {
	if i >= len(r.s) || r.s[i] <= 0x20 || r.s[i] == 0x7f || strings.IndexByte(not, r.s[i]) >= 0 {
		return -1
	}
	return i + 1
}

func (r ref) pair(i int) int {
	if r.at(i, `\`) && i+1 < len(r.s) && (r.s[i+1] >= 0x20 && r.s[i+1] != 0x7f || r.s[i+1] == '\t') {
		return i + 2
	}
	return -1
}

func (r ref) comment(i, depth int) int {
	if !r.at(i, "(") || depth > MaxCommentDepth {
		return -1
	}
	for i++; ; {
		j := -1
		for _, rule := range []func(int) int{r.fws, r.pair, func(i int) int { return r.char(i, `()\`) }, func(i int) int { return r.comment(i, depth+1) }} {
			if j = rule(i); j >= 0 {
				break
			}
		}
		if j < 0 {
			break
		}
		i = j
	}
	if r.at(i, ")") {
		return i + 1
	}
	return -1
}

func (r ref) cfws(i int) int {
	j := r.fws(i)
	if j < 0 {
		j = r.comment(i, 1)
	}
	if j < 0 {
		return -1
	}
	return r.opt(j, r.cfws)
}

func (r ref) atom(i int) int {
	j := r.char(i, `()<>[]:;@\,."`)
	if j < 0 {
		return -1
	}
	return r.opt(j, r.atom)
}

func (r ref) quoted(i int) int {
	if !r.at(i, `"`) {
		return -1
	}
	for i++; ; {
		j := -1
		for _, rule := range []func(int) int{r.fws, r.pair, func(i int) int { return r.char(i, `"\`) }} {
			if j = rule(i); j >= 0 {
				break
			}
		}
		if j < 0 {
			break
		}
		i = j
	}
	if r.at(i, `"`) {
		return i + 1
	}
	return -1
}

func (r ref) word(i int) int {
	if j := r.atom(i); j >= 0 {
		return j
	}
	return r.quoted(i)
}

// name is a display name with the white space around it; withAt for one that may
// hold an "@" with nothing but plain words behind it.
func (r ref) name(i int, withAt bool) int {
	i = r.opt(i, r.cfws)
	words, ats, start := 0, 0, i
	for {
		j := r.word(i)
		switch {
		case j >= 0:
			if ats > 0 && strings.IndexFunc(r.s[i:j], func(c rune) bool {
				return !(c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
			}) >= 0 {
				return -1
			}
			words++
		case r.at(i, ".") && words > 0 && ats == 0:
			j = i + 1
		case r.at(i, "@") && withAt && ats == 0:
			ats++
			j = i + 1
		case i == start, words == 0:
			return -1
		default:
			return i
		}
		i = r.opt(j, r.cfws)
	}
}

// addr is addr-spec without white space around it, followed by what is legal behind it.
func (r ref) addr(i int) (m Mailbox, end int) {
	start := i
	for {
		j := r.word(i)
		if j < 0 {
			return m, -1
		}
		if i = j; !r.at(i, ".") {
			break
		}
		i++
	}
	local := r.s[start:i]
	if !utf8.ValidString(local) {
		return m, -1
	}
	if i = r.opt(i, r.cfws); !r.at(i, "@") {
		return m, -1
	}
	i = r.opt(i+1, r.cfws)
	start = i
	for r.atom(i) >= 0 || r.at(i, ".") {
		if i++; r.atom(i-1) >= 0 {
			i = r.atom(i - 1)
		}
	}
	d, err := domain.Parse(r.s[start:i])
	if err != nil {
		return m, -1
	}
	m = Mailbox{Local: refUnquote(local), Domain: d}
	if len(m.Local) > MaxLocalPart {
		return m, -1
	}
	return m, i
}

func refUnquote(s string) string {
	if !strings.Contains(s, `"`) {
		return s
	}
	s = strings.NewReplacer("\r\n", "").Replace(s)
	var b strings.Builder
	for s != "" {
		switch {
		case s[0] == '\\':
			b.WriteByte(s[1])
			s = s[2:]
		case s[0] == '"':
			s = s[1:]
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return b.String()
}

func (r ref) mailbox(i int) (m Mailbox, end int) {
	j := i
	if n := r.name(i, true); n >= 0 {
		j = n
	} else {
		j = r.opt(j, r.cfws)
	}
	if r.at(j, "<") {
		m, j = r.addr(r.opt(j+1, r.cfws))
		if j < 0 {
			return m, -1
		}
		if j = r.opt(j, r.cfws); !r.at(j, ">") {
			return m, -1
		}
		return m, r.opt(j+1, r.cfws)
	}
	if m, j = r.addr(r.opt(i, r.cfws)); j < 0 {
		return m, -1
	}
	return m, r.opt(j, r.cfws)
}

// list reads members up to the end, or up to the ";" of a group.
func (r ref) list(i int, inGroup bool) (out []Mailbox, end int) {
	if n := r.name(i, false); n >= 0 && r.at(n, ":") && !inGroup {
		out, i = r.list(n+1, true)
		if i < 0 || !r.at(i, ";") {
			return nil, -1
		}
		i = r.opt(i+1, r.cfws)
	} else if m, j := r.mailbox(i); j >= 0 {
		out, i = []Mailbox{m}, j
	} else {
		i = r.opt(i, r.cfws)
	}
	if r.at(i, ",") {
		rest, j := r.list(i+1, inGroup)
		if j < 0 {
			return nil, -1
		}
		return append(out, rest...), j
	}
	return out, i
}

func reference(s string) ([]Mailbox, bool) {
	if len(s) > MaxLength || !utf8.ValidString(s) && strings.Contains(s, `\`) {
		return nil, false
	}
	out, end := ref{s}.list(0, false)
	return out, end == len(s) && len(out) > 0 && len(out) <= MaxMailboxes
}

// FuzzParse is F2, the grammar: what the parser makes of a From field is what the
// reference makes of it. What the author domain is then, FuzzAuthorDomain of dmarc asks.
func FuzzParse(f *testing.F) {
	a := alphabet.From()
	for _, s := range seeds {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		s := a.Text(data, folded)
		if len(s) > 1<<10 {
			s = s[:1<<10] // the reference is slow
		}
		checkParse(t, s)
	})
}

func checkParse(t *testing.T, s string) {
	t.Helper()
	got, flags, err := Parse(nil, s)
	want, ok := reference(s)
	require.Equal(t, ok, err == nil, "%q: %v", s, err)
	if err != nil {
		require.Nil(t, got)
		require.Zero(t, flags)
		return
	}
	require.Equal(t, want, got, "%q", s)
	for _, m := range got {
		again, err := domain.ParseASCII(m.Domain.String())
		require.NoError(t, err)
		require.Equal(t, again, m.Domain)
	}
	// The case of letters changes nothing but the local part's.
	up, _, err := Parse(nil, strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' {
			return c - 'a' + 'A'
		}
		return c
	}, s))
	if utf8.ValidString(s) {
		require.NoError(t, err)
		require.True(t, slices.EqualFunc(got, up, func(a, b Mailbox) bool { return a.Domain == b.Domain }), "%q", s)
	}
	// One who is more lenient about commas does not see anything else here.
	lenient, _, err := ParseUnquotedComma(nil, s)
	require.NoError(t, err)
	require.Equal(t, got, lenient)
	// CMP-13: another reader who accepts the field sees no domain that is not among ours. That it
	// may see fewer is known: it takes a comment for a display name, for example.
	if list, err := mail.ParseAddressList(s); err == nil {
		for _, a := range list {
			theirs, err := domain.Parse(a.Address[strings.LastIndexByte(a.Address, '@')+1:])
			require.NoError(t, err, "%q", s)
			require.True(t, slices.ContainsFunc(got, func(m Mailbox) bool { return m.Domain == theirs }), "%q: %s", s, theirs)
		}
	}
	// A bare address is what it is in a list.
	if m, err := ParseAddrSpec(s); err == nil {
		require.Equal(t, []Mailbox{m}, got)
	}
}

// TestReference compares the two on everything that short strings of the
// grammar's own characters can say, and on mutilated seeds. It is CMP-13, too: no
// other reader of the same field sees a domain that we do not.
func TestReference(t *testing.T) {
	alphabet := []string{"a", ".", "@", "<", ">", ",", ":", ";", "\"", "(", ")", "\\", " ", "\r\n ", "a@b", "[", "\xff"}
	var walk func(prefix string, depth int, alphabet []string)
	walk = func(prefix string, depth int, alphabet []string) {
		checkParse(t, prefix)
		if depth > 0 {
			for _, a := range alphabet {
				walk(prefix+a, depth-1, alphabet)
			}
		}
	}
	walk("", 3, alphabet)
	walk("", 5, []string{"a@b", "<", ">", ",", ":", ";"})
	for _, s := range seeds {
		checkParse(t, s)
		for i := range s {
			checkParse(t, s[:i])
			checkParse(t, s[i:])
			checkParse(t, s[:i]+s[i+1:])
			for _, a := range alphabet {
				checkParse(t, s[:i]+a+s[i:])
			}
		}
	}
}
