// Command inbox is a web page that lists the messages of a folder, each with the
// logo of its sender or with initials, and with the verdict behind it. It shows
// what a mail program has to do before it shows a stranger's picture.
//
//	inbox -authserv-id mx.example examples/inbox/testdata
//
// With -authserv-id it believes what that provider wrote into the messages, as a
// mail program does (bimi.Reader), and asks nobody. Without it, it evaluates the
// messages itself; SPF is left out, because a folder knows no SMTP session.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/fetch"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "inbox:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done.
func run(ctx context.Context, args []string, stderr io.Writer) error {
	fs := flag.NewFlagSet("inbox", flag.ContinueOnError)
	fs.SetOutput(stderr)
	addr := fs.String("addr", "localhost:8025", "listen on this `host:port`")
	id := fs.String("authserv-id", "", "believe the Authentication-Results of this provider `name`, and evaluate nothing")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return errors.New("want one folder of message files")
	}
	f := folder{dir: fs.Arg(0)}
	if *id != "" {
		f.judge = delivered{bimi.Reader{AuthservIDs: []string{*id}}}
	} else {
		v := bimi.Draft()
		v.Fetcher = &fetch.Fetcher{}
		f.judge = received{&mailauth.Evaluator{BIMI: &v}}
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "inbox: http://%s/\n", *addr)
	s := &http.Server{Handler: newSite(f, *addr), ReadHeaderTimeout: 5 * time.Second}
	end := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer end()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
