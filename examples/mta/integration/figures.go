package main

import (
	"errors"
	"fmt"
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
	figureOneByOne = 400 // for latency, each way
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

	quantile := func(name string, q float64) float64 {
		d := latency[name]
		slices.Sort(d)
		return d[int(q*float64(len(d)-1))].Seconds() * 1000
	}
	fmt.Printf("\nOne message of %d octets with an RSA-2048 signature, SPF, DKIM and DMARC pass; a session each.\n\n", len(text))
	fmt.Printf("| | messages a second, %d clients | latency, one client: median | 99th percentile | added at the median | at the 99th | processor time of the milter a message | its memory before | after |\n", loadClients)
	fmt.Println("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, way := range ways {
		r := rate[way.name]
		slices.Sort(r)
		median, high := quantile(way.name, .5), quantile(way.name, .99)
		fmt.Printf("| %s | %.0f (%.0f to %.0f) | %.1f ms | %.1f ms |", way.name, r[len(r)/2], r[0], r[len(r)-1], median, high)
		if way.milter == "" {
			fmt.Println(" | | | | |")
			continue
		}
		m := w.milters[way.milter]
		now, peak := m.memory()
		fmt.Printf(" %.1f ms | %.1f ms | %.2f ms | %.1f MiB | %.1f MiB (at most %.1f) |\n", median-quantile(ways[0].name, .5), high-quantile(ways[0].name, .99),
			(m.cpu()-cpu[way.name]).Seconds()*1000/(figureOneByOne+figureRounds*figureMessages), float64(before[way.name])/1024, float64(now)/1024, float64(peak)/1024)
	}
	return nil
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
