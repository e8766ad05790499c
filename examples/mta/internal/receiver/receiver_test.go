package receiver

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
	"github.com/stretchr/testify/require"
)

type counted struct {
	mu  sync.Mutex
	all []aggregate.Observation
}

func (c *counted) Add(_ context.Context, o aggregate.Observation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, o)
	return nil
}

type world struct {
	*Server
	dir, address string
	counted      counted
	ended        chan error
	key          *dkim.Key
	zone         dnsutil.Resolver
}

func newWorld(t testing.TB, settings string) *world {
	t.Helper()
	key, err := dkim.GenerateKey(dkim.Ed25519)
	require.NoError(t, err)
	rec, err := dkim.NewRecord(key.Public())
	require.NoError(t, err)
	line, err := rec.ZoneLine("s", "good.example")
	require.NoError(t, err)
	zone, err := dnstest.Parse(`
good.example. TXT "v=spf1 ip4:127.0.0.1 -all"
bad.example. TXT "v=spf1 -all"
_dmarc.good.example. TXT "v=DMARC1; p=reject; rua=mailto:r@good.example"
_dmarc.bad.example. TXT "v=DMARC1; p=reject; rua=mailto:r@bad.example"
` + line)
	require.NoError(t, err)
	w := &world{dir: t.TempDir(), ended: make(chan error, 1), key: key}
	w.zone = zone.WithFault("_dmarc.mute.example", dnsutil.TypeTXT, dnsutil.ErrTimeout)
	top, rest, _ := strings.Cut(settings, "[smtpd]\n")
	c, err := config.Parse("hostname = \"mx.ours.example\"\n"+top+"\n[smtpd]\nrecipients = [\"ours.example\"]\nmaildir = \"mail\"\nspool = \"spool\"\n"+rest, w.dir)
	require.NoError(t, err)
	g, err := gate.New(c, w.zone)
	require.NoError(t, err)
	w.Server, err = New(gate.Fixed(g), slog.New(slog.NewTextHandler(io.Discard, nil)))
	require.NoError(t, err)
	w.Counts = &w.counted
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w.address = l.Addr().String()
	go func() { w.ended <- w.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		w.Shutdown(ctx)
		<-w.ended
		require.Eventually(t, func() bool { return len(w.files(t, "spool/*")) == 0 }, 10*time.Second, time.Millisecond)
		require.Empty(t, w.files(t, "mail/*/*/tmp/*"))
	})
	return w
}

func (w *world) files(t testing.TB, pattern string) []string {
	files, err := filepath.Glob(filepath.Join(w.dir, pattern))
	require.NoError(t, err)
	return files
}

// inbox returns the messages of a folder.
func (w *world) inbox(t testing.TB, folder string) (out []string) {
	for _, f := range w.files(t, "mail/ours.example/"+folder+"/new/*") {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		out = append(out, string(text))
	}
	return out
}

// client is an SMTP client that says what it is told.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func (w *world) connect(t testing.TB) *client {
	c, err := net.Dial("tcp", w.address)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	cl := &client{t, c, bufio.NewReader(c)}
	require.True(t, strings.HasPrefix(cl.read(), "220 "))
	return cl
}

// read returns the last line of a reply.
func (c *client) read() string {
	for {
		line, err := c.r.ReadString('\n')
		require.NoError(c.t, err)
		if len(line) > 3 && line[3] == ' ' {
			return strings.TrimRight(line, "\r\n")
		}
	}
}

func (c *client) say(line string) string {
	_, err := io.WriteString(c.conn, line+"\r\n")
	require.NoError(c.t, err)
	return c.read()
}

// send sends a message over a new connection and returns the last reply.
func (w *world) send(t testing.TB, from, to, text string) string {
	t.Helper()
	c := w.connect(t)
	defer c.conn.Close()
	reply := ""
	for _, line := range append([]string{"EHLO client.example", "MAIL FROM:" + from}, strings.Fields(to)...) {
		if strings.HasPrefix(line, "<") {
			line = "RCPT TO:" + line
		}
		if reply = c.say(line); reply[0] != '2' {
			return reply
		}
	}
	if reply = c.say("DATA"); reply[0] != '3' {
		return reply
	}
	return c.say(strings.TrimSuffix(strings.ReplaceAll("\r\n"+text, "\r\n.", "\r\n..")[2:], "\r\n") + "\r\n.")
}

func (w *world) signed(t testing.TB, text string) string {
	f, err := dkim.Sign(strings.NewReader(text), dkim.Signer{Domain: "good.example", Selector: "s", Key: w.key, Canonicalization: "simple/simple"})
	require.NoError(t, err)
	return f + text
}

// A good message arrives octet for octet, with our fields on top and the forged ones gone.
func TestDelivery(t *testing.T) {
	w := newWorld(t, "mode = \"enforce\"\n")
	text := w.signed(t, "From:  a@good.example\r\nSubject:\tx\r\n y \r\nX-8bit: \xe9\r\n\r\n.\r\n..a\r\n\xe4 line\r\n\r\n")
	const forged, other = "Authentication-Results: mx.ours.example; dmarc=pass\r\n", "Authentication-Results: other.example; dmarc=pass\r\n"
	require.Equal(t, "250 2.0.0 OK: queued", w.send(t, "<a@good.example> BODY=8BITMIME", "<B@ours.example> <c+x@ours.example> <b@ours.example>", forged+other+forged+text))
	require.Len(t, w.inbox(t, "c+x"), 1)
	got := w.inbox(t, "b")
	require.Len(t, got, 1, "the same recipient twice")
	rest, ok := strings.CutPrefix(got[0], "Return-Path: <a@good.example>\r\nAuthentication-Results: mx.ours.example;")
	require.True(t, ok, got[0])
	results, rest, _ := strings.Cut(rest, "\r\nReceived: from client.example ([127.0.0.1])\r\n\tby mx.ours.example with ESMTP id ")
	for _, want := range []string{"spf=pass", "dkim=pass", "dmarc=pass"} {
		require.Contains(t, results, want)
	}
	require.True(t, strings.HasSuffix(rest, "\r\n"+other+text), rest)
	require.Len(t, w.counted.all, 1, "once a message, not once a recipient")
	require.Equal(t, aggregate.DispositionNone, w.counted.all[0].Disposition)
}

func TestHandling(t *testing.T) {
	const forged = "From: ceo@bad.example\r\n\r\nx\r\n"
	const enforce = "mode = \"enforce\"\n[handling]\nhonor_reject = true\n"
	for _, c := range []struct {
		name, settings, from, to, text string
		reply                          string
		folder                         string
		counted                        int
	}{
		{"observed", "", "<m@good.example>", "<b@ours.example>", forged, "250 2.0.0", "b", 1},
		{"rejected", enforce, "<m@good.example>", "<b@ours.example>", forged, "550 5.7.26 Email rejected per DMARC policy for bad.example", "", 1},
		{"quarantined", "mode = \"enforce\"\n", "<m@good.example>", "<b@ours.example>", forged, "250 2.0.0", "b/.Quarantine", 1},
		{"deferred", enforce, "<m@good.example>", "<b@ours.example>", "From: a@mute.example\r\n\r\nx\r\n", "451 4.4.3 ", "", 0},
		{"two authors", enforce, "<m@good.example>", "<b@ours.example>", "From: a@good.example\r\n" + forged, "550 5.7.1 ", "", 1},
		{"null sender", enforce, "<>", "<b@ours.example>", "From: MAILER-DAEMON@elsewhere.example\r\n\r\nx\r\n", "250 2.0.0", "b", 1},
		{"internationalized", enforce, "<jörg@good.example> SMTPUTF8", "<günther@ours.example>", "From: jörg@good.example\r\n\r\nx\r\n", "250 2.0.0", "günther", 1},
		{"relay", enforce, "<m@good.example>", "<b@elsewhere.example>", forged, "550 5.7.1 Relaying denied", "", 0},
		{"path", enforce, "<m@good.example>", "<../../b@ours.example>", forged, "550 5.1.1 ", "", 0},
		{"no mailbox", "[smtpd]\nmailboxes = \"existing\"\n", "<m@good.example>", "<b@ours.example>", forged, "550 5.1.1 ", "", 0},
		{"early SPF", "mode = \"enforce\"\n[smtpd]\nreject_spf = true\n", "<m@bad.example>", "<b@ours.example>", forged, "550 5.7.23 SPF validation failed for bad.example", "", 0},
		{"early SPF observed", "[smtpd]\nreject_spf = true\n", "<m@bad.example>", "<b@ours.example>", forged, "250 2.0.0", "b", 1},
		{"header over the limit", "", "<m@good.example>", "<b@ours.example>", strings.Repeat("X: y\r\n", 3000) + forged, "552 5.3.4 Message header", "", 0},
		{"message over the limit", "[smtpd]\nmessage_size = 1000\n", "<m@good.example>", "<b@ours.example>", forged + strings.Repeat("0123456789\r\n", 100), "552 5.3.4 Max", "", 0},
		{"too many recipients", "[smtpd]\nmax_recipients = 2\n", "<m@good.example>", "<a@ours.example> <b@ours.example> <c@ours.example>", forged, "452 4.5.3", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.settings)
			reply := w.send(t, c.from, c.to, c.text)
			require.True(t, strings.HasPrefix(reply, c.reply), reply)
			require.Len(t, w.counted.all, c.counted)
			all := append(w.files(t, "mail/*/*/new/*"), w.files(t, "mail/*/*/.Quarantine/new/*")...)
			if c.folder == "" {
				require.Empty(t, all)
				return
			}
			require.Len(t, all, 1)
			require.Len(t, w.inbox(t, c.folder), 1)
		})
	}
}

// One connection carries many messages; RSET and refused ones leave nothing behind.
func TestManyMessages(t *testing.T) {
	w := newWorld(t, "mode = \"enforce\"\n[handling]\nhonor_reject = true\n")
	c := w.connect(t)
	require.Contains(t, c.say("EHLO x"), "250")
	for i := range 10 {
		require.Contains(t, c.say("MAIL FROM:<a@bad.example>"), "250")
		if i%2 == 0 {
			require.Contains(t, c.say("RCPT TO:<x@ours.example>"), "250")
		}
		require.Contains(t, c.say("RSET"), "250")
		from, want := "good.example", "250 2.0.0"
		if i%3 == 0 {
			from, want = "bad.example", "550 5.7.26"
		}
		require.Contains(t, c.say("MAIL FROM:<a@good.example>"), "250")
		require.Contains(t, c.say("RCPT TO:<b@ours.example>"), "250")
		require.Contains(t, c.say("DATA"), "354")
		require.Contains(t, c.say("From: a@"+from+"\r\n\r\nx\r\n."), want)
	}
	require.Len(t, w.inbox(t, "b"), 6)
	require.Empty(t, w.inbox(t, "x"))
	require.Len(t, w.counted.all, 10)
}

// Clients that hang up in the middle of anything leave no file and no goroutine.
func TestHangUp(t *testing.T) {
	w := newWorld(t, "")
	w.send(t, "<a@good.example>", "<b@ours.example>", "From: a@good.example\r\n\r\nx\r\n")
	settle := func(limit int) int {
		n := 0
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if n = runtime.NumGoroutine(); n <= limit && len(w.slots) == 1 {
				break
			}
		}
		return n
	}
	c := w.connect(t)
	c.conn.Close()
	before := settle(1 << 20)
	lines := []string{"EHLO x", "MAIL FROM:<a@good.example>", "RCPT TO:<b@ours.example>", "DATA"}
	for n := range len(lines) + 1 {
		for _, end := range []string{"", "x", "From: a@good.example\r\n", "From: a@good.example\r\n\r\nbody\r\n", "BDAT 10\r\nx", "BDAT 3\r\nx\r\n", "STARTTLS\r\n", strings.Repeat("y", 200_000)} {
			c := w.connect(t)
			for _, l := range lines[:n] {
				c.say(l)
			}
			io.WriteString(c.conn, end)
			c.conn.Close()
		}
	}
	require.LessOrEqual(t, settle(before), before)
	require.Len(t, w.inbox(t, "b"), 1)
	require.Empty(t, w.files(t, "spool/*"))
}

// A message of 20 MB is never in memory.
func TestMemory(t *testing.T) {
	w := newWorld(t, "")
	measure := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	c := w.connect(t)
	c.say("EHLO x")
	before := measure()
	c.say("MAIL FROM:<a@good.example>")
	c.say("RCPT TO:<b@ours.example>")
	c.say("DATA")
	_, err := io.WriteString(c.conn, w.signed(t, "From: a@good.example\r\n\r\n"))
	require.NoError(t, err)
	piece := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 1000)
	var peak uint64
	for n := 0; n < 20<<20; n += len(piece) {
		_, err := io.WriteString(c.conn, piece)
		require.NoError(t, err)
		if n/len(piece)%50 == 0 {
			peak = max(peak, measure())
		}
	}
	require.Contains(t, c.say("."), "250")
	peak = max(peak, measure())
	t.Logf("heap %d before, %d at most within the message", before, peak)
	require.Less(t, peak, before+2<<20)
	info, err := os.Stat(w.files(t, "mail/ours.example/b/new/*")[0])
	require.NoError(t, err)
	require.Greater(t, info.Size(), int64(20<<20))
}

// What a killed server has left in its spool is removed at the next start: nobody was
// told that it was taken.
func TestSpoolCleaned(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"a.received", "b.ready", "somebody else's"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, f), nil, 0o600))
	}
	require.NoError(t, clean(dir))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
}

// Shutdown lets a message end that is under way.
func TestShutdown(t *testing.T) {
	w := newWorld(t, "")
	c := w.connect(t)
	for _, l := range []string{"EHLO x", "MAIL FROM:<a@good.example>", "RCPT TO:<b@ours.example>", "DATA"} {
		c.say(l)
	}
	done := make(chan struct{})
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		w.Shutdown(ctx)
		close(done)
	}()
	require.Eventually(t, func() bool {
		n, err := net.Dial("tcp", w.address)
		if err == nil {
			n.Close()
		}
		return err != nil
	}, 20*time.Second, time.Millisecond)
	require.Contains(t, c.say("From: a@good.example\r\n\r\nx\r\n."), "250")
	c.conn.Close()
	<-done
	require.Len(t, w.inbox(t, "b"), 1)
}

// No more connections than configured are served at once.
func TestConnections(t *testing.T) {
	w := newWorld(t, "[smtpd]\nconnections = 2\n")
	a, _ := w.connect(t), w.connect(t)
	c, err := net.Dial("tcp", w.address)
	require.NoError(t, err)
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	a.conn.Close()
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err = c.Read(make([]byte, 1))
	require.NoError(t, err)
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx.ours.example"}, DNSNames: []string{"mx.ours.example"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	write := func(name, kind string, b []byte) string {
		f := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(f, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600))
		return f
	}
	w := newWorld(t, "[smtpd]\ncertificate = \""+write("c", "CERTIFICATE", cert)+"\"\nprivate_key = \""+write("k", "PRIVATE KEY", der)+"\"\n")
	pool := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(cert)
	require.NoError(t, err)
	pool.AddCert(leaf)
	c, err := smtp.DialStartTLS(w.address, &tls.Config{RootCAs: pool, ServerName: "mx.ours.example"})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SendMail("a@good.example", []string{"b@ours.example"}, strings.NewReader("From: a@good.example\r\n\r\nx\r\n")))
	require.Contains(t, w.inbox(t, "b")[0], " with ESMTPS id ")
}

// A client's name cannot write fields.
func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"mx.example": "mx.example", "[192.0.2.1]": "?192.0.2.1?", "a\r\nX: y": "a??X:?y", "a (b)": "a??b?", "jörg": "jörg", "\xff": "?",
	} {
		require.Equal(t, want, visible(in))
	}
	require.Len(t, visible(strings.Repeat("x", 1000)), 255)
}

// The verdict of a re-evaluation of what was delivered is that of the first one.
func TestReevaluation(t *testing.T) {
	w := newWorld(t, "")
	w.send(t, "<a@good.example>", "<b@ours.example>", w.signed(t, "From: a@good.example\r\n\r\nx\r\n"))
	e := mailauth.Evaluator{Resolver: w.zone}
	r, err := e.Evaluate(t.Context(), &mailauth.Message{Data: strings.NewReader(w.inbox(t, "b")[0])})
	require.NoError(t, err)
	require.Equal(t, authres.Pass, r.DMARC.Status)
}

func TestErrorOf(t *testing.T) {
	e := errorOf(mailauth.SMTPReply{Code: 550, Enhanced: "5.7.26", Text: "no"})
	require.Equal(t, &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 26}, Message: "no"}, e)
	require.False(t, errors.Is(e, io.EOF))
}

// Octets that are no line end are not made into one, and nothing is repaired.
func TestBareLineFeed(t *testing.T) {
	w := newWorld(t, "")
	const text = "From: a@good.example\r\n\r\none\ntwo\rthree\n.\nfour\r\n"
	require.Contains(t, w.send(t, "<a@good.example>", "<b@ours.example>", text), "250")
	require.True(t, strings.HasSuffix(w.inbox(t, "b")[0], "\r\n"+text))
}

// A client that says nothing any more is given up.
func TestTimeout(t *testing.T) {
	w := newWorld(t, "[smtpd]\ntimeout = \"100ms\"\n")
	c := w.connect(t)
	_, err := io.Copy(io.Discard, c.conn)
	require.NoError(t, err)
}
