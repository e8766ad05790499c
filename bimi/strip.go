package bimi

import (
	"bytes"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/scan"
)

// receiverFields are the names of the fields that only a receiver writes.
func receiverFields() []string {
	return []string{"BIMI-Location", "BIMI-Indicator", "BIMI-Logo-Preference"}
}

// Strip returns the indexes, in ascending order, of the header fields that a
// receiver has to remove from every message from outside, whatever BIMI makes of it
// and even if it does not do BIMI (BIMI, sections 5.6 and 7.8): all BIMI-Location,
// BIMI-Indicator and BIMI-Logo-Preference fields. Names are recognized in any case,
// with white space or folding before the colon, with octets in them that cannot be
// seen, and behind a bare CR or LF, or another character that some readers take for a
// line end, within another field. BIMI-Selector is the sender's, and stays.
func Strip(fields authres.Fields) []int {
	var out []int
	for i := range fields.Len() {
		if ours(fields.Raw(i)) {
			out = append(out, i)
		}
	}
	return out
}

// ours reports whether some reader could see one of the fields in raw.
func ours(raw []byte) bool {
	if name, _, found := bytes.Cut(raw, []byte{':'}); found && isOurs(name) {
		return true
	}
	return scan.HiddenName(raw, isOurs)
}

// isOurs compares a name without what a reader may drop from it.
func isOurs(name []byte) bool {
	var kept [24]byte
	n := 0
	for _, b := range name {
		if b <= ' ' || b >= 0x7f {
			continue
		}
		if n == len(kept) || n == 0 && b|0x20 != 'b' {
			return false
		}
		kept[n] = b
		n++
	}
	for _, f := range receiverFields() {
		if strings.EqualFold(string(kept[:n]), f) {
			return true
		}
	}
	return false
}

// ResultsToSign returns what a provider's own DKIM signature has to name in h= so
// that Apple Mail believes the result: every Authentication-Results field of the
// message as it is delivered, and one more, so that none can be added. The domain
// of the signature has to be the provider's organizational domain. The fields that
// Strip is about must not be named (BIMI, section 5.5).
func ResultsToSign(fields authres.Fields) []string {
	out := make([]string, 0, 4)
	for range authres.All(fields) {
		out = append(out, "Authentication-Results")
	}
	return append(out, "Authentication-Results")
}
