// Package aggregate reads DMARC aggregate reports, everybody's (RFC 9990 and RFC
// 7489, appendix C), and writes and collects correct ones.
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
// To send reports, give a [Collector] each message, ask it for those that are due,
// let a [Checker] find out where they may go, and write a [Mail] for each address:
//
//	due, err := collector.Reports(ctx, now)
//	for _, p := range due {
//		for _, d := range checker.Check(ctx, p.Header.Policy.Domain, aggregate.RUA, p.RUA) {
//			for _, to := range d.To {
//				mail := aggregate.Mail{Report: &aggregate.Report{Header: p.Header}, Records: p.Records(ctx), Submitter: us, From: from, To: to}
//				mail.WriteTo(...) // sign it, send it with the null reverse-path
//			}
//		}
//		p.Delete(ctx) // unless a Destination is TempError, and the report not too old
//	}
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
//	written               100 signatures a record, 2 KiB for texts; Mail.MaxSize (7 MiB)
//	Checker               Checker.Max (10) destinations of a record, 32 questions besides tree walks
//	Memory                100,000 rows
package aggregate
