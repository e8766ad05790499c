// Package sample is a message to try things on, offline: a bank's statement that
// reached its reader through a university's forwarder, with a forged
// Authentication-Results field on top.
package sample

import (
	_ "embed"
	"net/netip"
	"time"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

//go:embed message.eml
var message []byte

//go:embed zone.txt
var zone string

// Message returns a copy of the message.
func Message() []byte { return append([]byte(nil), message...) }

// Zone returns the DNS that belongs to it.
func Zone() *dnstest.Zone { return dnstest.MustParse(zone) }

// Session returns the SMTP session in which the forwarder handed it in.
func Session() mailauth.Session {
	return mailauth.Session{
		IP:       netip.MustParseAddr("192.0.2.53"),
		HELO:     "mx.alumni.example",
		MailFrom: "bounces@bank.example",
		Receiver: "mx.example.net",
		Time:     time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
	}
}
