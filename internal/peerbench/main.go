// Peerbench compares this library with other Go libraries, in one process, the
// candidates taking turns, and prints the tables of BENCHMARKS.md:
//
//	cd internal/peerbench && go run .
//	cd internal/peerbench && ./others.sh  # with libraries of other languages
//
// It is a module of its own so that the library requires none of them.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"
)

// candidate is one way to do a row's work.
type candidate struct {
	name string
	run  func()
}

// slices is how many slices of each candidate are timed, and slice how long one
// is at least. Machines drift, so the candidates take turns, and the least counts.
const (
	slices = 150
	slice  = 500 * time.Microsecond
)

// compare returns the least time of each candidate.
func compare(list []candidate) []time.Duration {
	least := make([]time.Duration, len(list))
	for i := range least {
		least[i] = math.MaxInt64
		list[i].run() // warm
	}
	for range slices {
		for i, c := range list {
			n, start := 0, time.Now()
			for {
				c.run()
				n++
				if d := time.Since(start); d >= slice {
					least[i] = min(least[i], d/time.Duration(n))
					break
				}
			}
		}
	}
	return least
}

// allocations returns how often and how many octets a run allocates.
func allocations(f func()) (times, octets uint64) {
	const runs = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.Mallocs - before.Mallocs) / runs, (after.TotalAlloc - before.TotalAlloc) / runs
}

// report prints one row of the table: the first candidate's time, the others'
// as multiples of it if it is a limit.
func report(b *testing.B, out *bytes.Buffer, row string, list []candidate) {
	b.Helper()
	least := compare(list)
	fmt.Fprintf(out, "| %s |", row)
	for i, c := range list {
		if i == 0 && c.name == "limit" {
			fmt.Fprintf(out, " %.1f µs |", least[0].Seconds()*1e6)
			continue
		}
		times, octets := allocations(c.run)
		if list[0].name == "limit" {
			fmt.Fprintf(out, " %.2f (%d, %.1f KB) |", float64(least[i])/float64(least[0]), times, float64(octets)/1000)
		} else {
			fmt.Fprintf(out, " %.2f µs (%d, %.1f KB) |", least[i].Seconds()*1e6, times, float64(octets)/1000)
		}
	}
	fmt.Fprintln(out)
}

func main() {
	withOthers := flag.Bool("others", false, "compare with the programs that are the arguments, as others.sh does")
	testing.Init()
	flag.Parse()
	if err := flag.Set("test.benchtime", "1x"); err != nil {
		panic(err)
	}
	// The helpers that sign want a testing.TB; there is nothing else to measure here.
	if *withOthers {
		testing.Benchmark(func(b *testing.B) { otherTable(b, flag.Args()) })
		return
	}
	for _, t := range []func(*testing.B){
		func(b *testing.B) { limitTable(b, "message, DKIM verify", "go-msgauth", loads(b)) },
		func(b *testing.B) { limitTable(b, "message, DKIM sign", "go-msgauth", signings(b)) },
		func(b *testing.B) { limitTable(b, "chain", "", chains(b)) },
		func(b *testing.B) { limitTable(b, "whole message", "blitiri and go-msgauth", wholes(b)) },
		func(b *testing.B) { timeTable(b, "SPF check", "blitiri.com.ar/go/spf", checks(b)) },
		func(b *testing.B) { timeTable(b, "Authentication-Results", "go-msgauth", fields(b)) },
	} {
		testing.Benchmark(t)
	}
}

// limitTable prints rows that have a limit: its time, and for each library the ratio
// to it, with its allocations and their size.
func limitTable(b *testing.B, title, peer string, rows []load) {
	out := bytes.NewBufferString(head(title, "limit", "mailauth", peer))
	for _, l := range rows {
		list := []candidate{{"limit", l.limit}, {"mailauth", l.ours}}
		if l.msgauth != nil {
			list = append(list, candidate{peer, l.msgauth})
		}
		report(b, out, l.name, list)
		if l.msgauth == nil && peer != "" {
			out.Truncate(out.Len() - 1)
			fmt.Fprintln(out, " - |")
		}
	}
	fmt.Println(out)
}

// timeTable prints rows that have none: times, allocations and their size.
func timeTable(b *testing.B, title, peer string, rows []check) {
	out := bytes.NewBufferString(head(title, "mailauth", peer))
	for _, l := range rows {
		report(b, out, l.name, []candidate{{"mailauth", l.ours}, {peer, l.peer}})
	}
	fmt.Println(out)
}

func head(titles ...string) string {
	first, second := "\n|", "\n|"
	for i, t := range titles {
		if t == "" {
			continue
		}
		first += " " + t + " |"
		if i == 0 {
			second += " --- |"
		} else {
			second += " ---: |"
		}
	}
	return first + second + "\n"
}
