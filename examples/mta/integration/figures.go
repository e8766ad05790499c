package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed2385d973/mailauth/dkim"
)

// What figures measures: the same Postfix without a milter, with one on a Unix-domain
// socket and one on TCP that count for reports (a transaction in a database for each
// message), and with one that does not.
var ways = []struct{ name, port, milter string }{
	{"no milter", "plain", ""},
	{"milter, Unix-domain socket", "in", "enforce"},
	{"milter, TCP", "killed", "mortal"},
	{"milter, Unix-domain socket, no reports", "uncounted", "no-reports"},
}

const (
	figureMessages = 1000 // a round
	figureRounds   = 3
	figureOneByOne = 1000 // for latency, each way
	figureSlice    = 100  // of which the quietest is told beside all
)

// figures prints the table of BENCHMARKS.md. The ways take turns, so that whatever else
// the machine does meets all of them.
func (w *world) figures() error {
	text, _, err := letter{from: "a@load.test", to: "b@receiver.test", body: strings.Repeat("A line of the message's body, as there are many.\r\n", 80),
		signers: []dkim.Signer{w.signer("load.test", "r1")}}.text()
	if err != nil {
		return err
	}
	one := mail{from: loadNetwork + "1", helo: "mx.load.test", mailFrom: "a@load.test", to: []string{"b@receiver.test"}, data: text}
	send := func(port string) (time.Duration, error) {
		m := one
		m.port = port
		begin := time.Now()
		a, err := w.deliver(m)
		if err == nil && !a.ok() {
			err = errors.New(a.String())
		}
		return time.Since(begin), err
	}

	for _, way := range ways { // every process is there, every cache is warm
		for range 20 {
			if _, err := send(way.port); err != nil {
				return err
			}
		}
	}
	before := map[string]int{}
	cpu := map[string]time.Duration{}
	for _, way := range ways {
		if way.milter != "" {
			before[way.name], _ = w.milters[way.milter].memory()
			cpu[way.name] = w.milters[way.milter].cpu()
		}
	}
	latency := map[string][]time.Duration{}
	for range figureOneByOne {
		for _, way := range ways {
			d, err := send(way.port)
			if err != nil {
				return err
			}
			latency[way.name] = append(latency[way.name], d)
		}
	}
	rate := map[string][]float64{}
	for range figureRounds {
		for _, way := range ways {
			r, err := w.flood(way.port, send)
			if err != nil {
				return err
			}
			rate[way.name] = append(rate[way.name], r)
			if !eventually(30*time.Second, func() bool { return w.postfix["receiver"].queued("incoming", "active") == 0 }) {
				return errors.New("the queue does not empty")
			}
		}
	}

	plain := ways[0].name
	all := func(name string, q float64) float64 { return quantile(latency[name], q) }
	quiet := func(name string, q float64) float64 {
		least := math.Inf(1)
		for slice := range slices.Chunk(latency[name], figureSlice) {
			least = min(least, quantile(slice, q))
		}
		return least
	}
	fmt.Printf("\nA message of %d octets with an RSA-2048 signature, SPF, DKIM and DMARC pass; a session each; milliseconds:\n\n", len(text))
	fmt.Printf("| latency, one client | median | 99th percentile | added at the median | at the 99th | quietest %d: median | 99th | added | at the 99th |\n", figureSlice)
	fmt.Println("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, way := range ways {
		fmt.Printf("| %s |", way.name)
		for _, of := range []func(string, float64) float64{all, quiet} {
			median, high := of(way.name, .5), of(way.name, .99)
			fmt.Printf(" %.1f | %.1f |", median, high)
			if way.milter == "" {
				fmt.Print(" | |")
				continue
			}
			fmt.Printf(" %.1f | %.1f |", median-of(plain, .5), high-of(plain, .99))
		}
		fmt.Println()
	}
	fmt.Printf("\n| %d clients | messages a second | processor time of the milter a message | its memory before | after | at most |\n", loadClients)
	fmt.Println("| --- | ---: | ---: | ---: | ---: | ---: |")
	for _, way := range ways {
		r := rate[way.name]
		slices.Sort(r)
		fmt.Printf("| %s | %.0f (%.0f to %.0f) |", way.name, r[len(r)/2], r[0], r[len(r)-1])
		if way.milter == "" {
			fmt.Println(" | | | |")
			continue
		}
		m := w.milters[way.milter]
		now, peak := m.memory()
		fmt.Printf(" %.2f ms | %.1f MiB | %.1f MiB | %.1f MiB |\n", (m.cpu()-cpu[way.name]).Seconds()*1000/(figureOneByOne+figureRounds*figureMessages),
			float64(before[way.name])/1024, float64(now)/1024, float64(peak)/1024)
	}
	return nil
}

// quantile is in milliseconds.
func quantile(d []time.Duration, q float64) float64 {
	d = slices.Sorted(slices.Values(d))
	return d[int(q*float64(len(d)-1))].Seconds() * 1000
}

// flood sends a round from all clients at once and returns messages a second.
func (w *world) flood(port string, send func(port string) (time.Duration, error)) (float64, error) {
	var wg sync.WaitGroup
	failed := make(chan error, loadClients)
	begin := time.Now()
	for range loadClients {
		wg.Go(func() {
			for range figureMessages / loadClients {
				if _, err := send(port); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	select {
	case err := <-failed:
		return 0, err
	default:
		return figureMessages / took.Seconds(), nil
	}
}
