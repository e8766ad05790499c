package authres

import (
	"slices"
	"strings"
)

// Find returns the results of a method on which a decision may rest, in the
// order of the field. Left out, though they stay in Results, are (RFC 8601,
// sections 2.6 and 4.1, decision 17): results of a method version other than 1;
// words that are not registered for the method, and so every result of a method
// that this package does not know; and properties of an unknown ptype. Of two
// dkim results that differ about one signature (same header.b) none is returned
// (RFC 6008, section 4).
//
// Find does not ask who wrote the field: see [Header.IsFrom]. The method's case
// does not matter. The results must not be modified.
func (h Header) Find(method string) []Result {
	method = strings.ToLower(method)
	var found []Result
	for _, r := range h.Results {
		if strings.ToLower(r.Method) != method || r.Version > 1 || r.Version < 0 || !registered(method, r.Status) {
			continue
		}
		unknown := func(p Property) bool { return !knownType(p.Type) }
		if slices.ContainsFunc(r.Properties, unknown) {
			r.Properties = slices.DeleteFunc(slices.Clone(r.Properties), unknown)
		}
		found = append(found, r)
	}
	if method == "dkim" {
		found = dropContradictions(found)
	}
	return found
}

func dropContradictions(rs []Result) []Result {
	var out []Result
	for i, r := range rs {
		b, ok := r.Property("header", "b")
		if !ok || !slices.ContainsFunc(rs, func(o Result) bool {
			ob, ok := o.Property("header", "b")
			return ok && ob == b && o.Status != r.Status
		}) {
			out = append(out, rs[i])
		}
	}
	return out
}

// Property returns the value of the first property of that type and name, in
// any case; ok is false if there is none.
func (r Result) Property(ptype, name string) (value string, ok bool) {
	for i := range r.Properties {
		if p := &r.Properties[i]; strings.EqualFold(p.Name, name) && strings.EqualFold(p.Type, ptype) {
			return p.Value, true
		}
	}
	return "", false
}

// knownType reports whether a ptype is registered: RFC 8601, section 2.3, and
// "dns" of RFC 8904, section 4.2.
func knownType(ptype string) bool {
	switch strings.ToLower(ptype) {
	case "body", "dns", "header", "policy", "smtp":
		return true
	}
	return false
}

// registered reports whether the word s is registered for the method in lower case.
func registered(method string, s Status) bool {
	in := func(words ...Status) bool { return slices.Contains(words, Status(strings.ToLower(string(s)))) }
	switch method {
	case "auth": // RFC 8601, section 2.7.4
		return in(None, Pass, Fail, TempError, PermError)
	case "dkim", "domainkeys": // RFC 8601, section 2.7.1
		return in(None, Pass, Fail, Policy, Neutral, TempError, PermError)
	case "spf", "sender-id": // RFC 8601, section 2.7.2
		return in(None, Pass, Fail, SoftFail, Policy, Neutral, TempError, PermError)
	case "iprev": // RFC 8601, section 2.7.3
		return in(Pass, Fail, TempError, PermError)
	case "dmarc": // RFC 9989, section 9.2
		return in(None, Pass, Fail, TempError, PermError)
	case "arc": // RFC 8617, section 10.1
		return in(None, Pass, Fail)
	case "bimi": // the BIMI draft
		return in(None, Pass, Fail, TempError, "declined", "skipped")
	case "dnswl": // RFC 8904, section 2
		return in(None, Pass, TempError, PermError)
	case "smime": // RFC 7281, section 3
		return in(None, Pass, Fail, Policy, Neutral, TempError, PermError)
	case "rrvs": // RFC 7293, section 11
		return in(None, "unknown", Pass, Fail, TempError, PermError)
	case "vbr", "dkim-atps": // RFC 6212, section 4; RFC 6541, section 8.3
		return in(None, Pass, Fail, TempError, PermError)
	case "dkim-adsp": // RFC 5617, section 5.4
		return in(None, Pass, "unknown", Fail, "discard", "nxdomain", TempError, PermError)
	}
	return false
}

// SignatureTags returns for each signature (the b= tag of a DKIM-Signature,
// white space removed) what to report of it as header.b: at least its first
// eight characters, and so many that they are unique among the signatures given
// (RFC 6008, section 4). Signatures that are the same have the same tag. Tags end
// after 64 characters: only a signature made for it agrees with another that far.
func SignatureTags(signatures []string) []string {
	const least, most = 8, 64
	sorted := slices.Clone(signatures)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	tags := make([]string, len(signatures))
	for i, s := range signatures {
		n := least
		// The longest prefix in common with any other is that with a neighbour.
		at, _ := slices.BinarySearch(sorted, s)
		if at > 0 {
			n = max(n, common(s, sorted[at-1])+1)
		}
		if at+1 < len(sorted) {
			n = max(n, common(s, sorted[at+1])+1)
		}
		tags[i] = s[:min(n, most, len(s))]
	}
	return tags
}

func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
