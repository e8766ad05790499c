package failure

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/internal/mimepart"
)

// Wanted are the kinds of report that a message calls for.
type Wanted struct {
	DMARC bool // a DMARC failure report: fo=0 or fo=1
	DKIM  bool // a DKIM failure report (RFC 6651): fo=d and a signature failed
	SPF   bool // an SPF failure report (RFC 6652): fo=s and SPF failed
}

// Due evaluates fo (RFC 9989, section 4.7) for a message that has been evaluated.
// Without a usable ruf, or if the record is that of a Public Suffix Domain (RFC
// 9991, section 2), nothing is due; neither is anything for a temporary error.
func Due(r *dmarc.Result) Wanted {
	var w Wanted
	if len(r.FailureReports()) == 0 || r.Status != authres.Pass && r.Status != authres.Fail {
		return w
	}
	for f := range strings.SplitSeq(r.Record.FO, ":") {
		switch f {
		case "0":
			w.DMARC = !r.SPFAligned && !r.DKIMAligned
		case "1":
			w.DMARC = !r.SPFAligned || !r.DKIMAligned
		case "d", "s":
			for _, a := range r.Identifiers {
				switch failed := a.Status() != authres.Pass && a.Status() != authres.None && a.Status() != authres.TempError; {
				case f == "d" && a.Mechanism() == dmarc.DKIM:
					w.DKIM = w.DKIM || failed
				case f == "s" && a.Mechanism() == dmarc.SPF:
					w.SPF = w.SPF || failed && a.Status() != authres.Neutral
				}
			}
		}
	}
	return w
}

// Incident is a message that failed, and what the receiver knows of it.
type Incident struct {
	Result                *dmarc.Result
	AuthenticationResults string // of DMARC alone (RFC 6591, section 3.1), without the field's name; empty: made from Result
	AuthservID            string // our name there
	UserAgent             string // our software, as "name/1.0"
	Delivery              string // delivered, spam, policy, reject or other
	SourceIP              netip.Addr
	SourcePort            uint16
	Arrived               time.Time
	EnvelopeID            string
	MailFrom              string // without angle brackets; empty is the null reverse-path
	RcptTo                []string
	DKIMIdentity          string      // i= of the failed signature; empty: "@" and its domain
	SPFRecords            []SPFRecord // those that the SPF check used
	Message               []byte      // the header of the message, or the whole of it

	// Secret keys the redaction: the same local part under the same Secret becomes the
	// same word (RFC 6590, section 3). Without one, local parts become "redacted".
	Secret []byte
	// Redact replaces the redaction of the message: it gets Message and returns what
	// is to be reported in its place. Nil keeps the fields that show the way of the
	// message and its authentication, with local parts hidden and http written
	// hxxp; Subject is hidden, other fields and the body are left out.
	Redact func(message []byte) []byte
	// DangerousUnredacted reports Message, MailFrom and RcptTo as they are.
	DangerousUnredacted bool
}

// Answerable reports whether a report about the message could start a loop: it
// could not if the message is neither a report nor an automatic answer, and has a
// reverse-path. No report is due for one that is not answerable.
func (in *Incident) Answerable() bool {
	f, _, err := mimepart.ParseFields(in.Message)
	if err != nil || in.MailFrom == "" {
		return false
	}
	if auto := strings.ToLower(bare(f.Get("Auto-Submitted"))); auto != "" && auto != "no" {
		return false
	}
	typ, _ := mimepart.ParseType(f.Get("Content-Type"))
	return typ != "multipart/report" && typ != "message/feedback-report"
}

// Report makes a DMARC failure report, with everything that could identify a
// person hidden unless asked otherwise. It does not ask whether one is Due. The
// error is ErrIncomplete: no Result, or no UserAgent.
func (in *Incident) Report() (*Report, error) {
	res := in.Result
	if res == nil || res.Domain == "" {
		return nil, fmt.Errorf("%w: Result", ErrIncomplete)
	}
	if in.UserAgent == "" {
		return nil, fmt.Errorf("%w: User-Agent", ErrIncomplete)
	}
	r := &Report{
		FeedbackType: "auth-failure", UserAgent: in.UserAgent, Version: "1", AuthFailure: "dmarc",
		DeliveryResult: in.Delivery, ReportedDomains: []string{res.Domain}, SourceIP: in.SourceIP, SourcePort: in.SourcePort,
		Arrived: in.Arrived, OriginalEnvelopeID: in.EnvelopeID,
		OriginalMailFrom: in.hide(in.MailFrom), NullReversePath: in.MailFrom == "",
	}
	for _, to := range in.RcptTo {
		r.OriginalRcptTo = append(r.OriginalRcptTo, in.hide(to))
	}
	if !res.DKIMAligned {
		r.IdentityAlignment = append(r.IdentityAlignment, "dkim")
	}
	if !res.SPFAligned {
		r.IdentityAlignment = append(r.IdentityAlignment, "spf")
	}
	if r.IdentityAlignment == nil {
		r.IdentityAlignment = []string{"none"}
	}
	results := in.AuthenticationResults
	if results == "" {
		h := authres.Header{AuthservID: in.AuthservID, Results: []authres.Result{{
			Method: "dmarc", Status: res.Status, Properties: []authres.Property{{Type: "header", Name: "from", Value: res.Domain}},
		}}}
		if h.AuthservID == "" {
			h.AuthservID = "localhost"
		}
		results = h.String()
	}
	r.AuthenticationResults = []string{results}
	for _, a := range res.Identifiers {
		if a.Authenticated() || !a.Aligned {
			continue
		}
		switch {
		case a.Mechanism() == dmarc.DKIM && r.DKIMDomain == "":
			r.DKIMDomain, r.DKIMSelector, r.DKIMIdentity = a.Domain(), a.Selector(), "@"+a.Domain()
			if in.DKIMIdentity != "" {
				r.DKIMIdentity = in.hide(in.DKIMIdentity)
			}
		case a.Mechanism() == dmarc.SPF:
			r.SPFDNS = in.SPFRecords
		}
	}
	switch {
	case in.DangerousUnredacted:
		r.Original = in.Message
		r.HeaderOnly = len(r.OriginalHeader()) == len(r.Original)
	case in.Redact != nil:
		r.Original = in.Redact(in.Message)
		r.HeaderOnly = len(r.OriginalHeader()) == len(r.Original)
	default:
		r.Original, r.HeaderOnly = in.redact(), true
	}
	return r, nil
}

// hide replaces the local part of an address.
func (in *Incident) hide(addr string) string {
	at := strings.LastIndexByte(addr, '@')
	if at <= 0 || in.DangerousUnredacted {
		return addr
	}
	return in.word(addr[:at]) + addr[at:]
}

// word stands for private data (RFC 6590, section 3).
func (in *Incident) word(private string) string {
	if len(in.Secret) == 0 {
		return "redacted"
	}
	mac := hmac.New(sha256.New, in.Secret)
	mac.Write([]byte(private))
	return "r-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:10]))
}

// kept are the fields of a redacted header, by what they tell about the failure.
const kept = " received return-path from sender reply-to to cc date mime-version content-type content-transfer-encoding" +
	" arc-seal arc-authentication-results authentication-results received-spf list-id auto-submitted "

// redact writes the header without what is private.
func (in *Incident) redact() []byte {
	f, _, err := mimepart.ParseFields(in.Message)
	if err != nil {
		return nil
	}
	var b bytes.Buffer
	for _, field := range f {
		name := strings.ToLower(field.Name)
		switch {
		case name == "subject":
			mimepart.AppendField(&b, field.Name, "[redacted]")
		case slices.Contains([]string{"from", "sender", "reply-to", "to", "cc"}, name):
			mimepart.AppendField(&b, field.Name, in.mailboxes(field.Value))
		case name == "message-id":
			mimepart.AppendField(&b, field.Name, field.Value) // what the owner finds the message by
		case name == "dkim-signature" || name == "arc-message-signature":
			mimepart.AppendField(&b, field.Name, in.addresses(withoutCopies(field.Value)))
		case strings.Contains(kept, " "+name+" "):
			mimepart.AppendField(&b, field.Name, in.addresses(field.Value))
		}
	}
	return b.Bytes()
}

// isProperty: what stands before the "=" is a property of a result or a tag.
func isProperty(s string) bool {
	return s == "i" || s == "envelope-from" || strings.HasPrefix(s, "smtp.") || strings.HasPrefix(s, "header.")
}

// withoutCopies drops z= of a signature, which holds header fields of the message.
func withoutCopies(value string) string {
	var out []string
	for tag := range strings.SplitSeq(value, ";") {
		if name, _, _ := strings.Cut(tag, "="); strings.TrimSpace(name) != "z" {
			out = append(out, tag)
		}
	}
	return strings.Join(out, ";")
}

// mailboxes keeps nothing of an address field but hidden addresses: display names are names.
func (in *Incident) mailboxes(value string) string {
	var out []string
	for _, w := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t<>,;:()\"", r) }) {
		if strings.Contains(w, "@") {
			out = append(out, "<"+in.hide(w)+">")
		}
	}
	return strings.Join(out, ", ")
}

// addresses hides the local part of everything in a value that has an "@", and
// makes links dead (RFC 9991, section 7.3).
func (in *Incident) addresses(value string) string {
	var b strings.Builder
	from, quote := 0, -1 // the "@" before, and the quotation mark that is open
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && quote >= 0:
			i++
		case c == '"' && quote >= 0:
			quote = -1
		case c == '"':
			quote = i
		case c == '@':
			start := quote + 1 // it may be within a local part that has not ended
			if quote < from {
				start = from + localStart(value[from:i])
			}
			b.WriteString(value[from:start])
			if start < i {
				b.WriteString(in.word(value[start:i]))
			}
			from = i
		}
	}
	b.WriteString(value[from:])
	return deadLinks(b.String())
}

// localStart returns where the local part begins that s ends with. In doubt it takes too much.
func localStart(s string) int {
	n := len(strings.TrimRight(s, " \t"))
	for n > 0 && s[n-1] == ')' {
		depth, i := 1, n-1
		for ; i > 0 && depth > 0; i-- {
			switch s[i-1] {
			case ')':
				depth++
			case '(':
				depth--
			}
		}
		if depth > 0 { // it ends no comment
			n = len(strings.TrimRight(s, " \t)"))
			break
		}
		n = len(strings.TrimRight(s[:i], " \t"))
	}
	start := n
	for start > 0 {
		c := s[start-1]
		if c == '"' {
			i := start - 1
			for i--; i >= 0 && (s[i] != '"' || i > 0 && s[i-1] == '\\'); i-- {
			}
			start = max(i, 0)
			continue
		}
		if c <= ' ' || c == 0x7f || strings.IndexByte("<>()[],;:@", c) >= 0 {
			break
		}
		start--
	}
	// "smtp.mailfrom=user@": the name of a property is not part of the address.
	if j := strings.IndexByte(s[start:n], '='); j >= 0 && isProperty(s[start:start+j]) {
		start += j + 1
	}
	if start == n {
		return len(s)
	}
	return start
}

// deadLinks writes http, in whatever case, as hxxp.
func deadLinks(s string) string {
	var b strings.Builder
	from := 0
	for i := 0; i+5 <= len(s); i++ {
		if s[i]|0x20 != 'h' || !strings.EqualFold(s[i:i+4], "http") || s[i+4] != ':' && (s[i+4]|0x20 != 's' || i+5 == len(s) || s[i+5] != ':') {
			continue
		}
		b.WriteString(s[from:i])
		b.WriteString("hxxp")
		from = i + 4
	}
	b.WriteString(s[from:])
	return b.String()
}
