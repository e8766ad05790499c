package dkim

import (
	"bytes"
	"fmt"

	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/message"
)

// Finish ends the verification: it waits for the keys, checks the signatures and
// compares the body hashes with the digests of m, which must be the message
// whose header was given to Start. Called again it returns the same results.
// No goroutine is left behind.
func (vn *Verification) Finish(m *message.Message) []Result {
	if vn.over {
		return vn.results
	}
	vn.over = true
	for _, k := range vn.order[:vn.examined] {
		k := int(k)
		if err := vn.examine(k, m); err != nil {
			vn.fail(k, err)
		} else if vn.v.RefuseDefects && len(m.Defects()) > 0 {
			vn.fail(k, fmt.Errorf("%w: %s", ErrDefect, m.Defects()[0].Defect))
		} else {
			vn.results[k].Status = Pass
		}
	}
	for k := range vn.results {
		if !vn.item(k).examine {
			vn.fail(k, fmt.Errorf("%w: the message has %d", ErrNotExamined, vn.total))
		}
	}
	if vn.done != nil {
		vn.done()
	}
	assignB(vn.results)
	for k := range vn.results {
		r := &vn.results[k]
		if r.Status != Pass || vn.v.Policy == nil {
			continue
		}
		if err := vn.v.Policy(*r); err != nil {
			vn.fail(k, fmt.Errorf("%w: %w", ErrPolicy, err))
		}
	}
	return vn.results
}

func (vn *Verification) fail(k int, err error) {
	r := &vn.results[k]
	r.Err = err
	r.Status = statusOf(err)
	if r.Status == Fail && r.Testing {
		r.Status = Neutral
	}
}

// examine verifies one signature, in the order of RFC 6376, sections 6.1.1 to 6.1.3.
func (vn *Verification) examine(k int, m *message.Message) error {
	it, r := vn.item(k), &vn.results[k]
	if it.err != nil {
		return it.err
	}
	key, err := vn.key(it, r)
	if err != nil {
		return err
	}
	if err := vn.body(it, r, m); err != nil {
		return err
	}
	if it.outcome = vn.crypto(k, &key.Record); it.outcome != nil {
		return it.outcome
	}
	if it.msg.Length >= 0 && !vn.v.AllowBodyLength {
		return ErrBodyLength
	}
	return nil
}

// key gets the key of a signature and judges whether it may be used (RFC 6376, section 6.1.2).
func (vn *Verification) key(it *item, r *Result) (*sig.Published, error) {
	key := vn.keyOf(it.keyName)
	if !key.fetched {
		key.fetched = true
		key.published = sig.Fetch(vn.ctx, vn.scope, key.name, sig.Bounds{Min: vn.v.MinRSABits, Max: vn.v.MaxRSABits})
		if f := vn.v.KeyPolicy; f != nil && key.published.Err == nil {
			key.policy = f(key.published.Record.Key)
		}
	}
	p := &key.published
	r.Record = Record(p.Record)
	r.KeyBits, r.Weak, r.Testing = p.Record.Bits, p.Record.Weak(), p.Record.Testing
	r.Chain, r.Authenticated = p.Chain, p.Authentic
	if err := p.For(it.key.Algorithm); err != nil {
		return nil, exported(err)
	}
	if p.Record.Strict && it.identity != it.key.Domain {
		return nil, ErrKeyStrict
	}
	if key.policy != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyPolicy, key.policy)
	}
	if p.Record.Testing && vn.v.IgnoreTesting {
		return nil, ErrKeyTesting
	}
	return p, nil
}

// body compares the body hash (RFC 6376, section 6.1.3, step 3).
func (vn *Verification) body(it *item, r *Result, m *message.Message) error {
	if m == nil {
		return ErrNoBodyDigest
	}
	d, ok := m.BodyDigest(message.BodyHash{
		Canonicalization: it.msg.Body,
		Hash:             it.key.Algorithm.Hash(),
		Length:           it.msg.Length,
	})
	switch {
	case !ok:
		return ErrNoBodyDigest
	case it.msg.Length > d.Canonical:
		return fmt.Errorf("%w: %d of %d octets", ErrBodyTooShort, it.msg.Length, d.Canonical)
	case !bytes.Equal(d.Sum, it.msg.BodyHash):
		return ErrBodyHash
	}
	if it.msg.Length >= 0 {
		r.Coverage.UncoveredOctets = d.Canonical - it.msg.Length
	}
	return nil
}

// crypto verifies the signature itself. A copy of a signature that was
// verified before costs nothing: eight copies of one good field are a cheap
// way to make a receiver work.
func (vn *Verification) crypto(k int, rec *sig.Record) error {
	it := vn.item(k)
	it.digest = vn.forms.Sum(it.fields(), it.msg.Header, it.key.Algorithm.Hash(), vn.results[k].Field, it.key.Start, it.key.End)
	for j := range vn.results {
		o := vn.item(j)
		if o.hashed && o.keyName == it.keyName && o.key.Algorithm == it.key.Algorithm &&
			o.digest == it.digest && bytes.Equal(o.key.Data, it.key.Data) {
			return o.outcome
		}
	}
	it.hashed = true
	return exported(sig.Verify(rec, it.key.Algorithm, it.digest[:it.key.Algorithm.Hash().Size()], it.key.Data))
}
