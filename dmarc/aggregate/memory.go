package aggregate

import (
	"context"
	"iter"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// Memory is a Store in memory. It is bounded: see NewMemory.
type Memory struct {
	mu     sync.Mutex
	max    int
	rows   int
	size   int64 // octets, roughly
	groups map[string]*memoryGroup
}

type memoryGroup struct {
	Group
	rows map[string]*Record
	size int64 // of the group and its rows
}

const (
	// defaultRows takes some 100 MB.
	defaultRows = 100_000
	// perRow is what rows and groups may take, in octets, for each row that there may
	// be. Rows as they usually are take half of it; one of a message with 64 signatures
	// that a stranger thought up takes forty times as much.
	perRow = 1 << 10
	// overhead is what a row, or a group, takes beside its texts, roughly.
	overhead = 256
)

// NewMemory returns a Store that holds at most maxRows different rows, in as many
// groups, and 1 KiB for each on average; zero means 100,000. When it is full, what fits into a row that is there
// is still counted; of others the number alone is kept, if their group is there,
// and Add returns ErrFull.
func NewMemory(maxRows int) *Memory {
	if maxRows <= 0 {
		maxRows = defaultRows
	}
	return &Memory{max: maxRows, groups: map[string]*memoryGroup{}}
}

// Add implements Store.
func (m *Memory) Add(_ context.Context, g Group, key string, r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	have := m.groups[g.ID]
	if have == nil {
		size := int64(overhead+len(g.Policy.Domain)+len(g.Policy.FO)) + textSize(g.RUA)
		if m.rows >= m.max || !m.fits(size+rowSize(&r)) {
			return ErrFull
		}
		g.Policy.Domain, g.Policy.FO, g.RUA = strings.Clone(g.Policy.Domain), strings.Clone(g.Policy.FO), cloneTexts(g.RUA)
		have = &memoryGroup{Group: g, rows: map[string]*Record{}}
		m.groups[g.ID] = have
		m.grow(have, size)
	}
	if more := textSize(g.RUA) - textSize(have.RUA); !slices.Equal(have.RUA, g.RUA) && m.fits(more) {
		have.RUA = cloneTexts(g.RUA)
		m.grow(have, more)
	}
	if row := have.rows[key]; row != nil {
		row.Count = addCount(row.Count, r.Count)
		return nil
	}
	size := rowSize(&r)
	if m.rows >= m.max || !m.fits(size) {
		have.Omitted = addCount(have.Omitted, r.Count)
		return ErrFull
	}
	m.rows++
	m.grow(have, size)
	r = r.clone()
	have.rows[key] = &r
	return nil
}

func (m *Memory) fits(more int64) bool {
	return more <= 0 || (m.size+more+perRow-1)/perRow <= int64(m.max)
}

func (m *Memory) grow(g *memoryGroup, n int64) {
	g.size += n
	m.size += n
}

func textSize(texts []string) int64 {
	n := 0
	for _, t := range texts {
		n += len(t) + 16
	}
	return int64(n)
}

// rowSize is what a row takes, roughly.
func rowSize(r *Record) int64 {
	n := overhead + len(r.HeaderFrom) + len(r.EnvelopeFrom) + len(r.EnvelopeTo)
	for i := range r.Reasons {
		n += 32 + len(r.Reasons[i].Comment)
	}
	for i := range r.AuthDKIM {
		d := &r.AuthDKIM[i]
		n += 64 + len(d.Domain) + len(d.Selector) + len(d.HumanResult)
	}
	for i := range r.AuthSPF {
		n += 64 + len(r.AuthSPF[i].Domain) + len(r.AuthSPF[i].HumanResult)
	}
	return int64(n)
}

// clone copies the texts: each may be a few octets of a whole message that would be
// kept with it.
func (r Record) clone() Record {
	r.HeaderFrom, r.EnvelopeFrom, r.EnvelopeTo = strings.Clone(r.HeaderFrom), strings.Clone(r.EnvelopeFrom), strings.Clone(r.EnvelopeTo)
	r.Reasons, r.AuthDKIM, r.AuthSPF = slices.Clone(r.Reasons), slices.Clone(r.AuthDKIM), slices.Clone(r.AuthSPF)
	for i := range r.Reasons {
		r.Reasons[i].Comment = strings.Clone(r.Reasons[i].Comment)
	}
	for i := range r.AuthDKIM {
		d := &r.AuthDKIM[i]
		d.Domain, d.Selector, d.HumanResult = strings.Clone(d.Domain), strings.Clone(d.Selector), strings.Clone(d.HumanResult)
	}
	for i := range r.AuthSPF {
		d := &r.AuthSPF[i]
		d.Domain, d.HumanResult = strings.Clone(d.Domain), strings.Clone(d.HumanResult)
	}
	return r
}

func cloneTexts(texts []string) []string {
	out := slices.Clone(texts)
	for i := range out {
		out[i] = strings.Clone(out[i])
	}
	return out
}

// Groups implements Store.
func (m *Memory) Groups(_ context.Context, before time.Time) ([]Group, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Group
	for _, g := range m.groups {
		if g.End.Before(before) {
			out = append(out, g.Group)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if !out[i].Begin.Equal(out[j].Begin) {
			return out[i].Begin.Before(out[j].Begin)
		}
		return out[i].Policy.Domain+out[i].ID < out[j].Policy.Domain+out[j].ID
	})
	return out, nil
}

// Rows implements Store.
func (m *Memory) Rows(_ context.Context, id string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, r := range m.snapshot(id) {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (m *Memory) snapshot(id string) []Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := m.groups[id]
	if g == nil {
		return nil
	}
	keys := make([]string, 0, len(g.rows))
	for k := range g.rows {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		a, b := g.rows[keys[i]], g.rows[keys[j]]
		if a.SourceIP != b.SourceIP {
			return a.SourceIP.Less(b.SourceIP)
		}
		return keys[i] < keys[j]
	})
	out := make([]Record, len(keys))
	for i, k := range keys {
		out[i] = *g.rows[k]
	}
	return out
}

// Delete implements Store.
func (m *Memory) Delete(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.groups[id]; g != nil {
		m.rows -= len(g.rows)
		m.size -= g.size
		delete(m.groups, id)
	}
	return nil
}
