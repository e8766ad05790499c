package mailauth_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// everybody is a DNS in which every name under .example sends mail by one host.
type everybody struct{ key dnsutil.Answer }

func (e everybody) Lookup(_ context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	switch {
	case t != dnsutil.TypeTXT, name == "example.", name == "_dmarc.example.":
		return dnsutil.Answer{NXDomain: true}, nil
	case strings.Contains(name, "._domainkey."):
		return e.key, nil
	case strings.HasPrefix(name, "_dmarc."):
		return txt("v=DMARC1; p=reject"), nil
	}
	return txt("v=spf1 ip4:198.51.100.1 -all"), nil
}

// server is one Evaluator with a shared cache, as a mail server has it, and mail for it:
// every message of a domain of its own out of so many.
func server(t testing.TB, signed bool, domains int) (e *mailauth.Evaluator, receive func(i int)) {
	key, err := dnstest.MustParse(keyRecords(t).Replace("sel._domainkey.bank.example. TXT {kb}\n")).
		Lookup(context.Background(), "sel._domainkey.bank.example.", dnsutil.TypeTXT)
	require.NoError(t, err)
	e = &mailauth.Evaluator{Resolver: &dnsutil.Cache{Resolver: everybody{key}, MaxEntries: 2000, MaxBytes: 1 << 20}}
	one := signedHeader + "\r\n" + strings.Repeat("Lorem ipsum dolor sit amet, consectetur adipiscing elit.\r\n", 20)
	if signed {
		one = sign(t, "kb d=bank.example s=sel", one)
	}
	return e, func(i int) {
		s, m := bankSession(), one
		if !signed {
			d := fmt.Sprintf("bank%d.example", i%domains)
			s.MailFrom, m = "b@"+d, strings.ReplaceAll(one, "bank.example", d)
		}
		r, err := e.Evaluate(context.Background(), &mailauth.Message{Session: s, Data: strings.NewReader(m)})
		if err != nil || r.DMARC.Status != authres.Pass {
			panic(fmt.Sprint(err, r))
		}
	}
}

// heap returns the octets of the heap that are in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// soak receives n messages on several goroutines and returns how much the heap has grown
// since its first hundredth.
func soak(n, workers int, receive func(i int)) (grown int64) {
	var next atomic.Int64
	work := func(until int) {
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for i := int(next.Add(1)); i <= until; i = int(next.Add(1)) {
					receive(i)
				}
			})
		}
		wg.Wait()
		next.Store(int64(until))
	}
	work(n / 100)
	before := heap()
	work(n)
	return heap() - before
}

// TestSoak: six thousand messages of as many domains, far more than the cache
// holds, leave nothing behind but what the cache may hold. BenchmarkSoak is a million.
func TestSoak(t *testing.T) {
	e, receive := server(t, false, 6_000)
	goroutines := runtime.NumGoroutine()
	grown := soak(6_000, 8, receive)
	t.Logf("the heap has grown by %d octets", grown)
	require.Less(t, grown, int64(2<<20)) // twice the cache's MaxBytes, which is about
	require.LessOrEqual(t, runtime.NumGoroutine(), goroutines)
	entries, octets := e.Resolver.(*dnsutil.Cache).Size()
	require.LessOrEqual(t, entries, 2000)
	require.LessOrEqual(t, octets, 1<<20)
}

// BenchmarkSoak receives messages, half of them signed, on 16 goroutines. With
// -benchtime 1000000x it is the soak of BENCHMARKS.md: heap-grown is what the heap holds
// more at the end than after the first hundredth.
func BenchmarkSoak(b *testing.B) {
	_, plain := server(b, false, 10_000)
	_, signed := server(b, true, 1)
	b.ResetTimer()
	grown := soak(b.N, 16, func(i int) {
		if i%2 == 0 {
			signed(i)
		} else {
			plain(i)
		}
	})
	b.ReportMetric(float64(grown)/1024, "KiB-heap-grown")
	b.ReportMetric(float64(runtime.NumGoroutine()), "goroutines")
}

// BenchmarkScale is 64 goroutines over one Evaluator and its cache: run it with -cpu
// 1,2 for what a second core brings, and with -mutexprofile and -blockprofile for what they wait for.
func BenchmarkScale(b *testing.B) {
	for name, signed := range map[string]bool{"signed": true, "unsigned": false} {
		b.Run(name, func(b *testing.B) {
			const domains = 300
			_, receive := server(b, signed, domains)
			for i := range domains {
				receive(i) // from now on the cache has it all
			}
			var next atomic.Int64
			b.SetParallelism(64 / runtime.GOMAXPROCS(0))
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					receive(int(next.Add(1)))
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// BenchmarkLatency is a whole message with 20 ms for each answer of the DNS, on the
// real clock: "ms-after-header" from the end of the header to the result, "ms-after-body"
// from the end of a body that takes 100 ms.
func BenchmarkLatency(b *testing.B) {
	for name, slow := range map[string]time.Duration{"fast body": 0, "slow body": 100 * time.Millisecond} {
		b.Run(name, func(b *testing.B) {
			z := dnstest.MustParse(keyRecords(b).Replace(wholeZone))
			z.Delay = 20 * time.Millisecond
			e := mailauth.Evaluator{Resolver: z}
			msg := sign(b, "kb d=bank.example s=two", sign(b, "kb d=bank.example s=sel", signedHeader+"\r\nDear customer\r\n"))
			header, body, _ := strings.Cut(msg, "\r\n\r\n")
			afterHeader, afterBody := time.Hour, time.Hour
			for b.Loop() {
				ev := e.Start(context.Background(), bankSession())
				_, err := ev.Write([]byte(header + "\r\n\r\n"))
				require.NoError(b, err)
				begin := time.Now()
				time.Sleep(slow)
				_, err = ev.Write([]byte(body))
				require.NoError(b, err)
				end := time.Now()
				r, err := ev.Finish()
				require.NoError(b, err)
				require.Equal(b, authres.Pass, r.DMARC.Status)
				afterHeader, afterBody = min(afterHeader, time.Since(begin)), min(afterBody, time.Since(end))
			}
			b.ReportMetric(afterHeader.Seconds()*1000, "ms-after-header")
			b.ReportMetric(afterBody.Seconds()*1000, "ms-after-body")
		})
	}
}
