package dkim

import (
	"crypto"
	"io"
	"time"

	"github.com/seed2385d973/mailauth/message"
)

// Signer says who signs, with which key, and what. Domain, Selector and Key must
// be set; the zero value of everything else is what a mail operator would choose.
// It is plain configuration: it may be copied, and is safe for concurrent use
// once it is not modified any more, if Key is.
//
// It signs what is complete: every change to the message, a Date or Message-ID
// added, a line end converted, comes before (RFC 6376, section 5.5).
type Signer struct {
	// Domain is d=, the domain that takes responsibility: the author's, as DMARC
	// wants it, and not that of MAIL FROM. It may have U-labels; A-labels are written.
	Domain string

	// Selector is s=: the key is published under Selector._domainkey.Domain.
	Selector string

	// Key signs: an *rsa.PrivateKey, an ed25519.PrivateKey, a [Key], or anything
	// of which Public returns the public half of an RSA or Ed25519 key. Only Public
	// and Sign are used. The algorithm, rsa-sha256 or ed25519-sha256, is the key's.
	// RSA keys have 1024 to 4096 bits: what every verifier must support (RFC 8301,
	// section 3.2), which also says that a signer should use no less than 2048.
	Key crypto.Signer

	// Identity is i=, an address, or "@" and a domain, of Domain or below it.
	// Empty leaves it out: verifiers then read "@" and Domain.
	Identity string

	// Canonicalization is c= as it is written there, header before body; empty
	// is "relaxed/relaxed", which survives what relays do to white space.
	Canonicalization string

	// Always lists the fields that are signed and over-signed: h= names each
	// once more than the header has it, so that none can be added without
	// breaking the signature (RFC 6376, section 5.4, last paragraph). Nil is
	// [DefaultAlways]. From is over-signed in any case.
	Always []string

	// IfPresent lists the fields of which all that are there are signed. Nil is
	// [DefaultIfPresent].
	IfPresent []string

	// Fields, if not nil, is h= itself, and Always and IfPresent are not looked
	// at: names in this order, each as often as it shall be there. From must be
	// among them (RFC 6376, section 5.4).
	//
	// BIMI-Location, BIMI-Indicator and BIMI-Logo-Preference are refused in all three
	// lists with ErrHeaderNames: each receiver takes them off and writes its own
	// (BIMI, section 5.5). BIMI-Selector is the author's, and has to be signed.
	Fields []string

	// Expires is how long after t= the signature is good: x= is their sum. Zero
	// leaves x= out. Mail may be on its way for a week.
	Expires time.Duration

	// Now is the clock of t=, asked once a message; nil is time.Now. With the same
	// clock the same message gets the same octets.
	Now func() time.Time

	// AllowThirdParty signs also where the author's domain is neither Domain nor
	// above or below it. Such a signature is no help to the author under DMARC,
	// and vouches for mail that a stranger has written.
	AllowThirdParty bool

	// AllowSeveralAuthors signs a From field with several addresses, each of which
	// must be of the domain. Mail programs show the first, so that somebody who
	// may write with one of the addresses speaks with the voice of another.
	AllowSeveralAuthors bool

	// PublicSuffix is as in [Verifier]: such a domain cannot sign.
	PublicSuffix func(domain string) bool
}

// DefaultAlways returns the fields that a [Signer] over-signs by default: those
// that a mail program shows or that decide how the body is read (RFC 6376,
// section 5.4.1; RFC 6376, section 8.15). A field that is added where relays and
// mailing lists work (Sender, Received, List-Id, Authentication-Results) is not
// among them. The slice is the caller's.
func DefaultAlways() []string {
	return []string{
		"From", "To", "Cc", "Subject", "Date", "Reply-To", "Message-ID",
		"MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
		"In-Reply-To", "References",
	}
}

// DefaultIfPresent returns the fields that a [Signer] signs by default where
// they are. RFC 8058, section 4 wants the first two covered, and receivers follow
// BIMI-Selector only if an aligned signature covers it (BIMI, section 5.5). It is not
// over-signed: one that somebody adds on the way is ignored, at worst no logo is
// shown, while a broken signature can cost the message. The slice is the caller's.
func DefaultIfPresent() []string {
	return []string{"List-Unsubscribe", "List-Unsubscribe-Post", "BIMI-Selector"}
}

// BodyHash returns the digest of the body that the Signer needs, for
// message.Digester.Want. A Signer with an illegal Canonicalization needs none.
func (s *Signer) BodyHash() message.BodyHash {
	_, body, err := s.canonicalization()
	if err != nil {
		return message.BodyHash{}
	}
	return message.BodyHash{Canonicalization: body, Hash: crypto.SHA256, Length: message.WholeBody}
}

// BodyHashes returns what all of the signers need: message.Digester.Want.
func BodyHashes(signers ...Signer) []message.BodyHash {
	list := make([]message.BodyHash, 0, len(signers))
	for i := range signers {
		list = append(list, signers[i].BodyHash())
	}
	return list
}

// Sign returns the DKIM-Signature field for a message, with its CRLF, to be put
// on top of it. The message must have been read with a message.Digester whose
// Want had [Signer.BodyHash]. On error, a constant of this package, there is no field.
func (s *Signer) Sign(m *message.Message) (field string, err error) {
	return SignMessage(m, *s)
}

// SignMessage returns the DKIM-Signature fields of several signers for one
// message that was read, as [Signer.Sign] does for one. RSA signatures stand on
// top, then Ed25519 ones, each in the order given: there are receivers that know
// RSA alone and look at the first signature (RFC 8463, section 3 wants both).
// Either all signers sign or none.
func SignMessage(m *message.Message, signers ...Signer) (fields string, err error) {
	return signMessage(m, signers)
}

// Sign reads a message, CRLF at its line ends, and returns the DKIM-Signature
// fields to put on top of it: one pass for all signers, in memory that does not
// depend on the body. See [SignMessage]. An error of r is returned as it is.
func Sign(r io.Reader, signers ...Signer) (fields string, err error) {
	d := message.Digester{Want: BodyHashes(signers...)}
	if _, err := d.ReadFrom(r); err != nil {
		return "", err
	}
	m, err := d.Finish()
	if err != nil {
		return "", err
	}
	return signMessage(m, signers)
}
