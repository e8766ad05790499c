package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dnsutil"
)

// recording is what a verdict depends on besides the message and the flags that
// configure us: who sent it, when, and what the DNS said. With the message it
// is all that somebody else needs to see the same verdict, offline.
type recording struct {
	IP       string            `json:"ip,omitempty"`
	HELO     string            `json:"helo,omitempty"`
	MailFrom string            `json:"mail_from,omitempty"`
	Receiver string            `json:"receiver,omitempty"`
	Time     time.Time         `json:"time"`
	DNS      dnsutil.Recording `json:"dns"`
}

func (o *options) recordingFlags() {
	o.fs.StringVar(&o.record, "record", "", "keep the session, the time and every DNS answer in this `file`")
	o.fs.StringVar(&o.replay, "replay", "", "repeat what -record kept in this `file`; no packet is sent")
}

// replayed is the session and the DNS of the file of -replay.
func (o *options) replayed() (s mailauth.Session, r dnsutil.Resolver, err error) {
	if o.ip != "" || o.helo != "" || o.from != "" || o.now != "" || o.dnsFile != "" || o.server != "" || o.record != "" {
		return s, nil, usageError{errors.New("-replay has session, time and DNS in its file and excludes the flags that say them")}
	}
	data, err := os.ReadFile(o.replay)
	if err != nil {
		return s, nil, err
	}
	var rec recording
	if err := json.Unmarshal(data, &rec); err != nil {
		return s, nil, fmt.Errorf("%s: %w", o.replay, err)
	}
	s = mailauth.Session{HELO: rec.HELO, MailFrom: rec.MailFrom, Receiver: rec.Receiver, Time: rec.Time}
	if rec.IP != "" {
		if s.IP, err = netip.ParseAddr(rec.IP); err != nil {
			return s, nil, fmt.Errorf("%s: %w", o.replay, err)
		}
	}
	return s, rec.DNS.Replay(), nil
}

// keep writes the file of -record. It holds names and addresses of people who
// write to each other, so only its owner may read it.
func (o *options) keep(s mailauth.Session, r *dnsutil.Recorder) error {
	rec := recording{HELO: s.HELO, MailFrom: s.MailFrom, Receiver: s.Receiver, Time: s.Time, DNS: r.Recording()}
	if s.IP.IsValid() {
		rec.IP = s.IP.String()
	}
	data, err := json.MarshalIndent(rec, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.record, append(data, '\n'), 0o600)
}
