package dnsclient

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/dnsutil/internal/rr"
)

// A handler answers one query with any number of messages, in order; nil is silence.
type handler func(q *dns.Msg, tcp bool) [][]byte

// server is a DNS server on loopback, over UDP and TCP on one port.
type server struct {
	addr     string
	udp, tcp atomic.Int32 // queries
}

// listen takes a port of loopback for UDP and TCP.
func listen(t testing.TB) (pc net.PacketConn, ln net.Listener) {
	t.Helper()
	for range 20 { // the port has to be free in both
		var err error
		pc, err = net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		if ln, err = net.Listen("tcp", pc.LocalAddr().String()); err == nil {
			break
		}
		pc.Close()
	}
	require.NotNil(t, ln)
	return pc, ln
}

func serve(t testing.TB, h handler) *server {
	t.Helper()
	pc, ln := listen(t)
	s := &server{addr: pc.LocalAddr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			q := new(dns.Msg)
			if q.Unpack(buf[:n]) != nil {
				continue
			}
			s.udp.Add(1)
			for _, b := range h(q, false) {
				pc.WriteTo(b, from)
			}
		}
	})
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			wg.Go(func() {
				var l [2]byte
				if _, err := io.ReadFull(conn, l[:]); err != nil {
					return
				}
				b := make([]byte, binary.BigEndian.Uint16(l[:]))
				io.ReadFull(conn, b)
				q := new(dns.Msg)
				if q.Unpack(b) != nil {
					return
				}
				s.tcp.Add(1)
				for _, b := range h(q, true) {
					conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
				}
			})
		}
	})
	t.Cleanup(func() {
		pc.Close()
		ln.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return s
}

// answer makes the reply of a recursive server with these records in the answer section.
func answer(t testing.TB, q *dns.Msg, records ...string) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	m.RecursionAvailable = true
	for _, r := range records {
		m.Answer = append(m.Answer, record(t, r))
	}
	return m
}

func record(t testing.TB, s string) dns.RR {
	r, err := dns.NewRR(s)
	require.NoError(t, err)
	return r
}

func pack(t testing.TB, m *dns.Msg) []byte {
	b, err := m.Pack()
	require.NoError(t, err)
	return b
}

// fromZone serves a zone as a recursive server would.
func fromZone(t testing.TB, z *dnstest.Zone) handler {
	return func(q *dns.Msg, tcp bool) [][]byte {
		name := q.Question[0].Name
		m := answer(t, q)
		a, err := z.Lookup(t.Context(), rr.Name(name), dnsutil.Type(q.Question[0].Qtype))
		if err != nil {
			m.Rcode = dns.RcodeServerFailure
			return [][]byte{pack(t, m)}
		}
		ttl := uint32(a.TTL.Seconds())
		header := func(t dnsutil.Type) dns.RR_Header {
			return dns.RR_Header{Name: name, Rrtype: uint16(t), Class: dns.ClassINET, Ttl: ttl}
		}
		for _, to := range a.Chain {
			m.Answer = append(m.Answer, &dns.CNAME{Hdr: header(dnsutil.TypeCNAME), Target: to})
			name = to
		}
		qt := dnsutil.Type(q.Question[0].Qtype)
		for _, s := range a.TXT {
			r := &dns.TXT{Hdr: header(qt)}
			for len(s) > 255 {
				r.Txt, s = append(r.Txt, s[:255]), s[255:]
			}
			r.Txt = append(r.Txt, s)
			for i, chunk := range r.Txt {
				r.Txt[i] = strings.ReplaceAll(chunk, `\`, `\\`)
			}
			m.Answer = append(m.Answer, r)
		}
		for _, ip := range a.Addrs {
			if qt == dnsutil.TypeA {
				m.Answer = append(m.Answer, &dns.A{Hdr: header(qt), A: ip.AsSlice()})
			} else {
				m.Answer = append(m.Answer, &dns.AAAA{Hdr: header(qt), AAAA: ip.AsSlice()})
			}
		}
		for _, x := range a.MX {
			m.Answer = append(m.Answer, &dns.MX{Hdr: header(qt), Preference: x.Preference, Mx: x.Host})
		}
		for _, c := range a.CAA {
			m.Answer = append(m.Answer, &dns.CAA{Hdr: header(qt), Flag: c.Flags, Tag: c.Tag, Value: strings.ReplaceAll(c.Value, `\`, `\\`)})
		}
		for _, n := range a.Names {
			if qt == dnsutil.TypePTR {
				m.Answer = append(m.Answer, &dns.PTR{Hdr: header(qt), Ptr: n})
			} else {
				m.Answer = append(m.Answer, &dns.CNAME{Hdr: header(qt), Target: n})
			}
		}
		if a.NXDomain {
			m.Rcode = dns.RcodeNameError
		}
		if !tcp && m.Len() > udpSize {
			m.Answer, m.Truncated = nil, true
		}
		return [][]byte{pack(t, m)}
	}
}
