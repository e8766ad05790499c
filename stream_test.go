package mailauth_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

const signedHeader = "From: CEO <ceo@bank.example>\r\nTo: <u@victim.example>\r\nSubject: Statement\r\n" +
	"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@bank.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n"

// fiveSignatures signs a message in all ways that cost body digests.
func fiveSignatures(t testing.TB, msg string) string {
	for _, spec := range []string{
		"kb d=bank.example s=sel c=relaxed/relaxed", "kb d=bank.example s=sel c=simple/simple",
		"kb d=bank.example s=sel c=relaxed/simple", "ed d=bank.example s=ed c=simple/relaxed",
		"kb d=bank.example s=sel c=relaxed/relaxed l=1000",
	} {
		msg = sign(t, spec, msg)
	}
	return msg
}

const bankZone = `
bank.example. TXT "v=spf1 ip4:198.51.100.1 -all"
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
sel._domainkey.bank.example. TXT {kb}
ed._domainkey.bank.example. TXT {ed}
`

func bankSession() mailauth.Session {
	return mailauth.Session{IP: ip("198.51.100.1"), HELO: "mail.bank.example", MailFrom: "b@bank.example", Receiver: "mx.victim.example", Time: receipt}
}

// TestMemory: a message of 100 MB with five signatures allocates less than 256
// KiB beyond its header, whatever its body.
func TestMemory(t *testing.T) {
	signed := fiveSignatures(t, signedHeader+"\r\n"+strings.Repeat("x", 2000)+"\r\n")
	header, _, _ := strings.Cut(signed, "\r\n\r\n")
	bodies := map[string][]byte{
		"base64":      bytes.Repeat([]byte(strings.Repeat("QUJD", 19)+"\r\n"), 1000),
		"empty lines": bytes.Repeat([]byte("\r\n"), 40000),
		"blanks":      bytes.Repeat([]byte(" "), 80000),
		"one line":    bytes.Repeat([]byte("x"), 80000),
	}
	e := mailauth.Evaluator{Resolver: dnstest.MustParse(keyRecords(t).Replace(bankZone))}
	for name, chunk := range bodies {
		t.Run(name, func(t *testing.T) {
			size := 100 << 20
			if name != "base64" {
				size = 10 << 20
			}
			run := func(size int) uint64 {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				ev := e.Start(context.Background(), bankSession())
				_, err := ev.Write([]byte(header + "\r\n\r\n"))
				require.NoError(t, err)
				for n := 0; n < size; n += len(chunk) {
					_, err := ev.Write(chunk)
					require.NoError(t, err)
				}
				r, err := ev.Finish()
				require.NoError(t, err)
				runtime.ReadMemStats(&after)
				require.Len(t, r.DKIM, 5)
				for _, d := range r.DKIM {
					require.Contains(t, []string{"ErrBodyHash", "ErrBodyTooShort", "ErrBodyLength"}, d.Code())
				}
				return after.TotalAlloc - before.TotalAlloc
			}
			run(len(chunk)) // whatever is made once
			got := run(size)
			t.Logf("%d bytes allocated for %d octets of body", got, size)
			require.Less(t, got, uint64(256<<10))
		})
	}
}

// TestRoundTrips: with 20 ms an answer, a message with four SPF includes, two
// signatures and DMARC at the organizational domain takes two round trips after
// its header, and is decided before a slow body has ended.
func TestRoundTrips(t *testing.T) {
	const zone = `
mail.bank.example. TXT "v=spf1 include:a.example include:b.example include:c.example include:d.example -all"
a.example. TXT "v=spf1 ip4:203.0.113.1 -all"
b.example. TXT "v=spf1 ip4:203.0.113.2 -all"
c.example. TXT "v=spf1 ip4:203.0.113.3 -all"
d.example. TXT "v=spf1 ip4:198.51.100.1 -all"
sel._domainkey.bank.example. TXT {kb}
ed._domainkey.bank.example. TXT {ed}
_dmarc.bank.example. TXT "v=DMARC1; p=reject; adkim=r"
`
	msg := strings.ReplaceAll(signedHeader, "ceo@bank", "ceo@mail.bank") + "\r\nDear customer\r\n"
	msg = sign(t, "ed d=bank.example s=ed", sign(t, "kb d=bank.example s=sel", msg))
	header, body, _ := strings.Cut(msg, "\r\n\r\n")
	session := bankSession()
	session.MailFrom = "b@mail.bank.example"
	for _, c := range []struct {
		name string
		slow time.Duration // how long the body takes
		want time.Duration // from the header's end to the result
	}{
		{"fast body", 0, 40 * time.Millisecond},
		{"slow body", time.Second, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := dnstest.MustParse(keyRecords(t).Replace(zone))
			synctest.Test(t, func(t *testing.T) {
				z.Delay = 20 * time.Millisecond
				e := mailauth.Evaluator{Resolver: z}
				ev := e.Start(context.Background(), session)
				begin := time.Now()
				_, err := ev.Write([]byte(header + "\r\n\r\n"))
				require.NoError(t, err)
				time.Sleep(c.slow)
				_, err = ev.Write([]byte(body))
				require.NoError(t, err)
				r, err := ev.Finish()
				require.NoError(t, err)
				require.Equal(t, c.want, time.Since(begin))
				require.Equal(t, authres.Pass, r.DMARC.Status)
				require.Equal(t, authres.Pass, r.SPF.Status)
				require.Equal(t, 4, r.SPF.Lookups)
				require.Equal(t, 2, z.RoundTrips())
			})
		})
	}
}

// TestReaderError (MSG-26): the reader fails in the middle of the body; the error
// comes back and no goroutine is left.
func TestReaderError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // fails if a goroutine is left
		z := dnstest.MustParse(keyRecords(t).Replace(bankZone))
		z.Delay = time.Second
		e := mailauth.Evaluator{Resolver: z}
		boom := errors.New("boom")
		msg := fiveSignatures(t, signedHeader+"\r\n"+strings.Repeat("x\r\n", 1000))
		_, err := e.Evaluate(context.Background(), &mailauth.Message{
			Session: bankSession(), Data: io.MultiReader(strings.NewReader(msg[:len(msg)-1024]), iotest.ErrReader(boom)),
		})
		require.ErrorIs(t, err, boom)
	})
}

// TestAbort: at any time, more than once, and from a defer after Finish.
func TestAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := dnstest.MustParse(keyRecords(t).Replace(bankZone))
		z.Delay = time.Second
		e := mailauth.Evaluator{Resolver: z}
		msg := fiveSignatures(t, signedHeader+"\r\nx\r\n")
		for _, n := range []int{0, 10, len(msg)} {
			ev := e.Start(context.Background(), bankSession())
			_, err := ev.Write([]byte(msg[:n]))
			require.NoError(t, err)
			ev.Abort()
			ev.Abort()
			written, err := ev.Write([]byte("x"))
			require.Zero(t, written)
			require.ErrorIs(t, err, mailauth.ErrFinished)
			_, err = ev.Finish()
			require.ErrorIs(t, err, mailauth.ErrFinished)
		}
		ev := e.Start(context.Background(), bankSession())
		defer ev.Abort()
		_, err := ev.Write([]byte(msg))
		require.NoError(t, err)
		_, err = ev.Finish()
		require.NoError(t, err)
	})
}

// TestContext: when the context ends, so does the evaluation, and what could not be
// looked up is temporary.
func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := dnstest.MustParse(keyRecords(t).Replace(bankZone))
		z.Delay = time.Hour
		e := mailauth.Evaluator{Resolver: z}
		msg := fiveSignatures(t, signedHeader+"\r\nx\r\n")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r, err := e.Evaluate(ctx, &mailauth.Message{Session: bankSession(), Data: strings.NewReader(msg)})
		require.NoError(t, err)
		require.Equal(t, authres.TempError, r.DMARC.Status)
		require.Equal(t, mailauth.Defer, r.Action)

		// While the message is being read, Evaluate stops reading; who writes may go on.
		_, err = e.Evaluate(ctx, &mailauth.Message{Session: bankSession(), Data: strings.NewReader(msg)})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		ev := e.Start(ctx, bankSession())
		_, err = ev.Write([]byte(msg))
		require.NoError(t, err)
		r, err = ev.Finish()
		require.NoError(t, err)
		require.Equal(t, mailauth.Defer, r.Action)

		// And by itself after the DNS time of one message.
		begin := time.Now()
		r, err = e.Evaluate(context.Background(), &mailauth.Message{Session: bankSession(), Data: strings.NewReader(msg)})
		require.NoError(t, err)
		require.Equal(t, authres.TempError, r.DMARC.Status)
		require.Equal(t, 30*time.Second, time.Since(begin))
	})
}

// TestUnreadable: a header over its limits is the one thing that is an error.
func TestUnreadable(t *testing.T) {
	e := mailauth.Evaluator{Resolver: dnstest.MustParse(""), Header: message.Limits{Fields: 3}}
	_, err := e.Evaluate(context.Background(), &mailauth.Message{Data: strings.NewReader("A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n")})
	require.ErrorIs(t, err, message.ErrFieldCount)
	r, err := e.Evaluate(context.Background(), &mailauth.Message{Data: strings.NewReader("A: 1\r\nB: 2\r\nC: 3\r\n\r\n")})
	require.NoError(t, err)
	require.Equal(t, mailauth.Reject, r.Action) // no author
}

// TestNothing: the smallest inputs (MSG-18) are closed, never a panic.
func TestNothing(t *testing.T) {
	e := mailauth.Evaluator{Resolver: dnstest.MustParse("")}
	for _, s := range []string{"", "\r\n", "\r\n\r\n", ":", ": x\r\n", " \r\n", "\x00", "From", "From:", "From:\r\n\r\n"} {
		r, err := e.Evaluate(context.Background(), &mailauth.Message{Data: strings.NewReader(s)})
		require.NoError(t, err, "%q", s)
		require.Equal(t, authres.PermError, r.DMARC.Status, "%q", s)
		require.True(t, r.DMARC.AmbiguousAuthor())
		require.Equal(t, mailauth.Reject, r.Action)
		require.Equal(t, "localhost", r.AuthenticationResults().AuthservID)
	}
}

// TestPanickingResolver (DNS-17): an adapter's panic is a temporary error.
func TestPanickingResolver(t *testing.T) {
	e := mailauth.Evaluator{Resolver: dnsutil.ResolverFunc(func(context.Context, string, dnsutil.Type) (dnsutil.Answer, error) { panic("adapter") })}
	msg := fiveSignatures(t, signedHeader+"\r\nx\r\n")
	r, err := e.Evaluate(context.Background(), &mailauth.Message{Session: bankSession(), Data: strings.NewReader(msg)})
	require.NoError(t, err)
	require.Equal(t, authres.TempError, r.DMARC.Status)
	require.Equal(t, authres.TempError, r.SPF.Status)
}
