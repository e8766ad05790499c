package markcert_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"testing"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/stretchr/testify/require"
)

// TestDefects holds the verifier against the whole table of the test-certificate
// maker: the requirement, the constant and the severity are the table's.
func TestDefects(t *testing.T) {
	for _, d := range markcerttest.Defects() {
		t.Run(d.Item()+"/"+d.String(), func(t *testing.T) {
			r := verify(t, issue(t, markcerttest.Spec{}, d), nil)
			switch d.Severity() {
			case "":
				require.NoError(t, r.Err, d.What())
				require.Equal(t, authres.Pass, r.Status)
				for _, f := range r.Findings {
					require.Equal(t, markcert.Note, f.Severity, f.String())
				}
			case "warning":
				require.NoError(t, r.Err, d.What())
				var codes []string
				for _, f := range r.Findings {
					if f.Severity == markcert.Warning {
						codes = append(codes, f.Code.Code())
					}
				}
				require.Equal(t, []string{d.Code()}, codes)
			case "temporary":
				require.Equal(t, authres.TempError, r.Status, d.What())
			case "failure":
				require.Equal(t, authres.Fail, r.Status, d.What())
			default:
				t.Fatalf("severity %q", d.Severity())
			}
			if r.Status == authres.Pass {
				require.Equal(t, markcerttest.SVG(), r.Indicator)
				require.NotNil(t, r.Chain)
				return
			}
			var e markcert.Error
			require.True(t, errors.As(r.Err, &e))
			require.Equal(t, d.Code(), e.Code(), r.Err.Error())
			require.Nil(t, r.Indicator)
			require.Zero(t, r.IndicatorSHA256)
		})
	}
}

// TestGood: a certificate without defects has nothing to remark upon, and the
// result says everything there is to say.
func TestGood(t *testing.T) {
	b := issue(t, markcerttest.Spec{Domains: []string{"example.com", "brand._bimi.Example.NET"}})
	r := verify(t, b, nil)
	require.NoError(t, r.Err)
	require.Equal(t, authres.Pass, r.Status)
	for _, f := range r.Findings {
		require.Equal(t, markcert.Note, f.Severity, f.String())
	}
	require.Equal(t, markcert.RegisteredMark, r.MarkType)
	require.Equal(t, "Example Inc.", r.Subject.Organization)
	require.Equal(t, "XX", r.Subject.TrademarkCountry)
	require.Equal(t, "1234567", r.Subject.TrademarkID)
	require.Equal(t, []string{"example.com"}, r.Domains)
	require.Equal(t, []string{"brand._bimi.example.net"}, r.Selectors)
	require.Equal(t, "example.com", r.Matched)
	require.Equal(t, markcert.Good, r.Transparency)
	require.Equal(t, markcert.Good, r.Revocation)
	require.Equal(t, testTime.AddDate(0, 0, 7), r.RevocationUntil)
	require.Len(t, r.Chain, 3)
	require.True(t, r.SCTs[0].Verified)
	require.Equal(t, b.Leaf.NotAfter, r.NotAfter)
	v := strict(t, b)
	for _, f := range v.Lint(b.PEM) {
		require.Equal(t, markcert.Note, f.Severity, f.String())
	}
}

// TestErrorCodes: every constant of the source has its own name as its code, and
// its own words.
func TestErrorCodes(t *testing.T) {
	src, err := os.ReadFile("error.go")
	require.NoError(t, err)
	f, err := parser.ParseFile(token.NewFileSet(), "error.go", src, 0)
	require.NoError(t, err)
	words := map[string]bool{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			require.Equal(t, "Error", v.Type.(*ast.Ident).Name, v.Names[0].Name)
			text := v.Values[0].(*ast.BasicLit).Value
			text = text[1 : len(text)-1]
			require.False(t, words[text], text)
			words[text] = true
			require.Equal(t, v.Names[0].Name, markcert.Error(text).Code())
		}
	}
	require.Greater(t, len(words), 50)
	require.Empty(t, markcert.Error("something else").Code())
}
