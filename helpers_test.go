package mailauth_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// receipt is when all test messages arrive.
var receipt = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// quoteTXT writes a long text as the character-strings of one TXT record.
func quoteTXT(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		n := min(len(s), 200)
		b.WriteString(` "` + s[:n] + `"`)
		s = s[n:]
	}
	return b.String()
}

// keyRecords are what {kb}, {ka} and {ed} stand for in a case's zone: the keys of
// the victim, of the attacker, and an Ed25519 key of the victim.
func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func keyRecords(t testing.TB) *strings.Replacer {
	return strings.NewReplacer(
		"{kb}", quoteTXT(sigtest.Record(sigtest.RSA(t, "rsa2048"))),
		"{ka}", quoteTXT(sigtest.Record(sigtest.RSA(t, "rsa2048b"))),
		"{ed}", quoteTXT(sigtest.Record(sigtest.Ed25519())),
	)
}

// sign puts a signature on top: "kb d=bank.example s=sel h=from:to" and more tags.
func sign(t testing.TB, spec, msg string) string {
	t.Helper()
	name, rest, _ := strings.Cut(spec, " ")
	tags := map[string]string{"v": "1", "a": "rsa-sha256", "c": "relaxed/relaxed", "h": "from:to:subject:date"}
	order := []string{"v", "a", "c", "d", "s", "h"}
	for _, f := range strings.Fields(rest) {
		k, v, _ := strings.Cut(f, "=")
		if _, ok := tags[k]; !ok && k != "d" && k != "s" {
			order = append(order, k)
		}
		tags[k] = v
	}
	var key = map[string]string{"kb": "rsa2048", "ka": "rsa2048b"}[name]
	if name == "ed" {
		tags["a"] = "ed25519-sha256"
	}
	var b strings.Builder
	for _, k := range order {
		b.WriteString(k + "=" + tags[k] + "; ")
	}
	text := b.String() + "bh={bh}; b={b}"
	if name == "ed" {
		return sigtest.Sign(sigtest.Ed25519(), text, msg)
	}
	return sigtest.Sign(sigtest.RSA(t, key), text, msg)
}

// world is one test case ready to be evaluated.
type world struct {
	evaluator mailauth.Evaluator
	zone      *dnstest.Zone
	session   mailauth.Session
	message   []byte
}

// keys of a case: the session, what is signed and how, and options.
var caseKeys = []string{
	"ip", "helo", "from", "smtputf8", "sign", "sign2", "hops", "trust", "after", "above",
	"honor-reject", "refuse-defects", "exception", "tempfail", "method", "bimi",
}

// hop does to a message what one of the hops of a case does:
//
//	list                             changes it as a mailing list does
//	replant                          puts its ARC sets in front of the case's message
//	seal KEY DOMAIN [CV] RESULTS     seals it with the key "ka", "kb" or "ed" under sel, true or not;
//	                                 DOMAIN+FIELD also covers that field
func hop(t testing.TB, spec, msg, fresh string) string {
	t.Helper()
	verb, rest, _ := strings.Cut(spec, " ")
	switch verb {
	case "list":
		msg = strings.Replace(msg, "Subject: ", "Subject: [list] ", 1)
		return msg + "-- \r\nlists.example\r\n"
	case "replant":
		var sets string
		header, _, _ := strings.Cut(msg, "\r\n\r\n")
		for _, f := range sigtest.Fields(header + "\r\n") {
			if strings.HasPrefix(f, "ARC-") {
				sets += f
			}
		}
		return sets + fresh
	case "seal":
		key, rest, _ := strings.Cut(rest, " ")
		d, results, _ := strings.Cut(rest, " ")
		d, field, _ := strings.Cut(d, "+")
		s := sigtest.Set{Domain: d, Selector: "sel", Results: results, Instance: 1 + strings.Count(msg, "ARC-Seal: i=")}
		if cv, rest, _ := strings.Cut(results, " "); cv == "cv=pass" || cv == "cv=fail" {
			s.CV, s.Results, s.Alone = strings.TrimPrefix(cv, "cv="), rest, cv == "cv=fail"
		}
		if field != "" {
			s.AMS = strings.Replace(sigtest.AMS, "h=from:", "h=from:"+field+":", 1)
		}
		if key == "ed" {
			return sigtest.Seal(sigtest.Ed25519(), s, msg)
		}
		return sigtest.Seal(sigtest.RSA(t, map[string]string{"kb": "rsa2048", "ka": "rsa2048b"}[key]), s, msg)
	}
	t.Fatalf("unknown hop %q", spec)
	return ""
}

// load makes a case's world. "bimi" is the URL of the only logo in it. "sign" and "sign2" sign in that order; the lines of
// the file "above" are put on top afterwards.
func load(t testing.TB, c testcase.Case) *world {
	t.Helper()
	w := &world{session: mailauth.Session{
		HELO: c.Get("helo"), MailFrom: c.Get("from"), Receiver: "mx.victim.example",
		Time: receipt, SMTPUTF8: c.Has("smtputf8"),
	}}
	if c.Has("ip") {
		w.session.IP = netip.MustParseAddr(c.Get("ip"))
	}
	zone, err := dnstest.Parse(keyRecords(t).Replace(string(c.File("zone"))))
	require.NoError(t, err)
	for _, spec := range strings.Fields(c.Get("tempfail")) {
		zone = zone.WithFault(spec, 0, errServfail)
	}
	w.zone = zone
	msg := string(c.Message(t, "message.eml"))
	for _, k := range []string{"sign", "sign2"} {
		if c.Has(k) {
			msg = sign(t, c.Get(k), msg)
		}
	}
	fresh := string(c.Message(t, "message.eml"))
	for spec := range strings.SplitSeq(c.Get("hops"), " | ") {
		if spec != "" {
			msg = hop(t, spec, msg, fresh)
		}
	}
	w.message = append(c.Message(t, "above"), msg...)
	w.evaluator = mailauth.Evaluator{Resolver: zone, TrustedSealers: strings.Fields(c.Get("trust"))}
	if c.Has("bimi") {
		w.evaluator.BIMI = &bimi.Verifier{Fetcher: &onePage{url: c.Get("bimi"), body: markcerttest.SVG()}}
	}
	require.NoError(t, w.evaluator.Validate())
	w.evaluator.Handling.HonorReject = c.Has("honor-reject")
	w.evaluator.RefuseDefects = c.Has("refuse-defects")
	if c.Has("exception") {
		d, a, _ := strings.Cut(c.Get("exception"), " ")
		w.evaluator.Handling.Exceptions = []mailauth.Exception{{Domain: d, Actions: mailauth.Actions{
			Reject: mailauth.Action(a), Quarantine: mailauth.Action(a), AmbiguousAuthor: mailauth.Action(a),
		}}}
		require.NoError(t, w.evaluator.Handling.Validate())
	}
	w.evaluator.DMARC.Method = cmp.Or(methodOf(c.Get("method")), w.evaluator.DMARC.Method)
	return w
}

// with is the same world with another DNS, which can be evaluated beside it.
func (w *world) with(r dnsutil.Resolver) *world {
	c := &world{zone: w.zone, session: w.session, message: w.message}
	e := &w.evaluator
	c.evaluator = mailauth.Evaluator{
		Resolver: r, TrustedSealers: e.TrustedSealers, Handling: e.Handling, RefuseDefects: e.RefuseDefects, DMARC: e.DMARC, DNS: e.DNS,
	}
	if e.BIMI != nil {
		page := *e.BIMI.Fetcher.(*onePage)
		c.evaluator.BIMI = &bimi.Verifier{Fetcher: &page}
	}
	return c
}

func (w *world) evaluate(t testing.TB) *mailauth.Result {
	t.Helper()
	r, err := w.evaluator.Evaluate(context.Background(), &mailauth.Message{Session: w.session, Data: bytes.NewReader(w.message)})
	require.NoError(t, err)
	return r
}

// pretty is the JSON of a result for a person to review, without the base64 of
// signatures, which says nothing.
func pretty(t testing.TB, r *mailauth.Result) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(r))
	return b.String()
}
