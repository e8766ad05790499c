package reporter

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/examples/mta/internal/counts"
	"github.com/seed2385d973/mailauth/examples/mta/internal/keys"
	"github.com/stretchr/testify/require"
)

// relay is an SMTP server that keeps what it is given.
type relay struct {
	mu    sync.Mutex
	mails []received
	err   error
}

type received struct {
	from, to string
	data     []byte
}

type relaySession struct {
	r *relay
	received
}

func (r *relay) NewSession(*smtp.Conn) (smtp.Session, error) { return &relaySession{r: r}, nil }
func (s *relaySession) Reset()                               { s.received = received{} }
func (s *relaySession) Logout() error                        { return nil }
func (s *relaySession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}
func (s *relaySession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return s.r.err }
func (s *relaySession) Data(r io.Reader) (err error) {
	if s.data, err = io.ReadAll(r); err == nil {
		s.r.mu.Lock()
		defer s.r.mu.Unlock()
		s.r.mails = append(s.r.mails, s.received)
	}
	return err
}

const zone = `
a.example. TXT "v=spf1 -all"
_dmarc.a.example. TXT "v=DMARC1; p=reject"
_dmarc.ours.example. TXT "v=DMARC1; p=reject"
a.example._report._dmarc.agrees.example. TXT "v=DMARC1"
`

func observation(t *testing.T, at time.Time, rua string) aggregate.Observation {
	rec, err := dmarc.ParseRecord("v=DMARC1; p=reject; rua=" + rua)
	require.NoError(t, err)
	return aggregate.Observation{
		Time: at, SourceIP: netip.MustParseAddr("192.0.2.1"), Disposition: aggregate.DispositionReject,
		DMARC: dmarc.Result{
			Status: authres.Fail, Domain: "a.example", PolicyDomain: "a.example", Method: dmarc.TreeWalk, Record: rec,
			Published: dmarc.PolicyReject, Policy: dmarc.PolicyReject,
		},
		SPF: aggregate.SPFResult{Domain: "a.example", Result: authres.Fail},
	}
}

// newReporter has messages of two days, and a relay.
func newReporter(t *testing.T, rua string) (*Reporter, *relay) {
	dir := t.TempDir()
	key, err := dkim.GenerateKey(dkim.Ed25519)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "k.pem"), key.PEM(), 0o600))
	rec, err := dkim.NewRecord(key.Public())
	require.NoError(t, err)
	line, err := rec.ZoneLine("k", "ours.example")
	require.NoError(t, err)

	b := &relay{}
	s := smtp.NewServer(b)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })

	c, err := config.Parse(`hostname = "mx.ours.example"
[[signing.key]]
domain = "ours.example"
selector = "k"
file = "k.pem"
[reports]
database = "reports.sqlite"
org_name = "Ours"
email = "dmarc@ours.example"
relay = "`+l.Addr().String()+`"
`, dir)
	require.NoError(t, err)
	require.NoError(t, Check(c, false))
	db, err := counts.Open(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	day := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for range 3 {
		require.NoError(t, db.Add(t.Context(), observation(t, day, rua)))
	}
	require.NoError(t, db.Add(t.Context(), observation(t, day.Add(24*time.Hour), rua)))
	ring, err := keys.Load(c)
	require.NoError(t, err)
	return &Reporter{
		Config: c, Counts: db, Keys: ring, Resolver: dnstest.MustParse(zone + line + "\n"),
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: day.Add(36 * time.Hour),
	}, b
}

func (r *Reporter) run(t *testing.T) Summary {
	sum, err := r.Run(context.Background())
	require.NoError(t, err)
	return sum
}

// The report of the day that is over goes out once, signed, with the null
// reverse-path, to whoever may have it and to nobody else.
func TestRun(t *testing.T) {
	r, relay := newReporter(t, "mailto:rua@a.example,mailto:x@agrees.example,mailto:y@silent.example,mailto:dmarc@ours.example")
	require.Equal(t, Summary{Sent: 2}, r.run(t))
	require.Equal(t, Summary{}, r.run(t), "once")
	require.Len(t, relay.mails, 2)
	for i, to := range []string{"rua@a.example", "x@agrees.example"} {
		m := relay.mails[i]
		require.Equal(t, "", m.from)
		require.Equal(t, to, m.to)
		e := mailauth.Evaluator{Resolver: r.Resolver}
		res, err := e.Evaluate(t.Context(), &mailauth.Message{Data: bytes.NewReader(m.data)})
		require.NoError(t, err)
		require.Equal(t, authres.Pass, res.DMARC.Status)
		p := aggregate.Parser{Strict: true}
		rep, err := p.Read(bytes.NewReader(m.data))
		require.NoError(t, err)
		require.Equal(t, "a.example", rep.Policy.Domain)
		require.Len(t, rep.Records, 1)
		require.EqualValues(t, 3, rep.Records[0].Count)
		require.Equal(t, aggregate.DispositionReject, rep.Records[0].Disposition)
		require.Contains(t, string(m.data), "mx.ours.example!a.example!1795132800!1795219199!")
	}
	r.Now = r.Now.Add(24 * time.Hour)
	require.Equal(t, Summary{Sent: 2}, r.run(t), "the next day")
}

func TestDay(t *testing.T) {
	r, relay := newReporter(t, "mailto:rua@a.example")
	r.Day = "2026-11-21"
	require.Equal(t, Summary{}, r.run(t), "it is not over")
	r.Unfinished = true
	require.Equal(t, Summary{Sent: 1}, r.run(t))
	require.Len(t, relay.mails, 1)
	r.Day, r.Unfinished = "", false
	require.Equal(t, Summary{Sent: 1}, r.run(t), "the other one")
}

func TestDry(t *testing.T) {
	r, relay := newReporter(t, "mailto:rua@a.example")
	r.Dry = t.TempDir()
	for range 2 {
		require.Equal(t, Summary{Sent: 1, Kept: 1}, r.run(t))
	}
	files, err := filepath.Glob(filepath.Join(r.Dry, "*-rua@a.example.eml"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.Empty(t, relay.mails)
	r.Dry = filepath.Join(r.Dry, "missing")
	_, err = r.Run(t.Context())
	require.ErrorIs(t, err, os.ErrNotExist)
}

// What cannot be sent now is kept, for a week; what is refused is not.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want Summary
		late Summary
	}{
		{"try again", &smtp.SMTPError{Code: 451, Message: "later"}, Summary{Kept: 1}, Summary{Dropped: 2}},
		{"refused", &smtp.SMTPError{Code: 550, Message: "no"}, Summary{Dropped: 1}, Summary{Dropped: 1}},
		{"broken", errors.New("broken"), Summary{Kept: 1}, Summary{Dropped: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, relay := newReporter(t, "mailto:rua@a.example")
			relay.err = c.err
			require.Equal(t, c.want, r.run(t))
			r.Now = r.Now.Add(10 * 24 * time.Hour)
			require.Equal(t, c.late, r.run(t))
		})
	}
}
