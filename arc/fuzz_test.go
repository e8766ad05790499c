package arc

import (
	"context"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// FuzzVerify (F16): whole messages. A chain passes only if a second, slow reader of
// RFC 8617 finds that every seal is over what it must be; a sealer then either
// refuses or writes what a verifier finds as it should be.
func FuzzVerify(f *testing.F) {
	good := chainOf(2, b0)
	for _, s := range []string{
		b0, good, good + "x", chainOf(1, b0), strings.Replace(good, "i=2", "i=3", -1), strings.Replace(good, "cv=pass", "cv=fail", 1),
		"ARC-Seal: i=1; cv\r\n" + b0, "ARC-Seal:\r\n" + b0, "ARC-Authentication-Results: i=1; (null)=pass\r\n" + b0,
		strings.Repeat("ARC-Seal: i=1\r\n", 60) + b0, "\r\n", "",
		sigtest.Seal(ed(), sigtest.Set{Instance: 1, Domain: "lists.example", Selector: "sel", AMS: "i={i}; a={a}; d={d}; s={s}; h=from:arc-seal; bh={bh}; b={b}"}, b0),
	} {
		f.Add([]byte(s))
	}
	z := zone(f)
	f.Fuzz(func(t *testing.T, data []byte) {
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

// FuzzResults: the instance of an ARC-Authentication-Results field.
func FuzzResults(f *testing.F) {
	for _, s := range []string{"i=1; mx", " (c) i (c) = (c) 50 (c) ; x", "i=1;i=2;", "i=0;", "i=01;", "i=1", "I=1;", "i==1;", "(((((((((((((((((", "i=1\r\n ;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, payload, err := readResults(s)
		if err == nil && (n < 1 || n > maxInstance || !strings.HasSuffix(s, payload)) || err != nil && (n != 0 || payload != "") {
			t.Fatal(n, payload, err)
		}
		x := testimony{payload, true}
		x.read()
	})
}
