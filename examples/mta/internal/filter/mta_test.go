package filter

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
	"github.com/stretchr/testify/require"
)

// world is a milter with a DNS of its own.
type world struct {
	server   *Server
	live     *gate.Live
	address  string
	counted  counted
	ended    chan error
	log      *bytes.Buffer
	resolver *dnstest.Zone
}

// counted keeps what would be reported.
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

func (c *counted) dispositions() []aggregate.Disposition {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := []aggregate.Disposition{}
	for _, o := range c.all {
		out = append(out, o.Disposition)
	}
	return out
}

// testKeys are made once: an RSA key takes its time.
var testKeys = sync.OnceValue(func() map[string]*dkim.Key {
	out := map[string]*dkim.Key{}
	for name, kind := range map[string]dkim.KeyKind{"rsa": dkim.RSA2048, "ed": dkim.Ed25519} {
		k, err := dkim.GenerateKey(kind)
		if err != nil {
			panic(err)
		}
		out[name] = k
	}
	return out
})

// testZone is the DNS of all tests.
func testZone(t testing.TB) *dnstest.Zone {
	zone := `
good.example. TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.good.example. TXT "v=DMARC1; p=reject; rua=mailto:rua@good.example"
_dmarc.careful.example. TXT "v=DMARC1; p=quarantine; rua=mailto:rua@careful.example"
_dmarc.mute.example. TXT "v=DMARC1; p=reject"
`
	for name, k := range testKeys() {
		rec, err := dkim.NewRecord(k.Public())
		require.NoError(t, err)
		for _, d := range []string{"good.example", "ours.example"} {
			line, err := rec.ZoneLine(name, d)
			require.NoError(t, err)
			zone += line + "\n"
		}
	}
	z, err := dnstest.Parse(zone)
	require.NoError(t, err)
	return z.WithFault("rsa._domainkey.mute.example", dnsutil.TypeTXT, dnsutil.ErrTimeout)
}

const common = `hostname = "mx.ours.example"
local_networks = ["10.0.0.0/8"]
`

const ourKeys = `
[[signing.key]]
domain = "ours.example"
selector = "rsa"
file = "rsa.pem"
[[signing.key]]
domain = "ours.example"
selector = "ed"
file = "ed.pem"
`

// newWorld starts a milter with settings beside the common ones.
func newWorld(t testing.TB, settings string) *world {
	t.Helper()
	dir := t.TempDir()
	for name, k := range testKeys() {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".pem"), k.PEM(), 0o600))
	}
	c, err := config.Parse(common+settings, dir)
	require.NoError(t, err)
	w := &world{resolver: testZone(t), ended: make(chan error, 1), log: &bytes.Buffer{}}
	g, err := gate.New(c, w.resolver)
	require.NoError(t, err)
	w.live = gate.Fixed(g)
	w.server = &Server{Live: w.live, Counts: &w.counted, Log: slog.New(slog.NewTextHandler(w.log, nil))}
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	w.address = l.Addr().String()
	go func() { w.ended <- w.server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.server.Shutdown(ctx)
		require.ErrorIs(t, <-w.ended, ErrClosed)
		w.server.mu.Lock()
		defer w.server.mu.Unlock()
		require.Empty(t, w.server.links, "connections left")
	})
	return w
}

// Flags of the protocol that MTAs offer.
const (
	allActions  = 0x1ff
	allProtocol = 0x1fffff
)

// mta is a scripted MTA: the client side of the protocol, written from its description.
type mta struct {
	t        testing.TB
	conn     net.Conn
	protocol uint32
}

type packet struct {
	code byte
	data []byte
}

func (w *world) connect(t testing.TB) *mta {
	t.Helper()
	c, err := net.Dial("unix", w.address)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return &mta{t: t, conn: c}
}

func (m *mta) write(code byte, data ...string) {
	text := strings.Join(data, "")
	b := binary.BigEndian.AppendUint32(nil, uint32(len(text)+1))
	_, err := m.conn.Write(append(append(b, code), text...))
	require.NoError(m.t, err)
}

func (m *mta) read() packet {
	var head [5]byte
	_, err := io.ReadFull(m.conn, head[:])
	require.NoError(m.t, err)
	data := make([]byte, binary.BigEndian.Uint32(head[:])-1)
	_, err = io.ReadFull(m.conn, data)
	require.NoError(m.t, err)
	return packet{head[4], data}
}

func word(v uint32) string { return string(binary.BigEndian.AppendUint32(nil, v)) }

// negotiate is SMFIC_OPTNEG.
func (m *mta) negotiate(version, actions, protocol uint32) {
	m.write('O', word(version), word(actions), word(protocol))
	p := m.read()
	require.Equal(m.t, byte('O'), p.code)
	require.Len(m.t, p.data, 12)
	require.LessOrEqual(m.t, binary.BigEndian.Uint32(p.data), version)
	require.Zero(m.t, binary.BigEndian.Uint32(p.data[4:])&^actions)
	m.protocol = binary.BigEndian.Uint32(p.data[8:])
	require.Zero(m.t, m.protocol&^protocol, "asks for what was not offered")
}

// send sends a command and reads the answer, unless none is to come.
func (m *mta) send(noReply uint32, code byte, data ...string) {
	m.write(code, data...)
	if m.protocol&noReply == 0 {
		require.Equal(m.t, "c", string(m.read().code))
	}
}

// Bits of the protocol: what needs no answer, and leading space.
const (
	nrHeader, nrConn, nrHelo, nrMail, nrRcpt, nrEOH, nrBody = 1 << 7, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 18, 1 << 19
	leadingSpace                                            = 1 << 20
)

// mail is one message as an MTA sees it.
type mail struct {
	ip, helo, from string
	args           []string
	login          string
	rcpt           []string
	text           string // with CRLF
}

var fromGood = mail{ip: "192.0.2.1", helo: "mail.good.example", from: "a@good.example", rcpt: []string{"b@ours.example"}}

func (l mail) with(text string) mail { l.text = text; return l }

func (m *mta) open(l mail) {
	m.negotiate(6, allActions, allProtocol)
	m.hello(l)
}

func (m *mta) hello(l mail) {
	m.write('D', "C", "j\x00mx.ours.example\x00")
	switch ip, _ := netip.ParseAddr(l.ip); {
	case !ip.IsValid():
		m.send(nrConn, 'C', "localhost\x00U")
	case ip.Is4():
		m.send(nrConn, 'C', "client\x004\x10\x00", l.ip, "\x00")
	default:
		m.send(nrConn, 'C', "client\x006\x10\x00IPv6:", l.ip, "\x00")
	}
	m.send(nrHelo, 'H', l.helo, "\x00")
}

func (m *mta) mailFrom(l mail) {
	if l.login != "" {
		m.write('D', "M", "{auth_authen}\x00", l.login, "\x00")
	}
	args := ""
	for _, a := range l.args {
		args += a + "\x00"
	}
	m.send(nrMail, 'M', "<", l.from, ">\x00", args)
	for _, r := range l.rcpt {
		m.send(nrRcpt, 'R', "<", r, ">\x00")
	}
}

// data sends header and body, as Postfix does: values with LF, and with the space that
// follows the colon if that was asked for.
func (m *mta) data(l mail) {
	head, body, _ := strings.Cut(l.text, "\r\n\r\n")
	for _, f := range fields(head + "\r\n") {
		name, value, _ := strings.Cut(strings.TrimSuffix(f, "\r\n"), ":")
		if m.protocol&leadingSpace == 0 {
			value = strings.TrimPrefix(value, " ")
		}
		m.send(nrHeader, 'L', name, "\x00", strings.ReplaceAll(value, "\r\n", "\n"), "\x00")
	}
	m.send(nrEOH, 'N')
	for len(body) > 0 {
		n := min(len(body), 65535)
		m.send(nrBody, 'B', body[:n])
		body = body[n:]
	}
	m.write('D', "E", "i\x00QUEUEID\x00")
	m.write('E')
}

func fields(header string) []string {
	var out []string
	for _, line := range strings.SplitAfter(header, "\r\n") {
		switch {
		case line == "":
		case line[0] == ' ' || line[0] == '\t':
			out[len(out)-1] += line
		default:
			out = append(out, line)
		}
	}
	return out
}

// outcome is what the milter wants done.
type outcome struct {
	changes []packet
	final   packet
}

func (m *mta) end() outcome {
	var o outcome
	for {
		p := m.read()
		if strings.IndexByte("hmiq", p.code) < 0 {
			o.final = p
			return o
		}
		o.changes = append(o.changes, p)
	}
}

func (o outcome) reply() string {
	if o.final.code == 'y' {
		return strings.TrimSuffix(string(o.final.data), "\x00")
	}
	return string(o.final.code)
}

func (o outcome) quarantine() string {
	for _, p := range o.changes {
		if p.code == 'q' {
			return strings.TrimSuffix(string(p.data), "\x00")
		}
	}
	return ""
}

// apply does to a message what the milter wants. renumber says whether fields that are
// removed count for later indexes (they do not in Postfix).
func (o outcome) apply(t testing.TB, text string, space, renumber bool) string {
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	type field struct {
		name, text string
		gone, new  bool
	}
	var all []field
	for _, f := range fields(head + "\r\n") {
		name, _, _ := strings.Cut(f, ":")
		all = append(all, field{name: strings.TrimRight(name, " \t"), text: f})
	}
	for _, p := range o.changes {
		if p.code == 'q' {
			continue
		}
		require.Contains(t, "mi", string(p.code))
		index := int(binary.BigEndian.Uint32(p.data))
		parts := strings.Split(string(p.data[4:]), "\x00")
		require.Len(t, parts, 3)
		require.NotContains(t, parts[1], "\r")
		if p.code == 'm' {
			require.Empty(t, parts[1])
			require.Positive(t, index)
			found := false
			for i := range all {
				if !strings.EqualFold(all[i].name, parts[0]) || all[i].gone && renumber {
					continue
				}
				if index--; index == 0 {
					require.False(t, all[i].gone)
					all[i].gone, found = true, true
				}
			}
			require.True(t, found, "no such field: %s", parts[0])
			continue
		}
		require.Zero(t, index)
		value := strings.ReplaceAll(parts[1], "\n", "\r\n")
		if !space {
			value = " " + value
		}
		all = append([]field{{name: parts[0], text: parts[0] + ":" + value + "\r\n", new: true}}, all...)
	}
	var b strings.Builder
	for _, f := range all {
		if !f.gone {
			b.WriteString(f.text)
		}
	}
	return b.String() + "\r\n" + body
}

// deliver runs a whole message over a new connection.
func (w *world) deliver(t testing.TB, l mail) outcome {
	t.Helper()
	m := w.connect(t)
	m.open(l)
	m.mailFrom(l)
	m.data(l)
	o := m.end()
	m.write('Q')
	return o
}

// signed puts signatures of good.example on top, over octets that the milter protocol
// makes hard to keep: c=simple/simple.
func signed(t testing.TB, d, text string) string {
	t.Helper()
	out, err := dkim.Sign(strings.NewReader(text),
		dkim.Signer{Domain: d, Selector: "rsa", Key: testKeys()["rsa"], Canonicalization: "simple/simple"},
		dkim.Signer{Domain: d, Selector: "ed", Key: testKeys()["ed"], Canonicalization: "simple/simple"})
	require.NoError(t, err)
	return out + text
}
