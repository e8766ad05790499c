package dmarc

// Error is a constant error of this package. Results and parsers wrap one of
// them, so that errors.Is answers what went wrong; the text around it is for people.
type Error string

func (e Error) Error() string { return string(e) }

// Why a message has no Author Domain that could be relied on. A Result with one of
// these is PermError and means "do not treat as unprotected" (decision 6).
const (
	// ErrFromMissing: there is no From field. Sender and Resent-From are no substitute.
	ErrFromMissing Error = "no From field"
	// ErrFromRepeated: there is more than one From field.
	ErrFromRepeated Error = "more than one From field"
	// ErrFromHidden: the header has a defect through which another reader could see another From field.
	ErrFromHidden Error = "another From field could be seen"
	// ErrFromSyntax: the From field is no address list (RFC 5322, section 3.6.2; RFC 6854, section 2.1).
	ErrFromSyntax Error = "malformed From field"
	// ErrFromEmpty: the From field names no address.
	ErrFromEmpty Error = "no address in From field"
	// ErrFromDomain: an author's domain is an address literal or not a legal domain name.
	ErrFromDomain Error = "unusable domain in From field"
	// ErrFromLimit: the From field goes beyond a limit.
	ErrFromLimit Error = "From field over a limit"
	// ErrFromDomains: the authors have different domains, or more of them than may be evaluated.
	ErrFromDomains Error = "more than one domain in From field"
	// ErrFromDefect: the message has a structural defect, and the receiver takes none ([Author.Refuse]).
	ErrFromDefect Error = "message has a structural defect"
	// ErrNoAuthor: Verify was given the zero Author.
	ErrNoAuthor Error = "no author domain given"
)

// What a record can suffer from that leaves no policy in it.
const (
	// ErrNotDMARC: the text does not begin with a v tag of value DMARC1 (RFC 9989, section 4.7).
	ErrNotDMARC Error = "not a DMARC record"
	// ErrDuplicateTag: a tag occurs twice (RFC 6376, section 3.2; decision 2).
	ErrDuplicateTag Error = "duplicate tag in DMARC record"
	// ErrRecordLimit: the record is longer or has more tags than the limits allow. Status PermError, as the domain
	// does have a policy.
	ErrRecordLimit Error = "DMARC record over a limit"
	// ErrPolicy: p, sp or np is not a policy, and no rua has a valid URI (RFC 9989, section 4.10.1; decision 3).
	ErrPolicy Error = "invalid policy in DMARC record"
	// ErrURI: not a URI to which a report could be sent.
	ErrURI Error = "unusable report URI"
)

// What can keep a message with an Author Domain from passing.
const (
	// ErrNoRecord: no record applies to the Author Domain. Status None.
	ErrNoRecord Error = "no DMARC record"
	// ErrNotAuthenticated: neither SPF nor any DKIM signature passed. Status Fail.
	ErrNotAuthenticated Error = "no authenticated identifier"
	// ErrNotAligned: something passed, but for a domain that is not aligned. Status Fail.
	ErrNotAligned Error = "no authenticated identifier is aligned"
	// ErrDNS: an answer that could have changed the outcome could not be had. Status TempError.
	ErrDNS Error = "DNS lookup failed"
	// ErrIdentifier: SPF or DKIM ended in a temporary error for an aligned domain. Status TempError.
	ErrIdentifier Error = "temporary error of an aligned identifier"
	// ErrBudget: more DNS questions would be needed than one message may cost. Status PermError.
	ErrBudget Error = "too many DNS questions"
	// ErrDomain: OrganizationalDomain was given something that is no domain name. Status PermError.
	ErrDomain Error = "not a domain name"
)

// Code returns the name of the constant, such as "ErrNotAligned", for logs and
// protocols; "" for a value that is no constant of this package.
func (e Error) Code() string {
	switch e {
	case ErrFromMissing:
		return "ErrFromMissing"
	case ErrFromRepeated:
		return "ErrFromRepeated"
	case ErrFromHidden:
		return "ErrFromHidden"
	case ErrFromSyntax:
		return "ErrFromSyntax"
	case ErrFromEmpty:
		return "ErrFromEmpty"
	case ErrFromDomain:
		return "ErrFromDomain"
	case ErrFromLimit:
		return "ErrFromLimit"
	case ErrFromDomains:
		return "ErrFromDomains"
	case ErrFromDefect:
		return "ErrFromDefect"
	case ErrNoAuthor:
		return "ErrNoAuthor"
	case ErrNotDMARC:
		return "ErrNotDMARC"
	case ErrDuplicateTag:
		return "ErrDuplicateTag"
	case ErrRecordLimit:
		return "ErrRecordLimit"
	case ErrPolicy:
		return "ErrPolicy"
	case ErrURI:
		return "ErrURI"
	case ErrNoRecord:
		return "ErrNoRecord"
	case ErrNotAuthenticated:
		return "ErrNotAuthenticated"
	case ErrNotAligned:
		return "ErrNotAligned"
	case ErrDNS:
		return "ErrDNS"
	case ErrIdentifier:
		return "ErrIdentifier"
	case ErrBudget:
		return "ErrBudget"
	case ErrDomain:
		return "ErrDomain"
	}
	return ""
}
