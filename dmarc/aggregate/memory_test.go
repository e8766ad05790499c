package aggregate_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

// TestMemoryBounds: what strangers write into their messages and records cannot take more
// than 1 KiB for each row that may be there, and what was forgotten makes room.
func TestMemoryBounds(t *testing.T) {
	ctx := context.Background()
	group := func(i, rua int) aggregate.Group {
		return aggregate.Group{ID: fmt.Sprint(i), End: noon, Policy: aggregate.Policy{Domain: fmt.Sprintf("%d.example.com", i)}, RUA: []string{strings.Repeat("x", rua)}}
	}
	row := func(signatures int) aggregate.Record {
		r := aggregate.Record{Count: 1, HeaderFrom: "example.com"}
		for range signatures {
			r.AuthDKIM = append(r.AuthDKIM, aggregate.DKIMResult{Domain: strings.Repeat("d", 200), Selector: strings.Repeat("s", 200), Result: authres.Fail})
		}
		return r
	}
	// fill adds until there is no room, and returns how often there was.
	fill := func(m *aggregate.Memory, add func(i int) error) int {
		for i := range 10_000 {
			if err := add(i); err != nil {
				require.ErrorIs(t, err, aggregate.ErrFull)
				return i
			}
		}
		return math.MaxInt
	}
	for name, c := range map[string]struct {
		add      func(m *aggregate.Memory) func(i int) error
		min, max int
	}{
		"rows as usual": {func(m *aggregate.Memory) func(int) error {
			return func(i int) error { return m.Add(ctx, group(0, 30), fmt.Sprint(i), row(1)) }
		}, 100, 100},
		"groups as usual": {func(m *aggregate.Memory) func(int) error {
			return func(i int) error { return m.Add(ctx, group(i, 30), "", row(0)) }
		}, 100, 100},
		"many signatures": {func(m *aggregate.Memory) func(int) error {
			return func(i int) error { return m.Add(ctx, group(0, 30), fmt.Sprint(i), row(64)) }
		}, 3, 4},
		"long destinations": {func(m *aggregate.Memory) func(int) error {
			return func(i int) error { return m.Add(ctx, group(i, 16<<10), "", row(0)) }
		}, 5, 6},
		"long explanations": {func(m *aggregate.Memory) func(int) error {
			return func(i int) error {
				r := row(1)
				r.AuthDKIM[0].HumanResult, r.AuthSPF = strings.Repeat("x", 10<<10), []aggregate.SPFResult{{HumanResult: strings.Repeat("x", 10<<10)}}
				r.Reasons = []aggregate.Reason{{Comment: strings.Repeat("x", 10<<10)}}
				return m.Add(ctx, group(0, 30), fmt.Sprint(i), r)
			}
		}, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			m := aggregate.NewMemory(100)
			n := fill(m, c.add(m))
			require.GreaterOrEqual(t, n, c.min)
			require.LessOrEqual(t, n, c.max)
			groups, err := m.Groups(ctx, noon.Add(1))
			require.NoError(t, err)
			for _, g := range groups {
				require.NoError(t, m.Delete(ctx, g.ID))
			}
			require.Equal(t, n, fill(m, c.add(m)), "after all was forgotten")
		})
	}
	t.Run("destinations that grow", func(t *testing.T) {
		m := aggregate.NewMemory(100)
		require.NoError(t, m.Add(ctx, group(0, 30), "", row(0)))
		require.NoError(t, m.Add(ctx, group(0, 200<<10), "", row(0)), "the row is there")
		require.NoError(t, m.Add(ctx, group(1, 30), "", row(0)))
		groups, err := m.Groups(ctx, noon.Add(1))
		require.NoError(t, err)
		require.Len(t, groups[0].RUA[0], 30, "too long ones are not kept")
		require.NoError(t, m.Add(ctx, group(0, 98<<10+512), "", row(0)))
		require.ErrorIs(t, m.Add(ctx, group(2, 30), "", row(0)), aggregate.ErrFull)
		require.NoError(t, m.Add(ctx, group(0, 30), "", row(0)))
		require.NoError(t, m.Add(ctx, group(2, 30), "", row(0)))
	})
	t.Run("as many as there are", func(t *testing.T) {
		m := aggregate.NewMemory(math.MaxInt)
		require.NoError(t, m.Add(ctx, group(0, 30), "", row(64)))
	})
}
