// Package mailgen makes random worlds for property tests: a message, the session it
// comes in, and the DNS that it meets. The same seed makes the same world. Some are
// honest mail, some forged, most of them odd; see [World.String] for what a failing
// test has to print. Only tests import it.
package mailgen

import (
	"crypto"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// Receipt is when the messages arrive.
var Receipt = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// World is one message in its session and its DNS.
type World struct {
	Seed     uint64
	Records  []Record
	IP       netip.Addr
	HELO     string
	MailFrom string
	SMTPUTF8 bool
	Trusted  []string // sealers whom the receiver trusts
	Message  string
}

// Record is one resource record; TXT values are as the client gets them.
type Record struct{ Name, Type, Value string }

// Options change what a world is like without changing what is in it.
type Options struct {
	// Case writes a domain name in other letters; nil leaves it lower-case. It is
	// called for names wherever they stand, before the message is signed.
	Case func(string) string
	// NoPTR leaves out the mechanism ptr and the macro %{p}.
	NoPTR bool
}

// Generator makes worlds. It is not safe for concurrent use.
type Generator struct {
	keys []key
	rnd  *rand.Rand
	opt  Options
	w    *World
	ip   netip.Addr // the client of an honest sender
}

type key struct {
	crypto.Signer
	record string
}

// New returns a generator.
func New(t testing.TB) *Generator {
	g := &Generator{}
	for _, k := range []crypto.Signer{sigtest.RSA(t, "rsa1024"), sigtest.RSA(t, "rsa2048"), sigtest.Ed25519()} {
		g.keys = append(g.keys, key{k, sigtest.Record(k)})
	}
	return g
}

// World makes the world of a seed.
func (g *Generator) World(seed uint64, o Options) *World {
	g.rnd, g.opt, g.w = rand.New(rand.NewPCG(seed, 4711)), o, &World{Seed: seed}
	author := g.pick("bank.example", "bank.example", "news.bank.example", "a.b.c.d.e.bank.example", "eu.bank.example", "x.eu.bank.example", "bank.reg.example", "bank.co.uk")
	g.ip = netip.MustParseAddr(g.pick("198.51.100.1", "198.51.100.1", "2001:db8::1"))
	g.w.IP = g.ip
	if g.one(3) {
		g.w.IP = netip.MustParseAddr(g.pick("192.0.2.1", "203.0.113.7", "2001:db8::7", "::ffff:198.51.100.1"))
	}
	if g.one(40) {
		g.w.IP = netip.Addr{}
	}
	g.w.SMTPUTF8 = g.one(20)
	sender := g.pick(author, author, g.pick("bank.example", "esp.example", "bounce."+author, "attack.example"))
	g.w.MailFrom = g.pick("bounce", "a.b+c", `"odd one"`, "x=y") + "@" + g.name(sender)
	if g.one(10) {
		g.w.MailFrom = g.pick("", "", "bounce", "@", "a@[192.0.2.1]", "a@b..example")
	}
	g.w.HELO = g.name(g.pick("mail."+author, "mail."+author, "mx.lists.example", "mail.attack.example"))
	if g.one(20) {
		g.w.HELO = g.pick("", "localhost", "[198.51.100.1]", "a b", "mail."+author+".")
	}
	g.zone(author, sender)
	g.message(author, sender)
	return g.w
}

func (g *Generator) one(in int) bool          { return g.rnd.IntN(in) == 0 }
func (g *Generator) pick(of ...string) string { return of[g.rnd.IntN(len(of))] }
func (g *Generator) add(name, typ, value string) {
	g.w.Records = append(g.w.Records, Record{g.name(name), typ, value})
}
func (g *Generator) addTXT(name, f string, a ...any) { g.add(name, "TXT", fmt.Sprintf(f, a...)) }

// name writes a domain name as the options want it.
func (g *Generator) name(s string) string {
	if g.opt.Case == nil {
		return s
	}
	return g.opt.Case(s)
}

// Zone is the DNS of the world.
func (w *World) Zone() *dnstest.Zone {
	var b strings.Builder
	for _, r := range w.Records {
		v := r.Value
		if r.Type == "TXT" {
			v = quote(v)
		}
		fmt.Fprintf(&b, "%s. %s %s\n", r.Name, r.Type, v)
	}
	return dnstest.MustParse(b.String())
}

// quote writes a TXT value as character-strings of a master file, in pieces of any size.
func quote(s string) string {
	var b strings.Builder
	for first := true; first || s != ""; first = false {
		n := min(len(s), 199)
		b.WriteString(` "`)
		for _, c := range []byte(s[:n]) {
			if c < ' ' || c > '~' || c == '"' || c == '\\' {
				fmt.Fprintf(&b, `\%03d`, c)
				continue
			}
			b.WriteByte(c)
		}
		b.WriteString(`"`)
		s = s[n:]
	}
	return b.String()
}

// Fields are the fields of the message's header, each with its line end, and the
// rest: the empty line and the body.
func (w *World) Fields() (fields []string, rest string) {
	i := strings.Index(w.Message, "\r\n\r\n")
	if i < 0 {
		return sigtest.Fields(w.Message), ""
	}
	return sigtest.Fields(w.Message[:i+2]), w.Message[i+2:]
}

// Insert returns the message with text between two fields; at counts from the top.
func (w *World) Insert(at int, text string) string {
	fields, rest := w.Fields()
	at = min(at, len(fields))
	return strings.Join(fields[:at], "") + text + strings.Join(fields[at:], "") + rest
}

// ShuffleARC returns the message with its ARC fields in another order, in the same places.
func (w *World) ShuffleARC(seed uint64) string {
	fields, rest := w.Fields()
	var places []int
	for i, f := range fields {
		if strings.HasPrefix(f, "ARC-") {
			places = append(places, i)
		}
	}
	shuffled := slices.Clone(fields)
	for i, j := range rand.New(rand.NewPCG(seed, 1)).Perm(len(places)) {
		shuffled[places[i]] = fields[places[j]]
	}
	return strings.Join(shuffled, "") + rest
}

// String is all that it takes to see what happened.
func (w *World) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: ip %s, helo %q, mail from %q, smtputf8 %v, trusted %q\n", w.Seed, w.IP, w.HELO, w.MailFrom, w.SMTPUTF8, w.Trusted)
	for _, r := range w.Records {
		fmt.Fprintf(&b, "%s %s %q\n", r.Name, r.Type, r.Value)
	}
	for line := range strings.SplitAfterSeq(w.Message, "\n") {
		fmt.Fprintf(&b, "%q\n", line)
	}
	return b.String()
}
