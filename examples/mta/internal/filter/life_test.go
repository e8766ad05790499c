package filter

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
	"github.com/stretchr/testify/require"
)

// A client that hangs up, in whatever phase, or says something that is no packet,
// leaves neither a connection nor a goroutine behind.
func TestHangUp(t *testing.T) {
	w := newWorld(t, ourKeys)
	l := fromGood.with("From: a@good.example\r\n\r\nx\r\n")
	before := w.goroutines(t)
	phases := []func(*mta){
		func(m *mta) { m.negotiate(6, allActions, allProtocol) },
		func(m *mta) { m.hello(l) },
		func(m *mta) { m.send(nrMail, 'M', "<a@good.example>\x00") },
		func(m *mta) { m.send(nrRcpt, 'R', "<b@ours.example>\x00") },
		func(m *mta) { m.send(nrHeader, 'L', "From\x00 a@good.example\x00") },
		func(m *mta) { m.send(nrEOH, 'N') },
		func(m *mta) { m.send(nrBody, 'B', "x\r\n") },
		func(m *mta) { m.write('E') },
		func(m *mta) { m.end() },
		func(m *mta) { m.write('A') },
	}
	for n := range len(phases) + 1 {
		for _, end := range []string{"", "\x00", "\x00\x00\x00\x05B", "\xff\xff\xff\xffB", "\x00\x00\x00\x00", "\x00\x00\x00\x02LX", "\x00\x00\x00\x01M", "\x00\x00\x00\x01C",
			"\x00\x00\x00\x01D", "\x00\x00\x00\x01O", "\x00\x00\x00\x01?", "\x00\x00\x00\x01E", "\x00\x00\x00\x01K"} {
			m := w.connect(t)
			for _, phase := range phases[:n] {
				phase(m)
			}
			_, err := m.conn.Write([]byte(end))
			require.NoError(t, err)
			m.conn.Close()
		}
	}
	require.Eventually(t, func() bool {
		w.server.mu.Lock()
		defer w.server.mu.Unlock()
		return len(w.server.links) == 0
	}, 20*time.Second, 5*time.Millisecond)
	for end := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond) // the last ones have closed their links and not returned yet
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
	// And it still works.
	require.Equal(t, "c", w.deliver(t, l).reply())
}

// Keys are read again while the server runs: whole, or not at all.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mta.toml")
	write := func(name string, text []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	write("mta.toml", []byte(common+ourKeys))
	for name, k := range testKeys() {
		write(name+".pem", k.PEM())
	}
	live, err := gate.NewLive(file)
	require.NoError(t, err)
	first := live.Get()
	require.Equal(t, 2, first.Keys.Len())

	write("ed.pem", []byte("no key"))
	require.Error(t, live.Reload())
	require.Same(t, first, live.Get())
	write("ed.pem", testKeys()["ed"].PEM())
	write("mta.toml", []byte(common+ourKeys+"\n[signing.kee]\n"))
	require.Error(t, live.Reload())
	require.Same(t, first, live.Get())
	write("mta.toml", []byte(common+"mode = \"enforce\"\n"))
	require.NoError(t, live.Reload())
	require.Zero(t, live.Get().Keys.Len())
	require.Equal(t, "enforce", live.Get().Config.Mode)
	require.Equal(t, 2, first.Keys.Len(), "a message that has begun keeps what it began with")
}

// Shutdown lets the message that is under way end, and takes no other.
func TestShutdown(t *testing.T) {
	w := newWorld(t, "")
	l := fromGood.with("From: a@good.example\r\n\r\nx\r\n")
	idle, busy := w.connect(t), w.connect(t)
	idle.open(l)
	busy.open(l)
	busy.mailFrom(l)
	require.Eventually(t, func() bool {
		w.server.mu.Lock()
		defer w.server.mu.Unlock()
		n := 0
		for lk := range w.server.links {
			lk.mu.Lock()
			if lk.busy {
				n++
			}
			lk.mu.Unlock()
		}
		return n == 1 && len(w.server.links) == 2
	}, 20*time.Second, time.Millisecond)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		w.server.Shutdown(ctx)
	}()
	_, err := idle.conn.Read(make([]byte, 1))
	require.Error(t, err, "an idle connection is closed")
	busy.data(l)
	require.Equal(t, "c", busy.end().reply())
	_, err = busy.conn.Read(make([]byte, 1))
	require.Error(t, err)
	<-done
	require.Len(t, w.counted.all, 1)
}

// While the DNS does not answer, hanging up ends the waiting.
func TestHangUpWhileWaiting(t *testing.T) {
	w := newWorld(t, "")
	w.live.Get().Evaluator.Resolver = dnsutil.ResolverFunc(func(ctx context.Context, _ string, _ dnsutil.Type) (dnsutil.Answer, error) {
		<-ctx.Done()
		return dnsutil.Answer{}, ctx.Err()
	})
	m := w.connect(t)
	m.open(fromGood)
	m.mailFrom(fromGood)
	m.conn.Close()
	require.Eventually(t, func() bool {
		w.server.mu.Lock()
		defer w.server.mu.Unlock()
		return len(w.server.links) == 0
	}, 10*time.Second, 5*time.Millisecond)
}

// goroutines counts them when nothing is under way.
func (w *world) goroutines(t *testing.T) int {
	w.deliver(t, fromGood.with("From: a@good.example\r\n\r\nx\r\n"))
	require.Eventually(t, func() bool {
		w.server.mu.Lock()
		defer w.server.mu.Unlock()
		return len(w.server.links) == 0
	}, 10*time.Second, 5*time.Millisecond)
	return runtime.NumGoroutine()
}

// An MTA that says nothing any more is given up.
func TestTimeout(t *testing.T) {
	w := newWorld(t, "[milter]\ntimeout = \"50ms\"\n")
	m := w.connect(t)
	m.open(fromGood)
	m.mailFrom(fromGood)
	_, err := m.conn.Read(make([]byte, 1))
	require.Error(t, err)
}

// flaky is a listener out of file descriptors, for a while.
type flaky struct {
	net.Listener
	errs []error
}

func (f *flaky) Accept() (net.Conn, error) {
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}
	}
	return f.Listener.Accept()
}

// Running out of file descriptors does not end the milter; a broken listener does.
func TestAccept(t *testing.T) {
	w := newWorld(t, "[milter]\nconnections = 1\n")
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	require.NoError(t, err)
	s := &Server{Live: w.live, Log: w.server.Log}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(&flaky{l, []error{syscall.EMFILE, syscall.ECONNABORTED}}) }()
	w.address = l.Addr().String()
	require.Equal(t, "c", w.deliver(t, fromGood.with("From: a@good.example\r\n\r\nx\r\n")).reply())
	s.Shutdown(t.Context())
	require.ErrorIs(t, <-ended, ErrClosed)
	require.ErrorIs(t, (&Server{Live: w.live, Log: w.server.Log}).Serve(&flaky{l, []error{syscall.EBADF}}), syscall.EBADF)
}
