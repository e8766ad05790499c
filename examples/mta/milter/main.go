// Command milter evaluates, signs and seals mail for Postfix and Sendmail; see
// MILTER.md. SIGHUP lets it read its configuration and keys again.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"

	"github.com/seed2385d973/mailauth/examples/mta/internal/counts"
	"github.com/seed2385d973/mailauth/examples/mta/internal/daemon"
	"github.com/seed2385d973/mailauth/examples/mta/internal/filter"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
)

func main() {
	file := flag.String("config", "/etc/mailauth/mta.toml", "the configuration `file`")
	flag.Parse()
	log := daemon.Log("milter")
	if err := run(*file, log); err != nil {
		log.Error("milter has ended", "error", err)
		os.Exit(1)
	}
}

func run(file string, log *slog.Logger) error {
	live, err := gate.NewLive(file)
	if err != nil {
		return err
	}
	c := live.Get().Config
	if c.Milter.Listen == "" {
		return daemon.ErrListen
	}
	s := &filter.Server{Live: live, Log: log}
	if c.Reports.Database != "" {
		db, err := counts.Open(context.Background(), c)
		if err != nil {
			return err
		}
		defer db.Close()
		s.Counts = db
	}
	l, err := daemon.Listen(c.Milter.Listen, c.Milter.SocketMode)
	if err != nil {
		return err
	}
	return daemon.Run(s, l, live, log, c.Milter.Shutdown.D())
}
