package spf

import (
	"errors"
	"strconv"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
)

// Error is a constant error of this package. Every [Result.Err] that is not nil
// and every error of [ParseRecord] has exactly one at its root, to be found with
// errors.Is, or with errors.As where the name is wanted.
type Error string

// Why a check ended with "none": nothing was published, or there was nothing to ask for.
const (
	// ErrNoClient: the session has no valid client address.
	ErrNoClient Error = "no client address to check"
	// ErrDomain: the identity holds no multi-label domain name (RFC 7208, section 4.3).
	ErrDomain Error = "not a multi-label domain name"
	// ErrNoDomain: the domain does not exist (RFC 7208, section 4.3).
	ErrNoDomain Error = "domain does not exist"
	// ErrNoRecord: the domain publishes no SPF record (RFC 7208, section 4.5).
	ErrNoRecord Error = "no SPF record"
)

// What a record said, other than pass.
const (
	// ErrFail: the record says that the client is not authorized (RFC 7208, section 8.4).
	ErrFail Error = "client is not authorized"
	// ErrSoftFail: the record says that the client is probably not authorized (RFC 7208, section 8.5).
	ErrSoftFail Error = "client is probably not authorized"
	// ErrNeutral: the record makes no assertion about the client (RFC 7208, section 8.2).
	ErrNeutral Error = "no assertion about the client"
)

// Why a check ended with "permerror" although no record was at fault in itself.
const (
	// ErrSender: the reverse-path is malformed in a way that lets two readers
	// see two different domains in it, or holds control characters.
	ErrSender Error = "malformed reverse-path"
	// ErrMultipleRecords: more than one SPF record at one name (RFC 7208, section 4.5).
	ErrMultipleRecords Error = "more than one SPF record"
	// ErrInclude: an include names a domain without an SPF record (RFC 7208, section 5.2).
	ErrInclude Error = "include of a domain without an SPF record"
	// ErrRedirect: a redirect names a domain without an SPF record (RFC 7208, section 6.1).
	ErrRedirect Error = "redirect to a domain without an SPF record"
	// ErrTarget: the name of an include or redirect is malformed after macro expansion (decision 9).
	ErrTarget Error = "malformed domain name after macro expansion"
)

// Limits; see the package documentation.
const (
	// ErrLookups: more than 10 terms that ask the DNS (RFC 7208, section 4.6.4).
	ErrLookups Error = "more than 10 terms that cause DNS lookups"
	// ErrVoidLookups: too many answers without a record (RFC 7208, section 4.6.4).
	ErrVoidLookups Error = "too many void lookups"
	// ErrMX: more than 10 hosts in the answer to one mx (RFC 7208, section 4.6.4).
	ErrMX Error = "more than 10 mail exchangers"
	// ErrQueries: more than 50 different DNS questions, or the caller's budget is used up (decision 8).
	ErrQueries Error = "too many DNS queries"
	// ErrExpansion: a macro expansion of more than 4 KiB (RFC 7208, section 11.1).
	ErrExpansion Error = "macro expansion is too long"
	// ErrRecordSize: a record of more than 10 KiB (RFC 7208, section 11.1).
	ErrRecordSize Error = "record is too long"
	// ErrTerms: a record of more than 500 terms (RFC 7208, section 11.1).
	ErrTerms Error = "record has too many terms"
)

// Why a check ended with "temperror": asking again later may give a result.
const (
	// ErrDNS: the DNS did not answer (RFC 7208, section 4.4; RFC 7208, section 5).
	ErrDNS Error = "DNS error"
	// ErrTimeout: the check took longer than it may (RFC 7208, section 4.6.4).
	ErrTimeout Error = "check took too long"
)

// Syntax errors of a record. Each is an [ErrSyntax] too.
const (
	// ErrSyntax is the error that all of these are (RFC 7208, section 4.6).
	ErrSyntax Error = "syntax error in SPF record"
	// ErrVersion: the text does not begin with "v=spf1" and a space or its end (RFC 7208, section 4.5).
	ErrVersion Error = "not a version 1 SPF record"
	// ErrCharacter: an octet that is neither visible ASCII nor a space (RFC 7208, section 3.1).
	ErrCharacter Error = "octet that is not printable ASCII"
	// ErrMechanism: no mechanism has this name, or it cannot have these arguments (RFC 7208, section 4.6.1).
	ErrMechanism Error = "unknown mechanism or malformed term"
	// ErrNetwork: malformed address in ip4 or ip6 (RFC 7208, section 5.6).
	ErrNetwork Error = "malformed IP address"
	// ErrPrefixLength: malformed prefix length (RFC 7208, section 5.6).
	ErrPrefixLength Error = "malformed prefix length"
	// ErrDomainSpec: malformed or missing domain-spec (RFC 7208, section 7.1).
	ErrDomainSpec Error = "malformed domain-spec"
	// ErrMacro: malformed macro (RFC 7208, section 7.1).
	ErrMacro Error = "malformed macro"
	// ErrDuplicate: redirect or exp more than once (RFC 7208, section 6).
	ErrDuplicate Error = "modifier given twice"
)

func (e Error) Error() string { return string(e) }

// facts is what is known about each constant: its name, the section that makes
// the rule (of RFC 7208 unless it says otherwise), and the result word.
func (e Error) facts() (code, section string, status authres.Status) {
	switch e {
	case ErrNoClient:
		return "ErrNoClient", "4.1", None
	case ErrDomain:
		return "ErrDomain", "4.3", None
	case ErrNoDomain:
		return "ErrNoDomain", "4.3", None
	case ErrNoRecord:
		return "ErrNoRecord", "4.5", None
	case ErrFail:
		return "ErrFail", "4.6.2", Fail
	case ErrSoftFail:
		return "ErrSoftFail", "4.6.2", SoftFail
	case ErrNeutral:
		return "ErrNeutral", "4.7", Neutral
	case ErrSender:
		return "ErrSender", "2.2", PermError
	case ErrMultipleRecords:
		return "ErrMultipleRecords", "4.5", PermError
	case ErrInclude:
		return "ErrInclude", "5.2", PermError
	case ErrRedirect:
		return "ErrRedirect", "6.1", PermError
	case ErrTarget:
		return "ErrTarget", "4.8", PermError
	case ErrLookups:
		return "ErrLookups", "4.6.4", PermError
	case ErrVoidLookups:
		return "ErrVoidLookups", "4.6.4", PermError
	case ErrMX:
		return "ErrMX", "4.6.4", PermError
	case ErrQueries:
		return "ErrQueries", "11.1", PermError
	case ErrExpansion:
		return "ErrExpansion", "11.1", PermError
	case ErrRecordSize:
		return "ErrRecordSize", "11.1", PermError
	case ErrTerms:
		return "ErrTerms", "11.1", PermError
	case ErrDNS:
		return "ErrDNS", "5", TempError
	case ErrTimeout:
		return "ErrTimeout", "4.6.4", TempError
	case ErrSyntax:
		return "ErrSyntax", "4.6", PermError
	case ErrVersion:
		return "ErrVersion", "4.5", PermError
	case ErrCharacter:
		return "ErrCharacter", "3.1", PermError
	case ErrMechanism:
		return "ErrMechanism", "4.6.1", PermError
	case ErrNetwork:
		return "ErrNetwork", "5.6", PermError
	case ErrPrefixLength:
		return "ErrPrefixLength", "5.6", PermError
	case ErrDomainSpec:
		return "ErrDomainSpec", "7.1", PermError
	case ErrMacro:
		return "ErrMacro", "7.1", PermError
	case ErrDuplicate:
		return "ErrDuplicate", "6", PermError
	}
	return "", "", ""
}

// Code returns the name of the constant, such as "ErrLookups"; "" if e is none of them.
func (e Error) Code() string {
	code, _, _ := e.facts()
	return code
}

// Section returns where the rule behind e stands, such as "RFC 7208, section
// 4.6.4"; "" if e is no constant of this package.
func (e Error) Section() string {
	_, section, _ := e.facts()
	if section == "" {
		return ""
	}
	return "RFC 7208, section " + section
}

func (e Error) status() authres.Status {
	_, _, s := e.facts()
	return s
}

func (e Error) syntax() bool {
	switch e {
	case ErrVersion, ErrCharacter, ErrMechanism, ErrNetwork, ErrPrefixLength,
		ErrDomainSpec, ErrMacro, ErrDuplicate:
		return true
	}
	return false
}

// rootOf returns the constant behind err. An error that has none came from
// outside, so the DNS is what failed.
func rootOf(err error) Error {
	switch err := err.(type) { // nearly always one of these
	case Error:
		return err
	case *problem:
		return err.err
	}
	var e Error
	if errors.As(err, &e) {
		return e
	}
	return ErrDNS
}

// problem says where a constant error was met. It is a struct and not a text
// because most are never printed.
type problem struct {
	err    Error
	domain string // whose record held the term; "" outside an evaluation
	term   string // as written, hostile
	cause  error  // from the resolver, or nil
}

// maxQuoted bounds how much of a stranger's text an error repeats.
const maxQuoted = 80

func (p *problem) Error() string {
	var b strings.Builder
	b.WriteString(string(p.err))
	if p.term != "" {
		b.WriteString(": ")
		b.WriteString(quote(p.term))
	}
	if p.domain != "" {
		b.WriteString(" in the record of ")
		b.WriteString(p.domain)
	}
	if p.cause != nil {
		b.WriteString(": ")
		b.WriteString(p.cause.Error())
	}
	return b.String()
}

func (p *problem) Unwrap() []error {
	errs := []error{p.err}
	if p.err.syntax() {
		errs = append(errs, ErrSyntax)
	}
	if p.cause != nil {
		errs = append(errs, p.cause)
	}
	return errs
}

// quote makes a stranger's text harmless in a log line: quoted, ASCII, short.
func quote(s string) string {
	if len(s) > maxQuoted {
		return strconv.QuoteToASCII(s[:maxQuoted]) + "..."
	}
	return strconv.QuoteToASCII(s)
}
