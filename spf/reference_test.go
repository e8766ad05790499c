package spf

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/stretchr/testify/require"
)

// The reference is check_host() written down as RFC 7208 says it, slowly and
// recursively, with its own reading of records and macros: it shares no code
// with the verifier. It knows the records of testZone alone.

type reference struct {
	zone                *testZone
	ip                  netip.Addr
	helo, local, domain string
	lookups, voids, max int
	asked               map[string]bool
	fair                bool
	fairNames           []string
}

type refError string // "permerror" or "temperror"

func (r *reference) query(name, typ string) []string {
	name = strings.ToLower(name)
	if !r.asked[typ+" "+name] {
		if len(r.asked) == 50 {
			panic(refError("permerror"))
		}
		r.asked[typ+" "+name] = true
	}
	return r.zone.answer(name, typ)
}

func isErr(a []string) bool { return len(a) == 1 && a[0] == "ERROR" }

func (r *reference) need(name, typ string) []string {
	a := r.query(name, typ)
	if isErr(a) {
		panic(refError("temperror"))
	}
	return a
}

func (r *reference) void() {
	r.voids++
	for r.voids > r.max {
		if len(r.fairNames) == 0 {
			panic(refError("permerror"))
		}
		n := r.fairNames[0]
		r.fairNames = r.fairNames[1:]
		other := "AAAA"
		if r.ip.Is6() {
			other = "A"
		}
		if len(r.need(n, other)) > 0 {
			r.voids--
		}
	}
}

func (r *reference) family() string {
	if r.ip.Is4() {
		return "A"
	}
	return "AAAA"
}

// checkHost returns the result and whether it came from a mechanism or default.
func (r *reference) checkHost(domain string) string {
	var records []string
	if strings.Count(domain, ".") == 0 {
		return "none"
	}
	txt := r.need(domain, "TXT")
	if r.lookups > 0 && len(txt) == 0 {
		r.voids++
	}
	for _, s := range txt {
		if f := strings.SplitN(s, " ", 2); strings.ToLower(f[0]) == "v=spf1" {
			records = append(records, s)
		}
	}
	if len(records) == 0 {
		return "none"
	}
	if len(records) > 1 {
		panic(refError("permerror"))
	}
	terms := strings.Fields(records[0])[1:]
	all := false
	redirect := ""
	for _, t := range terms {
		bare := strings.ToLower(strings.TrimLeft(t, "+-~?"))
		if strings.HasPrefix(bare, "bad") {
			panic(refError("permerror"))
		}
		if bare == "all" {
			all = true
		}
		if v, ok := strings.CutPrefix(t, "redirect="); ok {
			redirect = v
		}
	}
	for _, t := range terms {
		if strings.Contains(t, "=") {
			continue
		}
		result := "pass"
		switch t[0] {
		case '-':
			result = "fail"
		case '~':
			result = "softfail"
		case '?':
			result = "neutral"
		}
		if strings.ContainsAny(t[:1], "+-~?") {
			t = t[1:]
		}
		if r.mechanism(t, domain) {
			return result
		}
	}
	if redirect == "" || all {
		return "neutral"
	}
	r.count()
	target, ok := r.expand(redirect, domain)
	if !ok {
		panic(refError("permerror"))
	}
	res := r.checkHost(target)
	if res == "none" {
		panic(refError("permerror"))
	}
	return res
}

func (r *reference) count() {
	if r.lookups++; r.lookups > 10 {
		panic(refError("permerror"))
	}
}

func (r *reference) mechanism(t, domain string) bool {
	name, arg, _ := strings.Cut(t, ":")
	bits4, bits6 := "32", "128"
	if i := strings.Index(t, "/"); i >= 0 && name != "ip4" && name != "ip6" {
		cidr := t[i+1:]
		name, arg, _ = strings.Cut(t[:i], ":")
		four, six, both := strings.Cut(cidr, "//")
		if both {
			bits6 = six
		}
		if strings.HasPrefix(cidr, "/") {
			four, bits6 = "", cidr[1:]
		}
		if four != "" {
			bits4 = four
		}
	}
	switch strings.ToLower(name) {
	case "all":
		return true
	case "ip4", "ip6":
		p, err := netip.ParsePrefix(arg)
		if err != nil {
			a := netip.MustParseAddr(arg)
			p = netip.PrefixFrom(a, a.BitLen())
		}
		return p.Contains(r.ip)
	}
	r.count()
	target, ok := domain, true
	if arg != "" {
		target, ok = r.expand(arg, domain)
	}
	bits := bits4
	if r.ip.Is6() {
		bits = bits6
	}
	match := func(host string) bool {
		addrs := r.need(host, r.family())
		if len(addrs) == 0 {
			if r.fair && r.zone.exists(host) {
				r.fairNames = append(r.fairNames, host)
			}
			r.void()
			return false
		}
		for _, a := range addrs {
			if netip.MustParsePrefix(a + "/" + bits).Contains(r.ip) {
				return true
			}
		}
		return false
	}
	switch strings.ToLower(name) {
	case "include":
		if !ok {
			panic(refError("permerror"))
		}
		switch r.checkHost(target) {
		case "pass":
			return true
		case "none":
			panic(refError("permerror"))
		}
		return false
	case "a":
		return ok && match(target)
	case "exists":
		if !ok {
			return false
		}
		if len(r.need(target, "A")) == 0 {
			r.void()
			return false
		}
		return true
	case "mx":
		if !ok {
			return false
		}
		mx := slices.Clone(r.need(target, "MX"))
		if len(mx) == 0 {
			r.void()
			return false
		}
		if len(mx) > 10 {
			panic(refError("permerror"))
		}
		sort.Strings(mx) // "10 host": all preferences have two digits
		for _, m := range mx {
			if match(m[3:]) {
				return true
			}
		}
		return false
	case "ptr":
		if !ok {
			return false
		}
		names := r.query(r.reverse(), "PTR")
		if isErr(names) {
			return false
		}
		if len(names) == 0 {
			r.void()
			return false
		}
		for _, n := range r.validated(names, func(n string) bool { return n == target || strings.HasSuffix(n, "."+target) }) {
			return n != ""
		}
		return false
	}
	panic("mechanism " + t)
}

// validated returns the names among the first ten that are wanted and have the client's address.
func (r *reference) validated(names []string, want func(string) bool) (out []string) {
	for _, n := range names[:min(10, len(names))] {
		if want(n) && slices.Contains(r.query(n, r.family()), r.ip.String()) {
			return []string{n}
		}
	}
	return nil
}

func (r *reference) reverse() string {
	s, _ := r.expand("%{ir}.%{v}.arpa", "")
	return s
}

func (r *reference) expand(spec, domain string) (string, bool) {
	out := ""
	for spec != "" {
		if spec[0] != '%' {
			out += spec[:1]
			spec = spec[1:]
			continue
		}
		end := strings.Index(spec, "}")
		m := spec[2:end]
		spec = spec[end+1:]
		value := ""
		switch m[0] {
		case 's':
			value = r.local + "@" + r.domain
		case 'l':
			value = r.local
		case 'o':
			value = r.domain
		case 'd':
			value = domain
		case 'h':
			value = r.helo
		case 'v':
			if value = "in-addr"; r.ip.Is6() {
				value = "ip6"
			}
		case 'i':
			if value = r.ip.String(); r.ip.Is6() {
				var parts []string
				for _, b := range r.ip.AsSlice() {
					parts = append(parts, fmt.Sprintf("%x.%x", b>>4, b&15))
				}
				value = strings.Join(parts, ".")
			}
		case 'p':
			value = "unknown"
			if names := r.query(r.reverse(), "PTR"); !isErr(names) {
				same := r.validated(names, func(n string) bool { return n == domain })
				below := r.validatedIf(len(same) == 0, names, func(n string) bool { return strings.HasSuffix(n, "."+domain) })
				other := r.validatedIf(len(same)+len(below) == 0, names, func(n string) bool { return n != domain && !strings.HasSuffix(n, "."+domain) })
				for _, n := range slices.Concat(same, below, other) {
					value = n
				}
			}
		}
		if m = m[1:]; m != "" {
			n := 0
			for m != "" && m[0] >= '0' && m[0] <= '9' {
				n = n*10 + int(m[0]-'0')
				m = m[1:]
			}
			rev := strings.HasPrefix(m, "r")
			m = strings.TrimPrefix(m, "r")
			if m == "" {
				m = "."
			}
			parts := strings.FieldsFunc(value, func(rune) bool { return false })
			parts = parts[:0]
			for {
				i := strings.IndexAny(value, m)
				if i < 0 {
					parts = append(parts, value)
					break
				}
				parts = append(parts, value[:i])
				value = value[i+1:]
			}
			if rev {
				slices.Reverse(parts)
			}
			if n > 0 && n < len(parts) {
				parts = parts[len(parts)-n:]
			}
			value = strings.Join(parts, ".")
		}
		out += value
	}
	out = strings.TrimSuffix(out, ".")
	for len(out) > 253 {
		_, rest, ok := strings.Cut(out, ".")
		if !ok {
			return "", false
		}
		out = rest
	}
	for _, l := range strings.Split(out, ".") {
		if l == "" || len(l) > 63 || strings.ContainsAny(l, "\"(),;") {
			return "", false
		}
	}
	return strings.ToLower(out), true
}

func (r *reference) validatedIf(cond bool, names []string, want func(string) bool) []string {
	if !cond {
		return nil
	}
	return r.validated(names, want)
}

// run is the whole check.
func (r *reference) run() (result string) {
	defer func() {
		if e := recover(); e != nil {
			if s, ok := e.(refError); ok {
				result = string(s)
				return
			}
			panic(e)
		}
	}()
	return r.checkHost(r.domain)
}

// describe is what must be the same however a check went about it.
func describe(r Result) string {
	code := ""
	if r.Err != nil {
		code = rootOf(r.Err).Code()
	}
	return fmt.Sprint(r.Status, " ", code, r.Match, r.Innermost, r.Lookups, r.VoidLookups, r.Queries, r.Breadth, r.Explanation, len(r.Others))
}

// direct is the zone without the text that resolver writes and reads: a fuzzer makes
// a thousand zones a second.
type direct struct {
	zone  *testZone
	asked []string
}

func (d *direct) Queries() []string { return d.asked }

func (d *direct) Lookup(_ context.Context, name string, t dnsutil.Type) (a dnsutil.Answer, err error) {
	d.asked = append(d.asked, t.String()+" "+name)
	name = strings.TrimSuffix(name, ".")
	values := d.zone.answer(name, t.String())
	if isErr(values) {
		return a, dnsutil.ErrServFail
	}
	a.NXDomain = !d.zone.exists(name)
	for _, v := range values {
		switch t {
		case dnsutil.TypeTXT:
			a.TXT = append(a.TXT, v)
		case dnsutil.TypeMX:
			pref, err := strconv.Atoi(v[:2])
			if err != nil {
				return a, err
			}
			a.MX = append(a.MX, dnsutil.MX{Preference: uint16(pref), Host: v[3:] + "."})
		case dnsutil.TypePTR:
			a.Names = append(a.Names, v+".")
		default:
			a.Addrs = append(a.Addrs, netip.MustParseAddr(v))
		}
	}
	return a, nil
}

// recorder is a DNS that knows what it was asked.
type recorder interface {
	dnsutil.Resolver
	Queries() []string
}

func compareWithReference(t *testing.T, z *testZone, res recorder, ip string, fair bool, max int) {
	t.Helper()
	ref := &reference{
		zone: z, ip: netip.MustParseAddr(ip), helo: "mx.h.example", local: "a", domain: "v.example",
		asked: map[string]bool{}, max: max, fair: fair,
	}
	want := ref.run()
	r := (&Verifier{Resolver: res, NoPrefetch: true, NoExplanation: true, FairVoids: fair, MaxVoidLookups: max}).MailFrom(t.Context(), session(ip))
	require.Equal(t, want, string(r.Status), "%v\n%s", r.Err, z.text)
	require.Equal(t, ref.lookups, r.Lookups, "%v\n%s", r.Err, z.text)
	require.Equal(t, ref.voids, r.VoidLookups, "%v\n%s", r.Err, z.text)
	require.Equal(t, len(ref.asked), r.Queries, "%v\n%s\n%v\n%v", r.Err, z.text, ref.asked, res.Queries())
	require.LessOrEqual(t, len(res.Queries()), maxQueries)
	require.Equal(t, r.Status == authres.Pass, r.Err == nil)
}

func TestP18Reference(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(3000) {
		z := randomZone(seed)
		ip := []string{"192.0.2.9", "2001:db8::9"}[seed%2]
		compareWithReference(t, z, z.resolver(), ip, seed%3 == 0, 1+int(seed%4))
		compareWithReference(t, z, &direct{zone: z}, ip, seed%3 == 0, 1+int(seed%4))
		if seed%2 == 0 {
			r := (&Verifier{Resolver: z.resolver()}).MailFrom(t.Context(), session(ip))
			seen[string(r.Status)]++
			if r.Err != nil {
				seen[rootOf(r.Err).Code()]++
			}
		}
	}
	// Zones that all gave the same answer would prove nothing.
	for _, w := range []string{"pass", "fail", "softfail", "neutral", "permerror", "temperror", "none", "ErrLookups", "ErrVoidLookups", "ErrInclude", "ErrRedirect", "ErrTarget", "ErrMX", "ErrMultipleRecords", "ErrMechanism"} {
		require.NotZero(t, seen[w], "%s: %v", w, seen)
	}
}
