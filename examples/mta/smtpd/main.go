// Command smtpd: see the README.
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
	flag.Parse()
	if err := run(*file); err != nil {
		slog.Error("smtpd", "error", err)
		os.Exit(1)
	}
}

func run(file string) error {
	if _, err := config.Load(file); err != nil {
		return err
	}
	return errors.New("not there yet")
}
