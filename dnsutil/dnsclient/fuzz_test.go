package dnsclient

import (
	"bytes"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/internal/rr"
)

// FuzzAccept feeds a server's octets to the check of replies: whatever they are,
// only a reply to the question that was asked may yield an answer, and only with
// the records of that type.
func FuzzAccept(f *testing.F) {
	q := newQuery("www.example.com.", dnsutil.TypeTXT)
	// The same case in every process, or the corpus would be of no use to the next.
	copy(q.question, "\x03wWw\x07ExamPLE\x03com")
	sent := new(dns.Msg)
	if err := sent.Unpack(q.msg); err != nil {
		f.Fatal(err)
	}
	add := func(change func(m *dns.Msg), records ...string) {
		m := answer(f, sent, records...)
		change(m)
		b := pack(f, m)
		f.Add(b[2:], true)
		f.Add(b[2:], false)
		f.Add(b[2:len(b)-1], true)
	}
	same := func(*dns.Msg) {}
	add(same)
	add(same, `www.example.com. 1 TXT "a" "\000\255"`, `www.example.com. 1 TXT ""`)
	add(same, `www.example.com. 1 CNAME a.example.`, `a.example. 1 TXT "x"`)
	add(same, `www.example.com. 1 CNAME www.example.com.`)
	add(same, `www.example.com. 1 A 192.0.2.1`, `www.example.com. 1 MX 1 a.`)
	add(func(m *dns.Msg) { m.Rcode = 3 })
	add(func(m *dns.Msg) { m.Rcode = 2 })
	add(func(m *dns.Msg) { m.Truncated = true })
	add(func(m *dns.Msg) { m.Question[0].Qclass = 3 })
	add(func(m *dns.Msg) { m.Response = false })
	add(func(m *dns.Msg) { m.Ns = append(m.Ns, record(f, "example.com. 1 SOA a. b. 1 2 3 4 5")) })
	add(func(m *dns.Msg) { m.Compress = true; m.SetEdns0(1232, true) }, `www.example.com. 1 TXT x`)

	f.Fuzz(func(t *testing.T, b []byte, rightID bool) {
		id := []byte{q.msg[0], q.msg[1]}
		if !rightID {
			id[0] ^= 1
		}
		b = append(id, b...)
		r, err := q.accept(b)
		if err != nil {
			if !r.answer.Empty() || r.answer.NXDomain {
				t.Fatal("an answer and an error")
			}
			return
		}
		if !rightID || len(b) < 12+len(q.question) || b[2]&0xfa != 0x80 || b[3]&0xf != 0 && b[3]&0xf != 3 {
			t.Fatalf("accepted header % x", b[:min(12, len(b))])
		}
		if !bytes.Equal(b[12:12+len(q.question)], q.question) {
			t.Fatalf("accepted a reply to another question: % x", b[12:12+len(q.question)])
		}
		a := r.answer
		if len(a.Addrs)+len(a.MX)+len(a.Names)+len(a.CAA) > 0 || a.NXDomain && !a.Empty() || len(a.Chain) > rr.MaxChain || a.TTL < 0 {
			t.Fatalf("%+v", a)
		}
	})
}
