package failure

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dmarc/internal/mimepart"
)

// Parser reads failure reports. The zero value is ready to use, and safe for
// concurrent use.
type Parser struct {
	// Strict makes an error, ErrStrict, of everything that is a warning otherwise.
	Strict bool
	// MaxSize bounds the mail in octets; zero means 20 MiB.
	MaxSize int64
}

// Read reads a mail with a failure report, or the message/feedback-report part
// alone. The Report is zero with any error.
func (p *Parser) Read(in io.Reader) (Report, error) {
	limit := p.MaxSize
	if limit <= 0 {
		limit = 20 << 20
	}
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return Report{}, err
	}
	if int64(len(data)) > limit {
		return Report{}, ErrSize
	}
	msg, err := mimepart.Parse(data)
	if errors.Is(err, mimepart.ErrLimit) {
		return Report{}, fmt.Errorf("%w: %w", ErrLimit, err)
	}
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrNoReport, err)
	}
	s := state{}
	if err := s.message(msg, data); err != nil {
		return Report{}, err
	}
	if p.Strict && len(s.r.Warnings) > 0 {
		return Report{}, fmt.Errorf("%w: %s", ErrStrict, s.r.Warnings[0])
	}
	return s.r, nil
}

type state struct {
	r    Report
	seen map[string]bool
}

func (s *state) warn(kind WarningKind, field string) {
	w := Warning{kind, field}
	for _, have := range s.r.Warnings {
		if have == w {
			return
		}
	}
	s.r.Warnings = append(s.r.Warnings, w)
}

// message finds the second and the third part (RFC 5965, section 2).
func (s *state) message(msg *mimepart.Message, data []byte) error {
	report, several := -1, false
	for i := range msg.Parts {
		if msg.Parts[i].Type != "message/feedback-report" {
			continue
		}
		if report < 0 {
			report = i
		} else if msg.Parts[i].Depth <= msg.Parts[report].Depth { // deeper ones are of the message that is reported
			several = true
		}
	}
	if report < 0 {
		// The part alone, as some archives keep it.
		if msg.Get("Feedback-Type") == "" {
			return ErrNoReport
		}
		s.warn(WrongContainer, "")
		s.warn(MissingOriginal, "")
		return s.fields(msg.Fields)
	}
	if msg.Type != "multipart/report" || !strings.EqualFold(msg.Params["report-type"], "feedback-report") || msg.Parts[report].Depth != 1 || several {
		s.warn(WrongContainer, "")
	}
	body, err := msg.Parts[report].Decode()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoReport, err)
	}
	f, _, err := mimepart.ParseFields(bytes.TrimLeft(body, "\r\n"))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLimit, err)
	}
	if err := s.fields(f); err != nil {
		return err
	}
	for i := range msg.Parts[report+1:] {
		part := &msg.Parts[report+1+i]
		switch part.Type {
		case "text/rfc822-headers", "message/rfc822-headers", "text/rfc822-header":
			s.r.HeaderOnly = true
		case "message/rfc822", "message/global", "text/rfc822":
		default:
			continue
		}
		if s.r.Original, err = part.Decode(); err != nil {
			s.warn(BadValue, "Content-Transfer-Encoding")
		}
		return nil
	}
	s.warn(MissingOriginal, "")
	return nil
}

// maxRepeated bounds the fields that may be repeated.
const maxRepeated = 100

// fields reads the fields of message/feedback-report (RFC 5965, section 3;
// RFC 6591, section 3; RFC 9991, section 4). Unknown ones are ignored; so are empty
// ones of those that may be repeated, as no value is empty by their grammars.
func (s *state) fields(list mimepart.Fields) error {
	s.seen = map[string]bool{}
	r := &s.r
	for _, f := range list {
		name, v := strings.ToLower(f.Name), f.Value
		var repeated *[]string
		switch name {
		case "authentication-results":
			repeated = &r.AuthenticationResults
		case "original-rcpt-to":
			repeated, v = &r.OriginalRcptTo, path(v)
		case "reported-domain":
			repeated, v = &r.ReportedDomains, strings.ToLower(bare(v))
		case "reported-uri":
			repeated = &r.ReportedURIs
		case "spf-dns":
			if strings.TrimSpace(v) == "" {
				s.warn(BadValue, name)
				continue
			}
			if len(r.SPFDNS) == maxRepeated {
				return fmt.Errorf("%w: more than %d SPF-DNS fields", ErrLimit, maxRepeated)
			}
			r.SPFDNS = append(r.SPFDNS, s.spf(v))
			continue
		}
		if repeated != nil {
			if strings.TrimSpace(v) == "" {
				s.warn(BadValue, name)
				continue
			}
			if len(*repeated) == maxRepeated {
				return fmt.Errorf("%w: more than %d fields %s", ErrLimit, maxRepeated, f.Name)
			}
			*repeated = append(*repeated, v)
			continue
		}
		if name == "received-date" {
			name = "arrival-date" // RFC 5965, section 3.2
		}
		if s.seen[name] {
			if once(name) {
				s.warn(RepeatedField, name)
			}
			continue
		}
		if once(name) {
			s.seen[name] = true
			s.single(name, v)
		}
	}
	for _, name := range []string{"feedback-type", "user-agent", "version"} {
		if !s.seen[name] {
			s.warn(MissingField, name)
		}
	}
	if r.FeedbackType != "auth-failure" {
		return nil
	}
	if !s.seen["auth-failure"] {
		s.warn(MissingField, "auth-failure")
	}
	if len(r.AuthenticationResults) == 0 {
		s.warn(MissingField, "authentication-results")
	}
	if r.AuthFailure == "dmarc" && !s.seen["identity-alignment"] {
		s.warn(MissingField, "identity-alignment")
	}
	return nil
}

func once(name string) bool {
	switch name {
	case "feedback-type", "user-agent", "version", "auth-failure", "identity-alignment", "delivery-result", "source-ip", "source-port",
		"arrival-date", "original-envelope-id", "original-mail-from", "reporting-mta", "incidents", "dkim-domain", "dkim-identity",
		"dkim-selector", "dkim-canonicalized-header", "dkim-canonicalized-body":
		return true
	}
	return false
}

// single reads a field that occurs once.
func (s *state) single(name, v string) {
	r, ok := &s.r, true
	switch name {
	case "feedback-type":
		r.FeedbackType = strings.ToLower(bare(v))
		ok = r.FeedbackType != ""
	case "user-agent":
		r.UserAgent = v
	case "version":
		// "1.0" is common, and means 1.
		r.Version = bare(v)
		ok = r.Version == "1"
	case "auth-failure":
		r.AuthFailure = strings.ToLower(bare(v))
		ok = oneOf(r.AuthFailure, "adsp bodyhash revoked signature spf dmarc")
	case "identity-alignment":
		r.IdentityAlignment, ok = alignment(v)
	case "delivery-result":
		r.DeliveryResult = strings.ToLower(bare(v))
		ok = oneOf(r.DeliveryResult, "delivered spam policy reject other")
	case "source-ip":
		r.SourceIP, ok = sourceIP(v)
	case "source-port":
		n, err := strconv.ParseUint(bare(v), 10, 16)
		r.SourcePort, ok = uint16(n), err == nil
	case "incidents":
		n, err := strconv.ParseUint(bare(v), 10, 32)
		if ok = err == nil; ok {
			r.Incidents = uint32(n)
		}
	case "arrival-date":
		r.ArrivalDate = v
		r.Arrived, ok = date(bare(v))
	case "original-envelope-id":
		r.OriginalEnvelopeID = v
	case "original-mail-from":
		r.OriginalMailFrom = path(v)
		r.NullReversePath = r.OriginalMailFrom == ""
		ok = strings.HasPrefix(v, "<") && strings.HasSuffix(v, ">")
	case "reporting-mta":
		r.ReportingMTA = v
	case "dkim-domain":
		r.DKIMDomain = strings.ToLower(bare(v))
	case "dkim-identity":
		r.DKIMIdentity = bare(v)
	case "dkim-selector":
		r.DKIMSelector = bare(v)
	case "dkim-canonicalized-header":
		r.CanonicalizedHeader, ok = decode(v)
	case "dkim-canonicalized-body":
		r.CanonicalizedBody, ok = decode(v)
	}
	if !ok {
		s.warn(BadValue, name)
	}
}

func oneOf(s, words string) bool {
	for _, w := range strings.Fields(words) {
		if w == s {
			return true
		}
	}
	return false
}

// bare removes comments, which may be nested, and white space around.
func bare(v string) string {
	if strings.IndexByte(v, '(') < 0 {
		return strings.TrimSpace(v)
	}
	var b strings.Builder
	depth := 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == '\\' && depth > 0:
			i++
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return strings.TrimSpace(b.String())
}

// path takes the angle brackets off; many senders leave them out.
func path(v string) string {
	v = strings.TrimSpace(v)
	if strings.HasPrefix(v, "<") && strings.HasSuffix(v, ">") {
		v = v[1 : len(v)-1]
	}
	return v
}

// alignment: id-align of RFC 9991, section 4.
func alignment(v string) (out []string, ok bool) {
	ok = true
	for w := range strings.SplitSeq(bare(v), ",") {
		w = strings.ToLower(strings.TrimSpace(w))
		for _, have := range out {
			ok = ok && have != w && have != "none" && w != "none"
		}
		ok = ok && oneOf(w, "dkim spf none")
		if len(out) == maxRepeated {
			return out, false
		}
		out = append(out, w)
	}
	return out, ok
}

// sourceIP: an address literal (RFC 5321, section 4.1.3) without its brackets; with
// them, or with the tag for IPv6 missing, it is understood.
func sourceIP(v string) (netip.Addr, bool) {
	v = bare(v)
	if inner, ok := strings.CutPrefix(v, "["); ok {
		if v, ok = strings.CutSuffix(inner, "]"); !ok {
			return netip.Addr{}, false
		}
	}
	if len(v) > 5 && strings.EqualFold(v[:5], "ipv6:") {
		v = v[5:]
	}
	ip, err := netip.ParseAddr(v)
	if err != nil || ip.Zone() != "" {
		return netip.Addr{}, false
	}
	return ip.Unmap(), true
}

// date: date-time of RFC 5322, section 3.3.
func date(v string) (time.Time, bool) {
	for _, day := range []string{"Mon, ", ""} {
		for _, clock := range []string{"15:04:05 -0700", "15:04 -0700", "15:04:05 MST"} {
			if t, err := time.Parse(day+"2 Jan 2006 "+clock, v); err == nil {
				if day != "" && !strings.EqualFold(v[:3], t.Format("Mon")) {
					return t, false // "the day-of-week MUST be the day implied by the date"
				}
				return t, !strings.HasSuffix(clock, "MST") || strings.HasSuffix(v, "GMT") || strings.HasSuffix(v, "UT")
			}
		}
	}
	return time.Time{}, false
}

func decode(v string) ([]byte, bool) {
	out, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v), ""))
	if err != nil {
		return nil, false
	}
	return out, true
}

// spf reads SPF-DNS (RFC 6591, section 4): txt : domain : "record".
func (s *state) spf(v string) SPFRecord {
	out := SPFRecord{Text: v}
	typ, rest, ok1 := strings.Cut(v, ":")
	name, text, ok2 := strings.Cut(rest, ":")
	text = strings.TrimSpace(text)
	if !ok1 || !ok2 || len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		s.warn(BadValue, "spf-dns")
		return out
	}
	out.Type, out.Domain = strings.ToLower(strings.TrimSpace(typ)), strings.ToLower(strings.TrimSpace(name))
	out.Record = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(text[1 : len(text)-1])
	return out
}
