package mailauth

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnsclient"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
	"github.com/seed2385d973/mailauth/message"
	"github.com/seed2385d973/mailauth/spf"
)

// Evaluator evaluates messages. It is plain configuration: the zero value asks
// the system's DNS servers and follows the RFCs' defaults. It is safe for
// concurrent use once nobody changes it; it must not be copied after its first
// use if Resolver is nil.
type Evaluator struct {
	// Resolver is the DNS. Nil means the system's servers (dnsclient) behind a
	// dnsutil.Cache that lives as long as the Evaluator.
	Resolver dnsutil.Resolver

	// AuthservID names this receiver in Authentication-Results (RFC 8601,
	// section 2.5). Empty means the session's Receiver, and where that is empty
	// too, "localhost".
	AuthservID string

	// SPF, DKIM, DMARC and ARC hold the options of the protocols. Their Resolver
	// and Now fields are not used: each message gets its own view of
	// Evaluator.Resolver and its time of receipt.
	SPF   spf.Verifier
	DKIM  dkim.Verifier
	DMARC dmarc.Verifier
	ARC   arc.Verifier

	// TrustedSealers lists the ARC sealers whose word counts: "lists.example" for
	// that domain alone, "*.example" for everything below it and not for itself;
	// U-labels are converted. Empty trusts nobody. A message that fails DMARC is
	// accepted if its chain passes and, from the newest seal down to one whose
	// results say that the message was the author domain's, every sealer is listed:
	// Result.DMARC.Override then says so. Who is on this list can write in anybody's
	// name. An entry that is no pattern trusts nobody; see Validate.
	TrustedSealers []string

	// BIMI evaluates brand indicators; nil means that they are not evaluated, and
	// the fields that claim one are listed in Result.Strip all the same. Its
	// Resolver and Now are not used. The web is asked only through its Fetcher.
	BIMI *bimi.Verifier

	// Author relaxes what From fields are accepted. The zero value relaxes nothing.
	Author dmarc.AuthorOptions

	// RefuseDefects takes no message that is structurally defective in any way
	// (Result.Defects): its signatures and its author are then permerror, and
	// AmbiguousAuthor of Handling applies. By default only those defects do so
	// through which a reader could see another author. Real mail has defects;
	// this is for receivers who know their senders.
	RefuseDefects bool

	// Handling maps the outcome to an action. The zero value follows RFC 9989.
	Handling Handling

	// Header bounds the message's header. Zero fields mean the defaults.
	Header message.Limits

	// DNS bounds the DNS of one message. Zero fields mean the defaults.
	DNS DNSLimits

	system systemResolver
}

// Validate reports what is wrong with the configuration: an AuthservID that cannot
// stand in a header field (authres.ErrAuthservID), a TrustedSealers entry that is no
// pattern (ErrPattern), or what Handling.Validate finds.
// Call it when a configuration is loaded.
func (e *Evaluator) Validate() error {
	if e.AuthservID != "" {
		if _, err := (authres.Header{AuthservID: e.AuthservID}).Field(); err != nil {
			return err
		}
	}
	for _, s := range e.TrustedSealers {
		if _, err := ParsePattern(s); err != nil {
			return fmt.Errorf("trusted sealer %q: %w", s, err)
		}
	}
	return e.Handling.Validate()
}

// DNSLimits bounds what one message may ask of the DNS, over all protocols.
// A field that is zero means the default; none means "unlimited".
type DNSLimits struct {
	// Queries is the number of different questions. Default 100. Going over it
	// is a permanent error of the protocol that would have asked. With fewer than 90
	// protocols wait for what others leave, and a forger whose servers never answer can
	// use up the time for the policy: the message is then deferred.
	Queries int
	// Parallel is the number of questions under way at once. Default 16.
	Parallel int
	// Timeout is the wall clock for all of them. Default 30 s; a temporary error.
	// It begins with Start, and anew with the end of the header and with Finish, for a
	// client may take minutes from one to the other.
	Timeout time.Duration
	// Bytes is the size of all answers. Default 256 KiB.
	Bytes int
	// Speculative is the number of questions asked before it is certain that
	// they are needed, which is what makes an evaluation take two round trips
	// instead of fourteen. They never change a result. Default 100; negative
	// switches it off.
	Speculative int
}

// systemResolver is the Resolver of an Evaluator that has none.
type systemResolver struct {
	once sync.Once
	r    dnsutil.Resolver
}

func (e *Evaluator) resolver() dnsutil.Resolver {
	if e.Resolver != nil {
		return e.Resolver
	}
	e.system.once.Do(func() {
		e.system.r = &dnsutil.Cache{Resolver: &dnsclient.Client{}}
	})
	return e.system.r
}

// Session is what the SMTP dialogue said before DATA. The zero value is a
// message of which nothing is known: no SPF check takes place.
type Session struct {
	// IP is the client's address. An invalid (zero) address means that there is
	// none: SPF is then "none". IPv4-mapped addresses count as IPv4.
	IP netip.Addr
	// HELO is the argument of HELO or EHLO, as the client sent it.
	HELO string
	// MailFrom is the reverse-path as received on the wire, before any rewriting
	// of the receiver's own, without its angle brackets. Empty is the null
	// reverse-path of bounces.
	MailFrom string
	// Receiver is our host name, for the %{r} macro of SPF explanations and as
	// authserv-id where Evaluator.AuthservID is empty.
	Receiver string
	// Time is the time of receipt, which signatures' times are compared with.
	// Zero means now.
	Time time.Time
	// SMTPUTF8 says that the client announced internationalized mail (RFC 6531,
	// section 3.4).
	SMTPUTF8 bool
}

// Message is a message with its session.
type Message struct {
	Session
	// Data is the message with CRLF line ends, as it came after DATA with
	// dot-stuffing removed. It is read once, to its end.
	Data io.Reader
}

// Evaluate evaluates a message with the default Evaluator: the system's DNS and
// the RFCs' defaults, with a cold cache each time. A server keeps an Evaluator.
func Evaluate(ctx context.Context, m *Message) (*Result, error) {
	return new(Evaluator).Evaluate(ctx, m)
}

// Evaluate reads m to its end and evaluates it. The error is m.Data's own or says
// that the header is over a limit of message.Limits; all that is wrong otherwise
// is in the Result. Reading stops when ctx is done.
func (e *Evaluator) Evaluate(ctx context.Context, m *Message) (*Result, error) {
	ev := e.Start(ctx, m.Session)
	// A fifth of what io.Copy would allocate, as small messages are many; and no size of which a span holds only one.
	if _, err := io.CopyBuffer(ev, contextReader{ctx, m.Data}, make([]byte, 6<<10)); err != nil {
		ev.Abort()
		return nil, err
	}
	return ev.Finish()
}

// contextReader stops reading when ctx is done, between two reads.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}

// Evaluation is one message under evaluation: an io.Writer that takes the
// message in chunks of any size. Its methods must not be called concurrently.
// Every Evaluation ends with Finish or Abort; no goroutine outlives that.
type Evaluation struct {
	e       *Evaluator
	session Session
	now     time.Time
	clock   func() time.Time // says now
	ctx     context.Context
	cancel  context.CancelFunc
	dns     *lookup.Session
	ended   bool

	digester message.Digester
	message  *message.Message // from Finish
	begun    bool             // the header has ended and its lookups are under way

	// One scope a protocol, in order of priority: should a hostile message use
	// up the DNS budget, what decides the verdict is asked before what adorns it.
	dkimScope, spfScope, dmarcScope, arcScope, heloScope *lookup.Scope

	spf, helo envelopeCheck
	author    dmarc.Author
	dkim      *dkim.Verification
	dmarc     dmarc.Verifier
	arc       *arc.Verification
}

// Most questions that one protocol may ask of the DNS for one message. Without
// ARC and HELO they add up to less than the default of DNSLimits.Queries; ARC,
// which can only rescue, and then HELO, on which no verdict rests, get what the others leave.
const (
	maxSPF  = 50 // decision 8
	maxDKIM = 8
)

// envelopeCheck is an SPF check: at once where the answers are at hand, which
// takes a few microseconds, else beside everything else.
type envelopeCheck struct {
	verifier spf.Verifier
	scope    *lookup.Scope
	identity spf.Identity
	result   spf.Result
	begun    bool
	done     chan struct{} // nil if nothing has to be waited for
}

// run does the check.
func (c *envelopeCheck) run(ev *Evaluation) {
	if c.identity == spf.HELO {
		c.result = c.verifier.HELO(ev.ctx, ev.spfSession())
	} else {
		c.result = c.verifier.MailFrom(ev.ctx, ev.spfSession())
	}
}

// start starts the check. If patient, one whose turn to ask has not come waits for it.
func (c *envelopeCheck) start(ev *Evaluation, patient bool) {
	switch pace := c.scope.AtHand(func() { c.run(ev) }); {
	case pace == lookup.AtOnce:
		c.begun = true
		c.scope.Finish()
	case pace == lookup.Waits || patient:
		c.begun = true
		c.done = make(chan struct{})
		go func() {
			defer close(c.done)
			defer c.scope.Finish()
			c.run(ev)
		}()
	}
}

// domain returns the domain that the MAIL FROM check is about.
func (c *envelopeCheck) domain(ev *Evaluation) string {
	if c.done == nil {
		return c.result.Domain
	}
	return ev.spfSession().MailFromDomain()
}

// wait waits for the check if it runs.
func (c *envelopeCheck) wait() {
	if c.done != nil {
		<-c.done
	}
}

// Start begins the evaluation of one message. The SPF checks of the envelope
// start at once. The evaluation ends early, with temporary errors, when ctx is done.
func (e *Evaluator) Start(ctx context.Context, s Session) *Evaluation {
	ev := &Evaluation{e: e, session: s, now: s.Time}
	if ev.now.IsZero() {
		ev.now = time.Now()
	}
	ev.clock = func() time.Time { return ev.now }
	ev.ctx, ev.cancel = context.WithCancel(ctx)
	ev.dns = lookup.New(ev.ctx, e.resolver(), lookup.Limits(e.DNS))
	ev.dkimScope = ev.dns.Scope(maxDKIM)
	ev.spfScope = ev.dns.Scope(maxSPF)
	ev.dmarcScope = ev.dns.Scope(dmarc.MaxQueries)
	ev.arcScope = ev.dns.Scope(max(arc.MaxQueries, min(e.ARC.MaxSets, 50)+1))
	ev.heloScope = ev.dns.Scope(maxSPF)
	ev.digester = message.Digester{AllowSHA1: e.DKIM.AllowSHA1, Limits: e.Header, SMTPUTF8: s.SMTPUTF8}
	ev.startSPF()
	return ev
}

func (ev *Evaluation) spfSession() spf.Session {
	return spf.Session{IP: ev.session.IP, HELO: ev.session.HELO, MailFrom: ev.session.MailFrom, Receiver: ev.session.Receiver}
}

func (ev *Evaluation) startSPF() {
	for _, c := range []struct {
		check    *envelopeCheck
		scope    *lookup.Scope
		identity spf.Identity
	}{{&ev.spf, ev.spfScope, spf.MailFrom}, {&ev.helo, ev.heloScope, spf.HELO}} {
		c.check.verifier, c.check.scope, c.check.identity = ev.e.SPF, c.scope, c.identity
		c.check.verifier.Resolver, c.check.verifier.Now = c.scope, ev.clock
	}
	ev.spf.start(ev, true)
	// Before the header has been read HELO has to wait, as nobody knows what a
	// chain will ask; its record need not.
	if n, err := domain.ParseQuery(ev.session.HELO); err == nil && n.Labels() > 1 && ev.session.IP.IsValid() {
		ev.heloScope.Prefetch(n, dnsutil.TypeTXT)
	}
	ev.helo.start(ev, false)
}

// Write takes the next octets of the message. When they complete the header, all
// first-level lookups start. It returns an error only for a header over a limit
// of message.Limits, as the message is then unreadable, and ErrFinished. That the
// context is done is no error here: a caller may want to go on spooling.
func (ev *Evaluation) Write(p []byte) (int, error) {
	if ev.ended {
		return 0, ErrFinished
	}
	n, err := ev.digester.Write(p)
	if err == nil && !ev.begun {
		if h := ev.digester.Header(); h != nil {
			ev.begin(h)
		}
	}
	return n, err
}

// begin starts what the header alone suffices for.
func (ev *Evaluation) begin(h *message.Header) {
	ev.begun = true
	ev.dns.Extend()
	ev.author, _ = ev.e.Author.AuthorDomain(h) // the Author carries the error into DMARC
	v := ev.e.DKIM
	v.Resolver, v.Now = ev.dkimScope, ev.clock
	v.RefuseDefects = v.RefuseDefects || ev.e.RefuseDefects
	ev.dkim = v.Start(ev.ctx, h)
	a := ev.e.ARC
	a.Resolver, a.Now = ev.arcScope, ev.clock
	ev.arc = a.Start(ev.ctx, h)
	if n := ev.arc.Queries(); n > 0 {
		ev.arcScope.Limit(n)
	} else {
		ev.arcScope.Finish() // HELO waits for what it leaves
	}
	ev.dmarc = ev.e.DMARC
	ev.dmarc.Resolver = ev.dmarcScope
	if ev.author.Err() == nil {
		domains := append(ev.author.Domains(), ev.spf.domain(ev))
		ev.dmarc.Prefetch(ev.ctx, append(domains, ev.dkim.Domains()...)...)
		ev.dmarc.NoPrefetch = true // it need not be done again
	}
	if !ev.helo.begun {
		ev.helo.start(ev, true)
	}
}

// Want asks for digests of the body beyond those that the message's own signatures
// need: an arc.Sealer's, for Result.Seal. Call it before the header has ended.
func (ev *Evaluation) Want(h ...message.BodyHash) {
	ev.digester.Want = append(ev.digester.Want, h...)
}

// SPF waits for the check of the MAIL FROM identity and returns it, long before
// Finish: for a server that answers to MAIL FROM. The Result will have the same.
func (ev *Evaluation) SPF() spf.Result {
	ev.spf.wait()
	return ev.spf.result
}

// Message returns the message that Finish has read, for Result.Seal; nil before, and
// if it could not be read.
func (ev *Evaluation) Message() *message.Message { return ev.message }

// Finish ends the message and returns the result. The error is a limit of
// message.Limits exceeded by the header, an AuthservID that cannot be written (see
// Evaluator.Validate), or ErrFinished.
func (ev *Evaluation) Finish() (*Result, error) {
	if ev.ended {
		return nil, ErrFinished
	}
	defer ev.Abort()
	m, err := ev.digester.Finish()
	if err != nil {
		return nil, err
	}
	ev.message = m
	if ev.dns.Extend(); !ev.begun {
		ev.begin(m.Header())
	}
	if d := m.Defects(); ev.e.RefuseDefects && len(d) > 0 {
		ev.author = ev.author.Refuse(d[0].Defect)
	}
	r := &Result{Session: ev.session, Time: ev.now, Author: ev.author, Defects: m.Defects()}
	identifiers := func() []dmarc.Identifier {
		r.DKIM = ev.dkim.Finish(m)
		ev.dkimScope.Finish()
		ev.spf.wait()
		r.SPF = ev.spf.result
		ids := make([]dmarc.Identifier, 0, 1+len(r.DKIM))
		ids = append(ids, dmarc.SPFIdentifier(r.SPF.Status, r.SPF.Domain))
		for i := range r.DKIM {
			ids = append(ids, dmarc.DKIMIdentifier(r.DKIM[i].Status, r.DKIM[i].Signature.Domain, r.DKIM[i].Signature.Selector))
		}
		return ids
	}
	if ev.author.Err() != nil || ev.dmarcScope.Waits() {
		r.DMARC = ev.dmarc.Verify(ev.ctx, ev.author, identifiers()...)
	} else {
		// The policy first: a forger's servers, which may never answer, must not use up its time.
		r.DMARC = ev.dmarc.VerifyFunc(ev.ctx, ev.author, identifiers)
	}
	ev.dmarcScope.Finish()
	r.ARC = ev.arc.Finish(m)
	ev.arcScope.Finish()
	ev.trust(r)
	ev.helo.wait()
	r.SPFHELO = ev.helo.result
	r.BIMI = ev.evaluateBIMI(r, m.Header())
	r.Queries = ev.dns.Queries()
	if err := r.finish(ev.e, m.Header()); err != nil {
		return nil, err
	}
	return r, nil
}

// Abort gives the message up. It is safe to call at any time, also after Finish,
// so that a caller can defer it.
func (ev *Evaluation) Abort() {
	if ev.ended {
		return
	}
	ev.ended = true
	ev.cancel()
	if ev.dkim != nil {
		ev.dkim.Abort()
		ev.arc.Abort()
	}
	for _, c := range []*lookup.Scope{ev.dkimScope, ev.spfScope, ev.dmarcScope, ev.arcScope} {
		c.Finish() // HELO may be waiting for what they leave
	}
	ev.spf.wait()
	ev.helo.wait()
	ev.dns.Close()
}
