package arc

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/message"
)

// Finish ends the validation: it waits for the keys, checks the newest
// ARC-Message-Signature against m, which must be the message whose header was
// given to Start, and then all seals. Called again it returns the same result.
// No goroutine is left behind.
func (vn *Verification) Finish(m *message.Message) Result {
	if vn.over {
		return vn.result
	}
	vn.over = true
	r, w := &vn.result, vn.w
	r.validated = true
	instance, err := w.validate(r, m)
	if err != nil {
		r.Status, r.FailedInstance, r.Err = authres.Fail, instance, err
		if r.Temporary() {
			r.pending = w.payloads()
		}
	} else {
		r.Status = authres.Pass
		w.reveal(r)
		if !w.v.NoOldestPass {
			w.oldestPass(r, m)
		}
	}
	vn.release()
	vn.w = nil
	return vn.result
}

// validate performs steps 2 to 4 and 6 of RFC 8617, section 5.2. Step 5 has no
// influence on the status; it comes last, so that a broken chain costs no
// more than it must.
func (w *work) validate(r *Result, m *message.Message) (instance int, err error) {
	if w.chain.err != nil {
		return w.chain.failed, w.chain.err
	}
	n := len(w.chain.sets)
	if err := w.message(r, n, m); err != nil {
		return n, fmt.Errorf("%s %d: %w", signatureName, n, err)
	}
	// The hashes of all seals are made from the first up, because each begins with
	// what the one before covers; verified they are from the last down.
	sums := make([][sha256.Size]byte, n)
	seals := w.forms.Seals()
	for k := range w.chain.sets {
		s := &w.chain.sets[k]
		sums[k] = seals.Next(s.results, s.signature, s.seal, s.as.key.Start, s.as.key.End)
	}
	for k := n; k >= 1; k-- {
		f := &w.chain.sets[k-1].as
		rec, err := w.key(f, &r.set(k).Seal)
		if err == nil {
			err = exported(sig.Verify(rec, f.key.Algorithm, sums[k-1][:], f.key.Data))
		}
		if err != nil {
			return k, fmt.Errorf("%s %d: %w", sealName, k, err)
		}
	}
	return 0, nil
}

// message verifies the ARC-Message-Signature of instance n (RFC 8617, section
// 5.2, steps 4 and 5), as RFC 6376, section 6.1.3 verifies a DKIM signature. The
// body comes before the key: who changed the message need not be asked for one.
func (w *work) message(r *Result, n int, m *message.Message) error {
	s := &w.chain.sets[n-1]
	f := &s.ams
	if f.err != nil {
		return f.err
	}
	if m == nil {
		return ErrNoBodyDigest
	}
	d, ok := m.BodyDigest(message.BodyHash{Canonicalization: f.msg.Body, Hash: crypto.SHA256, Length: message.WholeBody})
	switch {
	case !ok:
		return ErrNoBodyDigest
	case !bytes.Equal(d.Sum, f.msg.BodyHash):
		return ErrBodyHash
	}
	rec, err := w.key(f, &r.set(n).Message)
	if err != nil {
		return err
	}
	fields := w.forms.Select(nil, f.msg.Names, s.signature)
	digest := w.forms.Sum(fields, f.msg.Header, crypto.SHA256, s.signature, f.key.Start, f.key.End)
	return exported(sig.Verify(rec, f.key.Algorithm, digest[:], f.key.Data))
}

// key gets the key of a signature and judges whether it may be used (RFC 6376,
// section 6.1.2). The flags of t= do not matter here: there is no AUID, and a
// chain has no word for a sealer who is only testing.
func (w *work) key(f *field, s *Signature) (*sig.Record, error) {
	if f.err != nil {
		return nil, f.err
	}
	k := w.keyOf(f.keyName)
	if !k.fetched {
		k.fetched = true
		k.published = sig.Fetch(w.ctx, w.scope, k.name, sig.Bounds{Min: w.v.MinRSABits, Max: w.v.MaxRSABits})
	}
	s.KeyBits = k.published.Record.Bits
	if err := k.published.For(f.key.Algorithm); err != nil {
		return nil, exported(err)
	}
	return &k.published.Record, nil
}

// oldestPass performs step 5 of RFC 8617, section 5.2.
func (w *work) oldestPass(r *Result, m *message.Message) {
	n := len(w.chain.sets)
	r.set(n).MessageErr = nil
	for k := n - 1; k >= 1; k-- {
		err := w.message(r, k, m)
		r.set(k).MessageErr = err
		if err != nil {
			r.OldestPass = k + 1
			return
		}
	}
	r.OldestPass = 0
}

// reveal makes the testimony of the sets reachable; only of a chain that passed.
func (w *work) reveal(r *Result) {
	for k := range w.chain.sets {
		r.set(k + 1).testimony = testimony{w.chain.sets[k].payload, true}
	}
	n := len(w.chain.sets)
	r.set(n).MessageErr = nil
	r.OldestPass = n
}

// payloads are the unverified assertions of a chain that failed for lack of
// an answer, for Vouch to say what they could have done.
func (w *work) payloads() []testimony {
	out := make([]testimony, len(w.chain.sets))
	for k := range w.chain.sets {
		out[k] = testimony{w.chain.sets[k].payload, true}
	}
	return out
}
