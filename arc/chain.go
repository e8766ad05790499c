package arc

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/scan"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/internal/suffix"
	"github.com/seed2385d973/mailauth/internal/taglist"
	"github.com/seed2385d973/mailauth/message"
)

// The three fields of a set.
const (
	resultsName   = "ARC-Authentication-Results"
	signatureName = "ARC-Message-Signature"
	sealName      = "ARC-Seal"
)

// maxInstance is the highest instance (RFC 8617, section 4.2.1).
const maxInstance = 50

// chain is what a header says about sets, nothing of it verified. sets[0] has
// instance 1.
type chain struct {
	sets    []set
	highest int  // of all instances that can be read; may be more than len(sets) in a broken chain
	ended   bool // the seal of the highest instance says cv=fail
	err     error
	failed  int // the instance that err is about; 0 if it is about none
}

// set is one set with its fields as far as they could be read.
type set struct {
	results, signature, seal int // places in the header, -1 if absent
	payload                  string
	ams, as                  field
	cv                       authres.Status
}

// field is one of the two signature fields.
type field struct {
	key     sig.Key
	msg     sig.Message
	keyName domain.Name
	err     error
}

// present reports whether a header has any of the three fields.
func present(h *message.Header) bool {
	return len(h.All(sealName)) > 0 || len(h.All(signatureName)) > 0 || len(h.All(resultsName)) > 0
}

// collect reads all ARC fields of a header and checks the structure of the
// chain: RFC 8617, section 5.2, steps 1 to 3. The order of the fields in the
// header does not matter.
func collect(h *message.Header, limit int) chain {
	var tags [16]taglist.Tag // of one field
	aar, ams, as := h.All(resultsName), h.All(signatureName), h.All(sealName)
	most := max(len(aar), len(ams), len(as))
	switch {
	case most > maxInstance:
		return chain{err: fmt.Errorf("%w: %d", ErrTooManySets, most)}
	case most > limit:
		return chain{err: fmt.Errorf("%w: %d, limit %d", ErrSetLimit, most, limit)}
	}
	c := chain{sets: make([]set, most)}
	for i := range c.sets {
		c.sets[i] = set{results: -1, signature: -1, seal: -1}
	}
	// A broken field does not end the walk: the seal of the highest instance
	// may say that the chain had failed before, and that comes first.
	newest, newestCV := 0, authres.Status("")
	for _, i := range as {
		var s set
		n, err := s.readSeal(h.Field(i).Value(), h.Internationalized(), tags[:0])
		if n > newest {
			newest, newestCV = n, s.cv
		}
		if place := c.place(n, err, sealName); place != nil {
			if place.seal >= 0 {
				c.fail(n, fmt.Errorf("%w: %s %d", ErrSetDuplicate, sealName, n))
				continue
			}
			place.seal, place.as, place.cv = i, s.as, s.cv
		}
	}
	for _, i := range ams {
		var s set
		n, err := s.readSignature(h.Field(i).Value(), h.Internationalized(), tags[:0])
		if place := c.place(n, err, signatureName); place != nil {
			if place.signature >= 0 {
				c.fail(n, fmt.Errorf("%w: %s %d", ErrSetDuplicate, signatureName, n))
				continue
			}
			place.signature, place.ams = i, s.ams
		}
	}
	for _, i := range aar {
		n, payload, err := readResults(h.Field(i).Value())
		if place := c.place(n, err, resultsName); place != nil {
			if place.results >= 0 {
				c.fail(n, fmt.Errorf("%w: %s %d", ErrSetDuplicate, resultsName, n))
				continue
			}
			place.results, place.payload = i, payload
		}
	}
	if newest == c.highest && newestCV == authres.Fail {
		c.ended, c.err, c.failed = true, ErrChainFailed, newest
		return c
	}
	c.structure()
	return c
}

// place returns the set of an instance, or nil if the field belongs to none.
func (c *chain) place(n int, err error, name string) *set {
	c.highest = max(c.highest, n)
	switch {
	case err != nil:
		c.fail(0, fmt.Errorf("%s: %w", name, err))
		return nil
	case n > len(c.sets):
		// Fewer fields of each kind than instances: one is missing below.
		c.fail(0, fmt.Errorf("%w: instance %d of at most %d sets", ErrSetGap, n, len(c.sets)))
		return nil
	}
	return &c.sets[n-1]
}

// fail records the first error.
func (c *chain) fail(instance int, err error) {
	if c.err == nil {
		c.err, c.failed = err, instance
	}
}

// structure checks that each set is whole and that cv= are what they must be
// (RFC 8617, section 5.2, step 3).
func (c *chain) structure() {
	for k := range c.sets {
		s, n := &c.sets[k], k+1
		switch {
		case s.seal < 0:
			c.fail(n, fmt.Errorf("%w: there is no %s %d", ErrSetIncomplete, sealName, n))
		case s.signature < 0:
			c.fail(n, fmt.Errorf("%w: there is no %s %d", ErrSetIncomplete, signatureName, n))
		case s.results < 0:
			c.fail(n, fmt.Errorf("%w: there is no %s %d", ErrSetIncomplete, resultsName, n))
		case n == 1 && s.cv != authres.None, n > 1 && s.cv != authres.Pass:
			c.fail(n, fmt.Errorf("%w: %s %d", ErrChainValidation, sealName, n))
		}
	}
}

// readSeal reads an ARC-Seal (RFC 8617, section 4.1.3). The error says that it
// has no instance; what else is wrong is in as.err.
func (s *set) readSeal(value string, eai bool, storage []taglist.Tag) (instance int, err error) {
	r, tags := sig.NewReader(storage, value, eai)
	if tags == nil {
		return 0, exported(r.Err())
	}
	if instance, err = readInstance(tags); err != nil {
		return 0, err
	}
	if cv, ok := tags.Get("cv"); ok {
		// The three words are literals of an ABNF, hence in any case; in that of ASCII, and
		// "ſ", which strings.EqualFold takes for an s, makes a longer text.
		for _, w := range [...]authres.Status{authres.None, authres.Pass, authres.Fail} {
			if len(cv) == len(w) && strings.EqualFold(cv, string(w)) {
				s.cv = w
			}
		}
	}
	if _, ok := tags.Get("h"); ok {
		r.Fail(ErrSealNames, "")
	}
	r.Require(tags, "a", "b", "d", "s")
	s.as.msg.Expires = -1
	s.as.finish(&r, tags, r.Key(tags))
	return instance, nil
}

// readSignature reads an ARC-Message-Signature (RFC 8617, section 4.1.2). v=,
// which it has not, is ignored as every unknown tag.
func (s *set) readSignature(value string, eai bool, storage []taglist.Tag) (instance int, err error) {
	r, tags := sig.NewReader(storage, value, eai)
	if tags == nil {
		return 0, exported(r.Err())
	}
	if instance, err = readInstance(tags); err != nil {
		return 0, err
	}
	r.EmptyNames = true
	r.Require(tags, "a", "b", "bh", "d", "h", "s")
	k := r.Key(tags)
	s.ams.msg = r.Message(tags, k)
	if names := s.ams.msg.Names; names != nil {
		from, seals, signatures := 0, 0, 0
		for _, n := range names {
			switch {
			case strings.EqualFold(n, "from"):
				from++
			case strings.EqualFold(n, sealName):
				seals++
			case strings.EqualFold(n, signatureName):
				signatures++
			}
		}
		if from == 0 {
			r.Fail(ErrFromNotSigned, "")
		}
		// RFC 8617, section 4.1.2 forbids all three ARC fields here. The public suite
		// has signers that cover their own results and the signatures before them,
		// which does no harm; a seal, or a signature yet to come, breaks the
		// chain at the next hop.
		if seals > 0 || signatures >= instance {
			r.Fail(ErrARCSigned, "")
		}
	}
	if s.ams.msg.Length >= 0 {
		r.Fail(ErrBodyLength, "")
	}
	s.ams.finish(&r, tags, k)
	return instance, nil
}

// finish judges the tags that both signatures have.
func (f *field) finish(r *sig.Reader, tags sig.Tags, k sig.Key) {
	f.key = k
	if f.key.Algorithm == sig.RSASHA1 {
		r.Fail(ErrSHA1, "")
	}
	r.CheckText(tags)
	if !f.key.Domain.IsZero() && !f.key.Selector.IsZero() {
		var err error
		if f.keyName, err = sig.KeyName(f.key.Selector, f.key.Domain); err != nil {
			r.Fail(ErrSelector, err.Error())
		}
	}
	f.err = exported(r.Err())
}

// judge checks what depends on the Verifier: the signing domain and the times.
func (f *field) judge(list suffix.List, now time.Time) error {
	switch {
	case f.err != nil:
		return f.err
	case list.Is(f.key.Domain):
		return ErrPublicSuffix
	case f.key.Time >= 0 && f.key.Time > now.Add(maxAhead).Unix():
		return ErrFuture
	case f.msg.Expires >= 0 && now.Unix() > f.msg.Expires:
		return ErrExpired
	}
	return nil
}

// readInstance reads i=, wherever it stands (decision 15).
func readInstance(tags sig.Tags) (int, error) {
	v, _ := tags.Get("i")
	if n, ok := instanceValue(v); ok {
		return n, nil
	}
	return 0, ErrInstance
}

// instanceValue reads a number from 1 to 50 (RFC 8617, section 4.2.1), in its
// one spelling.
func instanceValue(s string) (int, bool) {
	n, ok := sig.Number(s, 2)
	if !ok || n < 1 || n > maxInstance || s[0] == '0' {
		return 0, false
	}
	return int(n), true
}

// readResults reads the instance of an ARC-Authentication-Results field and
// returns what follows: instance [CFWS] ";" authres-payload (RFC 8617, section
// 4.1.1). What follows is not read here: a bad payload does not break a chain.
func readResults(value string) (instance int, payload string, err error) {
	c := scan.New(value)
	if !instanceTag(&c) {
		return 0, "", ErrInstance
	}
	n, ok := instanceValue(c.Span(scan.Digit))
	c.CFWS()
	if !ok || !c.Accept(';') {
		return 0, "", ErrInstance
	}
	payload = value[c.Pos():]
	if instanceAgain(payload) {
		return 0, "", fmt.Errorf("%w: i= twice", ErrInstance)
	}
	return n, payload, nil
}

// instanceAgain reports whether one of the parts of a payload, between semicolons
// that no comment or quoted-string holds, is an i= as well: two readers could see two
// instances. No method of authentication has that name.
func instanceAgain(payload string) bool {
	c, closed := scan.New(payload), true
	for {
		part := c
		if instanceTag(&part) {
			return true
		}
		for !c.Accept(';') {
			if c.Done() {
				return false
			}
			if b := c.Peek(); closed && (b == '(' || b == '"') {
				whole := c
				if b == '(' {
					closed = whole.CFWS()
				} else {
					_, closed = whole.Quoted()
				}
				if closed {
					c = whole
					continue
				}
				// What does not end hides nothing, and is not tried twice.
			}
			c.Reset(c.Pos() + 1)
		}
	}
}

// instanceTag consumes [CFWS] "i" [CFWS] "=" [CFWS].
func instanceTag(c *scan.Cursor) bool {
	c.CFWS()
	if !c.Accept('i') {
		return false
	}
	c.CFWS()
	if !c.Accept('=') {
		return false
	}
	c.CFWS()
	return true
}
