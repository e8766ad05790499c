package dkim

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/internal/taglist"
	"github.com/seed2385d973/mailauth/message"
)

// Target F4: a signature field. Whatever is read was there, and taking out b=
// touches nothing else.
func FuzzSignature(f *testing.F) {
	fill := strings.NewReplacer("{bh}", base64.StdEncoding.EncodeToString(make([]byte, 32)), "{b}", base64.StdEncoding.EncodeToString(make([]byte, 256)))
	for _, tags := range []string{
		t0, t1, "", ";", "b", "=", "b=", "v=1;b=;b=", with(t0, "xb=foo"), with(t0, "z=From:x|Subject:b=3Dyz"),
		with(t0, "n2=q b=zzz"), strings.Replace(t0, "b={b}", "b\r\n = {b}\r\n\t", 1), with(t0, "i=a=40b@x"),
		with(t0, `i="a=20@b"@bank.example`), with(t0, "l=99999999999999999999999"), with(t0, "t=1", "x=2"),
		with(t0, "d=b\u00e4nk.example"), with(t0, "q=foo/=3A:dns/txt"), with(t0, "a=ed25519-sha256"),
		with(t0, "h=From:from : FROM"), with(t0, "s=sel._domainkey.attack.example.\x00.any"),
	} {
		f.Add(fill.Replace(tags), false)
		f.Add(fill.Replace(tags), true)
	}
	f.Fuzz(func(t *testing.T, value string, eai bool) {
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

// Target F5: a key record. No key of a forbidden kind is ever returned, and the
// canonical form says the same.
func FuzzParseRecord(f *testing.F) {
	for _, name := range []string{"rsa512", "rsa1024", "rsa2048", "rsa2048e3", "rsa4096", "rsa4104"} {
		f.Add(sigtest.Record(sigtest.RSA(f, name)))
	}
	rec := sigtest.Record(sigtest.Ed25519())
	for _, s := range []string{rec, rec + "; t=y:s; s=*:email; h=sha256:sha1; n=a note", "v=DKIM1; p=", "p=", "v=DKIM2; p=", "v=spf1 -all", "",
		rec + "; p=", rec + ";;", "k=rsa; p=AAAA", "v = DKIM1 ; k=ed25519;p= AAAA", rec + "; h=", rec + "; s=x-y"} {
		f.Add(s)
	}
	lowOrder := lowOrderEncodings()
	for _, e := range lowOrder {
		f.Add("k=ed25519; p=" + base64.StdEncoding.EncodeToString(e))
	}
	f.Fuzz(func(t *testing.T, text string) {
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

// Target F8: a whole message with a DNS from the same bytes.
func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	rec := sigtest.Record(w.kb)
	good := sigtest.Sign(w.kb, t0, b0)
	for _, text := range []string{
		good, sigtest.Sign(w.kb, t1, b0), sigtest.Sign(w.kb, with(t0, "c=simple/simple", "l=5"), b0), sigtest.Sign(w.kb, with(t0, "a=rsa-sha1"), b0),
		sigtest.Sign(w.ka, with(t0, "d=attack.example"), good), strings.Repeat("DKIM-Signature: x\r\n", 70) + b0, "", "\r\n", "DKIM-Signature:", "DKIM-Signature\r\n : v=1",
		strings.Replace(good, "\r\n", "\n", 3), sigtest.Sign(w.kb, with(t0, "d=b\u00e4nk.example"), strings.Replace(b0, "Statement", "\u00fc", 1)),
	} {
		f.Add([]byte(text), rec, "")
		f.Add([]byte(text), rec+"; t=y:s", "v=spf1 -all")
		f.Add([]byte(text), rec, rec)
	}
	f.Add([]byte(sigtest.Sign(sigtest.Ed25519(), with(t0, "a=ed25519-sha256"), b0)), sigtest.Record(sigtest.Ed25519()), "error")
	f.Fuzz(func(t *testing.T, text []byte, txt1, txt2 string) {
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
			for _, k := range m.Header().All("From") {
				if r.Coverage.Covers(k) {
					return
				}
			}
			require.Empty(t, m.Header().All("From"), "a pass covers a From field if there is one")
		}
	})
}
