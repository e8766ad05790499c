package dmarc

import (
	"errors"
	"fmt"
	"slices"

	"github.com/seed2385d973/mailauth/internal/address"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/message"
)

// MaxAuthorDomains is how many different Author Domains a message may have where
// [AuthorOptions] allow several (RFC 9989, section 11.5; decision 6).
const MaxAuthorDomains = 3

// Author is who a message says it is from: the Author Domain (RFC 9989, section
// 3.2.2) as [AuthorDomain] extracts it. Where that failed the Author carries the
// reason, and a Verifier answers PermError with it. So does the zero value.
type Author struct {
	mailboxes []Mailbox
	domains   []domain.Name
	flags     address.Flags
	err       error
}

// Refuse returns the Author that cannot be relied on because of a structural defect
// of the message, for receivers who take no such message: it carries
// ErrFromDefect, unless it carries another error already, and its Domain is empty.
func (a Author) Refuse(d message.Defect) Author {
	if a.err == nil {
		a.err = fmt.Errorf("%w: %s", ErrFromDefect, d)
	}
	return a
}

// Mailbox is one author's address.
type Mailbox struct {
	Local  string // the local part without its quoting; a stranger's text
	Domain string // lower-case A-labels
}

// Remark says what is remarkable about a From field that was accepted.
type Remark string

// The remarks.
const (
	// NameHasAddress: a display name or comment holds an "@", openly or within an
	// encoded-word, or a quoted local part does: a mail program may show it as the author
	// (RFC 9989, section 11.4).
	NameHasAddress Remark = "display_name_has_address"
	// GroupSyntax: the authors are in a group (RFC 6854, section 2).
	GroupSyntax Remark = "group"
	// ObsoleteSyntax: empty list members and the like (RFC 5322, section 4.4).
	ObsoleteSyntax Remark = "obsolete_syntax"
	// BidiText: characters that change the direction of text.
	BidiText Remark = "bidi"
	// EncodedWordInAddress: the local part looks like an encoded-word, which some
	// mail programs decode (RFC 2047, section 5 forbids it).
	EncodedWordInAddress Remark = "encoded_word_in_address"
	// NotUTF8: a display name or comment is not UTF-8.
	NotUTF8 Remark = "not_utf8"
	// UnquotedComma: see [AuthorOptions].
	UnquotedComma Remark = "unquoted_comma"
)

// AuthorOptions relax what [AuthorDomain] accepts. The zero value relaxes nothing.
type AuthorOptions struct {
	// SeveralDomains lets a message have up to [MaxAuthorDomains] Author Domains.
	// Each is evaluated, and the strictest policy of those that fail applies (RFC
	// 9989, section 11.5).
	SeveralDomains bool
	// UnquotedComma accepts "Bank, Inc. <ceo@bank.example>", where the grammar has
	// two authors, one of them without an address: provided that there is exactly one
	// address and no other "@".
	UnquotedComma bool
}

// AuthorDomain extracts the Author Domain from a message's header (RFC 9989,
// section 5.3.1): there must be exactly one From field, it must be well-formed, its
// addresses must have one domain among them, and no defect of the header may show
// another reader another From field (decision 6). The error wraps one of the
// constants that begin with ErrFrom; the Author then carries it too, and [Author.Domains]
// still lists what was read.
func AuthorDomain(h *message.Header) (Author, error) { return AuthorOptions{}.AuthorDomain(h) }

// AuthorDomain is the function [AuthorDomain] with options.
func (o AuthorOptions) AuthorDomain(h *message.Header) (Author, error) {
	a := o.author(h)
	return a, a.err
}

// AuthorOf returns the Author for a domain that is already known, which may have
// U-labels. The error wraps ErrFromDomain; the Author then carries it too.
func AuthorOf(name string) (Author, error) {
	n, err := domain.Parse(name)
	if err != nil {
		a := Author{err: fmt.Errorf("%w: %w", ErrFromDomain, err)}
		return a, a.err
	}
	return Author{domains: []domain.Name{n}}, nil
}

func (o AuthorOptions) author(h *message.Header) Author {
	if h == nil {
		return Author{err: ErrFromMissing}
	}
	from := h.All("From")
	switch len(from) {
	case 0:
		// Whatever else is hidden in the header, nobody has an address to show.
		return Author{err: hidden(h, ErrFromMissing)}
	case 1:
	default:
		return Author{err: ErrFromRepeated}
	}
	a := o.read(h.Field(from[0]).Value())
	if err := hidden(h, nil); err != nil {
		a.err = err
	}
	return a
}

// hidden returns ErrFromHidden if the header may show somebody another From field
// than the one it has, else otherwise.
func hidden(h *message.Header, otherwise error) error {
	for _, f := range h.AmbiguousAuthor() {
		if f.Defect != message.MissingFrom && f.Defect != message.DuplicateFrom {
			return fmt.Errorf("%w: %s", ErrFromHidden, f.Defect)
		}
	}
	return otherwise
}

// read reads the value of a From field.
func (o AuthorOptions) read(value string) Author {
	var buf [address.MaxMailboxes]address.Mailbox
	list, flags, err := address.Parse(buf[:0], value)
	if err != nil && o.UnquotedComma {
		list, flags, err = address.ParseUnquotedComma(buf[:0], value)
	}
	if err != nil {
		return Author{err: fromError(err)}
	}
	a := Author{flags: flags, mailboxes: make([]Mailbox, len(list)), domains: make([]domain.Name, 0, 1)}
	for i, m := range list {
		a.mailboxes[i] = Mailbox{Local: m.Local, Domain: m.Domain.String()}
		if !slices.Contains(a.domains, m.Domain) {
			a.domains = append(a.domains, m.Domain)
		}
	}
	if n := len(a.domains); n > 1 && !(o.SeveralDomains && n <= MaxAuthorDomains) {
		a.err = fmt.Errorf("%w: %d", ErrFromDomains, n)
	}
	return a
}

// fromError sorts what the address parser has to say under this package's constants.
func fromError(err error) error {
	kind := ErrFromSyntax
	var e address.Error
	if errors.As(err, &e) {
		switch e {
		case address.ErrTooLong, address.ErrTooMany, address.ErrCommentDepth:
			kind = ErrFromLimit
		case address.ErrEmpty, address.ErrNoAddress, address.ErrNull:
			kind = ErrFromEmpty
		case address.ErrDomain, address.ErrLiteral:
			kind = ErrFromDomain
		}
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// Domain returns the Author Domain in lower-case A-labels, "" if there is not
// exactly one usable domain.
func (a Author) Domain() string {
	if a.err != nil || len(a.domains) != 1 {
		return ""
	}
	return a.domains[0].String()
}

// Domains lists the different domains of the authors in the order of the field,
// also where they make the Author unusable. It is a copy.
func (a Author) Domains() []string {
	out := make([]string, len(a.domains))
	for i, d := range a.domains {
		out[i] = d.String()
	}
	return out
}

// Mailboxes lists the authors' addresses in the order of the field, those of
// groups included; nil for an [AuthorOf]. The slice must not be modified.
func (a Author) Mailboxes() []Mailbox { return a.mailboxes }

// Remarks lists what is remarkable about the From field; nil if nothing is.
func (a Author) Remarks() []Remark {
	var out []Remark
	for _, r := range [...]struct {
		flag   address.Flags
		remark Remark
	}{
		{address.NameHasAddress, NameHasAddress},
		{address.Group, GroupSyntax},
		{address.Obsolete, ObsoleteSyntax},
		{address.Bidi, BidiText},
		{address.EncodedWord, EncodedWordInAddress},
		{address.NotUTF8, NotUTF8},
		{address.UnquotedComma, UnquotedComma},
	} {
		if a.flags.Has(r.flag) {
			out = append(out, r.remark)
		}
	}
	return out
}

// Err returns why there is no usable Author Domain: ErrNoAuthor for the zero
// Author, nil if there is one.
func (a Author) Err() error {
	if a.err == nil && len(a.domains) == 0 {
		return ErrNoAuthor
	}
	return a.err
}
