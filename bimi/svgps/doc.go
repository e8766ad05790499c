// Package svgps decides whether an SVG image may be shown as a brand indicator:
// whether it follows SVG Tiny Portable/Secure (draft-svg-tiny-ps-abrotman-12)
// and holds nothing that runs, links or loads.
//
// [Check] reads the image with a tokenizer of its own, because the one in
// encoding/xml accepts duplicate attributes, undeclared prefixes, second roots
// and more. Everything is an allow-list: the elements, attributes and values of
// the draft's schema, in a table made from it (table.go). What is not listed is
// a finding.
//
// There are two tiers. The security tier always applies: well-formedness and
// everything by which an XML parser, an HTML parser and a CSS parser could see
// different documents; active, linked and embedded content; references that
// leave the document; the limits. No option turns it off. The profile tier is
// the rest of the draft. With [Lenient] those findings of it that are known to
// be inert become warnings; what is unknown stays an error.
//
// Findings carry line, column and advice in words, for the people who publish
// an indicator. The advice findings (a viewBox that is not square, a title over
// 64 characters) are warnings; [Options].Raise turns those that a receiver
// insists on into errors, and [Gmail], [Apple] and [Fastmail] are such options.
//
// An image that is accepted is to be shown as an image: by an img element, or as a
// document of its own under a content security policy. Written into a page, even a
// harmless style applies to the page ([Lenient] accepts styles), and an id or a class
// may be the page's own.
//
// Decisions where the documents are silent, and why, are in DIVERGENCES.md.
// That an image has at least two visible colours (the draft's section 2.4) cannot
// be seen without drawing it, and is not checked.
//
// # Limits
//
// An indicator has at most 32,768 octets uncompressed ([DefaultMaxSize]) and
// 65,536 octets compressed ([DefaultMaxCompressed]) in one gzip member, which
// beyond 32 KiB may not expand more than 200-fold; elements nest at most 32 deep
// ([DefaultMaxDepth]), are at most 10,000 ([DefaultMaxElements]) with at most 64
// attributes each ([DefaultMaxAttributes]) and 64 namespace declarations in
// scope; use elements may bring it to 10,000 drawn elements
// ([DefaultMaxExpansion]), 16 uses deep. At most 32 errors and 32 warnings are
// listed. Time is linear in the size of the image, and nothing recurses.
package svgps

//go:generate go run ./gen -out table.go
