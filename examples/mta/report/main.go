// Command report sends the DMARC aggregate reports that smtpd and milter have
// collected:
//
//	report -config mta.toml                     all that are due: of days that are over (UTC)
//	report -config mta.toml -day 2026-11-21     those of that day alone
//	report -config mta.toml -dry DIR            writes the mails to DIR/*.eml, keeps them as due
//
// A day that is not over is reported only with -unfinished. Run it once a day, and
// only one at a time.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/examples/mta/internal/counts"
	"github.com/seed2385d973/mailauth/examples/mta/internal/daemon"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
	"github.com/seed2385d973/mailauth/examples/mta/internal/keys"
	"github.com/seed2385d973/mailauth/examples/mta/internal/reporter"
)

func main() {
	r := reporter.Reporter{Log: daemon.Log("report"), Now: time.Now()}
	file := flag.String("config", "/etc/mailauth/mta.toml", "the configuration `file`")
	flag.StringVar(&r.Day, "day", "", "the `day` (UTC, YYYY-MM-DD) to report; all that are over if empty")
	flag.StringVar(&r.Dry, "dry", "", "write the mails to `directory` and send nothing")
	flag.BoolVar(&r.Unfinished, "unfinished", false, "report also a day that is not over")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := run(ctx, *file, &r); err != nil {
		r.Log.Error("report has ended", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string, r *reporter.Reporter) (err error) {
	if r.Day != "" {
		if _, err := time.Parse(time.DateOnly, r.Day); err != nil {
			return fmt.Errorf("-day: %w", err)
		}
	}
	if r.Config, err = config.Load(file); err != nil {
		return err
	}
	if err := reporter.Check(r.Config, r.Dry != ""); err != nil {
		return err
	}
	if r.Keys, err = keys.Load(r.Config); err != nil {
		return err
	}
	if r.Counts, err = counts.Open(ctx, r.Config); err != nil {
		return err
	}
	defer r.Counts.Close()
	r.Resolver = gate.Resolver(r.Config)
	sum, err := r.Run(ctx)
	r.Log.Info("done", slog.Int("sent", sum.Sent), slog.Int("kept", sum.Kept), slog.Int("dropped", sum.Dropped))
	return err
}
