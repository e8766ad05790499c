package main

import (
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-milter"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/stretchr/testify/require"
)

// logged is a log that can be read while it is written.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

// The program as it is run: it listens, signs for a local client that speaks the
// protocol with another implementation than ours, reads its keys again at SIGHUP,
// keeps them if they are bad, and ends at SIGTERM.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	file, socket := filepath.Join(dir, "mta.toml"), filepath.Join(dir, "s")
	write := func(name string, text []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	key := func(kind dkim.KeyKind) []byte {
		k, err := dkim.GenerateKey(kind)
		require.NoError(t, err)
		return k.PEM()
	}
	write("k.pem", key(dkim.Ed25519))
	write("mta.toml", []byte(`hostname = "mx.ours.example"
[dns]
servers = ["127.0.0.1:1"]
[[signing.key]]
domain = "ours.example"
selector = "k"
file = "k.pem"
[reports]
database = "r.sqlite"
[milter]
listen = "unix:`+socket+`"
`))
	// A socket that a killed process has left.
	stale, err := net.Listen("unix", socket)
	require.NoError(t, err)
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	stale.Close()

	log := &logged{}
	ended := make(chan error, 1)
	go func() { ended <- run(file, slog.New(slog.NewTextHandler(log, nil))) }()
	wait := func(text string, n int) {
		t.Helper()
		require.Eventually(t, func() bool { return log.count(text) >= n }, 30*time.Second, 5*time.Millisecond, text)
	}
	wait("msg=serving", 1)
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o660), info.Mode().Perm())
	require.ErrorContains(t, run(file, slog.New(slog.NewTextHandler(io.Discard, nil))), "listens there already")

	send := func() (names []string) {
		c := milter.NewClientWithOptions("unix", socket, milter.ClientOptions{
			ReadTimeout: time.Minute, WriteTimeout: time.Minute, ActionMask: 0x1ff, ProtocolMask: 0x1fffff,
		})
		s, err := c.Session()
		require.NoError(t, err)
		defer s.Close()
		_, err = s.Conn("localhost", milter.FamilyInet, 25, "127.0.0.1")
		require.NoError(t, err)
		_, err = s.Helo("localhost")
		require.NoError(t, err)
		_, err = s.Mail("u@ours.example", nil)
		require.NoError(t, err)
		_, err = s.Rcpt("a@good.example", nil)
		require.NoError(t, err)
		_, err = s.HeaderField("From", " u@ours.example")
		require.NoError(t, err)
		_, err = s.HeaderEnd()
		require.NoError(t, err)
		changes, act, err := s.BodyReadFrom(strings.NewReader("x\r\n"))
		require.NoError(t, err)
		require.Equal(t, milter.ActContinue, act.Code)
		for _, c := range changes {
			require.EqualValues(t, 0, c.HeaderIndex)
			for _, a := range []string{"rsa-sha256", "ed25519-sha256"} {
				if strings.Contains(c.HeaderValue, a) {
					names = append(names, c.HeaderName+" "+a)
				}
			}
		}
		return names
	}
	require.Equal(t, []string{"DKIM-Signature ed25519-sha256"}, send())
	write("k.pem", []byte("half a ke"))
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	wait("not reloaded", 1)
	require.Equal(t, []string{"DKIM-Signature ed25519-sha256"}, send())
	write("k.pem", key(dkim.RSA2048))
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	wait("msg=reloaded", 1)
	require.Equal(t, []string{"DKIM-Signature rsa-sha256"}, send())

	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
	require.NoError(t, <-ended)
	_, err = net.Dial("unix", socket)
	require.Error(t, err)
}

func TestNoListen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mta.toml")
	require.NoError(t, os.WriteFile(file, []byte("hostname = \"a.example\"\n"), 0o600))
	require.Error(t, run(file, slog.New(slog.NewTextHandler(io.Discard, nil))))
	require.Error(t, run(file+"x", slog.New(slog.NewTextHandler(io.Discard, nil))))
}
