package sig

import "github.com/seed2385d973/mailauth/message"

// Canonicalizations returns what a signer's c= stands for by the rules of RFC
// 6376, section 3.5: a word alone is the header's, and the body's is then simple.
// The empty text is the signers' default, relaxed for both; ok is false for anything
// else.
func Canonicalizations(c string) (header, body message.Canonicalization, ok bool) {
	switch c {
	case "", "relaxed/relaxed":
		return message.Relaxed, message.Relaxed, true
	case "relaxed", "relaxed/simple":
		return message.Relaxed, message.Simple, true
	case "simple", "simple/simple":
		return message.Simple, message.Simple, true
	case "simple/relaxed":
		return message.Simple, message.Relaxed, true
	}
	return 0, 0, false
}
