package markcert

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/internal/domain"
)

// markPolicy is the general certificate policy of mark certificates.
const markPolicy = "1.3.6.1.4.1.53087.1.1"

const (
	maxLifetime   = 398 * 24 * time.Hour
	expiryWarning = 30 * 24 * time.Hour
)

// profile judges the mark certificate as a mark certificate.
func (c *check) profile() {
	leaf := c.leaf
	if _, _, ok := extension(leaf, oidPoison); ok {
		c.add(Failure, ErrPrecertificate, 0, "")
	}
	if isCA(leaf) {
		c.add(Failure, ErrLeafCA, 0, "")
	}
	if leaf.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 {
		c.add(Failure, ErrKeyUsage, 0, "mark certificate may sign certificates or revocation lists")
	}
	switch {
	case !hasKeyPurpose(leaf):
		c.add(Failure, ErrKeyPurpose, 0, "")
	case len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) > 1:
		s := Failure
		if c.v.AllowOtherKeyPurposes {
			s = Warning
		}
		c.add(s, ErrOtherKeyPurposes, 0, "")
	}
	if !slices.Contains(policies(leaf), markPolicy) {
		c.add(c.policySeverity(), ErrPolicy, 0, "general policy "+markPolicy)
	}
	// Both ends count (RFC 5280, section 4.1.2.5).
	if leaf.NotAfter.Sub(leaf.NotBefore)+time.Second > maxLifetime {
		s := Warning
		if c.v.RejectLongLifetime {
			s = Failure
		}
		c.add(s, ErrLifetime, 0, "")
	}
	if !c.now.After(leaf.NotAfter) && c.now.Add(expiryWarning).After(leaf.NotAfter) {
		c.add(Warning, ErrExpiring, 0, "until "+leaf.NotAfter.UTC().Format("2006-01-02T15:04:05Z"))
	}
	if _, _, ok := extension(leaf, oidPilot); ok && !leaf.NotBefore.Before(time.Date(2025, time.March, 15, 0, 0, 0, 0, time.UTC)) {
		c.add(Warning, ErrPilot, 0, "")
	}
}

func (c *check) policySeverity() Severity {
	if c.v.RequirePolicies {
		return Failure
	}
	return Warning
}

// hasKeyPurpose reports whether the extended key usage names BIMI itself.
// anyExtendedKeyUsage does not (RFC 5280, section 4.2.1.12 lets an application require the particular purpose).
func hasKeyPurpose(c *x509.Certificate) bool {
	return slices.ContainsFunc(c.UnknownExtKeyUsage, oidKeyPurpose.Equal)
}

func policies(c *x509.Certificate) []string {
	out := make([]string, len(c.Policies))
	for i, p := range c.Policies {
		out[i] = p.String()
	}
	return out
}

// rootConstraints holds the certificate against what its root is trusted for.
// The timestamps of the logs are held against NotBeforeMax when they are verified.
func (c *check) rootConstraints() {
	r := c.root
	if r == nil {
		return
	}
	if !r.NotBeforeMax.IsZero() && c.leaf.NotBefore.After(r.NotBeforeMax) {
		c.add(Failure, ErrRootConstraint, 0, "issued after the root's last day "+r.NotBeforeMax.Format(time.DateOnly))
	}
	if len(r.MarkTypes) > 0 && !slices.Contains(r.MarkTypes, c.result.MarkType) {
		c.add(Failure, ErrRootConstraint, 0, "root not accepted for mark type "+c.result.MarkType.String())
	}
	if len(r.Policies) > 0 && !slices.ContainsFunc(policies(c.leaf), func(p string) bool { return slices.Contains(r.Policies, p) }) {
		c.add(c.policySeverity(), ErrPolicy, 0, "authority's policy "+strings.Join(r.Policies, " or "))
	}
	if len(r.PermittedDomains) > 0 && !c.within(r.PermittedDomains) {
		c.add(Failure, ErrRootConstraint, 0, "root not accepted for these domains")
	}
}

// within reports whether every name of the certificate is one of the domains or
// below one. A domain of the store that is no domain name permits nothing.
func (c *check) within(permitted []string) bool {
	for _, s := range append(slices.Clone(c.result.Domains), c.result.Selectors...) {
		n, err := domain.ParseQuery(s) // a selector name has an underscore
		if err != nil || !slices.ContainsFunc(permitted, func(p string) bool {
			m, err := domain.Parse(p)
			return err == nil && n.IsWithin(m)
		}) {
			return false
		}
	}
	return true
}
