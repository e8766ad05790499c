package aggregate

// Error is a constant error of this package; errors returned by it wrap one.
type Error string

func (e Error) Error() string { return string(e) }

// What makes a report unreadable.
const (
	// ErrNoReport: there is no aggregate report in the input: no XML, or the root of it is not "feedback".
	ErrNoReport Error = "no aggregate report found"
	// ErrArchive: the gzip or zip file is damaged, encrypted, or does not hold exactly one XML file.
	ErrArchive Error = "unusable archive"
	// ErrInput: the input is longer than Limits.Input.
	ErrInput Error = "report file too long"
	// ErrOutput: the XML is longer than Limits.Output, or expands by more than Limits.Ratio.
	ErrOutput Error = "report expands beyond its limit"
	// ErrXML: the document is not well-formed, or declares a DTD, an entity or an unknown encoding.
	ErrXML Error = "malformed XML"
	// ErrLimit: the document goes beyond a limit of depth, text or number.
	ErrLimit Error = "report over a limit"
	// ErrDuplicate: an element that may occur once occurs twice: readers would differ on which one counts.
	ErrDuplicate Error = "element occurs twice"
	// ErrSourceIP: source_ip is missing or not an IP address; a prefix or a zone is none.
	ErrSourceIP Error = "unusable source_ip"
	// ErrCount: count is missing, not a number, negative or beyond what can be counted.
	ErrCount Error = "unusable count"
	// ErrStrict: Parser.Strict is set and there was something to warn of.
	ErrStrict Error = "report does not match the format"
)

// What keeps a report from being written or sent.
const (
	// ErrIncomplete: the report lacks something that the format requires, or has something that it has no place for.
	ErrIncomplete Error = "report cannot be written in the format"
	// ErrAddress: a mail cannot be written to or from an address that is none.
	ErrAddress Error = "unusable mail address"
)

// Code returns the name of the constant, such as "ErrXML"; "" for another value.
func (e Error) Code() string {
	switch e {
	case ErrNoReport:
		return "ErrNoReport"
	case ErrArchive:
		return "ErrArchive"
	case ErrInput:
		return "ErrInput"
	case ErrOutput:
		return "ErrOutput"
	case ErrXML:
		return "ErrXML"
	case ErrLimit:
		return "ErrLimit"
	case ErrDuplicate:
		return "ErrDuplicate"
	case ErrSourceIP:
		return "ErrSourceIP"
	case ErrCount:
		return "ErrCount"
	case ErrStrict:
		return "ErrStrict"
	case ErrIncomplete:
		return "ErrIncomplete"
	case ErrAddress:
		return "ErrAddress"
	case ErrScheme:
		return "ErrScheme"
	case ErrUnauthorized:
		return "ErrUnauthorized"
	case ErrOverride:
		return "ErrOverride"
	case ErrOwn:
		return "ErrOwn"
	case ErrDestinations:
		return "ErrDestinations"
	case ErrDNS:
		return "ErrDNS"
	}
	return ""
}

// WarningKind is a way in which a report departs from the format it claims.
type WarningKind string

// The kinds of warning.
const (
	UnknownNamespace WarningKind = "namespace"        // the root is in no namespace of DMARC, or in none
	BadVersion       WarningKind = "version"          // version is missing where it is required, or not 1.0
	MissingElement   WarningKind = "missing_element"  // a required element is absent
	UnknownElement   WarningKind = "unknown_element"  // an element that the format does not have, ignored
	RemovedElement   WarningKind = "removed_element"  // an element or value that the report's format does not have, but the other one has
	MisplacedElement WarningKind = "misplaced"        // elements are not in the order prescribed
	TooMany          WarningKind = "too_many"         // more elements of a kind than the format allows; all are returned
	EmptyElement     WarningKind = "empty_element"    // an element without the text it must have
	UnknownValue     WarningKind = "unknown_value"    // a word that is not of the format; returned as it is
	WrongCase        WarningKind = "wrong_case"       // a word of the format with capitals; returned in lower case
	BadTime          WarningKind = "bad_time"         // not seconds since the epoch, or end before begin
	BadNumber        WarningKind = "bad_number"       // a number with blanks, signs or a fraction; or a count of zero
	MappedIP         WarningKind = "mapped_ip"        // an IPv4 address written as IPv6; returned as IPv4
	NoRecords        WarningKind = "no_records"       // there is not a single record
	UnexpectedText   WarningKind = "unexpected_text"  // text between elements, ignored
	JunkAround       WarningKind = "junk_around"      // octets before or behind the compressed data, ignored
	WrongMediaType   WarningKind = "wrong_media_type" // the mail calls the report something else; found by content
	MoreReports      WarningKind = "more_reports"     // the mail carries further reports, which were not read
)

// Warning is one kind of departure at one element.
type Warning struct {
	Kind    WarningKind
	Element string // name of the element; empty where it is about the whole. A stranger's text.
	Record  int    // number of the record where it was first seen, from 1; 0 outside of records
	Count   int    // how often it was seen
}

// String returns the kind with the element.
func (w Warning) String() string {
	if w.Element == "" {
		return string(w.Kind)
	}
	return string(w.Kind) + ": " + w.Element
}
