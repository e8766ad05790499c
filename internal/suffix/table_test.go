package suffix

import (
	"encoding/binary"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/publicsuffix"

	"github.com/seed2385d973/mailauth/internal/domain"
)

var writeTable = flag.Bool("write-table", false, "write the table of the list that golang.org/x/net has")

// rules returns the list's rules as the source of golang.org/x/net has them for its own tests.
func rules(t *testing.T) (out []string) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/net").Output()
	require.NoError(t, err)
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "publicsuffix", "table_test.go"), nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || v.Names[0].Name != "rules" {
			return true
		}
		for _, e := range v.Values[0].(*ast.CompositeLit).Elts {
			s, err := strconv.Unquote(e.(*ast.BasicLit).Value)
			require.NoError(t, err)
			out = append(out, s)
		}
		return false
	})
	require.Greater(t, len(out), 9000)
	return out
}

// table makes what is embedded.
func table(t *testing.T, rules []string) (names, slots []byte) {
	all := map[string]flags{}
	probe := func(s string) (bool, flags) {
		ps, icann := publicsuffix.PublicSuffix(s)
		if icann {
			return ps == s, isICANN
		}
		return ps == s, 0
	}
	listed := map[string]bool{}
	for _, r := range rules {
		listed[r] = true
	}
	for _, r := range rules {
		name := r
		var f flags
		switch {
		case strings.HasPrefix(r, "*."):
			name = r[2:]
			is, icann := probe("no-such-label." + name)
			require.True(t, is, r)
			if f = above; icann != 0 {
				f |= aboveICANN
			}
		case strings.HasPrefix(r, "!"):
			name, f = r[1:], isException
		}
		all[name] |= f
		for s := name; s != ""; _, s, _ = strings.Cut(s, ".") {
			all[s] |= everything
		}
	}
	for s, f := range all {
		// A single label without a rule is a suffix by the rule "*" alone.
		if is, icann := probe(s); is && (strings.Contains(s, ".") || listed[s]) {
			all[s] = f | isSuffix | icann
		}
	}
	order := make([]string, 0, len(all))
	for s := range all {
		order = append(order, s)
	}
	slices.Sort(order)
	list := make([]uint32, 1<<slotBits)
	longest := 0
	for _, s := range order {
		require.Less(t, len(s), 1<<lengthBits)
		require.Less(t, len(names), 1<<offsetBits)
		h := hashBegin
		for i := len(s) - 1; i >= 0; i-- {
			h = h.add(s[i])
		}
		slot, steps := h.slot(), 1
		for ; list[slot] != 0; slot = (slot + 1) & (1<<slotBits - 1) {
			steps++
		}
		longest = max(longest, steps)
		list[slot] = uint32(len(names))<<(32-offsetBits) | uint32(len(s))<<flagBits | uint32(all[s])
		names = append(names, s...)
	}
	t.Logf("%d names, %d octets, at most %d slots to look at", len(order), len(names), longest)
	require.Less(t, longest, 100)
	for _, e := range list {
		slots = binary.LittleEndian.AppendUint32(slots, e)
	}
	return names, slots
}

// TestTable: the table is the one of the list in golang.org/x/net as go.mod has it.
// After an update of that module: go test ./internal/suffix -run TestTable -write-table.
func TestTable(t *testing.T) {
	n, s := table(t, rules(t))
	if *writeTable {
		require.NoError(t, os.MkdirAll("data", 0o755))
		require.NoError(t, os.WriteFile("data/names", n, 0o644))
		require.NoError(t, os.WriteFile("data/slots", s, 0o644))
		return
	}
	require.True(t, string(n) == names && string(s) == slots, "the table is not that of the list in golang.org/x/net: run this test with -write-table")
}

// TestTableIsTheList: for every rule, what is above and below it, and names with other
// labels, the table says what golang.org/x/net says.
func TestTableIsTheList(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	count := 0
	same := func(s string) {
		if s == "" {
			return
		}
		count++
		want, wantICANN := publicsuffix.PublicSuffix(s)
		start, icann := publicSuffix(s)
		require.Equal(t, want, s[start:], s)
		if want == s && strings.Contains(s, ".") {
			require.Equal(t, wantICANN, icann, s)
		}
		if n, err := domain.Parse(s); err == nil && strings.Contains(s, ".") {
			require.Equal(t, want == s && wantICANN, Is(n), s)
		}
	}
	all := rules(t)
	for _, r := range all {
		r = strings.TrimPrefix(strings.TrimPrefix(r, "*."), "!")
		other := all[rnd.IntN(len(all))]
		other, _, _ = strings.Cut(strings.TrimLeft(other, "!*."), ".")
		for _, below := range []string{"", "www.", "a.b.", "x.y.z.", other + ".", "www." + other + ".", "com.", "city."} {
			same(below + r)
		}
		for s := r; s != ""; _, s, _ = strings.Cut(s, ".") {
			same(s)
			same("other." + s)
			same("x" + s)
		}
	}
	for range 20000 {
		var labels []string
		for range 1 + rnd.IntN(5) {
			r := strings.Split(strings.TrimLeft(all[rnd.IntN(len(all))], "!*."), ".")
			labels = append(labels, r[rnd.IntN(len(r))])
		}
		same(strings.Join(labels, "."))
	}
	require.Greater(t, count, 100_000)
}

func BenchmarkIs(b *testing.B) {
	for _, s := range []string{"bank.example", "mail.bank.co.uk", "a.b.c.d.e.f.example.com"} {
		n := name(b, s)
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Is(n)
			}
		})
	}
}
