// Command smtpd receives mail, evaluates it and delivers it to Maildirs; see SMTPD.md.
// SIGHUP lets it read its configuration again.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"

	"github.com/seed2385d973/mailauth/examples/mta/internal/counts"
	"github.com/seed2385d973/mailauth/examples/mta/internal/daemon"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
	"github.com/seed2385d973/mailauth/examples/mta/internal/receiver"
)

func main() {
	file := flag.String("config", "/etc/mailauth/mta.toml", "the configuration `file`")
	flag.Parse()
	log := daemon.Log("smtpd")
	if err := run(*file, log); err != nil {
		log.Error("smtpd has ended", "error", err)
		os.Exit(1)
	}
}

func run(file string, log *slog.Logger) error {
	live, err := gate.NewLive(file)
	if err != nil {
		return err
	}
	c := live.Get().Config
	if c.SMTPD.Listen == "" {
		return daemon.ErrListen
	}
	s, err := receiver.New(live, log)
	if err != nil {
		return err
	}
	if c.Reports.Database != "" {
		db, err := counts.Open(context.Background(), c)
		if err != nil {
			return err
		}
		defer db.Close()
		s.Counts = db
	}
	l, err := daemon.Listen(c.SMTPD.Listen, c.Milter.SocketMode)
	if err != nil {
		return err
	}
	return daemon.Run(s, l, live, log, c.SMTPD.Shutdown.D())
}
