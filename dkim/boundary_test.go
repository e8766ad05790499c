package dkim

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/internal/taglist"
)

// The limits are what the documentation says, also when the constants change.
func TestLimitValues(t *testing.T) {
	require.Equal(t, []int{64, 8, 4}, []int{maxListed, maxExamined, maxFrom})
	require.Equal(t, time.Hour, maxAhead)
	require.EqualValues(t, 999999999999, maxTime)
	require.Equal(t, []int{256, 8192, 4096, 16384, 1024, 4096, 8192, 2048},
		[]int{sig.MaxNames, sig.MaxRecord, sig.MaxKeyText, sig.MaxField, sig.MinRSABits, sig.MaxRSABits, sig.HardMaxRSABits, sig.WeakRSABits})
	require.Equal(t, []int{64, 16384}, []int{taglist.MaxTags, taglist.MaxLength})
}

// TestErrorTable: each constant is called by the name that it has in the source, and
// has the status that is said here a second time: of what is not here permerror (RFC
// 6376, sections 6.1.1 and 6.1.2). The shared layer has none that is not one of ours.
func TestErrorTable(t *testing.T) {
	others := map[string]authres.Status{
		"ErrKeyUnavailable": authres.TempError, "ErrNoResolver": authres.TempError,
		"ErrBodyHash": authres.Fail, "ErrSignature": authres.Fail,
		"ErrKeyShort": authres.Policy, "ErrSHA1": authres.Policy, "ErrBodyLength": authres.Policy, "ErrKeyPolicy": authres.Policy,
		"ErrPolicy": authres.Policy, "ErrNotExamined": authres.Policy,
		"ErrKeyTesting": authres.None,
	}
	shared := errorsOf(t, nil, "../internal/sig/sig.go")
	all := errorsOf(t, shared, "error.go", "signererror.go")
	texts := map[string]string{}
	for name, text := range all {
		e := Error(text)
		require.Equal(t, name, e.Code())
		require.Empty(t, texts[text], "%s has the text of another", name)
		texts[text] = name
		want, ok := others[name]
		if !ok {
			want = authres.PermError
		}
		require.Equal(t, want, e.Status(), name)
		delete(others, name)
	}
	require.Empty(t, others)
	require.Len(t, all, 56)
	for name, text := range shared {
		require.Equal(t, name, texts[text], "%s is none of ours", name)
	}
	for _, v := range verdicts {
		require.Contains(t, all, v.code)
	}
	require.Empty(t, Error("unknown").Code())
	require.Equal(t, authres.PermError, Error("unknown").Status())
	require.Equal(t, authres.PermError, statusOf(io.EOF), "what is not known is no pass, and does not get better")
}

// errorsOf reads the constants of type Error out of source files: their text by their
// name. One that is said to be another's is looked up in shared.
func errorsOf(t *testing.T, shared map[string]string, files ...string) map[string]string {
	all := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Error" || len(spec.Values) == 0 {
				return true
			}
			require.Len(t, spec.Names, 1)
			switch v := spec.Values[0].(type) {
			case *ast.BasicLit:
				all[spec.Names[0].Name], err = strconv.Unquote(v.Value)
				require.NoError(t, err)
			case *ast.CallExpr: // Error(sig.ErrX)
				text, ok := shared[v.Args[0].(*ast.SelectorExpr).Sel.Name]
				require.True(t, ok, spec.Names[0].Name)
				all[spec.Names[0].Name] = text
			}
			return true
		})
	}
	return all
}
