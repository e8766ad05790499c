package dnsclient

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

const (
	short = 50 * time.Millisecond
	long  = 20 * time.Second // never waited for
	qname = "www.example.com."
)

func addrs(s ...string) (out []netip.Addr) {
	for _, a := range s {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

func TestThreats(t *testing.T) {
	testReplies(t)
	testTruncation(t)
}

// Replies to one A query for www.example.com., and what they amount to.
func testReplies(t *testing.T) {
	mod := func(f func(m *dns.Msg), records ...string) handler {
		return func(q *dns.Msg, _ bool) [][]byte {
			m := answer(t, q, records...)
			m.Question = append([]dns.Question(nil), m.Question...)
			f(m)
			return [][]byte{pack(t, m)}
		}
	}
	is := func(records ...string) handler { return mod(func(*dns.Msg) {}, records...) }
	rcode := func(n int) handler { return mod(func(m *dns.Msg) { m.Rcode = n }) }
	ns := func(m *dns.Msg, records ...string) {
		for _, r := range records {
			m.Ns = append(m.Ns, record(t, r))
		}
	}
	const a, soa = qname + " 300 A 192.0.2.1", "example.com. 3600 SOA ns. h. 1 2 3 4 120"
	one := dnsutil.Answer{Addrs: addrs("192.0.2.1"), TTL: 300 * time.Second}
	for _, c := range []struct {
		id, what string
		h        handler
		want     dnsutil.Answer
		err      error
	}{
		{"data", "one record", is(a), one, nil},
		{"data", "least TTL", is(a, qname+" 60 A 192.0.2.2"), dnsutil.Answer{Addrs: addrs("192.0.2.1", "192.0.2.2"), TTL: time.Minute}, nil},
		{"data", "owner in another case", is("WWW.example.COM. 300 A 192.0.2.1"), one, nil},
		{"data", "authoritative, no recursion", mod(func(m *dns.Msg) { m.Authoritative, m.RecursionAvailable = true, false }, a), one, nil},
		{"DNS-11", "TTL 2^31", is(qname + " 2147483648 A 192.0.2.1"), dnsutil.Answer{Addrs: addrs("192.0.2.1")}, nil},
		{"DNS-15", "AD", mod(func(m *dns.Msg) { m.AuthenticatedData = true }, a), dnsutil.Answer{Addrs: one.Addrs, TTL: one.TTL, Authentic: true}, nil},
		{"DNS-15", "bogus", rcode(dns.RcodeServerFailure), dnsutil.Answer{}, dnsutil.ErrServFail},

		{"NODATA", "with SOA", mod(func(m *dns.Msg) { ns(m, soa) }), dnsutil.Answer{TTL: 120 * time.Second}, nil},
		{"NODATA", "with SOA and NS", mod(func(m *dns.Msg) { ns(m, soa, "example.com. NS ns.") }), dnsutil.Answer{TTL: 120 * time.Second}, nil},
		{"NODATA", "with nothing", is(), dnsutil.Answer{}, nil},
		{"NODATA", "SOA of a stranger", mod(func(m *dns.Msg) { ns(m, "other.example. 3600 SOA ns. h. 1 2 3 4 120") }), dnsutil.Answer{}, nil},
		{"NXDOMAIN", "with SOA", mod(func(m *dns.Msg) { m.Rcode = 3; ns(m, soa) }), dnsutil.Answer{NXDomain: true, TTL: 120 * time.Second}, nil},
		{"NXDOMAIN", "with NS", mod(func(m *dns.Msg) { m.Rcode = 3; ns(m, "example.com. NS ns.") }), dnsutil.Answer{NXDomain: true}, nil},
		{"NXDOMAIN", "and data", mod(func(m *dns.Msg) { m.Rcode = 3 }, a), dnsutil.Answer{}, dnsutil.ErrAnswer},

		{"rcode", "FORMERR", rcode(1), dnsutil.Answer{}, dnsutil.ErrFormErr},
		{"rcode", "SERVFAIL", rcode(2), dnsutil.Answer{}, dnsutil.ErrServFail},
		{"rcode", "NOTIMP", rcode(4), dnsutil.Answer{}, dnsutil.ErrNotImp},
		{"rcode", "REFUSED", rcode(5), dnsutil.Answer{}, dnsutil.ErrRefused},
		{"rcode", "SERVFAIL with data", mod(func(m *dns.Msg) { m.Rcode = 2 }, a), dnsutil.Answer{}, dnsutil.ErrServFail},
		{"rcode", "YXDOMAIN", rcode(6), dnsutil.Answer{}, dnsutil.ErrRcode},
		{"rcode", "BADVERS", mod(func(m *dns.Msg) {
			m.SetEdns0(1232, false)
			m.Rcode = dns.RcodeBadVers
		}), dnsutil.Answer{}, dnsutil.ErrRcode},

		{"DNS-10", "no recursion, not its zone", mod(func(m *dns.Msg) { m.RecursionAvailable = false }), dnsutil.Answer{}, dnsutil.ErrLame},
		{"DNS-10", "the same as NXDOMAIN", mod(func(m *dns.Msg) { m.RecursionAvailable, m.Rcode = false, 3 }), dnsutil.Answer{}, dnsutil.ErrLame},
		{"DNS-10", "upward referral", mod(func(m *dns.Msg) { m.RecursionAvailable = false; ns(m, ". NS a.root-servers.net.") }), dnsutil.Answer{}, dnsutil.ErrLame},
		{"DNS-10", "upward referral that claims recursion", mod(func(m *dns.Msg) { ns(m, ". NS a.root-servers.net.") }), dnsutil.Answer{}, dnsutil.ErrLame},

		{"DNS-07", "wrong id", mod(func(m *dns.Msg) { m.Id ^= 1 }, a), dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"DNS-07", "QR=0", mod(func(m *dns.Msg) { m.Response = false }, a), dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"DNS-07", "opcode", mod(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }, a), dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"DNS-07", "wrong question", mod(func(m *dns.Msg) { m.Question[0].Name = "ww2.example.com." }, a), dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"DNS-07", "wrong type", mod(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeTXT }, a), dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"DNS-07", "class CH", mod(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, a), dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"DNS-07", "two questions", mod(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }, a), dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"DNS-07", "no question", mod(func(m *dns.Msg) { m.Question = nil }, a), dnsutil.Answer{}, dnsutil.ErrRcode},
		{"DNS-07", "REFUSED without question", mod(func(m *dns.Msg) { m.Question = nil; m.Rcode = 5 }), dnsutil.Answer{}, dnsutil.ErrRefused},
		{"DNS-07", "record of class CH", is(qname + " 300 CH A 192.0.2.1"), dnsutil.Answer{}, dnsutil.ErrAnswer},
		{"DNS-07", "wrong owner", is("evil.example. 300 A 192.0.2.66"), dnsutil.Answer{}, dnsutil.ErrAnswer},
		{"DNS-07", "wrong owner, NXDOMAIN", mod(func(m *dns.Msg) { m.Rcode = 3 }, "evil.example. 300 A 192.0.2.66"), dnsutil.Answer{}, dnsutil.ErrAnswer},
		{"DNS-07", "wrong owner, and an SOA", mod(func(m *dns.Msg) { ns(m, soa) }, "evil.example. 300 A 192.0.2.66"), dnsutil.Answer{TTL: 120 * time.Second}, nil},
		{"DNS-07", "only another type", is(qname + " 1 TXT x"), dnsutil.Answer{}, dnsutil.ErrAnswer},
		{"DNS-07", "right and wrong owner", is(a, "evil.example. 300 A 192.0.2.66", "example.com. 1 A 192.0.2.66"), one, nil},
		{"DNS-07", "other types", is(a, qname+" 1 TXT x", qname+" 1 AAAA ::1", qname+" 1 MX 1 x."), one, nil},
		{"DNS-07", "records elsewhere", mod(func(m *dns.Msg) {
			ns(m, qname+" 1 A 192.0.2.66")
			m.Extra = append(m.Extra, record(t, qname+" 1 A 192.0.2.66"))
		}, a), one, nil},
		{"DNS-07", "cut off", func(q *dns.Msg, _ bool) [][]byte {
			b := pack(t, answer(t, q, a))
			return [][]byte{b[:len(b)-1]}
		}, dnsutil.Answer{}, dnsutil.ErrAnswer},
		{"DNS-07", "cut off between records", func(q *dns.Msg, _ bool) [][]byte {
			b := pack(t, answer(t, q))
			b[7] = 1 // one record announced, none there: not NODATA
			return [][]byte{b}
		}, dnsutil.Answer{}, dnsutil.ErrAnswer},
		{"DNS-07", "not a message", func(*dns.Msg, bool) [][]byte { return [][]byte{{}, {1}, make([]byte, 12)} }, dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"DNS-07", "silence", func(*dns.Msg, bool) [][]byte { return nil }, dnsutil.Answer{}, dnsutil.ErrTimeout},
		{"DNS-07", "the right one after wrong ones", func(q *dns.Msg, _ bool) [][]byte {
			evil := answer(t, q, qname+" 300 A 192.0.2.66")
			evil.Id++
			other := answer(t, q, qname+" 300 A 192.0.2.66")
			other.Question = []dns.Question{{Name: "other.example.", Qtype: 1, Qclass: 1}}
			nobody := answer(t, q)
			nobody.Question, nobody.Rcode = nil, 5
			return [][]byte{pack(t, evil), pack(t, other), pack(t, nobody), pack(t, answer(t, q, a))}
		}, one, nil},

		{"CNAME", "followed", is(qname+" 30 CNAME Host.Example.NET.", "host.example.net. 300 A 192.0.2.1"), dnsutil.Answer{Addrs: one.Addrs, TTL: 30 * time.Second, Chain: []string{"host.example.net."}}, nil},
		{"CNAME", "in any order", is("b.example. 300 A 192.0.2.1", "a.example. 300 CNAME b.example.", qname+" 300 CNAME a.example."), dnsutil.Answer{Addrs: one.Addrs, TTL: one.TTL, Chain: []string{"a.example.", "b.example."}}, nil},
		{"CNAME", "NXDOMAIN at its end", mod(func(m *dns.Msg) { m.Rcode = 3 }, qname+" 30 CNAME a.example."), dnsutil.Answer{NXDomain: true, TTL: 30 * time.Second, Chain: []string{"a.example."}}, nil},
		{"CNAME", "NODATA at its end", mod(func(m *dns.Msg) { ns(m, "example. 20 SOA ns. h. 1 2 3 4 120") }, qname+" 30 CNAME a.example."), dnsutil.Answer{TTL: 20 * time.Second, Chain: []string{"a.example."}}, nil},
		{"CNAME", "loop", is(qname+" 30 CNAME a.example.", "a.example. 30 CNAME "+qname), dnsutil.Answer{}, dnsutil.ErrChain},
		{"CNAME", "loop of one", is(qname + " 30 CNAME " + qname), dnsutil.Answer{}, dnsutil.ErrChain},
		{"CNAME", "two", is(qname+" 30 CNAME a.example.", qname+" 30 CNAME b.example."), dnsutil.Answer{}, dnsutil.ErrAnswer},
		{"CNAME", "the same twice", is(qname+" 300 CNAME a.example.", qname+" 300 CNAME A.example.", "a.example. 300 A 192.0.2.1"), dnsutil.Answer{Addrs: one.Addrs, TTL: one.TTL, Chain: []string{"a.example."}}, nil},
		{"CNAME", "and data", is(qname+" 30 CNAME a.example.", a), dnsutil.Answer{}, dnsutil.ErrAnswer},
		{"CNAME", "data of the old name at the new", is(qname+" 30 CNAME a.example.", "b.example. 300 A 192.0.2.66", "a.example. 300 A 192.0.2.1"), dnsutil.Answer{Addrs: one.Addrs, TTL: 30 * time.Second, Chain: []string{"a.example."}}, nil},
		{"CNAME", "chain of 8", is(chain(8)...), dnsutil.Answer{Addrs: one.Addrs, TTL: time.Minute, Chain: targets(8)}, nil},
		{"CNAME", "chain of 9", is(chain(9)...), dnsutil.Answer{}, dnsutil.ErrChain},
	} {
		t.Run(c.id+"/"+c.what, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.h)
			timeout := long
			if c.err == dnsutil.ErrTimeout || strings.HasSuffix(c.what, "no question") || strings.HasSuffix(c.what, "without question") {
				timeout = short // nothing there ends the wait
			}
			got, err := (&Client{Servers: []string{s.addr}, Timeout: timeout}).Lookup(t.Context(), qname, dnsutil.TypeA)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
			tries := int32(1)
			if c.err == dnsutil.ErrTimeout {
				tries = 2 // one retry
			}
			require.Equal(t, tries, s.udp.Load())
			require.Zero(t, s.tcp.Load())
		})
	}
}

func targets(n int) (out []string) {
	for i := range n {
		out = append(out, string(rune('a'+i))+".example.")
	}
	return out
}

func chain(n int) (out []string) {
	at := qname
	for _, to := range targets(n) {
		out = append(out, at+" 60 CNAME "+to)
		at = to
	}
	return append(out, at+" 60 A 192.0.2.1")
}

// DNS-06: what does not fit a datagram is had over TCP or not at all.
func testTruncation(t *testing.T) {
	truncated := func(q *dns.Msg) [][]byte {
		m := answer(t, q, qname+" 300 A 192.0.2.66") // what is there does not count
		m.Truncated = true
		return [][]byte{pack(t, m)}
	}
	full := func(q *dns.Msg) *dns.Msg { return answer(t, q, qname+" 300 A 192.0.2.1") }
	for _, c := range []struct {
		what string
		tcp  func(q *dns.Msg) [][]byte
		err  error
	}{
		{"answered", func(q *dns.Msg) [][]byte { return [][]byte{pack(t, full(q))} }, nil},
		{"other case", func(q *dns.Msg) [][]byte {
			m := full(q)
			m.Question = []dns.Question{{Name: qname, Qtype: 1, Qclass: 1}}
			return [][]byte{pack(t, m)}
		}, nil},
		{"truncated again", truncated, dnsutil.ErrTruncated},
		{"hangs", func(*dns.Msg) [][]byte { return nil }, dnsutil.ErrTruncated},
		{"other id", func(q *dns.Msg) [][]byte { m := full(q); m.Id++; return [][]byte{pack(t, m)} }, dnsutil.ErrAnswer},
		{"other question", func(q *dns.Msg) [][]byte {
			m := full(q)
			m.Question = []dns.Question{{Name: "other.example.", Qtype: 1, Qclass: 1}}
			return [][]byte{pack(t, m)}
		}, dnsutil.ErrAnswer},
		{"empty", func(q *dns.Msg) [][]byte { return [][]byte{{}} }, dnsutil.ErrAnswer},
		{"SERVFAIL", func(q *dns.Msg) [][]byte { m := full(q); m.Rcode = 2; return [][]byte{pack(t, m)} }, dnsutil.ErrServFail},
	} {
		t.Run("DNS-06/"+c.what, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(q *dns.Msg, tcp bool) [][]byte {
				if tcp {
					return c.tcp(q)
				}
				return truncated(q)
			})
			timeout := long
			if c.what == "hangs" {
				timeout = short
			}
			got, err := (&Client{Servers: []string{s.addr}, Timeout: timeout}).Lookup(t.Context(), qname, dnsutil.TypeA)
			require.ErrorIs(t, err, c.err)
			if c.err == nil {
				require.Equal(t, addrs("192.0.2.1"), got.Addrs)
			}
			require.Equal(t, int32(1), s.udp.Load())
			require.Equal(t, int32(1), s.tcp.Load())
		})
	}
	t.Run("DNS-06/refused", func(t *testing.T) {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		defer pc.Close()
		go func() {
			b := make([]byte, 1500)
			n, from, err := pc.ReadFrom(b)
			q := new(dns.Msg)
			if err == nil && q.Unpack(b[:n]) == nil {
				pc.WriteTo(truncated(q)[0], from)
			}
		}()
		_, err = (&Client{Servers: []string{pc.LocalAddr().String()}, Timeout: short}).Lookup(t.Context(), qname, dnsutil.TypeA)
		require.ErrorIs(t, err, dnsutil.ErrTruncated)
		require.ErrorIs(t, err, dnsutil.ErrNetwork)
	})
	t.Run("case folded by the server", func(t *testing.T) {
		s := serve(t, func(q *dns.Msg, _ bool) [][]byte {
			m := full(q)
			name := strings.ToLower(q.Question[0].Name)
			if name == q.Question[0].Name { // one in 2^13
				name = strings.ToUpper(name)
			}
			m.Question = []dns.Question{{Name: name, Qtype: 1, Qclass: 1}}
			return [][]byte{pack(t, m)}
		})
		got, err := (&Client{Servers: []string{s.addr}, Timeout: long}).Lookup(t.Context(), qname, dnsutil.TypeA)
		require.NoError(t, err)
		require.Equal(t, addrs("192.0.2.1"), got.Addrs)
		require.Equal(t, int32(1), s.tcp.Load())
	})
	t.Run("large", func(t *testing.T) {
		big := strings.Repeat("x", 60000)
		s := serve(t, fromZone(t, dnstest.MustParse(`{"www.example.com": {"TXT": [["`+big+`"]]}}`)))
		got, err := (&Client{Servers: []string{s.addr}, Timeout: long}).Lookup(t.Context(), qname, dnsutil.TypeTXT)
		require.NoError(t, err)
		require.Equal(t, []string{big}, got.TXT)
	})
	t.Run("datagram beyond what was asked for", func(t *testing.T) {
		s := serve(t, func(q *dns.Msg, tcp bool) [][]byte {
			m := answer(t, q)
			for range 30 {
				m.Answer = append(m.Answer, record(t, qname+` 1 TXT "`+strings.Repeat("x", 250)+`"`))
			}
			return [][]byte{pack(t, m)}
		})
		got, err := (&Client{Servers: []string{s.addr}, Timeout: long}).Lookup(t.Context(), qname, dnsutil.TypeTXT)
		require.NoError(t, err)
		require.Len(t, got.TXT, 30)
		require.Equal(t, int32(1), s.tcp.Load())
	})
}

func TestServers(t *testing.T) {
	good := func(q *dns.Msg, _ bool) [][]byte { return [][]byte{pack(t, answer(t, q, qname+" 300 A 192.0.2.1"))} }
	bad := func(rcode int) handler {
		return func(q *dns.Msg, _ bool) [][]byte {
			m := answer(t, q)
			m.Rcode = rcode
			return [][]byte{pack(t, m)}
		}
	}
	silent := func(*dns.Msg, bool) [][]byte { return nil }
	lookup := func(t *testing.T, c *Client) error {
		_, err := c.Lookup(t.Context(), qname, dnsutil.TypeA)
		return err
	}
	t.Run("next one", func(t *testing.T) {
		t.Parallel()
		for _, h := range []handler{bad(1), bad(2), bad(4), bad(5), silent} {
			first, second := serve(t, h), serve(t, good)
			c := &Client{Servers: []string{first.addr, second.addr}, Timeout: short}
			require.NoError(t, lookup(t, c))
			require.NoError(t, lookup(t, c))
			require.Equal(t, int32(1), first.udp.Load(), "the one that answered is asked first from then on")
			require.Equal(t, int32(2), second.udp.Load())
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		addr := pc.LocalAddr().String()
		pc.Close()
		require.ErrorIs(t, lookup(t, &Client{Servers: []string{addr}, Timeout: long}), dnsutil.ErrNetwork)
		require.NoError(t, lookup(t, &Client{Servers: []string{addr, serve(t, good).addr}, Timeout: long}))
	})
	t.Run("what a server said outweighs silence", func(t *testing.T) {
		t.Parallel()
		a, b := serve(t, bad(5)), serve(t, silent)
		require.ErrorIs(t, lookup(t, &Client{Servers: []string{a.addr, b.addr}, Timeout: short}), dnsutil.ErrRefused)
		require.ErrorIs(t, lookup(t, &Client{Servers: []string{b.addr, a.addr}, Timeout: short}), dnsutil.ErrRefused)
	})
	t.Run("names and ports", func(t *testing.T) {
		for in, want := range map[string]string{
			"192.0.2.1": "192.0.2.1:53", "192.0.2.1:5353": "192.0.2.1:5353", "2001:db8::1": "[2001:db8::1]:53",
			"[2001:db8::1]:5353": "[2001:db8::1]:5353", "fe80::1%lo": "[fe80::1%lo]:53", "ns.example": "ns.example:53", "ns.example:5353": "ns.example:5353",
		} {
			require.Equal(t, want, address(in))
		}
		require.ErrorIs(t, lookup(t, &Client{Servers: []string{"[::1"}, Timeout: short}), dnsutil.ErrNetwork)
	})
}

// A chain that the server does not follow to its end is followed here.
func TestChase(t *testing.T) {
	zone := map[string]string{
		qname: qname + " 30 CNAME a.example.", "a.example.": "a.example. 20 CNAME b.example.", "b.example.": "b.example. 50 A 192.0.2.1",
		"loop.example.": "loop.example. 1 CNAME pool.example.", "pool.example.": "pool.example. 1 CNAME loop.example.",
		"odd.example.": `odd.example. 1 CNAME x\.y.example.`, `a\@b.example.`: `a\@b.example. 7 A 192.0.2.7`,
	}
	s := serve(t, func(q *dns.Msg, _ bool) [][]byte {
		m := answer(t, q)
		if r := zone[strings.ToLower(q.Question[0].Name)]; r != "" {
			m.Answer = append(m.Answer, record(t, r))
		}
		m.AuthenticatedData = strings.HasPrefix(strings.ToLower(q.Question[0].Name), "w")
		return [][]byte{pack(t, m)}
	})
	c := &Client{Servers: []string{s.addr}, Timeout: long}
	got, err := c.Lookup(t.Context(), qname, dnsutil.TypeA)
	require.NoError(t, err)
	require.Equal(t, dnsutil.Answer{Addrs: addrs("192.0.2.1"), TTL: 20 * time.Second, Chain: []string{"a.example.", "b.example."}}, got)
	_, err = c.Lookup(t.Context(), "loop.example.", dnsutil.TypeA)
	require.ErrorIs(t, err, dnsutil.ErrChain)
	_, err = c.Lookup(t.Context(), "odd.example.", dnsutil.TypeA)
	require.ErrorIs(t, err, dnsutil.ErrName)
	got, err = c.Lookup(t.Context(), qname, dnsutil.TypeCNAME)
	require.NoError(t, err)
	require.Equal(t, []string{"a.example."}, got.Names)
	require.Empty(t, got.Chain)
	got, err = c.Lookup(t.Context(), "a@b.example.", dnsutil.TypeA) // what %{s} asks for
	require.NoError(t, err)
	require.Equal(t, addrs("192.0.2.7"), got.Addrs)
}

func TestQueryOnTheWire(t *testing.T) {
	var mu sync.Mutex
	var all []*dns.Msg
	s := serve(t, func(q *dns.Msg, _ bool) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, q)
		return [][]byte{pack(t, answer(t, q))}
	})
	c := &Client{Servers: []string{s.addr}, Timeout: long}
	const name = "abcdefghijklmnopqrstuvwxyz.a b'c.example.com."
	ids, cases := map[uint16]bool{}, map[string]bool{}
	for range 10 {
		_, err := c.Lookup(t.Context(), name, dnsutil.TypeTXT)
		require.NoError(t, err)
	}
	for _, q := range all {
		require.Equal(t, `abcdefghijklmnopqrstuvwxyz.a\ b\'c.example.com.`, strings.ToLower(q.Question[0].Name))
		require.Equal(t, dns.Question{Name: q.Question[0].Name, Qtype: dns.TypeTXT, Qclass: dns.ClassINET}, q.Question[0])
		require.True(t, q.RecursionDesired)
		require.True(t, q.AuthenticatedData)
		require.Equal(t, uint16(1232), q.IsEdns0().UDPSize())
		require.False(t, q.IsEdns0().Do())
		ids[q.Id], cases[q.Question[0].Name] = true, true
	}
	require.Greater(t, len(ids), 5)
	require.Equal(t, 10, len(cases))
}

func TestNotAsked(t *testing.T) {
	c := &Client{Servers: []string{"127.0.0.1:1"}, Timeout: short}
	for _, n := range []string{"", ".", "example.com", "a..b.", "a(b.example.", "a\x00.", `a\.b.`, strings.Repeat("a", 64) + "."} {
		_, err := c.Lookup(t.Context(), n, dnsutil.TypeA)
		require.ErrorIs(t, err, dnsutil.ErrName, n)
	}
	_, err := c.Lookup(t.Context(), qname, 255)
	require.ErrorIs(t, err, dnsutil.ErrType)
}

func TestContext(t *testing.T) {
	before := runtime.NumGoroutine()
	silent := func(*dns.Msg, bool) [][]byte { return nil }
	t.Run("ends", func(t *testing.T) {
		s := serve(t, silent)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(short/5, cancel)
		start := time.Now()
		_, err := (&Client{Servers: []string{s.addr, s.addr}, Timeout: long}).Lookup(ctx, qname, dnsutil.TypeA)
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, time.Since(start), long/4)
		require.Equal(t, int32(1), s.udp.Load())
		_, err = (&Client{Servers: []string{s.addr}, Timeout: long}).Lookup(ctx, qname, dnsutil.TypeA)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("deadline", func(t *testing.T) {
		s := serve(t, silent)
		ctx, cancel := context.WithTimeout(t.Context(), short/5)
		defer cancel()
		_, err := (&Client{Servers: []string{s.addr}, Timeout: long}).Lookup(ctx, qname, dnsutil.TypeA)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	// No goroutine outlives its call.
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

func TestSystemServers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	write := func(text string, age time.Duration) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		at := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(path, at, at))
	}
	local := []string{"127.0.0.1", "::1"}
	s := systemServers{path: path}
	require.Equal(t, local, s.get(), "no file")
	write("# comment\nsearch corp.example\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n", time.Hour)
	require.Equal(t, local, s.get(), "not looked at again so soon")
	s.checked = time.Time{}
	require.Equal(t, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, s.get())
	write("nameserver 192.0.2.9\n", time.Minute)
	s.checked = time.Time{}
	require.Equal(t, []string{"192.0.2.9"}, s.get())
	require.NoError(t, os.Remove(path))
	s.checked = time.Time{}
	require.Equal(t, []string{"192.0.2.9"}, s.get(), "a file that has gone changes nothing")
	require.Equal(t, local, parseResolvConf("options ndots:1\n"))

	write("nameserver "+serve(t, fromZone(t, dnstest.MustParse("www.example.com. A 192.0.2.1"))).addr+"\n", 0)
	c := &Client{Timeout: long}
	c.system.path = path
	got, err := c.Lookup(t.Context(), qname, dnsutil.TypeA)
	require.NoError(t, err)
	require.Equal(t, addrs("192.0.2.1"), got.Addrs)
}

func BenchmarkLookup(b *testing.B) {
	s := serve(b, func(q *dns.Msg, _ bool) [][]byte { return [][]byte{pack(b, answer(b, q, qname+" 300 A 192.0.2.1"))} })
	c := &Client{Servers: []string{s.addr}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Lookup(b.Context(), qname, dnsutil.TypeA); err != nil {
			b.Fatal(err)
		}
	}
}

func TestConformance(t *testing.T) {
	s := serve(t, fromZone(t, dnstest.NewConformanceZone()))
	c := &Client{Servers: []string{s.addr}, Timeout: long}
	require.NoError(t, dnstest.TestResolver(c))
	require.NoError(t, dnstest.TestResolver(&dnsutil.Cache{Resolver: c}))
	require.NotZero(t, s.tcp.Load())
}

// The standard library's resolver through FromNet, asking the same server.
func TestConformanceFromNet(t *testing.T) {
	s := serve(t, fromZone(t, dnstest.NewConformanceZone()))
	r := dnsutil.FromNet(&net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, s.addr)
	}})
	require.NoError(t, dnstest.TestResolver(r, dnstest.NoNXDomain, dnstest.NoChain, dnstest.NoCNAMEType, dnstest.NoOddNames, dnstest.NoMapped, dnstest.NoCAA))
}
