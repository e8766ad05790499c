package dkim

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/lookup"
	"github.com/seed2385d973/mailauth/internal/sig"
)

// Severity says how much a finding matters.
type Severity string

// The severities.
const (
	Broken  Severity = "error"   // does not work: no verifier accepts it, or anybody can abuse it
	Warning Severity = "warning" // works, and should be changed
	Note    Severity = "note"    // worth knowing
)

// FindingKind says what [CheckKey] found.
type FindingKind string

// The kinds.
const (
	KeyUnavailable FindingKind = "unavailable"   // Broken: the DNS did not answer; ask again
	KeyMissing     FindingKind = "missing"       // Broken: no key record under the name
	KeySeveral     FindingKind = "several"       // Broken: more than one key record (decision 24)
	KeyMalformed   FindingKind = "malformed"     // Broken: RFC 6376, section 3.6.1
	KeyRevoked     FindingKind = "revoked"       // Broken: p= is empty
	KeyOther       FindingKind = "other_key"     // Broken: not the public half of the key that signs
	KeyShort       FindingKind = "short"         // Broken: an RSA key under 1024 bits (RFC 8301, section 3.2)
	KeyUnusable    FindingKind = "unusable"      // Broken: over 4096 bits, or unsafe (decision 23)
	KeyForbids     FindingKind = "forbids"       // Broken: h=, s= or k= of the record keep it from verifying mail
	KeyWeak        FindingKind = "weak"          // Warning: an RSA key under 2048 bits (RFC 8301, section 3.2)
	KeyTesting     FindingKind = "testing"       // Warning: t=y (RFC 6376, section 3.6.1)
	KeyForeign     FindingKind = "foreign_text"  // Warning: TXT records that are no key under the name
	KeyNoVersion   FindingKind = "no_version"    // Note: no v=DKIM1 (recommended by RFC 6376, section 3.6.1)
	KeyStrict      FindingKind = "strict"        // Note: t=s, i= has to be exactly d=
	KeyDelegated   FindingKind = "delegated"     // Note: a CNAME leads to the key
	KeyRSAMissing  FindingKind = "rsa_advisable" // Note: an Ed25519 key, which several large receivers do not know
)

// Finding is something about a published key that its owner should know.
type Finding struct {
	Kind     FindingKind `json:"kind"`
	Severity Severity    `json:"severity"`
	Detail   string      `json:"detail"` // what was found, for people
	Fix      string      `json:"fix"`    // what to do about it
}

// KeyCheck is what [CheckKey] found out. The zero value says nothing.
type KeyCheck struct {
	Name      string   // where the key is looked for: absolute, in A-labels
	Published []string // the key records found, their text as it is: a stranger's
	Record    Record   // the key, where there is one record that can be read
	Chain     []string // CNAME targets followed
	Findings  []Finding
	// Err says why no signature can pass, as a verifier with default settings
	// would; nil if the key can be used. It does not say whether it is the right one.
	Err error
}

// OK reports whether mail that is signed will pass: no finding is [Broken].
func (c KeyCheck) OK() bool {
	return c.Name != "" && !slices.ContainsFunc(c.Findings, func(f Finding) bool { return f.Severity == Broken })
}

// CheckKey looks up a key as a verifier does and judges it: is it there, can it be
// used, is it strong enough, is it the public half of the key that signs. public is
// that half, an *rsa.PublicKey or an ed25519.PublicKey; nil leaves the comparison
// out. It is for a signer that starts, and for whoever has just published a key.
func CheckKey(ctx context.Context, r dnsutil.Resolver, domain, selector string, public crypto.PublicKey) KeyCheck {
	var c KeyCheck
	name, err := keyName(selector, domain)
	if err != nil {
		c.Err = err
		c.add(KeyMissing, Broken, err.Error(), "use a selector and a domain that are legal names")
		return c
	}
	c.Name = name.Absolute()
	sc, done := lookup.For(ctx, r, 4)
	defer done()
	p := sig.Fetch(ctx, sc, name, sig.Bounds{})
	c.Err, c.Chain, c.Record = exported(p.Err), p.Chain, Record(p.Record)
	if p.Err == nil || !sig.Temporary(p.Err) {
		ans, _ := sc.Ask(ctx, name, dnsutil.TypeTXT) // asked once, answered twice
		foreign := 0
		for _, text := range ans.TXT {
			if sig.IsRecord(text) {
				c.Published = append(c.Published, text)
			} else {
				foreign++
			}
		}
		if foreign > 0 {
			c.add(KeyForeign, Warning, fmt.Sprintf("%d TXT records under the name are no key records", foreign),
				"remove them, or look for a wildcard record that answers here; some verifiers are confused by them")
		}
	}
	if len(c.Chain) > 0 {
		c.add(KeyDelegated, Note, "the key is at "+c.Chain[len(c.Chain)-1],
			"whoever controls that name can sign as the domain; keep it only while you trust them")
	}
	if c.Err != nil {
		c.broken()
	}
	if c.Record.KeyType != "" {
		c.judge(public)
	}
	return c
}

func (c *KeyCheck) add(k FindingKind, s Severity, detail, fix string) {
	c.Findings = append(c.Findings, Finding{k, s, detail, fix})
}

// broken explains why verifiers cannot use the key.
func (c *KeyCheck) broken() {
	const remake = "make a new key of 2048 bits, under a new selector"
	detail := c.Err.Error()
	switch is := func(target error) bool { return errors.Is(c.Err, target) }; {
	case is(ErrKeyUnavailable), is(ErrNoResolver), is(ErrBudget):
		c.add(KeyUnavailable, Broken, detail, "ask again later; if it lasts, the servers of the zone are at fault")
	case is(ErrNoKey):
		c.add(KeyMissing, Broken, detail, "publish the record as TXT at "+c.Name)
	case is(ErrMultipleKeys):
		c.add(KeySeveral, Broken, detail, "remove all but one; each key has a selector of its own")
	case is(ErrKeyRevoked):
		c.add(KeyRevoked, Broken, detail, "sign with another selector; a revoked one is not used again")
	case is(ErrKeyShort):
		c.add(KeyShort, Broken, detail, remake)
	case is(ErrKeyLong), is(ErrKeyUnsafe):
		c.add(KeyUnusable, Broken, detail, remake)
	case is(ErrKeyService), is(ErrKeyType):
		c.add(KeyForbids, Broken, detail, "publish the record without s=, and with k=rsa or k=ed25519")
	default:
		c.add(KeyMalformed, Broken, detail,
			"publish exactly the text that was generated; common faults are lost quotes, a line break in p=, a missing semicolon, a record cut at 255 octets")
	}
}

// judge looks at what a record says.
func (c *KeyCheck) judge(public crypto.PublicKey) {
	r := &c.Record
	if r.Hashes != nil && !slices.Contains(r.Hashes, "sha256") {
		c.add(KeyForbids, Broken, "h="+strings.Join(r.Hashes, ":")+" leaves sha256 out", "publish the record without h=")
		if c.Err == nil {
			c.Err = ErrKeyHash
		}
	}
	if r.Version == "" {
		c.add(KeyNoVersion, Note, "the record has no v=DKIM1", "put v=DKIM1; in front")
	}
	if r.Testing {
		c.add(KeyTesting, Warning, "t=y says that the domain is testing DKIM", "take t=y out when signatures pass: a receiver may treat such mail as unsigned")
	}
	if r.Strict {
		c.add(KeyStrict, Note, "t=s demands that i= has exactly the domain d=", "take :s out only if i= shall name a subdomain")
	}
	if r.KeyType == "rsa" && r.Bits >= sig.MinRSABits && r.Bits < sig.WeakRSABits {
		c.add(KeyWeak, Warning, fmt.Sprintf("the RSA key has %d bits", r.Bits), "make a key of 2048 bits under a new selector, and revoke this one a week after the last mail with it")
	}
	if r.KeyType == "ed25519" && r.Key != nil {
		c.add(KeyRSAMissing, Note, "the key is Ed25519, which several large receivers cannot verify", "sign with an RSA key as well, under another selector")
	}
	if public != nil && r.Key != nil && !samePublic(r.Key, public) {
		c.add(KeyOther, Broken, "the published key is not the public half of the key that signs", "publish the record of that key, or sign with the key that belongs to this selector")
	}
}

func samePublic(a, b crypto.PublicKey) bool {
	switch k := a.(type) {
	case *rsa.PublicKey:
		return k.Equal(b)
	case ed25519.PublicKey:
		return k.Equal(b)
	}
	return false
}
