package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

// report has the program report write what a milter has counted so far, and reads it.
func (w *world) report(m *milter) ([]aggregate.Record, error) {
	dir, err := os.MkdirTemp(w.dir, "reports-"+m.name+"-")
	if err != nil {
		return nil, err
	}
	if out, err := output(w.bin+"/report", "-config", w.file(m.file()), "-dry", dir, "-unfinished"); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	files, err := filepath.Glob(dir + "/*.eml")
	if err != nil {
		return nil, err
	}
	var rows []aggregate.Record
	for _, name := range files {
		_, more, err := readReport(string(mustRead(name)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// readReport reads the mail of a report.
func readReport(text string) (aggregate.Header, []aggregate.Record, error) {
	var p aggregate.Parser
	r, err := p.Open(strings.NewReader(text))
	if err != nil {
		return aggregate.Header{}, nil, err
	}
	var rows []aggregate.Record
	for rec, err := range r.Records() {
		if err != nil {
			return aggregate.Header{}, nil, err
		}
		rows = append(rows, rec)
	}
	return r.Header(), rows, nil
}

// reportsAddUp compares the reports of all programs with the answers that they gave.
func reportsAddUp(t *test) {
	got := map[[2]string]int64{}
	for name, m := range t.w.milters {
		if name == "mortal" || m.config.uncounted { // killed looks at the one, and the other has none
			continue
		}
		rows, err := t.w.report(m)
		t.must(err)
		for _, r := range rows {
			got[[2]string{name, r.HeaderFrom}] += r.Count
		}
	}
	var total int64
	for k, n := range t.w.ledger {
		total += n
		t.want(got[k] == n, "%s: %d messages of %s in the reports, %d were answered", k[0], got[k], k[1], n)
	}
	for k, n := range got {
		t.want(t.w.ledger[k] > 0, "%s: %d messages of %s in the reports that nobody sent", k[0], n, k[1])
	}
	t.say("%d messages of %d author domains and programs, as counted here by their final answers", total, len(t.w.ledger))
}

// reportMailed sends the reports of a milter through its Postfix. The partner is the
// only one that can be reached; the other readers are refused, and their reports given up.
func reportMailed(t *test) {
	mailed := func() []delivered {
		var found []delivered
		for _, d := range t.w.postfix["partner"].maildir() {
			if strings.Contains(d.header(), "\nSubject: Report Domain: partner.test ") {
				found = append(found, d)
			}
		}
		return found
	}
	m := t.w.milters["enforce"]
	for range 2 { // the second time there is nothing left to send
		out, err := output(t.w.bin+"/report", "-config", t.w.file(m.file()), "-unfinished")
		t.must(err)
		for line := range strings.Lines(out) {
			t.say("%s", strings.TrimSpace(line))
		}
	}
	d := t.wait("the report at the partner", mailed)
	t.show("delivered at the partner", d)
	t.labelled(d, partner, "spf=pass", "dkim=pass pass", "dmarc=pass")
	h, rows, err := readReport(d.data)
	t.must(err)
	var n int64
	for _, r := range rows {
		n += r.Count
	}
	t.want(h.Policy.Domain == "partner.test" && n == t.w.ledger[[2]string{"enforce", "partner.test"}], "it counts %d messages of %s", n, h.Policy.Domain)
	time.Sleep(500 * time.Millisecond)
	t.want(len(mailed()) == 1, "it was sent %d times", len(mailed()))
}
