package dnsutil_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
)

// Whatever the standard library would not ask for is ErrName here and never "no
// such record"; what passes does reach its dialer.
func TestFromNetRefuses(t *testing.T) {
	errDialed := errors.New("dialed")
	dialed := false
	r := dnsutil.FromNet(&net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		dialed = true
		return nil, errDialed
	}})
	label := strings.Repeat("a", 63)
	for _, name := range []string{
		"", ".", "example.com", "a b.example.", "a(b.example.", "a\x00b.example.", "o'brien.example.", "a/b.example.", "ä.example.", "-a.example.", "a-.example.", "a..example.",
		label + "a.example.", label + "." + label + "." + label + "." + label + ".", "1.2.3.4.", "x.onion.", "X.ONION.", "onion.", "a\\.b.example.",
	} {
		for _, ty := range []dnsutil.Type{dnsutil.TypeTXT, dnsutil.TypeA, dnsutil.TypeMX, dnsutil.TypePTR} {
			_, err := r.Lookup(t.Context(), name, ty)
			require.ErrorIs(t, err, dnsutil.ErrName, name)
		}
	}
	require.False(t, dialed)
	for _, name := range []string{"example.com.", "_dmarc.example.com.", "a-b.1.example.", "xn--a.example.", label + "." + label + "." + label + "." + label[:61] + ".", "1.2.3.4.example.", "onion.example."} {
		dialed = false
		_, err := r.Lookup(t.Context(), name, dnsutil.TypeTXT)
		require.ErrorIs(t, err, dnsutil.ErrLookup, name)
		require.True(t, dialed, name)
	}
	for _, name := range []string{"1.2.0.192.in-addr.arpa.", strings.Repeat("1.", 32) + "ip6.arpa."} {
		dialed = false
		_, err := r.Lookup(t.Context(), name, dnsutil.TypePTR)
		require.Error(t, err)
		require.True(t, dialed, name)
	}
	for _, name := range []string{"2.0.192.in-addr.arpa.", "1.1.2.0.192.in-addr.arpa.", "01.2.0.192.in-addr.arpa.", "x.2.0.192.in-addr.arpa.", strings.Repeat("1.", 31) + "ip6.arpa.", strings.Repeat("1.", 31) + "g.ip6.arpa.", strings.Repeat("11.", 21) + "ip6.arpa.", "example.com."} {
		_, err := r.Lookup(t.Context(), name, dnsutil.TypePTR)
		require.ErrorIs(t, err, dnsutil.ErrName, name)
	}
	for _, ty := range []dnsutil.Type{dnsutil.TypeCNAME, dnsutil.TypeCAA} {
		_, err := r.Lookup(t.Context(), "example.com.", ty)
		require.ErrorIs(t, err, dnsutil.ErrType)
		require.ErrorContains(t, err, ty.String())
	}
	_, err := dnsutil.FromNet(nil).Lookup(t.Context(), "x.onion.", dnsutil.TypeA)
	require.ErrorIs(t, err, dnsutil.ErrName)
}

func TestFromNetContext(t *testing.T) {
	r := dnsutil.FromNet(&net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	_, err := r.Lookup(ctx, "example.com.", dnsutil.TypeMX)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestErrorCode(t *testing.T) {
	for e, want := range map[dnsutil.Error]string{
		dnsutil.ErrNoResolver: "ErrNoResolver", dnsutil.ErrName: "ErrName", dnsutil.ErrType: "ErrType", dnsutil.ErrBudget: "ErrBudget", dnsutil.ErrPanic: "ErrPanic",
		dnsutil.ErrAnswer: "ErrAnswer", dnsutil.ErrChain: "ErrChain", dnsutil.ErrTimeout: "ErrTimeout", dnsutil.ErrTruncated: "ErrTruncated", dnsutil.ErrFormErr: "ErrFormErr",
		dnsutil.ErrServFail: "ErrServFail", dnsutil.ErrNotImp: "ErrNotImp", dnsutil.ErrRefused: "ErrRefused", dnsutil.ErrRcode: "ErrRcode", dnsutil.ErrLame: "ErrLame",
		dnsutil.ErrNetwork: "ErrNetwork", dnsutil.ErrLookup: "ErrLookup", dnsutil.ErrNotRecorded: "ErrNotRecorded", "other": "",
	} {
		require.Equal(t, want, e.Code())
	}
}

func TestTypeString(t *testing.T) {
	for ty, want := range map[dnsutil.Type]string{1: "A", 5: "CNAME", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 257: "CAA", 0: "TYPE0", 65535: "TYPE65535"} {
		require.Equal(t, want, ty.String())
	}
}
