package dkim

import (
	"context"
	"crypto"
	"fmt"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/internal/suffix"
	"github.com/seed2385d973/mailauth/internal/taglist"
	"github.com/seed2385d973/mailauth/message"
)

const (
	// maxListed is how many signatures are reported. It is not more than
	// message.MaxDKIMSignatures: of further fields there is no body digest.
	maxListed = message.MaxDKIMSignatures
	// maxExamined is the default of Verifier.MaxSignatures: mail that passed
	// several lists has three or four signatures.
	maxExamined = 8
	// maxAhead is how far t= may lie in the future: clocks drift, and an hour
	// forgives one that a time zone change left wrong (decision 22).
	maxAhead = time.Hour
)

// Verifier verifies the DKIM signatures of messages. Its zero value is safe, and
// useful as soon as it has a Resolver. It is plain configuration: it may be
// copied, and is safe for concurrent use once it is not modified any more.
type Verifier struct {
	// Resolver answers the questions for keys. Nil makes every signature that
	// needs a key a temperror with ErrNoResolver.
	Resolver dnsutil.Resolver

	// Now is the clock, asked once a message; nil is time.Now.
	Now func() time.Time

	// Grace is how long after x= a signature is still good (RFC 6376, section
	// 3.5 speaks of a fudge factor). Zero or less is none.
	Grace time.Duration

	// MaxSignatures is how many signatures of a message are examined; zero or
	// less is 8, more than 64 is 64. The others are reported as ErrNotExamined.
	MaxSignatures int

	// AllowSHA1 verifies rsa-sha1, which RFC 8301, section 3.1 forbids and with
	// which forgeries are feasible. message.Digester.AllowSHA1 is needed as well.
	AllowSHA1 bool

	// AllowBodyLength accepts signatures with l=: anybody can append to such a
	// message, and with a MIME field that is not signed replace all that is
	// shown (RFC 6376, section 8.2). Coverage says how much is open.
	AllowBodyLength bool

	// RefuseDefects makes every signature of a message with a structural defect
	// (message.Message.Defects) a permerror: strict, and hard on real mail, which
	// has some.
	RefuseDefects bool

	// IgnoreTesting treats signatures under a key with t=y as if they were not
	// there, which is the letter of RFC 6376, section 3.6.1. The default is what
	// receivers do: a good one counts, a bad one is neutral (decision 20).
	IgnoreTesting bool

	// MinRSABits is the least length of an RSA modulus; zero or less is 1024,
	// below which RFC 8301, section 3.2 forbids to accept a signature. 2048 is a
	// stricter choice. Under 1024 it has an effect only with
	// GODEBUG=rsa1024min=0, because crypto/rsa refuses such keys by itself; they
	// can be broken by anybody.
	MinRSABits int

	// MaxRSABits is the greatest length of an RSA modulus; zero or less is 4096,
	// more than 8192 is 8192. The cost of a verification grows with its square.
	MaxRSABits int

	// PublicSuffix reports whether a domain, in lower-case A-labels without a
	// final dot, is one under which names are given to strangers, so that it
	// cannot be a signing domain (RFC 6376, section 6.1.1). Nil is the ICANN
	// section of the compiled-in list. Single labels are refused in any case (decision 14).
	PublicSuffix func(domain string) bool

	// KeyPolicy, if not nil, sees each usable key before it verifies anything: an
	// *rsa.PublicKey or an ed25519.PublicKey. An error makes the result a
	// policy with ErrKeyPolicy, wrapping it.
	KeyPolicy func(key crypto.PublicKey) error

	// Policy, if not nil, sees each result that would be a pass. An error makes it
	// a policy with ErrPolicy, wrapping it. That is the place for rules such as
	// "Subject must be covered" or "no weak keys".
	Policy func(r Result) error
}

// Verify verifies the signatures of a message: [Verifier.Start] and
// [Verification.Finish] in one. The results are in header order, top first; a
// message without DKIM-Signature field gives none.
func (v *Verifier) Verify(ctx context.Context, m *message.Message) []Result {
	var vn Verification // on the stack
	vn.start(ctx, v, m.Header())
	return vn.Finish(m)
}

// Start begins to verify a message whose header has been read: it reads the
// signature fields and has the keys looked up, all at once, while the body
// still arrives. It does not wait. Either Finish or Abort must be called.
func (v *Verifier) Start(ctx context.Context, h *message.Header) *Verification {
	vn := &Verification{}
	vn.start(ctx, v, h)
	return vn
}

func (vn *Verification) start(ctx context.Context, v *Verifier, h *message.Header) {
	vn.v, vn.ctx, vn.header = *v, ctx, h
	fields := h.All("DKIM-Signature")
	vn.total = len(fields)
	fields = fields[:min(len(fields), maxListed)]
	if len(fields) == 0 {
		return
	}
	now := v.Now
	if now == nil {
		now = time.Now
	}
	vn.now = now()
	vn.results = make([]Result, len(fields))
	if len(fields) > 1 {
		vn.items = make([]item, len(fields)-1)
	}
	vn.forms = sig.NewHeader(h)
	for k, i := range fields {
		vn.read(k, i)
	}
	vn.choose()
	vn.prefetch()
}

// Verification is a message being verified. It is not safe for concurrent use.
//
// Nothing in it points to itself, so that one that Verify makes lies on the stack.
type Verification struct {
	v        Verifier
	ctx      context.Context // of Start: the whole verification is one call in two parts
	header   *message.Header
	forms    sig.Header
	now      time.Time
	total    int
	results  []Result
	first    item   // beside results
	items    []item // those behind the first
	key1     key
	keys     []key            // distinct names, those behind key1
	order    [maxListed]uint8 // of results: those examined, what matters most first
	examined int              // how many of order
	scope    *lookup.Scope
	done     func()
	over     bool
}

// item is what the verification needs of a signature beyond its Result.
type item struct {
	parsed
	examine  bool
	selected int     // fields, by h=
	few      [24]int // these, where h= names no more
	many     []int   // else these
	hashed   bool    // digest and outcome are set
	digest   [32]byte
	outcome  error // of the cryptography
}

// fields returns the fields that h= selects.
func (it *item) fields() []int {
	if it.many != nil {
		return it.many
	}
	return it.few[:it.selected]
}

// key is a key that was or will be fetched.
type key struct {
	name      domain.Name
	fetched   bool
	published sig.Published
	policy    error
}

func (vn *Verification) item(k int) *item {
	if k == 0 {
		return &vn.first
	}
	return &vn.items[k-1]
}

// read parses one signature field and computes what it covers.
func (vn *Verification) read(k, field int) {
	var tags [16]taglist.Tag
	r, it := &vn.results[k], vn.item(k)
	r.Field, r.Total = field, vn.total
	it.parsed = parseSignature(vn.header.Field(field).Value(), vn.header.Internationalized(), &r.Signature, tags[:0])
	if n := len(it.msg.Names); n <= len(it.few) {
		it.selected = len(vn.forms.Select(it.few[:0], it.msg.Names, field))
	} else {
		it.many = vn.forms.Select(make([]int, 0, n), it.msg.Names, field)
	}
	r.Coverage = cover(vn.header, it.fields())
	if it.err == nil {
		it.err = vn.v.judge(&it.parsed, vn.now)
	}
}

// judge checks what depends on the Verifier: the signing domain and the times.
func (v *Verifier) judge(p *parsed, now time.Time) error {
	if (suffix.List)(v.PublicSuffix).Is(p.key.Domain) {
		return ErrPublicSuffix
	}
	if p.key.Time > now.Add(maxAhead).Unix() {
		return ErrFuture
	}
	if p.msg.Expires >= 0 && now.Unix() > p.msg.Expires+int64(max(v.Grace, 0)/time.Second) {
		return ErrExpired
	}
	if p.key.Algorithm == sig.RSASHA1 && !v.AllowSHA1 {
		return ErrSHA1
	}
	return nil
}

// limit returns how many signatures are examined.
func (v *Verifier) limit() int {
	if v.MaxSignatures <= 0 {
		return maxExamined
	}
	return min(v.MaxSignatures, maxListed)
}

// choose decides which signatures are examined and in which order: well-formed
// ones of the author's domain first, then other well-formed ones, then the rest,
// so that junk neither pushes the good one out (RFC 6376, section 8.4 lets a
// verifier limit them) nor, with key records as large as the DNS carries them, uses
// up what may be asked and read before the good one's turn.
func (vn *Verification) choose() {
	limit := min(vn.v.limit(), len(vn.results))
	var authors []domain.Name
	if len(vn.results) > 1 {
		authors = authorDomains(vn.header)
	}
	for class := range 3 {
		for k := range vn.results {
			if vn.examined == limit {
				return
			}
			if it := vn.item(k); it.class(authors) == class {
				it.examine = true
				vn.order[vn.examined] = uint8(k)
				vn.examined++
			}
		}
	}
}

func (it *item) class(authors []domain.Name) int {
	if it.err != nil {
		return 2
	}
	for _, a := range authors {
		if d := it.key.Domain; d.IsWithin(a) || a.IsBelow(d) {
			return 0
		}
	}
	return 1
}

// prefetch has the DNS asked for the keys. Nothing waits for an answer: the
// questions are demanded one after another by Finish, so that budget
// and result do not depend on which answer comes first.
func (vn *Verification) prefetch() {
	for _, k := range vn.order[:vn.examined] {
		it := vn.item(int(k))
		if it.err != nil || vn.keyOf(it.keyName) != nil {
			continue
		}
		if vn.scope == nil {
			vn.scope, vn.done = lookup.For(vn.ctx, vn.v.Resolver, vn.v.limit())
			vn.key1.name = it.keyName
		} else {
			vn.keys = append(vn.keys, key{name: it.keyName})
		}
		vn.scope.Prefetch(it.keyName, dnsutil.TypeTXT)
	}
}

func (vn *Verification) keyOf(n domain.Name) *key {
	if vn.key1.name == n {
		return &vn.key1
	}
	for i := range vn.keys {
		if vn.keys[i].name == n {
			return &vn.keys[i]
		}
	}
	return nil
}

// Abort ends a verification without result, when the message does not arrive
// as a whole. After Finish it does nothing.
func (vn *Verification) Abort() {
	if vn.over {
		return
	}
	vn.over = true
	if vn.done != nil {
		vn.done()
	}
	for k := range vn.results {
		vn.fail(k, fmt.Errorf("%w: aborted", ErrKeyUnavailable))
	}
}
