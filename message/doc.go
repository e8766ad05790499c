// Package message holds the noun that every verifier shares: one message, read
// once, as an immutable value. It has the header block with an index over its
// fields, the structural defects a lenient reader could stumble over, and the
// digests of the body that the message's own signature fields ask for. The
// body itself is never kept.
//
// [Digester] is an [io.Writer] and fits beside a spool file, into a milter
// callback or an SMTP DATA loop; [Read] and [Parse] are short forms of it.
//
// # Bytes
//
// A message is what SMTP transferred: lines that end in CRLF, dot-stuffing
// already undone (RFC 5321, section 4.5.2). Undoing it is the caller's part: a
// body with a dot too many has another digest and its signatures fail. Octets
// are never repaired and never dropped (decision 26). An LF without CR does
// not end a line here, whatever it does elsewhere; it is reported as a defect.
// Who has files with LF alone reads them through [CRLF].
//
// # One pass
//
// Each octet of the body goes through at most two canonicalizers, each in
// front of one SHA-256 (and one SHA-1 where a field asks for it and
// Digester.AllowSHA1 is set), whatever the number of signatures. An l= costs
// one intermediate sum. Runs of empty lines and of white space are counted,
// not buffered: memory does not depend on the body.
//
// # Limits
//
// The message is as long as the caller lets it be; the header block is not:
//
//   - header block: [DefaultHeaderSize] octets, [DefaultFields] fields
//   - one field: [DefaultFieldSize] octets, [DefaultFolds] continuation lines
//   - fields whose digests are taken: the topmost [MaxDKIMSignatures]
//     DKIM-Signature and [MaxARCSignatures] ARC-Message-Signature fields
//
// The first two groups can be changed by [Limits]. Beyond them reading fails
// with [ErrHeaderSize], [ErrFieldCount], [ErrFieldSize] or [ErrFolds]. A
// header line has no limit of its own beside its field's, and a body line none.
package message
