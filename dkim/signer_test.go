package dkim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

func newSigner(key crypto.Signer) Signer {
	return Signer{Domain: "bank.example", Selector: "sel", Key: key, Now: clock}
}

// device is a key of which nobody sees the private half.
type device struct {
	public crypto.PublicKey
	sign   func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error)
}

func (d device) Public() crypto.PublicKey { return d.public }
func (d device) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return d.sign(r, digest, opts)
}

// unfold takes a field's folding out, so that tags can be compared.
func unfold(s string) string { return strings.ReplaceAll(s, "\r\n ", " ") }

// TestSignDefaults shows the whole field, which is the same each time.
func TestSignDefaults(t *testing.T) {
	key := sigtest.Ed25519()
	field, err := Sign(strings.NewReader(b0), newSigner(key))
	require.NoError(t, err)
	require.Equal(t, "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=bank.example;\r\n"+
		" s=sel; t=1795255200; h=from:from:to:to:cc:subject:subject:date:date:reply-to:\r\n"+
		" message-id:message-id:mime-version:mime-version:content-type:content-type:\r\n"+
		" content-transfer-encoding:content-disposition:in-reply-to:references;\r\n"+
		" bh=ZXpjJjH8IVtQQkhWsEyKpGIBVFHO8hAtmckfUgxrE9Y=;\r\n",
		field[:strings.LastIndex(field, " b=")])
	again, err := Sign(iotest.OneByteReader(strings.NewReader(b0)), newSigner(key))
	require.NoError(t, err)
	require.Equal(t, field, again)
}

// The two spellings of the defaults are the same lists.
func TestSignDefaultNames(t *testing.T) {
	require.Equal(t, lowerAlways[:], strings.Split(strings.ToLower(strings.Join(DefaultAlways(), ":")), ":"))
	require.Equal(t, lowerIfPresent[:], strings.Split(strings.ToLower(strings.Join(DefaultIfPresent(), ":")), ":"))
}

// TestSign shows what each setting writes; every signature verifies.
func TestSign(t *testing.T) {
	w := newWorld(t)
	w.zone["ed._domainkey.bank.example"] = []string{sigtest.Record(sigtest.Ed25519())}
	w.zone["sel._domainkey.xn--bcher-kva.example"] = w.zone["sel._domainkey.bank.example"]
	w.zone["sel._domainkey.other.example"] = w.zone["sel._domainkey.bank.example"]
	w.zone["sel._domainkey.mail.bank.example"] = w.zone["sel._domainkey.bank.example"]
	list := strings.Replace(b0, "To:", "List-Unsubscribe: <https://bank.example/u>\r\nlist-unsubscribe-post: List-Unsubscribe=One-Click\r\nSender: s@x.example\r\nReceived: by x\r\nBIMI-Location: v=BIMI1\r\nTo:", 1)
	const h = "from:from:to:to:cc:subject:subject:date:date:reply-to:message-id:message-id:mime-version:mime-version:content-type:content-type:" +
		"content-transfer-encoding:content-disposition:in-reply-to:references"
	for _, c := range []struct {
		name string
		set  func(*Signer)
		text string
		tags []string
		not  string
	}{
		{"defaults", nil, b0, []string{"a=rsa-sha256", "c=relaxed/relaxed", "d=bank.example", "s=sel", "t=1795255200", "h=" + h}, " l="},
		{"no x= unless asked for", nil, b0, nil, " x="},
		{"list mail", nil, list, []string{"h=" + h + ":list-unsubscribe:list-unsubscribe-post"}, ""},
		{"BIMI-Selector", nil, "BIMI-Selector: v=BIMI1; s=a\r\n" + b0, []string{"h=" + h + ":bimi-selector"}, ""},
		{"x=", func(s *Signer) { s.Expires = 7 * 24 * time.Hour }, b0, []string{"x=1795860000"}, ""},
		{"i=", func(s *Signer) { s.Identity = `"a;b=c|é d"@Mail.Bank.example` }, b0, []string{`i="a=3Bb=3Dc|=C3=A9=20d"@mail.bank.example`}, ""},
		{"simple", func(s *Signer) { s.Canonicalization = "simple" }, b0, []string{"c=simple/simple"}, ""},
		{"relaxed", func(s *Signer) { s.Canonicalization = "relaxed" }, b0, []string{"c=relaxed/simple"}, ""},
		{"simple/relaxed", func(s *Signer) { s.Canonicalization = "simple/relaxed" }, b0, []string{"c=simple/relaxed"}, ""},
		{"Q2 the author's own BIMI field", func(s *Signer) { s.Fields = []string{"From", "BIMI-Selector"} }, b0, []string{"h=from:bimi-selector"}, ""},
		{"exact fields", func(s *Signer) { s.Fields = []string{"Subject", "From", "X-None"} }, b0, []string{"h=subject:from:x-none"}, ""},
		{"only From", func(s *Signer) { s.Always, s.IfPresent = []string{}, []string{} }, b0, []string{"h=from:from"}, ""},
		{"own classes", func(s *Signer) {
			s.Always, s.IfPresent = []string{"Subject", "FROM", "subject"}, []string{"Date", "Subject", "X-None", "date"}
		}, b0, []string{"h=subject:subject:from:from:date"}, ""},
		{"author below", func(s *Signer) {}, strings.Replace(b0, "@bank", "@news.bank", 1), []string{"d=bank.example"}, ""},
		{"author above", func(s *Signer) { s.Domain = "Mail.Bank.example" }, b0, []string{"d=mail.bank.example"}, ""},
		{"third party", func(s *Signer) { s.Domain, s.AllowThirdParty = "other.example", true }, b0, []string{"d=other.example"}, ""},
		{"U-labels", func(s *Signer) { s.Domain, s.AllowThirdParty = "bücher.example", true }, b0, []string{"d=xn--bcher-kva.example"}, ""},
		{"several authors", func(s *Signer) { s.AllowSeveralAuthors = true }, strings.Replace(b0, "From: ", "From: a@bank.example, ", 1), nil, ""},
		{"Ed25519", func(s *Signer) { s.Key, s.Selector = sigtest.Ed25519(), "ed" }, b0, []string{"a=ed25519-sha256", "s=ed"}, ""},
		{"a device", func(s *Signer) { s.Key = device{w.kb.Public(), w.kb.Sign} }, b0, []string{"a=rsa-sha256"}, ""},
		{"8-bit subject", nil, strings.Replace(b0, "Statement", "\xff", 1), nil, ""},
		{"empty body", nil, b0[:strings.Index(b0, "\r\n\r\n")+4], []string{"bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSigner(w.kb)
			if c.set != nil {
				c.set(&s)
			}
			field, err := Sign(strings.NewReader(c.text), s)
			require.NoError(t, err)
			tags := strings.ReplaceAll(strings.ReplaceAll(unfold(field), ": ", ":"), "DKIM-Signature:", " ")
			for _, tag := range c.tags {
				require.Contains(t, tags, " "+tag+";")
			}
			if c.not != "" {
				require.NotContains(t, tags, c.not)
			}
			results, _ := w.verify(t, Verifier{}, field+c.text)
			require.Len(t, results, 1)
			require.NoError(t, results[0].Err)
		})
	}
}

// TestSignRefuses: what is not signed, and why.
func TestSignRefuses(t *testing.T) {
	key := sigtest.RSA(t, "rsa2048")
	short := sigtest.RSA(t, "rsa1016")
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	other := sigtest.RSA(t, "rsa2048b")
	zero := make(ed25519.PrivateKey, 64)
	head := func(field string) string { return field + b0 }
	from := func(value string) string {
		return strings.Replace(b0, "From: CEO <ceo@bank.example>", "From: "+value, 1)
	}
	for _, c := range []struct {
		name string
		set  func(*Signer)
		text string
		err  error
	}{
		{"no key", func(s *Signer) { s.Key = nil }, b0, ErrNoPrivateKey},
		{"nil RSA key", func(s *Signer) { s.Key = (*rsa.PrivateKey)(nil) }, b0, ErrNoPrivateKey},
		{"nil Key", func(s *Signer) { s.Key = (*Key)(nil) }, b0, ErrNoPrivateKey},
		{"zero Key", func(s *Signer) { s.Key = &Key{} }, b0, ErrNoPrivateKey},
		{"short Ed25519 key", func(s *Signer) { s.Key = ed25519.PrivateKey{1} }, b0, ErrKeyUnsafe},
		{"low order Ed25519 key", func(s *Signer) { s.Key = zero }, b0, ErrKeyUnsafe},
		{"short RSA key", func(s *Signer) { s.Key = short }, b0, ErrKeyShort},
		{"long RSA key", func(s *Signer) { s.Key = sigtest.RSA(t, "rsa4104") }, b0, ErrKeyLong},
		{"ECDSA", func(s *Signer) { s.Key = ec }, b0, ErrKeyType},
		{"public half of another key", func(s *Signer) { s.Key = device{other.Public(), key.Sign} }, b0, ErrKeyMismatch},
		{"Ed25519 key with an RSA public half", func(s *Signer) { s.Key = device{key.Public(), sigtest.Ed25519().Sign} }, b0, errAny},
		{"device that fails", func(s *Signer) {
			s.Key = device{key.Public(), func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errDevice }}
		}, b0, errDevice},
		{"no domain", func(s *Signer) { s.Domain = "" }, b0, ErrDomain},
		{"single label", func(s *Signer) { s.Domain = "example" }, b0, ErrDomain},
		{"domain with underscore", func(s *Signer) { s.Domain = "a_b.example" }, b0, ErrDomain},
		{"final dot", func(s *Signer) { s.Domain = "bank.example." }, b0, ErrDomain},
		{"address", func(s *Signer) { s.Domain = "192.0.2.1" }, b0, ErrDomain},
		{"public suffix", func(s *Signer) { s.Domain = "co.uk" }, from("a@x.co.uk"), ErrPublicSuffix},
		{"own list of suffixes", func(s *Signer) { s.PublicSuffix = func(d string) bool { return d == "bank.example" } }, b0, ErrPublicSuffix},
		{"no selector", func(s *Signer) { s.Selector = "" }, b0, ErrSelector},
		{"long selector", func(s *Signer) { s.Selector = strings.Repeat("a.", 120) + "a" }, b0, ErrSelector},
		{"identity elsewhere", func(s *Signer) { s.Identity = "a@x.example" }, b0, ErrDomainMismatch},
		{"identity without @", func(s *Signer) { s.Identity = "bank.example" }, b0, ErrIdentity},
		{"identity of other octets than UTF-8", func(s *Signer) { s.Identity = "\xd8a=b@bank.example" }, b0, ErrIdentity},
		{"long identity", func(s *Signer) { s.Identity = strings.Repeat("a", 300) + "@bank.example" }, b0, ErrIdentity},
		{"canonicalization", func(s *Signer) { s.Canonicalization = "nowsp/relaxed" }, b0, ErrCanonicalization},
		{"field name", func(s *Signer) { s.Always = []string{"a:b"} }, b0, ErrHeaderNames},
		{"empty field name", func(s *Signer) { s.IfPresent = []string{""} }, b0, ErrHeaderNames},
		{"exact field name", func(s *Signer) { s.Fields = []string{"from", "x;y"} }, b0, ErrHeaderNames},
		{"Q2 BIMI-Location exact", func(s *Signer) { s.Fields = []string{"from", "BIMI-Location"} }, b0, ErrHeaderNames},
		{"Q2 BIMI-Indicator over-signed", func(s *Signer) { s.Always = []string{"from", "bimi-indicator"} }, b0, ErrHeaderNames},
		{"Q2 BIMI-Logo-Preference if present, though absent", func(s *Signer) { s.IfPresent = []string{"Bimi-Logo-PREFERENCE"} }, b0, ErrHeaderNames},
		{"too many names", func(s *Signer) {
			s.Fields = append(make([]string, 0), strings.Split("from"+strings.Repeat(":x", 256), ":")...)
		}, b0, ErrHeaderNames},
		{"names too long", func(s *Signer) { s.Fields = []string{"from", strings.Repeat("x", 15<<10)} }, b0, ErrHeaderNames},
		{"From left out", func(s *Signer) { s.Fields = []string{"subject"} }, b0, ErrFromNotSigned},
		{"expires at once", func(s *Signer) { s.Expires = time.Millisecond }, b0, ErrTime},
		{"expires before", func(s *Signer) { s.Expires = -time.Hour }, b0, ErrTime},
		{"clock before 1970", func(s *Signer) { s.Now = func() time.Time { return time.Unix(-1, 0) } }, b0, ErrTime},
		{"clock of 13 digits", func(s *Signer) { s.Now = func() time.Time { return time.Unix(1e12, 0) } }, b0, ErrTime},
		{"no From", nil, "To: x@y.example\r\n\r\n", ErrFromMissing},
		{"empty message", nil, "", ErrFromMissing},
		{"author elsewhere", nil, from("a@x.example"), ErrAuthorDomain},
		{"author at the public suffix above", func(s *Signer) { s.Domain = "bank.co.uk" }, from("a@co.uk"), ErrAuthorDomain},
		{"author at the TLD", nil, from("a@example"), ErrAuthorDomain},
		{"author at one's own suffix", func(s *Signer) {
			s.Domain, s.PublicSuffix = "a.bank.example", func(d string) bool { return d == "bank.example" }
		}, b0, ErrAuthorDomain},
		{"author beside", func(s *Signer) { s.Domain = "mail.bank.example" }, from("a@news.bank.example"), ErrAuthorDomain},
		{"one of two elsewhere", func(s *Signer) { s.AllowSeveralAuthors = true }, from("a@bank.example, b@x.example"), ErrAuthorDomain},
		{"malformed From", nil, from("bank.example"), ErrFromSyntax},
		{"empty group", nil, from("a:;"), ErrFromSyntax},
		// The defects of threats.md, 1.1.
		{"MSG-01", nil, head("X-A: b\nFrom: <ceo@evil.example>\r\n"), ErrDefect},
		{"MSG-02", nil, head("X-A: b\rFrom: <ceo@evil.example>\r\n"), ErrDefect},
		{"MSG-06", nil, b0 + "\n", ErrDefect},
		{"MSG-06 CR", nil, b0 + "x\ry\r\n", ErrDefect},
		{"MSG-10", nil, head("X-A: b\r\nFrom\r\n : <ceo@evil.example>\r\n"), ErrFromRepeated},
		{"MSG-11", nil, head("From : <ceo@evil.example>\r\n"), ErrFromRepeated},
		{"MSG-11 alone", nil, strings.Replace(b0, "Subject:", "Subject :", 1), ErrDefect},
		{"MSG-12", nil, head("From\x00: <ceo@evil.example>\r\n"), ErrDefect},
		{"MSG-13", nil, head("From\u00a0: <ceo@evil.example>\r\n"), ErrDefect},
		{"MSG-16", nil, strings.SplitAfter(b0, "text/plain\r\n")[0], ErrDefect},
		{"MSG-21", nil, head("Fr\u043em: <ceo@evil.example>\r\n"), ErrDefect},
		{"MSG-22", nil, head("\xef\xbb\xbfX: y\r\n"), ErrDefect},
		{"MSG-27", nil, head("Subject: another\r\n"), ErrDefect},
		{"leading space", nil, head(" x\r\n"), ErrDefect},
		{"blank fold", nil, head("X: y\r\n \r\n"), ErrDefect},
		{"no colon", nil, head("x\r\n"), ErrDefect},
		{"NUL", nil, head("X: \x00\r\n"), ErrDefect},
		{"control", nil, head("X: \x0b\r\n"), ErrDefect},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSigner(key)
			if c.set != nil {
				c.set(&s)
			}
			field, err := Sign(strings.NewReader(c.text), s)
			require.Empty(t, field)
			require.Error(t, err)
			if c.err != errAny {
				require.ErrorIs(t, err, c.err)
			}
			var e Error
			if errors.As(c.err, &e) {
				require.NotEmpty(t, e.Code())
			}
		})
	}
	_, err = Sign(strings.NewReader(b0))
	require.ErrorIs(t, err, ErrNoSigner)
	_, err = Sign(io.MultiReader(strings.NewReader(b0), iotest.ErrReader(errDevice)), newSigner(key))
	require.ErrorIs(t, err, errDevice)
	m, err := message.Parse([]byte(b0))
	require.NoError(t, err)
	s := newSigner(key)
	_, err = s.Sign(m)
	require.ErrorIs(t, err, ErrNoBodyDigest)
	_, err = Sign(strings.NewReader(b0), s, newSigner(short))
	require.ErrorIs(t, err, ErrKeyShort, "all sign or none")
}

var (
	errDevice = errors.New("device is away")
	errAny    = errors.New("any")
)

// TestSignSeveral: one pass, RSA on top whatever the order, each independent of
// the other.
func TestSignSeveral(t *testing.T) {
	w := newWorld(t)
	w.zone["ed._domainkey.bank.example"] = []string{sigtest.Record(sigtest.Ed25519())}
	ed := newSigner(sigtest.Ed25519())
	ed.Selector, ed.Canonicalization = "ed", "simple/simple"
	d := message.Digester{WantFunc: func(*message.Header) []message.BodyHash { return BodyHashes(ed, newSigner(w.kb)) }}
	_, err := io.WriteString(&d, b0)
	require.NoError(t, err)
	m, err := d.Finish()
	require.NoError(t, err)
	fields, err := SignMessage(m, ed, newSigner(w.kb))
	require.NoError(t, err)
	results, _ := w.verify(t, Verifier{}, fields+b0)
	require.Len(t, results, 2)
	require.Equal(t, "rsa-sha256", results[0].Signature.Algorithm)
	require.Equal(t, "ed25519-sha256", results[1].Signature.Algorithm)
	for _, r := range results {
		require.NoError(t, r.Err)
	}
	_, second, _ := strings.Cut(fields, "\r\nDKIM-Signature")
	results, _ = w.verify(t, Verifier{}, "DKIM-Signature"+second+b0)
	require.Equal(t, Pass, results[0].Status)
}

// TestThreatsDKG is the signing side of the threat matrix.
func TestThreatsDKG(t *testing.T) {
	w := newWorld(t)
	refused := func(want error, from string, change ...func(*Signer)) func(*testing.T) {
		return func(t *testing.T) {
			s := newSigner(w.kb)
			for _, f := range change {
				f(&s)
			}
			_, err := Sign(strings.NewReader(strings.Replace(b0, "From: CEO <ceo@bank.example>", from, 1)), s)
			require.ErrorIs(t, err, want)
		}
	}
	t.Run("DKG-01", refused(ErrFromRepeated, "From: <attacker@bank.example>\r\nFrom: <admin@bank.example>"))
	t.Run("DKG-02", refused(ErrFromAddresses, "From: <attacker@bank.example>, <admin@bank.example>"))
	t.Run("DKG-02-comma", refused(ErrFromSyntax, `From: admin@bank.example\,<user@bank.example>`))
	for i, from := range []string{
		"=?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?=@bank.example", "CEO <=?utf-8?Q?ceo?=@bank.example>", // FROM-09
		"ceo@evil.example <a@bank.example>", "a@bank.example <b@bank.example>", "<a@bank.example><b@bank.example>", "<a@bank.example>b@bank.example",
		"a@bank.example; b@bank.example", "<@evil.example:a@bank.example>", "a@bank.example.", "a@bank.example (", `"a <a@bank.example>`,
		"", "<>", "Bank, Inc. <a@bank.example>", "a@[192.0.2.1]", "a@bank.example\x00",
	} {
		t.Run(fmt.Sprintf("DKG-02/unclear %d", i), func(t *testing.T) {
			s := newSigner(w.kb)
			text := strings.Replace(b0, "CEO <ceo@bank.example>", from, 1)
			_, err := Sign(strings.NewReader(text), s)
			require.Error(t, err)
			m := parse(t, text)
			require.NotErrorIs(t, CheckSubmission(m, "@bank.example"), ErrNotPermitted, "it is no question of permission")
			require.Error(t, CheckSubmission(m, "@bank.example"))
		})
	}
	t.Run("DKG-03", func(t *testing.T) {
		m := parse(t, b0)
		require.NoError(t, CheckSubmission(m, "ceo@bank.example"))
		require.NoError(t, CheckSubmission(m, "x", "x@", "@..", "a@bank.example", "@Bank.example"))
		for _, p := range []string{"", "bank.example", "CEO@bank.example", "@mail.bank.example", "@example", "ceo@bank.example.", "o@bank.example"} {
			require.ErrorIs(t, CheckSubmission(m, p), ErrNotPermitted, p)
		}
		require.ErrorIs(t, CheckSubmission(m), ErrNotPermitted)
		for from, want := range map[string]error{
			"From: a@bank.example, b@bank.example": ErrFromAddresses,
			"X: y":                                 ErrFromMissing,
			"From: a@bank.example\r\nFrom: ceo@bank.example": ErrFromRepeated,
			"From: a@@bank.example":                          ErrFromSyntax,
			"X: y\nz\r\nFrom: ceo@bank.example":              ErrDefect,
		} {
			require.ErrorIs(t, CheckSubmission(parse(t, strings.Replace(b0, "From: CEO <ceo@bank.example>", from, 1)), "@bank.example"), want, from)
		}
	})
	t.Run("DKG-05", func(t *testing.T) {
		field, err := Sign(strings.NewReader(b0), newSigner(w.kb))
		require.NoError(t, err)
		require.NotContains(t, field, " l=")
		for _, name := range DefaultAlways() {
			results, _ := w.verify(t, Verifier{}, name+": x\r\n"+field+b0)
			require.Equal(t, Fail, results[0].Status, "%s was added", name)
		}
	})
	for i, evil := range []string{"a\r\nX: y", "a;b", "a\x00b", "a\nb", "a b", "a=b", "a\r\n b"} {
		t.Run(fmt.Sprintf("DKG-06-%d", i), func(t *testing.T) {
			refused(ErrDomain, "From: a@bank.example", func(s *Signer) { s.Domain = evil + ".example" })(t)
			refused(ErrSelector, "From: a@bank.example", func(s *Signer) { s.Selector = evil })(t)
			refused(ErrIdentity, "From: a@bank.example", func(s *Signer) { s.Identity = "x@" + evil + ".bank.example" })(t)
			refused(ErrHeaderNames, "From: a@bank.example", func(s *Signer) { s.Always = []string{"X\r\n" + evil} })(t)
			refused(ErrCanonicalization, "From: a@bank.example", func(s *Signer) { s.Canonicalization = "simple/simple; " + evil })(t)
		})
	}
	t.Run("DKG-06-local", func(t *testing.T) {
		refused(ErrIdentity, "From: a@bank.example", func(s *Signer) { s.Identity = "a\r\nX: y@bank.example" })(t)
		refused(ErrIdentity, "From: a@bank.example", func(s *Signer) { s.Identity = "a\x00@bank.example" })(t)
	})
	t.Run("DKG-07", refused(ErrKeyShort, "From: a@bank.example", func(s *Signer) { s.Key = sigtest.RSA(t, "rsa1016") }))
	t.Run("DKG-07-mismatch", refused(ErrKeyMismatch, "From: a@bank.example", func(s *Signer) { s.Key = device{w.ka.Public(), w.kb.Sign} }))
	t.Run("DKG-08", func(t *testing.T) {
		text := strings.Replace(b0, "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n", "", 1)
		field, err := Sign(strings.NewReader(text), newSigner(w.kb))
		require.NoError(t, err)
		results, _ := w.verify(t, Verifier{}, field+"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n"+text)
		require.Equal(t, Fail, results[0].Status)
	})
	t.Run("DKG-09", func(t *testing.T) {
		// The signer sees no MAIL FROM: d= is what it is configured for, and must fit From.
		refused(ErrAuthorDomain, "From: a@other.example")(t)
	})
	t.Run("DKG-10", func(t *testing.T) {
		for _, name := range []string{"rsa1024", "rsa2048", "rsa4096"} {
			key := sigtest.RSA(t, name)
			s := newSigner(key)
			s.Identity = strings.Repeat("long=", 40) + "@bank.example"
			s.Expires = time.Hour
			field, err := Sign(strings.NewReader(b0), s)
			require.NoError(t, err)
			for line := range strings.SplitSeq(strings.TrimSuffix(field, "\r\n"), "\r\n") {
				require.LessOrEqual(t, len(line), 78, line)
				require.NotEmpty(t, strings.TrimSpace(line))
			}
			w := newWorld(t)
			w.zone["sel._domainkey.bank.example"] = []string{sigtest.Record(key)}
			results, _ := w.verify(t, Verifier{}, field+b0)
			require.NoError(t, results[0].Err)
			require.Equal(t, s.Identity, results[0].Signature.Identity)
		}
	})
	t.Run("DKG-11", func(t *testing.T) {
		for _, key := range []crypto.Signer{w.kb, sigtest.Ed25519()} {
			first, err := Sign(strings.NewReader(b0), newSigner(key))
			require.NoError(t, err)
			for range 3 {
				again, err := Sign(iotest.HalfReader(strings.NewReader(b0)), newSigner(key))
				require.NoError(t, err)
				require.Equal(t, first, again)
			}
		}
	})
}

// TestSignDevice: a key that is not in memory is asked for its public half and
// for signatures, and gets the hash and the options that crypto.Signer promises.
func TestSignDevice(t *testing.T) {
	for _, key := range []crypto.Signer{sigtest.RSA(t, "rsa2048"), sigtest.Ed25519()} {
		calls := 0
		d := device{key.Public(), func(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
			calls++
			require.Len(t, digest, 32)
			require.NotNil(t, r)
			_, isRSA := key.(*rsa.PrivateKey)
			require.Equal(t, isRSA, opts.HashFunc() == crypto.SHA256)
			return key.Sign(r, digest, opts)
		}}
		field, err := Sign(strings.NewReader(b0), newSigner(d))
		require.NoError(t, err)
		want, err := Sign(strings.NewReader(b0), newSigner(key))
		require.NoError(t, err)
		require.Equal(t, want, field)
		require.Equal(t, 1, calls)
	}
}
