package bimi

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/internal/taglist"
)

// Eligible decides whether BIMI is done for a message at all (BIMI, section 7.1).
// It asks nobody but [Verifier.Veto]. The status is Pass, Skipped or TempError;
// err is nil exactly with Pass.
func (v *Verifier) Eligible(ctx context.Context, m *Message) (status authres.Status, err error) {
	if err := m.Author.Err(); err != nil {
		return Skipped, fmt.Errorf("%w: %w", ErrAuthor, err)
	}
	if len(m.Author.Mailboxes()) > 1 || m.Author.Domain() == "" {
		return Skipped, ErrAuthor
	}
	d := &m.DMARC
	switch {
	case d.Domain != m.Author.Domain():
		return Skipped, fmt.Errorf("%w: it is about another domain", ErrDMARC)
	case d.Status == authres.TempError && m.Override == "":
		return v.unknown()
	case d.Status != authres.Pass && m.Override == "":
		return Skipped, ErrDMARC
	case d.OrganizationalDomain == "":
		return v.unknown()
	}
	if err := v.policies(d); err != nil {
		return Skipped, err
	}
	if err := v.vouched(m); err != nil {
		return Skipped, err
	}
	if v.RejectSPFAll && m.SPFAll {
		return Skipped, ErrSPFAll
	}
	if v.Veto != nil {
		if err := v.Veto(ctx, m); err != nil {
			return Skipped, fmt.Errorf("%w: %w", ErrVeto, err)
		}
	}
	return Pass, nil
}

func (v *Verifier) unknown() (authres.Status, error) {
	if v.DMARCTempErrorSkips {
		return Skipped, ErrDMARCUnknown
	}
	return TempError, ErrDMARCUnknown
}

// policies wants a strong policy on the author domain and on its Organizational
// Domain (BIMI, sections 1 and 7.1). Both records count, whichever applies. A record
// at a public suffix alone is not the organization's.
func (v *Verifier) policies(d *dmarc.Result) error {
	if d.OrganizationalRecord.IsZero() {
		return ErrNoPolicy
	}
	if d.Published == dmarc.PolicyNone || d.Published == "" {
		return fmt.Errorf("%w: the one that applies", ErrPolicy)
	}
	records := []dmarc.Record{d.OrganizationalRecord}
	if !d.AuthorRecord.IsZero() && d.Domain != d.OrganizationalDomain {
		records = append(records, d.AuthorRecord)
	}
	for i := range records {
		if err := v.policy(&records[i], d); err != nil {
			return err
		}
	}
	return nil
}

func (v *Verifier) policy(r *dmarc.Record, d *dmarc.Result) error {
	switch {
	case r.P == dmarc.PolicyNone:
		return fmt.Errorf("%w: p=none", ErrPolicy)
	case r.SP == dmarc.PolicyNone:
		return fmt.Errorf("%w: sp=none", ErrPolicy)
	case v.StrictNP && r.NP == dmarc.PolicyNone:
		return fmt.Errorf("%w: np=none", ErrPolicy)
	case r.T && !v.TestModeAsLowered:
		return ErrTestMode
	case r.T && (r.P.Testing() == dmarc.PolicyNone || d.Published.Testing() == dmarc.PolicyNone):
		return ErrTestMode
	}
	// RFC 9989 has readers ignore pct, so its value has to come from the text.
	if pct, ok := rawTag(r.Raw(), "pct"); ok && pct != "100" {
		if v.StrictPct || r.P == dmarc.PolicyQuarantine || d.Published == dmarc.PolicyQuarantine {
			return ErrPct
		}
	}
	return nil
}

// rawTag returns the value of a tag of a DMARC record as it was published.
func rawTag(record, name string) (string, bool) {
	sc := taglist.NewScanner(record)
	for t, ok := sc.Next(); ok; t, ok = sc.Next() {
		if strings.EqualFold(t.Name, name) {
			return t.Value, true
		}
	}
	return "", false
}

// vouched wants something behind the DMARC pass that covers what a person sees.
func (v *Verifier) vouched(m *Message) error {
	if m.DMARC.Status != authres.Pass {
		return nil // by the receiver's own decision
	}
	aligned, good := false, len(m.Signatures) == 0 && m.DMARC.DKIMAligned
	for i := range m.Signatures {
		if s := &m.Signatures[i]; m.aligned(s) {
			aligned = true
			good = good || !v.partial(s)
		}
	}
	switch {
	case good:
		return nil
	case v.RequireDKIM && !aligned:
		return ErrNoDKIM
	case v.RequireDKIM || !m.DMARC.SPFAligned:
		return ErrCoverage
	}
	return nil
}

func (v *Verifier) partial(s *Signature) bool {
	return !v.AllowPartialCoverage && (s.PartialHeader || s.Testing) || v.RejectPartialBody && s.PartialBody
}

// aligned reports whether the signature passed for a domain that DMARC found
// aligned with the author's.
func (m *Message) aligned(s *Signature) bool {
	if s.Status != authres.Pass || s.Domain == "" {
		return false
	}
	for i := range m.DMARC.Identifiers {
		id := &m.DMARC.Identifiers[i]
		if id.Aligned && id.Mechanism() == dmarc.DKIM && id.Authenticated() && id.Domain() == s.Domain {
			return true
		}
	}
	return false
}

// Selector returns the selector of a message: that of its BIMI-Selector field if
// the very field is covered by an aligned signature (BIMI, section 5.5), else
// [DefaultSelector]. The error says why a field was not used; only with
// ErrSelectorRepeated is there no selector, and the result is Fail.
func (v *Verifier) Selector(m *Message) (selector string, err error) {
	if m.Header == nil {
		return DefaultSelector, nil
	}
	fields := m.Header.All("BIMI-Selector")
	switch {
	case len(fields) == 0:
		return DefaultSelector, nil
	case len(fields) > 1 && v.IgnoreRepeatedSelector:
		return DefaultSelector, ErrSelectorRepeated
	case len(fields) > 1:
		return "", ErrSelectorRepeated
	}
	s, err := parseSelector(m.Header.Field(fields[0]).Value(), v.AllowUnderscoreSelector)
	if err != nil {
		return DefaultSelector, err
	}
	if !v.TrustUnsignedSelector && !v.covered(m, fields[0]) {
		return DefaultSelector, ErrSelectorUnsigned
	}
	if n := len(s) + len("._bimi.") + len(m.Author.Domain()); n > 253 {
		return DefaultSelector, ErrSelectorName
	}
	return s, nil
}

func (v *Verifier) covered(m *Message, field int) bool {
	if m.ARC != nil && m.ARC.Covers(field) {
		return true
	}
	for i := range m.Signatures {
		if s := &m.Signatures[i]; s.Coverage != nil && m.aligned(s) && s.Coverage.Covers(field) {
			return true
		}
	}
	return false
}
