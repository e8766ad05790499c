package mailauth

import (
	"errors"
	"log/slog"
	"time"

	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/message"
	"github.com/seed2385d973/mailauth/spf"
)

// Result is what SPF, DKIM, DMARC and ARC made of one message, and what to do about
// it. It is immutable; the zero value is no result and not a pass.
type Result struct {
	// Session and Time are what the evaluation was given, the time filled in.
	Session Session
	Time    time.Time

	// SPF is the check of the MAIL FROM identity, the one that DMARC looks at;
	// for the null reverse-path that is postmaster at the HELO name (RFC 7208,
	// section 2.4). SPFHELO is the check of the HELO identity beside it.
	SPF, SPFHELO spf.Result
	// DKIM has one result for each signature field, top first; none for a
	// message that is not signed.
	DKIM []dkim.Result
	// DMARC is the verdict on the author domain. Its Override is set where a chain of
	// trusted sealers made the receiver decide otherwise (Evaluator.TrustedSealers);
	// the Status stays what it is.
	DMARC dmarc.Result
	// ARC is the message's chain, none for nearly all messages. By itself it says
	// nothing about the author.
	ARC arc.Result
	// ARCTrusted: the chain passes and all its sealers are in Evaluator.TrustedSealers, or
	// the newest down to the one whose word overrides DMARC.
	ARCTrusted bool
	// BIMI is the verdict on the brand indicator; nil if Evaluator.BIMI is.
	BIMI *bimi.Result
	// Author is what the From field says, with remarks on how it says it.
	Author dmarc.Author

	// Action is what Handling makes of it: never empty.
	Action Action
	// Exception is the pattern of the Handling.Exceptions entry that chose the
	// action; empty if none did.
	Exception string

	// Defects lists what is structurally wrong with the message.
	Defects []message.Finding
	// Strip lists the indexes, in ascending order, of the header fields that must
	// be removed before delivery, because they claim to be this receiver's own
	// Authentication-Results (RFC 8601, section 5), or are BIMI fields that only a
	// receiver writes (bimi.Strip). Field 0 is the topmost of the
	// message as received, before anything was prepended.
	Strip []int
	// StripNamed lists the same fields as mail filters name them, the bottommost
	// first: in this order the numbers stay right for an MTA that counts anew after
	// each removal and for one that does not.
	StripNamed []NamedField
	// HeaderFields are the fields to put on top of the message, first first, each
	// complete with its CRLF, above the Received field that the receiver adds
	// (RFC 8601, section 4.1). It is empty where nothing can be put on top
	// without becoming part of what a stranger wrote (message.LeadingSpace).
	HeaderFields []string
	// Queries lists the DNS questions that the verdict rests on ("TXT
	// example.com."), protocol by protocol, without repetition. Questions asked
	// ahead that were not needed are not in it.
	Queries []string

	authservID        string
	internationalized bool
	arcInstance       int  // of the set whose sealer vouched; zero if none did
	arcUncertain      bool // a chain could have, had the DNS answered (decision 16)
}

// NamedField is a field of a header as the milter protocol refers to it
// (SMFIR_CHGHEADER).
type NamedField struct {
	// Name is the field's, as it stands there, without white space before the colon.
	Name string
	// Number counts the fields of that name in any ASCII case, the topmost being 1.
	Number int
}

// AuthenticationResults returns what HeaderFields says in Authentication-Results,
// as a value. The result words are those of the protocols; a signature that was
// found is never reported as "none" unless its key is in testing mode and
// dkim.Verifier.IgnoreTesting is set.
func (r *Result) AuthenticationResults() authres.Header {
	h := authres.Header{AuthservID: r.authservID, Version: 1, Internationalized: r.internationalized}
	h.Results = make([]authres.Result, 0, 5+max(1, len(r.DKIM)))
	h.Results = append(h.Results, spfResult(&r.SPF))
	if r.SPFHELO.Status != authres.None {
		h.Results = append(h.Results, spfResult(&r.SPFHELO))
	}
	if len(r.DKIM) == 0 {
		h.Results = append(h.Results, authres.Result{Method: "dkim", Status: authres.None})
	}
	for i := range r.DKIM {
		h.Results = append(h.Results, dkimResult(&r.DKIM[i]))
	}
	if r.ARC.Status != authres.None && r.ARC.Status != "" {
		h.Results = append(h.Results, r.arcResult())
	}
	verdict := []authres.Result{dmarcResult(&r.DMARC)}
	if r.BIMI != nil {
		verdict = append(verdict, r.BIMI.AuthenticationResult())
	}
	// The verdict must not be lost behind junk signatures.
	h.Results = append(h.Results[:min(len(h.Results), authres.MaxResults-len(verdict))], verdict...)
	return h
}

func spfResult(r *spf.Result) authres.Result {
	out := authres.Result{Method: "spf", Status: r.Status}
	if ptype, name, value := r.AuthenticationResult(); value != "" {
		out.Properties = []authres.Property{{Type: ptype, Name: name, Value: value}}
	}
	return out
}

func dkimResult(r *dkim.Result) authres.Result {
	out := authres.Result{Method: "dkim", Status: r.Status}
	add := func(name, value string) {
		if value != "" {
			if out.Properties == nil {
				out.Properties = make([]authres.Property, 0, 5)
			}
			out.Properties = append(out.Properties, authres.Property{Type: "header", Name: name, Value: value})
		}
	}
	s := &r.Signature
	add("d", s.Domain)
	if !isAt(s.Identity, s.Domain) {
		add("i", s.Identity)
	}
	add("s", s.Selector)
	add("a", s.Algorithm)
	add("b", r.B)
	return out
}

// isAt reports whether an identity is "@" and the domain, which is what it is if the
// signature names none.
func isAt(identity, domain string) bool {
	return len(identity) == 1+len(domain) && identity[0] == '@' && identity[1:] == domain
}

func dmarcResult(r *dmarc.Result) authres.Result {
	out := authres.Result{Method: "dmarc", Status: r.Status}
	if r.Domain != "" {
		out.Properties = append(make([]authres.Property, 0, 2), authres.Property{Type: "header", Name: "from", Value: r.Domain})
	}
	if r.Policy != "" {
		out.Properties = append(out.Properties, authres.Property{Type: "policy", Name: "dmarc", Value: string(r.Policy)})
	}
	return out
}

// finish fills in what follows from the protocols' results.
func (r *Result) finish(e *Evaluator, h *message.Header) error {
	r.authservID = e.AuthservID
	if r.authservID == "" {
		r.authservID = r.Session.Receiver
	}
	if r.authservID == "" {
		r.authservID = "localhost"
	}
	r.internationalized = r.Session.SMTPUTF8
	r.Action, r.Exception = e.Handling.decideAll(&r.DMARC)
	switch {
	case r.DMARC.Override != nil:
		r.Action, r.Exception = Accept, ""
	case r.arcUncertain && r.Action != Accept:
		// Only the chain could have rescued it, and may do so later (decision 16).
		r.Action, r.Exception = Defer, ""
	}
	r.Strip = strip(h, r.authservID)
	r.StripNamed = named(h, r.Strip)
	for _, f := range r.Defects {
		if f.Defect == message.LeadingSpace {
			return nil
		}
	}
	field, err := r.AuthenticationResults().Field()
	if err != nil {
		return err
	}
	r.HeaderFields = []string{field}
	if r.BIMI != nil {
		r.HeaderFields = append(r.HeaderFields, r.BIMI.HeaderFields()...)
	}
	return nil
}

// SMTPReply returns the answer to the end of DATA for the result's Action.
// A caller that acts otherwise answers otherwise. The zero Result gives a 451.
func (r *Result) SMTPReply() SMTPReply {
	switch r.Action {
	case Accept, Quarantine:
		return SMTPReply{250, "2.0.0", "OK"}
	case Reject:
		return r.refusal(550, "5", "rejected")
	}
	return r.deferral()
}

// refusal words a 550, or a 451 where the receiver would rather defer. X.7.26 says that
// several authentication checks failed (RFC 7372, section 3.4), which is what a DMARC
// failure is.
func (r *Result) refusal(code int, class, verb string) SMTPReply {
	d := r.DMARC.Domain
	switch {
	case errors.Is(r.DMARC.Err, dmarc.ErrFromDefect):
		return SMTPReply{code, class + ".6.0", "Message is malformed: " + string(r.Defects[0].Defect)}
	case r.DMARC.AmbiguousAuthor():
		return SMTPReply{code, class + ".7.1", "Message does not have exactly one usable author domain in its From field"}
	case r.DMARC.Status == authres.Fail:
		return SMTPReply{code, class + ".7.26", "Email " + verb + " per DMARC policy for " + d}
	case d == "":
		return SMTPReply{code, class + ".7.1", "Email " + verb + ": it could not be evaluated"}
	}
	return SMTPReply{code, class + ".7.1", "Email " + verb + ": the author domain " + d + " could not be authenticated"}
}

// deferral words a 451 after what DMARC waits for: RFC 8617, section 5.2.2 for
// a chain, RFC 6376, section 6.1.2 for a key, RFC 7372, section 3.2 for SPF, else the DNS in general. Where
// DMARC waits for nothing, the receiver has chosen to defer what it could refuse.
func (r *Result) deferral() SMTPReply {
	switch {
	case r.arcUncertain:
		return SMTPReply{451, "4.7.29", "Unable to validate the ARC chain: DNS error"}
	case r.DMARC.Status != authres.TempError:
		return r.refusal(451, "4", "deferred")
	}
	for _, a := range r.DMARC.Identifiers {
		if a.Status() != authres.TempError || a.Why == dmarc.StrictMismatch || a.Why == dmarc.OtherOrganization {
			continue
		}
		if a.Mechanism() == dmarc.DKIM {
			return SMTPReply{451, "4.7.5", "Unable to verify signature of " + a.Domain() + ": key server unavailable"}
		}
		return SMTPReply{451, "4.7.24", "Unable to check SPF of " + a.Domain() + ": DNS error"}
	}
	return SMTPReply{451, "4.4.3", "Unable to look up the DMARC policy of " + r.DMARC.Domain + ": DNS error"}
}

// LogValue implements slog.LogValuer: the verdict in one group, without text that
// a stranger could have chosen freely.
func (r *Result) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("action", string(r.Action)),
		slog.String("dmarc", r.DMARC.Status.String()),
		slog.String("from", r.DMARC.Domain),
		slog.String("policy", string(r.DMARC.Policy)),
		slog.String("spf", r.SPF.Status.String()),
		slog.String("spf_domain", r.SPF.Domain),
	}
	for i := range r.DKIM {
		attrs = append(attrs, slog.Any("dkim", r.DKIM[i].LogValue()))
	}
	if r.ARC.Status != authres.None {
		attrs = append(attrs, slog.Any("arc", r.ARC.LogValue()), slog.Bool("arc_trusted", r.ARCTrusted))
	}
	if r.BIMI != nil {
		attrs = append(attrs, slog.String("bimi", string(r.BIMI.Status)))
	}
	if code := codeOf(r.DMARC.Err); code != "" {
		attrs = append(attrs, slog.String("code", code))
	}
	return slog.GroupValue(attrs...)
}
