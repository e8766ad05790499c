package dnsutil_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
)

// TestVariations has other inputs of the classes of the threat matrix, row/variation.
func TestVariations(t *testing.T) {
	t.Run("DNS-03", testFolding)
	testLifetimes(t)
	testCachedAdapters(t)
}

// A name is passed on as it was asked, but for the case of ASCII letters. Folded otherwise
// one that is none could become the victim's.
func testFolding(t *testing.T) {
	for what, c := range map[string]struct{ in, want string }{
		"Kelvin sign": {"ban\u212a.example.", "ban\u212a.example."},
		"long s":      {"\u017fpf.example.", "\u017fpf.example."},
		"I with dot":  {"\u0130.example.", "\u0130.example."},
		"umlaut":      {"B\u00dcCHER.example.", "b\u00dccher.example."},
		"not UTF-8":   {"A\xff\xc0.example.", "a\xff\xc0.example."},
		"NUL":         {"BANK\x00.example.", "bank\x00.example."},
		"relative":    {"Bank.Example", "bank.example"},
	} {
		t.Run(what, func(t *testing.T) {
			var asked []string
			r := dnsutil.ResolverFunc(func(_ context.Context, name string, _ dnsutil.Type) (dnsutil.Answer, error) {
				asked = append(asked, name)
				return dnsutil.Answer{TXT: []string{name}}, nil
			})
			rec := &dnsutil.Recorder{Resolver: &dnsutil.Cache{Resolver: r}}
			for _, name := range []string{"bank.example.", "spf.example.", "i.example.", c.in} {
				a, err := rec.Lookup(t.Context(), name, txt)
				require.NoError(t, err)
				require.NotEmpty(t, a.TXT)
			}
			require.Equal(t, []string{"bank.example.", "spf.example.", "i.example.", c.want}, asked)
			require.Equal(t, c.want, rec.Recording()[3].Answer.TXT[0])
			a, err := rec.Recording().Replay().Lookup(t.Context(), c.in, txt)
			require.NoError(t, err)
			require.Equal(t, []string{c.want}, a.TXT)
		})
	}
}

func testLifetimes(t *testing.T) {
	data := func(ttl time.Duration) dnsutil.Answer { return dnsutil.Answer{TXT: []string{"x"}, TTL: ttl} }
	for what, c := range map[string]struct {
		answer dnsutil.Answer
		err    error
		keep   time.Duration
	}{
		"TTL below zero":              {data(-time.Hour), nil, time.Minute},
		"longest TTL":                 {data(math.MaxInt64), nil, 24 * time.Hour},
		"shortest TTL":                {data(math.MinInt64), nil, time.Minute},
		"NXDOMAIN for years":          {dnsutil.Answer{NXDomain: true, TTL: 10000 * time.Hour}, nil, 24 * time.Hour},
		"NODATA for years":            {dnsutil.Answer{TTL: 10000 * time.Hour}, nil, 24 * time.Hour},
		"error with a long TTL":       {data(time.Hour), dnsutil.ErrRefused, 5 * time.Second},
		"error and NXDOMAIN":          {dnsutil.Answer{NXDomain: true, TTL: time.Hour}, errors.New("own"), 5 * time.Second},
		"the resolver's own deadline": {dnsutil.Answer{}, context.DeadlineExceeded, 5 * time.Second},
		"no type":                     {dnsutil.Answer{}, fmt.Errorf("x: %w", dnsutil.ErrType), 0},
		"no resolver":                 {dnsutil.Answer{}, dnsutil.ErrNoResolver, 0},
	} {
		t.Run("DNS-11/"+what, func(t *testing.T) {
			now := time.Unix(1e9, 0)
			r := &counter{answer: c.answer, err: c.err}
			cache := &dnsutil.Cache{Resolver: r, Now: func() time.Time { return now }}
			ask := func() {
				a, err := cache.Lookup(t.Context(), "example.com.", txt)
				require.ErrorIs(t, err, c.err)
				if c.err != nil {
					require.Equal(t, dnsutil.Answer{}, a)
				}
			}
			ask()
			if c.keep > 0 {
				now = now.Add(c.keep - 1)
				ask()
				require.Equal(t, int32(1), r.n.Load())
				now = now.Add(1)
			}
			ask()
			require.Equal(t, int32(2), r.n.Load())
		})
	}
	t.Run("DNS-11/no answer outlives an error", func(t *testing.T) {
		now := time.Unix(1e9, 0)
		r := &counter{answer: data(time.Minute)}
		cache := &dnsutil.Cache{Resolver: r, Now: func() time.Time { return now }}
		outcome := func() (string, error) {
			a, err := cache.Lookup(t.Context(), "example.com.", txt)
			return fmt.Sprint(a.TXT), err
		}
		for _, step := range []struct {
			after time.Duration
			err   error // of the Resolver from now on
			want  string
		}{
			{0, nil, "[x] <nil>"},
			{time.Minute - 1, dnsutil.ErrServFail, "[x] <nil>"},
			{1, dnsutil.ErrServFail, "[] DNS server answered SERVFAIL"}, // not what it was
			{5*time.Second - 1, nil, "[] DNS server answered SERVFAIL"},
			{1, nil, "[x] <nil>"}, // the error was no data
		} {
			now, r.err = now.Add(step.after), step.err
			a, err := outcome()
			require.Equal(t, step.want, fmt.Sprint(a, " ", err))
		}
	})
	t.Run("DNS-15/each answer has its own AD bit", func(t *testing.T) {
		r := &counter{answer: dnsutil.Answer{TXT: []string{"x"}, Authentic: true}}
		cache := &dnsutil.Cache{Resolver: r}
		for _, authentic := range []bool{true, false} {
			r.answer.Authentic = authentic
			for range 2 {
				a, err := cache.Lookup(t.Context(), fmt.Sprintf("%t.example.", authentic), txt)
				require.NoError(t, err)
				require.Equal(t, authentic, a.Authentic)
			}
		}
	})
}

// An adapter that breaks must not break the cache: who asks next is not kept waiting.
func testCachedAdapters(t *testing.T) {
	var nothing *os.PathError
	for what, f := range map[string]func() (dnsutil.Answer, error){
		"panics":                   func() (dnsutil.Answer, error) { panic("x") },
		"nil pointer for an error": func() (dnsutil.Answer, error) { return dnsutil.Answer{TXT: []string{"x"}}, nothing },
	} {
		t.Run("DNS-17/"+what, func(t *testing.T) {
			n := 0
			cache := &dnsutil.Cache{Resolver: dnsutil.ResolverFunc(func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) {
				if n++; n == 1 {
					return f()
				}
				return dnsutil.Answer{TXT: []string{"y"}}, nil
			})}
			require.Panics(t, func() { cache.Lookup(t.Context(), "example.com.", txt) })
			a, err := cache.Lookup(t.Context(), "example.com.", txt)
			require.NoError(t, err)
			require.Equal(t, []string{"y"}, a.TXT)
		})
	}
}
