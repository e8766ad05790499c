package aggregate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"time"

	"github.com/seed2385d973/mailauth/dmarc"
)

// Collector counts messages and makes reports of them, one for each DMARC Policy
// Domain, policy configuration and period (RFC 9990, section 3.1). Its methods are
// safe for concurrent use when it is not modified.
type Collector struct {
	// Store keeps the counts. It must be set; NewMemory makes one in memory, which a
	// killed process takes with it. A Store in a database can be shared by many
	// processes, which then report once together.
	Store Store

	// OrgName, Email, ExtraContact and Generator are for the reports' metadata, the first two required.
	OrgName, Email, ExtraContact, Generator string
	// Submitter is the domain name of the Mail Receiver; it goes into the Report-ID.
	Submitter string
	// Period of a report; zero means a day, as it is the custom. Periods begin at
	// multiples of it since the epoch: a day at 00:00 UTC.
	Period time.Duration
}

// Store keeps counts of rows by group. Its methods must be safe for concurrent use.
type Store interface {
	// Add adds count to the row with that key in that group, creating both if need
	// be; when it has returned nil, the count is as safe as the Store can make it. The RUA of
	// the group last added to is the one that is kept. ErrFull if there is no room for
	// another row.
	Add(ctx context.Context, g Group, key string, r Record) error
	// Groups lists the groups that end before t, in any order.
	Groups(ctx context.Context, before time.Time) ([]Group, error)
	// Rows yields the rows of a group in an order that does not change.
	Rows(ctx context.Context, id string) iter.Seq2[Record, error]
	// Delete forgets a group and its rows; one that does not exist is no error.
	Delete(ctx context.Context, id string) error
}

// Group is what becomes one report.
type Group struct {
	ID         string // from all that follows but RUA and Omitted: 32 hexadecimal digits
	Begin, End time.Time
	Policy     Policy
	// RUA is where the report is wanted, as URIs: the latest that was seen.
	RUA []string
	// Omitted is how many messages are in no row as there was no room.
	Omitted int64
}

// ErrFull: a Store has no room for another row, and the message was not counted in one.
const ErrFull Error = "no room for another row"

func (c *Collector) period() time.Duration {
	if c.Period < time.Second {
		return 24 * time.Hour
	}
	return c.Period.Truncate(time.Second)
}

// Add counts one message; those whose domain owner wants no report are ignored.
// Do not add messages that were deferred: they come again. The error is the
// Store's; the message is then not counted.
func (c *Collector) Add(ctx context.Context, o Observation) error {
	if !o.wanted() {
		return nil
	}
	begin := time.Unix(0, 0).Add(o.Time.Sub(time.Unix(0, 0)).Truncate(c.period())).UTC()
	g := Group{Begin: begin, End: begin.Add(c.period() - time.Second), Policy: o.policy()}
	for _, u := range o.DMARC.Record.RUA {
		g.RUA = append(g.RUA, u.Text)
	}
	g.ID = NewReportID(c.Submitter, &Header{Begin: g.Begin, End: g.End, Policy: g.Policy})
	rec := o.record()
	key, err := rowKey(&rec)
	if err != nil {
		return err
	}
	return c.Store.Add(ctx, g, key, rec)
}

// rowKey is the same for records that differ in Count alone.
func rowKey(r *Record) (string, error) {
	same := *r
	same.Count = 0
	text, err := same.MarshalJSON()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

// Pending is a report that is due.
type Pending struct {
	Header Header
	RUA    []dmarc.URI // where it is wanted: see Checker
	store  Store
	id     string
}

// Reports lists the reports of the periods that ended before now. Each is due
// until it is deleted: a process that is killed between sending a report and
// deleting it sends it again, with the same Report-ID, which tells the consumer.
func (c *Collector) Reports(ctx context.Context, now time.Time) ([]*Pending, error) {
	groups, err := c.Store.Groups(ctx, now)
	if err != nil {
		return nil, err
	}
	var out []*Pending
	for _, g := range groups {
		p := &Pending{store: c.Store, id: g.ID, Header: Header{
			Namespace: Namespace9990, Version: "1.0", OrgName: c.OrgName, Email: c.Email, ExtraContact: c.ExtraContact, Generator: c.Generator,
			ReportID: g.ID, Begin: g.Begin, End: g.End, Policy: g.Policy,
		}}
		if g.Omitted > 0 {
			p.Header.Errors = []string{fmt.Sprintf("%d further messages are in no record: there were too many different ones.", g.Omitted)}
		}
		for _, text := range g.RUA {
			if u, err := dmarc.ParseURI(text); err == nil {
				p.RUA = append(p.RUA, u)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// Records yields the records, for Write or Mail.Records.
func (p *Pending) Records(ctx context.Context) iter.Seq2[Record, error] {
	return p.store.Rows(ctx, p.id)
}

// Report returns the report with its records in memory.
func (p *Pending) Report(ctx context.Context) (*Report, error) {
	r := &Report{Header: p.Header}
	for rec, err := range p.Records(ctx) {
		if err != nil {
			return nil, err
		}
		r.Records = append(r.Records, rec)
	}
	return r, nil
}

// Delete forgets the report: it has been sent, or nobody may have it.
func (p *Pending) Delete(ctx context.Context) error { return p.store.Delete(ctx, p.id) }
