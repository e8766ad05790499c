// Package rr turns the resource records of miekg/dns into Answers, so that the
// type stays below dnsutil.
package rr

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/scan"
)

// MaxChain is how many CNAMEs are followed: more than any
// sane delegation uses, and few enough that a zone cannot keep us busy.
const MaxChain = 8

// Add appends the data of r to a if r is of type t, and reports whether it was.
// Addresses come out as the type says: 4 octets for A, 16 for AAAA.
func Add(a *dnsutil.Answer, r dns.RR, t dnsutil.Type) bool {
	if r.Header().Rrtype != uint16(t) {
		return false
	}
	switch r := r.(type) {
	case *dns.TXT:
		a.TXT = append(a.TXT, Text(r.Txt))
	case *dns.A:
		ip, ok := netip.AddrFromSlice(r.A.To4())
		if !ok {
			return false
		}
		a.Addrs = append(a.Addrs, ip)
	case *dns.AAAA:
		ip, ok := netip.AddrFromSlice(r.AAAA.To16())
		if !ok {
			return false
		}
		a.Addrs = append(a.Addrs, ip)
	case *dns.MX:
		a.MX = append(a.MX, dnsutil.MX{Preference: r.Preference, Host: Name(r.Mx)})
	case *dns.PTR:
		a.Names = append(a.Names, Name(r.Ptr))
	case *dns.CNAME:
		a.Names = append(a.Names, Name(r.Target))
	case *dns.CAA:
		// The package dns escapes the tag and not the value, when it reads a message.
		a.CAA = append(a.CAA, dnsutil.CAA{Flags: r.Flag, Tag: Text([]string{r.Tag}), Value: r.Value})
	default:
		return false
	}
	return true
}

// Text joins the character-strings of a TXT record without separator (RFC 7208,
// section 3.3; RFC 6376, section 3.6.2.2) and undoes the escapes in which the
// package dns keeps them.
func Text(chunks []string) string {
	if len(chunks) == 1 && strings.IndexByte(chunks[0], '\\') < 0 {
		return chunks[0]
	}
	n := 0
	for _, c := range chunks {
		n += len(c)
	}
	b := make([]byte, 0, n)
	for _, c := range chunks {
		for i := 0; i < len(c); i++ {
			if c[i] != '\\' || i+1 == len(c) {
				b = append(b, c[i])
				continue
			}
			i++
			if v, ok := decimal(c[i:]); ok {
				b = append(b, v)
				i += 2
				continue
			}
			b = append(b, c[i])
		}
	}
	return string(b)
}

// decimal reads the DDD of \DDD.
func decimal(s string) (byte, bool) {
	if len(s) < 3 {
		return 0, false
	}
	v := 0
	for _, c := range []byte(s[:3]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return byte(v), v <= 255
}

// Name makes the presentation form of a name unique: lower case, and escaped
// only where RFC 1035, section 5.1 gives the octet a meaning within a name or it is not
// printable. Two names are the same exactly when these strings are.
func Name(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return scan.Lower(s)
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '\\' || i+1 == len(s) {
			b = append(b, c)
			continue
		}
		i++
		c = s[i]
		if v, ok := decimal(s[i:]); ok {
			c, i = v, i+2
		}
		switch {
		case c < ' ' || c > '~':
			b = append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		case strings.IndexByte(`."\;()`, c) >= 0:
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return scan.Lower(string(b))
}
