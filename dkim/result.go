package dkim

import (
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/sig"
)

// The statuses of a Result (RFC 8601, section 2.7.1).
const (
	// Pass: the signature is good and nothing speaks against its use.
	Pass = authres.Pass
	// Fail: the body or the signed header fields are not what was signed, or the
	// signature is not the published key's.
	Fail = authres.Fail
	// Policy: the signature is refused by the receiver's rules; see the errors
	// that have this status.
	Policy = authres.Policy
	// Neutral: the signature is bad, and the key's owner is only testing (decision 20).
	Neutral = authres.Neutral
	// TempError: the key could not be looked up now; later it may be.
	TempError = authres.TempError
	// PermError: the signature cannot be verified, now or later.
	PermError = authres.PermError
	// None: with Verifier.IgnoreTesting, a signature under a key in testing mode,
	// which counts as no signature (RFC 6376, section 3.6.1).
	None = authres.None
)

// Result is the outcome for one DKIM-Signature field. Only Status says whether
// it is good; everything else is explanation. The zero value is not a pass.
type Result struct {
	// Status is the outcome; see the constants.
	Status authres.Status
	// Err says why Status is not pass; its root is an [Error]. Nil exactly on pass.
	Err error
	// Field is the index of the DKIM-Signature field in the message's header.
	Field int
	// Total is how many DKIM-Signature fields the message has. More than there
	// are results means that the others are not listed.
	Total int
	// Signature holds the tags as far as they could be read.
	Signature Signature
	// B identifies the signature among those of the message: the first characters
	// of b=, at least eight and so many that no other signature begins alike (RFC
	// 6008, section 4). Copies of one signature have the same. "" if b= could not be read.
	B string
	// Record is the key record as far as it was found and read.
	Record Record
	// KeyBits is the length of the key: of the RSA modulus, 256 for Ed25519, zero if unknown.
	KeyBits int
	// Weak: an RSA key of fewer than 2048 bits (RFC 8301, section 3.2), good or not.
	Weak bool
	// Testing: the key has the flag t=y (decision 20).
	Testing bool
	// Chain lists the CNAME targets over which the key was found, in order.
	// Delegating the key to somebody else is the domain owner's right.
	Chain []string
	// Authenticated: the resolver validated the key record with DNSSEC.
	Authenticated bool
	// Coverage says what the signature leaves open. Computed for every result, also for bad ones.
	Coverage Coverage
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

type resultJSON struct {
	Result     authres.Status `json:"result"`
	Domain     string         `json:"domain,omitempty"`
	Selector   string         `json:"selector,omitempty"`
	Identity   string         `json:"identity,omitempty"`
	Algorithm  string         `json:"algorithm,omitempty"`
	KeyBits    int            `json:"key_bits,omitempty"`
	BodyLength *int64         `json:"body_length,omitempty"`
	Testing    bool           `json:"testing,omitempty"`
	Uncovered  []string       `json:"uncovered,omitempty"`
	Code       string         `json:"code,omitempty"`
	Error      string         `json:"error"`
}

// MarshalJSON writes the result as the object that the command mailauth prints
// for a signature: result, domain, selector, identity, algorithm, key_bits,
// body_length, testing, uncovered, code and error. What is unknown is absent.
func (r Result) MarshalJSON() ([]byte, error) {
	j := resultJSON{
		Result:     r.Status,
		Domain:     r.Signature.Domain,
		Selector:   r.Signature.Selector,
		Identity:   r.Signature.Identity,
		Algorithm:  r.Signature.Algorithm,
		KeyBits:    r.KeyBits,
		BodyLength: r.Signature.BodyLength,
		Testing:    r.Testing,
		Uncovered:  r.Coverage.Uncovered,
		Code:       r.Code(),
	}
	if r.Err != nil {
		j.Error = r.Err.Error()
	}
	return json.Marshal(j)
}

// LogValue implements [slog.LogValuer]. An algorithm that is unknown is left out: it is
// whatever a stranger wrote.
func (r Result) LogValue() slog.Value {
	algorithm := ""
	for _, a := range [...]sig.Algorithm{sig.RSASHA256, sig.Ed25519SHA256, sig.RSASHA1} {
		if r.Signature.Algorithm == a.String() {
			algorithm = a.String()
		}
	}
	a := []slog.Attr{
		slog.String("result", r.Status.String()),
		slog.String("domain", r.Signature.Domain),
		slog.String("selector", r.Signature.Selector),
		slog.String("algorithm", algorithm),
		slog.Int("key_bits", r.KeyBits),
	}
	if r.Err != nil {
		a = append(a, slog.String("code", r.Code()), slog.String("error", r.Err.Error()))
	}
	return slog.GroupValue(a...)
}

// assignB sets B of every result.
func assignB(results []Result) {
	if len(results) == 1 {
		data := results[0].Signature.Data
		results[0].B = data[:min(8, len(data))]
		return
	}
	data := make([]string, len(results))
	for i := range results {
		data[i] = results[i].Signature.Data
	}
	for i, b := range authres.SignatureTags(data) {
		results[i].B = b
	}
}
