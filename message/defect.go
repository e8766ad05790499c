package message

// Defect is a structural defect of a message: something that two readers may
// well understand in two ways. The message is read all the same, by the letter
// of RFC 5322 and without repairing anything; what to do about a defect is the
// caller's. The values are the words of the command's JSON.
type Defect string

// The defects. Where a Finding makes the author unusable is said by
// Header.AmbiguousAuthor.
const (
	// BareLF: an LF without CR before it, which RFC 5321, section 2.3.8 forbids.
	// Some readers end a line there, and so see a header field, or a message,
	// that others do not. In the header (Field >= 0) the author is ambiguous;
	// in the body (Field -1) it is not.
	BareLF Defect = "bare_lf"
	// BareCR: a CR without LF after it. As BareLF.
	BareCR Defect = "bare_cr"
	// NUL: a NUL octet in the header. Readers written in C may end there.
	NUL Defect = "nul"
	// ControlCharacter: a control character in the header that is not HTAB, CR,
	// LF or NUL, or one of the Unicode line ends U+0085, U+2028, U+2029. Some
	// readers take some of them for line ends; the author is ambiguous where a
	// From field would begin there.
	ControlCharacter Defect = "control_character"
	// BadFieldName: what stands before the colon is not a field name: it is
	// empty or has an octet that is not printable ASCII
	// (RFC 5322, section 2.2), as blanks, NUL, a byte order mark, a no-break space or a letter
	// that only looks like one of ours. The author is ambiguous where a reader
	// that drops or maps such octets would read "From".
	BadFieldName Defect = "bad_field_name"
	// NoColon: a field without a colon. Some readers end the header there, some
	// skip the line, some append it to the field before; the author is
	// ambiguous if that is From.
	NoColon Defect = "no_colon"
	// SpaceBeforeColon: "From : x", the obsolete syntax of
	// RFC 5322, section 4.5. It is the field called From, here and in the relaxed
	// canonicalization; some readers do not know it.
	SpaceBeforeColon Defect = "space_before_colon"
	// FoldedFieldName: the colon is not on the first line of the field. What
	// stands before it, without white space at its end, is its name. The author
	// is ambiguous if that could be From.
	FoldedFieldName Defect = "folded_field_name"
	// LeadingSpace: the message begins with white space, a continuation line of
	// nothing. Whatever is put on top of the message would swallow it: no field
	// may be prepended. The author is ambiguous.
	LeadingSpace Defect = "leading_space"
	// BlankFold: a continuation line of nothing but white space (RFC 5322, section 3.2.2
	// forbids it). Some readers end the header there.
	BlankFold Defect = "blank_fold"
	// NoBlankLine: the message ended within the header. Its body is empty.
	NoBlankLine Defect = "no_blank_line"
	// DuplicateField: a field that may occur once occurs again (RFC 5322, section 3.6;
	// RFC 2045, section 3; RFC 2183, section 2). One finding a name, at the
	// second such field from the top; From has its own.
	DuplicateField Defect = "duplicate_field"
	// DuplicateFrom: there is more than one From field. Readers show the
	// first, the last or all: the author is ambiguous.
	DuplicateFrom Defect = "duplicate_from"
	// MissingFrom: there is no From field, hence no author. (Sender or
	// Resent-From are not a substitute.)
	MissingFrom Defect = "missing_from"
)

// Finding is a defect with the place where it was found.
type Finding struct {
	Defect Defect
	Field  int // index of the header field; -1 if it concerns the body or the whole
}
