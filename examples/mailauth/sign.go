package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dkim"
)

// signCommand puts DKIM-Signature fields in front of a message.
func signCommand(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var s dkim.Signer
	var selectors, keys []string
	var now string
	var fieldOnly bool
	o := &options{stderr: stderr, stdin: stdin, fs: newFlagSet("sign", stderr)}
	o.fs.StringVar(&s.Domain, "domain", "", "the signing `domain`, the author's")
	o.fs.Func("selector", "the `name` of the key; may be repeated, once for each -key", appendTo(&selectors))
	o.fs.Func("key", "a PEM `file` with the private key; may be repeated", appendTo(&keys))
	o.fs.StringVar(&s.Identity, "identity", "", "i=, an `address` of the domain")
	o.fs.StringVar(&s.Canonicalization, "c", "", "`header/body` canonicalization (default relaxed/relaxed)")
	o.fs.Func("headers", "h= itself: `names` separated by colons, in place of the usual ones", func(v string) error {
		s.Fields = strings.Split(v, ":")
		return nil
	})
	o.fs.DurationVar(&s.Expires, "expires", 0, "how long the signature is good (default: no limit)")
	o.fs.StringVar(&now, "now", "", "t=, as RFC 3339 (default: now)")
	o.fs.BoolVar(&s.AllowThirdParty, "third-party", false, "sign for authors of other domains, too; their DMARC does not profit from it")
	o.fs.BoolVar(&o.raw, "raw", false, "leave the line ends of the message alone")
	o.fs.BoolVar(&fieldOnly, "field", false, "print the fields alone, without the message")
	files, err := parseArgs(o.fs, args)
	if err != nil {
		return err
	}
	if s.Domain == "" || len(keys) == 0 || len(keys) != len(selectors) {
		return usageError{errors.New("sign wants -domain, and a -selector for each -key")}
	}
	if len(files) == 0 {
		files = []string{"-"}
	}
	file, err := oneFile(files)
	if err != nil {
		return err
	}
	at, err := parseTime("-now", now)
	if err != nil {
		return err
	}
	s.Now = func() time.Time { return at }
	signers := make([]dkim.Signer, len(keys))
	for i := range keys {
		signers[i] = s
		signers[i].Selector = selectors[i]
		key, err := readKey(keys[i])
		if err != nil {
			return err
		}
		signers[i].Key = key
	}
	data, err := o.readMessage(file)
	if err != nil {
		return err
	}
	fields, err := dkim.Sign(bytes.NewReader(data), signers...)
	if err != nil {
		return err
	}
	if fieldOnly {
		data = nil
	}
	_, err = io.WriteString(stdout, fields+string(data))
	return err
}

func newFlagSet(name string, stderr io.Writer) *flag.FlagSet {
	fs := flag.NewFlagSet("mailauth "+name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	return fs
}

func parseArgs(fs *flag.FlagSet, args []string) ([]string, error) {
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, usageError{err}
	}
	return fs.Args(), nil
}

func appendTo(list *[]string) func(string) error {
	return func(v string) error {
		*list = append(*list, v)
		return nil
	}
}

func parseTime(name, s string) (time.Time, error) {
	if s == "" {
		return time.Now(), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

func readKey(path string) (*dkim.Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := dkim.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// opSign answers with the complete field. headers is h= itself; without it the
// usual fields are signed. expires is x=: a time as RFC 3339 or in Unix seconds,
// or seconds after now, which are told from a time by being less than 1e9.
func opSign(_ context.Context, q *request) (any, error) {
	var in struct {
		Selector string   `json:"selector"`
		Key      string   `json:"key_pem"`
		Headers  []string `json:"headers"`
		Identity string   `json:"identity"`
		Expires  any      `json:"expires"`
	}
	if err := json.Unmarshal(q.line, &in); err != nil {
		return nil, fmt.Errorf("bad request: %w", err)
	}
	if q.Message == nil {
		return nil, errNoMessage
	}
	now, err := q.time()
	if err != nil {
		return nil, err
	}
	key, err := dkim.ParseKey([]byte(in.Key))
	if err != nil {
		return nil, fmt.Errorf("key_pem: %w", err)
	}
	s := dkim.Signer{Domain: q.Domain, Selector: in.Selector, Key: key, Identity: in.Identity, Canonicalization: q.Canonicalization}
	s.Now = func() time.Time { return now }
	if len(in.Headers) > 0 {
		s.Fields = in.Headers
	}
	if s.Expires, err = expires(in.Expires, now); err != nil {
		return nil, err
	}
	field, err := dkim.Sign(bytes.NewReader(q.Message), s)
	if err != nil {
		return nil, err
	}
	return map[string]string{"field": field}, nil
}

// expires returns how long after now a signature is good, 0 for ever.
func expires(v any, now time.Time) (time.Duration, error) {
	var seconds float64
	switch v := v.(type) {
	case nil:
		return 0, nil
	case float64:
		seconds = v
	case string:
		if v == "" {
			return 0, nil
		}
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return after(t.Unix(), now)
		}
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("expires: %q is neither a time as RFC 3339 nor a number of seconds", v)
		}
		seconds = float64(n)
	default:
		return 0, errors.New("expires: neither a time nor a number")
	}
	const isTime, longest = 1e9, 1e12
	switch {
	case seconds > longest || seconds < -longest:
		return 0, errors.New("expires: out of range")
	case seconds >= isTime:
		return after(int64(seconds), now)
	case seconds == 0:
		return after(now.Unix(), now)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// after makes a time that is not after now as wrong as it is: zero would mean
// that there is none.
func after(unix int64, now time.Time) (time.Duration, error) {
	n := unix - now.Unix()
	if n > 1<<33 || n < -1<<33 {
		return 0, errors.New("expires: more than 270 years away")
	}
	if n == 0 {
		return -1, nil
	}
	return time.Duration(n) * time.Second, nil
}
