// Package dmarc evaluates Domain-based Message Authentication, Reporting, and
// Conformance (RFC 9989) for a receiver: who a message says it is from, what that
// domain wants done with mail that fails, and whether SPF or DKIM vouch for it.
//
//	author, _ := dmarc.AuthorDomain(msg.Header())
//	v := dmarc.Verifier{Resolver: resolver}
//	r := v.Verify(ctx, author,
//		dmarc.SPFIdentifier(spfResult.Status, spfResult.Domain),
//		dmarc.DKIMIdentifier(sig.Status, sig.Domain, sig.Selector))
//
// The package imports neither spf nor dkim: outcome and domain of each check come
// in as one opaque [Identifier]. A message whose author is missing, malformed or
// ambiguous is PermError with an error that begins with ErrFrom, never None: it is
// no message without policy, it is one whose policy somebody avoids.
//
// Organizational Domains are found by the DNS Tree Walk (RFC 9989, section 4.10),
// one walk for the author and one for each identifier that could be aligned. The
// public suffix list of RFC 7489, section 3.2 is an option. Under either, a public
// suffix is never the Organizational Domain of names below it (decision 7).
//
// It does not decide what happens to a message, sends no reports, and does not
// look at ARC.
//
// # Limits
//
//	From field            8 KiB, 16 addresses, comments 16 deep, local part 254 octets
//	Author Domains        1; up to MaxAuthorDomains (3) if AuthorOptions say so
//	record                MaxRecordLength (16 KiB), MaxTags (64), MaxURIs (10) of each kind
//	DNS of one walk       8 questions
//	DNS of one message    MaxQueries (32), with the existence test
package dmarc
