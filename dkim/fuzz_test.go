package dkim

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/internal/taglist"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/seed2385d973/mailauth/message"
)

// FuzzSignature is F4: a signature field. Whatever is read was there, and taking
// out b= touches nothing else.
func FuzzSignature(f *testing.F) {
	a := alphabet.TagList()
	fill := strings.NewReplacer("{bh}", base64.StdEncoding.EncodeToString(make([]byte, 32)), "{b}", base64.StdEncoding.EncodeToString(make([]byte, 256)))
	for _, tags := range []string{
		t0, t1, "", ";", "b", "=", "b=", "v=1;b=;b=", with(t0, "xb=foo"), with(t0, "z=From:x|Subject:b=3Dyz"),
		with(t0, "n2=q b=zzz"), strings.Replace(t0, "b={b}", "b\r\n = {b}\r\n\t", 1), with(t0, "i=a=40b@x"),
		with(t0, `i="a=20@b"@bank.example`), with(t0, "l=99999999999999999999999"), with(t0, "t=1", "x=2"),
		with(t0, "d=b\u00e4nk.example"), with(t0, "q=foo/=3A:dns/txt"), with(t0, "a=ed25519-sha256"),
		with(t0, "h=From:from : FROM"), with(t0, "s=sel._domainkey.attack.example.\x00.any"),
	} {
		a.Seed(f.Add, fill.Replace(tags), false)
		a.Seed(f.Add, fill.Replace(tags), true)
	}
	for _, s := range testcase.Samples("dkim", "mail-dkim", "corpus", "*.txt") {
		for _, field := range sigtest.Fields(strings.ReplaceAll(s, "\n", "\r\n")) {
			if name, value, _ := strings.Cut(field, ":"); strings.EqualFold(name, "DKIM-Signature") {
				a.Seed(f.Add, strings.TrimSuffix(value, "\r\n"), false)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, folded, eai bool) {
		value := a.Text(data, folded)
		var s Signature
		p := parseSignature(value, eai, &s, nil)
		if p.err != nil {
			var e Error
			require.True(t, errors.As(p.err, &e) && e.Code() != "", "%v", p.err)
		}
		if s.Domain != "" {
			n, err := domain.ParseASCII(s.Domain)
			require.NoError(t, err)
			require.Equal(t, s.Domain, n.String())
		}
		require.LessOrEqual(t, len(s.Fields), 256)
		tags, err := taglist.Parse(nil, value)
		if err != nil {
			require.Error(t, p.err)
			return
		}
		if p.err == nil {
			require.True(t, names(s.Fields, "from"))
			require.NotEmpty(t, p.key.Data)
			require.Len(t, p.msg.BodyHash, p.key.Algorithm.Hash().Size())
			require.True(t, p.identity.IsWithin(p.key.Domain))
			require.Equal(t, p.keyName.Absolute(), s.Selector+"._domainkey."+s.Domain+".")
			if !eai {
				for i := range len(value) {
					require.Less(t, value[i], byte(0x80))
				}
			}
			cut := value[p.key.Start:p.key.End]
			require.Equal(t, s.Data, taglist.Compact(cut))
			without := value[:p.key.Start] + value[p.key.End:]
			after, err := taglist.Parse(nil, without)
			require.NoError(t, err)
			require.Len(t, after, len(tags))
			for i := range tags {
				require.Equal(t, tags[i].Name, after[i].Name)
				if tags[i].Name != "b" {
					require.Equal(t, tags[i].Value, after[i].Value)
				} else {
					require.Empty(t, after[i].Value)
				}
			}
		}
	})
}

// FuzzParseRecord is F5: a key record. No key of a forbidden kind is ever returned,
// and the canonical form says the same.
func FuzzParseRecord(f *testing.F) {
	var keys []string
	for _, name := range []string{"rsa512", "rsa1024", "rsa2048", "rsa2048e3", "rsa4096", "rsa4104"} {
		f.Add([]byte(sigtest.Record(sigtest.RSA(f, name))), false)
		_, p, _ := strings.Cut(sigtest.Record(sigtest.RSA(f, name)), "p=")
		keys = append(keys, p)
	}
	rec := sigtest.Record(sigtest.Ed25519())
	seeds := []string{rec, rec + "; t=y:s; s=*:email; h=sha256:sha1; n=a note", "v=DKIM1; p=", "p=", "v=DKIM2; p=", "v=spf1 -all", "",
		rec + "; p=", rec + ";;", "k=rsa; p=AAAA", "v = DKIM1 ; k=ed25519;p= AAAA", rec + "; h=", rec + "; s=x-y",
		"v=dkim1; " + rec, "p=AAAA; v=DKIM1", rec + "AAAA", rec[:30] + " \t" + rec[30:], rec[:30] + "!" + rec[30:], rec + "; n=caf\u00e9", strings.Replace(rec, "k=ed25519; ", "", 1)}
	lowOrder := lowOrderEncodings()
	for _, e := range lowOrder {
		keys = append(keys, base64.StdEncoding.EncodeToString(e))
		seeds = append(seeds, "k=ed25519; p="+base64.StdEncoding.EncodeToString(e))
	}
	keys = append(keys, base64.StdEncoding.EncodeToString(sigtest.Ed25519().Public().(ed25519.PublicKey)), base64.StdEncoding.EncodeToString(spki(f, big.NewInt(1<<62+1), 3)))
	a := alphabet.KeyRecord(keys...)
	for _, s := range append(seeds, testcase.Excerpts("v=DKIM1", "dkim", "*", "dns.json")...) {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		text := a.Text(data, folded)
		r, err := ParseRecord(text)
		if err != nil {
			var e Error
			require.True(t, errors.As(err, &e) && e.Code() != "", "%v", err)
			require.Equal(t, Record{}, r)
			return
		}
		switch k := r.Key.(type) {
		case *rsa.PublicKey:
			require.Equal(t, r.Bits, k.N.BitLen())
			require.True(t, 1024 <= r.Bits && r.Bits <= 4096)
			require.True(t, k.E >= 3 && k.E < 1<<31 && k.E&1 == 1)
			require.EqualValues(t, 1, k.N.Bit(0))
		case ed25519.PublicKey:
			require.Len(t, k, 32)
			for _, e := range lowOrder {
				require.NotEqual(t, e, []byte(k))
			}
		default:
			t.Fatalf("key %T", r.Key)
		}
		again, err := ParseRecord(r.String())
		require.NoError(t, err, "%q", r.String())
		r.Version = again.Version // String always writes it
		require.Equal(t, r, again)
	})
}

// templates are what FuzzVerify signs with, and its first octet picks.
var templates = func() (out []string) {
	ed := with(t0, "a=ed25519-sha256")
	for _, c := range []string{"relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple", "relaxed", "simple"} {
		out = append(out, with(ed, "c="+c), with(ed, "c="+c, "h=from:from:to:to:subject:subject:x-a:received:received"))
	}
	return append(out, with(ed, "-c"), with(ed, "l=10"), with(ed, "t=1000000000", "x=4000000000"), with(ed, "x=1000003600"), with(ed, "i=@mail.bank.example"), with(ed, "z=From:b=3Dx", "n2=q b=zzz"), with(ed, "h=dkim-signature:from:arc-seal"), with(ed, "h=From:from:FROM"))
}()

// sigtestSays verifies a signature that passed by the second hand: the fields that
// h= names, from the bottom up, and the body, canonicalized by sigtest.
func sigtestSays(t *testing.T, m *message.Message, body string, r Result) {
	h := m.Header()
	unfolded := func(i int) string {
		s := strings.TrimSuffix(string(h.Raw(i)), "\r\n")
		if r.Signature.HeaderCanonicalization == message.Relaxed {
			s = strings.ReplaceAll(s, "\r\n", "")
		}
		return s + "\r\n"
	}
	relaxed := r.Signature.HeaderCanonicalization == message.Relaxed
	taken := map[int]bool{r.Field: true}
	var input strings.Builder
	for _, n := range r.Signature.Fields {
		for i := h.Len() - 1; i >= 0; i-- {
			if !taken[i] && strings.EqualFold(h.Field(i).Name(), n) && isPlain(n) {
				input.WriteString(sigtest.HeaderField(unfolded(i), relaxed))
				taken[i] = true
				break
			}
		}
	}
	var s Signature
	own := h.Field(r.Field)
	p := parseSignature(own.Value(), h.Internationalized(), &s, nil)
	require.NoError(t, p.err)
	raw := strings.TrimSuffix(string(h.Raw(r.Field)), "\r\n")
	start := len(raw) - len(own.Value())
	raw = raw[:start+p.key.Start] + raw[start+p.key.End:]
	if relaxed {
		raw = strings.ReplaceAll(raw, "\r\n", "")
	}
	input.WriteString(strings.TrimSuffix(sigtest.HeaderField(raw+"\r\n", relaxed), "\r\n"))
	require.True(t, sigtest.Verify(r.Record.Key, "-sha256", input.String(), p.key.Data), "%q", input.String())
	sum := sha256.Sum256([]byte(sigtest.Body(body, r.Signature.BodyCanonicalization == message.Relaxed)))
	require.Equal(t, sum[:], p.msg.BodyHash)
}

func isPlain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// The forms of the message in FuzzVerify.
const (
	formFolded = 1 // folded by the alphabet of header fields
	formSigned = 2 // signed by the template that its first octet picks, and edited afterwards
	forms      = 4 // 3 is both
)

// FuzzVerify is F8: a whole message with a DNS from the same bytes. What passes is
// covered, by a key that may be, and verifies by the second hand, too.
func FuzzVerify(f *testing.F) {
	a := alphabet.Header()
	ed := sigtest.Ed25519()
	for i := range templates {
		f.Add(append([]byte{byte(i)}, b0...), uint8(formSigned), uint16(0), byte(0), sigtest.Record(ed), "")
		f.Add(append([]byte{byte(i)}, b0...), uint8(formSigned), uint16(40*i), byte(' '), sigtest.Record(ed), "")
		f.Add(append([]byte{byte(i)}, a.Unfold("Received: x\r\nX-A: a\r\n\t b\r\nFrom : <a@bank.example>\r\nSubject: y\r\n\r\nz \r\n\r\n")...), uint8(formSigned|formFolded), uint16(0), byte(0), sigtest.Record(ed), "")
	}
	for _, s := range testcase.Samples("dkim", "mail-dkim", "corpus", "good_*.txt") {
		f.Add([]byte(strings.ReplaceAll(s, "\n", "\r\n")), uint8(0), uint16(0), byte(0), sigtest.Record(ed), "")
	}
	w := newWorld(f)
	rec := sigtest.Record(w.kb)
	good := sigtest.Sign(w.kb, t0, b0)
	for _, text := range []string{
		good, sigtest.Sign(w.kb, t1, b0), sigtest.Sign(w.kb, with(t0, "c=simple/simple", "l=5"), b0), sigtest.Sign(w.kb, with(t0, "a=rsa-sha1"), b0),
		sigtest.Sign(w.ka, with(t0, "d=attack.example"), good), strings.Repeat("DKIM-Signature: x\r\n", 70) + b0, "", "\r\n", "DKIM-Signature:", "DKIM-Signature\r\n : v=1",
		strings.Replace(good, "\r\n", "\n", 3), sigtest.Sign(w.kb, with(t0, "d=b\u00e4nk.example"), strings.Replace(b0, "Statement", "\u00fc", 1)),
	} {
		f.Add([]byte(text), uint8(0), uint16(0), byte(0), rec, "")
		f.Add([]byte(text), uint8(0), uint16(0), byte(0), rec+"; t=y:s", "v=spf1 -all")
		f.Add([]byte(text), uint8(0), uint16(0), byte(0), rec, rec)
	}
	f.Add([]byte(sigtest.Sign(ed, with(t0, "a=ed25519-sha256"), b0)), uint8(0), uint16(0), byte(0), sigtest.Record(ed), "error")
	f.Fuzz(func(t *testing.T, text []byte, form uint8, at uint16, change byte, txt1, txt2 string) {
		template := -1
		if form%forms&formSigned != 0 && len(text) > 0 {
			template = int(text[0]) % len(templates)
			text = text[1:]
		}
		if form%forms&formFolded != 0 {
			text = []byte(a.Fold(text))
		}
		if template >= 0 {
			text = []byte(sigtest.Sign(ed, templates[template], string(text)))
			text[int(at)%len(text)] ^= change
		}
		d := message.Digester{AllowSHA1: true}
		d.Write(text)
		m, err := d.Finish()
		if err != nil {
			return
		}
		var mu sync.Mutex
		asked := map[string]int{}
		resolver := dnsutil.ResolverFunc(func(_ context.Context, name string, typ dnsutil.Type) (dnsutil.Answer, error) {
			mu.Lock()
			defer mu.Unlock()
			asked[name]++
			// Not require: this may be another goroutine.
			if _, err := domain.ParseQuery(name); err != nil || typ != dnsutil.TypeTXT || !strings.HasSuffix(name, ".") {
				t.Errorf("asked for %v %q", typ, name)
			}
			switch txt2 {
			case "":
				return dnsutil.Answer{TXT: []string{txt1}}, nil
			case "error":
				return dnsutil.Answer{}, errors.New("no answer")
			}
			return dnsutil.Answer{TXT: []string{txt1, txt2}}, nil
		})
		v := Verifier{Resolver: resolver, Now: clock}
		results := v.Verify(context.Background(), m)
		require.LessOrEqual(t, len(asked), 8)
		for name, n := range asked {
			require.Equal(t, 1, n, name)
		}
		require.Equal(t, min(64, len(m.Header().All("DKIM-Signature"))), len(results))
		for i, r := range results {
			require.NotEmpty(t, r.Status)
			require.Equal(t, r.Status == Pass, r.Err == nil)
			require.True(t, i == 0 || results[i-1].Field < r.Field)
			if r.Status != Pass {
				require.NotEmpty(t, r.Code(), "%v", r.Err)
				continue
			}
			require.NotNil(t, r.Record.Key)
			require.True(t, r.KeyBits == 256 || r.KeyBits >= 1024)
			require.NotEqual(t, "rsa-sha1", r.Signature.Algorithm)
			require.Nil(t, r.Signature.BodyLength)
			require.False(t, r.Coverage.Covers(r.Field))
			body := strings.TrimPrefix(string(text[len(m.Header().Bytes()):]), "\r\n")
			sigtestSays(t, m, body, r)
			for _, k := range m.Header().All("From") {
				if r.Coverage.Covers(k) {
					return
				}
			}
			require.Empty(t, m.Header().All("From"), "a pass covers a From field if there is one")
		}
	})
}
