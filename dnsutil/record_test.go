package dnsutil_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

func TestRecordReplay(t *testing.T) {
	own := errors.New("own")
	z := dnstest.MustParse(`
data.example.  300 TXT "v=spf1" " \000\255\"" 
data.example.  300 TXT "ü"
data.example.  300 A 192.0.2.1
data.example.  300 AAAA ::ffff:192.0.2.1
data.example.  300 MX 10 mx.example.
null.example.  300 MX 0 .
data.example.  300 CAA 128 issuevmc "ca.example; \"\255"
empty.example. 300 TXT ""
alias.example. 300 CNAME data.example.
1.example.     300 PTR data.example.
`).WithFault("bad.example", 0, dnsutil.ErrServFail).
		WithFault("slow.example", 0, fmt.Errorf("%w: %w", dnsutil.ErrTimeout, context.DeadlineExceeded)).
		WithFault("own.example", 0, own).
		WithAnswer("auth.example", 0, dnsutil.Answer{TXT: []string{"x"}, Authentic: true, Addrs: []netip.Addr{netip.MustParseAddr("fe80::1%x")}})
	names := []string{"data.example.", "null.example.", "empty.example.", "alias.example.", "1.example.", "bad.example.", "slow.example.", "own.example.", "auth.example.", "none.example."}
	types := []dnsutil.Type{dnsutil.TypeA, dnsutil.TypeAAAA, dnsutil.TypeMX, dnsutil.TypeTXT, dnsutil.TypePTR, dnsutil.TypeCNAME, dnsutil.TypeCAA}

	rec := &dnsutil.Recorder{Resolver: z}
	type outcome struct {
		a   dnsutil.Answer
		err error
	}
	first := map[string]outcome{}
	for _, n := range names {
		for _, ty := range types {
			a, err := rec.Lookup(t.Context(), n, ty)
			first[ty.String()+n] = outcome{a, err}
		}
	}
	text, err := json.Marshal(rec.Recording())
	require.NoError(t, err)
	var read dnsutil.Recording
	require.NoError(t, json.Unmarshal(text, &read))
	again, err := json.Marshal(read)
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))

	replay := read.Replay()
	for _, n := range names {
		for _, ty := range types {
			want := first[ty.String()+n]
			a, err := replay.Lookup(t.Context(), n, ty)
			require.Equal(t, want.a, a, "%s %s", ty, n)
			if want.err == nil {
				require.NoError(t, err)
				continue
			}
			require.EqualError(t, err, want.err.Error())
			for _, kind := range []error{dnsutil.ErrServFail, dnsutil.ErrTimeout, context.DeadlineExceeded, dnsutil.ErrChain} {
				require.Equal(t, errors.Is(want.err, kind), errors.Is(err, kind), "%v is %v", err, kind)
			}
		}
	}
	a, err := replay.Lookup(t.Context(), "other.example.", txt)
	require.ErrorIs(t, err, dnsutil.ErrNotRecorded)
	require.Equal(t, dnsutil.Answer{}, a)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = replay.Lookup(ctx, "data.example.", txt)
	require.ErrorIs(t, err, context.Canceled)
}

func TestRecordingRefuses(t *testing.T) {
	for _, s := range []string{
		`[{"name": "a.", "type": 16, "color": 1}]`, `[{"name": "a.", "type": 16, "is": ["ErrServFail"]}]`, `[{"name": "a.", "type": 16, "error": "x", "is": ["ErrNone"]}]`,
		`[{"name": "a.", "type": 70000}]`, `[{"name": "a.", "type": 1, "addrs": ["1"]}]`, `[{"name": 1}]`, `{}`,
	} {
		var rec dnsutil.Recording
		require.Error(t, json.Unmarshal([]byte(s), &rec), s)
	}
}

// A question has one answer, whoever asks and how often.
func TestRecorderOnce(t *testing.T) {
	n := 0
	var mu sync.Mutex
	rec := &dnsutil.Recorder{Resolver: dnsutil.ResolverFunc(func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) {
		mu.Lock()
		defer mu.Unlock()
		n++
		return dnsutil.Answer{TXT: []string{fmt.Sprint(n)}}, nil
	})}
	got := make([]dnsutil.Answer, 20)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], _ = rec.Lookup(t.Context(), "A.example.", txt) })
	}
	wg.Wait()
	for _, a := range got {
		require.Equal(t, rec.Recording()[0].Answer, a)
	}
	require.Len(t, rec.Recording(), 1)
	_, ok, _ := rec.Peek("a.example.", txt)
	require.True(t, ok)
	_, ok, _ = rec.Peek("b.example.", txt)
	require.False(t, ok)
	_, err := new(dnsutil.Recorder).Lookup(t.Context(), "a.example.", txt)
	require.ErrorIs(t, err, dnsutil.ErrNoResolver)
}

func TestRecorderPeeks(t *testing.T) {
	z := dnstest.MustParse("a.example. 60 TXT x")
	rec := &dnsutil.Recorder{Resolver: z}
	a, ok, err := rec.Peek("a.example.", txt)
	require.True(t, ok)
	require.NoError(t, err)
	require.Equal(t, dnsutil.Recording{{Name: "a.example.", Type: txt, Answer: a}}, rec.Recording())
	z.Delay = time.Hour
	_, ok, _ = rec.Peek("b.example.", txt)
	require.False(t, ok)
	require.Len(t, rec.Recording(), 1)
}

// What a look-up did not wait for is no answer for the next.
func TestRecorderCutShort(t *testing.T) {
	z := dnstest.MustParse("a.example. TXT x")
	rec := &dnsutil.Recorder{Resolver: z}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		_, err := rec.Lookup(ctx, "a.example.", txt)
		require.ErrorIs(t, err, context.Canceled)
		_, err = rec.Recording().Replay().Lookup(t.Context(), "a.example.", txt)
		require.ErrorIs(t, err, context.Canceled)
	}
	a, err := rec.Lookup(t.Context(), "a.example.", txt)
	require.NoError(t, err)
	_, err = rec.Lookup(ctx, "a.example.", txt)
	require.NoError(t, err, "recorded")
	b, err := rec.Recording().Replay().Lookup(t.Context(), "a.example.", txt)
	require.NoError(t, err)
	require.Equal(t, a, b)
	require.Len(t, rec.Recording(), 1)
}
