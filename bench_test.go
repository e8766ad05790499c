package mailauth_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// question and full are a cache that has all the answers.
type question struct {
	name string
	t    dnsutil.Type
}

type full map[question]dnsutil.Answer

func (f full) Lookup(_ context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	return f.answer(name, t), nil
}

func (f full) Peek(name string, t dnsutil.Type) (dnsutil.Answer, bool, error) {
	return f.answer(name, t), true, nil
}

func (f full) answer(name string, t dnsutil.Type) dnsutil.Answer {
	a, ok := f[question{name, t}]
	if !ok {
		a.NXDomain = true
	}
	return a
}

const wholeZone = `
bank.example. TXT "v=spf1 include:a.example include:b.example include:c.example include:d.example -all"
a.example. TXT "v=spf1 ip4:203.0.113.1 -all"
b.example. TXT "v=spf1 ip4:203.0.113.2 -all"
c.example. TXT "v=spf1 ip4:203.0.113.3 -all"
d.example. TXT "v=spf1 ip4:198.51.100.1 -all"
sel._domainkey.bank.example. TXT {kb}
two._domainkey.bank.example. TXT {kb}
sel._domainkey.lists.example. TXT {ka}
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
`

// wholeMessage is the row of that name of the performance targets: SPF with four
// includes, two DKIM signatures, DMARC, and if arc says so two ARC sets; if oldest says so
// the older message signature of these is verified too (RFC 8617, section 5.2, step 5).
func wholeMessage(t testing.TB, arc, oldest bool) (evaluate func() *mailauth.Result, limit func(), size int) {
	z := dnstest.MustParse(keyRecords(t).Replace(wholeZone))
	body := strings.Repeat("Lorem ipsum dolor sit amet, consectetur  adipiscing elit.\r\n", 170)
	msg := sign(t, "kb d=bank.example s=two", sign(t, "kb d=bank.example s=sel", signedHeader+"\r\n"+body))
	operations := 2
	if arc {
		for range 2 {
			msg = hop(t, "seal ka lists.example mx.lists.example; dkim=pass header.d=bank.example", msg, "")
		}
		operations += 4 // both seals and both message signatures
		if !oldest {
			operations--
		}
	}

	// What has been asked once is in memory from then on.
	answers := full{}
	record := dnsutil.ResolverFunc(func(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
		return z.Lookup(ctx, name, t)
	})
	first := mailauth.Evaluator{Resolver: record}
	message := func() *mailauth.Message {
		return &mailauth.Message{Session: bankSession(), Data: strings.NewReader(msg)}
	}
	_, err := first.Evaluate(context.Background(), message())
	require.NoError(t, err)
	for _, q := range z.Log() {
		a, err := z.Lookup(context.Background(), q.Name, q.Type)
		require.NoError(t, err)
		answers[question{q.Name, q.Type}] = a
	}

	e := mailauth.Evaluator{Resolver: answers}
	e.ARC.NoOldestPass = !oldest
	evaluate = func() *mailauth.Result {
		r, err := e.Evaluate(context.Background(), message())
		if err != nil {
			panic(err)
		}
		return r
	}
	r := evaluate()
	require.Equal(t, authres.Pass, r.SPF.Status)
	require.Equal(t, authres.Pass, r.DMARC.Status)
	require.Len(t, r.DKIM, 2)
	for _, s := range r.DKIM {
		require.Equal(t, authres.Pass, s.Status)
	}
	if arc {
		require.Equal(t, authres.Pass, r.ARC.Status)
	}

	// The limit: the body once, and for each signature a header of a kilobyte
	// and one operation with a parsed key.
	canonical := []byte(sigtest.Body(body, true))
	input := []byte(strings.Repeat("x", 1<<10))
	sum := sha256.Sum256(input)
	key := sigtest.RSA(t, "rsa2048")
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	limit = func() {
		sha256.Sum256(canonical)
		for range operations {
			sum := sha256.Sum256(input)
			if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
				panic("limit")
			}
		}
	}
	return evaluate, limit, len(msg)
}

// BenchmarkEvaluate measures whole messages of 10 KB, DNS in memory. x-limit is
// the ratio to the limit, least over least of slices taken in turns.
func BenchmarkEvaluate(b *testing.B) {
	for _, c := range []struct {
		name        string
		arc, oldest bool
	}{{"without ARC", false, false}, {"ARC of 2, no oldest-pass", true, false}, {"ARC of 2", true, true}} {
		b.Run(c.name, func(b *testing.B) {
			evaluate, limit, size := wholeMessage(b, c.arc, c.oldest)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				evaluate()
			}
			slice := func(f func()) time.Duration {
				n, start := 0, time.Now()
				for {
					f()
					n++
					if d := time.Since(start); d > 500*time.Microsecond {
						return d / time.Duration(n)
					}
				}
			}
			ours, floor := time.Hour, time.Hour
			for range 300 {
				ours, floor = min(ours, slice(func() { evaluate() })), min(floor, slice(limit))
			}
			b.ReportMetric(float64(ours)/float64(floor), "x-limit")
			b.ReportMetric(float64(ours-floor)/1000, "µs-over")
		})
	}
}
