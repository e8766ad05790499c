package markcert

import (
	"crypto/x509"
	"fmt"
)

// encoding looks for what crypto/x509 passes over and another reader might read
// in another way: octets behind the value of an extension, and times that are not in
// the form of RFC 5280, section 4.1.2.5. The logotype and the timestamps are read whole
// elsewhere.
func (c *check) encoding(i int, cert *x509.Certificate) {
	for _, e := range cert.Extensions {
		if len(e.Id) != 4 || e.Id[0] != 2 || e.Id[1] != 5 || e.Id[2] != 29 {
			continue // not of RFC 5280, section 4.2.1
		}
		d := der(e.Value)
		if _, _, _, ok := d.any(); !ok || len(d) != 0 {
			c.add(Failure, ErrCertificate, i, "extension "+e.Id.String()+" is not one DER value")
		}
	}
	if what := badValidity(cert.RawTBSCertificate); what != "" {
		c.add(Failure, ErrCertificate, i, what)
	}
}

// badValidity says what is wrong with the two times of a TBSCertificate; "" if nothing is.
func badValidity(tbs []byte) string {
	var seq, validity, version, ignored der
	var hasVersion bool
	d := der(tbs)
	if !d.read(tagSequence, &seq) || !seq.optional(tagConstructed, &version, &hasVersion) ||
		!seq.read(tagInteger, &ignored) || !seq.read(tagSequence, &ignored) || !seq.read(tagSequence, &ignored) ||
		!seq.read(tagSequence, &validity) {
		return "malformed TBSCertificate"
	}
	for range 2 {
		tag, text, _, ok := validity.any()
		digits := map[byte]int{tagUTCTime: 12, tagGeneralizedTime: 14}[tag]
		if !ok || digits == 0 || len(text) != digits+1 || text[digits] != 'Z' {
			return fmt.Sprintf("time %q is not of the form with seconds and Z", printable(string(text)))
		}
		for _, b := range text[:digits] {
			if b < '0' || b > '9' {
				return fmt.Sprintf("time %q is not of the form with seconds and Z", printable(string(text)))
			}
		}
	}
	return ""
}
