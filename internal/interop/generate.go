package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generate makes a message without structural defects, but with everything else
// that canonicalization has to do with: folding, tabs, runs of blanks, blanks at
// line ends, 8-bit text, empty fields, repeated fields, blank lines at the end.
func generate(rnd *rand.Rand, i int) string {
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	words := func(n int) string {
		var b strings.Builder
		for range rnd.IntN(n) {
			b.WriteString(pick("alpha", "Beta", "a=b;", "c:d", "  ", " ", "\t", "\u00e9\u00df", "b=", strings.Repeat("long", rnd.IntN(12))))
		}
		return b.String()
	}
	fields := []string{
		fmt.Sprintf("From: %s<ceo@%s>", pick("", "CEO ", "\"C.  E. O.\" ", "\r\n "), pick("bank.example", "bank.example", "news.bank.example")),
		"Subject: " + words(8),
		"Date: Sat, 21 Nov 2026 10:00:00 +0000" + pick("", " ", "\t(UTC)"), // OpenDKIM signs nothing without
		fmt.Sprintf("Message-ID: <%d@bank.example>", i),
	}
	for _, name := range []string{"To", "Cc", "Reply-To", "MIME-Version", "Content-Type", "References", "List-Unsubscribe", "X-Tag", "X-Tag", "x-tag", "Received", "Received", "Comments"} {
		if rnd.IntN(2) == 0 {
			f := name + pick(":", ": ", ":\t ") + "v" + words(6)
			for range rnd.IntN(3) {
				f += "\r\n" + pick(" ", "\t", "  \t") + "w" + words(6)
			}
			fields = append(fields, f)
		}
	}
	rnd.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	var body strings.Builder
	for range rnd.IntN(10) {
		body.WriteString(words(7) + pick("\r\n", "\r\n", " \r\n", "\t\r\n", "\r\n\r\n"))
	}
	body.WriteString(pick("", "", "\r\n\r\n\r\n", "end\r\n"))
	return strings.Join(fields, "\r\n") + "\r\n\r\n" + body.String()
}
