// Package reporter sends the DMARC aggregate reports that have been collected.
package reporter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/examples/mta/internal/counts"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
	"github.com/seed2385d973/mailauth/examples/mta/internal/keys"
)

// Reporter sends reports.
type Reporter struct {
	Config   *config.Config
	Counts   *counts.Counts
	Keys     *keys.Ring
	Resolver dnsutil.Resolver
	Log      *slog.Logger
	Now      time.Time

	Day        string // YYYY-MM-DD in UTC: only reports that begin then; empty is all
	Dry        string // a directory to write to in place of sending
	Unfinished bool   // also days that are not over
}

// Summary says what became of the reports.
type Summary struct {
	Sent    int // mails
	Kept    int // reports that are due still: what could not be sent may be later
	Dropped int // reports that nobody may have, or that are too old
}

// Check reports what is missing in the configuration.
func Check(c *config.Config, dry bool) error {
	for _, x := range []struct{ name, value string }{
		{"database", c.Reports.Database}, {"org_name", c.Reports.OrgName}, {"email", c.Reports.Email}, {"relay", c.Reports.Relay},
	} {
		if x.value == "" && (x.name != "relay" || !dry) {
			return fmt.Errorf("reports.%s is missing", x.name)
		}
	}
	return nil
}

// Run sends all reports that are due. A report that cannot be sent does not keep the
// others; the error is one of the database, or of the directory.
func (r *Reporter) Run(ctx context.Context) (Summary, error) {
	var sum Summary
	before := r.Now
	if r.Unfinished {
		before = before.Add(48 * time.Hour)
	}
	due, err := r.Counts.Reports(ctx, before)
	if err != nil {
		return sum, err
	}
	for _, p := range due {
		if r.Day != "" && p.Header.Begin.UTC().Format(time.DateOnly) != r.Day {
			continue
		}
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		if err := r.report(ctx, p, &sum); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// report sends one report to all who may have it, and forgets it.
func (r *Reporter) report(ctx context.Context, p *aggregate.Pending, sum *Summary) error {
	log := r.Log.With("domain", p.Header.Policy.Domain, "report_id", p.Header.ReportID)
	checker := aggregate.Checker{Resolver: r.Resolver, Own: []string{r.Config.Reports.Email}}
	later, sent := false, sum.Sent
	for _, d := range checker.Check(ctx, p.Header.Policy.Domain, aggregate.RUA, p.RUA) {
		switch d.Status {
		case authres.Pass:
		case authres.TempError:
			log.Warn("not sent yet", "to", d.URI.Text, "error", d.Err)
			later = true
			continue
		default:
			log.Warn("not sent", "to", d.URI.Text, "error", d.Err)
			continue
		}
		for _, to := range d.To {
			mail, err := r.mail(ctx, p, to)
			if err == nil {
				err = r.send(ctx, p, to, mail)
			}
			var refused *smtp.SMTPError
			switch {
			case err == nil:
				sum.Sent++
				log.Info("sent", "to", to, "octets", len(mail))
			case r.Dry != "":
				return err
			case errors.As(err, &refused) && refused.Code >= 500:
				log.Warn("refused", "to", to, "error", err)
			default:
				log.Warn("not sent yet", "to", to, "error", err)
				later = true
			}
		}
	}
	switch keep := time.Duration(r.Config.Reports.Keep) * 24 * time.Hour; {
	case r.Dry != "":
		sum.Kept++
		return nil
	case later && r.Now.Sub(p.Header.End) < keep:
		sum.Kept++
		return nil
	case later, sum.Sent == sent:
		log.Warn("given up")
		sum.Dropped++
	}
	return p.Delete(ctx)
}

// mail makes the message, with our signatures on top: report mail has to pass DMARC
// (RFC 9990, section 3.5.2).
func (r *Reporter) mail(ctx context.Context, p *aggregate.Pending, to string) ([]byte, error) {
	var text bytes.Buffer
	m := aggregate.Mail{
		Report: &aggregate.Report{Header: p.Header}, Records: p.Records(ctx),
		Submitter: r.Config.Reports.Submitter, From: r.Config.Reports.Email, To: to, Date: r.Now,
	}
	if _, err := m.WriteTo(&text); err != nil {
		return nil, err
	}
	signers := r.Keys.For(gate.Domain(r.Config.Reports.Email))
	if len(signers) == 0 {
		return text.Bytes(), nil
	}
	fields, err := dkim.Sign(bytes.NewReader(text.Bytes()), signers...)
	if err != nil {
		return nil, err
	}
	return append([]byte(fields), text.Bytes()...), nil
}

// sendTimeout bounds what the relay may take for one command.
const sendTimeout = time.Minute

// send hands a message to the relay, with the null reverse-path: nobody is to be told
// that a report did not arrive.
func (r *Reporter) send(_ context.Context, p *aggregate.Pending, to string, mail []byte) error {
	if r.Dry != "" {
		name := p.Header.ReportID + "-" + strings.Map(plain, to) + ".eml"
		return os.WriteFile(filepath.Join(r.Dry, name), mail, 0o600)
	}
	c, err := smtp.Dial(r.Config.Reports.Relay)
	if err != nil {
		return err
	}
	defer c.Close()
	c.CommandTimeout, c.SubmissionTimeout = sendTimeout, sendTimeout
	if err := c.Hello(r.Config.Hostname); err != nil {
		return err
	}
	if err := c.SendMail("", []string{to}, bytes.NewReader(mail)); err != nil {
		return err
	}
	return c.Quit()
}

// plain leaves of an address what can stand in a file name.
func plain(c rune) rune {
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '@' {
		return c
	}
	return '_'
}
