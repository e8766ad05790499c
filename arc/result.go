package arc

import (
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/message"
)

// The statuses of a Result: the Chain Validation Status of RFC 8617, section 4.4.
const (
	// None: the message has no ARC fields.
	None = authres.None
	// Pass: the chain is intact. That says nothing about whether its sealers are to be believed.
	Pass = authres.Pass
	// Fail: it is not, or could not be validated; the message is to be treated as
	// one without chain (RFC 8617, section 5.2). All failures are permanent
	// (RFC 8617, section 5.2.1); but see [Result.Temporary].
	Fail = authres.Fail
)

// Result is the outcome of the validation of a chain. Only Status says whether it
// is intact. It must not be modified. The zero value is not a pass.
type Result struct {
	// Status is the Chain Validation Status; see the constants.
	Status authres.Status
	// Err says why Status is Fail; its root is an [Error]. Nil if it is Pass or None.
	Err error
	// Instance is the highest instance found, the number of sets of a chain that
	// passes; zero if there is none.
	Instance int
	// FailedInstance is the instance of the set that Err is about; zero if it is
	// about none in particular.
	FailedInstance int
	// OldestPass is the instance of the oldest ARC-Message-Signature that still
	// verifies, all newer ones verifying, too; zero if all verify (RFC 8617, section
	// 5.2, step 5). With [Verifier.NoOldestPass] it is Instance. Only set where Status is Pass.
	OldestPass int
	// Sets are the sets of the chain, newest first, as far as they could be read;
	// nil if there is none or if it is over a limit. Where Status is not Pass, who they
	// name has nothing to do with the message.
	Sets []Set

	validated bool
	pending   []testimony // oldest first; only of a chain that failed for lack of an answer
	header    *message.Header
	chain     *chain
}

// Set is one ARC set. The zero value is none.
type Set struct {
	// Instance is i=: 1 for the oldest.
	Instance int
	// Seal is the ARC-Seal: its domain is the sealer.
	Seal Signature
	// Message is the ARC-Message-Signature.
	Message Signature
	// ChainValidation is cv=: what the sealer found when the message arrived; ""
	// if it could not be read.
	ChainValidation authres.Status
	// MessageErr is nil if the ARC-Message-Signature still verifies. ErrNotExamined
	// means that nobody looked: an older one had failed before, or the chain has not passed.
	MessageErr error

	testimony testimony
}

// Signature is what an ARC-Seal and an ARC-Message-Signature say of themselves.
type Signature struct {
	Domain    string    // d=: lower-case A-labels, "" if unusable
	Selector  string    // s=: lower-case A-labels, "" if unusable
	Algorithm string    // a= as written
	Time      time.Time // t=; zero if absent
	KeyBits   int       // length of the key; zero if it was not fetched
}

// Results returns the authentication results that the sealer recorded
// (RFC 8617, section 4.1.1), read leniently, as [authres.ParseLenient] reads. ok is
// false unless the chain passed, and if they could not be read. Whether they are to be
// believed is another question: see [Result.Vouch].
func (s *Set) Results() (results authres.Header, ok bool) {
	return s.testimony.read()
}

// Sealers lists the domains of the seals of a chain that passed, newest first;
// nil for any other.
func (r *Result) Sealers() []string {
	if r.Status != Pass {
		return nil
	}
	out := make([]string, len(r.Sets))
	for i := range r.Sets {
		out[i] = r.Sets[i].Seal.Domain
	}
	return out
}

// Temporary reports whether the chain failed because the DNS gave no answer, so
// that it might pass later (decision 16). RFC 8617, section 5.2.1 makes that a
// fail all the same.
func (r *Result) Temporary() bool {
	return r.Status == Fail && (errors.Is(r.Err, ErrKeyUnavailable) || errors.Is(r.Err, ErrNoResolver))
}

// Code returns the name of the constant at the root of Err, such as
// "ErrBodyHash"; "" if there is none.
func (r *Result) Code() string {
	var e Error
	if errors.As(r.Err, &e) {
		return e.Code()
	}
	return ""
}

// set returns the Set of an instance.
func (r *Result) set(instance int) *Set { return &r.Sets[len(r.Sets)-instance] }

// fill takes over what the fields say.
func (r *Result) fill(h *message.Header, c *chain) {
	r.header, r.chain, r.Instance = h, c, c.highest
	r.Sets = make([]Set, len(c.sets))
	for k := range c.sets {
		s := &c.sets[k]
		*r.set(k + 1) = Set{
			Instance: k + 1, Seal: describe(&s.as.key), Message: describe(&s.ams.key),
			ChainValidation: s.cv, MessageErr: ErrNotExamined,
		}
	}
	if len(r.Sets) == 0 {
		r.Sets = nil
	}
}

func describe(k *sig.Key) Signature {
	s := Signature{Domain: k.Domain.String(), Selector: k.Selector.String(), Algorithm: k.AlgorithmText}
	if k.Time > 0 {
		s.Time = time.Unix(k.Time, 0).UTC()
	}
	return s
}

type resultJSON struct {
	Result     authres.Status `json:"result"`
	Instance   int            `json:"instance,omitempty"`
	OldestPass *int           `json:"oldest_pass,omitempty"`
	Sealers    []string       `json:"sealers,omitempty"`
	Code       string         `json:"code,omitempty"`
	Error      string         `json:"error"`
}

// MarshalJSON writes the result as the object that the command mailauth prints
// for a chain: result, instance, oldest_pass, sealers, code and error. What does
// not apply is absent. "trusted" is added by package mailauth, which knows the receiver's trust list.
func (r Result) MarshalJSON() ([]byte, error) {
	j := resultJSON{Result: r.Status, Instance: r.Instance, Sealers: r.Sealers(), Code: r.Code()}
	if r.Status == Pass {
		j.OldestPass = &r.OldestPass
	}
	if r.Err != nil {
		j.Error = r.Err.Error()
	}
	return json.Marshal(j)
}

// LogValue implements [slog.LogValuer].
func (r Result) LogValue() slog.Value {
	a := []slog.Attr{slog.String("result", r.Status.String()), slog.Int("instance", r.Instance)}
	if s := r.Sealers(); s != nil {
		a = append(a, slog.Any("sealers", s), slog.Int("oldest_pass", r.OldestPass))
	}
	if r.Err != nil {
		a = append(a, slog.String("code", r.Code()), slog.String("error", r.Err.Error()))
	}
	return slog.GroupValue(a...)
}
