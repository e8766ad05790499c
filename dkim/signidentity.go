package dkim

import (
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/internal/address"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/message"
)

// encodeIdentity writes i= in dkim-quoted-printable (RFC 6376, section 2.11),
// its domain in A-labels, after the checks that a verifier makes.
func encodeIdentity(s string, d domain.Name) (string, error) {
	if s == "" {
		return "", nil
	}
	at := localPart(s)
	if at < 0 {
		return "", fmt.Errorf("%w: %q", ErrIdentity, s)
	}
	if at > address.MaxLocalPart {
		return "", fmt.Errorf("%w: local part over %d octets", ErrIdentity, address.MaxLocalPart)
	}
	n, err := domain.Parse(s[at+1:])
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	if !n.IsWithin(d) {
		return "", fmt.Errorf("%w: %s, d=%s", ErrDomainMismatch, n, d)
	}
	var b strings.Builder
	for i := 0; i < at; i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == ';' || c == '=' {
			fmt.Fprintf(&b, "=%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String() + "@" + n.String(), nil
}

// CheckSubmission reports whether an account may be the author of a message: the
// From field has exactly one address, and it is among those permitted. These are
// addresses ("a@example.com", the local part in its exact case), or domains with
// "@" in front ("@example.com") for any local part, but not for subdomains. A
// submission server asks before it signs: a [Signer] knows which domain it may
// sign for, and nothing about whose account the message came from.
//
// The errors are those of a Signer, and [ErrNotPermitted].
func CheckSubmission(m *message.Message, permitted ...string) error {
	list, err := authors(m)
	if err != nil {
		return err
	}
	if len(list) > 1 {
		return ErrFromAddresses
	}
	for _, p := range permitted {
		at := strings.LastIndexByte(p, '@')
		if at < 0 {
			continue
		}
		n, err := domain.Parse(p[at+1:])
		if err != nil || n != list[0].Domain {
			continue
		}
		if at == 0 || p[:at] == list[0].Local {
			return nil
		}
	}
	return ErrNotPermitted
}
