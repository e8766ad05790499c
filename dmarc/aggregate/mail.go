package aggregate

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dmarc/internal/mimepart"
	"github.com/seed2385d973/mailauth/internal/address"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// NewReportID makes the Report-ID of a report: the same for the same report by the
// same submitter, so that a report sent twice is known for one; different for
// another period, domain or policy. 32 hexadecimal digits, as letters and digits
// alone fit everywhere that the identifier has to be repeated (RFC 9990, section
// 3.1.4; decision 18).
func NewReportID(submitter string, h *Header) string {
	p := h.Policy
	sum := sha256.Sum256([]byte(strings.Join([]string{
		submitter, p.Domain, unixText(h.Begin), unixText(h.End), string(p.P), string(p.SP), string(p.NP), string(p.ADKIM), string(p.ASPF),
		p.FO, p.Pct, p.Testing, string(p.Method),
	}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// FileName returns the name of the attachment (RFC 9990, section 3.5.2); the error
// is ErrIncomplete if the names are no domain names, or the Report-ID, which is
// part of it, is not made of letters and digits.
func FileName(submitter string, h *Header, compressed bool) (string, error) {
	from, err := domain.Parse(submitter)
	if err != nil {
		return "", fmt.Errorf("%w: submitter %.100q", ErrIncomplete, submitter)
	}
	about, err := domain.Parse(h.Policy.Domain)
	if err != nil {
		return "", fmt.Errorf("%w: domain %.100q", ErrIncomplete, h.Policy.Domain)
	}
	if !alphanumeric(h.ReportID) {
		return "", fmt.Errorf("%w: Report-ID %.100q", ErrIncomplete, h.ReportID)
	}
	name := from.String() + "!" + about.String() + "!" + unixText(h.Begin) + "!" + unixText(h.End) + "!" + h.ReportID + ".xml"
	if compressed {
		name += ".gz"
	}
	return name, nil
}

func alphanumeric(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// Subject returns the Subject of the mail (RFC 9990, section 3.5.2), not folded.
func Subject(submitter string, h *Header) string {
	return "Report Domain: " + strings.ToLower(h.Policy.Domain) + " Submitter: " + strings.ToLower(submitter) + " Report-ID: <" + h.ReportID + ">"
}

// Mail is a complete message with a report attached: an io.WriterTo. It has CRLF
// line ends, lines of at most 76 characters but for long names, and no signature
// yet: report mail MUST pass DMARC (RFC 9990, section 3.5.2), so sign it for the
// domain of From.
type Mail struct {
	Report *Report
	// Records are written in place of Report.Records, if set.
	Records iter.Seq2[Record, error]
	Form    Form
	// Submitter is the domain name of the Mail Receiver that generated the report.
	Submitter string
	// From and To are addr-specs. One mail goes to one address.
	From, To string
	// Date of the message; zero leaves the field out, for whoever sends it to add.
	Date time.Time
	// Uncompressed attaches XML without gzip.
	Uncompressed bool
	// MaxSize bounds the attachment in octets, before base64; zero means 7 MiB, which
	// makes a message below the 10 MiB that most will take. Beyond it: ErrOutput.
	MaxSize int64
}

// WriteTo writes the message: the same octets for the same Mail. The attachment
// is made before anything is written. Errors: ErrAddress, ErrIncomplete,
// ErrOutput, those of Records and of w.
func (m *Mail) WriteTo(w io.Writer) (int64, error) {
	from, err := address.ParseAddrSpec(m.From)
	if err != nil || !printable(m.From) {
		return 0, fmt.Errorf("%w: %.100q", ErrAddress, m.From)
	}
	if _, err := address.ParseAddrSpec(m.To); err != nil || !printable(m.To) {
		return 0, fmt.Errorf("%w: %.100q", ErrAddress, m.To)
	}
	h := &m.Report.Header
	name, err := FileName(m.Submitter, h, !m.Uncompressed)
	if err != nil {
		return 0, err
	}
	content, err := m.attachment()
	if err != nil {
		return 0, err
	}
	var b bytes.Buffer
	mimepart.AppendField(&b, "From", "<"+m.From+">")
	mimepart.AppendField(&b, "To", "<"+m.To+">")
	if !m.Date.IsZero() {
		mimepart.AppendField(&b, "Date", m.Date.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	}
	mimepart.AppendField(&b, "Subject", Subject(m.Submitter, h))
	// "a part or whole of the RFC5322.Message-Id": the same report is the same message.
	mimepart.AppendField(&b, "Message-ID", "<"+h.ReportID+"@"+from.Domain.String()+">")
	mimepart.AppendField(&b, "Auto-Submitted", "auto-generated")
	mimepart.AppendField(&b, "MIME-Version", "1.0")
	boundary := "=_" + h.ReportID[:min(len(h.ReportID), 64)]
	mimepart.AppendField(&b, "Content-Type", `multipart/mixed; boundary="`+boundary+`"`)
	b.WriteString("\r\n--" + boundary + "\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n" +
		"This is a DMARC aggregate report about " + strings.ToLower(h.Policy.Domain) + "\r\nfrom " + strings.ToLower(m.Submitter) + ", for " +
		h.Begin.UTC().Format("2006-01-02 15:04:05") + " to " + h.End.UTC().Format("2006-01-02 15:04:05") + " UTC.\r\n")
	kind := "application/gzip"
	if m.Uncompressed {
		kind = "text/xml"
	}
	b.WriteString("\r\n--" + boundary + "\r\nContent-Type: " + kind + "\r\nContent-Transfer-Encoding: base64\r\n")
	b.WriteString("Content-Disposition: attachment;\r\n filename=\"" + name + "\"\r\n\r\n")
	enc := mimepart.Base64Writer{W: &b}
	enc.Write(content)
	enc.Close()
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return b.WriteTo(w)
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

var errFull = errors.New("full")

// bounded is a buffer with an end.
type bounded struct {
	bytes.Buffer
	max int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if int64(b.Len()+len(p)) > b.max {
		return 0, errFull
	}
	return b.Buffer.Write(p)
}

func (m *Mail) attachment() ([]byte, error) {
	out := &bounded{max: m.MaxSize}
	if out.max <= 0 {
		out.max = 7 << 20
	}
	write := func(w io.Writer) error {
		if m.Records != nil {
			return Write(w, m.Form, &m.Report.Header, m.Records)
		}
		return m.Report.WriteXML(w, m.Form)
	}
	var err error
	if m.Uncompressed {
		err = write(out)
	} else {
		z := gzip.NewWriter(out)
		if err = write(z); err == nil {
			err = z.Close()
		}
	}
	if errors.Is(err, errFull) {
		return nil, fmt.Errorf("%w: over %s octets", ErrOutput, strconv.FormatInt(out.max, 10))
	}
	if err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
