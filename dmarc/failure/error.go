package failure

// Error is a constant error of this package; errors returned by it wrap one.
type Error string

func (e Error) Error() string { return string(e) }

// The errors.
const (
	// ErrNoReport: the input is not a mail with a message/feedback-report part.
	ErrNoReport Error = "no feedback report found"
	// ErrSize: the mail is longer than Parser.MaxSize.
	ErrSize Error = "report too long"
	// ErrLimit: the mail has too many parts, or a header that is too long.
	ErrLimit Error = "report over a limit"
	// ErrStrict: Parser.Strict is set and there was something to warn of.
	ErrStrict Error = "report does not match the format"
	// ErrAddress: a mail cannot be written to or from an address that is none.
	ErrAddress Error = "unusable mail address"
	// ErrIncomplete: a report cannot be written without what RFC 9991, section 4 requires.
	ErrIncomplete Error = "report lacks a required field"
)

// Code returns the name of the constant, such as "ErrNoReport"; "" for another value.
func (e Error) Code() string {
	switch e {
	case ErrNoReport:
		return "ErrNoReport"
	case ErrSize:
		return "ErrSize"
	case ErrLimit:
		return "ErrLimit"
	case ErrStrict:
		return "ErrStrict"
	case ErrAddress:
		return "ErrAddress"
	case ErrIncomplete:
		return "ErrIncomplete"
	}
	return ""
}

// WarningKind is a way in which a report departs from the format.
type WarningKind string

// The kinds of warning.
const (
	WrongContainer  WarningKind = "container"      // not multipart/report with report-type=feedback-report and one report as a part of its own
	MissingField    WarningKind = "missing_field"  // a required field is absent
	RepeatedField   WarningKind = "repeated_field" // a field that may occur once occurs again; the first counts
	BadValue        WarningKind = "bad_value"      // a value that is not of the field's grammar
	MissingOriginal WarningKind = "no_original"    // the third part, with the message or its header, is missing
)

// Warning is one departure, at one field.
type Warning struct {
	Kind  WarningKind
	Field string // empty where it is about the whole
}

// String returns the kind with the field.
func (w Warning) String() string {
	if w.Field == "" {
		return string(w.Kind)
	}
	return string(w.Kind) + ": " + w.Field
}
