package message

// Error is a constant error of this package, for use with errors.Is.
type Error string

// Error returns the text of the error.
func (e Error) Error() string { return "message: " + string(e) }

// Why a message could not be read. Errors of a reader are passed on as they are.
const (
	// ErrHeaderSize: the header block is larger than Limits.HeaderSize, or the
	// message has no CRLF at all: a file with bare LF looks like one endless header.
	ErrHeaderSize Error = "header block larger than the limit"
	// ErrFieldCount: more fields than Limits.Fields.
	ErrFieldCount Error = "more header fields than the limit"
	// ErrFieldSize: a field is larger than Limits.FieldSize.
	ErrFieldSize Error = "header field larger than the limit"
	// ErrFolds: a field has more continuation lines than Limits.Folds.
	ErrFolds Error = "header field with more folds than the limit"
	// ErrFinished: Write after Finish.
	ErrFinished Error = "write after the end of the message"
)

// Code returns the name of the constant, "ErrFolds" for example, and "" for an
// Error that is none of them.
func (e Error) Code() string {
	switch e {
	case ErrHeaderSize:
		return "ErrHeaderSize"
	case ErrFieldCount:
		return "ErrFieldCount"
	case ErrFieldSize:
		return "ErrFieldSize"
	case ErrFolds:
		return "ErrFolds"
	case ErrFinished:
		return "ErrFinished"
	}
	return ""
}

// The defaults of Limits.
const (
	DefaultHeaderSize = 512 << 10 // real mail stays below 100 KiB
	DefaultFields     = 2000
	DefaultFieldSize  = 64 << 10 // a To field of some thousand addresses
	DefaultFolds      = 500
)

// How many signature fields, from the top, are asked which body digests they
// need. Both are far above what a verifier looks at; they only bound the work.
const (
	MaxDKIMSignatures = 64
	MaxARCSignatures  = 150 // three times what a chain can have (RFC 8617, section 4.2.1)
)

// Limits bounds what a header may hold. For every field zero (or less) means
// the default; there is no "unlimited".
type Limits struct {
	HeaderSize int // octets of the header block, without the empty line that ends it
	Fields     int // header fields
	FieldSize  int // octets of one field, with its line ends
	Folds      int // continuation lines of one field
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&l.HeaderSize, DefaultHeaderSize)
	set(&l.Fields, DefaultFields)
	set(&l.FieldSize, DefaultFieldSize)
	set(&l.Folds, DefaultFolds)
	// Places in the header are kept in 32 bits.
	l.HeaderSize = min(l.HeaderSize, 1<<30)
	return l
}
