// Package sqltest tests sqlstore with a database, which the library itself must
// not depend on.
package sqltest

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dmarc/aggregate/sqlstore"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	_ "modernc.org/sqlite"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, path string) (*aggregate.Collector, *sqlstore.Store) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_txlock=immediate")
	must(t, err)
	t.Cleanup(func() { db.Close() })
	s := &sqlstore.Store{DB: db}
	must(t, s.CreateTables(context.Background()))
	return &aggregate.Collector{Store: s, OrgName: "Receiver", Email: "dmarc@receiver.example", Submitter: "receiver.example"}, s
}

func observation(t testing.TB, ip byte) aggregate.Observation {
	author, err := dmarc.AuthorOf("example.com")
	must(t, err)
	v := dmarc.Verifier{Resolver: dnstest.MustParse(`{"_dmarc.example.com": {"TXT": [["v=DMARC1; p=reject; rua=mailto:rua@example.com"]]}}`)}
	r := v.Verify(context.Background(), author, dmarc.SPFIdentifier(authres.Fail, "example.com"))
	return aggregate.Observation{Time: noon, SourceIP: netip.AddrFrom4([4]byte{192, 0, 2, ip}), DMARC: r, EnvelopeFrom: "example.com",
		SPF: aggregate.SPFResult{Domain: "example.com", Result: authres.Fail}, Disposition: aggregate.DispositionReject}
}

func due(t testing.TB, c *aggregate.Collector) (*aggregate.Pending, *aggregate.Report) {
	t.Helper()
	list, err := c.Reports(context.Background(), noon.Add(24*time.Hour))
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("%d reports are due, want 1", len(list))
	}
	r, err := list[0].Report(context.Background())
	must(t, err)
	return list[0], r
}

// TestSharedDatabase: what two collectors count in one database is what one counts in memory.
func TestSharedDatabase(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "db")
	one, _ := open(t, path)
	two, _ := open(t, path)
	reference := &aggregate.Collector{Store: aggregate.NewMemory(0), OrgName: one.OrgName, Email: one.Email, Submitter: one.Submitter}
	var wg sync.WaitGroup
	for i := range 40 {
		o := observation(t, byte(i%4))
		must(t, reference.Add(ctx, o))
		wg.Go(func() {
			c := one
			if i%2 == 0 {
				c = two
			}
			if err := c.Add(ctx, o); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	pending, got := due(t, one)
	_, want := due(t, reference)
	if fmt.Sprintf("%+v", got.Header) != fmt.Sprintf("%+v", want.Header) {
		t.Errorf("got %+v, want %+v", got.Header, want.Header)
	}
	rows := map[string]bool{}
	for _, r := range want.Records {
		rows[fmt.Sprintf("%+v", r)] = true
	}
	for _, r := range got.Records {
		if !rows[fmt.Sprintf("%+v", r)] {
			t.Errorf("unexpected row %+v", r)
		}
	}
	if len(got.Records) != 4 || got.Messages() != 40 {
		t.Errorf("%d rows, %d messages", len(got.Records), got.Messages())
	}
	must(t, pending.Delete(ctx))
	if list, err := two.Reports(ctx, noon.Add(24*time.Hour)); err != nil || len(list) != 0 {
		t.Errorf("still due: %v %v", list, err)
	}
}

// TestFull: beyond MaxRows messages are counted apart.
func TestFull(t *testing.T) {
	ctx := context.Background()
	c, s := open(t, filepath.Join(t.TempDir(), "db"))
	s.MaxRows = 2
	for i := range 4 {
		if err := c.Add(ctx, observation(t, byte(i))); (err == aggregate.ErrFull) != (i >= 2) {
			t.Fatal(i, err)
		}
	}
	must(t, c.Add(ctx, observation(t, 0)))
	_, r := due(t, c)
	if r.Messages() != 3 || len(r.Errors) != 1 {
		t.Errorf("%d messages, errors %q", r.Messages(), r.Errors)
	}
}

// TestKill: a process that is killed loses no message that Add has accepted.
func TestKill(t *testing.T) {
	if path := os.Getenv("SQLTEST_CHILD"); path != "" {
		c, _ := open(t, path)
		for o := observation(t, 1); ; {
			must(t, c.Add(context.Background(), o))
			fmt.Println("counted")
		}
	}
	path := filepath.Join(t.TempDir(), "db")
	counted := int64(0)
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "SQLTEST_CHILD="+path)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); {
			if lines.Text() != "counted" {
				continue
			}
			if n++; n == 50 {
				must(t, cmd.Process.Kill())
			}
			counted++
		}
		cmd.Wait()
	}
	c, _ := open(t, path)
	_, r := due(t, c)
	// Each process may have been killed between the commit and the word about it.
	if n := r.Messages(); counted < 150 || n < counted || n > counted+3 {
		t.Errorf("%d messages are counted, %d were accepted", n, counted)
	}
}
