// Package alphabet lets a fuzzer speak a grammar. A fuzzer changes octets, and
// among the octets of a file those that mean something to a parser are few: most
// of what it tries ends at the first character. Folded through an [Alphabet] an
// octet is a word of the grammar instead, and the same changes rearrange tags,
// quotes and terms, deep inside the parser. Only tests import it.
package alphabet

import (
	"slices"
	"strings"
)

// Alphabet is the words of a grammar: its separators one by one, what stands
// between them in whole pieces, right ones and wrong ones.
type Alphabet []string

// escape stands before an octet that is meant as it is. Without it no input of the
// folded form could hold what is in no word.
const escape = 0xff

// MaxText bounds what folding makes of an input, whose words are longer than its
// octets: above the longest limit that is written down for any of the grammars.
const MaxText = 64 << 10

// end is the word that closes the innermost element which is open, in the
// alphabets of grammars that nest.
const end = "</>"

// Fold writes a word for each octet. Elements that are still open are closed.
func (a Alphabet) Fold(data []byte) string {
	var b strings.Builder
	var open []string
	nests := slices.Contains(a, end)
	for i := 0; i < len(data) && b.Len() < MaxText; i++ {
		if data[i] == escape {
			if i++; i < len(data) {
				b.WriteByte(data[i])
			}
			continue
		}
		w := a[int(data[i])%len(a)]
		if w == end {
			if len(open) == 0 {
				continue
			}
			w = "</" + open[len(open)-1] + ">"
			open = open[:len(open)-1]
		} else if name, ok := element(w); ok && nests {
			open = append(open, name)
		}
		b.WriteString(w)
	}
	for i := len(open) - 1; i >= 0; i-- {
		b.WriteString("</" + open[i] + ">")
	}
	return b.String()
}

// element returns the name of the element that a word opens.
func element(w string) (string, bool) {
	if len(w) < 2 || w[0] != '<' || strings.IndexByte("/?!>", w[1]) >= 0 || strings.HasSuffix(w, "/>") {
		return "", false
	}
	return w[1 : 1+strings.IndexAny(w[1:]+" ", " >")], true
}

// Unfold returns what folds to s, the longest words first. That holds for
// alphabets that do not nest; of the others it returns something close to it.
func (a Alphabet) Unfold(s string) []byte {
	out := make([]byte, 0, len(s))
	for s != "" {
		best := -1
		for i, w := range a {
			if w != "" && strings.HasPrefix(s, w) && (best < 0 || len(w) > len(a[best])) {
				best = i
			}
		}
		if best < 0 {
			out = append(out, escape, s[0])
			s = s[1:]
			continue
		}
		out = append(out, byte(best))
		s = s[len(a[best]):]
	}
	return out
}

// Text is what a target reads that takes both forms: its input as it is, or folded.
func (a Alphabet) Text(data []byte, folded bool) string {
	if folded {
		return a.Fold(data)
	}
	return string(data)
}

// characters adds the characters of a string to words, one by one.
func characters(s string, words ...string) Alphabet {
	for i := range len(s) {
		words = append(words, s[i:i+1])
	}
	return words
}

// Seed gives a fuzz target a seed in both forms: the target's first parameters are
// the octets and whether they are folded, and behind them come more. add is the
// method Add of testing.F.
func (a Alphabet) Seed(add func(...any), text string, more ...any) {
	add(append([]any{[]byte(text), false}, more...)...)
	add(append([]any{a.Unfold(text), true}, more...)...)
}
