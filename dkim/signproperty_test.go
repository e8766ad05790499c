package dkim

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

var canonicalizations = []string{"", "simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed", "simple", "relaxed"}

// randomMessage makes a message without a defect, but with everything else that
// canonicalization could stumble over.
func randomMessage(rnd *rand.Rand) string {
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	words := func(n int) string {
		var b strings.Builder
		for range rnd.IntN(n) {
			b.WriteString(pick("a", "Zz", ":", ";", "=", " ", "  ", "\t", " \t ", "b=", "\xc3\xa9", "\xff", "dkim-signature", strings.Repeat("x", rnd.IntN(90))))
		}
		return b.String()
	}
	var h []string
	for _, name := range []string{"To", "cc", "SUBJECT", "Date", "Reply-To", "Message-ID", "MIME-Version", "Content-Type", "References", "In-Reply-To",
		"List-Unsubscribe", "list-unsubscribe-post", "X-A", "X-A", "x-a", "Received", "Received", "DKIM-Signature", "Comments"} {
		if rnd.IntN(2) == 0 {
			continue
		}
		field := name + ":" + words(6)
		for range rnd.IntN(3) {
			field += "\r\n" + pick(" ", "\t", "   ") + "y" + words(5)
		}
		h = append(h, field)
	}
	h = append(h, pick("From: a@bank.example", "from:\r\n <a@news.bank.example> ", "FROM:\t\"x\" \r\n\t<a@bank.example>\t"))
	rnd.Shuffle(len(h), func(i, j int) { h[i], h[j] = h[j], h[i] })
	var body strings.Builder
	for range rnd.IntN(12) {
		body.WriteString(words(5) + pick("\r\n", "\r\n\r\n", " \r\n", "\t\r\n\r\n\r\n"))
	}
	return strings.Join(h, "\r\n") + "\r\n\r\n" + body.String() + pick("", "end", " ", "\r\n")
}

// randomSigner draws what is signed; names that the message has and others.
func randomSigner(rnd *rand.Rand, s Signer, alone bool) Signer {
	names := []string{"To", "cc", "subject", "date", "X-A", "received", "x-none", "comments", "list-unsubscribe"}
	if alone {
		// With two signers the signature of one would be an added field for the other.
		names = append(names, "dkim-signature", "DKIM-Signature")
	}
	some := func() []string {
		list := []string{}
		for range rnd.IntN(6) {
			list = append(list, names[rnd.IntN(len(names))])
		}
		return list
	}
	switch rnd.IntN(4) {
	case 0:
		s.Always = some()
	case 1:
		s.IfPresent = some()
	case 2:
		s.Fields = append(some(), "From")
	}
	s.Canonicalization = canonicalizations[rnd.IntN(len(canonicalizations))]
	s.Expires = time.Duration(rnd.IntN(2)) * time.Hour
	return s
}

// twin hashes a signed message with the slow reference and returns what its
// field should hold: bh=, and the octets that b= signs.
func twin(t *testing.T, field, text string) (bh string, input string) {
	t.Helper()
	m := parse(t, field+text)
	var s Signature
	p := parseSignature(m.Header().Field(0).Value(), m.Header().Internationalized(), &s, nil)
	require.NoError(t, p.err)
	header, body, _ := strings.Cut(text, "\r\n\r\n")
	relaxed := s.HeaderCanonicalization == message.Relaxed
	empty := field[:strings.LastIndex(field, "b=")+2]
	input = sigtest.Select(header+"\r\n", s.Fields, relaxed) + strings.TrimSuffix(sigtest.HeaderField(empty, relaxed), "\r\n")
	sum := crypto.SHA256.New()
	io.WriteString(sum, sigtest.Body(body, s.BodyCanonicalization == message.Relaxed))
	return base64.StdEncoding.EncodeToString(sum.Sum(nil)), input
}

// P1 for the signer's half: whatever it signs passes, for every pair of
// canonicalizations, key type, chunking and set of fields; and the slow
// reference, which shares no code, comes to the same hashes. P7: chunking
// changes no octet.
func TestP1SignThenVerify(t *testing.T) {
	w := newWorld(t)
	rsaKey := sigtest.RSA(t, "rsa1024") // quicker to sign with
	w.zone["sel._domainkey.bank.example"] = []string{sigtest.Record(rsaKey)}
	w.zone["ed._domainkey.bank.example"] = []string{sigtest.Record(sigtest.Ed25519())}
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range 400 {
		text := randomMessage(rnd)
		one := randomSigner(rnd, newSigner(rsaKey), false)
		two := newSigner(sigtest.Ed25519())
		two.Selector = "ed"
		two = randomSigner(rnd, two, false)
		fields, err := Sign(strings.NewReader(text), two, one)
		require.NoError(t, err, "%q", text)
		var chunked io.Reader = iotest.OneByteReader(strings.NewReader(text))
		if i%2 == 0 {
			chunked = iotest.HalfReader(iotest.DataErrReader(strings.NewReader(text)))
		}
		again, err := Sign(chunked, two, one)
		require.NoError(t, err)
		require.Equal(t, fields, again)
		results, _ := w.verify(t, Verifier{}, fields+text)
		for _, r := range results[:2] {
			require.NoError(t, r.Err, "message %d\n%q", i, fields+text)
			require.Equal(t, Pass, r.Status)
		}
		m := parse(t, fields+text)
		for k := range 2 {
			field := string(m.Header().Raw(k))
			bh, _ := twin(t, field, text)
			require.Contains(t, unfold(field), " bh="+bh+";")
		}
	}
}

// The octets that are signed are those of the reference, which a test that
// verifies with the same code could not tell.
func TestSignedOctets(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	key := sigtest.Ed25519()
	for range 200 {
		text := randomMessage(rnd)
		var digest []byte
		s := randomSigner(rnd, newSigner(device{key.Public(), func(r io.Reader, d []byte, o crypto.SignerOpts) ([]byte, error) {
			digest = bytes.Clone(d)
			return key.Sign(r, d, o)
		}}), true)
		field, err := Sign(strings.NewReader(text), s)
		require.NoError(t, err)
		_, input := twin(t, field, text)
		sum := crypto.SHA256.New()
		io.WriteString(sum, input)
		require.Equal(t, sum.Sum(nil), digest, "%q", field+text)
	}
}

// P2 for the signer's half: what relays do to white space leaves a signature
// alone, and breaks one that says simple.
func TestP2SignedRelaxed(t *testing.T) {
	w := newWorld(t)
	for name, edit := range map[string]func(string) string{
		"refold":     replace("Date: Sat, 21", "Date: Sat,\r\n\t 21"),
		"wsp run":    replace("Sat, 21 Nov", "Sat, 21 \t  Nov"),
		"name case":  replace("Subject:", "sUBJECT:"),
		"trailing":   replace("Statement\r\n", "Statement \t\r\n"),
		"body run":   replace("your statement", "your  \tstatement"),
		"body end":   replace("ready.\r\n", "ready. \r\n"),
		"blank line": replace("customer,\r\n", "customer,\t\r\n"),
		"own field":  replace("; d=bank", ";\r\n\t  d=bank"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSigner(w.kb)
			for c, want := range map[string]authres.Status{"": Pass, "simple/simple": Fail} {
				s.Canonicalization = c
				field, err := Sign(strings.NewReader(b0), s)
				require.NoError(t, err)
				results, _ := w.verify(t, Verifier{}, edit(field+b0))
				require.Equal(t, want, results[0].Status, "%s: %v", c, results[0].Err)
			}
		})
	}
}

// P11 and P15: letter case of names changes no octet; x= holds to the second.
func TestSignNamesAndTimes(t *testing.T) {
	w := newWorld(t)
	s := newSigner(w.kb)
	s.Expires = time.Hour
	field, err := Sign(strings.NewReader(b0), s)
	require.NoError(t, err)
	upper := s
	upper.Domain, upper.Selector = "BANK.Example", "SEL"
	again, err := Sign(strings.NewReader(b0), upper)
	require.NoError(t, err)
	require.Equal(t, field, again)
	for after, want := range map[time.Duration]error{0: nil, time.Hour: nil, time.Hour + time.Second: ErrExpired} {
		now := func() time.Time { return clock().Add(after) }
		results, _ := w.verify(t, Verifier{Now: now}, field+b0)
		require.ErrorIs(t, results[0].Err, want, "%s", after)
	}
}

// One Signer serves many messages at once.
func TestSignConcurrently(t *testing.T) {
	s := newSigner(sigtest.Ed25519())
	want, err := Sign(strings.NewReader(b0), s)
	require.NoError(t, err)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			got, err := Sign(strings.NewReader(b0), s)
			if err != nil || got != want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	group.Wait()
}

// FuzzSign is F22: what is signed verifies, whatever the header and the tags, and is
// folded well; what is refused leaves no field.
func FuzzSign(f *testing.F) {
	a := alphabet.Header()
	for i, c := range canonicalizations {
		f.Add(a.Unfold(b0), c, "from:to:subject:x-none", "", int64(i), false, true)
		f.Add(a.Unfold("Received: x\r\nX-A: a\r\n\t b\r\nFrom : <a@bank.example>\r\nSubject: y\r\n\r\nz \r\n\r\n"), c, "from", "", int64(0), true, true)
	}
	f.Add([]byte(b0), "relaxed/relaxed", "from:subject", "", int64(0), false, false)
	f.Add([]byte(b0), "simple/simple", "", "a=b@bank.example", int64(3600), true, false)
	f.Add([]byte("From: a@bank.example\r\nfrom: b@bank.example\r\n\r\n"), "", "x", "@bank.example", int64(-1), false, false)
	f.Add([]byte("From:a@mail.bank.example\r\nSubject:\t\r\n x\r\n\r\n \r\n\r\n"), "relaxed/simple", "from:from", "\"\\\" \"@a.bank.example", int64(1), true, false)
	f.Add([]byte("\xef\xbb\xbfFrom: a@bank.example\r\n\r\nx\ny"), "simple/relaxed", "from:dkim-signature", "@", int64(0), true, false)
	f.Add([]byte("From: a@bank.example\r\n\r\n"), "relaxed", strings.Repeat("from:", 300), strings.Repeat("=", 200)+"@bank.example", int64(1<<40), false, false)
	key := sigtest.Ed25519()
	w := newWorld(f)
	w.zone["sel._domainkey.bank.example"] = []string{sigtest.Record(key)}
	v := Verifier{Resolver: w.zone.resolver(f), Now: clock}
	f.Fuzz(func(t *testing.T, text []byte, c, fields, identity string, expires int64, classes, folded bool) {
		text = []byte(a.Text(text, folded))
		s := newSigner(key)
		s.Canonicalization, s.Identity, s.Expires = c, identity, time.Duration(expires)*time.Second
		if list := strings.Split(fields, ":"); classes {
			s.Always, s.IfPresent = list[:len(list)/2], list[len(list)/2:]
		} else if fields != "" {
			s.Fields = list
		}
		field, err := Sign(bytes.NewReader(text), s)
		if err != nil {
			require.Empty(t, field)
			return
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(field, "\r\n"), "\r\n") {
			if len(line) > 78 {
				require.NotContains(t, strings.Trim(line, " ;"), " ", "a line over 78 octets holds one item")
			}
			require.NotContains(t, line, "\n")
			require.NotEmpty(t, strings.TrimSpace(line))
		}
		r := v.Verify(t.Context(), parse(t, field+string(text)))[0]
		require.NoError(t, r.Err, "%q", field+string(text))
	})
}

// TestSignMemory: 100 MB are signed by two signers in less than 256 KB.
func TestSignMemory(t *testing.T) {
	one, two := newSigner(sigtest.RSA(t, "rsa2048")), newSigner(sigtest.Ed25519())
	two.Canonicalization = "simple/simple"
	line := strings.Repeat("0123456789abcdef", 4) + "\r\n"
	chunk := []byte(strings.Repeat(line, 1024))
	readers := []io.Reader{bytes.NewReader([]byte(b0))}
	for n := 0; n < 100<<20; n += len(chunk) {
		readers = append(readers, bytes.NewReader(chunk))
	}
	r := io.MultiReader(readers...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	field, err := Sign(r, one, two)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.NotEmpty(t, field)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<10))
}
