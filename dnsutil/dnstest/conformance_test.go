package dnstest_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

func TestTestResolver(t *testing.T) {
	require.NoError(t, dnstest.TestResolver(dnstest.NewConformanceZone()))
}

// Each fault that an adapter is likely to have is found.
func TestTestResolverFinds(t *testing.T) {
	z := dnstest.NewConformanceZone()
	for what, wrap := range map[string]func(ctx context.Context, name string, t dnsutil.Type, a dnsutil.Answer, err error) (dnsutil.Answer, error){
		"no such domain": func(_ context.Context, _ string, _ dnsutil.Type, a dnsutil.Answer, err error) (dnsutil.Answer, error) {
			a.NXDomain = false
			return a, err
		},
		"failure": func(_ context.Context, _ string, _ dnsutil.Type, a dnsutil.Answer, err error) (dnsutil.Answer, error) {
			return a, nil // an error as NODATA
		},
		"cancelled context": func(ctx context.Context, _ string, _ dnsutil.Type, a dnsutil.Answer, err error) (dnsutil.Answer, error) {
			if ctx.Err() != nil {
				err = nil
			}
			return a, err
		},
		"chain": func(_ context.Context, _ string, _ dnsutil.Type, a dnsutil.Answer, err error) (dnsutil.Answer, error) {
			a.Chain = nil
			return a, err
		},
		"together with error": func(_ context.Context, _ string, _ dnsutil.Type, a dnsutil.Answer, err error) (dnsutil.Answer, error) {
			a.NXDomain = a.NXDomain || err != nil
			return a, err
		},
		"one string": func(_ context.Context, _ string, _ dnsutil.Type, a dnsutil.Answer, err error) (dnsutil.Answer, error) {
			if slices.Contains(a.TXT, "one string") { // chunks not joined
				a.TXT = append([]string{"one ", "string"}, a.TXT[1:]...)
			}
			return a, err
		},
		"wrong family": func(_ context.Context, _ string, _ dnsutil.Type, a dnsutil.Answer, err error) (dnsutil.Answer, error) {
			a.Addrs = slices.Clone(a.Addrs)
			for i, ip := range a.Addrs {
				a.Addrs[i] = ip.Unmap()
			}
			return a, err
		},
		"none of another": func(_ context.Context, _ string, t dnsutil.Type, a dnsutil.Answer, err error) (dnsutil.Answer, error) {
			if t == dnsutil.TypeA && len(a.Addrs) > 0 {
				a.TXT = []string{"x"}
			}
			return a, err
		},
		"does not exist": func(_ context.Context, _ string, _ dnsutil.Type, a dnsutil.Answer, err error) (dnsutil.Answer, error) {
			if a.NXDomain {
				a.TXT = []string{"x"}
			}
			return a, err
		},
		"DATA": func(_ context.Context, name string, _ dnsutil.Type, a dnsutil.Answer, err error) (dnsutil.Answer, error) {
			if strings.HasPrefix(name, "DATA") {
				a = dnsutil.Answer{NXDomain: true}
			}
			return a, err
		},
	} {
		t.Run(what, func(t *testing.T) {
			err := dnstest.TestResolver(dnsutil.ResolverFunc(func(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
				a, err := z.Lookup(ctx, name, t)
				return wrap(ctx, name, t, a, err)
			}))
			require.ErrorContains(t, err, what)
		})
	}
}
