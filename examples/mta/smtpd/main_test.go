package main

import (
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// The program as it is run, without any DNS: observing, it delivers and says so in the
// field; enforcing, after a reload, it has the client come again. SIGTERM ends it.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mta.toml")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	free.Close()
	write := func(mode string) {
		require.NoError(t, os.WriteFile(file, []byte(`hostname = "mx.ours.example"
mode = "`+mode+`"
[dns]
servers = ["127.0.0.1:1"]
timeout = "100ms"
message = "1s"
[reports]
database = "r.sqlite"
[smtpd]
listen = "inet:`+address+`"
recipients = ["ours.example"]
maildir = "mail"
spool = "spool"
`), 0o600))
	}
	write("observe")
	ended := make(chan error, 1)
	go func() { ended <- run(file, slog.New(slog.NewTextHandler(io.Discard, nil))) }()
	send := func() error {
		c, err := smtp.Dial(address)
		if err != nil {
			return err
		}
		defer c.Close()
		return c.SendMail("a@good.example", []string{"b@ours.example"}, strings.NewReader("From: a@good.example\r\n\r\nx\r\n"))
	}
	require.Eventually(t, func() bool { return send() == nil }, 30*time.Second, 10*time.Millisecond)
	files, err := filepath.Glob(filepath.Join(dir, "mail/ours.example/b/new/*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	text, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.Contains(t, string(text), "dmarc=temperror")

	write("enforce")
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	require.Eventually(t, func() bool {
		err, ok := send().(*smtp.SMTPError)
		return ok && err.Code == 451 && err.EnhancedCode == smtp.EnhancedCode{4, 4, 3}
	}, 30*time.Second, 10*time.Millisecond)

	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
	require.NoError(t, <-ended)
	require.Error(t, send())
}
