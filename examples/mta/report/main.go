// Command report sends the DMARC aggregate reports that smtpd and milter have
// collected:
//
//	report -config mta.toml                     all that are due: of days that are over (UTC)
//	report -config mta.toml -day 2026-11-21     those of that day alone
//	report -config mta.toml -dry DIR            writes the mails to DIR/*.eml, keeps them as due
//
// A day that is not over is reported only with -unfinished.
package main

import (
	"errors"
	"flag"
	"log/slog"
	"os"

	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
)

func main() {
	file := flag.String("config", "/etc/mailauth/mta.toml", "the configuration `file`")
	flag.String("day", "", "the `day` (UTC, YYYY-MM-DD) to report; all that are over if empty")
	flag.String("dry", "", "write the mails to `directory` and send nothing")
	flag.Bool("unfinished", false, "report also a day that is not over")
	flag.Parse()
	if err := run(*file); err != nil {
		slog.Error("report", "error", err)
		os.Exit(1)
	}
}

func run(file string) error {
	if _, err := config.Load(file); err != nil {
		return err
	}
	return errors.New("not there yet")
}
