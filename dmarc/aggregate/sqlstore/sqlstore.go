// Package sqlstore keeps the counts of an aggregate.Collector in a database, by
// database/sql: SQLite 3.24 or PostgreSQL 9.5 and later. Many processes on many
// hosts can share one; their counts add up.
//
// Each message is one transaction: when Add has returned nil, the message is
// counted, as surely as the database keeps what was committed, whatever happens to
// the process. One that is killed within Add has counted its message or has not.
// Only one process at a time should send the reports; if two do, consumers get the
// same report twice, with the same Report-ID.
//
// With SQLite, open the file so that writers wait for each other: a busy timeout,
// and transactions that begin immediate.
//
// # Limits
//
//	rows of a report      Store.MaxRows (100,000)
package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

// Dialect is how a database wants its SQL.
type Dialect uint8

// The dialects.
const (
	SQLite Dialect = iota
	PostgreSQL
)

// Schema returns the statements that make the tables, where they are not there
// yet: the same for both dialects, separated by semicolons.
func Schema() string {
	return `CREATE TABLE IF NOT EXISTS dmarc_report (
	id        VARCHAR(32) PRIMARY KEY,
	begin_at  BIGINT NOT NULL,
	end_at    BIGINT NOT NULL,
	policy    TEXT   NOT NULL,
	rua       TEXT   NOT NULL,
	row_count BIGINT NOT NULL DEFAULT 0,
	omitted   BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS dmarc_row (
	report   VARCHAR(32) NOT NULL REFERENCES dmarc_report (id),
	row_key  VARCHAR(32) NOT NULL,
	record   TEXT   NOT NULL,
	messages BIGINT NOT NULL,
	PRIMARY KEY (report, row_key)
);
`
}

// Store is an aggregate.Store in a database. It is safe for concurrent use when it
// is not modified.
type Store struct {
	DB      *sql.DB // with the tables of Schema
	Dialect Dialect
	// MaxRows bounds the rows of one report; zero means 100,000. What does not fit is
	// counted apart, as aggregate.ErrFull says.
	MaxRows int64
}

// CreateTables makes the tables, if they are not there.
func (s *Store) CreateTables(ctx context.Context) error {
	for stmt := range strings.SplitSeq(Schema(), ";") {
		if strings.TrimSpace(stmt) == "" {
			continue
		}
		if _, err := s.DB.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	return nil
}

// bind writes the placeholders of the dialect.
func (s *Store) bind(query string) string {
	if s.Dialect != PostgreSQL {
		return query
	}
	var b strings.Builder
	n := 0
	for _, c := range query {
		if c != '?' {
			b.WriteRune(c)
			continue
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
	}
	return b.String()
}

// Add implements aggregate.Store.
func (s *Store) Add(ctx context.Context, g aggregate.Group, key string, r aggregate.Record) error {
	policy, err := json.Marshal(g.Policy)
	if err != nil {
		return err
	}
	rua, err := json.Marshal(g.RUA)
	if err != nil {
		return err
	}
	record, err := json.Marshal(r)
	if err != nil {
		return err
	}
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	full, err := s.add(ctx, tx, g, key, r.Count, string(policy), string(rua), string(record))
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if full {
		return aggregate.ErrFull
	}
	return nil
}

func (s *Store) add(ctx context.Context, tx *sql.Tx, g aggregate.Group, key string, count int64, policy, rua, record string) (full bool, err error) {
	exec := func(query string, args ...any) (changed bool) {
		if err != nil {
			return false
		}
		var res sql.Result
		if res, err = tx.ExecContext(ctx, s.bind(query), args...); err != nil {
			return false
		}
		n, e := res.RowsAffected()
		err = e
		return n > 0
	}
	// The condition spares a write, and a lock, for every message but the first.
	exec(`INSERT INTO dmarc_report (id, begin_at, end_at, policy, rua) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET rua = excluded.rua WHERE dmarc_report.rua <> excluded.rua`, g.ID, g.Begin.Unix(), g.End.Unix(), policy, rua)
	if exec(`UPDATE dmarc_row SET messages = messages + ? WHERE report = ? AND row_key = ?`, count, g.ID, key) || err != nil {
		return false, err
	}
	limit := s.MaxRows
	if limit <= 0 {
		limit = 100_000
	}
	if !exec(`UPDATE dmarc_report SET row_count = row_count + 1 WHERE id = ? AND row_count < ?`, g.ID, limit) {
		exec(`UPDATE dmarc_report SET omitted = omitted + ? WHERE id = ?`, count, g.ID)
		return true, err
	}
	// Another process may have been first.
	exec(`INSERT INTO dmarc_row (report, row_key, record, messages) VALUES (?, ?, ?, ?)
		ON CONFLICT (report, row_key) DO UPDATE SET messages = dmarc_row.messages + excluded.messages`, g.ID, key, record, count)
	return false, err
}

// Groups implements aggregate.Store.
func (s *Store) Groups(ctx context.Context, before time.Time) ([]aggregate.Group, error) {
	rows, err := s.DB.QueryContext(ctx, s.bind(`SELECT id, begin_at, end_at, policy, rua, omitted FROM dmarc_report WHERE end_at < ? ORDER BY begin_at, id`), before.Unix())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []aggregate.Group
	for rows.Next() {
		var g aggregate.Group
		var begin, end int64
		var policy, rua string
		if err := rows.Scan(&g.ID, &begin, &end, &policy, &rua, &g.Omitted); err != nil {
			return nil, err
		}
		g.Begin, g.End = time.Unix(begin, 0).UTC(), time.Unix(end, 0).UTC()
		if err := json.Unmarshal([]byte(policy), &g.Policy); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(rua), &g.RUA); err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

// Rows implements aggregate.Store.
func (s *Store) Rows(ctx context.Context, id string) iter.Seq2[aggregate.Record, error] {
	return func(yield func(aggregate.Record, error) bool) {
		rows, err := s.DB.QueryContext(ctx, s.bind(`SELECT record, messages FROM dmarc_row WHERE report = ? ORDER BY row_key`), id)
		if err != nil {
			yield(aggregate.Record{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			var count int64
			var rec aggregate.Record
			if err = rows.Scan(&text, &count); err == nil {
				err = json.Unmarshal([]byte(text), &rec)
			}
			rec.Count = count
			if !yield(rec, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(aggregate.Record{}, err)
		}
	}
}

// Delete implements aggregate.Store.
func (s *Store) Delete(ctx context.Context, id string) error {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, query := range []string{`DELETE FROM dmarc_row WHERE report = ?`, `DELETE FROM dmarc_report WHERE id = ?`} {
		if _, err := tx.ExecContext(ctx, s.bind(query), id); err != nil {
			return err
		}
	}
	return tx.Commit()
}
