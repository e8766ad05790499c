package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/internal/address"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/internal/suffix"
	"github.com/seed2385d973/mailauth/message"
)

// job is a Signer that was found fit to sign.
type job struct {
	*Signer
	domain       domain.Name
	selector     domain.Name
	identity     string // encoded
	header, body message.Canonicalization
	algorithm    sig.Algorithm
	public       crypto.PublicKey
	bits         int
	own          bool // the private key is here, not in a device
}

func signMessage(m *message.Message, signers []Signer) (string, error) {
	if len(signers) == 0 {
		return "", ErrNoSigner
	}
	jobs := make([]job, len(signers))
	for i := range signers {
		j, err := signers[i].prepare()
		if err != nil {
			return "", fmt.Errorf("selector %q of %q: %w", signers[i].Selector, signers[i].Domain, err)
		}
		jobs[i] = j
	}
	authors, err := authors(m)
	if err != nil {
		return "", err
	}
	for i := range jobs {
		if err := jobs[i].permits(authors); err != nil {
			return "", err
		}
	}
	header := sig.NewHeader(m.Header())
	var out strings.Builder
	for _, a := range [...]sig.Algorithm{sig.RSASHA256, sig.Ed25519SHA256} {
		for i := range jobs {
			if jobs[i].algorithm != a {
				continue
			}
			field, err := jobs[i].sign(m, &header)
			if err != nil {
				return "", fmt.Errorf("selector %s of %s: %w", jobs[i].selector, jobs[i].domain, err)
			}
			out.WriteString(field)
		}
	}
	return out.String(), nil
}

// prepare checks the configuration: what a verifier refuses is not signed.
func (s *Signer) prepare() (job, error) {
	j := job{Signer: s}
	var err error
	if j.domain, err = domain.Parse(s.Domain); err == nil && j.domain.Labels() < 2 {
		err = fmt.Errorf("one label")
	}
	if err != nil {
		return j, fmt.Errorf("%w: %w", ErrDomain, err)
	}
	if suffix.List(s.PublicSuffix).Is(j.domain) {
		return j, ErrPublicSuffix
	}
	if j.selector, err = domain.ParseSelector(s.Selector); err != nil {
		return j, fmt.Errorf("%w: %w", ErrSelector, err)
	}
	if _, err := sig.KeyName(j.selector, j.domain); err != nil {
		return j, fmt.Errorf("%w: %w", ErrSelector, err)
	}
	if j.identity, err = encodeIdentity(s.Identity, j.domain); err != nil {
		return j, err
	}
	if j.header, j.body, err = s.canonicalization(); err != nil {
		return j, err
	}
	return j, j.useKey()
}

// canonicalization reads c= by the rules of RFC 6376, section 3.5.
func (s *Signer) canonicalization() (header, body message.Canonicalization, err error) {
	header, body, ok := sig.Canonicalizations(s.Canonicalization)
	if !ok {
		err = ErrCanonicalization
	}
	return header, body, err
}

// useKey finds the algorithm for a key and refuses one that no verifier accepts.
func (j *job) useKey() error {
	key := j.Key
	if k, ok := key.(*Key); ok && k != nil {
		key = k.private
	}
	switch k := key.(type) {
	case nil:
		return ErrNoPrivateKey
	case *Key:
		return ErrNoPrivateKey
	case *rsa.PrivateKey:
		if k == nil {
			return ErrNoPrivateKey
		}
		j.own = true
	case ed25519.PrivateKey:
		if len(k) != ed25519.PrivateKeySize {
			return fmt.Errorf("%w: an Ed25519 private key has %d octets", ErrKeyUnsafe, ed25519.PrivateKeySize)
		}
		j.own = true
	}
	j.public = key.Public()
	var err error
	j.algorithm, j.bits, err = judgeKey(j.public)
	return err
}

// judgeKey is what a verifier with default limits says of a public key.
func judgeKey(public crypto.PublicKey) (a sig.Algorithm, bits int, err error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if k == nil || k.N == nil || k.N.Sign() <= 0 || k.E <= 0 {
			return 0, 0, ErrKeyUnsafe
		}
		bits, err = sig.CheckRSA(k.N.Bytes(), big.NewInt(int64(k.E)).Bytes(), sig.Bounds{})
		return sig.RSASHA256, bits, exported(err)
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			return 0, 0, fmt.Errorf("%w: an Ed25519 public key has %d octets", ErrKeyUnsafe, ed25519.PublicKeySize)
		}
		return sig.Ed25519SHA256, 256, exported(sig.CheckEd25519(k))
	}
	return 0, 0, fmt.Errorf("%w: %T is neither RSA nor Ed25519", ErrKeyType, public)
}

// authors returns whom the message says it is from, or why nobody can tell.
func authors(m *message.Message) ([]address.Mailbox, error) {
	h := m.Header()
	fields := h.All("From")
	switch {
	case len(fields) == 0:
		return nil, ErrFromMissing
	case len(fields) > 1:
		return nil, ErrFromRepeated
	}
	if all := m.Defects(); len(all) > 0 {
		names := make([]string, len(all))
		for i, f := range all {
			names[i] = string(f.Defect)
		}
		return nil, fmt.Errorf("%w: %s", ErrDefect, strings.Join(names, ", "))
	}
	list, flags, err := address.Parse(nil, h.Field(fields[0]).Value())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFromSyntax, err)
	}
	if flags.Has(address.EncodedWord) {
		// Legal, and there are mail programs that decode it and show another address.
		return nil, fmt.Errorf("%w: encoded-word in an address", ErrFromSyntax)
	}
	return list, nil
}

func (j *job) permits(authors []address.Mailbox) error {
	if len(authors) > 1 && !j.AllowSeveralAuthors {
		return ErrFromAddresses
	}
	for _, a := range authors {
		// Below a public suffix everybody has a domain: none of them is the suffix's.
		above := j.domain.IsBelow(a.Domain) && !suffix.List(j.PublicSuffix).Is(a.Domain)
		if !j.AllowThirdParty && !above && !a.Domain.IsWithin(j.domain) {
			return fmt.Errorf("%w: %s, d=%s", ErrAuthorDomain, a.Domain, j.domain)
		}
	}
	return nil
}

// The defaults in lower case, which is how h= has them.
var (
	lowerAlways = [...]string{"from", "to", "cc", "subject", "date", "reply-to", "message-id",
		"mime-version", "content-type", "content-transfer-encoding", "content-disposition",
		"in-reply-to", "references"}
	lowerIfPresent = [...]string{"list-unsubscribe", "list-unsubscribe-post", "bimi-selector"}
)

// names returns h=.
func (j *job) names(h *message.Header) ([]string, error) {
	list := make([]string, 0, 32)
	add := func(name string, times int) error {
		if !sig.IsFieldName(name) {
			return fmt.Errorf("%w: %q", ErrHeaderNames, name)
		}
		if sig.IsReceiverField(name) {
			return fmt.Errorf("%w: %s must not be signed", ErrHeaderNames, name)
		}
		for name = strings.ToLower(name); times > 0 && len(list) <= sig.MaxNames; times-- {
			list = append(list, name)
		}
		return nil
	}
	count := func(name string) int { return len(h.All(name)) }
	switch {
	case j.Fields != nil:
		for _, name := range j.Fields {
			if err := add(name, 1); err != nil {
				return nil, err
			}
		}
		if !names(list, "from") {
			return nil, ErrFromNotSigned
		}
	default:
		always, ifPresent := j.Always, j.IfPresent
		if always == nil {
			always = lowerAlways[:]
		}
		if ifPresent == nil {
			ifPresent = lowerIfPresent[:]
		}
		if !names(always, "from") {
			if err := add("from", count("from")+1); err != nil {
				return nil, err
			}
		}
		for i, name := range always {
			if names(always[:i], name) {
				continue
			}
			if err := add(name, count(name)+1); err != nil {
				return nil, err
			}
		}
		for i, name := range ifPresent {
			if names(always, name) || names(ifPresent[:i], name) || strings.EqualFold(name, "from") {
				continue
			}
			if err := add(name, count(name)); err != nil {
				return nil, err
			}
		}
	}
	if len(list) > sig.MaxNames {
		return nil, fmt.Errorf("%w: more than %d names", ErrHeaderNames, sig.MaxNames)
	}
	return list, nil
}

func (j *job) sign(m *message.Message, header *sig.Header) (string, error) {
	digest, ok := m.BodyDigest(j.BodyHash())
	if !ok {
		return "", ErrNoBodyDigest
	}
	names, err := j.names(m.Header())
	if err != nil {
		return "", err
	}
	t, x, err := j.times()
	if err != nil {
		return "", err
	}
	w := newFieldWriter("DKIM-Signature:")
	w.tag("v=1")
	w.tag("a=" + j.algorithm.String())
	w.tag("c=" + j.header.String() + "/" + j.body.String())
	w.tag("d=" + j.domain.String())
	w.tag("s=" + j.selector.String())
	if j.identity != "" {
		w.text("i=", j.identity)
	}
	w.tag("t=" + t)
	if x != "" {
		w.tag("x=" + x)
	}
	w.list("h=", names)
	w.data("bh=", base64.StdEncoding.EncodeToString(digest.Sum))
	w.begin("b=")
	if len(w.buf) > sig.MaxField-2048 { // leaves room for the largest signature
		return "", fmt.Errorf("%w: too long for a field", ErrHeaderNames)
	}

	// The field enters its own hash without the value of b=, which is empty yet.
	one, err := message.ParseHeader(append(w.buf, "\r\n"...))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrHeaderNames, err)
	}
	self := one.Field(0)
	end := len(self.Value())
	fields := header.Select(make([]int, 0, len(names)), names, -1)
	sum := header.SumField(fields, j.header, j.algorithm.Hash(), self, end, end)
	signature, err := j.signature(sum[:j.algorithm.Hash().Size()])
	if err != nil {
		return "", err
	}
	w.value(base64.StdEncoding.EncodeToString(signature))
	return w.end(), nil
}

// times returns t= and x=.
func (j *job) times() (t, x string, err error) {
	now := time.Now
	if j.Now != nil {
		now = j.Now
	}
	at := now()
	seconds := at.Unix()
	if seconds < 0 || seconds > maxTime {
		return "", "", fmt.Errorf("%w: the clock says %s", ErrTime, at)
	}
	t = strconv.FormatInt(seconds, 10)
	if j.Expires == 0 {
		return t, "", nil
	}
	end := at.Add(j.Expires).Unix()
	if end <= seconds || end > maxTime {
		return "", "", fmt.Errorf("%w: x= is not after t=", ErrTime)
	}
	return t, strconv.FormatInt(end, 10), nil
}

// maxTime is what 1*12DIGIT can say (RFC 6376, section 3.5).
const maxTime = 999_999_999_999

// signature signs the hash: RSASSA-PKCS1-v1_5, or Ed25519 over the hash itself
// (RFC 8463, section 3).
func (j *job) signature(sum []byte) ([]byte, error) {
	var opts crypto.SignerOpts = crypto.Hash(0)
	if j.algorithm == sig.RSASHA256 {
		opts = crypto.SHA256
	}
	signature, err := j.Key.Sign(rand.Reader, sum, opts)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	// A key that lies in a device or a cloud was configured apart from its public
	// half. For one in memory the check would cost more than it is worth:
	// crypto/rsa makes it itself, and an Ed25519 key holds both halves.
	if !j.own {
		r := sig.Record{Key: j.public, Bits: j.bits}
		if sig.Verify(&r, j.algorithm, sum, signature) != nil {
			return nil, ErrKeyMismatch
		}
	}
	return signature, nil
}
