package dnsclient

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/internal/rr"
)

// reply is what a server said to a question.
type reply struct {
	answer dnsutil.Answer
	hasTTL bool
	next   string // the chain ends here, and the server did not say what is there
}

// errIgnored says that a message is no reply to the query.
var errIgnored = errors.New("ignored")

const qr = 0x80 // RFC 1035, section 4.1.1, in the third octet

func (q *query) sameID(b []byte) bool { return b[0] == q.msg[0] && b[1] == q.msg[1] }

// accept decides about a message that claims to be the reply. The error is
// errIgnored, errTruncated, or wraps a constant of dnsutil.
func (q *query) accept(b []byte) (reply, error) {
	const opcode, tc = 0x78, 0x02
	end := headerLen + len(q.question)
	if len(b) < end || !q.sameID(b) || b[2]&qr == 0 || b[2]&opcode != 0 || binary.BigEndian.Uint16(b[4:]) != 1 {
		return reply{}, errIgnored
	}
	// A question that is first in the message cannot be compressed, so its octets
	// are ours, or it is another question.
	if got := b[headerLen:end]; !bytes.Equal(got, q.question) {
		if !sameQuestion(got, q.question) {
			return reply{}, errIgnored
		}
		if !q.anyCase {
			return reply{}, errTruncated // someone who cannot see the query, or a server that folds case
		}
	}
	if b[2]&tc != 0 {
		return reply{}, errTruncated
	}
	var m dns.Msg
	if err := m.Unpack(b); err != nil {
		return reply{}, fmt.Errorf("%w: %w", dnsutil.ErrAnswer, err)
	}
	// Unpack takes a message that ends early for a shorter one, and an answer
	// without its records would be "no such record".
	for i, n := range [...]int{len(m.Answer), len(m.Ns), len(m.Extra)} {
		if int(binary.BigEndian.Uint16(b[6+2*i:])) != n {
			return reply{}, fmt.Errorf("%w: fewer records than announced", dnsutil.ErrAnswer)
		}
	}
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return reply{}, rcodeError(m.Rcode)
	}
	return q.read(&m)
}

// sameQuestion compares two question sections without regard to case. Type and
// class take part in the folding, which cannot matter: the octets that differ by
// 0x20 would have to be letters, and the class is 1.
func sameQuestion(a, b []byte) bool {
	n := len(a) - 4
	return len(a) == len(b) && bytes.Equal(a[n:], b[n:]) && equalFold(a[:n], b[:n])
}

func equalFold(a, b []byte) bool {
	for i, c := range a {
		if lower(c) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func rcodeError(rcode int) error {
	switch rcode {
	case dns.RcodeFormatError:
		return dnsutil.ErrFormErr
	case dns.RcodeServerFailure:
		return dnsutil.ErrServFail
	case dns.RcodeNotImplemented:
		return dnsutil.ErrNotImp
	case dns.RcodeRefused:
		return dnsutil.ErrRefused
	}
	return fmt.Errorf("%w: %d", dnsutil.ErrRcode, rcode)
}

// read takes the answer from a reply: the records at the name, or at the end of
// its CNAMEs. Whatever else is in there was not asked for.
func (q *query) read(m *dns.Msg) (reply, error) {
	r := reply{answer: dnsutil.Answer{Authentic: m.AuthenticatedData}}
	at := rr.Name(q.name)
	for {
		target := ""
		for _, record := range m.Answer {
			h := record.Header()
			if h.Class != dns.ClassINET || h.Rrtype != uint16(q.t) && h.Rrtype != dns.TypeCNAME || rr.Name(h.Name) != at {
				continue
			}
			if c, ok := record.(*dns.CNAME); ok && q.t != dnsutil.TypeCNAME {
				if to := rr.Name(c.Target); target == "" {
					target = to
				} else if to != target {
					return reply{}, fmt.Errorf("%w: two CNAMEs at %s", dnsutil.ErrAnswer, at)
				}
			} else if !rr.Add(&r.answer, record, q.t) {
				continue
			}
			r.ttl(h.Ttl)
		}
		if target == "" {
			break
		}
		if !r.answer.Empty() {
			// RFC 2181, section 10.1: a name with a CNAME has no other data.
			return reply{}, fmt.Errorf("%w: CNAME and other data at %s", dnsutil.ErrAnswer, at)
		}
		if target == q.name || slices.Contains(r.answer.Chain, target) {
			return reply{}, fmt.Errorf("%w: loop at %s", dnsutil.ErrChain, at)
		}
		if len(r.answer.Chain) == rr.MaxChain {
			return reply{}, dnsutil.ErrChain
		}
		r.answer.Chain = append(r.answer.Chain, target)
		at = target
	}
	if !r.answer.Empty() {
		if m.Rcode == dns.RcodeNameError {
			return reply{}, fmt.Errorf("%w: records at a name that does not exist", dnsutil.ErrAnswer)
		}
		return r, nil
	}
	return q.negative(m, r, at)
}

// negative reads a reply without the records asked for; at is where they should be.
// RFC 2308, section 2: an SOA tells "there is none" from "ask elsewhere".
func (q *query) negative(m *dns.Msg, r reply, at string) (reply, error) {
	soa, ns := false, false
	for _, record := range m.Ns {
		switch record := record.(type) {
		case *dns.NS:
			ns = true
		case *dns.SOA:
			if owner := rr.Name(record.Hdr.Name); record.Hdr.Class == dns.ClassINET && within(at, owner) {
				soa = true
				r.ttl(min(clampTTL(record.Hdr.Ttl), clampTTL(record.Minttl))) // RFC 2308, section 5
			}
		}
	}
	gone := m.Rcode == dns.RcodeNameError
	referral := !gone && ns && !soa && len(r.answer.Chain) == 0
	if referral || !m.Authoritative && !m.RecursionAvailable {
		// One that sends us up or down the tree, which is no "there is none" whoever says
		// so (RFC 2308, section 2.2). Or neither its own answer nor anybody else's.
		return reply{}, dnsutil.ErrLame
	}
	if len(m.Answer) > 0 && len(r.answer.Chain) == 0 && !soa {
		// RFC 2308, section 2.2 calls answers that are not relevant no answer. But records
		// that nobody asked for, and no word of the zone that there is none of those that
		// somebody did, must not delete a policy.
		return reply{}, fmt.Errorf("%w: records, and none for the question", dnsutil.ErrAnswer)
	}
	if gone {
		// RFC 2308, section 2.1: the code is about the last name of the chain.
		r.answer.NXDomain = true
		return r, nil
	}
	if len(r.answer.Chain) > 0 && !soa {
		r.next = at
	}
	return r, nil
}

// within reports whether name is zone or below it.
func within(name, zone string) bool {
	return name == zone || zone == "." || strings.HasSuffix(name, "."+zone)
}

// clampTTL is RFC 2181, section 8: a TTL with the top bit set counts as zero.
func clampTTL(seconds uint32) uint32 {
	if seconds > 1<<31-1 {
		return 0
	}
	return seconds
}

// ttl takes one more record into the answer's TTL, the least of all.
func (r *reply) ttl(seconds uint32) {
	d := time.Duration(clampTTL(seconds)) * time.Second
	if !r.hasTTL || d < r.answer.TTL {
		r.answer.TTL, r.hasTTL = d, true
	}
}
