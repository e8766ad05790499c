package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnsclient"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

// options are the flags that all commands share.
type options struct {
	ip, helo, from, authserv, now string
	dnsFile, server               string
	json, raw, honorReject        bool

	key string // of lookup and seal

	preset, httpFile string // of evaluate and bimi
	check            bool   // of bimi
	record, replay   string // of evaluate and its parts

	trust            []string // of evaluate, arc and dmarc
	domain, selector string   // of seal
	fieldOnly        bool

	fs     *flag.FlagSet
	stdin  io.Reader
	stderr io.Writer
}

func parseFlags(name string, args []string, stderr io.Writer) (*options, []string, error) {
	o := &options{stderr: stderr, fs: flag.NewFlagSet("mailauth "+name, flag.ContinueOnError)}
	o.fs.SetOutput(stderr)
	o.fs.StringVar(&o.ip, "ip", "", "the client's IP `address`; without it there is no SPF check")
	o.fs.StringVar(&o.helo, "helo", "", "the client's HELO or EHLO `name`")
	o.fs.StringVar(&o.from, "from", "", "the MAIL FROM `address`; <> for the null reverse-path")
	o.fs.StringVar(&o.authserv, "authserv-id", "", "our `name` in Authentication-Results (default localhost)")
	o.fs.StringVar(&o.now, "now", "", "the time of receipt, as RFC 3339 (default: now)")
	o.fs.StringVar(&o.dnsFile, "dns", "", "answer from this `file` only, zone text or JSON; no packet is sent")
	o.fs.StringVar(&o.server, "server", "", "ask this DNS server, `host:port`, in place of the system's")
	o.fs.BoolVar(&o.json, "json", false, "print the result object of batch")
	o.fs.BoolVar(&o.raw, "raw", false, "leave the line ends of the message file alone")
	if name == "evaluate" {
		o.fs.BoolVar(&o.honorReject, "honor-reject", false, "reject what fails under p=reject (RFC 9989, section 7.4 advises against)")
	}
	if name == "evaluate" || name == "bimi" {
		o.bimiFlags(name)
	}
	switch name {
	case "evaluate", "spf", "dkim", "arc", "dmarc":
		o.recordingFlags()
	}
	switch name {
	case "evaluate", "arc", "dmarc":
		o.fs.Func("trust", "an ARC sealer whose word counts, `domain` or *.domain; may be repeated", func(v string) error {
			o.trust = append(o.trust, v)
			return nil
		})
	case "seal":
		o.fs.StringVar(&o.domain, "domain", "", "the sealing `domain`")
		o.fs.StringVar(&o.selector, "selector", "", "the `name` of the key")
		o.fs.StringVar(&o.key, "key", "", "a PEM `file` with the private key")
		o.fs.BoolVar(&o.fieldOnly, "field", false, "print the fields alone, without the message")
	case "lookup":
		o.fs.StringVar(&o.key, "key", "", "check that the selector's key is the public half of the one in this PEM `file`")
	}
	if err := o.fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, nil, err
		}
		return nil, nil, usageError{err}
	}
	return o, o.fs.Args(), nil
}

// set reports whether any flag was given.
func (o *options) set() bool {
	n := 0
	o.fs.Visit(func(f *flag.Flag) {
		if f.Name != "json" && f.Name != "preset" && f.Name != "honor-reject" && f.Name != "authserv-id" {
			n++
		}
	})
	return n > 0
}

func (o *options) resolver() (dnsutil.Resolver, error) {
	switch {
	case o.dnsFile != "" && o.server != "":
		return nil, usageError{errors.New("-dns and -server exclude each other")}
	case o.dnsFile != "":
		text, err := os.ReadFile(o.dnsFile)
		if err != nil {
			return nil, err
		}
		z, err := dnstest.Parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.dnsFile, err)
		}
		return z, nil
	case o.server != "":
		return &dnsclient.Client{Servers: []string{o.server}}, nil
	}
	return &dnsclient.Client{}, nil
}

func (o *options) session() (mailauth.Session, error) {
	s := mailauth.Session{HELO: o.helo, MailFrom: o.from, Receiver: o.authserv}
	if s.MailFrom == "<>" {
		s.MailFrom = ""
	}
	if o.ip != "" {
		ip, err := netip.ParseAddr(o.ip)
		if err != nil {
			return s, fmt.Errorf("-ip: %w", err)
		}
		s.IP = ip
	}
	if o.now != "" {
		t, err := time.Parse(time.RFC3339, o.now)
		if err != nil {
			return s, fmt.Errorf("-now: %w", err)
		}
		s.Time = t
	}
	return s, nil
}

// readMessage reads a message file. Mail stores keep LF alone; such a file is
// read with CRLF, and the reader is told so. "-" is standard input.
func (o *options) readMessage(path string) ([]byte, error) {
	var data []byte
	var err error
	if path == "-" {
		path = "the message"
		data, err = io.ReadAll(o.stdin)
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	if o.raw || bytes.IndexByte(data, '\n') < 0 || bytes.Contains(data, []byte("\r\n")) {
		return data, nil
	}
	fmt.Fprintf(o.stderr, "mailauth: %s has LF line ends; read with CRLF (-raw leaves them)\n", path)
	return io.ReadAll(message.CRLF(bytes.NewReader(data)))
}

func oneFile(args []string) (string, error) {
	if len(args) != 1 {
		return "", usageError{fmt.Errorf("want one message file, have %d arguments: %s", len(args), strings.Join(args, " "))}
	}
	return args[0], nil
}
