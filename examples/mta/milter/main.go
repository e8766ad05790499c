// Command milter evaluates, signs and seals mail for Postfix and Sendmail; see
// MILTER.md.
package main

import (
	"flag"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/emersion/go-milter"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
)

func main() {
	file := flag.String("config", "/etc/mailauth/mta.toml", "the configuration `file`")
	flag.Parse()
	if err := run(*file); err != nil {
		slog.Error("milter", "error", err)
		os.Exit(1)
	}
}

func run(file string) error {
	c, err := config.Load(file)
	if err != nil {
		return err
	}
	network, address, err := config.Network(c.Milter.Listen)
	if err != nil {
		return err
	}
	if network == "unix" {
		os.Remove(address)
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	s := milter.Server{NewMilter: func() milter.Milter { return milter.NoOpMilter{} }, Protocol: milter.OptNoUnknown}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() { <-stop; s.Close() }()
	if err := s.Serve(l); err != milter.ErrServerClosed {
		return err
	}
	return nil
}
