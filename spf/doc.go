// Package spf checks whether a host may send mail with a domain's name, by the
// Sender Policy Framework, version 1 (RFC 7208, with RFC 7372 and RFC 8616, section 4).
//
// A [Verifier] answers one question for each identity of an SMTP session:
// [Verifier.MailFrom] for the reverse-path, [Verifier.HELO] for the name given
// with HELO or EHLO. The two answers stand beside each other; neither replaces
// the other. Each comes as a [Result], which holds the result word, the
// mechanism that decided, what was asked for, how much of the Internet the
// domain lets in, and the reason as a constant error.
//
// [ParseRecord] reads a record without evaluating it, for tools that explain or
// check one.
//
// # Limits
//
// A record is written by a stranger and read by every receiver of the world, so
// everything it can cause is bounded. Past a limit the result is permerror with
// an error of its own, never fail and never none; past the time it is temperror.
//
//   - 10 terms that ask the DNS (include, a, mx, ptr, exists, redirect), over
//     the whole check, however deep: [ErrLookups] (RFC 7208, section 4.6.4).
//     As each level of include or redirect is one of them, nesting is bounded by 10 too.
//   - 2 void answers: [ErrVoidLookups]; [Verifier.MaxVoidLookups] changes it (decision 8).
//   - 10 hosts of one mx: [ErrMX]; the first 10 names of a client's PTR, the rest is ignored.
//   - 50 different DNS questions: [ErrQueries] (decision 8).
//   - 20 seconds: [ErrTimeout]; [Verifier.Timeout] changes it.
//   - A record of 10 KiB and 500 terms: [ErrRecordSize], [ErrTerms].
//   - 4 KiB of text out of one macro expansion: [ErrExpansion]. Names are cut to
//     253 octets from the left (RFC 7208, section 7.3).
//   - An explanation of 512 printable ASCII octets; a longer one is dropped.
//
// # What it does not do
//
// It does not decide what becomes of the message, keeps no cache (the Resolver
// may), reads no SPF record of type 99, and trusts no earlier Received-SPF field.
package spf
