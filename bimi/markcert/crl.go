package markcert

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Identifiers of a revocation list's extensions, by content: all are 2.5.29.x.
const (
	idCRLNumber         = "\x55\x1d\x14"
	idReasonCode        = "\x55\x1d\x15"
	idHoldInstruction   = "\x55\x1d\x17"
	idInvalidityDate    = "\x55\x1d\x18"
	idDeltaCRL          = "\x55\x1d\x1b"
	idIssuingDistPoint  = "\x55\x1d\x1c"
	idCertificateIssuer = "\x55\x1d\x1d"
	idAuthorityKeyID    = "\x55\x1d\x23"
)

// What a list may have; real ones have a handful of each.
const (
	maxCRLExtensions     = 32 // of the list: they are remembered to find one that is there twice
	maxIDPNames          = 16 // of its distribution point: each is compared with the certificate's
	maxCRLEntryExtension = 8  // of one entry
)

// The signature algorithms of revocation lists, by the content of their identifiers.
const (
	sigSHA256RSA   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
	sigSHA384RSA   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"
	sigSHA512RSA   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"
	sigSHA256ECDSA = "\x2a\x86\x48\xce\x3d\x04\x03\x02"
	sigSHA384ECDSA = "\x2a\x86\x48\xce\x3d\x04\x03\x03"
	sigSHA512ECDSA = "\x2a\x86\x48\xce\x3d\x04\x03\x04"
)

// crl is a CertificateList (RFC 5280, section 5.1) whose entries have not been
// read: that is done after the signature has verified, one at a time and without
// keeping any, so that a list of megabytes costs no memory and a forged one
// costs a hash.
type crl struct {
	tbs, issuer            der
	algorithm              x509.SignatureAlgorithm
	signature              []byte
	thisUpdate, nextUpdate time.Time
	entries                der
	extensions             der
}

// parseCRL reads a list in DER. The encoding of the algorithm identifiers has to be
// the same inside and outside (RFC 5280, section 5.1.1.2).
func parseCRL(raw []byte) (crl, error) {
	bad := func(what string) (crl, error) { return crl{}, fmt.Errorf("%w: %s", ErrCRL, what) }
	if len(raw) > MaxCRLBytes {
		return bad("over the size limit")
	}
	var (
		l                                crl
		d                                = der(raw)
		list, tbs, alg, inner, bits, ext der
		version                          der
		ok                               bool
	)
	if !d.read(tagSequence, &list) || len(d) != 0 {
		return bad("not a CertificateList")
	}
	if !list.element(tagSequence, &l.tbs) || !list.element(tagSequence, &alg) ||
		!list.read(tagBitString, &bits) || len(list) != 0 || len(bits) < 2 || bits[0] != 0 {
		return bad("CertificateList")
	}
	l.signature = bits[1:]
	d = l.tbs
	if !d.read(tagSequence, &tbs) || !tbs.integer(&version) || len(version) != 1 || version[0] != 1 {
		return bad("not of version 2")
	}
	if !tbs.element(tagSequence, &inner) || !bytes.Equal(alg, inner) {
		return bad("signature algorithms differ")
	}
	if l.algorithm, ok = crlAlgorithm(alg); !ok {
		return crl{}, fmt.Errorf("%w: algorithm not acceptable", ErrCRLSignature)
	}
	if !tbs.element(tagSequence, &l.issuer) || !tbs.time(&l.thisUpdate) {
		return bad("issuer or thisUpdate")
	}
	if !tbs.time(&l.nextUpdate) { // RFC 5280, section 5.1.2.5 demands it
		return bad("nextUpdate")
	}
	var present bool
	if !tbs.optional(tagSequence, &l.entries, &present) || present && len(l.entries) == 0 {
		return bad("revokedCertificates")
	}
	if !tbs.optional(tagConstructed, &ext, &present) || len(tbs) != 0 ||
		present && (!ext.read(tagSequence, &l.extensions) || len(ext) != 0) {
		return bad("extensions")
	}
	return l, nil
}

func crlAlgorithm(alg der) (x509.SignatureAlgorithm, bool) {
	var d, params der
	var id string
	var hasParams bool
	if !alg.read(tagSequence, &d) || !d.oid(&id) || !d.optional(tagNull, &params, &hasParams) || len(params) != 0 || len(d) != 0 {
		return 0, false
	}
	switch id {
	case sigSHA256RSA:
		return x509.SHA256WithRSA, true
	case sigSHA384RSA:
		return x509.SHA384WithRSA, true
	case sigSHA512RSA:
		return x509.SHA512WithRSA, true
	case sigSHA256ECDSA:
		return x509.ECDSAWithSHA256, true
	case sigSHA384ECDSA:
		return x509.ECDSAWithSHA384, true
	case sigSHA512ECDSA:
		return x509.ECDSAWithSHA512, true
	}
	return 0, false
}

// time reads a UTCTime or GeneralizedTime in the one form that DER and RFC 5280,
// section 4.1.2.5 leave of them.
func (d *der) time(out *time.Time) bool {
	var c der
	var err error
	switch {
	case d.peek(tagUTCTime):
		if !d.read(tagUTCTime, &c) || len(c) != len("060102150405Z") {
			return false
		}
		if *out, err = time.Parse("060102150405Z", string(c)); err == nil && out.Year() >= 2050 {
			*out = out.AddDate(-100, 0, 0)
		} else if err == nil && out.Year() < 1950 {
			*out = out.AddDate(100, 0, 0)
		}
	case d.peek(tagGeneralizedTime):
		if !d.read(tagGeneralizedTime, &c) || len(c) != len("20060102150405Z") {
			return false
		}
		*out, err = time.Parse("20060102150405Z", string(c))
	default:
		return false
	}
	return err == nil
}

// check decides whether the list may be used for cert (RFC 5280, section 6.3.3)
// and whether cert is on it. points are the distribution points of cert.
func (l *crl) check(cert, issuer *x509.Certificate, points []string, now time.Time) (revoked bool, err error) {
	if !bytes.Equal(l.issuer, issuer.RawSubject) {
		return false, ErrCRLIssuer
	}
	if !mayUse(issuer, x509.KeyUsageCRLSign) {
		return false, fmt.Errorf("%w: issuer may not sign revocation lists", ErrCRLSignature)
	}
	if err := issuer.CheckSignature(l.algorithm, l.tbs, l.signature); err != nil {
		return false, ErrCRLSignature
	}
	switch {
	case now.Before(l.thisUpdate):
		return false, fmt.Errorf("%w: from the future", ErrCRLTime)
	case now.After(l.nextUpdate):
		return false, fmt.Errorf("%w: nextUpdate was %s", ErrCRLTime, l.nextUpdate.Format("2006-01-02T15:04:05Z"))
	}
	someReasons, err := l.scope(cert, points)
	if err != nil {
		return false, err
	}
	revoked, err = l.find(cert.SerialNumber)
	if err == nil && !revoked && someReasons {
		return false, fmt.Errorf("%w: only some reasons", ErrCRLScope)
	}
	return revoked, err
}

// scope reads the list's extensions. A delta list, an indirect list or one that is
// not about this kind of certificate cannot be used; an unknown critical
// extension leaves open what the list is about (RFC 5280, section 5.2).
func (l *crl) scope(cert *x509.Certificate, points []string) (someReasons bool, err error) {
	seen := make(map[string]bool)
	for list := l.extensions; len(list) > 0; {
		var id string
		var critical bool
		var value der
		if !list.extension(&id, &critical, &value) || seen[id] || len(seen) == maxCRLExtensions {
			return false, fmt.Errorf("%w: extensions", ErrCRL)
		}
		seen[id] = true
		switch {
		case id == idIssuingDistPoint:
			if someReasons, err = l.distributionPoint(value, cert, points); err != nil {
				return false, err
			}
		case id == idDeltaCRL:
			return false, fmt.Errorf("%w: delta list", ErrCRLScope)
		case critical && id != idCRLNumber && id != idAuthorityKeyID:
			return false, fmt.Errorf("%w: unknown critical extension", ErrCRLScope)
		}
	}
	return someReasons, nil
}

// distributionPoint judges an IssuingDistributionPoint (RFC 5280, section 5.2.5).
func (l *crl) distributionPoint(value der, cert *x509.Certificate, points []string) (someReasons bool, err error) {
	bad := fmt.Errorf("%w: issuing distribution point", ErrCRL)
	out := func(what string) (bool, error) { return false, fmt.Errorf("%w: %s", ErrCRLScope, what) }
	var idp, name, names der
	if !value.read(tagSequence, &idp) || len(value) != 0 {
		return false, bad
	}
	var hasName bool
	if !idp.optional(tagConstructed, &name, &hasName) {
		return false, bad
	}
	if hasName {
		if !name.read(tagConstructed, &names) || len(name) != 0 {
			return out("relative distribution point") // nameRelativeToCRLIssuer: nothing in our certificates can match it
		}
		match := false
		for n := 0; len(names) > 0; n++ {
			tag, content, _, ok := names.any()
			if !ok || n == maxIDPNames {
				return false, bad
			}
			match = match || tag == tagContext|6 && slices.Contains(points, string(content))
		}
		if !match {
			return out("another distribution point")
		}
	}
	last := 0
	for len(idp) > 0 {
		tag, content, _, ok := idp.any()
		n := int(tag) - tagContext
		if !ok || n <= last || n > 5 {
			return false, bad
		}
		last = n
		if n == 3 { // ReasonFlags, a BIT STRING
			someReasons = true
			continue
		}
		var set bool
		if !content.bool(&set) {
			return false, bad
		}
		switch {
		case !set:
		case n == 1 && isCA(cert):
			return out("only end-entity certificates")
		case n == 2 && !isCA(cert):
			return out("only authorities")
		case n == 4:
			return out("indirect list")
		case n == 5:
			return out("only attribute certificates")
		}
	}
	return someReasons, nil
}

// find looks for a serial number. An entry with the reason removeFromCRL has no
// place in a complete list and counts as the revocation it once was, like
// certificateHold. A critical entry extension that is not understood makes the
// whole list unusable (RFC 5280, section 5.3).
func (l *crl) find(serial *big.Int) (bool, error) {
	want := serial.Bytes()
	if len(want) == 0 || want[0]&0x80 != 0 {
		want = append([]byte{0}, want...)
	}
	bad := fmt.Errorf("%w: entry", ErrCRL)
	found := false
	var entry, number, exts, value der
	var at time.Time
	var has, critical bool
	var id string
	for list := l.entries; len(list) > 0; {
		if !list.read(tagSequence, &entry) || !entry.integer(&number) || !entry.time(&at) ||
			!entry.optional(tagSequence, &exts, &has) || len(entry) != 0 {
			return false, bad
		}
		found = found || bytes.Equal(number, want)
		if !has {
			continue
		}
		for n := 0; len(exts) > 0; n++ {
			if !exts.extension(&id, &critical, &value) || n == maxCRLEntryExtension {
				return false, bad
			}
			switch {
			case id == idCertificateIssuer:
				return false, fmt.Errorf("%w: indirect entry", ErrCRLScope)
			case critical && id != idReasonCode && id != idHoldInstruction && id != idInvalidityDate:
				return false, fmt.Errorf("%w: unknown critical entry extension", ErrCRLScope)
			}
		}
	}
	return found, nil
}

// codeOf returns the constant that err wraps.
func codeOf(err error) Error {
	var code Error
	if errors.As(err, &code) {
		return code
	}
	return ErrCRLUnavailable
}
