package filter

import (
	"context"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/stretchr/testify/require"
)

// Octets that a careless milter changes: several spaces and none behind the colon, a
// tab, folding, a fold of blanks, an empty value, lines that end in blanks.
const awkward = "From:a@good.example\r\nTo:   b@ours.example\r\nSubject:\tone\r\n\ttwo \r\n  three\r\nX-Empty:\r\nX-Blank: \r\n" +
	"Date: Sat, 21 Nov 2026 10:00:00 +0000 \r\nMessage-ID: <1@good.example>\r\n\r\n.\r\n..\r\nline  \r\n\r\nend\r\n\r\n\r\n"

const forged = "Authentication-Results: other.example; dmarc=pass\r\nAuthentication-Results: mx.ours.example; dmarc=pass\r\n" +
	"BIMI-Indicator: x\r\nauthentication-results:mx.ours.example;\r\n\tdmarc=pass\r\n"

// The octets of the header and the body that were signed reach the verifier; our field
// is on top, and the forged ones, and only these, are gone, however the MTA counts.
func TestIncoming(t *testing.T) {
	w := newWorld(t, "mode = \"enforce\"\n[handling]\nhonor_reject = true\n")
	text := signed(t, "good.example", awkward)
	top, rest, _ := strings.Cut(text, "From:")
	in := forged + top + forged + "From:" + rest + "."
	in = strings.TrimSuffix(in, ".")
	o := w.deliver(t, fromGood.with(in))
	require.Equal(t, "c", o.reply())
	for _, renumber := range []bool{true, false} {
		out := o.apply(t, in, true, renumber)
		results, rest, _ := strings.Cut(out, "\r\nAuthentication-Results: other.example; dmarc=pass\r\n")
		require.True(t, strings.HasPrefix(results, "Authentication-Results: mx.ours.example"), out)
		for _, want := range []string{"spf=pass", "dkim=pass", "header.s=rsa", "header.s=ed", "dmarc=pass"} {
			require.Contains(t, results, want)
		}
		require.NotContains(t, results, "dkim=fail")
		require.Equal(t, top+"Authentication-Results: other.example; dmarc=pass\r\nFrom:"+strings.SplitN(text, "From:", 2)[1], rest)
	}
	require.Equal(t, []aggregate.Disposition{"none"}, w.counted.dispositions())
	require.Contains(t, w.log.String(), "queue=QUEUEID")
}

// An MTA of long ago offers little: every command is answered, and one space taken away.
func TestOldMTA(t *testing.T) {
	w := newWorld(t, "")
	text := signed(t, "good.example", strings.ReplaceAll(strings.ReplaceAll(awkward, "From:", "From: "), "Subject:\t", "Subject: "))
	text = strings.ReplaceAll(text, "X-Empty:\r\nX-Blank: \r\n", "")
	m := w.connect(t)
	m.negotiate(2, 0x3f, 0x7f)
	m.hello(fromGood)
	l := fromGood.with(forged + text)
	m.mailFrom(l)
	m.write('U', "NOOP\x00")
	require.Equal(t, "c", string(m.read().code))
	m.data(l)
	o := m.end()
	require.Equal(t, "c", o.reply())
	out := o.apply(t, l.text, false, true)
	results, _, _ := strings.Cut(out, "\r\nAuthentication-Results: other.example")
	require.True(t, strings.HasPrefix(results, "Authentication-Results: mx.ours.example"), out)
	require.Equal(t, 2, strings.Count(results, "dkim=pass"), results)
}

const byMallory = "From: ceo@%s\r\nSubject: x\r\n\r\nPay\r\n"

func forgery(d string) mail {
	return mail{ip: "198.51.100.66", helo: "mallory.example", from: "m@mallory.example", rcpt: []string{"b@ours.example"}, text: strings.ReplaceAll(byMallory, "%s", d)}
}

// What is done with mail is what the configuration says, and what was done is counted.
func TestHandling(t *testing.T) {
	muteMail := fromGood
	muteMail.from, muteMail.ip = "", "198.51.100.66"
	signedMute := func(t *testing.T) mail {
		return muteMail.with(signed(t, "mute.example", "From: a@mute.example\r\n\r\nx\r\n"))
	}
	two := forgery("good.example")
	two.text = "From: a@good.example\r\n" + two.text
	const enforce = "mode = \"enforce\"\n"
	for _, c := range []struct {
		name, settings string
		mail           mail
		reply          string // "c" or the beginning of a reply
		held           string
		top            string // of the message
		counted        string // "" for not counted
	}{
		{"observe", "[handling]\nhonor_reject = true\n", forgery("good.example"), "c", "", "Authentication-Results: mx.ours.example", "none"},
		{"enforce p=reject as quarantine", enforce, forgery("good.example"), "c", "dmarc=fail good.example", "Authentication-Results", "quarantine"},
		{"enforce p=reject honored", enforce + "[handling]\nhonor_reject = true\n", forgery("good.example"), "550 5.7.26 ", "", "", "reject"},
		{"enforce p=quarantine", enforce, forgery("careful.example"), "c", "dmarc=fail careful.example", "Authentication-Results", "quarantine"},
		{"quarantine by field", enforce + "[milter]\nquarantine = \"header\"\n", forgery("careful.example"), "c", "", "X-Quarantine: dmarc\r\nAuthentication-Results", "quarantine"},
		{"quarantine by reply", enforce + "[milter]\nquarantine = \"reject\"\n", forgery("careful.example"), "550 5.7.26 ", "", "", "reject"},
		{"no record", enforce, forgery("nobody.example"), "c", "", "Authentication-Results", "-"},
		{"two From fields", enforce, two, "550 5.7.1 ", "", "", "-"},
		{"two From fields observed", "", two, "c", "", "Authentication-Results", "-"},
		{"key server down", enforce, signedMute(t), "451 4.7.5 ", "", "", "-"},
		{"key server down, observed", "", signedMute(t), "c", "", "Authentication-Results", "-"},
		{"exception", enforce + "[[exception]]\ndomain = \"good.example\"\naction = \"reject\"\n", forgery("good.example"), "550 5.7.26 ", "", "", "reject"},
		{"exception for others", enforce + "[[exception]]\ndomain = \"*.good.example\"\naction = \"reject\"\n", forgery("good.example"), "c", "dmarc=fail good.example", "Auth", "quarantine"},
		{"domains, this one", "domains = [\"good.example\"]\n" + enforce + "[handling]\nhonor_reject = true\n", forgery("good.example"), "550 5.7.26", "", "", "reject"},
		{"domains, another one", "domains = [\"good.example\"]\n" + enforce + "[handling]\nhonor_reject = true\n", forgery("careful.example"), "c", "", "Authentication-Results", "none"},
		{"domains, two authors", "domains = [\"good.example\"]\n" + enforce, two, "550 5.7.1 ", "", "", "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.settings)
			o := w.deliver(t, c.mail)
			require.True(t, strings.HasPrefix(o.reply(), c.reply), o.reply())
			require.Equal(t, c.held, o.quarantine())
			if c.reply == "c" {
				require.True(t, strings.HasPrefix(o.apply(t, c.mail.text, true, true), c.top))
			} else {
				require.Empty(t, o.changes, "of a message that is refused")
			}
			want := []aggregate.Disposition{}
			for _, d := range w.counted.dispositions() { // mail about which nobody wants a report is ignored by the collector
				if c.counted == "-" {
					c.counted = string(d)
				}
			}
			if c.counted != "-" && c.counted != "" {
				want = append(want, aggregate.Disposition(c.counted))
			}
			require.Equal(t, want, w.counted.dispositions())
		})
	}
}

// Clients on our networks and clients that have logged in are signed for, with all
// keys of their domain, and what comes out verifies.
func TestOutgoing(t *testing.T) {
	local := mail{ip: "10.1.2.3", helo: "laptop", from: "u@ours.example", rcpt: []string{"a@good.example"},
		text: strings.ReplaceAll(awkward, "a@good.example", "u@mail.ours.example")}
	roaming := local
	roaming.ip, roaming.login = "198.51.100.77", "u"
	roaming.text = "Authentication-Results: mx.ours.example; dmarc=pass\r\n" + roaming.text
	const accounts = "[[signing.account]]\nlogin = \"u\"\naddresses = [\"u@mail.ours.example\"]\n[[signing.account]]\nlogin = \"v\"\naddresses = [\"@ours.example\"]\n"
	other := roaming
	other.login = "v"
	foreign := local
	foreign.text = "From: x@elsewhere.example\r\n\r\nx\r\n"
	for _, c := range []struct {
		name     string
		settings string
		mail     mail
		reply    string
		signed   bool
	}{
		{"local", ourKeys, local, "c", true},
		{"logged in", ourKeys, roaming, "c", true},
		{"an account's own address", "mode = \"enforce\"\n" + ourKeys + accounts, roaming, "c", true},
		{"an account that may not", "mode = \"enforce\"\n" + ourKeys + accounts, other, "550 5.7.1 Not permitted", false},
		{"an account that may not, observed", ourKeys + accounts, other, "c", false},
		{"a network has no account", "mode = \"enforce\"\n" + ourKeys + accounts, local, "c", true},
		{"another's domain", ourKeys, foreign, "c", false},
		{"another's domain, where a signature is demanded", "[signing]\nrequired = true\n" + ourKeys, foreign, "550 5.7.1 ", false},
		{"no keys", "", local, "c", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.settings)
			o := w.deliver(t, c.mail)
			require.True(t, strings.HasPrefix(o.reply(), c.reply), o.reply())
			require.Empty(t, w.counted.all, "our own mail is not reported")
			out := o.apply(t, c.mail.text, true, true)
			if !c.signed {
				require.NotContains(t, out, "DKIM-Signature")
				return
			}
			require.NotContains(t, out, "dmarc=pass")
			e := mailauth.Evaluator{Resolver: w.resolver}
			r, err := e.Evaluate(context.Background(), &mailauth.Message{Data: strings.NewReader(out)})
			require.NoError(t, err)
			require.Len(t, r.DKIM, 2)
			for _, d := range r.DKIM {
				require.Equal(t, authres.Pass, d.Status, d.Err)
				require.Equal(t, "ours.example", d.Signature.Domain)
			}
			require.Equal(t, "rsa-sha256", r.DKIM[0].Signature.Algorithm)
		})
	}
}

// Mail to a domain that forwards is sealed with what was found; the next receiver,
// who trusts us, accepts it although SPF fails there.
func TestSealing(t *testing.T) {
	w := newWorld(t, "[sealing]\nrecipients = [\"*.ours.example\"]\ndomain = \"ours.example\"\nselector = \"rsa\"\nfile = \"rsa.pem\"\n")
	l := fromGood.with("From: a@good.example\r\nSubject: x\r\n\r\nunsigned\r\n")
	require.NotContains(t, w.deliver(t, l).apply(t, l.text, true, true), "ARC-Seal")

	l.rcpt = []string{"b@ours.example", "list@lists.ours.example"}
	out := w.deliver(t, l).apply(t, l.text, true, true)
	require.True(t, strings.HasPrefix(out, "ARC-Seal: i=1;"), out)
	e := mailauth.Evaluator{Resolver: w.resolver, TrustedSealers: []string{"ours.example"}}
	r, err := e.Evaluate(context.Background(), &mailauth.Message{
		Session: mailauth.Session{IP: netip.MustParseAddr("203.0.113.5"), HELO: "x", MailFrom: "a@good.example"}, Data: strings.NewReader(out),
	})
	require.NoError(t, err)
	require.Equal(t, authres.Pass, r.ARC.Status, r.ARC.Err)
	require.Equal(t, authres.Fail, r.DMARC.Status)
	require.Equal(t, mailauth.Accept, r.Action)
	require.Contains(t, out, "smtp.remote-ip=192.0.2.1")
}

// Internationalized mail keeps its addresses, and IPv6 clients of Sendmail theirs.
func TestSMTPUTF8(t *testing.T) {
	w := newWorld(t, "")
	l := fromGood.with("From: Jörg <jörg@good.example>\r\n\r\nGrüße\r\n")
	l.ip, l.from, l.args = "2001:db8::1", "jörg@münchen.example", []string{"SIZE=100", "smtputf8"}
	out := w.deliver(t, l).apply(t, l.text, true, true)
	require.Contains(t, out, "smtp.mailfrom=xn--mnchen-3ya.example")
	require.True(t, strings.HasSuffix(out, l.text))
	require.Equal(t, "2001:db8::1", w.counted.all[0].SourceIP.String())
}

// One connection carries many messages; what was aborted leaves nothing behind.
func TestManyMessages(t *testing.T) {
	w := newWorld(t, "mode = \"enforce\"\n[handling]\nhonor_reject = true\n")
	good := fromGood.with(signed(t, "good.example", awkward))
	bad := forgery("good.example")
	bad.from = "" // of another sender, by the same client
	m := w.connect(t)
	m.open(good)
	for i := range 30 {
		l, want := good, "c"
		if i%3 == 1 {
			l, want = bad, "c" // from the address that SPF knows, but the null sender
			l.text = strings.ReplaceAll(l.text, "good.example", "careful.example")
		}
		if i%3 == 2 {
			m.mailFrom(bad)
			m.send(nrHeader, 'L', "From\x00 half a message\x00")
			if i%2 == 0 {
				m.send(nrEOH, 'N')
				m.send(nrBody, 'B', "x")
			}
			m.write('A')
		}
		m.mailFrom(l)
		m.data(l)
		o := m.end()
		require.Equal(t, want, o.reply(), "message %d", i)
		require.Equal(t, i%3 == 1, o.quarantine() != "", "message %d", i)
	}
	require.Len(t, w.counted.all, 30)
}

// The next client of a connection is another one: not the one that has logged in.
func TestNextClient(t *testing.T) {
	w := newWorld(t, ourKeys)
	l := mail{ip: "198.51.100.77", helo: "x", from: "u@ours.example", login: "u", rcpt: []string{"a@good.example"}, text: "From: u@ours.example\r\n\r\nx\r\n"}
	m := w.connect(t)
	m.open(l)
	for _, login := range []string{"u", "", "u", ""} {
		l.login = login
		m.mailFrom(l)
		m.data(l)
		out := m.end().apply(t, l.text, true, true)
		require.Equal(t, login != "", strings.HasPrefix(out, "DKIM-Signature:"), out)
		require.Equal(t, login == "", strings.HasPrefix(out, "Authentication-Results:"), out)
		m.write('K')
		m.send(nrConn, 'C', "client\x004\x10\x00", l.ip, "\x00")
	}
}

// An MTA that does not let us change header fields is of no use, and is told so by
// the end of the connection: it then does what milter_default_action says.
func TestNoActions(t *testing.T) {
	w := newWorld(t, "")
	m := w.connect(t)
	m.write('O', word(6), word(1), word(allProtocol))
	_, err := m.conn.Read(make([]byte, 1))
	require.Error(t, err)
}

// A header over the limits is refused or, where nothing is refused, passed without
// anything in it that could be taken for ours. So is one whose octets cannot be known.
func TestUnreadable(t *testing.T) {
	long := "From: a@good.example\r\n" + forged + strings.Repeat("X: y\r\n", 3000) + forged + "\r\nx\r\n"
	w := newWorld(t, "mode = \"enforce\"\n")
	require.Equal(t, "552 5.3.4 Message header is over a limit", w.deliver(t, fromGood.with(long)).reply())
	w = newWorld(t, "")
	o := w.deliver(t, fromGood.with(long))
	require.Equal(t, "c", o.reply())
	for _, renumber := range []bool{true, false} {
		require.NotContains(t, strings.ToLower(o.apply(t, long, true, renumber)), "authentication-results")
	}
	require.Empty(t, w.counted.all)

	for setting, want := range map[string]string{"": "451 4.3.0 ", "on_error = \"accept\"\n": "c"} {
		w := newWorld(t, setting)
		m := w.connect(t)
		m.open(fromGood)
		m.mailFrom(fromGood)
		m.send(nrHeader, 'L', "Subject\x00 x\nFrom: b@good.example\x00")
		m.data(fromGood.with("From: a@good.example\r\n\r\nx\r\n"))
		require.True(t, strings.HasPrefix(m.end().reply(), want))
	}
}

// A message of 20 MB is seen once and not kept.
func TestMemory(t *testing.T) {
	w := newWorld(t, "")
	head := signed(t, "good.example", "From: a@good.example\r\nSubject: big\r\n\r\nx\r\n")
	head = strings.TrimSuffix(head, "x\r\n")
	chunk := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 800)
	measure := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	m := w.connect(t)
	m.open(fromGood)
	var peak uint64
	before := measure()
	for range 2 {
		m.mailFrom(fromGood)
		for _, f := range fields(strings.TrimSuffix(head, "\r\n")) {
			name, value, _ := strings.Cut(strings.TrimSuffix(f, "\r\n"), ":")
			m.send(nrHeader, 'L', name, "\x00", strings.ReplaceAll(value, "\r\n", "\n"), "\x00")
		}
		m.send(nrEOH, 'N')
		for n := 0; n < 20<<20; n += len(chunk) {
			m.send(nrBody, 'B', chunk)
			if n/len(chunk)%100 == 99 {
				peak = max(peak, measure())
			}
		}
		m.write('E')
		require.Equal(t, "c", m.end().reply())
	}
	t.Logf("heap %d before, %d at most within the message", before, peak)
	require.Less(t, peak, before+2<<20)
}
