package dnsclient

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil"
)

const (
	headerLen = 12
	// udpSize is what we say we can take in a datagram: it passes unfragmented
	// wherever IPv6 passes.
	udpSize = 1232
	// bufferLen is what we do take from a server that does not listen; what fills
	// it counts as truncated.
	bufferLen = 4096
)

// query is one question as it stands on the wire.
type query struct {
	name     string // lower case, absolute
	t        dnsutil.Type
	msg      []byte
	question []byte // the part of msg that a reply has to repeat
	anyCase  bool   // but for the case of letters
}

// newQuery makes a query with a random ID and case (0x20) for a name that
// domain.ParseQuery has accepted, so that no label holds an escape.
func newQuery(name string, t dnsutil.Type) *query {
	var random [2 + 32]byte
	rand.Read(random[:])
	// RFC 1035, section 4.1.1: RD. RFC 6840: AD asks for AD.
	msg := make([]byte, 0, headerLen+len(name)+1+4+11)
	msg = append(msg, random[0], random[1], 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1)
	n := 0
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		msg = append(msg, byte(len(label)))
		for i := range len(label) {
			c := label[i]
			if 'a' <= c && c <= 'z' && random[2+n/8]>>(n%8)&1 == 1 {
				c -= 'a' - 'A'
			}
			n++
			msg = append(msg, c)
		}
	}
	msg = append(msg, 0)
	msg = binary.BigEndian.AppendUint16(msg, uint16(t))
	msg = binary.BigEndian.AppendUint16(msg, 1) // IN
	end := len(msg)
	// RFC 6891, section 6.1.2: the OPT record, version 0, no options.
	msg = append(msg, 0, 0, 41, udpSize>>8, udpSize&0xff, 0, 0, 0, 0, 0, 0)
	return &query{name: name, t: t, msg: msg, question: msg[headerLen:end]}
}

// plainCase gives the query a new ID and lets the reply have any case: over TCP
// nobody else can answer, and the server may be one that does not keep case.
func (q *query) plainCase() {
	rand.Read(q.msg[:2])
	q.anyCase = true
}

// errTruncated says that the reply has to be had over TCP.
var errTruncated = errors.New("truncated")

// exchange asks one server once. The error is errTruncated, the context's, or
// wraps a constant of dnsutil.
func (q *query) exchange(ctx context.Context, network, server string, timeout time.Duration) (reply, error) {
	deadline := time.Now().Add(timeout)
	dialer := net.Dialer{Deadline: deadline}
	conn, err := dialer.DialContext(ctx, network, server)
	if err != nil {
		return reply{}, netError(ctx, err)
	}
	defer conn.Close()
	conn.SetDeadline(deadline)
	// The end of the context ends the wait. The function is waited for, so that
	// nothing runs on when the look-up has returned.
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.SetDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	defer func() {
		if !stop() {
			<-interrupted
		}
	}()
	if network == "tcp" {
		return q.overTCP(ctx, conn)
	}
	return q.overUDP(ctx, conn)
}

// overUDP waits for the reply and ignores what is none.
func (q *query) overUDP(ctx context.Context, conn net.Conn) (reply, error) {
	if _, err := conn.Write(q.msg); err != nil {
		return reply{}, netError(ctx, err)
	}
	var hint error
	buf := make([]byte, bufferLen)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			if hint != nil && ctx.Err() == nil {
				return reply{}, hint
			}
			return reply{}, netError(ctx, err)
		}
		r, err := q.accept(buf[:n])
		if err == errIgnored {
			// A server that refuses may leave out the question. Anybody can write
			// that, so it does not end the wait; but it may be why it was in vain.
			if n >= headerLen && q.sameID(buf) && binary.BigEndian.Uint16(buf[4:]) == 0 && buf[2]&qr != 0 {
				hint = rcodeError(int(buf[3] & 0xf))
			}
			continue
		}
		if n == len(buf) {
			err = errTruncated
		}
		return r, err
	}
}

// overTCP reads the one reply (RFC 1035, section 4.2.2).
func (q *query) overTCP(ctx context.Context, conn net.Conn) (reply, error) {
	out := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(q.msg)), uint16(len(q.msg)))
	if _, err := conn.Write(append(out, q.msg...)); err != nil {
		return reply{}, netError(ctx, err)
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return reply{}, netError(ctx, err)
	}
	buf := make([]byte, binary.BigEndian.Uint16(length[:])) // 64 KiB at most
	if _, err := io.ReadFull(conn, buf); err != nil {
		return reply{}, netError(ctx, err)
	}
	r, err := q.accept(buf)
	if err == errIgnored {
		return reply{}, fmt.Errorf("%w: not a reply to the query", dnsutil.ErrAnswer)
	}
	return r, err
}

// netError gives an error of package net a constant. What ends the context comes first.
func netError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return dnsutil.ErrTimeout
	}
	return fmt.Errorf("%w: %w", dnsutil.ErrNetwork, err)
}
