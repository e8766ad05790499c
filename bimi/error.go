package bimi

// Error is a constant error of this package. Every Result.Err that is not nil has
// one at its root or wraps one of packages markcert and svgps besides.
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

// Why a message is not eligible (BIMI, section 7.1). Status skipped, but for
// ErrDMARCUnknown.
const (
	// ErrAuthor: the message does not have exactly one author with a usable address.
	ErrAuthor Error = "message does not have exactly one author"
	// ErrDMARC: DMARC did not pass.
	ErrDMARC Error = "DMARC did not pass"
	// ErrDMARCUnknown: DMARC has no answer because of the DNS. Status temperror.
	ErrDMARCUnknown Error = "DMARC could not be evaluated"
	// ErrNoPolicy: the Organizational Domain publishes no DMARC policy.
	ErrNoPolicy Error = "no DMARC policy at the organizational domain"
	// ErrPolicy: p=none, sp=none, or an effective policy of none.
	ErrPolicy Error = "DMARC policy is none"
	// ErrPct: pct is not 100.
	ErrPct Error = "DMARC policy is not for all messages"
	// ErrTestMode: t=y.
	ErrTestMode Error = "DMARC policy is only being tested"
	// ErrNoDKIM: no aligned DKIM signature ([Verifier.RequireDKIM]).
	ErrNoDKIM Error = "no aligned DKIM signature"
	// ErrCoverage: what vouches for the message leaves too much of it open.
	ErrCoverage Error = "aligned DKIM signature covers the message in part, or its key is in test mode"
	// ErrSPFAll: the SPF record lets everybody in ([Verifier.RejectSPFAll]).
	ErrSPFAll Error = "SPF record lets everybody in"
	// ErrVeto: [Verifier.Veto] said no.
	ErrVeto Error = "refused by local policy"
)

// What is wrong with a BIMI-Selector field. Only ErrSelectorRepeated decides a
// result; with the others the selector is "default" (BIMI, section 5.1).
const (
	// ErrSelectorRepeated: more than one BIMI-Selector field. Status fail.
	ErrSelectorRepeated Error = "more than one BIMI-Selector field"
	// ErrSelectorSyntax: not "v=BIMI1; s=..." (BIMI, section 5.1).
	ErrSelectorSyntax Error = "malformed BIMI-Selector field"
	// ErrSelectorName: s= is not a selector, or makes too long a name (BIMI, section 4.4).
	ErrSelectorName Error = "unusable selector"
	// ErrSelectorUnsigned: no aligned signature covers the field (BIMI, section 5.5).
	ErrSelectorUnsigned Error = "BIMI-Selector field not signed"
)

// What can be wrong with an assertion record (BIMI, section 4.3). Status fail, but
// for ErrNotBIMI, which is no record at all.
const (
	// ErrNotBIMI: the text does not begin with v=BIMI1.
	ErrNotBIMI Error = "not a BIMI record"
	// ErrSyntax: not a tag-list (RFC 6376, section 3.2).
	ErrSyntax Error = "malformed BIMI record"
	// ErrDuplicateTag: a tag occurs twice.
	ErrDuplicateTag Error = "duplicate tag in BIMI record"
	// ErrLimit: over MaxRecordLength, or more tags or prefixes than allowed.
	ErrLimit Error = "BIMI record over a limit"
	// ErrLocationMissing: there is no l=.
	ErrLocationMissing Error = "l= missing in BIMI record"
	// ErrLocationEmpty: l= is empty although a= is not.
	ErrLocationEmpty Error = "l= empty in BIMI record with evidence"
	// ErrLocation: l= is not one https URI with a public host name.
	ErrLocation Error = "l= is not a usable https URI"
	// ErrFormat: the path of l= ends in a suffix other than .svg and .svgz (BIMI, section 4.3.2).
	ErrFormat Error = "l= is not an SVG file"
	// ErrEvidence: a= is not one https URI with a public host name.
	ErrEvidence Error = "a= is not a usable https URI"
	// ErrPrefix: lps= holds something that is no prefix of a local-part selector.
	ErrPrefix Error = "malformed lps= in BIMI record"
)

// What can end the search for a record (BIMI, section 7.2).
const (
	// ErrNoRecord: nobody published a record. Status none.
	ErrNoRecord Error = "no BIMI record"
	// ErrSeveralRecords: more than one record at one name. Status fail.
	ErrSeveralRecords Error = "several BIMI records at one name"
	// ErrDNS: the DNS gave no answer. Status temperror.
	ErrDNS Error = "DNS lookup of BIMI record failed"
	// ErrBudget: the message's DNS budget is used up. Status fail.
	ErrBudget Error = "too many DNS questions"
	// ErrDeclined: the domain declines to take part (BIMI, section 4.3.1). Status declined.
	ErrDeclined Error = "domain declines to show an indicator"
)

// What can keep an indicator from being shown (BIMI, sections 7.3 to 7.6).
const (
	// ErrNoFetcher: the Verifier has no Fetcher. Status temperror.
	ErrNoFetcher Error = "no fetcher configured"
	// ErrFetch: the document could not be had. Status fail, or temperror if a later try may succeed.
	ErrFetch Error = "document could not be fetched"
	// ErrURL: the URL may not be fetched, because of its port. Status fail.
	ErrURL Error = "URL may not be fetched"
	// ErrNoEvidence: [Verifier.RequireEvidence], and the record names none. Status skipped.
	ErrNoEvidence Error = "no evidence published"
	// ErrMarkCertificate: the evidence is not good. Wraps a markcert.Error.
	ErrMarkCertificate Error = "mark certificate not acceptable"
	// ErrIndicator: the image is not acceptable. Wraps a svgps.Error.
	ErrIndicator Error = "indicator not acceptable"
	// ErrDifferent: the image at l= is not the certified one ([Verifier.CompareIndicator]).
	ErrDifferent Error = "published and certified indicator differ"
)

// Why a [Reader] shows nothing.
const (
	// ErrNotTrusted: no Authentication-Results field of one's own provider with a BIMI result.
	ErrNotTrusted Error = "no trusted BIMI result"
	// ErrAmbiguous: several trusted BIMI results, or several BIMI-Indicator fields.
	ErrAmbiguous Error = "more than one BIMI result or indicator"
	// ErrNotPass: the trusted result is not pass, or not the pass of the authority that was asked for.
	ErrNotPass Error = "BIMI result is not pass"
	// ErrOtherAuthor: the trusted result is not about the author that the message shows,
	// or the message does not have exactly one.
	ErrOtherAuthor Error = "BIMI result is about another author"
	// ErrNoIndicator: no BIMI-Indicator field.
	ErrNoIndicator Error = "no BIMI-Indicator field"
	// ErrEncoding: BIMI-Indicator is not base64, or over the limit.
	ErrEncoding Error = "BIMI-Indicator is not base64 within the limit"
	// ErrHash: policy.indicator-hash is missing, malformed or another image's.
	ErrHash Error = "indicator does not match the trusted hash"
)

// Code returns the name of the constant, such as "ErrNoRecord"; "" for a value
// that is none.
func (e Error) Code() string { return codes()[e] }

func codes() map[Error]string {
	return map[Error]string{
		ErrAuthor: "ErrAuthor", ErrDMARC: "ErrDMARC", ErrDMARCUnknown: "ErrDMARCUnknown", ErrNoPolicy: "ErrNoPolicy",
		ErrPolicy: "ErrPolicy", ErrPct: "ErrPct", ErrTestMode: "ErrTestMode", ErrNoDKIM: "ErrNoDKIM",
		ErrCoverage: "ErrCoverage", ErrSPFAll: "ErrSPFAll", ErrVeto: "ErrVeto",
		ErrSelectorRepeated: "ErrSelectorRepeated", ErrSelectorSyntax: "ErrSelectorSyntax",
		ErrSelectorName: "ErrSelectorName", ErrSelectorUnsigned: "ErrSelectorUnsigned",
		ErrNotBIMI: "ErrNotBIMI", ErrSyntax: "ErrSyntax", ErrDuplicateTag: "ErrDuplicateTag", ErrLimit: "ErrLimit",
		ErrLocationMissing: "ErrLocationMissing", ErrLocationEmpty: "ErrLocationEmpty", ErrLocation: "ErrLocation",
		ErrFormat: "ErrFormat", ErrEvidence: "ErrEvidence", ErrPrefix: "ErrPrefix",
		ErrNoRecord: "ErrNoRecord", ErrSeveralRecords: "ErrSeveralRecords", ErrDNS: "ErrDNS", ErrBudget: "ErrBudget",
		ErrDeclined:  "ErrDeclined",
		ErrNoFetcher: "ErrNoFetcher", ErrFetch: "ErrFetch", ErrURL: "ErrURL", ErrNoEvidence: "ErrNoEvidence",
		ErrMarkCertificate: "ErrMarkCertificate", ErrIndicator: "ErrIndicator", ErrDifferent: "ErrDifferent",
		ErrNotTrusted: "ErrNotTrusted", ErrAmbiguous: "ErrAmbiguous", ErrNotPass: "ErrNotPass", ErrOtherAuthor: "ErrOtherAuthor",
		ErrNoIndicator: "ErrNoIndicator", ErrEncoding: "ErrEncoding", ErrHash: "ErrHash",
	}
}
