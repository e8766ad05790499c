package aggregate

import (
	"context"
	"iter"
	"sort"
	"sync"
	"time"
)

// Memory is a Store in memory. It is bounded: see NewMemory.
type Memory struct {
	mu     sync.Mutex
	max    int
	rows   int
	groups map[string]*memoryGroup
}

type memoryGroup struct {
	Group
	rows map[string]*Record
}

// defaultRows takes some 100 MB at most for records as they usually are.
const defaultRows = 100_000

// NewMemory returns a Store that holds at most maxRows different rows, in as many
// groups; zero means 100,000. When it is full, what fits into a row that is there
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
		if m.rows >= m.max {
			return ErrFull
		}
		have = &memoryGroup{Group: g, rows: map[string]*Record{}}
		m.groups[g.ID] = have
	}
	have.RUA = g.RUA
	if row := have.rows[key]; row != nil {
		row.Count = addCount(row.Count, r.Count)
		return nil
	}
	if m.rows >= m.max {
		have.Omitted = addCount(have.Omitted, r.Count)
		return ErrFull
	}
	m.rows++
	have.rows[key] = &r
	return nil
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
		delete(m.groups, id)
	}
	return nil
}
