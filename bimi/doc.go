// Package bimi decides whether a brand's logo may be shown beside a message
// (Brand Indicators for Message Identification), and helps those who publish one.
//
//	v := bimi.Gmail()
//	v.Resolver, v.Fetcher = resolver, &fetch.Fetcher{}
//	r := v.Verify(ctx, &bimi.Message{Header: m.Header(), Author: author, DMARC: dmarcResult, Signatures: signatures})
//	fields := r.HeaderFields()           // to put on top, if r.Status is pass
//	remove := bimi.Strip(m.Header())     // to take away, whatever the result is
//
// [Verifier.Verify] runs stages that can be called alone: [Verifier.Eligible],
// [Verifier.Selector], [Verifier.Discover], [Verifier.Retrieve]. A message that is
// not eligible costs neither a DNS question nor a request.
//
// The package makes no network request. It asks a [Fetcher], which the caller has
// to configure; package fetch has one that reaches public addresses only.
//
// A logo is shown by the last program in the chain, which did none of this work:
// [Reader] checks what it finds in a delivered message before it shows anything.
//
// For publishers, [Record.Strings] and [Lint] are about the record, [Authorities] about
// who may issue the certificate, and a [Checker] about everything at once: which
// receivers would show the logo, and what is missing, in words.
//
// # What it implements
//
// Nothing about BIMI is an RFC. "BIMI, section n" in this package is
// draft-brand-indicators-for-message-identification-14, "VMC, section n" is
// draft-fetch-validation-vmc-wchuang-10. What these leave open is a field of
// [Verifier], with the default that its zero value has; [Draft], [Gmail], [Apple]
// and [SelfAsserted] are such values. What is known of the mailbox providers comes
// from their public documentation and may change without a new draft.
//
// # Limits
//
// A record has at most 4 KiB ([MaxRecordLength]) and 64 tags, lps= at most 64
// prefixes; a name of the DNS never more than 253 octets. One message asks the DNS
// at most 3 questions ([MaxQueries]), and makes at most two requests besides those
// for revocation lists: at most 256 KiB of evidence ([markcert.MaxBytes]) and
// 64 KiB of indicator ([svgps.DefaultMaxCompressed]). The limits of the image and
// of the certificates are those of packages svgps and markcert. A [Reader] decodes
// at most the image's limit. [Authorities] asks at most 32 questions
// ([MaxAuthorizationQueries]).
package bimi
