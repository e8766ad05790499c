package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dmarc/failure"
)

// reportCommand reads DMARC reports of both kinds: files, folders, mboxes.
func reportCommand(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	fl := flag.NewFlagSet("mailauth report", flag.ContinueOnError)
	fl.SetOutput(stderr)
	asJSON := fl.Bool("json", false, "print the result object of batch, one a line")
	asCSV := fl.Bool("csv", false, "print a table of the records, safe to open in a spreadsheet")
	asHTML := fl.Bool("html", false, "print a page that needs nothing else")
	strict := fl.Bool("strict", false, "refuse reports that do not match the format")
	if err := fl.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	if fl.NArg() == 0 {
		return usageError{errors.New("report wants files, folders or mboxes; - is standard input")}
	}
	formats := 0
	for _, f := range []bool{*asJSON, *asCSV, *asHTML} {
		if f {
			formats++
		}
	}
	if formats > 1 {
		return usageError{errors.New("-json, -csv and -html exclude each other")}
	}
	out := bufio.NewWriter(stdout)
	var sink reportSink
	switch {
	case *asJSON:
		sink = jsonSink{out}
	case *asCSV:
		sink = newCSVSink(out)
	default:
		sink = &summary{out: out, html: *asHTML}
	}
	r := reportReader{strict: *strict, sink: sink, stdin: stdin, stderr: stderr, seen: map[string]bool{}}
	files, err := reportFiles(fl.Args())
	if err != nil {
		return err
	}
	p := newProgress(stderr, len(files))
	for i, f := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.show(i)
		if err := r.file(f); err != nil {
			return err
		}
	}
	p.clear()
	if r.read == 0 {
		return errors.New("no report could be read")
	}
	if err := sink.finish(); err != nil {
		return err
	}
	return out.Flush()
}

// reportSink takes reports one by one.
type reportSink interface {
	aggregate(*aggregate.Report) error
	failure(*failure.Report) error
	finish() error
}

// reportFiles lists the files, those of folders in the order of their names.
func reportFiles(args []string) ([]string, error) {
	var out []string
	for _, a := range args {
		info, err := os.Stat(a)
		switch {
		case a == "-":
			out = append(out, a)
		case err != nil:
			return nil, err
		case !info.IsDir():
			out = append(out, a)
		default:
			err := filepath.WalkDir(a, func(p string, e fs.DirEntry, err error) error {
				if err == nil && e.Type().IsRegular() {
					out = append(out, p)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

type reportReader struct {
	strict        bool
	sink          reportSink
	stdin         io.Reader
	stderr        io.Writer
	seen          map[string]bool
	read, skipped int
}

// maxReportMail bounds one mail of an mbox.
const maxReportMail = 20 << 20

// file reads one file: a report, or an mbox of mails with reports.
func (r *reportReader) file(path string) error {
	in := r.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	b := bufio.NewReaderSize(in, 64<<10)
	head, _ := b.Peek(5)
	if string(head) != "From " {
		data, err := io.ReadAll(io.LimitReader(b, maxReportMail+1))
		if err != nil {
			return err
		}
		return r.one(path, data)
	}
	var mail bytes.Buffer
	n, blank := 0, true
	flush := func() error {
		if mail.Len() == 0 {
			return nil
		}
		n++
		err := r.one(fmt.Sprintf("%s, mail %d", path, n), mail.Bytes())
		mail.Reset()
		return err
	}
	for {
		line, err := b.ReadSlice('\n')
		if blank && bytes.HasPrefix(line, []byte("From ")) {
			if err := flush(); err != nil {
				return err
			}
		}
		blank = len(bytes.TrimRight(line, "\r\n")) == 0
		if mail.Len() <= maxReportMail {
			mail.Write(line)
		}
		if err == io.EOF {
			return flush()
		}
		if err != nil && err != bufio.ErrBufferFull {
			return err
		}
	}
}

// one reads one report. What cannot be read is said, and does not keep the others.
func (r *reportReader) one(name string, data []byte) error {
	a := aggregate.Parser{Strict: r.strict}
	rep, err := a.Read(bytes.NewReader(data))
	if err == nil {
		key := fmt.Sprint(rep.OrgName, "\x00", rep.ReportID, "\x00", rep.Begin.Unix(), "\x00", rep.End.Unix(), "\x00", rep.Policy.Domain)
		if r.seen[key] {
			fmt.Fprintf(r.stderr, "mailauth: %s: a duplicate of an earlier report, not counted\n", aggregate.Plain(name))
			return nil
		}
		r.seen[key] = true
		r.read++
		return r.sink.aggregate(&rep)
	}
	if errors.Is(err, aggregate.ErrNoReport) {
		f := failure.Parser{Strict: r.strict}
		rep, failErr := f.Read(bytes.NewReader(data))
		if failErr == nil {
			r.read++
			return r.sink.failure(&rep)
		}
		if !errors.Is(failErr, failure.ErrNoReport) {
			err = failErr
		}
	}
	r.skipped++
	fmt.Fprintf(r.stderr, "mailauth: %s: %s\n", aggregate.Plain(name), aggregate.Plain(err.Error()))
	return nil
}

type jsonSink struct{ out *bufio.Writer }

func (s jsonSink) put(v any) error {
	data, err := marshal(v)
	if err == nil {
		_, err = s.out.Write(append(data, '\n'))
	}
	return err
}

func (s jsonSink) aggregate(r *aggregate.Report) error { return s.put(r) }
func (s jsonSink) failure(r *failure.Report) error     { return s.put(r) }
func (s jsonSink) finish() error                       { return nil }

type csvSink struct{ w *csv.Writer }

func newCSVSink(out io.Writer) csvSink {
	s := csvSink{csv.NewWriter(out)}
	s.w.Write(strings.Fields("org_name report_id begin end policy_domain p source_ip count disposition dkim spf reasons header_from envelope_from envelope_to auth_dkim auth_spf"))
	return s
}

func (s csvSink) aggregate(r *aggregate.Report) error {
	for i := range r.Records {
		rec := &r.Records[i]
		var reasons, dkim, spf []string
		for _, x := range rec.Reasons {
			reasons = append(reasons, strings.TrimSpace(string(x.Type)+" "+x.Comment))
		}
		for _, d := range rec.AuthDKIM {
			dkim = append(dkim, d.Domain+"/"+d.Selector+"="+string(d.Result))
		}
		for _, x := range rec.AuthSPF {
			spf = append(spf, x.Domain+"="+string(x.Result))
		}
		row := []string{
			r.OrgName, r.ReportID, day(r.Begin), day(r.End), r.Policy.Domain, string(r.Policy.P), rec.SourceIP.String(), strconv.FormatInt(rec.Count, 10),
			string(rec.Disposition), string(rec.DKIM), string(rec.SPF), strings.Join(reasons, "; "), rec.HeaderFrom, rec.EnvelopeFrom, rec.EnvelopeTo,
			strings.Join(dkim, " "), strings.Join(spf, " "),
		}
		for j := range row {
			row[j] = aggregate.CSV(row[j])
		}
		if err := s.w.Write(row); err != nil {
			return err
		}
	}
	return nil
}

func (s csvSink) failure(*failure.Report) error { return nil } // the table is one of aggregate records

func (s csvSink) finish() error {
	s.w.Flush()
	return s.w.Error()
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02T15:04:05Z")
}

// progress is a bar on a terminal, when it takes long.
type progress struct {
	out   io.Writer
	total int
	begin time.Time
	shown bool
}

func newProgress(out io.Writer, total int) *progress {
	p := &progress{total: total, begin: time.Now()}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.out = out
		}
	}
	return p
}

func (p *progress) show(done int) {
	if p.out == nil || time.Since(p.begin) < time.Second || done%max(1, p.total/100) != 0 {
		return
	}
	p.shown = true
	n := 30 * done / max(1, p.total)
	fmt.Fprintf(p.out, "\r[%s%s] %d of %d files", strings.Repeat("#", n), strings.Repeat(".", 30-n), done, p.total)
}

func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\033[K")
	}
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
