// Package failure reads and writes DMARC failure reports (RFC 9991) in the Abuse
// Reporting Format (RFC 5965, RFC 6591).
//
//	var p failure.Parser
//	r, err := p.Read(mail)
//
// What a report says is a stranger's assertion, and its text is data: whoever
// shows it escapes it for where it is shown.
//
// To write one: [Due] says whether a message that failed calls for a report, by
// the fo tag and never under a Public Suffix Domain; [Incident.Report] makes one
// that shows neither the body nor a local part unless asked to; [Limiter] bounds
// how many are sent, as generators MUST (RFC 9991, section 2); [Report.Mail] is the
// message to sign and send. The destinations are checked by package aggregate
// (RFC 9991, section 5).
//
// # Limits
//
//	mail                Parser.MaxSize (20 MiB), 64 parts, nested 8 deep
//	header of a part    256 KiB, 1,000 fields
//	fields that repeat  100 of a kind
//	Limiter             10,000 destinations at a time
package failure
