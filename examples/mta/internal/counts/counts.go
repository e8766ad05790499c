// Package counts keeps the counts of DMARC aggregate reports in an SQLite file, which
// any number of smtpd, milter and report processes share.
package counts

import (
	"context"
	"database/sql"
	"time"

	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dmarc/aggregate/sqlstore"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"

	_ "modernc.org/sqlite" // the database driver
)

// Counts is the open file.
type Counts struct {
	aggregate.Collector
	db *sql.DB
}

// Open opens the file and makes it where it is not there yet.
//
// A message that was counted stays counted when the process is killed, and the last
// ones may be lost when the power is (synchronous=NORMAL): a report is worth no disk
// flush for each message.
func Open(ctx context.Context, c *config.Config) (*Counts, error) {
	db, err := sql.Open("sqlite", "file:"+c.Reports.Database+
		"?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	// One connection: writers have to wait for each other in any case, and do it more
	// cheaply here than with the file's locks.
	db.SetMaxOpenConns(1)
	store := &sqlstore.Store{DB: db}
	if err := store.CreateTables(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return &Counts{
		Collector: aggregate.Collector{
			Store: store, OrgName: c.Reports.OrgName, Email: c.Reports.Email, ExtraContact: c.Reports.ExtraContact,
			Submitter: c.Reports.Submitter, Generator: "mailauth examples/mta",
		},
		db: db,
	}, nil
}

// addTimeout is how long a message waits for the database at most.
const addTimeout = 30 * time.Second

// Add counts one message. It does not heed that the client has gone: what was decided
// is counted.
func (c *Counts) Add(ctx context.Context, o aggregate.Observation) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), addTimeout)
	defer cancel()
	return c.Collector.Add(ctx, o)
}

// Close closes the file.
func (c *Counts) Close() error { return c.db.Close() }
