package mailauth_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/fetch"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/svgps"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dmarc/failure"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/message"
	"github.com/seed2385d973/mailauth/records"
	"github.com/seed2385d973/mailauth/spf"
)

// results are the zero values of every exported type that tells an outcome, or a part
// of one, by its name in the repository.
var results = map[string]any{
	".Result":                     mailauth.Result{},
	".SMTPReply":                  mailauth.SMTPReply{},
	"arc.Result":                  arc.Result{},
	"arc.Set":                     arc.Set{},
	"arc.Signature":               arc.Signature{},
	"arc.Vouching":                arc.Vouching{},
	"authres.Header":              authres.Header{},
	"authres.Result":              authres.Result{},
	"bimi.Discovery":              bimi.Discovery{},
	"bimi.Indicator":              bimi.Indicator{},
	"bimi.Readiness":              bimi.Readiness{},
	"bimi.Receiver":               bimi.Receiver{},
	"bimi.Record":                 bimi.Record{},
	"bimi.Result":                 bimi.Result{},
	"bimi.Signature":              bimi.Signature{},
	"bimi/fetch.Document":         fetch.Document{},
	"bimi/markcert.Result":        markcert.Result{},
	"bimi/markcert.SCT":           markcert.SCT{},
	"bimi/markcert.Subject":       markcert.Subject{},
	"bimi/svgps.Result":           svgps.Result{},
	"dkim.Coverage":               dkim.Coverage{},
	"dkim.KeyCheck":               dkim.KeyCheck{},
	"dkim.Record":                 dkim.Record{},
	"dkim.Result":                 dkim.Result{},
	"dkim.Signature":              dkim.Signature{},
	"dmarc.Alignment":             dmarc.Alignment{},
	"dmarc.Author":                dmarc.Author{},
	"dmarc.Identifier":            dmarc.Identifier{},
	"dmarc.Organization":          dmarc.Organization{},
	"dmarc.Record":                dmarc.Record{},
	"dmarc.Result":                dmarc.Result{},
	"dmarc/aggregate.DKIMResult":  aggregate.DKIMResult{},
	"dmarc/aggregate.Destination": aggregate.Destination{},
	"dmarc/aggregate.Observation": aggregate.Observation{},
	"dmarc/aggregate.Record":      aggregate.Record{},
	"dmarc/aggregate.Report":      aggregate.Report{},
	"dmarc/aggregate.SPFResult":   aggregate.SPFResult{},
	"dmarc/aggregate.Sender":      aggregate.Sender{},
	"dmarc/failure.Incident":      failure.Incident{},
	"dmarc/failure.Report":        failure.Report{},
	"dnsutil.Answer":              dnsutil.Answer{},
	"dnsutil.Exchange":            dnsutil.Exchange{},
	"message.Message":             message.Message{},
	"records.Report":              records.Report{},
	"records.Selector":            records.Selector{},
	"spf.Breadth":                 spf.Breadth{},
	"spf.Record":                  spf.Record{},
	"spf.Result":                  spf.Result{},
}

// nothing are the methods of zero values that may say yes: they say that there is nothing.
var nothing = []string{"IsZero", "Empty"}

// The zero value of a result is not a pass, says so in none of its words, and answers no
// to whatever it is asked.
func TestP16ZeroValuesNeverPass(t *testing.T) {
	for name, zero := range results {
		t.Run(name, func(t *testing.T) {
			v := reflect.New(reflect.TypeOf(zero))
			requireNoPass(t, v.Elem().Interface())
			for i := range v.NumMethod() {
				m := v.Type().Method(i)
				if m.Type.NumIn() != 1 {
					continue // takes arguments: the packages' own tests
				}
				for _, out := range v.Method(i).Call(nil) {
					if out.Kind() == reflect.Bool && !slices.Contains(nothing, m.Name) {
						require.False(t, out.Bool(), m.Name)
					}
					if out.CanInterface() && out.Kind() != reflect.Bool {
						requireNoPass(t, out.Interface())
					}
				}
			}
		})
	}
}

func requireNoPass(t *testing.T, v any) {
	t.Helper()
	if _, ok := v.(error); ok {
		return
	}
	text := strings.ToLower(fmt.Sprintf("%v", v))
	require.False(t, strings.Contains(text, "pass") || strings.Contains(text, "true"), "%T: %s", v, text)
	data, err := json.Marshal(v)
	if err == nil {
		text = strings.ToLower(string(data))
		require.False(t, strings.Contains(text, `"pass"`) || strings.Contains(text, "true"), "%T: %s", v, text)
	}
}

// A type that tells an outcome is in the table: one with a field that holds a status or
// an error, or whose name says so.
func TestP16EveryResultIsListed(t *testing.T) {
	_, dirs := parseSources(t, 0)
	found := 0
	for _, d := range dirs {
		if d.isInternal() || d.isMain() || strings.HasSuffix(d.path, "test") {
			continue
		}
		for _, f := range d.files {
			if f.test {
				continue
			}
			for name, s := range exportedStructs(f.ast) {
				if name != "Failure" && (strings.HasSuffix(name, "Result") || tellsOutcome(s)) { // an error, which is no pass
					found++
					if _, ok := results[strings.TrimPrefix(d.path, ".")+"."+name]; !ok {
						t.Errorf("%s: %s is not in the table", f.name, name)
					}
				}
			}
		}
	}
	require.Greater(t, found, 15)
}

func exportedStructs(f *ast.File) map[string]*ast.StructType {
	out := map[string]*ast.StructType{}
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
			if s, ok := spec.Type.(*ast.StructType); ok {
				out[spec.Name.Name] = s
			}
		}
		return true
	})
	return out
}

func tellsOutcome(s *ast.StructType) bool {
	for _, f := range s.Fields.List {
		typ := f.Type
		if sel, ok := typ.(*ast.SelectorExpr); ok {
			typ = sel.Sel
		}
		id, ok := typ.(*ast.Ident)
		if !ok {
			continue
		}
		exported := slices.ContainsFunc(f.Names, (*ast.Ident).IsExported)
		if id.Name == "Status" || id.Name == "Disposition" || id.Name == "error" && exported {
			return true
		}
	}
	return false
}
