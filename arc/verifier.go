package arc

import (
	"context"
	"fmt"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/internal/suffix"
	"github.com/seed2385d973/mailauth/message"
)

const (
	// defaultSets is the default of Verifier.MaxSets: mail that passed two lists
	// and three gateways has five.
	defaultSets = 20
	// maxAhead is how far t= may lie in the future (decision 22).
	maxAhead = time.Hour
)

// MaxQueries is how many DNS questions a chain of the default length can need:
// one for each seal, and one for the newest ARC-Message-Signature if its key is
// another. Older ones are only looked at as far as that reaches.
const MaxQueries = defaultSets + 1

// Verifier validates the chains of messages (RFC 8617, section 5.2). Its zero
// value is safe, and useful as soon as it has a Resolver. It is plain
// configuration: it may be copied, and is safe for concurrent use once it is
// not modified any more.
type Verifier struct {
	// Resolver answers the questions for keys. Nil makes every chain that needs a
	// key a fail with ErrNoResolver.
	Resolver dnsutil.Resolver

	// Now is the clock, asked once a message; nil is time.Now.
	Now func() time.Time

	// MaxSets is how many sets a chain may have; zero or less is 20, more than 50
	// is 50 (RFC 8617, section 4.2.1). A longer chain is a fail with ErrSetLimit.
	MaxSets int

	// NoOldestPass leaves out the optional step 5 of RFC 8617, section 5.2: whether
	// older ARC-Message-Signatures still verify. It has no influence on the
	// status, and may cost a public-key operation for each set.
	NoOldestPass bool

	// MinRSABits is the least length of an RSA modulus; zero or less is 1024,
	// below which RFC 8301, section 3.2 forbids to accept a signature. Under 1024 it
	// has an effect only with GODEBUG=rsa1024min=0, because crypto/rsa refuses
	// such keys by itself; they can be broken by anybody.
	MinRSABits int

	// MaxRSABits is the greatest length of an RSA modulus; zero or less is 4096,
	// more than 8192 is 8192. The cost of a verification grows with its square.
	MaxRSABits int

	// PublicSuffix reports whether a domain, in lower-case A-labels without a
	// final dot, is one under which names are given to strangers, so that it
	// cannot be a sealing domain. Nil is the ICANN section of the compiled-in
	// list. Single labels are refused in any case (decision 14).
	PublicSuffix func(domain string) bool
}

// Verify validates the chain of a message: [Verifier.Start] and
// [Verification.Finish] in one.
func (v *Verifier) Verify(ctx context.Context, m *message.Message) Result {
	return v.Start(ctx, m.Header()).Finish(m)
}

// Start begins to validate a message whose header has been read: it reads the
// sets and has the keys looked up, all at once, while the body still arrives. It
// does not wait. Either Finish or Abort must be called. For a message without
// ARC fields it does nothing.
func (v *Verifier) Start(ctx context.Context, h *message.Header) *Verification {
	vn := &Verification{}
	if !present(h) {
		vn.result = Result{Status: authres.None, validated: true}
		vn.over = true
		return vn
	}
	w := &work{v: *v, ctx: ctx, header: h}
	vn.w = w
	w.chain = collect(h, v.limit())
	vn.result.fill(h, &w.chain)
	if w.chain.err != nil {
		return vn
	}
	now := v.Now
	if now == nil {
		now = time.Now
	}
	w.now = now()
	w.forms = sig.NewHeader(h)
	w.prefetch()
	return vn
}

// limit returns how many sets a chain may have.
func (v *Verifier) limit() int {
	if v.MaxSets <= 0 {
		return defaultSets
	}
	return min(v.MaxSets, maxInstance)
}

// Verification is a chain being validated. It is not safe for concurrent use.
type Verification struct {
	result Result
	w      *work // nil where there is no chain
	over   bool
}

// work is what the validation of a chain needs.
type work struct {
	v      Verifier
	ctx    context.Context // of Start: the whole validation is one call in two parts
	header *message.Header
	chain  chain
	forms  sig.Header
	now    time.Time
	keys   []key
	scope  *lookup.Scope
	done   func()
}

// key is a key that was or will be fetched.
type key struct {
	name      domain.Name
	fetched   bool
	published sig.Published
}

// prefetch has the DNS asked for the keys of the seals and of the newest
// ARC-Message-Signature, then for those of older ones. Nothing waits for an
// answer; Finish demands the questions in a fixed order.
func (w *work) prefetch() {
	n := len(w.chain.sets)
	w.scope, w.done = lookup.For(w.ctx, w.v.Resolver, 2*w.v.limit())
	w.keys = make([]key, 0, n+1)
	w.want(&w.chain.sets[n-1].ams)
	for k := n - 1; k >= 0; k-- {
		w.want(&w.chain.sets[k].as)
	}
	if w.v.NoOldestPass {
		return
	}
	for k := n - 2; k >= 0; k-- {
		w.want(&w.chain.sets[k].ams)
	}
}

// want judges a signature and has its key asked for, unless it is worthless anyway.
func (w *work) want(f *field) {
	f.err = f.judge(suffix.List(w.v.PublicSuffix), w.now)
	if f.err == nil && w.keyOf(f.keyName) == nil {
		w.keys = append(w.keys, key{name: f.keyName})
		w.scope.Prefetch(f.keyName, dnsutil.TypeTXT)
	}
}

func (w *work) keyOf(n domain.Name) *key {
	for i := range w.keys {
		if w.keys[i].name == n {
			return &w.keys[i]
		}
	}
	return nil
}

// Queries returns how many DNS questions Finish may still ask: one for each
// different key. It is zero where there is no chain or a broken one.
func (vn *Verification) Queries() int {
	if vn.w == nil {
		return 0
	}
	return len(vn.w.keys)
}

// Abort ends a validation without result, when the message does not arrive as a
// whole. After Finish it does nothing.
func (vn *Verification) Abort() {
	if vn.over {
		return
	}
	vn.over = true
	vn.release()
	vn.result.Status, vn.result.Err, vn.result.validated = authres.Fail, fmt.Errorf("%w: %w", ErrAborted, ErrKeyUnavailable), false
}

func (vn *Verification) release() {
	if vn.w != nil && vn.w.done != nil {
		vn.w.done()
	}
}
