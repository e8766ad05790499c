// Command mailauth shows the whole library at work and is a black-box seam to it
// for scripts and other languages. It is an ordinary user of the exported API.
//
//	mailauth evaluate [flags] [message.eml]   everything about one message; without arguments a built-in sample
//	mailauth spf|dkim|arc|dmarc [flags] [message.eml]   one protocol alone
//	mailauth sign [flags] [message.eml]       the message with DKIM-Signature fields in front
//	mailauth seal [flags] [message.eml]       the message with an ARC set in front
//	mailauth keygen [flags]                   a key pair and the record to publish
//	mailauth records [flags] <domain>         the records to publish, step by step
//	mailauth lookup [flags] <domain> [selector ...]   what a domain publishes
//	mailauth report [flags] <file>...         DMARC reports, added up: files, folders, mboxes
//	mailauth batch                            JSON lines in, JSON lines out
//
// "mailauth <command> -h" lists the flags. Exit status: 0 evaluated, 1 the
// message or a flag is unusable, 2 usage.
//go:debug rsa1024min=0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// usageError is a mistake in how the command was called: exit status 2.
type usageError struct{ error }

// run is main without the process around it, so that tests can call it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, stdin, stdout, stderr)
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "mailauth:", err)
		return 2
	default:
		fmt.Fprintln(stderr, "mailauth:", err)
		return 1
	}
}

func dispatch(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return usageError{errors.New("no command given")}
	}
	switch cmd, rest := args[0], args[1:]; cmd {
	case "evaluate", "spf", "dkim", "arc", "dmarc":
		return evaluateCommand(ctx, cmd, rest, stdin, stdout, stderr)
	case "bimi":
		return bimiCommand(ctx, rest, stdin, stdout, stderr)
	case "sign":
		return signCommand(rest, stdin, stdout, stderr)
	case "seal":
		return sealCommand(ctx, rest, stdin, stdout, stderr)
	case "keygen":
		return keygenCommand(rest, stdout, stderr)
	case "records":
		return recordsCommand(rest, stdout, stderr)
	case "lookup":
		return lookupCommand(ctx, rest, stdout, stderr)
	case "report":
		return reportCommand(ctx, rest, stdin, stdout, stderr)
	case "batch":
		if len(rest) > 0 {
			return usageError{errors.New("batch takes no arguments")}
		}
		return batch(ctx, stdin, stdout)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return nil
	default:
		fmt.Fprint(stderr, usage)
		return usageError{fmt.Errorf("unknown command %q", cmd)}
	}
}

const usage = `usage:
  mailauth evaluate [flags] [message.eml]        everything about one message (default: the built-in sample)
  mailauth spf|dkim|arc|dmarc [flags] [message.eml] one protocol alone
  mailauth bimi [flags] [message.eml]            whether a logo may be shown; -check <domain> for its owner
  mailauth sign [flags] [message.eml]            the message with DKIM-Signature fields in front
  mailauth seal [flags] [message.eml]            the message with an ARC set in front
  mailauth keygen [flags]                        a key pair and the DNS record to publish
  mailauth records [flags] <domain>              the records to publish, step by step
  mailauth lookup [flags] <domain> [selector...] what a domain publishes, explained and checked
  mailauth report [flags] <file>...              DMARC reports, added up: files, folders, mboxes
  mailauth batch                                 JSON lines in, JSON lines out
Flags of a command: mailauth <command> -h
`
