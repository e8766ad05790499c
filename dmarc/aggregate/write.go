package aggregate

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed2385d973/mailauth/dmarc"
)

// Form is the format that a report is written in.
type Form uint8

// The forms.
const (
	RFC9990 Form = iota // RFC 9990, appendix A
	RFC7489             // RFC 7489, appendix C, for consumers that know nothing newer
)

// Bounds of what is written: other people's readers have limits, too.
const (
	maxSignatures = 100     // of a record (RFC 9990, section 3.1.3)
	maxWritten    = 2 << 10 // octets of a text for people
)

// WriteXML writes the report. See Write.
func (r *Report) WriteXML(w io.Writer, form Form) error {
	return Write(w, form, &r.Header, func(yield func(Record, error) bool) {
		for i := range r.Records {
			if !yield(r.Records[i], nil) {
				return
			}
		}
	})
}

// Write writes a report with the records that the sequence yields, one at a time.
// The output of RFC9990 is valid against the schema of RFC 9990, appendix A.
//
// Namespace and Version are those of the form. Characters that XML does not have
// become U+FFFD; texts for people are cut at 2 KiB, signatures after the first
// 100. Under RFC7489 what that format does not know is left out: the disposition
// "pass" is written "none", "policy_test_mode" is "other" with a comment; pct
// is 100 and fo "0" where the Header has none.
//
// A report that lacks what the format requires is ErrIncomplete; so is a record
// with a word that is not of the format, or with more SPF results than the one
// that RFC 9990 has room for. What has been written by then is of no use.
func Write(w io.Writer, form Form, h *Header, records iter.Seq2[Record, error]) error {
	x := &xmlWriter{w: bufio.NewWriter(w), form: form}
	x.header(h)
	n := 0
	for rec, err := range records {
		if err != nil {
			return err
		}
		if n++; x.err == nil {
			x.record(&rec)
		}
		if x.err != nil {
			return fmt.Errorf("record %d: %w", n, x.err)
		}
	}
	if n == 0 {
		x.fail("record")
	}
	x.close("feedback")
	if x.err != nil {
		return x.err
	}
	return x.w.Flush()
}

type xmlWriter struct {
	w     *bufio.Writer
	form  Form
	depth int
	err   error
}

func (x *xmlWriter) fail(what string) {
	if x.err == nil {
		x.err = fmt.Errorf("%w: %s", ErrIncomplete, what)
	}
}

const indent = "                "

func (x *xmlWriter) open(name string) {
	x.w.WriteString(indent[:x.depth*2] + "<" + name + ">\n")
	x.depth++
}

func (x *xmlWriter) close(name string) {
	x.depth--
	x.w.WriteString(indent[:x.depth*2] + "</" + name + ">\n")
}

// text writes an element with text in it.
func (x *xmlWriter) text(name, v string) {
	x.w.WriteString(indent[:x.depth*2] + "<" + name + ">")
	x.escape(v)
	x.w.WriteString("</" + name + ">\n")
}

func (x *xmlWriter) optional(name, v string) {
	if v != "" {
		x.text(name, v)
	}
}

// human writes a text for people.
func (x *xmlWriter) human(name, v string) {
	if v == "" {
		return
	}
	if len(v) > maxWritten {
		v = v[:maxWritten]
		for i := 0; i < utf8.UTFMax && !utf8.ValidString(v[len(v)-min(len(v), utf8.UTFMax):]); i++ {
			v = v[:len(v)-1]
		}
	}
	x.text(name, v)
}

func (x *xmlWriter) required(name, v string) {
	if v == "" {
		x.fail(name)
	}
	x.text(name, v)
}

// word writes one of the words of the format.
func (x *xmlWriter) word(name, v, words string) {
	if _, ok := isWord(v, words); !ok {
		x.fail(name)
	}
	x.text(name, v)
}

// escape writes character data. A carriage return would not survive the reader's
// normalization of line ends, and what is no character of XML would stop it.
func (x *xmlWriter) escape(s string) {
	for _, r := range s {
		switch r {
		case '&':
			x.w.WriteString("&amp;")
		case '<':
			x.w.WriteString("&lt;")
		case '>':
			x.w.WriteString("&gt;")
		case '\r':
			x.w.WriteString("&#13;")
		default:
			if !isChar(r) {
				r = utf8.RuneError
			}
			x.w.WriteRune(r)
		}
	}
}

func (x *xmlWriter) header(h *Header) {
	x.w.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	if x.form == RFC7489 {
		// The elements are unqualified there. Consumers know the root without a
		// namespace, as nearly everybody sends it, and the schema's own form less.
		x.w.WriteString("<feedback>\n")
	} else {
		x.w.WriteString("<feedback xmlns=\"" + Namespace9990 + "\">\n")
	}
	x.depth = 1
	x.text("version", "1.0")
	x.open("report_metadata")
	x.required("org_name", h.OrgName)
	x.required("email", h.Email)
	x.human("extra_contact_info", h.ExtraContact)
	x.required("report_id", h.ReportID)
	x.open("date_range")
	if h.Begin.Unix() <= 0 || h.End.Before(h.Begin) {
		x.fail("date_range")
	}
	x.text("begin", unixText(h.Begin))
	x.text("end", unixText(h.End))
	x.close("date_range")
	if x.form == RFC7489 {
		for _, e := range h.Errors {
			x.human("error", e)
		}
	} else {
		x.human("error", strings.Join(h.Errors, "\n"))
		x.optional("generator", h.Generator)
	}
	x.close("report_metadata")
	x.policy(&h.Policy)
}

func unixText(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func (x *xmlWriter) policy(p *Policy) {
	word := func(name, v, words string) {
		if v != "" {
			x.word(name, v, words)
		}
	}
	x.open("policy_published")
	x.required("domain", p.Domain)
	if x.form == RFC7489 {
		word("adkim", string(p.ADKIM), modeWords)
		word("aspf", string(p.ASPF), modeWords)
		x.word("p", string(p.P), policyWords)
		x.word("sp", or(string(p.SP), string(p.P)), policyWords)
		x.text("pct", or(p.Pct, "100"))
		x.text("fo", or(p.FO, "0"))
	} else {
		word("discovery_method", string(p.Method), methodWords)
		x.word("p", string(p.P), policyWords)
		word("sp", string(p.SP), policyWords)
		word("np", string(p.NP), policyWords)
		x.optional("fo", p.FO)
		word("adkim", string(p.ADKIM), modeWords)
		word("aspf", string(p.ASPF), modeWords)
		word("testing", p.Testing, testingWords)
	}
	x.close("policy_published")
}

func or(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

func (x *xmlWriter) record(r *Record) {
	if !r.SourceIP.IsValid() || r.SourceIP.Zone() != "" {
		x.fail("source_ip")
		return
	}
	if r.Count < 1 {
		x.fail("count")
	}
	x.open("record")
	x.open("row")
	x.text("source_ip", r.SourceIP.Unmap().String())
	x.text("count", strconv.FormatInt(r.Count, 10))
	x.open("policy_evaluated")
	disposition := r.Disposition
	if x.form == RFC7489 && disposition == DispositionPass {
		disposition = DispositionNone
	}
	x.word("disposition", string(disposition), dispositionWords)
	x.word("dkim", string(r.DKIM), alignedWords)
	x.word("spf", string(r.SPF), alignedWords)
	for _, reason := range r.Reasons {
		x.reason(reason)
	}
	x.close("policy_evaluated")
	x.close("row")

	x.open("identifiers")
	x.optional("envelope_to", r.EnvelopeTo)
	if r.EnvelopeFrom != "" || r.NullReversePath || x.form == RFC7489 {
		x.text("envelope_from", r.EnvelopeFrom)
	}
	x.required("header_from", r.HeaderFrom)
	x.close("identifiers")

	x.open("auth_results")
	for _, d := range r.AuthDKIM[:min(len(r.AuthDKIM), maxSignatures)] {
		x.open("dkim")
		x.text("domain", d.Domain)
		x.text("selector", d.Selector)
		x.word("result", string(d.Result), dkimWords)
		x.human("human_result", d.HumanResult)
		x.close("dkim")
	}
	switch n := len(r.AuthSPF); {
	case n > 1 && x.form == RFC9990:
		x.fail("one spf result for each record")
	case n == 0 && x.form == RFC7489:
		x.fail("spf")
	}
	for _, s := range r.AuthSPF {
		x.spf(s)
	}
	x.close("auth_results")
	x.close("record")
}

func (x *xmlWriter) spf(s SPFResult) {
	x.open("spf")
	x.text("domain", s.Domain)
	if x.form == RFC7489 {
		x.word("scope", or(s.Scope, "mfrom"), scopeWords)
		// A result that the format does not have was no pass.
		if s.Result == "policy" {
			s.Result = "neutral"
		}
		x.word("result", string(s.Result), spfWords)
	} else {
		if s.Scope != "" {
			x.word("scope", s.Scope, " mfrom ")
		}
		x.word("result", string(s.Result), spfWords)
		x.human("human_result", s.HumanResult)
	}
	x.close("spf")
}

const (
	reasonWords9990 = " local_policy mailing_list other policy_test_mode trusted_forwarder "
	reasonWords7489 = " local_policy mailing_list other forwarded sampled_out trusted_forwarder "
)

func (x *xmlWriter) reason(r Reason) {
	words := reasonWords9990
	if x.form == RFC7489 {
		words = reasonWords7489
		if r.Type == PolicyTestMode {
			r = Reason{dmarc.OtherReason, strings.TrimSpace("policy_test_mode " + r.Comment)}
		}
	}
	x.open("reason")
	x.word("type", string(r.Type), words)
	x.human("comment", r.Comment)
	x.close("reason")
}
