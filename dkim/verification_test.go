package dkim

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// Keys are asked for at once and each name once, while the body arrives.
func TestStartAsksAtOnce(t *testing.T) {
	w := newWorld(t)
	w.zone["s2._domainkey.bank.example"] = []string{sigtest.Record(w.ka)}
	w.zone["s3._domainkey.bank.example"] = []string{"error:nxdomain"}
	text := b0
	for _, s := range []string{"sel", "s3", "sel"} {
		text = sigtest.Sign(w.kb, with(t0, "s="+s), text)
	}
	text = sigtest.Sign(w.ka, with(t0, "s=s2"), text)
	synctest.Test(t, func(t *testing.T) {
		r := w.zone.resolver(t)
		r.Delay = 20 * time.Millisecond
		v := Verifier{Resolver: r, Now: clock}
		begin := time.Now()
		var d message.Digester
		head, body, _ := strings.Cut(text, "\r\n\r\n")
		_, err := d.Write([]byte(head + "\r\n\r\n"))
		require.NoError(t, err)
		vn := v.Start(context.Background(), d.Header())
		require.Zero(t, time.Since(begin), "Start does not wait")
		time.Sleep(time.Second)
		require.Len(t, r.Queries(), 3)
		_, err = d.Write([]byte(body))
		require.NoError(t, err)
		m, err := d.Finish()
		require.NoError(t, err)
		results := vn.Finish(m)
		require.Equal(t, time.Second, time.Since(begin), "the answers were there")
		require.Equal(t, 1, r.RoundTrips())
		require.Equal(t, []authres.Status{Pass, Pass, PermError, Pass}, statuses(results))
		require.Equal(t, results, vn.Finish(m), "Finish again gives the same")

		begin = time.Now()
		results = v.Verify(context.Background(), m)
		require.Equal(t, 20*time.Millisecond, time.Since(begin))
		require.Equal(t, []authres.Status{Pass, Pass, PermError, Pass}, statuses(results))
		synctest.Wait()
	})
}

func statuses(results []Result) []authres.Status {
	var s []authres.Status
	for _, r := range results {
		s = append(s, r.Status)
	}
	return s
}

// Abort leaves nothing behind, also while a look-up is under way (row MSG-26).
func TestAbort(t *testing.T) {
	w := newWorld(t)
	text := sigtest.Sign(w.kb, t0, b0)
	synctest.Test(t, func(t *testing.T) {
		r := w.zone.resolver(t)
		r.Delay = time.Hour
		v := Verifier{Resolver: r, Now: clock}
		m := parse(t, text)
		for range 10 {
			vn := v.Start(context.Background(), m.Header())
			vn.Abort()
			vn.Abort()
			results := vn.Finish(m)
			require.Equal(t, []authres.Status{TempError}, statuses(results))
			require.ErrorIs(t, results[0].Err, ErrKeyUnavailable)
		}
	}) // fails if a goroutine is left
}

func TestContextEnds(t *testing.T) {
	w := newWorld(t)
	text := sigtest.Sign(w.kb, t0, b0)
	synctest.Test(t, func(t *testing.T) {
		r := w.zone.resolver(t)
		r.Delay = time.Hour
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		results := (&Verifier{Resolver: r, Now: clock}).Verify(ctx, parse(t, text))
		require.Equal(t, []authres.Status{TempError}, statuses(results))
		require.ErrorIs(t, results[0].Err, context.DeadlineExceeded)
	})
}

func TestClockIsAskedOnce(t *testing.T) {
	w := newWorld(t)
	n := 0
	text := sigtest.Sign(w.kb, with(t0, "t=1700000000", "x=1900000000"), sigtest.Sign(w.kb, with(t0, "x=1"), b0))
	_, _ = w.verify(t, Verifier{Now: func() time.Time { n++; return clock() }}, text)
	require.Equal(t, 1, n)
}

// A name is asked for once, and a copy of a signature is not verified twice.
func TestCopies(t *testing.T) {
	w := newWorld(t)
	field := sigtest.Field(w.kb, "DKIM-Signature", t0, b0)
	bad := strings.Replace(field, "; bh=", "; x9=; bh=", 1)
	results, asked := w.verify(t, Verifier{}, field+bad+field+bad+b0)
	require.Equal(t, []authres.Status{Pass, Fail, Pass, Fail}, statuses(results))
	require.Len(t, asked, 1)

	// A verification by crypto/rsa allocates some ten times, a copy must not.
	v := Verifier{Resolver: memory{"sel._domainkey.bank.example.": {TXT: w.zone["sel._domainkey.bank.example"]}}, Now: clock}
	cost := func(copies int) float64 {
		m := parse(t, strings.Repeat(field, copies)+b0)
		return testing.AllocsPerRun(20, func() { v.Verify(context.Background(), m) })
	}
	require.Less(t, (cost(8)-cost(1))/7, 15.0) // twenty with it
}

// RFC 6008, section 4: at least eight characters and unique.
func TestB(t *testing.T) {
	b := func(data ...string) []string {
		results := make([]Result, len(data))
		for i := range data {
			results[i].Signature.Data = data[i]
		}
		assignB(results)
		var out []string
		for _, r := range results {
			out = append(out, r.B)
		}
		return out
	}
	require.Equal(t, []string{"abcdefgh"}, b("abcdefghijkl"))
	require.Equal(t, []string{"abc"}, b("abc"))
	require.Equal(t, []string{"abcdefghij", "abcdefghiJ", "ABCDEFGH"}, b("abcdefghijkl", "abcdefghiJkl", "ABCDEFGHijkl"))
	require.Equal(t, []string{"abcdefgh", "abcdefgh"}, b("abcdefghijkl", "abcdefghijkl"))
	require.Equal(t, []string{"", "abcdefgh"}, b("", "abcdefghijkl"))
}

func TestResultJSON(t *testing.T) {
	w := newWorld(t)
	text := sigtest.Sign(w.kb, with(t0, "l=16"), b0)
	results, _ := w.verify(t, Verifier{}, strings.Replace(text, "DKIM-Signature", "Subject: x\r\nDKIM-Signature", 1))
	got, err := json.Marshal(results)
	require.NoError(t, err)
	require.JSONEq(t, `[{"result":"policy","domain":"bank.example","selector":"sel","identity":"@bank.example","algorithm":"rsa-sha256",
		"key_bits":2048,"body_length":16,"uncovered":["subject","message-id","mime-version","content-type"],
		"code":"ErrBodyLength","error":"signature covers only a part of the body"}]`, string(got))
	require.Contains(t, results[0].LogValue().String(), "ErrBodyLength")
}

// Facts that could be read are there although the signature is refused.
func TestFactsOfBadSignatures(t *testing.T) {
	w := newWorld(t)
	results, _ := w.verify(t, Verifier{}, sigtest.Sign(w.kb, with(t0, "v=2", "t=1700000000", "x=1800000000", "q=foo:dns/txt", "z=Subject:a=20b"), b0))
	s := results[0].Signature
	require.ErrorIs(t, results[0].Err, ErrVersion)
	require.Equal(t, "2", s.Version)
	require.Equal(t, "bank.example", s.Domain)
	require.Equal(t, "sel", s.Selector)
	require.Equal(t, "rsa-sha256", s.Algorithm)
	require.Equal(t, message.Relaxed, s.HeaderCanonicalization)
	require.Equal(t, message.Relaxed, s.BodyCanonicalization)
	require.Equal(t, "foo:dns/txt", s.QueryMethods)
	require.Equal(t, []string{"from", "to", "subject", "date"}, s.Fields)
	require.Nil(t, s.BodyLength)
	require.Equal(t, time.Unix(1700000000, 0).UTC(), s.Time)
	require.Equal(t, time.Unix(1800000000, 0).UTC(), s.Expires)
	require.Equal(t, []CopiedField{{"Subject", "a b"}}, s.CopiedFields)
	require.NotEmpty(t, results[0].B)
	require.Equal(t, []string{"message-id", "mime-version", "content-type"}, results[0].Coverage.Uncovered)
}

// The zero value of a result is not a pass (property P16).
func TestP16ZeroResult(t *testing.T) {
	var r Result
	require.NotEqual(t, Pass, r.Status)
	require.Empty(t, r.Code())
	require.False(t, r.Coverage.Covers(0))
	got, err := json.Marshal(r)
	require.NoError(t, err)
	require.JSONEq(t, `{"result":"","error":""}`, string(got))
	require.Empty(t, Record{}.String())
	require.Empty(t, Error("something else").Code())
}

// Coverage by instance in a header of more fields than one machine word has bits.
func TestCoverageOfLongHeaders(t *testing.T) {
	w := newWorld(t)
	for _, n := range []int{62, 63, 64, 65, 127, 128, 129, 200} {
		filler := strings.Repeat("X-A: b\r\n", n)
		results, _ := w.verify(t, Verifier{}, sigtest.Sign(w.kb, with(t0, "h=from:x-a:to"), filler+b0))
		r := results[0]
		require.Equal(t, Pass, r.Status)
		var covered []int
		for i := range n + 100 {
			if r.Coverage.Covers(i) {
				covered = append(covered, i)
			}
		}
		// The signature is field 0, the filler 1 to n, From n+1, To n+2.
		require.Equal(t, []int{n, n + 1, n + 2}, covered)
		require.Equal(t, []string{"subject", "date", "message-id", "mime-version", "content-type"}, r.Coverage.Uncovered)
	}
}
