package dmarc

// DiagnosticKind is a kind of thing worth telling a domain owner or an operator
// that did not by itself decide the result.
type DiagnosticKind string

// The kinds.
const (
	// UnknownTag: a tag that is not registered; ignored (RFC 9989, section 4.7).
	UnknownTag DiagnosticKind = "unknown_tag"
	// HistoricTag: pct, rf or ri; without effect since RFC 9989, section 9.3.
	HistoricTag DiagnosticKind = "historic_tag"
	// BadValue: the value is not one of the tag's; the default is used (RFC 9989, section 4.8).
	BadValue DiagnosticKind = "bad_value"
	// IgnoredTag: fo without ruf (RFC 9989, section 4.7).
	IgnoredTag DiagnosticKind = "ignored_tag"
	// JunkIgnored: something between two semicolons that is no tag.
	JunkIgnored DiagnosticKind = "junk"
	// BadURI: a report URI that cannot be used.
	BadURI DiagnosticKind = "bad_uri"
	// TooManyURIs: report URIs beyond the limit.
	TooManyURIs DiagnosticKind = "too_many_uris"
	// MissingPolicy: no p; taken as p=none (decision 1).
	MissingPolicy DiagnosticKind = "missing_policy"
	// BadPolicy: p, sp or np is not valid; the whole record is taken as p=none, or
	// as no DMARC at all if it has no rua (RFC 9989, section 4.10.1; decision 3).
	BadPolicy DiagnosticKind = "bad_policy"
	// BadRecord: a record with a duplicate tag or beyond the limits, not used.
	BadRecord DiagnosticKind = "bad_record"
	// SeveralRecords: more than one record at a name, none of them used (decision 4).
	SeveralRecords DiagnosticKind = "several_records"
	// SuffixFloor: a public suffix has a record that does not say psd=y; taken as if it did (decision 7).
	SuffixFloor DiagnosticKind = "suffix_floor"
	// LookupFailed: a DNS error that did not matter to the result.
	LookupFailed DiagnosticKind = "lookup_failed"
)

// Diagnostic is one such thing.
type Diagnostic struct {
	Kind   DiagnosticKind
	Domain string // where the record is, without _dmarc; empty if it was parsed alone
	Tag    string // the tag concerned, in lower case; empty if there is none
}

// String returns the parts that are set, separated by spaces. It holds nothing
// that a stranger could have written beyond letters, digits, hyphens and dots.
func (d Diagnostic) String() string {
	s := string(d.Kind)
	if d.Tag != "" {
		s += " " + d.Tag
	}
	if d.Domain != "" {
		s += " " + d.Domain
	}
	return s
}
