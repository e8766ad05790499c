package aggregate

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/seed2385d973/mailauth/dmarc"
)

// Limits of a report (see the package documentation). Zero means the default, never "unlimited".
type Limits struct {
	Input   int64 // octets of the file or mail as it arrives; 20 MiB
	Output  int64 // octets of XML; 64 MiB
	Ratio   int64 // octets that one compressed octet may become; 200
	Records int64 // 200,000
}

func (l Limits) withDefaults() Limits {
	set := func(v *int64, def int64) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&l.Input, 20<<20)
	set(&l.Output, 64<<20)
	set(&l.Ratio, 200)
	set(&l.Records, 200_000)
	return l
}

// Parser reads aggregate reports. The zero value is ready to use, and reads
// whatever can be understood without guessing. It is safe for concurrent use.
type Parser struct {
	// Strict makes an error, ErrStrict, of everything that is a warning otherwise:
	// what is then read matches RFC 9990, or RFC 7489 if its namespace is that.
	// RFC 9990, section 3.1.1 has consumers discard all else; few of the reports that are
	// sent would survive.
	Strict bool
	Limits Limits
	// Mail is the DMARC result of the mail that carried the report, if that was
	// evaluated: see Sender.
	Mail *dmarc.Result
}

// Read reads a whole report into memory: at most Limits.Records records. The Report
// is zero with any error.
func (p *Parser) Read(in io.Reader) (Report, error) {
	r, err := p.Open(in)
	if err != nil {
		return Report{}, err
	}
	var out Report
	for rec, err := range r.Records() {
		if err != nil {
			return Report{}, err
		}
		out.Records = append(out.Records, rec)
	}
	out.Header, out.Warnings, out.Sender = r.Header(), r.Warnings(), r.Sender()
	return out, nil
}

// Open finds the report in what in yields (XML, gzip, zip, or a mail with one of
// them as a part, whatever it calls them) and reads as far as the first record.
// XML and gzip are streamed; zip files and mails are held in memory, up to
// Limits.Input. Its errors wrap those of this package, or are those of in.
func (p *Parser) Open(in io.Reader) (*Reader, error) {
	r := &Reader{strict: p.Strict, limits: p.Limits.withDefaults()}
	xml, err := r.open(in)
	if err != nil {
		return nil, err
	}
	r.xml = newTokenizer(bufio.NewReaderSize(xml, 8<<10))
	if err := r.begin(); err != nil {
		return nil, err
	}
	if p.Mail != nil {
		r.sender.Evaluated = true
		r.sender.Authenticated = p.Mail.Status == "pass"
		if p.Mail.Domain != "" {
			r.sender.Domain = p.Mail.Domain
		}
	}
	return r, nil
}

// Reader is one report being read. It is not safe for concurrent use.
type Reader struct {
	strict bool
	limits Limits
	xml    *tokenizer
	head   Header
	sender Sender

	dialect  dialect
	subject  string
	warnings []Warning
	seen     [nElements]bool // elements of feedback
	last     element         // of feedback
	pending  bool            // the start tag of a record has been read
	done     bool
	records  int64
	inside   bool // of a record
	err      error
}

// dialect is the format that a report is held against.
type dialect uint8

const (
	rfc9990 dialect = iota
	rfc7489
)

// Header returns what stands outside of the records. It is complete when the
// records have been read; in the order prescribed, all of it comes before them.
func (r *Reader) Header() Header { return r.head }

// Warnings returns what there was to warn of so far, each kind once for an
// element, in the order of their first appearance.
func (r *Reader) Warnings() []Warning { return append([]Warning(nil), r.warnings...) }

// maxWarnings bounds the list: names of unknown elements are a stranger's.
const maxWarnings = 64

// warn notes a departure, or returns an error in strict mode.
func (r *Reader) warn(kind WarningKind, element string) error {
	w := Warning{Kind: kind, Element: element, Count: 1}
	if r.inside {
		w.Record = int(r.records)
	}
	if r.strict {
		return fmt.Errorf("%w: %s", ErrStrict, w)
	}
	for i := range r.warnings {
		if r.warnings[i].Kind == kind && r.warnings[i].Element == element {
			r.warnings[i].Count++
			return nil
		}
	}
	if len(r.warnings) < maxWarnings {
		w.Element = strings.Clone(element)
		r.warnings = append(r.warnings, w)
	}
	return nil
}

// Records returns the records in their order. An error ends the iteration, and
// what was read before it is not to be trusted more than the rest. Records can be
// iterated once; a second iteration goes on where the first one stopped.
func (r *Reader) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for {
			rec, err := r.next()
			if err == io.EOF {
				return
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// next returns the next record, or io.EOF after the last.
func (r *Reader) next() (Record, error) {
	if r.err == nil && !r.pending && !r.done {
		r.err = r.advance()
	}
	if r.err != nil {
		return Record{}, r.err
	}
	if r.done {
		return Record{}, io.EOF
	}
	r.pending = false
	if r.records++; r.records > r.limits.Records {
		r.err = fmt.Errorf("%w: more than %d records", ErrLimit, r.limits.Records)
		return Record{}, r.err
	}
	r.inside = true
	rec, err := r.record()
	r.inside = false
	if err != nil {
		r.err = err
		return Record{}, err
	}
	return rec, nil
}

// begin reads up to the first record.
func (r *Reader) begin() error {
	if err := r.xml.start(); err != nil {
		return err
	}
	for {
		t, err := r.xml.next()
		if err != nil {
			return err
		}
		if t.kind == tokenText {
			continue
		}
		if t.kind != tokenStart || elementOf[t.name] != elFeedback {
			return ErrNoReport
		}
		r.head.Namespace = t.space
		break
	}
	switch r.head.Namespace {
	case Namespace9990:
	case Namespace7489:
		r.dialect = rfc7489
	default:
		r.dialect = rfc7489
		if err := r.warn(UnknownNamespace, ""); err != nil {
			return err
		}
	}
	return r.advance()
}

// advance reads elements of feedback up to the next record or the end.
func (r *Reader) advance() error {
	for {
		el, more, err := r.child("feedback")
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if el != elRecord {
			if r.seen[el] && el != elNone {
				return duplicate("feedback", el)
			}
			if el < r.last || el == elExtension && r.last == elRecord {
				if err := r.warn(MisplacedElement, el.String()); err != nil {
					return err
				}
			}
		}
		if el != elNone {
			r.seen[el], r.last = true, max(r.last, el)
		}
		switch el {
		case elRecord:
			r.pending = true
			return nil
		case elVersion:
			if r.head.Version, err = r.text(el); err == nil && r.head.Version != "1.0" {
				err = r.warn(BadVersion, "version")
			}
		case elMetadata:
			err = r.metadata()
		case elPolicy:
			err = r.policy()
		case elExtension:
			if r.dialect == rfc7489 {
				err = r.warn(RemovedElement, "extension")
			}
			if err == nil {
				err = r.skip()
			}
		default:
			err = r.unknown()
		}
		if err != nil {
			return err
		}
	}
	r.done = true
	return r.finish()
}

// finish checks the document as a whole.
func (r *Reader) finish() error {
	for {
		t, err := r.xml.next()
		if err != nil {
			return err
		}
		if t.kind == tokenEOF {
			break
		}
	}
	if !r.seen[elVersion] && r.dialect == rfc7489 {
		if err := r.warn(BadVersion, "version"); err != nil {
			return err
		}
	}
	for _, el := range []element{elMetadata, elPolicy} {
		if !r.seen[el] {
			if err := r.warn(MissingElement, el.String()); err != nil {
				return err
			}
		}
	}
	if !r.seen[elRecord] {
		return r.warn(NoRecords, "")
	}
	return nil
}

// Sender returns what is known of the mail that carried the report; call it when
// the records have been read.
func (r *Reader) Sender() Sender {
	s := r.sender
	if s.Domain != "" && r.head.Email != "" {
		_, host, _ := cutLast(r.head.Email, "@")
		s.DomainMismatch = !related(strings.TrimRight(host, "> "), s.Domain)
	}
	s.SubjectMismatch = r.subject != "" && !subjectFits(r.subject, &r.head)
	return s
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// related: one is the other, or a subdomain of it.
func related(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return a == b || a != "" && b != "" && (strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a))
}

// subjectFits compares a Subject with the report; what it does not say, or says in
// another form than RFC 9990, section 3.5.2 has it, cannot contradict.
func subjectFits(subject string, h *Header) bool {
	words := strings.Fields(subject)
	for i := 0; i+1 < len(words); i++ {
		value := strings.Trim(words[i+1], "<>")
		switch strings.ToLower(words[i]) {
		case "domain:":
			if h.Policy.Domain != "" && !strings.EqualFold(value, h.Policy.Domain) {
				return false
			}
		case "report-id:":
			if h.ReportID != "" && value != strings.Trim(h.ReportID, "<>") {
				return false
			}
		}
	}
	return true
}
