package failure

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dmarc/internal/mimepart"
	"github.com/seed2385d973/mailauth/internal/address"
)

// Mail is a complete message with a report in it: an io.WriterTo. It has CRLF line
// ends and no signature yet; reports have to pass DMARC themselves.
type Mail struct {
	Report *Report
	// From and To are addr-specs.
	From, To string
	// Date of the message; zero leaves the field out, for whoever sends it to add.
	Date time.Time
}

// WriteTo writes the message: the same octets for the same Mail. Its envelope
// sender is to be the null reverse-path, so that nothing answers it. Errors:
// ErrAddress, ErrIncomplete, those of w.
func (m *Mail) WriteTo(w io.Writer) (int64, error) {
	from, err := address.ParseAddrSpec(m.From)
	if err != nil || !printable(m.From) {
		return 0, fmt.Errorf("%w: %.100q", ErrAddress, m.From)
	}
	if _, err := address.ParseAddrSpec(m.To); err != nil || !printable(m.To) {
		return 0, fmt.Errorf("%w: %.100q", ErrAddress, m.To)
	}
	fields, err := m.Report.fields()
	if err != nil {
		return 0, err
	}
	sum := sha256.New()
	sum.Write(fields)
	sum.Write(m.Report.Original)
	io.WriteString(sum, m.To+m.Date.String())
	id := hex.EncodeToString(sum.Sum(nil)[:16])

	var b bytes.Buffer
	mimepart.AppendField(&b, "From", "<"+m.From+">")
	mimepart.AppendField(&b, "To", "<"+m.To+">")
	if !m.Date.IsZero() {
		mimepart.AppendField(&b, "Date", m.Date.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	}
	f, _, _ := mimepart.ParseFields(m.Report.Original)
	mimepart.AppendField(&b, "Subject", "FW: "+f.Get("Subject")) // RFC 5965, section 2, f
	mimepart.AppendField(&b, "Message-ID", "<"+id+"@"+from.Domain.String()+">")
	mimepart.AppendField(&b, "Auto-Submitted", "auto-generated")
	mimepart.AppendField(&b, "MIME-Version", "1.0")
	boundary := "=_" + id
	mimepart.AppendField(&b, "Content-Type", `multipart/report; report-type=feedback-report; boundary="`+boundary+`"`)
	b.WriteString("\r\n--" + boundary + "\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n")
	b.WriteString("This is an authentication failure report for an email message")
	if m.Report.SourceIP.IsValid() {
		b.WriteString("\r\nreceived from IP " + m.Report.SourceIP.String())
	}
	b.WriteString(".\r\n\r\n--" + boundary + "\r\nContent-Type: message/feedback-report\r\n\r\n")
	b.Write(fields)
	kind := "message/rfc822"
	if m.Report.HeaderOnly {
		kind = "text/rfc822-headers"
	}
	// The message may hold lines and octets that 7bit has not; but composite types
	// allow no other encoding (RFC 2046, section 5.2.1).
	encoding := "8bit"
	if m.Report.HeaderOnly {
		encoding = "base64"
	}
	b.WriteString("\r\n--" + boundary + "\r\nContent-Type: " + kind + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n")
	if m.Report.HeaderOnly {
		enc := mimepart.Base64Writer{W: &b}
		enc.Write(m.Report.Original)
		enc.Close()
	} else {
		b.Write(m.Report.Original)
		b.WriteString("\r\n")
	}
	b.WriteString("--" + boundary + "--\r\n")
	n, err := w.Write(b.Bytes())
	return int64(n), err
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// fields writes the second part (RFC 5965, section 3; RFC 9991, section 4).
func (r *Report) fields() ([]byte, error) {
	need := func(name, v string) error {
		if v == "" {
			return fmt.Errorf("%w: %s", ErrIncomplete, name)
		}
		return nil
	}
	for _, f := range []struct{ name, v string }{
		{"Feedback-Type", r.FeedbackType}, {"User-Agent", r.UserAgent}, {"Version", r.Version}, {"Auth-Failure", r.AuthFailure},
		{"Identity-Alignment", strings.Join(r.IdentityAlignment, ",")}, {"Authentication-Results", strings.Join(r.AuthenticationResults, "")},
	} {
		if err := need(f.name, f.v); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	set := func(name, v string) {
		if v != "" {
			mimepart.AppendField(&b, name, v)
		}
	}
	set("Feedback-Type", r.FeedbackType)
	set("User-Agent", r.UserAgent)
	set("Version", r.Version)
	set("Auth-Failure", r.AuthFailure)
	set("Identity-Alignment", strings.Join(r.IdentityAlignment, ", "))
	for _, v := range r.AuthenticationResults {
		set("Authentication-Results", v)
	}
	set("Delivery-Result", r.DeliveryResult)
	set("DKIM-Domain", r.DKIMDomain)
	set("DKIM-Identity", r.DKIMIdentity)
	set("DKIM-Selector", r.DKIMSelector)
	set("DKIM-Canonicalized-Header", base64Words(r.CanonicalizedHeader))
	set("DKIM-Canonicalized-Body", base64Words(r.CanonicalizedBody))
	for _, s := range r.SPFDNS {
		set("SPF-DNS", s.String())
	}
	arrival := r.ArrivalDate
	if arrival == "" && !r.Arrived.IsZero() {
		arrival = r.Arrived.Format("Mon, 02 Jan 2006 15:04:05 -0700")
	}
	set("Arrival-Date", arrival)
	set("Original-Envelope-Id", r.OriginalEnvelopeID)
	if r.OriginalMailFrom != "" || r.NullReversePath {
		set("Original-Mail-From", "<"+r.OriginalMailFrom+">")
	}
	for _, v := range r.OriginalRcptTo {
		set("Original-Rcpt-To", "<"+v+">")
	}
	set("Reporting-MTA", r.ReportingMTA)
	if r.SourceIP.IsValid() {
		set("Source-IP", literal(r.SourceIP))
	}
	if r.SourcePort > 0 {
		set("Source-Port", strconv.Itoa(int(r.SourcePort)))
	}
	if r.Incidents > 0 {
		set("Incidents", strconv.FormatUint(uint64(r.Incidents), 10))
	}
	for _, v := range r.ReportedDomains {
		set("Reported-Domain", v)
	}
	for _, v := range r.ReportedURIs {
		set("Reported-URI", v)
	}
	return b.Bytes(), nil
}

// literal writes an address; RFC 9991's example has no brackets.
func literal(ip netip.Addr) string {
	if ip.Is4() || ip.Is4In6() {
		return ip.Unmap().String()
	}
	return "IPv6:" + ip.String()
}

// base64Words parts base64 with blanks, at which the field can be folded.
func base64Words(data []byte) string {
	s := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for len(s) > 72 {
		b.WriteString(s[:72] + " ")
		s = s[72:]
	}
	b.WriteString(s)
	return b.String()
}

// String returns the value of SPF-DNS (RFC 6591, section 4).
func (s SPFRecord) String() string {
	if s.Domain == "" {
		return s.Text
	}
	typ := s.Type
	if typ == "" {
		typ = "txt"
	}
	return typ + " : " + s.Domain + ` : "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s.Record) + `"`
}
