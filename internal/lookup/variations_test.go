package lookup_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// TestVariations has other inputs of the classes of TestThreats, row/variation.
func TestVariations(t *testing.T) {
	for what, c := range map[string]struct{ in, want string }{
		"host name of a search list": {"mail", "mail."},
		"already absolute":           {"a.example.", "a.example."},
		"capitals":                   {"_DMARC.A.Example", "_dmarc.a.example."},
		"253 octets":                 {strings.Repeat("a.", 126) + "a", strings.Repeat("a.", 127)},
		"253 octets and a dot":       {strings.Repeat("a.", 127), strings.Repeat("a.", 127)},
		"label of 63":                {strings.Repeat("a", 63) + ".example", strings.Repeat("a", 63) + ".example."},
		"no IP address":              {"1.2.0.192", "1.2.0.192."},
	} {
		t.Run("DNS-01/"+what, func(t *testing.T) {
			z := zone(1)
			s := lookup.New(t.Context(), z, lookup.Limits{})
			defer s.Close()
			_, err := s.Scope(0).Lookup(t.Context(), c.in, txt)
			require.NoError(t, err)
			require.Equal(t, []string{"TXT " + c.want}, z.Queries())
		})
	}
	for what, bad := range map[string]string{
		"Kelvin sign": "ban\u212a.example", "long s": "\u017fel._domainkey.bank.example", "not UTF-8": "bank\xff.example", "full width": "\uff42ank.example",
		"soft hyphen": "ba\u00adnk.example", "other dot": "bank\u3002example", "escaped dot": `bank\.example`, "escaped NUL": `bank\000.example`, "NUL": "bank.example\x00",
		"DEL": "a\x7f.example", "line end": "bank.example\r\n", "tab": "bank\t.example", "quote": `"bank".example`, "semicolon": "bank.example;", "literal": "[192.0.2.1]",
		"two dots": "..", "two final dots": "bank.example..", "leading dot": ".bank.example", "angle": "<bank.example>", "254 octets": strings.Repeat("a.", 126) + "ab", "megabyte": strings.Repeat("a.", 1<<19),
	} {
		t.Run("DNS-03/"+what, func(t *testing.T) {
			z := zone(1)
			s := lookup.New(t.Context(), z, lookup.Limits{})
			defer s.Close()
			_, err := s.Scope(0).Lookup(t.Context(), bad, txt)
			require.ErrorIs(t, err, dnsutil.ErrName)
			require.Less(t, len(err.Error()), 2000)
			require.Empty(t, z.Queries())
		})
	}
	testPeekers(t)
}

// odd is a Resolver with a memory; either may be wrong. Without a peek there is nothing in memory.
type odd struct {
	peek, look func() (dnsutil.Answer, error)
}

func (o odd) Lookup(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) { return o.look() }

func (o odd) Peek(string, dnsutil.Type) (dnsutil.Answer, bool, error) {
	if o.peek == nil {
		return dnsutil.Answer{TXT: []string{"meaningless"}}, false, errors.New("meaningless")
	}
	a, err := o.peek()
	return a, true, err
}

// unkind is something to panic with that panics when it is printed.
type unkind struct{}

func (unkind) String() string { panic("again") }

// Whatever an adapter does, in Lookup or in Peek, it is an error that can be printed, the
// same error for each who asks, and nobody hangs.
func testPeekers(t *testing.T) {
	own := errors.New("own")
	var nothing *os.PathError // its Error panics, and a function that returns it as an error has not returned nil
	give := func(a dnsutil.Answer, err error) func() (dnsutil.Answer, error) {
		return func() (dnsutil.Answer, error) { return a, err }
	}
	for _, c := range []struct {
		what string
		f    func() (dnsutil.Answer, error)
		err  error
	}{
		{"panics", func() (dnsutil.Answer, error) { panic("x") }, dnsutil.ErrPanic},
		{"panics with an error", func() (dnsutil.Answer, error) { panic(own) }, dnsutil.ErrPanic},
		{"panics with what panics", func() (dnsutil.Answer, error) { panic(unkind{}) }, dnsutil.ErrPanic},
		{"index out of range", func() (dnsutil.Answer, error) { return dnsutil.Answer{TXT: []string{}[:0][1:2]}, nil }, dnsutil.ErrPanic},
		{"exits", func() (dnsutil.Answer, error) { runtime.Goexit(); return dnsutil.Answer{}, nil }, dnsutil.ErrPanic},
		{"nil pointer for an error", give(dnsutil.Answer{TXT: []string{"v=spf1 +all"}}, nothing), dnsutil.ErrPanic},
		{"data and error", give(dnsutil.Answer{TXT: []string{"x"}}, own), own},
		{"NXDOMAIN and data", give(dnsutil.Answer{NXDomain: true, TXT: []string{"x"}}, nil), dnsutil.ErrAnswer},
		{"NXDOMAIN and an empty record", give(dnsutil.Answer{NXDomain: true, TXT: []string{""}}, nil), dnsutil.ErrAnswer},
		{"data and data of another type", give(dnsutil.Answer{TXT: []string{"x"}, Names: []string{"x."}}, nil), dnsutil.ErrAnswer},
		{"not even a budget", give(dnsutil.Answer{TXT: []string{strings.Repeat("x", 300<<10)}}, nil), dnsutil.ErrBudget},
	} {
		for where, r := range map[string]odd{"Lookup": {look: c.f}, "Peek": {peek: c.f, look: give(dnsutil.Answer{TXT: []string{"v=spf1 +all"}}, nil)}} {
			t.Run("DNS-17/"+c.what+" in "+where, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := lookup.New(t.Context(), r, lookup.Limits{})
					sc := s.Scope(0)
					var errs [3]error
					done := make(chan bool)
					for i := range errs {
						go func() {
							defer close(done) // also by runtime.Goexit, which nobody can stop
							a, err := sc.Lookup(t.Context(), name(1), txt)
							errs[i] = err
							require.Equal(t, dnsutil.Answer{}, a)
						}()
						<-done
						done = make(chan bool)
					}
					for i, err := range errs {
						if i == 0 && c.what == "exits" && where == "Peek" {
							require.NoError(t, err) // it never returned
							continue
						}
						require.ErrorIs(t, err, c.err)
						require.NotEmpty(t, err.Error())
					}
					s.Close()
				})
			})
		}
	}
}
