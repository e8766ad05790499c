package mailauth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// Action is what the receiver does with a message. The zero value means "the
// default" in a configuration; a Result never holds it.
type Action string

// The actions, mildest first.
const (
	// Accept delivers the message as if DMARC did not exist.
	Accept Action = "accept"
	// Quarantine delivers it where suspicious mail goes.
	Quarantine Action = "quarantine"
	// Defer answers 4xx: the sender will try again, and the DNS may answer then.
	Defer Action = "defer"
	// Reject answers 5xx at the end of DATA.
	Reject Action = "reject"
)

// Actions maps the outcomes of DMARC to actions. A field left empty means the
// default named beside it. A pass is always accepted: what else a receiver
// holds against a message is not this library's business.
type Actions struct {
	// NoRecord: the author domain publishes no DMARC record. Default Accept.
	NoRecord Action
	// None: the message failed and the policy that applies is none. Default
	// Accept; RFC 9989, section 5.4 forbids changing the handling of such mail.
	None Action
	// Quarantine: failed, and the policy that applies is quarantine. Default Quarantine.
	Quarantine Action
	// Reject: failed, and the policy that applies is reject. Default Quarantine:
	// RFC 9989, section 7.4 has a receiver without other knowledge treat such
	// mail so. See Handling.HonorReject.
	Reject Action
	// TempError: the DNS did not give what the verdict needs. Default Defer.
	TempError Action
	// PermError: the verdict cannot be reached and asking again will not help,
	// for instance because a limit was exceeded. Default Quarantine: it must not
	// look like a domain without a policy.
	PermError Action
	// AmbiguousAuthor: no or more than one author domain, or a header in which a
	// lenient reader could see another From field than we do (decision 6). Default Reject.
	AmbiguousAuthor Action
}

// Handling decides what to do with a message. The zero value follows RFC 9989.
// It is plain configuration, safe for concurrent use while nobody changes it.
type Handling struct {
	// Actions are for every author domain that no exception names.
	Actions
	// HonorReject makes Reject the default for mail that fails under p=reject.
	// The receiver then says that it has the "other knowledge and analysis" of
	// RFC 9989, section 7.4, or that it accepts to lose mailing-list mail.
	HonorReject bool
	// Exceptions are actions for single author domains. The one that names the
	// domain itself wins, then the wildcard with the most labels; the order does
	// not matter. A message whose author is ambiguous matches none; of several Author
	// Domains (dmarc.AuthorOptions) each has its own, and the strictest action is taken.
	Exceptions []Exception
}

// Exception holds the actions for one author domain or a tree of them. What it
// leaves empty is as in the Handling that it belongs to.
type Exception struct {
	// Domain is "example.com" for that domain alone or "*.example.com" for
	// everything below it and not for itself; U-labels are converted.
	Domain string
	Actions
}

// Error is a constant error of this package.
type Error string

func (e Error) Error() string { return string(e) }

// Code returns the name of the constant, for logs and programs.
func (e Error) Code() string {
	switch e {
	case ErrPattern:
		return "ErrPattern"
	case ErrAction:
		return "ErrAction"
	case ErrFinished:
		return "ErrFinished"
	}
	return "Error"
}

const (
	// ErrPattern: a domain pattern is neither a domain name nor "*." and a domain name.
	ErrPattern Error = "not a domain name or *.domain pattern"
	// ErrAction: an Action is not one of the four constants or empty.
	ErrAction Error = "unknown action"
	// ErrFinished: an Evaluation was used after Finish or Abort.
	ErrFinished Error = "evaluation has ended"
)

// Validate reports the first pattern or action that Handling would have to
// ignore, wrapped around ErrPattern or ErrAction. Call it when a configuration
// is loaded: an exception with a typing error protects nobody.
func (h *Handling) Validate() error {
	if err := h.Actions.validate(); err != nil {
		return err
	}
	for _, x := range h.Exceptions {
		if _, err := ParsePattern(x.Domain); err != nil {
			return fmt.Errorf("exception %q: %w", x.Domain, err)
		}
		if err := x.Actions.validate(); err != nil {
			return fmt.Errorf("exception %q: %w", x.Domain, err)
		}
	}
	return nil
}

func (a *Actions) validate() error {
	for _, x := range []Action{a.NoRecord, a.None, a.Quarantine, a.Reject, a.TempError, a.PermError, a.AmbiguousAuthor} {
		if x != "" && !x.known() {
			return fmt.Errorf("%w: %q", ErrAction, string(x))
		}
	}
	return nil
}

func (a Action) known() bool {
	return a == Accept || a == Quarantine || a == Defer || a == Reject
}

// Pattern names one domain or a tree of them, as exceptions and trusted sealers do.
// The zero value matches nothing.
type Pattern struct {
	name domain.Name
	wild bool
}

// ParsePattern reads "example.com", that domain alone, or "*.example.com", everything
// below it and not itself; U-labels are converted. The error wraps ErrPattern.
func ParsePattern(s string) (Pattern, error) {
	rest, wild := strings.CutPrefix(s, "*.")
	n, err := domain.Parse(rest)
	if err != nil {
		return Pattern{}, fmt.Errorf("%w: %w", ErrPattern, err)
	}
	return Pattern{n, wild}, nil
}

// Matches reports whether the pattern names a domain; what is no domain name is not.
func (p Pattern) Matches(name string) bool {
	n, err := domain.Parse(name)
	return err == nil && p.matches(n)
}

func (p Pattern) matches(n domain.Name) bool {
	if p == (Pattern{}) {
		return false
	}
	return !p.wild && n == p.name || p.wild && n.IsBelow(p.name)
}

// String returns the pattern, in lower-case A-labels.
func (p Pattern) String() string {
	if p.wild {
		return "*." + p.name.String()
	}
	return p.name.String()
}

// decideAll is decide for a message that may have several Author Domains
// (dmarc.AuthorOptions): of their actions the strictest. An exception for one of them
// must not let through what somebody writes in the name of another.
func (h *Handling) decideAll(r *dmarc.Result) (Action, string) {
	action, exception := h.decide(r)
	for i := range r.Each {
		if a, x := h.decide(&r.Each[i]); a.rank() > action.rank() {
			action, exception = a, x
		}
	}
	return action, exception
}

// rank orders the actions, mildest first.
func (a Action) rank() int {
	return slices.Index([]Action{Accept, Quarantine, Defer, Reject}, a)
}

// decide returns the action for a DMARC result, and the pattern of the
// exception that gave it, "" if none did.
func (h *Handling) decide(r *dmarc.Result) (Action, string) {
	x := h.exception(r.Domain)
	pick := func(of func(*Actions) Action, def Action) (Action, string) {
		if x != nil {
			if a := of(&x.Actions); a.known() {
				return a, x.Domain
			}
		}
		if a := of(&h.Actions); a.known() {
			return a, ""
		}
		return def, ""
	}
	switch r.Status {
	case authres.Pass:
		return Accept, ""
	case authres.None:
		return pick(func(a *Actions) Action { return a.NoRecord }, Accept)
	case authres.TempError:
		return pick(func(a *Actions) Action { return a.TempError }, Defer)
	case authres.Fail:
		switch r.Policy {
		case dmarc.PolicyReject:
			def := Quarantine
			if h.HonorReject {
				def = Reject
			}
			return pick(func(a *Actions) Action { return a.Reject }, def)
		case dmarc.PolicyQuarantine:
			return pick(func(a *Actions) Action { return a.Quarantine }, Quarantine)
		case dmarc.PolicyNone:
			return pick(func(a *Actions) Action { return a.None }, Accept)
		}
	}
	if r.AmbiguousAuthor() {
		return pick(func(a *Actions) Action { return a.AmbiguousAuthor }, Reject)
	}
	// Also where a status comes back that this switch does not know: what
	// cannot be evaluated must not look like a domain without a policy.
	return pick(func(a *Actions) Action { return a.PermError }, Quarantine)
}

func (h *Handling) exception(author string) *Exception {
	a, err := domain.Parse(author)
	if err != nil {
		return nil
	}
	var best *Exception
	labels := 0
	for i := range h.Exceptions {
		x := &h.Exceptions[i]
		p, err := ParsePattern(x.Domain)
		switch {
		case err != nil || !p.matches(a):
		case !p.wild:
			return x
		case p.name.Labels() > labels:
			best, labels = x, p.name.Labels()
		}
	}
	return best
}

// SMTPReply is an answer to the end of DATA (RFC 5321, section 4.2), with an
// enhanced status code (RFC 3463).
type SMTPReply struct {
	Code     int    // 250, 451 or 550
	Enhanced string // such as "5.7.26"
	Text     string // one line of printable ASCII
}

// String returns the reply line without its CRLF.
func (r SMTPReply) String() string {
	return fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, r.Text)
}
