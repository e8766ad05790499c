// Package aggregate reads DMARC aggregate reports, everybody's (RFC 9990 and RFC
// 7489, appendix C).
//
//	var p aggregate.Parser
//	r, err := p.Open(file) // XML, gzip, zip, or the mail that carries one of them
//	h := r.Header()
//	for rec, err := range r.Records() { ... } // a record at a time
//
// A report comes from strangers. Its text is data: it is returned as it stands,
// with white space trimmed at both ends, and whoever shows it escapes it for
// where it is shown. What departs from the format is a typed [Warning], or an
// error if [Parser.Strict] is set; what is not well-formed XML, goes over a limit, or
// says one thing twice is an error always. There is never a DTD and never an
// entity beyond the five of XML.
//
// Words of the format that were written in capitals ("Pass") are returned in lower
// case, with a warning; words that are not of the format are returned as they are.
//
// # Limits
//
//	input                 Limits.Input (20 MiB), as it arrives
//	XML                   Limits.Output (64 MiB), after decompression and decoding
//	expansion             Limits.Ratio (200) octets for each compressed one, 64 KiB free
//	records               Limits.Records (200,000)
//	depth of XML          16 elements; 16 attributes each
//	text of an element    4 KiB; element names and attribute values likewise
//	one record            256 DKIM results, 64 SPF results, 64 reasons
//	warnings              64 different ones; each is counted
//	zip archive           16 entries, one of them XML; no zip64, no encryption
//	mail                  64 parts, nested 8 deep
package aggregate
