// Peerbench compares this library with other Go libraries, in one process, the
// candidates taking turns, and prints the tables of BENCHMARKS.md:
//
//	cd internal/peerbench && go run .
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
	testing.Init()
	if err := flag.Set("test.benchtime", "1x"); err != nil {
		panic(err)
	}
	// The helpers that sign want a testing.TB; there is nothing else to measure here.
	testing.Benchmark(dkimTable)
	testing.Benchmark(spfTable)
}

// dkimTable prints the table of DKIM verification: the limit's time, and for
// each library the ratio to it, with its allocations and their size.
func dkimTable(b *testing.B) {
	out := bytes.NewBufferString("\n| message | limit | mailauth | go-msgauth |\n| --- | ---: | ---: | ---: |\n")
	for _, l := range loads(b) {
		report(b, out, l.name, []candidate{{"limit", l.limit}, {"mailauth", l.ours}, {"go-msgauth", l.msgauth}})
	}
	fmt.Println(out)
}

// spfTable prints the table of SPF checks, with allocations and their size.
func spfTable(b *testing.B) {
	out := bytes.NewBufferString("\n| check | mailauth | blitiri.com.ar/go/spf |\n| --- | ---: | ---: |\n")
	for _, l := range checks(b) {
		report(b, out, l.name, []candidate{{"mailauth", l.ours}, {"blitiri", l.blitiri}})
	}
	fmt.Println(out)
}
