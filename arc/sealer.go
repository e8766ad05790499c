package arc

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/internal/suffix"
	"github.com/seed2385d973/mailauth/message"
)

// Sealer adds ARC sets to messages (RFC 8617, section 5.1). It is plain
// configuration, safe for concurrent use once it is not modified any more, if
// its Key is.
type Sealer struct {
	// Domain is d= and Selector is s= of both signatures; U-labels are converted.
	// The public key has to be published under selector._domainkey.domain.
	Domain, Selector string

	// Key signs both, with rsa-sha256 or ed25519-sha256; only its Public and Sign are
	// used. RSA keys have 1024 to 4096 bits, and should have 2048 (RFC 8301, section
	// 3.2). Few receivers verify Ed25519.
	Key crypto.Signer

	// Fields lists the fields that the ARC-Message-Signature covers, in the order
	// of h=. A name that stands more often than the field covers the absence of
	// another one. Nil means those of [DefaultFields] that the message has, every
	// DKIM-Signature field of it, and From once more. Authentication-Results and
	// ARC fields are refused (RFC 8617, section 4.1.2), and From is demanded. Refused
	// too are BIMI-Location, BIMI-Indicator and BIMI-Logo-Preference, which each receiver
	// takes off (BIMI, section 5.5).
	Fields []string

	// Canonicalization is c= of the ARC-Message-Signature. Empty means
	// "relaxed/relaxed", which survives most of what relays do.
	Canonicalization string

	// Now is the clock; nil is time.Now.
	Now func() time.Time

	order []string // of tags, with b= in one line: the public suite prescribes it
}

// DefaultFields lists the fields that an ARC-Message-Signature covers if nobody
// says otherwise, in lower case: what a reader sees and what decides how the body is
// read (RFC 6376, section 5.4.1), and the author's BIMI-Selector, for which a trusted
// chain may stand in where the author's signature broke (BIMI, section 5.5). Trace fields
// are not among them.
func DefaultFields() []string {
	return []string{
		"from", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references",
		"mime-version", "content-type", "content-transfer-encoding", "content-disposition",
		"list-id", "list-unsubscribe", "list-unsubscribe-post", "sender", "resent-from", "bimi-selector",
	}
}

// BodyHash returns the digest of the body that Seal needs, for
// message.Digester.Want: the body is read once for sealing, signing and everything
// else. A Sealer with an illegal Canonicalization needs none.
func (s *Sealer) BodyHash() message.BodyHash {
	_, body, err := s.canonicalization()
	if err != nil {
		return message.BodyHash{}
	}
	return message.BodyHash{Canonicalization: body, Hash: crypto.SHA256, Length: message.WholeBody}
}

// Seal returns the fields of a new set, complete with their CRLF, in the order in
// which they are to be put on top of the message: ARC-Seal,
// ARC-Message-Signature, ARC-Authentication-Results.
//
// m is the message as it leaves, all changes made, read by a Digester that
// wanted [Sealer.BodyHash]. above are the fields that have been put on top of it since it was
// read, first first, a DKIM-Signature for instance; sealing comes last (RFC 8617,
// section 5.1, step 1). chain is what a Verifier said of the message as it arrived,
// which is not the same: the change that a list makes breaks the newest signature of
// the chain. results are the results of this administrative domain, all of them in
// one field (RFC 8617, section 4.1.1); they are written from the values, and no
// text of the message is ever taken over.
//
// A chain that has failed is marked as such: the new seal says cv=fail and covers
// its own set only (RFC 8617, section 5.1.2), however malformed the other sets are.
//
// Seal refuses with ErrUncertain where the failure may be temporary or is due to
// a limit of ours (decision 16), with ErrChainEnded after a cv=fail, with
// ErrInstances after instance 50, and with ErrChainChanged where the ARC fields
// of m are not those that were validated, or above has some. ErrPrepend says that
// above is not whole fields, each with its CRLF.
func (s *Sealer) Seal(m *message.Message, chain Result, results authres.Header, above ...string) ([]string, error) {
	k, err := s.prepare()
	if err != nil {
		return nil, err
	}
	h := m.Header()
	if has(h, message.LeadingSpace) {
		return nil, ErrPrepend
	}
	onTop := strings.Join(above, "")
	if err := checkAbove(onTop); err != nil {
		return nil, err
	}
	instance, cv, err := next(&chain, h)
	if err != nil {
		return nil, err
	}
	w := writing{s: s, k: k, instance: instance, cv: cv}
	if w.results, err = w.writeResults(results); err != nil {
		return nil, err
	}
	digest, ok := m.BodyDigest(s.BodyHash())
	if !ok {
		return nil, ErrNoBodyDigest
	}
	if err := w.sign(h, digest.Sum, onTop); err != nil {
		return nil, err
	}
	if err := w.seal(h); err != nil {
		return nil, err
	}
	return []string{w.sealed, w.signature, w.results}, nil
}

// checkAbove refuses text that is not whole fields, which would make others of the
// fields below it or end the header, and ARC fields, which nobody has validated.
func checkAbove(text string) error {
	if text == "" {
		return nil
	}
	h, err := message.ParseHeader([]byte(text))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrPrepend, err)
	case !strings.HasSuffix(text, "\r\n") || len(h.Bytes()) != len(text) ||
		has(h, message.LeadingSpace, message.NoColon, message.BareLF, message.BareCR):
		return fmt.Errorf("%w: above is not whole fields", ErrPrepend)
	case present(h):
		return fmt.Errorf("%w: above has some", ErrChainChanged)
	}
	return nil
}

// has reports whether a header has one of these defects.
func has(h *message.Header, defects ...message.Defect) bool {
	return slices.ContainsFunc(h.Findings(), func(f message.Finding) bool { return slices.Contains(defects, f.Defect) })
}

// next decides the instance and cv= of the new set (RFC 8617, section 5.1, steps 2 and 3).
func next(chain *Result, h *message.Header) (instance int, cv authres.Status, err error) {
	switch {
	case !chain.validated:
		return 0, "", ErrNotValidated
	case chain.Status == Fail && (chain.Temporary() || ours(chain)):
		return 0, "", fmt.Errorf("%w: %w", ErrUncertain, chain.Err)
	case chain.chain != nil && chain.chain.ended:
		return 0, "", ErrChainEnded
	}
	highest := 0
	switch chain.Status {
	case None:
		if present(h) {
			return 0, "", fmt.Errorf("%w: there were none", ErrChainChanged)
		}
	case Pass:
		if !chain.same(h) {
			return 0, "", ErrChainChanged
		}
		highest = chain.Instance
	default:
		highest = max(chain.Instance, highestOf(h))
	}
	if highest >= maxInstance {
		return 0, "", ErrInstances
	}
	return highest + 1, chain.Status, nil
}

// ours reports whether a chain failed only by a limit of the validator.
func ours(r *Result) bool {
	switch r.Code() {
	case "ErrSetLimit", "ErrBudget", "ErrNoBodyDigest":
		return true
	}
	return false
}

// highestOf returns the highest instance of a header, of however many sets.
func highestOf(h *message.Header) int {
	highest := 0
	for _, name := range [...]string{sealName, signatureName} {
		for _, i := range h.All(name) {
			_, tags := sig.NewReader(nil, h.Field(i).Value(), h.Internationalized())
			if n, err := readInstance(tags); err == nil {
				highest = max(highest, n)
			}
		}
	}
	for _, i := range h.All(resultsName) {
		if n, _, err := readResults(h.Field(i).Value()); err == nil {
			highest = max(highest, n)
		}
	}
	return highest
}

// same reports whether a header has the sets of the chain and no other ARC field,
// up to what the relaxed canonicalization lets a relay change.
func (r *Result) same(h *message.Header) bool {
	c := collect(h, maxInstance)
	if c.err != nil || len(c.sets) != len(r.chain.sets) {
		return false
	}
	var a, b []byte
	equal := func(i, j int) bool {
		a = r.header.Field(i).AppendCanonical(a[:0], message.Relaxed)
		b = h.Field(j).AppendCanonical(b[:0], message.Relaxed)
		return string(a) == string(b)
	}
	for k := range c.sets {
		x, y := &r.chain.sets[k], &c.sets[k]
		if !equal(x.results, y.results) || !equal(x.signature, y.signature) || !equal(x.seal, y.seal) {
			return false
		}
	}
	return true
}

// prepared is a Sealer's configuration, checked.
type prepared struct {
	domain, selector domain.Name
	algorithm        sig.Algorithm
	header, body     message.Canonicalization
	now              int64
}

func (s *Sealer) prepare() (k prepared, err error) {
	if k.domain, err = domain.Parse(s.Domain); err != nil {
		return k, fmt.Errorf("%w: %w", ErrDomain, err)
	}
	if k.domain.Labels() < 2 || suffix.Is(k.domain) {
		return k, ErrPublicSuffix
	}
	if k.selector, err = domain.ParseSelector(s.Selector); err == nil {
		_, err = sig.KeyName(k.selector, k.domain)
	}
	if err != nil {
		return k, fmt.Errorf("%w: %w", ErrSelector, err)
	}
	if s.Key == nil {
		return k, ErrKey
	}
	switch key := s.Key.(type) {
	case *rsa.PrivateKey:
		if key == nil {
			return k, ErrKey
		}
	case ed25519.PrivateKey:
		if len(key) != ed25519.PrivateKeySize {
			return k, fmt.Errorf("%w: an Ed25519 private key has %d octets", ErrKeyUnsafe, ed25519.PrivateKeySize)
		}
	}
	if k.algorithm, err = sig.AlgorithmOf(s.Key.Public()); err != nil {
		return k, exported(err)
	}
	if k.header, k.body, err = s.canonicalization(); err != nil {
		return k, err
	}
	now := s.Now
	if now == nil {
		now = time.Now
	}
	at := now()
	if k.now = at.Unix(); k.now < 0 || k.now > maxTime {
		return k, fmt.Errorf("%w: the clock says %s", ErrTime, at)
	}
	return k, s.checkFields()
}

// maxTime is what 1*12DIGIT can say (RFC 6376, section 3.5).
const maxTime = 999_999_999_999

// canonicalization reads c= by the rules of RFC 6376, section 3.5.
func (s *Sealer) canonicalization() (header, body message.Canonicalization, err error) {
	header, body, ok := sig.Canonicalizations(s.Canonicalization)
	if !ok {
		err = fmt.Errorf("%w: %q", ErrCanonicalization, s.Canonicalization)
	}
	return header, body, err
}

func (s *Sealer) checkFields() error {
	if s.Fields == nil {
		return nil
	}
	if len(s.Fields) > sig.MaxNames {
		return ErrHeaderNames
	}
	from := false
	for _, n := range s.Fields {
		switch low := strings.ToLower(n); {
		case low == "from":
			from = true
		case low == "authentication-results", strings.HasPrefix(low, "arc-"), sig.IsReceiverField(n):
			return fmt.Errorf("%w: %s must not be signed", ErrHeaderNames, n)
		case !fieldName(n):
			return fmt.Errorf("%w: %q", ErrHeaderNames, n)
		}
	}
	if !from {
		return ErrFromNotSigned
	}
	return nil
}

// fieldName: field-name of RFC 5322, section 3.6.8, without the semicolon that
// no tag value can hold.
func fieldName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == ':' || c == ';' {
			return false
		}
	}
	return s != ""
}
