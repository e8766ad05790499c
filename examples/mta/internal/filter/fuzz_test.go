package filter

import (
	"bytes"
	"encoding/binary"
	"io"
	"log"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-milter"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
	"github.com/stretchr/testify/require"
)

// canned is a connection of which everything that comes is known before.
type canned struct {
	io.Reader
	net.Conn
	out    bytes.Buffer
	closed chan struct{}
	once   sync.Once
}

func (c *canned) Read(p []byte) (int, error)       { return c.Reader.Read(p) }
func (c *canned) Write(p []byte) (int, error)      { return c.out.Write(p) }
func (c *canned) Close() error                     { c.once.Do(func() { close(c.closed) }); return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }

func packets(p ...string) []byte {
	var b []byte
	for _, s := range p {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// FuzzLink: whatever an MTA says, the session ends, nothing panics, and every answer
// is a packet.
func FuzzLink(f *testing.F) {
	negotiation := "O" + word(6) + word(allActions) + word(allProtocol)
	f.Add(packets(negotiation, "Cclient\x004\x10\x00192.0.2.1\x00", "Hx\x00", "M<a@good.example>\x00SMTPUTF8\x00", "R<b@ours.example>\x00",
		"LFrom\x00 a@good.example\x00", "LAuthentication-Results\x00 mx.ours.example; spf=pass\x00", "N", "Bbody\r\n", "E", "M<>\x00", "E", "Q"))
	f.Add(packets("O"+word(2)+word(0x3f)+word(0), "Cclient\x006\x10\x00IPv6:2001:db8::1\x00", "DM{auth_authen}\x00u\x00", "M<a@good.example>\x00",
		"LFrom\x00u@ours.example\x00", "N", "E", "K", "C\x00U", "M\x00", "Lx\x00\n\x00", "E"))
	f.Add(packets(negotiation, "E"))
	f.Add(packets(negotiation, "M", "L\x00\x00", "A", "A", "Uxx", "T", "D", "C", "C\x004"))
	f.Add([]byte("\xff\xff\xff\xffO"))
	f.Add(packets(negotiation, "Cclient\x004\x10", "Cclient\x006\x00", "Cclient\x00"))
	dir := f.TempDir()
	c, err := config.Parse(common, dir)
	require.NoError(f, err)
	g, err := gate.New(c, testZone(f))
	require.NoError(f, err)
	var logged bytes.Buffer
	log.SetOutput(&logged) // where the library says that it has recovered from a panic
	f.Fuzz(func(t *testing.T, data []byte) {
		logged.Reset()
		conn := &canned{Reader: bytes.NewReader(data), closed: make(chan struct{})}
		ended := make(chan struct{})
		lk := newLink(conn, time.Minute, func() { close(ended) })
		lk.session = &session{s: &Server{Live: gate.Fixed(g), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, link: lk}
		one := milter.Server{NewMilter: func() milter.Milter { return lk.session }}
		one.Serve(&single{conn: lk})
		<-ended
		require.Nil(t, lk.session.t)
		if strings.Contains(logged.String(), "panic") {
			t.Fatal(logged.String())
		}
		for out := conn.out.Bytes(); len(out) > 0; {
			require.GreaterOrEqual(t, len(out), 5)
			n := int(binary.BigEndian.Uint32(out)) + 4
			require.Positive(t, n-4)
			require.LessOrEqual(t, n, len(out))
			require.Contains(t, "Ochmiqyt", string(out[4])) // t is the milter library's, to a packet that ends within the port
			out = out[n:]
		}
	})
}
