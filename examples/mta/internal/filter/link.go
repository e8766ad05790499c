package filter

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-milter"
)

// maxPacket bounds one packet of the MTA, as the milter library does. MTAs send bodies
// in chunks of 64 KiB, and no header field that is longer.
const maxPacket = 1 << 20

// What of the protocol we want. Nothing is answered before the end of the message,
// and what we have no use for is not sent; so a message costs one round trip.
//
// On TCP every packet is answered all the same, and DATA asked for to be answered.
// Postfix writes packets one by one. Where it writes two without an answer between
// them (the macros of DATA and the first header field are two even if DATA itself is
// not wanted), the second waits for the acknowledgement of the first (Nagle's
// algorithm), and that waits in our kernel for an answer to travel with: 40 ms a message.
const (
	wantActions  = milter.OptAddHeader | milter.OptChangeHeader | milter.OptQuarantine
	wantProtocol = milter.OptNoUnknown | milter.OptHeaderLeadingSpace
	wantSilence  = milter.OptNoData | milter.OptNoConnReply | milter.OptNoHeloReply | milter.OptNoMailReply |
		milter.OptNoRcptReply | milter.OptNoHeaderReply | milter.OptNoEOHReply | milter.OptNoBodyReply
	needActions = milter.OptAddHeader | milter.OptChangeHeader
)

const maxVersion = 6

// Things that an MTA says and a milter library should not have to suffer.
var (
	errPacket   = errors.New("malformed packet")
	errActions  = errors.New("the MTA does not let a milter add and change header fields")
	errShutdown = errors.New("shutting down")
)

// link is the connection beneath the milter library: it is what the library reads
// packets from and writes them to. It supplies what the library does not have, which
// is why it looks into the packets that pass:
//
//   - The library answers SMFIC_OPTNEG without looking at what the MTA offers, and as
//     version 2. The link answers with what both sides know, version 6 included.
//   - It does not tell a Milter that the connection has ended.
//   - It drops the ESMTP parameters of MAIL (SMTPUTF8), and with a net.IP the
//     "IPv6:" addresses of Sendmail.
//   - It keeps all header fields of all messages of a connection until SMFIC_ABORT, and
//     reads a field without a name as one without a value. Fields do not reach it.
//   - It knows no time limits, and closes on commands that it does not know.
type link struct {
	net.Conn
	r       *bufio.Reader
	timeout time.Duration
	session *session
	ended   func() // once, when the connection has ended

	frame, rest []byte // one packet, and what of it was not read yet
	answering   bool   // the next packet written answers SMFIC_OPTNEG
	finished    bool   // the last packet was the end of a message
	version     uint32 // negotiated, with the next two
	actions     milter.OptAction
	protocol    milter.OptProtocol

	once sync.Once

	mu      sync.Mutex
	busy    bool // within a message
	closing bool // no further message
}

func newLink(c net.Conn, timeout time.Duration, ended func()) *link {
	return &link{Conn: c, r: bufio.NewReaderSize(c, 4<<10), timeout: timeout, ended: ended}
}

// Read gives the library the next octets of a packet.
func (l *link) Read(p []byte) (int, error) {
	for len(l.rest) == 0 {
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// next reads a packet; it leaves none for the library where the link has dealt with it.
func (l *link) next() error {
	if l.finished {
		l.finished = false
		l.setBusy(false)
	}
	if l.isClosing() {
		return errShutdown
	}
	if err := l.SetReadDeadline(time.Now().Add(l.timeout)); err != nil {
		return err
	}
	var head [4]byte
	if _, err := io.ReadFull(l.r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > maxPacket {
		return fmt.Errorf("%w: length %d", errPacket, n)
	}
	if cap(l.frame) > 256<<10 {
		l.frame = nil
	}
	l.frame = append(l.frame[:0], head[:]...)
	// The length is the MTA's word; nothing is allocated for octets that do not come.
	body := bytes.NewBuffer(l.frame)
	if _, err := io.CopyN(body, l.r, int64(n)); err != nil {
		return err
	}
	l.frame = body.Bytes()
	return l.look(milter.Code(l.frame[4]), l.frame[5:])
}

// look takes from a packet what the library would not pass on.
func (l *link) look(code milter.Code, data []byte) error {
	l.rest = l.frame
	switch code {
	case milter.CodeOptNeg:
		l.answering = true
		return l.negotiate(data)
	case milter.CodeConn:
		l.session.client(clientAddr(data))
	case milter.CodeMail:
		if !l.setBusy(true) {
			return errShutdown
		}
		l.session.envelope = cstrings(data)
	case milter.CodeHeader:
		name, rest, ok := bytes.Cut(data, []byte{0})
		value, rest, ok2 := bytes.Cut(rest, []byte{0})
		if !ok || !ok2 || len(name) == 0 || len(rest) > 0 {
			return fmt.Errorf("%w: header field", errPacket)
		}
		l.rest = nil
		l.session.field(name, value)
		return l.reply(milter.OptNoHeaderReply)
	case milter.CodeEOB:
		l.finished = true
	case milter.CodeAbort:
		l.setBusy(false)
	case milter.CodeQuitNewConn: // Sendmail keeps the connection for its next client
		l.setBusy(false)
		l.session.client(netip.Addr{})
		// To the library it is SMFIC_ABORT, with which it forgets macros as well.
		l.rest = append(l.frame[:0], 0, 0, 0, 1, byte(milter.CodeAbort))
	case milter.CodeData:
		l.rest = nil
		return l.reply(milter.OptNoData)
	case 'U': // SMFIC_UNKNOWN, from an MTA that cannot leave it out
		l.rest = nil
		return l.reply(milter.OptNoUnknown)
	}
	return nil
}

// reply answers a packet that the library does not see, unless no answer is wanted.
func (l *link) reply(unless milter.OptProtocol) error {
	if l.protocol&unless != 0 {
		return nil
	}
	_, err := l.Write([]byte{0, 0, 0, 1, byte(milter.ActContinue)})
	return err
}

// negotiate settles on what both sides know. An MTA that asks whether we insist on
// something is told no, but for changing header fields.
func (l *link) negotiate(data []byte) error {
	if len(data) < 12 {
		return fmt.Errorf("%w: negotiation", errPacket)
	}
	l.version = min(binary.BigEndian.Uint32(data), maxVersion)
	l.actions = milter.OptAction(binary.BigEndian.Uint32(data[4:])) & wantActions
	want := milter.OptProtocol(wantProtocol | wantSilence)
	if _, tcp := l.Conn.(*net.TCPConn); tcp {
		want = wantProtocol
	}
	l.protocol = milter.OptProtocol(binary.BigEndian.Uint32(data[8:])) & want
	if l.version < 2 || l.actions&needActions != needActions {
		return errActions
	}
	return nil
}

// Write takes a packet of the library.
func (l *link) Write(p []byte) (int, error) {
	if err := l.SetWriteDeadline(time.Now().Add(l.timeout)); err != nil {
		return 0, err
	}
	if !l.answering {
		return l.Conn.Write(p)
	}
	l.answering = false
	out := binary.BigEndian.AppendUint32(nil, 13)
	out = append(out, byte(milter.CodeOptNeg))
	out = binary.BigEndian.AppendUint32(out, l.version)
	out = binary.BigEndian.AppendUint32(out, uint32(l.actions))
	out = binary.BigEndian.AppendUint32(out, uint32(l.protocol))
	_, err := l.Conn.Write(out)
	return len(p), err
}

// Close is called by the library when it is done with the connection, whatever
// happened: the MTA has gone, said good-bye, or a callback has panicked.
func (l *link) Close() error {
	err := l.Conn.Close()
	l.once.Do(func() {
		l.session.reset()
		l.ended()
	})
	return err
}

// setBusy says whether a message is under way; false if none may begin.
func (l *link) setBusy(busy bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if busy && l.closing {
		return false
	}
	l.busy = busy
	return true
}

func (l *link) isClosing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closing && !l.busy
}

// shut ends the connection after the message that is under way, if any.
func (l *link) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing = true
	if !l.busy {
		l.Conn.Close() // which wakes its reader
	}
}

// clientAddr reads the address of SMFIC_CONNECT; the zero Addr if there is none.
func clientAddr(data []byte) netip.Addr {
	_, rest, _ := bytes.Cut(data, []byte{0}) // the host name
	if len(rest) < 3 || rest[0] != byte(milter.FamilyInet) && rest[0] != byte(milter.FamilyInet6) {
		return netip.Addr{}
	}
	text, _, _ := strings.Cut(string(rest[3:]), "\x00")
	if len(text) > 5 && strings.EqualFold(text[:5], "IPv6:") {
		text = text[5:]
	}
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

func cstrings(data []byte) []string {
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}
