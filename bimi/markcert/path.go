package markcert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
)

// The bounds of an RSA key. The upper one keeps a hostile key from costing
// milliseconds a signature.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// The identifiers this package asks for in extensions and subjects.
var (
	oidPilot       = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087, 4, 1}
	oidPriorUse    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 53087, 5, 1}
	oidKeyPurpose  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 31}
	oidLogotype    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 12}
	oidSCTList     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
	oidPoison      = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 3}
	oidKeyUsage    = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// extension returns the value of an extension. There is at most one of a kind:
// crypto/x509 does not parse a certificate with two.
func extension(c *x509.Certificate, id asn1.ObjectIdentifier) (value []byte, critical, ok bool) {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return e.Value, e.Critical, true
		}
	}
	return nil, false, false
}

func isCA(c *x509.Certificate) bool { return c.BasicConstraintsValid && c.IsCA }

func issued(issuer, c *x509.Certificate) bool { return bytes.Equal(issuer.RawSubject, c.RawIssuer) }

// order returns the certificates from the mark certificate upward, and notes a
// file that holds them otherwise: the mark certificate comes first, then each
// issuer of the one before, nothing else.
func (c *check) order(certs []*x509.Certificate) []*x509.Certificate {
	// The leaves are those that are no authority and issued nothing here: an issuer
	// that lacks the CA flag is a broken issuer and not a second mark certificate.
	var leaves []*x509.Certificate
	for _, a := range certs {
		if !isCA(a) && !slices.ContainsFunc(certs, func(b *x509.Certificate) bool { return a != b && issued(a, b) }) {
			leaves = append(leaves, a)
		}
	}
	if len(leaves) > 1 {
		c.add(Failure, ErrSeveralLeaves, wholeFile, "")
	}
	leaf := certs[0]
	if len(leaves) > 0 {
		leaf = leaves[0]
	}
	sorted := []*x509.Certificate{leaf}
	for last := leaf; last != nil; {
		var next *x509.Certificate
		if issued(last, last) && signedBy(last, last) == nil {
			break // nobody is above who signed himself, whatever his name
		}
		for _, a := range certs {
			if issued(a, last) && !slices.Contains(sorted, a) && (next == nil || signedBy(last, a) == nil) {
				next = a
			}
		}
		if next != nil {
			sorted = append(sorted, next)
		}
		last = next
	}
	if len(sorted) < len(certs) && len(leaves) < 2 {
		c.add(Failure, ErrForeignCertificate, wholeFile, fmt.Sprintf("%d of %d", len(certs)-len(sorted), len(certs)))
	}
	if !slices.Equal(sorted, certs[:len(sorted)]) {
		s := Failure
		if c.v.AllowUnordered {
			s = Warning
		}
		c.add(s, ErrOrder, wholeFile, "")
	}
	return sorted
}

// buildPath sets path and root, or notes why there is no path. The certificates
// of the file are taken as they come. The path ends at the last of them that is a
// root of the store, or has the name and the key of one: a trust anchor is no more than
// that (RFC 5280, section 6.1.1), and roots are renewed and cross-signed. Only what a
// file without one lacks is looked for, in the store and in the pool of intermediates.
// Of several paths the first counts that is not over or out of use.
func (c *check) buildPath(certs []*x509.Certificate) {
	roots := c.v.roots()
	for i := len(certs) - 1; i > 0; i-- {
		for _, r := range roots.anchors(certs[i]) {
			if c.take(certs[:i], r) {
				return
			}
		}
	}
	// Breadth first, so that the shortest completion wins; bounded by the number of
	// signatures looked at, as the pool may hold cross-signed loops.
	queue := [][]*x509.Certificate{certs}
	var broken error
	for n := 0; len(queue) > 0; queue = queue[1:] {
		path := queue[0]
		last := path[len(path)-1]
		for _, r := range roots.issuers(last) {
			if r.Certificate.Equal(last) {
				continue // a certificate does not vouch for itself, whatever store it is in
			}
			if err := signedBy(last, r.Certificate); err != nil {
				broken = err
				continue
			}
			if c.take(path, r) {
				return
			}
		}
		for _, a := range c.v.Intermediates {
			if !issued(a, last) || slices.ContainsFunc(path, a.Equal) || len(path) >= MaxCertificates {
				continue
			}
			if n++; n > 50 {
				break
			}
			if err := signedBy(last, a); err != nil {
				broken = err
				continue
			}
			queue = append(queue, append(slices.Clone(path), a))
		}
	}
	if c.root != nil {
		return
	}
	c.path = certs // for what can be judged of it; root stays nil
	if broken != nil {
		c.fail(len(certs)-1, broken)
		return
	}
	c.add(Failure, ErrUntrusted, len(certs)-1, "issuer "+issuerName(certs[len(certs)-1]))
}

// issuerName is for people. crypto/x509 writes a name of n parts in n steps of up to n octets.
func issuerName(c *x509.Certificate) string {
	const most = 1 << 10
	if n := len(c.RawIssuer); n > most {
		return fmt.Sprintf("with a name of %d octets", n)
	}
	return c.Issuer.String()
}

// take makes the certificates and the root the path, if they are the first ones
// found or may be used now. It reports whether the search is over.
func (c *check) take(certs []*x509.Certificate, r *Root) (usable bool) {
	path := append(slices.Clone(certs), r.Certificate)
	usable = !r.Disabled && !slices.ContainsFunc(path, func(x *x509.Certificate) bool {
		return c.now.Before(x.NotBefore) || c.now.After(x.NotAfter)
	})
	if usable || c.root == nil {
		c.path, c.root = path, r
	}
	return usable
}

// signedBy checks the signature of c under the key of issuer, and nothing else.
func signedBy(c, issuer *x509.Certificate) error {
	if err := acceptableAlgorithm(c.SignatureAlgorithm); err != nil {
		return err
	}
	if err := acceptableKey(issuer.PublicKey); err != nil {
		return err
	}
	if err := issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature); err != nil {
		return ErrSignature
	}
	return nil
}

func acceptableAlgorithm(a x509.SignatureAlgorithm) error {
	switch a {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrSignatureAlgorithm, a)
}

func acceptableKey(key any) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < minRSABits || n > maxRSABits {
			return fmt.Errorf("%w: RSA of %d bits", ErrWeakKey, n)
		}
		return nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() || k.Curve == elliptic.P384() {
			return nil
		}
		return fmt.Errorf("%w: curve %s", ErrWeakKey, k.Curve.Params().Name)
	}
	return fmt.Errorf("%w: neither RSA nor ECDSA", ErrWeakKey)
}

// validatePath is RFC 5280, section 6.1. Two judges have to accept: this package, step by
// step, for an answer with a name and for what crypto/x509 passes over (key usage,
// key strength, extended key usage, the kinds of name constraints it does not
// know); then crypto/x509, with pools that hold this path and nothing else, for
// the whole, signatures, name constraints and policies included.
func (c *check) validatePath() {
	before := len(c.result.Findings)
	for i, cert := range c.path {
		c.validateCertificate(i, cert)
	}
	own := !slices.ContainsFunc(c.result.Findings[before:], func(f Finding) bool { return f.Severity == Failure })
	switch {
	case c.root == nil:
		c.signatures()
	case c.root.Disabled:
		c.add(Failure, ErrRootConstraint, len(c.path)-1, "root is disabled")
	case !own:
		c.signatures()
	default:
		c.judge()
	}
}

// judge asks crypto/x509 about the path.
func (c *check) judge() {
	if c.now.IsZero() {
		c.add(Failure, ErrNotYetValid, 0, "clock is at the zero time") // crypto/x509 would read its own clock
		return
	}
	opts := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		CurrentTime: c.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	opts.Roots.AddCert(c.root.Certificate)
	for _, cert := range c.path[1 : len(c.path)-1] {
		opts.Intermediates.AddCert(cert)
	}
	if _, err := c.leaf.Verify(opts); err != nil {
		var e x509.CertificateInvalidError
		switch {
		case c.signatures():
		case errors.As(err, &e) && (e.Reason == x509.CANotAuthorizedForThisName ||
			e.Reason == x509.UnconstrainedName || e.Reason == x509.NameConstraintsWithoutSANs):
			c.add(Failure, ErrNameConstraints, wholeFile, err.Error())
		default:
			c.add(Failure, ErrPath, wholeFile, err.Error())
		}
		return
	}
	if !c.failed {
		c.result.Chain = slices.Clone(c.path)
	}
}

// signatures looks for the link whose signature does not verify, to name it: the
// accepted paths have been verified by crypto/x509.
func (c *check) signatures() (found bool) {
	for i, cert := range c.path[:len(c.path)-1] {
		if signedBy(cert, c.path[i+1]) == ErrSignature {
			c.add(Failure, ErrSignature, i, "")
			found = true
		}
	}
	return found
}

// validateCertificate judges the certificate at place i of the path by itself.
// The root's own signature says nothing: it is trusted as it is.
func (c *check) validateCertificate(i int, cert *x509.Certificate) {
	root := c.root != nil && i == len(c.path)-1
	if cert.Version != 3 {
		c.add(Failure, ErrCertificate, i, fmt.Sprintf("version %d", cert.Version))
	}
	if !root {
		c.encoding(i, cert)
	}
	if c.now.Before(cert.NotBefore) {
		c.add(Failure, ErrNotYetValid, i, "from "+cert.NotBefore.UTC().Format("2006-01-02T15:04:05Z"))
	}
	if c.now.After(cert.NotAfter) {
		c.add(Failure, ErrExpired, i, "until "+cert.NotAfter.UTC().Format("2006-01-02T15:04:05Z"))
	}
	if err := acceptableKey(cert.PublicKey); err != nil {
		c.fail(i, err)
	}
	c.criticalExtensions(i, cert)
	if i > 0 {
		c.validateIssuer(i, cert, root)
	}
	if !root {
		if err := acceptableAlgorithm(cert.SignatureAlgorithm); err != nil {
			c.fail(i, err)
		}
	}
}

func (c *check) validateIssuer(i int, cert *x509.Certificate, root bool) {
	if !isCA(cert) {
		c.add(Failure, ErrNotCA, i, "")
	} else if cert.MaxPathLen >= 0 {
		// Self-issued certificates do not count (RFC 5280, section 4.2.1.9), but
		// crypto/x509 counts them; mark certificate paths have none.
		if below := i - 1; below > cert.MaxPathLen {
			c.add(Failure, ErrPathLength, i, fmt.Sprintf("%d where %d is allowed", below, cert.MaxPathLen))
		}
	}
	if !mayUse(cert, x509.KeyUsageCertSign) {
		c.add(Failure, ErrKeyUsage, i, "issuer may not sign certificates")
	}
	if _, _, ok := extension(cert, oidExtKeyUsage); ok && !root && !hasKeyPurpose(cert) {
		c.add(Failure, ErrKeyPurpose, i, "issuer is limited to other purposes")
	}
	if v, _, ok := extension(cert, oidConstraints); ok && !knownConstraints(v) {
		c.add(Failure, ErrNameConstraints, i, "of a kind that is not supported")
	}
}

// mayUse reports whether the key usage allows a use. Without the extension all are
// allowed; one that is there and empty allows none (RFC 5280, section 4.2.1.3).
func mayUse(c *x509.Certificate, use x509.KeyUsage) bool {
	_, _, limited := extension(c, oidKeyUsage)
	return !limited || c.KeyUsage&use != 0
}

// criticalExtensions refuses what is critical and not understood (RFC 5280, section 4.2).
// The pilot identifier is known and says nothing that changes the answer; it
// is taken off the list so that crypto/x509 accepts it too. The certificate is
// our own parse of the mark certificate; authorities have no use for it.
func (c *check) criticalExtensions(i int, cert *x509.Certificate) {
	if i == 0 {
		known := func(id asn1.ObjectIdentifier) bool {
			// The last two have failures of their own.
			return id.Equal(oidPilot) || id.Equal(oidSCTList) || id.Equal(oidLogotype) || id.Equal(oidPoison)
		}
		cert.UnhandledCriticalExtensions = slices.DeleteFunc(cert.UnhandledCriticalExtensions, known)
	}
	for _, id := range cert.UnhandledCriticalExtensions {
		c.add(Failure, ErrCriticalExtension, i, id.String())
	}
}

// knownConstraints reports whether name constraints (RFC 5280, section 4.2.1.10)
// are all of the kinds crypto/x509 applies: mail addresses, domain names, URIs and
// IP addresses. It ignores the others where the extension is not critical;
// a constraint that cannot be judged must not be taken for one that is met.
func knownConstraints(value []byte) bool {
	d := der(value)
	var all, trees, tree der
	if !d.read(tagSequence, &all) || len(d) != 0 {
		return false
	}
	for len(all) > 0 {
		tag, content, _, ok := all.any()
		if !ok || tag != tagConstructed && tag != tagConstructed|1 {
			return false
		}
		for trees = content; len(trees) > 0; {
			if !trees.read(tagSequence, &tree) {
				return false
			}
			switch base, name, _, ok := tree.any(); {
			case !ok, len(tree) != 0: // minimum and maximum are not allowed
				return false
			case base == tagContext|2 && bytes.IndexByte(name, '*') >= 0:
				return false // no label is one, so that it would exclude nothing
			case base != tagContext|1 && base != tagContext|2 && base != tagContext|6 && base != tagContext|7:
				return false
			}
		}
	}
	return true
}
