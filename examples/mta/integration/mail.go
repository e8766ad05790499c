package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dkim"
)

var serial atomic.Int64

// letter is what a message is written from.
type letter struct {
	from, to, subject string
	fields            string // more of them, each with its CRLF
	body              string
	signers           []dkim.Signer
}

// text returns the message with CRLF line ends, and its Message-ID.
func (l letter) text() (text, id string, err error) {
	id = fmt.Sprintf("<%d@test>", serial.Add(1))
	if l.body == "" {
		l.body = "Good morning!\r\n.\r\nA line with a dot above.\r\n"
	}
	if l.subject == "" {
		l.subject = "Good morning"
	}
	text = l.fields + "From: " + l.from + "\r\nTo: " + l.to + "\r\nSubject: " + l.subject + "\r\nDate: " +
		time.Now().Format(time.RFC1123Z) + "\r\nMessage-ID: " + id + "\r\nMIME-Version: 1.0\r\n\r\n" + l.body
	if len(l.signers) == 0 {
		return text, id, nil
	}
	fields, err := dkim.Sign(strings.NewReader(text), l.signers...)
	return fields + text, id, err
}

// delivered is a message as it lies in a Maildir or a queue, with bare line feeds.
type delivered struct {
	file string
	data string
}

func readMaildir(dir string) (all []delivered) {
	for _, sub := range []string{"new", "cur"} {
		files, _ := os.ReadDir(filepath.Join(dir, sub))
		for _, f := range files {
			name := filepath.Join(dir, sub, f.Name())
			if b, err := os.ReadFile(name); err == nil {
				all = append(all, delivered{name, strings.ReplaceAll(string(b), "\r\n", "\n")})
			}
		}
	}
	return all
}

// with returns the messages that have this Message-ID.
func with(id string, all []delivered) (found []delivered) {
	for _, d := range all {
		if head := d.header(); strings.Contains(head, "\nMessage-ID: "+id+"\n") || strings.HasPrefix(head, "Message-ID: "+id+"\n") {
			found = append(found, d)
		}
	}
	return found
}

// header is everything above the first empty line, with its last line end.
func (d delivered) header() string {
	if head, _, ok := strings.Cut(d.data, "\n\n"); ok {
		return head + "\n"
	}
	return d.data
}

func (d delivered) body() string {
	_, body, _ := strings.Cut(d.data, "\n\n")
	return body
}

// fields returns name and value of each field, top first, the value still folded.
func (d delivered) fields() (all [][2]string) {
	for line := range strings.Lines(d.header()) {
		if (line[0] == ' ' || line[0] == '\t') && len(all) > 0 {
			all[len(all)-1][1] += line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		all = append(all, [2]string{name, value})
	}
	return all
}

func (d delivered) values(name string) (values []string) {
	for _, f := range d.fields() {
		if strings.EqualFold(f[0], name) {
			values = append(values, f[1])
		}
	}
	return values
}

// results are those of the Authentication-Results fields of one authserv-id. A field
// that the strict parser refuses is an error.
func (d delivered) results(authservID string) (found []authres.Header, err error) {
	for _, v := range d.values("Authentication-Results") {
		h, e := authres.Parse(strings.ReplaceAll(strings.TrimSuffix(v, "\n"), "\n", "\r\n"))
		switch {
		case e != nil && strings.Contains(v, authservID):
			err = fmt.Errorf("%q: %w", v, e)
		case e == nil && h.IsFrom(authservID):
			found = append(found, h)
		}
	}
	return found, err
}

// top is the name of the first field that is not one of the delivery agent's, which
// stand above everything an MTA writes.
func (d delivered) top() (name, value string) {
	for _, f := range d.fields() {
		switch f[0] {
		case "Return-Path", "X-Original-To", "Delivered-To":
		default:
			return f[0], f[1]
		}
	}
	return "", ""
}

// say is the status of a method in the only Authentication-Results of an
// authserv-id: "pass", "fail"; all statuses, in order, where there are several. Of SPF
// it is that of MAIL FROM, which DMARC looks at, and not the one of HELO beside it.
func (d delivered) say(authservID, method string) string {
	all, err := d.results(authservID)
	if err != nil {
		return err.Error()
	}
	if len(all) != 1 {
		return fmt.Sprintf("%d fields", len(all))
	}
	var words []string
	for i, r := range all[0].Find(method) {
		if method == "spf" && i > 0 {
			break
		}
		words = append(words, string(r.Status))
	}
	return strings.Join(words, " ")
}
