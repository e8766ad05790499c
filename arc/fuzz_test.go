package arc

import (
	"context"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/seed2385d973/mailauth/message"
)

// The forms of the input of FuzzVerify besides the message itself.
const (
	formFolded = 1 // folded by the alphabet of header fields
	formSealed = 2 // instructions to sealers
	forms      = 3
)

// seals makes a chain by instructions, an octet each and its arguments: hops that
// seal, rightly or not, and relays that change something in between.
func seals(data []byte) string {
	next := func() (b byte) {
		if len(data) > 0 {
			b, data = data[0], data[1:]
		}
		return b
	}
	pick := func(list ...string) string { return list[int(next())%len(list)] }
	text, n := b0, 0
	for steps := 0; len(data) > 0 && steps < 12 && len(text) < 1<<15; steps++ {
		switch next() % 8 {
		case 0, 1: // a set as it should be
			n++
			text = sigtest.Seal(ed(), sigtest.Set{Instance: n, Domain: "lists.example", Selector: "sel"}, text)
		case 2: // a set with something else in it
			n++
			s := sigtest.Set{Instance: n, Domain: pick("lists.example", "attack.example", "other.example"), Selector: pick("sel", "ed", "none"), CV: pick("", "none", "pass", "fail", "PASS"),
				Results: pick("", "mx.attack.example; dmarc=pass header.from=bank.example", "mx; (null)=pass", "mx; dara=pass"), Alone: next()&7 == 0}
			s.AMS = pick("", "i={i}; a={a}; c=simple/simple; d={d}; s={s}; h=from:subject; bh={bh}; b={b}", "i={i}; a={a}; d={d}; s={s}; h=from:arc-seal; bh={bh}; b={b}", "i={i}; a={a}; d={d}; s={s}; h=to; bh={bh}; b={b}",
				"i={i}; a={a}; d={d}; s={s}; h=from; l=0; bh={bh}; b={b}", "i={i}; a={a}; c=relaxed; d={d}; s={s}; h=from:from:dkim-signature; x=1; bh={bh}; b={b}")
			s.AS = pick("", "i={i}; a={a}; cv={cv}; d={d}; s={s}; h=from; b={b}", "i={i}; a={a}; cv={cv}; c=simple; d={d}; s={s}; b={b}", "i={i}; i={i}; a={a}; cv={cv}; d={d}; s={s}; b={b}", "i={i};; a={a}; cv={cv}; d={d}; s={s}; b={b}", "cv={cv}; b={b}; s={s}; d={d}; a={a}; i={i}; t=1; x=y")
			s.AAR = pick("", "i={i}; {results} (c)", "i=0{i}; {results}", "{results}", " (c) i = {i} ; {results}")
			text = sigtest.Seal(ed(), s, text)
		case 3: // an octet changed
			at := int(next())<<8 | int(next())
			text = text[:at%len(text)] + string(rune(next()&0x7f)) + text[at%len(text)+1:]
		case 4: // a field of the chain moved down, removed, doubled
			list := fields(text)
			_, body, _ := strings.Cut(text, "\r\n\r\n")
			if i := int(next()); len(list) > 0 {
				i %= len(list)
				one := list[i]
				switch next() % 3 {
				case 0:
					list = append(list[:i], list[i+1:]...)
				case 1:
					list = append(append(list[:i], list[i+1:]...), one)
				case 2:
					list = append(list, one)
				}
			}
			text = strings.Join(list, "") + "\r\n" + body
		case 5: // what lists do
			text = pick("Received: by lists.example\r\n", "Subject: again\r\n", "DKIM-Signature: x\r\n", "X-A: b\r\n\t c\r\n", "ARC-Seal: i=1; cv\r\n", "ARC-Authentication-Results: i=1; (null)=pass\r\n") + text
		case 6:
			text += pick("\r\n", "footer\r\n", " ", "x")
		case 7:
			n = int(next()) % 52 // the next instance follows another
		}
	}
	return text
}

// FuzzVerify is F16: whole messages. A chain passes only if a second, slow reader of
// RFC 8617 finds that every seal is over what it must be; a sealer then either
// refuses or writes what a verifier finds as it should be.
func FuzzVerify(f *testing.F) {
	a := append(alphabet.Header(), alphabet.TagList()...)
	for _, s := range []string{"\x00", "\x00\x00\x00", "\x00\x05\x00\x00", "\x00\x06\x01\x00", "\x02\x00\x00\x00\x00\x01\x01\x00\x00", "\x02\x01\x01\x00\x01\x01\x00\x00\x00\x00", "\x00\x03\x00\x20\x21\x00", "\x00\x00\x04\x01\x01", "\x00\x04\x00\x02",
		"\x07\x02\x00", "\x00\x02\x00\x00\x03\x00\x01\x00\x00\x00\x00", "\x02\x00\x00\x00\x00\x01\x02", strings.Repeat("\x00", 12)} {
		f.Add([]byte(s), uint8(formSealed))
	}
	for _, s := range testcase.Blocks("message", "arc", "valimail", "*.yml") {
		f.Add([]byte(s), uint8(0))
	}
	good := chainOf(2, b0)
	for _, s := range []string{
		b0, good, good + "x", chainOf(1, b0), strings.Replace(good, "i=2", "i=3", -1), strings.Replace(good, "cv=pass", "cv=fail", 1),
		"ARC-Seal: i=1; cv\r\n" + b0, "ARC-Seal:\r\n" + b0, "ARC-Authentication-Results: i=1; (null)=pass\r\n" + b0,
		strings.Repeat("ARC-Seal: i=1\r\n", 60) + b0, "\r\n", "",
		sigtest.Seal(ed(), sigtest.Set{Instance: 1, Domain: "lists.example", Selector: "sel", AMS: "i={i}; a={a}; d={d}; s={s}; h=from:arc-seal; bh={bh}; b={b}"}, b0),
	} {
		f.Add([]byte(s), uint8(0))
	}
	f.Add(a.Unfold(good), uint8(formFolded))
	z := zone(f)
	f.Fuzz(func(t *testing.T, data []byte, form uint8) {
		switch form % forms {
		case formFolded:
			data = []byte(a.Fold(data))
		case formSealed:
			data = []byte(seals(data))
		}
		s := sealer()
		d := message.Digester{Want: []message.BodyHash{s.BodyHash()}}
		if _, err := d.Write(data); err != nil {
			return
		}
		m, err := d.Finish()
		if err != nil {
			return
		}
		z.Reset()
		v := Verifier{Resolver: z, Now: clock}
		r := v.Verify(context.Background(), m)
		if n := len(z.Queries()); n > 2*defaultSets {
			t.Fatalf("%d queries", n)
		}
		switch r.Status {
		case None:
			if r.Err != nil || present(m.Header()) {
				t.Fatalf("none: %v", r.Err)
			}
		case Fail:
			if r.Err == nil || r.Code() == "" || r.Sealers() != nil {
				t.Fatalf("fail: %v", r.Err)
			}
			for i := range r.Sets {
				if _, ok := r.Sets[i].Results(); ok {
					t.Fatal("results of a chain that failed")
				}
			}
		case Pass:
			if len(r.Sets) != r.Instance || r.Instance < 1 || r.Instance > defaultSets || r.Err != nil {
				t.Fatalf("pass: %+v", r)
			}
			if !slowSeals(m.Header(), r.chain) {
				t.Fatal("a seal does not verify")
			}
		default:
			t.Fatalf("status %q", r.Status)
		}
		set, err := s.Seal(m, r, someResults)
		if err != nil {
			if set != nil {
				t.Fatal("fields and an error")
			}
			return
		}
		sealed, err := message.Parse(append([]byte(strings.Join(set, "")), data...))
		if err != nil {
			return // over a limit of the header now
		}
		v.MaxSets = maxInstance
		after := v.Verify(context.Background(), sealed)
		want := r.Status
		if want == None {
			want = Pass
		}
		if after.Status != want {
			t.Fatalf("%s before, %s after: %v", r.Status, after.Status, after.Err)
		}
	})
}

// slowSeals verifies all seals of a chain with the canonicalization of sigtest.
func slowSeals(h *message.Header, c *chain) bool {
	input := ""
	for k := range c.sets {
		s := &c.sets[k]
		raw := func(i int) string {
			f := string(h.Raw(i))
			if !strings.HasSuffix(f, "\r\n") {
				f += "\r\n"
			}
			return f
		}
		input += sigtest.HeaderField(raw(s.results), true) + sigtest.HeaderField(raw(s.signature), true)
		f := h.Field(s.seal)
		v := f.Value()
		own := strings.TrimSuffix(sigtest.HeaderField(f.Name()+":"+v[:s.as.key.Start]+v[s.as.key.End:]+"\r\n", true), "\r\n")
		if !sigtest.Verify(ed().Public(), "-sha256", input+own, s.as.key.Data) {
			return false
		}
		input += sigtest.HeaderField(raw(s.seal), true)
	}
	return true
}

// FuzzResults goes with F14 and F16: the instance of an ARC-Authentication-Results field.
func FuzzResults(f *testing.F) {
	a := alphabet.Results()
	for _, s := range []string{"i=1; mx", " (c) i (c) = (c) 50 (c) ; x", "i=1;i=2;", "i=0;", "i=01;", "i=1", "I=1;", "i==1;", "(((((((((((((((((", "i=1\r\n ;"} {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		s := a.Text(data, folded)
		n, payload, err := readResults(s)
		if err == nil && (n < 1 || n > maxInstance || !strings.HasSuffix(s, payload)) || err != nil && (n != 0 || payload != "") {
			t.Fatal(n, payload, err)
		}
		x := testimony{payload, true}
		x.read()
	})
}
