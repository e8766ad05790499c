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
	"github.com/seed2385d973/mailauth/internal/alphabet"
)

var fuzzTime = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)

func fuzzPKI(f *testing.F) *markcerttest.PKI {
	p, err := markcerttest.New(rand.NewChaCha8([32]byte{9}), fuzzTime)
	if err != nil {
		f.Fatal(err)
	}
	return p
}

// FuzzLogotype is F18: whatever the extension holds, what is read is one image with one
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
			f.Add(v, false)
		}
	}
	f.Add(subject(direct(testImage)), false)
	sha256ID := []byte{0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0}
	pieces := [][]byte{el(0x16, []byte("image/svg+xml")), el(0x16, []byte("image/svg+xml+gzip")), sha256ID, el(4, make([]byte, 32)), el(0x16, []byte("data:image/svg+xml;base64,PHN2Zy8+")),
		el(0x16, []byte("https://x.example/l.svg")), el(0x30, el(0x30, sha256ID, el(4, make([]byte, 32)))), el(4, make([]byte, 20)), {6, 5, 0x2b, 0x0e, 3, 2, 0x1a}}
	f.Add([]byte("\x30\xa2\xa0\x30\x30\x30\xf2\x00\xf2\x06\x30\xf2\x04"), true)
	f.Add([]byte("\x30\xa2\xa1\x30\x30\x30\xf2\x00\xf2\x06\x30\xf2\x04\xf0\xf0\xf0\xf0\xf0\xf0\xa2\xa0\x30"), true)
	f.Fuzz(func(t *testing.T, value []byte, built bool) {
		if built {
			value = alphabet.DER(value, pieces...)
		}
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

// FuzzSCTList goes with F18: a list that is read is one that encodes to itself, entry by entry.
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

// FuzzPrecertTBS goes with F18: the rewriting only ever takes the one extension out.
func FuzzPrecertTBS(f *testing.F) {
	p := fuzzPKI(f)
	for _, d := range []markcerttest.Defect{markcerttest.HashSHA1, markcerttest.NoSCT, markcerttest.SixteenSCTs, markcerttest.Precertificate} {
		b, err := p.Issue(markcerttest.Spec{}, d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b.Leaf.RawTBSCertificate, false)
	}
	pieces := [][]byte{[]byte(sctListID), el(4, el(4, sctVector([]byte{7}))), {1, 1, 0xff}, {0xa0, 3, 2, 1, 2}, el(6, []byte{0x55, 0x1d, 0x0f})}
	f.Add([]byte("\x30\xf2\x03\x30\xf0\xa3\x30\x30\xf2\x00\xf2\x01\xf0\x30\xf2\x04\xf2\x02\xf2\x01"), true)
	f.Fuzz(func(t *testing.T, tbs []byte, built bool) {
		if built {
			tbs = alphabet.DER(tbs, pieces...)
		}
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

// FuzzBundle goes with F18: any file gives one of the three results; the image is there on a pass
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
			f.Add(b.PEM, false)
		}
	}
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0}}), false)
	f.Add([]byte{0x01, 0x23, 0x01}, true)
	f.Add([]byte{0x00, 0x20, 0x80, 0x02, 0xff, 0x01}, true)
	issued[string(world.Leaf.Raw)] = true
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
	f.Fuzz(func(t *testing.T, file []byte, edits bool) {
		if edits { // changes to the certificate below its base64: place in two octets, and what is turned over
			der := bytes.Clone(world.Leaf.Raw)
			for ; len(file) >= 3; file = file[3:] {
				der[(int(file[0])<<8|int(file[1]))%len(der)] ^= file[2]
			}
			file = append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: world.Intermediate.Raw})...)
		}
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

// FuzzCRL goes with F18: no input is taken for a list of an authority that did not sign it.
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
