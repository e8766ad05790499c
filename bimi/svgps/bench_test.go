package svgps

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"
)

// full is an indicator of nearly 32 KiB as a drawing program writes it.
func full() []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n" + head + "<title>Brand</title>\n<g>\n")
	for i := 0; b.Len() < DefaultMaxSize-300; i++ {
		fmt.Fprintf(&b, "\t<path id=\"p%d\" fill=\"#%06x\" stroke=\"none\" d=\"M%d.5,323.2v261.4c0,10.4-6.5,19.1-16.2,21.8c-1.9,0.5-3.8,0.8-5.7,0.8c-7.4,0-15.8-3.7-22-14.1L674,486.9l-61.3-105.8z\"/>\n", i, i*4099, i)
	}
	b.WriteString("</g>\n" + tail)
	return []byte(b.String())
}

func BenchmarkCheck32K(b *testing.B) {
	data := full()
	if r := Check(data, Options{}); r.Err != nil || len(data) > DefaultMaxSize {
		b.Fatal(r.Err, len(data))
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		Check(data, Options{})
	}
}

// BenchmarkCheckHostile has every image that is built to be slow, in the
// lenient profile, which reads further.
func BenchmarkCheckHostile(b *testing.B) {
	for name, data := range slow(31 << 10) {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				Check(data, Options{Profile: Lenient})
			}
		})
	}
}

// BenchmarkCheckDoubled reports how the time grows when a hostile image is
// doubled, limits raised: "ratio" is to stay below 2.2.
func BenchmarkCheckDoubled(b *testing.B) {
	o := Options{Profile: Lenient, MaxSize: 64 << 20, MaxElements: 1 << 30, MaxExpansion: 1 << 30}
	least := func(data []byte) time.Duration {
		best := time.Hour
		for range 10 {
			start := time.Now()
			Check(data, o)
			best = min(best, time.Since(start))
		}
		return best
	}
	small, large := slow(512<<10), slow(1<<20)
	for name := range small {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			var ratio float64
			for b.Loop() {
				ratio = float64(least(large[name])) / float64(least(small[name]))
			}
			b.ReportMetric(ratio, "ratio")
		})
	}
}

// BenchmarkCheckRatio compares with encoding/xml merely reading the tokens of
// the same image, in alternating slices: "ratio" is least over least, which
// does not depend on what else the machine does.
func BenchmarkCheckRatio(b *testing.B) {
	inputs := map[string][]byte{"plain": full(), "ids": slow(31 << 10)["ids"], "empty-elements": slow(31 << 10)["empty elements"]}
	for name, data := range inputs {
		b.Run(name, func(b *testing.B) {
			ours, theirs := time.Hour, time.Hour
			for b.Loop() {
				for range 20 {
					start := time.Now()
					Check(data, Options{})
					ours = min(ours, time.Since(start))
					start = time.Now()
					for d := xml.NewDecoder(bytes.NewReader(data)); ; {
						if _, err := d.Token(); err != nil {
							break
						}
					}
					theirs = min(theirs, time.Since(start))
				}
			}
			b.ReportMetric(float64(ours)/float64(theirs), "ratio")
			b.ReportMetric(float64(ours.Microseconds())/1000, "least-ms")
		})
	}
}
