package dkim

import "slices"

// Domains lists the different signing domains of the signatures that are going to
// be examined and can be read, in header order. A caller that evaluates DMARC
// next can ask the DNS about them while the body still arrives; whether any
// of them has signed the message is not known before Finish.
func (vn *Verification) Domains() []string {
	var out []string
	for k := range vn.results {
		it := vn.item(k)
		if d := it.key.Domain.String(); it.examine && it.err == nil && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}
