package dnsclient

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
)

const (
	address1 = qname + " 300 A 192.0.2.1"
	wrong    = qname + " 300 A 192.0.2.66"
	zoneSOA  = "example.com. 3600 SOA ns. h. 1 2 3 4 120"
)

// change makes a reply with these records in the answer section and changes it.
func change(t *testing.T, f func(m *dns.Msg), records ...string) handler {
	return func(q *dns.Msg, _ bool) [][]byte {
		m := answer(t, q, records...)
		m.Question = append([]dns.Question(nil), m.Question...)
		f(m)
		return [][]byte{pack(t, m)}
	}
}

// octets makes such a reply and changes it as it stands on the wire.
func octets(t *testing.T, f func(b []byte) []byte, records ...string) handler {
	return func(q *dns.Msg, _ bool) [][]byte { return [][]byte{f(pack(t, answer(t, q, records...)))} }
}

// TestVariations has other inputs of the classes of TestThreats, row/variation: replies to
// one A query for www.example.com.
func TestVariations(t *testing.T) {
	same := func(*dns.Msg) {}
	ns := func(records ...string) func(*dns.Msg) {
		return func(m *dns.Msg) {
			for _, r := range records {
				m.Ns = append(m.Ns, record(t, r))
			}
		}
	}
	one := dnsutil.Answer{Addrs: addrs("192.0.2.1"), TTL: 300 * time.Second}
	nothing := dnsutil.Answer{}
	const dot = `www\.example.com. 300 A 192.0.2.66`
	for _, c := range []struct {
		id   string
		h    handler
		want dnsutil.Answer
		err  error
	}{
		{"DNS-07/a dot within a label is none between labels", change(t, same, dot), nothing, dnsutil.ErrAnswer},
		{"DNS-07/and beside the right owner", change(t, same, dot, address1), one, nil},
		{"DNS-07/NUL behind the owner", change(t, same, `www.example.com\000. 300 A 192.0.2.66`), nothing, dnsutil.ErrAnswer},
		{"DNS-07/owner below", change(t, same, "a."+wrong), nothing, dnsutil.ErrAnswer},
		{"DNS-07/wildcard owner", change(t, same, "*.example.com. 300 A 192.0.2.66"), nothing, dnsutil.ErrAnswer},
		{"DNS-07/owner is the root", change(t, same, ". 300 A 192.0.2.66"), nothing, dnsutil.ErrAnswer},
		{"DNS-07/class ANY", change(t, same, qname+" 300 CLASS255 A 192.0.2.66"), nothing, dnsutil.ErrAnswer},
		{"DNS-07/class NONE", change(t, same, qname+" 300 NONE A 192.0.2.66"), nothing, dnsutil.ErrAnswer},
		{"DNS-07/CNAME of class CH", change(t, same, qname+" 300 CH CNAME a.example.", "a.example. 300 A 192.0.2.66"), nothing, dnsutil.ErrAnswer},
		{"DNS-07/CNAME of somebody else", change(t, same, "other.example. 300 CNAME "+qname, "other.example. 300 A 192.0.2.66"), nothing, dnsutil.ErrAnswer},
		{"DNS-07/its NXDOMAIN too", change(t, func(m *dns.Msg) { m.Rcode = 3 }, "other.example. 300 CNAME a.example."), nothing, dnsutil.ErrAnswer},
		{"DNS-07/DNAME, with the CNAME made of it", change(t, same, "example.com. 300 DNAME example.net.", qname+" 300 CNAME www.example.net.", "www.example.net. 300 A 192.0.2.1"),
			dnsutil.Answer{Addrs: one.Addrs, TTL: one.TTL, Chain: []string{"www.example.net."}}, nil},
		{"DNS-07/DNAME alone", change(t, same, "example.com. 300 DNAME example.net.", "www.example.net. 300 A 192.0.2.66"), nothing, dnsutil.ErrAnswer},
		{"DNS-07/type nobody knows", change(t, same, qname+` 300 TYPE65280 \# 4 c0000242`), nothing, dnsutil.ErrAnswer},
		{"DNS-07/authority section alone", change(t, ns(wrong, zoneSOA)), dnsutil.Answer{TTL: 120 * time.Second}, nil},
		{"DNS-07/SOA of class CH is none", change(t, ns("example.com. 3600 CH SOA ns. h. 1 2 3 4 120"), "other.example. 300 A 192.0.2.66"), nothing, dnsutil.ErrAnswer},
		{"DNS-07/SOA from below is none", change(t, ns("a.www.example.com. 3600 SOA ns. h. 1 2 3 4 120"), "other.example. 300 A 192.0.2.66"), nothing, dnsutil.ErrAnswer},
		{"DNS-07/SOA of half a label is none", change(t, ns("ample.com. 3600 SOA ns. h. 1 2 3 4 120"), "other.example. 300 A 192.0.2.66"), nothing, dnsutil.ErrAnswer},
		{"DNS-07/extended code that ends in NXDOMAIN's", change(t, func(m *dns.Msg) { m.SetEdns0(1232, false); m.Rcode = 0x13 }), nothing, dnsutil.ErrRcode},
		{"DNS-07/NXDOMAIN with an SOA from elsewhere", change(t, func(m *dns.Msg) { m.Rcode = 3; ns("example.org. 3600 SOA ns. h. 1 2 3 4 120")(m) }), dnsutil.Answer{NXDomain: true}, nil},
		{"DNS-07/address of three octets", octets(t, func(b []byte) []byte { b[len(b)-5] = 3; return b[:len(b)-1] }, address1), nothing, dnsutil.ErrAnswer},
		{"DNS-07/owner that points to itself", octets(t, func(b []byte) []byte {
			at := len(b) - 16 // the pointer of the only record
			b[at], b[at+1] = 0xc0|byte(at>>8), byte(at)
			return b
		}, address1), nothing, dnsutil.ErrAnswer},
		{"DNS-07/65535 records announced", octets(t, func(b []byte) []byte { b[6], b[7] = 0xff, 0xff; return b }, address1), nothing, dnsutil.ErrAnswer},
		{"DNS-07/authority announced", octets(t, func(b []byte) []byte { b[9] = 1; return b }, address1), nothing, dnsutil.ErrAnswer},
		{"DNS-07/question by a pointer", octets(t, func(b []byte) []byte { return append(append(b[:12:12], 0xc0, 12), b[12+len(qname)+1:]...) }, wrong), nothing, dnsutil.ErrTimeout},
		{"DNS-07/question with a label more", change(t, func(m *dns.Msg) { m.Question[0].Name = "a." + qname }, wrong), nothing, dnsutil.ErrTimeout},
		{"DNS-07/question with a label less", change(t, func(m *dns.Msg) { m.Question[0].Name = "example.com." }, wrong), nothing, dnsutil.ErrTimeout},
		{"DNS-07/question of type ANY", change(t, func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeANY }, wrong), nothing, dnsutil.ErrTimeout},
		{"DNS-07/the query itself", func(q *dns.Msg, _ bool) [][]byte { return [][]byte{pack(t, q)} }, nothing, dnsutil.ErrTimeout},
		{"DNS-07/an update", change(t, func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }, wrong), nothing, dnsutil.ErrTimeout},
		{"DNS-07/truncated, with another id", change(t, func(m *dns.Msg) { m.Id++; m.Truncated = true }), nothing, dnsutil.ErrTimeout},

		{"DNS-10/CNAME from one that is lame", change(t, func(m *dns.Msg) { m.RecursionAvailable = false }, qname+" 300 CNAME a.example."), nothing, dnsutil.ErrLame},
		{"DNS-10/downward referral", change(t, func(m *dns.Msg) { m.RecursionAvailable = false; ns("example.com. NS ns.example.com.")(m) }), nothing, dnsutil.ErrLame},
		{"DNS-10/referral that claims authority", change(t, func(m *dns.Msg) { m.Authoritative = true; ns("com. NS a.gtld-servers.net.")(m) }), nothing, dnsutil.ErrLame},
		{"DNS-10/upward referral that claims authority and no recursion", change(t, func(m *dns.Msg) {
			m.Authoritative, m.RecursionAvailable = true, false
			ns(". NS a.root-servers.net.")(m)
		}), nothing, dnsutil.ErrLame},
		{"DNS-10/referral and an SOA from elsewhere", change(t, ns("com. NS a.gtld-servers.net.", "example.org. 3600 SOA ns. h. 1 2 3 4 120")), nothing, dnsutil.ErrLame},
		{"DNS-10/NODATA that claims authority", change(t, func(m *dns.Msg) {
			m.Authoritative, m.RecursionAvailable = true, false
			ns(zoneSOA, "example.com. NS ns.")(m)
		}), dnsutil.Answer{TTL: 120 * time.Second}, nil},
		{"DNS-10/NXDOMAIN that claims authority", change(t, func(m *dns.Msg) { m.Authoritative, m.RecursionAvailable, m.Rcode = true, false, 3 }), dnsutil.Answer{NXDomain: true}, nil},

		{"DNS-11/TTL 2^32-1", change(t, same, qname+" 4294967295 A 192.0.2.1"), dnsutil.Answer{Addrs: one.Addrs}, nil},
		{"DNS-11/TTL 2^31-1", change(t, same, qname+" 2147483647 A 192.0.2.1"), dnsutil.Answer{Addrs: one.Addrs, TTL: (1<<31 - 1) * time.Second}, nil},
		{"DNS-11/the CNAME has the least", change(t, same, qname+" 0 CNAME a.example.", "a.example. 300 A 192.0.2.1"), dnsutil.Answer{Addrs: one.Addrs, Chain: []string{"a.example."}}, nil},
		{"DNS-11/SOA TTL under its minimum", change(t, ns("example.com. 30 SOA ns. h. 1 2 3 4 120")), dnsutil.Answer{TTL: 30 * time.Second}, nil},
		{"DNS-11/SOA minimum 2^32-1", change(t, ns("example.com. 3600 SOA ns. h. 1 2 3 4 4294967295")), nothing, nil},
		{"DNS-11/TTL of records that were not asked for", change(t, same, address1, "other.example. 1 A 192.0.2.66", qname+" 1 TXT x"), one, nil},

		{"DNS-15/AD of an NXDOMAIN", change(t, func(m *dns.Msg) { m.AuthenticatedData, m.Rcode = true, 3 }), dnsutil.Answer{NXDomain: true, Authentic: true}, nil},
		{"DNS-15/CD is not AD", change(t, func(m *dns.Msg) { m.CheckingDisabled = true }, address1), one, nil},
		{"DNS-15/a signature that nobody asked for", change(t, same, address1, qname+" 300 RRSIG A 8 3 300 20261201000000 20261101000000 1 example.com. AAAA"), one, nil},
		{"DNS-15/AD on SERVFAIL", change(t, func(m *dns.Msg) { m.AuthenticatedData, m.Rcode = true, 2 }, address1), nothing, dnsutil.ErrServFail},
	} {
		t.Run(c.id, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.h)
			timeout := long
			if c.err == dnsutil.ErrTimeout {
				timeout = short // nothing there ends the wait
			}
			got, err := (&Client{Servers: []string{s.addr}, Timeout: timeout}).Lookup(t.Context(), qname, dnsutil.TypeA)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
			require.Zero(t, s.tcp.Load())
		})
	}
}

// A chain whose end the server leaves to us is one answer: authentic if all of it is.
func TestChainVariations(t *testing.T) {
	for _, first := range []bool{true, false} {
		s := serve(t, func(q *dns.Msg, _ bool) [][]byte {
			at := strings.EqualFold(q.Question[0].Name, qname)
			m := answer(t, q, "a.example. 300 A 192.0.2.1")
			if at {
				m = answer(t, q, qname+" 60 CNAME a.example.")
			}
			m.AuthenticatedData = at == first
			return [][]byte{pack(t, m)}
		})
		got, err := (&Client{Servers: []string{s.addr}, Timeout: long}).Lookup(t.Context(), qname, dnsutil.TypeA)
		require.NoError(t, err)
		require.Equal(t, dnsutil.Answer{Addrs: addrs("192.0.2.1"), TTL: time.Minute, Chain: []string{"a.example."}}, got, "DNS-15")
	}
	t.Run("DNS-07/each reply has a CNAME to one asked before", func(t *testing.T) {
		s := serve(t, func(q *dns.Msg, _ bool) [][]byte {
			to := "a.example."
			if strings.EqualFold(q.Question[0].Name, to) {
				to = qname
			}
			return [][]byte{pack(t, answer(t, q, q.Question[0].Name+" 60 CNAME "+to))}
		})
		_, err := (&Client{Servers: []string{s.addr}, Timeout: long}).Lookup(t.Context(), qname, dnsutil.TypeA)
		require.ErrorIs(t, err, dnsutil.ErrChain)
		require.LessOrEqual(t, s.udp.Load(), int32(9))
	})
	t.Run("DNS-10/the end of the chain is lame", func(t *testing.T) {
		s := serve(t, func(q *dns.Msg, _ bool) [][]byte {
			m := answer(t, q)
			if strings.EqualFold(q.Question[0].Name, qname) {
				m = answer(t, q, qname+" 60 CNAME a.example.")
			}
			m.Ns = append(m.Ns, record(t, "example. NS ns.example."))
			return [][]byte{pack(t, m)}
		})
		_, err := (&Client{Servers: []string{s.addr}, Timeout: long}).Lookup(t.Context(), qname, dnsutil.TypeA)
		require.ErrorIs(t, err, dnsutil.ErrLame)
	})
}

// What a server does over TCP when the datagram was truncated (DNS-06).
func TestStreamVariations(t *testing.T) {
	full := func(q *dns.Msg) []byte { return pack(t, answer(t, q, address1)) }
	frame := func(n int, b []byte) []byte { return append([]byte{byte(n >> 8), byte(n)}, b...) }
	for _, c := range []struct {
		what string
		tcp  func(q *dns.Msg) []byte // written as it is; then the connection is closed
		hang bool                    // ... or not
		want dnsutil.Answer
		err  error
	}{
		{"closed at once", func(*dns.Msg) []byte { return nil }, false, dnsutil.Answer{}, dnsutil.ErrTruncated},
		{"half a length", func(*dns.Msg) []byte { return []byte{0} }, false, dnsutil.Answer{}, dnsutil.ErrTruncated},
		{"half a message", func(q *dns.Msg) []byte { b := full(q); return frame(len(b), b[:len(b)/2]) }, false, dnsutil.Answer{}, dnsutil.ErrTruncated},
		{"half a message, and silence", func(q *dns.Msg) []byte { b := full(q); return frame(len(b), b[:len(b)/2]) }, true, dnsutil.Answer{}, dnsutil.ErrTruncated},
		{"one octet short by its own word", func(q *dns.Msg) []byte { b := full(q); return frame(len(b)-1, b) }, false, dnsutil.Answer{}, dnsutil.ErrAnswer},
		{"64 KiB announced", func(q *dns.Msg) []byte { return frame(0xffff, full(q)) }, false, dnsutil.Answer{}, dnsutil.ErrTruncated},
		{"header alone", func(q *dns.Msg) []byte { return frame(12, full(q)[:12]) }, false, dnsutil.Answer{}, dnsutil.ErrAnswer},
		{"no length", full, false, dnsutil.Answer{}, dnsutil.ErrTruncated},
		{"two, the second one right", func(q *dns.Msg) []byte {
			m := answer(t, q, wrong)
			m.Id++
			return append(frame(len(pack(t, m)), pack(t, m)), frame(len(full(q)), full(q))...)
		}, false, dnsutil.Answer{}, dnsutil.ErrAnswer},
		{"two, the first one right", func(q *dns.Msg) []byte {
			b := full(q)
			return append(frame(len(b), b), frame(len(b), pack(t, answer(t, q, wrong)))...)
		}, true, dnsutil.Answer{Addrs: addrs("192.0.2.1"), TTL: 300 * time.Second}, nil},
		{"NXDOMAIN", func(q *dns.Msg) []byte {
			m := answer(t, q)
			m.Rcode = 3
			return frame(len(pack(t, m)), pack(t, m))
		}, false, dnsutil.Answer{NXDomain: true}, nil},
		{"lame", func(q *dns.Msg) []byte {
			m := answer(t, q)
			m.RecursionAvailable = false
			return frame(len(pack(t, m)), pack(t, m))
		}, false, dnsutil.Answer{}, dnsutil.ErrLame},
		{"QR=0", func(q *dns.Msg) []byte { b := full(q); b[2] &^= qr; return frame(len(b), b) }, false, dnsutil.Answer{}, dnsutil.ErrAnswer},
	} {
		t.Run("DNS-06/"+c.what, func(t *testing.T) {
			t.Parallel()
			addr := truncating(t, c.tcp, c.hang)
			timeout := long
			if c.hang && c.err != nil {
				timeout = short
			}
			got, err := (&Client{Servers: []string{addr}, Timeout: timeout}).Lookup(t.Context(), qname, dnsutil.TypeA)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
		})
	}
}

// truncating is a server that says over UDP that the answer is too long, and over TCP
// writes some octets.
func truncating(t *testing.T, tcp func(q *dns.Msg) []byte, hang bool) (addr string) {
	t.Helper()
	pc, ln := listen(t)
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			q := new(dns.Msg)
			if q.Unpack(b[:n]) == nil {
				m := answer(t, q, wrong) // what is there does not count
				m.Truncated = true
				pc.WriteTo(pack(t, m), from)
			}
		}
	})
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 1500)
			n, q := 0, new(dns.Msg)
			for n < 2 || q.Unpack(b[2:n]) != nil {
				more, err := conn.Read(b[n:])
				if n += more; err != nil {
					break
				}
			}
			conn.Write(tcp(q))
			if hang {
				<-ended
			}
			conn.Close()
		}
	})
	t.Cleanup(func() {
		close(ended)
		pc.Close()
		ln.Close()
		wg.Wait()
	})
	return pc.LocalAddr().String()
}
