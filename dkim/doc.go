// Package dkim verifies and makes DKIM signatures: RFC 6376 with the algorithms and limits
// of RFC 8301 and RFC 8463 and the internationalized mail of RFC 8616.
//
// A [Verifier] is a struct of plain configuration; its zero value is safe and
// needs only a Resolver:
//
//	v := dkim.Verifier{Resolver: resolver}
//	for _, r := range v.Verify(ctx, msg) {
//		fmt.Println(r.Status, r.Signature.Domain, r.Err)
//	}
//
// A server that still receives the body calls [Verifier.Start] when the header
// is complete, so that the keys are looked up meanwhile, and
// [Verification.Finish] at the end.
//
// # Signing
//
// A [Signer] is plain configuration, too. It returns the field to put on top
// and never a rewritten message; several sign in one pass over it, in constant memory:
//
//	key, err := dkim.ParseKey(pem)
//	s := dkim.Signer{Domain: "example.com", Selector: "s1", Key: key}
//	field, err := dkim.Sign(r, s)
//
// It signs nothing that it could not answer for: a message with a structural
// defect, with no From field or several, or whose author is not of the signing
// domain. [GenerateKey] makes a key, [Key.Record] is what to publish, [CheckKey]
// looks whether it is, and package records has the rest of a domain's records.
//
// # What a pass means, and what it does not
//
// A [Result] with Status pass says that the owner of Signature.Domain takes
// responsibility for the octets that the signature covers. It says nothing about
// the author of the message: whether the domain has to do with the From field is
// DMARC's question (package dmarc). And it says nothing about octets that are not
// covered: [Coverage] tells which header fields could have been added or changed
// since. A result that is not a pass is worth as much as no signature at all
// (RFC 6376, section 6.1).
//
// # Strictness
//
// Signature fields and key records are read to the letter; RFC 6376, section
// 6.1.1 demands it. One malformed, doubled or out of place item makes that
// signature a permerror, and never touches another signature of the message.
//
// The package refuses by default what the standards of today refuse or what the
// field no longer trusts: SHA-1 (RFC 8301, section 3.1), RSA keys under 1024
// bits (RFC 8301, section 3.2), signatures that leave the end of the body open
// through l= (RFC 6376, section 8.2), signing domains that are public suffixes,
// Ed25519 keys of low order, expired signatures. The options that relax some of
// it are named for the risk.
//
// # Limits
//
//   - 64 signatures are reported, 8 examined ([Verifier.MaxSignatures]): each
//     costs a query and a public-key operation. Well-formed ones whose domain is
//     the author's, above it or below it come first, then other well-formed ones,
//     each from the top of the header; the rest is reported as [ErrNotExamined].
//   - A signature field has at most 16 KiB and 64 tags, h= at most 256 names.
//   - A key record has at most 8 KiB, p= at most 4,096 base64 characters.
//   - RSA moduli have 1024 to 4096 bits ([Verifier.MinRSABits],
//     [Verifier.MaxRSABits], at most 8192), exponents are odd and from 3 to
//     2^31-1. All of that is checked before any arithmetic.
//   - A [Signer] keeps to the same limits, so that it signs nothing that a
//     Verifier refuses. Lines of its field have at most 78 characters, but for a
//     domain name or field name that is longer.
//   - t= lies at most one hour ahead. x= has no grace unless [Verifier.Grace] gives one.
//
// Limits of the message (header size, fields) are package message's, those of
// the DNS (queries, time, octets) are one budget for all protocols of a message.
//
// # Keys known to be bad
//
// Some keys are of the right form and still worthless, because others hold the
// private half: those of the Debian OpenSSL accident of 2008, keys printed in
// documentation and shipped in appliances, and RSA keys of the Infineon library
// (ROCA), whose private half can be computed. [Verifier.KeyPolicy] sees every
// key before it is used; a receiver who keeps a list (the badkeys project
// collects SHA-256 hashes of the SubjectPublicKeyInfo of such keys) refuses them there.
package dkim
