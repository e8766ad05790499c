// Package daemon is what a program that runs for long does besides its job: listening,
// signals, the log.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
)

// Listen opens what config.Network takes. The file of a Unix socket gets the mode; one
// that a killed process has left is removed, one that somebody answers at is not.
func Listen(listen, mode string) (net.Listener, error) {
	network, address, err := config.Network(listen)
	if err != nil {
		return nil, err
	}
	if network != "unix" {
		return net.Listen(network, address)
	}
	bits, err := strconv.ParseUint(mode, 8, 9)
	if err != nil {
		return nil, fmt.Errorf("socket_mode = %q: not an octal mode", mode)
	}
	if info, err := os.Lstat(address); err == nil && info.Mode()&fs.ModeSocket != 0 {
		if c, err := net.DialTimeout("unix", address, time.Second); err == nil {
			c.Close()
			return nil, fmt.Errorf("%s: somebody listens there already", address)
		}
		if err := os.Remove(address); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", address)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(address, fs.FileMode(bits)); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Service is a server that is run.
type Service interface {
	Serve(net.Listener) error
	Shutdown(context.Context)
}

// Run serves until SIGTERM or SIGINT, and reloads the configuration at SIGHUP.
func Run(s Service, l net.Listener, live *gate.Live, log *slog.Logger, shutdown time.Duration) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	log.Info("serving", "address", l.Addr().String(), "mode", live.Get().Config.Mode, "keys", live.Get().Keys.Len())
	for {
		select {
		case err := <-ended:
			return err
		case <-hup:
			if err := live.Reload(); err != nil {
				log.Error("not reloaded, everything stays as it was", "error", err)
				continue
			}
			log.Info("reloaded", "mode", live.Get().Config.Mode, "keys", live.Get().Keys.Len())
		case <-ctx.Done():
			log.Info("shutting down")
			end, stop := context.WithTimeout(context.Background(), shutdown)
			defer stop()
			s.Shutdown(end)
			<-ended
			return nil
		}
	}
}

// Log makes the log, on standard error for the journal, and lets what libraries write
// go there, too.
func Log(program string) *slog.Logger {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("program", program)
	slog.SetDefault(log)
	return log
}

// ErrListen: the configuration does not say where to listen.
var ErrListen = errors.New("listen is missing")
