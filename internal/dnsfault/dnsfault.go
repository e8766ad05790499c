// Package dnsfault is a DNS server on loopback that answers from a zone and gives
// one question a wrong answer, so that tests can see what a whole evaluation makes
// of it through the real client. Only tests import it.
package dnsfault

import (
	"context"
	"encoding/binary"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnsclient"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// Fault is what happens to one question. Where a reply is wrong in a way that a client
// has to see, it also holds a bait: records that would help a forger, were they believed.
type Fault string

// The faults. All but the last three say nothing about the zone.
const (
	None          Fault = ""
	ServFail      Fault = "SERVFAIL"
	Refused       Fault = "REFUSED"
	FormErr       Fault = "FORMERR"
	NotImp        Fault = "NOTIMP"
	Timeout       Fault = "timeout"        // silence
	Truncated     Fault = "truncated"      // TC, and nobody listens on TCP
	Oversized     Fault = "oversized"      // a datagram larger than was asked for, likewise
	CutShort      Fault = "cut-short"      // fewer records than announced
	WrongID       Fault = "wrong-id"       // and nothing else comes
	WrongQuestion Fault = "wrong-question" // likewise
	WrongOwner    Fault = "wrong-owner"    // records that nobody asked for, in place of those that were
	WrongClass    Fault = "wrong-class"    // records of class CH
	CNAMELoop     Fault = "cname-loop"
	Lame          Fault = "lame"     // neither authoritative nor recursive
	Referral      Fault = "referral" // up to the root, as servers did that did not know the zone
	Huge          Fault = "64KiB"    // what the zone has, over TCP, among as much junk as fits
	NoData        Fault = "NODATA"
	NXDomain      Fault = "NXDOMAIN"
)

// All returns every fault, in the order of the constants.
func All() []Fault {
	return []Fault{
		ServFail, Refused, FormErr, NotImp, Timeout, Truncated, Oversized, CutShort, WrongID, WrongQuestion,
		WrongOwner, WrongClass, CNAMELoop, Lame, Referral, Huge, NoData, NXDomain,
	}
}

// Transient reports whether the fault says nothing about what the zone holds.
func (f Fault) Transient() bool { return f != Huge && f != NoData && f != NXDomain }

// Wait is how long the client waits for a reply to the faulty question: every other
// reply comes, however slow the machine, and a fault that is silence stays one.
const Wait = 5 * time.Millisecond

// Server is the faulty server. Close it.
type Server struct {
	zone   *dnstest.Zone
	faulty string
	fault  Fault
	pc     net.PacketConn
	ln     net.Listener
	wg     sync.WaitGroup
	mu     sync.Mutex
	log    map[string]bool
}

// Serve starts a server. faulty is the one question ("TXT example.com.") that meets the fault.
func Serve(t testing.TB, zone *dnstest.Zone, faulty string, f Fault) *Server {
	t.Helper()
	s := &Server{zone: zone, faulty: faulty, fault: f, log: map[string]bool{}}
	for range 50 { // the port has to be free in both
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s.pc = pc
		if f == Truncated || f == Oversized {
			break
		}
		if s.ln, err = net.Listen("tcp", pc.LocalAddr().String()); err == nil {
			break
		}
		pc.Close()
	}
	s.wg.Go(s.datagrams)
	if s.ln != nil {
		s.wg.Go(s.connections)
	}
	return s
}

// Close ends the server.
func (s *Server) Close() {
	s.pc.Close()
	if s.ln != nil {
		s.ln.Close()
	}
	s.wg.Wait()
}

// Questions lists the different questions that its Resolver was asked, sorted.
func (s *Server) Questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.log))
}

// Resolver returns the client: dnsclient, which loses its patience with the faulty
// question soon and with no other.
func (s *Server) Resolver() dnsutil.Resolver {
	patient := &dnsclient.Client{Servers: []string{s.pc.LocalAddr().String()}, Timeout: time.Minute}
	hasty := &dnsclient.Client{Servers: patient.Servers, Timeout: Wait}
	return dnsutil.ResolverFunc(func(ctx context.Context, name string, t dnsutil.Type) (dnsutil.Answer, error) {
		key := t.String() + " " + strings.ToLower(name)
		s.mu.Lock()
		s.log[key] = true
		s.mu.Unlock()
		if key == s.faulty && s.silent() {
			return hasty.Lookup(ctx, name, t)
		}
		return patient.Lookup(ctx, name, t)
	})
}

// silent reports whether nothing ends the client's wait but its patience.
func (s *Server) silent() bool {
	return s.fault == Timeout || s.fault == WrongID || s.fault == WrongQuestion
}

func (s *Server) datagrams() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.pc.ReadFrom(buf)
		if err != nil {
			return
		}
		q := new(dns.Msg)
		if q.Unpack(buf[:n]) == nil && len(q.Question) == 1 {
			if b := s.reply(q, false); b != nil {
				s.pc.WriteTo(b, from)
			}
		}
	}
}

func (s *Server) connections() {
	for {
		conn, err := s.ln.Accept()
		if err != nil {
			return
		}
		// A client asks one question and waits for the reply, so nobody is held up.
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err == nil {
			b := make([]byte, binary.BigEndian.Uint16(length[:]))
			q := new(dns.Msg)
			if _, err := io.ReadFull(conn, b); err == nil && q.Unpack(b) == nil && len(q.Question) == 1 {
				b = s.reply(q, true)
				conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
			}
		}
		conn.Close()
	}
}

// reply answers a query as the zone and the fault have it; nil is silence.
func (s *Server) reply(q *dns.Msg, tcp bool) []byte {
	name, t := q.Question[0].Name, dnsutil.Type(q.Question[0].Qtype)
	key := t.String() + " " + strings.ToLower(name)
	m := new(dns.Msg).SetReply(q)
	m.RecursionAvailable = true
	f := s.fault
	if key != s.faulty {
		f = None
	}
	switch f {
	case Timeout:
		return nil
	case ServFail:
		m.Rcode = dns.RcodeServerFailure
	case Refused:
		m.Rcode = dns.RcodeRefused
	case FormErr:
		m.Rcode = dns.RcodeFormatError
	case NotImp:
		m.Rcode = dns.RcodeNotImplemented
	case Truncated:
		m.Truncated = true
		m.Answer = bait(name, t)
	case Oversized:
		m.Answer = bait(name, t)
		for m.Len() < 5000 {
			m.Answer = append(m.Answer, bait(name, t)...)
		}
	case CutShort:
		b := pack(m)
		b[7] = 1 // one answer announced
		return b
	case WrongID:
		m.Id ^= 1
		m.Answer = bait(name, t)
	case WrongQuestion:
		m.Question = []dns.Question{{Name: "wrong.example.", Qtype: uint16(t), Qclass: dns.ClassINET}}
		m.Answer = bait(name, t)
	case WrongOwner:
		m.Answer = bait("wrong.example.", t)
	case WrongClass:
		m.Answer = bait(name, t)
		for _, r := range m.Answer {
			r.Header().Class = dns.ClassCHAOS
		}
	case CNAMELoop:
		m.Answer = []dns.RR{
			&dns.CNAME{Hdr: header(name, dnsutil.TypeCNAME), Target: "loop.example."},
			&dns.CNAME{Hdr: header("loop.example.", dnsutil.TypeCNAME), Target: name},
		}
	case Lame:
		m.RecursionAvailable = false
	case Referral:
		m.Ns = []dns.RR{&dns.NS{Hdr: header(".", 2), Ns: "a.root-servers.net."}}
	case NoData:
		negative(m)
	case NXDomain:
		negative(m)
		m.Rcode = dns.RcodeNameError
	case Huge:
		if !tcp {
			m.Truncated = true
			break
		}
		s.answer(m, name, t)
		m.Rcode = dns.RcodeSuccess // junk makes a name exist
		m.Compress = true
		for i, n := 0, m.Len(); n < 60_000; i++ {
			r := junk(name, t, i)
			m.Answer = append(m.Answer, r)
			n += dns.Len(r) - len(name) + 1
		}
	default:
		s.answer(m, name, t)
		if !tcp && m.Len() > 1232 {
			m.Answer, m.Truncated = nil, true
		}
	}
	return pack(m)
}

func pack(m *dns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

func header(name string, t dnsutil.Type) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: uint16(t), Class: dns.ClassINET, Ttl: 300}
}

func negative(m *dns.Msg) {
	m.Ns = []dns.RR{&dns.SOA{Hdr: header(".", 6), Ns: "ns.example.", Mbox: "h.example.", Minttl: 60}}
}

// answer is the reply of a recursive server that knows the zone.
func (s *Server) answer(m *dns.Msg, name string, t dnsutil.Type) {
	a, err := s.zone.Lookup(context.Background(), strings.ToLower(name), t)
	if err != nil {
		m.Rcode = dns.RcodeServerFailure
		return
	}
	for _, to := range a.Chain {
		m.Answer = append(m.Answer, &dns.CNAME{Hdr: header(name, dnsutil.TypeCNAME), Target: to})
		name = to
	}
	m.Answer = append(m.Answer, records(name, t, a)...)
	if a.Empty() {
		negative(m)
	}
	if a.NXDomain {
		m.Rcode = dns.RcodeNameError
	}
}

// records are the data of an answer at a name.
func records(name string, t dnsutil.Type, a dnsutil.Answer) (out []dns.RR) {
	h := header(name, t)
	for _, s := range a.TXT {
		r := &dns.TXT{Hdr: h}
		for ; len(s) > 255; s = s[255:] {
			r.Txt = append(r.Txt, strings.ReplaceAll(s[:255], `\`, `\\`))
		}
		r.Txt = append(r.Txt, strings.ReplaceAll(s, `\`, `\\`))
		out = append(out, r)
	}
	for _, ip := range a.Addrs {
		if t == dnsutil.TypeA {
			out = append(out, &dns.A{Hdr: h, A: ip.AsSlice()})
		} else {
			out = append(out, &dns.AAAA{Hdr: h, AAAA: ip.AsSlice()})
		}
	}
	for _, x := range a.MX {
		out = append(out, &dns.MX{Hdr: h, Preference: x.Preference, Mx: x.Host})
	}
	for _, n := range a.Names {
		if t == dnsutil.TypePTR {
			out = append(out, &dns.PTR{Hdr: h, Ptr: n})
		} else {
			out = append(out, &dns.CNAME{Hdr: h, Target: n})
		}
	}
	return out
}

// bait is what a forger would like the answer to be, for any client address.
func bait(name string, t dnsutil.Type) []dns.RR {
	h := header(name, t)
	switch t {
	case dnsutil.TypeTXT:
		return []dns.RR{
			&dns.TXT{Hdr: h, Txt: []string{"v=spf1 +all"}},
			&dns.TXT{Hdr: h, Txt: []string{"v=DMARC1; p=none"}},
		}
	case dnsutil.TypeA:
		return []dns.RR{
			&dns.A{Hdr: h, A: net.IPv4(192, 0, 2, 1).To4()},
			&dns.A{Hdr: h, A: net.IPv4(198, 51, 100, 1).To4()},
		}
	case dnsutil.TypeAAAA:
		return []dns.RR{&dns.AAAA{Hdr: h, AAAA: net.ParseIP("2001:db8::1")}}
	case dnsutil.TypeMX:
		return []dns.RR{&dns.MX{Hdr: h, Mx: "mail.bank.example."}}
	case dnsutil.TypePTR:
		return []dns.RR{&dns.PTR{Hdr: h, Ptr: "mail.bank.example."}}
	}
	return []dns.RR{&dns.CNAME{Hdr: h, Target: "mail.bank.example."}}
}

// junk is one of many records that have nothing to say.
func junk(name string, t dnsutil.Type, i int) dns.RR {
	h := header(name, t)
	switch t {
	case dnsutil.TypeTXT:
		return &dns.TXT{Hdr: h, Txt: []string{strings.Repeat("junk ", 40)}}
	case dnsutil.TypeA:
		return &dns.A{Hdr: h, A: net.IPv4(203, 0, 113, byte(i)).To4()}
	case dnsutil.TypeAAAA:
		return &dns.AAAA{Hdr: h, AAAA: net.ParseIP("2001:db8:ffff::1")}
	case dnsutil.TypeMX:
		return &dns.MX{Hdr: h, Preference: uint16(i), Mx: "junk.example."}
	}
	return &dns.PTR{Hdr: h, Ptr: "junk.example."}
}
