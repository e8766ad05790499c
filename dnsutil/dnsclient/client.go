// Package dnsclient asks DNS servers that resolve recursively, and believes
// their replies only as far as it can check them.
//
// A query goes out over UDP from a port of the system's choosing, with a random
// ID and random letter case in the name, and asks for datagrams of at most 1232
// octets (RFC 6891) and for the AD bit (RFC 6840). A datagram with
// another ID, another question, without the QR bit or with another opcode is
// no reply: it is ignored, and the wait goes on, so that nobody can end a query by guessing.
// A reply that is truncated, or right in all but the letter case, is asked for
// again over TCP. From a reply only the records of the type asked for are taken,
// at the name asked for or at the end of its chain of CNAMEs.
//
// # Limits
//
// 5 s a try, one retry, TCP once a try, 8 CNAMEs, 64 KiB a reply.
package dnsclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/internal/rr"
	"github.com/seed2385d973/mailauth/internal/domain"
)

// defaultTimeout is long enough for a recursive server to give up on a dead zone
// itself, and to say so.
const defaultTimeout = 5 * time.Second

// Client is a [dnsutil.Resolver] that asks DNS servers. The zero value asks the
// system's. It is safe for concurrent use; set the fields before the first
// look-up and do not copy it after. It keeps no connection and no goroutine, and no
// answers: put a dnsutil.Cache in front.
type Client struct {
	// Servers are the servers to ask, in this order: an address or a host name,
	// each with or without ":port"; 53 is the default. They must resolve
	// recursively. None means those of /etc/resolv.conf, at most three, which is
	// read again when it changes, and the local machine where it names none. Its
	// options are not used.
	Servers []string

	// Timeout is how long to wait for one server; TCP has as much again. Zero
	// means 5 s, and so does anything below zero. The context can only shorten it.
	Timeout time.Duration

	system systemServers
	last   atomic.Uint32 // the server that answered last is asked first
}

// Lookup implements [dnsutil.Resolver]. It asks one server after another until
// one gives a usable answer; a single server is asked again once if it is silent.
// So it takes at most Timeout times twice the number of servers (TCP included),
// or four times Timeout with one.
//
// The error wraps one of the constants of package dnsutil, which says what the
// first server that said anything said: ErrServFail, ErrRefused, ErrFormErr,
// ErrNotImp, ErrRcode, ErrLame, ErrAnswer, ErrChain, ErrTruncated, else
// ErrTimeout or ErrNetwork; ErrName or ErrType if nothing was sent; or it is the
// context's.
//
// Answer.Authentic is the server's word (AD). It is worth what the server, and the
// path to it, are worth.
func (c *Client) Lookup(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
	if _, err := domain.ParseQuery(name); err != nil || !strings.HasSuffix(name, ".") {
		return dnsutil.Answer{}, fmt.Errorf("%w: %q", dnsutil.ErrName, name)
	}
	switch t {
	case dnsutil.TypeA, dnsutil.TypeAAAA, dnsutil.TypeTXT, dnsutil.TypeMX, dnsutil.TypePTR, dnsutil.TypeCNAME, dnsutil.TypeCAA:
	default:
		return dnsutil.Answer{}, fmt.Errorf("%w: %s", dnsutil.ErrType, t)
	}
	var whole reply
	at := strings.ToLower(name)
	for first := true; ; first = false {
		r, err := c.ask(ctx, at, t)
		if err == nil && !first {
			r = whole.then(r)
		}
		if err == nil && len(r.answer.Chain) > rr.MaxChain {
			err = dnsutil.ErrChain
		}
		if err != nil {
			return dnsutil.Answer{}, fmt.Errorf("%s %s: %w", t, name, err)
		}
		if r.next == "" {
			return r.answer, nil
		}
		// The server left the end of the chain to us.
		if _, err := domain.ParseQuery(r.next); err != nil {
			return dnsutil.Answer{}, fmt.Errorf("%s %s: %w: CNAME to %q", t, name, dnsutil.ErrName, r.next)
		}
		whole, at = r, r.next
	}
}

// then is the answer of r, whose chain ends in a question to which s is the reply.
func (r reply) then(s reply) reply {
	a := s.answer
	a.Chain = slices.Concat(r.answer.Chain, a.Chain)
	a.Authentic = a.Authentic && r.answer.Authentic
	if r.hasTTL {
		if !s.hasTTL || r.answer.TTL < a.TTL {
			a.TTL = r.answer.TTL
		}
		s.hasTTL = true
	}
	s.answer = a
	return s
}

// ask asks one question of the servers.
func (c *Client) ask(ctx context.Context, name string, t dnsutil.Type) (reply, error) {
	servers := c.Servers
	if len(servers) == 0 {
		servers = c.system.get()
	}
	start := int(c.last.Load())
	var said, silent error
	for i := range max(2, len(servers)) {
		if i >= len(servers) && said != nil {
			break // it would say the same again
		}
		n := (start + i) % len(servers)
		r, err := c.try(ctx, servers[n], name, t)
		if err == nil {
			c.last.Store(uint32(n))
			return r, nil
		}
		if ctx.Err() != nil {
			return reply{}, ctx.Err()
		}
		err = fmt.Errorf("%w (server %s)", err, servers[n])
		switch {
		case said != nil:
		case !errors.Is(err, dnsutil.ErrTimeout) && !errors.Is(err, dnsutil.ErrNetwork) || errors.Is(err, dnsutil.ErrTruncated):
			said = err
		default:
			silent = err
		}
	}
	if said != nil {
		return reply{}, said
	}
	return reply{}, silent
}

// try asks one server, over TCP too if need be.
func (c *Client) try(ctx context.Context, server, name string, t dnsutil.Type) (reply, error) {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	q := newQuery(name, t)
	r, err := q.exchange(ctx, "udp", address(server), timeout)
	if err != errTruncated {
		return r, err
	}
	q.plainCase()
	r, err = q.exchange(ctx, "tcp", address(server), timeout)
	switch {
	case err == errTruncated:
		return reply{}, fmt.Errorf("%w, over TCP too", dnsutil.ErrTruncated)
	case errors.Is(err, dnsutil.ErrNetwork), errors.Is(err, dnsutil.ErrTimeout):
		return reply{}, fmt.Errorf("%w: %w", dnsutil.ErrTruncated, err)
	}
	return r, err
}

// address adds the port where there is none.
func address(server string) string {
	if ip, err := netip.ParseAddr(server); err == nil {
		return netip.AddrPortFrom(ip, 53).String()
	}
	if _, _, err := net.SplitHostPort(server); err == nil {
		return server
	}
	return net.JoinHostPort(server, "53")
}
