// Package keys holds the private keys that outgoing mail is signed with and
// forwarded mail is sealed with.
package keys

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/message"
)

// Ring is a set of keys. It is immutable; a reload makes another one, whole or not at all.
type Ring struct {
	signers map[string][]dkim.Signer // by domain
	sealer  *arc.Sealer
}

// Load reads the key files of a configuration. It fails if any of them cannot be used.
func Load(c *config.Config) (*Ring, error) {
	r := &Ring{signers: map[string][]dkim.Signer{}}
	for _, k := range c.Signing.Keys {
		key, err := read(k)
		if err != nil {
			return nil, err
		}
		d := strings.ToLower(k.Domain)
		r.signers[d] = append(r.signers[d], dkim.Signer{Domain: d, Selector: k.Selector, Key: key})
	}
	if k := c.Sealing.Key; k.File != "" {
		key, err := read(k)
		if err != nil {
			return nil, err
		}
		r.sealer = &arc.Sealer{Domain: k.Domain, Selector: k.Selector, Key: key}
	}
	return r, nil
}

// trial is a message that any key can sign.
const trial = "From: postmaster@%s\r\n\r\n"

// read reads a key and tries it: a name that cannot stand in a signature is found now
// and not with the first mail.
func read(k config.Key) (*dkim.Key, error) {
	text, err := os.ReadFile(k.File)
	if err != nil {
		return nil, err
	}
	key, err := dkim.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.File, err)
	}
	s := dkim.Signer{Domain: k.Domain, Selector: k.Selector, Key: key}
	if _, err := dkim.Sign(strings.NewReader(fmt.Sprintf(trial, k.Domain)), s); err != nil {
		return nil, fmt.Errorf("key %s of %s: %w", k.Selector, k.Domain, err)
	}
	return key, nil
}

// ErrNoKey: there is no key for the author's domain nor for one above it.
var ErrNoKey = errors.New("no key for the author's domain")

// For returns the signers for an author domain: all keys of that domain, or else of
// the closest domain above it that has any.
func (r *Ring) For(author string) []dkim.Signer {
	for d := strings.ToLower(author); d != ""; {
		if s := r.signers[d]; len(s) > 0 {
			return s
		}
		_, d, _ = strings.Cut(d, ".")
	}
	return nil
}

// BodyHashes lists what has to be digested to sign with these.
func BodyHashes(signers []dkim.Signer) []message.BodyHash {
	var out []message.BodyHash
	for i := range signers {
		out = append(out, signers[i].BodyHash())
	}
	return out
}

// Sealer seals forwarded mail; nil if there is no key for it.
func (r *Ring) Sealer() *arc.Sealer { return r.sealer }

// Len is the number of keys that sign.
func (r *Ring) Len() int {
	n := 0
	for _, s := range r.signers {
		n += len(s)
	}
	return n
}
