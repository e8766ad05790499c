package dmarc

import (
	"context"
	"errors"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/suffix"
)

// world is a random DNS, small enough for its names to meet.
type world struct {
	suffix string              // of most names
	txt    map[string][]string // by name without _dmarc
	exists map[string]bool
	faults map[string]bool // by question name
	asked  []string
	turn   bool // answer the records of a name in the other order
}

func (w *world) Lookup(_ context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	w.asked = append(w.asked, name)
	if w.faults[name] {
		return dnsutil.Answer{}, errors.New("SERVFAIL")
	}
	at, ok := strings.CutPrefix(strings.TrimSuffix(name, "."), "_dmarc.")
	if t == dnsutil.TypeA {
		return dnsutil.Answer{NXDomain: !w.exists[strings.TrimSuffix(name, ".")]}, nil
	}
	if !ok {
		return dnsutil.Answer{}, errors.New("unexpected question")
	}
	txt := slices.Clone(w.txt[at])
	if w.turn {
		slices.Reverse(txt)
	}
	return dnsutil.Answer{TXT: txt, NXDomain: len(txt) == 0}, nil
}

var records = []string{
	"v=DMARC1; p=reject", "v=DMARC1; p=none; sp=reject; np=quarantine", "v=DMARC1; p=quarantine; np=none; t=y",
	"v=DMARC1; p=reject; psd=n; sp=quarantine", "v=DMARC1; p=reject; psd=y", "v=DMARC1; p=none; psd=y; np=reject",
	"v=DMARC1; p=reject; adkim=s; aspf=s", "v=DMARC1; p=reject; sp=junk", "v=DMARC1; p=reject; sp=junk; rua=mailto:a@b.example",
	"v=DMARC1; p=none; p=none", "v=DMARC1; psd=n", "something else", "v=spf1 -all",
}

var suffixes = []string{"com", "uk", "co.uk", "example", "bank.example", "a.bank.co.uk"}

func (w *world) name(pick func(int) int) string {
	s, depth := w.suffix, pick(4)
	if pick(4) == 0 {
		s, depth = suffixes[pick(6)], pick(9)
	}
	for range depth {
		s = string("aab"[pick(3)]) + "." + s
	}
	return s
}

func newWorld(pick func(int) int) *world {
	w := &world{suffix: suffixes[pick(6)], txt: map[string][]string{}, exists: map[string]bool{}, faults: map[string]bool{}}
	for range pick(8) {
		n := w.name(pick)
		w.txt[n] = append(w.txt[n], records[pick(len(records))])
		if pick(4) == 0 {
			w.txt[n] = append(w.txt[n], records[pick(len(records))])
		}
	}
	for range pick(4) {
		w.exists[w.name(pick)] = true
	}
	return w
}

// found is one record of a walk, as the reference knows it.
type found struct {
	name string
	rec  Record
	err  error
	psd  PSD
}

func isSuffix(name string) bool {
	n, err := domain.Parse(name)
	return err == nil && suffix.Is(n)
}

// at is steps 2 and 6 of RFC 9989, section 4.10, with decisions 2, 4 and 7.
func (w *world) at(name string) (f found, ok bool) {
	var texts []string
	for _, t := range w.txt[name] {
		if strings.HasPrefix(t, "v=DMARC1;") {
			texts = append(texts, t)
		}
	}
	if len(texts) != 1 {
		return found{}, false
	}
	rec, err := parseRecord(texts[0])
	if err != nil && !errors.Is(err, ErrPolicy) {
		return found{}, false
	}
	f = found{name, rec, err, rec.PSD}
	if isSuffix(name) {
		f.psd = PSDYes
	}
	return f, true
}

// walk is RFC 9989, section 4.10, said step by step.
func (w *world) walk(start string) (collected []found, targets []string) {
	stop := false
	query := func(name string) {
		targets = append(targets, name)
		if f, ok := w.at(name); ok {
			collected = append(collected, f)
			stop = f.psd == PSDYes || f.psd == PSDNo
		}
	}
	query(start)
	labels := strings.Split(start, ".")
	if x := len(labels); x < 8 {
		labels = labels[1:]
	} else {
		labels = labels[x-7:]
	}
	for !stop && len(labels) > 0 {
		query(strings.Join(labels, "."))
		labels = labels[1:]
	}
	return collected, targets
}

// org is RFC 9989, section 4.10.2.
func (w *world) org(start string) string {
	collected, _ := w.walk(start)
	below := func(psd string) string {
		labels := strings.Split(start, ".")
		org := strings.Join(labels[len(labels)-strings.Count(psd, ".")-2:], ".")
		if i := len(labels) - strings.Count(org, ".") - 2; org != start && isSuffix(org) { // decision 7
			org = strings.Join(labels[i:], ".")
		}
		return org
	}
	for _, f := range collected {
		if f.psd == PSDNo {
			return f.name
		}
		if f.psd == PSDYes && f.name != start {
			return below(f.name)
		}
	}
	if len(collected) > 0 {
		return collected[len(collected)-1].name
	}
	return start
}

// verdict is what the reference makes of a message without DNS faults.
type verdict struct {
	status       authres.Status
	policy       Policy
	policyDomain string
	org          string
	aligned      []bool
}

func (w *world) verify(author string, ids []Identifier) (v verdict) {
	v.org = w.org(author)
	f, ok := w.at(author)
	if !ok {
		collected, _ := w.walk(author)
		for _, c := range collected {
			if c.name == v.org {
				f, ok = c, true
			}
		}
		for _, c := range collected {
			if !ok && c.psd == PSDYes {
				f, ok = c, true
			}
		}
	}
	v.status = authres.None
	if !ok || f.err != nil {
		return v
	}
	v.policyDomain, v.policy = f.name, f.rec.P
	if f.name != author {
		v.policy = f.rec.Subdomain()
		if !w.exists[author] {
			v.policy = f.rec.Nonexistent()
		}
	}
	if f.rec.T {
		v.policy = v.policy.Testing()
	}
	v.status = authres.Fail
	for _, id := range ids {
		mode := f.rec.ADKIM
		if id.Mechanism() == SPF {
			mode = f.rec.ASPF
		}
		aligned := id.Domain() == author || mode == Relaxed && w.org(id.Domain()) == v.org
		v.aligned = append(v.aligned, aligned)
		if aligned && id.Status() == authres.Pass {
			v.status = authres.Pass
		}
	}
	if v.status == authres.Fail {
		for i, id := range ids {
			if v.aligned[i] && id.Status() == authres.TempError {
				v.status = authres.TempError
			}
		}
	}
	return v
}

func checkWorld(t *testing.T, pick func(int) int) {
	w := newWorld(pick)
	from := w.name(pick)
	author, err := AuthorOf(from)
	require.NoError(t, err)
	statuses := []authres.Status{authres.Pass, authres.Fail, authres.TempError, authres.Policy}
	var ids []Identifier
	for range pick(4) {
		if pick(2) == 0 {
			ids = append(ids, SPFIdentifier(statuses[pick(4)], w.name(pick)))
		} else {
			ids = append(ids, DKIMIdentifier(statuses[pick(4)], w.name(pick), "s"))
		}
	}
	ver := Verifier{Resolver: w, NoPrefetch: true}
	ctx := context.Background()

	// One walk: no more than 8 questions, the ones of the RFC in its order, and a name
	// that is the input or above it and no public suffix unless the input is one.
	o := ver.OrganizationalDomain(ctx, from)
	require.NoError(t, o.Err)
	require.Equal(t, w.org(from), o.OrganizationalDomain, "%v", w.txt)
	require.LessOrEqual(t, len(w.asked), maxSteps)
	_, targets := w.walk(from)
	for i, q := range w.asked {
		require.Equal(t, "_dmarc."+targets[i]+".", q)
	}
	require.Len(t, w.asked, len(targets))
	require.True(t, from == o.OrganizationalDomain || strings.HasSuffix(from, "."+o.OrganizationalDomain))
	require.True(t, !isSuffix(o.OrganizationalDomain) || o.OrganizationalDomain == from || isSuffix(from), "%s of %s", o.OrganizationalDomain, from)

	// The whole message.
	w.asked = nil
	r := ver.Verify(ctx, author, ids...)
	want := w.verify(from, ids)
	require.Equal(t, want.status, r.Status, "%v from %s\n%s", w.txt, from, story(r))
	require.Equal(t, want.policy, r.Policy, "%v from %s", w.txt, from)
	require.Equal(t, want.policyDomain, r.PolicyDomain)
	require.Equal(t, want.org, r.OrganizationalDomain)
	require.Equal(t, want.policyDomain, o.policyDomainFor(want))
	for i, a := range r.Identifiers {
		if a.Why != AlignmentUnneeded {
			require.Equal(t, want.aligned[i], a.Aligned, "%s: %s", a.Domain(), a.Why)
		}
	}
	require.LessOrEqual(t, len(w.asked), MaxQueries)
	asked := slices.Clone(w.asked)
	slices.Sort(asked)
	require.Equal(t, slices.Compact(slices.Clone(asked)), asked, "each question once")

	// The order of records, of identifiers and looking ahead change nothing (P10).
	w.turn = true
	require.Equal(t, r, ver.Verify(ctx, author, ids...))
	w.turn = false
	back := slices.Clone(ids)
	slices.Reverse(back)
	turned := ver.Verify(ctx, author, back...)
	require.Equal(t, r.Status, turned.Status)
	require.Equal(t, r.Policy, turned.Policy)

	// Nor does the case of names (P11).
	var loud []Identifier
	for _, id := range ids {
		id2 := newIdentifier(id.mechanism, id.status, strings.ToUpper(id.text), id.selector)
		loud = append(loud, id2)
	}
	capitals, err := AuthorOf(strings.ToUpper(from))
	require.NoError(t, err)
	require.Equal(t, story(r), story(ver.Verify(ctx, capitals, loud...)))

	// Strict alignment is within relaxed (P19).
	for i := range r.Identifiers {
		if r.Identifiers[i].Domain() == from {
			require.True(t, r.Identifiers[i].Aligned)
		}
	}

	// DNS faults move the result to TempError or leave it as it is (P9): one question
	// at a time, then random sets.
	faults := slices.Clone(asked)
	for i := range len(faults) + 3 {
		w.faults = map[string]bool{}
		if i < len(faults) {
			w.faults[faults[i]] = true
		} else {
			for _, q := range faults {
				w.faults[q] = pick(3) == 0
			}
		}
		f := ver.Verify(ctx, author, ids...)
		if f.Status == authres.TempError {
			continue
		}
		require.Equal(t, r.Status, f.Status, "%v\n%v from %s\nwithout:\n%swith:\n%s", w.faults, w.txt, from, story(r), story(f))
		if f.Status == authres.Fail || f.Policy != "" {
			require.Equal(t, r.Policy, f.Policy, "%v\n%v from %s", w.faults, w.txt, from)
			require.Equal(t, r.PolicyDomain, f.PolicyDomain)
		}
		if f.OrganizationalDomain != "" {
			require.Equal(t, r.OrganizationalDomain, f.OrganizationalDomain)
		}
		for j := range f.Identifiers {
			if a := f.Identifiers[j]; a.Aligned {
				require.True(t, want.aligned[j])
			}
		}
	}
}

// policyDomainFor: discovery for a domain says where the record lies even if it
// has no policy that could be applied.
func (o Organization) policyDomainFor(want verdict) string {
	if want.status == authres.None {
		return ""
	}
	return o.PolicyDomain
}

func TestP8P9P10P11P19RandomWorlds(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 1500 {
		checkWorld(t, r.Intn)
	}
}

// FuzzWorld is F13: over any DNS of DMARC records the walk asks what the RFC has it
// ask, at most eight times; the organizational domain is the name or one above it and
// no public suffix unless the name is one; and the verdict is the reference's.
func FuzzWorld(f *testing.F) {
	for seed := range int64(12) {
		b := make([]byte, 80)
		rand.New(rand.NewSource(seed)).Read(b)
		f.Add(b)
	}
	f.Add([]byte("\x03\x01\x02\x00\x04\x05\x01\x02\x03\x07\x01\x01\x01"))
	f.Add([]byte(strings.Repeat("\x05\x02\x01\x07\x03", 20)))
	f.Fuzz(func(t *testing.T, b []byte) {
		checkWorld(t, func(n int) int {
			if len(b) == 0 {
				return 0
			}
			v := int(b[0]) % n
			b = b[1:]
			return v
		})
	})
}

func TestSteps(t *testing.T) {
	for in, want := range map[string]int{"com": 1, "a.com": 2, "a.b.c.d.e.f.com": 7, "a.b.c.d.e.f.g.com": 8, "a.b.c.d.e.f.g.h.com": 8, strings.Repeat("a.", 100) + "com": 8} {
		n, err := domain.Parse(in)
		require.NoError(t, err)
		require.Len(t, steps(nil, n), want, in)
	}
}

func TestCommonSuffix(t *testing.T) {
	for _, c := range [][3]string{
		{"a.b.example", "c.b.example", "b.example"},
		{"a.b.example", "b.example", "b.example"},
		{"a.b.example", "a.b.example", "a.b.example"},
		{"a.xb.example", "c.b.example", "example"},
		{"a.example", "a.test", ""},
		{"example", "a.b.c.example", "example"},
	} {
		a, _ := domain.Parse(c[0])
		b, _ := domain.Parse(c[1])
		require.Equal(t, c[2], commonSuffix(a, b).String())
		require.Equal(t, c[2], commonSuffix(b, a).String())
	}
	require.True(t, commonSuffix(domain.Name{}, domain.Name{}).IsZero())
}
