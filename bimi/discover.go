package bimi

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// MaxQueries is how many DNS questions one message may ask: the author domain, its
// Organizational Domain, and once for the local-part.
const MaxQueries = 3

// Author is who a record is looked for.
type Author struct {
	// Domain is the Author Domain and Organizational its Organizational Domain,
	// which DMARC found; empty means that there is no other than Domain.
	Domain, Organizational string
	// Local is the local-part of the author's address without its quoting, for lps=;
	// empty if it is not known.
	Local string
	// Selector is the selector; empty means DefaultSelector.
	Selector string
}

// Discovery is a record and where it was found.
type Discovery struct {
	// Status is Pass for a record that names an indicator, else Declined, None, Fail
	// or TempError.
	Status authres.Status
	// Err is nil exactly with Pass.
	Err error
	// Domain and Selector are where the record was found; empty if none was.
	Domain, Selector string
	// Record is the record; zero if none was found or if it is malformed.
	Record Record
	// Text is the record as published: a stranger's text.
	Text string
	// Queries are the questions asked, in order, as "TXT name.".
	Queries []string
}

// Discover finds the record for an author (BIMI, sections 4.5 and 7.2): at the
// author domain; if there is none at all, at the Organizational Domain; and from
// there, if its lps= says so, that of the local-part. There is no tree walk, and no
// way from a selector to the default one.
func (v *Verifier) Discover(ctx context.Context, a Author) Discovery {
	sc, done := lookup.For(ctx, v.Resolver, MaxQueries)
	defer done()
	s := search{v: v, ctx: ctx, dns: sc}
	s.run(a)
	return s.found
}

type search struct {
	v     *Verifier
	ctx   context.Context
	dns   *lookup.Scope
	found Discovery
}

func (s *search) run(a Author) {
	if a.Selector == "" {
		a.Selector = DefaultSelector
	}
	author, err := domain.Parse(a.Domain)
	if err != nil {
		s.end(Fail, fmt.Errorf("%w: %w", ErrAuthor, err))
		return
	}
	places := []domain.Name{author}
	if org, err := domain.Parse(a.Organizational); err == nil && org != author && author.IsBelow(org) {
		places = append(places, org)
	}
	for _, place := range places {
		texts, err := s.texts(a.Selector, place)
		if err != nil {
			s.fail(err)
			return
		}
		if len(texts) == 0 {
			continue
		}
		s.found.Domain, s.found.Selector = place.String(), a.Selector
		if len(texts) > 1 {
			s.several()
			return
		}
		s.settle(texts[0])
		if !s.found.Record.IsZero() {
			s.localPart(a, place)
		}
		return
	}
	s.end(None, ErrNoRecord)
}

func (s *search) end(status authres.Status, err error) { s.found.Status, s.found.Err = status, err }

func (s *search) several() {
	if s.v.SeveralRecordsNone {
		s.end(None, ErrSeveralRecords)
		return
	}
	s.end(Fail, ErrSeveralRecords)
}

func (s *search) fail(err error) {
	if errors.Is(err, dnsutil.ErrBudget) {
		s.end(Fail, fmt.Errorf("%w: %w", ErrBudget, err))
		return
	}
	s.end(TempError, fmt.Errorf("%w: %w", ErrDNS, err))
}

// settle takes the one record of a place.
func (s *search) settle(text string) {
	r, err := s.v.Record.Parse(text)
	s.found.Record, s.found.Text = r, text
	switch {
	case err != nil:
		s.end(Fail, err)
	case r.Declined():
		s.end(Declined, ErrDeclined)
	default:
		s.end(Pass, nil)
	}
}

// localPart looks for the record of the author's local-part. One that is not
// there, or no good, leaves the first; it is not searched for a third.
func (s *search) localPart(a Author, place domain.Name) {
	selector, ok := LocalPartSelector(a.Local, s.v.CollapseAllDashes)
	if !ok || !s.found.Record.matches(selector, s.v.MinPrefix) || selector == a.Selector {
		return
	}
	texts, err := s.texts(selector, place)
	if err != nil {
		if !s.v.LocalPartErrorKeepsRecord {
			s.fail(err)
		}
		return
	}
	if len(texts) != 1 {
		return
	}
	if _, err := s.v.Record.Parse(texts[0]); err == nil {
		s.found.Selector = selector
		s.settle(texts[0])
	}
}

// texts returns the BIMI records at a place, whether they are well-formed or not.
func (s *search) texts(selector string, place domain.Name) ([]string, error) {
	name := queryName(selector, place)
	if name.IsZero() {
		return nil, nil // nobody can have published there
	}
	s.found.Queries = append(s.found.Queries, "TXT "+name.Absolute())
	answer, err := s.dns.Ask(s.ctx, name, dnsutil.TypeTXT)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, t := range answer.TXT {
		if s.v.Record.begins(t) {
			out = append(out, t)
		}
	}
	return out, nil
}
