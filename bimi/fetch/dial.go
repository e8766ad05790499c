package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/seed2385d973/mailauth/bimi/internal/weburl"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// maxAddresses is how many addresses of a host are tried.
const maxAddresses = 8

// connect resolves the host, connects to one of its public addresses and does
// TLS. raw is what is under the TLS connection.
func (f *Fetcher) connect(ctx context.Context, u weburl.URL) (conn, raw net.Conn, fail *Failure) {
	addrs, fail := f.addresses(ctx, u.Host)
	if fail != nil {
		return nil, nil, fail
	}
	port := uint16(443)
	if u.Scheme == "http" {
		port = 80
	}
	ctx, cancel := context.WithTimeout(ctx, or(f.ConnectTimeout, DefaultConnectTimeout))
	defer cancel()
	raw, fail = f.dial(ctx, addrs, port)
	if fail != nil || u.Scheme == "http" {
		return raw, raw, fail
	}
	c := tls.Client(raw, &tls.Config{
		ServerName: u.Host.String(),
		RootCAs:    f.RootCAs,
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		Time:       f.Now,
	})
	if err := c.HandshakeContext(ctx); err != nil {
		raw.Close()
		// Alerts come as network errors too.
		var op *net.OpError
		alert := errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
		switch {
		case ctx.Err() != nil:
			return nil, nil, temporary(ErrTimeout)
		case !alert && broken(err):
			return nil, nil, temporary(join(ErrConnect, err))
		}
		return nil, nil, permanent(join(ErrTLS, err))
	}
	return c, raw, nil
}

// addresses returns the public addresses of a host. One that is not public
// beside one that is gets passed over: it may be a mistake, and it is not used.
func (f *Fetcher) addresses(ctx context.Context, host domain.Name) ([]netip.Addr, *Failure) {
	all, fail := f.lookup(ctx, host)
	if fail != nil {
		return nil, fail
	}
	if len(all) == 0 {
		return nil, permanent(ErrNoAddress)
	}
	var addrs []netip.Addr
	for _, a := range all {
		if a = a.Unmap(); f.public(a) {
			addrs = append(addrs, a)
		}
	}
	if len(addrs) == 0 {
		return nil, permanent(ErrAddress)
	}
	return addrs[:min(len(addrs), maxAddresses)], nil
}

func (f *Fetcher) lookup(ctx context.Context, host domain.Name) ([]netip.Addr, *Failure) {
	if f.Resolver == nil {
		// Absolute, so that no search list is applied.
		addrs, err := (&net.Resolver{}).LookupNetIP(ctx, "ip", host.Absolute())
		var d *net.DNSError
		switch {
		case errors.As(err, &d) && d.IsNotFound:
			return nil, nil
		case err != nil:
			return nil, temporary(join(ErrResolve, err))
		}
		return addrs, nil
	}
	sc, done := lookup.For(ctx, f.Resolver, 2)
	defer done()
	sc.Prefetch(host, dnsutil.TypeAAAA)
	var addrs []netip.Addr
	var failed error
	for _, t := range []dnsutil.Type{dnsutil.TypeA, dnsutil.TypeAAAA} {
		a, err := sc.Lookup(ctx, host.Absolute(), t)
		switch {
		case err != nil:
			failed = err
		case a.NXDomain:
			return nil, nil
		default:
			addrs = append(addrs, a.Addrs...)
		}
	}
	// Half an answer is enough to go on with, but not to say that there is none.
	if len(addrs) == 0 && failed != nil {
		return nil, temporary(join(ErrResolve, failed))
	}
	return addrs, nil
}

// dial tries the addresses one after another, each with its share of the time.
func (f *Fetcher) dial(ctx context.Context, addrs []netip.Addr, port uint16) (net.Conn, *Failure) {
	var last error
	for i, a := range addrs {
		share, cancel := ctx, context.CancelFunc(func() {})
		if end, ok := ctx.Deadline(); ok && i < len(addrs)-1 {
			share, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(len(addrs)-i))
		}
		conn, err := f.dialOne(share, netip.AddrPortFrom(a, port))
		cancel()
		if err == nil {
			return conn, nil
		}
		if errors.Is(err, ErrAddress) {
			return nil, permanent(ErrAddress)
		}
		last = err
		if ctx.Err() != nil {
			return nil, temporary(ErrTimeout)
		}
	}
	return nil, temporary(join(ErrConnect, last))
}

func (f *Fetcher) dialOne(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
	if f.UnsafeDial != nil {
		return f.UnsafeDial(ctx, a)
	}
	d := net.Dialer{Control: f.control}
	return d.DialContext(ctx, "tcp", a.String())
}

// control looks at the address that the socket is about to be connected to.
func (f *Fetcher) control(network, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || (network != "tcp4" && network != "tcp6") || a.Port() != 443 && a.Port() != 80 || !f.public(a.Addr().Unmap()) {
		return ErrAddress
	}
	return nil
}

func (f *Fetcher) public(a netip.Addr) bool {
	if f.UnsafePublic != nil {
		return f.UnsafePublic(a)
	}
	return Public(a)
}
