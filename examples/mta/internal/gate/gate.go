// Package gate is what smtpd and milter have in common: the evaluator as it is
// configured, what is done with its result, and what is signed and sealed.
package gate

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/fetch"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnsclient"
	"github.com/seed2385d973/mailauth/examples/mta/internal/config"
	"github.com/seed2385d973/mailauth/examples/mta/internal/keys"
	"github.com/seed2385d973/mailauth/message"
)

// Gate is one configuration at work. It is immutable and safe for concurrent use. A
// message that begins with one ends with it.
type Gate struct {
	Config    *config.Config
	Evaluator *mailauth.Evaluator
	Keys      *keys.Ring
	sealed    []mailauth.Pattern
}

// Resolver makes the DNS of a configuration, with a cache in front.
func Resolver(c *config.Config) dnsutil.Resolver {
	return &dnsutil.Cache{Resolver: &dnsclient.Client{Servers: c.DNS.Servers, Timeout: c.DNS.Timeout.D()}}
}

// New builds a Gate; nothing in the configuration that would have to be ignored is
// let through.
func New(c *config.Config, resolver dnsutil.Resolver) (*Gate, error) {
	ring, err := keys.Load(c)
	if err != nil {
		return nil, err
	}
	h, err := handling(c)
	if err != nil {
		return nil, err
	}
	g := &Gate{Config: c, Keys: ring, Evaluator: &mailauth.Evaluator{
		Resolver: resolver, AuthservID: c.AuthservID, TrustedSealers: c.TrustedSealers, Handling: h,
		DNS: mailauth.DNSLimits{Timeout: c.DNS.Message.D()},
	}}
	if c.BIMI {
		g.Evaluator.BIMI = &bimi.Verifier{Fetcher: &fetch.Fetcher{Resolver: resolver}}
	}
	if g.sealed, err = Patterns("sealing.recipients", c.Sealing.Recipients); err != nil {
		return nil, err
	}
	return g, g.Evaluator.Validate()
}

// Patterns reads a list of domain patterns.
func Patterns(setting string, list []string) ([]mailauth.Pattern, error) {
	var out []mailauth.Pattern
	for _, s := range list {
		p, err := mailauth.ParsePattern(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w", setting, s, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// Matches reports whether any pattern names the domain.
func Matches(list []mailauth.Pattern, domain string) bool {
	for _, p := range list {
		if p.Matches(domain) {
			return true
		}
	}
	return false
}

func actions(a config.Actions) mailauth.Actions {
	return mailauth.Actions{
		NoRecord: mailauth.Action(a.NoRecord), None: mailauth.Action(a.None), Quarantine: mailauth.Action(a.Quarantine),
		Reject: mailauth.Action(a.Reject), TempError: mailauth.Action(a.TempError), PermError: mailauth.Action(a.PermError),
		AmbiguousAuthor: mailauth.Action(a.AmbiguousAuthor),
	}
}

// handling writes the settings as a mailauth.Handling. Where domains limits what is
// acted on, everything is accepted but mail of these domains, and mail of which it
// cannot be said whose it is: with two authors one of whom is protected.
func handling(c *config.Config) (mailauth.Handling, error) {
	h := mailauth.Handling{Actions: actions(c.Handling.Actions), HonorReject: c.Handling.HonorReject}
	for _, x := range c.Exceptions {
		a := actions(x.Actions)
		if act := mailauth.Action(x.Action); act != "" {
			for _, p := range []*mailauth.Action{&a.None, &a.Quarantine, &a.Reject} {
				if *p == "" {
					*p = act
				}
			}
		}
		h.Exceptions = append(h.Exceptions, mailauth.Exception{Domain: x.Domain, Actions: a})
	}
	if len(c.Domains) == 0 {
		return h, h.Validate()
	}
	full := h.Actions
	set := func(a *mailauth.Action, v mailauth.Action) {
		if *a == "" {
			*a = v
		}
	}
	// In an exception an empty action means that of the Handling, which accepts.
	set(&full.NoRecord, mailauth.Accept)
	set(&full.None, mailauth.Accept)
	set(&full.Quarantine, mailauth.Quarantine)
	set(&full.Reject, mailauth.Quarantine)
	if h.HonorReject && h.Actions.Reject == "" {
		full.Reject = mailauth.Reject
	}
	set(&full.TempError, mailauth.Defer)
	set(&full.PermError, mailauth.Quarantine)
	for i := range h.Exceptions {
		merge(&h.Exceptions[i].Actions, full)
	}
	for _, d := range c.Domains {
		h.Exceptions = append(h.Exceptions, mailauth.Exception{Domain: d, Actions: full})
	}
	h.Actions = mailauth.Actions{
		NoRecord: mailauth.Accept, None: mailauth.Accept, Quarantine: mailauth.Accept, Reject: mailauth.Accept,
		TempError: mailauth.Accept, PermError: mailauth.Accept, AmbiguousAuthor: full.AmbiguousAuthor,
	}
	h.HonorReject = false
	return h, h.Validate()
}

// merge fills in what an exception leaves open.
func merge(a *mailauth.Actions, from mailauth.Actions) {
	for _, p := range [][2]*mailauth.Action{
		{&a.NoRecord, &from.NoRecord}, {&a.None, &from.None}, {&a.Quarantine, &from.Quarantine}, {&a.Reject, &from.Reject},
		{&a.TempError, &from.TempError}, {&a.PermError, &from.PermError}, {&a.AmbiguousAuthor, &from.AmbiguousAuthor},
	} {
		if *p[0] == "" {
			*p[0] = *p[1]
		}
	}
}

// Verdict is what is done with a message.
type Verdict struct {
	Action mailauth.Action
	Reply  mailauth.SMTPReply
	// Would is what mode "enforce" would have done.
	Would mailauth.Action
}

// Accepted is the reply to a message that is taken.
var accepted = mailauth.SMTPReply{Code: 250, Enhanced: "2.0.0", Text: "OK"}

// Decide says what is done with a message that was evaluated.
func (g *Gate) Decide(r *mailauth.Result) Verdict {
	if g.Config.Mode == config.Observe {
		return Verdict{mailauth.Accept, accepted, r.Action}
	}
	return Verdict{r.Action, r.SMTPReply(), r.Action}
}

// Unreadable says what is done with a message that has no result. A header over the
// limits is the sender's fault and will not become smaller; everything else is ours.
func (g *Gate) Unreadable(err error) Verdict {
	for _, limit := range []error{message.ErrHeaderSize, message.ErrFieldCount, message.ErrFieldSize, message.ErrFolds} {
		if !errors.Is(err, limit) {
			continue
		}
		if g.Config.Mode == config.Observe {
			return Verdict{mailauth.Accept, accepted, mailauth.Reject}
		}
		return Verdict{mailauth.Reject, mailauth.SMTPReply{Code: 552, Enhanced: "5.3.4", Text: "Message header is over a limit"}, mailauth.Reject}
	}
	if g.Config.OnError == config.Accept {
		return Verdict{mailauth.Accept, accepted, mailauth.Defer}
	}
	return Verdict{mailauth.Defer, mailauth.SMTPReply{Code: 451, Enhanced: "4.3.0", Text: "Message could not be evaluated, try again later"}, mailauth.Defer}
}

// Observation is what reports say of a message: with what was really done to it.
func Observation(r *mailauth.Result, done mailauth.Action) aggregate.Observation {
	o := r.Observation()
	switch done {
	case mailauth.Reject:
		o.Disposition = aggregate.DispositionReject
	case mailauth.Quarantine:
		o.Disposition = aggregate.DispositionQuarantine
	default:
		o.Disposition = aggregate.DispositionNone
	}
	return o
}

// Outgoing reports whether a client's mail is our own users': signed, and not judged.
func (g *Gate) Outgoing(ip netip.Addr, authenticated bool) bool {
	return authenticated && *g.Config.Signing.Authenticated || ip.IsValid() && g.Config.IsLocal(ip)
}

// Seals reports whether mail for a recipient is forwarded, and to be sealed.
func (g *Gate) Seals(recipient string) bool {
	return g.Keys.Sealer() != nil && Matches(g.sealed, Domain(recipient))
}

// Domain is what stands behind the last "@" of an address, without angle brackets.
func Domain(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return ""
	}
	return strings.TrimSuffix(address[i+1:], ">")
}

// Author returns the domain of the author of an outgoing message; "" if there is not
// exactly one.
func Author(h *message.Header) string {
	a, _ := dmarc.AuthorDomain(h)
	return a.Domain()
}

// Claims lists the fields of an outgoing message that say they are ours: an account
// that somebody has broken into must not vouch for its own mail.
func (g *Gate) Claims(h *message.Header) []int {
	return authres.Forged(h, g.Config.AuthservID)
}

// Live is the Gate of now: what a reload replaces.
type Live struct {
	file     string
	resolver dnsutil.Resolver
	now      atomic.Pointer[Gate]
}

// NewLive loads a file.
func NewLive(file string) (*Live, error) {
	c, err := config.Load(file)
	if err != nil {
		return nil, err
	}
	l := &Live{file: file, resolver: Resolver(c)}
	g, err := New(c, l.resolver)
	if err != nil {
		return nil, err
	}
	l.now.Store(g)
	return l, nil
}

// Fixed is a Live that is not reloaded, over a Gate of one's own.
func Fixed(g *Gate) *Live {
	l := &Live{resolver: g.Evaluator.Resolver}
	l.now.Store(g)
	return l
}

// Get returns the Gate for a message that begins.
func (l *Live) Get() *Gate { return l.now.Load() }

// Reload reads the file and its keys again. If anything is wrong with them, all stays
// as it is. Messages that have begun end as they began.
func (l *Live) Reload() error {
	c, err := config.Load(l.file)
	if err != nil {
		return err
	}
	g, err := New(c, l.resolver)
	if err != nil {
		return err
	}
	l.now.Store(g)
	return nil
}
