package dnsutil

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/seed2385d973/mailauth/internal/scan"
)

// FromNet makes a [Resolver] of the standard library's; nil means
// net.DefaultResolver. Prefer package dnsclient: what the standard library keeps
// to itself is lost here.
//
//   - It cannot tell a name that does not exist from one that has no such record.
//     Answer.NXDomain is never set, so that a DMARC record's np= is never applied.
//   - There is no TTL, no CNAME chain and no AD bit, and CNAME and CAA records cannot
//     be asked for (ErrType).
//   - A and AAAA come from /etc/hosts where that has the name, and so does PTR.
//     AAAA records with an IPv4-mapped address are lost.
//   - PTR is for names below in-addr.arpa and ip6.arpa that stand for an address.
//   - Names that the standard library refuses to ask, and would report as not
//     existing, are ErrName: with other characters than letters, digits, "-" and "_",
//     with a label that begins or ends in "-", without any letter, or below onion.
//
// Names are asked as they are, absolute; a search list is never used. An answer
// that the standard library gives together with an error is an error.
func FromNet(r *net.Resolver) Resolver {
	if r == nil {
		r = net.DefaultResolver
	}
	return netResolver{r}
}

type netResolver struct{ r *net.Resolver }

func (n netResolver) Lookup(ctx context.Context, name string, t Type) (Answer, error) {
	if !netAsks(name) {
		return Answer{}, fmt.Errorf("%w: %q is none that package net asks for", ErrName, name)
	}
	var a Answer
	var err error
	switch t {
	case TypeTXT:
		a.TXT, err = n.r.LookupTXT(ctx, name)
	case TypeA:
		a.Addrs, err = n.r.LookupNetIP(ctx, "ip4", name)
		for i, ip := range a.Addrs {
			a.Addrs[i] = ip.Unmap()
		}
	case TypeAAAA:
		a.Addrs, err = n.r.LookupNetIP(ctx, "ip6", name)
	case TypeMX:
		var mx []*net.MX
		mx, err = n.r.LookupMX(ctx, name)
		for _, m := range mx {
			a.MX = append(a.MX, MX{m.Pref, m.Host})
		}
	case TypePTR:
		ip, ok := reverse(name)
		if !ok {
			return Answer{}, fmt.Errorf("%w: PTR at %q", ErrName, name)
		}
		a.Names, err = n.r.LookupAddr(ctx, ip.String())
	default:
		return Answer{}, fmt.Errorf("%w: %s", ErrType, t)
	}
	return netAnswer(ctx, a, err)
}

// netAnswer tells no record from no answer.
func netAnswer(ctx context.Context, a Answer, err error) (Answer, error) {
	if err == nil {
		return a, nil
	}
	if ctx.Err() != nil {
		return Answer{}, ctx.Err()
	}
	var d *net.DNSError
	var unsuitable *net.AddrError // the name has addresses, but none of this family
	switch {
	case errors.As(err, &unsuitable) && unsuitable.Err == "no suitable address found":
		return Answer{}, nil
	case !errors.As(err, &d):
		return Answer{}, fmt.Errorf("%w: %w", ErrLookup, err)
	case d.IsNotFound && !d.IsTemporary && !d.IsTimeout && a.Empty():
		return Answer{}, nil
	case d.IsTimeout:
		return Answer{}, fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return Answer{}, fmt.Errorf("%w: %w", ErrLookup, err)
}

// netAsks reports whether package net sends a query for the name at all. It
// answers "no such host" where it does not, which would read as "no policy". The rules
// are those of its isDomainName, and that it keeps .onion from the DNS (RFC 7686).
func netAsks(name string) bool {
	if len(name) < 2 || len(name) > 254 || name[len(name)-1] != '.' {
		return false
	}
	letter := false
	for label := range strings.SplitSeq(name[:len(name)-1], ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			switch c := label[i]; {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c == '-':
				letter = true
			case '0' <= c && c <= '9':
			default:
				return false
			}
		}
	}
	return letter && !strings.HasSuffix(scan.Lower(name), ".onion.") && !strings.EqualFold(name, "onion.")
}

// reverse reads the address that a name below in-addr.arpa or ip6.arpa stands for
// (RFC 1035, section 3.5; RFC 3596).
func reverse(name string) (netip.Addr, bool) {
	name = scan.Lower(name)
	if s, ok := strings.CutSuffix(name, ".in-addr.arpa."); ok {
		p := strings.Split(s, ".")
		if len(p) != 4 {
			return netip.Addr{}, false
		}
		ip, err := netip.ParseAddr(p[3] + "." + p[2] + "." + p[1] + "." + p[0])
		return ip, err == nil
	}
	s, ok := strings.CutSuffix(name, ".ip6.arpa.")
	if !ok || len(s) != 63 {
		return netip.Addr{}, false
	}
	var b strings.Builder
	for i := 62; i >= 0; i -= 2 {
		if i < 62 && s[i+1] != '.' {
			return netip.Addr{}, false
		}
		b.WriteByte(s[i])
		if i%8 == 0 && i > 0 {
			b.WriteByte(':')
		}
	}
	ip, err := netip.ParseAddr(b.String())
	return ip, err == nil
}
