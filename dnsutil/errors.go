package dnsutil

// Error is a constant error of this package, for errors.Is.
type Error string

func (e Error) Error() string { return string(e) }

// The errors of a look-up. Resolvers of this module return errors that wrap one
// of the constants; other Resolvers may return what they like, since to a
// verifier every error but ErrBudget and ErrName means the same: temporary.
const (
	// ErrNoResolver: a verifier was asked to look something up and its Resolver field is nil.
	ErrNoResolver Error = "no resolver configured"
	// ErrName: the name cannot be asked for; it was not sent.
	ErrName Error = "not a legal DNS name"
	// ErrType: the Resolver does not know records of this type; nothing was sent.
	ErrType Error = "DNS record type not supported"
	// ErrBudget: the message's or the check's number of queries or octets of answers is used up.
	ErrBudget Error = "DNS budget exceeded"
	// ErrPanic: the Resolver panicked; the panic was turned into this error.
	ErrPanic Error = "resolver panicked"
	// ErrAnswer: the answer contradicts itself or the question, such as data for a
	// name that does not exist, or a message that cannot be read.
	ErrAnswer Error = "malformed DNS answer"
	// ErrChain: more CNAMEs than are followed, or a loop of them.
	ErrChain Error = "CNAME chain too long"
	// ErrTimeout: no answer in time.
	ErrTimeout Error = "DNS query timed out"
	// ErrTruncated: the answer did not fit a datagram and could not be had over TCP.
	ErrTruncated Error = "DNS answer truncated"
	// ErrFormErr: the server did not understand the query (RFC 1035, section 4.1.1, RCODE 1).
	ErrFormErr Error = "DNS server answered FORMERR"
	// ErrServFail: the server failed, or validation did (RCODE 2).
	ErrServFail Error = "DNS server answered SERVFAIL"
	// ErrNotImp: the server does not support the query (RCODE 4).
	ErrNotImp Error = "DNS server answered NOTIMP"
	// ErrRefused: the server refuses to answer us (RCODE 5).
	ErrRefused Error = "DNS server answered REFUSED"
	// ErrRcode: any other response code.
	ErrRcode Error = "DNS server answered with an unexpected response code"
	// ErrLame: the server neither knows the answer nor asks others for it.
	ErrLame Error = "DNS server is lame for the name"
	// ErrNetwork: the server could not be reached.
	ErrNetwork Error = "DNS server unreachable"
	// ErrLookup: the look-up failed for a reason that the Resolver does not know.
	ErrLookup Error = "DNS look-up failed"
	// ErrNotRecorded: a Replay was asked what its Recording does not hold.
	ErrNotRecorded Error = "question not in the DNS recording"
)

// errorNames are the constants by name.
var errorNames = [...]struct {
	err  Error
	name string
}{
	{ErrNoResolver, "ErrNoResolver"},
	{ErrName, "ErrName"},
	{ErrType, "ErrType"},
	{ErrBudget, "ErrBudget"},
	{ErrPanic, "ErrPanic"},
	{ErrAnswer, "ErrAnswer"},
	{ErrChain, "ErrChain"},
	{ErrTimeout, "ErrTimeout"},
	{ErrTruncated, "ErrTruncated"},
	{ErrFormErr, "ErrFormErr"},
	{ErrServFail, "ErrServFail"},
	{ErrNotImp, "ErrNotImp"},
	{ErrRefused, "ErrRefused"},
	{ErrRcode, "ErrRcode"},
	{ErrLame, "ErrLame"},
	{ErrNetwork, "ErrNetwork"},
	{ErrLookup, "ErrLookup"},
	{ErrNotRecorded, "ErrNotRecorded"},
}

// Code returns the name of the constant, such as "ErrServFail"; "" for a value that is none.
func (e Error) Code() string {
	for _, n := range errorNames {
		if n.err == e {
			return n.name
		}
	}
	return ""
}
