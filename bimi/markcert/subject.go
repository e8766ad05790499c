package markcert

import (
	"encoding/asn1"
	"slices"
	"time"
)

// MarkType is the kind of mark the authority has checked: the subject attribute
// 1.3.6.1.4.1.53087.1.13, in its exact words.
type MarkType string

// The mark types. The first three make a Verified Mark Certificate, the others a
// Common Mark Certificate.
const (
	// LegacyMark is the absence of the attribute, in a certificate issued before
	// 2024: a Verified Mark Certificate from before mark types were written down.
	LegacyMark MarkType = ""
	// RegisteredMark is a registered trademark.
	RegisteredMark MarkType = "Registered Mark"
	// GovernmentMark is the mark of a government body, from its statute.
	GovernmentMark MarkType = "Government Mark"
	// PriorUseMark has been in public use for a year.
	PriorUseMark MarkType = "Prior Use Mark"
	// ModifiedRegisteredMark is a registered trademark with allowed changes.
	ModifiedRegisteredMark MarkType = "Modified Registered Mark"
)

// String returns the words; "unknown (legacy)" for [LegacyMark].
func (m MarkType) String() string {
	if m == LegacyMark {
		return "unknown (legacy)"
	}
	return string(m)
}

// Verified reports whether the type makes a Verified Mark Certificate (VMC).
func (m MarkType) Verified() bool { return slices.Contains(VerifiedMarkTypes(), m) }

// Common reports whether the type makes a Common Mark Certificate (CMC).
func (m MarkType) Common() bool { return slices.Contains(CommonMarkTypes(), m) }

// VerifiedMarkTypes returns the types of Verified Mark Certificates, for [Verifier.MarkTypes].
func VerifiedMarkTypes() []MarkType { return []MarkType{RegisteredMark, GovernmentMark, LegacyMark} }

// CommonMarkTypes returns the types of Common Mark Certificates, for [Verifier.MarkTypes].
func CommonMarkTypes() []MarkType { return []MarkType{PriorUseMark, ModifiedRegisteredMark} }

// Subject is what a mark certificate says about the owner of the mark, in the
// authority's own words, "" where it says nothing. The text is not escaped: it must not go into a
// header field or a page as it is.
type Subject struct {
	Organization, CommonName, Country string
	TrademarkOffice                   string // 53087.1.2, name or URL of the trademark office
	TrademarkCountry                  string // 53087.1.3, country or region of the office
	TrademarkID                       string // 53087.1.4, registration number
	LegalEntityID                     string // 53087.1.5
	WordMark                          string // 53087.1.6
	StatuteCountry, StatuteState      string // 53087.3.2 and 3.3, of a government mark
	StatuteLocality                   string // 53087.3.4
	StatuteCitation, StatuteURL       string // 53087.3.5 and 3.6
	PriorUseSource                    string // extension 53087.5.1: where the prior use was seen
}

// lastLegacy is when mark types were in general use: a later certificate without
// one is not an old certificate but an incomplete one.
func lastLegacy() time.Time { return time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC) }

// subject reads mark type and subject, and judges the type.
func (c *check) subject() {
	s := &c.result.Subject
	types := 0
	var markType string
	for _, a := range c.leaf.Subject.Names {
		v, ok := a.Value.(string)
		if !ok {
			continue
		}
		if f := s.field(a.Type, &markType); f != nil {
			if f == &markType {
				types++
			}
			if *f == "" {
				*f = v
			}
		}
	}
	if v, _, ok := extension(c.leaf, oidPriorUse); ok {
		s.PriorUseSource = anyString(v)
	}
	m := MarkType(markType)
	c.result.MarkType = m
	switch {
	case types > 1:
		c.add(Failure, ErrMarkType, 0, "more than one")
	case types == 1 && markType == "":
		c.add(Failure, ErrMarkType, 0, "empty")
	case m == LegacyMark && !c.leaf.NotBefore.Before(lastLegacy()):
		c.add(Failure, ErrMarkType, 0, "missing")
	case !m.Verified() && !m.Common():
		c.add(Failure, ErrMarkType, 0, "unknown type "+markType)
	case len(c.v.MarkTypes) > 0 && !slices.Contains(c.v.MarkTypes, m):
		c.add(Failure, ErrMarkType, 0, m.String()+" is not accepted here")
	}
	c.lintSubject(m, s)
}

// field returns where an attribute of the subject is kept; nil if it is not.
func (s *Subject) field(id asn1.ObjectIdentifier, markType *string) *string {
	switch id.String() {
	case "2.5.4.10":
		return &s.Organization
	case "2.5.4.3":
		return &s.CommonName
	case "2.5.4.6":
		return &s.Country
	case "1.3.6.1.4.1.53087.1.2":
		return &s.TrademarkOffice
	case "1.3.6.1.4.1.53087.1.3":
		return &s.TrademarkCountry
	case "1.3.6.1.4.1.53087.1.4":
		return &s.TrademarkID
	case "1.3.6.1.4.1.53087.1.5":
		return &s.LegalEntityID
	case "1.3.6.1.4.1.53087.1.6":
		return &s.WordMark
	case "1.3.6.1.4.1.53087.1.13":
		return markType
	case "1.3.6.1.4.1.53087.3.2":
		return &s.StatuteCountry
	case "1.3.6.1.4.1.53087.3.3":
		return &s.StatuteState
	case "1.3.6.1.4.1.53087.3.4":
		return &s.StatuteLocality
	case "1.3.6.1.4.1.53087.3.5":
		return &s.StatuteCitation
	case "1.3.6.1.4.1.53087.3.6":
		return &s.StatuteURL
	}
	return nil
}

// lintSubject notes the fields that the issuance requirements ask for by mark
// type. A receiver does not enforce them: they are the authority's duty.
func (c *check) lintSubject(m MarkType, s *Subject) {
	need := func(value, name string) {
		if value == "" {
			c.add(Warning, ErrSubject, 0, name)
		}
	}
	need(s.Organization, "organizationName")
	need(s.Country, "countryName")
	switch m {
	case RegisteredMark, ModifiedRegisteredMark, LegacyMark:
		need(s.TrademarkCountry, "trademarkCountryOrRegionName")
		need(s.TrademarkID, "trademarkIdentifier")
	case GovernmentMark:
		need(s.StatuteCountry, "statuteCountryName")
		need(s.StatuteCitation, "statuteCitation")
	case PriorUseMark:
		if !c.leaf.NotBefore.Before(time.Date(2025, time.April, 15, 0, 0, 0, 0, time.UTC)) {
			need(s.PriorUseSource, "priorUseMarkSourceURL")
		}
	}
}

// anyString returns the text of an extension value that is one string of
// whatever type; "" if it is something else.
func anyString(value []byte) string {
	var s string
	if rest, err := asn1.Unmarshal(value, &s); err != nil || len(rest) > 0 {
		return ""
	}
	return s
}
