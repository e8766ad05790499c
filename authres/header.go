// Package authres is the vocabulary of e-mail authentication, and the header
// field that carries it: it reads and writes Authentication-Results fields
// (RFC 8601) and finds those that a receiver must remove.
//
// [Parse] holds to the grammar. [ParseLenient] also reads what is in use out
// there and says where that departed from the grammar. [Header.String] and
// [Header.Field] are the one place in this library where text from strangers
// becomes a header field; whatever a value holds, they emit no octet that ends
// the field, starts another, or ends the quoted-string or comment that holds it.
// [Forged] finds the fields of a message that claim to be the receiver's own.
//
// Nothing here says whether a field can be believed. That rests on who wrote
// it: a border MTA removes what [Forged] finds before it puts its own field at
// the very top, above its own Received field (RFC 8601, sections 4 and 5), and
// a reader believes only fields for which [Header.IsFrom] holds with ids that
// somebody configured (RFC 8601, section 4.1). Received-SPF fields are not read
// at all: they prove nothing.
//
// # Limits
//
// A value of more than [MaxLength] octets, [MaxResults] results or
// [MaxProperties] properties of one result is refused by the parsers and not
// written. A property's value and an authserv-id are written up to [MaxValue]
// octets, a reason or a comment up to [MaxText], a name up to [MaxName].
// Comments nest 16 deep at most. All work is linear in the text.
package authres

// Header is the content of one Authentication-Results field (RFC 8601, section 2.2).
//
// Values are as their sender meant them: quoting, comments and folding are
// resolved, and put back by [Header.String]. Its JSON form is the one of the
// command's batch operations.
//
// The zero value has no authserv-id and cannot be written.
type Header struct {
	// AuthservID names who did the authentication (RFC 8601, section 2.5), as
	// it was written; compare it with [Header.IsFrom]. ParseLenient leaves it
	// empty where the field has none.
	AuthservID string `json:"authserv_id"`
	// Version is the version of the field's format (RFC 8601, section 2.6). A
	// parser sets it to 1, which is what absence means. When writing, 0 and 1
	// mean version 1, which is not spelled out, and no other can be written.
	Version int `json:"version"`
	// Internationalized says that the field belongs to an internationalized
	// message (RFC 6532), so that text in it may be UTF-8. A parser sets it
	// where it met UTF-8 outside of comments that it dropped. When writing,
	// false leaves out what is not ASCII, which is right for every message
	// that did not come with SMTPUTF8.
	Internationalized bool `json:"-"`
	// Results are in the order of the field. None at all is "none": no
	// authentication was done.
	Results []Result `json:"results"`
}

// Result is what one method made of the message: one resinfo of RFC 8601,
// section 2.2. The zero value is no result, and cannot be written.
type Result struct {
	// Method is the method's keyword in lower case: "dkim", "spf".
	Method string `json:"method"`
	// Version is the method's version. A parser sets 1 where there is none, as
	// RFC 8601, section 2.2 says; when writing, 0 means 1.
	Version int `json:"version"`
	// Status is the result word in lower case. It need not be one of the
	// constants of this package: other methods have words of their own.
	Status Status `json:"result"`
	// Reason is free text, of the writer's making.
	Reason string `json:"reason,omitempty"`
	// Comment is the text of the first comment right behind the result word,
	// which many receivers use for what others put into Reason. Other comments
	// are not kept.
	Comment string `json:"comment,omitempty"`
	// Properties are in the order of the field.
	Properties []Property `json:"props"`
}

// Property is one propspec of RFC 8601, section 2.2: which part of the message
// a method looked at, and what it found there.
type Property struct {
	// Type is the ptype in lower case: "smtp", "header", "body", "policy", "dns".
	Type string `json:"type"`
	// Name is the property in lower case: "mailfrom", "d".
	Name string `json:"name"`
	// Value is the value with its quoting resolved. An address whose local-part
	// is a quoted string keeps the quotes, as they belong to the address.
	Value string `json:"value"`
}

// Limits of a field that is read or written. RFC 8601 has none; real fields
// have a dozen results at most and stay below 4 KiB.
const (
	MaxLength     = 32 << 10 // octets of a field value
	MaxResults    = 64       // results of one field
	MaxProperties = 16       // properties of one result
)

// Limits of what is written. A value cannot be folded, and a line of a message
// has at most 998 octets (RFC 5322, section 2.1.1), so its written form, in the
// worst case with a backslash before each octet, has to fit into one.
const (
	MaxValue = 400 // octets of a property's value or an authserv-id; an address has at most 320
	MaxText  = 200 // octets of a reason or a comment
	MaxName  = 64  // octets of a method, a result word, a ptype or a property
)

// Error is a constant error of this package, for errors.Is.
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

const (
	// ErrSyntax: the value does not follow the grammar of RFC 8601, section 2.2.
	ErrSyntax Error = "not an Authentication-Results value"
	// ErrVersion: the field has a version other than 1. What follows a version
	// that one does not know cannot be read (RFC 8601, section 2.6).
	ErrVersion Error = "unsupported version of Authentication-Results"
	// ErrLength: the value has more than MaxLength octets.
	ErrLength Error = "Authentication-Results value too long"
	// ErrResults: there are more than MaxResults results.
	ErrResults Error = "too many results"
	// ErrProperties: a result has more than MaxProperties properties.
	ErrProperties Error = "too many properties"
	// ErrAuthservID: the authserv-id is empty or cannot be written.
	ErrAuthservID Error = "unusable authserv-id"
	// ErrName: a method, result word, ptype or property is not a keyword, or longer than MaxName.
	ErrName Error = "not a keyword"
)

// Code returns the name of the constant: "ErrSyntax". It is "" for an Error
// that is not one of the package's.
func (e Error) Code() string {
	switch e {
	case ErrSyntax:
		return "ErrSyntax"
	case ErrVersion:
		return "ErrVersion"
	case ErrLength:
		return "ErrLength"
	case ErrResults:
		return "ErrResults"
	case ErrProperties:
		return "ErrProperties"
	case ErrAuthservID:
		return "ErrAuthservID"
	case ErrName:
		return "ErrName"
	}
	return ""
}
