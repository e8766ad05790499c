package dnsutil

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/seed2385d973/mailauth/internal/scan"
)

// Recorder is a [Resolver] that passes questions on to another one and keeps what
// came back, so that a verdict can be repeated later: evaluate once over a
// Recorder, store its [Recording], and evaluate again over [Recording.Replay]
// with the same message and the same clock.
//
// A Recorder is for one evaluation. Within it a question has one answer: a
// question that was recorded is not asked again. It is safe for concurrent
// use; set Resolver before the first look-up and do not copy it after.
type Recorder struct {
	// Resolver is asked. Nil is ErrNoResolver.
	Resolver Resolver

	mu    sync.Mutex
	index map[cacheKey]int
	all   Recording
}

// Lookup implements [Resolver]. An error for which the end of its context is
// to blame is recorded too, but gives way to what a later look-up brings.
func (r *Recorder) Lookup(ctx context.Context, name string, t Type) (Answer, error) {
	if r.Resolver == nil {
		return Answer{}, ErrNoResolver
	}
	k := cacheKey{scan.Lower(name), t}
	if a, ok, err := r.recorded(k); ok {
		return a, err
	}
	a, err := r.Resolver.Lookup(ctx, name, t)
	return r.record(k, a, err, err != nil && ctx.Err() != nil)
}

// Peek implements [Peeker] if the Resolver does; what it gives away is recorded.
func (r *Recorder) Peek(name string, t Type) (a Answer, ok bool, err error) {
	k := cacheKey{scan.Lower(name), t}
	if a, ok, err := r.recorded(k); ok {
		return a, true, err
	}
	p, ok := r.Resolver.(Peeker)
	if !ok {
		return Answer{}, false, nil
	}
	if a, ok, err = p.Peek(name, t); !ok {
		return Answer{}, false, nil
	}
	a, err = r.record(k, a, err, false)
	return a, true, err
}

func (r *Recorder) recorded(k cacheKey) (Answer, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i, ok := r.index[k]; ok && !r.all[i].cut {
		return r.all[i].Answer, true, r.all[i].Err
	}
	return Answer{}, false, nil
}

// record keeps the first outcome of a question and returns it.
func (r *Recorder) record(k cacheKey, a Answer, err error, cut bool) (Answer, error) {
	if err != nil {
		a = Answer{}
	}
	x := Exchange{Name: k.name, Type: k.t, Answer: a, Err: err, cut: cut}
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.index[k]
	switch {
	case !ok:
		if r.index == nil {
			r.index = map[cacheKey]int{}
		}
		r.index[k] = len(r.all)
		r.all = append(r.all, x)
	case cut:
	case r.all[i].cut:
		r.all[i] = x
	default: // someone was faster
		return r.all[i].Answer, r.all[i].Err
	}
	return a, err
}

// Recording returns what was asked and answered so far, in the order of the answers.
func (r *Recorder) Recording() Recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// Recording is the DNS of an evaluation. It marshals to JSON and back without
// loss: texts that are not UTF-8 become {"b64": "..."}, and an error keeps its
// text and, for errors.Is, every constant of this package and of package context
// that it wraps.
type Recording []Exchange

// Exchange is one question and what became of it.
type Exchange struct {
	Name   string // absolute, lower case
	Type   Type
	Answer Answer // zero if Err is set
	Err    error

	cut bool // the look-up's own context ended
}

// Replay returns a Resolver that answers from the recording alone. A question
// that is not in it is ErrNotRecorded. If a question is in it twice, the first counts.
func (rec Recording) Replay() Resolver {
	index := make(replay, len(rec))
	for _, x := range rec {
		k := cacheKey{scan.Lower(x.Name), x.Type}
		if _, ok := index[k]; !ok {
			index[k] = x
		}
	}
	return index
}

// replay never changes once made, and is a Peeker: nothing is ever waited for.
type replay map[cacheKey]Exchange

func (r replay) Lookup(ctx context.Context, name string, t Type) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return Answer{}, err
	}
	a, _, err := r.Peek(name, t)
	return a, err
}

func (r replay) Peek(name string, t Type) (Answer, bool, error) {
	x, ok := r[cacheKey{scan.Lower(name), t}]
	if !ok {
		return Answer{}, true, fmt.Errorf("%w: %s %s", ErrNotRecorded, t, name)
	}
	return x.Answer, true, x.Err
}

// replayedError is an error that was read from a recording.
type replayedError struct {
	text string
	is   []error
}

func (e *replayedError) Error() string   { return e.text }
func (e *replayedError) Unwrap() []error { return e.is }

// The JSON form of an Exchange. TTL is in nanoseconds, as Go has it.
type exchangeJSON struct {
	Name      text          `json:"name"`
	Type      Type          `json:"type"`
	TXT       []text        `json:"txt,omitempty"`
	Addrs     []netip.Addr  `json:"addrs,omitempty"`
	MX        []mxJSON      `json:"mx,omitempty"`
	Names     []text        `json:"names,omitempty"`
	CAA       []caaJSON     `json:"caa,omitempty"`
	NXDomain  bool          `json:"nxdomain,omitempty"`
	Authentic bool          `json:"authentic,omitempty"`
	TTL       time.Duration `json:"ttl,omitempty"`
	Chain     []text        `json:"chain,omitempty"`
	Error     *text         `json:"error,omitempty"`
	Is        []string      `json:"is,omitempty"`
}

type mxJSON struct {
	Preference uint16 `json:"preference"`
	Host       text   `json:"host"`
}

type caaJSON struct {
	Flags uint8 `json:"flags"`
	Tag   text  `json:"tag"`
	Value text  `json:"value"`
}

const (
	codeCanceled = "context.Canceled"
	codeDeadline = "context.DeadlineExceeded"
)

// MarshalJSON implements json.Marshaler.
func (x Exchange) MarshalJSON() ([]byte, error) {
	a := x.Answer
	j := exchangeJSON{
		Name: text(x.Name), Type: x.Type, TXT: convert[text](a.TXT), Names: convert[text](a.Names), Chain: convert[text](a.Chain),
		Addrs: a.Addrs, NXDomain: a.NXDomain, Authentic: a.Authentic, TTL: a.TTL,
	}
	for _, m := range a.MX {
		j.MX = append(j.MX, mxJSON{m.Preference, text(m.Host)})
	}
	for _, c := range a.CAA {
		j.CAA = append(j.CAA, caaJSON{c.Flags, text(c.Tag), text(c.Value)})
	}
	if x.Err != nil {
		s := text(x.Err.Error())
		j.Error = &s
		for _, n := range errorNames {
			if errors.Is(x.Err, n.err) {
				j.Is = append(j.Is, n.name)
			}
		}
		if errors.Is(x.Err, context.Canceled) {
			j.Is = append(j.Is, codeCanceled)
		}
		if errors.Is(x.Err, context.DeadlineExceeded) {
			j.Is = append(j.Is, codeDeadline)
		}
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements json.Unmarshaler. It refuses what MarshalJSON does not write.
func (x *Exchange) UnmarshalJSON(b []byte) error {
	var j exchangeJSON
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return err
	}
	out := Exchange{Name: string(j.Name), Type: j.Type, Answer: Answer{
		TXT: convert[string](j.TXT), Names: convert[string](j.Names), Chain: convert[string](j.Chain),
		Addrs: j.Addrs, NXDomain: j.NXDomain, Authentic: j.Authentic, TTL: j.TTL,
	}}
	for _, m := range j.MX {
		out.Answer.MX = append(out.Answer.MX, MX{m.Preference, string(m.Host)})
	}
	for _, c := range j.CAA {
		out.Answer.CAA = append(out.Answer.CAA, CAA{c.Flags, string(c.Tag), string(c.Value)})
	}
	if j.Error == nil {
		if len(j.Is) > 0 {
			return fmt.Errorf("recording: %s: a kind of error and no error", out.Name)
		}
		*x = out
		return nil
	}
	e := &replayedError{text: string(*j.Error)}
	for _, code := range j.Is {
		kind := errorByName(code)
		if kind == nil {
			return fmt.Errorf("recording: %s: unknown kind of error %q", out.Name, code)
		}
		e.is = append(e.is, kind)
	}
	out.Answer, out.Err = Answer{}, e
	*x = out
	return nil
}

func errorByName(code string) error {
	switch code {
	case codeCanceled:
		return context.Canceled
	case codeDeadline:
		return context.DeadlineExceeded
	}
	for _, n := range errorNames {
		if n.name == code {
			return n.err
		}
	}
	return nil
}

// convert keeps nil nil, so that an answer comes back as it was.
func convert[To, From ~string](in []From) []To {
	if in == nil {
		return nil
	}
	out := make([]To, len(in))
	for i, s := range in {
		out[i] = To(s)
	}
	return out
}

// text is a string of any octets in JSON.
type text string

type rawText struct {
	B64 []byte `json:"b64"`
}

func (s text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(s)) {
		return json.Marshal(string(s))
	}
	return json.Marshal(rawText{[]byte(s)})
}

func (s *text) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		return json.Unmarshal(b, (*string)(s))
	}
	var raw rawText
	err := json.Unmarshal(b, &raw)
	*s = text(raw.B64)
	return err
}
