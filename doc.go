// Package mailauth says what SPF, DKIM, DMARC, ARC and BIMI make of a message: it
// composes the packages spf, dkim, dmarc, arc, bimi and authres into one call.
//
//	ev := evaluator.Start(ctx, mailauth.Session{IP: ip, HELO: helo, MailFrom: from})
//	io.Copy(ev, data)          // beside the spool file; lookups start at the end of the header
//	res, err := ev.Finish()
//	reply := res.SMTPReply()   // 250, 451 or 550, with an enhanced code and a reason
//	fields := res.HeaderFields // to prepend; res.Strip lists what to remove first
//
// A message is read once and in constant memory beyond its header. The DNS is
// behind one small interface, [dnsutil.Resolver]; package dnstest has a fake.
//
// # What it does not do
//
// It keeps no state between messages, writes no log, opens no socket but for the
// DNS and what you configure as BIMI's fetcher, and never changes a message. It does not decide what is spam: a DMARC pass
// says who wrote a message, not whether anybody wants it.
//
// # Limits
//
// Everything is bounded, and every bound has a name: the header in
// [message.Limits], the DNS of one message in [DNSLimits], signatures in
// [dkim.Verifier], sets of a chain in [arc.Verifier], look-ups of SPF in package
// spf, the From field and the tree walk in package dmarc, images and certificates
// in package bimi and those below it.
package mailauth
