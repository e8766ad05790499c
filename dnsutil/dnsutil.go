// Package dnsutil is the seam between the verifiers and the DNS: the one-method
// interface [Resolver] they ask through, the four-valued [Answer] they get, and
// decorators for it: [Cache], [Recorder] and [Recording.Replay]. The package
// itself opens no socket; dnsutil/dnsclient does, and [FromNet] adapts the standard
// library's resolver. dnsutil/dnstest has a fake DNS, and a conformance test for
// Resolvers of your own.
//
// # Limits
//
// A Cache holds 16 MiB and 100,000 answers, each of at most a sixteenth of the
// octets, for a minute to a day, and errors for 5 s, 30 s at most. All but
// the minute and the day can be set. The verifiers limit what they ask for one message:
// 100 questions, 16 at once, 30 s and 256 KiB of answers.
package dnsutil

import (
	"context"
	"net/netip"
	"strconv"
	"time"
)

// A Resolver asks the DNS one question. It must be safe for concurrent use.
type Resolver interface {
	// Lookup asks for the records of type t at name: absolute, ASCII, legal,
	// ending in a dot. No such record is not an error: the Answer is then empty.
	// An error says that the DNS could not be asked or did not answer, whatever
	// the cause; every verifier takes it as temporary.
	Lookup(ctx context.Context, name string, t Type) (Answer, error)
}

// ResolverFunc lets a function serve as a [Resolver].
type ResolverFunc func(ctx context.Context, name string, t Type) (Answer, error)

// Lookup calls f.
func (f ResolverFunc) Lookup(ctx context.Context, name string, t Type) (Answer, error) {
	return f(ctx, name, t)
}

// A Peeker is a [Resolver] that may know an answer without asking anybody, such
// as a [Cache]. Verifiers use it where they can, because a question that needs
// no waiting needs no goroutine either. A decorator need not be one.
type Peeker interface {
	Resolver
	// Peek answers at once if Lookup would, without waiting for anything. ok is
	// false if it would not; a and err are then meaningless.
	Peek(name string, t Type) (a Answer, ok bool, err error)
}

// Type is the type of a DNS resource record, with its number on the wire.
// The zero value is no type; no verifier asks for it.
type Type uint16

// The record types that the verifiers ask for (RFC 1035, section 3.2.2; RFC 3596),
// and CAA (RFC 8659), which only checks for publishers do.
const (
	TypeA     Type = 1
	TypeCNAME Type = 5
	TypePTR   Type = 12
	TypeMX    Type = 15
	TypeTXT   Type = 16
	TypeAAAA  Type = 28
	TypeCAA   Type = 257
)

// String returns the type's mnemonic, or TYPE followed by its number (RFC 3597).
func (t Type) String() string {
	switch t {
	case TypeA:
		return "A"
	case TypeCNAME:
		return "CNAME"
	case TypePTR:
		return "PTR"
	case TypeMX:
		return "MX"
	case TypeTXT:
		return "TXT"
	case TypeAAAA:
		return "AAAA"
	case TypeCAA:
		return "CAA"
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// MX is one mail exchanger (RFC 1035, section 3.3.9).
type MX struct {
	Preference uint16
	Host       string // absolute, ending in a dot; "." in a Null MX (RFC 7505)
}

// CAA is one property of a Certification Authority Authorization record (RFC 8659,
// section 4.1): octets as they are, of any value. A record whose data end early
// has an empty Tag; it is a record all the same.
type CAA struct {
	Flags uint8  // 128 is "issuer critical"
	Tag   string // the property, as published; compared without regard to case
	Value string
}

// Answer is what the DNS said to one question. Only the field for the type
// asked for is filled; all of them empty means that there is no such record.
// The zero value is NODATA: the name exists and has no record of that type.
// An Answer is shared between callers and caches and must not be modified.
//
// Domain names are in the presentation form of RFC 1035, section 5.1: an octet
// that has a meaning there is preceded by a backslash or written \DDD. A name
// that holds a backslash is therefore no host name, and no legal question.
// TXT holds the octets as they are, of any value.
type Answer struct {
	TXT       []string      // one string a record, its character-strings joined without separator
	Addrs     []netip.Addr  // for A and AAAA
	MX        []MX          // in the order of the answer
	Names     []string      // for PTR and CNAME: absolute, ending in a dot
	CAA       []CAA         // in the order of the answer
	NXDomain  bool          // the name does not exist (as opposed to: has no such record)
	Authentic bool          // DNSSEC-validated by the resolver (AD)
	TTL       time.Duration // least TTL of the answer's records; zero if unknown
	Chain     []string      // CNAME targets followed, in order; absolute
}

// Empty reports whether the answer holds no record.
func (a Answer) Empty() bool {
	return len(a.TXT) == 0 && len(a.Addrs) == 0 && len(a.MX) == 0 && len(a.Names) == 0 && len(a.CAA) == 0
}
