package sig

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// KeyName returns the name under which a key is published (RFC 6376, section 3.6.2.1).
func KeyName(selector, d domain.Name) (domain.Name, error) {
	if d.IsZero() {
		return domain.Name{}, domain.ErrEmpty
	}
	return domain.ParseQuery(selector.String() + "._domainkey." + d.String())
}

// Published is what the DNS has under a key's name.
type Published struct {
	Record    Record
	Err       error    // ErrKeyUnavailable, ErrNoResolver: temporary; the others are permanent
	Chain     []string // CNAME targets followed
	Authentic bool     // DNSSEC-validated
}

// Fetch asks for a key and parses it (RFC 6376, section 6.1.2, steps 1 to 5).
func Fetch(ctx context.Context, sc *lookup.Scope, name domain.Name, b Bounds) Published {
	ans, err := sc.Ask(ctx, name, dnsutil.TypeTXT)
	if err != nil {
		return Published{Err: lookupError(err)}
	}
	p := Published{Chain: ans.Chain, Authentic: ans.Authentic}
	found := 0
	var text string
	for _, txt := range ans.TXT {
		if IsRecord(txt) {
			found++
			text = txt
		}
	}
	switch {
	case found == 1:
		p.Record, p.Err = ParseRecord(text, b)
	case found > 1:
		// Trying each would make the result depend on the order of answers,
		// which nobody promises (decision 24).
		p.Err = fmt.Errorf("%w: %d", ErrMultipleKeys, found)
	case len(ans.TXT) > 0:
		p.Err = fmt.Errorf("%w: the TXT records there are no keys", ErrNoKey)
	case ans.NXDomain:
		p.Err = fmt.Errorf("%w: the name does not exist", ErrNoKey)
	default:
		p.Err = fmt.Errorf("%w: the name has no TXT record", ErrNoKey)
	}
	return p
}

// For judges whether the key can verify signatures of an algorithm, in the order
// of RFC 6376, section 6.1.2, steps 2 to 8: what the record says of itself comes
// before what is wrong with the key in it.
func (p *Published) For(a Algorithm) error {
	switch {
	case p.Err == nil, errors.Is(p.Err, ErrKeyRevoked), errors.Is(p.Err, ErrKeyType),
		errors.Is(p.Err, ErrKeyShort), errors.Is(p.Err, ErrKeyLong), errors.Is(p.Err, ErrKeyUnsafe):
		if err := p.Record.fits(a); err != nil {
			return err
		}
	}
	return p.Err
}

// lookupError keeps the resolver's error in the chain.
func lookupError(err error) error {
	switch {
	case errors.Is(err, dnsutil.ErrNoResolver):
		return fmt.Errorf("%w: %w", ErrNoResolver, err)
	case errors.Is(err, dnsutil.ErrBudget):
		return fmt.Errorf("%w: %w", ErrBudget, err)
	}
	return fmt.Errorf("%w: %w", ErrKeyUnavailable, err)
}

// Temporary reports whether asking again later may give another answer.
func Temporary(err error) bool {
	return errors.Is(err, ErrKeyUnavailable) || errors.Is(err, ErrNoResolver)
}
