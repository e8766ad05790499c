// Package address reads the address list of a From field (RFC 5322, section 3.4;
// RFC 6854 for groups, RFC 6532 for UTF-8) out of its raw value.
//
// It is not a general mail address parser. It answers "who does this field name
// as author?" for programs that decide on the answer, so it accepts only what no
// two careful readers take differently and refuses all else with a typed error.
// It repairs nothing, decodes no encoded-word into structure, does not recurse,
// and looks at each octet at most three times.
//
// What the grammar allows and this package refuses, because readers are known to
// differ: control octets anywhere, source routes, address literals, white space
// or comments inside a local part or a domain, octets that are not UTF-8 in an
// address, and next to a backslash anywhere. What the grammar forbids and this
// package accepts: an "@" in an unquoted display name, if only plain words of
// letters, digits and hyphens follow it up to the "<", so that no reader can see a
// mail domain there; and octets that are not UTF-8 in display names and comments.
// Both are flagged.
//
// # Limits
//
// [MaxLength] octets a field, [MaxMailboxes] mailboxes, comments nested
// [MaxCommentDepth] deep, a local part of [MaxLocalPart] octets, names as in
// package domain.
package address

import (
	"github.com/seed2385d973/mailauth/internal/domain"
)

// Limits of one field. Going over one is an error of its own.
const (
	MaxLength       = 8 << 10 // octets; fields of real mail stay below 1 KiB
	MaxMailboxes    = 16      // authors of one message
	MaxCommentDepth = 16
	MaxLocalPart    = 254 // octets; a path of RFC 5321, section 4.5.3.1.3 holds no longer one
)

// Error is a constant error of this package: why a field names no author that
// could be relied on.
type Error string

func (e Error) Error() string { return string(e) }

// What can be wrong with an address list.
const (
	ErrTooLong      Error = "address list longer than the limit"
	ErrTooMany      Error = "more mailboxes than the limit"
	ErrCommentDepth Error = "comments nested deeper than the limit"
	ErrControl      Error = "control octet in address list"
	ErrFold         Error = "CR or LF that is not folding white space"
	ErrEncoding     Error = "octets that are not UTF-8 where they could hide structure"
	ErrComment      Error = "comment is not closed, or closed without being open"
	ErrQuote        Error = "quoted string is not closed"
	ErrEmpty        Error = "no mailbox in address list"
	ErrNoAddress    Error = "text without an address"
	ErrAngle        Error = "angle bracket missing, or one too many"
	ErrNull         Error = "empty address"
	ErrRoute        Error = "source route in address"
	ErrTrailing     Error = "text after an address"
	ErrInName       Error = "unquoted address in a display name"
	ErrName         Error = "malformed display name"
	ErrGroup        Error = "group is not closed, or within another"
	ErrSemicolon    Error = "semicolon outside a group"
	ErrLocalPart    Error = "malformed local part"
	ErrLiteral      Error = "address literal in place of a domain"
	ErrDomain       Error = "malformed domain"
)

// Flags say what is remarkable in a list that was accepted.
type Flags uint8

const (
	// NameHasAddress: a display name, group name or comment holds an "@", openly or
	// in an encoded-word, or a quoted local part holds one, so that a mail program may show another address as the author.
	NameHasAddress Flags = 1 << iota
	// Group: there is a group (RFC 6854, section 2).
	Group
	// Obsolete: obsolete syntax (RFC 5322, section 4) other than a full stop in a
	// display name: empty members, a local part of several words, lines of white space.
	Obsolete
	// Bidi: there are characters that change the direction of text.
	Bidi
	// EncodedWord: a local part looks like an encoded-word. It is none there
	// (RFC 2047, section 5), but mail programs have been seen to decode it.
	EncodedWord
	// NotUTF8: a display name or comment holds octets that are not UTF-8.
	NotUTF8
	// UnquotedComma: see [ParseUnquotedComma].
	UnquotedComma
)

// Has reports whether all of g are set.
func (f Flags) Has(g Flags) bool { return f&g == g }

// Mailbox is one address of a list.
type Mailbox struct {
	Local  string      // the local part, its quoting and folding removed; case kept
	Domain domain.Name // U-labels converted to A-labels
}

// Parse reads the value of a From field: all after the colon, with its folding,
// without the final line end. It appends the mailboxes, those of groups included,
// to dst, so that a caller can bring its own array. On error it returns no mailbox.
func Parse(dst []Mailbox, value string) ([]Mailbox, Flags, error) {
	return parse(dst, parser{scanner: scanner{s: value}})
}

// ParseUnquotedComma is [Parse] for receivers that would rather not turn away
// "Bank, Inc. <ceo@bank.example>": text without an address before a comma is taken
// for the beginning of a display name, provided that there is exactly one mailbox,
// no group, and no "@" in that text, not even in an encoded-word.
func ParseUnquotedComma(dst []Mailbox, value string) ([]Mailbox, Flags, error) {
	return parse(dst, parser{scanner: scanner{s: value}, commas: true})
}

func parse(dst []Mailbox, p parser) ([]Mailbox, Flags, error) {
	if len(p.s) > MaxLength {
		return nil, 0, ErrTooLong
	}
	out, err := p.list(dst)
	if err != nil {
		return nil, 0, err
	}
	if len(out) == len(dst) {
		return nil, 0, ErrEmpty
	}
	return out, p.flags, nil
}

// ParseAddrSpec reads one bare address (RFC 5322, section 3.4.1) without white
// space or comments around it, as it stands in a tag value or in a URI.
func ParseAddrSpec(s string) (Mailbox, error) {
	if len(s) > MaxLength {
		return Mailbox{}, ErrTooLong
	}
	p := parser{scanner: scanner{s: s}}
	if err := p.next(); err != nil {
		return Mailbox{}, err
	}
	m, err := p.addrSpec()
	switch {
	case err != nil:
		return Mailbox{}, err
	case p.cfws:
		return Mailbox{}, ErrTrailing
	case p.tok.kind == langle || p.tok.kind == rangle:
		return Mailbox{}, ErrAngle
	case p.tok.kind != end:
		return Mailbox{}, ErrTrailing
	}
	return m, nil
}
