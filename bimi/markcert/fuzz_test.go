package markcert

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
)

var fuzzTime = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)

func fuzzPKI(f *testing.F) *markcerttest.PKI {
	p, err := markcerttest.New(rand.NewChaCha8([32]byte{9}), fuzzTime)
	if err != nil {
		f.Fatal(err)
	}
	return p
}

// FuzzLogotype: whatever the extension holds, what is read is one image with one
// URI out of the input, and opening it stays below the limit.
func FuzzLogotype(f *testing.F) {
	p := fuzzPKI(f)
	for _, d := range append([]markcerttest.Defect{markcerttest.HashSHA1}, markcerttest.Defects()...) {
		if d.Item()[0] != 'N' {
			continue
		}
		b, err := p.Issue(markcerttest.Spec{}, d)
		if err != nil {
			f.Fatal(err)
		}
		if v, _, ok := extension(b.Leaf, oidLogotype); ok {
			f.Add(v)
		}
	}
	f.Add(subject(direct(testImage)))
	f.Fuzz(func(t *testing.T, value []byte) {
		l, err := parseLogotype(value)
		if err != nil {
			var e Error
			if !errors.As(err, &e) || e.Code() == "" || l.uri != "" || l.mediaType != "" || l.hashes != nil {
				t.Fatalf("error %v with %+v", err, l)
			}
			return
		}
		if !bytes.Contains(value, []byte(l.uri)) || !bytes.Contains(value, []byte(l.mediaType)) ||
			len(l.hashes) == 0 || len(l.hashes) > maxHashes {
			t.Fatalf("%+v is not in the input", l)
		}
		c := &check{v: &Verifier{MaxIndicator: 1000}}
		image, err := c.open(l)
		if err == nil {
			if len(image) > 1000 {
				t.Fatal("image over the limit")
			}
			c.checkHashes(l.hashes, image)
		}
	})
}

// FuzzSCTList: a list that is read is one that encodes to itself, entry by entry.
func FuzzSCTList(f *testing.F) {
	p := fuzzPKI(f)
	for _, d := range []markcerttest.Defect{markcerttest.HashSHA1, markcerttest.SixteenSCTs, markcerttest.SeventeenSCTs, markcerttest.SCTMalformed} {
		b, err := p.Issue(markcerttest.Spec{}, d)
		if err != nil {
			f.Fatal(err)
		}
		v, _, _ := extension(b.Leaf, oidSCTList)
		f.Add(v)
	}
	f.Add(el(4, sctVector(sctVector([]byte{7}), sctVector(sctOf(0, make([]byte, 8))))))
	f.Fuzz(func(t *testing.T, value []byte) {
		scts, err := parseSCTs(value)
		if err != nil {
			if scts != nil {
				t.Fatal("error with a list")
			}
			return
		}
		if len(scts) == 0 || len(scts) > MaxSCTs {
			t.Fatal(len(scts))
		}
		rest := value
		for _, s := range scts {
			enc := append([]byte{0}, s.LogID[:]...)
			for i := 56; i >= 0; i -= 8 {
				enc = append(enc, byte(s.timestamp>>i))
			}
			enc = append(enc, sctVector(s.extensions)...)
			enc = append(enc, s.algorithm[0], s.algorithm[1])
			enc = sctVector(append(enc, sctVector(s.signature)...))
			i := bytes.Index(rest, enc)
			if i < 0 {
				t.Fatal("entry is not in the input")
			}
			rest = rest[i+len(enc):]
		}
	})
}

// FuzzPrecertTBS: the rewriting only ever takes the one extension out.
func FuzzPrecertTBS(f *testing.F) {
	p := fuzzPKI(f)
	for _, d := range []markcerttest.Defect{markcerttest.HashSHA1, markcerttest.NoSCT, markcerttest.SixteenSCTs, markcerttest.Precertificate} {
		b, err := p.Issue(markcerttest.Spec{}, d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b.Leaf.RawTBSCertificate)
	}
	f.Fuzz(func(t *testing.T, tbs []byte) {
		out, err := precertTBS(tbs)
		if err != nil {
			return
		}
		if len(out) > len(tbs) {
			t.Fatal("grown")
		}
		again, err := precertTBS(out)
		if len(out) < len(tbs) && err != nil && !bytes.Contains(tbs, []byte(sctListID)) {
			t.Fatal("taken out what is not there")
		}
		if err == nil && !bytes.Equal(out, again) {
			t.Fatal("not idempotent")
		}
	})
}

// FuzzBundle: any file gives one of the three results; the image is there on a pass
// only; and a pass means that the mark certificate is one that we have issued.
func FuzzBundle(f *testing.F) {
	p := fuzzPKI(f)
	world, err := p.Issue(markcerttest.Spec{})
	if err != nil {
		f.Fatal(err)
	}
	issued := map[string]bool{}
	for _, d := range markcerttest.Defects() {
		b, err := p.Issue(markcerttest.Spec{}, d)
		if err != nil {
			f.Fatal(err)
		}
		issued[string(b.Leaf.Raw)] = true
		if len(b.PEM) < 8<<10 {
			f.Add(b.PEM)
		}
	}
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0}}))
	roots, err := ParseRoots(world.Roots)
	if err != nil {
		f.Fatal(err)
	}
	logs, err := ParseLogs(world.LogKeys)
	if err != nil {
		f.Fatal(err)
	}
	inter, err := x509.ParseCertificate(world.Intermediate.Raw)
	if err != nil {
		f.Fatal(err)
	}
	v := Verifier{Roots: roots, Logs: logs, Intermediates: []*x509.Certificate{inter}, AllowUnordered: true,
		Revocation: BestEffortRevocation, Now: func() time.Time { return fuzzTime }}
	f.Fuzz(func(t *testing.T, file []byte) {
		r := v.Verify(context.Background(), file, Names{Author: "example.com"})
		if (r.Err == nil) != (r.Status == authres.Pass) || (r.Indicator != nil) != (r.Status == authres.Pass) {
			t.Fatalf("status %q, error %v", r.Status, r.Err)
		}
		if r.Status == authres.Pass && !issued[string(r.Chain[0].Raw)] {
			t.Fatal("passed a certificate that nobody issued")
		}
		for _, fd := range r.Findings {
			if fd.Code.Code() == "" || fd.String() == "" {
				t.Fatalf("finding %+v", fd)
			}
		}
		v.Lint(file)
	})
}

// FuzzCRL: no input is taken for a list of an authority that did not sign it.
func FuzzCRL(f *testing.F) {
	p := fuzzPKI(f)
	signed := map[string]bool{}
	var world *markcerttest.Bundle
	for _, d := range markcerttest.Defects() {
		if d.Item()[0] != 'K' || d == markcerttest.CRLOversized {
			continue
		}
		b, err := p.Issue(markcerttest.Spec{}, d)
		if err != nil {
			f.Fatal(err)
		}
		world = b
		for _, l := range b.CRLs {
			signed[string(l)] = true
			f.Add(l)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := parseCRL(raw)
		if err != nil {
			return
		}
		if _, err := l.find(world.Leaf.SerialNumber); err != nil && codeOf(err).Code() == "" {
			t.Fatal(err)
		}
		if _, err := l.scope(world.Leaf, world.Leaf.CRLDistributionPoints); err != nil && codeOf(err).Code() == "" {
			t.Fatal(err)
		}
		if _, err := l.check(world.Leaf, world.Intermediate, nil, fuzzTime); err == nil && !signed[string(raw)] {
			t.Fatal("used a list that nobody signed")
		}
	})
}
