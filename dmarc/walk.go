package dmarc

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
	"github.com/seed2385d973/mailauth/internal/suffix"
)

// maxSteps is how many names one tree walk asks for (RFC 9989, section 4.10).
const maxSteps = 8

// usualSteps is how many names the walks of most messages ask for together.
const usualSteps = 3

// Outcome is what a query of Result.Queries found.
type Outcome string

// The outcomes.
const (
	FoundRecord   Outcome = "record"   // one DMARC record
	FoundNone     Outcome = "none"     // the name exists, or not even that is known, and has no DMARC record
	FoundNXDomain Outcome = "nxdomain" // the name does not exist
	FoundSeveral  Outcome = "several"  // several DMARC records: all discarded (decision 4)
	FoundBad      Outcome = "bad"      // one DMARC record that cannot be used (decision 2)
	FoundError    Outcome = "error"    // the DNS gave no answer
	FoundExists   Outcome = "exists"   // existence test: the domain exists
	FoundTooLong  Outcome = "too_long" // the name to ask for would be over 253 octets; not asked
)

// Query is one DNS question that the evaluation asked, with what it found.
type Query struct {
	Name    string       // as asked: absolute, "_dmarc.example.com."
	Type    dnsutil.Type // TXT; A for the existence test (RFC 9989, section 4.7, np)
	Outcome Outcome
	Record  string // FoundRecord: the record's text, a stranger's
}

// String returns the question, as in "TXT _dmarc.example.com.".
func (q Query) String() string { return q.Type.String() + " " + q.Name }

// level is one name of a tree walk with what was found there.
type level struct {
	name domain.Name
	rec  Record // zero if there is none
	bad  error  // ErrPolicy: rec has no policy that could be applied
	err  error  // the DNS gave no answer, or ErrRecordLimit: one that is not read
}

// walker asks the questions of one evaluation, each name once: walks from the
// author and from each identifier have their upper names in common.
type walker struct {
	ctx     context.Context
	dns     *lookup.Scope
	list    suffix.List
	levels  []level
	queries []Query      // not yet taken
	diag    []Diagnostic // not yet taken
}

// take returns what was asked and noted since it was last called.
func (w *walker) take() ([]Query, []Diagnostic) {
	q, d := w.queries, w.diag
	w.queries, w.diag = nil, nil
	return q, d
}

// level returns the index of a name's level; -1 if it was not asked for yet.
func (w *walker) level(n domain.Name) int {
	for i := range w.levels {
		if w.levels[i].name == n {
			return i
		}
	}
	return -1
}

// ask returns the index of a name's level, and asks for it if need be. Names of up to
// floor labels are public suffixes, or above one.
func (w *walker) ask(n domain.Name, floor int) int {
	if i := w.level(n); i >= 0 {
		return i
	}
	l := level{name: n}
	w.query(&l)
	if !l.rec.IsZero() && l.rec.PSD != PSDYes && n.Labels() <= floor {
		w.note(SuffixFloor, n)
	}
	w.levels = append(w.levels, l)
	return len(w.levels) - 1
}

// query is steps 1 and 2, or 5 and 6, of RFC 9989, section 4.10.
func (w *walker) query(l *level) {
	q := Query{Type: dnsutil.TypeTXT, Outcome: FoundNone}
	defer func() { w.queries = append(w.queries, q) }()
	at, err := l.name.Prepend("_dmarc")
	if err != nil {
		// Nobody can publish there.
		q.Name, q.Outcome = "_dmarc."+l.name.Absolute(), FoundTooLong
		return
	}
	q.Name = at.Absolute()
	answer, err := w.dns.Lookup(w.ctx, q.Name, dnsutil.TypeTXT)
	if err != nil {
		l.err = dnsError(err)
		q.Outcome = FoundError
		return
	}
	if answer.NXDomain {
		q.Outcome = FoundNXDomain
	}
	text, n := "", 0
	for _, t := range answer.TXT {
		if isRecord(t) {
			text = t
			n++
		}
	}
	switch n {
	case 0:
		return
	case 1:
	default:
		q.Outcome = FoundSeveral
		w.note(SeveralRecords, l.name)
		return
	}
	rec, err := parseRecord(text)
	if errors.Is(err, ErrRecordLimit) {
		// Somebody has published a policy here. A limit of ours does not make it none.
		l.err = fmt.Errorf("%w: %s", err, q.Name)
		q.Outcome = FoundBad
		w.note(BadRecord, l.name)
		return
	}
	if err != nil && !errors.Is(err, ErrPolicy) {
		q.Outcome = FoundBad
		w.note(BadRecord, l.name)
		return
	}
	q.Outcome, q.Record = FoundRecord, text
	l.rec, l.bad = rec, err
}

// psd is the psd of a level's record for names with a public suffix of floor labels: y at
// that suffix and above it, whatever the record says (decision 7).
func (l *level) psd(floor int) PSD {
	if l.name.Labels() <= floor {
		return PSDYes
	}
	return l.rec.PSD
}

func (w *walker) note(k DiagnosticKind, n domain.Name) {
	w.diag = append(w.diag, Diagnostic{Kind: k, Domain: n.String()})
}

// dnsError sorts an error of the Resolver under this package's constants.
func dnsError(err error) error {
	if errors.Is(err, dnsutil.ErrBudget) {
		return fmt.Errorf("%w: %w", ErrBudget, err)
	}
	return fmt.Errorf("%w: %w", ErrDNS, err)
}

// steps appends the names that a walk from start asks for if nothing stops it:
// start, then the 7, 6, ... 1 labels above it (RFC 9989, section 4.10, steps 3, 4 and 7).
func steps(dst []domain.Name, start domain.Name) []domain.Name {
	dst = append(dst, start)
	next := start.Parent()
	if start.Labels() >= maxSteps {
		next = start.Last(maxSteps - 1)
	}
	for ; !next.IsZero(); next = next.Parent() {
		dst = append(dst, next)
	}
	return dst
}

// walk is one DNS Tree Walk: the levels it came by, longest name first.
type walk struct {
	start domain.Name
	floor int           // labels of the public suffix of start
	at    [maxSteps]int // indexes into walker.levels
	n     int
}

// walk does the DNS Tree Walk from start (RFC 9989, section 4.10). A name for
// which the DNS gives no answer does not end it: what is above often decides what
// the missing answer could have changed. With ask false it puts no new question to
// the DNS, and complete is false if that would have been needed.
func (w *walker) walk(start domain.Name, ask bool) (wk walk, complete bool) {
	var buf [maxSteps]domain.Name
	wk.start, wk.floor = start, w.list.Floor(start)
	for _, n := range steps(buf[:0], start) {
		i := w.level(n)
		if i < 0 {
			if !ask {
				return wk, false
			}
			i = w.ask(n, wk.floor)
		}
		wk.at[wk.n] = i
		wk.n++
		if l := &w.levels[i]; !l.rec.IsZero() && l.psd(wk.floor) != PSDUnknown {
			break
		}
	}
	return wk, true
}

// orgs are the names that may be the Organizational Domain of the start of a walk:
// one, if every answer was had or the missing ones could not have changed it.
type orgs struct {
	n    int
	name [1 + 2*maxSteps]domain.Name // the first is the one if all missing answers are "no record"
}

func (o *orgs) add(n domain.Name) {
	if !o.has(n) {
		o.name[o.n] = n
		o.n++
	}
}

func (o *orgs) has(n domain.Name) bool {
	for _, m := range o.name[:o.n] {
		if m == n {
			return true
		}
	}
	return false
}

// certain returns the Organizational Domain if there is only one candidate.
func (o *orgs) certain() (domain.Name, bool) {
	if o.n != 1 {
		return domain.Name{}, false
	}
	return o.name[0], true
}

// orgs selects the Organizational Domain (RFC 9989, section 4.10.2).
func (w *walker) orgs(wk walk) (o orgs) {
	// A psd=y far up, at "uk", must not make an organization of "co.uk" either (decision 7).
	below := func(n domain.Name) domain.Name { return wk.start.Last(max(n.Labels(), wk.floor) + 1) }
	best := wk.start // "the initial target domain"
	for _, i := range wk.at[:wk.n] {
		l := &w.levels[i]
		if l.rec.IsZero() {
			continue
		}
		if l.psd(wk.floor) == PSDYes && l.name != wk.start {
			best = below(l.name) // rule 2; the walk has stopped here
		} else {
			best = l.name // rule 1, and rule 3 as long as nothing comes after it
		}
	}
	o.add(best)
	for _, i := range wk.at[:wk.n] {
		if l := &w.levels[i]; l.err != nil {
			// It may have said psd=y; or, if it is no public suffix, something else that
			// makes its own name the Organizational Domain.
			if l.name != wk.start {
				o.add(below(l.name))
			}
			if l.name == wk.start || l.name.Labels() > wk.floor {
				o.add(l.name)
			}
		}
	}
	return o
}

// firstError returns the error of the longest name of a walk that gave no answer.
func (w *walker) firstError(wk walk) error {
	for _, i := range wk.at[:wk.n] {
		if err := w.levels[i].err; err != nil {
			return err
		}
	}
	return nil
}

// exists tests whether a domain exists: everything but NXDOMAIN says so (RFC 9989,
// section 3.2.13). A CNAME whose target does not exist is something that exists.
func (w *walker) exists(n domain.Name) (bool, error) {
	q := Query{Name: n.Absolute(), Type: dnsutil.TypeA, Outcome: FoundExists}
	defer func() { w.queries = append(w.queries, q) }()
	answer, err := w.dns.Lookup(w.ctx, q.Name, dnsutil.TypeA)
	if err != nil {
		q.Outcome = FoundError
		return false, dnsError(err)
	}
	if answer.NXDomain && len(answer.Chain) == 0 {
		q.Outcome = FoundNXDomain
		return false, nil
	}
	return true, nil
}

// commonSuffix returns the longest name that both are within; zero if there is none.
func commonSuffix(a, b domain.Name) domain.Name {
	if k := a.Labels(); b.Labels() > k {
		b = b.Last(k)
	}
	for ; !b.IsZero(); b = b.Parent() {
		if a.IsWithin(b) {
			return b
		}
	}
	return domain.Name{}
}
