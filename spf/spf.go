package spf

import (
	"context"
	"net/netip"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
)

// The results of a check (RFC 7208, section 2.6). They are words of [authres.Status].
const (
	// None: there was no domain name to check, or the domain has no SPF record.
	None = authres.None
	// Neutral: the domain makes no assertion; to be treated exactly as None.
	Neutral = authres.Neutral
	// Pass: the client may use the identity.
	Pass = authres.Pass
	// Fail: the client may not use the identity.
	Fail = authres.Fail
	// SoftFail: the client probably may not; not to be rejected for this alone.
	SoftFail = authres.SoftFail
	// TempError: the DNS did not answer in time; asking again may help.
	TempError = authres.TempError
	// PermError: the published records cannot be interpreted.
	PermError = authres.PermError
)

// Identity says which name of the session was checked. Its text is the word of
// Received-SPF (RFC 7208, section 9.1).
type Identity string

// The identities. The zero value is a domain that came from elsewhere ([Verifier.CheckHost]).
const (
	MailFrom Identity = "mailfrom" // the reverse-path (RFC 7208, section 2.4)
	HELO     Identity = "helo"     // the name given with HELO or EHLO (RFC 7208, section 2.3)
)

// Defaults of [Verifier].
const (
	DefaultMaxVoidLookups = 2
	DefaultTimeout        = 20 * time.Second
)

// Verifier checks identities. The zero value but for Resolver is ready and
// safe. It holds no state, may be copied, and is safe for concurrent use as long
// as nobody changes it.
type Verifier struct {
	// Resolver answers the questions. Nil makes every check that needs the DNS a
	// temperror with dnsutil.ErrNoResolver.
	Resolver dnsutil.Resolver
	// MaxVoidLookups is how many answers without a record a check may get.
	// Zero means [DefaultMaxVoidLookups]; negative means none at all.
	MaxVoidLookups int
	// FairVoids does not count an answer as void where the name exists and
	// merely lacks an address of the client's family; the other family is asked
	// only where the limit would be exceeded otherwise (decision 8). Receivers
	// on IPv6 should set it: many records name hosts that have IPv4 alone.
	FairVoids bool
	// Timeout bounds a check. Zero or less means [DefaultTimeout]; RFC 7208,
	// section 4.6.4 asks for no less than that.
	Timeout time.Duration
	// NoPrefetch asks the DNS one question after the other, as the terms of a
	// record are met. By default questions that may be needed are asked ahead
	// where the DNS is slow; the result is the same.
	NoPrefetch bool
	// NoExplanation leaves out the explanation of a fail and its query (RFC 7208, section 6.2).
	NoExplanation bool
	// Now is the clock of the %{t} macro. Nil means time.Now.
	Now func() time.Time
}

// Session is what the SMTP session told.
type Session struct {
	// IP is the client. An IPv4-mapped address counts as IPv4 (RFC 7208,
	// section 5). The invalid zero value makes the result none.
	IP netip.Addr
	// HELO is the argument of the last HELO or EHLO as received.
	HELO string
	// MailFrom is the reverse-path as received on the wire, without the angle
	// brackets; empty is the null reverse-path. It must be the one of this
	// session: a sender that an alias or a rewriting scheme has put in its place
	// is somebody else's.
	MailFrom string
	// Receiver is our own host name, for explanations and Received-SPF. Empty
	// means "unknown" (RFC 7208, section 7.3).
	Receiver string
}

// Match is a mechanism that matched and the domain whose record holds it.
type Match struct {
	Domain    string // A-labels, lower case
	Mechanism string // as written there; a stranger's text, printable ASCII
}

// Published is the SPF record of a domain as found.
type Published struct {
	Domain string // A-labels, lower case
	Text   string // a stranger's text, any octets
}

// Result is the outcome of one check. The zero value is no result at all; it is not a pass.
type Result struct {
	// Status is one of the seven results of RFC 7208, section 2.6.
	Status authres.Status
	// Identity says what was checked.
	Identity Identity
	// Domain is the domain whose authorization was asked for: A-labels, lower
	// case. Empty if the identity holds no usable one.
	Domain string
	// Match is the mechanism that decided, at the level of Domain's record or of
	// the record it redirects to; the zero Match if none did. For an include it is the include.
	Match Match
	// Innermost is the mechanism that matched inside the include, or inside the
	// include's include; the same as Match where that is no include.
	Innermost Match
	// Record is Domain's SPF record as found, "" if there is not exactly one.
	Record string
	// Others are the further records that the check read, of includes and
	// redirects, in order.
	Others []Published
	// Explanation is what the domain has to say about a fail, at most 512
	// octets of printable ASCII. It is the text of a third party and can hold
	// anything, so say whose it is where it is shown (RFC 7208, section 6.2).
	Explanation string
	// Lookups counts the terms that asked the DNS, at most 11, the last of
	// which is one too many (RFC 7208, section 4.6.4).
	Lookups int
	// VoidLookups counts the answers without a record.
	VoidLookups int
	// Queries counts the different DNS questions that the check needed;
	// questions asked ahead of need are not in it.
	Queries int
	// Breadth says how much of the Internet the records that were read let in.
	Breadth Breadth
	// LocalPart says that a record which was read depends on the sender's
	// local-part. Only then does the local-part belong into an
	// Authentication-Results field (RFC 8601, section 2.7.2).
	LocalPart bool
	// Err is nil for a pass; else a constant of this package is at its root.
	Err error

	session     Session
	local, host string // of <sender>
}

// MailFrom checks the reverse-path (RFC 7208, section 2.4). For the null
// reverse-path it checks postmaster at the HELO name, and is still called MailFrom.
func (v *Verifier) MailFrom(ctx context.Context, s Session) Result {
	if s.MailFrom == "" {
		return v.checkName(ctx, s, MailFrom, s.HELO)
	}
	local, host, e := splitSender(s.MailFrom)
	if e != "" {
		return unchecked(s, MailFrom, e)
	}
	return v.check(ctx, s, MailFrom, local, host, host)
}

// HELO checks the name given with HELO or EHLO, with postmaster as its
// local-part (RFC 7208, section 2.3).
func (v *Verifier) HELO(ctx context.Context, s Session) Result {
	return v.checkName(ctx, s, HELO, s.HELO)
}

// CheckHost is the function check_host() of RFC 7208, section 4.1, with the
// client's address, the HELO name and the receiver from s: does name authorize
// the client for sender? Most callers want [Verifier.MailFrom] and [Verifier.HELO];
// this one is for tools. s.MailFrom is not looked at.
func (v *Verifier) CheckHost(ctx context.Context, s Session, name, sender string) Result {
	s.MailFrom = sender
	local, host, e := splitSender(sender)
	if e == ErrDomain {
		local, host, e = postmaster, name, ""
	}
	if e != "" {
		return unchecked(s, "", e)
	}
	return v.check(ctx, s, "", local, host, name)
}

// AuthenticationResult returns the property that an Authentication-Results
// field shows beside the result (RFC 8601, section 2.7.2): "smtp", "mailfrom" or
// "helo", and the domain; the whole address only where the records asked for the
// local-part and it is plain. The value is empty where there is no usable domain.
func (r Result) AuthenticationResult() (ptype, property, value string) {
	property = string(MailFrom)
	if r.Identity == HELO {
		return "smtp", string(HELO), r.Domain
	}
	if r.LocalPart && r.session.MailFrom != "" && isPlainLocal(r.local) {
		return "smtp", property, r.local + "@" + r.host
	}
	return "smtp", property, r.Domain
}

// SMTPReply returns the reply code, the enhanced status code and a text for a
// receiver that turns the message away for this result alone: 550 5.7.23 for
// fail, 451 4.7.24 for temperror, 550 5.7.24 for permerror (RFC 7372, section 3.2).
// For every other result code is 0: it is no reason (RFC 7208, section 8). The
// text does not contain the explanation.
func (r Result) SMTPReply() (code int, enhanced, text string) {
	switch r.Status {
	case Fail:
		return 550, "5.7.23", "SPF validation failed"
	case TempError:
		return 451, "4.7.24", "SPF validation error"
	case PermError:
		return 550, "5.7.24", "SPF validation error"
	}
	return 0, "", ""
}

func (v *Verifier) maxVoids() int {
	switch {
	case v.MaxVoidLookups == 0:
		return DefaultMaxVoidLookups
	case v.MaxVoidLookups < 0:
		return 0
	}
	return v.MaxVoidLookups
}

func (v *Verifier) timeout() time.Duration {
	if v.Timeout <= 0 {
		return DefaultTimeout
	}
	return v.Timeout
}

func (v *Verifier) now() time.Time {
	if v.Now == nil {
		return time.Now()
	}
	return v.Now()
}
